"""The vocabulary's names and an assessment's numbers as people read them: in the terminal, in reports, on the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from analyzer.framework.assessment import Range
from analyzer.framework.inputs import INPUTS
from analyzer.framework.wording import capital
from analyzer.signals import SIGNALS

_NAMES: Final = {
    "stage": "Stage",
    "focus": "Focus",
    "persona_fit": "Main user",
    "crowding": "Rivals",
    "incumbent": "Known vendor",
    "in_house": "In-house building",
    "problems": "Problems",
    "personas": "Users",
    "competitors": "Alternatives",
    "persona": "Main user",
    "in_scope": "In scope",
    "unknown": "not said",
    "not_rivalled": "not in-house",
    "rivalled": "built in-house",
}
_RUN: Final = frozenset("=+-@＝＋－＠\t\r\n|")
_PARTS: Final = {"ml": "ML", "llm": "LLM", "gpu": "GPU", "automl": "AutoML"}


def word(value: str) -> str:
    """A value of the vocabulary: "day 2", "engineering leadership", "LLM evaluation"."""
    return _NAMES.get(value) or " ".join(_PARTS.get(part, part) for part in value.split("_"))


def title(name: str) -> str:
    """An input, list or signal by its name: "Who signs", "Main user"."""
    return SIGNALS[name].title if name in SIGNALS else _NAMES.get(name) or capital(word(name))


def cell(name: str, values: Sequence[str]) -> str:
    """A cell of a decision table: the values it accepts."""
    return "any" if len(values) == len(INPUTS[name]) else " or ".join(word(value) for value in values)


def number(value: float) -> str:
    """Points with one decimal where there is one: "6.3", "10"."""
    return f"{value:.1f}".removesuffix(".0")


def span(points: Range) -> str:
    """A range without its value: "2 to 10"; empty where nothing is unknown."""
    return f"{number(points.low)} to {number(points.high)}" if points.width else ""


def shown_points(points: Range) -> str:
    """Points (0 to 10) with their range: "6.3, 2 to 10"; the number alone only where nothing is unknown."""
    return ", ".join(part for part in (number(points.value), span(points)) if part)


def plain_cell(text: str) -> str:
    """Text as a cell of a CSV that no spreadsheet runs as a formula: an apostrophe stands before what it would run."""
    return f"'{text}" if text.lstrip(" \u00a0")[:1] in _RUN else text


def cell_text(cell: str) -> str:
    """What stands in a cell that `plain_cell` wrote."""
    return cell[1:] if cell.startswith("'") and plain_cell(cell[1:]) == cell else cell
