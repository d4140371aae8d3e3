"""A rulebook as arrays: points, gates and sums of points by the values of the inputs, ready for any number of pitches.

Intermediate tables are worked into the tables that look at them, so that an input counts once however it gets there.
The considerations of a side are added up beforehand, into as few tables as fit (`Part`). Each table then has, after the
values of an input, a place for "unknown". What is read in several ways is a mixture of a table's places, worked out by
the same operations in the same order: one pitch and a million give the same digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, Final

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
_MOST_KEPT: Final = 20_000
"""Of how many combinations of open inputs it is remembered which decide a gate."""
_FEW: Final = 512
"""Up to so many pitches are looked up in all tables by one multiplication, more of them table by table."""


class Spreads:
    """Inputs read in several ways, a row each: the weights of the values, which sum to 1, and the share of votes that
    name a value."""

    def __init__(self, weights: Floats, said: Floats):
        self.weights = weights
        self.said = said
        self.size = size = weights.shape[1]
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
        """Where some pitches are in the cells; what is read in several ways counts as unknown.

        `codes`: by input, arrays that broadcast together.
        """
        place: NDArray[np.int32] | int = 0
        for name, size, stride in zip(self.names, self.sizes, self.strides, strict=True):
            code = np.minimum(codes[name], np.int32(size)) if name in several else codes[name]
            place = place + (code * np.int32(stride) if stride > 1 else code)
        return np.asarray(place, np.intp)

    def find(self, codes: Mapping[str, Codes], several: Mapping[str, Spreads]) -> Floats:
        """The cells of some pitches."""
        places = self.places(codes, several)
        found = self.cells_at(places)
        self.mix(found, places, codes, several)
        return found

    def cells_at(self, places: NDArray[np.integer[Any]]) -> Floats:
        """The cells at some places."""
        return np.take(self.cells, places, axis=1, mode="clip")

    def mix(
        self,
        found: Floats,
        places: NDArray[np.intp],
        codes: Mapping[str, Codes],
        several: Mapping[str, Spreads],
        shown: bool = False,
    ) -> None:
        """Put right in `found` the pitches of which an input was read in several ways; `shown`: rounded."""
        own = [axis for axis, name in enumerate(self.names) if name in several]
        mixed: NDArray[np.bool_] | None = None
        for axis in own:
            beyond = codes[self.names[axis]] > self.sizes[axis]
            mixed = beyond if mixed is None else mixed | beyond
        if mixed is None or not mixed.any():
            return
        if mixed.shape != places.shape:
            mixed = np.broadcast_to(mixed, places.shape)
        rows = np.nonzero(mixed)
        mixtures = []
        for axis in own:
            column = codes[self.names[axis]]
            column = (column if column.shape == places.shape else np.broadcast_to(column, places.shape))[rows]
            mixtures.append((column, several[self.names[axis]], self.strides[axis]))
        cells = self._mixtures(places[rows], mixtures)
        own_cells: tuple[Any, ...] = (slice(None), *rows)
        found[own_cells] = _shown(cells) if shown else cells

    def _mixtures(self, places: NDArray[np.intp], mixtures: Sequence[tuple[Codes, Spreads, int]]) -> Floats:
        """The cells of pitches with inputs read in several ways, in runs that are not too long."""
        worlds = math.prod(spread.counts[codes] for codes, spread, _ in mixtures)
        if int(np.sum(worlds)) <= _AT_ONCE:
            return self._mixed(places, mixtures)
        run = np.cumsum(worlds) // _AT_ONCE
        starts = [0, *(np.flatnonzero(np.diff(run)) + 1), len(run)]
        parts = [
            self._mixed(places[start:end], [(codes[start:end], spread, stride) for codes, spread, stride in mixtures])
            for start, end in pairwise(starts)
        ]
        return np.concatenate(parts, axis=1)

    def _mixed(self, places: NDArray[np.intp], mixtures: Sequence[tuple[Codes, Spreads, int]]) -> Floats:
        """Each pitch spelled out into the places that its inputs may have, weighed, and joined again."""
        pitch, place, weight = np.arange(len(places)), places, np.ones(len(places))
        for column, spread, stride in mixtures:
            codes = column[pitch]
            counts = spread.counts[codes]
            world = np.repeat(np.arange(len(codes)), counts)
            choice = np.arange(len(world)) + (spread.first[codes] - np.cumsum(counts) + counts)[world]
            pitch, weight = pitch[world], weight[world] * spread.chances[choice]
            place = (place - np.minimum(codes, spread.size) * stride)[world] + spread.values[choice] * stride
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
        contested = frozenset(_contested(list(self.tables.values())))
        self.parts = tuple(part for side in SIDES for part in _parts(self, side, most_cells, contested))
        self.tried = _contested([part.table for part in self.parts])
        self.known_weights = _known_weights(self)
        self._deciding: dict[tuple[str, tuple[tuple[str, ...], ...]], tuple[str, ...]] = {}
        rules = (*self.tables.values(), *self.gates.values())
        self._all = (*rules, *(part.table for part in self.parts))
        self._cells = [*(_shown(table.cells) for table in rules), *(part.table.cells for part in self.parts)]
        self._states = {name: (t.cells[LOW] - t.cells[HIGH]).astype(np.int8) for name, t in self.gates.items()}
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
        places: Sequence[NDArray[np.intp]]
        if len(codes[self.names[0]]) <= _FEW:
            # Places are whole numbers, which floats add up exactly.
            columns = np.minimum(np.array([codes[name] for name in self.names]), self._sizes)
            places = (self._strides @ columns).astype(np.intp)
            found = list(np.take(self._joint, places + self._first, axis=1).swapaxes(0, 1))
        else:
            places = [table.places(codes, several) for table in self._all]
            found = [np.take(own, at, axis=1, mode="clip") for own, at in zip(self._cells, places, strict=True)]
        rules, points = len(self.tables) + len(self.gates), len(self.tables)
        for number, table in enumerate(self._all if several else ()):
            table.mix(found[number], places[number], codes, several, shown=number < rules)
        gates = {
            gate: (ends[LOW] + ends[HIGH]).astype(np.int8)
            for gate, ends in zip(self.gates, found[points:], strict=False)
        }
        return dict(zip(self.tables, found, strict=False)), gates, found[rules:]

    def fill(
        self,
        codes: Mapping[str, Codes],
        several: Mapping[str, Spreads],
        points: Mapping[str, Triple],
        gates: Mapping[str, NDArray[np.int8]],
    ) -> None:
        """As `find_all` but for the parts: written where it belongs, for so many pitches that a copy costs."""
        for (name, table), cells in zip(self.tables.items(), self._cells, strict=False):
            places, found = table.places(codes, several), points[name]
            for end in (MEAN, LOW, HIGH):
                cells[end].take(places, out=found[end], mode="clip")
            if several:
                table.mix(found, places, codes, several, shown=True)
        for name, table in self.gates.items():
            if any(each in several for each in table.names):
                ends = table.find(codes, several)
                gates[name][:] = (ends[LOW] - ends[HIGH]).astype(np.int8)
            else:
                self._states[name].take(table.places(codes, several), out=gates[name], mode="clip")

    @cached_property
    def alone(self) -> Mapping[Side, tuple[Floats, Triple]]:
        """The sides of which all considerations are in one part: expectation, least and greatest of each place, and
        these rounded as they are printed."""
        found: dict[Side, tuple[Floats, Triple]] = {}
        for side in SIDES:
            own = [part.table for part in self.parts if part.side == side]
            if len(own) == 1:
                cells = own[0].cells
                found[side] = np.stack([cells[MEAN], cells[LOW], -cells[HIGH]]), _shown(cells)
        return found

    @cached_property
    def known_cells(self) -> Sequence[Floats]:
        """For each place of each part, the part of its side's weight that rests on known inputs, added up as it is for
        one pitch; none unless each side is in one part."""
        return (
            [_known(part, self.known_weights[part.side]) for part in self.parts]
            if len(self.alone) == len(self.parts)
            else []
        )

    def fill_sides(
        self, codes: Mapping[str, Codes], scores: Mapping[str, Triple], places: NDArray[np.int32], shown: bool
    ) -> None:
        """Write the places in every part, and the scores of the sides that are alone, of pitches with nothing read in
        several ways."""
        for part, own in zip(self.parts, places, strict=True):
            at = part.table.places(codes, {})
            own[:] = at
            if part.side in scores and part.side in self.alone:
                exact, rounded_cells = self.alone[part.side]
                for target, cells in zip(scores[part.side], rounded_cells if shown else exact, strict=True):
                    cells.take(at, out=target, mode="clip")

    def deciding(self, gate: str, possible: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
        """The inputs on which it depends whether a gate holds, by the values that each may have."""
        values = tuple(possible(name) for name in self.gates[gate].names)
        if (gate, values) not in self._deciding:
            if len(self._deciding) > _MOST_KEPT:
                self._deciding.clear()
            self._deciding[gate, values] = _deciding(self.gates[gate], values)
        return self._deciding[gate, values]


def _deciding(table: RuleTable, possible: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    holds = table.table
    for axis, (name, values) in enumerate(zip(table.names, possible, strict=True)):
        holds = holds.take([INPUTS[name].index(value) for value in values], axis)
    return tuple(
        name
        for axis, name in enumerate(table.names)
        if holds.shape[axis] > 1 and (holds.min(axis) < holds.max(axis)).any()
    )


@lru_cache(maxsize=16)
def look_ups(rulebook: Rulebook) -> LookUps:
    """The rulebook's look-ups, built once."""
    return LookUps(rulebook)


