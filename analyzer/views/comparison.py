"""The content of a comparison, decided once for terminal, HTML report, Markdown and page: figures, names, sentences."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from analyzer.agreement.figures import FIGURES, RATERS, SIGNALS, Figure, comparing
from analyzer.agreement.records import (
    Agreement,
    Attribution,
    Comparison,
    Disagreement,
    ScoreAgreement,
    SignalAgreement,
    ValueAgreement,
)
from analyzer.agreement.statistics import Measured
from analyzer.framework.names import ALIKE
from analyzer.vocabulary.labels import joined, title, value_word
from analyzer.vocabulary.records import UNKNOWN

CASES: Final = 200
"""Single cases that a report shows of each kind; all are in the CSV and the JSON."""
LARGEST_MAP: Final = 8
"""Values up to which a confusion table is drawn whole."""
NONE: Final = "–"
SCORES_NOTE: Final = (
    "From 0 to 100. Differences are the first minus the second, with the interval of their mean; 95% of differences "
    "lie between the limits of agreement if they are about normal."
)
_SIGNIFICANT: Final = 0.05
_VISIBLE: Final = 0.05
"""The least difference of scores, in points, that one decimal shows."""
_FINER: Final = {"stage": " (same lean)", "focus": " (same lean)", "competitors": " (same names, other kinds)"}


# ---------------------------------------------------------------- figures in words


def percent(share: float | None) -> str:
    """A share as whole percent; a dash where there is none."""
    return NONE if share is None else f"{share:.0%}"


def number(measured: Measured | None) -> str:
    """Two decimals; a dash where the figure is undefined."""
    return NONE if measured is None or measured.value is None else f"{measured.value:.2f}"


def between(measured: Measured | None, scale: float = 1, digits: int = 2) -> str:
    """The interval, "0.41 to 0.93"; empty where there is none."""
    if measured is None or measured.low is None or measured.high is None:
        return ""
    return f"{measured.low * scale:.{digits}f} to {measured.high * scale:.{digits}f}"


def shown_figures(side: str, brief: bool = False) -> list[Figure]:
    """The figures of a side's signals, in the order of their columns; with `brief`, those that a terminal shows."""
    return [
        figure
        for figure in FIGURES.values()
        if any(figure.applies(kind, comparing(side)) for kind in SIGNALS) and (figure.brief or not brief)
    ]


def competitor_figures() -> list[Figure]:
    """The figures of competitors, in the order of their columns."""
    return [figure for figure in FIGURES.values() if "competitors" in figure.kinds]


def figure_text(figure: Figure, agreement: Agreement, interval: bool = True) -> str:
    """A figure in a cell of a table: "93% (70 to 99)", "0.82 (0.53 to 1.00)"; a dash where it is undefined."""
    value = agreement[figure.name]
    ends = between(value, 100, 0) if figure.percent else between(value)
    return (percent(value.value) if figure.percent else number(value)) + (f" ({ends})" if ends and interval else "")


def with_interval(measured: Measured | None) -> str:
    """Two decimals with their interval: "0.82 (0.53 to 1.00)"; a dash where the figure is undefined."""
    ends = between(measured)
    return number(measured) + (f" ({ends})" if ends else "")


def agreement_table(comparison: Comparison, side: str) -> tuple[list[str], list[list[str]]]:
    """The heads and rows of a side's table: a row for each signal, a column for each figure."""
    figures = shown_figures(side)
    heads = ["signal", "n", *(figure.title for figure in figures)]
    rows = [
        [title(name), str(agreement.n), *(figure_text(figure, agreement) for figure in figures)]
        for name, agreement in comparison.signals[side].items()
    ]
    return heads, rows


def competitor_table(comparison: Comparison, interval: bool = True) -> tuple[list[str], list[list[str]]]:
    """The heads and rows of the table of competitors: a row for each side."""
    figures = competitor_figures()
    heads = ["", "by reader", "by raters", *(figure.title for figure in figures)]
    return heads, [
        [
            side_name(comparison, side),
            *(f"{count:g}" for count in (agreement.extracted, agreement.manual)),
            *(figure_text(figure, agreement, interval) for figure in figures),
        ]
        for side, agreement in comparison.competitors.items()
    ]


def meanings(figures: Sequence[Figure]) -> list[str]:
    """What each figure means, one line each: "adds: How often the reader gives …"."""
    return [f"{figure.title}: {figure.meaning}" for figure in figures]


def side_name(comparison: Comparison, side: str) -> str:
    """A reader's name; for the raters compared with each other, theirs."""
    if side != RATERS:
        return side
    return " and ".join(rater.name for rater in comparison.raters) if len(comparison.raters) < 4 else "raters"


