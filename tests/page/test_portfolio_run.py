"""A portfolio's run in the background, and results opened again: every pitch is there, or the reason why it is not."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pyarrow
import pyarrow.parquet as parquet
import pytest

from analyzer.errors import AnalyzerError, InputError, PitchError, RulebookError, of_kind
from analyzer.files.pitches import uploaded_table
from analyzer.files.table_columns import WantedColumns
from analyzer.files.tables import InputPitch
from analyzer.framework.assessment import PitchRef
from analyzer.framework.one_pitch import score
from analyzer.page import portfolio_run as run
from analyzer.page.portfolio_export import export
from analyzer.page.portfolio_run import Pace, PortfolioRun, go_on, open_results, read_many
from analyzer.page.portfolio_work import PortfolioWork, RunChoices
from analyzer.results.documents import DocumentEntry, parse_document
from analyzer.runs.portfolio_parts import PortfolioItem
from analyzer.runs.side_processes import SideProcesses
from analyzer.settings import KEYWORDS, Settings
from analyzer.vocabulary.signals import Signals
from tests.completions import PITCH
from tests.model_server import MODEL, Service, good, refused
from tests.page.test_portfolio import done, given, read, start


def test_every_pitch_has_its_assessment_or_the_reason_why_there_is_none() -> None:
    work = read(PITCH, "", f"{PITCH} Really.")

    kept = sorted(work.items, key=lambda each: each.result.number)
    assert [each.result.id for each in kept] == ["p1", "p2", "p3"]
    assert isinstance(kept[1].result.error, PitchError)
    assert kept[0].assessment().pitch.id == "p1"
    assert kept[2].text() == f"{PITCH} Really."
    assert (work.progress.done, dict(work.progress.failed), work.ended) == (2, {"pitch": 1}, None)
    assert len(work.ranked) == 2
    for _, found in work.ranked:
        item = work.items[work.item_numbers[found.row]]
        assessment, text = item.assessment(), item.text()
        quotes = [quote for _, quote in assessment.signals.quotes()]
        assert quotes and all(quote.text == (text or "")[quote.start : quote.end] for quote in quotes)


def test_a_fault_after_the_last_pitch_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PortfolioWork, "rank", lambda work: 1 / 0)
    work = read(PITCH)

    assert work.done.is_set() and len(work.items) == 1
    assert "after 1 pitch" in str(work.ended)


def test_quotes_are_where_they_are_marked_also_where_the_text_was_cleaned() -> None:
    work = read(PITCH.replace("\n", "\r\n"))

    assessment, text = work.ranked_item(0).assessment(), work.ranked_item(0).text()

    assert text == PITCH
    quotes = [quote for _, quote in assessment.signals.quotes()]
    assert quotes and all(quote.text == PITCH[quote.start : quote.end] for quote in quotes)


@pytest.mark.parametrize(("count", "told"), [(0, "contains no pitch"), (run.MOST_PITCHES + 1, "the page takes 5,000")])
def test_no_pitches_and_too_many_get_an_error_before_anything_is_read(count: int, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_many([], count, "t.csv", options=RunChoices(KEYWORDS), settings=Settings())


def test_a_run_that_was_stopped_goes_on_with_the_pitches_that_are_left() -> None:
    texts = [f"{PITCH} Number {number}." for number in range(40)]
    run = start(*texts)
    run.watch(lambda: True)
    run.work.stop.set()
    work = done(run)
    assert work.ended is None
    assert len(work.items) + len(work.waiting) == 40 and work.waiting

    go_on(run, Settings())

    assert not done(run).waiting
    assert sorted(item.result.number for item in work.items) == list(range(40))
    assert {item.result.id: item.text() for item in work.items} == {f"p{n + 1}": text for n, text in enumerate(texts)}
    assert (work.progress.done, work.progress.total, len(work.ranked)) == (40, 40, 40)


def test_two_tabs_that_go_on_at_the_same_moment_read_each_pitch_once(monkeypatch: pytest.MonkeyPatch) -> None:
    run = start(*(f"{PITCH} Number {number}." for number in range(9)))
    run.work.stop.set()
    done(run)
    asked = len(run.work.waiting)
    claims: list[int] = []

    def on_another_tab(_: PortfolioRun) -> None:
        claims.append(len(claims))
        go_on(run, Settings())

    monkeypatch.setattr("analyzer.page.portfolio_run._claimed", on_another_tab)

    go_on(run, Settings())

    work = done(run)
    go_on(run, Settings())  # a tab that still shows the button
    assert asked and claims == [0] and work.done.is_set()
    assert sorted(item.result.number for item in work.items) == list(range(9))


def test_a_run_that_cannot_go_on_here_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run = start(*(f"{PITCH} Number {number}." for number in range(9)))
    run.work.stop.set()
    left = len(done(run).waiting)

    def deleted(_: PortfolioRun) -> None:
        raise InputError("this portfolio was deleted")

    with monkeypatch.context() as patched:
        patched.setattr("analyzer.page.portfolio_run._claimed", deleted)
        with pytest.raises(InputError, match="was deleted"):
            go_on(run, Settings())

    assert run.work.done.is_set() and len(run.work.waiting) == left
    go_on(run, Settings())
    assert not done(run).waiting


@pytest.mark.parametrize("wanted", [False, True], ids=["usual", "goes on alone"])
def test_a_run_that_nobody_looks_at_ends_unless_its_visitor_wants_it_to_go_on(
    monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    monkeypatch.setattr("analyzer.page.presence.GONE", 0.0)
    monkeypatch.setattr("analyzer.page.presence._INTERVAL", 0.01)
    release = Event()

    def slowly() -> Iterator[InputPitch]:
        yield from given(PITCH)
        release.wait(30)
        yield from given(f"{PITCH} Again.")

    run = read_many(slowly(), 2, "t.csv", options=RunChoices(KEYWORDS), settings=Settings())
    run.work.goes_on = wanted
    run.watch(lambda: False)
    if not wanted:
        assert run.work.stop.wait(30)
    release.set()

    assert done(run).stop.is_set() is not wanted
    assert bool(run.work.waiting) is not wanted


def test_a_second_tab_keeps_a_run_going_that_the_first_one_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.page.presence.GONE", 0.0)
    run = start(PITCH)
    run.watch(lambda: False)
    run.watch(lambda: True)
    assert run.seconds_alone() < 60
    assert not run.work.stop.is_set()


def test_a_run_that_cannot_go_on_keeps_what_it_has_and_says_why() -> None:
    with Service(lambda pitch, time: refused(401)) as service:
        work = read(PITCH, model=MODEL, settings=service.settings)

    assert work.ended is not None and work.ended.kind == "authentication"
    assert work.items == []


@pytest.mark.slow
def test_a_large_portfolio_is_read_and_opened_in_other_processes_with_the_same_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [PITCH, "", *(f"{PITCH} Number {number}." for number in range(3))]
    here = read(*texts)
    elsewhere = SideProcesses(1)
    for module in ("portfolio_run", "portfolio_work"):
        monkeypatch.setattr(f"analyzer.page.{module}.FEW", 0)
        monkeypatch.setattr(f"analyzer.page.{module}.shared", elsewhere)
    monkeypatch.setattr("analyzer.runs.portfolio_parts.analyze_many", None)  # nothing is computed in this process

    there = read(*texts)
    again = done(open_results("r.jsonl", export(here, ".jsonl")))

    elsewhere.close()
    assert there.ended is None and again.ended is None
    assert (there.progress.done, there.progress.failed, there.progress.total) == (4, {"pitch": 1}, 5)
    assert [(e.id, f.rank) for e, f in there.ranked] == [(e.id, f.rank) for e, f in again.ranked]
    for ours, theirs, opened in zip(*map(_by_number, (here, there, again)), strict=True):
        assert (ours.result.number, ours.json(), ours.words()) == (theirs.result.number, theirs.json(), theirs.words())
        assert opened.json() == ours.json()


def _by_number(work: PortfolioWork) -> list[PortfolioItem]:
    return sorted(work.items, key=lambda item: item.result.number)


def test_answers_are_saved_only_on_request(tmp_path: Path) -> None:
    from dataclasses import replace

    with Service(lambda pitch, time: good()) as service:
        settings = replace(service.settings, store=f"sqlite:///{tmp_path / 'store.db'}")
        read(PITCH, model=MODEL, settings=settings)
        assert not (tmp_path / "store.db").exists()
        read(PITCH, model=MODEL, settings=settings, save_answers=True)
        again = read(PITCH, model=MODEL, settings=settings, save_answers=True)
        assert service.asked.total() == 2
    assert again.progress.from_store == 1


def test_a_fault_of_the_program_is_a_line_without_the_pitch(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("analyzer.runs.portfolio_parts.analyze_many", broken)

    work = read(PITCH)

    assert "ZeroDivisionError after 0 pitches" in str(work.ended)
    assert "secret" not in str(work.ended)


def test_what_was_taken_away_opens_again_with_the_same_assessments_and_failures() -> None:
    work = read(PITCH, "", f"{PITCH} Really.")

    for ending in (".jsonl", ".parquet"):
        again = done(open_results(f"portfolio{ending}", export(work, ending)))

        assert again.ended is None
        before, after = ({each.result.id: each for each in w.items} for w in (work, again))
        assert list(after) == sorted(before) == ["p1", "p2", "p3"]
        assert after["p1"].assessment() == before["p1"].assessment()
        assert after["p2"].result.error is not None
        assert (after["p2"].result.error.kind, str(after["p2"].result.error)) == (
            "pitch",
            "p2: the pitch is empty; it needs at least a sentence of text",
        )
        assert after["p1"].text() is None
        assert [(e.id, f.rank) for e, f in again.ranked] == [(e.id, f.rank) for e, f in work.ranked]


@pytest.mark.parametrize("ending", [".html", ".csv", ".jsonl", ".parquet"])
def test_every_pitch_is_in_every_file(ending: str) -> None:
    data = export(read(PITCH, ""), ending)

    if ending == ".parquet":
        assert parquet.read_table(io.BytesIO(data)).column("id").to_pylist() == ["p1", "p2"]
    else:
        assert b"Wattwise" in data and b"p2" in data


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.jsonl", b"", "a.jsonl contains no result"),
        ("a.json", b"no", "a.json is not JSON"),
        ("a.parquet", b"no", "a.parquet cannot be read as Parquet"),
    ],
    ids=["empty", "no JSON", "no Parquet"],
)
def test_a_file_that_holds_no_results_says_so(name: str, data: bytes, told: str) -> None:
    assert told in str(done(open_results(name, data)).ended)


def test_one_bad_line_is_one_result_that_was_not_read() -> None:
    sound = score(Signals(), pitch=PitchRef(id="a")).to_json(indent=None)

    work = done(open_results("a.jsonl", f"{sound}\n{{oops\n[1]\n".encode()))

    assert [each.result.error is None for each in work.items] == [True, False, False]
    assert "a.jsonl, line 2: this is not JSON" in str(work.items[1].result.error)


def test_more_results_than_the_page_takes_are_cut_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MOST_PITCHES", 2)
    sound = score(Signals(), pitch=PitchRef(id="a")).to_json(indent=None)

    work = done(open_results("a.jsonl", f"{sound}\n{sound}\n{sound}\n".encode()))

    assert len(work.items) == 2
    assert "a.jsonl has more than 2 results; the page shows the first" in str(work.ended)


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"error": {"kind": "pitch", "message": "m"}}, "pitch"),
        ({"error": {"kind": "from the future", "message": "m"}}, "error"),
        ({"error": {"kind": "rulebook", "message": "m"}}, "error"),
    ],
)
def test_a_failure_in_a_file_of_results_is_shown_unchanged(document: dict[str, Any], kind: str) -> None:
    found = parse_document(DocumentEntry("x.json", document)).failure
    assert found is not None and (found.kind, str(found)) == (kind, "m")


def test_an_error_comes_back_by_its_kind() -> None:
    assert type(of_kind("pitch", "m")) is PitchError
    assert type(of_kind(RulebookError.kind, "m")) is AnalyzerError


PITCHES = [{"id": "a", "text": "One"}, {"id": "b", "text": "Two"}]


def in_parquet() -> bytes:
    out = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(PITCHES), out)
    return out.getvalue()


TABLES = {
    "t.csv": b"id,text\na,One\nb,Two\n",
    "t.tsv": b"id\ttext\na\tOne\nb\tTwo\n",
    "t.jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in PITCHES),
    "t.parquet": in_parquet(),
}


@pytest.mark.parametrize("name", TABLES)
def test_an_uploaded_table_is_read_like_a_file(name: str) -> None:
    table = uploaded_table(name, TABLES[name])

    assert table.names() == ("id", "text")
    assert table.count() == 2
    assert [(each.id, each.text) for each in table] == [("a", "One"), ("b", "Two")]
    assert [each.text for each in uploaded_table(name, TABLES[name], WantedColumns(("id",)))] == ["a", "b"]


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_an_uploaded_table_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=name):
        uploaded_table(name, b"").layout()


def test_the_pace_is_that_of_the_last_while() -> None:
    pace = Pace()
    assert pace.of(1_000, 1.0) == 1_000.0
    for second in range(2, 40):
        latest = pace.of(1_000 + second, float(second))
    assert latest == pytest.approx(1.0)
