"""A portfolio's run in the background, and results opened again: every pitch is there, or the reason why it is not."""

from __future__ import annotations

import gc
import io
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

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
from analyzer.page.portfolio_run import export, open_results, read_many
from analyzer.results.documents import DocumentEntry, parse_document
from analyzer.settings import KEYWORDS, Settings
from analyzer.vocabulary.signals import Signals
from tests.completions import PITCH
from tests.model_server import MODEL, Service, good, refused

if TYPE_CHECKING:
    pass
from tests.page.test_portfolio import done, given, read


def test_every_pitch_is_kept_with_its_assessment_or_the_reason_why_there_is_none() -> None:
    work = read(PITCH, "", f"{PITCH} Really.")

    kept = sorted(work.items, key=lambda each: each.result.number)
    assert [each.result.id for each in kept] == ["p1", "p2", "p3"]
    assert isinstance(kept[1].result.error, PitchError)
    assert kept[0].assessment().pitch.id == "p1"
    assert kept[2].text() == f"{PITCH} Really."
    assert (work.progress.done, dict(work.progress.failed), work.ended) == (2, {"pitch": 1}, None)
    assert len(work.ranked) == 2
    for _, found in work.ranked:
        assessment, text = work.full(found)
        quotes = [quote for _, quote in assessment.signals.quotes()]
        assert quotes and all(quote.text == (text or "")[quote.start : quote.end] for quote in quotes)


def test_quotes_stand_where_they_are_marked_also_where_the_text_was_cleaned() -> None:
    work = read(PITCH.replace("\n", "\r\n"))

    assessment, text = work.full(work.ranked[0][1])

    assert text == PITCH
    quotes = [quote for _, quote in assessment.signals.quotes()]
    assert quotes and all(quote.text == PITCH[quote.start : quote.end] for quote in quotes)


@pytest.mark.parametrize(("count", "told"), [(0, "contains no pitch"), (run.MOST_PITCHES + 1, "the page takes 5,000")])
def test_none_and_too_many_are_told_before_anything_is_read(count: int, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_many([], count, "t.csv", model=KEYWORDS, settings=Settings())


def test_stop_lets_what_is_in_flight_come_in() -> None:
    release = Event()

    def endless() -> Iterator[InputPitch]:
        yield from given(PITCH)
        release.wait(30)
        yield from given(*[PITCH] * 500)

    held = read_many(endless(), 501, "t.csv", model=KEYWORDS, settings=Settings())
    held.work.stop.set()
    release.set()

    work = done(held)

    assert work.ended is None
    assert [each.result.error for each in work.items] == [None] * len(work.items)
    assert len(work.items) < 501


def test_whoever_leaves_the_page_has_nothing_read_any_more() -> None:
    asked, go_on = Event(), Event()

    def endless() -> Iterator[InputPitch]:
        while True:
            asked.set()
            go_on.wait(30)
            yield from given(PITCH)

    held = read_many(endless(), 5, "t.csv", model=KEYWORDS, settings=Settings())
    work = held.work
    assert asked.wait(30)

    del held
    gc.collect()
    go_on.set()

    assert work.done.wait(30)


def test_a_visitor_who_is_gone_for_long_has_nothing_read_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.page.presence.GONE", 0.0)
    monkeypatch.setattr("analyzer.page.presence._INTERVAL", 0.01)

    def endless() -> Iterator[InputPitch]:
        while True:
            yield from given(PITCH)

    held = read_many(endless(), 5, "t.csv", model=KEYWORDS, settings=Settings(), connected=lambda: False)

    assert done(held).stop.is_set()


def test_a_run_that_cannot_go_on_keeps_what_it_has_and_says_why() -> None:
    with Service(lambda pitch, time: refused(401)) as service:
        work = read(PITCH, model=MODEL, settings=service.settings)

    assert work.ended is not None and work.ended.kind == "authentication"
    assert work.items == []


def test_answers_are_kept_only_where_that_was_asked_for(tmp_path: Path) -> None:
    from dataclasses import replace

    with Service(lambda pitch, time: good()) as service:
        settings = replace(service.settings, store=f"sqlite:///{tmp_path / 'store.db'}")
        read(PITCH, model=MODEL, settings=settings)
        assert not (tmp_path / "store.db").exists()
        read(PITCH, model=MODEL, settings=settings, store=True)
        again = read(PITCH, model=MODEL, settings=settings, store=True)
        assert service.asked.total() == 2
    assert again.progress.from_store == 1


def test_a_fault_of_the_program_is_a_line_without_the_pitch(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("analyzer.page.portfolio_run.analyze_many", broken)

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
def test_a_failure_in_a_file_is_told_as_it_was(document: dict[str, Any], kind: str) -> None:
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
