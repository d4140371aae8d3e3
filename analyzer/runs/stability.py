"""How far several readings of the same pitch agree, signal by signal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import Any, Final

from analyzer.framework.assessment import Assessment
from analyzer.framework.contested import COMPARED
from analyzer.framework.inputs import derive, lean
from analyzer.results.result import Result
from analyzer.vocabulary.derived import LEANS
from analyzer.vocabulary.signals import SIGNALS, Signals
from analyzer.vocabulary.votes import PositionRead, as_fraction

STABLE_NAMES: Final = ("in_scope", *LEANS, "persona", *SIGNALS, "competitors")
"""What is compared between two readings that come one by one, in the order in which it is shown."""


@dataclass(slots=True)
class Stability:
    """The share of pairs of readings that agree.

    Two readings agree on a signal if they have the same value, unknown being one; on stage, focus and main user
    likewise. Counted over all pairs of readings of a pitch, so that runs with different numbers of readings compare.

    `combined`: whether results hold several readings each, with their votes; otherwise the `repeat` readings of a pitch
    are results with consecutive numbers. `repeat`: how often a pitch is read.
    """

    repeat: int
    combined: bool = False
    pitches: int = 0
    pairs: Counter[str] = field(default_factory=Counter)
    agreeing: Counter[str] = field(default_factory=Counter)
    spreads: list[float] = field(default_factory=list)
    """For each pitch, its highest minus its lowest overall score; nothing of readings that come combined."""
    _incomplete: defaultdict[int, list[Result]] = field(default_factory=lambda: defaultdict(list))

    @property
    def names(self) -> tuple[str, ...]:
        """What is compared, in the order in which it is shown."""
        return COMPARED if self.combined else STABLE_NAMES

    def add(self, result: Result) -> None:
        """Take in one result."""
        if self.combined:
            if result.assessment is not None:
                self._add_votes(result.assessment.signals)
            return
        pitch = result.number // self.repeat
        readings = self._incomplete[pitch]
        readings.append(result)
        if len(readings) < self.repeat:
            return
        del self._incomplete[pitch]
        self._add_readings([reading.assessment for reading in readings if reading.assessment is not None])

    def _add_readings(self, assessments: list[Assessment]) -> None:
        if len(assessments) < 2:
            return
        self.pitches += 1
        values = [values_of(assessment.signals) for assessment in assessments]
        for one, other in combinations(values, 2):
            self.pairs.update(self.names)
            self.agreeing.update(name for name in one if one[name] == other[name])
        scores = [assessment.scores.overall.value for assessment in assessments if assessment.scores is not None]
        if len(scores) > 1:
            self.spreads.append(max(scores) - min(scores))

    def _add_votes(self, signals: Signals) -> None:
        counts = dict(_votes(signals))
        self.pitches += any(sum(votes) > 1 for votes in counts.values())
        for name, votes in counts.items():
            self.pairs[name] += comb(sum(votes), 2)
            self.agreeing[name] += sum(comb(count, 2) for count in votes)

    def share(self, name: str) -> float | None:
        """The share of pairs of readings that agree on a signal; None without a pair."""
        return self.agreeing[name] / self.pairs[name] if self.pairs[name] else None

    def document(self) -> dict[str, Any]:
        """The figures for scripts. `overall_spread`: null where single readings have no score of their own."""
        return {
            "pitches": self.pitches,
            "readings": self.repeat,
            "agreement": {name: self.share(name) for name in self.names},
            "overall_spread": None if self.combined else self.spreads,
        }


def values_of(signals: Signals) -> dict[str, Any]:
    """The values of a reading that are compared, by `STABLE_NAMES`."""
    derived = derive(signals).values
    return {
        "in_scope": signals.in_scope,
        **{name: derived[name] for name in LEANS},
        "persona": signals.personas[0].role if signals.personas else None,
        **{name: signals.single(name).value for name in SIGNALS},
        "competitors": frozenset(competitor.name.casefold() for competitor in signals.competitors),
    }


def _votes(signals: Signals) -> Iterator[tuple[str, list[int]]]:
    """How many readings have each value of everything in COMPARED, of combined readings."""
    scope, voters = signals.scope, signals.readings
    yield "in_scope", [voters] if scope is None else [scope.in_scope, scope.out_of_scope]
    reads = dict(signals.derived or ())
    for name in COMPARED[1:]:
        read = signals.single(name) if name in SIGNALS else reads.get(name)
        if read is None:
            yield name, [voters]
            continue
        every: Iterable[tuple[Any, int]] = [(read.value, read.votes), *((one.value, one.votes) for one in read.also)]
        counts: Counter[Any] = Counter()
        for value, votes in every:
            same = isinstance(read, PositionRead) and not isinstance(value, str)
            counts[lean(name, as_fraction(value)) if same else value] += votes
        yield name, list(counts.values())
