"""The score formula, in one place (docs/scoring.md, "Scores").

    side     weighted mean of the points of its considerations, 0 to 10
    market   (1 - d) * day_1 + d * day_2          d: position of the stage, 0 to 1
    sales    (1 - e) * ml + e * engineering       e: position of the focus, 0 to 1
    overall  10 * mean of market and sales, 0 to 100

Scores are sums over sides, so that one pitch, many pitches and a ranking can each add them up in their own way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from analyzer.framework.rulebook import SIDES, Rulebook, Side

At = TypeVar("At", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class SideWeight:
    """Which position weighs a side, and whether the side's share grows with it."""

    position: str
    grows: bool

    def share(self, at: At) -> At:
        """The side's share of its case, 0 to 1, for a product at this position."""
        return at if self.grows else 1 - at


WEIGHTED_BY: Final[Mapping[Side, SideWeight]] = {
    "day_1": SideWeight("stage", grows=False),
    "day_2": SideWeight("stage", grows=True),
    "ml": SideWeight("focus", grows=False),
    "engineering": SideWeight("focus", grows=True),
}

POINTS_TO_SCORE: Final = 10.0
"""Points (0 to 10) of everything, as an overall score (0 to 100)."""
PER_CASE: Final = 0.5
"""The part of the overall score's weight that a case carries."""
_OVERALL: Final = POINTS_TO_SCORE * PER_CASE
SUMS: Final[Mapping[str, tuple[Sequence[Side], float]]] = {
    "overall": (SIDES, _OVERALL),
    "market": (("day_1", "day_2"), 1.0),
    "sales": (("ml", "engineering"), 1.0),
}
"""The scores that sum up sides, each side times its share: which sides, and by how much the sum is multiplied."""
SCORES: Final[Sequence[str]] = (*SUMS, *SIDES)


def weights_in_sides(rulebook: Rulebook) -> Mapping[str, float]:
    """Each consideration's weight within its side, by id; those of a side sum to 1."""
    totals = {side: sum(c.weight for c in rulebook.of_side(side)) for side in SIDES}
    return {c.id: c.weight / totals[c.side] for c in rulebook.considerations}


def overall_of(sides: Mapping[Side, At], positions: Mapping[str, At]) -> At:
    """The overall score, 0 to 100, of known sides and positions."""
    return sum_of("market", sides, positions) * _OVERALL + sum_of("sales", sides, positions) * _OVERALL


def sum_of(case: str, sides: Mapping[Side, At], positions: Mapping[str, At]) -> At:
    """The market or the sales case, 0 to 10, of known sides and positions."""
    first, second = SUMS[case][0]
    one, other = WEIGHTED_BY[first], WEIGHTED_BY[second]
    return one.share(positions[one.position]) * sides[first] + other.share(positions[other.position]) * sides[second]
