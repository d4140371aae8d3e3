"""A comparison as people read it: in the terminal, as an HTML page, as Markdown for the docs, as CSV to score again."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from analyzer.agreement.competitors import ALIKE
from analyzer.agreement.records import (
    RATERS,
    Attribution,
    Comparison,
    Disagreement,
    RivalAgreement,
    ScoreAgreement,
    SignalAgreement,
    ValueAgreement,
)
from analyzer.agreement.statistics import Estimate
from analyzer.files.cells import plain_cell
from analyzer.files.disk import check_writable, write_whole
from analyzer.views.html import render_page
from analyzer.views.terminal import QUIET, cut, plain
from analyzer.vocabulary.labels import joined, title, word

_ISSUES: Final = 12
_SHOWN: Final = 10
_SURE: Final = 0.05
_TELLING: Final = 0.05
"""Points of a score that one decimal shows."""
_FINER: Final = {"stage": " (same lean)", "focus": " (same lean)", "competitors": " (same names, other kinds)"}
_TO_SETTLE: Final = (
    *("pitch_id", "signal", "reader", "extracted", "raters", "manual", "moves_score", "quotes", "rule"),
    *("notes", "settled", "remark"),
)
_WIDE: Final = 100
"""Columns from which a terminal has room for the intervals of kappa."""
CASES: Final = 200
"""Single cases that a report shows of each kind; all are in the CSV and the JSON."""
LARGEST_MAP: Final = 8
"""Values up to which a confusion table is drawn whole."""
NONE: Final = "–"


# ---------------------------------------------------------------- figures in words


def percent(share: float | None) -> str:
    """A share as whole percent; a dash where there is none."""
    return NONE if share is None else f"{share:.0%}"


def figure(estimate: Estimate | None) -> str:
    """Two decimals; a dash where the figure is not defined."""
    return NONE if estimate is None or estimate.value is None else f"{estimate.value:.2f}"


def between(estimate: Estimate | None, scale: float = 1, digits: int = 2) -> str:
    """The interval, "0.41 to 0.93"; empty where there is none."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return ""
    return f"{estimate.low * scale:.{digits}f} to {estimate.high * scale:.{digits}f}"


def side_name(comparison: Comparison, side: str) -> str:
    """A reader's name; for the raters against each other, theirs."""
    if side != RATERS:
        return side
    return " and ".join(rater.name for rater in comparison.raters) if len(comparison.raters) < 4 else "raters"


def headlines(comparison: Comparison) -> list[str]:
    """The one figure of each reader that may be quoted; where there is none yet, how many pitches it would take."""
    lines = []
    few: dict[int, list[str]] = {}
    for side, summary in comparison.summaries.items():
        name = side_name(comparison, side)
        if summary.quotable:
            lines.append(
                f"{name}: the same value in {percent(summary.agreement.value)} of cases, averaged over the signals "
                f"({between(summary.agreement, 100, 0) or 'all alike'}, {_pitches(summary.n)})."
            )
        else:
            few.setdefault(summary.n, []).append(f"{summary.needed} for {name}")
    for n, names in few.items():
        lines.append(
            f"{_pitches(n).capitalize()} {'are' if n != 1 else 'is'} too few for a single figure. With agreement as "
            f"seen here, it takes {joined(names)} to know it to ±10 points."
        )
    return lines


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A table of who said what, without the values that neither side gives; `rows` with their value; `confused`: the
    rater's value, reader's value and weight of every cell off the diagonal, the heaviest first."""

    values: tuple[ValueAgreement, ...]
    rows: tuple[tuple[ValueAgreement, tuple[float, ...]], ...]
    confused: tuple[tuple[str, str, float], ...]


def heat_map(found: SignalAgreement) -> HeatMap:
    """The table of a signal, ready to be drawn."""
    kept = [at for at, each in enumerate(found.by_value) if each.extracted or each.manual]
    values = tuple(found.by_value[at] for at in kept)
    rows = tuple((found.by_value[at], tuple(found.table[at][column] for column in kept)) for at in kept)
    confused = [
        (each.value, values[column].value, cell)
        for each, cells in rows
        for column, cell in enumerate(cells)
        if cell and each is not values[column]
    ]
    return HeatMap(values, rows, tuple(sorted(confused, key=lambda cell: -cell[2])))


def undefined(found: SignalAgreement) -> str:
    """Why there is no kappa, where there is none."""
    return "" if found.kappa.value is not None else "one value only: chance explains everything"


def attribution_line(found: Attribution) -> str:
    """Which signals a difference of scores comes from: "Urgency +4.4, Stage +0.4, together +3.7"."""
    parts = [
        f"{title(name)}{_FINER.get(name, '') if name in found.finer else ''} {moves:+.1f}"
        for name, moves in found.parts.items()
        if abs(moves) >= _TELLING
    ]
    if abs(found.together) >= _TELLING:
        parts.append(f"together {found.together:+.1f}")
    if found.left_to_rule is not None:
        parts.append(f"left to the rule {signed(found.left_to_rule)} (rater's overall {found.given:g})")
    return ", ".join(parts) or "no difference"


def differing(comparison: Comparison) -> list[tuple[Attribution, str]]:
    """Those of `alike` in which the scores differ, or the rater gave one that the rule does not explain."""
    return [
        each
        for each in alike(comparison)
        if max(abs(each[0].manual - each[0].extracted), abs(each[0].left_to_rule or 0)) >= _TELLING
    ]


def alike(comparison: Comparison) -> list[tuple[Attribution, str]]:
    """The differences of scores with their raters; raters whose difference has the same parts share a line."""
    grouped: dict[str, tuple[Attribution, list[str]]] = {}
    for found in comparison.attributions:
        key = json.dumps([found.reader, found.pitch, found.extracted, found.manual, attribution_line(found)])
        grouped.setdefault(key, (found, []))[1].append(found.rater)
    return [(found, ", ".join(raters)) for found, raters in grouped.values()]


def signed(number: float) -> str:
    """One decimal with its sign; "0.0" has none."""
    return "0.0" if abs(number) < _TELLING else f"{number:+.1f}"


def value(signal: str, found: str) -> str:
    """A signal's value in words; names of competitors stay as they are."""
    return found if signal == "competitors" and found != "unknown" else word(found)


