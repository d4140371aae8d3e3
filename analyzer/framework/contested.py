"""What several readings of a pitch differ on: the votes for each value of signals, and of what follows from lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from analyzer.framework.inputs import lean
from analyzer.vocabulary.derived import LEANS
from analyzer.vocabulary.records import SIGNALS
from analyzer.vocabulary.signals import Signal, Signals
from analyzer.vocabulary.votes import Derived, DerivedRead, PositionRead, as_fraction

COMPARED: Final = ("in_scope", *Derived.model_fields, *SIGNALS)
"""What readings can differ on, in the order in which it is shown."""

Votes = tuple[tuple[str, int], ...]
"""Values with their votes, most votes first."""


def contested(signals: Signals) -> dict[str, Votes]:
    """The votes on everything that readings differ on, by its name in COMPARED. Empty for a single reading."""
    found: dict[str, Votes] = {}
    if signals.scope is not None:
        votes = [("yes", signals.scope.in_scope), ("no", signals.scope.out_of_scope)]
        found["in_scope"] = tuple(sorted(votes, key=lambda vote: -vote[1]))
    for name, read in signals.derived or ():
        if read is not None and read.also:
            found[name] = tuple(_positions(name, read)) if isinstance(read, PositionRead) else _votes(read)
    for name in SIGNALS:
        if signals.single(name).also:
            found[name] = _votes(signals.single(name))
    return {name: found[name] for name in COMPARED if name in found}


def _votes(read: DerivedRead | Signal[Any]) -> Votes:
    return ((str(read.value), read.votes), *((vote.value, vote.votes) for vote in read.also))


def _positions(name: str, read: PositionRead) -> Iterator[tuple[str, int]]:
    """Positions as leans; those that share a lean with their number."""
    every = [(read.value, read.votes), *((vote.value, vote.votes) for vote in read.also)]
    leans = [value if isinstance(value, str) else str(lean(name, as_fraction(value))) for value, _ in every]
    for own, (value, votes) in zip(leans, every, strict=True):
        yield (f"{own} at {float(value):.2g}" if leans.count(own) > 1 and own in LEANS[name] else own), votes
