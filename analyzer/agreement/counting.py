"""Count who says what of a signal, over all pitches and over resamples of them, and compute the registered figures.

Each pitch counts once. Where a reader meets two raters, or two pairs of raters meet, each pair counts for its part of
the pitch. So the entries of every table sum to a number of pitches, and intervals come from resampling pitches.
Unknown is a value like any other, except for the figures that count only where both sides know a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from analyzer.agreement import statistics as st
from analyzer.agreement.compared_signals import kind, options, steps
from analyzer.agreement.competitors import matched
from analyzer.agreement.figures import FIGURES, Comparing, Counts, Figure, comparing
from analyzer.agreement.records import (
    AgreementSummary,
    CompetitorAgreement,
    CompetitorMatch,
    FigureValue,
    ReaderTest,
    SignalAgreement,
    ValueAgreement,
)
from analyzer.agreement.sides import Pair, Sides
from analyzer.agreement.statistics import Codes, Floats
from analyzer.framework.market import MarketMap
from analyzer.vocabulary.signals import UNKNOWN


class SignalCounts:
    """The counts of one signal. Pitches of which all sides say the same are counted as one kind of pitch.

    All sides use the same resamples, so that their differences can be taken sample by sample.
    """

    def __init__(self, name: str, codes: Codes, draws: int, seed: Sequence[int]):
        self.name = name
        self.patterns, self.counts = np.unique(codes, axis=0, return_counts=True)
        self.used = np.unique(self.patterns[self.patterns >= 0])
        self.empty = len(self.used) == 0
        self.values = [options(name)[code] for code in self.used]
        self.resamples = st.resampled(self.counts, draws, seed)

    def agreement(self, pairs: Sequence[Pair], between: Comparing) -> SignalAgreement | None:
        """The figures over these pairs of columns; None where no pitch has a pair."""
        tables = self._tables(pairs)
        n = int(self.counts[tables.sum((1, 2)) > 0].sum())
        if not n:
            return None
        total, _ = self._summed(tables)
        share = float(st.agreement(total))
        return SignalAgreement(
            n=n,
            figures={
                figure.name: self._value(figure, pairs, tables, n)
                for figure in FIGURES.values()
                if figure.applies(kind(self.name), between)
            },
            signal=self.name,
            needed=st.needed(share),
            by_value=tuple(
                ValueAgreement(
                    value,
                    extracted=float(total[:, place].sum()),
                    manual=float(total[place].sum()),
                    precision=_share(total[place, place], total[:, place].sum()),
                    recall=_share(total[place, place], total[place].sum()),
                )
                for place, value in enumerate(self.values)
            ),
            table=tuple(tuple(float(cell) for cell in row) for row in total),
        )

    def test(self, first: str, second: str, pairs: Sequence[Pair], others: Sequence[Pair]) -> ReaderTest | None:
        """Two readers over the pitches that both have read and some rater has scored; None where there are none."""
        tables = self._tables(pairs), self._tables(others)
        both = (tables[0].sum((1, 2)) > 0) & (tables[1].sum((1, 2)) > 0)
        if not both.any():
            return None
        right = [np.trace(side, axis1=1, axis2=2) for side in tables]
        better = int(self.counts[both & (right[0] > right[1] + 1e-9)].sum())
        worse = int(self.counts[both & (right[1] > right[0] + 1e-9)].sum())
        own, other = (self._summed(np.where(both[:, None, None], side, 0)) for side in tables)
        difference = st.estimate(float(st.kappa(own[0]) - st.kappa(other[0])), st.kappa(own[1]) - st.kappa(other[1]))
        p = st.sign_test(better, worse)
        return ReaderTest(self.name, first, second, int(self.counts[both].sum()), better, worse, p, p, difference)

    def _value(self, figure: Figure, pairs: Sequence[Pair], tables: Floats, n: int) -> FigureValue:
        unknown = np.array([value == UNKNOWN for value in self.values])
        counted = {
            "both_know": np.outer(~unknown, ~unknown),
            "rater_silent": np.outer(unknown, np.ones_like(unknown)),
            "rater_knows": np.outer(~unknown, np.ones_like(unknown)),
        }.get(figure.counted, np.ones((len(unknown), len(unknown)), bool))
        pitches = float((self._summed(tables)[0] * counted).sum())
        if figure.counted == "rater_pairs":
            tables = self._coincidences(pairs, tables)
        stacks = self._summed(tables * counted)
        return computed(figure, stacks, Counts(stacks[0], len(options(self.name)), self._steps(), unknown), pitches, n)

    def _steps(self) -> Floats:
        """The steps between the used values; 0 for unknown, which has no place on the scale."""
        known = [place for place, value in enumerate(self.values) if value != UNKNOWN]
        apart = np.zeros((len(self.values), len(self.values)))
        if known and self.name != "in_scope":
            codes = self.used[known]
            apart[np.ix_(known, known)] = steps(self.name)[np.ix_(codes, codes)]
        return apart

    def _tables(self, pairs: Sequence[Pair]) -> Floats:
        """A table for each kind of pitch, entries summing to 1: rows the right column's value, columns the left's."""
        size = len(self.used)
        tables = np.zeros((len(self.patterns), size, size))
        places = np.searchsorted(self.used, self.patterns)
        for left, right in pairs:
            valid = (self.patterns[:, left] >= 0) & (self.patterns[:, right] >= 0)
            rows = np.flatnonzero(valid)
            tables[rows, places[rows, right], places[rows, left]] += 1
        totals = tables.sum((1, 2), keepdims=True)
        return np.asarray(np.divide(tables, totals, out=tables, where=totals > 0))

    def _summed(self, tables: Floats) -> tuple[Floats, Floats]:
        """The table over all pitches, and over each resample."""
        flat = tables.reshape(len(tables), -1)
        size = tables.shape[1]
        return (self.counts @ flat).reshape(size, size), (self.resamples @ flat).reshape(-1, size, size)

    def _coincidences(self, pairs: Sequence[Pair], tables: Floats) -> Floats:
        columns = sorted({column for pair in pairs for column in pair})
        raters = (self.patterns[:, columns] >= 0).sum(1)
        return np.asarray((tables + tables.transpose(0, 2, 1)) / 2 * raters[:, None, None])


def computed(figure: Figure, stacks: tuple[Floats, Floats], counts: Counts, pitches: float, n: int) -> FigureValue:
    """A figure with its interval. `stacks`: the table over all pitches, and over each resample. `n`: pitches in all."""
    whole, drawn = stacks
    value = float(figure.of(replace(counts, tables=whole)))
    if np.isnan(value):
        return FigureValue(None, of=pitches)
    if figure.interval == "none":
        return FigureValue(value, of=pitches)
    if figure.interval == "wilson":
        low, high = st.wilson(value, n)
        return FigureValue(value, low, high, pitches)
    ends = st.interval(figure.of(replace(counts, tables=drawn)))
    return FigureValue(value, ends[0], ends[1], pitches)


def summary(
    sides: Sides, side: str, codes: Mapping[str, Codes], draws: int, seed: Sequence[int]
) -> AgreementSummary | None:
    """The mean over signals of the agreement on each pitch, then over pitches; None where no pitch has a pair."""
    same = np.zeros(len(sides.pitches))
    valued = np.zeros(len(sides.pitches))
    for name, matrix in codes.items():
        if name == "in_scope":
            continue
        for left, right in sides.pairs[side]:
            valid = (matrix[:, left] >= 0) & (matrix[:, right] >= 0)
            valued += valid
            same += valid & (matrix[:, left] == matrix[:, right])
    shares = same[valued > 0] / valued[valued > 0]
    if not len(shares):
        return None
    levels, counts = np.unique(shares.round(9), return_counts=True)
    drawn = st.resampled(counts, draws, seed) @ levels / len(shares)
    mean = float(shares.mean())
    needed = st.needed(mean)
    return AgreementSummary(len(shares), st.estimate(mean, drawn), needed, len(shares) >= needed)


def competitor_agreement(
    sides: Sides, side: str, market: MarketMap, draws: int, seed: Sequence[int]
) -> CompetitorAgreement | None:
    """Competitors as sets: how many names both sides have, and which; None where no pitch has a pair."""
    counts: list[Floats] = []
    matches: list[CompetitorMatch] = []
    for pitch in sides.pitches:
        cells = []
        for left, right in sides.pairs[side]:
            own, other = sides.competitors(left, pitch), sides.competitors(right, pitch)
            if own is None or other is None:
                continue
            both = matched(own, other, market)
            cells.append((len(both), len(other) - len(both), len(own) - len(both), 0))
            raters = sides.raters_of((left, right))
            matches += [CompetitorMatch(pitch, raters, own[one], other[two]) for one, two in both]
        if cells:
            counts.append(np.array(cells, np.float64).mean(0))
    if not counts:
        return None
    levels, often = np.unique(np.array(counts).round(9), axis=0, return_counts=True)
    total = (often @ levels).reshape(2, 2)
    drawn = (st.resampled(often, draws, seed) @ levels).reshape(-1, 2, 2)
    shape = Counts(total, 2, 1 - np.eye(2), np.array([False, False]))
    return CompetitorAgreement(
        n=len(counts),
        figures={
            figure.name: computed(figure, (total, drawn), shape, float(len(counts)), len(counts))
            for figure in FIGURES.values()
            if figure.applies("competitors", comparing(side))
        },
        extracted=float(total[:, 0].sum()),
        manual=float(total[0].sum()),
        matches=tuple(matches),
    )


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None
