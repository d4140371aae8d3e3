"""Which competitors of two lists are the same (by the rule of `framework.names`), and of what kind. A match is a guess,
so results list every match. Each name matches at most one other, so that the total likeness is greatest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from analyzer.files.manual_scores import ManualScore
from analyzer.framework.market import MarketMap
from analyzer.framework.names import ALIKE, likeness
from analyzer.vocabulary.signals import Signals

ASSUMED_KIND: Final = "startup"
"""A competitor, but neither a vendor that customers know nor building in-house."""


def matched(first: Sequence[str], second: Sequence[str], market: MarketMap) -> list[tuple[int, int]]:
    """Pairs of indices into the two lists that name the same competitor, in the order of the first."""
    if not first or not second:
        return []
    alike = np.array([[likeness(one, other, market) for other in second] for one in first])
    rows, columns = linear_sum_assignment(alike, maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if alike[row, column] >= ALIKE]


def competitor_kinds(
    rows: Iterable[ManualScore], readings: Iterable[Signals], market: MarketMap
) -> tuple[dict[str, str], list[str]]:
    """The kind of every competitor in the manual scores of one pitch, by name, and the names whose kind is unknown.

    The kind is that of the market map; else that of the matching competitor in a reading, in the order of the
    readings; else `ASSUMED_KIND`.
    """
    rows, readings = list(rows), list(readings)
    names = list(dict.fromkeys(name for row in rows for name in row.competitors or ()))
    kinds: dict[str, str] = {}
    for name in names:
        player = market.match(name)
        if player is not None:
            kinds[name] = player.kind
    for signals in readings:
        for row in rows:
            manual = row.competitors or ()
            for place, at in matched([competitor.name for competitor in signals.competitors], manual, market):
                kinds.setdefault(manual[at], signals.competitors[place].kind)
    assumed = [name for name in names if name not in kinds]
    return kinds | dict.fromkeys(assumed, ASSUMED_KIND), assumed
