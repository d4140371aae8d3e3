"""Columns of whole documents (signals, or assessments that hold them), as tables of files and data frames have them.

A cell is JSON text, a mapping (a struct of Parquet; through pandas its lists are arrays), or a record of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from analyzer.errors import SignalsError
from analyzer.framework.assessment import Assessment
from analyzer.vocabulary.signals import Signals

DOCUMENT_COLUMNS: Final = ("assessment", "signals")
"""Names of columns with documents; the first that a table has is read."""


def signals_of_cells(cells: Iterable[Any], column: str, first_row: int = 1) -> Iterator[Signals | None]:
    """The signals in each cell; None where it is empty or holds the error of a pitch that could not be read.

    Raises SignalsError naming the row (counted from `first_row`), the field, and what was found.
    """
    for row, cell in enumerate(cells, first_row):
        yield _signals_of(cell, column, f"row {row}")


def _signals_of(cell: Any, column: str, where: str) -> Signals | None:
    if isinstance(cell, Signals):
        return cell
    if isinstance(cell, Assessment):
        return cell.signals
    document = plain_document(cell)
    if document is None or document == "":
        return None
    if isinstance(document, str | bytes):
        try:
            document = json.loads(document)
        except ValueError as error:
            raise SignalsError(f"{where}: column {column!r} is not JSON") from error
    if not isinstance(document, dict):
        raise SignalsError(f"{where}: column {column!r} holds {type(document).__name__}, not a document")
    if document.get("error") and "signals" not in document:
        return None
    if column == "assessment":
        if "signals" not in document:
            raise SignalsError(f"{where}: column {column!r} holds a document without signals")
        document = document["signals"]
    return Signals.from_document(document, where)


def plain_document(value: Any) -> Any:
    """A value as JSON would hold it: arrays (of numpy) become lists, their scalars plain, missing values None."""
    if isinstance(value, Mapping):
        return {str(name): plain_document(entry) for name, entry in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain_document(entry) for entry in value]
    missing = value is None or value != value or type(value).__name__ in ("NAType", "NaTType")
    return None if missing else value
