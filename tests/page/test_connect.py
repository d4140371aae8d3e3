"""Connecting a model on the page: it is tested and used at once, and its key goes nowhere but to its server."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest
import respx
from httpx import ConnectError, Response
from streamlit.testing.v1 import AppTest

from analyzer.page import access
from analyzer.page.connect import Connection
from analyzer.reading import local_servers
from analyzer.reading.clients import NO_KEY, key_for
from analyzer.reading.local_servers import LocalServer, find_local_servers
from analyzer.settings import Settings
from tests.completions import completion
from tests.page.visitor import OWN_PITCH, analyze, button, markup, opened_at, visit

KEY = "sk-a-secret-of-this-visit"
HOSTED = "https://api.mistral.ai/v1"


@pytest.fixture
def at_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "may_reach_local", lambda: True)


def choose_model(page: AppTest, place: str, name: str, key: str = "") -> AppTest:
    page.selectbox(key="reader").set_value("A model").run()
    page.selectbox(key="place").set_value(place).run()
    page.text_input(key="model").set_value(name)
    if key:
        page.text_input(key="model_key").set_value(key)
    assert not page.exception
    return page.run()


@respx.mock
def test_a_connected_model_reads_at_once_with_the_key_of_this_visit(
    page: AppTest, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    route = respx.post(f"{HOSTED}/chat/completions").mock(
        return_value=completion(json.dumps({"in_scope": True, "product": "Testbed"}))
    )
    choose_model(page, "Mistral", "small", KEY)

    analyze(page, OWN_PITCH)

    assert not page.exception
    assert route.called
    assert {call.request.headers["authorization"] for call in route.calls} == {f"Bearer {KEY}"}
    assert KEY not in str(page.query_params)
    assert KEY not in markup(page)
    assert KEY not in caplog.text
    assert KEY not in repr(visit(page).connection)


def test_a_key_goes_to_no_other_model() -> None:
    connection = Connection("mistral/small", KEY)
    settings = connection.applied_to(Settings(openai_api_key="the server's own"))

    assert key_for("mistral/small", settings) == KEY
    assert key_for("openai/gpt-6-luna", settings) == "the server's own"
    assert KEY not in repr(settings)
    assert key_for("openai/x", Settings(openai_api_key="the server's own")) == "the server's own"


def test_a_key_for_openai_does_not_go_to_the_server_that_the_environment_names() -> None:
    settings = Settings(openai_base_url="http://elsewhere.example/v1")

    assert Connection("openai/gpt-6-luna", KEY).applied_to(settings).openai_base_url is None


def test_a_server_of_the_visitors_own_does_not_get_the_key_of_the_page() -> None:
    own = Connection("openai/own", url="http://localhost:8000/v1").applied_to(
        Settings(openai_api_key="the server's own")
    )

    assert own.openai_base_url == "http://localhost:8000/v1"
    assert key_for("openai/own", own) == NO_KEY


def test_strangers_get_neither_local_servers_nor_addresses_of_their_own(page: AppTest) -> None:
    page.selectbox(key="reader").set_value("A model").run()

    assert not any("machine" in label or "own" in label for label in page.selectbox(key="place").options)
    choose_model(page, "Another, as provider/name", "ollama/qwen3.5:9b")
    analyze(page, OWN_PITCH)
    assert "only for its administrators" in page.error[0].value


@pytest.mark.usefixtures("at_this_machine")
def test_local_servers_are_found_with_their_models(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [LocalServer("Ollama", "", ("ollama/qwen3.5:9b", "ollama/tiny"))]
    monkeypatch.setattr("analyzer.page.connect.find_local_servers", lambda _: found)
    page = opened_at(reader="openai/any")

    page.selectbox(key="place").set_value("Ollama on this machine (2 models)").run()

    assert page.selectbox(key="local_model").options == ["qwen3.5:9b", "tiny"]
    assert not [field for field in page.text_input if field.key == "model_key"]


@respx.mock
def test_a_list_of_models_tells_which_server_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    for port in (1234, 30000):
        respx.get(f"http://127.0.0.1:{port}/v1/models").mock(return_value=Response(200, text="<html>not a list"))
    respx.get("http://localhost:11434/v1/models").mock(
        return_value=Response(200, json={"data": [{"id": "b"}, {"id": "a"}, {"id": 3}]})
    )
    respx.get("http://127.0.0.1:8080/v1/models").mock(side_effect=ConnectError)
    respx.get("http://127.0.0.1:8000/v1/models").mock(
        return_value=Response(200, json={"data": [{"id": "org/name", "owned_by": "vllm"}]})
    )

    assert find_local_servers(Settings()) == [
        LocalServer("Ollama", "", ("ollama/a", "ollama/b")),
        LocalServer("vLLM", "http://127.0.0.1:8000/v1", ("openai/org/name",)),
    ]
    assert local_servers._LARGEST < 10_000_000


@respx.mock
def test_a_test_reads_two_lines_and_says_what_to_change(page: AppTest) -> None:
    route = respx.post(f"{HOSTED}/chat/completions").mock(
        return_value=Response(401, json={"error": {"message": "bad key", "code": "invalid_api_key"}})
    )
    choose_model(page, "Mistral", "small", KEY)

    button(page, "Test this model").click().run()
    check = visit(page).model_check
    assert check is not None
    assert check.done.wait(60)
    page.run()

    assert route.called
    assert "Wattwise" in json.dumps(json.loads(route.calls[0].request.content))
    assert "This does not work yet." in markup(page)
    assert "the key" in markup(page)
    assert KEY not in markup(page)


def test_a_model_without_a_name_is_not_tested(page: AppTest, reads: Callable[..., object]) -> None:
    page.selectbox(key="reader").set_value("A model").run()
    button(page, "Test this model").click().run()

    assert "no model is named" in markup(page)
