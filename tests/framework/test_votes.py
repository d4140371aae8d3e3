"""What was read in several ways: how documents carry it, and that known and unknown are its special cases."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import Signals, score
from analyzer.errors import SignalsError
from analyzer.framework.assessment import Assessment
from analyzer.framework.edits import as_read, edited, edits
from analyzer.framework.inputs import derive
from analyzer.vocabulary.derived import INPUTS
from tests.framework.test_scoring import BEST, PROBLEM, assessed, ranges
from tests.properties import runs
from tests.worlds import DERIVED, SINGLES, documents


def without_signals(assessment: Assessment) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(assessment.to_json())
    return {name: part for name, part in document.items() if name != "signals"}


@given(documents(), st.sampled_from(SINGLES), st.integers(1, 9))
@runs(30)
def test_votes_that_all_have_one_value_are_that_value(document: dict[str, Any], name: str, votes: int) -> None:
    alone = assessed(document)
    voted = assessed({**document, name: {**document[name], "votes": votes}})
    assert without_signals(alone) == without_signals(voted)


@given(documents(), st.sampled_from(SINGLES))
@runs(30)
def test_equal_votes_for_every_value_score_as_unknown(document: dict[str, Any], name: str) -> None:
    first, *rest = INPUTS[name]
    silent = assessed({**document, name: "unknown"})
    spread = assessed(
        {**document, name: {"value": first, "votes": 2, "also": [{"value": v, "votes": 2} for v in rest]}}
    )
    assert ranges(spread) == ranges(silent)
    assert [(q.signal, q.settles) for q in spread.questions] == [(q.signal, q.settles) for q in silent.questions]
    assert spread.said is not None and silent.said is not None and spread.said >= silent.said


@given(documents(), st.sampled_from(SINGLES), st.data())
@runs(40)
def test_a_value_that_was_also_read_lies_inside_the_range(
    document: dict[str, Any], name: str, data: st.DataObject
) -> None:
    one, other = data.draw(st.lists(st.sampled_from(INPUTS[name]), min_size=2, max_size=2, unique=True))
    both = ranges(assessed({**document, name: {"value": one, "also": [{"value": other}]}}))
    each = [ranges(assessed({**document, name: value})) for value in (one, other)]
    for which, range_ in both.items():
        assert range_.low == min(alone[which].low for alone in each)
        assert range_.high == max(alone[which].high for alone in each)
        mean = sum(alone[which].value for alone in each) / 2
        assert range_.value == pytest.approx(mean, abs=0.011)


@pytest.mark.parametrize("name", DERIVED)
def test_votes_on_what_is_derived_replace_what_the_lists_say(name: str) -> None:
    value, other = (0, 1) if name in ("stage", "focus") else INPUTS[name][:2]
    derived = {name: {"value": value, "votes": 3, "also": [{"value": other, "votes": 1}]}}
    facts = derive(Signals.model_validate({**BEST, "derived": derived}))
    assert facts.values[name] is None and facts.several[name].said == 1
    assert sorted(facts.several[name].weights)[-2:] == [0.25, 0.75]
    settled = derive(Signals.model_validate({**BEST, "derived": {name: {"value": other, "votes": 3}}}))
    assert settled.values[name] == (INPUTS[name][-1] if other == 1 else other)
    assert not settled.several


def test_positions_that_share_a_lean_keep_the_lean_and_widen_the_position() -> None:
    derived = {"stage": {"value": 0.75, "also": [{"value": 1}]}}
    found = assessed({**BEST, "derived": derived})
    assert found.quadrant is not None and found.position is not None and found.scores is not None
    assert found.quadrant.stage == "day_2"
    assert (found.position.stage.value, found.position.stage.low, found.position.stage.high) == (0.88, 0.75, 1)
    assert "stage" in {question.signal for question in found.questions}


def test_a_reason_says_where_readings_differ() -> None:
    urgency = {"value": "important", "votes": 2, "also": [{"value": "critical_path"}]}
    found = {c.id: c.reason for c in assessed({**BEST, "urgency": urgency}).considerations}
    assert found["audience-in-every-decision"] == (
        "Its main user is an engineer. Readings differ on whether the problem is painful or releases, revenue, safety or "
        "service suffer until the problem is solved, so anything from 4 to 5 of 10 points is possible."
    )
    some = {"value": "important", "also": [{"value": "unknown"}]}
    found = {c.id: c.reason for c in assessed({**BEST, "urgency": some}).considerations}
    assert "Not every reading finds that the problem is painful, so" in found["audience-in-every-decision"]


def test_a_document_without_votes_is_written_as_before() -> None:
    assert "votes" not in Signals(buyer="practitioner").model_dump_json()
    assert "derived" not in Signals(buyer="practitioner").model_dump()


def test_a_document_with_votes_comes_back_as_it_was() -> None:
    document = Signals.model_validate(
        {
            "buyer": {"value": "practitioner", "votes": 2, "also": [{"value": "unknown", "votes": 1}]},
            "derived": {"stage": {"value": 1 / 3, "votes": 2, "also": [{"value": "unknown"}]}},
        }
    )
    assert Signals.model_validate_json(document.model_dump_json()) == document
    assert score(document).to_json() == score(json.loads(document.model_dump_json())).to_json()


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (
            {"buyer": {"value": "practitioner", "also": [{"value": "cto"}]}},
            "buyer: there is no value 'cto'; it has pract",
        ),
        (
            {"buyer": {"value": "unknown", "also": [{"value": "unknown"}]}},
            "buyer: 'unknown' appears twice; add its votes",
        ),
        ({"buyer": {"value": "practitioner", "votes": 0}}, "buyer.votes: Input should be greater than or equal to 1"),
        ({"derived": {"stage": {"value": 2}}}, "derived.stage: a position is from 0 to 1"),
        ({"derived": {"stage": {"value": "day_1"}}}, "derived.stage.value: Input should be a valid number"),
        ({"derived": {"crowding": {"value": "packed"}}}, "derived: crowding: there is no value 'packed'; it has open"),
        ({"derived": {"weather": {"value": "bad"}}}, "derived.weather: Extra inputs are not permitted"),
    ],
)
def test_votes_that_make_no_sense_are_refused_naming_the_field(document: dict[str, Any], says: str) -> None:
    with pytest.raises(SignalsError, match=says):
        Signals.from_document(document, "my.json")


def test_an_edit_settles_what_readings_disagreed_on_and_can_be_taken_back() -> None:
    read = Signals.model_validate(
        {
            "problems": [PROBLEM],
            "personas": [{"role": "ml_engineer"}],
            "urgency": {"value": "important", "also": [{"value": "critical_path"}]},
            "derived": {
                "stage": {"value": 1, "also": [{"value": 0}]},
                "persona_fit": {"value": "data_science", "also": [{"value": "engineering"}]},
            },
        }
    )
    now = edited(read, {"main_user": "platform_engineer", "urgency": "important"})
    facts = derive(now)
    assert facts.values["persona_fit"] == "engineering"
    assert facts.values["urgency"] == "important"
    assert set(facts.several) == {"stage"}
    assert as_read(now, edits(read, now)) == read