def both_values(found: Disagreement) -> str:
    """What a reader and the raters say: "keywords: not said / a, b: practitioner"."""
    own, other = (value(found.signal, each) for each in (found.extracted, found.manual))
    return f"{found.reader}: {own} / {', '.join(found.raters)}: {other}"


def _pitches(n: int) -> str:
    return f"{n} pitch{'es' if n != 1 else ''}"


def moved(found: Disagreement) -> str:
    """What a disagreement does to the score: "+11.0"; a dash where a side has no score."""
    return NONE if found.moves is None else signed(found.moves)


def sides(comparison: Comparison) -> list[str]:
    """Readers that could be compared, and the raters among themselves last."""
    return [side for side, found in comparison.signals.items() if found]


def signal_names(comparison: Comparison) -> list[str]:
    """The signals that have figures, in the vocabulary's order."""
    return list(dict.fromkeys(name for found in comparison.signals.values() for name in found))


# ---------------------------------------------------------------- terminal


def print_comparison(console: Console, comparison: Comparison) -> None:
    """The comparison, what has to be known first, then figures, then single cases."""
    raters = ", ".join(rater.name for rater in comparison.raters)
    names = ", ".join(reader.name for reader in comparison.readers)
    console.print(Text(plain(f"{names} against {raters}: {_pitches(len(comparison.pitches))}"), style="bold"))
    for line in headlines(comparison):
        console.print(Text(plain(line)))
    _print_issues(console, comparison)
    if len(sides(comparison)) > 1:
        _print_overview(console, comparison)
    for side in sides(comparison):
        if side != RATERS:
            _print_side(console, comparison, side)
    _print_rivals(console, comparison)
    _print_scores(console, comparison)
    _print_tests(console, comparison)
    _print_attributions(console, comparison)
    _print_disagreements(console, comparison)
    told = f"Bootstrap: {comparison.draws:,} draws of pitches, seed {comparison.seed}. Rulebook {comparison.rulebook}."
    console.print()
    console.print(Text(told, style=QUIET))


def _print_issues(console: Console, comparison: Comparison) -> None:
    for issue in comparison.issues[:_ISSUES]:
        console.print(Text.assemble(("! ", "bold yellow"), plain(f"{issue.where}: {issue.text}")))
    if len(comparison.issues) > _ISSUES:
        console.print(Text(f"{len(comparison.issues) - _ISSUES} more of these with --json or --report.", style=QUIET))


def _heading(console: Console, text: str, note: str = "") -> None:
    console.print()
    console.print(Text(plain(text), style="bold"))
    if note:
        console.print(Text(note, style=QUIET))


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style=QUIET, padding=(0, 2, 0, 0))
    for heading, justify in columns:
        table.add_column(Text(plain(heading)), justify=justify)  # type: ignore[arg-type]
    return table


