"""What a model's server reports as an error: sorted by what helps, whichever SDK says it, and never by the pitch."""

from __future__ import annotations

import asyncio
import json
import math
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from analyzer import analyze_many
from analyzer.errors import (
    AnalyzerError,
    AuthenticationFailed,
    ConfigurationError,
    ContentFiltered,
    ExtractionError,
    ModelNotFound,
    ModeRejected,
    PitchTooLong,
    ProviderError,
    ProviderRejected,
    QuotaExhausted,
    RateLimited,
    safe_traceback,
)
from analyzer.reading.clients import shared_client
from analyzer.reading.conversation import ModelReader
from analyzer.reading.pitch import Pitch
from analyzer.reading.provider_errors import (
    TABLE,
    WITHOUT_STATUS,
    Report,
    error_from,
    error_of,
)
from analyzer.reading.rate_limiter import ONE, RateLimiter
from analyzer.reading.waits import MOST_SECONDS, seconds_to_wait
from analyzer.settings import Settings
from tests.completions import CHAT, PITCH, URL, answer, completion, failure
from tests.model_server import Reply, Service, good

KEY = "sk-secret-0123456789"
MODEL = "openai/gpt-4.1-mini"


@pytest.fixture
def service() -> Iterator[respx.Route]:
    with respx.mock(assert_all_called=False) as router:
        yield router.post(CHAT)


def read(text: str = PITCH, url: str = URL) -> Any:
    async def sleep(_: float) -> None:
        return None

    shared_client.cache_clear()
    settings = Settings(openai_base_url=url, openai_api_key=KEY)
    return asyncio.run(
        ModelReader(MODEL, settings, limiter=RateLimiter(ONE, 1, sleep=sleep)).read(Pitch.from_text(text))
    )


def in_200(code: object, message: str = "no", **more: object) -> httpx.Response:
    """An error as OpenRouter sends it."""
    return httpx.Response(200, json={"error": {"message": message, "code": code, **more}, "user_id": "u"})


_TOO_LARGE = "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 45411."
_ALONE_TOO_LARGE = "Rate limit reached on tokens per min (TPM): Limit 6,000, Used 0, Requested 8,212."
_USED_UP = "Rate limit reached on tokens per min (TPM): Limit 30000, Used 29000, Requested 5000."


def _litellm(message: str, kind: str) -> httpx.Response:
    """As LiteLLM's proxy answered."""
    return httpx.Response(400, json={"error": {"message": message, "type": kind, "param": None, "code": "400"}})


_NO_SUCH_MODEL = (
    "/chat/completions: Invalid model name passed in model=nosuch. Call `/v1/models` to view available models for your "
    "key."
)

