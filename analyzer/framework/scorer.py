"""The one scorer: expectation and exact range of every score, for one pitch or a million, as look-ups in arrays.

A score is a sum of sides, each a table over its inputs (`look_ups.Part`) times the part of the score that it carries,
which depends on the product's position. Positions, and inputs on whose worst value several tables disagree, are axes;
they are eliminated one after the other, each from the terms that share it, so the work grows with the tables and not
with the number of worlds. Nothing is sampled, and a row's result does not depend on the other rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import add
from typing import Any, Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from analyzer.framework.formula import PER_CASE, SCORES, SUMS, WEIGHTED_BY, At
from analyzer.framework.inputs import UNPLACED, Facts
from analyzer.framework.look_ups import HIGH, LOW, MEAN, Codes, Floats, LookUps, Spreads, Triple
from analyzer.framework.rounding import rounded
from analyzer.framework.rulebook import SIDES, Side
from analyzer.vocabulary.derived import INPUTS, LEANS

_Scalar = TypeVar("_Scalar", bound=np.generic)
_TOGETHER: Final = 512
"""Up to so many rows are scored in one go, whatever they leave open; more are first sorted by it."""
_MOST_ROWS: Final = 8_192
"""So many rows of all columns fit into a processor's cache."""
_MOST_TOLD_APART: Final = 63
"""Rows with more places of a position than so many count as alike."""
_FEW_KEYS: Final = 2**16
_THIRD: Final = 1e-9
STATES: Final[tuple[Literal["clear", "open", "holds"], ...]] = ("clear", "open", "holds")
"""The states of a gate, by their number."""
_POSITIONS: Final = tuple(LEANS)
CODES: Final[Mapping[str, Mapping[str | None, int]]] = {
    name: {**{value: number for number, value in enumerate(values)}, None: len(values)}
    for name, values in INPUTS.items()
}
"""The code of each value of each input, and of unknown."""
Rows = slice | NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where some products may be on one position: places (0 to 1) and their weights, a row for each product.

    A row's weights sum to 1; places that a row does not have weigh nothing and come last.
    """

    at: Floats
    weight: Floats

    def take(self, rows: Rows) -> Placed:
        if isinstance(rows, slice):
            return Placed(self.at[rows], self.weight[rows])
        return Placed(*(columns.T.take(rows, axis=1, mode="clip").T for columns in (self.at, self.weight)))


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
            index = CODES[name]
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

    def take(self, rows: Rows, names: Iterable[str] | None = None) -> Coded:
        """These rows, in this order; with the codes of these inputs only, if `names` says which."""
        codes = {name: self.codes[name][rows] for name in (self.codes if names is None else names)}
        positions = {name: placed.take(rows) for name, placed in self.positions.items()}
        return Coded(codes, self.several, positions, self.in_scope[rows])

    def narrow(self, row: int) -> Coded:
        """The same without the places of positions that this row, and every row like it, does not have."""
        positions = {}
        for name, placed in self.positions.items():
            most = max(1, int(np.count_nonzero(placed.weight[row])))
            few = most < _MOST_TOLD_APART
            positions[name] = Placed(placed.at[:, :most], placed.weight[:, :most]) if few else placed
        return Coded(self.codes, self.several, positions, self.in_scope)


def placed_at(at: Floats) -> Placed:
    """Known positions, and nan for unknown ones."""
    unknown = np.isnan(at)
    if not unknown.any():
        return Placed(at[:, None], np.ones((len(at), 1)))
    places, weight = np.empty((len(UNPLACED), len(at))), np.empty((len(UNPLACED), len(at)))
    for column, (place, share) in enumerate(UNPLACED):
        if column:
            np.multiply(unknown, float(place), out=places[column])
            np.multiply(unknown, share, out=weight[column])
        else:
            places[0], weight[0] = np.where(unknown, float(place), at), np.where(unknown, share, 1.0)
    return Placed(places.T, weight.T)


def lean_codes(at: Floats) -> Codes:
    """As `inputs.lean`, for positions that went through a float: a third is mixed."""
    return (at >= 1 / 3 - _THIRD).astype(np.int32) + (at > 2 / 3 + _THIRD)


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
    """What comes of some pitches. `scores`, by name, are not rounded; `points`, by consideration, are rounded as they
    are printed; `gates` holds the state of each gate as its place in `STATES`. `places`: where each pitch is in the
    cells of each part, of many pitches with nothing read in several ways."""

    scores: dict[str, Triple]
    points: dict[str, Triple]
    gates: dict[str, NDArray[np.int8]]
    places: NDArray[np.int32] | None = None


def scored(
    coded: Coded,
    rules: LookUps,
    names: Sequence[str] = SCORES,
    shown: bool = False,
    empty: Callable[[tuple[int, ...], type[np.generic]], NDArray[Any]] = np.empty,
) -> Scored:
    """The scores, points and gates of every pitch, in scope or not. `shown`: scores are rounded too, while they are in
    the processor's cache. `empty` makes the arrays of many results."""
    if len(coded) <= _TOGETHER:
        points, gates, cells = rules.find_all(coded.codes, coded.several)
        scores = _Batch(coded, rules, cells).scores(names)
        return Scored({name: rounded(each) for name, each in scores.items()} if shown else scores, points, gates)
    found = Scored(
        {name: empty((3, len(coded)), np.float64) for name in names},
        {name: empty((3, len(coded)), np.float64) for name in rules.tables},
        {name: empty((len(coded),), np.int8) for name in rules.gates},
        None if coded.several else np.empty((len(rules.parts), len(coded)), np.int32),
    )
    for chunk in _chunks(len(coded)):
        own = {name: column[chunk] for name, column in coded.codes.items()}
        points = {name: triple[:, chunk] for name, triple in found.points.items()}
        rules.fill(own, coded.several, points, {name: states[chunk] for name, states in found.gates.items()})
        if found.places is not None:
            scores = {name: triple[:, chunk] for name, triple in found.scores.items()}
            rules.fill_sides(own, scores, found.places[:, chunk], shown)
    left = [name for name in names if coded.several or name not in rules.alone]
    for alike in _alike(coded, rules) if left else ():
        narrow = coded.narrow(alike[0])
        inputs = None if coded.several else _inputs_of_open(narrow, rules)
        for chunk in _chunks(len(alike)):
            rows = alike[chunk]
            part = narrow.take(rows, inputs)
            if found.places is None:
                cells = [each.table.find(part.codes, part.several) for each in rules.parts]
            else:
                cells = [each.table.cells_at(at[rows]) for each, at in zip(rules.parts, found.places, strict=True)]
            for name, triple in _Batch(part, rules, cells).scores(left).items():
                for target, values in zip(found.scores[name], rounded(triple) if shown else triple, strict=True):
                    target[rows] = values
    return found


