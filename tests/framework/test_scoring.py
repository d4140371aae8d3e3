"""What must always hold of a score (docs/scoring.md), as properties; and what people rely on, as examples."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from analyzer import Rulebook, Signals, score
from analyzer.framework.assessment import Assessment, Quadrant, Range
from analyzer.framework.rounding import rounded_one
from analyzer.framework.verdict import kind, verdict
from analyzer.vocabulary.derived import INPUT_SPECS, INPUTS
from tests.properties import runs
from tests.worlds import SINGLES, documents, every_world, number_of_worlds, read_in_several_ways

RULEBOOK = Rulebook.built_in()
DIRECTED = [name for name in SINGLES if INPUT_SPECS[name].direction == "rising"]
OWN_DIRECTIONS = [(c.id, name) for c in RULEBOOK.considerations for name in c.directions if name in SINGLES]
PROBLEM = {"statement": "x", "stage": "day_2", "focus": "engineering", "primary": True}


def assessed(document: dict[str, Any]) -> Assessment:
    return score(Signals.model_validate(document), RULEBOOK)


def ranges(assessment: Assessment) -> dict[str, Range]:
    scores = assessment.scores
    assert scores is not None
    named = {"overall": scores.overall, "market": scores.market, "sales": scores.sales}
    return named | {name: getattr(scores.sides, name) for name in ("day_1", "day_2", "ml", "engineering")}


def two_decimals(number: Fraction) -> float:
    return rounded_one(float(number))


@given(read_in_several_ways(most_unknown=5))
@runs(60)
def test_value_and_range_are_those_of_all_worlds(document: dict[str, Any]) -> None:
    assume(number_of_worlds(document, RULEBOOK) <= 1000)
    worlds = list(every_world(document, RULEBOOK))
    found = ranges(assessed(document))
    for name, range_ in found.items():
        exact = [world.sides[name] if name in world.sides else getattr(world, name) for world in worlds]
        assert range_.low == two_decimals(min(exact))
        assert range_.high == two_decimals(max(exact))
        expected = sum(world.chance * number for world, number in zip(worlds, exact, strict=True))
        assert range_.value == pytest.approx(float(expected), abs=0.0051)


def test_range_with_everything_unknown_is_that_of_all_worlds_side_by_side() -> None:
    """Everything unknown has too many worlds to walk, but the sides share few inputs: each alone can be."""
    found = ranges(assessed({}))
    for side in ("day_1", "day_2", "ml", "engineering"):
        best = sum(c.weight * max(row.points for row in c.rows) for c in RULEBOOK.of_side(side))
        assert found[side].high <= best / sum(c.weight for c in RULEBOOK.of_side(side)) + 0.01
    assert 0 <= found["overall"].low < 10
    assert 90 < found["overall"].high <= 100


@given(documents(), st.data())
@runs(60)
def test_filling_in_an_unknown_keeps_every_range_inside_the_old_one(
    document: dict[str, Any], data: st.DataObject
) -> None:
    silent = [name for name in SINGLES if document[name]["value"] == "unknown"]
    assume(silent)
    name = data.draw(st.sampled_from(silent))
    filled = {**document, name: {"value": data.draw(st.sampled_from(INPUTS[name]))}}
    before, after = ranges(assessed(document)), ranges(assessed(filled))
    for which, range_ in after.items():
        assert before[which].low <= range_.low <= range_.value <= range_.high <= before[which].high


@given(documents())
@runs(60)
def test_naming_a_first_alternative_keeps_the_range_inside_the_old_one(document: dict[str, Any]) -> None:
    """Where the market map does not tell already who else is there."""
    document["category"] = {"value": "unknown"}
    before = ranges(assessed({**document, "competitors": []}))["overall"]
    after = ranges(assessed({**document, "competitors": [{"name": "A", "kind": "cloud_vendor"}]}))["overall"]
    assert before.low <= after.low <= after.high <= before.high


@given(documents(most_unknown=0))
@runs(40)
def test_nothing_unknown_gives_a_range_of_width_zero(document: dict[str, Any]) -> None:
    document["problems"] = [PROBLEM]
    document["personas"] = [{"role": "ml_engineer"}]
    document["competitors"] = [{"name": "A", "kind": "cloud_vendor"}]
    assessment = assessed(document)
    assert all(range_.width == 0 for range_ in ranges(assessment).values())
    assert assessment.questions == ()


@given(documents(), st.sampled_from(DIRECTED), st.data())
@runs(100)
def test_a_better_value_never_lowers_a_score(document: dict[str, Any], name: str, data: st.DataObject) -> None:
    worse, better = data.draw(st.sampled_from(list(INPUT_SPECS[name].better)))
    before, after = (ranges(assessed({**document, name: {"value": value}})) for value in (worse, better))
    for which in before:
        assert after[which].low >= before[which].low
        assert after[which].value >= before[which].value
        assert after[which].high >= before[which].high


@given(documents(), st.sampled_from(["startup", "in_house", "established_vendor"]))
@runs(60)
def test_one_more_alternative_never_raises_a_score(document: dict[str, Any], kind: str) -> None:
    """Once the field is known: a first alternative settles what was unknown and may do either."""
    rivals = [*document["competitors"], {"name": "Z", "kind": "cloud_vendor"}][:7]
    before = ranges(assessed({**document, "competitors": rivals}))
    after = ranges(assessed({**document, "competitors": [*rivals, {"name": "Y", "kind": kind}]}))
    assert all(after[which].high <= before[which].high and after[which].low <= before[which].low for which in before)


@given(documents(), st.sampled_from(OWN_DIRECTIONS))
@runs(40)
def test_a_value_that_is_better_for_one_consideration_never_costs_it_points(
    document: dict[str, Any], own: tuple[str, str]
) -> None:
    which, name = own
    points = {}
    for value in INPUTS[name]:
        found = assessed({**document, name: {"value": value}})
        points[value] = next(c.points for c in found.considerations if c.id == which)
    for worse, better in RULEBOOK.better(next(c for c in RULEBOOK.considerations if c.id == which), name):
        assert points[worse].low <= points[better].low and points[worse].high <= points[better].high


@given(documents())
@runs(30)
@example({})
def test_the_same_signals_give_the_same_bytes(document: dict[str, Any]) -> None:
    assert assessed(document).to_json() == assessed(document).to_json()


@given(documents())
@runs(60)
def test_shares_sum_to_one_and_ranges_hold_their_values(document: dict[str, Any]) -> None:
    assessment = assessed(document)
    assert sum(c.share for c in assessment.considerations) == pytest.approx(1, abs=1e-4)
    for c in assessment.considerations:
        assert 0 <= c.points.low <= c.points.value <= c.points.high <= 10
        assert (c.points.width == 0) or c.unknown


@given(documents(most_unknown=4))
@runs(30)
def test_a_change_is_the_score_of_the_changed_signals(document: dict[str, Any]) -> None:
    for change in assessed(document).changes:
        if change.signal in SINGLES:
            changed = assessed({**document, change.signal: {"value": change.after}})
            assert ranges(changed)["overall"] == change.overall


@given(documents())
@runs(30)
def test_a_question_settles_the_mean_narrowing_over_its_answers(document: dict[str, Any]) -> None:
    assessment = assessed(document)
    width = ranges(assessment)["overall"].width
    for question in assessment.questions:
        if question.signal in SINGLES:
            answers = [assessed({**document, question.signal: {"value": v}}) for v in INPUTS[question.signal]]
            left = sum(ranges(answer)["overall"].width for answer in answers) / len(answers)
            assert question.settles == pytest.approx(width - left, abs=0.03)
    assert [q.settles for q in assessment.questions] == sorted((q.settles for q in assessment.questions), reverse=True)


@pytest.mark.parametrize("name", [name for name, spec in INPUT_SPECS.items() if spec.direction == "falling"])
def test_derived_inputs_that_speak_against_are_in_the_rulebook(name: str) -> None:
    assert any(name in consideration.inputs for consideration in RULEBOOK.considerations)


@pytest.mark.parametrize(
    ("problems", "stage", "focus", "leans"),
    [
        ([], None, None, ("unknown", "unknown")),
        ([("day_1", "ml", True)], 0, 0, ("day_1", "ml")),
        ([("day_1", "ml", True), ("day_2", "engineering", False)], 0, 0, ("day_1", "ml")),
        ([("day_1", "ml", False)] * 2 + [("day_2", "ml", False)], 0.33, 0, ("mixed", "ml")),
        ([("day_1", "ml", True), ("day_2", "engineering", True)], 0.5, 0.5, ("mixed", "mixed")),
        ([("both", "both", True)], 0.5, 0.5, ("mixed", "mixed")),
        ([("unclear", "engineering", True), ("day_2", "unclear", False)], 1, 1, ("day_2", "engineering")),
    ],
    ids=["none", "one", "only primary", "a third is mixed", "two primary", "both", "others if no primary is placed"],
)
def test_position_is_the_mean_of_the_problems_that_the_product_is_sold_for(
    problems: list[tuple[str, str, bool]], stage: float | None, focus: float | None, leans: tuple[str, str]
) -> None:
    document = {"problems": [{"statement": "x", "stage": s, "focus": f, "primary": p} for s, f, p in problems]}
    assessment = assessed(document)
    assert assessment.position is not None and assessment.quadrant is not None
    for range_, expected in ((assessment.position.stage, stage), (assessment.position.focus, focus)):
        assert (range_.low, range_.high) == ((0, 1) if expected is None else (expected, expected))
    assert (assessment.quadrant.stage, assessment.quadrant.focus) == leans


@pytest.mark.parametrize(
    ("rivals", "crowding", "incumbent", "in_house"),
    [
        ([], None, None, None),
        (["startup"], "open", None, "not_rivalled"),
        (["startup", "in_house"], "contested", None, "rivalled"),
        (["cloud_vendor"] * 4, "contested", "present", "not_rivalled"),
        (["established_vendor"] * 5, "crowded", "present", "not_rivalled"),
    ],
    ids=["silence is unknown", "one", "built by customers", "four", "five"],
)
def test_what_follows_from_the_alternatives_named(
    rivals: list[str], crowding: str | None, incumbent: str | None, in_house: str | None
) -> None:
    from analyzer.framework.inputs import derive

    named = [{"name": str(n), "kind": kind} for n, kind in enumerate(rivals)]
    values = derive(Signals.model_validate({"competitors": named})).values
    assert (values["crowding"], values["incumbent"], values["in_house"]) == (crowding, incumbent, in_house)


def test_out_of_scope_gives_no_score() -> None:
    assessment = assessed({"in_scope": False, "buyer": "practitioner"})
    assert (assessment.scores, assessment.verdict, assessment.position, assessment.quadrant) == (None,) * 4
    assert (assessment.considerations, assessment.questions, assessment.changes) == ((), (), ())


BEST = {
    "problems": [PROBLEM],
    "personas": [{"role": "platform_engineer"}],
    "competitors": [{"name": "A", "kind": "startup"}],
    **{name: INPUTS[name][-1] for name in SINGLES if name not in ("value_at_stake", "buyer")},
    "value_at_stake": "modest",
    "buyer": "engineering_leadership",
}
WORST = {
    "problems": [PROBLEM],
    "personas": [{"role": "annotator"}],
    "competitors": [
        {"name": str(n), "kind": kind} for n, kind in enumerate(["cloud_vendor", "in_house"] + ["startup"] * 4)
    ],
    **{name: INPUTS[name][0] for name in SINGLES},
    "value_at_stake": "very_high",
}


@pytest.mark.parametrize(
    ("document", "word", "says"),
    [
        (BEST, "for", "product. Favorable: "),
        (WORST, "against", "product. Unfavorable: "),
        ({}, "open", "Too much is unknown for a verdict: "),
        (
            {
                **BEST,
                **{name: INPUTS[name][1] for name in ("urgency", "business_impact", "trust_route")},
                "buyer": "practitioner",
                "traction": "interviews",
                "differentiation": "claimed",
            },
            "balanced",
            "Balanced to favorable: ",
        ),
    ],
    ids=["best", "worst", "silent", "middling"],
)
def test_the_verdict_is_never_stronger_than_the_range(document: dict[str, Any], word: str, says: str) -> None:
    verdict = assessed(document).verdict
    assert verdict is not None
    assert verdict.word == word
    assert says in verdict.sentence


SERVING = {**BEST, "competitors": [], "category": "model_serving"}


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (
            {**SERVING, "onboarding": "unknown"},
            "Day-2 engineering product. Favorable: 76/100, between 75 and 77 depending on what the pitch leaves out. "
            "Its strongest point: decision makers understand the problem. Its weakest point: as crowded as a day-1 "
            "market. Biggest open question: who builds it in-house instead?",
        ),
        (
            WORST,
            "Day-2 engineering product. Unfavorable: 5/100. Deal-breakers: customers can do without it; customers build "
            "it themselves; and 1 more. Its weakest point: buyers would rather buy from "
            "a vendor they know.",
        ),
        (
            {},
            "Kind of product not stated. Too much is unknown for a verdict: 50/100, between 1 and 100 depending on "
            "what the pitch leaves out. Possible deal-breakers: customers can do without it; customers build it "
            "themselves; and 3 more. Biggest open question: how many kinds of companies have the problem?",
        ),
    ],
    ids=["something unknown", "nothing unknown, no strong point", "all unknown, no point at all"],
)
def test_the_verdict_says_kind_score_range_strongest_and_weakest_point_and_what_to_ask(
    document: dict[str, Any], sentence: str
) -> None:
    verdict = assessed(document).verdict

    assert verdict is not None
    assert verdict.sentence == sentence


@pytest.mark.parametrize(
    ("stage", "focus", "words"),
    [
        ("day_1", "ml", "Day-1 ML product"),
        ("mixed", "engineering", "Day-1 and day-2 engineering product"),
        ("mixed", "mixed", "Day-1 and day-2 product for ML and engineering"),
        ("unknown", "ml", "ML product, stage not stated"),
        ("day_2", "unknown", "Day-2 product, focus not stated"),
        ("unknown", "unknown", "Kind of product not stated"),
    ],
)
def test_the_kind_of_a_product_reads_well_whatever_is_unknown(stage: Any, focus: Any, words: str) -> None:
    assert kind(Quadrant(stage=stage, focus=focus)) == words


def test_a_narrow_range_is_shown_with_decimals_rather_than_as_one_number() -> None:
    overall = Range(value=60.1, low=59.93, high=60.21)
    said = verdict(Rulebook.built_in(), Quadrant(stage="day_1", focus="ml"), overall, (), ())

    assert said.sentence == (
        "Day-1 ML product. Favorable: 60.10/100, between 59.93 and 60.21 depending on what the pitch leaves out."
    )


def test_a_reason_names_what_was_found_and_what_was_not() -> None:
    found = {
        c.id: c.reason for c in assessed({"problems": [PROBLEM], "buyer": "engineering_leadership"}).considerations
    }
    assert found["decision-maker-fit"].startswith(
        "Engineering leadership signs. The pitch does not say how much money, time or risk is at stake, so anything from 5"
    )
    assert found["less-crowded"].startswith("The pitch does not say how many others offer it")


def test_scoring_loads_no_model_sdk_and_no_page() -> None:
    script = (
        "import sys, analyzer; analyzer.score(analyzer.Signals());"
        "print([m for m in ('openai', 'instructor', 'streamlit', 'sqlalchemy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
