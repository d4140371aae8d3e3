"""The rulebook as people read it: in a terminal, and as a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from analyzer.framework.rulebook import SIDE_TITLES, SIDES, Consideration, Rulebook
from analyzer.views.html import render_page
from analyzer.views.terminal import QUIET
from analyzer.vocabulary.derived import INPUTS
from analyzer.vocabulary.labels import title, word


def print_rulebook(console: Console, rulebook: Rulebook) -> None:
    """Every consideration with its idea, table, weight and source."""
    console.print(Text(f"{rulebook.title} · version {rulebook.version} · {rulebook.sha256[:12]}", style="bold"))
    console.print(Text(f"After {rulebook.source}", style=QUIET))
    console.print("10 points: strongly in the product's favor; 0: strongly against it.")
    for side in SIDES:
        console.print()
        console.print(Rule(SIDE_TITLES[side], align="left", style=QUIET))
        for consideration in rulebook.of_side(side):
            console.print(Padding(_consideration(rulebook, consideration), (1, 0, 0, 0)))


def rulebook_markdown(rulebook: Rulebook) -> str:
    """The rulebook as a page: considerations, tables, reasons, sources, weights, questions."""
    return render_page(
        "rulebook.md",
        rulebook=rulebook,
        sides=[(SIDE_TITLES[side], rulebook.of_side(side)) for side in SIDES],
        share=lambda consideration: _share(rulebook, consideration),
        cells=_cells,
        zip=zip,
        title=title,
        word=word,
    )


def cell(name: str, values: Sequence[str]) -> str:
    """A cell of a decision table: the values it accepts."""
    return "any" if len(values) == len(INPUTS[name]) else " or ".join(word(value) for value in values)


def _cells(consideration: Consideration) -> list[list[str]]:
    return [
        [cell(name, values) for name, values in zip(consideration.inputs, row.cells, strict=True)]
        for row in consideration.rows
    ]


def _share(rulebook: Rulebook, consideration: Consideration) -> float:
    """The part of its side's weight that a consideration carries."""
    return consideration.weight / sum(other.weight for other in rulebook.of_side(consideration.side))


def _consideration(rulebook: Rulebook, consideration: Consideration) -> RenderableType:
    stance = "advantage" if consideration.stance == "for" else "disadvantage"
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style=QUIET)
    for name in consideration.inputs:
        table.add_column(title(name).lower())
    table.add_column("points", justify="right")
    for row, cells in zip(consideration.rows, _cells(consideration), strict=True):
        table.add_row(*cells, f"{row.points:g}")
    weight = f"  {stance}, weight {consideration.weight:g} ({_share(rulebook, consideration):.0%})"
    return Group(
        Text.assemble((consideration.title, "bold"), (weight, QUIET)),
        Text(consideration.idea),
        Text(f"Source: {consideration.source}", style=QUIET),
        table,
    )
