"""Which columns a dataset has after it was read: the same in every block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from analyzer.errors import InputError
from analyzer.results.frames import FRAME_COLUMNS
from analyzer.results.result import Result
from analyzer.results.rows import ResultRow, arrow_cells, arrow_schema
from analyzer.runs.frames import entries_of

if TYPE_CHECKING:
    import pyarrow

_ID: Final = "id"
_TITLE: Final = "title"
_SHOWN: Final = 12


@dataclass(frozen=True)
class Columns:
    """The dataset's own columns, pinned to the types they have, and ours after them.

    Its column `id` stays as it is where it holds the ids; its column `title` gives way to ours where it holds the
    titles.
    """

    own: pyarrow.Schema
    text: tuple[str, ...]
    id: str
    title: str | None

    @classmethod
    def of(cls, schema: pyarrow.Schema, text: str | Sequence[str], id: str, title: str | None) -> Columns:
        """Raises InputError for a column that is missing, or has a name of ours."""
        names = (text,) if isinstance(text, str) else tuple(text)
        if not names:
            raise InputError("text is empty; pass the name of the column with the pitch")
        for name in (*names, id, *([] if title is None else [title])):
            if name not in schema.names:
                shown = ", ".join(schema.names[:_SHOWN])
                raise InputError(f"the dataset has no column {name!r}; it has {shown}")
        taken = _our_schema().names
        allowed = {id, title} & {_ID, _TITLE}
        clash = [name for name in schema.names if name in taken and name not in allowed]
        if clash:
            raise InputError(
                f"the dataset has columns with names of ours: {', '.join(clash[:_SHOWN])}; rename or drop them first "
                "(dataset.rename_columns, dataset.drop_columns)"
            )
        own = schema if title != _TITLE else schema.remove(schema.get_field_index(_TITLE))
        return cls(own, names, id, title)

    @property
    def added(self) -> pyarrow.Schema:
        """The columns that are added."""
        ours = _our_schema()
        return ours.remove(ours.get_field_index(_ID)) if _ID in self.own.names else ours

    def entries(self, table: pyarrow.Table) -> list[dict[str, Any]]:
        """The pitches of a block, as `analyze_many` takes them."""
        return entries_of(table, self.text, self.id, self.title)

    def kept(self, table: pyarrow.Table) -> pyarrow.Table:
        """The own columns of a block, in the types of all blocks. Raises InputError where they cannot be."""
        import pyarrow

        more = [name for name in table.column_names if name not in self.own.names and name != self.title]
        if more:
            raise InputError(
                f"column {more[0]!r} is in some blocks of the dataset only; give all blocks the same columns"
            )
        return pyarrow.Table.from_arrays(list(self._in_their_types(table)), schema=self.own)

    def _in_their_types(self, table: pyarrow.Table) -> Iterator[Any]:
        import pyarrow

        for field in self.own:
            if field.name not in table.column_names:
                yield pyarrow.nulls(table.num_rows, field.type)
                continue
            column = table.column(field.name)
            try:
                yield column if column.type == field.type else column.cast(field.type)
            except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as error:
                raise InputError(
                    f"column {field.name!r} is {field.type} in one block of the dataset and {column.type} in another; "
                    "give it one type"
                ) from error

    def row(self, result: Result, own_id: object) -> dict[str, Any]:
        """The cells of one result. A pitch without an id has its fingerprint for one."""
        if own_id is None or own_id != own_id or own_id == "":
            result = replace(result, id=result.sha256 or "")
        return arrow_cells(ResultRow(result, ""), FRAME_COLUMNS)

    def table(self, kept: pyarrow.Table, rows: Sequence[dict[str, Any]]) -> pyarrow.Table:
        """A block: the own columns, and the cells of the results."""
        import pyarrow

        added = pyarrow.Table.from_pylist(list(rows), self.added)
        return pyarrow.Table.from_arrays(
            [*kept.columns, *added.columns], schema=pyarrow.schema([*self.own, *self.added])
        )


def _our_schema() -> pyarrow.Schema:
    return arrow_schema(FRAME_COLUMNS)
