"""Recorded answers: kept as they came and nothing else of the exchange, found again by what was asked."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from click.testing import CliRunner

from analyzer import analyze
from analyzer.cli.main import cli
from analyzer.errors import ConfigurationError, MissingRecording
from analyzer.reading import prompts, recordings
from analyzer.reading.conversation import ModelReader, first_request
from analyzer.reading.pitch import Pitch, overlaps
from analyzer.reading.readers import choose, recording_readers
from analyzer.reading.recordings import ModelRequest, Recordings, shipped_recordings
from analyzer.runs.doctor import check
from analyzer.settings import Settings
from analyzer.vocabulary.records import VOCABULARY_VERSION
from analyzer.vocabulary.signals import answer_schema
from tests.completions import CHAT, PITCH, URL, answer, completion, failure, single
from tests.conftest import PITCHES

KEY = "sk-secret-0123456789"
SETTINGS = Settings(openai_base_url=URL, openai_api_key=KEY)
SAMPLES = sorted(PITCHES.glob("*.txt"))


def record(
    folder: Path, *responses: httpx.Response, text: str = PITCH, model: str = "openai/gpt-4.1-mini"
) -> ModelReader:
    with respx.mock() as router:
        router.post(CHAT).mock(side_effect=list(responses))
        reader = ModelReader(model, SETTINGS, record_to=folder)
        asyncio.run(reader.read(Pitch.from_text(text)))
    return reader


def test_a_recorded_answer_is_replayed_through_the_same_client_without_a_call(tmp_path: Path) -> None:
    record(tmp_path, completion(answer()))
    with respx.mock() as router:
        first = analyze(PITCH, model="recorded", settings=Settings(recordings=tmp_path))
        second = analyze(PITCH, model="recorded", settings=Settings(recordings=tmp_path))
        assert not router.calls
    assert first.to_json() == second.to_json()
    assert first.signals.buyer.value == "engineering_leadership"
    assert first.provenance.reader.model == "recorded/openai/gpt-4.1-mini"
    assert first.provenance.usage.input_tokens == 5000


def test_an_answer_that_was_asked_for_again_is_replayed_with_both_turns(tmp_path: Path) -> None:
    reader = record(tmp_path, completion(answer(buyer=single("practitioner", "nobody said"))), completion(answer()))
    assert len(reader.written) == 2
    assessment = analyze(PITCH, model="recorded", settings=Settings(recordings=tmp_path))
    assert assessment.signals.buyer.value == "engineering_leadership"
    assert assessment.provenance.usage.requests == 2


def test_no_key_header_or_path_is_ever_written(tmp_path: Path) -> None:
    leaky = completion(answer(summary=f"Echo: {KEY}"))
    leaky.headers["x-request-id"] = "req-1"
    reader = record(tmp_path, leaky)
    text = reader.written[0].read_text()
    for secret in (KEY, "Bearer", "req-1", URL, str(Path.home()), str(tmp_path), "user-agent"):
        assert secret not in text
    assert set(json.loads(text)) == {"recorded", "title", "request", "texts", "response"}
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]


def test_failed_calls_leave_no_recording(tmp_path: Path) -> None:
    from analyzer.errors import AuthenticationFailed

    with pytest.raises(AuthenticationFailed):
        record(tmp_path / "none", failure(401))
    assert list((tmp_path / "none").iterdir()) == []


REQUEST = ModelRequest(
    model="openai/m",
    pitch_sha256="t",
    form="quotes",
    mode="tools",
    vocabulary_version=1,
    prompt_version=1,
    turn=1,
    so_far_sha256="d",
    prompt_sha256="p",
    schema_sha256="s",
    said_sha256="c",
)


def recorded_on(folder: Path) -> str:
    (recording,) = Recordings([folder])
    return recording.recorded


CHANGES = {
    "the pitch": {"pitch_sha256": "0"},
    "the model (openai/gpt-4.1-mini, not openai/other)": {"model": "openai/other"},
    "the form (ids, not quotes)": {"form": "quotes"},
    "the number of the reading (1, not 2)": {"reading": 2},
    "the vocabulary's version (2, not 3)": {"vocabulary_version": 3},
    "the prompt's version (2, not 3)": {"prompt_version": 3},
    "the turn of the conversation (0, not 1)": {"turn": 1},
    "the conversation so far": {"so_far_sha256": "0"},
    "the model (openai/gpt-4.1-mini, not openai/other), the form (ids, not quotes)": {
        "model": "openai/other",
        "form": "quotes",
    },
}


@pytest.mark.parametrize(("differs", "change"), CHANGES.items(), ids=CHANGES.keys())
def test_a_miss_names_the_nearest_recording_and_what_differs(
    tmp_path: Path, differs: str, change: dict[str, Any]
) -> None:
    reader = record(tmp_path, completion(answer()))
    recordings = Recordings([tmp_path])
    kept = next(iter(recordings._all)).request
    assert recordings.find(kept) is not None
    wanted = replace(kept, **change)
    assert recordings.find(wanted) is None
    message = str(recordings.missing(wanted))
    assert reader.written[0].name in message and f"which differs in {differs}." in message
    assert "pitch record" in message and len(message.splitlines()) == 2


def test_a_recording_of_another_mode_answers_too_and_one_of_the_same_mode_first(tmp_path: Path) -> None:
    record(tmp_path, completion(answer()))
    (recording,) = Recordings([tmp_path])
    wanted = replace(recording.request, mode="json_schema")
    assert Recordings([tmp_path]).find(wanted) == recording
    own = json.loads(recording.path.read_text()) | {"request": wanted.asked}
    (tmp_path / "own.json").write_text(json.dumps(own))
    found = Recordings([tmp_path])
    assert {
        mode: getattr(found.find(replace(wanted, mode=mode)), "path", Path()).name for mode in ("tools", "json_schema")
    } == {
        "tools": recording.path.name,
        "json_schema": "own.json",
    }


def test_the_key_is_of_the_request_and_of_no_library() -> None:
    """Pinned: recordings must outlive upgrades of pydantic, openai and instructor."""
    assert REQUEST.key == "2919f9e62619a2d550ea090a357041be3c2383c323bcd3ec672ed16d332824cf"
    assert REQUEST.recording_key == "ec5369655218ea5513eae4ab278a350d1862ee38e3dd93a63b3918cd1cb91f2e"


@pytest.mark.parametrize("name", [field.name for field in fields(ModelRequest)])
def test_a_recording_belongs_to_what_is_asked_and_a_paid_answer_to_the_words(name: str) -> None:
    value = getattr(REQUEST, name)
    change: dict[str, Any] = {name: value + 1 if isinstance(value, int) else f"{value}x"}
    changed = replace(REQUEST, **change)
    words = name in ("prompt_sha256", "schema_sha256", "said_sha256")
    assert (changed.recording_key == REQUEST.recording_key) == words
    implied = name == "so_far_sha256"  # the exact texts say as much
    assert (changed.key == REQUEST.key) == implied


# ---------------------------------------------------------------- other words, another version

TEXTS = {
    "the prompt": ("analyzer.reading.recordings.prompt_sha256", "prompt_sha256"),
    "the vocabulary": ("analyzer.reading.forms.ids.vocabulary_sha256", "schema_sha256"),
}


@pytest.mark.parametrize(("words", "where"), TEXTS.items(), ids=TEXTS)
def test_a_changed_word_keeps_a_recording_and_its_assessment_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str, where: tuple[str, str]
) -> None:
    record(tmp_path, completion(answer()))
    settings = Settings(recordings=tmp_path)
    before = analyze(PITCH, model="recorded", settings=settings)
    assert not before.warnings
    monkeypatch.setattr(where[0], lambda *_: "0" * 64)
    found = analyze(PITCH, model="recorded", settings=settings)
    assert found.signals == before.signals and found.provenance == before.provenance, "the words it was asked in"
    (warning,) = found.warnings
    assert warning.kind == "reworded" and f"another wording of {words}." in warning.message
    assert recorded_on(tmp_path) in warning.message
    assert [str(text) for text in Recordings([tmp_path]).reworded()] == [
        f"1 recorded with another wording of {words} ({recorded_on(tmp_path)})"
    ]


def test_a_second_answer_outlives_a_changed_word_of_the_question_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record(tmp_path, completion(answer(buyer=single("practitioner", "nobody said"))), completion(answer()))
    monkeypatch.setattr(prompts, "again_message", lambda faults, _: "Please correct: " + "; ".join(faults))
    found = analyze(PITCH, model="recorded", settings=Settings(recordings=tmp_path))
    assert found.signals.buyer.value == "engineering_leadership" and found.provenance.usage.requests == 2
    assert [warning.kind for warning in found.warnings] == ["reworded"]
    assert "what is said when asking again" in found.warnings[0].message


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("analyzer.reading.recordings.VOCABULARY_VERSION", "the vocabulary's version (2, not 3)"),
        ("analyzer.reading.prompts.PROMPT_VERSION", "the prompt's version (2, not 3)"),
    ],
    ids=["vocabulary", "prompt"],
)
def test_a_raised_version_retires_its_recordings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, says: str
) -> None:
    record(tmp_path, completion(answer()))
    monkeypatch.setattr(name, 3)
    with pytest.raises(MissingRecording, match="which differs in " + re.escape(says)):
        analyze(PITCH, model="recorded", settings=Settings(recordings=tmp_path))
    found = Recordings([tmp_path])
    assert len(found.outdated()) == 1 and not found.reworded()


def test_recording_again_replaces_the_answer_to_older_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as before:
        before.setattr(recordings, "prompt_sha256", lambda _: "0" * 64)
        record(tmp_path, completion(answer(buyer=single("unknown"))))
    record(tmp_path, completion(answer()))
    (recording,) = Recordings([tmp_path])
    assert recording.request.prompt_sha256 == recordings.prompt_sha256("ids")
    found = analyze(PITCH, model="recorded", settings=Settings(recordings=tmp_path))
    assert found.signals.buyer.known and not found.warnings


def test_of_two_answers_the_one_to_todays_words_is_played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as before:
        before.setattr(recordings, "prompt_sha256", lambda _: "0" * 64)
        record(tmp_path / "a", completion(answer(buyer=single("unknown"))))
    record(tmp_path / "b", completion(answer()))
    found = analyze(PITCH, model="recorded", settings=Settings(recordings=tmp_path))
    assert found.signals.buyer.known and not found.warnings


def test_a_paid_answer_is_stored_by_the_exact_words(monkeypatch: pytest.MonkeyPatch) -> None:
    pitch = Pitch.from_text(PITCH)
    before = first_request("openai/m", pitch, "ids")
    monkeypatch.setattr(recordings, "prompt_sha256", lambda _: "0" * 64)
    after = first_request("openai/m", pitch, "ids")
    assert before.key != after.key and before.recording_key == after.recording_key


def test_the_doctor_says_what_is_worded_otherwise_and_what_is_not_played(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record(tmp_path, completion(answer()))
    settings = Settings(recordings=tmp_path, store=f"sqlite:///{tmp_path / 'store.sqlite'}")
    monkeypatch.setattr(recordings, "shipped_recordings", lambda: tmp_path / "none")

    def told() -> list[str]:
        return [finding.text for finding in check(settings) if finding.subject == "recordings"]

    assert len(told()) == 1
    monkeypatch.setattr(recordings, "prompt_sha256", lambda _: "0" * 64)
    assert any("recorded with another wording of the prompt" in text for text in told())
    monkeypatch.setattr(prompts, "PROMPT_VERSION", 3)
    assert any("not used: made with an older prompt or vocabulary" in text for text in told())


VOCABULARIES = {
    1: "3732a2f3983cc4d1f02be9f2863a9f2aeebb5e04671beaac1689fb2e056c1212",
    2: "b294e13e08cd351f9330802e1c49a7ee8ddf1aaf8e35374bdf3930ee5597df9a",
}


def test_new_fields_or_values_raise_the_vocabularys_version() -> None:
    """A version never covers two vocabularies; rules and meanings may be reworded under one."""
    assert VOCABULARIES[VOCABULARY_VERSION] == shape(answer_schema()), "raise VOCABULARY_VERSION and add it here"


def shape(schema: dict[str, Any]) -> str:
    """Fingerprint of an answer's fields and values, without what is said about them."""

    def bare(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: bare(value) for key, value in part.items() if key != "description" or isinstance(value, dict)}
        return [bare(one) for one in part] if isinstance(part, list) else part

    return hashlib.sha256(json.dumps(bare(schema), sort_keys=True).encode()).hexdigest()


