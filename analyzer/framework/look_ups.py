"""A rulebook as arrays: points and gates by the values of the inputs, ready for any number of pitches.

Intermediate tables are worked into the tables that look at them, so that an input counts once however it gets there.
Each table then has, after the values of an input, a place for "unknown": the mean, least and greatest over all.
Inputs that were read in several ways are worked out from the same table, with the same operations in the same order:
one pitch and a million give the same digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from analyzer.framework.formula import weights_in_sides
from analyzer.framework.rulebook import Consideration, Gate, Rulebook
from analyzer.vocabulary.derived import INPUTS, LEANS

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]
End = Literal["mean", "low", "high"]
Triple = tuple[Floats, Floats, Floats]
"""Expectation, least and greatest."""
ENDS: Final[tuple[End, ...]] = ("mean", "low", "high")
_MOST_CELLS: Final = 4_000_000
"""How many numbers are worked on at once where inputs were read in several ways."""


@dataclass(frozen=True, slots=True)
class Spreads:
    """Inputs read in several ways, a row each: the weights of the values, which sum to 1, and the share of votes that
    name a value."""

    weights: Floats
    said: Floats


class RuleTable:
    """One consideration's points, or whether one gate's condition holds (1 or 0), over the inputs behind it."""

    def __init__(self, names: tuple[str, ...], table: Floats):
        self.names = names
        self.table = table
        self.sizes = table.shape
        lengths = [size + 1 for size in table.shape]
        self.strides = [int(np.prod(lengths[axis + 1 :])) for axis in range(len(lengths))]
        self._flat = {end: self._with_unknown(end).ravel() for end in ENDS}

    def _with_unknown(self, end: End) -> Floats:
        table = self.table
        for axis in range(table.ndim - 1, -1, -1):  # as `_worked_out` does: the same sums in the same order
            last = np.moveaxis(table, axis, -1)
            size = last.shape[-1]
            whole = np.full((1, size), 1 / size)
            unknown = _joined(last[None], whole, end)[0][..., None]
            table = np.moveaxis(np.concatenate([last, unknown], -1), -1, axis)
        return table

    def flat(self, end: End) -> Floats:
        """The table with a place more for unknown on each axis, flat, by `strides`."""
        return self._flat[end]

    def find(self, codes: Mapping[str, Codes], several: Mapping[str, Spreads]) -> Found:
        """The places of some pitches. `codes`: by input, arrays that broadcast together."""
        own = [codes[name] for name in self.names]
        place: Codes | int = 0
        mixed: NDArray[np.bool_] | None = None
        for code, size, stride, name in zip(own, self.sizes, self.strides, self.names, strict=True):
            if name in several:
                beyond = code > size
                if beyond.any():
                    mixed = beyond if mixed is None else mixed | beyond
                    code = np.minimum(code, size)
            place = place + (code * np.int32(stride) if stride > 1 else code)
        where = np.asarray(place)
        if mixed is None:
            return Found(self, where)
        rows = np.nonzero(np.broadcast_to(mixed, where.shape))
        key = np.zeros(len(rows[0]), np.int64)
        columns = [np.broadcast_to(code, where.shape)[rows] for code in own]
        for column, size, name in zip(columns, self.sizes, self.names, strict=True):
            key = key * (size + 1 + (len(several[name].weights) if name in several else 0)) + column
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        spreads = [
            _spreads(column[first], size, several.get(name))
            for column, size, name in zip(columns, self.sizes, self.names, strict=True)
        ]
        return Found(self, where, rows, spreads, inverse)

    def worked_out(self, spreads: Sequence[Floats], end: End) -> Floats:
        """The mean, least or greatest for each row of weights; `spreads` holds those of each input."""
        results = []
        at_once = max(1, _MOST_CELLS // self.table.size)
        for start in range(0, len(spreads[0]), at_once):
            part: Floats = self.table[None]
            for weights in reversed(spreads):
                part = _joined(part, weights[start : start + at_once], end)
            results.append(part)
        return np.concatenate(results)


@dataclass(frozen=True, slots=True)
class Found:
    """Where the values of some pitches are in a table; what is read in several ways is worked out."""

    table: RuleTable
    place: Codes
    rows: tuple[NDArray[np.intp], ...] | None = None
    spreads: Sequence[Floats] = ()
    inverse: NDArray[np.intp] | None = None

    def of(self, end: End) -> Floats:
        """The expected, least or greatest values."""
        values = self.table.flat(end)[self.place]
        if self.rows is not None:
            values[self.rows] = self.table.worked_out(self.spreads, end)[self.inverse]
        return values


def _joined(table: Floats, weights: Floats, end: End) -> Floats:
    """The last axis joined by each row of weights (rows are the first axis): the mean, or the extreme of what has any.

    The sum goes value by value, so that a row's result depends on nothing but the row.
    """
    shape = (len(weights), *(1,) * (table.ndim - 2))
    if end == "mean":
        total: Floats | float = 0.0
        for value in range(table.shape[-1]):
            total = total + table[..., value] * weights[:, value].reshape(shape)
        return np.asarray(total)
    possible = (weights > 0).reshape((*shape, weights.shape[1]))
    if end == "low":
        return np.asarray(np.where(possible, table, np.inf).min(-1))
    return np.asarray(np.where(possible, table, -np.inf).max(-1))


def _spreads(codes: Codes, size: int, several: Spreads | None) -> Floats:
    """The weights that codes mean."""
    plain = np.vstack([np.eye(size), np.full((1, size), 1 / size)])
    return (plain if several is None else np.vstack([plain, several.weights]))[codes]


class LookUps:
    """A rulebook as tables of look-ups, and the inputs that have to be tried value by value.

    For most inputs that several considerations share, all of them agree which of two values is worse, so each may take
    its worst by itself. `tried` are the others: the extremes of a sum then need them tried one by one.
    """

    def __init__(self, rulebook: Rulebook):
        self.rulebook = rulebook
        self.considerations = rulebook.considerations
        self.names = rulebook.used_inputs
        self.tables = {c.id: _points(rulebook, c) for c in rulebook.considerations}
        self.gates = {gate.id: _condition(rulebook, gate) for gate in rulebook.gates}
        self.weights = weights_in_sides(rulebook)
        self._all = {**self.tables, **self.gates}
        self._strides = np.array(
            [
                [table.strides[table.names.index(name)] if name in table.names else 0 for table in self._all.values()]
                for name in self.names
            ],
            np.float64,
        )
        self._behind = (self._strides > 0).astype(np.float64)
        flat = {end: [table.flat(end) for table in self._all.values()] for end in ENDS}
        self._first = np.cumsum([0, *(len(part) for part in flat["mean"][:-1])]).astype(np.float64)
        self._flat = {end: np.concatenate(parts) for end, parts in flat.items()}
        self.tried = tuple(
            name for name in self.names if name not in LEANS and not _agreed(name, list(self.tables.values()))
        )

    def find_all(self, codes: Mapping[str, Codes], several: Mapping[str, Spreads]) -> dict[str, Triple]:
        """Expected, least and greatest points of every consideration, and whether each gate holds, by id.

        All in one multiplication: places are whole numbers, which floats add up exactly.
        """
        columns = np.array([np.minimum(codes[name], len(INPUTS[name])) for name in self.names], np.float64).T
        places = (columns @ self._strides + self._first).T.astype(np.intp)
        mean, low, high = (self._flat[end][places] for end in ENDS)
        found = {name: (mean[row], low[row], high[row]) for row, name in enumerate(self._all)}
        for name, table in self._all.items():
            if any(other in several for other in table.names):
                at = table.find(codes, several)
                found[name] = at.of("mean"), at.of("low"), at.of("high")
        return found

    def known_inputs(self, codes: Mapping[str, Codes], several: Mapping[str, Spreads]) -> dict[str, Floats]:
        """How many of the inputs behind each consideration are known; of one that was read in several ways, the share
        of its votes that name a value."""
        columns = np.array([codes[name] < len(INPUTS[name]) for name in self.names], np.float64).T
        counts = columns @ self._behind
        found = {name: counts[:, column] for column, name in enumerate(self.tables)}
        for other, read in several.items():
            table = np.concatenate([np.zeros(len(INPUTS[other]) + 1), read.said])
            for name in found:
                if other in self.tables[name].names:
                    found[name] = found[name] + table[codes[other]]
        return found


@lru_cache(maxsize=16)
def look_ups(rulebook: Rulebook) -> LookUps:
    """The rulebook's look-ups, built once."""
    return LookUps(rulebook)


