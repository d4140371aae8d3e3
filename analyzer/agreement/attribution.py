"""Which signals the difference between an extracted and a manual score comes from.

One signal of the manual score at a time replaces the extracted one, all others stay as extracted, and the pitch is
scored again. That answers "what if only this had been read as the rater reads it", and does not depend on an order.
What signals change only in combination remains, as `together`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analyzer.agreement.records import Attribution
from analyzer.files.manual_scores import VALUES, ManualScore, with_value
from analyzer.framework.many_pitches import coded_documents, overall
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.vocabulary.signals import Signals
from analyzer.vocabulary.votes import without_votes


class Scorer:
    """Overall scores by one rulebook and market map. Signals are collected first and then scored in one batch."""

    def __init__(self, rulebook: Rulebook, market: MarketMap):
        self._rulebook = rulebook
        self._market = market
        self._signals: list[Signals] = []
        self._scores: list[float | None] = []

    def add(self, signals: Signals) -> int:
        """Collect signals to be scored; the number under which `score` has their score."""
        self._signals.append(signals)
        return len(self._signals) - 1

    def score(self, number: int) -> float | None:
        """The score, 0 to 100; None where out of scope."""
        if number >= len(self._scores):
            waiting = self._signals[len(self._scores) :]
            coded = coded_documents(waiting, self._market)
            values = overall(coded, self._rulebook)
            self._scores += [
                float(value) if scope else None for value, scope in zip(values, coded.in_scope, strict=True)
            ]
        return self._scores[number]


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """One reader and one rater on one pitch, with the scorer's numbers for their signals.

    `replaced`: by differing signal, the extracted signals with that one as the rater scored it. `finer`: those signals
    that agree as far as a manual score can say.
    """

    reader: str
    extracted: Signals
    row: ManualScore
    extracted_number: int
    manual_number: int
    replaced: Mapping[str, int]
    finer: frozenset[str]


def with_rater(extracted: Signals, manual: Signals, row: ManualScore, signal: str) -> Signals:
    """The extracted signals with one signal as the rater scored it."""
    if signal == "in_scope":
        return extracted.model_copy(update={"in_scope": row.in_scope})
    if signal == "competitors":
        derived = without_votes(extracted.derived, [signal])
        return extracted.model_copy(update={"competitors": manual.competitors, "derived": derived})
    return with_value(extracted, signal, row.values[signal])


def score_changes(pair: ScoredPair, scorer: Scorer) -> dict[str, float | None]:
    """By differing signal, how the extracted score changes if it is as the rater scored it; None out of scope."""
    extracted = scorer.score(pair.extracted_number)
    changes: dict[str, float | None] = {}
    for name, number in pair.replaced.items():
        score = scorer.score(number)
        changes[name] = None if score is None or extracted is None else round(score - extracted, 2) + 0.0
    return changes


def attribution(pair: ScoredPair, changes: Mapping[str, float | None], scorer: Scorer) -> Attribution | None:
    """The difference of two scores, split by signal; None where a side has no score."""
    extracted, manual = scorer.score(pair.extracted_number), scorer.score(pair.manual_number)
    if extracted is None or manual is None or not is_complete(pair.row):
        return None
    parts = {name: change for name, change in changes.items() if change}
    rater_overall = pair.row.overall
    return Attribution(
        reader=pair.reader,
        pitch=pair.row.pitch,
        rater=pair.row.rater,
        extracted=extracted,
        manual=manual,
        parts=dict(sorted(parts.items(), key=lambda part: -abs(part[1]))),
        together=round(manual - extracted - sum(parts.values()), 2) + 0.0,
        finer=tuple(name for name in parts if name in pair.finer),
        rater_overall=rater_overall,
        left_to_rule=None if rater_overall is None else round(rater_overall - manual, 2) + 0.0,
    )


def is_complete(row: ManualScore) -> bool:
    """Whether the row says something about every signal, so that an assessment follows from it."""
    return row.competitors is not None and len(row.values) == len(VALUES)
