"""Tables in memory: pandas, Arrow and Polars go in, and the same kind comes out, row by row."""

from __future__ import annotations

import json
from typing import Any

import pandas
import polars
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import (
    Signals,
    analyze,
    analyze_frame,
    analyze_many,
    analyze_many_async,
    compare,
    score,
    score_table,
    to_frame,
)
from analyzer.errors import AnalyzerError, InputError, ManualError
from analyzer.files.frames import unlike
from analyzer.results.rows import COLUMNS
from tests.completions import PITCH

OTHER = "Tallyrun labels pictures for teams that train models. Data scientists start in minutes."
ROWS: dict[str, list[Any]] = {
    "name": ["Wattwise", "Empty", "Tallyrun"],
    "pitch": [PITCH, None, OTHER],
    "summary": ["a", "b", "c"],
}


def as_kind(kind: str, columns: dict[str, list[Any]]) -> Any:
    make: Any = {"pandas": pandas.DataFrame, "arrow": pyarrow.table, "polars": polars.DataFrame}[kind]
    return make(columns)


def columns_of(table: Any) -> dict[str, list[Any]]:
    """A table of any kind as plain columns, missing cells None."""
    if isinstance(table, pandas.DataFrame):
        table = pyarrow.Table.from_pandas(table, preserve_index=False)
    if isinstance(table, polars.DataFrame):
        return {str(name): cells for name, cells in table.to_dict(as_series=False).items()}
    return dict(table.to_pydict())


class OnlyInterchange:
    """A table of a library that speaks the older protocol only."""

    def __init__(self, frame: Any):
        self._frame = frame
        self.columns = frame.column_names

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:
        return self._frame.__dataframe__(nan_as_null, allow_copy)


KINDS = pytest.mark.parametrize("kind", ["pandas", "arrow", "polars"])


@KINDS
def test_a_table_of_pitches_comes_back_as_its_own_kind_with_what_was_read(kind: str) -> None:
    table = as_kind(kind, ROWS)
    found = analyze_frame(table, text="pitch", title="name", model="keywords")
    assert type(found) is type(table)
    cells = columns_of(found)
    assert cells["name"] == ROWS["name"] and cells["pitch"] == ROWS["pitch"]
    assert cells["input_summary"] == ROWS["summary"] and cells["summary"] != ROWS["summary"]
    assert cells["title"] == ROWS["name"]
    assert cells["error_kind"] == [None, "pitch", None]
    assert cells["error_message"][1] == "the pitch is empty; its text is missing"
    alone = [analyze(text, model="keywords").scores for text in (PITCH, OTHER)]
    assert cells["overall"] == [alone[0] and alone[0].overall.value, None, alone[1] and alone[1].overall.value]


@KINDS
def test_every_kind_is_scored_alike_and_comes_back_as_it_was(kind: str) -> None:
    table = as_kind(kind, {"id": ["a", "b"], "buyer": ["practitioner", None], "overall": [1, 2]})
    scored = score_table(table)
    assert type(scored) is type(table)
    cells = columns_of(scored)
    assert cells["input_overall"] == [1, 2]
    expected = [score(Signals(buyer="practitioner")), score(Signals())]
    assert cells["overall"] == [each.scores.overall.value for each in expected if each.scores]


def test_a_table_of_the_older_protocol_is_read_and_comes_back_as_arrow() -> None:
    scored: Any = score_table(OnlyInterchange(pyarrow.table({"buyer": ["practitioner"]})))
    assert isinstance(scored, pyarrow.Table) and scored.num_rows == 1


def test_the_index_of_a_data_frame_stays_and_names_the_pitches() -> None:
    frame = pandas.DataFrame({"text": [PITCH, OTHER]}, index=["watt", "tally"])
    found = analyze_frame(frame, model="keywords")
    assert list(found.index) == ["watt", "tally"] and list(found["id"]) == ["watt", "tally"]
    twice = analyze_frame(pandas.DataFrame({"id": [7, 7], "text": [PITCH, OTHER]}, index=[5, 5]), model="keywords")
    assert list(twice.index) == [5, 5] and list(twice["id"]) == [7, 7]
    assert json.loads(twice["assessment"].iloc[1])["pitch"]["id"] == "7"


