"""What known servers do with a request: read through the real client in as few paid requests as can be, or one error."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzer.errors import AnalyzerError
from analyzer.reading.pitch import Pitch
from analyzer.reading.rate_limiter import ONE
from analyzer.reading.readers import choose
from analyzer.runs.one import assess
from tests.completions import PITCH
from tests.quirks.behaviors import BEHAVIORS
from tests.quirks.server import KEY, QuirkyServer

FAILS = {
    "model-missing": "does not know this model",
    "deployment-missing": "does not know this model",
    "key-rejected": "does not accept the key",
    "no-credits": "no balance",
    "prompt-filtered": "content filter",
    "too-long-openai": "longer than the model's context",
    "too-long-vllm": "longer than the model's context",
    "too-long-llama-server": "longer than the model's context",
    "too-long-ollama": "longer than the model's context",
    "error-in-200": "HTTP 502",
    "error-in-choice": "HTTP 502",
    "no-choices": "no usable answer",
    "empty-text": "no usable answer",
    "web-page": "not an answer",
    "refused": "refused",
    "answer-filtered": "content filter",
    "cut-off": "cut off",
    "silently-cut": "did not see the whole prompt",
    "always-cut": "did not see the whole prompt",
}
"""Behaviors that leave no answer, and what the error says."""
REFUSED_FIRST = {
    "no-schema": 2,
    "thinks-no-forced-tool": 3,
    "tools-need-effort-none": 2,
    "responses-only-tools": 2,
    "unknown-field": 5,
    "empty-for-schema": 2,
    "prose-for-schema": 2,
}
"""Behaviors that refuse or ignore a way of asking, and how many requests it takes to find one that they take."""


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.reading.conversation.ONE", replace(ONE, longest_pause=0.02))


SOUND = sorted(BEHAVIORS.keys() - FAILS.keys() - REFUSED_FIRST.keys())


@pytest.mark.parametrize("name", SOUND)
def test_an_answer_in_any_known_wrapping_is_used_and_not_asked_for_again(name: str) -> None:
    with QuirkyServer() as server:
        choice = choose(Pitch.from_text(PITCH), f"openai/{name}", server.settings)
        assessment = assess(Pitch.from_text(PITCH), choice.reader)
    assert assessment.signals.buyer.value == "engineering_leadership"
    assert [quote.text for quote in assessment.signals.buyer.quotes] == ["Your CTO signs once"]
    assert len(server.asked) == 1 and choice.notices == []


@pytest.mark.parametrize("name", sorted(REFUSED_FIRST))
def test_a_way_of_asking_that_a_server_does_not_take_is_left_with_a_line_and_another_one_reads_the_pitch(
    name: str,
) -> None:
    with QuirkyServer() as server:
        choice = choose(Pitch.from_text(PITCH), f"openai/{name}", server.settings)
        first = assess(Pitch.from_text(PITCH), choice.reader)
        tried = len(server.asked)
        second = assess(Pitch.from_text(f"{PITCH}\nSecond."), choice.reader)
    assert first.signals.buyer.value == second.signals.buyer.value == "engineering_leadership"
    assert tried == REFUSED_FIRST[name]
    assert len(server.asked) == tried + 1  # the run stays in the way that worked
    assert len(choice.notices) == tried - 1 and all(f"openai/{name}" in line for line in choice.notices)


@pytest.mark.parametrize("name", sorted(FAILS))
def test_a_server_that_gives_no_answer_is_one_error_that_says_why_and_shows_no_key(name: str) -> None:
    with QuirkyServer() as server:
        choice = choose(Pitch.from_text(PITCH), f"openai/{name}", server.settings)
        with pytest.raises(AnalyzerError, match=FAILS[name]) as raised:
            assess(Pitch.from_text(PITCH), choice.reader)
    assert len(str(raised.value).splitlines()) <= 2
    assert KEY not in str(raised.value) and "Wattwise" not in str(raised.value)
    assert len(server.asked) <= 5
