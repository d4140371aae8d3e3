"""Several readings of one pitch as one document, by votes: what must hold for any readings, and the settled cases."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analyzer import Signals, score
from analyzer.framework.inputs import derive, positions
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.reading.combine import combined
from analyzer.vocabulary.derived import INPUTS, LEANS
from analyzer.vocabulary.records import SIGNALS
from tests.properties import runs
from tests.worlds import CATEGORIES, DERIVED, FOCUSES, KINDS, ROLES, SINGLES, STAGES, every_world, number_of_worlds

TEXT = "Teams train models. GPUs stand idle for hours, and nobody knows why. Acme saved 40%. Unlike AWS we are small."


def quote(start: int, end: int) -> dict[str, Any]:
    return {"text": TEXT[start:end], "start": start, "end": end}


def _reading(seed: int) -> Signals:
    """One reading, in or out of scope, its quotes anywhere. Drawn from a seed: hypothesis itself takes a second."""
    random = Random(seed)

    def somewhere() -> dict[str, Any]:
        start = random.choice([0, 20, 69, random.randrange(len(TEXT) - 9)])
        return quote(start, min(len(TEXT), start + random.choice([9, 19, 60])))

    def single(values: Sequence[str]) -> dict[str, Any] | str:
        if random.random() < 0.3:
            return "unknown"
        quotes = {each["start"]: each for each in (somewhere() for _ in range(random.randint(1, 3)))}
        basis = random.choice(["stated", "inferred"])
        return {"value": random.choice(values), "basis": basis, "quotes": list(quotes.values())}

    def listed(most: int, **fields: Sequence[Any]) -> list[dict[str, Any]]:
        entries = range(random.choice([0, 1, 1, 2, most]))
        return [
            {
                **{name: random.choice(values) for name, values in fields.items()},
                "quote": random.choice([None, somewhere()]),
            }
            for _ in entries
        ]

    words = ("GPUs stand idle", "Models decay", "Idle GPUs cost money", "Nobody knows why")
    return Signals.model_validate(
        {
            "in_scope": random.random() < 0.8,
            "product": random.choice(["", "Watt", "Wattwise"]),
            "summary": random.choice(["", "It finds idle GPUs.", "A tool."]),
            "problems": listed(4, statement=words, stage=STAGES, focus=FOCUSES, primary=(True, False)),
            "personas": listed(3, role=ROLES),
            "competitors": listed(6, name=("AWS", "Amazon SageMaker", "SageMaker", "scripts", "A"), kind=KINDS),
            **{name: single(SIGNALS[name].values) for name in SINGLES},
            "category": single(CATEGORIES[1:]),
        }
    )


def readings() -> st.SearchStrategy[Signals]:
    return st.integers(0, 2**32).map(_reading)


def without_votes(signals: Signals) -> dict[str, Any]:
    def stripped(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: stripped(each) for name, each in part.items() if name != "votes"}
        return [stripped(each) for each in part] if isinstance(part, list) else part

    document: dict[str, Any] = stripped(signals.model_dump(mode="json"))
    return document


@given(st.lists(readings(), min_size=1, max_size=5), st.randoms(use_true_random=False))
@runs(20)
def test_the_order_of_readings_makes_no_difference(several: list[Signals], random: Any) -> None:
    shuffled = list(several)
    random.shuffle(shuffled)
    assert combined(shuffled).model_dump_json() == combined(several).model_dump_json()


@given(readings(), st.integers(1, 5))
@runs(20)
def test_equal_readings_give_their_own_document_but_for_votes(reading: Signals, times: int) -> None:
    together = combined([reading] * times)
    assert without_votes(together) == without_votes(reading)
    assert together.readings == times
    assert score(together).scores == score(reading).scores
    assert [c.reason for c in score(together).considerations] == [c.reason for c in score(reading).considerations]


@given(st.lists(readings(), min_size=1, max_size=5))
@runs(20)
def test_a_combined_document_is_a_valid_document_and_every_quote_was_read(several: list[Signals]) -> None:
    together = combined(several)
    assert Signals.model_validate_json(together.model_dump_json()) == together
    read = {quote for each in several for _, quote in each.quotes()}
    assert {quote for _, quote in together.quotes()} <= read


@given(st.lists(readings(), min_size=2, max_size=5))
@runs(20)
def test_every_value_that_was_read_has_its_votes(several: list[Signals]) -> None:
    together = combined(several)
    inside = [each for each in several if each.in_scope]
    outside = [each for each in several if not each.in_scope]
    voters = outside if len(outside) > len(inside) else inside
    for name in SIGNALS:
        signal = together.single(name)
        votes = {signal.value: signal.votes} | {vote.value: vote.votes for vote in signal.also}
        assert votes == Counter(each.single(name).value for each in voters)
        assert signal.votes == max(votes.values())


def within(several: Sequence[Signals]) -> list[Signals]:
    """The same readings, all in scope."""
    return [each.model_copy(update={"in_scope": True}) for each in several]


def counted(several: Sequence[Signals], name: str) -> Counter[Any]:
    """What each reading has for an input, straight from the readings."""
    if name in LEANS:
        return Counter(positions(each)[name] for each in several)
    return Counter(derive(each, MarketMap.built_in()).values[name] for each in several)


def as_document(several: Sequence[Signals]) -> dict[str, Any]:
    """The votes of some readings on every input, written down one by one."""

    def votes(name: str) -> dict[str, Any]:
        listed = [
            {"value": "unknown" if value is None else float(value) if name in LEANS else value, "votes": count}
            for value, count in counted(several, name).items()
        ]
        return {**listed[0], "also": listed[1:]}

    return {**{name: votes(name) for name in SINGLES}, "derived": {name: votes(name) for name in DERIVED}}


@given(st.lists(readings(), min_size=2, max_size=4))
@runs(20)
def test_scoring_the_combined_document_is_scoring_the_votes_one_by_one(several: list[Signals]) -> None:
    several = within(several)
    whole = score(combined(several))
    by_votes = score(as_document(several))
    assert whole.scores == by_votes.scores
    assert whole.position == by_votes.position
    assert [gate.state for gate in whole.gates] == [gate.state for gate in by_votes.gates]


@given(st.lists(readings(), min_size=2, max_size=3), st.data())
@runs(10)
def test_scoring_the_combined_document_is_scoring_every_world(several: list[Signals], data: st.DataObject) -> None:
    contested = data.draw(st.lists(st.sampled_from(SINGLES), max_size=3, unique=True))
    base = several[0].model_copy(update={"in_scope": True})
    base = base.model_copy(
        update={
            name: Signals.model_validate({name: INPUTS[name][0]}).single(name)
            for name in SINGLES
            if not base.single(name).known
        }
    )
    several = [base.model_copy(update={name: each.single(name) for name in contested}) for each in several]
    document, rulebook = as_document(several), Rulebook.built_in()
    assume(number_of_worlds(document, rulebook) < 3000)
    worlds = list(every_world(document, rulebook))
    assert math.isclose(sum(world.chance for world in worlds), 1)
    scores = score(combined(several)).scores
    assert scores is not None
    assert scores.overall.value == pytest.approx(float(sum(w.chance * w.overall for w in worlds)), abs=0.006)
    assert scores.overall.low == pytest.approx(float(min(w.overall for w in worlds)), abs=0.006)
    assert scores.overall.high == pytest.approx(float(max(w.overall for w in worlds)), abs=0.006)


@given(st.lists(readings(), min_size=2, max_size=4))
@runs(20)
def test_the_score_of_every_reading_with_nothing_unknown_lies_in_the_range(several: list[Signals]) -> None:
    several = within(several)
    together = score(combined(several)).scores
    assert together is not None
    for each in several:
        alone = score(each).scores
        assert alone is not None
        assert together.overall.low <= alone.overall.low and alone.overall.high <= together.overall.high


# ---------------------------------------------------------------- settled cases


def reading(**fields: Any) -> Signals:
    return Signals.model_validate(fields)


def problem(statement: str, where: tuple[int, int], stage: str = "day_2", **more: Any) -> dict[str, Any]:
    return {
        "statement": statement,
        "quote": quote(*where),
        "stage": stage,
        "focus": "engineering",
        "primary": True,
        **more,
    }


def rival(name: str, kind: str = "cloud_vendor", where: tuple[int, int] = (85, 95)) -> dict[str, Any]:
    return {"name": name, "kind": kind, "quote": quote(*where)}


def test_a_tie_goes_to_a_value_before_unknown_and_to_the_weaker_of_two_values() -> None:
    half = combined([reading(urgency="important"), reading()])
    assert (half.urgency.value, half.urgency.votes, half.urgency.also[0].value) == ("important", 1, "unknown")
    both = combined([reading(urgency="critical_path"), reading(urgency="important")])
    assert (both.urgency.value, both.urgency.also[0].value) == ("important", "critical_path")


def test_a_value_rests_on_the_quotes_of_all_readings_that_agree_and_of_no_other() -> None:
    found = combined(
        [
            reading(differentiation={"value": "measured", "quotes": [quote(69, 84)]}),
            reading(differentiation={"value": "measured", "basis": "inferred", "quotes": [quote(20, 44)]}),
            reading(differentiation={"value": "claimed", "quotes": [quote(85, 110)]}),
        ]
    ).differentiation
    assert {each.start for each in found.quotes} == {69, 20}
    assert found.basis == "inferred"


def test_quotes_of_one_place_are_shown_once() -> None:
    long, short = quote(20, 68), quote(20, 44)
    found = combined([reading(urgency={"value": "important", "quotes": [each]}) for each in (long, short, short)])
    assert [each.end for each in found.urgency.quotes] == [44]


def test_problems_are_matched_by_their_quotes_and_stay_if_half_of_the_readings_have_them() -> None:
    found = combined(
        [
            reading(problems=[problem("GPUs stand idle", (20, 68)), problem("Training is hard", (0, 19), "day_1")]),
            reading(problems=[problem("Machines are not used", (20, 44))]),
            reading(problems=[problem("Idle machines cost money", (20, 44), "both", primary=False)]),
        ]
    )
    (kept,) = found.problems
    assert (kept.stage, kept.primary, kept.votes) == ("day_2", True, 3)
    assert kept.quote is not None and kept.quote.end == 44
    assert found.derived is not None and found.derived.stage is not None
    votes = found.derived.stage
    assert {votes.value: votes.votes} | {each.value: each.votes for each in votes.also} == {0.5: 2, 1.0: 1}


def test_two_problems_of_one_sentence_stay_two() -> None:
    both = [problem("Deploy models", (0, 19), "day_1"), problem("Maintain models", (0, 19), "day_2")]
    found = combined([reading(problems=both), reading(problems=both[::-1]), reading(problems=both)])
    assert [(each.statement, each.votes) for each in found.problems] == [("Deploy models", 3), ("Maintain models", 3)]


def test_problems_that_no_two_readings_share_are_all_shown() -> None:
    found = combined(
        [
            reading(problems=[problem("Training", (0, 19))]),
            reading(problems=[problem("Idle", (20, 44))]),
            reading(problems=[problem("Savings", (69, 84))]),
        ]
    )
    assert len(found.problems) == 3


def test_competitors_are_matched_by_name_and_those_without_a_name_by_kind_and_quote() -> None:
    found = combined(
        [
            reading(
                competitors=[rival("AWS SageMaker"), rival("home-grown scripts", "in_house", (0, 19)), rival("Foo")]
            ),
            reading(competitors=[rival("SageMaker"), rival("teams themselves", "in_house", (0, 18))]),
            reading(competitors=[rival("sagemaker", where=(0, 10)), rival("Bar")]),
        ]
    )
    assert [(each.kind, each.votes) for each in found.competitors] == [("cloud_vendor", 3), ("in_house", 2)]
    assert found.derived is not None and found.derived.in_house is not None
    assert (found.derived.in_house.value, found.derived.in_house.votes) == ("rivalled", 2)


def test_the_main_user_is_the_one_that_most_readings_name_first() -> None:
    users = (["annotator", "ml_engineer"], ["ml_engineer"], ["ml_engineer", "annotator"])
    found = combined([reading(personas=[{"role": role} for role in roles]) for roles in users])
    assert [(each.role, each.votes) for each in found.personas] == [("ml_engineer", 3), ("annotator", 2)]
    assert found.derived is not None and found.derived.persona_fit is not None
    assert found.derived.persona_fit.votes == 2


def test_readings_out_of_scope_do_not_vote_on_what_the_others_read() -> None:
    found = combined([reading(urgency="important"), reading(urgency="important"), reading(in_scope=False)])
    assert found.in_scope and found.scope is not None
    assert (found.scope.in_scope, found.scope.out_of_scope) == (2, 1)
    assert (found.urgency.votes, found.urgency.also) == (2, ())


def test_a_tie_on_scope_is_not_scored_and_both_votes_are_there() -> None:
    found = combined([reading(urgency="important"), reading(in_scope=False)])
    assert found.scope is not None and found.scope.tied
    assert score(found).scores is None
    assert found.urgency.value == "important"


def test_a_market_map_of_ones_own_decides_what_the_readings_vote_on() -> None:
    several = [reading(category="feature_store"), reading(category="model_serving")]
    empty = MarketMap.built_in()
    found = combined(several, empty)
    votes = counted(several, "crowding")
    assert (found.derived is not None and found.derived.crowding is not None) == (len(votes) > 1)


def test_nothing_cannot_be_combined() -> None:
    with pytest.raises(ValueError, match="no readings"):
        combined([])
