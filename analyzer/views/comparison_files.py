"""A comparison as files: the HTML report, and the disagreements as CSV to be settled in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from analyzer.agreement.records import Comparison
from analyzer.files.cells import plain_cell
from analyzer.files.disk import check_writable, write_whole
from analyzer.views.comparison_html import comparison_html

_COLUMNS: Final = (
    *("pitch_id", "signal", "reader", "extracted", "raters", "manual", "moves_score", "quotes", "rule"),
    *("notes", "settled", "remark"),
)


def check_outputs(report: Path | None, disagreements: Path | None, inputs: Iterable[Path] = ()) -> None:
    """Raise OutputError, before anything is read, unless both files can be written and neither is an input."""
    inputs = tuple(inputs)
    for path, ending, what in (
        (report, ".html", "a comparison's report"),
        (disagreements, ".csv", "a table of disagreements"),
    ):
        if path is not None:
            check_writable(path, what, (ending,), inputs)


def write_comparison(path: Path, comparison: Comparison) -> None:
    """Write the HTML page, whole or not at all. Raises OutputError."""
    write_whole(path, comparison_html(comparison))


def write_disagreements(path: Path, comparison: Comparison) -> None:
    """Write the disagreements as CSV, with the mark by which spreadsheets recognize UTF-8. Raises OutputError."""
    write_whole(path, "\ufeff" + disagreements_csv(comparison))


def disagreements_csv(comparison: Comparison) -> str:
    """The disagreements to be settled: both values, the quotes and the rule, with empty cells for value and remark.

    A spreadsheet does not run any cell as a formula (`cells.plain_cell`).
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for each in comparison.disagreements:
        cells = [each.pitch, each.signal, each.reader, each.extracted, "; ".join(each.raters), each.manual]
        moves = "" if each.moves is None else f"{each.moves:.2f}"
        reasons = (" / ".join(each.quotes), each.rule, " / ".join(each.notes))
        writer.writerow([*map(plain_cell, cells), moves, *map(plain_cell, reasons), "", ""])
    return out.getvalue()
