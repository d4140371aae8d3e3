"""CSV, JSON, Parquet and Excel as rows with named cells, read piece by piece; one class for each kind of table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Final, Protocol

from analyzer.errors import InputError
from analyzer.files.csv_rows import SAMPLE_ROWS, CsvRows, find_form
from analyzer.files.json_rows import is_json_lines, json_rows
from analyzer.files.table_bytes import CSV_ENDINGS, JSON_ENDINGS, PARQUET_ENDINGS, WORKBOOK_ENDINGS, TableBytes
from analyzer.files.table_columns import WantedColumns
from analyzer.files.table_heading import Heading, find_heading
from analyzer.files.text_encoding import find_encoding, pieces_of, text_lines, text_pieces
from analyzer.files.workbooks import read_workbook

_SAMPLE_LINES: Final = 2_000
_SAMPLE_CHARACTERS: Final = 1_000_000
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row: its cells by column, or why it cannot be read. `where` in the table: "row 3", "line 3", "item 3"."""

    where: str
    cells: Mapping[str, Any] | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class TableKind:
    """What a table is, in words; empty where it does not apply. `skipped`: titles above the names of the columns.
    `typed`: whether cells that are not text can be told apart from texts."""

    title: str
    encoding: str = ""
    separator: str = ""
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    typed: bool = True


class TableFormat(Protocol):
    """A table of one kind."""

    kind: TableKind

    def names(self) -> Sequence[str] | None:
        """The names of the columns; None if only the rows say."""

    def rows(self, head: bool = False) -> Iterator[TableRow]:
        """All rows; with `head` those that can be looked at beforehand, which is the same but for standard input."""

    def count(self) -> int | None:
        """How many rows there are, where that is known without reading them."""


def open_format(table: TableBytes, wanted: WantedColumns) -> TableFormat:
    """The format of a table, by its name and its first bytes. Raises InputError if they do not fit each other."""
    table.check_kind()
    if table.suffix in PARQUET_ENDINGS:
        return _ParquetTable(table)
    if table.suffix in WORKBOOK_ENDINGS:
        return _WorkbookTable(table)
    text = _TableText(table, wanted)
    if table.suffix in JSON_ENDINGS:
        return _JsonTable(text)
    first = next((line for line in text.lines(head=True) if line is None or line.strip()), "")
    if table.suffix not in CSV_ENDINGS and (first or "").lstrip()[:1] in ("{", "["):
        return _JsonTable(text)
    return _CsvTable(text)


class _TableText:
    """The text of a table, in lines or pieces."""

    def __init__(self, table: TableBytes, wanted: WantedColumns):
        self.table = table
        answer = "choose its encoding." if wanted.on_page else "name its encoding: --encoding windows-1252"
        how = f"Save it as CSV UTF-8, or {answer}"
        with closing(table.open_head()) as file:
            self.encoding = find_encoding(table.name, pieces_of(file), wanted.encoding, how)

    def lines(self, head: bool) -> Iterator[str | None]:
        """The lines with their ends; None for one that is too long."""
        with self._opened(head) as file:
            yield from text_lines(self.table.name, file, self.encoding)

    def pieces(self, head: bool) -> Iterator[str]:
        """The text, piece by piece."""
        with self._opened(head) as file:
            yield from text_pieces(self.table.name, file, self.encoding)

    def _opened(self, head: bool) -> closing[BinaryIO]:
        return closing(self.table.open_head() if head else self.table.open_all())


class _CsvTable:
    """Cells separated by one character; the first row, or one below titles, names the columns."""

    def __init__(self, text: _TableText):
        self._text = text
        lines: list[str | None] = []
        size = 0
        for line in islice(text.lines(head=True), _SAMPLE_LINES):
            size += len(line or "")
            if lines and size > _SAMPLE_CHARACTERS:
                break
            lines.append(line)
        name = text.table.name
        self._form, heading = find_form(lines, tabs=text.table.suffix == ".tsv")
        if heading is None:
            raise InputError(f"{name} is empty; its first line has to name the columns")
        if any("\0" in cell for cell in heading.names):
            raise InputError(f"{name} is not text in UTF-8; save it as CSV in UTF-8")
        self._heading = _checked_heading(name, heading)
        self.kind = TableKind(
            "CSV", text.encoding.title, self._form.title, heading.titles, _notes_on_heading(heading), typed=False
        )

    def names(self) -> Sequence[str]:
        return self._heading.names

    def rows(self, head: bool = False) -> Iterator[TableRow]:
        lines = self._text.lines(head)
        for _ in range(self._form.skipped):
            next(lines, None)
        rows = CsvRows(lines, self._form, len(self._heading.names), self._form.skipped)
        yield from _rows_below(rows, self._heading)

    def count(self) -> None:
        return None


