"""Which columns a dataset has after it was read: the same in every block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from analyzer.errors import InputError
from analyzer.files.frames import unlike
from analyzer.results.frames import FRAME_COLUMNS
from analyzer.results.result import Result
from analyzer.results.rows import ResultRow, arrow_cells, arrow_schema
from analyzer.runs.frames import entries_of

if TYPE_CHECKING:
    import pyarrow

_ID: Final = "id"
_TITLE: Final = "title"
_SHOWN: Final = 12
_LOOKED_AT: Final = 1_000
"""Rows from which the types of columns are learned where the dataset does not know them."""


@dataclass(frozen=True)
class OwnColumns:
    """The dataset's own columns in types that hold for every block."""

    schema: pyarrow.Schema

    @classmethod
    def of(cls, dataset: Any) -> OwnColumns:
        """Where Ray does not know Arrow types, they are those of the first rows, which are computed for it; a column
        that is empty in all of them is text. Raises InputError if there are no columns."""
        known = known_schema(dataset)
        if known is None:
            import pyarrow

            first = dataset.limit(_LOOKED_AT).iter_batches(batch_size=None, batch_format="pyarrow")
            known = _unified([each.schema for each in first])
            known = pyarrow.schema(
                pyarrow.field(each.name, pyarrow.string()) if each.type == pyarrow.null() else each for each in known
            )
        if not known.names:
            raise InputError("the dataset has no columns; is it empty?")
        return cls(known)

    def pinned(self, table: pyarrow.Table) -> pyarrow.Table:
        """A block with these columns in these types; one that it lacks is empty. Raises InputError where that cannot
        be."""
        import pyarrow

        more = [name for name in table.column_names if name not in self.schema.names]
        if more:
            raise InputError(
                f"column {more[0]!r} is in some blocks of the dataset only; give all blocks the same columns"
            )
        return pyarrow.Table.from_arrays(list(self._in_their_types(table)), schema=self.schema)

    def _in_their_types(self, table: pyarrow.Table) -> Iterator[Any]:
        import pyarrow

        for field in self.schema:
            if field.name not in table.column_names:
                yield pyarrow.nulls(table.num_rows, field.type)
                continue
            column = table.column(field.name)
            try:
                yield column if column.type == field.type else column.cast(field.type)
            except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError, pyarrow.ArrowTypeError) as error:
                raise InputError(
                    f"column {field.name!r} is {field.type} in one block of the dataset and {column.type} in another; "
                    "give it one type"
                ) from error


@dataclass(frozen=True)
class Columns:
    """The dataset's own columns, and ours after them.

    Its column `id` stays as it is where it holds the ids; its column `title` gives way to ours where it holds the
    titles. Any other with a name of ours is renamed (`summary` to `input_summary`).
    """

    own: OwnColumns
    text: tuple[str, ...]
    id: str | None
    title: str | None

    @classmethod
    def of(cls, own: OwnColumns, text: str | Sequence[str], id: str | None, title: str | None) -> Columns:
        """`id`: None = the column "id", if there is one. Raises InputError for a column that is missing."""
        names = (text,) if isinstance(text, str) else tuple(text)
        if not names:
            raise InputError("text is empty; pass the name of the column with the pitch")
        there = own.schema.names
        for name in (*names, *(each for each in (id, title) if each is not None)):
            if name not in there:
                shown = ", ".join(there[:_SHOWN])
                raise InputError(f"the dataset has no column {name!r}; it has {shown}")
        return cls(own, names, _ID if id is None and _ID in there else id, title)

    @property
    def added(self) -> pyarrow.Schema:
        """The columns that are added."""
        ours = arrow_schema(FRAME_COLUMNS)
        return ours.remove(ours.get_field_index(_ID)) if self.id == _ID else ours

    @property
    def carried(self) -> pyarrow.Schema:
        """The own columns that come out, under the names that they have there."""
        names = unlike([name for name in self.own.schema.names if not self._gives_way(name)], self.added.names)
        import pyarrow

        return pyarrow.schema(self.own.schema.field(name).with_name(new) for name, new in names.items())

    def _gives_way(self, name: str) -> bool:
        return name == self.title == _TITLE

    def entries(self, own: pyarrow.Table) -> list[dict[str, Any]]:
        """The pitches of a block with its own columns, as `analyze_many` takes them."""
        return entries_of(own, self.text, self.id, self.title)

    def row(self, result: Result, own_id: object) -> dict[str, Any]:
        """The cells of one result. A pitch without an id has its fingerprint for one; none if it has no text either."""
        missing = own_id is None or own_id != own_id or own_id == ""
        if missing:
            result = replace(result, id=result.sha256 or "")
        cells = arrow_cells(ResultRow(result, ""), FRAME_COLUMNS)
        return {**cells, _ID: cells[_ID] or None}

    def table(self, own: pyarrow.Table, rows: Sequence[dict[str, Any]]) -> pyarrow.Table:
        """A block: the own columns, and the cells of the results."""
        import pyarrow

        added = pyarrow.Table.from_pylist(list(rows), self.added)
        carried = [own.column(name) for name in own.column_names if not self._gives_way(name)]
        return pyarrow.Table.from_arrays(
            [*carried, *added.columns], schema=pyarrow.schema([*self.carried, *self.added])
        )


def known_schema(dataset: Any) -> pyarrow.Schema | None:
    """The columns of a dataset as Ray knows them without running it; None if it does not know Arrow's types.

    Raises InputError if this is not a dataset.
    """
    import pyarrow

    if not hasattr(dataset, "map_batches"):
        raise InputError(f"expected a Ray dataset (ray.data.read_parquet, …), not {type(dataset).__name__}")
    found = dataset.schema(fetch_if_missing=False)
    return found.base_schema if found is not None and isinstance(found.base_schema, pyarrow.Schema) else None


def _unified(schemas: Sequence[pyarrow.Schema]) -> pyarrow.Schema:
    """One schema for blocks that differ, as far as there is one; else that of the first."""
    import pyarrow

    if not schemas:
        return pyarrow.schema([])
    try:
        return pyarrow.unify_schemas(list(schemas), promote_options="permissive").remove_metadata()
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
        return schemas[0].remove_metadata()
