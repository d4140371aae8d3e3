"""Every form of asking: one prefix for all pitches, a bounded strict schema, and rules in the vocabulary's words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from analyzer.errors import ConfigurationError
from analyzer.reading import prompts
from analyzer.reading.answers import NotAnAnswer
from analyzer.reading.forms import FORMS, Form, form
from analyzer.reading.forms.form import without_bounds
from analyzer.reading.pitch import Pitch
from analyzer.reading.spending import estimated_tokens
from analyzer.settings import Settings
from analyzer.vocabulary.signals import LIST_RULES, SIGNALS, answer_schema
from tests.completions import PITCH

SHORT, LONG = Pitch.from_text(PITCH), Pitch.from_text(f"{PITCH} More. " * 90)
EACH = pytest.mark.parametrize("one", FORMS.values(), ids=FORMS)


def parts(schema: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every part of a schema with the name of its property."""
    yield name, schema
    for key, value in schema.get("properties", {}).items():
        yield from parts(value, key)
    if "items" in schema:
        yield from parts(schema["items"], f"{name}[]")


@EACH
def test_the_instructions_and_the_schema_are_the_same_for_every_pitch(one: Form) -> None:
    assert one.schema(SHORT) == one.schema(LONG)
    assert one.instructions(rules=True).startswith(one.instructions(rules=False))
    assert one.message(SHORT) != one.message(LONG)


@EACH
def test_the_schema_is_strict_and_bounds_every_list_and_text(one: Form) -> None:
    for name, part in parts(one.schema(SHORT)):
        assert "description" not in part, name
        if part["type"] == "object":
            assert part["additionalProperties"] is False and part["required"] == list(part["properties"]), name
        elif part["type"] == "array":
            assert part["maxItems"] >= 1, name
        elif part["type"] == "integer":
            assert part["minimum"] == 1 and part["maximum"] > 1, name
        elif part["type"] == "string":
            assert "enum" in part or part["maxLength"] <= 1000, name


@EACH
def test_evidence_comes_before_the_value(one: Form) -> None:
    properties = one.schema(SHORT)["properties"]
    assert list(properties) == list(answer_schema()["properties"])
    for name in SIGNALS:
        assert list(properties[name]["properties"])[-2:] == ["basis", "value"]
        assert len(properties[name]["properties"]) >= 3
    for name in ("problems", "personas", "competitors"):
        assert next(iter(properties[name]["items"]["properties"])) in ("quote", "sentence")


def test_a_schema_without_bounds_keeps_everything_else() -> None:
    schema = {
        "type": "object",
        "properties": {"maximum": {"type": "integer", "maximum": 3}, "properties": {"type": "array", "maxItems": 2}},
    }
    assert without_bounds(schema) == {
        "type": "object",
        "properties": {"maximum": {"type": "integer"}, "properties": {"type": "array"}},
    }
    for one in FORMS.values():
        text = json.dumps(without_bounds(one.schema(SHORT)))
        assert not any(word in text for word in ("maxItems", "maxLength", "minimum"))


@EACH
def test_the_rules_are_the_words_of_the_vocabulary_once_and_name_every_field(one: Form) -> None:
    text = one.instructions(rules=True)
    for spec in SIGNALS.values():
        assert text.count(f"- {spec.name}: {spec.description}") == 1
    for name in ("in_scope", "stage", "focus", "problems", "kind"):
        assert text.count(LIST_RULES[name]) == 1
    for name, part in parts(one.schema(SHORT)):
        assert name.removesuffix("[]") in text, name
        assert all(str(value) in text for value in part.get("enum", ()))


@EACH
def test_rules_as_text_take_fewer_tokens_than_in_a_tool_schema(one: Form) -> None:
    tool = estimated_tokens(prompts.instructions()) + estimated_tokens(json.dumps(answer_schema()))
    assert estimated_tokens(one.instructions(rules=True)) < tool


def test_the_usual_form_asks_in_fewer_than_6500_tokens_besides_the_pitch() -> None:
    usual = form(Settings().form)
    schema = json.dumps(usual.schema(SHORT), separators=(",", ":"))
    assert (len(usual.instructions(rules=True)) + len(schema)) // 4 < 6500


def test_the_usual_request_is_what_it_was() -> None:
    quotes = form("quotes")
    assert quotes.instructions(rules=False) == prompts.instructions()
    assert quotes.message(SHORT) == prompts.pitch_message(SHORT.text, SHORT.ref.sha256 or "")
    assert quotes.prompt_sha256(rules=False) == prompts.prompt_sha256()
    assert quotes.document("anything", SHORT) == "anything"


def test_every_form_and_the_text_of_the_rules_have_a_fingerprint_of_their_own() -> None:
    fingerprints = [one.prompt_sha256(rules=rules) for one in FORMS.values() for rules in (False, True)]
    assert len(set(fingerprints)) == len(fingerprints)


def test_both_prompts_say_the_same_but_for_the_form_of_the_evidence() -> None:
    quotes, ids = (form(name).instructions(rules=False).splitlines() for name in ("quotes", "ids"))
    differs = [line.split()[0] for line, other in zip(quotes, ids, strict=True) if line != other]
    assert differs == ["2.", "3.", "4.", "5.", "The", "Answer", "Before"]


def test_a_form_that_does_not_exist_is_refused_with_the_names_of_those_that_do() -> None:
    with pytest.raises(ConfigurationError, match="there is no form 'numbers'; choose one of quotes, ids"):
        form("numbers")


@pytest.mark.parametrize("text", ["", "no", "[]", '"x"', "{", "[" * 100_000], ids=str)
def test_an_answer_with_numbers_that_is_not_json_is_not_an_answer(text: str) -> None:
    with pytest.raises(NotAnAnswer):
        form("ids").document(text, SHORT)
