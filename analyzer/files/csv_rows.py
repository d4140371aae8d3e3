"""The rows of a CSV, one by one, also of one that was damaged on its way, and how its cells are separated."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from analyzer.files.disk import LONGEST_LINE, TOO_LONG
from analyzer.files.table_heading import Heading, find_heading

_LONGEST_ROW: Final = 1_000_000
_MOST_LINES: Final = 2_000
"""Characters and lines that a row of a CSV may take; a larger row comes from a quotation mark left open."""
SAMPLE_ROWS: Final = 300
_SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_NAMED: Final = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_FITS: Final = 0.5
"""The share of rows that must fit their heading for a separator to be taken for granted."""


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How a CSV separates and quotes its cells. `quotes`: whether quotation marks may enclose a cell; `backslash`:
    whether a backslash comes before a quotation mark within one. `skipped`: lines before the first row."""

    separator: str
    quotes: bool = True
    backslash: bool = False
    skipped: int = 0

    @property
    def title(self) -> str:
        """The separator's name for people."""
        return _SEPARATORS.get(self.separator, repr(self.separator))

    def cells(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """The cells of each row. Raises csv.Error."""
        return csv.reader(
            lines,
            delimiter=self.separator,
            quoting=csv.QUOTE_MINIMAL if self.quotes else csv.QUOTE_NONE,
            escapechar="\\" if self.backslash else None,
            strict=True,
        )


def find_form(lines: Sequence[str | None], tabs: bool) -> tuple[CsvForm, Heading | None]:
    """How the cells of these first lines are separated, and their heading (None if there is no line).

    The separator is the one with which most rows have the cells that the heading names. `tabs`: a tab is likelier.
    """
    skipped, named = _named_separator(lines)
    separators = [named] if named else sorted(_SEPARATORS, key=lambda separator: tabs and separator != "\t")
    sample = list(lines[skipped:])
    best: tuple[float, CsvForm, Heading] | None = None
    for form in _forms(separators, sample, skipped):
        records = [row if isinstance(row, list) else None for row in islice(CsvRows(iter(sample), form), SAMPLE_ROWS)]
        heading = find_heading(records)
        if heading is None:
            return form, None
        score = heading.fit(records) if len(heading.names) > 1 or named else 0.0
        if score >= _FITS and (best is None or score > best[0] + 0.01 * (len(best[2].names) - len(heading.names))):
            best = score, form, heading
    if best is not None:
        return best[1], best[2]
    first = next((line for line in sample if line and line.strip()), "")
    form = CsvForm(named or max(separators, key=first.count), skipped=skipped)
    rows = [row for row in islice(CsvRows(iter(sample), form), 1) if isinstance(row, list)]
    return form, find_heading(rows) if rows else None


def _forms(separators: Sequence[str], sample: Sequence[str | None], skipped: int) -> Iterator[CsvForm]:
    yield from (CsvForm(separator, skipped=skipped) for separator in separators)
    yield from (CsvForm(separator, quotes=False, skipped=skipped) for separator in separators if separator in "\t|")
    if any(line and '\\"' in line for line in sample):
        yield from (CsvForm(separator, backslash=True, skipped=skipped) for separator in separators)


def _named_separator(lines: Sequence[str | None]) -> tuple[int, str | None]:
    """How many lines come before the rows, and the separator that a spreadsheet's `sep=` line names, if any."""
    for number, line in enumerate(lines):
        if line is None or line.strip():
            named = _NAMED.fullmatch((line or "").strip("\r\n "))
            return (number + 1, named[1]) if named else (0, None)
    return 0, None


class _Large(Exception):
    """A row has grown larger than a row may be."""


class CsvRows:
    """The rows of a CSV: cells, or in place of a row why it is not one. `line`: the last line that was taken.

    A quotation mark that is left open takes the lines after it into its row. They are read again as rows where each of
    them is one; otherwise the row fails and says which lines it took.
    """

    def __init__(self, lines: Iterator[str | None], form: CsvForm, columns: int = 0, line: int = 0):
        self._lines = lines
        self._again: list[str | None] = []
        self._form = form
        self._columns = columns
        self._taken: list[str | None] = []
        self.line = line

    def __iter__(self) -> Iterator[list[str] | str]:
        csv.field_size_limit(LONGEST_LINE)
        rows = self._reader()
        while True:
            self._taken = []
            begin = self.line + 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except (csv.Error, _Large) as error:
                yield self._fault(begin, error)
                rows = self._reader()
            else:
                yield row

    def _reader(self) -> Iterator[list[str]]:
        return self._form.cells(self._next_lines())

    def _next_lines(self) -> Iterator[str]:
        size = 0
        taken: list[str | None] | None = None
        while True:
            if taken is not self._taken:
                taken, size = self._taken, 0
            line = self._again.pop(0) if self._again else next(self._lines, "")
            if line == "":
                return
            self.line += 1
            self._taken.append(line)
            size += len(line or "")
            if line is None or size > _LONGEST_ROW or len(self._taken) > _MOST_LINES:
                raise _Large
            yield line

    def _fault(self, begin: int, error: Exception) -> str:
        """Why this row is not one. Puts back the lines that are rows of their own."""
        taken = self._taken
        if None in taken[-1:] and len(taken) == 1:
            return f"line {begin}: {TOO_LONG}"
        reason = str(error) or f"it takes more than {_LONGEST_ROW:,} characters or {_MOST_LINES:,} lines"
        if len(taken) < 2:
            return f"this row is not CSV: {reason} (line {begin})"
        after = taken[1:]
        if self._are_rows(after):
            self._again = after + self._again
            self.line -= len(after)
            return (
                f"this row is not CSV: a quotation mark in line {begin} is not closed; the next lines are read as rows"
            )
        lost = len(after)
        return (
            f"this row is not CSV: {reason}; a quotation mark opened in line {begin} took "
            f"{lost:,} more line{'s' if lost > 1 else ''}, up to line {begin + lost}, and the rows in them are not read"
        )

    def _are_rows(self, lines: Sequence[str | None]) -> bool:
        """Whether each line is a row by itself, so that none of them can be a part of a text."""
        if self._columns < 2:
            return False
        for line in lines:
            try:
                if line is not None and len(next(self._form.cells(iter([line])))) != self._columns:
                    return False
            except (csv.Error, StopIteration):
                return False
        return True
