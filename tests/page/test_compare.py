"""The page that compares: the samples at a click, faults told, results to take away, and hostile text as text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from streamlit.testing.v1 import AppTest

from analyzer.agreement.comparison import compare
from analyzer.agreement.extracted import Upload
from analyzer.files.manual_scores import parse_manual
from analyzer.framework.assessment import PitchRef
from analyzer.framework.one_pitch import score
from analyzer.resources import resource
from analyzer.views.html import literal
from analyzer.vocabulary.signals import Signals

_SCRIPT = """
import streamlit as st
from analyzer.page import compare
compare.show()
"""


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_string(_SCRIPT, default_timeout=60).run()


def markup(page: AppTest) -> str:
    return "\n".join(element.value for element in page.html)


def click(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def assessed(pitch: str, **document: Any) -> bytes:
    return score(Signals.model_validate(document), pitch=PitchRef(id=pitch)).to_json().encode()


def upload(page: AppTest, files: list[Upload], manual: bytes) -> AppTest:
    """The page after these files were brought and compared."""
    page.file_uploader[0].set_value([(file.name, file.data, "application/json") for file in files])
    page.file_uploader[1].set_value(("manual.csv", manual, "text/csv"))
    return click(page.run(), "Compare")


def test_the_empty_page_asks_for_files_and_shows_no_figure(page: AppTest) -> None:
    assert page.title[0].value == "Compare with manual scoring"
    assert [uploader.label for uploader in page.file_uploader] == [
        "Assessments",
        "Manual scores",
    ]
    assert next(button for button in page.button if button.label == "Compare").disabled
    assert "Agreement, signal by signal" not in markup(page) and not page.exception


def test_the_samples_are_compared_at_a_click_and_no_model_is_asked(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITCH_VERIFY", "mistral/small")
    monkeypatch.setenv("PITCH_READINGS", "3")
    click(page, "Use the samples")
    assert not page.exception and not page.error
    assert str(resource("fixtures")) not in markup(page)
    shown = markup(page)
    for part in (
        "15 pitches are too few for a single figure",
        "keywords: read by cue phrases",
        "Agreement, signal by signal",
        "The figures: a and b",
        "Confused values",
        "Overall scores",
        "Why scores differ",
        "Disagreements, largest effect on the score first",
        "What decides",
    ):
        assert part in shown
    assert [cast(Any, button).label for button in page.get("download_button")] == [
        "Report (HTML)",
        "Figures (JSON)",
        "Disagreements (CSV)",
    ]


def test_a_faulty_table_shows_all_its_faults_and_no_older_result(page: AppTest) -> None:
    click(page, "Use the samples")
    files = [Upload("a.json", assessed("p")), Upload("b.json", assessed("p"))]
    upload(page, files, b"pitch_id,rater,buyer\np,a,cto\np,a,\n")
    (error,) = page.error
    assert error.value.startswith(literal("Not compared: manual.csv: 2 faults")) and "line 3" in error.value
    assert "Agreement, signal by signal" not in markup(page)


def test_text_of_pitches_and_files_is_never_more_than_text(page: AppTest) -> None:
    text = "<script>alert(1)</script> <img src=x> :red[x]"
    signals = {
        "buyer": {"value": "practitioner", "quotes": [text]},
        "competitors": [{"name": "<b>rival</b>", "kind": "startup", "quote": text}],
    }
    files = [Upload(f"{text}.json", assessed("<i>p</i>", **signals)), Upload("b.json", assessed("<i>p</i>"))]
    upload(page, files, b"pitch_id,rater,buyer,competitors\n<i>p</i>,<u>a</u>,,<s>other</s>\n")
    assert not page.exception and not page.error
    shown = markup(page)
    for raw in ("<script", "<img", "<b>rival", "<i>p", "<u>a", "<s>other"):
        assert raw not in shown
    assert "&lt;script&gt;" in shown and "&lt;i&gt;p" in shown


def test_only_the_raters_that_are_chosen_count(page: AppTest) -> None:
    manual = b"pitch_id,rater,buyer\np,first,practitioner\np,settled,business_leadership\n"
    page.file_uploader[1].set_value(("manual.csv", manual, "text/csv")).run()
    page.multiselect[0].set_value(["settled"])
    upload(page, [Upload("x.json", assessed("p", buyer="business_leadership"))], manual)
    assert not page.exception and not page.error
    assert "not counted, because other raters were chosen: first" in markup(page)
    assert "Disagreements, largest effect" not in markup(page)


@pytest.mark.parametrize("suffix", ["json", "jsonl", "parquet"])
def test_every_kind_of_upload_is_read(suffix: str, tmp_path: Path) -> None:
    data = assessed("p", buyer="practitioner")
    if suffix == "jsonl":
        data = json.dumps(json.loads(data)).encode() + b"\n"
    if suffix == "parquet":
        import pyarrow
        import pyarrow.parquet as parquet

        parquet.write_table(pyarrow.table({"assessment": [data.decode()]}), tmp_path / "x.parquet")
        data = (tmp_path / "x.parquet").read_bytes()
    manual = parse_manual(b"pitch_id,rater,buyer\np,a,practitioner\n", "m.csv")
    found = compare([Upload(f"x.{suffix}", data)], manual, draws=100)
    assert found.signals["x"]["buyer"]["agreement"].value == 1
