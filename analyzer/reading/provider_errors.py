"""Sorts the errors that a model's server or its SDK reports by what helps.

One table, read from the top; the first rule that applies decides what the program does and tells the user. The docs
page is generated from it. Statuses and the server's own short codes are trusted. Words of the server's message are
searched only where many servers send no better sign, are never shown, and are ignored if the pitch itself contains
them: a server may echo the request, and a pitch must not be able to end a run.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import aiohttp
import httpx
import openai

from analyzer.errors import (
    AnalyzerError,
    AuthenticationFailed,
    ConfigurationError,
    ContentFiltered,
    ModelNotFound,
    ModeRejected,
    PitchTooLong,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnreachable,
    QuotaExhausted,
    RateLimited,
    SdkError,
    SettingRejected,
)
from analyzer.reading import error_words
from analyzer.reading.waits import seconds_to_wait, wait_in

Action = Literal["this pitch", "wait", "ask again", "another mode", "stop the run"]

ACTIONS: Final[Mapping[Action, str]] = {
    "this pitch": "This pitch fails, after one request. A run goes on with the others.",
    "wait": "All requests wait as long as the server asks, then this one is sent again.",
    "ask again": "The request is sent again after a pause, a few times for one pitch, up to ten times in a run.",
    "another mode": "The model is asked in another way from then on, and a line says so. If none is left, a run ends.",
    "stop the run": "Every other pitch would fail in the same way. A run ends, with one message.",
}
"""What the program does, for each action."""

_LONGEST_MESSAGE: Final = 2000
_DEEPEST: Final = 20
"""Errors behind an error that are looked at."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of error. It applies to these HTTP statuses, to these codes at any status, or where the message holds
    these words (a regular expression) at one of the statuses `within`."""

    happened: str
    advice: str
    action: Action
    error: type[AnalyzerError]
    statuses: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()
    words: str = ""
    within: tuple[int, ...] = ()
    over_limit: bool = False
    """Whether it applies where the message says that more was requested than the limit."""
    examples: str = ""
    """What the docs show for `words`, or for errors without an HTTP status."""

    def applies(self, report: Report) -> bool:
        if report.status in self.statuses or not set(self.codes).isdisjoint(report.codes):
            return True
        if self.over_limit and report.over_limit:
            return True
        if not self.words or (self.within and report.status not in self.within):
            return False
        match = re.search(self.words, report.message, re.IGNORECASE)
        return match is not None and not report.echoes(match.group())


@dataclass(frozen=True, slots=True)
class Report:
    """What a server says went wrong. `status`: of HTTP, or the one an error object in an HTTP 200 names; `message` is
    only searched; `retry_after` in seconds, 0 = not said; `said`: what was sent, so that an echo of it proves nothing.
    """

    status: int | None
    codes: tuple[str, ...] = ()
    message: str = ""
    retry_after: float = 0.0
    said: str = ""

    @property
    def shown(self) -> str:
        """Status and code, safe to show to the user."""
        telling = next((code for code in self.codes if "_" in code), "")
        parts = [f"HTTP {self.status}" if self.status else "", telling]
        return ", ".join(part for part in parts if part) or "no status"

    @property
    def over_limit(self) -> bool:
        """Whether this one request is over the limit that the message names, so that waiting does not help."""
        numbers = re.search(r"\blimit:? ([\d,]{1,15}).{0,60}\brequested:? ([\d,]{1,15})", self.message, re.IGNORECASE)
        if self.status != 429 or numbers is None or self.echoes(numbers.group()):
            return False
        limit, requested = (number.replace(",", "") for number in numbers.groups())
        return bool(limit and requested) and int(requested) > int(limit)

    def echoes(self, words: str) -> bool:
        return _folded(words) in _folded(self.said)


_CLIENT: Final = (400, 404, 405, 413, 415, 422)

REDIRECTED: Final = Rule(
    "the model's server redirects the request",
    "check OPENAI_BASE_URL; it should name the server itself",
    "stop the run",
    ConfigurationError,
    statuses=tuple(range(300, 400)),
    examples="a redirect to another origin, which is not followed",
)

TABLE: Final[tuple[Rule, ...]] = (
    Rule(
        "the provider's content filter blocked this pitch",
        "use another model or provider for it",
        "this pitch",
        ContentFiltered,
        codes=error_words.FILTERED,
        words=r"content (management|filter|policy)|requires moderation|was flagged|responsible ai|usage polic",
        within=(400, 403, 422),
        examples="“content management policy”, “requires moderation”",
    ),
    Rule(
        "the pitch is longer than the model's context allows",
        "use a model with a longer context, raise the server's context size, or shorten the pitch",
        "this pitch",
        PitchTooLong,
        statuses=(413,),
        codes=(
            "context_length_exceeded",
            "string_above_max_length",
            "tokens_limit_reached",
            "exceed_context_size_error",
        ),
        words=error_words.TOO_LONG,
        within=(400, 422, 500),
        examples="“maximum context length”, “prompt is too long”",
    ),
    Rule(
        "the pitch needs more tokens than the account may use in a minute",
        "shorten the pitch, or use an account or model with a higher limit",
        "this pitch",
        PitchTooLong,
        words=r"request too large|tokens must be reduced",
        within=(429,),
        over_limit=True,
        examples="HTTP 429 and “Request too large”, or more requested than the limit it names",
    ),
    Rule(
        "the account has no balance or quota left",
        "add credit or raise the quota at the provider, then run again",
        "stop the run",
        QuotaExhausted,
        statuses=(402,),
        codes=error_words.SPENT,
        words=r"^\W*(your credit balance is too low|insufficient (credit|balance|fund))",
        within=(400, 403, 429),
        examples="“credit balance is too low”",
    ),
    Rule(
        "the provider does not serve this country or region",
        "use another provider or a local model",
        "stop the run",
        AuthenticationFailed,
        codes=("unsupported_country_region_territory",),
    ),
    Rule(
        "the model's server does not accept the key",
        "check the provider's key variable, and what the key may be used for",
        "stop the run",
        AuthenticationFailed,
        statuses=(401, 403),
        codes=error_words.BAD_KEY,
        words=r"^\W*api key (not valid|expired|not found)",
        within=(400,),
        examples="“API key not valid”",
    ),
    Rule(
        "the model failed to write a valid tool call",
        "try again, or use a larger model",
        "ask again",
        ProviderError,
        codes=("tool_use_failed", "json_validate_failed"),
    ),
    Rule(
        "the model's server does not take this way of asking",
        "use another model, or choose another way with --mode",
        "another mode",
        ModeRejected,
        codes=("invalid_function_parameters", "unsupported_tool_choice"),
        words=error_words.NO_MODE,
        within=_CLIENT,
        examples="“does not support tools”, “Invalid tool_choice type”",
    ),
    Rule(
        "the model's server refuses a setting of the request",
        "use another model, or a profile of your own that leaves the setting out (PITCH_PROFILES)",
        "another mode",
        SettingRejected,
        codes=("unsupported_value", "unsupported_parameter"),
        words=error_words.NO_SETTING,
        within=(400, 422),
        examples="“'temperature' does not support 0”",
    ),
    Rule(
        "the model's server does not know this model or address",
        "check --model and OPENAI_BASE_URL",
        "stop the run",
        ModelNotFound,
        statuses=(404, 405),
        codes=("model_not_found", "not_found_error", "model_not_available"),
        words=r"is not a valid model|model .{0,80} (does not exist|not found)|^\W*unknown model|invalid model name",
        within=(400, 422),
        examples="“is not a valid model ID”",
    ),
    Rule(
        "the model's server is at its rate limit",
        "try again later, or lower --concurrency",
        "wait",
        RateLimited,
        statuses=(429,),
        codes=("rate_limit_exceeded", "rate_limit_error", "too_many_requests", "resource_exhausted"),
    ),
    Rule(
        "the model's server is overloaded",
        "try again later",
        "wait",
        RateLimited,
        statuses=(529,),
        codes=("overloaded_error", "engine_overloaded", "slow_down"),
    ),
    Rule(
        "the model's server failed",
        "try again later",
        "ask again",
        ProviderError,
        statuses=(408, 409, 425, 499, *range(500, 529), *range(530, 600)),
        codes=("server_error", "internal_server_error"),
    ),
    REDIRECTED,
    Rule(
        "the model's server rejected the request",
        "try this pitch with another model",
        "this pitch",
        ProviderRejected,
        statuses=tuple(range(400, 500)),
    ),
)
"""Errors that a server reports. The first rule that applies decides."""

TIMEOUT: Final = Rule(
    "the model did not answer in time",
    "try again, or raise PITCH_TIMEOUT (seconds)",
    "ask again",
    ProviderTimeout,
    examples="no answer within PITCH_TIMEOUT",
)
UNREACHABLE: Final = Rule(
    "the model's server cannot be reached",
    "check its address (OPENAI_BASE_URL) and that it is running",
    "ask again",
    ProviderUnreachable,
    examples="no connection, or the server hung up",
)
UNTRUSTED: Final = Rule(
    "the connection to the model's server cannot be encrypted",
    "its certificate is not trusted, or it does not speak HTTPS at all: set SSL_CERT_FILE to your organization's "
    "certificates, or write http:// in OPENAI_BASE_URL for a server of your own",
    "stop the run",
    ConfigurationError,
    examples="a certificate that is not trusted or expired; plain HTTP where HTTPS was expected",
)
GARBLED: Final = Rule(
    "the model's server sent something that is not an answer",
    "check OPENAI_BASE_URL",
    "ask again",
    ProviderError,
    examples="HTTP 200 that is not JSON, or is cut off",
)
UNCLASSIFIED: Final = Rule(
    "the model's server reported an error",
    "try again later",
    "ask again",
    ProviderError,
    examples="an error object in an HTTP 200 that no row above knows",
)
SDK_FAULT: Final = Rule(
    "the call to the model failed",
    "update the provider's package, or run again with --debug to see where it failed",
    "this pitch",
    ProviderRejected,
    examples="the provider's package raised an error of its own",
)
WITHOUT_STATUS: Final = (TIMEOUT, UNTRUSTED, UNREACHABLE, GARBLED, UNCLASSIFIED, SDK_FAULT)
"""Errors without a report from a server."""


def error_from(report: Report) -> AnalyzerError:
    """Make this program's error for a server's report."""
    return _made(rule_for(report), report.shown, report.retry_after)


def garbled() -> AnalyzerError:
    """Make the error for a response that is not an answer."""
    return _made(GARBLED, "")


def error_of(raised: BaseException, said: str = "") -> AnalyzerError:
    """Make this program's error for what an SDK or a transport raised; if one of ours is inside, return that one.

    `said`: the texts that were sent. The cause is an `SdkError`, which holds nothing of what the server or SDK said.
    """
    innermost = raised
    for each in _chain(raised):
        if isinstance(each, AnalyzerError):
            return each
        innermost = each if _is_reported(each) else innermost
    report = report_of(innermost, said)
    error = error_from(report) if report is not None else _without_status(raised)
    error.__cause__ = SdkError.of(innermost, report.status if report else None)
    return error


def report_of(raised: BaseException, said: str = "") -> Report | None:
    """Read a server's report from an exception of any SDK; None if it has no HTTP status."""
    status = _status(raised)
    if status is None:
        return None
    content = next((value for name in ("body", "details") if (value := getattr(raised, name, None))), None)
    own = {name: getattr(raised, name, None) for name in ("code", "type", "status", "message")}
    headers = getattr(getattr(raised, "response", None), "headers", None) or {}
    return _report(status, content, own, headers, said)


