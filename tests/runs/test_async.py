"""The asynchronous forms: same arguments and results as the others, a loop that never waits, requests that end."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import respx

from analyzer import Result, analyze, analyze_async, analyze_many, analyze_many_async
from analyzer.errors import AnalyzerError, ConfigurationError, CostLimitReached, InputError
from analyzer.reading import background
from analyzer.reading.clients import shared_client
from analyzer.results.result import Progress
from analyzer.settings import Settings
from tests.completions import CHAT, PITCH, URL, answer, completion
from tests.model_server import MODEL, Reply, Service, good, refused

SETTINGS = Settings(openai_base_url=URL, openai_api_key="sk-secret-0123456789")
HOUR = 3600.0
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextmanager
def serving(reply: Callable[[str, int], Reply]) -> Iterator[Service]:
    """A service, and afterwards no connection to it."""
    shared_client.cache_clear()
    with Service(reply) as service:
        yield service
        background.run(shared_client(service.settings.timeout).aclose())
    shared_client.cache_clear()


def after_an_hour(_: str, __: int) -> Reply:
    return Reply(good().body, after=HOUR)


async def until(service: Service, condition: Any) -> None:
    assert await asyncio.to_thread(service.wait_for, condition)


def comparable(results: list[Result]) -> list[tuple[Any, ...]]:
    """Everything about results, in the order of the input."""
    by_number = sorted(results, key=lambda result: result.number)
    return [
        (each.number, each.id, each.assessment, str(each.error), type(each.error), each.title, each.sha256)
        for each in by_number
    ]


# ---------------------------------------------------------------- one pitch


async def test_as_a_coroutine_it_gives_what_the_function_gives() -> None:
    assert await analyze_async(PITCH, model="keywords", id="a") == analyze(PITCH, model="keywords", id="a")


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"text": b"x"}, InputError),
        ({"text": PITCH, "model": 7}, ConfigurationError),
        ({"text": PITCH, "rulebook": 7}, InputError),
        ({"text": PITCH, "modle": "keywords"}, TypeError),
    ],
    ids=["bytes", "model", "rulebook", "misspelled"],
)
async def test_a_faulty_argument_is_the_same_error_in_both(arguments: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind) as now:
        analyze(**arguments)
    with pytest.raises(kind) as later:
        await analyze_async(**arguments)
    assert str(later.value).replace("_async", "") == str(now.value)


def test_every_form_takes_the_same_options_and_shows_them_in_its_signature() -> None:
    def options(function: Any) -> dict[str, Any]:
        parameters = list(inspect.signature(function).parameters.values())[1:]
        assert all(each.kind is inspect.Parameter.KEYWORD_ONLY for each in parameters)
        return {each.name: each.default for each in parameters}

    assert options(analyze_async) == options(analyze)
    assert options(analyze_many_async) == options(analyze_many)
    assert options(analyze_many).keys() > options(analyze).keys() - {"id"}


async def test_many_requests_run_at_once_while_the_loop_goes_on() -> None:
    all_there = threading.Event()

    def reply(_: str, __: int) -> Reply:
        return good()

    with serving(reply) as service:
        ticks = 0

        async def ticking() -> None:
            nonlocal ticks
            while not all_there.is_set():
                ticks += 1
                await asyncio.sleep(0.002)

        ticker = asyncio.create_task(ticking())
        texts = [f"{PITCH} This is number {number}." for number in range(8)]
        found = await asyncio.gather(*(analyze_async(text, model=MODEL, settings=service.settings) for text in texts))
        before = ticks
        await asyncio.sleep(0.002)
        all_there.set()
        await ticker
    assert len({assessment.pitch.sha256 for assessment in found}) == 8
    assert before > 8


async def test_cancelling_the_task_ends_the_request() -> None:
    with serving(after_an_hour) as service:
        task = asyncio.create_task(analyze_async(PITCH, model=MODEL, settings=service.settings))
        await until(service, lambda: service.in_flight == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(service, lambda: service.abandoned == 1)
        assert service.in_flight == 0


async def test_a_time_out_of_the_callers_ends_the_request() -> None:
    async def within(limit: asyncio.Timeout, service: Service) -> None:
        async with limit:
            await analyze_async(PITCH, model=MODEL, settings=service.settings)

    with serving(after_an_hour) as service:
        limit = asyncio.timeout(None)
        task = asyncio.create_task(within(limit, service))
        await until(service, lambda: service.in_flight == 1)
        limit.reschedule(0)
        with pytest.raises(TimeoutError):
            await task
        await until(service, lambda: service.abandoned == 1)


# ---------------------------------------------------------------- many pitches


async def collected(results: Any) -> list[Result]:
    return [result async for result in results]


async def test_many_give_the_same_results_as_without_a_loop_errors_too() -> None:
    pitches: list[Any] = [("a", PITCH), ("b", " "), 7, {"id": "d", "text": f"{PITCH} More."}, PITCH]
    now = list(analyze_many(pitches, model="keywords"))
    later = await collected(analyze_many_async(pitches, model="keywords"))
    assert comparable(later) == comparable(now)
    assert [result.error is None for result in sorted(later, key=lambda each: each.number)] == [
        True,
        False,
        False,
        True,
        True,
    ]


async def test_pitches_may_come_from_an_asynchronous_source_that_waits_for_the_results_before() -> None:
    handed_out = asyncio.Event()

    async def one_after_another() -> AsyncIterator[tuple[str, str]]:
        for number in range(3):
            handed_out.clear()
            yield f"pitch-{number}", PITCH
            await handed_out.wait()

    ids = []
    async for result in analyze_many_async(one_after_another(), model="keywords"):
        ids.append(result.id)
        handed_out.set()
    assert ids == ["pitch-0", "pitch-1", "pitch-2"]


async def test_an_ordinary_source_that_waits_does_not_stop_the_loop() -> None:
    wait, waiting = threading.Event(), threading.Event()

    def slow() -> Iterator[str]:
        waiting.set()
        assert wait.wait(20)
        yield PITCH

    results = analyze_many_async(slow(), model="keywords")
    first = asyncio.ensure_future(anext(results))
    assert await asyncio.to_thread(waiting.wait, 20)
    assert not first.done()
    wait.set()
    assert (await first).error is None
    assert await collected(results) == []


async def test_no_more_than_concurrency_are_in_flight_and_no_more_taken_than_needed() -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield f"{PITCH} This is number {taken}."

    with serving(lambda _, __: good()) as service:
        results = analyze_many_async(endless(), model=MODEL, concurrency=3, settings=service.settings, store=False)
        async with results:
            first = [await anext(results) for _ in range(10)]
        assert len({result.id for result in first}) == 10
        assert service.most <= 3
        assert taken <= 10 + 2 * 3 + 1


@pytest.mark.parametrize("way", ["break", "aclose", "cancel"])
async def test_leaving_the_loop_ends_the_requests_in_flight(way: str) -> None:
    def one_answer(pitch: str, _: int) -> Reply:
        return good() if "number 0" in pitch else Reply(good().body, after=HOUR)

    with serving(one_answer) as service:
        texts = [f"{PITCH} This is number {number}." for number in range(4)]
        options: Any = {"model": MODEL, "settings": service.settings, "store": False, "concurrency": 4}

        async def consume() -> None:
            results = analyze_many_async(texts, **options)
            assert (await anext(results)).error is None
            await until(service, lambda: service.in_flight == 3)
            if way == "aclose":
                await results.aclose()
            elif way == "cancel":
                await anext(results)

        if way == "break":
            async for result in analyze_many_async(texts, **options):
                assert result.error is None
                await until(service, lambda: service.in_flight == 3)
                break
        else:
            task = asyncio.create_task(consume())
            if way == "cancel":
                await until(service, lambda: service.answered.total() == 1 and service.in_flight == 3)
                task.cancel()
            await asyncio.wait([task])
            assert task.cancelled() == (way == "cancel")
        await until(service, lambda: service.abandoned == 3)
        assert service.in_flight == 0 and service.asked.total() == 4


async def test_what_the_source_raises_ends_the_run() -> None:
    def broken() -> Iterator[str]:
        yield PITCH
        raise LookupError("the table is gone")

    async def later() -> AsyncIterator[str]:
        yield PITCH
        raise LookupError("the table is gone")

    for source in (broken(), later()):
        with pytest.raises(LookupError, match="the table is gone"):
            await collected(analyze_many_async(source, model="keywords"))


async def test_a_faulty_argument_of_many_is_raised_at_the_call() -> None:
    with pytest.raises(InputError, match="pitches is a str"):
        analyze_many_async(PITCH, model="keywords")
    with pytest.raises(ConfigurationError, match="many pitches need a model"):
        analyze_many_async([PITCH])
    with pytest.raises(TypeError, match="did you mean 'concurrency'"):
        analyze_many_async([PITCH], model="keywords", concurency=3)  # type: ignore[call-arg]


async def test_a_refused_key_ends_the_run_with_one_error_and_its_source_is_not_waited_for() -> None:
    async def endless() -> AsyncIterator[str]:
        yield PITCH
        await asyncio.Event().wait()

    with serving(lambda _, __: refused(401)) as service, pytest.raises(AnalyzerError) as raised:
        await collected(analyze_many_async(endless(), model=MODEL, settings=service.settings, store=False))
    assert raised.value.kind == "authentication"


async def test_stop_and_the_cost_limit_end_the_run_as_without_a_loop() -> None:
    stop = threading.Event()

    async def endless() -> AsyncIterator[str]:
        number = 0
        while True:
            number += 1
            yield f"{PITCH} This is number {number}."

    finished = 0
    async for _ in analyze_many_async(endless(), model="keywords", stop=stop, concurrency=2):
        finished += 1
        if finished == 3:
            stop.set()
    assert 3 <= finished <= 3 + 2 * 2

    shared_client.cache_clear()
    with respx.mock() as router:
        router.post(CHAT).mock(side_effect=lambda _: completion(answer()))
        with pytest.raises(CostLimitReached):
            await collected(
                analyze_many_async(endless(), model=MODEL, settings=SETTINGS, store=False, max_cost=0.02, concurrency=1)
            )


async def test_progress_and_summary_count_every_result() -> None:
    seen: list[Progress] = []
    results = analyze_many_async([PITCH, " ", f"{PITCH} More."], model="keywords", on_progress=seen.append)
    assert results.summary.finished == 0 and results.summary.total == 3
    await collected(results)
    assert [progress.finished for progress in seen] == [1, 2, 3]
    assert results.summary == seen[-1]
    assert results.summary.failed == {"pitch": 1}
