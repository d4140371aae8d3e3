"""The order in which people read boxes on a slide: cut between rows or columns wherever the gap is widest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_MOST: Final = 400
"""Boxes beyond which they are only sorted by height."""
_OVERLAP: Final = 0.2
"""Share of the smaller box by which two boxes may overlap and still be apart."""


@dataclass(frozen=True, slots=True)
class Box:
    """A place on a slide, from its upper left corner."""

    left: float
    top: float
    right: float
    bottom: float


def in_reading_order(boxes: Sequence[Box | None], titles: Sequence[bool]) -> list[int]:
    """The places of the boxes in the sequence, as they are read: titles first; boxes of unknown place last."""
    first = [at for at, title in enumerate(titles) if title]
    placed = [(at, box) for at, box in enumerate(boxes) if box is not None and not titles[at]]
    last = [at for at, box in enumerate(boxes) if box is None and not titles[at]]
    if len(placed) > _MOST:
        return [*first, *(at for at, box in sorted(placed, key=lambda each: (each[1].top, each[1].left))), *last]
    return [*first, *_ordered(placed), *last]


def _ordered(boxes: list[tuple[int, Box]]) -> Iterator[int]:
    if len(boxes) == 1:
        yield boxes[0][0]
        return
    if not boxes:
        return
    row, row_gap = _cut(boxes, lambda box: (box.top, box.bottom))
    column, column_gap = _cut(boxes, lambda box: (box.left, box.right))
    parts = row if row is not None and (column is None or row_gap >= column_gap) else column
    if parts is None:
        yield from (at for at, box in sorted(boxes, key=lambda each: (each[1].top, each[1].left)))
        return
    for part in parts:
        yield from _ordered(part)


def _cut(
    boxes: list[tuple[int, Box]], span: Callable[[Box], tuple[float, float]]
) -> tuple[list[list[tuple[int, Box]]] | None, float]:
    """The boxes before and after the widest gap between them along one direction, and that gap; None without one."""
    ordered = sorted(boxes, key=lambda each: span(each[1]))
    end = span(ordered[0][1])[1]
    best, widest = None, 0.0
    for at, (_, box) in enumerate(ordered[1:], 1):
        low, high = span(box)
        allowed = -_OVERLAP * min(high - low, max(end - span(ordered[at - 1][1])[0], 0.0))
        gap = low - end
        if gap >= allowed and (best is None or gap > widest):
            best, widest = at, gap
        end = max(end, high)
    return (None, 0.0) if best is None else ([ordered[:best], ordered[best:]], widest)