CASES: dict[str, tuple[httpx.Response, type[AnalyzerError], int, str]] = {
    "filtered": (failure(400, "content_filter"), ContentFiltered, 1, "another model or provider"),
    "moderated": (failure(403, message="Your model requires moderation"), ContentFiltered, 1, "content filter"),
    "context": (failure(400, "context_length_exceeded"), PitchTooLong, 1, "longer context"),
    "context, by words": (
        failure(400, message="the prompt is longer than the context length"),
        PitchTooLong,
        1,
        "long",
    ),
    "413": (failure(413, "tokens_limit_reached"), PitchTooLong, 1, "longer context"),
    "429 too large": (failure(429, "rate_limit_exceeded", _TOO_LARGE), PitchTooLong, 1, "in a minute"),
    "429 alone too large": (failure(429, "rate_limit_exceeded", _ALONE_TOO_LARGE), PitchTooLong, 1, "in a minute"),
    "429 used up": (failure(429, "rate_limit_exceeded", _USED_UP), RateLimited, 6, "try again later"),
    "402": (failure(402, message="Insufficient credits"), QuotaExhausted, 1, "add credit"),
    "balance": (failure(400, message="Your credit balance is too low to access the API"), QuotaExhausted, 1, "credit"),
    "key": (failure(401, "invalid_api_key"), AuthenticationFailed, 1, "key variable"),
    "no tools": (failure(400, message="gemma3:4b does not support tools"), ModeRejected, 5, "in any mode"),
    "no tool choice": (
        httpx.Response(400, json={"error": "Invalid tool_choice type: 'object'. Supported string values: none, auto"}),
        ModeRejected,
        5,
        "in any mode",
    ),
    "no endpoints": (
        failure(404, message="No endpoints found that support the provided 'tool_choice' value"),
        ModeRejected,
        5,
        "in any mode",
    ),
    "model": (failure(404, "model_not_found"), ModelNotFound, 1, "check --model"),
    "model, LiteLLM": (_litellm(_NO_SUCH_MODEL, "invalid_request_error"), ModelNotFound, 1, "check --model"),
    "key, LiteLLM": (_litellm("No connected db.", "no_db_connection"), AuthenticationFailed, 1, "key variable"),
    "budget, LiteLLM": (_litellm("Budget has been exceeded!", "budget_exceeded"), QuotaExhausted, 1, "add credit"),
    "overloaded": (failure(529, "overloaded_error"), RateLimited, 6, "try again later"),
    "tool call failed": (failure(400, "tool_use_failed"), ProviderError, 5, "larger model"),
    "other 400": (failure(400), ProviderRejected, 1, "another model"),
    "200 with 429": (in_200(429), RateLimited, 6, "rate limit"),
    "200 with 402": (in_200(402), QuotaExhausted, 1, "add credit"),
    "200 with 403": (in_200(403, "input was flagged"), ContentFiltered, 1, "content filter"),
    "200 with 502": (in_200(502), ProviderError, 5, "failed"),
    "200 with a word": (in_200("context_length_exceeded"), PitchTooLong, 1, "longer context"),
    "200 with a text": (httpx.Response(200, json={"error": "something"}), ProviderError, 5, "reported an error"),
}


@pytest.mark.parametrize(("response", "error", "requests", "advice"), CASES.values(), ids=CASES)
def test_each_report_has_its_error_its_advice_and_its_number_of_requests(
    service: respx.Route, response: httpx.Response, error: type[AnalyzerError], requests: int, advice: str
) -> None:
    service.mock(side_effect=lambda _: response)
    with pytest.raises(error) as raised:
        read()
    assert type(raised.value) is error
    assert advice in str(raised.value)
    assert service.call_count == requests


def test_an_error_inside_a_choice_is_sorted_by_its_code_too(service: respx.Route) -> None:
    body = json.loads(completion(None, plain=True, finish="error").content)
    body["choices"][0]["error"] = {"code": 402, "message": "no"}
    service.mock(return_value=httpx.Response(200, json=body))
    with pytest.raises(QuotaExhausted):
        read()


def test_the_action_of_a_rule_is_what_the_run_does_with_its_error() -> None:
    for rule in (*TABLE, *WITHOUT_STATUS):
        expected: dict[str, bool] = {
            "stop the run": issubclass(rule.error, ConfigurationError),
            "another mode": issubclass(rule.error, ModeRejected),
            "this pitch": issubclass(rule.error, ExtractionError) or rule.error is ProviderRejected,
            "wait": rule.error is RateLimited,
            "ask again": issubclass(rule.error, ProviderError) and rule.error not in (ProviderRejected, RateLimited),
        }
        assert expected[rule.action], rule.happened


@given(st.integers(300, 599), st.text(max_size=60), st.sampled_from(["", "rate_limit_exceeded", "nonsense_code"]))
def test_every_status_has_an_error_of_one_line(status: int, message: str, code: str) -> None:
    error = error_from(Report(status, (code,) if code else (), message))
    assert len(str(error).splitlines()) == 1
    assert str(status) in str(error)