def _print_overview(console: Console, comparison: Comparison) -> None:
    _heading(console, "Agreement side by side", "Share with the same value, and kappa.")
    shown = sides(comparison)
    table = _table(("signal", "left"), *((side_name(comparison, side), "right") for side in shown))
    for name in signal_names(comparison):
        cells = []
        for side in shown:
            found = comparison.signals[side].get(name)
            cells.append(NONE if found is None else f"{percent(found.agreement.value)} {figure(found.kappa):>5}")
        table.add_row(title(name), *cells)
    console.print(table)


def _print_side(console: Console, comparison: Comparison, side: str) -> None:
    wide = console.width >= _WIDE
    _heading(console, f"{side} against {', '.join(rater.name for rater in comparison.raters)}")
    kappa = [("kappa", "right"), ("95%", "left")] if wide else [("kappa", "right")]
    table = _table(
        ("signal", "left"),
        ("n", "right"),
        ("same", "right"),
        ("95%", "left"),
        *kappa,
        ("AC1", "right"),
        ("adds", "right"),
        ("misses", "right"),
    )
    for name, found in comparison.signals[side].items():
        cells = [title(name), str(found.n), percent(found.agreement.value), between(found.agreement, 100, 0)]
        cells += [figure(found.kappa), between(found.kappa)] if wide else [figure(found.kappa)]
        off = [percent(share.share) if share else NONE for share in (found.overclaimed, found.missed)]
        table.add_row(*cells, figure(found.ac1), *off)
    console.print(table)
    console.print(
        Text(
            "adds: a value where the rater says unknown; misses: unknown where the rater has a value. A dash: not "
            "defined. Where all agree, the kappas of this sample say nothing about others.",
            style=QUIET,
        )
    )


def _print_rivals(console: Console, comparison: Comparison) -> None:
    if not comparison.competitors:
        return
    _heading(console, "Alternatives named, as sets", rivals_rule())
    table = _table(("", "left"), ("named", "right"), ("by raters", "right"), ("right", "right"), ("found", "right"))
    table.add_column("F1", justify="right")
    table.add_column("95%")
    for side, found in comparison.competitors.items():
        row = [f"{found.extracted:g}", f"{found.manual:g}", *_rates(found)]
        table.add_row(Text(plain(side_name(comparison, side))), *row, figure(found.f1), between(found.f1))
    console.print(table)


def rivals_rule() -> str:
    """How names of competitors are matched, in words."""
    return (
        f"Two names are one if the market map says so, or if they are spelled alike (token_set_ratio of {ALIKE:g} or "
        f"more) and the map does not know them for two."
    )


def _rates(found: RivalAgreement) -> list[str]:
    return [percent(found.precision.value), percent(found.recall.value)]


def _print_scores(console: Console, comparison: Comparison) -> None:
    if not comparison.scores:
        return
    _heading(
        console, "Overall scores, 0 to 100", "Differences are the first minus the second; limits hold 95% of them."
    )
    wide = console.width >= _WIDE
    more = (("r", "right"), ("tau", "right")) if wide else ()
    heads = (("first", "left"), ("second", "left"), ("n", "right"), ("rho", "right"), *more)
    table = _table(*heads, ("mean difference", "right"), ("limits", "left"))
    for scores in comparison.scores:
        names = (Text(plain(name)) for name in (scores.left, scores.right))
        others = (figure(scores.pearson), figure(scores.kendall)) if wide else ()
        rho = figure(scores.spearman)
        table.add_row(*names, str(scores.n), rho, *others, mean_difference(scores), limits(scores))
    console.print(table)
    told = "rho: Spearman." + (
        " r: Pearson, tau: Kendall." if wide else " Pearson and Kendall with --json or --report."
    )
    console.print(Text(told, style=QUIET))


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


def _print_tests(console: Console, comparison: Comparison) -> None:
    if not comparison.tests:
        return
    _heading(console, "Which reader agrees more")
    for line in told_apart(comparison):
        console.print(Text(plain(line)))


def told_apart(comparison: Comparison) -> list[str]:
    """The signals on which readers differ for sure, or that there is none."""
    sure = [
        f"{title(test.signal)}: {test.first} agrees more in {test.first_better}, {test.second} in "
        f"{test.second_better} of {_pitches(test.n)} (p {test.p_holm:.3f}, exact sign test, Holm for "
        f"{len(comparison.tests)})."
        for test in comparison.tests
        if test.p_holm < _SURE
    ]
    return sure or [_nothing_sure(comparison)]


