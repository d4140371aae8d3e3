"""Which competitors of two lists are the same. Names are free text: this is a rule and no fact, and matches are shown.

Two names are the same if the market map takes them for the same player, or if they are spelled alike: rapidfuzz's
token_set_ratio of at least 80 (words in any order, one name may say more than the other). Names that the map
takes for two different players never match, however alike they are. Each name matches one other at most, so that
the total likeness is greatest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from rapidfuzz import fuzz, utils
from scipy.optimize import linear_sum_assignment

from analyzer.framework.market import MarketMap

ALIKE: Final = 80.0
_SAME: Final = 101.0
"""The map's word goes before likeness of spelling."""


def matched(first: Sequence[str], second: Sequence[str], market: MarketMap) -> list[tuple[int, int]]:
    """Pairs of indices into the two lists that name the same competitor, in the order of the first."""
    if not first or not second:
        return []
    likeness = np.array([[_likeness(one, other, market) for other in second] for one in first])
    rows, columns = linear_sum_assignment(likeness, maximize=True)
    return [
        (int(row), int(column)) for row, column in zip(rows, columns, strict=True) if likeness[row, column] >= ALIKE
    ]


def _likeness(one: str, other: str, market: MarketMap) -> float:
    """0 to 101; below 80 counts as nothing, so that no weak pair is chosen over a good one."""
    players = market.match(one), market.match(other)
    if players[0] is not None and players[1] is not None:
        return _SAME if players[0].name == players[1].name else 0.0
    ratio = fuzz.token_set_ratio(one, other, processor=utils.default_process)
    return ratio if ratio >= ALIKE else 0.0
