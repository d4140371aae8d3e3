"""Whether a decision table keeps to the directions of its inputs: a better value never makes its outcome worse.

Directions are orders of pairs (worse, better), and so may be partial. An outcome may be anything that can be compared:
points, or the values of an input that another table looks at. A table that keeps to its directions, feeding one that
does, keeps to them as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from analyzer.vocabulary.partial_order import Order

Combination = tuple[str, ...]
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Violation:
    """Two combinations that differ in one input, where the better value of it gives the worse outcome."""

    input: str
    worse: Combination
    better: Combination


def violations(
    inputs: Sequence[str],
    outcomes: Mapping[Combination, V],
    better: Mapping[str, Order],
    not_worse: Callable[[V, V], bool],
) -> Iterator[Violation]:
    """Every pair of combinations that breaks a direction.

    `outcomes`: the outcome of each combination of the inputs' values. `better`: the direction of each input; one that
    is missing has none. `not_worse(a, b)`: whether outcome a is at least as good as b.
    """
    for axis, name in enumerate(inputs):
        for low, high in better.get(name, Order()):
            for combination, outcome in outcomes.items():
                if combination[axis] == low:
                    other = (*combination[:axis], high, *combination[axis + 1 :])
                    if not not_worse(outcomes[other], outcome):
                        yield Violation(name, combination, other)