def test_of_several_recorded_models_one_can_be_named(tmp_path: Path) -> None:
    record(tmp_path, completion(answer()))
    record(tmp_path, completion(answer(buyer=single("unknown"))), model="openai/gpt-4.1")
    settings = Settings(recordings=tmp_path)
    assert analyze(PITCH, model="recorded/openai/gpt-4.1", settings=settings).signals.buyer.value == "unknown"
    assert analyze(PITCH, model="recorded/openai/gpt-4.1-mini", settings=settings).signals.buyer.known


@pytest.mark.parametrize("content", ["{}", "[]", "no JSON", '{"request": {"model": 1}, "response": 2}'])
def test_a_file_that_is_no_recording_spoils_nothing_and_is_named_where_none_fits(tmp_path: Path, content: str) -> None:
    (tmp_path / "odd.json").write_text(content)
    settings = Settings(recordings=tmp_path)
    with pytest.raises(MissingRecording, match=r"\(odd\.json is not a recording and was skipped\)"):
        analyze(PITCH, model="recorded", settings=settings)
    choice = choose(Pitch.from_text(PITCH), None, settings)
    assert choice.note is not None and "read by cue phrases" in choice.note

    record(tmp_path, completion(answer()))
    assert analyze(PITCH, model="recorded", settings=settings).signals.buyer.value == "engineering_leadership"
    assert [path.name for path in Recordings([tmp_path]).strays] == ["odd.json"]


