"""One pitch and many: in scripts, threads and notebooks; every pitch ends in exactly one result."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import respx

import analyzer
from analyzer import MarketMap, analyze, analyze_many
from analyzer.errors import ConfigurationError
from analyzer.reading.clients import shared_client
from analyzer.reading.pitch import Pitch
from analyzer.reading.reading import Reading
from analyzer.settings import Settings
from tests.completions import CHAT, PITCH, URL, answer, completion, failure
from tests.model_server import Service, good

SETTINGS = Settings(openai_base_url=URL, openai_api_key="sk-secret-0123456789")
MODEL = "openai/gpt-4.1-mini"


@pytest.fixture(autouse=True)
def _fresh_client() -> None:
    shared_client.cache_clear()


def test_every_pitch_gives_one_result_and_a_failed_one_an_error() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return (
            failure(400)
            if "number 3" in json.loads(request.content)["messages"][1]["content"]
            else completion(answer())
        )

    pitches = [f"{PITCH} This is number {n}." for n in range(6)] + [" "]
    with respx.mock() as router:
        router.post(CHAT).mock(side_effect=respond)
        results = list(analyze_many(pitches, model=MODEL, concurrency=4, settings=SETTINGS))
    assert sorted(result.number for result in results) == list(range(7))
    failed = {result.number: result.error.kind for result in results if result.error}
    assert failed == {3: "rejected", 6: "pitch"}
    assert all((result.assessment is None) == (result.error is not None) for result in results)


def test_no_more_than_concurrency_are_under_way_and_no_more_taken_than_needed() -> None:
    under_way, most, taken = 0, 0, 0

    async def respond(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        return completion(answer())

    def endless() -> Iterator[tuple[str, str]]:
        nonlocal taken
        while True:
            taken += 1
            yield f"pitch-{taken}", PITCH

    with respx.mock() as router:
        router.post(CHAT).mock(side_effect=respond)
        stream = analyze_many(endless(), model=MODEL, concurrency=3, settings=SETTINGS)
        first = [next(stream) for _ in range(10)]
        stream.close()
    assert len({result.id for result in first}) == 10
    assert most == 3
    assert taken <= 10 + 2 * 3


def test_many_pitches_are_not_read_by_guess() -> None:
    with pytest.raises(ConfigurationError, match="many pitches need a model of your choice"):
        analyze_many([PITCH], settings=Settings())
    with pytest.raises(ConfigurationError, match="from 1 to 256"):
        analyze_many([PITCH], model="keywords", concurrency=0)


def test_many_pitches_can_be_read_by_keywords_and_from_recordings() -> None:
    assert [result.id for result in analyze_many([("a", PITCH)], model="keywords")] == ["a"]
    (missed,) = analyze_many([PITCH], model="recorded")
    assert missed.error is not None
    assert missed.error.kind == "missing_recording"


def test_a_fault_of_this_program_costs_one_pitch(monkeypatch: pytest.MonkeyPatch) -> None:
    from analyzer.reading.keywords.reader import KeywordReader

    async def broken(self: KeywordReader, pitch: object, number: int = 1) -> None:
        raise ZeroDivisionError("the text of the pitch")

    monkeypatch.setattr(KeywordReader, "read", broken)
    (result,) = analyze_many([("a", PITCH)], model="keywords")
    assert result.error is not None
    assert (result.error.kind, result.error.exit_code) == ("unexpected", 1)
    assert "the text of the pitch" not in str(result.error)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "this program has too many open files (ulimit -n)"),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (MemoryError(), "out of memory"),
    ],
    ids=["files", "disk", "memory"],
)
def test_what_the_system_refuses_is_an_error_that_says_so_and_no_fault_to_report(
    monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
) -> None:
    from analyzer.reading.keywords.reader import KeywordReader

    async def broken(self: KeywordReader, pitch: object, number: int = 1) -> None:
        raise error

    monkeypatch.setattr(KeywordReader, "read", broken)
    (result,) = analyze_many([("a", PITCH)], model="keywords")
    assert result.error is not None and result.error.kind == "system"
    assert says in str(result.error) and "report it" not in str(result.error)


def test_analyze_works_in_threads_and_where_a_loop_is_running_already() -> None:
    with respx.mock() as router:
        router.post(CHAT).mock(side_effect=lambda _: completion(answer()))

        async def notebook() -> str | None:
            return analyze(PITCH, model=MODEL, settings=SETTINGS).pitch.title

        assert asyncio.run(notebook()) == "Wattwise: cut your GPU bill"
        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(lambda _: analyze(PITCH, model=MODEL, settings=SETTINGS).in_scope, range(8)))
    assert done == [True] * 8
    assert sum(thread.name == "pitch-analyzer-requests" for thread in threading.enumerate()) == 1


def test_what_is_no_pitch_is_a_failed_result_and_not_the_end() -> None:
    given = [PITCH, None, ("a", None), (5, PITCH), 7]
    results = list(analyze_many(given, model="keywords"))  # type: ignore[arg-type]
    kinds = {result.number: result.error.kind if result.error else "read" for result in results}
    assert kinds == {0: "read", 1: "pitch", 2: "pitch", 3: "read", 4: "pitch"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_reads_too() -> None:
    script = (
        "import os, sys; from analyzer import analyze; analyze('A tool.', model='keywords');"
        "child = os.fork()\n"
        "if child == 0: analyze('A tool.', model='keywords'); os._exit(0)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], timeout=60, check=False)
    assert done.returncode == 0


def test_a_callback_that_raises_ends_the_run_with_its_own_error_and_nothing_hangs() -> None:
    def broken(progress: object) -> None:
        raise ZeroDivisionError("mine")

    with respx.mock() as router:
        router.post(CHAT).mock(side_effect=lambda _: completion(answer()))
        with pytest.raises(ZeroDivisionError, match="mine"):
            list(analyze_many([PITCH] * 20, model=MODEL, settings=SETTINGS, on_progress=broken))


@pytest.mark.parametrize(
    ("error", "kind"),
    [(SystemExit(3), "unexpected"), (KeyboardInterrupt(), "unexpected"), (MemoryError(), "system")],
    ids=repr,
)
def test_whatever_breaks_on_the_background_loop_reaches_who_waits_and_the_loop_goes_on(
    error: BaseException, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from analyzer.reading.keywords.reader import KeywordReader

    read = KeywordReader.read

    async def broken(self: KeywordReader, pitch: Pitch, number: int = 1) -> Reading:
        if "number 1" in pitch.text:
            raise error
        return await read(self, pitch, number)

    monkeypatch.setattr(KeywordReader, "read", broken)
    results = list(analyze_many([f"{PITCH} This is number {n}." for n in range(3)], model="keywords"))
    assert {result.number: result.error.kind if result.error else "read" for result in results} == {
        0: "read",
        1: kind,
        2: "read",
    }


@pytest.mark.slow
@pytest.mark.parametrize("taken", [0, 1], ids=["not begun", "left open"])
@pytest.mark.parametrize("store", [True, False], ids=["store", "no store"])
def test_a_run_that_nobody_takes_to_its_end_ends_in_silence_with_the_program(
    taken: int, store: bool, tmp_path: Path
) -> None:
    script = (
        "from analyzer import analyze_many\n"
        f"results = analyze_many(['A tool for ML %d' % n for n in range(50)], model='{MODEL}', store={store})\n"
        f"for _ in range({taken}): print(next(results).number >= 0)\n"
    )
    with Service(lambda *_: good()) as service:
        environment = {**os.environ, **service.environment, "PITCH_STORE": f"sqlite:///{tmp_path / 'store.db'}"}
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "ignore::DeprecationWarning", "-c", script],
            env=environment, timeout=60, check=False, capture_output=True, text=True,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "True\n" * taken)
    assert "Event loop is closed" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_time_to_give_up_after_is_a_number_of_seconds(seconds: float) -> None:
    with pytest.raises(ConfigurationError, match="give_up_after"):
        analyze_many([PITCH], model="keywords", give_up_after=seconds)


def test_a_market_map_of_ones_own_reaches_one_pitch_and_many() -> None:
    own = MarketMap.built_in().model_copy(update={"version": "mine"})
    one = analyze(PITCH, model="keywords", market=own)
    (many,) = analyze_many([PITCH], model="keywords", market=own)
    assert many.assessment is not None
    assert one.provenance.market.version == many.assessment.provenance.market.version == "mine"


def test_the_public_names_are_these_and_each_can_be_had() -> None:
    assert analyzer.__all__ == [
        "AnalyzerError", "Assessment", "Comparison", "ManualScores", "MarketMap", "Ranking", "Result", "Rulebook", "Settings", "Signals", "__version__", "analyze",
        "analyze_async", "analyze_frame", "analyze_many", "analyze_many_async", "compare", "rank", "read_manual", "report", "score", "score_table", "to_frame",
    ]  # fmt: skip
    assert all(getattr(analyzer, name) is not None for name in analyzer.__all__)
