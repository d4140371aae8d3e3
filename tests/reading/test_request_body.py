"""The bytes of a request are those of its whole body, whichever part of it was encoded before."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.errors import PitchError
from analyzer.reading.forms import form
from analyzer.reading.modes import ModelQuestion, codes_for, whole_request
from analyzer.reading.pitch import Pitch
from analyzer.reading.profiles import Mode, profile_of
from analyzer.reading.request_body import RequestBodies
from analyzer.settings import Settings

MODEL = "openai/some-model"
PROFILE = profile_of(MODEL, Settings(openai_base_url="http://localhost:8000/v1"))
BODIES = RequestBodies("some-model")
MODES: tuple[Mode, ...] = ("json_schema", "tools", "tools_required", "json", "text", "responses")


@given(
    text=st.text(min_size=1),
    mode=st.sampled_from(MODES),
    name=st.sampled_from(["ids", "quotes"]),
    doubtful=st.booleans(),
    reading=st.integers(1, 3),
    settings=st.booleans(),
    said=st.sampled_from([[], [{"role": "assistant", "content": "{}"}, {"role": "user", "content": "Again."}]]),
)
def test_the_bytes_hold_the_same_as_the_whole_body(
    text: str, mode: Mode, name: str, doubtful: bool, reading: int, settings: bool, said: list[dict[str, str]]
) -> None:
    try:
        pitch = Pitch.from_text(text)
    except PitchError:
        return
    question = ModelQuestion(form(name), pitch, said, codes_for(pitch) if doubtful else None, reading, settings)
    endpoint, content = BODIES.encoded(question, mode, PROFILE)
    assert (endpoint, json.loads(content)) == whole_request(question, mode, PROFILE, "some-model")


def test_a_pitch_that_holds_the_marks_of_a_place_is_sent_as_it_is() -> None:
    text = "We sell \ue000the pitch\ue000 for 9000000000000001 and 9000000000000002 dollars."
    pitch = Pitch.from_text(text)
    question = ModelQuestion(form("quotes"), pitch, codes=codes_for(pitch))
    _, content = BODIES.encoded(question, "json_schema", PROFILE)
    assert text in json.loads(content)["messages"][1]["content"]


@pytest.mark.parametrize("mode", MODES)
def test_another_profile_of_the_server_is_another_body(mode: Mode) -> None:
    bodies = RequestBodies("some-model")
    question = ModelQuestion(form("ids"), Pitch.from_text("We sell GPUs."))
    other = PROFILE.model_copy(
        update={"parameters": PROFILE.parameters.model_copy(update={"temperature": not PROFILE.parameters.temperature})}
    )
    first, second = (json.loads(bodies.encoded(question, mode, profile)[1]) for profile in (PROFILE, other))
    assert ("temperature" in first) != ("temperature" in second)
