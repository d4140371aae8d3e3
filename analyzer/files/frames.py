"""Tables in memory: pandas, Arrow, Polars and whatever else speaks Arrow, read by column and given back as their kind.

Hidden here: pandas is handled as it is, because its columns may hold anything; every other kind goes through Arrow's
interchange (`__arrow_c_stream__`, or the older `__dataframe__`), so no library has to be installed for it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from analyzer.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    import pyarrow

OWN_PREFIX: Final = "input_"
"""Comes before the name of a column of the caller's that has a name of ours."""


class ArrowTable(Protocol):
    """A table that other libraries can read: pyarrow's, Polars', recent pandas', DuckDB's."""

    def __arrow_c_stream__(self, *args: Any, **kwargs: Any) -> object: ...


class InterchangeTable(Protocol):
    """A table of a library that offers the older interchange protocol only."""

    def __dataframe__(self, *args: Any, **kwargs: Any) -> object: ...


Table = ArrowTable | InterchangeTable
TableT = TypeVar("TableT", bound=Table)


def is_pandas(value: object) -> bool:
    """Whether a value is a pandas DataFrame."""
    return type(value).__name__ == "DataFrame" and type(value).__module__.partition(".")[0] == "pandas"


def is_table(value: object) -> bool:
    """Whether a value is a table of any kind that is read here; a column alone is not one."""
    speaks = hasattr(value, "__arrow_c_stream__") or hasattr(value, "__dataframe__")
    return is_pandas(value) or (speaks and hasattr(value, "columns"))


def is_lazy(value: object) -> bool:
    """Whether a value is a query that has not been run (a LazyFrame)."""
    return type(value).__name__ == "LazyFrame"


def as_arrow(value: Any) -> pyarrow.Table:
    """A table as an Arrow table. Raises InputError if its columns are of a type that Arrow has no word for."""
    import pyarrow

    if isinstance(value, pyarrow.Table):
        return value
    try:
        if hasattr(value, "__arrow_c_stream__"):
            return pyarrow.table(value)
        from pyarrow.interchange import from_dataframe

        return from_dataframe(value)
    except (pyarrow.ArrowException, NotImplementedError, RuntimeError) as error:
        raise InputError(f"the table cannot be read through Arrow: {str(error).splitlines()[0][:120]}") from error


def like(value: object, table: pyarrow.Table) -> Any:
    """An Arrow table as a table of the same kind as `value`; where that kind cannot be made, the Arrow table."""
    library = type(value).__module__.partition(".")[0]
    if library == "pyarrow":
        return table
    if is_pandas(value):
        return pandas_of(table)
    make = getattr(sys.modules.get(library), "from_arrow", None)
    return table if make is None else make(table)


def pandas_of(table: pyarrow.Table) -> Any:
    """An Arrow table as a DataFrame in which a missing count or truth is <NA>, not a number."""
    try:
        pandas = import_module("pandas")
    except ImportError as error:
        raise ConfigurationError("a DataFrame needs a package that is not installed: pip install pandas") from error
    import pyarrow

    kinds = {pyarrow.int64(): pandas.Int64Dtype(), pyarrow.bool_(): pandas.BooleanDtype()}
    return table.to_pandas(types_mapper=kinds.get)


@dataclass(frozen=True, slots=True)
class OpenTable:
    """A table of the caller's, by column. `index`: pandas' labels of the rows; None for other kinds."""

    value: Any
    names: Sequence[Any]
    rows: int
    index: Sequence[Any] | None
    _arrow: Any

    @classmethod
    def of(cls, value: Any) -> OpenTable:
        """Raises InputError if this is not a table, or has two columns of one name."""
        if is_lazy(value):
            raise InputError("the table is a LazyFrame, a query that has not been run; pass its collect()")
        if not is_table(value):
            raise InputError(f"expected a table (pandas, Arrow, Polars), not {type(value).__name__}")
        arrow = None if is_pandas(value) else as_arrow(value)
        names = list(value.columns) if arrow is None else arrow.column_names
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"column {name!r} appears twice; rename one")
        if arrow is not None:
            return cls(value, names, arrow.num_rows, None, arrow)
        named = value.index.name is not None or type(value.index).__name__ != "RangeIndex"
        return cls(value, names, len(value), list(value.index) if named else None, None)

    def cells(self, name: Any) -> list[Any]:
        """The cells of a column, missing ones None. Raises InputError if there is no such column."""
        if name not in self.names:
            shown = ", ".join(map(str, self.names[:12])) or "no columns"
            raise InputError(f"the table has no column {name!r}; it has {shown}")
        if self._arrow is not None:
            return list(self._arrow.column(name).to_pylist())
        return [None if _missing(cell) else cell for cell in self.value[name]]

    def with_columns(self, added: pyarrow.Table) -> Any:
        """A table of the same kind with more columns after its own: same rows, same order, same index. One of its own
        with a name of theirs is renamed (`title` to `input_title`)."""
        new = unlike(self.names, added.column_names)
        if self._arrow is not None:
            import pyarrow

            joined = pyarrow.Table.from_arrays(
                [*self._arrow.columns, *added.columns], [*new.values(), *added.column_names]
            )
            return like(self.value, joined)
        pandas = import_module("pandas")
        added_frame = pandas_of(added)
        added_frame.index = self.value.index
        return pandas.concat([self.value.rename(columns=new), added_frame], axis=1)


def unlike(names: Sequence[Any], ours: Sequence[str]) -> Mapping[Any, Any]:
    """The name under which each column of the caller's is kept, so that none of ours takes its place."""
    taken = {*names, *ours}
    kept = {}
    for name in names:
        new = name
        while new in ours or (new != name and new in taken):
            new = f"{OWN_PREFIX}{new}"
        taken.add(new)
        kept[name] = new
    return kept


def _missing(cell: object) -> bool:
    return cell is None or type(cell).__name__ in ("NAType", "NaTType") or (isinstance(cell, float) and cell != cell)
