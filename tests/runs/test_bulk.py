"""Many pitches: every one ends in exactly one row, whatever the server, the user or the machine does."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pyarrow.parquet as parquet
import pytest

from analyzer import analyze_many
from analyzer.errors import (
    AuthenticationFailed,
    ConfigurationError,
    CostLimitReached,
    InputError,
    ProviderDown,
    StoreError,
)
from analyzer.files.pitches import Sources
from analyzer.framework.rulebook import Rulebook
from analyzer.reading.rate_limiter import MANY
from analyzer.results.documents import read_entries, score_entry
from analyzer.results.result import Progress, Result
from analyzer.results.rows import COLUMNS
from analyzer.runs.bulk import BulkOptions, BulkSummary, run
from analyzer.runs.estimate import estimate
from analyzer.runs.portfolio import Portfolio
from analyzer.settings import Settings
from analyzer.store.answers import AnswerTable, StoredAnswer
from analyzer.views.portfolio import write_portfolio
from tests.completions import PITCH
from tests.model_server import FAULTS, KEY, MODEL, Reply, Service, good, refused

GOOD = good()


def pitch(number: int) -> str:
    return f"{PITCH}\nNumber {number}."


def pitches(count: int) -> list[tuple[str, str]]:
    return [(f"p{number}", pitch(number)) for number in range(count)]


def table(path: Path, count: int) -> Path:
    path.write_text("".join(json.dumps({"id": id_, "text": text}) + "\n" for id_, text in pitches(count)))
    return path


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience as in a real run, with short pauses."""
    monkeypatch.setattr("analyzer.runs.plan.MANY", replace(MANY, longest_pause=0.02, give_up_after=60.0))


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


def together(service: Service, count: int, store: bool | str = False, **options: object) -> list[Result]:
    return list(analyze_many(pitches(count), model=MODEL, settings=service.settings, store=store, **options))  # type: ignore[arg-type]


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize("name", FAULTS)
def test_whatever_goes_wrong_once_a_patient_client_gets_the_answer(quick: None, name: str) -> None:
    with Service(lambda pitch, time_: FAULTS[name] if time_ == 1 else GOOD) as service:
        (result,) = together(service, 1)
    assert result.error is None
    assert service.asked.total() == (1 if name in ("slow", "wrong tool") else 2)


