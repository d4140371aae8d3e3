"""Where many pitches come from: folders, patterns and tables, piece by piece; what cannot be read is told in its place."""

from __future__ import annotations

import io
import json
import os
import sys
import tracemalloc
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
import pytest

from analyzer.errors import InputError
from analyzer.files.pitches import Sources
from analyzer.files.table_bytes import TableBytes
from analyzer.files.table_columns import WantedColumns
from analyzer.files.tables import InputPitch, Table


def read(*names: str | Path, **columns: str) -> list[InputPitch]:
    sources = Sources(tuple(map(str, names)), columns.get("text_column"), columns.get("id_column"))
    sources.check()
    return list(sources)


def short(given: list[InputPitch]) -> list[tuple[str, str]]:
    return [(entry.id, entry.error.kind if entry.error else entry.text) for entry in given]


def test_a_folder_gives_every_document_below_it_and_leaves_hidden_and_lock_files_out(tmp_path: Path) -> None:
    for name in ("b.txt", "a.md", "deep/er/c.txt", ".hidden.txt", "~$b.docx", "picture.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"pitch {name}", encoding="utf-8")
    assert short(read(tmp_path)) == [
        ("a", "pitch a.md"), ("b", "pitch b.txt"), ("deep/er/c", "pitch deep/er/c.txt")
    ]  # fmt: skip


def test_patterns_and_files_are_read_in_the_order_of_the_arguments(tmp_path: Path) -> None:
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
        b'id,pitch\n1,\xc3\xb6ne \xe2\x80\x93 \xc3\xb6\n2,two,three\n3,"fo"ur\n4,caf\xe9\n5,"line\nbreak"\n6,six\n7,"never closed\nlost?\n'
    )
    given = read(table)
    assert short(given) == [
        ("1", "öne – ö"),
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
        b'{"text": "\xc3\xb6 \xe2\x80\x93 \xc3\xb6"}\nnot json\n[1]\n{"text": 5}\n{"other": 1}\n\xff\n{"text": "\\ud800"}\n{"text": "last"}\n'
    )
    kinds = [entry.error.kind if entry.error else entry.text for entry in read(lines)]
    assert kinds == ["ö – ö", "document", "document", "document", "", "document", "document", "last"]


@pytest.mark.parametrize(
    ("header", "columns", "told"),
    [
        (
            "name,site,about us",
            {},
            "which column holds the pitch? Name it with --text-column; the columns are: name (1), site (2)",
        ),
        (
            "name,pitch",
            {"text_column": "text"},
            "column 'text' (--text-column) does not exist; the columns are: name, pitch",
        ),
        ("name,pitch", {"id_column": "nr"}, "column 'nr' (--id-column) does not exist"),
        ("", {}, "is empty; its first line has to name the columns"),
    ],
)
def test_an_unclear_choice_of_columns_is_asked_about_before_anything_is_read(
    tmp_path: Path, header: str, columns: dict[str, str], told: str
) -> None:
    (tmp_path / "t.csv").write_text(
        f"{header}\n1,2{',3' * (header.count(',') - 1)}\n" if header else "", encoding="utf-8"
    )
    with pytest.raises(InputError) as raised:
        read(tmp_path / "t.csv", **columns)
    assert told in str(raised.value)


def test_the_only_column_of_text_next_to_the_id_is_the_pitch(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,Startup\n1,one\n", encoding="utf-8")
    (tmp_path / "t.jsonl").write_text('{"age": 3, "blurb": "two"}\n', encoding="utf-8")
    assert short(read(tmp_path / "t.csv")) == [("1", "one")]
    assert [entry.text for entry in read(tmp_path / "t.jsonl")] == ["two"]


@pytest.mark.parametrize("name", ["nothing.csv", "nothing/", "no*.txt"])
def test_a_name_that_gives_nothing_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"there is no such file|no pitches found"):
        read(tmp_path / name)


