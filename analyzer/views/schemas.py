"""JSON Schemas of the documents that files and scripts exchange: signals, assessment, comparison, rulebook.

They follow from the types; what a file may write more freely than a type holds it (a value without its basis, a quote
without its place, a rulebook's rows as lists) is added here. `docs/generate.py` writes them to docs/schemas.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from analyzer.agreement.figures import FIGURES
from analyzer.agreement.records import Comparison
from analyzer.framework.assessment import Assessment
from analyzer.framework.rulebook import Rulebook
from analyzer.vocabulary.records import SIGNALS
from analyzer.vocabulary.signals import Signals

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def signals_schema() -> dict[str, Any]:
    """A signals document, as people and scripts write it and as assessments hold it."""
    schema = _named(Signals.model_json_schema(mode="validation"))
    for field in ("Problem", "Persona", "Competitor"):
        quote = schema["$defs"][field]["properties"]["quote"]
        quote["anyOf"] = [*quote["anyOf"], {"type": "string"}]
    for name in SIGNALS:
        signal = schema["$defs"][_definition(name)]
        signal["properties"]["quotes"] = {
            "type": "array",
            "items": {"anyOf": [{"$ref": "#/$defs/Quote"}, {"type": "string"}]},
        }
        values = {"enum": [*SIGNALS[name].values, "unknown"]}
        schema["properties"][name] = {"anyOf": [{"$ref": f"#/$defs/{_definition(name)}"}, values, {"type": "null"}]}
    return _finished("Signals", schema)


def assessment_schema() -> dict[str, Any]:
    """An assessment, as `to_json`, `pitch analyze --json` and JSON Lines outputs write it."""
    return _finished("Assessment", _named(Assessment.model_json_schema(mode="serialization", by_alias=True)))


def comparison_schema() -> dict[str, Any]:
    """A comparison, as `to_json` and `pitch compare --json` write it: each figure under its own name."""
    schema = TypeAdapter(Comparison).json_schema(mode="serialization")
    figure = {"anyOf": [{"$ref": "#/$defs/FigureValue"}, {"type": "null"}]}
    for name in ("SignalAgreement", "CompetitorAgreement"):
        agreement = schema["$defs"][name]
        del agreement["properties"]["figures"]
        agreement["required"].remove("figures")
        competitors = name == "CompetitorAgreement"
        known = [each.name for each in FIGURES.values() if ("competitors" in each.kinds) or not competitors]
        agreement["properties"] |= dict.fromkeys(known, figure)
    return _finished("Comparison", schema)


def rulebook_schema() -> dict[str, Any]:
    """A rulebook's TOML file. What the tables say together (gaps, overlaps) only loading it checks."""
    schema = Rulebook.model_json_schema(mode="validation")
    parts = schema["$defs"]
    cell = {"type": "string", "description": "a value, several as a|b, or * for any"}
    parts["InputWords"]["required"].remove("question")
    parts["Consideration"]["properties"]["rows"]["items"] = {
        "type": "array",
        "description": "a cell for each input, the points (0 to 10), and the key of a reason",
        "items": {"anyOf": [cell, {"type": "number", "minimum": 0, "maximum": 10}]},
        "minItems": 3,
    }
    parts["Intermediate"]["properties"]["rows"]["items"] = {
        "type": "array",
        "description": "a cell for each input, and the value",
        "items": cell,
        "minItems": 2,
    }
    parts["Gate"]["properties"]["when"]["additionalProperties"] = cell
    for unused in ("Row", "ValueRow"):
        del parts[unused]
    return _finished("Rulebook", schema)


SCHEMAS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "signals": signals_schema,
    "assessment": assessment_schema,
    "comparison": comparison_schema,
    "rulebook": rulebook_schema,
}
"""The schemas by the name of their file."""


def schema_text(name: str) -> str:
    """A schema as its file holds it."""
    return json.dumps(SCHEMAS[name](), ensure_ascii=False, indent=1) + "\n"


def _definition(signal: str) -> str:
    return f"Signal_{signal}"


def _named(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema in which the type of a single value is called after its signal, not after its values."""
    signals = schema["$defs"].get("Signals", schema)
    text = json.dumps(schema)
    for name in SIGNALS:
        reference = signals["properties"][name]["$ref"]
        text = text.replace(f'{reference}"', f'#/$defs/{_definition(name)}"')
        text = text.replace(f'"{reference.rpartition("/")[2]}": {{', f'"{_definition(name)}": {{')
    named: dict[str, Any] = json.loads(text)
    for name in SIGNALS:
        named["$defs"][_definition(name)]["title"] = _definition(name)
    return named


def _finished(title: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": _DIALECT, **_tidy(schema), "title": title}


def _tidy(part: Any, within: str = "") -> Any:
    """A schema without the titles that only repeat a field's name, and with descriptions in one line."""
    if isinstance(part, list):
        return [_tidy(each) for each in part]
    if not isinstance(part, dict):
        return part
    of_fields = within in ("properties", "$defs")
    kept = {}
    for name, each in part.items():
        if name == "title" and not of_fields and isinstance(each, str):
            continue
        one_line = name == "description" and isinstance(each, str)
        kept[name] = " ".join(each.split()) if one_line else _tidy(each, name)
    return kept
