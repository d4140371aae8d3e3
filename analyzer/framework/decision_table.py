"""Decision tables as rulebooks write them: rows of cells that have to decide every combination of values exactly once.

Considerations and intermediate tables share this; what a row gives (points, or a value) is theirs. A fault names the
row and what is wrong.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from analyzer.framework.directions import Combination, Violation, violations
from analyzer.vocabulary.derived import INPUT_SPECS
from analyzer.vocabulary.partial_order import Order
from analyzer.vocabulary.records import DIRECTIONS

ANY: Final = "*"
MOST_COMBINATIONS: Final = 20_000
"""How many combinations of values a table may have, also once intermediate tables are worked into it."""
_MOST_ROWS_NAMED: Final = 3
Values = Mapping[str, tuple[str, ...]]
"""The values of every name that a table may look at."""
V = TypeVar("V")


class RulebookPart(BaseModel):
    """Records with the same content are equal, whatever has been computed from them (and kept) since."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in type(self).model_fields)

    def __hash__(self) -> int:
        return hash(json.dumps(self.model_dump(mode="json"), sort_keys=True))


class DecidingRow(Protocol):
    """A row of a table of any kind: the values it accepts for each input."""

    @property
    def cells(self) -> tuple[tuple[str, ...], ...]: ...


R = TypeVar("R", bound=DecidingRow)


def deciding(rows: Sequence[R]) -> Mapping[Combination, R]:
    """The row that decides each combination of values."""
    return {combination: row for row in rows for combination in itertools.product(*row.cells)}


# ---------------------------------------------------------------- as written


def name_faults(label: str, inputs: object, values: Values) -> Iterator[str]:
    """What is wrong with the names of a table's inputs."""
    if not isinstance(inputs, list) or not all(isinstance(name, str) for name in inputs):
        yield f"{label}: write its inputs as a list of names"
        return
    unknown = [name for name in inputs if name not in values]
    if unknown:
        yield f"{label}: unknown input {', '.join(map(repr, unknown))}; known are {', '.join(values)}"
    elif len(set(inputs)) < len(inputs):
        yield f"{label}: an input appears twice in {', '.join(inputs)}"
    elif math.prod(len(values[name]) for name in inputs) > MOST_COMBINATIONS:
        yield f"{label}: its inputs have more than {MOST_COMBINATIONS:,} combinations; use fewer"


def accepted(cell: object, values: Sequence[str]) -> list[str]:
    """The values of a cell: one, several ("a|b"), or "*" for any."""
    return list(values) if cell == ANY else [part.strip() for part in str(cell).split("|")]


