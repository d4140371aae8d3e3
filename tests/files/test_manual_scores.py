"""The CSV of manual scores: what is read, what is refused, and how it is told."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.errors import InputError, ManualError
from analyzer.files.cells import plain_cell
from analyzer.files.manual_scores import (
    COLUMNS,
    VALUES,
    ManualScore,
    ManualScores,
    manual_csv,
    manual_signals,
    parse_manual,
    read_manual,
    with_value,
)
from analyzer.framework.inputs import derive, positions
from analyzer.resources import resource
from analyzer.vocabulary.derived import LEANS
from analyzer.vocabulary.records import VOCABULARY_CHANGES
from analyzer.vocabulary.signals import SIGNALS, Signals
from tests.worlds import documents


def values_of_a_row() -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({name: st.sampled_from((*found, "unknown")) for name, found in VALUES.items()})


HEAD = "pitch_id,rater,in_scope,stage,buyer,competitors,overall\n"


def parsed(text: str | bytes) -> ManualScores:
    return parse_manual(text.encode() if isinstance(text, str) else text, "m.csv")


def faults(text: str) -> list[str]:
    with pytest.raises(ManualError) as told:
        parsed(text)
    return list(told.value.faults)


def test_the_sample_scores_are_read_whole() -> None:
    scores = read_manual(resource("fixtures/manual_scores.csv"))
    assert len(scores.rows) == 32
    assert scores.notes == (
        "columns that are not scored: doubtful",
        "line 10: fillchair is out of scope for a; its values do not count",
        "line 11: fillchair is out of scope for b; its values do not count",
    )
    assert {row.rater for row in scores.rows} == {"a", "b"}
    assert set(scores.rows[0].values) == set(VALUES)


def test_empty_and_unknown_are_the_same() -> None:
    empty, unknown = parsed(HEAD + "p,a,true,,,,\nq,a,true,unknown,UNKNOWN,unknown,unknown\n").rows
    assert empty.values == unknown.values == {"stage": "unknown", "buyer": "unknown"}
    assert empty.competitors == unknown.competitors == ()
    assert empty.overall is unknown.overall is None


WAYS = {
    "byte order mark": b"\xef\xbb\xbf" + (HEAD + "p,a,true,day_1,practitioner,X; Y,62.5\n").encode(),
    "semicolons and decimal comma": (HEAD.replace(",", ";") + 'p;a;TRUE;day_1;practitioner;"X; Y";62,5\n').encode(),
    "tabs in UTF-16": (HEAD.replace(",", "\t") + "p\ta\t1\tday_1\tpractitioner\tX; Y\t62,5\n").encode("utf-16"),
    "sep line, blank lines, CRLF": b"sep=,\r\n\r\n" + (HEAD + "\n,,,,,,\np,a,yes,Day 1,Practitioner,X;Y,62.5\n\n").encode().replace(b"\n", b"\r\n"),
    "other case and order": b"Rater,Pitch_ID,Overall,Stage,Buyer,Competitors\na,p,62.5,day-1,practitioner,X; Y\n",
}  # fmt: skip


@pytest.mark.parametrize("data", WAYS.values(), ids=WAYS.keys())
def test_what_spreadsheets_write_is_read_alike(data: bytes) -> None:
    (row,) = parsed(data).rows
    assert (row.pitch, row.rater, row.in_scope, row.overall) == ("p", "a", True, 62.5)
    assert row.values == {"stage": "day_1", "buyer": "practitioner"} and row.competitors == ("X", "Y")


def test_all_faults_are_listed_at_once_with_their_lines() -> None:
    found = faults(
        HEAD
        + "p,a,true,day_3,cto,,\n"
        + "\n"
        + "p,a,perhaps,day_1,,,\n"
        + "q,a,true,day_1\n"
        + ",,true,,,,\n"
        + "r,a,true,,,,101\n"
        + f"s,a,true,,,{';'.join('abcdefghijklmnopqrstu')},x\n"
    )
    assert found == [
        "line 2: stage is 'day_3'; did you mean 'day_2'?",
        "line 2: buyer is 'cto'; one of: practitioner, data_science_leadership, engineering_leadership, "
        "business_leadership",
        "line 4: in_scope is 'perhaps'; write true or false",
        "line 4: pitch 'p' by rater 'a' is already in line 2",
        "line 5: expected 7 cells as in the first line, found 4",
        "line 6: pitch_id is empty",
        "line 6: rater is empty",
        "line 7: overall is '101'; give a number from 0 to 100",
        "line 8: competitors: 21 names; 20 are the most",
        "line 8: overall is 'x'; give a number from 0 to 100",
    ]


def test_doubled_and_missing_columns_are_listed_together() -> None:
    assert faults("pitch_id,raters,buyr,buyer,buyer,\nx,y,,,,\n") == [
        "line 1: column 'buyer' appears twice",
        "line 1: column 'rater' is missing; rename 'raters'?",
    ]
    assert faults("name,note\nx,y\n") == ["line 1: column 'pitch_id' is missing", "line 1: column 'rater' is missing"]


ALL = ",".join(COLUMNS)
SILENT = "p,a,true" + "," * (len(COLUMNS) - 3)


def test_columns_that_are_not_scored_stay_with_the_row_and_are_named_in_one_line() -> None:
    text = f"{ALL},Source,note,,Source\n{SILENT},web,hard to tell,x,again\nq{SILENT[1:]},,,,\n"
    scores = parsed(text)
    first, second = scores.rows
    unnamed, again = f"column {len(COLUMNS) + 3}", f"Source (column {len(COLUMNS) + 4})"
    assert first.extra == {"Source": "web", "note": "hard to tell", unnamed: "x", again: "again"}
    assert (first.note, second.note, second.extra) == ("hard to tell", "", {})
    assert scores.notes == (f"columns that are not scored: Source, {unnamed}, {again}",)


def test_empty_columns_at_the_end_as_spreadsheets_add_them_are_nothing_to_tell() -> None:
    assert parsed(f"{ALL},,\n{SILENT},,\n").notes == ()


@pytest.mark.parametrize(
    ("column", "meant"),
    [("buyr", "buyer"), ("Value at stake", "value_at_stake"), ("urgncy", "urgency"), ("on-boarding", "onboarding")],
)
def test_a_misspelled_column_is_not_compared_and_what_it_may_mean_is_asked(column: str, meant: str) -> None:
    head = ALL.replace(f",{meant},", f",{column},")
    scores = parsed(f"{head}\n{SILENT}\n")
    assert scores.notes == (
        f"no column for {meant}: not scored, so not compared",
        f"column {column!r} is not scored; did you mean {meant!r}?",
    )


@given(st.lists(st.text("abn -_", max_size=5), max_size=4), st.data())
def test_no_extra_column_is_ever_a_reason_to_refuse_a_file(names: list[str], data: st.DataObject) -> None:
    names = [name for name in names if name.strip().lower() not in COLUMNS]
    cells = data.draw(st.lists(st.text("xy z", max_size=3), min_size=len(names), max_size=len(names)))
    (row,) = parsed("\n".join([",".join(["pitch_id", "rater", *names]), ",".join(["p", "a", *cells])])).rows
    assert sorted(row.extra.values()) == sorted(cell.strip() for cell in cells if cell.strip())


def test_columns_that_are_not_scored_are_written_back() -> None:
    row = ManualScore("p", "a", "", extra={"note": "=hard()", "source": "web"})
    (back,) = parsed(manual_csv([row, ManualScore("q", "a", "")])).rows[:1]
    assert back.extra == row.extra


def test_the_message_counts_the_faults_and_names_each() -> None:
    with pytest.raises(ManualError, match=r"(?s)m\.csv: 2 faults\n  line 2: stage.*\n  line 2: buyer"):
        parsed(HEAD + "p,a,true,x,y,,\n")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\n \n", "is empty"),
        (HEAD.encode(), "no row of scores"),
        (HEAD.encode() + b"p,a,true,\xfcnklar,,,\n", "m.csv is not UTF-8: line 2 would read"),
        (HEAD.encode() + b'p,"a"x,true,,,,\n', "line 2: this is not CSV"),
        (HEAD.encode() + b'p,"a\n', "this is not CSV"),
    ],
    ids=["nothing", "blank", "head only", "latin-1", "quotes", "open quote"],
)
def test_what_is_not_a_table_gets_an_error_of_one_line(data: bytes, says: str) -> None:
    with pytest.raises(InputError) as told:
        parsed(data)
    assert says in str(told.value) and len(str(told.value).splitlines()) == 1


def test_a_missing_file_gets_an_error() -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv cannot be read"):
        read_manual("nowhere.csv")


def test_what_does_not_count_is_noted() -> None:
    scores = parsed("pitch_id,rater,in_scope,stage\np,a,false,day_1\n")
    assert any("no column for focus, persona, buyer" in note for note in scores.notes)
    assert any("line 2: p is out of scope for a" in note for note in scores.notes)


@given(st.text(max_size=12))
def test_a_cell_never_starts_with_what_a_spreadsheet_runs(text: str) -> None:
    cell = plain_cell(text)
    assert cell in (text, f"'{text}")
    assert cell.lstrip(" \u00a0")[:1] not in tuple("=+-@＝＋－＠\t\r\n|")


def test_a_shielded_cell_is_read_back_as_it_was() -> None:
    (row,) = parsed(HEAD + f"{plain_cell('-p')},{plain_cell('@a')},true,,,{plain_cell('=X()')},\n").rows
    assert (row.pitch, row.rater, row.competitors) == ("-p", "@a", ("=X()",))


@given(
    st.lists(
        st.tuples(st.text("ab=-@'+ ü;,", min_size=1, max_size=4), values_of_a_row()),
        max_size=5,
        unique_by=lambda r: r[0].strip(),
    )
)
def test_scores_that_are_written_are_read_back(rows: list[tuple[str, dict[str, str]]]) -> None:
    given_rows = [
        ManualScore(pitch.strip(), "@anna", "", True, row, ("-X", "Y Z"), 62.5)
        for pitch, row in rows
        if pitch.strip(" '")
    ]
    if not given_rows:
        return
    back = parsed(manual_csv(given_rows)).rows
    for before, after in zip(given_rows, back, strict=True):
        assert (before.rater, before.values, before.competitors, before.overall) == (
            after.rater, after.values, after.competitors, after.overall,
        )  # fmt: skip
        assert before.pitch == after.pitch or before.pitch.startswith("'")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_an_error_of_ours(data: bytes) -> None:
    for head in (b"", HEAD.encode()):
        try:
            parse_manual(head + data, "m.csv")
        except InputError as error:
            assert str(error)


# ---------------------------------------------------------------- a row as signals


@given(values_of_a_row())
def test_a_row_becomes_signals_that_say_just_that(row: dict[str, str]) -> None:
    signals = manual_signals(ManualScore("p", "a", "m.csv, line 2", True, row, ("X",)), {"X": "startup"})
    at = positions(signals)
    for name, leans in LEANS.items():
        expected = None if row[name] == "unknown" else Fraction(leans.index(row[name]), 2)
        assert at[name] == expected
    assert [persona.role for persona in signals.personas] == [row["persona"]] * (row["persona"] != "unknown")
    assert all(signals.single(name).value == row[name] for name in SIGNALS)


@given(documents(), values_of_a_row())
def test_one_value_put_in_place_changes_that_signal_alone(document: dict[str, object], row: dict[str, str]) -> None:
    signals = Signals.model_validate(document)
    before = derive(signals)
    for name, value in row.items():
        after = derive(with_value(signals, name, value))
        changed = {key for key in before.values if before.values[key] != after.values[key]}
        reach = {"persona": {"persona_fit"}, "category": {"crowding", "incumbent"}}.get(name, {name})
        assert changed <= reach
        if name in LEANS:
            assert (after.values[name] or "unknown") == value
            other = "focus" if name == "stage" else "stage"
            assert after.positions[other] == before.positions[other]


def test_the_samples_have_every_column_that_is_scored_but_the_overall_score() -> None:
    assert COLUMNS[:6] == ("pitch_id", "rater", "in_scope", "stage", "focus", "persona")
    assert set(SIGNALS) < set(COLUMNS) and COLUMNS[-2:] == ("competitors", "overall")
    head = Path(resource("fixtures/manual_scores.csv")).read_text(encoding="utf-8").split("\n")[0]
    assert head.split(",") == [*COLUMNS[:-1], "doubtful", "note"]


def test_rows_scored_by_another_vocabulary_are_refused_once_with_what_changed() -> None:
    rows = "pitch_id,rater,buyer,vocabulary\np,a,practitioner,1\nq,a,practitioner,1\n"
    (fault,) = faults(rows)
    assert fault.startswith("line 2: scored by vocabulary 1; ") and VOCABULARY_CHANGES in fault


def test_rows_of_todays_vocabulary_may_say_so_and_keep_their_own_columns() -> None:
    scores = parsed("pitch_id,rater,buyer,pricing,vocabulary,note,mood\np,a,,free_only,2,sure,good\n")
    assert scores.rows[0].values["pricing"] == "free_only"
    assert scores.rows[0].extra == {"note": "sure", "mood": "good"} and scores.rows[0].note == "sure"
    assert "columns that are not scored: mood" in scores.notes
    assert not any("vocabulary" in note for note in scores.notes)


def test_scores_with_who_signs_and_without_pricing_are_read_with_a_note_on_what_changed() -> None:
    notes = parsed("pitch_id,rater,buyer\np,a,practitioner\n").notes
    assert any(VOCABULARY_CHANGES in note for note in notes)
