"""How far a ranking can be trusted, when neither the weights nor what the pitches leave unsaid are certain.

Stochastic multicriteria acceptability analysis (SMAA; Lahdelma, Hokkanen and Salminen, European Journal of
Operational Research 106, 1998; SMAA-2: Lahdelma and Salminen, Operations Research 49, 2001): draw both many times, rank
each time, and count. Weights are drawn independently, each log-uniformly between half and twice the rulebook's; unknown
inputs from their values and unknown positions from day 1, mixed and day 2 (likewise the focus), each equally likely.
Weights are drawn once for all pitches of a draw, unknowns for each pitch by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analyzer.errors import InputError
from analyzer.framework.formula import overall_of
from analyzer.framework.look_ups import MEAN, look_ups
from analyzer.framework.many_pitches import overall
from analyzer.framework.rounding import SAID_DIGITS, rounded
from analyzer.framework.rulebook import SIDES, Rulebook, Side
from analyzer.framework.scorer import STATES, Coded, gate_states, lean_codes, said
from analyzer.vocabulary.derived import INPUTS, LEANS

SPREAD: Final = 2.0
"""A drawn weight lies between the rulebook's divided and multiplied by this."""
INTERVAL: Final = (0.05, 0.95)
"""The rank's interval holds 90% of the draws."""
_LEVEL: Final = 1e-9
"""Scores that differ by less are level: what differs is the order in which floats were added."""
MOST_DRAWS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Ranked:
    """One pitch in the ranking. Chances are shares of the draws, 0 to 1.

    `row` is its place in the input. `rank` is its median rank over the draws, `best` and `worst` bound its rank in 90%
    of them, so `best <= rank <= worst`; pitches with the same median share a rank, and the first rank need not be 1.
    `overall` is the expected overall score, 0 to 100, and `said` the share of it that the pitch answers, 0 to 1.
    `holds` and `open` are the ids of its gates in that state. `first` and `top` are how often the pitch is first, and
    among the first k; level pitches share a place. `beats_next` is how often it is ahead of the pitch listed below it
    (level counts half; None for the last).
    """

    row: int
    rank: int
    overall: float
    said: float
    holds: tuple[str, ...]
    open: tuple[str, ...]
    best: int
    worst: int
    first: float
    top: float
    beats_next: float | None


def rank(
    coded: Coded, rulebook: Rulebook | None = None, *, top: int = 10, draws: int = 1000, seed: int = 0
) -> list[Ranked]:
    """The pitches in scope by median rank, then mean rank, best first. The same input and seed give the same result.

    Raises InputError if `top` or `draws` make no sense.
    """
    if not 1 <= draws <= MOST_DRAWS:
        raise InputError(f"draws is {draws}; give 1 to {MOST_DRAWS:,}")
    if seed < 0:
        raise InputError(f"seed is {seed}; give 0 or more")
    if top < 1:
        raise InputError(f"top is {top}; give at least 1")
    rulebook = rulebook or Rulebook.built_in()
    rows = np.flatnonzero(coded.in_scope)
    if not len(rows):
        return []
    coded = coded.take(rows)
    expected = overall(coded, rulebook)
    order = np.argsort(-expected, kind="stable")
    coded, expected, rows = coded.take(order), expected[order], rows[order]
    ranks = _drawn(coded, rulebook, draws, seed)
    low, median, high = np.quantile(ranks, (INTERVAL[0], 0.5, INTERVAL[1]), axis=0, method="nearest")
    first, in_top = (ranks == 1).mean(axis=0), (ranks <= top).mean(axis=0)
    answered = rounded(said(coded, look_ups(rulebook)), SAID_DIGITS)
    states = gate_states(coded, look_ups(rulebook))
    listed = np.lexsort((-expected, ranks.mean(axis=0), median))
    return [
        Ranked(
            row=int(rows[n]),
            rank=int(median[n]),
            overall=float(expected[n]),
            said=float(answered[n]),
            holds=tuple(gate for gate, state in states.items() if STATES[state[n]] == "holds"),
            open=tuple(gate for gate, state in states.items() if STATES[state[n]] == "open"),
            best=int(low[n]),
            worst=int(high[n]),
            first=float(first[n]),
            top=float(in_top[n]),
            beats_next=None if below is None else _ahead(ranks[:, n], ranks[:, below]),
        )
        for n, below in zip(listed, (*listed[1:], None), strict=True)
    ]