@pytest.mark.parametrize("model", ["keywords", "recorded"])
def test_only_a_real_model_can_be_recorded(tmp_path: Path, model: str) -> None:
    with pytest.raises(ConfigurationError, match="asks no model"):
        recording_readers(model, SETTINGS, tmp_path)


# ---------------------------------------------------------------- what comes with the program


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_pitch_has_a_recorded_answer_that_fits_todays_version(path: Path) -> None:
    assessment = analyze(path.read_text(encoding="utf-8"), model="recorded", id=path.stem)
    text = Pitch.from_text(path.read_text(encoding="utf-8")).text
    for _, quote in assessment.signals.quotes():
        assert quote.text == text[quote.start : quote.end]
    assert assessment.in_scope == (path.stem != "fillchair")


@pytest.mark.parametrize("folder", ["reading", "languages"])
def test_every_further_pitch_has_a_recorded_answer_whose_quotes_are_in_it(folder: str) -> None:
    paths = sorted((PITCHES.parent / folder).glob("*.txt"))
    assert len(paths) >= 32
    for path in paths:
        text = Pitch.from_text(path.read_text(encoding="utf-8")).text
        assessment = analyze(text, model="recorded", id=path.stem)
        quotes = [quote for _, quote in assessment.signals.quotes()]
        assert quotes or not assessment.in_scope
        assert all(quote.text == text[quote.start : quote.end] for quote in quotes), path.stem
        assert assessment.in_scope == (path.stem not in ("clausebird", "cropsonde", "logwhistle", "stackpine"))


