"""Scoring what was read before: every kind of file, each entry on its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analyzer import Rulebook, Signals, score
from analyzer.errors import InputError
from analyzer.framework.assessment import PitchRef, ReaderRef, Usage, Warning
from analyzer.results.documents import DocumentEntry, ScoredEntry, parse_document, read_entries, score_entry
from analyzer.vocabulary.records import VOCABULARY_CHANGES

SIGNALS = {"product": "P", "buyer": {"value": "practitioner", "basis": "stated", "quotes": ["free"]}}
ASSESSMENT = score(
    Signals.model_validate(SIGNALS),
    pitch=PitchRef(id="p1", title="P", sha256="0" * 64),
    reader=ReaderRef(model="openai/m"),
    usage=Usage(requests=1, input_tokens=5),
    warnings=[Warning(kind="dropped", message="m")],
)


def scored(path: Path) -> list[ScoredEntry]:
    return [score_entry(entry) for entry in read_entries(str(path))]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.json", json.dumps(SIGNALS), 1),
        ("a.json", ASSESSMENT.to_json(), 1),
        ("a.json", json.dumps([SIGNALS, SIGNALS]), 2),
        ("a.jsonl", f"{json.dumps(SIGNALS)}\n\n{ASSESSMENT.to_json(indent=None)}\n", 2),
        ("a.json", f"{json.dumps(SIGNALS)}\n{json.dumps(SIGNALS)}\n", 2),
    ],
    ids=["signals", "assessment", "list", "lines", "lines called json"],
)
def test_signals_and_assessments_are_scored(tmp_path: Path, name: str, content: str, expected: int) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    results = scored(path)
    assert len(results) == expected
    assert {result.assessment.signals.buyer.value for result in results if result.assessment} == {"practitioner"}


def test_an_assessment_scored_again_is_the_same_to_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(ASSESSMENT.to_json(), encoding="utf-8")
    (result,) = scored(path)
    assert result.assessment is not None and result.assessment.to_json() == ASSESSMENT.to_json()


def test_another_rulebook_changes_the_score_and_keeps_what_was_read(tmp_path: Path) -> None:
    content = Rulebook.built_in().model_dump(mode="json")
    content["considerations"] = [dict(c, weight=1.0) for c in content["considerations"]]
    other = Rulebook.model_validate(content)
    path = tmp_path / "a.json"
    path.write_text(ASSESSMENT.to_json(), encoding="utf-8")
    result = score_entry(next(iter(read_entries(str(path)))), other)
    assert result.assessment is not None
    assert result.assessment.signals == ASSESSMENT.signals
    assert result.assessment.provenance.reader == ASSESSMENT.provenance.reader
    assert result.assessment.provenance.rulebook != ASSESSMENT.provenance.rulebook


@pytest.mark.parametrize("column", ["signals", "assessment"])
@pytest.mark.parametrize("as_text", [True, False], ids=["json text", "struct"])
def test_parquet_rows_are_scored(tmp_path: Path, column: str, as_text: bool) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    document: dict[str, Any] = SIGNALS if column == "signals" else json.loads(ASSESSMENT.to_json())
    if not as_text and column == "assessment":
        document = {"pitch": {"id": "p1", "title": None, "sha256": None}, "signals": SIGNALS}
    cells = [json.dumps(document) if as_text else document] * 3
    table = pyarrow.table({"id": ["p1", "p2", "p3"], column: cells})
    parquet.write_table(table, tmp_path / "a.parquet")
    results = scored(tmp_path / "a.parquet")
    assert [result.source.rpartition(", ")[2] for result in results] == ["row 1", "row 2", "row 3"]
    assert all(result.assessment and result.assessment.signals.buyer.known for result in results)


def test_an_entry_that_does_not_fit_is_an_error_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [
        json.dumps(SIGNALS),
        "{oops",
        json.dumps({"buyer": {"value": "cto"}}),
        "[1]",
        json.dumps({"error": {"kind": "timeout"}}),
    ]
    path.write_text("\n".join([*lines, json.dumps(SIGNALS)]), encoding="utf-8")
    results = scored(path)
    assert [result.error is None for result in results] == [True, False, False, False, False, True]
    told = [str(result.error) for result in results if result.error]
    assert all(
        message.startswith(f"{path}, line {number}: ") for number, message in zip((2, 3, 4, 5), told, strict=True)
    )


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", b"{", "is not JSON"),
        ("a.parquet", b"x", "cannot be read as Parquet"),
        ("none.json", None, "cannot be read"),
    ],
    ids=["json", "parquet", "missing"],
)
def test_a_file_that_cannot_be_read_is_one_error(tmp_path: Path, name: str, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=says):
        scored(tmp_path / name)


def test_a_csv_is_refused_with_what_to_give_instead(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text("id\n1\n")
    with pytest.raises(InputError, match=r"use a \.json, \.jsonl or \.parquet file"):
        list(read_entries(str(tmp_path / "results.csv")))


def test_a_line_that_is_too_long_or_nested_too_deep_fails_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"x": "%b"}\n{"signals": %b\n{}\n' % (b"x" * 10_000_001, b"[" * 100_000))
    long, deep, sound = read_entries(str(path))
    assert "line 1: this line has more than 10 MB" in str(long.error)
    assert "line 2: this is not JSON: it is nested too deep" in str(deep.error)
    assert sound.error is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"pitch": 5}, "pitch is not an object"),
        ({"pitch": {"title": []}}, "pitch.title"),
        ({"provenance": [1]}, "provenance is not an object"),
        ({"provenance": {"vocabulary": 2, "reader": {"model": 5}}}, "provenance.reader.model"),
        ({"warnings": {}}, None),
        ({"warnings": {"a": 1}}, "warnings is not a list"),
        ({"edits": [{"signal": "buyer"}]}, "edits.from: Field required"),
        ({"signals": {"buyer": {"value": "cto"}}}, "buyer.value"),
    ],
)
def test_a_document_that_is_not_an_assessment_has_one_fault_for_every_use(
    change: dict[str, Any], says: str | None
) -> None:
    entry = DocumentEntry("x.json", json.loads(ASSESSMENT.to_json()) | change)
    parsed = parse_document(entry)
    scored = score_entry(entry)
    assert (parsed.fault is None) == (says is None) == (scored.error is None)
    if says is not None:
        assert str(scored.error) == str(parsed.fault)
        assert str(parsed.fault).startswith("x.json: ") and says in str(parsed.fault)


def test_a_pitch_that_was_not_read_keeps_its_id_its_source_and_its_reason() -> None:
    document = {
        "pitch": {"id": 7, "title": "T", "sha256": None},
        "error": {"kind": "timeout", "message": "no answer in 120 s"},
        "input": {"number": 1, "source": "pitches.csv, row 1"},
    }
    parsed = parse_document(DocumentEntry("out.jsonl, line 1", document))
    assert (parsed.pitch.id, parsed.source, parsed.signals) == ("7", "pitches.csv, row 1", None)
    assert (parsed.failure.kind, str(parsed.failure)) == ("timeout", "no answer in 120 s") if parsed.failure else False
    assert "no answer in 120 s" in str(score_entry(DocumentEntry("out.jsonl, line 1", document)).error)


@pytest.mark.parametrize("written", [{}, {"vocabulary": 1}, {"vocabulary": 3}], ids=["before it was said", "1", "3"])
def test_an_assessment_in_another_vocabulary_is_refused_in_one_line_that_says_what_changed(
    written: dict[str, int],
) -> None:
    document = json.loads(ASSESSMENT.to_json())
    document["provenance"] = {
        **{name: part for name, part in document["provenance"].items() if name != "vocabulary"},
        **written,
    }
    fault = parse_document(DocumentEntry("old.json", document)).fault
    assert fault is not None
    assert str(fault).startswith(f"old.json: its signals are of vocabulary {written.get('vocabulary', 1)}; ")
    assert VOCABULARY_CHANGES in str(fault) and len(str(fault).splitlines()) == 1


def test_signals_that_no_program_wrote_belong_to_no_version() -> None:
    entry = DocumentEntry("mine.json", {"pitch": {"id": "p"}, "signals": {"buyer": "practitioner"}})
    parsed = parse_document(entry)
    assert parsed.fault is None and parsed.signals is not None and not parsed.signals.pricing.known
