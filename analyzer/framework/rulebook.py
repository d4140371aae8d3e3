"""The rulebook: considerations as decision tables, loaded from TOML and refused unless they decide everything once.

A rulebook is data (`rulebook.toml` beside this file). This module knows its shape and what must hold of it; the
scorer knows how it is applied. A fault names the consideration, the row and what is wrong; all faults are
told at once.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from string import Formatter
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analyzer.errors import RulebookError
from analyzer.files.disk import check_writable, write_whole
from analyzer.framework.directions import Violation, violations
from analyzer.vocabulary.derived import INPUT_SPECS, INPUTS
from analyzer.vocabulary.partial_order import Order, Pair
from analyzer.vocabulary.records import DIRECTIONS, Direction

Side = Literal["day_1", "day_2", "ml", "engineering"]
SIDES: Final[tuple[Side, ...]] = ("day_1", "day_2", "ml", "engineering")
SIDE_TITLES: Final[Mapping[str, str]] = {
    "day_1": "Day 1",
    "day_2": "Day 2",
    "ml": "ML",
    "engineering": "Engineering",
}
ANY: Final = "*"
_BUILT_IN = Path(__file__).with_name("rulebook.toml")


class _RulebookPart(BaseModel):
    """Records with the same content are equal, whatever has been computed from them (and kept) since."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in type(self).model_fields)

    def __hash__(self) -> int:
        return hash(json.dumps(self.model_dump(mode="json"), sort_keys=True))


class VerdictBounds(_RulebookPart):
    """Score bounds (0 to 100): the verdict is against below the first, for above the second."""

    against_below: float = Field(ge=0, le=100)
    for_above: float = Field(ge=0, le=100)


class InputWords(_RulebookPart):
    """How an input's unknown and its values are put in a sentence, and what is asked where it is unknown: the question
    of its record, unless the rulebook words its own."""

    question: str = Field(min_length=1)
    unknown: str = Field(min_length=1)
    found: Mapping[str, str]


class Row(_RulebookPart):
    """One row of a decision table: the values it accepts for each input, its points (0 to 10), its reason's name."""

    cells: tuple[tuple[str, ...], ...]
    points: float = Field(ge=0, le=10)
    reason: str


class Consideration(_RulebookPart):
    """One of the framework's advantages or disadvantages, countable. Its table decides every combination once.

    `directions`: which value of an input is better here, where that differs from the input's general direction: rising
    or falling in the order of its record, none, or pairs [worse, better].
    """

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    side: Side
    stance: Literal["for", "against"]
    title: str = Field(min_length=1)
    weight: float = Field(ge=1, le=3)
    source: str = Field(min_length=1)
    idea: str = Field(min_length=1)
    speaks_for: str = Field(min_length=1)
    speaks_against: str = Field(min_length=1)
    inputs: tuple[str, ...] = Field(min_length=1)
    rows: tuple[Row, ...] = Field(min_length=1)
    reasons: Mapping[str, str]
    directions: Mapping[str, Direction | tuple[Pair, ...]] = Field(default_factory=dict)

    def better(self, name: str) -> Order:
        """Which value of an input is better here, as pairs (worse, better)."""
        own = self.directions.get(name)
        if own is None:
            return INPUT_SPECS[name].better
        return INPUT_SPECS[name].directed(own) if isinstance(own, str) else Order.of(own)

    @cached_property
    def deciding(self) -> Mapping[tuple[str, ...], Row]:
        """The row that decides each combination of input values."""
        return {combination: row for row in self.rows for combination in itertools.product(*row.cells)}

    @cached_property
    def table(self) -> NDArray[np.float64]:
        """Points by the index of each input's value, one axis an input, in the order of `INPUTS[input]`."""
        shape = [len(INPUTS[name]) for name in self.inputs]
        points = [self.deciding[key].points for key in itertools.product(*(INPUTS[name] for name in self.inputs))]
        return np.array(points, dtype=np.float64).reshape(shape)


