"""Deal-breakers: whether they hold over all worlds, and what they leave of a verdict."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analyzer import Rulebook, Signals, score
from analyzer.framework.assessment import Assessment, GateResult
from analyzer.vocabulary.derived import INPUT_SPECS, INPUTS
from tests.framework.test_rulebook import BUILT_IN
from tests.framework.test_scoring import BEST
from tests.properties import runs
from tests.worlds import SINGLES, documents, every_world, number_of_worlds, read_in_several_ways

RULEBOOK = Rulebook.built_in()


def assessed(document: dict[str, Any], rulebook: Rulebook = RULEBOOK) -> Assessment:
    return score(Signals.model_validate(document), rulebook)


def gate(assessment: Assessment, id: str) -> GateResult:
    return next(gate for gate in assessment.gates if gate.id == id)


def placed(stage: str, focus: str) -> list[dict[str, Any]]:
    return [{"statement": "x", "stage": stage, "focus": focus, "primary": True}]


@given(read_in_several_ways(most_unknown=5))
@runs(40)
def test_a_gate_holds_is_clear_or_is_open_as_all_worlds_have_it(document: dict[str, Any]) -> None:
    assume(number_of_worlds(document, RULEBOOK) <= 1000)
    worlds = [world.filled for world in every_world(document, RULEBOOK)]
    for rule, found in zip(RULEBOOK.gates, assessed(document).gates, strict=True):
        holding = {all(world[name] in values for name, values in rule.when.items()) for world in worlds}
        assert found.state == ("open" if len(holding) == 2 else "holds" if holding == {True} else "clear")
        assert bool(found.unknown) == (found.state == "open")


@given(documents(), st.data())
@runs(60)
def test_filling_in_an_unknown_settles_a_gate_and_never_turns_it(document: dict[str, Any], data: st.DataObject) -> None:
    silent = [name for name in SINGLES if document[name]["value"] == "unknown"]
    assume(silent)
    name = data.draw(st.sampled_from(silent))
    filled = {**document, name: {"value": data.draw(st.sampled_from(INPUTS[name]))}}
    for before, after in zip(assessed(document).gates, assessed(filled).gates, strict=True):
        assert after.state == before.state or before.state == "open"
        assert name in before.unknown or after.state == before.state


@given(documents(), st.sampled_from([n for n in SINGLES if INPUT_SPECS[n].better]), st.data())
@runs(60)
def test_a_better_value_never_makes_a_gate_hold(document: dict[str, Any], name: str, data: st.DataObject) -> None:
    worse, better = data.draw(st.sampled_from(list(INPUT_SPECS[name].better)))
    order = ("clear", "open", "holds")
    before, after = (assessed({**document, name: {"value": value}}).gates for value in (worse, better))
    for one, other in zip(before, after, strict=True):
        assert order.index(other.state) <= order.index(one.state)


@given(documents())
@runs(40)
def test_gates_change_no_score_and_only_lower_a_verdict(document: dict[str, Any]) -> None:
    without = Rulebook.from_content({**copy.deepcopy(BUILT_IN), "gates": []}, "without.toml")
    free, gated = assessed(document, without), assessed(document)
    assert free.scores == gated.scores and free.changes == gated.changes and free.considerations == gated.considerations
    assert [(q.signal, q.settles) for q in free.questions] == [
        (q.signal, q.settles) for q in gated.questions if q.signal in {q.signal for q in free.questions}
    ]
    assert free.verdict is not None and gated.verdict is not None
    if any(gate.state != "clear" for gate in gated.gates):
        assert gated.verdict.word != "for"
    else:
        assert gated.verdict == free.verdict
    if any(gate.state == "holds" for gate in gated.gates):
        assert gated.verdict.word in ("against", "balanced")


NICE = {**BEST, "problems": placed("day_2", "ml"), "personas": [{"role": "ml_engineer"}], "urgency": "nice_to_have"}


def test_a_gate_that_holds_limits_a_favorable_score_and_says_why() -> None:
    nice = assessed(NICE)
    assert nice.scores is not None and nice.verdict is not None
    assert nice.scores.overall.low > RULEBOOK.verdict.for_above
    assert nice.verdict.word == "balanced"
    assert "Balanced: " in nice.verdict.sentence
    assert "Deal-breaker: customers can do without it." in nice.verdict.sentence
    found = gate(nice, "not-on-the-critical-path")
    assert (found.state, found.ceiling, found.unknown) == ("holds", "balanced", ())
    assert (
        found.reason
        == "Companies buy day-2 products only for what is critical to them, but customers can do without it."
    )
    assert found.source.startswith("Day 2")


def test_an_open_gate_is_named_where_the_range_reaches_for_and_its_question_carries_it() -> None:
    silent = {**NICE, "urgency": "unknown"}
    found = assessed(silent)
    assert found.verdict is not None
    assert found.verdict.word == "balanced"
    assert "Balanced to favorable: " in found.verdict.sentence
    assert "Possible deal-breaker: customers can do without it." in found.verdict.sentence
    assert gate(found, "not-on-the-critical-path").unknown == ("urgency",)
    asked = {question.signal: question.gates for question in found.questions}
    assert asked["urgency"] == ("not-on-the-critical-path",)
    weak = {**silent, **{name: INPUTS[name][0] for name in SINGLES if name not in ("urgency", "value_at_stake")}}
    weak |= {"value_at_stake": "modest"}
    hopeless = assessed(weak)
    assert hopeless.verdict is not None and gate(hopeless, "not-on-the-critical-path").state == "open"
    assert "Possible deal-breaker" not in hopeless.verdict.sentence


def test_a_ceiling_of_against_makes_a_good_score_unfavorable() -> None:
    content = copy.deepcopy(BUILT_IN)
    content["gates"][0]["ceiling"] = "against"
    verdict = assessed(NICE, Rulebook.from_content(content, "strict.toml")).verdict
    assert verdict is not None
    assert verdict.word == "against"
    assert "Unfavorable: " in verdict.sentence


def test_a_gate_quotes_the_pitch() -> None:
    said = {"value": "nice_to_have", "quotes": ["optional, but handy"]}
    found = gate(assessed({**NICE, "urgency": said}), "not-on-the-critical-path")
    assert [quote.text for quote in found.quotes] == ["optional, but handy"]


@pytest.mark.parametrize("id", [gate.id for gate in RULEBOOK.gates])
def test_each_built_in_gate_can_hold_with_a_reason_that_reads_as_a_sentence(id: str) -> None:
    rule = next(gate for gate in RULEBOOK.gates if gate.id == id)
    document: dict[str, Any] = {
        "onboarding": "heavy_setup",
        "competitors": [{"name": str(n), "kind": kind} for n, kind in enumerate(["in_house", *["cloud_vendor"] * 5])],
        "problems": placed(*(rule.when.get(name, ("both",))[0] for name in ("stage", "focus"))),
        **{name: values[0] for name, values in rule.when.items() if name in SINGLES},
    }
    found = gate(assessed(document), id)
    assert found.state == "holds"
    assert found.reason[0].isupper() and found.reason.endswith(".") and "{" not in found.reason


def test_out_of_scope_has_no_gates() -> None:
    assert assessed({"in_scope": False}).gates == () and assessed({"in_scope": False}).said is None