def test_the_table_of_examples_replays_as_it_is(tmp_path: Path) -> None:
    output = tmp_path / "examples.jsonl"
    table = PITCHES.parent / "examples.csv"
    done = CliRunner().invoke(cli, ["bulk", str(table), "--model", "recorded", "-o", str(output)])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 30 and all("signals" in row for row in rows)


def test_no_recording_lies_about_that_nothing_plays() -> None:
    folders = ("pitches", "reading", "hostile", "languages")
    paths = [path for folder in folders for path in (PITCHES.parent / folder).glob("*.txt")]
    pitches = {Pitch.from_text(path.read_text(encoding="utf-8")).ref.sha256 for path in paths}
    with (PITCHES.parent / "examples.csv").open(encoding="utf-8", newline="") as file:
        pitches |= {Pitch.from_text(row["text"]).ref.sha256 for row in csv.DictReader(file)}
    recordings = Recordings([shipped_recordings()])
    assert recordings.strays == []
    of_pitches = [recording for recording in recordings if recording.path.parent.name != "pairings"]
    assert {recording.request.pitch_sha256 for recording in of_pitches} == pitches
    assert recordings.outdated() == []
    asked = [(recording.path.parent, recording.request.recording_key) for recording in recordings]
    assert len(set(asked)) == len(asked)


with (PITCHES.parent / "hostile.csv").open(encoding="utf-8", newline="") as file:
    HOSTILE = list(csv.DictReader(file))


@pytest.mark.parametrize("row", HOSTILE, ids=lambda row: row["file"].removesuffix(".txt"))
def test_planted_text_gives_a_warning_and_no_signal_rests_on_it(row: dict[str, str]) -> None:
    pitch = Pitch.from_text((PITCHES.parent / "hostile" / row["file"]).read_text(encoding="utf-8"))
    assessment = analyze(pitch.text, model="recorded", id=row["file"])
    assert {warning.kind for warning in pitch.warnings} | {warning.kind for warning in assessment.warnings} >= (
        {"hidden_characters"} if row["kind"] == "hidden" else {"instructions"}
    )
    quotes = [quote.text for _, quote in assessment.signals.quotes()]
    assert quotes
    for spot in row["spots"].split(" || "):
        plain = Pitch.from_text(f"x {spot}".replace("\\n", "\n")).text[2:].strip()
        assert not any(len(quote) > 20 and quote in plain for quote in quotes)


def test_the_hostile_samples_planted_claims_reach_no_signal() -> None:
    text = (PITCHES / "sheafline.txt").read_text(encoding="utf-8")
    assessment = analyze(text, model="recorded")
    planted = Pitch.from_text(text).planted
    assert len(planted) >= 3
    assert not any(overlaps(quote, planted) for _, quote in assessment.signals.quotes())
    assert assessment.signals.traction.value != "customers"
    assert assessment.signals.buyer.value != "engineering_leadership"
    assert sum(warning.kind == "instructions" for warning in assessment.warnings) >= 3


def test_with_nothing_configured_a_sample_is_read_from_its_recording_and_another_text_by_keywords() -> None:
    settings = Settings.from_environment()
    known = choose(Pitch.from_text(SAMPLES[0].read_text(encoding="utf-8")), None, settings)
    other = choose(Pitch.from_text(PITCH), None, settings)
    assert known.note is not None and known.note.startswith("No model is set: this is a recorded answer.")
    assert other.note is not None and other.note.startswith("No model is set: read by cue phrases, which is rough.")
