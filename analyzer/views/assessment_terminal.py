"""An assessment as people read it in a terminal.

Pitch and model text is printed as text: never as markup, and without control characters that would move a cursor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from analyzer.framework.assessment import (
    Assessment,
    Change,
    ConsiderationResult,
    GateResult,
    Position,
    Range,
    Scores,
    Warning,
)
from analyzer.framework.verdict import Leaning
from analyzer.views.assessment_content import (
    GATE_STATES,
    GATES,
    GROUPS,
    TOP,
    agreement,
    changes,
    edit_words,
    gate_effect,
    gates,
    groups,
    heading,
    is_undecided,
    kind_of,
    place,
    provenance,
    questions,
    quote_place,
    said,
    settled_gates,
    signal_rows,
    silent,
    statement,
    summary,
    unnamed,
    warning_text,
)
from analyzer.views.numbers import number, shown, shown_points
from analyzer.views.terminal import QUIET, cut, plain
from analyzer.vocabulary.labels import capital, joined, title, value_word, word
from analyzer.vocabulary.signals import Quote

_STYLES: Final[Mapping[Leaning, str]] = {"for": "cyan", "against": "yellow", "open": ""}
_QUOTES: Final = 2
"""Quotes of a consideration that are printed."""
_INDENT: Final = (0, 0, 0, 15)


def print_assessment(console: Console, assessment: Assessment) -> None:
    """The whole assessment, most important first."""
    _print_head(console, assessment)
    if assessment.scores is None or assessment.quadrant is None or assessment.position is None:
        if is_undecided(assessment):
            _print_signals(console, assessment)
        return
    console.print()
    console.print(_scores(assessment.scores, kind_of(assessment), assessment.position))
    console.print(Text(said(assessment), style=QUIET))
    if gates(assessment):
        console.print(_heading(GATES))
        for gate in gates(assessment):
            console.print(_gate(gate))
    for name, members in groups(assessment).items():
        console.print(_heading(GROUPS[name], _STYLES[name]))
        for consideration in members:
            console.print(_consideration(consideration, _STYLES[name]))
    _print_questions(console, assessment)
    _print_changes(console, assessment)
    _print_players(console, assessment)
    _print_signals(console, assessment)
    console.print(Text(provenance(assessment), style=QUIET))


def _print_signals(console: Console, assessment: Assessment) -> None:
    console.print(_heading("What the pitch says"))
    if agreement(assessment):
        console.print(Text(agreement(assessment), style=QUIET))
    console.print(_signals(assessment))


def _print_head(console: Console, assessment: Assessment) -> None:
    """Title, summary, warnings, edits, and the verdict."""
    console.print(Text(plain(heading(assessment)), style="bold"))
    if summary(assessment):
        console.print(Text(plain(summary(assessment)), style=QUIET))
    console.print()
    for warning in assessment.warnings:
        console.print(_warning(warning))
    for edit in assessment.edits:
        name, before, after = edit_words(edit)
        console.print(Text(plain(f"Edited after reading: {name}, {after} (read: {before})")))
    if assessment.warnings or assessment.edits:
        console.print()
    console.print(Text(plain(statement(assessment))))


def _warning(warning: Warning) -> Text:
    text = Text.assemble(("! ", "bold red"), plain(warning_text(warning)))
    if warning.quote is not None:
        text.append(f'  "{cut(warning.quote.text, 110)}"', style=QUIET)
    return text


def _scores(scores: Scores, kind: str, position: Position) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("Kind", kind, Text(_where(position), style=QUIET))
    table.add_row("Overall", Text(f"{shown(scores.overall)} of 100", style="bold"), _bar(scores.overall, 100))
    table.add_row("Market case", f"{shown_points(scores.market)} of 10", _bar(scores.market, 10))
    table.add_row("Sales case", f"{shown_points(scores.sales)} of 10", _bar(scores.sales, 10))
    return table


def _where(position: Position) -> str:
    def at(name: str, range_: Range) -> str:
        return f"{name} unknown" if range_.width else f"{name} {range_.value:g}"

    return f"{at('stage', position.stage)}, {at('focus', position.focus)} (0 = day 1, ML; 1 = day 2, engineering)"


def _bar(range_: Range, top: float, width: int = 30) -> Text:
    """The range on a scale from 0 to `top`, the value marked."""
    at = [min(width - 1, int(number / top * width)) for number in (range_.low, range_.value, range_.high)]
    text = Text()
    for column in range(width):
        mark = "●" if column == at[1] else "━" if at[0] <= column <= at[2] else "·"
        text.append(mark, style="" if at[0] <= column <= at[2] else QUIET)
    return text


def _heading(text: str, style: str = "") -> RenderableType:
    return Padding(Text(text, style=f"bold {style}".strip()), (1, 0, 0, 0))


def _consideration(consideration: ConsiderationResult, style: str) -> RenderableType:
    head = Text.assemble(
        (f"{shown_points(consideration.points):>14} ", style or "bold"),
        (consideration.headline, "bold"),
        (f"  {place(consideration)}", QUIET),
    )
    body: list[RenderableType] = [head, Padding(Text(plain(consideration.reason)), _INDENT)]
    body.extend(
        Padding(Text(f'"{cut(quote.text, 160)}"{quote_place(quote)}', style=QUIET), _INDENT)
        for quote in consideration.quotes[:_QUOTES]
    )
    return Group(*body)


def _gate(gate: GateResult) -> RenderableType:
    style = _STYLES["against"] if gate.state == "holds" else ""
    head = Text.assemble((f"{GATE_STATES[gate.state]:>14} ", style or "bold"), (gate.title, "bold"))
    words = Text(plain(f"{gate.reason} {gate_effect(gate)}"))
    quotes = gate.quotes[:_QUOTES] if gate.state == "holds" else ()
    body = [Padding(Text(f'"{cut(quote.text, 160)}"{quote_place(quote)}', style=QUIET), _INDENT) for quote in quotes]
    return Group(head, Padding(words, _INDENT), *body)


def _print_questions(console: Console, assessment: Assessment) -> None:
    listed = questions(assessment)
    if not listed.first:
        return
    console.print(_heading("Ask first"))
    console.print(
        _figures(
            (number(question.settles), " ".join((question.question, settled_gates(assessment, question))).strip())
            for question in listed.first
        )
    )
    console.print(Text("Points by which an answer narrows the overall range, on average.", style=QUIET))
    if listed.rest:
        console.print(Text(f"{len(listed.rest)} more with --json.", style=QUIET))


def _print_changes(console: Console, assessment: Assessment) -> None:
    listed = changes(assessment)
    if not listed.first:
        return
    console.print(_heading("What would change the score"))
    console.print(_figures((shown(change.overall), _in_words(change)) for change in listed.first))
    if listed.rest:
        console.print(Text(f"{len(listed.rest)} more with --json.", style=QUIET))


def _print_players(console: Console, assessment: Assessment) -> None:
    """The players of the market map that the pitch does not name as competitors, by kind."""
    players = unnamed(assessment)
    if not players:
        return
    console.print(_heading("Competitors the pitch does not name"))
    for kind_ in dict.fromkeys(player.kind for player in players):
        names = [player.name for player in players if player.kind == kind_]
        listed = ", ".join(names[:TOP]) + (f" and {len(names) - TOP} more" if len(names) > TOP else "")
        console.print(Padding(Text.assemble((f"{capital(word(kind_))}: ", "bold"), listed), _INDENT))
    console.print(Text("From the market map; see all with: pitch market CATEGORY.", style=QUIET))


def _figures(rows: Iterable[tuple[str, str]]) -> Table:
    """Figures in a column of their own, before their words."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=14, justify="right", style="bold")
    table.add_column()
    for figure, words in rows:
        table.add_row(figure, Text(plain(words)))
    return table


def _signals(assessment: Assessment) -> Group:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=23)
    table.add_column(width=26)
    table.add_column(ratio=1, overflow="ellipsis", no_wrap=True, style=QUIET)
    for row in signal_rows(assessment):
        value = f"{cut(row.value, 30)} ({row.meaning})" if row.signal == "competitors" else plain(row.value)
        inferred = " (inferred)" if row.basis == word("inferred") else ""
        doubtful = " (check it)" if any(quote.doubt for quote in row.quotes) else ""
        table.add_row(row.label, Text(value + inferred + doubtful), _quoted(row.quotes))
    unstated = silent(assessment)
    if not unstated:
        return Group(table)
    return Group(table, Text(f"Not stated: {joined([title(name) for name in unstated])}.", style=QUIET))


def _quoted(quotes: Iterable[Quote]) -> Text:
    return Text(" / ".join(f'"{plain(quote.text)}"{quote_place(quote)}' for quote in quotes))


def _in_words(change: Change) -> str:
    before, after = (value_word(change.signal, value) for value in (change.before, change.after))
    return f"{title(change.signal)}: {before} → {after}"