def test_several_columns_are_joined_as_in_a_file() -> None:
    frame = pandas.DataFrame({"tagline": ["Cut your GPU bill"], "description": [PITCH]})
    (document,) = analyze_frame(frame, text=["tagline", "description"], model="keywords")["assessment"]
    joined = analyze(f"Cut your GPU bill\n\n{PITCH}", model="keywords")
    assert json.loads(document)["pitch"]["sha256"] == joined.pitch.sha256


@pytest.mark.parametrize(
    ("table", "arguments", "says"),
    [
        (pandas.DataFrame({"a": ["x"]}), {}, "the table has no column 'text'; it has a"),
        (pandas.DataFrame({"text": ["x"]}), {"id": "key"}, "the table has no column 'key'; it has text"),
        (pandas.DataFrame([["x", "y"]], columns=["text", "text"]), {}, "column 'text' appears twice; rename one"),
        (polars.LazyFrame({"text": ["x"]}), {}, "pass its collect()"),
        ([PITCH], {}, "expected a table (pandas, Arrow, Polars), not list"),
        (pandas.Series([PITCH]), {}, "expected a table (pandas, Arrow, Polars), not Series"),
        (pandas.DataFrame({"text": ["x"]}), {"text": []}, "text is empty"),
    ],
    ids=["no text", "no id", "twice", "lazy", "list", "series", "no column"],
)
def test_what_cannot_be_a_table_of_pitches_is_refused_in_a_line(
    table: Any, arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError) as refused:
        analyze_frame(table, **{"model": "keywords", **arguments})
    assert says in str(refused.value) and "\n" not in str(refused.value)


def test_results_become_a_table_with_the_columns_of_flat_outputs_by_pitch() -> None:
    results = list(analyze_many([("a", PITCH), ("b", " "), ("c", OTHER)], model="keywords"))
    frame = to_frame(reversed(results))
    assert list(frame.index) == ["a", "b", "c"] and frame.index.name == "id"
    in_files = [column.name for column in COLUMNS if column.name not in ("number", "source", "repeat", "id")]
    assert list(frame.columns) == [*in_files, "assessment"]
    assert frame.loc["b", "error_kind"] == "pitch" and pandas.isna(frame.loc["b", "overall"])
    assert str(frame["requests"].dtype) == "Int64" and str(frame["in_scope"].dtype) == "boolean"
    (first,) = (each.assessment for each in results if each.id == "a")
    assert first is not None and frame.loc["a", "assessment"] == first.to_json(None)
    assert to_frame([first]).loc["a", "overall"] == frame.loc["a", "overall"]
    assert score_table(frame)["overall"].tolist()[0] == frame.loc["a", "overall"]


@pytest.mark.parametrize(("kind", "type_"), [("arrow", pyarrow.Table), ("polars", polars.DataFrame)])
def test_results_become_an_arrow_or_polars_table_on_request(kind: Any, type_: type[Any]) -> None:
    table = analyze_many([("a", PITCH)], model="keywords").to_frame(kind)
    assert isinstance(table, type_)
    assert columns_of(table)["id"] == ["a"]


def test_a_table_of_results_that_are_gone_is_refused_and_none_at_all_is_an_empty_table() -> None:
    results = analyze_many([PITCH, OTHER], model="keywords")
    next(results)
    with pytest.raises(InputError, match="1 results were already taken"):
        results.to_frame()
    results.close()
    assert to_frame([]).empty and "overall" in to_frame([]).columns
    with pytest.raises(InputError, match="result 1 is a str"):
        to_frame(["x"])  # type: ignore[list-item]
    with pytest.raises(InputError, match="pass 'pandas', 'arrow' or 'polars'"):
        to_frame([], "excel")  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_results_of_a_running_loop_become_the_same_table(anyio_backend: str) -> None:
    pitches = [("a", PITCH), ("b", " ")]
    later = await analyze_many_async(pitches, model="keywords").to_frame()
    pandas.testing.assert_frame_equal(later, analyze_many(pitches, model="keywords").to_frame())


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@given(st.lists(st.sampled_from(["a", "b", "input_a", "input_b", "input_input_a", "c"]), unique=True))
def test_no_column_takes_the_place_of_another(names: list[str]) -> None:
    ours = ["a", "b"]
    kept = unlike(names, ours)
    assert list(kept) == names
    assert len({*kept.values(), *ours}) == len(names) + len(ours)
    assert all(kept[name] == name for name in names if name not in ours)