def _inputs_of_open(coded: Coded, rules: LookUps) -> list[str]:
    """The inputs by whose values parts are looked up once more: those of parts with an axis that has several places."""
    spread = {*rules.tried, *(name for name, placed in coded.positions.items() if placed.at.shape[1] > 1)}
    tables = [part.table.names for part in rules.parts if not spread.isdisjoint(part.table.names)]
    return list(dict.fromkeys([*rules.tried, *(name for names in tables for name in names)]))


def _chunks(rows: int) -> Iterator[slice]:
    """Runs of rows that fit into a processor's cache."""
    for start in range(0, rows, _MOST_ROWS):
        yield slice(start, min(start + _MOST_ROWS, rows))


def gate_states(coded: Coded, rules: LookUps) -> dict[str, NDArray[np.int8]]:
    """The state of each gate, as its place in `STATES`."""
    return rules.find_all(coded.codes, coded.several)[1]


def side_shares(coded: Coded) -> dict[Side, Floats]:
    """The part of the overall score's weight that each side carries; those of a pitch sum to 1."""
    found: dict[Side, Floats] = {}
    for side in SIDES:
        weighted = WEIGHTED_BY[side]
        placed = coded.positions[weighted.position]
        found[side] = _summed(weighted.share(placed.at) * placed.weight) * PER_CASE
    return found


def said(coded: Coded, rules: LookUps, places: NDArray[np.int32] | None = None) -> Floats:
    """The share of the overall score's weight that rests on what the pitch says, 0 to 1 (docs/scoring.md, "What is not
    said"): of an input that was read in several ways, the share of its votes that name a value. `places` as `scored`
    found them, which saves looking."""
    if places is not None and len(rules.known_cells) == len(rules.parts):
        found = np.empty(len(coded))
        for chunk in _chunks(len(coded)):
            shares = side_shares(coded.take(chunk, ()))
            parts = zip(rules.parts, rules.known_cells, places, strict=True)
            found[chunk] = reduce(add, [shares[part.side] * cells.take(at[chunk]) for part, cells, at in parts])
        return found
    if len(coded) > _MOST_ROWS:
        starts = range(0, len(coded), _MOST_ROWS)
        return np.concatenate([said(coded.take(slice(start, start + _MOST_ROWS)), rules) for start in starts])
    known: dict[str, Floats] = {}
    for name in rules.names:
        codes, size = coded.codes[name], len(INPUTS[name])
        known[name] = (codes < size).astype(np.float64)
        if name in coded.several:
            known[name] += np.concatenate([np.zeros(size + 1), coded.several[name].said])[codes]
    return said_of(known, side_shares(coded), rules)