HOSTILE = [
    "Your credit balance is too low to access the API",
    "Insufficient credits",
    "API key not valid",
    "does not support tools",
    "is not a valid model",
    "maximum context length",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_words_of_the_pitch_in_an_echo_end_no_run(service: respx.Route, words: str) -> None:
    service.mock(return_value=failure(400, message=words))
    with pytest.raises(ProviderRejected):
        read(f"{PITCH}\n\n{words}")


# ---------------------------------------------------------------- errors of other SDKs


class _Stainless(Exception):  # anthropic and groq
    def __init__(self, status_code: int, body: object, headers: dict[str, str] | None = None):
        super().__init__(f"Error code: {status_code} - {body} {PITCH} {KEY}")
        self.status_code = status_code
        self.body = body
        self.response = httpx.Response(status_code, headers=headers)


class _Google(Exception):  # google-genai
    def __init__(self, code: int, details: dict[str, Any]):
        super().__init__(f"{code} {details}")
        self.code = code
        self.status = details["error"]["status"]
        self.message = details["error"]["message"]
        self.details = details


def _anthropic(status: int, kind: str, message: str = "no", **headers: str) -> _Stainless:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return _Stainless(status, {"type": "error", "error": {"type": kind, "message": message}}, named)


def _google(code: int, status: str, message: str = "no", **more: Any) -> _Google:
    return _Google(code, {"error": {"code": code, "status": status, "message": message, **more}})


_DELAY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}

FOREIGN: dict[str, tuple[Exception, type[AnalyzerError], float]] = {
    "anthropic, overloaded": (_anthropic(529, "overloaded_error"), RateLimited, 0),
    "anthropic, rate": (_anthropic(429, "rate_limit_error", retry_after="12"), RateLimited, 12),
    "anthropic, too large": (_anthropic(413, "request_too_large"), PitchTooLong, 0),
    "anthropic, prompt": (_anthropic(400, "invalid_request_error", "prompt is too long: 209 tokens"), PitchTooLong, 0),
    "anthropic, balance": (
        _anthropic(400, "invalid_request_error", "Your credit balance is too low"),
        QuotaExhausted,
        0,
    ),
    "anthropic, key": (_anthropic(401, "authentication_error"), AuthenticationFailed, 0),
    "anthropic, model": (_anthropic(404, "not_found_error"), ModelNotFound, 0),
    "anthropic, failure": (_anthropic(500, "api_error"), ProviderError, 0),
    "groq, failed call": (_Stainless(400, {"error": {"code": "tool_use_failed"}}), ProviderError, 0),
    "google, rate": (_google(429, "RESOURCE_EXHAUSTED", "You exceeded your quota", details=[_DELAY]), RateLimited, 34),
    "google, key": (_google(400, "INVALID_ARGUMENT", "API key not valid. Please pass one."), AuthenticationFailed, 0),
    "google, down": (_google(503, "UNAVAILABLE"), ProviderError, 0),
    "google, other": (_google(400, "INVALID_ARGUMENT"), ProviderRejected, 0),
    "a fault": (TypeError(f"acompletion() missing {PITCH}"), ProviderRejected, 0),
}


@pytest.mark.parametrize(("raised", "error", "seconds"), FOREIGN.values(), ids=FOREIGN)
def test_errors_of_other_sdks_are_sorted_by_what_they_hold(
    raised: Exception, error: type[AnalyzerError], seconds: float
) -> None:
    found = error_of(raised)
    assert type(found) is error
    assert getattr(found, "retry_after", 0.0) == seconds
    shown = "".join(traceback.format_exception(found)) + safe_traceback(found)
    assert KEY not in shown and "stand idle" not in shown


# ---------------------------------------------------------------- numbers from outside


@given(st.one_of(st.floats(), st.text(max_size=12), st.sampled_from(["1e300", "-5", "nan", "inf", "9" * 400])))
def test_a_time_to_wait_is_a_number_that_can_be_waited(value: object) -> None:
    for name in ("Retry-After", "retry-after-ms"):
        seconds = seconds_to_wait({name: value})
        assert math.isfinite(seconds) and 0 <= seconds <= MOST_SECONDS