def spelled_out(
    label: str, written: Mapping[str, Any], values: Values, gives: Sequence[str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows as people write them with their cells spelled out; `gives` names what follows the cells."""
    inputs = written["inputs"]
    rows: list[dict[str, Any]] = []
    faults: list[str] = []
    listed = written.get("rows", [])
    if not isinstance(listed, list):
        return [], [f"{label}: write its rows as a list of lists"]
    for number, row in enumerate(listed, 1):
        where = f"{label}, row {number}"
        if not isinstance(row, list) or len(row) != len(inputs) + len(gives):
            after = ", ".join(gives[:-1]) + (" and " if len(gives) > 1 else "") + gives[-1]
            faults.append(f"{where}: expected {len(inputs)} cells ({', '.join(inputs)}), then {after}; found {row!r}")
            continue
        cells = []
        for name, cell in zip(inputs, row, strict=False):
            found = accepted(cell, values[name])
            faults += strange_values(where, name, found, values)
            cells.append(found)
        rows.append({"cells": cells, **dict(zip(gives, row[len(inputs) :], strict=True))})
    return rows, faults


def strange_values(where: str, name: str, found: Sequence[str], values: Values) -> Iterator[str]:
    """The values that an input does not have, in one fault."""
    strange = [value for value in found if value not in values[name]]
    if strange:
        yield f"{where}: {name} has no value {', '.join(map(repr, strange))}; it has {', '.join(values[name])}"


def stated_direction_faults(directions: Any, inputs: Sequence[str], values: Values) -> Iterator[str]:
    """What is wrong with the directions that a table states for its inputs."""
    if not isinstance(directions, Mapping):
        yield 'write them as { input = "falling" }'
        return
    for name, stated in directions.items():
        if name not in inputs:
            yield f"{name} is not one of its inputs ({', '.join(inputs)})"
        elif isinstance(stated, str):
            if stated not in DIRECTIONS:
                yield f"{name} is {stated!r}; write {', '.join(DIRECTIONS)}, or pairs [worse, better]"
            elif stated != "none" and (name not in INPUT_SPECS or not INPUT_SPECS[name].order):
                yield f"{name} cannot be {stated}, as its values have no order; write pairs [worse, better]"
        else:
            yield from (f"{name}{fault}" for fault in pair_faults(stated, values[name]))


def pair_faults(stated: Any, values: Sequence[str]) -> Iterator[str]:
    """What is wrong with pairs [worse, better] of values; each fault begins after the name that has them."""
    if not isinstance(stated, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in stated):
        yield f": write {', '.join(DIRECTIONS)}, or pairs [worse, better]"
        return
    strange = sorted({str(value) for pair in stated for value in pair} - set(values))
    if strange:
        yield f" has no value {', '.join(map(repr, strange))}; it has {', '.join(values)}"
        return
    try:
        Order.of((low, high) for low, high in stated)
    except ValueError as error:
        yield f": {error}"


# ---------------------------------------------------------------- what must hold


def partition_faults(inputs: Sequence[str], rows: Sequence[DecidingRow], values: Values) -> Iterator[str]:
    """Every combination is decided by one row and no other, and every row decides some."""
    decided: dict[Combination, int] = {}
    for number, row in enumerate(rows, 1):
        taken: dict[int, Combination] = {}
        own = list(itertools.product(*row.cells))
        for combination in own:
            if combination in decided:
                taken.setdefault(decided[combination], combination)
            decided.setdefault(combination, number)
        if taken and all(decided[combination] != number for combination in own):
            yield f"row {number} can never be reached: row {', '.join(map(str, taken))} decides all of it"
        elif taken:
            other, combination = next(iter(taken.items()))
            yield f"rows {other} and {number} overlap: both decide {_named(inputs, combination)}"
    gaps = [key for key in itertools.product(*(values[name] for name in inputs)) if key not in decided]
    if gaps:
        more = f" (and {len(gaps) - 1} more)" if len(gaps) > 1 else ""
        yield f"no row decides {_named(inputs, gaps[0])}{more}"


def direction_faults(
    inputs: Sequence[str],
    rows: Sequence[R],
    better: Mapping[str, Order],
    outcome: Callable[[R], V],
    not_worse: Callable[[V, V], bool],
    says: tuple[str, str],
) -> Iterator[str]:
    """A better value must not make the outcome worse (docs/scoring.md): one fault an input, with the rows at fault.

    `says`: what a fault says between the two values, and how the two outcomes are shown.
    """
    decided = deciding(rows)
    outcomes = {combination: outcome(row) for combination, row in decided.items()}
    broken: dict[str, list[Violation]] = {}
    for violation in violations(inputs, outcomes, better, not_worse):
        broken.setdefault(violation.input, []).append(violation)
    numbers = {id(row): number for number, row in enumerate(rows, 1)}
    gives, shown = says
    for name, found in broken.items():
        axis = list(inputs).index(name)
        first = found[0]
        pairs = [sorted(numbers[id(decided[end])] for end in (one.worse, one.better)) for one in found]
        named = list(dict.fromkeys(" and ".join(map(str, pair)) for pair in pairs))
        more = f" (and {len(named) - _MOST_ROWS_NAMED} more)" if len(named) > _MOST_ROWS_NAMED else ""
        others = [f"{n}={v}" for n, v in zip(inputs, first.worse, strict=True) if n != name]
        place = f" where {', '.join(others)}" if others else ""
        ends = [format(outcomes[end], shown) for end in (first.better, first.worse)]
        yield (
            f"rows {', '.join(named[:_MOST_ROWS_NAMED])}{more}: {name}={first.better[axis]} {gives} "
            f"{name}={first.worse[axis]}{place} ({' and '.join(ends)}); it must not"
        )


def _named(inputs: Sequence[str], combination: Combination) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(inputs, combination, strict=True))
