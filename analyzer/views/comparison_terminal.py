"""A comparison in the terminal: what to know first, then figures, then single cases."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from analyzer.agreement.figures import RATERS
from analyzer.agreement.records import Comparison
from analyzer.views.comparison import (
    NONE,
    attribution_line,
    both_values,
    competitor_table,
    competitors_rule,
    differing,
    figure_text,
    headlines,
    limits,
    mean_difference,
    meanings,
    moved,
    number,
    percent,
    pitches,
    reader_differences,
    shown_figures,
    side_name,
    sides,
    signal_names,
)
from analyzer.views.terminal import QUIET, cut, plain
from analyzer.vocabulary.labels import title

_NOTES: Final = 12
_SHOWN: Final = 10
_WIDE: Final = 110
"""Columns from which a terminal has room for the intervals of kappa."""


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Print what to know first, then figures, then single cases."""
    raters = ", ".join(rater.name for rater in comparison.raters)
    names = ", ".join(reader.name for reader in comparison.readers)
    console.print(Text(plain(f"{names} against {raters}: {pitches(len(comparison.pitches))}"), style="bold"))
    for line in headlines(comparison):
        console.print(Text(plain(line)))
    _print_notes(console, comparison)
    if len(sides(comparison)) > 1:
        _print_overview(console, comparison)
    for side in sides(comparison):
        if side != RATERS:
            _print_side(console, comparison, side)
    _print_meanings(console, comparison)
    _print_competitors(console, comparison)
    _print_scores(console, comparison)
    _print_tests(console, comparison)
    _print_attributions(console, comparison)
    _print_disagreements(console, comparison)
    draws = f"{comparison.draws:,} resamples of the pitches, seed {comparison.seed}"
    method = f"Intervals: {draws}. Rulebook {comparison.rulebook}."
    console.print()
    console.print(Text(method, style=QUIET))


def _print_notes(console: Console, comparison: Comparison) -> None:
    for note in comparison.issues[:_NOTES]:
        console.print(Text.assemble(("! ", "bold yellow"), plain(f"{note.where}: {note.text}")))
    if len(comparison.issues) > _NOTES:
        console.print(Text(f"{len(comparison.issues) - _NOTES} more with --json or --report.", style=QUIET))


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
    _heading(console, "Agreement at a glance", "Share of pitches with the same value, and kappa.")
    shown = sides(comparison)
    table = _table(("signal", "left"), *((side_name(comparison, side), "right") for side in shown))
    for name in signal_names(comparison):
        cells = []
        for side in shown:
            agreement = comparison.signals[side].get(name)
            both = agreement and f"{percent(agreement['agreement'].value)} {number(agreement['kappa']):>5}"
            cells.append(both or NONE)
        table.add_row(title(name), *cells)
    console.print(table)


def _print_side(console: Console, comparison: Comparison, side: str) -> None:
    wide = console.width >= _WIDE
    figures = shown_figures(side, brief=True)
    _heading(console, f"{side} against {', '.join(rater.name for rater in comparison.raters)}")
    table = _table(("signal", "left"), ("n", "right"), *((figure.title, "right") for figure in figures))
    for name, agreement in comparison.signals[side].items():
        cells = [figure_text(figure, agreement, interval=figure.percent or wide) for figure in figures]
        table.add_row(title(name), str(agreement.n), *cells)
    console.print(table)


def _print_meanings(console: Console, comparison: Comparison) -> None:
    figures = {
        figure.name: figure for side in sides(comparison) if side != RATERS for figure in shown_figures(side, True)
    }
    console.print()
    for line in meanings(list(figures.values())):
        console.print(Text(line, style=QUIET))
    console.print(Text(f"Brackets: 95% interval. {NONE}: undefined.", style=QUIET))


def _print_competitors(console: Console, comparison: Comparison) -> None:
    if not comparison.competitors:
        return
    _heading(console, "Competitors, as sets", competitors_rule())
    heads, rows = competitor_table(comparison, interval=console.width >= _WIDE)
    table = _table((heads[0], "left"), *((head, "right") for head in heads[1:]))
    for name, *cells in rows:
        table.add_row(Text(plain(name)), *cells)
    console.print(table)


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
        others = (number(scores.pearson), number(scores.kendall)) if wide else ()
        rho = number(scores.spearman)
        table.add_row(*names, str(scores.n), rho, *others, mean_difference(scores), limits(scores))
    console.print(table)
    legend = "rho: Spearman." + (
        " r: Pearson, tau: Kendall." if wide else " Pearson and Kendall with --json or --report."
    )
    console.print(Text(legend, style=QUIET))


def _print_tests(console: Console, comparison: Comparison) -> None:
    if not comparison.tests:
        return
    _heading(console, "Which reader agrees more")
    for line in reader_differences(comparison):
        console.print(Text(plain(line)))


def _print_attributions(console: Console, comparison: Comparison) -> None:
    shown = differing(comparison)
    if not shown:
        return
    _heading(
        console, "Where scores differ most", "How the score changes if one signal alone is as the rater scored it."
    )
    for found, raters in shown[: _SHOWN // 2]:
        head = f"{found.pitch}: {found.reader} {found.extracted:.1f}, {raters} {found.manual:.1f}"
        console.print(Text(plain(head), style="bold"))
        console.print(Padding(Text(plain(attribution_line(found))), (0, 0, 0, 8), expand=False))
    if len(shown) > _SHOWN // 2:
        console.print(Text(f"{len(shown) - _SHOWN // 2} more with --json or --report.", style=QUIET))


def _print_disagreements(console: Console, comparison: Comparison) -> None:
    if not comparison.disagreements:
        return
    _heading(console, "Disagreements, largest effect on the score first")
    for found in comparison.disagreements[:_SHOWN]:
        head = plain(f"{found.pitch}, {title(found.signal)}")
        console.print(Text.assemble(f"{moved(found):>6}  ", (head, "bold"), f"  {plain(both_values(found))}"))
        if found.quotes:
            quote = Text(f'"{cut(found.quotes[0], 160)}"', style=QUIET)
            console.print(Padding(quote, (0, 0, 0, 8), expand=False))
        for note in found.notes:
            console.print(Padding(Text(f"Note by {cut(plain(note), 160)}", style=QUIET), (0, 0, 0, 8), expand=False))
    if len(comparison.disagreements) > _SHOWN:
        more = len(comparison.disagreements) - _SHOWN
        console.print(Text(f"{more} more with --report, --disagreements or --json.", style=QUIET))
