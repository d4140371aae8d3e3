"""Assessments and the rulebook as people read them in a terminal.

Pitch and model text is printed as text: never as markup, and without control characters that would move a cursor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from analyzer.framework.assessment import Assessment, ConsiderationResult, Range, Warning
from analyzer.framework.rulebook import SIDE_TITLES, SIDES, Consideration, Rulebook
from analyzer.framework.verdict import LEANINGS, Leaning, grouped, kind
from analyzer.screen import UNSEEN
from analyzer.views.content import cell, edit_words
from analyzer.views.numbers import shown, shown_points
from analyzer.views.times import duration
from analyzer.vocabulary.labels import title, word
from analyzer.vocabulary.signals import SIGNALS, Quote

QUIET = "dim"
_STYLES: Final[Mapping[Leaning, str]] = {"for": "cyan", "against": "yellow", "open": ""}
_TOP = 5


class _Seconds(ProgressColumn):
    """Whole seconds since the start."""

    def render(self, task: Task) -> Text:
        return Text(duration(round(task.elapsed or 0)))


def waiting(console: Console, what: str) -> Progress:
    """A line that says what is going on and for how many seconds, until the context ends; then it is erased."""
    progress = Progress(
        SpinnerColumn(), TextColumn("{task.description}", markup=False), _Seconds(), console=console, transient=True
    )
    progress.add_task(plain(what), total=None)
    return progress


def print_assessment(console: Console, assessment: Assessment) -> None:
    """The whole assessment, most important first."""
    console.print(Text(plain(assessment.pitch.title or assessment.signals.product or "Untitled pitch"), style="bold"))
    if assessment.signals.summary not in ("", assessment.pitch.title):
        console.print(Text(plain(assessment.signals.summary), style=QUIET))
    console.print()
    for warning in assessment.warnings:
        console.print(_warning(warning))
    for edit in assessment.edits:
        name, before, after = edit_words(edit)
        console.print(Text(plain(f"Changed by hand: {name}, {after} (read: {before})")))
    if assessment.warnings or assessment.edits:
        console.print()
    if assessment.verdict is None or assessment.scores is None or assessment.quadrant is None:
        console.print(
            "Out of scope: this is not a product for people who build, run or improve machine learning.\n"
            "The framework does not apply, so there is no score."
        )
        return
    console.print(Text(plain(assessment.verdict.sentence)))
    console.print()
    console.print(_scores(assessment))
    for leaning, group in grouped(assessment.considerations).items():
        console.print(_heading(LEANINGS[leaning], _STYLES[leaning]))
        for consideration in group:
            console.print(_consideration(consideration, _STYLES[leaning]))
    _print_questions(console, assessment)
    _print_changes(console, assessment)
    _print_players(console, assessment)
    console.print(_heading("What was read", ""))
    console.print(_signals(assessment))
    console.print(Text(provenance(assessment), style=QUIET))


def print_rulebook(console: Console, rulebook: Rulebook) -> None:
    """Every consideration with its idea, table, weight and source."""
    console.print(Text(f"{rulebook.title} · version {rulebook.version} · {rulebook.sha256[:12]}", style="bold"))
    console.print(Text(f"After {rulebook.source}", style=QUIET))
    console.print("10 points: here the framework speaks for the product; 0: against it.")
    for side in SIDES:
        console.print()
        console.print(Rule(SIDE_TITLES[side], align="left", style=QUIET))
        for consideration in rulebook.of_side(side):
            console.print(Padding(_rule(rulebook, consideration), (1, 0, 0, 0)))


def plain(text: str) -> str:
    """Text without line breaks and without characters that a terminal would act on."""
    return re.sub(r"[ \t\n]+", " ", UNSEEN.sub(" ", text)).strip()


def provenance(assessment: Assessment) -> str:
    """Who read, by which rules, at what cost, in one line."""
    made, usage = assessment.provenance, assessment.provenance.usage
    parts = [f"rulebook {made.rulebook.version} ({made.rulebook.sha256[:8]})", f"pitch-analyzer {made.analyzer}"]
    if made.reader.model:
        parts.insert(0, f"read by {made.reader.model}")
    if usage.requests:
        cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
        cost = f"${usage.cost_usd:.4f}" if usage.cost_usd is not None else "price not known"
        parts.append(f"{usage.input_tokens:,}{cached} + {usage.output_tokens:,} tokens, {cost}")
    return " · ".join(parts)


def _warning(warning: Warning) -> Text:
    text = Text.assemble(("! ", "bold red"), plain(warning.message))
    if warning.quote is not None:
        text.append(f'  "{cut(warning.quote.text, 110)}"', style=QUIET)
    return text


def _scores(assessment: Assessment) -> Table:
    scores, quadrant, position = assessment.scores, assessment.quadrant, assessment.position
    assert scores is not None and quadrant is not None and position is not None
    table = Table.grid(padding=(0, 2))
    table.add_row("Kind", kind(quadrant).split(" ", 1)[1], Text(_where(position.stage, position.focus), style=QUIET))
    table.add_row("Overall", Text(f"{shown(scores.overall)} of 100", style="bold"), _bar(scores.overall, 100))
    table.add_row("Market case", f"{shown_points(scores.market)} of 10", _bar(scores.market, 10))
    table.add_row("Sales case", f"{shown_points(scores.sales)} of 10", _bar(scores.sales, 10))
    return table


def _where(stage: Range, focus: Range) -> str:
    def at(name: str, range_: Range) -> str:
        return f"{name} unknown" if range_.width else f"{name} {range_.value:g}"

    return f"{at('stage', stage)}, {at('focus', focus)} (0 = day 1, ML; 1 = day 2, engineering)"


def _bar(range_: Range, top: float, width: int = 30) -> Text:
    """The range on a scale from 0 to `top`, the value marked."""
    at = [min(width - 1, int(number / top * width)) for number in (range_.low, range_.value, range_.high)]
    text = Text()
    for place in range(width):
        mark = "●" if place == at[1] else "━" if at[0] <= place <= at[2] else "·"
        text.append(mark, style="" if at[0] <= place <= at[2] else QUIET)
    return text


def _heading(title: str, style: str) -> RenderableType:
    return Padding(Text(title, style=f"bold {style}".strip()), (1, 0, 0, 0))


def _consideration(consideration: ConsiderationResult, style: str) -> RenderableType:
    head = Text.assemble(
        (f"{shown_points(consideration.points):>14} ", style or "bold"),
        (consideration.headline, "bold"),
        (f"  {SIDE_TITLES[consideration.side]}, {consideration.share:.0%} of the score", QUIET),
    )
    body: list[RenderableType] = [head, Padding(Text(plain(consideration.reason)), (0, 0, 0, 15))]
    body.extend(Padding(_quote(quote), (0, 0, 0, 15)) for quote in consideration.quotes[:2])
    return Group(*body)


def _print_questions(console: Console, assessment: Assessment) -> None:
    telling = [question for question in assessment.questions if question.settles > 0]
    if not telling:
        return
    console.print(_heading("Ask first", ""))
    console.print(_figures((f"{question.settles:.1f}", question.question) for question in telling[:_TOP]))
    console.print(Text("Points of the overall range that an answer settles, on average.", style=QUIET))
    if len(telling) > _TOP:
        console.print(Text(f"{len(telling) - _TOP} more with --json.", style=QUIET))


def _print_changes(console: Console, assessment: Assessment) -> None:
    if not assessment.changes or assessment.scores is None:
        return
    console.print(_heading("What would change it", ""))
    console.print(
        _figures(
            (shown(change.overall), f"{title(change.signal)}: {word(change.before)} → {word(change.after)}")
            for change in assessment.changes[:_TOP]
        )
    )


def _print_players(console: Console, assessment: Assessment) -> None:
    """Those of the market map that the pitch does not name as alternatives, by kind."""
    others = [player for player in assessment.players if not player.named]
    if not others:
        return
    console.print(_heading("Not named as an alternative", ""))
    for kind_ in dict.fromkeys(player.kind for player in others):
        names = [player.name for player in others if player.kind == kind_]
        shown_names = ", ".join(names[:_TOP]) + (f" and {len(names) - _TOP} more" if len(names) > _TOP else "")
        console.print(Padding(Text.assemble((f"{word(kind_).capitalize()}: ", "bold"), shown_names), (0, 0, 0, 15)))
    console.print(Text("From the market map; all with: pitch market CATEGORY.", style=QUIET))


def _figures(rows: Iterable[tuple[str, str]]) -> Table:
    """Figures in a column of their own, before their words."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=14, justify="right", style="bold")
    table.add_column()
    for figure, words in rows:
        table.add_row(figure, Text(plain(words)))
    return table


