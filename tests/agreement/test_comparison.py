"""Readings beside manual scores: what counts as agreement, where scores differ, and that nothing is dropped unsaid."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import respx
from click.testing import CliRunner, Result
from hypothesis import given
from rich.console import Console

import analyzer
from analyzer import Assessment, Comparison, Signals, compare, score
from analyzer.agreement.compared_signals import extracted_value
from analyzer.agreement.competitors import matched
from analyzer.agreement.extracted import Upload, is_model
from analyzer.agreement.figures import FIGURES, RATERS, SIGNALS, Counts, figure
from analyzer.agreement.statistics import Floats
from analyzer.cli.main import cli
from analyzer.errors import InputError
from analyzer.files.manual_scores import VALUES, ManualScore, ManualScores, parse_manual
from analyzer.framework.assessment import PitchRef, ReaderRef
from analyzer.framework.market import MarketMap
from analyzer.framework.one_pitch import what_if
from analyzer.views.comparison_files import disagreements_csv
from analyzer.views.comparison_html import comparison_html
from analyzer.views.comparison_markdown import comparison_markdown, figures_markdown
from analyzer.views.comparison_terminal import print_comparison
from analyzer.vocabulary.labels import title
from tests.completions import CHAT, URL, failure
from tests.properties import runs
from tests.worlds import documents

ROOT = Path(__file__).parents[2]
MANUAL = str(ROOT / "fixtures" / "manual_scores.csv")
PITCHES = str(ROOT / "fixtures" / "pitches")
FULL = dict.fromkeys(VALUES, "unknown")


def read(pitch: str, **document: Any) -> Assessment:
    """An assessment of a pitch with these signals, the others unknown."""
    return score(Signals.model_validate(document), pitch=PitchRef(id=pitch), reader=ReaderRef(model="test/m"))


def by_hand(pitch: str, rater: str = "a", **given: Any) -> ManualScore:
    """A row with these values, the others unknown."""
    fields = {name: given.pop(name) for name in ("in_scope", "competitors", "overall") if name in given}
    return ManualScore(pitch, rater, f"m.csv, {pitch}", values=FULL | given, **fields)


def against(readings: Any, rows: list[ManualScore], **options: Any) -> Comparison:
    return compare(readings, ManualScores("m.csv", tuple(rows)), **{"draws": 200} | options)


@pytest.fixture(scope="module")
def samples() -> Comparison:
    return compare(["recorded", "keywords"], MANUAL, pitches=PITCHES)


def pitch(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=input, catch_exceptions=False)


# ---------------------------------------------------------------- agreement


def test_a_reader_and_a_rater_are_counted_value_by_value() -> None:
    urgency = ["important", "important", "critical_path", "unknown", "unknown", "nice_to_have"]
    rated = ["important", "critical_path", "critical_path", "unknown", "important", "unknown"]
    found = against(
        [read(f"p{n}", urgency=value) for n, value in enumerate(urgency)],
        [by_hand(f"p{n}", urgency=value) for n, value in enumerate(rated)],
    ).signals["extracted"]["urgency"]
    assert found.n == 6 and found["agreement"].value == pytest.approx(0.5)
    values = [each.value for each in found.by_value]
    assert values == ["nice_to_have", "important", "critical_path", "unknown"]
    assert found.table == ((0, 0, 0, 0), (0, 1, 0, 1), (0, 1, 1, 0), (1, 0, 0, 1))
    assert [(found[name].value, found[name].of) for name in ("overclaimed", "missed")] == [(0.5, 2), (0.25, 4)]
    important = found.by_value[1]
    assert (important.precision, important.recall) == (0.5, 0.5)
    assert found.by_value[0].recall is None and found.by_value[0].precision == 0
    assert found["weighted"].of == 3


def test_two_raters_of_a_pitch_count_for_half_of_it_each() -> None:
    rows = [by_hand(f"p{n}", rater, buyer="practitioner") for n in range(4) for rater in "ab"]
    rows[1] = by_hand("p0", "b", buyer="business_leadership")
    found = against([read(f"p{n}", buyer="practitioner") for n in range(4)], rows)
    own, raters = found.signals["extracted"]["buyer"], found.signals["raters"]["buyer"]
    assert own.n == raters.n == 4
    assert own["agreement"].value == pytest.approx(3.5 / 4) and raters["agreement"].value == pytest.approx(3 / 4)
    assert raters["alpha"].value is not None and own["alpha"].value is None and "alpha" not in own.figures
    assert "overclaimed" not in raters.figures


def test_kappa_of_one_constant_rater_is_not_defined_and_never_nan() -> None:
    found = against(
        [read(f"p{n}", buyer="practitioner") for n in range(5)],
        [by_hand(f"p{n}", buyer="practitioner") for n in range(5)],
    )
    buyer = found.signals["extracted"]["buyer"]
    assert buyer["kappa"].value is None and buyer["agreement"].value == 1
    assert buyer["ac1"].value == 1 and buyer["ac1"].low is None
    assert "NaN" not in found.to_json()


def test_no_single_figure_is_quoted_below_the_pitches_it_takes() -> None:
    few, many = (
        against([read(f"p{n}") for n in range(count)], [by_hand(f"p{n}") for n in range(count)]).summaries["extracted"]
        for count in (15, 16)
    )
    assert few.needed == many.needed == 16
    assert not few.quotable and many.quotable


def test_near_misses_of_ordered_values_weigh_less_in_the_weighted_kappa() -> None:
    rated = ["none", "claimed", "specific", "proven"] * 3
    near, far = list(rated), list(rated)
    near[0], far[0] = "claimed", "proven"
    kappas = []
    for values in (near, far):
        readings = [read(f"p{n}", differentiation=value) for n, value in enumerate(values)]
        rows = [by_hand(f"p{n}", differentiation=value) for n, value in enumerate(rated)]
        found = against(readings, rows).signals["extracted"]["differentiation"]
        assert found["weighted"].value is not None
        kappas.append((found["agreement"].value, found["weighted"].value))
    assert kappas[0][0] == kappas[1][0] and kappas[0][1] > kappas[1][1]


def test_signals_of_a_pitch_out_of_scope_for_one_side_are_not_compared_but_the_scope_is() -> None:
    found = against([read("p", buyer="practitioner"), read("q")], [by_hand("p", in_scope=False), by_hand("q")])
    assert found.signals["extracted"]["in_scope"].n == 2 and found.signals["extracted"]["buyer"].n == 1
    (told,) = found.disagreements
    assert (told.signal, told.extracted, told.manual, told.moves) == ("in_scope", "true", "false", None)


def test_a_registered_figure_is_in_the_records_the_json_every_view_and_the_docs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def pabak(counts: Counts) -> Floats:
        """Twice the share that agree, minus one."""
        return 2 * FIGURES["agreement"].of(counts) - 1

    monkeypatch.setitem(FIGURES, "pabak", FIGURES["kappa"])  # so that the registry is restored
    del FIGURES["pabak"]
    figure("PABAK", SIGNALS)(pabak)
    found = against(
        [read(f"p{n}", buyer="practitioner") for n in range(4)],
        [by_hand(f"p{n}", buyer="practitioner" if n else "unknown") for n in range(4)],
    )
    assert found.signals["extracted"]["buyer"]["pabak"].value == pytest.approx(0.5)
    assert json.loads(found.to_json())["signals"]["extracted"]["buyer"]["pabak"]["of"] == 4
    shown = io.StringIO()
    print_comparison(Console(file=shown, width=120), found)
    for text in (shown.getvalue(), comparison_html(found), comparison_markdown(found), figures_markdown()):
        assert "PABAK" in text
    assert "Twice the share that agree, minus one." in figures_markdown()


def test_a_figure_without_a_meaning_or_with_a_used_name_is_rejected() -> None:
    def silent(counts: Counts) -> Floats:
        return counts.tables

    with pytest.raises(TypeError, match="silent needs a docstring"):
        figure("x", SIGNALS)(silent)
    with pytest.raises(TypeError, match="kappa is registered twice"):
        figure("x", SIGNALS)(FIGURES["kappa"].of)


def test_a_figure_that_does_not_exist_is_an_error_that_lists_those_that_do() -> None:
    found = against([read("p")], [by_hand("p")]).signals["extracted"]["buyer"]
    with pytest.raises(KeyError, match="no figure 'kapa'; there are agreement, kappa"):
        found["kapa"]


# ---------------------------------------------------------------- competitors


def test_names_of_competitors_match_by_the_stated_rule() -> None:
    market = MarketMap.built_in()
    assert matched(["wandb", "AWS", "cron"], ["We", "Weights & Biases", "a cron job"], market) == [(0, 1), (2, 2)]
    assert matched(["MLflow"], ["Kubeflow"], market) == []
    assert matched(["our scripts", "scripts"], ["scripts"], market) in ([(0, 0)], [(1, 0)])
    assert matched([], ["x"], market) == []


def test_competitors_are_compared_as_sets() -> None:
    rivals = [{"name": name, "kind": "open_source"} for name in ("MLflow", "Invented One")]
    found = against(
        [read("p", competitors=rivals), read("q")],
        [by_hand("p", competitors=("mlflow", "Other Thing", "Third")), by_hand("q", competitors=())],
    )
    own = found.competitors["extracted"]
    assert (own.n, own.extracted, own.manual) == (2, 2, 3)
    assert own["precision"].value == pytest.approx(1 / 2) and own["recall"].value == pytest.approx(1 / 3)
    assert [(match.extracted, match.manual) for match in own.matches] == [("MLflow", "mlflow")]
    assert any("counted as startup: Other Thing; Third" in issue.text for issue in found.issues)


# ---------------------------------------------------------------- scores


def test_the_difference_of_a_score_is_split_up_by_signal() -> None:
    found = against(
        [read("p", urgency="nice_to_have", differentiation="claimed", buyer="practitioner")],
        [by_hand("p", urgency="critical_path", differentiation="claimed", buyer="practitioner", overall=70.0)],
    )
    (split,) = found.attributions
    assert list(split.parts) == ["urgency"] and split.together == 0
    assert split.parts["urgency"] == pytest.approx(split.manual - split.extracted, abs=0.011)
    assert split.rater_overall == 70 and split.left_to_rule == pytest.approx(70 - split.manual, abs=0.011)
    (told,) = found.disagreements
    assert told.moves == split.parts["urgency"]


@pytest.mark.slow
@runs(30)
@given(documents(), documents())
def test_parts_and_remainder_always_add_up(own: dict[str, Any], other: dict[str, Any]) -> None:
    values = {name: value for name in VALUES if (value := _scored(other, name)) is not None}
    names = tuple(dict.fromkeys(rival["name"] for rival in other["competitors"]))
    found = against([read("p", **own)], [by_hand("p", competitors=names, **values)], draws=100)
    (split,) = found.attributions
    assert split.extracted + sum(split.parts.values()) + split.together == pytest.approx(split.manual, abs=0.01)
    assert split.extracted == read("p", **own).scores.overall.value  # type: ignore[union-attr]


@pytest.mark.slow
@runs(30)
@given(documents())
def test_who_scores_as_the_reader_reads_agrees_with_it_in_everything(own: dict[str, Any]) -> None:
    reading = read("p", **own)
    values = {name: extracted_value(reading.signals, name) for name in VALUES}
    names = tuple(dict.fromkeys(rival.name for rival in reading.signals.competitors))
    found = against([reading], [by_hand("p", competitors=names, **values)], draws=100)
    assert {told.signal for told in found.disagreements} <= {"competitors"}  # a name that stands twice is one name
    assert all(each["agreement"].value == 1 for each in found.signals["extracted"].values())
    assert set(found.attributions[0].parts) <= {"stage", "focus", "competitors"}


def _scored(document: Mapping[str, Any], name: str) -> str | None:
    found = document.get(name)
    return found["value"] if isinstance(found, dict) else None


def test_a_position_that_agrees_as_lean_and_lies_finer_is_distinguished() -> None:
    problems = [
        {"statement": "x", "stage": "day_1", "focus": "ml", "primary": True},
        {"statement": "y", "stage": "day_1", "focus": "ml", "primary": True},
        {"statement": "z", "stage": "day_1", "focus": "both", "primary": True},
    ]
    found = against([read("p", problems=problems)], [by_hand("p", stage="day_1", focus="ml")])
    assert found.disagreements == ()
    assert found.attributions[0].finer == ("focus",)


def test_without_all_columns_signals_are_compared_and_scores_are_not() -> None:
    scores = parse_manual(b"pitch_id,rater,urgency\np,a,important\nq,a,\n", "m.csv")
    found = compare([read("p", urgency="important"), read("q")], scores, draws=100)
    assert list(found.signals["extracted"]) == ["in_scope", "urgency"]
    assert found.scores == () and found.attributions == () and found.competitors == {}
    assert any("no column for stage" in issue.text for issue in found.issues)
    assert any("the rows give no assessment" in issue.text for issue in found.issues)


# ---------------------------------------------------------------- several readers


def test_readers_are_compared_only_by_pitches_that_both_read() -> None:
    rows = [by_hand(f"p{n}", urgency="important") for n in range(9)]
    right = [read(f"p{n}", urgency="important") for n in range(9)]
    wrong = [read(f"p{n}", urgency="nice_to_have") for n in range(8)]
    found = against({"good": right, "bad": wrong}, rows)
    test = next(test for test in found.tests if test.signal == "urgency")
    assert (test.n, test.first_better, test.second_better) == (8, 8, 0)
    assert test.p == pytest.approx(2 / 2**8) and test.p_holm == pytest.approx(test.p * len(found.tests))
    assert any(issue.where == "bad" and "was not read: p8" in issue.text for issue in found.issues)


def test_only_the_chosen_raters_count() -> None:
    rows = [by_hand("p", "a", urgency="important"), by_hand("p", "settled", urgency="critical_path")]
    found = against([read("p", urgency="critical_path")], rows, raters=["settled"])
    assert [rater.name for rater in found.raters] == ["settled"] and found.disagreements == ()
    assert any("not counted, because other raters were chosen: a" in issue.text for issue in found.issues)
    with pytest.raises(InputError, match="no rater x; it has a, settled"):
        against([read("p")], rows, raters=["x"])


def test_readers_of_similar_names_stay_separate(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "out.json").write_text(read("p").to_json(), encoding="utf-8")
    found = against([tmp_path / "one" / "out.json", tmp_path / "two" / "out.json"], [by_hand("p")])
    assert [reader.name for reader in found.readers] == ["out", "out (2)"]


@pytest.mark.parametrize(
    ("source", "model"),
    [
        ("recorded", True),
        ("keywords", True),
        ("recorded/openai/m", True),
        ("openai/gpt-4.1-mini", True),
        ("ollama/llama3.1", True),
        ("results/out.jsonl", False),
        ("out.parquet", False),
        ("-", False),
    ],
)
def test_a_model_is_distinguished_from_a_file(source: str, model: bool) -> None:
    assert is_model(source) == model


def test_a_model_that_cannot_be_asked_ends_the_command_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    done = pitch("compare", "openai/gpt-4.1-mini", MANUAL, "--pitches", PITCHES)
    assert done.exit_code == 3 and "OPENAI_API_KEY is not set" in done.stderr
    monkeypatch.setenv("OPENAI_BASE_URL", URL)
    with respx.mock() as router:
        router.post(CHAT).mock(return_value=failure(401))
        done = pitch("compare", "openai/m", MANUAL, "--pitches", PITCHES)
    assert done.exit_code == 3 and len(done.stderr.splitlines()) <= 2


# ---------------------------------------------------------------- input


def test_everything_that_cannot_be_compared_is_listed(tmp_path: Path) -> None:
    lines = [
        read("p").to_json(indent=None),
        json.dumps({"pitch": {"id": "q"}, "error": {"kind": "timeout", "message": "no answer in 120 s"}}),
        json.dumps({"pitch": {"id": "r"}, "signals": {"buyer": {"value": "cto"}}}),
        json.dumps({"signals": {}}),
        read("only_read").to_json(indent=None),
        read("p", buyer="practitioner").to_json(indent=None),
        "{",
    ]
    path = tmp_path / "out.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    found = against(str(path), [by_hand("p"), by_hand("q"), by_hand("r"), by_hand("only_scored")])
    told = "\n".join(f"{issue.where}: {issue.text}" for issue in found.issues)
    for part in (
        "q has no signals",
        "no answer in 120 s",
        "r has no signals",
        "buyer.value",
        "line 4: skipped, because it has no pitch.id",
        "was read but has no manual scores: only_read",
        "has manual scores but was not read: only_scored",
        "line 6: pitch 'p' appears again with a different reading; the later one counts",
        "line 7: this is not JSON",
    ):
        assert part in told
    (reader,) = found.readers
    assert reader.failed == ("q", "r") and reader.read == 2 and reader.models == ("test/m",)
    assert found.pitches == ("p",)


def test_a_pitch_that_failed_and_was_read_later_is_no_failure(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    failed = json.dumps({"pitch": {"id": "p"}, "error": {"kind": "timeout", "message": "late"}})
    path.write_text(f"{failed}\n{read('p').to_json(indent=None)}\n{failed}\n", encoding="utf-8")
    found = against(str(path), [by_hand("p")])
    assert found.readers[0].failed == () and found.issues == ()


def test_parquet_of_signals_is_read(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet as parquet

    signals = [json.dumps({"buyer": {"value": "practitioner"}}), json.dumps({})]
    parquet.write_table(pyarrow.table({"id": ["p", "q"], "signals": signals}), tmp_path / "s.parquet")
    found = against(tmp_path / "s.parquet", [by_hand("p", buyer="practitioner"), by_hand("q")])
    assert found.signals["s"]["buyer"]["agreement"].value == 1


def test_what_a_rater_noted_is_next_to_the_disagreement_wherever_it_is_shown(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(
        "pitch_id,rater,urgency,note\np,anna,important,=the second paragraph <b>\np,ben,important,\n", encoding="utf-8"
    )
    found = compare({"k": [read("p", urgency="critical_path")]}, tmp_path / "m.csv", draws=100)
    (case,) = (each for each in found.disagreements if each.signal == "urgency")
    assert (case.raters, case.notes) == (("anna", "ben"), ("anna: =the second paragraph <b>",))
    assert json.loads(found.to_json())["disagreements"][0]["notes"] == list(case.notes)
    assert "Note by anna: =the second paragraph &lt;b&gt;" in comparison_html(found)
    assert "anna: =the second paragraph <b>" in disagreements_csv(found)
    shown = io.StringIO()
    print_comparison(Console(file=shown, width=120), found)
    assert "Note by anna: =the second paragraph <b>" in shown.getvalue()


def test_results_of_analyze_many_are_compared_failures_and_all() -> None:
    results = analyzer.analyze_many([("p", "A tool for data scientists."), ("q", " ")], model="keywords")
    found = against(results, [by_hand("p"), by_hand("q")])
    assert found.readers[0].failed == ("q",)
    assert any("rough" in issue.text for issue in found.issues)


def test_nothing_in_common_is_an_error_that_says_who_has_what() -> None:
    with pytest.raises(InputError, match=r"No pitch was both read and scored manually.*was not read: q"):
        against([read("p")], [by_hand("q")])


# ---------------------------------------------------------------- the samples


@pytest.mark.slow
def test_the_same_input_and_seed_give_the_same_bytes(samples: Comparison) -> None:
    again = compare(["recorded", "keywords"], MANUAL, pitches=PITCHES)
    assert again.to_json() == samples.to_json()
    other = compare(["recorded", "keywords"], MANUAL, pitches=PITCHES, seed=1)
    assert other.to_json() != samples.to_json() and other.disagreements == samples.disagreements


def test_readers_and_raters_of_the_samples_are_shown_next_to_each_other(samples: Comparison) -> None:
    assert set(samples.signals) == {"recorded", "keywords", "raters"}
    assert all(found["stage"].n == 15 and found["in_scope"].n == 16 for found in samples.signals.values())
    assert [(scores.left, scores.right) for scores in samples.scores] == [
        ("recorded", "manual signals"), ("keywords", "manual signals"), ("a", "b"),
    ]  # fmt: skip
    moves = [abs(found.moves or 0) for found in samples.disagreements]
    assert moves == sorted(moves, reverse=True) and moves[0] > 0


def test_the_json_is_a_document_without_nan(samples: Comparison) -> None:
    document = json.loads(samples.to_json(), parse_constant=lambda word: pytest.fail(word))
    assert list(document)[:3] == ["readers", "raters", "pitches"]
    stage = document["signals"]["recorded"]["stage"]
    assert {"n", "agreement", "needed", "kappa", "weighted", "ac1", "table", "by_value"} <= set(stage)


# ---------------------------------------------------------------- hostile text


@pytest.fixture
def hostile() -> Comparison:
    text = "<script>alert(1)</script>\x1b[31m {{ 7*7 }} ![x](http://evil.example/x.png) [bold]b[/bold]"
    quoted = {"value": "practitioner", "quotes": [text]}
    rivals = [{"name": f"=HYPERLINK(1) {text}"[:60], "kind": "startup", "quote": text}]
    return against(
        {text: [read("=cmd|' /C calc'!A0", buyer=quoted, competitors=rivals)]},
        [by_hand("=cmd|' /C calc'!A0", rater="@rater<b>", competitors=("<img src=x>",))],
    )


def test_the_page_loads_nothing_and_shows_text_as_text(hostile: Comparison, samples: Comparison) -> None:
    page = comparison_html(hostile)
    assert "<script" not in page and "<img" not in page and "{{ 7*7 }}" in page and "default-src 'none'" in page
    plain = comparison_html(samples)
    assert not re.search(r"(?:src|href)\s*=|url\(|@import", plain)
    assert plain.count("<svg") > 50


def test_the_terminal_prints_no_control_characters(hostile: Comparison) -> None:
    from rich.console import Console

    from analyzer.views.comparison_terminal import print_comparison

    out = io.StringIO()
    print_comparison(Console(file=out, width=80, highlight=False, color_system=None), hostile)
    assert "\x1b" not in out.getvalue() and "[bold]b[/bold]" in out.getvalue()


def test_a_spreadsheet_runs_no_cell_of_the_disagreements(hostile: Comparison) -> None:
    rows = list(csv.reader(io.StringIO(disagreements_csv(hostile))))
    assert rows[0][:3] == ["pitch_id", "signal", "reader"] and rows[0][-2:] == ["settled", "remark"]
    assert {row[0] for row in rows[1:]} == {"'=cmd|' /C calc'!A0"} and rows[1][4] == "'@rater<b>"
    names = next(row for row in rows if row[1] == "competitors")
    assert names[3].startswith("'=HYPERLINK")


def test_the_docs_tables_hold_no_text_of_a_pitch(samples: Comparison) -> None:
    assert "Tallyrun" not in comparison_markdown(samples)


# ---------------------------------------------------------------- the command


@pytest.mark.slow
def test_the_command_shows_figures_issues_and_disagreements(tmp_path: Path, samples: Comparison) -> None:
    report, rows = tmp_path / "r.html", tmp_path / "d.csv"
    done = pitch(
        "compare", "recorded", "keywords", MANUAL, "--pitches", PITCHES, "--report", str(report),
        "--disagreements", str(rows), "--draws", "100",
    )  # fmt: skip
    assert done.exit_code == 0
    for part in (
        "15 pitches are too few for a single figure",
        "keywords: read by cue phrases",
        "recorded against a, b",
    ):
        assert part in " ".join(done.stdout.split())
    first = samples.disagreements[0]
    assert f"{first.pitch}, {title(first.signal)} {first.reader}: " in " ".join(done.stdout.split())
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "Report:" in done.stderr and report.exists()
    assert rows.read_bytes().startswith(b"\xef\xbb\xbfpitch_id,")


def test_the_command_prints_json_alone(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text(read("cabstand").to_json(), encoding="utf-8")
    done = pitch("compare", str(path), MANUAL, "--json", "--rater", "a")
    assert done.exit_code == 0 and done.stderr == ""
    assert [rater["name"] for rater in json.loads(done.stdout)["raters"]] == ["a"]


def test_a_failed_pitch_ends_the_command_with_1_and_the_rest_is_there(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    failed = json.dumps({"pitch": {"id": "chaffinch"}, "error": {"kind": "timeout", "message": "late"}})
    path.write_text(f"{read('cabstand').to_json(indent=None)}\n{failed}\n", encoding="utf-8")
    done = pitch("compare", str(path), MANUAL)
    assert done.exit_code == 1 and "chaffinch has no signals" in done.stdout


BAD: dict[str, tuple[list[str], int, str]] = {
    "one file": ([MANUAL], 2, "name what was extracted and, last, the manual scores"),
    "no pitches": (["recorded", MANUAL], 2, "--pitches FOLDER"),
    "no folder": (["keywords", MANUAL, "--pitches", "nowhere"], 2, "is not a folder of pitches"),
    "no file": (["nowhere.json", MANUAL], 2, "nowhere.json cannot be read"),
    "no manual": (["keywords", "nowhere.csv", "--pitches", PITCHES], 2, "nowhere.csv cannot be read"),
    "report": (["keywords", MANUAL, "--pitches", PITCHES, "--report", "r.pdf"], 2, "ends in .html"),
    "csv": (["keywords", MANUAL, "--pitches", PITCHES, "--disagreements", "nowhere/d.csv"], 2, "there is no folder"),
    "draws": (["keywords", MANUAL, "--pitches", PITCHES, "--draws", "9"], 2, "100<=x<=100000"),
    "not manual": ([MANUAL, MANUAL], 2, "is a table; use a .json"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "says"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_compared_is_one_or_two_lines(arguments: list[str], code: int, says: str) -> None:
    done = pitch("compare", *arguments)
    assert done.exit_code == code and says in done.stderr and done.stderr.startswith("pitch: ")
    assert len(done.stderr.splitlines()) <= 2 and done.stdout == ""


# ---------------------------------------------------------------- changed by hand


EDITED = what_if(
    read("p", buyer={"value": "practitioner", "basis": "stated", "quotes": ["start free"]}, urgency="important"),
    {"buyer": "engineering_leadership", "urgency": "unknown"},
)


@pytest.mark.parametrize("kind", ["in memory", "file", "upload"])
def test_what_a_person_changed_in_an_assessment_is_not_what_the_model_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "edited.json"
    path.write_text(EDITED.to_json(), encoding="utf-8")
    given = {"in memory": [EDITED], "file": path, "upload": Upload("edited.json", path.read_bytes())}[kind]

    found = against(given, [by_hand("p", buyer="practitioner", urgency="important")])

    (signals,) = (found.signals[side] for side in found.signals if side != RATERS)
    assert signals["buyer"]["agreement"].value == signals["urgency"]["agreement"].value == 1.0


def test_edits_of_another_shape_fail_the_pitch_and_do_not_pass_for_what_was_read(tmp_path: Path) -> None:
    document = json.loads(EDITED.to_json()) | {"edits": [{"signal": "buyer"}]}
    sound = json.loads(read("q", buyer="practitioner").to_json())
    (tmp_path / "all.json").write_text(json.dumps([document, sound]), encoding="utf-8")

    found = against(tmp_path / "all.json", [by_hand("p"), by_hand("q", buyer="practitioner")])

    assert any("edits.from: Field required" in issue.text for issue in found.issues)