def test_a_spreadsheet_of_another_kind_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "startups.numbers").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"another spreadsheet: save it as \.xlsx"):
        read(tmp_path / "startups.numbers")


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


@pytest.mark.slow
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


# ---------------------------------------------------------------- tables that were damaged on their way


def test_a_quotation_mark_left_open_costs_its_own_row_where_the_next_lines_are_rows(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text('id,pitch\n1,"one"\n2,"never closed\n3,"three"\n4,"four, five"\n')
    given = read(table)
    assert short(given) == [("1", "one"), (f"{table}, row 2", "document"), ("3", "three"), ("4", "four, five")]
    assert "a quotation mark in line 3 is not closed; the next lines are read as rows" in str(given[1].error)


def test_lines_that_an_open_quotation_mark_took_are_counted_where_they_may_be_part_of_a_text(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text('id,pitch\n1,"never closed\nprose without a row\n2,"two"\n3,"three"\n')
    given = read(table)
    assert short(given) == [(f"{table}, row 1", "document"), ("3", "three")]
    assert "opened in line 2 took 2 more lines, up to line 4, and the rows in them are not read" in str(given[0].error)


@pytest.mark.parametrize("after", ["prose\n" * 5_000, f"{'prose ' * 40}\n" * 5_000], ids=["lines", "characters"])
def test_an_open_quotation_mark_is_followed_up_to_a_limit_only(tmp_path: Path, after: str) -> None:
    table = tmp_path / "t.csv"
    table.write_text(f'id,pitch\n1,"never closed\n{after}2,two\n')
    given = read(table)
    assert "it takes more than 1,000,000 characters or 2,000 lines" in str(given[0].error)
    assert short(given)[-1] == ("2", "two")
    assert Sources((str(table),)).count() == len(given)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("t.csv", b"1,%b\n" % (b"x" * 10_000_001)),
        ("t.jsonl", b'{"id": "1", "pitch": "%b"}\n' % (b"x" * 10_000_001)),
        ("t.jsonl", b'{"pitch": %b}\n' % (b"[" * 100_000)),
        ("t.jsonl", b'{"pitch": "a\x00b"}\n'),
    ],
    ids=["long row", "long line", "deep nesting", "NUL"],
)
def test_one_odd_row_fails_and_the_others_go_on(tmp_path: Path, name: str, line: bytes) -> None:
    head = b"id,pitch\n" if name == "t.csv" else b'{"id": "0", "pitch": "zero"}\n'
    last = b"2,two\n" if name == "t.csv" else b'{"id": "2", "pitch": "two"}\n'
    (tmp_path / name).write_bytes(head + line + last)
    assert [entry.text for entry in read(tmp_path / name)][-2:] == ["", "two"]
    assert [entry.error is None for entry in read(tmp_path / name)][-2:] == [False, True]


@pytest.mark.slow
def test_a_line_of_any_length_is_skipped_in_pieces() -> None:
    class Endless(io.RawIOBase):
        left = 100_000_000

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            size = min(len(buffer), self.left)
            buffer[:size] = b"{" * size
            self.left -= size
            return size

    def endless() -> io.BufferedReader:
        return io.BufferedReader(Endless())  # type: ignore[arg-type]

    tracemalloc.start()
    given = list(Table(TableBytes("t.jsonl", endless, endless), WantedColumns(("text",))))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "this line has more than 10 MB" in str(given[0].error) and len(given) == 1
    assert most < 60_000_000


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"id,pitch\0\n1,one\n", "is not text in UTF-8; save it as CSV in UTF-8"),
        ("id,Gr\u00fc\u00dfe\n1,a\n".encode("latin-1"), "line 1 would read 'Gr\u00fc\u00dfe' if it is Windows-1252"),
    ],
)
def test_a_table_that_is_not_text_in_utf8_is_refused_with_what_to_do(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError) as raised:
        read(tmp_path / "t.csv")
    assert says in str(raised.value) and len(str(raised.value).splitlines()) <= 2