class _WorkbookTable:
    """The first sheet of an Excel workbook that holds anything."""

    def __init__(self, table: TableBytes):
        with closing(table.open_head()) as file:
            self._sheet = read_workbook(table.name, file)
        heading = find_heading(self._sheet.rows[:SAMPLE_ROWS])
        if heading is None:
            raise InputError(f"{table.name} is empty; the first row of its first sheet has to name the columns")
        self._heading = _checked_heading(table.name, heading)
        notes = (*self._sheet.notes, *_notes_on_heading(heading))
        self.kind = TableKind("Excel", skipped=heading.titles, notes=notes, typed=False)

    def names(self) -> Sequence[str]:
        return self._heading.names

    def rows(self, head: bool = False) -> Iterator[TableRow]:
        yield from _rows_below(self._sheet.rows, self._heading)

    def count(self) -> None:
        return None


class _JsonTable:
    """Objects: one a line, in an array, or one after the other."""

    def __init__(self, text: _TableText):
        self._text = text
        filled = (line for line in text.lines(head=True) if line is None or line.strip())
        first, second = next(filled, ""), next(filled, "")
        self._is_lines = is_json_lines(first, second == "")
        self.kind = TableKind("JSON Lines" if self._is_lines else "JSON", text.encoding.title)

    def names(self) -> None:
        return None

    def rows(self, head: bool = False) -> Iterator[TableRow]:
        for row in json_rows(self._text.pieces(head), self._text.lines(head), self._is_lines):
            yield TableRow(row.where, row.value, row.fault)

    def count(self) -> None:
        return None


class _ParquetTable:
    """Columns in batches; bytes are left out."""

    def __init__(self, table: TableBytes):
        self._table = table
        self.kind = TableKind("Parquet")
        self._schema, self._rows = self._read(lambda file: (file.schema_arrow, int(file.metadata.num_rows)))

    def names(self) -> Sequence[str]:
        import pyarrow

        kinds = pyarrow.types
        fields = [
            field.name
            for field in self._schema
            if not (
                kinds.is_binary(field.type)
                or kinds.is_large_binary(field.type)
                or kinds.is_fixed_size_binary(field.type)
            )
        ]
        return list(dict.fromkeys(fields))

    def rows(self, head: bool = False) -> Iterator[TableRow]:
        import pyarrow

        number = 0
        columns = self.names()
        try:
            for batch in self._open().iter_batches(batch_size=_BATCH, columns=columns):
                for cells in batch.to_pylist():
                    number += 1
                    yield TableRow(f"row {number}", cells)
        except (OSError, ValueError, OverflowError, pyarrow.ArrowException) as error:
            raise self._unreadable() from error

    def count(self) -> int:
        return int(self._rows)

    def _open(self) -> Any:
        import pyarrow.parquet as parquet

        # By its name, so that memory stays that of a batch.
        return parquet.ParquetFile(self._table.path or self._table.open_all())

    def _read(self, read: Callable[[Any], Any]) -> Any:
        import pyarrow

        try:
            return read(self._open())
        except (OSError, pyarrow.ArrowException) as error:
            raise self._unreadable() from error

    def _unreadable(self) -> InputError:
        return InputError(f"{self._table.name} cannot be read as Parquet; is it complete?")


def _rows_below(rows: Iterator[list[str] | str] | Any, heading: Heading) -> Iterator[TableRow]:
    """The rows below the heading that are not blank, counted from 1."""
    number = 0
    for at, row in enumerate(rows):
        if at <= heading.at or (isinstance(row, list) and not any(cell.strip() for cell in row)):
            continue
        number += 1
        where = f"row {number}"
        if isinstance(row, str):
            yield TableRow(where, fault=row)
            continue
        cells = heading.cells(row)
        if cells is None:
            named = len(heading.names)
            yield TableRow(where, fault=f"{len(row)} cells, but the first line names {named} columns")
        else:
            yield TableRow(where, dict(zip(heading.names, cells, strict=True)))


def _checked_heading(name: str, heading: Heading) -> Heading:
    """The heading. Raises InputError if it holds a text instead of names."""
    if heading.is_text:
        longest = max(heading.names, key=len)
        raise InputError(
            f"{name}: the first row names no columns; it holds a text ({longest[:60]}…). Add a row above it with the "
            "columns' names, for example: id,pitch"
        )
    return heading


def _notes_on_heading(heading: Heading) -> tuple[str, ...]:
    if not heading.titles:
        return ()
    shown = "; ".join(title[:60] for title in heading.titles[:3])
    lines = "1 line" if len(heading.titles) == 1 else f"{len(heading.titles)} lines"
    return (f"{lines} above the names of the columns skipped: {shown}.",)
