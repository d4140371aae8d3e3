"""The rows of a CSV, one by one, also of one that was damaged on its way."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import Final

from analyzer.errors import InputError
from analyzer.files.disk import LONGEST_LINE, TOO_LONG

_LONGEST_ROW: Final = 1_000_000
_MOST_LINES: Final = 2_000
"""Characters and lines that a row of a CSV may take; what is larger is a quotation mark left open."""


def header_of(name: str, line: bytes | None, delimiter: str | None) -> tuple[list[str], str]:
    """The columns of a CSV by its first line, and what separates them. Raises InputError."""
    try:
        text = "" if line is None else line.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InputError(f"{name} is not text in UTF-8; save it as CSV in UTF-8")
    if not text.strip():
        raise InputError(f"{name} is empty; its first line has to name the columns")
    delimiter = delimiter or max(",;\t", key=text.count)
    try:
        return next(csv.reader([text], delimiter=delimiter)), delimiter
    except csv.Error as error:
        raise InputError(f"{name}: its first line does not name the columns: {error}") from error


class _Large(Exception):
    """A row has grown larger than a row may be."""


class CsvRows:
    """The rows of a CSV after its header: cells, or in place of a row why it is not one.

    Bytes that are no UTF-8 become half a character, which the row's own check finds. A quotation mark that is left open
    takes the lines after it into its row. They are read again as rows where each of them is one; otherwise the row
    fails and says which lines it took.
    """

    def __init__(self, lines: Iterator[bytes | None], delimiter: str, columns: int):
        self._lines = lines
        self._again: list[str | None] = []
        self._delimiter = delimiter
        self._columns = columns
        self._at = 1  # the last line that was taken; the header is the first
        self._taken: list[str | None] = []

    def __iter__(self) -> Iterator[list[str] | str]:
        csv.field_size_limit(LONGEST_LINE)
        rows = self._reader()
        while True:
            self._taken = []
            begin = self._at + 1
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
        return iter(csv.reader(self._fed(), delimiter=self._delimiter, strict=True))

    def _fed(self) -> Iterator[str]:
        size = 0
        taken: list[str | None] | None = None
        while True:
            if taken is not self._taken:
                taken, size = self._taken, 0
            line = self._again.pop(0) if self._again else self._decoded(next(self._lines, b""))
            if line == "":
                return
            self._at += 1
            self._taken.append(line)
            size += len(line or "")
            if line is None or size > _LONGEST_ROW or len(self._taken) > _MOST_LINES:
                raise _Large
            yield line

    @staticmethod
    def _decoded(line: bytes | None) -> str | None:
        return None if line is None else line.decode("utf-8", "surrogateescape")

    def _fault(self, begin: int, error: Exception) -> str:
        """Why this row is none; gives back the lines that are rows of their own."""
        taken = self._taken
        if None in taken[-1:] and len(taken) == 1:
            return f"line {begin}: {TOO_LONG}"
        reason = str(error) or f"it takes more than {_LONGEST_ROW:,} characters or {_MOST_LINES:,} lines"
        if len(taken) < 2:
            return f"this row is not CSV: {reason} (line {begin})"
        after = taken[1:]
        if self._are_rows(after):
            self._again = after + self._again
            self._at -= len(after)
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
                if (
                    line is not None
                    and len(next(csv.reader([line], delimiter=self._delimiter, strict=True))) != self._columns
                ):
                    return False
            except (csv.Error, StopIteration):
                return False
        return True
