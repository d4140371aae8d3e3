"""Many pitches at once score as each does alone, to the last digit."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import Rulebook, Signals, analyze, score
from analyzer.errors import SignalsError
from analyzer.framework.formula import SCORES
from analyzer.framework.look_ups import LookUps, look_ups
from analyzer.framework.many_pitches import coded_documents, score_table, scored_columns
from analyzer.framework.rounding import rounded
from analyzer.framework.scorer import STATES, scored
from analyzer.results.tables import score_parquet
from tests.conftest import PITCHES
from tests.framework.test_rulebook import BUILT_IN
from tests.properties import runs
from tests.worlds import documents, flat_table, read_in_several_ways


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


def same_as_alone(rows: dict[str, list[Any]], signals: list[Signals], rulebook: Rulebook) -> None:
    """Every column holds what scoring each pitch by itself gives, to the last digit."""
    for number, alone in enumerate(score(one, rulebook) for one in signals):
        row = {name: column[number] for name, column in rows.items()}
        assert alone.scores is not None
        for name in SCORES:
            found = getattr(alone.scores, name, None) or getattr(alone.scores.sides, name)
            assert (row[name], row[f"{name}_low"], row[f"{name}_high"]) == (found.value, found.low, found.high), name
        for c in alone.considerations:
            points = tuple(row[f"points_{c.id}{suffix}"] for suffix in ("", "_low", "_high"))
            assert points == (c.points.value, c.points.low, c.points.high)
        assert row["said"] == alone.said
        states = [row[f"gate_{gate.id}"] for gate in alone.gates]
        assert [state if isinstance(state, str) else STATES[state] for state in states] == [
            g.state for g in alone.gates
        ]


@given(st.lists(documents(), min_size=1, max_size=6), st.sampled_from(RULEBOOKS))
@runs(60)
def test_a_table_scores_as_each_pitch_does_alone(many: list[dict[str, Any]], rulebook: Rulebook) -> None:
    signals = [Signals.model_validate(document) for document in many]
    same_as_alone(score_table(flat_table(signals), rulebook).to_pydict(), signals, rulebook)


@given(st.lists(read_in_several_ways(), min_size=1, max_size=6), st.sampled_from(RULEBOOKS))
@runs(60)
def test_documents_read_in_several_ways_score_together_as_each_does_alone(
    many: list[dict[str, Any]], rulebook: Rulebook
) -> None:
    signals = [Signals.model_validate(document) for document in many]
    columns = dict(scored_columns(coded_documents(signals), rulebook))
    same_as_alone({name: column.tolist() for name, column in columns.items()}, signals, rulebook)


@pytest.mark.parametrize("rulebook", RULEBOOKS, ids=["built in", "another"])
@pytest.mark.parametrize("read", [documents(), read_in_several_ways()], ids=["read once", "read in several ways"])
@given(data=st.data())
@runs(3)
def test_a_pitch_scores_alike_among_thousands_that_leave_other_things_open(
    read: st.SearchStrategy[dict[str, Any]], rulebook: Rulebook, data: st.DataObject
) -> None:
    """A long table is sorted by what is open first; that must not show."""
    few = [Signals.model_validate(data.draw(read)) for _ in range(12)]
    alone = dict(scored_columns(coded_documents(few), rulebook))
    many = dict(scored_columns(coded_documents(few * 60), rulebook))
    for name, column in alone.items():
        assert many[name].tolist() == column.tolist() * 60, name


def test_out_of_scope_rows_have_no_scores_and_other_columns_pass_through() -> None:
    table = flat_table([Signals(), Signals(in_scope=False)], ids=["a", "b"])
    table = table.append_column("owner", pyarrow.array(["x", "y"]))
    scored = score_table(table).to_pylist()
    assert [row["id"] + row["owner"] for row in scored] == ["ax", "by"]
    assert scored[0]["overall"] is not None
    assert scored[1]["overall"] is None
    assert scored[1]["points_broad-market_low"] is None


def test_pandas_in_is_pandas_out() -> None:
    frame = flat_table([Signals()]).to_pandas()
    scored = score_table(frame)
    assert type(scored) is type(frame)
    assert scored["overall"].tolist() == score_table(flat_table([Signals()]))["overall"].to_pylist()


@pytest.mark.parametrize("unknown", [None, "", "unknown"])
def test_unknown_can_be_written_in_three_ways(unknown: str | None) -> None:
    table = pyarrow.table({"buyer": pyarrow.array([unknown, "practitioner"])})
    expected = score_table(flat_table([Signals(), Signals.model_validate({"buyer": "practitioner"})]))
    assert score_table(table).select(["overall", "overall_low", "overall_high"]) == expected.select(
        ["overall", "overall_low", "overall_high"]
    )


@pytest.mark.parametrize(
    ("column", "cells", "says"),
    [
        ("buyer", ["practitioner", "cto"], "row 2: buyer has no value 'cto'; it has practitioner"),
        ("stage", [0.5, 1.5], "row 2: stage is 1.5; a position is from 0 to 1"),
        (
            "stage",
            ["early", "late"],
            r"stage is a position from 0 \(day_1\) to 1 \(day_2\); this column holds something else",
        ),
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


def test_a_slice_of_a_dictionary_column_is_read_by_its_own_rows() -> None:
    """What a null points to, and words that no row of the slice has, say nothing."""
    codes = pyarrow.array([2, 0, None, 1, None, 0, 1, None, 1, 0], pyarrow.int8())
    words = pyarrow.DictionaryArray.from_arrays(codes, ["practitioner", "data_science_leadership", "cto"])
    table = pyarrow.table({"buyer": words}).slice(1)
    plain = pyarrow.table({"buyer": words.slice(1).cast(pyarrow.string())})
    assert score_table(table).drop(["buyer"]).equals(score_table(plain).drop(["buyer"]))
    with pytest.raises(SignalsError, match="row 1: buyer has no value 'cto'"):
        score_table(pyarrow.table({"buyer": words}))


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
            ["modest", "community|marketplace_or_partner", 6, "a"],
            ["modest", "reference_customers", 3, "a"],
            ["material", "none", 2, "a"],
            ["material", "community|marketplace_or_partner|reference_customers", 7, "a"],
            ["very_high", "none", 5, "a"],
            ["very_high", "community|marketplace_or_partner", 10, "a"],
            ["very_high", "reference_customers", 8, "a"],
        ],
        "reasons": {"a": "So: {value_at_stake}."},
    }
    content["considerations"].append(extra)
    return Rulebook.from_content(content, "opposed.toml")


@given(st.lists(read_in_several_ways(), min_size=1, max_size=4))
@runs(40)
def test_considerations_that_want_opposite_values_of_an_input_score_together_as_alone(
    many: list[dict[str, Any]],
) -> None:
    rulebook = opposed_rulebook()
    assert look_ups(rulebook).tried == ("value_at_stake",)
    assert {"value_at_stake", "trust_route"} <= set(LookUps(rulebook, most_cells=100).tried)
    signals = [Signals.model_validate(document) for document in many]
    columns = dict(scored_columns(coded_documents(signals), rulebook))
    same_as_alone({name: column.tolist() for name, column in columns.items()}, signals, rulebook)


@given(st.lists(read_in_several_ways(), min_size=1, max_size=4), st.sampled_from([*RULEBOOKS, opposed_rulebook()]))
@runs(40)
def test_however_a_rulebook_is_split_into_tables_the_scores_are_the_same(
    many: list[dict[str, Any]], rulebook: Rulebook
) -> None:
    """Considerations whose inputs are too many for one table go into several; then more has to be tried."""
    coded = coded_documents(Signals.model_validate(document) for document in many)
    whole = scored(coded, look_ups(rulebook))
    for most_cells in (100, 2_000):
        split = LookUps(rulebook, most_cells)
        assert len(split.parts) > len(look_ups(rulebook).parts)
        apart = scored(coded, split)
        for name in SCORES:
            assert rounded(apart.scores[name]).tolist() == rounded(whole.scores[name]).tolist(), name


# ---------------------------------------------------------------- what the caller's table keeps

OWN = ["overall", "in_scope", "day_1_low", "points_broad-market", "input_overall", "name", "note", "signals_seen"]


@given(
    st.lists(st.sampled_from(["practitioner", "business_leadership", None, "unknown"]), min_size=1, max_size=6),
    st.data(),
)
@runs(40)
def test_scores_stay_on_their_rows_whatever_the_index_and_the_other_columns(
    buyers: list[str | None], data: st.DataObject
) -> None:
    names = data.draw(st.lists(st.sampled_from([each for each in OWN if each != "in_scope"]), unique=True))
    labels = data.draw(st.lists(st.integers(0, 3), min_size=len(buyers), max_size=len(buyers)))  # also repeated ones
    index = pandas.Index(labels, name=data.draw(st.sampled_from([None, "pitch"])))
    own = {name: [object() for _ in buyers] for name in names}
    frame = pandas.DataFrame({**own, "buyer": buyers}, index=index)
    before = frame.copy()

    scored = score_table(frame)

    assert frame.equals(before) and list(frame.columns) == list(before.columns)
    assert scored.index.equals(index) and scored.index.name == index.name
    alone = [score(Signals.model_validate({"buyer": buyer})).scores for buyer in buyers]
    assert scored["overall"].tolist() == [each.overall.value for each in alone if each]
    assert frame.assign(mine=score_table(frame)["overall"])["mine"].tolist() == scored["overall"].tolist()
    kept = scored.iloc[:, : len(frame.columns)]
    for position, name in enumerate(frame.columns):
        assert kept.iloc[:, position].tolist() == frame[name].tolist()
        assert kept.columns[position] == name or kept.columns[position].endswith(f"input_{name}")
    assert scored.columns.is_unique


def test_sorted_by_anything_each_pitch_keeps_its_own_score() -> None:
    frame = pandas.DataFrame({"name": list("abc"), "buyer": ["practitioner", "engineering_leadership", None]})
    right = score_table(frame).set_index("name")["overall"]
    top = frame.sort_values("buyer")
    top["overall"] = score_table(top)["overall"]
    assert top.set_index("name")["overall"].sort_index().equals(right.sort_index())
    top["overall"] = score_table(top)["overall"]  # the cell of a notebook, run again
    assert top.set_index("name")["overall"].sort_index().equals(right.sort_index())


def test_columns_that_only_a_data_frame_can_hold_stay_in_the_result() -> None:
    frame = pandas.DataFrame({"buyer": pandas.Categorical(["practitioner"]), 7: [1 + 2j], "mixed": [{1, 2}]})
    scored = score_table(frame)
    assert scored[7].tolist() == [1 + 2j] and scored["mixed"].tolist() == [{1, 2}]
    assert scored["buyer"].dtype == frame["buyer"].dtype
    both = pandas.DataFrame([["practitioner", 1, 2]], columns=["buyer", "note", "note"])
    assert list(score_table(both).columns)[:3] == ["buyer", "note", "note"]


def test_an_arrow_table_keeps_its_columns_too() -> None:
    table = pyarrow.table({"overall": ["mine"], "buyer": ["practitioner"], "in_scope": [None]})
    scored = score_table(table)
    assert scored.column_names[:3] == ["input_overall", "buyer", "in_scope"]
    assert scored["input_overall"].to_pylist() == ["mine"] and scored["in_scope"].to_pylist() == [None]
    assert 0 <= scored["overall"][0].as_py() <= 100


# ---------------------------------------------------------------- whole documents

TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(PITCHES.glob("*.txt"))[:8]}


@pytest.fixture(scope="module")
def documents_read() -> list[dict[str, Any]]:
    read = [analyze(text, model="keywords", id=name) for name, text in TEXTS.items()]
    sparse = {"pitch": {"id": "sparse"}, "signals": {"buyer": {"value": "practitioner"}}}
    return [*(json.loads(each.to_json()) for each in read), sparse]


@pytest.mark.parametrize("column", ["signals", "assessment"])
@pytest.mark.parametrize("shape", ["struct", "json"])
def test_documents_score_alike_from_a_file_a_data_frame_and_an_arrow_table(
    tmp_path: Path, documents_read: list[dict[str, Any]], column: str, shape: str
) -> None:
    documents = [each if column == "assessment" else each["signals"] for each in documents_read]
    if shape == "struct":  # Arrow wants one type for a field
        documents = [{"signals": each["signals"]} for each in documents_read] if column == "assessment" else documents
    cells = [json.dumps(each) if shape == "json" else each for each in documents]
    expected = [
        found.scores.overall.value if found.scores else None
        for found in (score(Signals.model_validate(each["signals"])) for each in documents_read)
    ]
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    names = [str(number) for number in range(len(cells))]
    parquet.write_table(pyarrow.table({"id": names, column: cells, "stage": ["day_1"] * len(cells)}), source)

    frame = pandas.read_parquet(source)
    frame.index = pandas.Index(range(100, 100 + len(frame)))
    scored = score_table(frame)
    assert [None if np.isnan(each) else each for each in scored["overall"]] == expected
    assert scored["id"].tolist() == names and scored.index.equals(frame.index)
    assert score_table(parquet.read_table(source))["overall"].to_pylist() == expected
    assert score_parquet(source, target) == len(cells)
    written = parquet.read_table(target)
    assert written["overall"].to_pylist() == expected and written["id"].to_pylist() == names
    assert written.column_names[:2] == ["id", "in_scope"]


def test_a_pitch_that_could_not_be_read_has_a_row_without_scores() -> None:
    failed = {"pitch": {"id": "a"}, "error": {"kind": "timeout", "message": "no answer"}}
    frame = pandas.DataFrame({"signals": [Signals(), None, float("nan"), {"in_scope": False}, failed]})
    scored = score_table(frame)
    assert scored["overall"].notna().tolist() == [True, False, False, False, False]
    assert scored["in_scope"].tolist() == [True, None, None, False, None]


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ({"buyer": {"value": "cto"}}, "row 2: buyer.value: Input should be"),
        ("{oops", "row 2: column 'signals' is not JSON"),
        ("[1]", "row 2: column 'signals' holds list, not a document"),
    ],
)
def test_a_document_that_does_not_fit_is_named_with_its_row(cell: Any, says: str) -> None:
    with pytest.raises(SignalsError, match=says.replace("[", r"\[")):
        score_table(pandas.DataFrame({"signals": [{}, cell]}))


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (None, r"score_table takes a table \(pandas, Arrow, Polars\), not None"),
        ([{"buyer": "practitioner"}], "not a list"),
        (pandas.DataFrame({"name": ["a"]}), "no column holds signals: .*; found name"),
        (pandas.DataFrame(), "no column holds signals: .*; found no columns"),
        (pandas.DataFrame({"buyr": ["practitioner"]}), "column 'buyr' is not a signal; did you mean 'buyer'"),
        (pandas.DataFrame({"buyer": [None], "Urgency": ["important"]}), "did you mean 'urgency'"),
        (pandas.DataFrame([["a", "b"]], columns=["buyer", "buyer"]), "column 'buyer' appears twice"),
        (pandas.DataFrame({"buyer": ["practitioner", 5]}), "column 'buyer' mixes kinds of values"),
        (pandas.DataFrame({"stage": ["day_1"]}), r"stage is a position from 0 \(day_1\)"),
    ],
)
def test_a_table_that_would_be_scored_wrong_is_refused_in_one_line(table: Any, says: str) -> None:
    with pytest.raises(SignalsError, match=says) as told:
        score_table(table)
    assert "\n" not in str(told.value)


def test_a_table_without_rows_has_no_scores() -> None:
    assert score_table(pandas.DataFrame({"buyer": []}))["overall"].tolist() == []
