"""The figures of agreement: each is one registered function of counts.

To add a figure, write its function here and register it with `figure`. The records, the JSON, the terminal, the HTML
report, the page and the table in docs/agreement.md follow from the registry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from analyzer.agreement import statistics as st
from analyzer.agreement.compared_signals import SignalKind
from analyzer.agreement.statistics import Floats

Comparing = Literal["reader", "raters"]
"""A reader with the raters, or the raters with each other."""
CountedPitches = Literal["all", "both_know", "rater_silent", "rater_knows", "rater_pairs"]
"""Which pitches a figure counts: all; those where both sides know a value; those where the rater says unknown; those
where the rater knows a value; all, with every pair of raters on a pitch as in Krippendorff's coincidences."""
IntervalMethod = Literal["bootstrap", "wilson", "none"]

SIGNALS: Final[tuple[SignalKind, ...]] = ("scope", "ordered", "unordered")
"""The kinds of signal that have one value for each pitch."""
VALUED: Final[tuple[SignalKind, ...]] = ("ordered", "unordered")
"""The kinds of signal of which a pitch may say nothing."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How often values meet: one (K, K) table, or a stack (…, K, K) of them, one for each resample of the pitches.

    Rows are the rater's values, columns the reader's; entries are numbers of pitches, and may be fractions where a
    pitch has several raters. `options`: how many values there are to choose from. `steps`: how many steps apart two
    values are, (K, K). `unknown`: which of the K values is unknown. Of competitors, the two values are "named" and
    "not named", counted in names.
    """

    tables: Floats
    options: int
    steps: Floats
    unknown: np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of agreement.

    `name`: its key in records and JSON. `title`: the heading of its column. `meaning`: one sentence. `kinds`: the
    signals it applies to. `comparing`: whom it compares. `percent`: it is shown as a percentage, else with two
    decimals. `brief`: it is also shown in the terminal.
    """

    name: str
    title: str
    meaning: str
    of: Callable[[Counts], Floats]
    kinds: tuple[SignalKind, ...]
    comparing: tuple[Comparing, ...]
    counted: CountedPitches
    interval: IntervalMethod
    percent: bool
    brief: bool

    def applies(self, kind: SignalKind, comparing: Comparing) -> bool:
        """Whether the figure is computed for a signal of this kind and these sides."""
        return kind in self.kinds and comparing in self.comparing


RATERS: Final = "raters"
"""The name under which results hold the raters compared with each other, next to the readers."""


def comparing(side: str) -> Comparing:
    """Whom a side of a comparison compares: a reader with the raters, or the raters with each other."""
    return "raters" if side == RATERS else "reader"


FIGURES: Final[dict[str, Figure]] = {}
"""Every figure by name, in the order in which columns are shown."""


def figure(
    title: str,
    kinds: tuple[SignalKind, ...],
    *,
    comparing: tuple[Comparing, ...] = ("reader", "raters"),
    counted: CountedPitches = "all",
    interval: IntervalMethod = "bootstrap",
    percent: bool = False,
    brief: bool = True,
) -> Callable[[Callable[[Counts], Floats]], Callable[[Counts], Floats]]:
    """Register a function of counts as a figure: its name is the key, its docstring the meaning."""

    def register(of: Callable[[Counts], Floats]) -> Callable[[Counts], Floats]:
        name, meaning = of.__name__, " ".join((of.__doc__ or "").split())
        if not meaning or name in FIGURES:
            fault = "is registered twice" if meaning else "needs a docstring that says what it means"
            raise TypeError(f"figure {name} {fault}")
        FIGURES[name] = Figure(name, title, meaning, of, kinds, comparing, counted, interval, percent, brief)
        return of

    return register


# ---------------------------------------------------------------- signals with one value for each pitch


@figure("same", SIGNALS, interval="wilson", percent=True)
def agreement(counts: Counts) -> Floats:
    """The share of pitches with the same value; unknown is a value like any other."""
    return st.agreement(counts.tables)


@figure("kappa", SIGNALS)
def kappa(counts: Counts) -> Floats:
    """Cohen's kappa: agreement beyond chance, from 0 (chance) to 1 (perfect)."""
    return st.kappa(counts.tables)


@figure("weighted", ("ordered",), counted="both_know", brief=False)
def weighted(counts: Counts) -> Floats:
    """Cohen's kappa in which a difference counts by its steps on the signal's scale."""
    return st.kappa(counts.tables, counts.steps)


@figure("AC1", SIGNALS)
def ac1(counts: Counts) -> Floats:
    """Gwet's AC1: agreement beyond chance that stays high where nearly all pitches have the same value."""
    return st.ac1(counts.tables, counts.options)


@figure("alpha", SIGNALS, comparing=("raters",), counted="rater_pairs", brief=False)
def alpha(counts: Counts) -> Floats:
    """Krippendorff's alpha: agreement beyond chance among any number of raters."""
    return st.alpha(counts.tables)


@figure("adds", VALUED, comparing=("reader",), counted="rater_silent", interval="none", percent=True)
def overclaimed(counts: Counts) -> Floats:
    """How often the reader gives a value where the rater says unknown."""
    return 1 - st.agreement(counts.tables)


@figure("misses", VALUED, comparing=("reader",), counted="rater_knows", interval="none", percent=True)
def missed(counts: Counts) -> Floats:
    """How often the reader says unknown where the rater gives a value."""
    return st.ratio(counts.tables[..., counts.unknown].sum((-2, -1)), counts.tables.sum((-2, -1)))


# ---------------------------------------------------------------- competitors


@figure("precision", ("competitors",), percent=True)
def precision(counts: Counts) -> Floats:
    """The share of the reader's competitors that the rater names too."""
    return st.ratio(counts.tables[..., 0, 0], counts.tables[..., 0].sum(-1))


@figure("recall", ("competitors",), percent=True)
def recall(counts: Counts) -> Floats:
    """The share of the rater's competitors that the reader names too."""
    return st.ratio(counts.tables[..., 0, 0], counts.tables[..., 0, :].sum(-1))


@figure("F1", ("competitors",))
def f1(counts: Counts) -> Floats:
    """The harmonic mean of precision and recall."""
    both = 2 * counts.tables[..., 0, 0]
    return st.ratio(both, counts.tables[..., 0].sum(-1) + counts.tables[..., 0, :].sum(-1))
