"""The one scorer: expectation and exact range of every score, for one pitch or a million, as look-ups in arrays.

A score is a sum of considerations, each a table over a few inputs times the part of the score that it carries, which
depends on the product's position. Positions, and inputs on whose worst value considerations disagree, are axes; they
are eliminated one after the other, each from the terms that share it, so the work grows with the tables and not with
the number of worlds. Nothing is sampled, and a row's result does not depend on the other rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from analyzer.framework.formula import FACTORS, PER_CASE, SCORES, WEIGHTED_BY
from analyzer.framework.inputs import UNPLACED, Facts
from analyzer.framework.look_ups import Codes, Floats, LookUps, Spreads, Triple
from analyzer.framework.rulebook import SIDES, Side
from analyzer.vocabulary.derived import INPUTS, LEANS

_Scalar = TypeVar("_Scalar", bound=np.generic)
_TOGETHER: Final = 512
"""Up to so many rows are scored in one go, whatever they leave open; more are first sorted by it."""
_MOST_ROWS: Final = 4_000
"""So many rows of all tables fit into a processor's cache."""
_THIRD: Final = 1e-9
STATES: Final[tuple[Literal["clear", "open", "holds"], ...]] = ("clear", "open", "holds")
"""The states of a gate, by their number."""
_POSITIONS: Final = tuple(LEANS)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where some products may be on one position: places (0 to 1) and their weights, a row for each product.

    A row's weights sum to 1; places that a row does not have weigh nothing and come last.
    """

    at: Floats
    weight: Floats

    def take(self, rows: NDArray[np.intp]) -> Placed:
        return Placed(self.at[rows], self.weight[rows])


@dataclass(frozen=True, slots=True)
class Coded:
    """Signals of many pitches as numbers.

    `codes`: the index of each input's value; one past the last is unknown, further ones are rows of `several`.
    """

    codes: Mapping[str, Codes]
    several: Mapping[str, Spreads]
    positions: Mapping[str, Placed]
    in_scope: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.in_scope)

    @classmethod
    def of(cls, pitches: Sequence[Facts], in_scope: Sequence[bool]) -> Coded:
        """What is known of some pitches, in this order."""
        codes: dict[str, Codes] = {}
        several: dict[str, Spreads] = {}
        for name, values in INPUTS.items():
            index = {value: number for number, value in enumerate(values)} | {None: len(values)}
            column = [index[facts.values[name]] for facts in pitches]
            spreads: dict[tuple[tuple[float, ...], float], int] = {}
            for row, facts in enumerate(pitches):
                if name in facts.several and facts.values[name] is None:
                    spread = facts.several[name].weights, facts.several[name].said
                    column[row] = len(values) + 1 + spreads.setdefault(spread, len(spreads))
            codes[name] = np.array(column, np.int32)
            if spreads:
                weights = np.array([weights for weights, _ in spreads])
                several[name] = Spreads(weights, np.array([said for _, said in spreads]))
        positions = {name: _placed([facts.positions[name] for facts in pitches]) for name in LEANS}
        return cls(codes, several, positions, np.array(in_scope, np.bool_))

    @classmethod
    def joined(cls, parts: Sequence[Coded]) -> Coded:
        """Several after one another."""
        codes: dict[str, Codes] = {}
        several: dict[str, Spreads] = {}
        for name, values in INPUTS.items():
            columns, weights, said, before = [], [], [], 0
            for part in parts:
                own = part.several.get(name)
                column = part.codes[name]
                columns.append(np.where(column > len(values), column + np.int32(before), column))
                if own is not None:
                    weights.append(own.weights)
                    said.append(own.said)
                    before += len(own.said)
            codes[name] = np.concatenate(columns)
            if weights:
                several[name] = Spreads(np.concatenate(weights), np.concatenate(said))
        positions = {}
        for name in LEANS:
            most = max(part.positions[name].at.shape[1] for part in parts)
            padded = [_padded(part.positions[name], most) for part in parts]
            positions[name] = Placed(
                np.concatenate([each.at for each in padded]), np.concatenate([each.weight for each in padded])
            )
        return cls(codes, several, positions, np.concatenate([part.in_scope for part in parts]))

    def take(self, rows: NDArray[np.intp]) -> Coded:
        """These rows, in this order."""
        codes = {name: column[rows] for name, column in self.codes.items()}
        positions = {name: placed.take(rows) for name, placed in self.positions.items()}
        return Coded(codes, self.several, positions, self.in_scope[rows])


def placed_at(at: Floats) -> Placed:
    """Known positions, and nan for unknown ones."""
    unknown = np.isnan(at)
    most = len(UNPLACED) if unknown.any() else 1
    places, weight = np.zeros((len(at), most)), np.zeros((len(at), most))
    places[:, 0], weight[:, 0] = at, 1.0
    if most > 1:
        places[unknown] = [float(place) for place, _ in UNPLACED]
        weight[unknown] = [share for _, share in UNPLACED]
    return Placed(places, weight)


def lean_codes(at: Floats) -> Codes:
    """As `inputs.lean`, for positions that went through a float: a third is mixed."""
    return np.where(at < 1 / 3 - _THIRD, 0, np.where(at > 2 / 3 + _THIRD, 2, 1)).astype(np.int32)


def _placed(rows: Sequence[Sequence[tuple[object, float]]]) -> Placed:
    most = max((len(row) for row in rows), default=1)
    at, weight = np.zeros((len(rows), most)), np.zeros((len(rows), most))
    for number, row in enumerate(rows):
        for column, (place, share) in enumerate(row):
            at[number, column], weight[number, column] = float(place), share  # type: ignore[arg-type]
    return Placed(at, weight)


def _padded(placed: Placed, most: int) -> Placed:
    missing = ((0, 0), (0, most - placed.at.shape[1]))
    return Placed(np.pad(placed.at, missing), np.pad(placed.weight, missing))


# ---------------------------------------------------------------- what is computed


@dataclass(frozen=True, slots=True)
class Scored:
    """What comes of some pitches, a row each, not rounded. `points` holds considerations and gates by their id."""

    scores: dict[str, Triple]
    points: dict[str, Triple]

    def states(self, gate: str) -> NDArray[np.int8]:
        """Whether a gate is clear, open or holds, as its place in `STATES`."""
        _, low, high = self.points[gate]
        return (low + high).astype(np.int8)


def scored(coded: Coded, rules: LookUps, names: Sequence[str] = SCORES) -> Scored:
    """The scores, points and gates of every pitch, in scope or not."""
    if len(coded) <= _TOGETHER:
        points = rules.find_all(coded.codes, coded.several)
        batch = _Batch(coded, rules, points)
        return Scored({name: batch.score(name) for name in names}, points)
    found = Scored(*({name: _empty(len(coded)) for name in each} for each in (names, (*rules.tables, *rules.gates))))
    for rows in _alike(coded, rules):
        part = coded.take(rows)
        own = rules.find_all(part.codes, part.several)
        batch = _Batch(part, rules, own)
        computed = {name: batch.score(name) for name in names}
        for into, values in ((found.scores, computed), (found.points, own)):
            for name, triple in values.items():
                for column, numbers in zip(into[name], triple, strict=True):
                    column[rows] = numbers
    return found


def _empty(rows: int) -> Triple:
    return np.empty(rows), np.empty(rows), np.empty(rows)


def gate_states(coded: Coded, rules: LookUps) -> dict[str, NDArray[np.int8]]:
    """The state of each gate, as its place in `STATES`."""
    read = Scored({}, rules.find_all(coded.codes, coded.several))
    return {gate: read.states(gate) for gate in rules.gates}


def shares(coded: Coded, rules: LookUps) -> dict[str, Floats]:
    """The part of the overall score's weight that each consideration carries; those of a pitch sum to 1."""
    by_side = {}
    for side in SIDES:
        weighted = WEIGHTED_BY[side]
        placed = coded.positions[weighted.position]
        by_side[side] = _summed(weighted.share(placed.at) * placed.weight) * PER_CASE
    return {c.id: by_side[c.side] * rules.weights[c.id] for c in rules.considerations}