def test_a_time_to_wait_may_be_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
    assert 7000 < seconds_to_wait({"Retry-After": at}) <= 7200
    assert seconds_to_wait({"Retry-After": format_datetime(datetime.now(UTC) - timedelta(hours=2), usegmt=True)}) == 0


# ---------------------------------------------------------------- redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target", ["https://elsewhere.test/v1/x?from=1", "//elsewhere.test:8443/v1", "http://models.test/v1", "http://["]
)
def test_a_redirect_to_another_origin_is_not_followed_and_the_error_names_the_origin(status: int, target: str) -> None:
    with respx.mock(assert_all_called=False) as router:
        asked = router.post(CHAT).mock(return_value=httpx.Response(status, headers={"Location": target}))
        others = router.route(host="elsewhere.test")
        with pytest.raises(ConfigurationError, match="redirects to") as raised:
            read()
    assert asked.call_count == 1 and not others.called
    assert "/v1" not in str(raised.value) and "from=1" not in str(raised.value)


def test_a_redirect_within_the_origin_is_followed_but_not_for_long() -> None:
    with respx.mock() as router:
        first = router.post(CHAT).mock(return_value=httpx.Response(307, headers={"Location": "/v2/chat"}))
        router.post(f"{URL.removesuffix('/v1')}/v2/chat").mock(return_value=completion(answer()))
        assert read().signals.buyer.known
        first.mock(return_value=httpx.Response(307, headers={"Location": "/v1/chat/completions"}))
        before = first.call_count
        with pytest.raises(ConfigurationError, match="redirects the request"):
            read()
        assert first.call_count - before == 4


@pytest.mark.parametrize("concurrency", [4, 32])
def test_a_run_sends_nothing_to_another_origin(concurrency: int) -> None:
    with Service(lambda *_: good()) as other:

        def away(*_: object) -> Reply:
            return Reply(b"", 307, {"Location": f"{other.url}/chat/completions"})

        with Service(away) as service:
            asked: Any = {"model": MODEL, "settings": service.settings, "store": False, "concurrency": concurrency}
            with pytest.raises(ConfigurationError, match=r"http://127\.0\.0\.1:\d+;"):
                list(analyze_many([PITCH], **asked))
        assert not other.asked


# ---------------------------------------------------------------- one pitch of a run


def _only(marked: Reply) -> Callable[[str, int], Reply]:
    return lambda pitch, _: marked if "POISON" in pitch else good()


PITCHES = [(str(number), PITCH + (" POISON" if number == 3 else f" {number}")) for number in range(8)]


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (failure(429, "rate_limit_exceeded", _TOO_LARGE), "too_long"),
        (failure(400, "content_filter"), "filtered"),
        (completion(None, plain=True, finish="content_filter"), "filtered"),
        (failure(413), "too_long"),
    ],
)
def test_an_error_of_one_pitch_is_its_row_after_one_request(response: httpx.Response, kind: str) -> None:
    with Service(_only(Reply(response.content, response.status_code))) as service:
        results = list(analyze_many(PITCHES, model=MODEL, settings=service.settings, store=False, concurrency=4))
    assert {result.id: result.error.kind for result in results if result.error} == {"3": kind}
    assert len(results) == 8
    assert sum(service.asked.values()) == 8


@pytest.mark.parametrize(
    "response", [failure(402), in_200(402), failure(401), failure(400, message="does not support tools")]
)
def test_an_error_of_the_setup_ends_the_run(response: httpx.Response) -> None:
    with Service(lambda *_: Reply(response.content, response.status_code)) as service:
        results = analyze_many(PITCHES * 10, model=MODEL, settings=service.settings, store=False, concurrency=2)
        with pytest.raises(ConfigurationError):
            list(results)
    assert sum(service.asked.values()) <= 4
