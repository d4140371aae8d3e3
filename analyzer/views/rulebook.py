"""The rulebook as people read it: in a terminal, and as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from analyzer.framework.rulebook import SIDE_TITLES, SIDES, Consideration, Gate, Intermediate, Rulebook
from analyzer.views.html import render_page
from analyzer.views.terminal import QUIET
from analyzer.vocabulary import labels
from analyzer.vocabulary.labels import value_word, word


def print_rulebook(console: Console, rulebook: Rulebook) -> None:
    """Every consideration with its idea, table, weight and source; then intermediate tables and gates."""
    console.print(Text(f"{rulebook.title} · version {rulebook.version} · {rulebook.sha256[:12]}", style="bold"))
    console.print(Text(f"After {rulebook.source}", style=QUIET))
    console.print("10 points: strongly in the product's favor; 0: strongly against it.")
    for side in SIDES:
        console.print()
        console.print(Rule(SIDE_TITLES[side], align="left", style=QUIET))
        for consideration in rulebook.of_side(side):
            console.print(Padding(_consideration(rulebook, consideration), (1, 0, 0, 0)))
    for heading, records in (
        ("Intermediate tables", [_intermediate(rulebook, table) for table in rulebook.intermediate]),
        ("Deal-breakers", [_gate(rulebook, gate) for gate in rulebook.gates]),
    ):
        if records:
            console.print()
            console.print(Rule(heading, align="left", style=QUIET))
        for record in records:
            console.print(Padding(record, (1, 0, 0, 0)))


def rulebook_markdown(rulebook: Rulebook) -> str:
    """The rulebook as a page: considerations, tables, reasons, sources, weights, questions."""
    return render_page(
        "rulebook.md",
        rulebook=rulebook,
        sides=[(SIDE_TITLES[side], rulebook.of_side(side)) for side in SIDES],
        share=lambda consideration: _share(rulebook, consideration),
        cells=lambda record: table_cells(rulebook, record),
        condition=lambda gate: condition(rulebook, gate),
        zip=zip,
        title=lambda name: title(rulebook, name),
        word=word,
    )


def title(rulebook: Rulebook, name: str) -> str:
    """An input or an intermediate table by its name."""
    return rulebook.tables[name].title if name in rulebook.tables else labels.title(name)


def cell(rulebook: Rulebook, name: str, values: Sequence[str]) -> str:
    """A cell of a decision table: the values it accepts."""
    if len(values) == len(rulebook.values[name]):
        return "any"
    return " or ".join(value_word(name, value) for value in values)


def condition(rulebook: Rulebook, gate: Gate) -> str:
    """When a gate holds: "Stage: day 2; Urgency: nice to have"."""
    return "; ".join(f"{title(rulebook, name)}: {cell(rulebook, name, values)}" for name, values in gate.when.items())


def table_cells(rulebook: Rulebook, record: Consideration | Intermediate) -> list[list[str]]:
    """The cells of a decision table, row by row."""
    return [
        [cell(rulebook, name, values) for name, values in zip(record.inputs, row.cells, strict=True)]
        for row in record.rows
    ]


def _share(rulebook: Rulebook, consideration: Consideration) -> float:
    """The part of its side's weight that a consideration carries."""
    return consideration.weight / sum(other.weight for other in rulebook.of_side(consideration.side))


def _consideration(rulebook: Rulebook, consideration: Consideration) -> RenderableType:
    stance = "advantage" if consideration.stance == "for" else "disadvantage"
    weight = f"  {stance}, weight {consideration.weight:g} ({_share(rulebook, consideration):.0%})"
    return Group(
        Text.assemble((consideration.title, "bold"), (weight, QUIET)),
        Text(consideration.idea),
        Text(f"Source: {consideration.source}", style=QUIET),
        _table(rulebook, consideration, "points", (f"{row.points:g}" for row in consideration.rows)),
    )


def _intermediate(rulebook: Rulebook, table: Intermediate) -> RenderableType:
    return Group(
        Text.assemble((table.title, "bold"), (f"  {table.name}", QUIET)),
        Text(table.idea),
        _table(rulebook, table, table.title.lower(), (word(row.value) for row in table.rows)),
    )


def _gate(rulebook: Rulebook, gate: Gate) -> RenderableType:
    return Group(
        Text.assemble((gate.title, "bold"), (f"  {gate.id}, the verdict is at most {gate.ceiling}", QUIET)),
        Text(gate.idea),
        Text(f"Holds with {condition(rulebook, gate)}."),
        Text(f"Source: {gate.source}", style=QUIET),
    )


def _table(
    rulebook: Rulebook, record: Consideration | Intermediate, outcome: str, outcomes: Iterable[str]
) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style=QUIET)
    for name in record.inputs:
        table.add_column(title(rulebook, name).lower())
    table.add_column(outcome, justify="right" if outcome == "points" else "left")
    for cells, given in zip(table_cells(rulebook, record), outcomes, strict=True):
        table.add_row(*cells, given)
    return table
