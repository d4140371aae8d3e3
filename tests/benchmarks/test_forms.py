"""The forms of asking are compared on texts that are recorded in every form; values are stored, quotes are not."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
import respx

from analyzer import analyze
from analyzer.files.manual_scores import VALUES
from analyzer.reading.forms import FORMS
from analyzer.reading.pitch import Pitch
from analyzer.reading.readers import recording_readers
from analyzer.resources import resource
from analyzer.settings import Settings
from benchmarks.forms.__main__ import main
from benchmarks.forms.figures import FormReading, pairings_table, read, settled, table, write
from benchmarks.real_texts.figures import reading_of
from tests.completions import CHAT, URL, answer, completion

MODEL = "openai/gpt-4.1-mini"


def record(folder: Path, form: str, name: str) -> None:
    text = (resource("fixtures/reading") / f"{name}.txt").read_text(encoding="utf-8")
    settings = replace(Settings(openai_base_url=URL, openai_api_key="sk-secret-0123456789"), form=form)
    with respx.mock() as router:
        router.post(CHAT).mock(return_value=completion(answer(in_scope=False)))
        pitch = Pitch.from_text(text)
        asyncio.run(recording_readers(MODEL, settings, folder).reader_for(pitch).read(pitch))


def run(tmp_path: Path) -> int:
    folders = [str(tmp_path / "recorded"), "--model", MODEL, "--home", str(tmp_path), "--save"]
    return main([str(tmp_path / "no clones"), "--recordings", *folders])


def test_only_texts_that_are_recorded_in_every_form_are_compared_and_no_quote_is_stored(tmp_path: Path) -> None:
    for form in FORMS:
        record(tmp_path / "recorded", form, "clausebird")
    record(tmp_path / "recorded", "ids", "braidkit")
    assert run(tmp_path) == 0
    stored = [json.loads(line) for line in (tmp_path / "readings.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["pitch_id"], row["rater"]) for row in stored] == [("clausebird", form) for form in FORMS]
    counts = {"requests", "input_tokens", "output_tokens"}
    assert all(row.keys() <= {"pitch_id", "rater", "in_scope", "competitors", *VALUES, *counts} for row in stored)


def test_without_a_text_in_every_form_nothing_is_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path / "recorded", "ids", "braidkit")
    assert run(tmp_path) == 2
    assert "no text is recorded in every form" in capsys.readouterr().err
    assert not (tmp_path / "readings.jsonl").exists()


def test_what_is_stored_is_read_back_and_shown_for_each_form_and_part(tmp_path: Path) -> None:
    text = (resource("fixtures/reading") / "braidkit.txt").read_text(encoding="utf-8")
    signals = analyze(text, model="keywords").signals
    readings = [FormReading(reading_of("braidkit", signals, form), 2, 700, 90) for form in FORMS]
    write(readings, tmp_path / "readings.jsonl")
    back = read(tmp_path / "readings.jsonl")
    assert [(one.row.values, one.requests, one.input_tokens, one.output_tokens) for one in back] == [
        (one.row.values, 2, 700, 90) for one in readings
    ]
    shown = "\n".join(table(back))
    assert all(f"| `{form}` | all, 1 |" in shown for form in FORMS)
    assert shown.count("| 1 | 700 | 90 |") == 2 * len(FORMS)  # all, and the reading set; there is no real text


def test_the_stored_readings_are_of_the_same_scored_texts_in_every_form() -> None:
    readings = read()
    texts = [{one.row.pitch for one in readings if one.row.rater == form} for form in FORMS]
    assert texts[0] and all(texts[0] == other for other in texts)
    assert texts[0] <= {row.pitch for row in settled()}


def test_as_many_pairings_of_each_form_were_judged() -> None:
    judged = {line.split("|")[2].strip() for line in list(pairings_table())[2:]}
    assert len(judged) == 1 and judged != {"0"}
