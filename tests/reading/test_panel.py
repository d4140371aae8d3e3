"""Several readings of one pitch: what is asked, what happens if some fail, and what comes of them together."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from analyzer import analyze, analyze_many
from analyzer.errors import AuthenticationFailed, ConfigurationError, ContentFiltered, MissingRecording
from analyzer.reading.pitch import Pitch
from analyzer.reading.readers import choose, recording_readers
from analyzer.runs.one import assess
from analyzer.settings import MAX_READINGS, Settings
from tests.completions import CHAT, PITCH, URL, answer, completion, failure, single

MODEL = "openai/gpt-4.1-mini"
OTHER = "openai/gpt-4.1"
SETTINGS = Settings(openai_base_url=URL, openai_api_key="sk-secret-0123456789", mode="json_schema", form="quotes")
CTO = single("engineering_leadership", "Your CTO signs once")
SILENT = {"quotes": [], "basis": "absent", "value": "unknown"}
MEASURED = single("measured", "Acme cut its bill from $90,000 to $61,000 a month.")
CLAIMED = single("claimed", "unlike AWS, we charge by what you save")


def asked(request: httpx.Request) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.content)
    return body


def number_of(request: httpx.Request) -> int:
    """Which reading a request is for: the first has temperature 0, later ones their number as the seed."""
    body = asked(request)
    return 1 if body.get("temperature") == 0 else int(body["seed"])


def answering(answers: Mapping[Any, Any]) -> Callable[[httpx.Request], httpx.Response]:
    """A server that answers by the reading's number, or by the model and the number."""

    def reply(request: httpx.Request) -> httpx.Response:
        number = number_of(request)
        found = answers.get((asked(request)["model"], number), answers.get(number))
        return found if isinstance(found, httpx.Response) else completion(found, plain=True, finish="stop")

    return reply


def server(router: respx.Router, answers: Mapping[Any, Any]) -> respx.Route:
    return router.post(CHAT).mock(side_effect=answering(answers))


THREE = {
    1: answer(buyer=CTO, differentiation=MEASURED),
    2: answer(buyer=CTO, differentiation=CLAIMED),
    3: answer(buyer=SILENT, differentiation=MEASURED),
}


@respx.mock
def test_each_reading_is_asked_by_itself_the_later_ones_without_temperature_and_with_their_number_as_seed() -> None:
    route = server(respx.mock, THREE)
    found = analyze(PITCH, model=MODEL, readings=3, settings=SETTINGS)
    sent = [asked(call.request) for call in route.calls]
    assert sorted((body.get("temperature"), body["seed"]) for body in sent[1:]) == [(None, 2), (None, 3)]
    assert (sent[0]["temperature"], sent[0]["seed"]) == (0, 7)
    assert len({json.dumps(body["messages"]) for body in sent}) == 1
    buyer, difference = found.signals.buyer, found.signals.differentiation
    assert (buyer.value, buyer.votes, [vote.value for vote in buyer.also]) == ("engineering_leadership", 2, ["unknown"])
    assert (difference.value, difference.votes) == ("measured", 2)
    assert found.provenance.reader.model == MODEL
    assert [(each.model, each.number) for each in found.provenance.reader.readings] == [(MODEL, n) for n in (1, 2, 3)]
    assert (found.provenance.usage.requests, found.provenance.usage.output_tokens) == (3, 2700)
    assert {"buyer", "differentiation"} <= {question.signal for question in found.questions}


@respx.mock
def test_one_reading_is_the_request_and_the_document_it_always_was() -> None:
    route = server(respx.mock, THREE)
    one = analyze(PITCH, model=MODEL, readings=1, settings=SETTINGS)
    usual = analyze(PITCH, model=MODEL, settings=SETTINGS)
    assert one.to_json() == usual.to_json()
    assert "votes" not in one.to_json() and "readings" not in one.to_json()
    assert len({call.request.content for call in route.calls}) == 1


@respx.mock
def test_equal_readings_say_what_one_says(tmp_path: Path) -> None:
    server(respx.mock, dict.fromkeys((1, 2, 3), answer()))
    one, three = (analyze(PITCH, model=MODEL, readings=count, settings=SETTINGS) for count in (1, 3))
    assert three.scores == one.scores and three.verdict == one.verdict
    assert [c.reason for c in three.considerations] == [c.reason for c in one.considerations]
    assert three.warnings == one.warnings


