"""The vocabulary's names and an assessment's numbers as people read them: in the terminal, in reports, on the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from analyzer import vocabulary
from analyzer.framework.assessment import Edit, Range
from analyzer.framework.inputs import INPUT_SPECS, INPUTS
from analyzer.framework.wording import capital
from analyzer.vocabulary import LISTS, SIGNALS, UNKNOWN, InputSpec, ListSpec, SignalSpec

_RECORDS: Final[tuple[InputSpec | ListSpec, ...]] = (*INPUT_SPECS.values(), *LISTS.values(), *SIGNALS.values())
_SHOWN: Final[tuple[SignalSpec | ListSpec, ...]] = (*LISTS.values(), *SIGNALS.values())
_TITLES: Final = {
    "persona": INPUT_SPECS["persona_fit"].title,
    "main_user": INPUT_SPECS["persona_fit"].title,
    "in_scope": "In scope",
    **{spec.name: spec.title for spec in _RECORDS},
}
_VALUES: Final = {
    "unknown": "not said",
    "in_house": "built in-house",
    "not_rivalled": "not in-house",
    "rivalled": "built in-house",
    "edited": "by hand",
}
_HIDDEN: Final = (
    r"\s\x00-\x20\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    r"\u180b-\u180f\u200b-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffc"
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""What nobody sees before a sign: spaces, control and format characters, fillers."""
_RUNS: Final = rf"(?=[{_HIDDEN}']*[=+\-@|＝＋－＠﹢﹣﹦﹫])"
_CELL_BEGINS: Final = rf"(?:\A(?:{_RUNS}|(?=[ \xa0']*[\t\r\n]))|(?:[;\t\r\n]|%0[9ADad]){_RUNS})"
_MAY_RUN: Final = re.compile(_CELL_BEGINS)
_MAY_RUN_MARKED: Final = re.compile(rf"({_CELL_BEGINS})'")
_PARTS: Final = {"ml": "ML", "llm": "LLM", "gpu": "GPU", "automl": "AutoML"}


FAMILIES: Final = {
    family: (
        words,
        tuple(spec.name for spec in _SHOWN if spec.family == family),
    )
    for family, words in vocabulary.FAMILIES.items()
}
"""Signals that people look at together, and that share a color: by family, its title and its members."""
FAMILY_OF: Final = {name: family for family, (_, names) in FAMILIES.items() for name in names}


def word(value: str) -> str:
    """A value of the vocabulary: "day 2", "engineering leadership", "LLM evaluation"."""
    return _VALUES.get(value) or " ".join(_PARTS.get(part, part) for part in value.split("_"))


def title(name: str) -> str:
    """An input, list or signal by its name: "Who signs", "Main user"."""
    return _TITLES.get(name) or capital(word(name))


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
    """Text as a cell of a CSV that no spreadsheet runs as a formula: an apostrophe stands before what it would run.

    Also behind characters that are not seen, and where a program that separates cells by semicolons, tabs or line ends
    would begin a new cell. `cell_text` gives the text back, whatever it was.
    """
    return _MAY_RUN.sub(r"\g<0>'", text)


def cell_text(cell: str) -> str:
    """The text of a cell that `plain_cell` wrote."""
    return _MAY_RUN_MARKED.sub(r"\1", cell)


def edit_words(edit: Edit) -> tuple[str, str, str]:
    """A signal changed by hand, in words: its title, what was read, and what stands now."""
    return title(edit.signal), _content(edit.before), _content(edit.after)


def _content(field: Any) -> str:
    """The content of a field of a signals document."""
    if isinstance(field, bool):
        return "yes" if field else "no"
    if isinstance(field, dict):
        return word(str(field["value"]))
    return "; ".join(map(_entry, field)) or word(UNKNOWN)


def _entry(entry: dict[str, Any]) -> str:
    if "stage" in entry:
        return f"{word(entry['stage'])}, {word(entry['focus'])}"
    return word(entry["role"]) if "role" in entry else f"{entry['name']} ({word(entry['kind'])})"