def _points(rulebook: Rulebook, consideration: Consideration) -> RuleTable:
    shape = [len(rulebook.values[name]) for name in consideration.inputs]
    points = np.empty(shape)
    for key, row in consideration.deciding.items():
        points[_indices(rulebook, consideration.inputs, key)] = row.points
    return _over_inputs(rulebook, consideration.inputs, points)


def _condition(rulebook: Rulebook, gate: Gate) -> RuleTable:
    holds = np.ones([len(rulebook.values[name]) for name in gate.inputs])
    for axis, (name, values) in enumerate(gate.when.items()):
        allowed = np.array([value in values for value in rulebook.values[name]], np.float64)
        holds = holds * allowed.reshape([-1 if other == axis else 1 for other in range(len(gate.when))])
    return _over_inputs(rulebook, gate.inputs, holds)


def _over_inputs(rulebook: Rulebook, inputs: Sequence[str], table: Floats) -> RuleTable:
    """The table over the inputs behind its own, each intermediate table replaced by what decides it."""
    names = rulebook.inputs_behind(inputs)
    at = {name: np.arange(len(INPUTS[name])).reshape([-1 if n == name else 1 for n in names]) for name in names}

    def indices(name: str) -> NDArray[np.intp]:
        if name not in rulebook.tables:
            return at[name]
        feeding = rulebook.tables[name]
        values = np.empty([len(rulebook.values[other]) for other in feeding.inputs], np.intp)
        for key, row in feeding.deciding.items():
            values[_indices(rulebook, feeding.inputs, key)] = feeding.values.index(row.value)
        return np.asarray(values[tuple(indices(other) for other in feeding.inputs)])

    whole = table[tuple(indices(name) for name in inputs)]
    return RuleTable(names, np.ascontiguousarray(np.broadcast_to(whole, [len(INPUTS[name]) for name in names])))


def _indices(rulebook: Rulebook, inputs: Sequence[str], key: Sequence[str]) -> tuple[int, ...]:
    return tuple(rulebook.values[name].index(value) for name, value in zip(inputs, key, strict=True))


def _agreed(name: str, tables: Sequence[RuleTable]) -> bool:
    """Whether all tables that look at an input agree, for any two of its values, on one that is nowhere better."""
    looking = [np.moveaxis(t.table, t.names.index(name), 0) for t in tables if name in t.names]
    if len(looking) < 2:
        return True
    return all(
        any(all((table[low] <= table[high]).all() for table in looking) for low, high in ((one, other), (other, one)))
        for one in range(len(INPUTS[name]))
        for other in range(one)
    )