class Rulebook(_RulebookPart):
    """Considerations with their weights and words. Immutable; `sha256` is over the content, not over the file's
    bytes, so that a comment changes nothing and a weight does."""

    version: str = Field(min_length=1)
    title: str = ""
    source: str = ""
    verdict: VerdictBounds
    inputs: Mapping[str, InputWords]
    considerations: tuple[Consideration, ...] = Field(min_length=1)

    @classmethod
    def load(cls, path: str | Path) -> Rulebook:
        """The rulebook in a TOML file. Raises RulebookError with all its faults, or if there is no such file."""
        path = Path(path)
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise RulebookError(str(path), [f"the file cannot be read: {reason}"]) from error
        except tomllib.TOMLDecodeError as error:
            raise RulebookError(str(path), [f"this is not TOML: {error}"]) from error
        return cls.from_content(content, str(path))

    @classmethod
    def built_in(cls) -> Rulebook:
        """The rulebook that comes with the program; the same object every time."""
        return _built_in()

    @classmethod
    def from_content(cls, content: Mapping[str, Any], source: str) -> Rulebook:
        """A rulebook from parsed TOML; `source` names it in faults. Raises RulebookError."""
        content, faults = _expand_rows(_with_questions(content))
        if faults:
            raise RulebookError(source, faults)
        try:
            rulebook = cls.model_validate(content)
        except ValidationError as error:
            raise RulebookError(source, [_fault(entry, content) for entry in error.errors()]) from error
        faults = list(_faults(rulebook))
        if faults:
            raise RulebookError(source, faults)
        return rulebook

    def __hash__(self) -> int:
        return hash(self.sha256)

    @cached_property
    def sha256(self) -> str:
        # Directions say what a table must not do; they change no result.
        content = self.model_dump(mode="json", exclude={"considerations": {"__all__": {"directions"}}})
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @cached_property
    def used_inputs(self) -> tuple[str, ...]:
        """Every input that some consideration looks at, with stage and focus first: they place the product."""
        used = {name for consideration in self.considerations for name in consideration.inputs}
        return tuple(name for name in INPUTS if name in used | {"stage", "focus"})

    def of_side(self, side: str) -> tuple[Consideration, ...]:
        return tuple(consideration for consideration in self.considerations if consideration.side == side)


def write_new(path: Path) -> None:
    """Write a copy of the built-in rulebook's file, comments and all, to be changed.

    Raises RulebookError if there is such a file, OutputError if it cannot be written.
    """
    if path.exists() or path.is_symlink():
        raise RulebookError(str(path), ["there is such a file already; it was left as it is"])
    check_writable(path, "a rulebook")
    write_whole(path, _BUILT_IN.read_text(encoding="utf-8"))


@cache
def _built_in() -> Rulebook:
    return Rulebook.load(_BUILT_IN)


# ---------------------------------------------------------------- what must hold


