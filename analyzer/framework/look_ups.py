"""A rulebook as arrays: points, gates and sums of points by the values of the inputs, ready for any number of pitches.

Intermediate tables are worked into the tables that look at them, so that an input counts once however it gets there.
The considerations of a side are added up beforehand, into as few tables as fit (`Part`). Each table then has, after the
values of an input, a place for "unknown". What is read in several ways is a mixture of a table's places, worked out by
the same operations in the same order: one pitch and a million give the same digits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analyzer.framework.formula import weights_in_sides
from analyzer.framework.rounding import rounded
from analyzer.framework.rulebook import SIDES, Consideration, Gate, Rulebook, Side
from analyzer.vocabulary.derived import INPUTS, LEANS

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]
Triple = Floats
"""Expectation, least and greatest: three rows."""
MEAN, LOW, HIGH = range(3)
MOST_CELLS: Final = 400_000
"""How many places the table of a part may have: what a processor's cache holds, and fills in milliseconds."""
_AT_ONCE: Final = 1_000_000
"""How many places are mixed at once where inputs were read in several ways."""
_FEW: Final = 512
"""Up to so many pitches are looked up in all tables by one multiplication, more of them table by table."""


class Spreads:
    """Inputs read in several ways, a row each: the weights of the values, which sum to 1, and the share of votes that
    name a value."""

    def __init__(self, weights: Floats, said: Floats):
        self.weights = weights
        self.said = said
        size = weights.shape[1]
        possible = weights > 0
        self.counts = np.concatenate([np.ones(size + 1, np.intp), possible.sum(axis=1)])
        """How many values each code may mean: one for those of the vocabulary and for unknown."""
        self.first = np.cumsum(self.counts) - self.counts
        rows, values = np.nonzero(possible)
        self.values = np.concatenate([np.arange(size + 1), values])
        self.chances = np.concatenate([np.ones(size + 1), weights[rows, values]])


class RuleTable:
    """Numbers over the inputs behind a rule: the points of a consideration or of several, or whether a gate holds (1
    or 0).

    `cells`: expectation, least and, with its sign turned, greatest of each place, so that both ends are minima.
    """

    def __init__(self, names: tuple[str, ...], table: Floats):
        self.names = names
        self.table = table
        self.sizes = table.shape
        lengths = [size + 1 for size in table.shape]
        self.strides = [math.prod(lengths[axis + 1 :]) for axis in range(len(lengths))]
        cells = np.stack([table, table, -table])
        for axis in range(table.ndim, 0, -1):
            last = np.moveaxis(cells, axis, -1)
            mean: Floats | float = 0.0
            for value in range(last.shape[-1]):
                mean = mean + last[MEAN, ..., value] * (1 / last.shape[-1])
            unknown = np.concatenate([np.asarray(mean)[None], last[LOW:].min(-1)])
            cells = np.moveaxis(np.concatenate([last, unknown[..., None]], -1), -1, axis)
        self.cells = np.ascontiguousarray(cells).reshape(3, -1)

    def places(self, codes: Mapping[str, Codes], several: Mapping[str, Spreads]) -> NDArray[np.intp]:
        """Where some pitches are in the cells; what is read in several ways counts as unknown. `codes`: by input, arrays
        that broadcast together."""
        place: NDArray[np.int32] | int = 0
        for name, size, stride in zip(self.names, self.sizes, self.strides, strict=True):
            code = np.minimum(codes[name], np.int32(size)) if name in several else codes[name]
            place = place + (code * np.int32(stride) if stride > 1 else code)
        return np.asarray(place, np.intp)

    def find(self, codes: Mapping[str, Codes], several: Mapping[str, Spreads]) -> Floats:
        """The cells of some pitches."""
        found = np.take(self.cells, self.places(codes, several), axis=1, mode="clip")
        self.mix(found, codes, several)
        return found

    def mix(
        self, found: Floats, codes: Mapping[str, Codes], several: Mapping[str, Spreads], shown: bool = False
    ) -> None:
        """Put right in `found` the pitches of which an input was read in several ways; `shown`: rounded."""
        mixed: NDArray[np.bool_] | None = None
        for name, size in zip(self.names, self.sizes, strict=True):
            if name in several:
                beyond = codes[name] > size
                mixed = beyond if mixed is None else mixed | beyond
        if mixed is None or not mixed.any():
            return
        shape = found.shape[1:]
        rows = np.nonzero(np.broadcast_to(mixed, shape))
        cells = self._mixtures([np.broadcast_to(codes[name], shape)[rows] for name in self.names], several)
        found[(slice(None), *rows)] = _shown(cells) if shown else cells

    def _mixtures(self, columns: Sequence[Codes], several: Mapping[str, Spreads]) -> Floats:
        """The cells of pitches with inputs read in several ways, in runs that are not too long."""
        worlds = np.ones(len(columns[0]), np.int64)
        for name, column in zip(self.names, columns, strict=True):
            if name in several:
                worlds = worlds * several[name].counts[column]
        run = np.cumsum(worlds) // _AT_ONCE
        ends = [*np.flatnonzero(np.diff(run)) + 1, len(run)]
        parts = []
        for start, end in zip([0, *ends], ends, strict=False):
            parts.append(self._mixed([column[start:end] for column in columns], several))
        return np.concatenate(parts, axis=1)

    def _mixed(self, columns: Sequence[Codes], several: Mapping[str, Spreads]) -> Floats:
        """Each pitch spelled out into the places that its inputs may have, weighed, and joined again."""
        pitch = np.arange(len(columns[0]))
        place = np.zeros(len(pitch), np.intp)
        weight = np.ones(len(pitch))
        for name, column, stride in zip(self.names, columns, self.strides, strict=True):
            codes = column[pitch]
            if name not in several:
                place = place + codes * stride
                continue
            spread = several[name]
            counts = spread.counts[codes]
            world = np.repeat(np.arange(len(pitch)), counts)
            nth = np.arange(len(world)) - (np.cumsum(counts) - counts)[world]
            choice = spread.first[codes][world] + nth
            pitch = pitch[world]
            place = place[world] + spread.values[choice] * stride
            weight = weight[world] * spread.chances[choice]
        starts = np.flatnonzero(np.diff(pitch, prepend=-1))
        cells = np.take(self.cells, place, axis=1)
        mean = np.add.reduceat(cells[MEAN] * weight, starts)
        return np.concatenate([mean[None], np.minimum.reduceat(cells[LOW:], starts, axis=1)])