def _signals(assessment: Assessment) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=23)
    table.add_column(width=26)
    table.add_column(ratio=1, overflow="ellipsis", no_wrap=True, style=QUIET)
    signals = assessment.signals
    for problem in signals.problems:
        label = "Problem, main" if problem.primary else "Problem"
        table.add_row(label, f"{word(problem.stage)}, {word(problem.focus)}", _quoted([problem.quote]))
    for persona in signals.personas:
        table.add_row("User", word(persona.role), _quoted([persona.quote]))
    for rival in signals.competitors:
        table.add_row("Alternative", f"{cut(rival.name, 30)} ({word(rival.kind)})", _quoted([rival.quote]))
    for name, spec in SIGNALS.items():
        signal = signals.single(name)
        value = word(str(signal.value)) + (" (inferred)" if signal.basis == "inferred" else "")
        table.add_row(spec.title, Text(value, style="" if signal.known else QUIET), _quoted(signal.quotes))
    return table


def _quoted(quotes: Iterable[Quote | None]) -> Text:
    return Text(" / ".join(f'"{plain(quote.text)}"' for quote in quotes if quote is not None))


def _quote(quote: Quote) -> Text:
    return Text(f'"{cut(quote.text, 160)}"', style=QUIET)


def cut(text: str, length: int) -> str:
    """Text as one line of at most so many characters."""
    text = plain(text)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _rule(rulebook: Rulebook, consideration: Consideration) -> RenderableType:
    stance = "speaks for" if consideration.stance == "for" else "speaks against"
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style=QUIET)
    for name in consideration.inputs:
        table.add_column(title(name).lower())
    table.add_column("points", justify="right")
    for row in consideration.rows:
        cells = [cell(name, values) for name, values in zip(consideration.inputs, row.cells, strict=True)]
        table.add_row(*cells, f"{row.points:g}")
    share = consideration.weight / sum(c.weight for c in rulebook.of_side(consideration.side))
    return Group(
        Text.assemble(
            (consideration.title, "bold"), (f"  {stance}, weight {consideration.weight:g} ({share:.0%})", QUIET)
        ),
        Text(consideration.idea),
        Text(f"Source: {consideration.source}", style=QUIET),
        table,
    )
