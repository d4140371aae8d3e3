"""Where the rows of a table begin: the row that names the columns, and titles above it that do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_MOST_TITLES: Final = 12
_LONGEST_NAME: Final = 120
_Record = Sequence[str] | None
"""The cells of a row; None for one that could not be read."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The row that names the columns. `at`: its place among the rows, from 0; `titles`: texts of rows above it."""

    at: int
    names: tuple[str, ...]
    titles: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether it holds a text, so that the first row names no columns."""
        return any(len(name) > _LONGEST_NAME for name in self.names)

    def cells(self, row: Sequence[str]) -> Sequence[str] | None:
        """The cells of a row, one for each name; None if it has too few, or too many that hold something."""
        extra = row[len(self.names) :]
        return None if len(row) < len(self.names) or any(cell.strip() for cell in extra) else row[: len(self.names)]

    def fit(self, records: Sequence[_Record]) -> float:
        """How well the rows below fit: the share that does, less where this is hardly a heading."""
        below = [row for row in records[self.at + 1 :] if row is None or any(cell.strip() for cell in row)]
        share = sum(row is not None and self.cells(row) is not None for row in below) / len(below) if below else 1.0
        return share - (0.25 if self.titles else 0.0) - (0.25 if self.is_text else 0.0)


def find_heading(records: Sequence[_Record]) -> Heading | None:
    """The heading of a table by its first rows; None if all of them are blank.

    A row is a title, and no heading, if only its first cell holds anything, most other rows hold more, and a row that
    looks like names of columns follows.
    """
    filled = [(at, row) for at, row in enumerate(records) if row is not None and any(cell.strip() for cell in row)]
    if not filled:
        return None
    widths = Counter(min(_width(row), 2) for _, row in filled)
    titles: list[str] = []
    for place, (at, row) in enumerate(filled[: _MOST_TITLES + 1]):
        if widths[2] > widths[1] and _width(row) == 1 and row[0].strip() and place + 1 < len(filled):
            titles.append(row[0].strip())
            continue
        if titles and not _looks_like_names(row):
            break
        return Heading(at, _names(row, [row for _, row in filled[place + 1 :]]), tuple(titles))
    at, row = filled[0]
    return Heading(at, _names(row, [row for _, row in filled[1:]]))


def _width(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def _looks_like_names(row: Sequence[str]) -> bool:
    cells = [cell.strip() for cell in row if cell.strip()]
    return len(set(cells)) == len(cells) and all(
        len(cell) <= _LONGEST_NAME and any(char.isalpha() for char in cell) for cell in cells
    )


def _names(row: Sequence[str], below: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The names of the columns, on one line each. Empty ones at the end go where no row has anything there."""
    count = len(row)
    while (
        count and not row[count - 1].strip() and not any(cell.strip() for each in below for cell in each[count - 1 :])
    ):
        count -= 1
    names: list[str] = []
    for number, cell in enumerate(row[:count], 1):
        name = " ".join(cell.split()) or f"column {number}"
        names.append(f"{name} (column {number})" if name in names else name)
    return tuple(names)