def report_in(error: object, said: str = "") -> Report:
    """Read a report from an error object in the body of an HTTP 200."""
    content = _as_mapping(error)
    code = content.get("code")
    status = _http_status(code) or _http_status(content.get("status"))
    metadata = _as_mapping(content.get("metadata"))
    return _report(status, error, {}, _as_mapping(metadata.get("headers")), said)


def report_of_result(status: int | None, content: object, said: str = "") -> Report:
    """Read the report of one request of a batch: the HTTP status that it would have had, and the body."""
    return _report(status, content, {}, {}, said)


def rule_for(report: Report) -> Rule:
    """The rule that decides what becomes of a report."""
    return next((rule for rule in TABLE if rule.applies(report)), UNCLASSIFIED)


# ---------------------------------------------------------------- making the error


def _made(rule: Rule, shown: str, retry_after: float = 0.0) -> AnalyzerError:
    error = rule.error(f"{rule.happened} ({shown}); {rule.advice}" if shown else f"{rule.happened}; {rule.advice}")
    if isinstance(error, ProviderError):
        error.retry_after = retry_after
    return error


def _without_status(raised: BaseException) -> AnalyzerError:
    chain = list(_chain(raised))
    if any(isinstance(each, httpx.TooManyRedirects) for each in chain):
        return _made(REDIRECTED, "")
    if _is_untrusted(raised):
        return _made(UNTRUSTED, "")
    hung_up = any(isinstance(each, aiohttp.ClientConnectionError) and not _is_timeout(each) for each in chain)
    if any(_is_timeout(each) for each in chain) and not hung_up:
        return _made(TIMEOUT, "")
    if hung_up or any(
        isinstance(each, openai.APIConnectionError | httpx.HTTPError | aiohttp.ClientError | OSError) for each in chain
    ):
        return _made(UNREACHABLE, "")
    if any(isinstance(each, openai.APIResponseValidationError | ValueError) for each in chain):
        return _made(GARBLED, "")
    if not isinstance(chain[-1], TypeError | AttributeError | LookupError | NotImplementedError):
        return _made(UNCLASSIFIED, type(chain[-1]).__name__)
    return _made(SDK_FAULT, type(chain[-1]).__name__)