def _shown(cells: Floats) -> Triple:
    """Expectation, least and greatest, rounded as they are printed."""
    return rounded(np.stack([cells[MEAN], cells[LOW], -cells[HIGH]]))


@dataclass(frozen=True, slots=True)
class Part:
    """Considerations of one side, added up by their weights within it."""

    side: Side
    considerations: tuple[str, ...]
    table: RuleTable


class LookUps:
    """A rulebook as tables of look-ups, and the inputs that have to be tried value by value.

    Within a part all inputs have been tried. For most inputs that several parts share, all of them agree which of two
    values is worse, so each may take its worst by itself. `tried` are the others: the extremes of a sum then need them
    tried one by one.
    """

    def __init__(self, rulebook: Rulebook, most_cells: int = MOST_CELLS):
        self.rulebook = rulebook
        self.considerations = rulebook.considerations
        self.names = rulebook.used_inputs
        self.tables = {c.id: _points(rulebook, c) for c in rulebook.considerations}
        self.gates = {gate.id: _condition(rulebook, gate) for gate in rulebook.gates}
        self.weights = weights_in_sides(rulebook)
        self.parts = tuple(part for side in SIDES for part in _parts(self, side, most_cells))
        self.tried = _contested([part.table for part in self.parts])
        self.known_weights = _known_weights(self)
        rules = (*self.tables.values(), *self.gates.values())
        self._all = (*rules, *(part.table for part in self.parts))
        self._cells = [*(_shown(table.cells) for table in rules), *(part.table.cells for part in self.parts)]
        self._joint = np.concatenate(self._cells, axis=1)
        self._first = np.cumsum([0, *(cells.shape[1] for cells in self._cells[:-1])])[:, None]
        self._sizes = np.array([[len(INPUTS[name])] for name in self.names])
        strides = [dict(zip(table.names, table.strides, strict=True)) for table in self._all]
        self._strides = np.array([[each.get(name, 0) for name in self.names] for each in strides], np.float64)

    def find_all(
        self, codes: Mapping[str, Codes], several: Mapping[str, Spreads]
    ) -> tuple[dict[str, Triple], dict[str, NDArray[np.int8]], list[Floats]]:
        """Expected, least and greatest points of every consideration, by id, rounded as they are printed; in how many
        of its ends (least, greatest) each gate holds; and the cells of every part."""
        if len(codes[self.names[0]]) <= _FEW:
            # Places are whole numbers, which floats add up exactly.
            columns = np.minimum(np.array([codes[name] for name in self.names]), self._sizes)
            places = (self._strides @ columns).astype(np.intp) + self._first
            found = list(np.take(self._joint, places, axis=1).swapaxes(0, 1))
        else:
            found = [
                np.take(cells, table.places(codes, several), axis=1, mode="clip")
                for table, cells in zip(self._all, self._cells, strict=True)
            ]
        rules, points = len(self.tables) + len(self.gates), len(self.tables)
        for number, table in enumerate(self._all if several else ()):
            table.mix(found[number], codes, several, shown=number < rules)
        gates = {gate: (one[LOW] + one[HIGH]).astype(np.int8) for gate, one in zip(self.gates, found[points:], strict=False)}
        return dict(zip(self.tables, found, strict=False)), gates, found[rules:]


