"""The form in which a model copies the words of the pitch: quotes, basis and value for each signal."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from analyzer.reading import prompts
from analyzer.reading.pitch import Pitch
from analyzer.vocabulary.signals import (
    MAX_COMPETITORS,
    MAX_PERSONAS,
    MAX_PROBLEMS,
    MAX_QUOTES,
    answer_schema,
)

_LONGEST_QUOTE: Final = 400
_LONGEST_TEXTS: Final = {"product": 120, "summary": 400, "statement": 300, "name": 80}
_MOST: Final = {
    "instructions": 20,
    "problems": MAX_PROBLEMS,
    "personas": MAX_PERSONAS,
    "competitors": MAX_COMPETITORS,
    "quotes": MAX_QUOTES,
}


@dataclass(frozen=True, slots=True)
class QuotesForm:
    name: str = "quotes"

    def instructions(self, *, rules: bool) -> str:
        return f"{prompts.instructions()}\n\n{_rules()}" if rules else prompts.instructions()

    def schema(self, pitch: Pitch) -> dict[str, Any]:
        return _short_schema()

    def message(self, pitch: Pitch) -> str:
        return prompts.pitch_message(pitch.text, pitch.ref.sha256 or "")

    def document(self, text: str, pitch: Pitch) -> str:
        return text


QUOTES: Final = QuotesForm()


@cache
def _rules() -> str:
    """The rule of every field, one line each, in the order of the answer."""
    lines = ["The fields", ""]
    for name, field in answer_schema()["properties"].items():
        line = f"- {name}: {field.get('description', '')}"
        parts = field.get("items", {}).get("properties", {})
        lines.append(line.rstrip(": "))
        lines += [f"  - {part}: {_part_rule(rule)}" for part, rule in parts.items()]
        if "value" in field.get("properties", {}):
            lines.append(f"  - value: one of {', '.join(field['properties']['value']['enum'])}")
    lines += [
        "",
        'Every field with a value is an object {"quotes": [...], "basis": "stated", "inferred" or "absent", '
        '"value": ...}.',
    ]
    return "\n".join(lines)


def _part_rule(part: dict[str, Any]) -> str:
    options = f"one of {', '.join(part['enum'])}" if "enum" in part else ""
    return ". ".join(text for text in (part.get("description", "").rstrip("."), options) if text)


@cache
def _short_schema() -> dict[str, Any]:
    schema: dict[str, Any] = _bounded("", copy.deepcopy(answer_schema()))
    return schema


def _bounded(name: str, part: dict[str, Any]) -> dict[str, Any]:
    part.pop("description", None)
    if part.get("type") == "array":
        part["items"] = _bounded("quote", part["items"])
        part["maxItems"] = _MOST[name]
    elif part.get("type") == "object":
        part["properties"] = {key: _bounded(key, value) for key, value in part["properties"].items()}
    elif part.get("type") == "string" and "enum" not in part:
        part["maxLength"] = _LONGEST_TEXTS.get(name, _LONGEST_QUOTE)
    return part