def said_of(known: Mapping[str, At], shares: Mapping[Side, At], rules: LookUps) -> At:
    """The same from how far each input is known, 0 to 1, and the shares of the sides."""
    parts = []
    for side, share in shares.items():
        own = [known[name] * weight for name, weight in rules.known_weights[side].items()]
        parts.append(share * reduce(add, own))
    return reduce(add, parts)


def _summed(columns: Floats) -> Floats:
    """The sum of each row, column by column, so that columns of nothing change no digit."""
    total = columns[:, 0]
    for column in range(1, columns.shape[1]):
        total = total + columns[:, column]
    return total


# ---------------------------------------------------------------- batches


def _alike(coded: Coded, rules: LookUps) -> list[NDArray[np.intp]]:
    """The rows in groups that leave as much of positions and tried inputs open."""
    key = np.zeros(len(coded), np.int64)
    for name in _POSITIONS:
        places = _count(coded.positions[name].weight > 0)
        key = key * (_MOST_TOLD_APART + 1) + np.minimum(places, _MOST_TOLD_APART)
    for name in rules.tried:
        key = key * 8 + _count(_possible(coded, name))
    found, numbers = np.unique(key, return_inverse=True) if key.max(initial=0) >= _FEW_KEYS else (None, key)
    # numpy sorts numbers of 16 bits by counting them
    order = np.argsort(numbers.astype(np.uint16) if found is None else numbers, kind="stable")
    ends = np.cumsum(np.bincount(numbers))
    return [rows for rows in np.split(order, ends[:-1]) if len(rows)]


