"""The rulebook: considerations, intermediate tables and gates, loaded from TOML and refused unless all is decided.

A rulebook is data (`rulebook.toml` in this folder). This module knows its shape; `rulebook_checks` what must hold of
it, `look_ups` how it is applied. A fault names the record, the row and what is wrong; all faults are listed at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from analyzer.errors import RulebookError
from analyzer.files.disk import check_writable, write_whole
from analyzer.framework import rulebook_checks as checks
from analyzer.framework.decision_table import RulebookPart, deciding
from analyzer.prepared import prepared_toml
from analyzer.vocabulary.derived import INPUT_SPECS, INPUTS
from analyzer.vocabulary.partial_order import Order, Pair
from analyzer.vocabulary.records import Direction

Side = Literal["day_1", "day_2", "ml", "engineering"]
SIDES: Final[tuple[Side, ...]] = ("day_1", "day_2", "ml", "engineering")
SIDE_TITLES: Final[Mapping[str, str]] = {
    "day_1": "Day 1",
    "day_2": "Day 2",
    "ml": "ML",
    "engineering": "Engineering",
}
Ceiling = Literal["against", "balanced"]
_BUILT_IN = Path(__file__).with_name("rulebook.toml")
_ID: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class VerdictBounds(RulebookPart):
    """Score bounds (0 to 100): the verdict is against below the first, for above the second."""

    against_below: float = Field(ge=0, le=100)
    for_above: float = Field(ge=0, le=100)


class Words(RulebookPart):
    """How an input's unknown and its values are put in a sentence."""

    unknown: str = Field(min_length=1)
    found: Mapping[str, str]


class InputWords(Words):
    """The words of an input, and what is asked where it is unknown: the question of its record, unless the rulebook
    words its own."""

    question: str = Field(min_length=1)


class Row(RulebookPart):
    """One row of a consideration's table: the values it accepts for each input, its points (0 to 10), its reason."""

    cells: tuple[tuple[str, ...], ...]
    points: float = Field(ge=0, le=10)
    reason: str


class Consideration(RulebookPart):
    """One of the framework's advantages or disadvantages, countable. Its table decides every combination once.

    `inputs` are signals, derived inputs or intermediate tables. `directions`: which value of an input is better here,
    where that differs from the input's general direction: rising or falling in the order of its record, none, or pairs
    [worse, better].
    """

    id: str = Field(pattern=_ID)
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

    @cached_property
    def deciding(self) -> Mapping[tuple[str, ...], Row]:
        """The row that decides each combination of input values."""
        return deciding(self.rows)


class ValueRow(RulebookPart):
    """One row of an intermediate table: the values it accepts for each input, and the value it gives."""

    cells: tuple[tuple[str, ...], ...]
    value: str


class Intermediate(RulebookPart):
    """A table whose value is an input of others, as "can the user try it alone?" follows from how one starts and where
    the data goes. `better`: pairs [worse, better] of its values; none: no value is better than another."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(min_length=1)
    idea: str = Field(min_length=1)
    values: tuple[str, ...] = Field(min_length=2)
    better: tuple[Pair, ...] = ()
    inputs: tuple[str, ...] = Field(min_length=1)
    rows: tuple[ValueRow, ...] = Field(min_length=1)
    unknown: str = Field(min_length=1)
    found: Mapping[str, str]

    @cached_property
    def deciding(self) -> Mapping[tuple[str, ...], ValueRow]:
        """The row that decides each combination of input values."""
        return deciding(self.rows)


class Gate(RulebookPart):
    """A deal-breaker: where its condition holds, the verdict is at most `ceiling`. It changes no score.

    `when` holds, for each of its inputs, the values with which the condition holds; all have to. `because` follows
    "Deal-breaker:" in the verdict, `reason` is a full sentence, in which {input} stands for the words of its value.
    """

    id: str = Field(pattern=_ID)
    title: str = Field(min_length=1)
    ceiling: Ceiling
    source: str = Field(min_length=1)
    idea: str = Field(min_length=1)
    because: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    when: Mapping[str, tuple[str, ...]] = Field(min_length=1)

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(self.when)


class Rulebook(RulebookPart):
    """All considerations with the words for their inputs. Immutable; `sha256` identifies its content."""

    version: str = Field(min_length=1)
    title: str
    source: str
    verdict: VerdictBounds
    inputs: Mapping[str, InputWords]
    intermediate: tuple[Intermediate, ...] = ()
    considerations: tuple[Consideration, ...] = Field(min_length=1)
    gates: tuple[Gate, ...] = ()

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        yield from (("version", self.version), ("title", self.title), ("sha256", self.sha256[:8]))

    @classmethod
    def load(cls, path: str | Path) -> Rulebook:
        """The rulebook in a TOML file. Raises RulebookError with all its faults, or if there is no such file."""
        import tomllib  # slow to load; the built-in rulebook is prepared

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
        content, faults = checks.expanded(content)
        if faults:
            raise RulebookError(source, faults)
        try:
            rulebook = cls.model_validate(content)
        except ValidationError as error:
            raise RulebookError(source, [checks.type_fault(entry, content) for entry in error.errors()]) from error
        faults = list(checks.faults(rulebook, SIDES))
        if faults:
            raise RulebookError(source, faults)
        return rulebook

    def __hash__(self) -> int:
        return hash(self.sha256)

    @cached_property
    def sha256(self) -> str:
        # Directions say what a table must not do; they change no result.
        without = {"considerations": {"__all__": {"directions"}}, "intermediate": {"__all__": {"better"}}}
        content = self.model_dump(mode="json", exclude=without)
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @cached_property
    def tables(self) -> Mapping[str, Intermediate]:
        """The intermediate tables by name."""
        return {table.name: table for table in self.intermediate}

    @cached_property
    def values(self) -> Mapping[str, tuple[str, ...]]:
        """The values of everything that a table may look at: inputs, then intermediate tables."""
        return {**INPUTS, **{name: table.values for name, table in self.tables.items()}}

    @cached_property
    def used_inputs(self) -> tuple[str, ...]:
        """Every input that is looked at, with stage and focus first: they place the product. Those of an intermediate
        table count, the table itself does not."""
        rules: tuple[Consideration | Gate, ...] = (*self.considerations, *self.gates)
        asked = [name for rule in rules for name in rule.inputs]
        used = self.inputs_behind(("stage", "focus", *asked))
        return tuple(name for name in INPUTS if name in used)

    def inputs_behind(self, names: Sequence[str]) -> tuple[str, ...]:
        """The inputs that decide these ones: themselves, and for an intermediate table its own, each once."""
        return tuple(dict.fromkeys(base for name in names for base in self._behind(name)))

    def _behind(self, name: str) -> Iterator[str]:
        if name not in self.tables:
            yield name
            return
        for other in self.tables[name].inputs:
            yield from self._behind(other)

    def words(self, name: str) -> Words | Intermediate:
        """The words of an input or an intermediate table."""
        return self.tables.get(name) or self.inputs[name]

    def better(self, rule: Consideration | Intermediate | Gate, name: str) -> Order:
        """Which value of an input is better in this table, as pairs (worse, better)."""
        own = rule.directions.get(name) if isinstance(rule, Consideration) else None
        if isinstance(own, str):
            return INPUT_SPECS[name].directed(own) if name in INPUT_SPECS else Order()
        if own is not None:
            return Order.of(own)
        return Order.of(self.tables[name].better) if name in self.tables else INPUT_SPECS[name].better

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
    return Rulebook.from_content(prepared_toml(_BUILT_IN), str(_BUILT_IN))
