"""The vocabulary: types, records and the answer's schema say the same, and documents are checked with useful errors."""

from __future__ import annotations

import copy
from typing import Any, get_args

import pytest
from openai.lib._pydantic import _ensure_strict_json_schema

from analyzer.errors import SignalsError
from analyzer.vocabulary import signals as vocabulary
from analyzer.vocabulary.signals import SIGNALS, Signals, answer_schema, vocabulary_sha256


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signals_type_has_the_values_of_its_record(name: str) -> None:
    alias = getattr(vocabulary, "".join(part.capitalize() for part in name.split("_")))
    assert get_args(alias) == SIGNALS[name].values


def test_the_answer_schema_needs_no_change_for_strict_structured_outputs() -> None:
    schema = answer_schema()
    strict = _ensure_strict_json_schema(copy.deepcopy(schema), path=(), root=schema)
    assert strict == schema
    for part in _objects(schema):
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])
    supported = {"type", "description", "properties", "required", "additionalProperties", "items", "enum"}
    assert all(set(part) <= supported for part in _parts(schema))


def test_the_fingerprint_is_of_the_vocabulary_and_not_of_a_library() -> None:
    assert vocabulary_sha256() == vocabulary_sha256()
    assert len(vocabulary_sha256()) == 64


@pytest.mark.parametrize(
    "document", [{}, {"buyer": None}, {"buyer": {}}, {"buyer": {"value": None}}, {"buyer": "unknown"}]
)
def test_a_missing_single_value_is_unknown(document: dict[str, Any]) -> None:
    buyer = Signals.from_document(document, "a.json").buyer
    assert (buyer.value, buyer.basis, buyer.quotes, buyer.known) == ("unknown", "absent", (), False)


def test_quotes_are_taken_as_texts_or_with_offsets() -> None:
    document = {
        "buyer": {"value": "practitioner", "basis": "stated", "quotes": ["free", {"text": "you", "start": 3, "end": 6}]}
    }
    first, second = Signals.from_document(document, "a.json").buyer.quotes
    assert (first.text, first.start, second.start, second.end) == ("free", None, 3, 6)


def test_a_document_survives_being_written_and_read() -> None:
    document = {
        "product": "P",
        "problems": [{"statement": "s", "quote": "q", "stage": "day_1", "focus": "ml", "primary": True}],
        "urgency": {"value": "important", "basis": "inferred", "quotes": ["now"]},
    }
    signals = Signals.from_document(document, "a.json")
    assert Signals.model_validate_json(signals.model_dump_json()) == signals


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"buyer": {"value": "cto"}}, "buyer.value: Input should be 'practitioner'"),
        (
            {"buyer": {"value": "practitioner", "basis": "absent"}},
            "buyer: the value is 'practitioner' but the basis is 'absent'",
        ),
        ({"problems": [{"statement": "s", "stage": "day_3", "focus": "ml"}]}, "problems.0.stage: "),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ([], "the document: Input should be a valid dictionary"),
        (
            {"problems": [{"statement": "s", "stage": "day_1", "focus": "ml"}] * 7},
            "problems: Tuple should have at most 6 items",
        ),
    ],
    ids=["value", "basis", "list entry", "field", "no object", "too many"],
)
def test_a_document_that_does_not_fit_is_refused_naming_file_and_field(document: Any, says: str) -> None:
    with pytest.raises(SignalsError) as raised:
        Signals.from_document(document, "mine.json")
    assert str(raised.value).startswith("mine.json: ")
    assert says in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def _objects(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for part in _parts(schema) if part.get("type") == "object"]


def _parts(schema: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [schema]
    for inner in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
        parts.extend(_parts(inner))
    return parts
