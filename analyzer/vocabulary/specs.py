"""What a record of the vocabulary holds: the types of a signal, of an input and of a list, and what each must have.

A record with a gap raises when it is made, so that an incomplete vocabulary stops the import and says what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from analyzer.vocabulary.partial_order import Order, Pair

UNKNOWN: Final = "unknown"

FAMILIES: Final[Mapping[str, str]] = {
    "need": "Need and stakes",
    "people": "Who uses it and who pays",
    "product": "The product",
    "rivals": "Competitors and difference",
    "market": "Market and demand",
    "entry": "Way in",
}
"""The families of signals that people look at together, and that share a color: id and title, in this order."""

LISTED: Final = "listed"
"""The values rank in the order in which they are listed, lowest first."""
Direction = Literal["rising", "falling", "none"]
DIRECTIONS: Final[tuple[Direction, ...]] = ("rising", "falling", "none")
_DIRECTIONS_THAT_RANK: Final = ("rising", "falling")

Support = Literal["number", "name", "whole_text"]
"""What a value needs in its quotes: a number, the name of a customer, or more than a quote can hold."""
SUPPORTS: Final[tuple[Support, ...]] = ("number", "name", "whole_text")


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """What the rulebook may look at: a name with its values, how they rank, and which is better for a score.

    `ranks`: pairs (lower, higher), or LISTED for all in their order; values without a pair are not comparable.
    `direction`: in general, a higher value never lowers a score (rising) or never raises one (falling); none where that
    depends on the consideration, which then states its own. `question`: what to ask where the value is unknown.
    Raises ValueError naming what is missing or contradicts itself.
    """

    name: str
    title: str
    question: str
    values: tuple[str, ...]
    ranks: Sequence[Pair] | Literal["listed"]
    direction: Direction

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise ValueError(f"{type(self).__name__} {self.name!r}: {'; '.join(faults)}")

    def _faults(self) -> list[str]:
        faults = [f"it has no {field}" for field in ("name", "title", "question") if not getattr(self, field)]
        if len(self.values) < 2 or len(set(self.values)) < len(self.values) or UNKNOWN in self.values:
            faults.append("it needs two or more different values, and unknown is not one of them")
        if self.direction not in DIRECTIONS:
            faults.append(f"its direction is {self.direction!r}; it is one of {', '.join(DIRECTIONS)}")
        if self.ranks != LISTED:
            strange = sorted({value for pair in self.ranks for value in pair} - set(self.values))
            if strange:
                faults.append(f"it ranks {', '.join(strange)}, which is not one of its values")
        try:
            ranked = bool(self.order)
        except ValueError as error:
            faults.append(f"its order contradicts itself: {error}")
        else:
            if self.direction in _DIRECTIONS_THAT_RANK and not ranked:
                faults.append(f"it is {self.direction}, but its values have no order")
        return faults

    @cached_property
    def order(self) -> Order:
        """How the values rank, as pairs (lower, higher)."""
        return Order.listed(self.values) if self.ranks == LISTED else Order.of(self.ranks)

    @property
    def better(self) -> Order:
        """Which value is better for a score in general, as pairs (worse, better)."""
        return self.directed(self.direction)

    def directed(self, direction: Direction) -> Order:
        """The order as pairs (worse, better) if a score rises, falls or depends on neither with it."""
        return {"rising": self.order, "falling": self.order.reversed, "none": Order()}[direction]


@dataclass(frozen=True, kw_only=True)
class SignalSpec(InputSpec):
    """One single-valued signal: everything that is said about it anywhere.

    `meanings` maps each value to what it means; `values` follows from it. `rule` is what decides between the values,
    for the model and for a person alike (docs/codebook.md). `family` is one of `FAMILIES`.

    `support`: values whose quotes need a `number` or a customer's `name`, and values that rest on the `whole_text`, so
    that nobody can check them from a quote. Of every other value a quote shows that it holds.
    """

    family: str
    rule: str
    meanings: Mapping[str, str]
    support: Mapping[str, Support] = field(default_factory=dict)
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.meanings))
        super().__post_init__()

    def _faults(self) -> list[str]:
        faults = super()._faults()
        if self.family not in FAMILIES:
            faults.append(f"its family is {self.family!r}; it is one of {', '.join(FAMILIES)}")
        if not self.rule:
            faults.append("it has no rule")
        faults += [f"its value {value} has no meaning" for value, meaning in self.meanings.items() if not meaning]
        strange = sorted(set(self.support) - set(self.values))
        if strange:
            faults.append(f"it says what supports {', '.join(strange)}, which is not one of its values")
        if set(self.support.values()) - set(SUPPORTS):
            faults.append(f"what supports a value is one of {', '.join(SUPPORTS)}")
        return faults

    @property
    def description(self) -> str:
        """Rule and values in one text, as the model reads it in the schema."""
        values = "; ".join(f"{value}: {meaning}" for value, meaning in self.meanings.items())
        return f"{self.rule} {values}."


@dataclass(frozen=True, kw_only=True)
class ListSpec:
    """One list that is read from a pitch: its name, its title, its family and the rule for what belongs in it."""

    name: str
    title: str
    family: str
    rule: str

    def __post_init__(self) -> None:
        if not (self.name and self.title and self.rule and self.family in FAMILIES):
            raise ValueError(f"ListSpec {self.name!r}: it needs a name, title, rule and one of the families")
