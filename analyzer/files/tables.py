"""Tables of pitches, of any kind and from anywhere: what is understood of one, and its rows as pitches.

The one reader of tables: folders, commands, standard input and the page all come here. What is understood
(`TableLayout`) is found once, before a row is used. A row that cannot be read is an entry with an error in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from analyzer.errors import AnalyzerError, DocumentError, InputError
from analyzer.files.disk import reason
from analyzer.files.document import Document
from analyzer.files.table_bytes import TableBytes
from analyzer.files.table_columns import TableColumns, WantedColumns, find_columns
from analyzer.files.table_formats import TableFormat, TableKind, TableRow, open_format

_SAMPLE: Final = 1_000
"""Rows from which the columns are found."""
_SAMPLE_CHARACTERS: Final = 4_000_000
_MOST_COLUMNS: Final = 1_000
"""Columns of its own that a table may have; further ones are not carried along."""


@dataclass(frozen=True, slots=True)
class InputPitch:
    """One pitch of the input: its text, or the error in its place. `source`: file and row or line. `title`: the
    company's name, where the input has one. `columns`: the cells of its own columns. `document`: the file that it was
    read from, if it is a file of its own."""

    source: str
    id: str
    text: str = ""
    error: AnalyzerError | None = None
    title: str = ""
    columns: Mapping[str, Any] = field(default_factory=dict)
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class TableLayout:
    """What was understood of a table: its kind, the names of all columns, and what the columns hold."""

    kind: TableKind
    names: tuple[str, ...]
    columns: TableColumns


class Table:
    """One table. Every method raises InputError if the table cannot be read, or to ask a question."""

    def __init__(self, source: TableBytes, wanted: WantedColumns):
        self.name = source.name
        self._source = source
        self._wanted = wanted
        self._format: TableFormat | None = None
        self._layout: TableLayout | None = None
        self._count: int | None = None
        self._own: tuple[str, ...] = ()

    def kind(self) -> TableKind:
        """What kind of table it is."""
        with self._reported():
            return self._opened().kind

    def names(self) -> tuple[str, ...]:
        """The names of the columns, also where it is not clear which of them holds the pitch."""
        return self._names(self._sample())

    def layout(self) -> TableLayout:
        """What is understood of it."""
        if self._layout is None:
            sample = self._sample()
            names = self._names(sample)
            cells = [row.cells for row in sample if row.cells is not None]
            kind = self.kind()
            if names:
                columns = find_columns(self.name, names, cells, self._wanted, kind.typed)
            else:  # no row can be read: each becomes a failed entry
                columns = TableColumns(self._wanted.text, self._wanted.id, self._wanted.title, ())
            self._layout, self._own = TableLayout(kind, names, columns), columns.own
        return self._layout

    def count(self) -> int:
        """How many rows there are. Not for standard input, which can be read only once."""
        if self._count is None:
            self._count = self._opened().count()
        if self._count is None:
            columns = self.layout().columns
            own = dict.fromkeys(columns.own)
            rows = 0
            with self._reported():
                for row in self._opened().rows():
                    rows += 1
                    if row.cells is not None and len(own) < _MOST_COLUMNS:
                        own.update(dict.fromkeys(filter(columns.carries, row.cells)))
            self._count, self._own = rows, tuple(own)
        return self._count

    def own_columns(self) -> tuple[str, ...]:
        """The columns that are carried to the output: after `count` those of all rows, before it of the first ones."""
        self.layout()
        return self._own

    def __iter__(self) -> Iterator[InputPitch]:
        columns = self.layout().columns
        with self._reported():
            for row in self._opened().rows():
                yield _pitch(f"{self.name}, {row.where}", row, columns)

    def _opened(self) -> TableFormat:
        if self._format is None:
            self._format = open_format(self._source, self._wanted)
        return self._format

    def _names(self, sample: list[TableRow]) -> tuple[str, ...]:
        names = self._opened().names()
        if names is None:
            names = list(dict.fromkeys(name for row in sample for name in row.cells or ()))
        return tuple(names[:_MOST_COLUMNS])

    def _sample(self) -> list[TableRow]:
        rows: list[TableRow] = []
        size = 0
        with self._reported():
            for row in islice(self._opened().rows(head=True), _SAMPLE):
                rows.append(row)
                size += sum(len(cell) for cell in (row.cells or {}).values() if isinstance(cell, str))
                if size > _SAMPLE_CHARACTERS:
                    break
        return rows

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Turn an error of the system into one that names the table."""
        try:
            yield
        except OSError as error:
            raise InputError(f"{self.name} cannot be read: {reason(error)}") from error


def failed_entry(
    source: str, fault: str, label: str | None = None, columns: Mapping[str, Any] | None = None
) -> InputPitch:
    """An entry that cannot be read."""
    return InputPitch(source, label or source, error=DocumentError(f"{source}: {fault}"), columns=columns or {})


def _pitch(source: str, row: TableRow, columns: TableColumns) -> InputPitch:
    """A row as a pitch: the text of its columns, its id (its place where it has none), its title."""
    if row.cells is None:
        return failed_entry(source, row.fault)
    cells = row.cells
    own = {name: _valid(cell) for name, cell in cells.items() if columns.carries(name)}
    label = _line(cells.get(columns.id)) if columns.id else ""
    title = _line(cells.get(columns.title)) if columns.title else ""
    text = columns.text_of(cells)
    if text is None:
        text = ""
    if not isinstance(text, str):
        return failed_entry(source, f"the pitch is not text but {type(text).__name__}", _valid(label), own)
    try:
        (text + label + title).encode("utf-8")
    except UnicodeEncodeError:
        fault = "this is not UTF-8 text; save the file as UTF-8"
        return failed_entry(source, fault, _valid(label), own)
    return InputPitch(source, label or source, text, title=title, columns=own)


def _line(cell: Any) -> str:
    """A cell as a name on one line; empty for none."""
    return "" if cell is None else " ".join(str(cell).split())


def _valid(cell: Any) -> Any:
    """A cell that every file can take: half characters of damaged text become question marks."""
    return cell.encode("utf-8", "replace").decode() if isinstance(cell, str) else cell