def said(coded: Coded, rules: LookUps, carried: Mapping[str, Floats] | None = None) -> Floats:
    """The share of the overall score's weight that rests on what the pitch says, 0 to 1 (docs/scoring.md, "What is not
    said"). `carried`: what `shares` gives, if it is known already."""
    carried = carried or shares(coded, rules)
    total = np.zeros(len(coded))
    for name, known in rules.known_inputs(coded.codes, coded.several).items():
        total = total + carried[name] * (known / len(rules.tables[name].names))
    return total


def _summed(columns: Floats) -> Floats:
    """The sum of each row, column by column, so that columns of nothing change no digit."""
    total = columns[:, 0]
    for column in range(1, columns.shape[1]):
        total = total + columns[:, column]
    return total


# ---------------------------------------------------------------- batches


def _alike(coded: Coded, rules: LookUps) -> Iterator[NDArray[np.intp]]:
    """The rows in groups that leave as much of positions and tried inputs open."""
    key = np.zeros(len(coded), np.int64)
    for name in _POSITIONS:
        key = key * 64 + np.minimum((coded.positions[name].weight > 0).sum(axis=1), 63)
    for name in rules.tried:
        key = key * 8 + _possible(coded, name).sum(axis=1)
    for value in np.unique(key):
        rows = np.flatnonzero(key == value)
        for start in range(0, len(rows), _MOST_ROWS):
            yield rows[start : start + _MOST_ROWS]


