"""Makers' own APIs: Anthropic and Google through instructor, Ollama's and OpenAI's Responses API through OpenAI's SDK."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
import respx

from analyzer import Assessment, analyze
from analyzer.errors import AuthenticationFailed
from analyzer.reading.clients import shared_client
from analyzer.reading.pitch import Pitch
from analyzer.reading.readers import Choice, choose
from analyzer.runs.one import assess
from analyzer.settings import Settings
from tests.completions import PITCH, answer, completion, in_one_line, pitch_as_sent, single
from tests.sdks import can_be_mocked

ANTHROPIC = "https://api.anthropic.com/v1/messages"
GOOGLE = re.compile(r"https://generativelanguage\.googleapis\.com/v1(beta)?/models/gemini-3\.8-flash:generateContent")
OLLAMA = "http://localhost:11434"
KEY = "sk-secret-0123456789"


needs_anthropic = pytest.mark.skipif(not can_be_mocked("anthropic"), reason="needs the package anthropic, on httpx")
needs_google = pytest.mark.skipif(not can_be_mocked("google.genai"), reason="needs the package google-genai")


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    shared_client.cache_clear()
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)


def asked(model: str, mode: str = "auto", text: str = PITCH) -> tuple[Assessment, Choice]:
    choice = choose(Pitch.from_text(text), model, Settings(mode=mode))
    return assess(Pitch.from_text(text), choice.reader), choice


def bodies(route: respx.Route) -> list[dict[str, Any]]:
    return [json.loads(call.request.content) for call in route.calls]


def from_anthropic(*blocks: dict[str, Any], stop: str = "end_turn") -> httpx.Response:
    usage = {"input_tokens": 5000, "output_tokens": 900}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
    return httpx.Response(200, json={**head, "content": list(blocks), "stop_reason": stop, "usage": usage})


def text_block(content: Any = None) -> dict[str, Any]:
    return {"type": "text", "text": json.dumps(content or answer())}


def refused(message: str, status: int = 400) -> httpx.Response:
    error = {"type": "invalid_request_error", "message": message}
    return httpx.Response(status, json={"type": "error", "error": error})


# ---------------------------------------------------------------- Anthropic


@needs_anthropic
def test_claude_is_asked_with_a_schema_of_its_own_kind_and_everything_the_api_requires() -> None:
    with respx.mock() as router:
        route = router.post(ANTHROPIC).mock(return_value=from_anthropic(text_block()))
        assessment, choice = asked("anthropic/claude-opus-5-5")
    (body,) = bodies(route)
    assert assessment.signals.buyer.value == "engineering_leadership" and not choice.notices
    assert assessment.provenance.usage.input_tokens == 5000
    assert body["max_tokens"] >= 4096 and "tools" not in body and "temperature" not in body
    assert body["output_config"]["format"]["type"] == "json_schema"
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert "The fields" in body["system"][0]["text"] and "maxLength" not in json.dumps(body)


@needs_anthropic
def test_a_claude_that_refuses_one_way_is_asked_in_the_next() -> None:
    call = {"type": "tool_use", "id": "t1", "name": "RecordSignals", "input": answer()}
    replies = [refused("output_config: json_schema is not supported"), from_anthropic(call, stop="tool_use")]
    with respx.mock() as router:
        route = router.post(ANTHROPIC).mock(side_effect=replies)
        assessment, choice = asked("anthropic/claude-opus-5-5")
    assert assessment.signals.buyer.value == "engineering_leadership"
    assert bodies(route)[1]["tool_choice"] == {"type": "auto"}
    assert len(choice.notices) == 1 and "it is now asked with a tool call" in choice.notices[0]


@needs_anthropic
def test_an_older_claude_is_asked_by_a_forced_tool_call_at_temperature_0() -> None:
    call = {"type": "tool_use", "id": "t1", "name": "RecordSignals", "input": answer()}
    with respx.mock() as router:
        route = router.post(ANTHROPIC).mock(return_value=from_anthropic(call, stop="tool_use"))
        assessment, _ = asked("anthropic/claude-3-other")
    (body,) = bodies(route)
    assert assessment.signals.buyer.known
    assert body["tool_choice"]["name"] == "RecordSignals" and body["temperature"] == 0
    assert "buyer" in body["tools"][0]["input_schema"]["properties"]


@needs_anthropic
def test_a_faulty_answer_of_claude_is_asked_about_with_the_conversation_so_far() -> None:
    faulty = from_anthropic(text_block(answer(buyer=single("practitioner", "nobody said this"))))
    with respx.mock() as router:
        route = router.post(ANTHROPIC).mock(side_effect=[faulty, from_anthropic(text_block())])
        assessment, _ = asked("anthropic/claude-opus-5-5")
    assert assessment.signals.buyer.value == "engineering_leadership"
    assert [message["role"] for message in bodies(route)[1]["messages"]] == ["user", "assistant", "user"]


@needs_anthropic
def test_a_refused_key_of_another_maker_is_recognized(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-proj-0123456789")
    with respx.mock() as router:
        router.post(ANTHROPIC).mock(return_value=refused("invalid x-api-key", 401))
        with pytest.raises(AuthenticationFailed, match="the key begins like one of OpenAI") as raised:
            asked("anthropic/claude-opus-5-5")
    assert "0123456789" not in str(raised.value)


# ---------------------------------------------------------------- Google


def from_google(part: dict[str, Any]) -> httpx.Response:
    candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
    usage = {"promptTokenCount": 5000, "candidatesTokenCount": 900, "totalTokenCount": 5900}
    return httpx.Response(200, json={"candidates": [candidate], "usageMetadata": usage, "modelVersion": "g"})


@needs_google
def test_gemini_is_asked_with_a_schema_and_settings_of_its_own() -> None:
    with respx.mock() as router:
        route = router.post(url__regex=GOOGLE).mock(return_value=from_google({"text": json.dumps(answer())}))
        assessment, choice = asked("google/gemini-3.8-flash")
    (body,) = bodies(route)
    assert assessment.signals.buyer.value == "engineering_leadership" and not choice.notices
    assert assessment.provenance.usage.output_tokens == 900
    config = body["generationConfig"]
    assert config["temperature"] == 0 and config["responseMimeType"] == "application/json"
    assert "buyer" in config["responseJsonSchema"]["properties"]
    assert "The fields" in json.dumps(body["systemInstruction"])
    assert pitch_as_sent(body["contents"][0]["parts"][0]["text"]) == in_one_line(PITCH)


@needs_google
def test_gemini_answers_a_forced_call_too_and_questions_about_its_answer() -> None:
    faulty = answer(buyer=single("practitioner", "nobody said this"))
    calls = [from_google({"functionCall": {"name": "RecordSignals", "args": each}}) for each in (faulty, answer())]
    with respx.mock() as router:
        route = router.post(url__regex=GOOGLE).mock(side_effect=calls)
        assessment, _ = asked("google/gemini-3.8-flash", "tools")
    first, second = bodies(route)
    assert assessment.signals.buyer.value == "engineering_leadership"
    assert first["toolConfig"]["functionCallingConfig"]["mode"] == "ANY"
    assert [content["role"] for content in second["contents"]] == ["user", "model", "user"]


# ---------------------------------------------------------------- Ollama


def from_ollama(content: Any = None, tokens: int = 4000, done: str = "stop") -> httpx.Response:
    message = {"role": "assistant", "content": json.dumps(content or answer())}
    counts = {"prompt_eval_count": tokens, "eval_count": 800}
    return httpx.Response(200, json={"model": "m", "message": message, "done": True, "done_reason": done, **counts})


def shown(tokens: int) -> httpx.Response:
    return httpx.Response(200, json={"model_info": {"llama.context_length": tokens}, "capabilities": ["completion"]})


def test_ollama_is_asked_through_its_own_api_with_room_for_the_whole_prompt() -> None:
    with respx.mock() as router:
        router.post(f"{OLLAMA}/api/show").mock(return_value=shown(131_072))
        route = router.post(f"{OLLAMA}/api/chat").mock(return_value=from_ollama())
        assessment, choice = asked("ollama/llama3.1")
    (body,) = bodies(route)
    assert assessment.signals.buyer.value == "engineering_leadership" and not choice.notices
    assert assessment.provenance.usage.input_tokens == 4000
    assert body["options"]["num_ctx"] >= 8192 and body["options"]["temperature"] == 0
    assert body["think"] is False and body["stream"] is False and "buyer" in body["format"]["properties"]


def test_ollama_is_found_where_its_own_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "0.0.0.0:11500")
    with respx.mock() as router:
        router.post("http://127.0.0.1:11500/api/show").mock(return_value=shown(131_072))
        route = router.post("http://127.0.0.1:11500/api/chat").mock(return_value=from_ollama())
        asked("ollama/llama3.1")
    assert route.call_count == 1


def test_an_answer_of_ollama_that_hit_its_limit_is_an_error() -> None:
    with respx.mock() as router:
        router.post(f"{OLLAMA}/api/show").mock(return_value=shown(131_072))
        router.post(f"{OLLAMA}/api/chat").mock(return_value=from_ollama(done="length"))
        with pytest.raises(Exception, match="cut off at its length limit"):
            asked("ollama/llama3.1")


# ---------------------------------------------------------------- OpenAI's Responses API


def test_a_model_of_the_responses_api_is_asked_there_and_nothing_is_stored() -> None:
    part = {"type": "output_text", "text": json.dumps(answer()), "annotations": []}
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [part]}
    usage = {"input_tokens": 5000, "output_tokens": 900, "total_tokens": 5900}
    details = {"input_tokens_details": {"cached_tokens": 4000}, "output_tokens_details": {"reasoning_tokens": 10}}
    body = {"id": "r", "object": "response", "created_at": 1, "model": "m", "status": "completed"}
    body |= {"output": [message], "usage": usage | details, "error": None, "incomplete_details": None}
    with respx.mock() as router:
        route = router.post("https://api.openai.com/v1/responses").mock(return_value=httpx.Response(200, json=body))
        assessment = analyze(PITCH, model="openai/gpt-6.1-sol", settings=Settings(openai_api_key=KEY))
    (sent,) = bodies(route)
    assert assessment.signals.buyer.value == "engineering_leadership"
    assert assessment.provenance.usage.cached_tokens == 4000
    assert sent["store"] is False and sent["text"]["format"]["strict"] is True and "tools" not in sent
    assert "temperature" not in sent


def test_a_newer_model_of_openai_is_asked_with_a_schema_and_without_tools() -> None:
    with respx.mock() as router:
        reply = completion(json.dumps(answer()), plain=True, finish="stop")
        route = router.post("https://api.openai.com/v1/chat/completions").mock(return_value=reply)
        analyze(PITCH, model="openai/gpt-5.6", settings=Settings(openai_api_key=KEY))
    (sent,) = bodies(route)
    assert sent["response_format"]["json_schema"]["strict"] is True
    assert not {"tools", "tool_choice", "temperature", "seed"} & set(sent)
