"""Results as a table in memory: the columns of flat outputs, a row for each pitch, in the order of the input."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, Literal

from analyzer.errors import ConfigurationError, InputError
from analyzer.files.frames import pandas_of
from analyzer.framework.arguments import a_kind
from analyzer.framework.assessment import Assessment
from analyzer.results.result import Result
from analyzer.results.rows import COLUMNS, ResultRow, arrow_cells, arrow_schema

if TYPE_CHECKING:
    import pyarrow

FrameKind = Literal["pandas", "arrow", "polars"]
_OF_FILES: Final = frozenset({"number", "source", "repeat"})
"""Columns that say where in a file a pitch is."""
FRAME_COLUMNS: Final = tuple(column for column in COLUMNS if column.name not in _OF_FILES)


def to_frame(results: Iterable[Result | Assessment], kind: FrameKind = "pandas") -> Any:
    """Results of `analyze_many`, or assessments, as a table: a row for each pitch, in the order of the input.

    The columns are those of flat outputs (docs/columns.md) but for the place in a file, and `assessment`, the whole
    document as JSON, which `score_table`, `rank` and `compare` read. In pandas the pitch's id is the index; elsewhere
    it is the first column. A pitch that failed has `error_kind` and `error_message`, and the rest is missing.
    `kind`: "pandas", "arrow" (a pyarrow Table) or "polars". Raises InputError for anything that is not a result.
    """
    if kind not in ("pandas", "arrow", "polars"):
        raise InputError(f"kind is {kind!r:.40}; pass 'pandas', 'arrow' or 'polars'")
    rows = sorted((_as_result(number, each) for number, each in enumerate(results)), key=lambda each: each.number)
    table = arrow_of(rows)
    if kind == "arrow":
        return table
    if kind == "pandas":
        return pandas_of(table).set_index("id")
    try:
        import polars  # type: ignore[import-not-found, unused-ignore]  # ours only in tests
    except ImportError as error:
        raise ConfigurationError("this needs a package that is not installed: pip install polars") from error
    return polars.from_arrow(table)


def arrow_of(results: Iterable[Result]) -> pyarrow.Table:
    """Results as an Arrow table, a row each."""
    import pyarrow

    rows = [arrow_cells(ResultRow(result, ""), FRAME_COLUMNS) for result in results]
    return pyarrow.Table.from_pylist(rows, arrow_schema(FRAME_COLUMNS))


def _as_result(number: int, result: object) -> Result:
    if isinstance(result, Result):
        return result
    if isinstance(result, Assessment):
        pitch = result.pitch
        return Result(number, pitch.id or str(number), result, title=pitch.title, sha256=pitch.sha256)
    raise InputError(f"result {number + 1} is {a_kind(result)}; pass the results of analyze_many, or assessments")