@respx.mock
def test_a_panel_has_readings_of_every_model() -> None:
    server(respx.mock, {**THREE, ("gpt-4.1", 1): answer(buyer=single("practitioner", "Your CTO signs once"))})
    found = analyze(PITCH, model=[MODEL, OTHER], settings=SETTINGS)
    assert found.provenance.reader.model == f"{MODEL}, {OTHER}"
    assert [(each.model, each.number) for each in found.provenance.reader.readings] == [(MODEL, 1), (OTHER, 1)]
    assert {found.signals.buyer.value, found.signals.buyer.also[0].value} == {"engineering_leadership", "practitioner"}


@respx.mock
def test_a_reading_that_fails_costs_a_warning_and_not_the_others() -> None:
    server(respx.mock, {**THREE, 2: completion(None, plain=True, finish="content_filter")})
    found = analyze(PITCH, model=MODEL, readings=3, settings=SETTINGS)
    (warning,) = [each for each in found.warnings if each.kind == "readings"]
    assert warning.message.startswith(
        f"This rests on 2 of 3 readings: reading 2 of {MODEL} failed: the provider's content filter blocked"
    )
    assert found.signals.readings == 2
    assert found.provenance.usage.requests == 3  # the one that failed was paid for too
    assert [each.number for each in found.provenance.reader.readings] == [1, 3]


@respx.mock
def test_readings_that_all_fail_are_the_failure_of_the_pitch() -> None:
    server(respx.mock, dict.fromkeys((1, 2, 3), completion(None, plain=True, finish="content_filter")))
    with pytest.raises(ContentFiltered):
        analyze(PITCH, model=MODEL, readings=3, settings=SETTINGS)


@respx.mock
def test_models_that_disagree_on_scope_are_decided_by_the_majority_with_a_warning() -> None:
    server(respx.mock, {**THREE, 2: answer(in_scope=False)})
    found = analyze(PITCH, model=MODEL, readings=3, settings=SETTINGS)
    assert found.in_scope and found.scores is not None
    (warning,) = [each for each in found.warnings if each.kind == "scope"]
    assert warning.message == "1 of 3 readings says that the framework does not apply to this product."


@respx.mock
def test_a_tie_on_scope_shows_both_and_no_score() -> None:
    server(respx.mock, {**THREE, 2: answer(in_scope=False)})
    found = analyze(PITCH, model=MODEL, readings=2, settings=SETTINGS)
    assert found.scores is None and found.verdict is None
    (warning,) = [each for each in found.warnings if each.kind == "scope"]
    assert "1 of 2 readings say" in warning.message and "Nothing is scored" in warning.message


def test_one_second_look_checks_all_readings_together_also_the_values_that_only_one_has() -> None:
    looks: list[str] = []

    def reply(request: httpx.Request) -> httpx.Response:
        body = asked(request)
        if "answers" not in body["response_format"]["json_schema"]["schema"]["properties"]:
            return answering(THREE)(request)
        looks.append(body["messages"][-1]["content"])
        rejected = [
            number
            for number, text in re.findall(r"^\W*(\d+)\b(.*(?:\n(?!\W*\d).*)*)", looks[-1], re.MULTILINE)
            if "we charge by what you save" in text
        ]
        answers = [
            {"number": number, "lacks": "", "support": "not_supported" if str(number) in rejected else "supported"}
            for number in range(1, 20)
        ]
        return completion({"answers": answers}, plain=True, finish="stop")

    with respx.mock() as router:
        router.post(CHAT).mock(side_effect=reply)
        found = analyze(PITCH, model=MODEL, readings=3, settings=SETTINGS, verify=True)
    (text,) = looks
    assert "we charge by what you save" in text and "$61,000 a month" in text
    difference = found.signals.differentiation
    assert (difference.value, difference.votes) == ("measured", 2)
    assert [(vote.value, vote.votes) for vote in difference.also] == [("unknown", 1)]
    assert found.provenance.usage.requests == 4
    assert len(found.provenance.reader.readings) == 3 and found.provenance.reader.verifier is not None


# ---------------------------------------------------------------- the store, recordings, runs


@respx.mock
def test_a_second_call_with_more_readings_asks_only_for_the_new_ones(tmp_path: Path) -> None:
    route = server(respx.mock, THREE)
    store = f"sqlite:///{tmp_path / 'store.db'}"
    analyze(PITCH, model=MODEL, settings=SETTINGS, store=store)
    analyze(PITCH, model=MODEL, readings=2, settings=SETTINGS, store=store)
    assert [number_of(call.request) for call in route.calls] == [1, 2]
    (result,) = analyze_many([PITCH], model=MODEL, readings=2, settings=SETTINGS, store=store)
    assert result.from_store and len(route.calls) == 2
    assert result.assessment is not None and result.assessment.provenance.usage.requests == 2


