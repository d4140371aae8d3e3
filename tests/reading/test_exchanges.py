"""Every profile of a server with an exchange of its kind: what it is sent, and that what it sends back is read.

The files in exchanges/ say where each was written from. `has` and `lacks`: parts of the request. `listed`: the model's entry
in /v1/models. `$ANSWER` in a response is the answer, as text, or as an object in place of {"$ANSWER": true}.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from analyzer import analyze
from analyzer.reading.clients import shared_client
from analyzer.reading.profiles import profiles
from analyzer.settings import Settings
from tests.completions import PITCH, answer
from tests.sdks import can_be_mocked

EXCHANGES = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in (Path(__file__).parent / "exchanges").glob("*.json")
}
_WITHOUT = {"instructor", "instructor-tried"}
"""Profiles of many servers, each with an SDK of its own."""


def test_every_profile_has_an_exchange_that_says_where_it_is_from() -> None:
    assert {profile.name for profile in profiles(None)} - _WITHOUT == set(EXCHANGES)
    for name, exchange in EXCHANGES.items():
        assert exchange["profile"] == name
        assert exchange["note"] and exchange["source"].startswith("https://") and exchange["checked"]


@pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")  # Anthropic's SDK, of Claude 3
@pytest.mark.parametrize("name", sorted(EXCHANGES))
def test_what_a_server_sends_back_is_read_at_first_asking(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = EXCHANGES[name]
    profile = next(profile for profile in profiles(None) if profile.name == name)
    package = {"anthropic": "anthropic", "google": "google.genai"}.get(profile.api)
    if package and not can_be_mocked(package):
        pytest.skip(f"needs the package {package}")
    shared_client.cache_clear()
    if profile.key:
        monkeypatch.setenv(profile.key, "key-of-a-test")
    settings = Settings(openai_base_url=exchange["base_url"], openai_api_key="key-of-a-test", timeout=5.0)
    listed = [exchange["listed"]] if exchange["listed"] else []
    with respx.mock(assert_all_called=False) as router:
        router.get(path__regex=r".*/models").respond(json={"object": "list", "data": listed})
        asked = router.post(path__regex=f".*{exchange['request']['path']}").mock(
            side_effect=lambda request: httpx.Response(200, json=_filled(exchange["response"]))
        )
        router.route().respond(404)
        assessment = analyze(PITCH, model=exchange["model"], settings=settings)
    assert assessment.signals.buyer.value == "engineering_leadership"
    assert assessment.provenance.usage.requests == asked.call_count == 1
    assert assessment.provenance.usage.input_tokens > 0
    sent = json.loads(asked.calls[0].request.content)
    assert _within(exchange["request"]["has"], sent)
    assert [part for part in exchange["request"]["lacks"] if part in sent] == []


def _filled(part: Any) -> Any:
    if part == "$ANSWER":
        return json.dumps(answer())
    if part == {"$ANSWER": True}:
        return answer()
    if isinstance(part, dict):
        return {name: _filled(value) for name, value in part.items()}
    return [_filled(value) for value in part] if isinstance(part, list) else part


def _within(part: Any, whole: Any) -> bool:
    """Whether all of `part` is in `whole`, at the same place."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(name in whole and _within(part[name], whole[name]) for name in part)
    return bool(part == whole)
