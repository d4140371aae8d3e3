"""How a model is asked: profiles of servers, ways of asking, going on to the next way, and the context's length."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import respx

from analyzer import analyze, analyze_many
from analyzer.errors import ConfigurationError, ModeRejected, PitchTooLong
from analyzer.reading.clients import shared_client
from analyzer.reading.modes import without
from analyzer.reading.pitch import Pitch
from analyzer.reading.profiles import base_url, modes_of, profile_of, profiles
from analyzer.reading.provider_errors import error_of
from analyzer.reading.readers import choose
from analyzer.reading.unwrapping import unwrapped
from analyzer.results.result import Progress
from analyzer.runs.one import assess
from analyzer.settings import MODES, Settings
from analyzer.vocabulary.signals import answer_schema
from tests.completions import CHAT, PITCH, URL, answer, completion, failure, in_one_line, pitch_as_sent

LOCAL = "http://localhost:8000/v1"
KEY = "sk-secret-0123456789"


def settings(url: str | None = URL, **more: Any) -> Settings:
    return Settings(openai_base_url=url, openai_api_key=KEY, **more)


def in_text(**changes: Any) -> httpx.Response:
    return completion(json.dumps(answer(**changes)), plain=True, finish="stop")


def bodies(route: respx.Route) -> list[dict[str, Any]]:
    return [json.loads(call.request.content) for call in route.calls]


def read(model: str = "openai/m", **options: Any) -> tuple[Any, list[str]]:
    shared_client.cache_clear()
    choice = choose(Pitch.from_text(PITCH), model, settings(**options))
    return assess(Pitch.from_text(PITCH), choice.reader), choice.notices


# ---------------------------------------------------------------- profiles


@pytest.mark.parametrize(
    ("model", "url", "name"),
    [
        ("openai/gpt-4.1-mini", None, "openai"),
        ("openai/gpt-5.6", None, "openai-reasoning"),
        ("openai/gpt-6.1-sol", "https://api.openai.com/v1", "openai-responses"),
        ("openai/deployment", "https://me.openai.azure.com/openai/v1", "azure"),
        ("openai/x", "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1", "bedrock-compatible"),
        ("openai/x", "http://localhost:11434/v1", "ollama"),
        ("openai/x", "http://localhost:1234/v1", "lmstudio"),
        ("openai/gpt-4.1", "http://10.1.2.3:9999/v1", "unknown-local"),
        ("openai/gpt-4.1", "https://models.test/v1", "unknown"),
        ("deepseek/deepseek-v4", None, "deepseek"),
        ("mistral/mistral-large", None, "mistral"),
        ("litellm/openai/foo", None, "instructor-tried"),
    ],
)
def test_a_model_has_the_profile_of_its_server(model: str, url: str | None, name: str) -> None:
    assert profile_of(model, settings(url)).name == name


def test_every_profile_has_a_date_a_source_and_modes_that_its_api_has() -> None:
    known = profiles()
    assert len({profile.name for profile in known}) == len(known)
    for profile in known:
        assert profile.source and profile.modes[0] in profile.possible_modes
        assert all(quirk.source and quirk.says.endswith(".") for quirk in profile.quirks)
        for mode in MODES:
            try:
                assert set(modes_of(profile, mode)) <= set(profile.possible_modes)
            except ConfigurationError as error:
                assert f"in the mode {mode}" in str(error)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1"),
        ("http://localhost:8000/", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        ("https://x.test/v1/chat/completions", "https://x.test/v1"),
        ("https://x.test/openai/v1", "https://x.test/openai/v1"),
    ],
)
def test_a_base_url_is_taken_with_and_without_its_version(url: str, expected: str) -> None:
    assert base_url("openai/m", settings(url)) == expected


OWN = """
[[profile]]
name = "mine"
title = "My gateway"
checked = 2026-11-28
source = ["its handbook"]
tried = "server"
hosts = ["models.test"]
modes = ["json"]
parameters = { seed = false, extra = { priority = 1 } }
"""


def test_a_file_of_ones_own_comes_before_the_known_profiles(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(OWN)
    with respx.mock() as router:
        route = router.post(CHAT).mock(return_value=in_text())
        read(profiles=own)
    (body,) = bodies(route)
    assert body["response_format"] == {"type": "json_object"} and body["priority"] == 1
    assert body["temperature"] == 0 and "seed" not in body


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('modes = ["json"]', 'modes = ["json"]\ncolour = 1'), "profile mine, colour: unknown key"),
        (("seed = false", "sed = false"), "profile mine, parameters, sed: unknown key"),
        (('modes = ["json"]', 'modes = ["jason"]'), "profile mine, modes, entry 1: Input should be 'json_schema'"),
        (('modes = ["json"]', "modes = []"), "profile mine, modes: "),
        (('modes = ["json"]', 'modes = ["native"]'), "profile mine: cannot be asked in the mode 'native'"),
        (("checked = 2026-11-28\n", ""), "profile mine, checked: Field required"),
        (("[[profile]]", "[[profile"), "is not valid TOML"),
    ],
    ids=["unknown key", "unknown parameter", "unknown mode", "no mode", "a mode it cannot have", "no date", "no TOML"],
)
def test_a_file_of_profiles_that_is_not_valid_says_where(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(OWN.replace(*change))
    with pytest.raises(ConfigurationError) as raised:
        profile_of("openai/m", settings(profiles=own))
    assert says in str(raised.value) and "own.toml" in str(raised.value) and len(str(raised.value).splitlines()) == 1


def test_a_file_of_profiles_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"\(PITCH_PROFILES\) cannot be read"):
        profile_of("openai/m", settings(profiles=tmp_path / "none.toml"))


def test_an_unknown_mode_or_one_that_the_server_cannot_have_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="cannot be asked in the mode native; use --mode auto, or one of "):
        read(mode="native")
    monkeypatch.setenv("PITCH_MODE", "magic")
    with pytest.raises(ConfigurationError, match="'magic' is not a mode; set --mode or PITCH_MODE to one of auto, "):
        Settings.from_environment()


# ---------------------------------------------------------------- ways of asking


@pytest.mark.parametrize(
    ("mode", "part"),
    [
        ("json_schema", '"strict":true'),
        ("json", '"response_format":{"type":"json_object"}'),
        ("text", "Answer with one JSON object"),
    ],
)
def test_every_other_mode_has_rules_as_text_temperature_0_and_a_seed(mode: str, part: str) -> None:
    with respx.mock() as router:
        route = router.post(CHAT).mock(return_value=in_text())
        assessment, notices = read(mode=mode)
    (body,) = bodies(route)
    assert assessment.signals.buyer.value == "engineering_leadership" and not notices
    assert body["temperature"] == 0 and "seed" in body and not {"tools", "tool_choice"} & set(body)
    assert "The fields" in body["messages"][0]["content"]
    assert pitch_as_sent(body["messages"][1]["content"]) == in_one_line(PITCH)
    assert part in json.dumps(body, separators=(",", ":")).replace("\\n", "\n")


def test_keywords_that_a_server_refuses_are_left_out_and_fields_of_that_name_stay() -> None:
    schema = {"type": "object", "properties": {"maxLength": {"type": "string", "maxLength": 5}}, "maxLength": 1}
    assert without(schema, ("maxLength",)) == {"type": "object", "properties": {"maxLength": {"type": "string"}}}


def reply_in(request: httpx.Request) -> httpx.Response:
    """A sound answer of the kind that a request asks for; what a server says of itself is empty."""
    path, text = request.url.path, json.dumps(answer())
    if path.endswith("/responses"):
        message: dict[str, Any] = {"type": "message", "id": "m", "role": "assistant", "status": "completed"}
        message |= {"content": [{"type": "output_text", "text": text, "annotations": []}]}
        usage: dict[str, Any] = {"input_tokens": 5000, "output_tokens": 900, "total_tokens": 5900}
        usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        head = {"id": "r", "object": "response", "created_at": 1, "model": "m", "status": "completed"}
        return httpx.Response(200, json={**head, "output": [message], "usage": usage})
    if path.endswith("/api/chat"):
        message = {"role": "assistant", "content": text}
        counts = {"prompt_eval_count": 5000, "eval_count": 900}
        return httpx.Response(200, json={"model": "m", "message": message, "done_reason": "stop", **counts})
    if path.endswith("/chat/completions"):
        return completion(answer()) if "tools" in json.loads(request.content) else in_text()
    return httpx.Response(200, json={})


MODEL_AND_URL = {
    profile.name: (
        f"{profile.providers[0] if profile.providers else 'openai'}/{profile.models[0].replace('*', 'x')}",
        None if profile.providers else f"https://{profile.hosts[0].replace('*', 'x')}/v1",
    )
    for profile in profiles()
    if profile.api == "chat" and (profile.providers or profile.hosts)
}


@pytest.mark.parametrize("name", MODEL_AND_URL)
@pytest.mark.parametrize("mode", ["auto", "json_schema", "tools", "json", "text"])
def test_every_server_is_asked_in_every_mode_and_its_answer_is_read(
    monkeypatch: pytest.MonkeyPatch, name: str, mode: str
) -> None:
    model, url = MODEL_AND_URL[name]
    profile = profile_of(model, settings(url))
    assert profile.name == name
    if profile.key:
        monkeypatch.setenv(profile.key, KEY)
    with respx.mock() as router:
        route = router.route().mock(side_effect=reply_in)
        assessment, notices = read(model, url=url, mode=mode)
    assert assessment.signals.buyer.value == "engineering_leadership" and not notices
    sent = json.loads(route.calls[-1].request.content)
    assert "temperature" not in sent or profile.parameters.temperature
    for name_of_part, part in profile.parameters.extra.items():
        assert sent[name_of_part] == part


# ---------------------------------------------------------------- the next way


def test_a_refused_way_is_left_for_the_next_one_with_one_line() -> None:
    refused = failure(400, message="Invalid tool_choice type: 'object'. Supported string values: none, auto, required")
    with respx.mock() as router:
        route = router.post(CHAT).mock(side_effect=[refused, in_text()])
        assessment, notices = read()
    first, second = bodies(route)
    assert assessment.signals.buyer.known and "tools" in first and "response_format" in second
    assert notices == [
        "openai/m could not be asked with a named tool call: the model's server does not take this way of asking "
        "(HTTP 400); it is now asked with a JSON schema. To begin there: --mode json_schema."
    ]


def test_a_run_sends_one_request_ahead_and_moves_once_for_all() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        if "tools" in json.loads(request.content):
            return failure(400, message="this model does not support tools")
        return in_text()

    progress: list[Progress] = []
    with respx.mock() as router:
        route = router.post(CHAT).mock(side_effect=reply)
        pitches = [f"{PITCH}\nNumber {number}." for number in range(20)]
        results = analyze_many(
            pitches, model="openai/m", settings=settings(), store=False, on_progress=progress.append, concurrency=16
        )
        assert all(result.error is None for result in results)
    assert sum("tools" in body for body in bodies(route)) == 1 and route.call_count == 21
    assert len(progress[-1].notices) == 1


def test_a_refused_setting_is_left_out_and_the_mode_stays() -> None:
    refused = failure(400, "unsupported_value", "'temperature' does not support 0 with this model")
    with respx.mock() as router:
        route = router.post(CHAT).mock(side_effect=[refused, in_text()])
        _, notices = read(mode="json_schema")
    first, second = bodies(route)
    assert first["response_format"] == second["response_format"]
    assert "temperature" in first and not {"temperature", "seed"} & set(second)
    assert len(notices) == 1 and "refuses a setting" in notices[0]


def test_where_no_way_is_left_the_error_names_those_that_were_tried() -> None:
    with respx.mock() as router:
        route = router.post(CHAT).mock(side_effect=lambda _: failure(400, message="tool_choice: no"))
        with pytest.raises(ModeRejected, match=r"in any mode \(tools, json_schema, tools_required, json, text\)"):
            read()
    assert route.call_count == 5


def test_an_answer_in_another_mode_is_found_in_the_store(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"
    with respx.mock() as router:
        route = router.post(CHAT).mock(return_value=in_text())
        shared_client.cache_clear()
        first = analyze(PITCH, model="openai/m", settings=settings(mode="json"), store=store)
        second = analyze(PITCH, model="openai/m", settings=settings(), store=store)
    assert route.call_count == 1 and first.signals == second.signals


# ---------------------------------------------------------------- wrappings

DOCUMENT = json.dumps(answer())
PARTS = list(answer().items())
WRAPPED = {
    "bare": DOCUMENT,
    "a fence": f"Here is the record:\n```json\n{DOCUMENT}\n```\nAsk if you need more.",
    "thoughts with braces": f'<think>The structure is {{product}} and {{"in_scope": ...}}.</think>\n{DOCUMENT}',
    "thoughts that only end": f"I fill {{product}} first.</think>{DOCUMENT}",
    "braces afterwards": f"{DOCUMENT}\n\nNote: fields like {{buyer}} are unknown.",
    "a call as text": f'<tool_call>\n{{"name": "RecordSignals", "arguments": {DOCUMENT}}}\n</tool_call>',
    "a call with its arguments as text": json.dumps({"name": "RecordSignals", "arguments": DOCUMENT}),
    "a list of calls": f'[TOOL_CALLS][{{"name": "RecordSignals", "arguments": {DOCUMENT}}}]',
    "the tool's name": f'{{"RecordSignals": {DOCUMENT}}}',
    "properties": f'{{"type": "object", "properties": {DOCUMENT}}}',
    "a string": json.dumps(DOCUMENT),
    "a string of a string": json.dumps(json.dumps(DOCUMENT)),
    "Python": str(answer()),
    "a comma too many": f"{DOCUMENT[:-1]},}}",
    "twice": f"{DOCUMENT}\n{DOCUMENT}",
    "in parts": "\n".join(json.dumps(dict(PARTS[at : at + 5])) for at in range(0, len(PARTS), 5)),
}


@pytest.mark.parametrize("text", WRAPPED.values(), ids=WRAPPED.keys())
def test_the_document_is_found_in_every_known_wrapping(text: str) -> None:
    assert unwrapped(text, answer_schema()["properties"]) == answer()


@pytest.mark.parametrize("text", ["", "No.", "{" * 5000, "[" * 5000, "{'a': " * 500])
def test_a_text_without_a_document_is_none_however_it_looks(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON"):
        unwrapped(text, answer_schema()["properties"])


# ---------------------------------------------------------------- context


def listed(**fields: Any) -> httpx.Response:
    return httpx.Response(200, json={"object": "list", "data": [{"id": "m", "object": "model", **fields}]})


def local(router: respx.Router, models: httpx.Response, reply: httpx.Response | None = None) -> respx.Route:
    router.get(f"{LOCAL}/models").mock(return_value=models)
    router.get("http://localhost:8000/props").mock(
        return_value=httpx.Response(200, json={"default_generation_settings": {"n_ctx": 4096}})
    )
    return router.post(f"{LOCAL}/chat/completions").mock(return_value=reply or in_text())


def on_this_machine() -> tuple[Any, list[str]]:
    return read(url=LOCAL)


@pytest.mark.parametrize(
    ("fields", "command"),
    [
        ({"owned_by": "vllm", "max_model_len": 4096}, "vllm serve m --max-model-len 8192"),
        ({"owned_by": "llamacpp"}, "llama-server -c 8192"),
    ],
    ids=["vllm", "llama-server"],
)
def test_a_context_that_is_too_short_is_an_error_with_the_command_before_anything_is_sent(
    fields: dict[str, Any], command: str
) -> None:
    with respx.mock(assert_all_called=False) as router:
        route = local(router, listed(**fields))
        with pytest.raises((ConfigurationError, PitchTooLong), match="is 4,096 tokens") as raised:
            on_this_machine()
    assert not route.called and command in str(raised.value)


def test_a_server_that_tells_its_kind_is_asked_as_its_kind_takes_it() -> None:
    with respx.mock(assert_all_called=False) as router:
        route = local(router, listed(owned_by="vllm", max_model_len=32_768))
        on_this_machine()
    (body,) = bodies(route)
    assert body["chat_template_kwargs"] == {"enable_thinking": False} and "codes" not in json.dumps(body)


def with_usage(response: httpx.Response, tokens: int | None) -> httpx.Response:
    body = response.json()
    body["usage"] = (
        None if tokens is None else {**body["usage"], "prompt_tokens": tokens, "prompt_tokens_details": None}
    )
    return httpx.Response(200, json=body)


def codes_of(request: httpx.Request) -> dict[str, int]:
    """The codes in a prompt that was read as a whole."""
    import re

    system, user = (message["content"] for message in json.loads(request.content)["messages"])
    first, second = re.search(r"first code is (\d+)", system), re.search(r"second code is (\d+)", user)
    assert first and second
    return {"first": int(first[1]), "second": int(second[1])}


@pytest.mark.parametrize("tokens", [2050, None], ids=["counted", "not counted"])
def test_an_unknown_server_that_cut_the_prompt_stops_the_run(tokens: int | None) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        return with_usage(in_text(codes=codes_of(request) | {"first": 1}), tokens)

    with respx.mock(assert_all_called=False) as router:
        local(router, listed()).mock(side_effect=reply)
        with pytest.raises(ConfigurationError, match="did not see the whole prompt"):
            on_this_machine()


@pytest.mark.parametrize("tokens", [2050, None, 5000], ids=["counts too few", "counts none", "counts all"])
def test_an_answer_with_both_codes_has_seen_the_whole_prompt(tokens: int | None) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        return with_usage(in_text(codes=codes_of(request)), tokens)

    with respx.mock(assert_all_called=False) as router:
        local(router, listed()).mock(side_effect=reply)
        assessment, _ = on_this_machine()
    assert assessment.signals.buyer.known
    assert [warning for warning in assessment.warnings if "prompt" in warning.message] == []


# ---------------------------------------------------------------- TLS


def test_a_fault_of_tls_is_distinguished_from_a_server_that_is_not_there() -> None:
    request = httpx.Request("POST", CHAT)
    try:
        try:
            raise ssl.SSLCertVerificationError("self-signed certificate")
        except ssl.SSLError:
            raise httpx.ConnectError("no") from None
    except httpx.ConnectError as error:
        raised = openai.APIConnectionError(request=request)  # type: ignore[arg-type]
        raised.__cause__ = error
    found = error_of(raised)
    assert type(found) is ConfigurationError and "SSL_CERT_FILE" in str(found)
