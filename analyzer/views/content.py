"""What an assessment says, in words, decided once for terminal, reports and page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analyzer.framework.assessment import Edit
from analyzer.vocabulary.derived import INPUTS
from analyzer.vocabulary.labels import title, word
from analyzer.vocabulary.records import UNKNOWN


def cell(name: str, values: Sequence[str]) -> str:
    """A cell of a decision table: the values it accepts."""
    return "any" if len(values) == len(INPUTS[name]) else " or ".join(word(value) for value in values)


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