def _with_questions(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content with the question of its record for each input that has none of its own."""
    inputs = content.get("inputs")
    if not isinstance(inputs, Mapping):
        return content
    asked = {
        name: {"question": INPUT_SPECS[name].question, **words}
        if name in INPUT_SPECS and isinstance(words, Mapping)
        else words
        for name, words in inputs.items()
    }
    return {**content, "inputs": asked}


def _expand_rows(content: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The rows as people write them ("a|b", "*") with their cells spelled out."""
    faults: list[str] = []
    considerations = []
    listed = content.get("considerations", [])
    if not isinstance(listed, list) or not all(isinstance(given, dict) for given in listed):
        return dict(content), ["considerations: write each as [[considerations]]"]
    for number, given in enumerate(content.get("considerations", ()), 1):
        label = given.get("id", f"consideration {number}")
        inputs = given.get("inputs", [])
        unknown = [name for name in inputs if name not in INPUTS]
        if unknown:
            faults.append(f"{label}: unknown input {', '.join(map(repr, unknown))}; known are {', '.join(INPUTS)}")
            continue
        if len(set(inputs)) < len(inputs):
            faults.append(f"{label}: an input stands twice in {', '.join(inputs)}")
            continue
        rows = []
        for row_number, row in enumerate(given.get("rows", ()), 1):
            where = f"{label}, row {row_number}"
            if not isinstance(row, list) or len(row) != len(inputs) + 2:
                faults.append(
                    f"{where}: expected {len(inputs)} cells ({', '.join(inputs)}), points and a reason, found {row!r}"
                )
                continue
            cells = []
            for name, cell in zip(inputs, row, strict=False):
                values = list(INPUTS[name]) if cell == ANY else [part.strip() for part in str(cell).split("|")]
                strange = [value for value in values if value not in INPUTS[name]]
                if strange:
                    allowed = ", ".join(INPUTS[name])
                    faults.append(f"{where}: {name} has no value {', '.join(map(repr, strange))}; it has {allowed}")
                cells.append(values)
            rows.append({"cells": cells, "points": row[-2], "reason": row[-1]})
        faults += [f"{label}, directions: {fault}" for fault in _directions_faults(given.get("directions", {}), inputs)]
        considerations.append({**given, "rows": rows})
    return {**content, "considerations": considerations}, faults


def _fault(entry: Any, content: Mapping[str, Any]) -> str:
    location = list(entry["loc"])
    label = ""
    if len(location) > 1 and location[0] == "considerations":
        given = content["considerations"][location[1]]
        label, location = f"{given.get('id', f'consideration {location[1] + 1}')}, ", location[2:]
        if len(location) > 1 and location[0] == "rows":
            label, location = f"{label}row {location[1] + 1}, ", location[2:]
    found = entry["input"]
    shown = f", found {found!r}" if isinstance(found, str | int | float) else ""
    return f"{label}{'.'.join(map(str, location))}: {entry['msg']}{shown}"


def _faults(rulebook: Rulebook) -> Iterator[str]:
    if rulebook.verdict.against_below > rulebook.verdict.for_above:
        yield "verdict: against_below is larger than for_above"
    ids = [consideration.id for consideration in rulebook.considerations]
    for repeated in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"{repeated}: this id is used {ids.count(repeated)} times"
    for side in SIDES:
        if not rulebook.of_side(side):
            yield f"side {side}: it needs at least one consideration"
    for name, words in rulebook.inputs.items():
        if name not in INPUTS:
            yield f"inputs.{name}: there is no such input; known are {', '.join(INPUTS)}"
        elif set(words.found) != set(INPUTS[name]):
            yield f"inputs.{name}.found: expected words for {', '.join(INPUTS[name])}, found {', '.join(words.found)}"
    for name in rulebook.used_inputs:
        if name not in rulebook.inputs:
            yield f"inputs.{name}: it is used but has no words"
    for consideration in rulebook.considerations:
        for fault in _table_faults(consideration):
            yield f"{consideration.id}: {fault}"


def _table_faults(consideration: Consideration) -> Iterator[str]:
    decided: dict[tuple[str, ...], int] = {}
    whole = True
    for number, row in enumerate(consideration.rows, 1):
        taken: dict[int, tuple[str, ...]] = {}
        own = list(itertools.product(*row.cells))
        for combination in own:
            if combination in decided:
                taken.setdefault(decided[combination], combination)
            decided.setdefault(combination, number)
        if taken and all(decided[combination] != number for combination in own):
            yield f"row {number} can never be reached: row {', '.join(map(str, taken))} decides all of it"
        elif taken:
            other, combination = next(iter(taken.items()))
            yield f"rows {other} and {number} overlap: both decide {_named(consideration, combination)}"
        whole = whole and not taken
        if row.reason not in consideration.reasons:
            yield f"row {number}: there is no reason named {row.reason!r}"
    gaps = [key for key in itertools.product(*(INPUTS[name] for name in consideration.inputs)) if key not in decided]
    if gaps:
        more = f" (and {len(gaps) - 1} more)" if len(gaps) > 1 else ""
        yield f"no row decides {_named(consideration, gaps[0])}{more}"
    for unused in sorted(set(consideration.reasons) - {row.reason for row in consideration.rows}):
        yield f"no row gives the reason {unused!r}"
    for name, text in consideration.reasons.items():
        yield from _reason_faults(consideration, name, text)
    if whole and not gaps:
        yield from _direction_faults(consideration)


def _reason_faults(consideration: Consideration, name: str, text: str) -> Iterator[str]:
    try:
        parts = [part for part in Formatter().parse(text) if part[1] is not None]
        fields = {str(field) for _, field, _, _ in parts}
        if any(spec or conversion for _, _, spec, conversion in parts):
            yield f"reason {name!r}: put an input in plain braces, like {{buyer}}"
    except ValueError as error:
        yield f"reason {name!r}: {error}"
        return
    for field in sorted(fields - set(consideration.inputs)):
        yield f"reason {name!r}: {{{field}}} is not one of its inputs ({', '.join(consideration.inputs)})"


def _directions_faults(directions: Any, inputs: Sequence[str]) -> Iterator[str]:
    """What is wrong with the directions that a consideration states for its inputs."""
    if not isinstance(directions, Mapping):
        yield 'write them as { input = "falling" }'
        return
    for name, stated in directions.items():
        if name not in inputs:
            yield f"{name} is not one of its inputs ({', '.join(inputs)})"
        elif isinstance(stated, str):
            if stated not in DIRECTIONS:
                yield f"{name} is {stated!r}; write {', '.join(DIRECTIONS)}, or pairs [worse, better]"
            elif stated != "none" and not INPUT_SPECS[name].order:
                yield f"{name} cannot be {stated}, as its values have no order; write pairs [worse, better]"
        elif not isinstance(stated, list) or not all(isinstance(p, list) and len(p) == 2 for p in stated):
            yield f"{name}: write {', '.join(DIRECTIONS)}, or pairs [worse, better]"
        else:
            strange = sorted({str(value) for pair in stated for value in pair} - set(INPUTS[name]))
            if strange:
                yield f"{name} has no value {', '.join(map(repr, strange))}; it has {', '.join(INPUTS[name])}"
            else:
                try:
                    Order.of((low, high) for low, high in stated)
                except ValueError as error:
                    yield f"{name}: {error}"


_MOST_ROWS_NAMED: Final = 3


def _direction_faults(consideration: Consideration) -> Iterator[str]:
    """A better value must not cost points (docs/scoring.md): one fault an input, with the rows at fault."""
    points = {combination: row.points for combination, row in consideration.deciding.items()}
    better = {name: consideration.better(name) for name in consideration.inputs}
    broken: dict[str, list[Violation]] = {}
    for violation in violations(consideration.inputs, points, better, lambda one, other: one >= other):
        broken.setdefault(violation.input, []).append(violation)
    numbers = {id(row): number for number, row in enumerate(consideration.rows, 1)}
    for name, found in broken.items():
        axis = consideration.inputs.index(name)
        first = found[0]
        rows = list(
            dict.fromkeys(
                " and ".join(
                    map(str, sorted(numbers[id(consideration.deciding[end])] for end in (one.worse, one.better)))
                )
                for one in found
            )
        )
        more = f" (and {len(rows) - _MOST_ROWS_NAMED} more)" if len(rows) > _MOST_ROWS_NAMED else ""
        others = [f"{n}={v}" for n, v in zip(consideration.inputs, first.worse, strict=True) if n != name]
        place = f" where {', '.join(others)}" if others else ""
        yield (
            f"rows {', '.join(rows[:_MOST_ROWS_NAMED])}{more}: {name}={first.better[axis]} gives fewer points than "
            f"{name}={first.worse[axis]}{place} ({points[first.better]:g} and {points[first.worse]:g}); it must not"
        )


def _named(consideration: Consideration, combination: tuple[str, ...]) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(consideration.inputs, combination, strict=True))
