"""Partial orders over the values of a signal or an input: which value is above which, and which are not comparable.

An order is a set of pairs (lower, higher), closed under transitivity. The same type says how values rank ("a pilot is
more than an interview") and which value is better for a score, as pairs (worse, better).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

Pair = tuple[str, str]


@dataclass(frozen=True)
class Order:
    """A partial order. `pairs` holds every comparable pair (lower, higher); no pairs: no value is above another."""

    pairs: frozenset[Pair] = frozenset()

    @classmethod
    def of(cls, pairs: Iterable[Pair]) -> Order:
        """The smallest order with these pairs. Raises ValueError naming a value that would be above itself."""
        above: dict[str, set[str]] = {}
        for low, high in pairs:
            above.setdefault(low, set()).add(high)
        for middle in list(above):
            for highs in above.values():
                if middle in highs:
                    highs |= above[middle]
        for value, highs in above.items():
            if value in highs:
                raise ValueError(f"{value!r} comes before itself")
        return cls(frozenset((low, high) for low, highs in above.items() for high in highs))

    @classmethod
    def listed(cls, values: Iterable[str]) -> Order:
        """The order in which each value is above all values listed before it."""
        return cls.of(pairwise(values))

    def __bool__(self) -> bool:
        return bool(self.pairs)

    def __iter__(self) -> Iterator[Pair]:
        return iter(sorted(self.pairs))

    def at_least(self, value: str, other: str) -> bool:
        """Whether a value is the other one or above it. False for values that are not comparable."""
        return value == other or (other, value) in self.pairs

    @property
    def reversed(self) -> Order:
        return Order(frozenset((high, low) for low, high in self.pairs))

    def distance(self, value: str, other: str) -> int:
        """How far apart two values are: 0 for the same, else the steps between their heights, and at least 1.

        In a full order that is the number of places between them; values without an order are all 1 apart.
        """
        return 0 if value == other else max(1, abs(self._heights.get(value, 0) - self._heights.get(other, 0)))

    def total(self, values: Iterable[str]) -> bool:
        """Whether any two of these values are comparable."""
        listed = list(values)
        return all(self.at_least(one, other) or self.at_least(other, one) for one in listed for other in listed)

    @cached_property
    def _heights(self) -> Mapping[str, int]:
        """The longest chain below each value."""
        below: dict[str, set[str]] = {}
        for low, high in self.pairs:
            below.setdefault(low, set())
            below.setdefault(high, set()).add(low)
        heights: dict[str, int] = {}
        for value in sorted(below, key=lambda value: len(below[value])):
            heights[value] = max((heights[low] + 1 for low in below[value]), default=0)
        return heights