def headlines(comparison: Comparison) -> list[str]:
    """The one figure of each reader that can be quoted; where the pitches are too few, how many it takes."""
    lines = []
    few: dict[int, list[str]] = {}
    for side, summary in comparison.summaries.items():
        name = side_name(comparison, side)
        if summary.quotable:
            lines.append(
                f"{name}: same value in {percent(summary.agreement.value)} of cases, averaged over the signals "
                f"({between(summary.agreement, 100, 0) or 'all agree'}, {pitches(summary.n)})."
            )
        else:
            few.setdefault(summary.n, []).append(f"{summary.needed} for {name}")
    for n, names in few.items():
        lines.append(
            f"{pitches(n).capitalize()} {'are' if n != 1 else 'is'} too few for a single figure. With agreement as "
            f"high as here, it takes {joined(names)} to know it to ±10 points."
        )
    return lines


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A table of who says what, without the values that neither side uses. `rows`: with their value. `confused`: the
    rater's value, the reader's value and the count of every cell off the diagonal, largest count first."""

    values: tuple[ValueAgreement, ...]
    rows: tuple[tuple[ValueAgreement, tuple[float, ...]], ...]
    confused: tuple[tuple[str, str, float], ...]


def heat_map(agreement: SignalAgreement) -> HeatMap:
    """The table of a signal, ready to be drawn."""
    used = [at for at, each in enumerate(agreement.by_value) if each.extracted or each.manual]
    values = tuple(agreement.by_value[at] for at in used)
    rows = tuple((agreement.by_value[at], tuple(agreement.table[at][column] for column in used)) for at in used)
    confused = [
        (each.value, values[column].value, cell)
        for each, cells in rows
        for column, cell in enumerate(cells)
        if cell and each is not values[column]
    ]
    return HeatMap(values, rows, tuple(sorted(confused, key=lambda cell: -cell[2])))


def attribution_line(found: Attribution) -> str:
    """Which signals a difference of scores comes from: "Urgency +4.4, Stage +0.4, together +3.7"."""
    parts = [
        f"{title(name)}{_FINER.get(name, '') if name in found.finer else ''} {moves:+.1f}"
        for name, moves in found.parts.items()
        if abs(moves) >= _VISIBLE
    ]
    if abs(found.together) >= _VISIBLE:
        parts.append(f"together {found.together:+.1f}")
    if found.left_to_rule is not None:
        parts.append(f"not from the signals {signed(found.left_to_rule)} (rater's overall {found.rater_overall:g})")
    return ", ".join(parts) or "no difference"


def differing(comparison: Comparison) -> list[tuple[Attribution, str]]:
    """Those of `by_raters` in which the scores differ, or the rater's overall differs from the rulebook's."""
    return [
        each
        for each in by_raters(comparison)
        if max(abs(each[0].manual - each[0].extracted), abs(each[0].left_to_rule or 0)) >= _VISIBLE
    ]


def by_raters(comparison: Comparison) -> list[tuple[Attribution, str]]:
    """The differences of scores with their raters; raters with the same difference share a line."""
    grouped: dict[str, tuple[Attribution, list[str]]] = {}
    for found in comparison.attributions:
        key = json.dumps([found.reader, found.pitch, found.extracted, found.manual, attribution_line(found)])
        grouped.setdefault(key, (found, []))[1].append(found.rater)
    return [(found, ", ".join(raters)) for found, raters in grouped.values()]


def signed(number: float) -> str:
    """One decimal with its sign; "0.0" has none."""
    return "0.0" if abs(number) < _VISIBLE else f"{number:+.1f}"


def value_words(signal: str, value: str) -> str:
    """A signal's value in words; names of competitors stay as they are."""
    return value if signal == "competitors" and value != UNKNOWN else value_word(signal, value)


def both_values(found: Disagreement) -> str:
    """The values of a reader and the raters: "keywords: not stated / a, b: practitioner"."""
    own, other = (value_words(found.signal, each) for each in (found.extracted, found.manual))
    return f"{found.reader}: {own} / {', '.join(found.raters)}: {other}"


def pitches(n: int) -> str:
    """A number of pitches: "1 pitch", "15 pitches"."""
    return f"{n} pitch{'es' if n != 1 else ''}"


def moved(found: Disagreement) -> str:
    """The effect of a disagreement on the score: "+11.0"; a dash where a side has no score."""
    return NONE if found.moves is None else signed(found.moves)


def sides(comparison: Comparison) -> list[str]:
    """The readers that could be compared, and the raters with each other last."""
    return [side for side, found in comparison.signals.items() if found]


def signal_names(comparison: Comparison) -> list[str]:
    """The signals that have figures, in the vocabulary's order."""
    return list(dict.fromkeys(name for found in comparison.signals.values() for name in found))


def competitors_rule() -> str:
    """The rule by which names of competitors match."""
    return (
        "Two names match if they are one player of the market map, or if they are spelled alike, in any order of their "
        f"words (a likeness of {ALIKE:g} of 100 or more), and the map does not list them as two players."
    )


def mean_difference(scores: ScoreAgreement) -> str:
    """The mean difference with its interval: "-1.5 (-4.0 to 1.0)"."""
    if scores.limits is None or scores.limits.mean.value is None:
        return NONE
    return f"{signed(scores.limits.mean.value)} ({between(scores.limits.mean, 1, 1)})"


def limits(scores: ScoreAgreement) -> str:
    """The limits of agreement: "-10.4 to 7.3"."""
    if scores.limits is None or scores.limits.low.value is None or scores.limits.high.value is None:
        return NONE
    return f"{scores.limits.low.value:.1f} to {scores.limits.high.value:.1f}"


def reader_differences(comparison: Comparison) -> list[str]:
    """The signals on which readers differ significantly, or a sentence that there is none."""
    significant = [
        f"{title(test.signal)}: {test.first} agrees more in {test.first_better}, {test.second} in "
        f"{test.second_better} of {pitches(test.n)} (p {test.p_holm:.3f}, exact sign test, Holm for "
        f"{len(comparison.tests)})."
        for test in comparison.tests
        if test.p_holm < _SIGNIFICANT
    ]
    return significant or [_nothing_significant(comparison)]


def _nothing_significant(comparison: Comparison) -> str:
    least = min(comparison.tests, key=lambda test: (test.p, test.signal))
    return (
        f"The readers do not differ significantly on any signal (exact sign tests, Holm for {len(comparison.tests)}). "
        f"Closest: "
        f"{title(least.signal)}, {least.first} better in {least.first_better} and {least.second} in "
        f"{least.second_better} of {pitches(least.n)}, p {least.p:.2f} before correction."
    )