def test_a_run_that_was_killed_between_two_readings_goes_on_with_the_missing_one(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"
    with respx.mock() as router:
        server(router, {**THREE, 2: failure(401)})
        with pytest.raises(AuthenticationFailed):
            list(analyze_many([PITCH], model=MODEL, readings=3, settings=SETTINGS, store=store))
    with respx.mock() as router:
        route = server(router, THREE)
        (result,) = analyze_many([PITCH], model=MODEL, readings=3, settings=SETTINGS, store=store)
        assert result.assessment is not None and result.assessment.signals.readings == 3
        assert 2 in {number_of(call.request) for call in route.calls} and len(route.calls) < 3


def test_a_run_with_several_models_shares_its_requests_and_its_cost_limit() -> None:
    with respx.mock() as router:
        server(router, {number: answer() for number in (1, 2)})
        results = list(
            analyze_many([PITCH], model=[MODEL, OTHER], readings=2, settings=SETTINGS, store=False, max_cost=5)
        )
        assert results[0].assessment is not None and results[0].assessment.signals.readings == 4
    with pytest.raises(ConfigurationError, match="2 models need at least 2 requests in flight"):
        analyze_many([PITCH], model=[MODEL, OTHER], settings=SETTINGS, store=False, concurrency=1)


def record(folder: Path, readings: int, answers: Mapping[Any, Any]) -> None:
    pitch = Pitch.from_text(PITCH)
    settings = Settings(openai_base_url=URL, openai_api_key="sk-secret-0123456789", readings=readings)
    with respx.mock() as router:
        server(router, answers)
        assess(pitch, recording_readers(MODEL, settings, folder).reader_for(pitch))


def test_recorded_readings_are_replayed_and_what_is_not_recorded_is_named(tmp_path: Path) -> None:
    record(tmp_path, 3, THREE)
    assert len(list(tmp_path.glob("*.json"))) == 3
    settings = Settings(recordings=tmp_path)
    for model in ("recorded", f"recorded/{MODEL}"):
        found = analyze(PITCH, model=model, readings=3, settings=settings)
        assert (found.signals.buyer.votes, found.signals.readings, found.warnings) == (2, 3, ())
        one = analyze(PITCH, model=model, settings=settings)
        assert (one.signals.buyer.value, one.signals.readings) == ("engineering_leadership", 1)
    five = analyze(PITCH, model="recorded", readings=5, settings=settings)
    assert five.signals.readings == 3
    (warning,) = [each for each in five.warnings if each.kind == "readings"]
    assert warning.message == ("This rests on 3 of 5 readings: readings 4 and 5 are not recorded.")
    with pytest.raises(MissingRecording):
        analyze("Another pitch for an ML tool.", model="recorded", readings=3, settings=settings)


def test_recordings_of_a_later_reading_are_found_in_any_form_and_mode(tmp_path: Path) -> None:
    record(tmp_path, 2, THREE)
    settings = Settings(recordings=tmp_path, form="quotes", mode="json")
    assert analyze(PITCH, model="recorded", readings=2, settings=settings).signals.readings == 2


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("count", [0, -1, MAX_READINGS + 1, 1000, 1.5, "3", True])
def test_a_number_of_readings_that_makes_no_sense_is_refused(count: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"readings is .*; pass a whole number from 1 to 20"):
        analyze(PITCH, model=MODEL, readings=count, settings=SETTINGS)


@pytest.mark.parametrize("text", ["0", "1000", "three", "1.5", "-1", "٣"])
def test_a_faulty_setting_names_the_variable(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PITCH_READINGS", text)
    with pytest.raises(ConfigurationError, match=r"PITCH_READINGS is .*; set it to a whole number from 1 to 20"):
        Settings.from_environment()
    monkeypatch.setenv("PITCH_READINGS", "3")
    assert Settings.from_environment().readings == 3


def test_the_reader_without_a_model_reads_once_and_says_so() -> None:
    choice = choose(Pitch.from_text(PITCH), "keywords", Settings(readings=3))
    assert choice.notices == ["keywords reads a pitch the same way every time, so it reads it once."]
    assert analyze(PITCH, model="keywords", readings=3).to_json() == analyze(PITCH, model="keywords").to_json()


def test_a_model_that_is_named_twice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="is named twice; to have it read a pitch twice, use --readings 2"):
        analyze(PITCH, model=[MODEL, MODEL], settings=SETTINGS)