def _drawn(coded: Coded, rulebook: Rulebook, draws: int, seed: int) -> NDArray[np.int32]:
    """The rank of each pitch in each draw; level pitches have the same, the best that any of them could have."""
    rng = np.random.default_rng(seed)
    pitches = len(coded)
    ranks = np.empty((draws, pitches), np.int32)
    draw = _Draw(coded, rulebook)
    numbers = np.arange(1, pitches + 1, dtype=np.int32)
    for number in range(draws):
        scores = draw.scores(rng)
        order = np.argsort(-scores, kind="stable")
        level = np.diff(scores[order], prepend=np.inf) > -_LEVEL
        ranks[number, order] = np.maximum.accumulate(np.where(level, 0, numbers))
    return ranks


def _ahead(own: NDArray[np.int32], other: NDArray[np.int32]) -> float:
    """In what share of the draws one pitch is ahead of another; level counts half."""
    return float((own < other).mean() + 0.5 * (own == other).mean())


class _Draw:
    """Everything that does not change between draws, laid out for them."""

    def __init__(self, coded: Coded, rulebook: Rulebook):
        self._rules = look_ups(rulebook)
        self._codes = {name: coded.codes[name].copy() for name in self._rules.names}
        self._positions = {name: placed.at[:, 0].copy() for name, placed in coded.positions.items()}
        self._open = {
            name: rows
            for name, column in self._codes.items()
            if name not in LEANS and len(rows := np.flatnonzero(column >= len(INPUTS[name])))
        }
        self._chances = {name: _chances(coded, name, rows) for name, rows in self._open.items()}
        self._unplaced = {
            name: (rows, placed.at[rows], np.cumsum(placed.weight[rows], axis=1))
            for name, placed in coded.positions.items()
            if len(rows := np.flatnonzero((placed.weight > 0).sum(axis=1) > 1))
        }

    def scores(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """The overall score of every pitch in one draw."""
        for name, (rows, at, chances) in self._unplaced.items():
            self._positions[name][rows] = np.take_along_axis(at, _one_of(rng, chances)[:, None], axis=1)[:, 0]
            self._codes[name][rows] = lean_codes(self._positions[name][rows])
        for name, rows in self._open.items():
            self._codes[name][rows] = _one_of(rng, self._chances[name])
        sides: dict[Side, NDArray[np.float64]] = {}
        for side in SIDES:
            members = [c for c in self._rules.considerations if c.side == side]
            weights = np.array([c.weight for c in members]) * SPREAD ** rng.uniform(-1, 1, len(members))
            weights /= weights.sum()
            total = np.zeros(len(self._positions["stage"]))
            for consideration, weight in zip(members, weights, strict=True):
                table = self._rules.tables[consideration.id]
                total += np.take(table.cells[MEAN], table.places(self._codes, {})) * weight
            sides[side] = total
        return overall_of(sides, self._positions)


def _chances(coded: Coded, name: str, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """For each of these pitches, the chance that an open input has a value or one before it."""
    size = len(INPUTS[name])
    weights = np.full((1, size), 1 / size)
    if name in coded.several:
        weights = np.concatenate([weights, coded.several[name].weights])
    return np.asarray(np.cumsum(weights, axis=1)[coded.codes[name][rows] - size])


def _one_of(rng: np.random.Generator, chances: NDArray[np.float64]) -> NDArray[np.int32]:
    """An index for each row of chances, drawn by them."""
    drawn = rng.random(len(chances))[:, None]
    index: NDArray[np.int32] = np.minimum((drawn >= chances).sum(axis=1), chances.shape[1] - 1).astype(np.int32)
    return index