def _parts(rules: LookUps, side: Side, most_cells: int, contested: frozenset[str]) -> list[Part]:
    """The considerations of a side in groups whose joint tables are small enough: each goes where most of what it
    disagrees on with others is, and then where the table grows least."""
    groups: list[tuple[list[str], dict[str, None]]] = []
    for consideration in rules.rulebook.of_side(side):
        own = rules.tables[consideration.id].names
        fitting = [group for group in groups if _cells({**group[1], **dict.fromkeys(own)}) <= most_cells]
        if not fitting:
            groups.append(([consideration.id], dict.fromkeys(own)))
            continue
        ids, names = min(
            fitting,
            key=lambda group: (-len(contested.intersection(own, group[1])), _cells({**group[1], **dict.fromkeys(own)})),
        )
        ids.append(consideration.id)
        names.update(dict.fromkeys(own))
    return [Part(side, tuple(ids), _summed(rules, ids, tuple(names))) for ids, names in groups]


def _cells(names: Mapping[str, None]) -> int:
    return math.prod(len(INPUTS[name]) + 1 for name in names)


def _summed(rules: LookUps, ids: Sequence[str], names: tuple[str, ...]) -> RuleTable:
    """Some considerations times their weights, over the inputs of all."""
    total = np.zeros([len(INPUTS[name]) for name in names])
    for each in ids:
        table = rules.tables[each]
        order = sorted(range(len(table.names)), key=lambda axis: names.index(table.names[axis]))
        shape = [len(INPUTS[name]) if name in table.names else 1 for name in names]
        total = total + table.table.transpose(order).reshape(shape) * rules.weights[each]
    return RuleTable(names, total)


def _known_weights(rules: LookUps) -> Mapping[Side, Mapping[str, float]]:
    """The part of a side's weight that rests on each input: the inputs of a consideration share its weight alike."""
    found: dict[Side, dict[str, float]] = {side: {} for side in SIDES}
    for consideration in rules.considerations:
        names, own = rules.tables[consideration.id].names, found[consideration.side]
        for name in names:
            own[name] = own.get(name, 0.0) + rules.weights[consideration.id] / len(names)
    return found


def _known(part: Part, weights: Mapping[str, float]) -> Floats:
    table = part.table
    lengths = [size + 1 for size in table.sizes]
    known = np.zeros(lengths)
    for name, weight in weights.items():
        axis = table.names.index(name)
        values = np.append(np.ones(table.sizes[axis]), 0.0) * weight
        known = known + values.reshape([-1 if other == axis else 1 for other in range(len(lengths))])
    return np.ascontiguousarray(known).reshape(-1)


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