def _count(marks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many of the few columns are true in each row."""
    total = np.zeros(len(marks), np.int64)
    for column in marks.T:
        total += column
    return total


def _possible(coded: Coded, name: str) -> NDArray[np.bool_]:
    """Which values of an input are possible for each pitch."""
    size = len(INPUTS[name])
    table = np.vstack([np.eye(size, dtype=np.bool_), np.ones((1, size), np.bool_)])
    if name in coded.several:
        table = np.vstack([table, coded.several[name].weights > 0])
    return np.asarray(table[coded.codes[name]])


@dataclass(frozen=True, slots=True)
class _Term:
    """A part of a score: its expectation, and its two ends over the axes in `scope`."""

    side: Side
    scope: frozenset[int]
    mean: Floats
    ends: Floats


class _Batch:
    """Some pitches, with an axis for each position and each tried input; the pitches are the last axis."""

    def __init__(self, coded: Coded, rules: LookUps, cells: Sequence[Floats]):
        self._parts = rules.parts
        self._cells = cells
        self._axes = (*_POSITIONS, *rules.tried)
        self._placed: dict[str, Placed] = {}
        self._masks: list[NDArray[np.bool_] | None] = []
        self._length: list[int] = []
        self._choices: dict[str, Codes] = {}
        for name in self._axes:
            if name in LEANS:
                placed = coded.positions[name]
                possible = placed.weight > 0
                most = int(_count(possible).max(initial=1))
                self._placed[name] = Placed(placed.at[:, :most], placed.weight[:, :most])
                possible = possible[:, :most]
            else:
                possible = _possible(coded, name)
                most = int(_count(possible).max(initial=1))
                choices = np.argsort(~possible, axis=1, kind="stable")[:, :most].astype(np.int32)
                possible = np.take_along_axis(possible, choices, axis=1)
                self._choices[name] = self._spread(choices, name)
            self._masks.append(None if possible.all() else self._spread(possible, name))
            self._length.append(most)
        self._terms = [self._term(number, coded) for number in range(len(self._parts))]
        self._shared = [self._by_share(term) for term in self._terms]

    def _codes(self, name: str) -> Codes:
        """The codes along an axis."""
        if name not in self._choices:
            self._choices[name] = self._spread(lean_codes(self._placed[name].at), name)
        return self._choices[name]

    def _term(self, number: int, coded: Coded) -> _Term:
        part = self._parts[number]
        names = part.table.names
        scope = frozenset(axis for axis, name in enumerate(self._axes) if name in names and self._length[axis] > 1)
        alone = (*(1,) * len(self._axes), -1)
        if not scope:  # where a product has one place, it has the lean that its code names
            cells = self._cells[number].reshape((3, *alone))
            return _Term(part.side, scope, cells[MEAN], cells[LOW:])
        codes = {name: self._codes(name) if name in self._axes else coded.codes[name].reshape(alone) for name in names}
        cells = part.table.find(codes, coded.several)
        tried = [name for name in names if name in self._axes and name not in LEANS]
        if not tried:
            return _Term(part.side, scope, cells[MEAN], cells[LOW:])
        untried = {name: coded.codes[name].reshape(alone) for name in tried}
        return _Term(part.side, scope, part.table.find({**codes, **untried}, coded.several)[MEAN], cells[LOW:])

    def _by_share(self, term: _Term) -> _Term:
        """A term times its side's share, which depends on a position."""
        weighted = WEIGHTED_BY[term.side]
        share = self._spread(weighted.share(self._placed[weighted.position].at), weighted.position)
        scope = term.scope | {self._axes.index(weighted.position)}
        return _Term(term.side, scope, term.mean * share, term.ends * share)

    def _spread(self, columns: NDArray[_Scalar], name: str) -> NDArray[_Scalar]:
        """Columns of an axis, at its place among the axes."""
        shape = [*(1,) * len(self._axes), len(columns)]
        shape[self._axes.index(name)] = columns.shape[1]
        return np.ascontiguousarray(columns.T).reshape(shape)

    def scores(self, names: Sequence[str]) -> dict[str, Triple]:
        """Expectation, least and greatest of some scores."""
        found = {}
        for name in names:
            if name in SUMS:
                sides, factor = SUMS[name]
                found[name] = self._joined([term for term in self._shared if term.side in sides])
                if factor != 1:
                    found[name] *= factor
            else:
                found[name] = self._side(name)
        return found

    def _side(self, side: str) -> Triple:
        """The score of a side by itself."""
        own = [number for number, part in enumerate(self._parts) if part.side == side]
        if len(own) > 1:
            return self._joined([self._terms[number] for number in own])
        cells = self._cells[own[0]]
        return np.stack([cells[MEAN], cells[LOW], -cells[HIGH]])

    def _joined(self, terms: Sequence[_Term]) -> Triple:
        """The sum of some terms over all axes: expectation, least and greatest."""
        by_scope: dict[frozenset[int], Floats] = {}
        for term in terms:
            by_scope[term.scope] = by_scope[term.scope] + term.ends if term.scope in by_scope else term.ends
        low, high = self._least(by_scope)
        mean = reduce(add, [term.mean for term in terms])
        found = np.empty((3, len(low)))
        found[MEAN], found[LOW] = self._expectation(mean), low
        np.negative(high, out=found[HIGH])
        return found

    def _expectation(self, total: Floats) -> Floats:
        """The mean over the positions; the other axes are of length 1."""
        for axis, name in enumerate(_POSITIONS):
            if total.shape[axis] > 1:
                weighed = total * self._spread(self._placed[name].weight, name)
                along = np.moveaxis(weighed, axis, 0)
                total = np.expand_dims(reduce(add, list(along)), axis)
        return total.reshape(-1)

    def _least(self, terms: Mapping[frozenset[int], Floats]) -> Floats:
        """The least sum of the terms, each over the axes in its scope."""
        left = dict(terms)
        for axis in _order(frozenset(terms), tuple(len(INPUTS[name]) for name in self._axes)):
            taking = [scope for scope in left if axis in scope]
            joined = reduce(add, [left.pop(scope) for scope in sorted(taking, key=sorted)])
            if self._length[axis] > 1:
                mask = self._masks[axis]
                possible = joined if mask is None else np.where(mask, joined, np.inf)
                joined = np.minimum.reduce(possible, axis + 1, keepdims=True)
            rest = frozenset().union(*taking) - {axis}
            left[rest] = left[rest] + joined if rest in left else joined
        return reduce(add, [left[scope] for scope in sorted(left, key=sorted)]).reshape(2, -1)


@lru_cache(maxsize=256)
def _order(scopes: frozenset[frozenset[int]], sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The order in which axes are eliminated: the one with the smallest joined table first."""
    left = set(scopes)
    axes = set().union(*scopes)
    order = []
    while axes:
        joined = {axis: frozenset().union(*(scope for scope in left if axis in scope)) for axis in axes}
        axis = min(sorted(axes), key=lambda one: math.prod(sizes[other] for other in joined[one]))
        left = {scope for scope in left if axis not in scope} | {joined[axis] - {axis}}
        axes.remove(axis)
        order.append(axis)
    return tuple(order)
