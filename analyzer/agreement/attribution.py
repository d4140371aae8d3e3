"""The scores that two sets of signals lead to, and which signal the difference comes from.

A difference is split by putting one signal of the manual score at a time in the place of the extracted one, all others
left as extracted, and scoring again. That answers "what if only this had been read as the rater reads it", and does not
depend on an order. What the signals do only in company is left over and shown as `together`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from analyzer.agreement.competitors import matched
from analyzer.agreement.records import ScoreAgreement
from analyzer.agreement.statistics import correlations, limits
from analyzer.files.manual_scores import VALUES, ManualScore, with_value
from analyzer.framework.many_pitches import coded_signals, overall, signals_table
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.vocabulary.signals import Signals

ASSUMED_KIND: Final = "startup"
"""Counted as a rival, and as neither a vendor that customers know nor building in-house."""


class Scorer:
    """Overall scores by one rulebook and market map, many at once; each document is scored once."""

    def __init__(self, rulebook: Rulebook, market: MarketMap):
        self._rulebook = rulebook
        self._market = market
        self._wanted: list[Signals] = []
        self._scores: list[float | None] = []

    def ask(self, signals: Signals) -> int:
        """A ticket for the score of these signals."""
        self._wanted.append(signals)
        return len(self._wanted) - 1

    def score(self, ticket: int) -> float | None:
        """The score, 0 to 100; None where out of scope."""
        if ticket >= len(self._scores):
            waiting = self._wanted[len(self._scores) :]
            coded = coded_signals(signals_table(waiting, market=self._market))
            values = overall(coded, self._rulebook)
            self._scores += [
                float(value) if scope else None for value, scope in zip(values, coded.in_scope, strict=True)
            ]
        return self._scores[ticket]


def swapped(extracted: Signals, manual: Signals, score: ManualScore, signal: str) -> Signals:
    """The extracted signals with one signal as the rater scored it."""
    if signal == "in_scope":
        return extracted.model_copy(update={"in_scope": score.in_scope})
    if signal == "competitors":
        return extracted.model_copy(update={"competitors": manual.competitors})
    return with_value(extracted, signal, score.values[signal])


def competitor_kinds(
    rows: Iterable[ManualScore], readings: Iterable[Signals], market: MarketMap
) -> tuple[dict[str, str], list[str]]:
    """The kind of every competitor in the manual scores of one pitch, by name, and the names whose kind is not known.

    The market map's word first; else the kind under which a reader found the matching competitor, readers in their
    order; else `ASSUMED_KIND`.
    """
    rows, readings = list(rows), list(readings)
    names = list(dict.fromkeys(name for row in rows for name in row.competitors or ()))
    kinds: dict[str, str] = {}
    for name in names:
        player = market.match(name)
        if player is not None:
            kinds[name] = player.kind
    for signals in readings:
        for row in rows:
            own = row.competitors or ()
            for place, at in matched([rival.name for rival in signals.competitors], own, market):
                kinds.setdefault(own[at], signals.competitors[place].kind)
    assumed = [name for name in names if name not in kinds]
    return kinds | dict.fromkeys(assumed, ASSUMED_KIND), assumed


def compared(
    left: str, right: str, points: Iterable[tuple[str, float | None, float | None]], draws: int, seed: Sequence[int]
) -> ScoreAgreement:
    """How two sources of scores agree, over the pitches that both score."""
    both = tuple((pitch, one, other) for pitch, one, other in points if one is not None and other is not None)
    first, second = (np.array([point[side] for point in both], np.float64) for side in (1, 2))
    found = correlations(first, second, draws, seed)
    return ScoreAgreement(
        left, right, len(both), **found, limits=limits(first - second) if len(both) > 1 else None, points=both
    )


def complete(row: ManualScore) -> bool:
    """Whether the row says something of every signal, so that an assessment can follow from it."""
    return row.competitors is not None and len(row.values) == len(VALUES)