def _possible(coded: Coded, name: str) -> NDArray[np.bool_]:
    """Which values of an input are possible for each pitch."""
    size = len(INPUTS[name])
    table = np.vstack([np.eye(size, dtype=np.bool_), np.ones((1, size), np.bool_)])
    if name in coded.several:
        table = np.vstack([table, coded.several[name].weights > 0])
    return np.asarray(table[coded.codes[name]])


class _Batch:
    """Some pitches, with an axis for each position and each tried input after the axis of pitches."""

    def __init__(self, coded: Coded, rules: LookUps, points: Mapping[str, Triple]):
        self._axes = (*_POSITIONS, *rules.tried)
        self._placed: dict[str, Placed] = {}
        self._masks: list[NDArray[np.bool_]] = []
        codes: dict[str, Codes] = {}
        for name in self._axes:
            if name in LEANS:
                possible = coded.positions[name].weight > 0
                most = int(possible.sum(axis=1).max(initial=1))
                self._placed[name] = Placed(coded.positions[name].at[:, :most], coded.positions[name].weight[:, :most])
                choices, possible = lean_codes(self._placed[name].at), possible[:, :most]
            else:
                possible = _possible(coded, name)
                most = int(possible.sum(axis=1).max(initial=1))
                choices = np.argsort(~possible, axis=1, kind="stable")[:, :most].astype(np.int32)
                possible = np.take_along_axis(possible, choices, axis=1)
            codes[name] = self._spread(choices, name)
            self._masks.append(self._spread(possible, name))
        alone = (-1, *(1,) * len(self._axes))
        others = {name: column.reshape(alone) for name, column in coded.codes.items()}
        by_choice = {**others, **codes}
        by_position = {**others, **{name: codes[name] for name in _POSITIONS}}
        self._mean: dict[Side, Floats] = {}
        self._ends: dict[Side, dict[frozenset[int], tuple[Floats, Floats]]] = {side: {} for side in SIDES}
        for consideration in rules.considerations:
            table, weight, side = rules.tables[consideration.id], rules.weights[consideration.id], consideration.side
            scope = frozenset(axis for axis, name in enumerate(self._axes) if name in table.names)
            if scope:
                found = table.find(by_choice, coded.several)
                tried = any(name in table.names for name in rules.tried)
                mean = (table.find(by_position, coded.several) if tried else found).of("mean") * weight
                low, high = found.of("low") * weight, found.of("high") * weight
            else:
                mean, low, high = ((each * weight).reshape(alone) for each in points[consideration.id])
            self._mean[side] = self._mean[side] + mean if side in self._mean else mean
            ends = self._ends[side]
            ends[scope] = (ends[scope][0] + low, ends[scope][1] + high) if scope in ends else (low, high)
        self._shares = {
            side: self._spread(weighted.share(self._placed[weighted.position].at), weighted.position)
            for side, weighted in WEIGHTED_BY.items()
        }

    def _spread(self, columns: NDArray[_Scalar], name: str) -> NDArray[_Scalar]:
        """Columns of an axis, at its place among the axes."""
        shape = [len(columns), *(1,) * len(self._axes)]
        shape[1 + self._axes.index(name)] = columns.shape[1]
        return columns.reshape(shape)

    def score(self, name: str) -> Triple:
        """Expectation, least and greatest of one score."""
        parts = FACTORS[name]
        expected: Floats | float = 0.0
        lows: dict[frozenset[int], Floats] = {}
        highs: dict[frozenset[int], Floats] = {}
        for side, part in parts.items():
            share = None if part is None else self._shares[side] * part
            expected = expected + (self._mean[side] if share is None else self._mean[side] * share)
            for scope, (low, high) in self._ends[side].items():
                if share is not None:
                    scope = scope | {self._axes.index(WEIGHTED_BY[side].position)}
                    low, high = low * share, high * share
                lows[scope] = lows[scope] + low if scope in lows else low
                highs[scope] = highs[scope] + high if scope in highs else high
        return (
            self._expectation(np.asarray(expected)),
            self._extreme(lows, np.inf),
            self._extreme(highs, -np.inf),
        )

    def _expectation(self, total: Floats) -> Floats:
        """The mean over the positions; the other axes are of length 1."""
        for axis, name in enumerate(_POSITIONS, 1):
            if total.shape[axis] > 1:
                weights = self._spread(self._placed[name].weight, name)
                pick = [slice(None)] * total.ndim
                joined: Floats | float = 0.0
                for place in range(total.shape[axis]):
                    pick[axis] = slice(place, place + 1)
                    joined = joined + total[tuple(pick)] * weights[tuple(pick)]
                total = np.asarray(joined)
        return total.reshape(len(total))

    def _extreme(self, terms: Mapping[frozenset[int], Floats], worst: float) -> Floats:
        """The least (`worst` = inf) or greatest sum of the terms, each over the axes in its scope."""
        left = dict(terms)
        reduce = np.minimum.reduce if worst > 0 else np.maximum.reduce
        for axis in _order(frozenset(terms), tuple(len(INPUTS[name]) for name in self._axes)):
            taking = [scope for scope in left if axis in scope]
            joined: Floats | float = 0.0
            for scope in sorted(taking, key=sorted):
                joined = joined + left.pop(scope)
            if self._masks[axis].shape[axis + 1] > 1:
                joined = reduce(np.where(self._masks[axis], joined, worst), axis + 1, keepdims=True)
            rest = frozenset().union(*taking) - {axis}
            left[rest] = left[rest] + joined if rest in left else np.asarray(joined)
        total: Floats | float = 0.0
        for scope in sorted(left, key=sorted):
            total = total + left[scope]
        return np.asarray(total).reshape(-1)


@lru_cache(maxsize=256)
def _order(scopes: frozenset[frozenset[int]], sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The order in which axes are eliminated: the one with the smallest joined table first."""
    left = set(scopes)
    axes = set().union(*scopes)
    order = []
    while axes:
        joined = {axis: frozenset().union(*(scope for scope in left if axis in scope)) for axis in axes}
        axis = min(sorted(axes), key=lambda one: int(np.prod([sizes[other] for other in joined[one]])))
        left = {scope for scope in left if axis not in scope} | {joined[axis] - {axis}}
        axes.remove(axis)
        order.append(axis)
    return tuple(order)