@lru_cache(maxsize=16)
def look_ups(rulebook: Rulebook) -> LookUps:
    """The rulebook's look-ups, built once."""
    return LookUps(rulebook)


def _parts(rules: LookUps, side: Side, most_cells: int) -> list[Part]:
    """The considerations of a side in groups whose joint tables are small enough: each goes where most of what it
    disagrees on with others is, and then where the table grows least."""
    contested = set(_contested(list(rules.tables.values())))
    groups: list[tuple[list[str], dict[str, None]]] = []
    for consideration in rules.rulebook.of_side(side):
        own = rules.tables[consideration.id].names
        fitting = [group for group in groups if _cells({**group[1], **dict.fromkeys(own)}) <= most_cells]
        if not fitting:
            groups.append(([consideration.id], dict.fromkeys(own)))
            continue
        ids, names = min(
            fitting,
            key=lambda group: (-len(contested & set(own) & set(group[1])), _cells({**group[1], **dict.fromkeys(own)})),
        )
        ids.append(consideration.id)
        names.update(dict.fromkeys(own))
    return [Part(side, tuple(ids), _summed(rules, ids, tuple(names))) for ids, names in groups]


def _cells(names: Mapping[str, None]) -> int:
    return math.prod(len(INPUTS[name]) + 1 for name in names)


def _summed(rules: LookUps, ids: Sequence[str], names: tuple[str, ...]) -> RuleTable:
    """Some considerations times their weights, over the inputs of all."""
    total = np.zeros([len(INPUTS[name]) for name in names])
    for id in ids:
        table = rules.tables[id]
        order = sorted(range(len(table.names)), key=lambda axis: names.index(table.names[axis]))
        shape = [len(INPUTS[name]) if name in table.names else 1 for name in names]
        total = total + table.table.transpose(order).reshape(shape) * rules.weights[id]
    return RuleTable(names, total)


def _known_weights(rules: LookUps) -> Mapping[Side, Mapping[str, float]]:
    """The part of a side's weight that rests on each input: the inputs of a consideration share its weight alike."""
    found: dict[Side, dict[str, float]] = {side: {} for side in SIDES}
    for consideration in rules.considerations:
        names, own = rules.tables[consideration.id].names, found[consideration.side]
        for name in names:
            own[name] = own.get(name, 0.0) + rules.weights[consideration.id] / len(names)
    return found


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


def _contested(tables: Sequence[RuleTable]) -> tuple[str, ...]:
    """The inputs, but for the positions, of which some two values are each worse than the other in some table."""
    names = [name for name in INPUTS if name not in LEANS and sum(name in table.names for table in tables) > 1]
    return tuple(name for name in names if not _agreed(name, tables))


def _agreed(name: str, tables: Sequence[RuleTable]) -> bool:
    """Whether all tables that look at an input agree, for any two of its values, on one that is nowhere better."""
    looking = [np.moveaxis(t.table, t.names.index(name), 0) for t in tables if name in t.names]
    return all(
        any(all((table[low] <= table[high]).all() for table in looking) for low, high in ((one, other), (other, one)))
        for one in range(len(INPUTS[name]))
        for other in range(one)
    )