@pytest.mark.slow
def test_two_thousand_pitches_with_a_fifth_of_faults_end_in_one_result_each(quick: None) -> None:
    names = list(FAULTS)

    def reply(pitch: str, times: int) -> Reply:
        number = int(pitch.rsplit(" ", 1)[1].rstrip("."))
        if number % 100 == 17:
            return refused(400)  # no client gets this one
        return FAULTS[names[number // 5 % len(names)]] if number % 5 == 0 and times <= number % 3 + 1 else GOOD

    with Service(reply) as service:
        results = together(service, 2000, concurrency=64)
    assert Counter(result.number for result in results) == Counter(range(2000))
    failed = {result.number: result.error.kind for result in results if result.error}
    # A model that breaks its arguments every time it is asked is given up after the second time.
    stubborn = {n for n in range(0, 2000, 5) if names[n // 5 % len(names)] == "broken arguments" and n % 3 >= 1}
    assert failed == dict.fromkeys(range(17, 2000, 100), "rejected") | dict.fromkeys(stubborn, "extraction")
    assert service.most <= 64


@pytest.mark.slow
def test_a_storm_of_refusals_slows_the_run_and_fails_nothing(quick: None) -> None:
    calls = 0

    def reply(pitch: str, times: int) -> Reply:
        nonlocal calls
        calls += 1
        return refused(429, retry_after_ms="20") if calls <= 150 else GOOD

    limits: list[int] = []
    with Service(reply) as service:
        results = together(service, 60, concurrency=32, on_progress=lambda progress: limits.append(progress.limit))
    assert [result.error for result in results] == [None] * 60
    assert min(limits) < 32


@pytest.mark.parametrize(
    ("reply", "error"),
    [(refused(401), AuthenticationFailed), (refused(404), ConfigurationError), (refused(429, "insufficient_quota"), ConfigurationError)],
    ids=["key", "model", "quota"],
)  # fmt: skip
def test_what_nothing_helps_against_ends_the_run_with_one_error_after_what_was_read(
    reply: Reply, error: type[Exception]
) -> None:
    with Service(
        lambda pitch, _: GOOD if pitch.endswith("Number 0.") else Reply(reply.body, reply.status, after=0.3)
    ) as service:
        stream = analyze_many(pitches(500), model=MODEL, settings=service.settings, store=False, concurrency=4)
        assert next(stream).number == 0
        with pytest.raises(error):
            list(stream)
    assert service.asked.total() < 20


def test_a_server_that_is_down_ends_the_run_and_fails_no_pitch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "analyzer.runs.plan.MANY", replace(MANY, longest_pause=0.01, give_up_after=0.2, other_attempts=10_000)
    )
    with Service(lambda *_: refused(503)) as service, pytest.raises(ProviderDown, match="has not answered any request"):
        together(service, 50)


@pytest.mark.slow
def test_pitches_caught_in_an_outage_get_no_row_and_are_read_by_the_next_run(
    quick: None, store: str, tmp_path: Path
) -> None:
    down = False

    def reply(pitch: str, times: int) -> Reply:
        nonlocal down
        down = down or service.answered.total() >= 30
        return refused(503) if down else GOOD

    with Service(reply) as service:
        settings = replace(service.settings, store=store)
        sources = Sources((str(table(tmp_path / "in.jsonl", 50)),))
        first = run(sources, tmp_path / "out.jsonl", BulkOptions(model=MODEL, settings=settings, give_up_after=0.3))
        assert isinstance(first.ended, ProviderDown)
        assert first.progress.failed == {}
        assert first.progress.total is not None
        left = first.progress.total - first.progress.finished
        assert 0 < left <= 20
        assert len(rows(first.written or tmp_path)) == 50 - left
        service.answered.clear()
        down = False
        service._reply = lambda *_: GOOD
        second = run(sources, tmp_path / "out.jsonl", BulkOptions(model=MODEL, settings=settings))
    assert (second.ended, second.progress.done, second.progress.failed) == (None, 50, {})
    assert second.progress.from_store == 50 - left


@pytest.mark.slow
def test_a_server_that_restarts_in_mid_run_fails_no_pitch(quick: None) -> None:
    calls = 0

    def reply(pitch: str, times: int) -> Reply:
        nonlocal calls
        calls += 1
        return Reply(fault="hang up") if 20 <= calls < 150 else GOOD

    with Service(reply) as service:
        results = together(service, 60, concurrency=8)
    assert [result.error for result in results] == [None] * 60


def test_answers_that_a_failing_store_cannot_keep_are_counted_all_the_same(
    quick: None, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = AnswerTable.save

    def full(self: AnswerTable, answers: Sequence[StoredAnswer]) -> None:
        if self.count() >= 10:
            raise StoreError("no room")
        save(self, answers)

    monkeypatch.setattr(AnswerTable, "save", full)
    with Service(lambda *_: GOOD) as service:
        settings = replace(service.settings, store=store)
        sources = Sources((str(table(tmp_path / "in.jsonl", 60)),))
        summary = run(sources, tmp_path / "out.jsonl", BulkOptions(model=MODEL, settings=settings, concurrency=8))
        assert isinstance(summary.ended, StoreError)
        assert summary.progress.usage.requests == service.asked.total() > 10


# ---------------------------------------------------------------- the store


def test_a_second_run_asks_nothing_and_a_changed_rulebook_scores_anew_without_a_call(store: str) -> None:
    with Service(lambda *_: GOOD) as service:
        first = together(service, 20, store)
        asked = service.asked.total()
        second = together(service, 20, store)
        other = Rulebook.built_in().model_copy(update={"version": "mine"})
        third = together(service, 20, store, rulebook=other)
        assert (asked, service.asked.total()) == (20, 20)
    assert not any(result.from_store for result in first)
    assert all(result.from_store for result in [*second, *third])

    def documents(results: list[Result]) -> list[str]:
        return sorted(result.assessment.to_json() for result in results if result.assessment)

    assert documents(first) == documents(second)
    assert {r.assessment.provenance.rulebook.version for r in third if r.assessment} == {"mine"}


@pytest.mark.parametrize("change", ["model", "prompt", "vocabulary"])
def test_another_model_prompt_or_vocabulary_asks_anew(store: str, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Service(lambda *_: GOOD) as service:
        together(service, 3, store)
        if change == "model":
            list(analyze_many(pitches(3), model=f"{MODEL}-2", settings=service.settings, store=store))
        else:
            name = {
                "prompt": "analyzer.reading.recordings.prompt_sha256",
                "vocabulary": "analyzer.reading.forms.ids.vocabulary_sha256",
            }
            monkeypatch.setattr(name[change], lambda *_: "another")
            together(service, 3, store)
        assert service.asked.total() == 6


def test_an_answer_that_was_of_no_use_is_asked_anew_by_the_next_run(quick: None, store: str) -> None:
    broken = FAULTS["broken arguments"]
    with Service(lambda pitch, times: broken if times <= 2 else GOOD) as service:
        (first,) = together(service, 1, store)
        (second,) = together(service, 1, store)
    assert first.error is not None
    assert (first.error.kind, second.error) == ("extraction", None)


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was_pays_nothing_twice_but_what_was_in_flight_and_writes_each_pitch_once(
    tmp_path: Path,
) -> None:
    source, output = table(tmp_path / "in.jsonl", 300), tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "analyzer", "bulk", str(source), "-o", str(output), "--concurrency", "8"]
    kills = 0
    with Service(lambda *_: Reply(GOOD.body, after=0.01)) as service:
        environment = {**os.environ, **service.environment, "PITCH_STORE": f"sqlite:///{tmp_path / 's.db'}"}
        for enough in (60, 150):
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while service.answered.total() < enough and process.poll() is None:
                time.sleep(0.01)
            process.kill()
            kills += process.wait() == -signal.SIGKILL
            assert not output.exists()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        twice = sum(count - 1 for count in service.asked.values())
    assert kills == 2
    assert done.returncode == 0, done.stderr
    assert Counter(row["pitch"]["id"] for row in rows(output)) == Counter(id_ for id_, _ in pitches(300))
    assert twice <= kills * 8
    assert len(service.asked) == 300
    assert "from the store" in done.stderr


@pytest.mark.slow
def test_two_runs_at_once_on_one_store_do_no_harm(tmp_path: Path) -> None:
    source = table(tmp_path / "in.jsonl", 120)
    with Service(lambda *_: Reply(GOOD.body, after=0.01)) as service:
        environment = {**os.environ, **service.environment, "PITCH_STORE": f"sqlite:///{tmp_path / 's.db'}"}
        outputs = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
        runs = [
            subprocess.Popen(
                [sys.executable, "-m", "analyzer", "bulk", str(source), "-o", str(output)],
                env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )
            for output in outputs
        ]  # fmt: skip
        assert [(process.wait(), process.communicate()[1])[0] for process in runs] == [0, 0]
    assert all(
        Counter(row["pitch"]["id"] for row in rows(path)) == Counter(i for i, _ in pitches(120)) for path in outputs
    )


# ---------------------------------------------------------------- ending early


@pytest.mark.slow
def test_ctrl_c_lets_what_is_in_flight_finish_and_tells_how_to_go_on(tmp_path: Path) -> None:
    source, output = table(tmp_path / "in.jsonl", 200), tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "analyzer", "bulk", str(source), "-o", str(output), "--concurrency", "4"]
    with Service(lambda *_: Reply(GOOD.body, after=0.05)) as service:
        environment = {**os.environ, **service.environment, "PITCH_STORE": f"sqlite:///{tmp_path / 's.db'}"}
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        while service.answered.total() < 10:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        told = process.communicate()[1]
        asked = service.asked.total()
    assert process.returncode == 130
    assert "Run the same command to continue" in told
    assert len(rows(output)) == asked < 100


def test_a_run_that_is_stopped_hands_over_what_was_in_flight_and_begins_nothing() -> None:
    stop = Event()
    with Service(lambda *_: Reply(GOOD.body, after=0.05)) as service:
        stream = analyze_many(
            pitches(100), model=MODEL, settings=service.settings, store=False, concurrency=4, stop=stop
        )
        first = next(stream)
        stop.set()
        others = list(stream)
        assert service.asked.total() == 1 + len(others) <= 12
    assert all(result.error is None for result in [first, *others])


def test_a_limit_on_the_cost_is_not_passed_and_what_was_paid_for_is_handed_over(tmp_path: Path, store: str) -> None:
    table(tmp_path / "in.jsonl", 200)
    with Service(lambda *_: GOOD) as service:
        settings = replace(service.settings, store=store)
        summary = run(
            Sources((str(tmp_path / "in.jsonl"),)),
            tmp_path / "out.csv",
            BulkOptions(model=MODEL, settings=settings, max_cost=0.1),
        )
    assert isinstance(summary.ended, CostLimitReached)
    assert summary.exit_code == 1
    spent = summary.progress.usage.cost_usd
    assert spent is not None and 0.08 < spent <= 0.1
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == summary.progress.done == service.asked.total()


def test_a_limit_needs_a_known_price() -> None:
    with pytest.raises(ConfigurationError, match="the price of openai/my-own is not known"):
        analyze_many(
            pitches(1), model="openai/my-own", max_cost=1.0, settings=Settings(openai_api_key=KEY), store=False
        )


# ---------------------------------------------------------------- what is written


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three kinds of output of one input, with a failed row, one out of scope and one that a spreadsheet would run."""
    folder = tmp_path_factory.mktemp("written")
    texts = [
        "Annotation tool: label your training data. Data scientists run pip install labels.",
        " ",
        '=HYPERLINK("http://x")\nA chat app.',
    ]
    with (folder / "in.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "pitch"], *([f"p{n}", text] for n, text in enumerate(texts))])
    for ending in ("jsonl", "csv", "parquet"):
        portfolio = Portfolio()
        sources = Sources((str(folder / "in.csv"),))
        summary = run(sources, folder / f"out.{ending}", BulkOptions(model="keywords"), on_result=portfolio.add)
        write_portfolio(folder / f"{ending}.html", portfolio, summary.progress)
    return folder


def test_json_lines_hold_whole_assessments_and_failures_with_their_source(written: Path) -> None:
    labels, empty, chat = sorted(rows(written / "out.jsonl"), key=lambda row: row["input"]["number"])
    assert labels["scores"]["overall"]["low"] <= labels["scores"]["overall"]["high"]
    assert (empty["pitch"]["id"], empty["error"]["kind"]) == ("p1", "pitch")
    assert empty["input"] == {"number": 2, "source": f"{written / 'in.csv'}, row 2"}
    assert chat["in_scope"] is False


def test_flat_outputs_hold_the_same_rows_in_the_documented_columns(written: Path) -> None:
    with (written / "out.csv").open(encoding="utf-8", newline="") as file:
        flat = sorted(csv.DictReader(file), key=lambda row: row["number"])
    columns = [column.name for column in COLUMNS]
    assert list(flat[0]) == columns
    assert [row["error_kind"] for row in flat] == ["", "pitch", ""]
    assert flat[0]["category"] == "data_labelling" and flat[0]["overall_low"] <= flat[0]["overall"]
    assert flat[2]["overall"] == "" and flat[2]["in_scope"] == "false"
    assert flat[2]["title"].startswith("'=HYPERLINK")
    from_parquet = sorted(parquet.read_table(written / "out.parquet").to_pylist(), key=lambda row: row["number"])
    assert list(from_parquet[0]) == [*columns, "assessment"]
    for one, other in zip(flat, from_parquet, strict=True):
        for name in columns:
            value = other[name]
            shown = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            assert one[name].removeprefix("'") == shown


def test_a_document_that_cannot_be_read_keeps_its_name_in_the_output(tmp_path: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nonsense")
    summary = run(Sources((str(tmp_path / "broken.pdf"),)), tmp_path / "out.jsonl", BulkOptions(model="keywords"))
    (row,) = rows(tmp_path / "out.jsonl")
    assert (row["pitch"]["id"], row["error"]["kind"], summary.exit_code) == ("broken", "document", 1)


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_results_can_be_scored_again_from_the_output(written: Path, ending: str) -> None:
    scored = [score_entry(entry) for entry in read_entries(str(written / f"out.{ending}"))]
    assert [scored_.error is None for scored_ in scored].count(True) == 2
    assert any("this pitch was not read" in str(scored_.error) for scored_ in scored)


def test_the_portfolio_page_loads_nothing_and_shows_text_as_text(written: Path) -> None:
    page = (written / "jsonl.html").read_text(encoding="utf-8")
    assert "default-src &#39;none&#39;" in page
    assert "1 out of scope" in page and "1 not read" in page
    assert "without a model" in page
    assert 'href="http' not in page and "src=" not in page.replace("default-src", "").replace("style-src", "").replace(
        "script-src", ""
    )


def test_nothing_is_written_where_nothing_was_read_and_an_earlier_output_stays(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    output.write_text("earlier")
    with Service(lambda *_: refused(401)) as service, pytest.raises(AuthenticationFailed):
        run(
            Sources((str(table(tmp_path / "in.jsonl", 3)),)),
            output,
            BulkOptions(model=MODEL, settings=service.settings),
        )
    assert output.read_text() == "earlier"
    assert list(tmp_path.glob("*.partial")) == []


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("out.xlsx", r"the output ends in .jsonl, .csv or .parquet"),
        ("in.jsonl", "is one of the inputs"),
        ("no/out.csv", "there is no folder"),
        ("folder.csv", "is a folder"),
    ],
)
def test_an_impossible_output_gets_an_error_before_anything_is_asked(tmp_path: Path, output: str, told: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    with Service(lambda *_: GOOD) as service, pytest.raises(InputError, match=told):
        run(
            Sources((str(table(tmp_path / "in.jsonl", 3)),)),
            tmp_path / output,
            BulkOptions(model=MODEL, settings=service.settings),
        )
    assert not service.asked


# ---------------------------------------------------------------- progress, estimate, repeats


def test_progress_and_summary_tell_what_came_of_the_run(tmp_path: Path, store: str) -> None:
    seen: list[Progress] = []
    with Service(lambda pitch, _: refused(400) if "Number 3." in pitch else GOOD) as service:
        settings = replace(service.settings, store=store)
        source = Sources((str(table(tmp_path / "in.jsonl", 10)),))

        def once() -> BulkSummary:
            return run(
                source, tmp_path / "out.jsonl", BulkOptions(model=MODEL, settings=settings), on_progress=seen.append
            )

        first, second = once(), once()
    assert [progress.finished for progress in seen] == [*range(1, 11)] * 2
    assert {progress.total for progress in seen} == {10}
    document = first.document()
    assert (document["done"], document["failed"], document["from_store"]) == (9, {"rejected": 1}, 0)
    assert document["usage"]["requests"] == 9
    assert document["usage"]["cost_usd"] == pytest.approx(first.progress.usage.cost_usd)
    assert (second.progress.from_store, second.progress.usage.requests, second.exit_code) == (9, 0, 1)


def test_an_estimate_asks_nothing_and_knows_what_is_saved(tmp_path: Path, store: str) -> None:
    source = tmp_path / "in.jsonl"
    with Service(lambda *_: GOOD) as service:
        settings = replace(service.settings, store=store)
        run(Sources((str(table(source, 4)),)), tmp_path / "out.jsonl", BulkOptions(model=MODEL, settings=settings))
        asked = service.asked.total()
        table(source, 10)
        with source.open("a") as file:
            file.write("broken\n")
        found = estimate(Sources((str(source),)), model=MODEL, settings=settings)
        assert service.asked.total() == asked
    assert (found.pitches, found.stored, found.faulty) == (11, 4, {"document": 1})
    assert found.output_tokens == 6 * 900  # as long as the answers the store has of this model
    assert found.cost_usd is not None and found.cost_usd > 0


def test_repeated_readings_show_how_far_they_agree_and_are_asked_for_once(tmp_path: Path, store: str) -> None:
    from tests.completions import answer, single

    other = good(answer(buyer=single("business_leadership", "Your CTO signs once")))
    with Service(lambda pitch, times: other if times == 2 else GOOD) as service:
        settings = replace(service.settings, store=store)
        source = Sources((str(table(tmp_path / "in.jsonl", 5)),))
        run(source, tmp_path / "once.jsonl", BulkOptions(model=MODEL, settings=settings))
        service.asked.clear()
        summary = run(source, tmp_path / "out.jsonl", BulkOptions(model=MODEL, settings=settings, repeat=3))
        assert service.asked.total() == 10  # the first reading of each is in the store
        again = run(source, tmp_path / "again.jsonl", BulkOptions(model=MODEL, settings=settings, repeat=3))
        assert service.asked.total() == 10
        voted = run(source, tmp_path / "v.jsonl", BulkOptions(model=MODEL, settings=replace(settings, readings=3)))
        assert (service.asked.total(), voted.progress.from_store) == (10, 5)
    stability = summary.stability
    assert stability is not None and stability.pitches == 5
    assert again.stability is not None and again.stability.document() == stability.document()
    assert stability.share("buyer") == pytest.approx(1 / 3)  # of three readings, one pair agrees
    assert stability.share("category") == 1.0
    assert len(stability.spreads) == 5
    combined = voted.stability  # of readings that are combined by votes, as of those one by one
    assert combined is not None and (combined.pitches, combined.repeat) == (5, 3)
    for name in set(combined.names) & set(stability.names):
        assert combined.share(name) == stability.share(name), name
    assert voted.document()["stability"]["overall_spread"] is None
    told = Counter((row["pitch"]["id"], row["input"]["repeat"]) for row in rows(tmp_path / "out.jsonl"))
    assert told == Counter((f"p{n}", k) for n in range(5) for k in (1, 2, 3))


def test_keys_and_pitches_stay_out_of_messages(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with Service(lambda *_: refused(401, message=KEY)) as service, pytest.raises(ConfigurationError) as raised:
        run(
            Sources((str(table(tmp_path / "in.jsonl", 3)),)),
            tmp_path / "o.jsonl",
            BulkOptions(model=MODEL, settings=service.settings),
        )
    told = str(raised.value) + "".join(capfd.readouterr())
    assert KEY not in told and "Wattwise" not in told