# ---------------------------------------------------------------- comparing


MANUAL: dict[str, list[Any]] = {
    "pitch_id": ["a", "c"],
    "rater": ["anna", "anna"],
    "in_scope": [True, True],
    "urgency": ["important", None],
}


@KINDS
def test_a_comparison_takes_tables_and_mappings_on_both_sides_and_gives_what_files_give(
    kind: str, tmp_path: Any
) -> None:
    results = list(analyze_many([("a", PITCH), ("c", OTHER)], model="keywords"))
    path = tmp_path / "manual.csv"
    path.write_text("pitch_id,rater,in_scope,urgency\na,anna,true,important\nc,anna,true,\n", encoding="utf-8")
    from_file = compare({"keywords": results}, path)
    table = analyze_frame(as_kind(kind, {"id": ["a", "c"], "text": [PITCH, OTHER]}), model="keywords")
    rows = [dict(zip(MANUAL, row, strict=True)) for row in zip(*MANUAL.values(), strict=True)]
    by_pitch = {row["pitch_id"]: row for row in rows}
    readings = {each.id: each.assessment for each in results if each.assessment}
    for extracted in (table, to_frame(results), readings):
        for manual in (as_kind(kind, MANUAL), rows, by_pitch, pandas.DataFrame(MANUAL).set_index("pitch_id")):
            sides: Any = extracted if extracted is readings else {"keywords": extracted}
            found = compare(sides, manual)
            assert found.pitches == from_file.pitches
            assert list(found.signals.values()) == list(from_file.signals.values())


def test_signals_of_pitches_are_compared_from_a_mapping_and_raters_from_lists() -> None:
    signals: dict[str, Any] = {"a": Signals(urgency="important"), "b": {"urgency": "critical_path"}}
    manual = {
        "a": [{"rater": "anna", "urgency": "important"}, {"rater": "ben", "urgency": "critical_path"}],
        "b": {"rater": "anna", "urgency": "critical_path"},
    }
    found = compare(signals, manual)
    assert [rater.name for rater in found.raters] == ["anna", "ben"]
    assert found.readers[0].read == 2


@pytest.mark.parametrize(
    ("manual", "kind", "says"),
    [
        ([{"pitch_id": "a", "urgency": "soon"}], ManualError, "row 1: urgency is 'soon'"),
        ([{"urgency": "important"}], ManualError, "columns: column 'pitch_id' is missing"),
        ([{"pitch_id": "a"}, {"pitch_id": "a"}], ManualError, "row 2: pitch 'a' by rater 'manual' is already in row 1"),
        ([], InputError, "the manual scores are empty"),
        (["a"], InputError, "the manual scores of row 1 are not a mapping"),
        ({"a": "important"}, InputError, "the manual scores of a are not a mapping"),
        (7, InputError, "manual is an int"),
        (pandas.DataFrame({"pitch_id": []}), InputError, "the manual scores are empty"),
    ],
    ids=["value", "no pitch", "twice", "none", "text", "by pitch", "int", "empty table"],
)
def test_faulty_manual_scores_in_memory_name_the_row(manual: Any, kind: type[AnalyzerError], says: str) -> None:
    with pytest.raises(kind) as refused:
        compare({"a": Signals()}, manual)
    assert says in str(refused.value)


def test_a_table_without_documents_says_what_it_lacks() -> None:
    with pytest.raises(InputError, match="the table has no column 'assessment' or 'signals'"):
        compare(pandas.DataFrame({"id": ["a"]}), [{"pitch_id": "a"}])
