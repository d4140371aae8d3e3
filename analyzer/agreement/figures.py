"""The figures of one signal: tables of who said what, over all pitches and over drawn samples of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from analyzer.agreement import statistics as st
from analyzer.agreement.records import PairTest, Share, SignalAgreement, ValueAgreement
from analyzer.agreement.statistics import Codes, Estimate, Floats
from analyzer.files.manual_scores import ORDERS, VALUES
from analyzer.vocabulary.orders import Order
from analyzer.vocabulary.signals import UNKNOWN

SCOPE: Final = ("true", "false")


def options(name: str) -> tuple[str, ...]:
    """Every value a reader or rater may give for a scored signal."""
    return SCOPE if name == "in_scope" else (*VALUES[name], UNKNOWN)


def steps(name: str) -> Floats:
    """How far apart any two values of a scored signal are (`Order.distance`), unknown left out; nowhere more than 1
    where the values have no order, or none longer than one step: then weights would change nothing."""
    values, order = options(name)[:-1], ORDERS.get(name, Order())
    return np.array([[order.distance(value, other) for other in values] for value in values], dtype=float)


class SignalFigures:
    """One signal's figures, over the kinds of pitches there are: pitches of which all say the same are counted once.

    All sides use the same drawn samples, so that their differences can be taken draw by draw.
    """

    def __init__(self, name: str, codes: Codes, draws: int, seed: Sequence[int]):
        self.name = name
        self.options = options(name)
        self.patterns, self.counts = np.unique(codes, axis=0, return_counts=True)
        self.seen = np.unique(self.patterns[self.patterns >= 0])
        self.there = len(self.seen) > 0
        self.drawn = st.resampled(self.counts, draws, seed)

    def agreement(self, pairs: Sequence[tuple[int, int]], between_raters: bool) -> SignalAgreement | None:
        """The figures over these pairs of columns; None where no pitch has a pair."""
        tables = self._tables(pairs)
        n = int(self.counts[tables.sum((1, 2)) > 0].sum())
        if not n:
            return None
        total, drawn = self._summed(tables)
        share = float(st.agreement(total))
        values = [self.options[code] for code in self.seen]
        known = [place for place, value in enumerate(values) if value != UNKNOWN]
        weighted = None
        if len(known) > 1 and steps(self.name).max(initial=0) > 1:
            codes = self.seen[known]
            apart = steps(self.name)[np.ix_(codes, codes)]
            inside = np.ix_(range(len(drawn)), known, known)
            whole, parts = total[np.ix_(known, known)], drawn[inside]
            weighted = st.estimate(float(st.kappa(whole, apart)), st.kappa(parts, apart))
        size = len(self.options)
        return SignalAgreement(
            signal=self.name,
            n=n,
            agreement=Estimate(share, *st.wilson(share, n)),
            needed=st.needed(share),
            kappa=st.estimate(float(st.kappa(total)), st.kappa(drawn)),
            weighted=weighted,
            weighted_n=float(total[np.ix_(known, known)].sum()),
            ac1=st.estimate(float(st.ac1(total, size)), st.ac1(drawn, size)),
            alpha=self._alpha(pairs) if between_raters else None,
            overclaimed=None if between_raters else self._off(total, values, claimed=True),
            missed=None if between_raters else self._off(total, values, claimed=False),
            by_value=tuple(
                ValueAgreement(
                    value,
                    float(total[:, place].sum()),
                    float(total[place].sum()),
                    _part(total[place, place], total[:, place].sum()),
                    _part(total[place, place], total[place].sum()),
                )
                for place, value in enumerate(values)
            ),
            table=tuple(tuple(float(cell) for cell in row) for row in total),
        )

    def test(
        self, first: str, second: str, pairs: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]]
    ) -> PairTest | None:
        """Two readers over the pitches of which both, and some rater, say something."""
        tables = self._tables(pairs), self._tables(others)
        both = (tables[0].sum((1, 2)) > 0) & (tables[1].sum((1, 2)) > 0)
        if not both.any():
            return None
        right = [np.trace(side, axis1=1, axis2=2) for side in tables]
        better = int(self.counts[both & (right[0] > right[1] + 1e-9)].sum())
        worse = int(self.counts[both & (right[1] > right[0] + 1e-9)].sum())
        own, other = (self._summed(np.where(both[:, None, None], side, 0)) for side in tables)
        apart = st.estimate(float(st.kappa(own[0]) - st.kappa(other[0])), st.kappa(own[1]) - st.kappa(other[1]))
        p = st.sign_test(better, worse)
        return PairTest(self.name, first, second, int(self.counts[both].sum()), better, worse, p, p, apart)

    def _tables(self, pairs: Sequence[tuple[int, int]]) -> Floats:
        """A table for each kind of pitch, entries summing to 1: rows the right column's value, columns the left's."""
        size = len(self.seen)
        tables = np.zeros((len(self.patterns), size, size))
        places = np.searchsorted(self.seen, self.patterns)
        for left, right in pairs:
            valid = (self.patterns[:, left] >= 0) & (self.patterns[:, right] >= 0)
            rows = np.flatnonzero(valid)
            tables[rows, places[rows, right], places[rows, left]] += 1
        totals = tables.sum((1, 2), keepdims=True)
        return np.asarray(np.divide(tables, totals, out=tables, where=totals > 0))

    def _summed(self, tables: Floats) -> tuple[Floats, Floats]:
        """The table over all pitches, and over each drawn sample."""
        flat = tables.reshape(len(tables), -1)
        size = tables.shape[1]
        return (self.counts @ flat).reshape(size, size), (self.drawn @ flat).reshape(-1, size, size)

    def _alpha(self, pairs: Sequence[tuple[int, int]]) -> Estimate:
        columns = sorted({column for pair in pairs for column in pair})
        said = (self.patterns[:, columns] >= 0).sum(1)
        tables = self._tables(pairs)
        both = (tables + tables.transpose(0, 2, 1)) / 2 * said[:, None, None]
        total, drawn = self._summed(both)
        return st.estimate(float(st.alpha(total)), st.alpha(drawn))

    def _off(self, total: Floats, values: Sequence[str], claimed: bool) -> Share | None:
        """How often the reader claims where the rater is silent, or is silent where the rater has a value."""
        if self.name == "in_scope":
            return None
        silent = np.array([value == UNKNOWN for value in values])
        rows = total[silent if claimed else ~silent]
        return Share(_part(rows[:, ~silent if claimed else silent].sum(), rows.sum()), float(rows.sum()))


def _part(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None