PROSE = "Wattwise: cut your GPU bill\n\nPlatform teams pay for GPUs that stand idle, and nobody looks.\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (PROSE, "One pitch as text: pitch analyze -"),
        (PROSE.replace(":", ","), "One pitch as text: pitch analyze -"),
        ("%PDF-1.4\n", "standard input is a PDF"),
    ],
    ids=["prose", "prose with a comma", "a document"],
)
def test_what_is_no_table_on_standard_input_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, content: str, says: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    with pytest.raises(InputError) as raised:
        read("-")
    assert says in str(raised.value) and len(str(raised.value).splitlines()) <= 2


# ---------------------------------------------------------------- folders


def put(path: Path, text: str = "a pitch") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_links_that_lead_out_of_a_folder_are_not_read_and_that_is_said(tmp_path: Path) -> None:
    put(tmp_path / "decks" / "a.txt")
    put(tmp_path / "decks" / "deep" / "b.txt")
    put(tmp_path / "secret" / "key.txt", "secret")
    (tmp_path / "decks" / "out.txt").symlink_to(tmp_path / "secret" / "key.txt")
    (tmp_path / "decks" / "folder").symlink_to(tmp_path / "secret")
    (tmp_path / "decks" / "broken.txt").symlink_to(tmp_path / "nowhere")
    (tmp_path / "decks" / "deep" / "same.txt").symlink_to(tmp_path / "decks" / "a.txt")
    (tmp_path / "decks" / "loop").symlink_to(tmp_path / "decks")
    given = read(tmp_path / "decks")
    assert [entry.id for entry in given] == ["a", "deep/b"]
    notes = " ".join(Sources((str(tmp_path / "decks"),)).notes())
    assert "3 links that lead out of the folder not followed" in notes and "out.txt" in notes


def test_other_files_in_a_folder_of_pitches_are_counted_by_kind(tmp_path: Path) -> None:
    for name in ("a.txt", "b.numbers", "c.png", "d.png", "Makefile", ".hidden.png"):
        put(tmp_path / name)
    assert Sources((str(tmp_path),)).notes() == [
        "4 files of other kinds were left out: 2 .png, 1 without an ending, 1 .numbers."
    ]


def test_a_table_of_another_kind_in_a_folder_is_its_own_failure(tmp_path: Path) -> None:
    put(tmp_path / "a.txt")
    put(tmp_path / "prices.csv", "item,price,tax\nx,1,2\n")
    put(tmp_path / "startups.csv", "id,pitch\n1,one\n")
    given = read(tmp_path)
    assert short(given) == [("a", "a pitch"), ("prices", "document"), ("1", "one")]
    assert "which column holds the pitch?" in str(given[1].error)
    assert Sources((str(tmp_path),)).count() == 3
    with pytest.raises(InputError, match="which column"):
        read(tmp_path / "prices.csv")


def test_documents_of_one_name_have_ids_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("x/deck.txt", "y/deck.txt", "y/deck.md", "y/other.txt"):
        put(Path(name))
    assert [given.id for given in read("x/deck.txt", "y/deck.txt")] == ["x/deck", "y/deck"]
    assert [given.id for given in read("x", "y")] == ["x/deck", "y/deck.md", "y/deck.txt", "other"]


def test_a_file_that_is_named_twice_is_read_once_and_that_is_said(tmp_path: Path) -> None:
    put(tmp_path / "a.txt")
    put(tmp_path / "b.txt")
    names = (str(tmp_path / "a.txt"), str(tmp_path), str(tmp_path / "*.txt"))
    assert [given.id for given in read(*names)] == ["a", "b"]
    assert "3 files named more than once, read once." in Sources(names).notes()


def test_names_of_files_that_are_not_text_are_spelled_out(tmp_path: Path) -> None:
    put(tmp_path / "a\x1b]0;x\x07\n.txt")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")).write_text("a pitch")
    assert [given.id for given in read(tmp_path)] == ["a\\x1b]0;x\\x07\\n", "caf\\udce9"]
