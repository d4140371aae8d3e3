"""The JSON Schemas fit what the program really writes and reads, and refuse what it does."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from analyzer import Signals, analyze, compare, score
from analyzer.framework.rulebook import Rulebook
from analyzer.resources import resource
from analyzer.views.schemas import SCHEMAS, schema_text
from tests.completions import PITCH
from tests.conftest import PITCHES


def faults(name: str, document: Any) -> list[str]:
    """What a schema finds wrong with a document, and where."""
    found = Draft202012Validator(SCHEMAS[name]()).iter_errors(document)
    return [f"{'.'.join(map(str, each.absolute_path))}: {each.message[:80]}" for each in found]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_itself_and_comes_with_the_package(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(schema_text(name)))
    shipped = json.loads(resource(f"docs/schemas/{name}.json").read_text(encoding="utf-8"))
    assert shipped["title"] == name.title() and "$schema" in shipped


@pytest.mark.parametrize("path", sorted(PITCHES.glob("*.txt"))[:6], ids=lambda path: path.stem)
def test_real_assessments_and_their_signals_fit(path: Any) -> None:
    assessment = analyze(path.read_text(encoding="utf-8"), model="recorded", id=path.stem)
    document = json.loads(assessment.to_json())
    assert faults("assessment", document) == []
    assert faults("signals", document["signals"]) == []


def test_an_assessment_out_of_scope_or_with_nothing_known_fits() -> None:
    for signals in (Signals(in_scope=False), Signals()):
        assert faults("assessment", json.loads(score(signals).to_json())) == []


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"buyer": "practitioner", "urgency": None, "pricing": "unknown"},
        {"buyer": {"value": "practitioner"}, "traction": {"value": "pilots", "quotes": ["two pilots"]}},
        {"problems": [{"statement": "x", "quote": "x", "stage": "day_2", "focus": "ml"}]},
        {"buyer": {"value": "practitioner", "votes": 2, "also": [{"value": "business_leadership", "votes": 1}]}},
    ],
    ids=["empty", "values", "parts", "lists", "votes"],
)
def test_every_way_to_write_signals_fits_and_is_read(document: dict[str, Any]) -> None:
    assert faults("signals", document) == []
    Signals.from_document(document, "test")


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"buyer": "cto"}, "buyer"),
        ({"buyer": {"value": "cto"}}, "buyer"),
        ({"byer": "practitioner"}, ""),
        ({"problems": [{"stage": "day_3", "focus": "ml", "statement": "x"}]}, "problems.0.stage"),
    ],
    ids=["value", "value in a part", "name", "list"],
)
def test_signals_that_the_program_refuses_do_not_fit(document: dict[str, Any], where: str) -> None:
    assert [each for each in faults("signals", document) if each.startswith(f"{where}:")]
    with pytest.raises(Exception, match="test: "):
        Signals.from_document(document, "test")


def test_a_real_comparison_fits() -> None:
    assessment = analyze(PITCH, model="keywords", id="a")
    manual: list[dict[str, Any]] = [
        {"pitch_id": "a", "rater": "anna", "urgency": "important", "competitors": "AWS", "overall": 50.5},
        {"pitch_id": "a", "rater": "ben", "urgency": "critical_path", "competitors": ""},
    ]
    document = json.loads(compare({"one": [assessment], "two": [assessment]}, manual, draws=100).to_json())
    assert faults("comparison", document) == []
    assert document["tests"] and document["competitors"]
    del document["readers"]
    assert faults("comparison", document)


def test_the_built_in_rulebook_fits_and_a_faulty_one_does_not() -> None:
    content = tomllib.loads(resource("analyzer/framework/rulebook.toml").read_text(encoding="utf-8"))
    assert faults("rulebook", content) == []
    content["considerations"][0]["weight"] = 7
    assert faults("rulebook", content)[0].startswith("considerations.0.weight")
    with pytest.raises(Exception, match="weight"):
        Rulebook.from_content(content, "test")
