"""How far several readings of the same pitch agree, signal by signal."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

from analyzer.framework.inputs import derive
from analyzer.results.result import Result
from analyzer.vocabulary.derived import LEANS
from analyzer.vocabulary.signals import SIGNALS, Signals

STABLE_NAMES: Final = ("in_scope", *LEANS, "persona", *SIGNALS, "competitors")
"""What is compared between two readings, in the order in which it is shown."""


@dataclass(slots=True)
class Stability:
    """The share of pairs of readings that agree.

    Two readings agree on a signal if they have the same value, unknown being one; on stage, focus and main user
    likewise. Counted over all pairs of readings of a pitch, so that runs with different numbers of repeats compare.
    """

    repeat: int
    pitches: int = 0
    pairs: int = 0
    agreeing: Counter[str] = field(default_factory=Counter)
    spreads: list[float] = field(default_factory=list)
    """For each pitch, its highest minus its lowest overall score."""
    _incomplete: defaultdict[int, list[Result]] = field(default_factory=lambda: defaultdict(list))

    def add(self, result: Result) -> None:
        """Take in one reading; the `repeat` readings of a pitch have consecutive numbers."""
        pitch = result.number // self.repeat
        readings = self._incomplete[pitch]
        readings.append(result)
        if len(readings) < self.repeat:
            return
        del self._incomplete[pitch]
        assessments = [reading.assessment for reading in readings if reading.assessment is not None]
        if len(assessments) < 2:
            return
        self.pitches += 1
        values = [values_of(assessment.signals) for assessment in assessments]
        for one, other in combinations(values, 2):
            self.pairs += 1
            self.agreeing.update(name for name in one if one[name] == other[name])
        scores = [assessment.scores.overall.value for assessment in assessments if assessment.scores is not None]
        if len(scores) > 1:
            self.spreads.append(max(scores) - min(scores))

    def share(self, name: str) -> float | None:
        """The share of pairs of readings that agree on a signal; None without a pair."""
        return self.agreeing[name] / self.pairs if self.pairs else None

    def document(self) -> dict[str, Any]:
        """The figures for scripts."""
        return {
            "pitches": self.pitches,
            "readings": self.repeat,
            "agreement": {name: self.share(name) for name in STABLE_NAMES},
            "overall_spread": self.spreads,
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
