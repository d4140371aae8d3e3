"""Signals changed by hand: the scores follow them, and what was read stays beside them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.errors import SignalsError
from analyzer.framework.edits import ADDED, as_read, edited, edits
from analyzer.framework.one_pitch import score, what_if
from analyzer.results.documents import DocumentEntry, score_entry
from analyzer.vocabulary.signals import SIGNALS, Signals
from tests.worlds import FOCUSES, KINDS, ROLES, STAGES, documents

READ = Signals.model_validate(
    {
        "problems": [{"statement": "Idle GPUs", "quote": "GPUs idle", "stage": "day_2", "focus": "engineering"}],
        "personas": [{"role": "platform_engineer", "quote": "for SREs"}, {"role": "data_scientist", "quote": "and DS"}],
        "competitors": [
            {"name": "AWS", "kind": "cloud_vendor", "quote": "unlike AWS"},
            {"name": "scripts", "kind": "in_house", "quote": "home-grown scripts"},
        ],
        "buyer": {"value": "practitioner", "basis": "inferred", "quotes": ["start free"]},
    }
)


@st.composite
def changes(draw: st.DrawFn, read: Signals) -> dict[str, str]:
    """Any changes that a person can make to these signals."""
    single = {name: st.sampled_from([*spec.values, "unknown"]) for name, spec in SIGNALS.items()}
    for number in range(max(1, len(read.problems))):
        single |= {
            f"problems.{number}.stage": st.sampled_from(STAGES),
            f"problems.{number}.focus": st.sampled_from(FOCUSES),
        }
    kept = st.sets(st.sampled_from([*map(str, range(len(read.competitors))), *KINDS]))
    single |= {
        "main_user": st.sampled_from([*ROLES, "unknown"]),
        "competitors": kept.map(lambda parts: " ".join(sorted(parts))),
        "in_scope": st.sampled_from(["yes", "no"]),
    }
    names = draw(st.sets(st.sampled_from(sorted(single)), max_size=5))
    return {name: draw(single[name]) for name in sorted(names)}


@pytest.mark.slow
@given(st.data())
def test_what_was_read_comes_back_whole_from_an_edited_assessment(data: st.DataObject) -> None:
    read = Signals.model_validate(data.draw(documents()))
    now = edited(read, data.draw(changes(read)))

    assessment = score(now, as_read=read)

    assert as_read(assessment.signals, assessment.edits) == read


@pytest.mark.slow
@given(st.data())
def test_edits_change_no_byte_beyond_their_own_list(data: st.DataObject) -> None:
    """The same signals and rulebook give the same result, whoever set them."""
    read = Signals.model_validate(data.draw(documents()))
    now = edited(read, data.draw(changes(read)))

    with_edits, plain = score(now, as_read=read), score(now)

    assert with_edits.model_copy(update={"edits": ()}).to_json() == plain.to_json()
    assert score(now, as_read=read).to_json() == with_edits.to_json()


@pytest.mark.slow
@given(st.data())
def test_scoring_an_exported_assessment_again_keeps_its_edits_to_the_byte(data: st.DataObject) -> None:
    read = Signals.model_validate(data.draw(documents()))
    exported = score(edited(read, data.draw(changes(read))), as_read=read).to_json()

    again = score_entry(DocumentEntry("exported.json", json.loads(exported))).assessment

    assert again is not None
    assert again.to_json() == exported


def test_a_changed_value_says_so_and_the_read_one_keeps_basis_and_quotes() -> None:
    now = edited(READ, {"buyer": "engineering_leadership"})

    assert (now.buyer.value, now.buyer.basis, now.buyer.quotes) == ("engineering_leadership", "edited", ())
    (edit,) = edits(READ, now)
    assert edit.signal == "buyer"
    assert edit.before == {
        "value": "practitioner",
        "basis": "inferred",
        "quotes": [{"text": "start free", "start": None, "end": None}],
    }
    assert edit.after == {"value": "engineering_leadership", "basis": "edited", "quotes": []}


@pytest.mark.parametrize(
    ("made", "found"),
    [
        ({"problems.0.stage": "day_1"}, lambda s: (s.problems[0].stage, s.problems[0].quote.text) == ("day_1", "GPUs idle")),
        ({"main_user": "data_scientist"}, lambda s: (s.personas[0].role, s.personas[0].quote) == ("data_scientist", None)),
        ({"main_user": "unknown"}, lambda s: s.personas == ()),
        ({"competitors": "1 startup"}, lambda s: [(r.name, r.kind) for r in s.competitors] == [("scripts", "in_house"), (ADDED, "startup")]),
        ({"competitors": ""}, lambda s: s.competitors == ()),
        ({"buyer": "unknown"}, lambda s: (s.buyer.basis, s.buyer.quotes) == ("absent", ())),
        ({"in_scope": "no"}, lambda s: not s.in_scope),
    ],
    ids=["stage", "main user", "no user", "alternatives", "no alternative", "unknown", "scope"],
)  # fmt: skip
def test_every_kind_of_signal_can_be_changed(made: dict[str, str], found: Any) -> None:
    now = edited(READ, made)
    assert found(now)
    assert len(edits(READ, now)) == 1


def test_where_no_problem_was_read_one_can_be_set() -> None:
    now = edited(Signals(), {"problems.0.stage": "day_2", "problems.0.focus": "ml"})

    assert [(p.statement, p.stage, p.focus) for p in now.problems] == [(ADDED, "day_2", "ml")]
    quadrant = score(now).quadrant
    assert quadrant is not None
    assert (quadrant.stage, quadrant.focus) == ("day_2", "ml")


@pytest.mark.parametrize(
    "same",
    [{"buyer": "practitioner"}, {"main_user": "platform_engineer"}, {"competitors": "0 1"}, {"in_scope": "yes"}, {"problems.0.focus": "engineering"}],
    ids=lambda same: next(iter(same)),
)  # fmt: skip
def test_a_change_to_what_was_read_is_no_edit(same: dict[str, str]) -> None:
    assert edited(READ, same) == READ


@pytest.mark.parametrize(
    "wrong",
    [{"buyer": "me"}, {"budget": "high"}, {"problems.1.stage": "day_1"}, {"problems.0.quote": "x"}, {"competitors": "7"}, {"main_user": "king"}, {"in_scope": "maybe"}],
    ids=lambda wrong: next(iter(wrong)),
)  # fmt: skip
def test_a_change_that_means_nothing_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SignalsError):
        edited(READ, wrong)


@pytest.mark.parametrize(
    "edit",
    [{"signal": "budget", "from": 1, "to": 2}, {"signal": "buyer", "from": {"value": "me"}, "to": {}}, {"signal": "buyer"}, 5],
    ids=["no signal", "no value of it", "incomplete", "no edit"],
)  # fmt: skip
def test_an_assessment_with_edits_that_do_not_fit_is_refused(edit: Any) -> None:
    document = json.loads(score(READ).to_json()) | {"edits": [edit]}

    error = score_entry(DocumentEntry("x.json", document)).error

    assert isinstance(error, SignalsError)
    assert "x.json" in str(error)


def test_what_if_starts_from_what_was_read_and_none_leads_back() -> None:
    assessment = score(READ)

    first = what_if(assessment, {"buyer": "engineering_leadership"})
    second = what_if(first, {"traction": "customers"})

    assert [edit.signal for edit in first.edits] == ["buyer"]
    assert [edit.signal for edit in second.edits] == ["traction"]
    assert what_if(second, {}) == assessment