def _nothing_sure(comparison: Comparison) -> str:
    least = min(comparison.tests, key=lambda test: (test.p, test.signal))
    return (
        f"On no signal can the readers be told apart (exact sign tests, Holm for {len(comparison.tests)}). Nearest: "
        f"{title(least.signal)}, {least.first} better in {least.first_better} and {least.second} in "
        f"{least.second_better} of {_pitches(least.n)}, p {least.p:.2f} before correction."
    )


def _print_attributions(console: Console, comparison: Comparison) -> None:
    shown = differing(comparison)
    if not shown:
        return
    _heading(console, "Where scores differ most", "Each signal alone put as the rater scored it.")
    for found, raters in shown[: _SHOWN // 2]:
        head = f"{found.pitch}: {found.reader} {found.extracted:.1f}, {raters} {found.manual:.1f}"
        console.print(Text(plain(head), style="bold"))
        console.print(Padding(Text(plain(attribution_line(found))), (0, 0, 0, 8), expand=False))
    if len(shown) > _SHOWN // 2:
        console.print(Text(f"{len(shown) - _SHOWN // 2} more with --json or --report.", style=QUIET))


def _print_disagreements(console: Console, comparison: Comparison) -> None:
    if not comparison.disagreements:
        return
    _heading(console, "Disagreements, those first that move the score most")
    for found in comparison.disagreements[:_SHOWN]:
        head = plain(f"{found.pitch}, {title(found.signal)}")
        console.print(Text.assemble(f"{moved(found):>6}  ", (head, "bold"), f"  {plain(both_values(found))}"))
        if found.quotes:
            quote = Text(f'"{cut(found.quotes[0], 160)}"', style=QUIET)
            console.print(Padding(quote, (0, 0, 0, 8), expand=False))
        for note in found.notes:
            console.print(Padding(Text(f"Note by {cut(plain(note), 160)}", style=QUIET), (0, 0, 0, 8), expand=False))
    if len(comparison.disagreements) > _SHOWN:
        left = len(comparison.disagreements) - _SHOWN
        console.print(Text(f"{left} more with --report, --disagreements or --json.", style=QUIET))


# ---------------------------------------------------------------- files


def comparison_html(comparison: Comparison) -> str:
    """The comparison as one HTML page that loads nothing."""
    own = sys.modules[__name__]
    return render_page("comparison.html", c=comparison, v=own, raters=RATERS, plots=_plots(comparison.scores))


def write_comparison(path: Path, comparison: Comparison) -> None:
    """Writes the HTML page whole or not at all. Raises OutputError."""
    write_whole(path, comparison_html(comparison))


def check_outputs(report: Path | None, disagreements: Path | None, inputs: Iterable[Path] = ()) -> None:
    """Raises OutputError unless both files can be written and are none of the inputs, before anything is read."""
    inputs = tuple(inputs)
    for path, ending, what in (
        (report, ".html", "a comparison's report"),
        (disagreements, ".csv", "a table of disagreements"),
    ):
        if path is not None:
            check_writable(path, what, (ending,), inputs)


def disagreements_csv(comparison: Comparison) -> str:
    """The disagreements to be settled: both values, the quotes and the rule, with empty cells for value and remark.

    Text that a spreadsheet would run is made harmless (`words.plain_cell`).
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_TO_SETTLE)
    for found in comparison.disagreements:
        cells = [found.pitch, found.signal, found.reader, found.extracted, "; ".join(found.raters), found.manual]
        moves = "" if found.moves is None else f"{found.moves:.2f}"
        writer.writerow(
            [
                *(*map(plain_cell, cells), moves, plain_cell(" / ".join(found.quotes)), plain_cell(found.rule)),
                *(plain_cell(" / ".join(found.notes)), "", ""),
            ]
        )
    return out.getvalue()


def write_disagreements(path: Path, comparison: Comparison) -> None:
    """Writes the disagreements as CSV, with the mark by which spreadsheets know UTF-8. Raises OutputError."""
    write_whole(path, "\ufeff" + disagreements_csv(comparison))


def comparison_markdown(comparison: Comparison) -> str:
    """The figures as Markdown tables, two decimals, for the docs; no text of a pitch in them."""
    lines: list[str] = []
    shown = sides(comparison)
    for line in headlines(comparison):
        lines += [line, ""]
    for side in shown:
        lines += [f"## {_against(comparison, side)}", "", *_markdown_side(comparison, side), ""]
    lines += ["## Alternatives named, as sets", "", rivals_rule(), ""]
    rows = [
        [side_name(comparison, side), f"{f.extracted:g}", f"{f.manual:g}", *_rates(f), figure(f.f1), between(f.f1)]
        for side, f in comparison.competitors.items()
    ]
    lines += [*_markdown(["", "named", "by raters", "right", "found", "F1", "95%"], rows, left=1), ""]
    lines += ["## Overall scores", "", _SCORES_NOTE, ""]
    rows = [
        [
            s.left,
            s.right,
            str(s.n),
            _with(s.pearson),
            _with(s.spearman),
            figure(s.kendall),
            mean_difference(s),
            limits(s),
        ]
        for s in comparison.scores
    ]
    heads = ["first", "second", "n", "Pearson", "Spearman", "Kendall", "mean difference", "limits of agreement"]
    lines += [*_markdown(heads, rows, left=2), ""]
    if comparison.tests:
        lines += ["## Reader against reader", "", *told_apart(comparison), ""]
        rows = [
            [
                title(t.signal),
                f"{t.first_better}",
                f"{t.second_better}",
                f"{t.p:.2f}",
                f"{t.p_holm:.2f}",
                _with(t.kappa_difference),
            ]
            for t in comparison.tests
            if t.first_better + t.second_better
        ]
        first, second = comparison.tests[0].first, comparison.tests[0].second
        heads = ["signal", f"{first} nearer", f"{second} nearer", "p", "p, Holm", "difference of kappa"]
        lines += [*_markdown(heads, rows, left=1), ""]
    return "\n".join(lines).rstrip() + "\n"


_SCORES_NOTE: Final = (
    "From 0 to 100. Differences are the first minus the second, with the interval of their mean; 95% of differences "
    "lie between the limits of agreement if they are normal."
)


def _against(comparison: Comparison, side: str) -> str:
    raters = " and ".join(rater.name for rater in comparison.raters)
    return f"Rater against rater: {raters}" if side == RATERS else f"{side} against {raters}"


def _with(estimate: Estimate | None) -> str:
    interval = between(estimate)
    return figure(estimate) + (f" ({interval})" if interval else "")


def _markdown_side(comparison: Comparison, side: str) -> list[str]:
    heads = ["signal", "n", "same", "95%", "kappa", "weighted", "AC1"]
    heads += ["alpha"] if side == RATERS else ["adds", "misses"]
    rows = []
    for name, found in comparison.signals[side].items():
        last = [figure(found.alpha)]
        if side != RATERS:
            last = [percent(share.share) if share else NONE for share in (found.overclaimed, found.missed)]
        rows.append(
            [
                title(name),
                str(found.n),
                percent(found.agreement.value),
                between(found.agreement, 100, 0),
                _with(found.kappa),
                figure(found.weighted),
                _with(found.ac1),
                *last,
            ]
        )
    return _markdown(heads, rows, left=1)


def _markdown(heads: Sequence[str], rows: Iterable[Sequence[str]], left: int) -> list[str]:
    marks = ["---"] * left + ["---:"] * (len(heads) - left)
    return [f"| {' | '.join(cells)} |" for cells in (heads, marks, *rows)]


# ---------------------------------------------------------------- pictures


_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 390.0, 12.0, 196.0


def _plots(scores: Sequence[ScoreAgreement]) -> list[dict[str, Any]]:
    """Bland-Altman plots as places in a picture of 400 by 230: mean of the two scores across, difference upwards."""
    plots = []
    for found in scores:
        if found.limits is None:
            continue
        spread = found.limits
        ends = [e for each in (spread.mean, spread.low, spread.high) for e in (each.low, each.high) if e is not None]
        reach = max(1.0, *(abs(end) for end in ends), *(abs(a - b) for _, a, b in found.points)) * 1.05
        means = [(a + b) / 2 for _, a, b in found.points]
        first, last = min(means) - 2, max(means) + 2

        def across(mean: float, first: float = first, last: float = last) -> float:
            return round(_LEFT + (_RIGHT - _LEFT) * (mean - first) / (last - first), 1)

        def up(difference: float, reach: float = reach) -> float:
            return round((_TOP + _BOTTOM) / 2 - (_BOTTOM - _TOP) / 2 * difference / reach, 1)

        lines = [
            {"name": name, "at": up(each.value or 0), "top": up(each.high or 0), "bottom": up(each.low or 0)}
            | {"told": signed(each.value or 0)}
            for name, each in (("mean", spread.mean), ("lower limit", spread.low), ("upper limit", spread.high))
        ]
        dots = [
            {"x": across((a + b) / 2), "y": up(a - b), "told": f"{pitch}: {a:.1f}, {b:.1f}"}
            for pitch, a, b in found.points
        ]
        plots.append(
            {"scores": found, "lines": lines, "dots": dots, "zero": up(0), "first": first + 2, "last": last - 2}
        )
    return plots
