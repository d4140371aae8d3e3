"""Where many pitches come from: folders, patterns and tables, piece by piece; what cannot be read is told in its place."""

from __future__ import annotations

import io
import json
import sys
import tracemalloc
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
import pytest

from analyzer.errors import InputError
from analyzer.sources import Given, Sources


def read(*names: str | Path, **columns: str) -> list[Given]:
    sources = Sources(tuple(map(str, names)), **columns)
    sources.check()
    return list(sources)


def short(given: list[Given]) -> list[tuple[str, str]]:
    return [(entry.id, entry.error.kind if entry.error else entry.text) for entry in given]


def test_a_folder_gives_every_document_below_it_and_leaves_hidden_and_lock_files_out(tmp_path: Path) -> None:
    for name in ("b.txt", "a.md", "deep/er/c.txt", ".hidden.txt", "~$b.docx", "picture.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"pitch {name}", encoding="utf-8")
    assert short(read(tmp_path)) == [
        ("a", "pitch a.md"), ("b", "pitch b.txt"), ("deep/er/c", "pitch deep/er/c.txt")
    ]  # fmt: skip


def test_a_pattern_and_a_file_are_taken_in_the_order_given(tmp_path: Path) -> None:
    for name in ("x1.txt", "x2.txt", "y.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    assert short(read(tmp_path / "y.txt", tmp_path / "x*.txt")) == [("y", "y.txt"), ("x1", "x1.txt"), ("x2", "x2.txt")]


def test_a_document_that_cannot_be_read_is_a_failed_entry_and_not_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"no PDF")
    (tmp_path / "b.txt").write_bytes(b"caf\xe9")
    (tmp_path / "c.txt").write_text("fine", encoding="utf-8")
    assert short(read(tmp_path)) == [("a", "document"), ("b", "document"), ("c", "fine")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "id,pitch\n1,one\n2,two\n"),
        ("t.csv", "\ufeffid;pitch\n1;one\n\n2;two\n"),
        ("t.tsv", "id\tpitch\n1\tone\n2\ttwo\n"),
        ("t.jsonl", '{"id": 1, "pitch": "one"}\n\n{"pitch": "two", "id": "2"}\n'),
        ("t.ndjson", '\ufeff{"id": 1, "pitch": "one"}\n{"id": 2, "pitch": "two"}'),
    ],
    ids=["csv", "csv of a European Excel", "tsv", "jsonl", "ndjson"],
)
def test_a_table_gives_a_pitch_a_row(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert short(read(tmp_path / name)) == [("1", "one"), ("2", "two")]
    assert Sources((str(tmp_path / name),)).count() == 2


def test_a_parquet_file_gives_a_pitch_a_row(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"uuid": [7, 8], "description": ["one", None]}), tmp_path / "t.parquet")
    assert short(read(tmp_path / "t.parquet")) == [("7", "one"), ("8", "")]
    assert Sources((str(tmp_path / "t.parquet"),)).count() == 2


def test_rows_that_are_no_pitch_fail_with_their_place_and_the_others_go_on(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes(
        b'id,pitch\n1,one\n2,two,three\n3,"fo"ur\n4,caf\xe9\n5,"line\nbreak"\n6,six\n7,"never closed\nlost?\n'
    )
    given = read(table)
    assert short(given) == [
        ("1", "one"),
        (f"{table}, row 2", "document"),
        (f"{table}, row 3", "document"),
        ("4", "document"),
        ("5", "line\nbreak"),
        ("6", "six"),
        (f"{table}, row 7", "document"),
    ]
    messages = [str(entry.error) for entry in given if entry.error]
    assert "row 2: 3 cells, but the first line names 2 columns" in messages[0]
    assert "row 3: this row is not CSV" in messages[1]
    assert "row 4: this is not UTF-8 text" in messages[2]
    assert "row 7: this row is not CSV: unexpected end of data" in messages[3]


def test_lines_that_are_no_pitch_fail_with_their_place_and_the_others_go_on(tmp_path: Path) -> None:
    lines = tmp_path / "t.jsonl"
    lines.write_bytes(
        b'{"text": "one"}\nnot json\n[1]\n{"text": 5}\n{"other": 1}\n\xff\n{"text": "\\ud800"}\n{"text": "last"}\n'
    )
    kinds = [entry.error.kind if entry.error else entry.text for entry in read(lines)]
    assert kinds == ["one", "document", "document", "document", "", "document", "document", "last"]


@pytest.mark.parametrize(
    ("header", "columns", "told"),
    [
        ("name,site,about us", {}, "which column holds the pitch? Name it with --text-column; there are: name, site"),
        ("name,pitch", {"text_column": "text"}, "there is no column 'text' (--text-column); there are: name, pitch"),
        ("name,pitch", {"id_column": "nr"}, "there is no column 'nr' (--id-column)"),
        ("", {}, "is empty; its first line has to name the columns"),
    ],
)
def test_columns_that_cannot_be_told_are_asked_for_before_anything_is_read(
    tmp_path: Path, header: str, columns: dict[str, str], told: str
) -> None:
    (tmp_path / "t.csv").write_text(f"{header}\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError) as raised:
        read(tmp_path / "t.csv", **columns)
    assert told in str(raised.value)


def test_the_only_column_of_text_beside_the_id_is_the_pitch(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,Startup\n1,one\n", encoding="utf-8")
    (tmp_path / "t.jsonl").write_text('{"age": 3, "blurb": "two"}\n', encoding="utf-8")
    assert short(read(tmp_path / "t.csv")) == [("1", "one")]
    assert [entry.text for entry in read(tmp_path / "t.jsonl")] == ["two"]


@pytest.mark.parametrize("name", ["nothing.csv", "nothing/", "no*.txt"])
def test_a_name_that_gives_nothing_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="there is no"):
        read(tmp_path / name)


def test_a_spreadsheet_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "startups.xlsx").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"a spreadsheet: save it as \.csv"):
        read(tmp_path / "startups.xlsx")


@pytest.mark.parametrize(
    ("content", "expected"),
    [('{"id": "a", "text": "one"}\n', [("a", "one")]), ("id,text\na,one\n", [("a", "one")])],
    ids=["json lines", "csv"],
)
def test_standard_input_is_json_lines_or_csv(
    monkeypatch: pytest.MonkeyPatch, content: str, expected: list[tuple[str, str]]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    assert short(read("-")) == expected
    assert Sources(("-",)).count() is None


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_memory_does_not_grow_with_the_rows_of_a_table(tmp_path: Path, kind: str) -> None:
    def peak(rows: int) -> int:
        path = tmp_path / f"t{rows}.{kind}"
        texts = [f"A pitch of some length, number {n}. " * 10 for n in range(rows)]
        if kind == "csv":
            path.write_text("id,text\n" + "".join(f"{n},{text}\n" for n, text in enumerate(texts)), encoding="utf-8")
        elif kind == "jsonl":
            path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
        else:
            parquet.write_table(pyarrow.table({"text": texts}), path, row_group_size=1000)
        tracemalloc.start()
        assert sum(1 for _ in Sources((str(path),))) == rows
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(100)  # what is loaded once
    assert peak(20_000) < 2 * peak(2_000)
