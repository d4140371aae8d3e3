"""A table of pitches to the same table with what was read and scored, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Unpack

from analyzer.errors import InputError
from analyzer.files.frames import OpenTable, Table, TableT
from analyzer.files.table_columns import TableColumns
from analyzer.results.frames import arrow_of
from analyzer.runs.many import MANY_DEFAULTS, analyze_many
from analyzer.runs.options import ManyOptions, check_names, takes

_ID: Final = "id"


@takes(ManyOptions, **MANY_DEFAULTS)
def analyze_frame(
    frame: TableT,
    *,
    text: str | Sequence[str] = "text",
    id: str | None = None,
    title: str | None = None,
    **options: Unpack[ManyOptions],
) -> TableT:
    """Assess the pitch of every row and return the table with the columns of `to_frame` after its own.

    `frame`: pandas, Arrow, Polars, or anything that speaks Arrow; the result is of the same kind, with the same rows in
    the same order and, in pandas, the same index. `text`: the column with the pitch, or several that are joined. `id`
    and `title`: the columns with the pitch's id and the company's name; without `id`, the column "id" or pandas' index
    is used if there is one. Your own columns are kept; one with a name of ours is renamed (`summary` to
    `input_summary`). A pitch that failed is a row with `error_kind` and `error_message`.

    The other arguments, and what is raised, are those of `analyze_many`; the table comes when all rows are done.
    """
    check_names("analyze_frame", options, ManyOptions)
    table = OpenTable.of(frame)
    id_column = _ID if id is None and _ID in table.names else id
    entries = _entries(table, text, id_column, title)
    results = sorted(analyze_many(entries, **options), key=lambda result: result.number)
    found = arrow_of(results)
    extended: TableT = table.with_columns(found.drop_columns([_ID]) if id_column == _ID else found)
    return extended


def entries_of(value: Table, text: str | Sequence[str], id: str | None, title: str | None) -> list[dict[str, Any]]:
    """The rows of a table as pitches for `analyze_many`. Raises InputError for a column that is missing."""
    return _entries(OpenTable.of(value), text, id, title)


def _entries(table: OpenTable, text: str | Sequence[str], id: str | None, title: str | None) -> list[dict[str, Any]]:
    names = (text,) if isinstance(text, str) else tuple(text)
    if not names:
        raise InputError("text is empty; pass the name of the column with the pitch")
    columns = {name: table.cells(name) for name in (*names, *(each for each in (id, title) if each is not None))}
    pitch = TableColumns(names, id, title, ())
    ids = columns[id] if id is not None else table.index or [None] * table.rows
    rows = ({name: columns[name][number] for name in columns} for number in range(table.rows))
    return [
        {
            "text": pitch.text_of(row),
            "id": own,
            "title": None if title is None or row[title] is None else str(row[title]),
        }
        for row, own in zip(rows, ids, strict=True)
    ]
