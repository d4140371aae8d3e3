"""Many pitches at once score as each does alone, to the last digit."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pyarrow
import pytest
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st

from analyzer import Rulebook, Signals, score
from analyzer.errors import SignalsError
from analyzer.framework.tables import SCORES, LookUps, score_table, signals_table
from tests.test_rulebook import BUILT_IN
from tests.worlds import documents


def other_rulebook() -> Rulebook:
    """Other weights, a consideration less, and one that shares inputs without a direction with others."""
    content: dict[str, Any] = copy.deepcopy(BUILT_IN)
    content["considerations"] = [c for c in content["considerations"] if c["id"] != "less-crowded"]
    for number, consideration in enumerate(content["considerations"]):
        consideration["weight"] = 1 + number % 3 * 0.7
    extra = copy.deepcopy(content["considerations"][0])
    extra |= {
        "id": "shared",
        "side": "ml",
        "inputs": ["buyer", "persona_fit", "stage"],
        "rows": [["practitioner", "other", "*", 9, "a"], ["practitioner", "data_science|engineering", "day_1|mixed", 2, "a"],
                 ["practitioner", "data_science|engineering", "day_2", 7, "a"],
                 ["data_science_leadership|engineering_leadership|business_leadership", "*", "*", 4.5, "a"]],
        "reasons": {"a": "So: {buyer}."},
    }  # fmt: skip
    content["considerations"].append(extra)
    return Rulebook.from_content(content, "other.toml")


RULEBOOKS = [Rulebook.built_in(), other_rulebook()]


@given(st.lists(documents(), min_size=1, max_size=6), st.sampled_from(RULEBOOKS))
@runs(max_examples=60)
def test_a_table_scores_as_each_pitch_does_alone(many: list[dict[str, Any]], rulebook: Rulebook) -> None:
    signals = [Signals.model_validate(document) for document in many]
    rows = score_table(signals_table(signals), rulebook).to_pylist()
    for row, alone in zip(rows, (score(one, rulebook) for one in signals), strict=True):
        assert alone.scores is not None
        for name in SCORES:
            found = getattr(alone.scores, name, None) or getattr(alone.scores.sides, name)
            assert (row[name], row[f"{name}_low"], row[f"{name}_high"]) == (found.value, found.low, found.high), name
        for c in alone.considerations:
            points = tuple(row[f"points_{c.id}{suffix}"] for suffix in ("", "_low", "_high"))
            assert points == (c.points.value, c.points.low, c.points.high)


def test_out_of_scope_rows_have_no_scores_and_other_columns_pass_through() -> None:
    table = signals_table([Signals(), Signals(in_scope=False)], ids=["a", "b"])
    table = table.append_column("owner", pyarrow.array(["x", "y"]))
    scored = score_table(table).to_pylist()
    assert [row["id"] + row["owner"] for row in scored] == ["ax", "by"]
    assert scored[0]["overall"] is not None
    assert scored[1]["overall"] is None
    assert scored[1]["points_broad-market_low"] is None


def test_pandas_in_is_pandas_out() -> None:
    frame = signals_table([Signals()]).to_pandas()
    scored = score_table(frame)
    assert type(scored) is type(frame)
    assert scored["overall"][0] == 48.43 or 0 <= scored["overall"][0] <= 100


@pytest.mark.parametrize("unknown", [None, "", "unknown"])
def test_unknown_can_be_written_in_three_ways(unknown: str | None) -> None:
    table = pyarrow.table({"buyer": pyarrow.array([unknown, "practitioner"])})
    expected = score_table(signals_table([Signals(), Signals.model_validate({"buyer": "practitioner"})]))
    assert score_table(table).select(["overall", "overall_low", "overall_high"]) == expected.select(
        ["overall", "overall_low", "overall_high"]
    )


@pytest.mark.parametrize(
    ("column", "cells", "says"),
    [
        ("buyer", ["practitioner", "cto"], "row 2: buyer has no value 'cto'; it has practitioner"),
        ("stage", [0.5, 1.5], "row 2: stage is 1.5; a position is from 0 to 1"),
        ("stage", ["early", "late"], "stage is a position from 0 to 1; this column holds something else"),
    ],
)
def test_a_value_outside_the_vocabulary_is_named_with_row_and_column(column: str, cells: list[Any], says: str) -> None:
    with pytest.raises(SignalsError, match=says):
        score_table(pyarrow.table({column: cells}))


def test_dictionary_columns_in_several_chunks_are_read() -> None:
    chunks = [pyarrow.array(part).dictionary_encode() for part in (["practitioner"], ["business_leadership", None])]
    table = pyarrow.table({"buyer": pyarrow.chunked_array(chunks)})
    overall = score_table(table)["overall"].to_numpy()
    assert len(overall) == 3
    assert np.isfinite(overall).all()


def opposed_rulebook() -> Rulebook:
    """What is at stake costs points in one consideration and earns them in another, and the trust routes swap places."""
    content: dict[str, Any] = copy.deepcopy(BUILT_IN)
    extra = copy.deepcopy(content["considerations"][0])
    extra |= {
        "id": "worth-much",
        "side": "engineering",
        "inputs": ["value_at_stake", "trust_route"],
        "directions": {"value_at_stake": "rising"},
        "rows": [
            ["modest", "none", 0, "a"],
            ["modest", "marketplace_or_partner", 6, "a"],
            ["modest", "reference_customers", 3, "a"],
            ["material", "none", 2, "a"],
            ["material", "marketplace_or_partner|reference_customers", 7, "a"],
            ["very_high", "none", 5, "a"],
            ["very_high", "marketplace_or_partner", 10, "a"],
            ["very_high", "reference_customers", 8, "a"],
        ],
        "reasons": {"a": "So: {value_at_stake}."},
    }
    content["considerations"].append(extra)
    return Rulebook.from_content(content, "opposed.toml")


@given(st.lists(documents(), min_size=1, max_size=4))
@runs(max_examples=40)
def test_ranges_are_exact_also_where_two_considerations_want_opposite_values_of_an_input(
    many: list[dict[str, Any]],
) -> None:
    rulebook = opposed_rulebook()
    assert set(LookUps(rulebook).tried) == {"value_at_stake", "trust_route"}
    signals = [Signals.model_validate(document) for document in many]
    rows = score_table(signals_table(signals), rulebook).to_pylist()
    for row, alone in zip(rows, (score(one, rulebook) for one in signals), strict=True):
        assert alone.scores is not None
        for name in SCORES:
            expected = getattr(alone.scores, name, None) or getattr(alone.scores.sides, name)
            assert (row[name], row[f"{name}_low"], row[f"{name}_high"]) == (expected.value, expected.low, expected.high)
