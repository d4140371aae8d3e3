"""What an expert in ML infrastructure says of typical products, on signals written for the purpose (docs/scoring.md)."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer import Signals, score
from analyzer.framework.assessment import Assessment, ConsiderationResult


def assessed(document: dict[str, Any]) -> Assessment:
    return score(Signals.model_validate(document))


def problem(stage: str, focus: str) -> list[dict[str, Any]]:
    return [{"statement": "x", "stage": stage, "focus": focus, "primary": True}]


def overall(document: dict[str, Any]) -> float:
    scores = assessed(document).scores
    assert scores is not None
    return scores.overall.value


def consideration(document: dict[str, Any], id: str) -> ConsiderationResult:
    return next(c for c in assessed(document).considerations if c.id == id)


INFERENCE_ENGINE = {
    "problems": problem("day_2", "engineering"),
    "personas": [{"role": "ml_engineer"}],
    "category": "llm_inference_serving",
    "pricing": "free_only",
    "lifecycle_scope": "single_step",
    "differentiation": "measured",
    "market_breadth": "horizontal",
    "urgency": "important",
    "business_impact": "described",
    "onboarding": "self_serve",
    "data_movement": "none",
    "trust_route": "community",
    "data_science_fit": "mentioned",
    "traction": "adoption",
}
EDGE_CASES_FOR_DRIVING = {
    "problems": problem("day_2", "ml"),
    "personas": [{"role": "data_scientist"}],
    "category": "edge_case_mining",
    "competitors": [{"name": "in-house tools", "kind": "in_house"}],
    "buyer": "engineering_leadership",
    "pricing": "free_then_paid",
    "lifecycle_scope": "several_steps",
    "differentiation": "measured",
    "market_breadth": "vertical",
    "urgency": "critical_path",
    "business_impact": "quantified",
    "value_at_stake": "very_high",
    "onboarding": "self_serve",
    "data_movement": "none",
    "trust_route": "reference_customers",
    "data_science_fit": "designed_for",
    "traction": "customers",
}
NICE_TO_HAVE = {**EDGE_CASES_FOR_DRIVING, "competitors": [], "value_at_stake": "material", "urgency": "nice_to_have"}
ME_TOO_LABELLING = {
    "problems": problem("day_1", "ml"),
    "personas": [{"role": "data_scientist"}],
    "category": "data_labelling",
    "buyer": "data_science_leadership",
    "pricing": "free_then_paid",
    "lifecycle_scope": "single_step",
    "differentiation": "claimed",
    "market_breadth": "horizontal",
    "urgency": "important",
    "onboarding": "self_serve",
    "data_movement": "data_leaves",
    "trust_route": "none",
    "data_science_fit": "designed_for",
    "traction": "none",
}
LLM_EVALUATION = {
    "problems": problem("day_1", "ml"),
    "personas": [{"role": "ai_engineer"}],
    "category": "llm_evaluation",
    "pricing": "free_then_paid",
    "lifecycle_scope": "single_step",
    "differentiation": "specific",
    "market_breadth": "horizontal",
    "urgency": "important",
    "onboarding": "self_serve",
    "data_movement": "none",
    "traction": "adoption",
}
PRODUCTS = {
    "inference engine": INFERENCE_ENGINE,
    "edge cases for driving": EDGE_CASES_FOR_DRIVING,
    "nice to have": NICE_TO_HAVE,
    "me-too labelling": ME_TOO_LABELLING,
    "LLM evaluation": LLM_EVALUATION,
}


def test_a_widely_used_open_source_engine_is_not_held_to_be_untrusted() -> None:
    trusted = consideration(INFERENCE_ENGINE, "known-vendors-preferred")
    untrusted = consideration({**INFERENCE_ENGINE, "trust_route": "none"}, "known-vendors-preferred")
    assert trusted.points.value >= 5 > untrusted.points.value
    assert {gate.id: gate.state for gate in assessed(INFERENCE_ENGINE).gates}["vendor-at-hand"] == "clear"


@pytest.mark.parametrize("name", ["edge cases for driving", "nice to have", "me-too labelling"])
def test_these_are_never_favorable(name: str) -> None:
    found = assessed(PRODUCTS[name])
    assert found.verdict is not None
    assert found.verdict.word in ("balanced", "against")
    assert "favorable:" not in found.verdict.sentence


@pytest.mark.parametrize(
    ("name", "gate"),
    [
        ("edge cases for driving", "customers-build-it"),
        ("nice to have", "not-on-the-critical-path"),
        ("me-too labelling", "one-among-tens"),
    ],
)
def test_the_deal_breaker_is_the_one_that_an_expert_names(name: str, gate: str) -> None:
    assert [each.id for each in assessed(PRODUCTS[name]).gates if each.state == "holds"] == [gate]


def test_what_is_proven_gets_past_customers_who_build_it_themselves() -> None:
    found = assessed({**EDGE_CASES_FOR_DRIVING, "differentiation": "proven"})
    assert "holds" not in {gate.state for gate in found.gates}


def test_evaluation_for_engineers_who_build_on_language_models_scores_as_for_ml_engineers() -> None:
    for_ml_engineers = {**LLM_EVALUATION, "personas": [{"role": "ml_engineer"}]}
    one, other = assessed(LLM_EVALUATION), assessed(for_ml_engineers)
    assert (one.scores, one.verdict, one.gates, one.said) == (other.scores, other.verdict, other.gates, other.said)


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS.keys())
@pytest.mark.parametrize("buyer", ["unknown", "practitioner", "data_science_leadership", "engineering_leadership"])
@pytest.mark.parametrize("paid", ["by_quote", "self_checkout"])
def test_a_free_edition_next_to_a_paid_one_never_lowers_a_score(product: dict[str, Any], buyer: str, paid: str) -> None:
    document = {**product, "buyer": buyer}
    assert overall({**document, "pricing": "free_then_paid"}) >= overall({**document, "pricing": paid})


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS.keys())
@pytest.mark.parametrize(("low", "high"), [("modest", "material"), ("material", "very_high"), ("modest", "very_high")])
def test_lower_stakes_raise_no_more_than_building_in_house_explains(
    product: dict[str, Any], low: str, high: str
) -> None:
    lower, higher = {**product, "value_at_stake": low}, {**product, "value_at_stake": high}
    builds, might = (consideration(each, "built-in-house") for each in (lower, higher))
    explained = 10 * builds.share * (builds.points.value - might.points.value)
    assert overall(lower) - overall(higher) <= explained + 0.011


@pytest.mark.parametrize(
    ("buyer", "pricing", "onboarding", "data_movement", "points"),
    [
        ("engineering_leadership", "by_quote", "self_serve", "none", 10),
        ("data_science_leadership", "by_quote", "self_serve", "none", 5),
        ("practitioner", "free_only", "self_serve", "none", 6),
        ("practitioner", "self_checkout", "self_serve", "none", 9),
        ("practitioner", "free_then_paid", "self_serve", "data_leaves", 7),
        ("business_leadership", "by_quote", "heavy_setup", "none", 5),
        ("practitioner", "by_quote", "heavy_setup", "data_leaves", 0),
    ],
)
def test_purchase_and_trial_weigh_alike(
    buyer: str, pricing: str, onboarding: str, data_movement: str, points: float
) -> None:
    document = {"buyer": buyer, "pricing": pricing, "onboarding": onboarding, "data_movement": data_movement}
    found = consideration(document, "users-without-budget").points
    assert (found.value, found.low, found.high) == (points, points, points)