def _is_untrusted(error: BaseException) -> bool:
    """Whether a fault of TLS is behind an error. httpcore has it only as the context of its own error."""
    each: BaseException | None = error
    for _ in range(_DEEPEST):
        if each is None or isinstance(each, ssl.SSLError | aiohttp.ClientSSLError):
            break
        each = each.__cause__ or each.__context__
    return isinstance(each, ssl.SSLError | aiohttp.ClientSSLError)


def _is_timeout(error: BaseException) -> bool:
    return isinstance(error, openai.APITimeoutError | httpx.TimeoutException | TimeoutError)


def _is_reported(error: BaseException) -> bool:
    return _status(error) is not None


def _chain(error: BaseException) -> Iterable[BaseException]:
    seen: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in seen:
        seen.append(each)
        yield each
        each = each.__cause__


# ---------------------------------------------------------------- reading what was reported


def _report(
    status: int | None, content: object, own: Mapping[str, object], headers: Mapping[str, Any], said: str
) -> Report:
    """Combine the parts of an error, which servers nest in several ways."""
    outer = _as_mapping(content)
    inner = _as_mapping(outer.get("error")) or outer
    words = [source.get(name) for source in (inner, own) for name in ("code", "type", "status")]
    codes = tuple(dict.fromkeys(code for word in words if (code := _code(word))))
    texts = [inner.get("message"), content if isinstance(content, str) else outer.get("error"), own.get("message")]
    message = next((text for text in texts if isinstance(text, str) and text), "")[:_LONGEST_MESSAGE]
    wait = seconds_to_wait(headers) or wait_in(inner)
    return Report(status, codes, message, wait, said)


def _status(error: BaseException) -> int | None:
    """The HTTP status of an SDK's exception: OpenAI's and Anthropic's kind, Google's, those that hold a response."""
    response = getattr(error, "response", None)
    candidates = [
        getattr(error, "status_code", None),
        getattr(error, "http_status", None),
        getattr(error, "status", None),
        getattr(error, "code", None),
        getattr(response, "status_code", None),
        getattr(getattr(error, "raw_response", None), "status_code", None),
        _as_mapping(_as_mapping(response).get("ResponseMetadata")).get("HTTPStatusCode"),
    ]
    return next((status for candidate in candidates if (status := _http_status(candidate))), None)


def _http_status(value: object) -> int | None:
    """A status of HTTP that reports an error; None if it is anything else."""
    if isinstance(value, str) and re.fullmatch(r"[3-5]\d\d", value):
        value = int(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) and 300 <= value < 600 else None


def _code(word: object) -> str:
    """The service's own short word for the error, if it is one. Its message is never shown: it may quote anything."""
    return word.lower() if isinstance(word, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{2,59}", word) else ""


def _as_mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
