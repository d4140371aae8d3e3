"""Reading with a language model, through instructor and any OpenAI-compatible endpoint.

Hidden here: which client a `provider/name` needs, how a request is put together, who retries what, and what the SDKs
raise. Retries have one owner each: the run's `RateLimiter` repeats a request that a patient client would get through,
`_Conversation` asks again where an answer cannot be used (at most MAX_ASKS answers a pitch). The SDK and instructor
retry nothing. instructor shapes the request and finds the answer in the response; `reading.answers` decides what of it
holds.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Self, cast

import aiohttp
import httpx
import instructor
import openai
import pydantic
from httpx_aiohttp import HttpxAiohttpClient
from instructor import ResponseSchema
from instructor.core import IncompleteOutputException, InstructorError, InstructorRetryException

from analyzer.errors import (
    AnalyzerError,
    AuthenticationFailed,
    ConfigurationError,
    ExtractionError,
    ModelNotFound,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnreachable,
    QuotaExhausted,
    RateLimited,
)
from analyzer.framework.assessment import ReaderRef, Usage, Warning
from analyzer.reading import prompts
from analyzer.reading.answers import Answer, NotAnAnswer, check_answer
from analyzer.reading.grounding import Grounding
from analyzer.reading.pitch import Pitch, planted_warning
from analyzer.reading.rate_limiter import ONE, RateLimiter, retry_after
from analyzer.reading.reading import Reading
from analyzer.reading.recordings import (
    Recorder,
    Recordings,
    ReplayTransport,
    Request,
    current_request,
)
from analyzer.reading.spending import Spending, added, estimated_tokens, usage_of
from analyzer.settings import RECORDED, Settings, provider_key
from analyzer.signals import Quote, answer_schema, vocabulary_sha256
from analyzer.store import AnswerBook, KeptAnswer

MAX_ASKS: Final = 3
"""Answers asked for at most, a pitch: the first, one more for an unusable answer, one more for faulty signals."""

_HTTPX_WIDTH: Final = 16
"""The most requests in flight that httpx's own connection pool is good for."""

# instructor logs failed calls with whatever the service said, which may hold the key or the prompt.
logging.getLogger("instructor").setLevel(logging.CRITICAL + 1)


# ---------------------------------------------------------------- which client


@dataclass(frozen=True, slots=True)
class _Endpoint:
    base_url: str | None
    key_variable: str | None


_COMPATIBLE: Final = {
    "openai": _Endpoint(None, "OPENAI_API_KEY"),
    "ollama": _Endpoint("http://localhost:11434/v1", None),
    "together": _Endpoint("https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    "deepseek": _Endpoint("https://api.deepseek.com", "DEEPSEEK_API_KEY"),
    "openrouter": _Endpoint("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "perplexity": _Endpoint("https://api.perplexity.ai", "PERPLEXITY_API_KEY"),
}
"""Providers that speak OpenAI's protocol: one SDK, and one HTTP client of ours, serve them all."""

_NO_KEY: Final = "none"
"""Sent where a server wants no key; the SDK insists on one."""


def split_model(model: str) -> tuple[str, str]:
    """`provider/name` as its two parts. Raises ConfigurationError."""
    provider, slash, name = model.strip().partition("/")
    if not slash or not provider or not name:
        raise ConfigurationError(
            f"the model is given as {model!r}; write provider/name, for example openai/gpt-4.1-mini or "
            "ollama/llama3.1, or one of: recorded, keywords"
        )
    return provider, name


def _client(model: str, settings: Settings, http: httpx.AsyncClient | None) -> instructor.AsyncInstructor:
    """Raises ConfigurationError if the provider is unknown, its package missing or its key not set."""
    provider, name = split_model(model)
    endpoint = _COMPATIBLE.get(provider)
    if endpoint is None:
        return _other_client(model, settings, http)
    base_url = settings.openai_base_url if provider == "openai" and settings.openai_base_url else endpoint.base_url
    sdk = openai.AsyncOpenAI(
        api_key=_key(model, settings),
        base_url=base_url,
        max_retries=0,
        http_client=cast(Any, http or _http_client(settings.timeout)),  # typed as httpx2; httpx serves both 2 and 3
    )
    mode = instructor.Mode.MD_JSON if provider == "perplexity" else instructor.Mode.TOOLS
    return instructor.from_openai(sdk, mode=mode, model=name)


def _compatible(model: str) -> bool:
    return split_model(model)[0] in _COMPATIBLE


def _key(model: str, settings: Settings) -> str:
    provider, _ = split_model(model)
    variable = _COMPATIBLE[provider].key_variable
    key = settings.openai_api_key if provider == "openai" else provider_key(variable) if variable else None
    if key:
        return key
    if variable is None or (provider == "openai" and settings.openai_base_url):
        return _NO_KEY
    raise ConfigurationError(f"{variable} is not set; set it to use {model}, or use --model keywords (no model, rough)")


def _other_client(model: str, settings: Settings, http: httpx.AsyncClient | None) -> instructor.AsyncInstructor:
    """A provider with an SDK of its own, as instructor knows it."""
    provider, _ = split_model(model)
    if http is not None:
        raise ConfigurationError(
            f"answers of {provider} cannot be recorded; recordings are of OpenAI-compatible endpoints"
        )
    try:
        client = instructor.from_provider(model, async_client=True)
        if client.client is not None and hasattr(
            client.client, "with_options"
        ):  # the SDK's own retries would multiply ours
            sdk = client.client.with_options(max_retries=0, timeout=settings.timeout)
            if hasattr(instructor, f"from_{provider}"):
                client = getattr(instructor, f"from_{provider}")(sdk, model=split_model(model)[1])
        return client
    except Exception as error:  # each provider's set-up code raises its own kinds
        if isinstance(error, ImportError) or "package" in str(error):
            raise ConfigurationError(
                f'{model} needs a package that is not installed: pip install "instructor[{provider}]"'
            ) from error
        raise ConfigurationError(f"{model} cannot be set up: is the provider's name right, and its key set?") from error


@cache
def _http_client(timeout: float) -> httpx.AsyncClient:
    """The one client that single readings share. The environment's proxies and certificates count."""
    return httpx.AsyncClient(**_http_options(timeout, 64))


if hasattr(os, "register_at_fork"):  # connections belong to the process that opened them
    os.register_at_fork(after_in_child=_http_client.cache_clear)


def _http_client_of_run(timeout: float, limiter: RateLimiter) -> httpx.AsyncClient:
    """A client for a whole run. A wide one uses aiohttp: httpx's own pool walks all connections at every request."""

    async def observe(response: httpx.Response) -> None:
        limiter.observe(response.headers)

    kind = HttpxAiohttpClient if limiter.width > _HTTPX_WIDTH else httpx.AsyncClient
    return kind(**_http_options(timeout, limiter.width), event_hooks={"response": [observe]})


def _http_options(timeout: float, width: int) -> dict[str, Any]:
    return {
        "timeout": httpx.Timeout(timeout, connect=min(10.0, timeout), pool=None),
        "limits": httpx.Limits(max_connections=max(width, 64), max_keepalive_connections=width, keepalive_expiry=30),
        "follow_redirects": True,
    }


# ---------------------------------------------------------------- one request


class RecordSignals(ResponseSchema):
    """Record what the pitch says, with the words it says it in."""

    # The answer is taken as text: `reading.answers` decides what of it holds.
    _text: str = pydantic.PrivateAttr(default="")

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        return {"title": cls.__name__, "description": cls.__doc__, **answer_schema()}

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Self:
        answer = cls()
        answer._text = json_data if isinstance(json_data, str) else bytes(json_data).decode("utf-8", "replace")
        return answer

    @property
    def text(self) -> str:
        return self._text


class _Named(RecordSignals):
    """The same without its schema, for clients that take the prepared tool of `_tool` beside it."""

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        return {"title": RecordSignals.__name__, "type": "object", "properties": {}}


@cache
def _tool() -> list[dict[str, Any]]:
    """The tool as it is sent. The SDK adds it to the body as it is; a schema among the arguments it would walk and
    copy at every call."""
    schema = RecordSignals.model_json_schema()
    parameters = {name: part for name, part in schema.items() if name not in ("title", "description")}
    function = {"name": RecordSignals.__name__, "description": RecordSignals.__doc__, "parameters": parameters}
    return [{"type": "function", "function": function}]


_Messages = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class _Reply:
    """What came back for one request. `fault`: why there is no answer in it, though it was paid for."""

    text: str
    completion: Any
    fault: ExtractionError | None = None


async def _send(client: instructor.AsyncInstructor, messages: _Messages) -> _Reply:
    try:
        answer, completion = await client.chat.completions.create_with_completion(
            max_retries=0,
            **_shape(client, messages),
        )
    except IncompleteOutputException as error:
        fault = ExtractionError(
            "the model's answer was cut off at its length limit; use a model that writes longer ones"
        )
        fault.__cause__ = error
        return _Reply("", error.last_completion, fault)
    except InstructorRetryException as error:
        text = _text_beside_the_tool(error)
        if text is not None:
            return _Reply(_storable(text), error.last_completion)
        fault_or_error = _mapped_inside(error.__cause__ or error)
        if isinstance(fault_or_error, ExtractionError):
            return _Reply("", error.last_completion, fault_or_error)
        raise fault_or_error from error
    except (InstructorError, openai.OpenAIError, httpx.HTTPError) as error:
        raise _mapped_inside(error) from error
    return _Reply(_storable(answer.text), completion)


def _shape(client: instructor.AsyncInstructor, messages: _Messages) -> dict[str, Any]:
    """What is said, and how the answer is asked for. OpenAI's SDK adds `extra_body` to the body as it is; what stands
    among its arguments it walks and copies at every call, so there the long parts go beside them."""
    if isinstance(client.client, openai.AsyncOpenAI) and client.mode == instructor.Mode.TOOLS:
        return {
            "messages": [],
            "response_model": _Named,
            "extra_body": {"messages": messages, "tools": _tool()},
        }
    return {"messages": messages, "response_model": RecordSignals}


def _storable(text: str) -> str:
    """The text without what no database or file takes: half characters, and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _text_beside_the_tool(error: InstructorRetryException) -> str | None:
    """Small models sometimes answer in plain text instead of calling the tool, or call it by another name: that text,
    or what they call it with. None if it is neither."""
    completion = error.last_completion
    choices = getattr(completion, "choices", None)
    if not choices or getattr(choices[0].message, "refusal", None):
        return None
    if choices[0].finish_reason == "content_filter":
        return None
    calls = getattr(choices[0].message, "tool_calls", None)
    if calls and getattr(calls[0], "function", None) is not None:
        return str(calls[0].function.arguments or "")
    return str(choices[0].message.content or "")


# ---------------------------------------------------------------- what went wrong


def _mapped_inside(error: BaseException) -> AnalyzerError:
    """The one place where errors of the SDKs become ours; one of ours that a transport raised stays itself."""
    while isinstance(error, InstructorRetryException) and error.__cause__ is not None:
        error = error.__cause__
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, AnalyzerError):
            return inner
        inner = inner.__cause__
    mapped = _mapped(error)
    mapped.__cause__ = error
    return mapped


def _mapped(error: BaseException) -> AnalyzerError:
    if isinstance(error, AssertionError):
        return ExtractionError("the model refused to read this pitch; try another model")
    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException) and not _disconnected(error):
        return ProviderTimeout("the model did not answer in time; try again, or raise PITCH_TIMEOUT (seconds)")
    if isinstance(error, openai.APIConnectionError | httpx.TransportError):
        return ProviderUnreachable("the model's server cannot be reached; is the address right, and is it running?")
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return _mapped_status(status, error)
    if isinstance(error, openai.APIResponseValidationError | ValueError | InstructorError):
        return ProviderError("the model's server sent something that is no answer; is OPENAI_BASE_URL right?")
    return ProviderError(f"the call to the model failed ({type(error).__name__}); run again with --debug to see why")


def _disconnected(error: BaseException) -> bool:
    """Whether the server hung up; the transport on aiohttp calls that a time-out while connecting."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, aiohttp.ClientConnectionError) and not isinstance(inner, TimeoutError):
            return True
        inner = inner.__cause__
    return False


def _mapped_status(status: int, error: BaseException) -> AnalyzerError:
    code = _code(error)
    told = f"HTTP {status}{f', {code}' if code else ''}"
    if status in (401, 403):
        return AuthenticationFailed(
            f"the model's server does not accept the key ({told}); check the provider's key variable"
        )
    if code in ("insufficient_quota", "billing_hard_limit_reached"):
        return QuotaExhausted(f"the account has no quota left ({told}); nothing more can be asked until it has")
    if status == 404:
        return ModelNotFound(
            f"the model's server does not know this model or address ({told}); check --model and OPENAI_BASE_URL"
        )
    if status == 429:
        limited = RateLimited(f"the model's server is at its rate limit ({told}); try again later")
        limited.retry_after = _retry_after(error)
        return limited
    if status in (408, 409, 425) or status >= 500:
        failed = ProviderError(f"the model's server failed ({told}); try again later")
        failed.retry_after = _retry_after(error)
        return failed
    return ProviderRejected(f"the model's server rejected the request ({told}); does this model support tool calls?")


def _code(error: BaseException) -> str:
    """The service's own short word for the error, if it is one; its message is not shown: it may quote anything."""
    for name in ("code", "type"):
        word = getattr(error, name, None)
        if isinstance(word, str) and re.fullmatch(r"[a-z][a-z0-9_]{2,59}", word):
            return word
    return ""


def _retry_after(error: BaseException) -> float:
    """Seconds the server asks to wait; 0 if it does not say."""
    return retry_after(getattr(getattr(error, "response", None), "headers", {}))


# ---------------------------------------------------------------- the reader


class ModelReader:
    """Reads pitches with one model. Safe to share between tasks of one event loop; make one a run.

    `record_to`: a folder in which every answer is kept as a recording. `recordings`: answer from these instead of
    asking. `book`: kept answers are taken from it and paid ones put into it. `limiter`: how fast requests go;
    `spending`: counts what is spent, and may limit it. Raises ConfigurationError when made, if the model cannot be
    set up.
    """

    def __init__(
        self,
        model: str,
        settings: Settings,
        *,
        recordings: Recordings | None = None,
        record_to: Path | None = None,
        book: AnswerBook | None = None,
        limiter: RateLimiter | None = None,
        spending: Spending | None = None,
    ):
        self._recorder: Recorder | None = None
        self._own: httpx.AsyncClient | None = None
        limiter = limiter or RateLimiter(ONE, 1)
        if recordings is not None:
            settings = Settings(openai_api_key=_NO_KEY, timeout=settings.timeout)
            # Proxies of the environment would be asked before the transport.
            self._own = httpx.AsyncClient(transport=ReplayTransport(recordings), trust_env=False)
        elif record_to is not None:
            self._recorder = Recorder(record_to, [_key(model, settings)] if _compatible(model) else [])
            options = _http_options(settings.timeout, limiter.width)
            self._own = httpx.AsyncClient(**options, event_hooks={"response": [self._recorder.keep]})
        elif limiter.policy is not ONE and _compatible(model):
            self._own = _http_client_of_run(settings.timeout, limiter)
        client = _client(model, settings, self._own)
        self._asking = _Asking(model, client, limiter, book, spending or Spending(model))
        shown = f"{RECORDED}/{model}" if recordings is not None else model
        self.ref = ReaderRef(model=shown, prompt_sha256=prompts.prompt_sha256(), schema_sha256=vocabulary_sha256())

    @property
    def written(self) -> list[Path]:
        """The recordings written so far."""
        return self._recorder.written if self._recorder else []

    async def read(self, pitch: Pitch) -> Reading:
        """The signals of a pitch, every quote checked. Raises ProviderError, ExtractionError, ConfigurationError,
        MissingRecording, or, where the run ends before, RunStopped or CostLimitReached."""
        if self._recorder is not None and pitch.ref.sha256 and pitch.ref.title:
            self._recorder.titles[pitch.ref.sha256] = pitch.ref.title
        return await _Conversation(self._asking, pitch).reading(self.ref)

    async def aclose(self) -> None:
        """Closes the connections of this reader."""
        if self._own is not None:
            await self._own.aclose()


def reach(model: str, settings: Settings, timeout: float) -> str:
    """Asks the model's server which models it has. Raises ConfigurationError or ProviderError."""
    provider, name = split_model(model)
    if provider not in _COMPATIBLE:
        _client(model, settings, None)
        return f"{provider} is set up; it is not asked here whether it answers"
    with httpx.Client(timeout=timeout) as http:
        base_url = settings.openai_base_url if provider == "openai" and settings.openai_base_url else None
        sdk = openai.OpenAI(
            api_key=_key(model, settings),
            base_url=base_url or _COMPATIBLE[provider].base_url,
            max_retries=0,
            http_client=cast(Any, http),
        )
        try:
            known = [entry.id for entry in sdk.models.list().data]
        except (openai.OpenAIError, httpx.HTTPError) as error:
            raise _mapped_inside(error) from error
    return f"reached; it {'has' if name in known else 'does not list'} {name} ({len(known)} models)"


def first_request(model: str, pitch: Pitch) -> Request:
    """The first request that reading this pitch with this model makes, as recordings know it."""
    return Request(model, prompts.prompt_sha256(), vocabulary_sha256(), pitch.ref.sha256 or "")


@dataclass(frozen=True, slots=True)
class _Asking:
    """What all conversations of a reader share."""

    model: str
    client: instructor.AsyncInstructor
    limiter: RateLimiter
    book: AnswerBook | None
    spending: Spending


@dataclass(slots=True)
class _Conversation:
    """All that is said with a model about one pitch."""

    asking: _Asking
    pitch: Pitch
    usage: Usage = field(default_factory=Usage)
    said: _Messages = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    paid: int = 0
    last: str = ""
    usable: str = ""

    async def reading(self, ref: ReaderRef) -> Reading:
        grounding = Grounding(self.pitch.text)
        answer = await self._usable_answer(grounding)
        lost: tuple[Warning, ...] = ()
        if answer.faults and len(self.keys) < MAX_ASKS:
            try:
                again = await self._ask_about(answer, grounding)
            except (ProviderError, ExtractionError, NotAnAnswer) as error:
                lost = (Warning(kind="adjusted", message=f"The model could not be asked again: {_reason(error)}"),)
            else:
                # What the second answer found to address the reader is no evidence for the first one either.
                answer = check_answer(self.usable, self.pitch, grounding, again.planted).mended_by(again)
        planted = [
            planted_warning(Quote(text=self.pitch.text[start:end], start=start, end=end))
            for start, end in answer.planted
            if (start, end) not in self.pitch.planted
        ]
        warnings = (*self.pitch.warnings, *planted, *answer.warnings, *lost, *_unsettled(answer))
        return Reading(answer.signals(), ref, warnings, self.usage, from_store=not self.paid)

    async def _usable_answer(self, grounding: Grounding) -> Answer:
        """The first answer of the asked shape; a model that misses it is told so once."""
        self.usable = await self._ask()
        try:
            return check_answer(self.usable, self.pitch, grounding)
        except NotAnAnswer as fault:
            self._reply(self.usable, [str(fault)])
        self.usable = await self._ask()
        try:
            return check_answer(self.usable, self.pitch, grounding)
        except NotAnAnswer as fault:
            if self.asking.book is not None:  # another run shall ask anew
                await self.asking.book.discard(self.keys)
            raise ExtractionError(
                f"the model gave no usable answer, also when asked again: {fault}; try another model"
            ) from fault

    async def _ask_about(self, answer: Answer, grounding: Grounding) -> Answer:
        self._reply(self.last, [f"{fault.signal}: {fault.message}" for fault in answer.faults])
        return check_answer(await self._ask(), self.pitch, grounding, answer.planted)

    async def _ask(self) -> str:
        so_far = json.dumps(self.said, ensure_ascii=False, sort_keys=True) if self.said else ""
        request = Request(
            self.asking.model,
            prompts.prompt_sha256(),
            vocabulary_sha256(),
            self.pitch.ref.sha256 or "",
            len(self.keys),
            hashlib.sha256(so_far.encode()).hexdigest() if so_far else "",
        )
        self.keys.append(request.key)
        kept = await self.asking.book.find(request.key) if self.asking.book is not None else None
        if kept is None:
            kept = await self._pay(request)
        self.last = kept.text
        self.usage = added(self.usage, _usage(kept))
        return self.last

    async def _pay(self, request: Request) -> KeptAnswer:
        """An answer of the model, kept before anything is made of it. Raises what `ModelReader.read` does."""
        asking = self.asking
        messages: _Messages = [
            {"role": "system", "content": prompts.instructions()},
            {"role": "user", "content": prompts.pitch_message(self.pitch.text, self.pitch.ref.sha256 or "")},
            *self.said,
        ]
        said = [message["content"] for message in messages[1:]]
        reserved = await asking.spending.reserve(said, static_tokens())
        token = current_request.set(request)
        spent: Usage | None = None
        try:
            # Kept before its place is given to another: what a killed run pays twice is at most what was in flight.
            answer, fault = await asking.limiter.call(lambda: self._ask_and_keep(request, messages))
            spent = _usage(answer)
        finally:
            current_request.reset(token)
            asking.spending.settle(reserved, spent)
        asking.limiter.record_usage(answer.input_tokens + answer.output_tokens)
        self.paid += 1
        if fault is not None:
            raise fault
        return answer

    async def _ask_and_keep(self, request: Request, messages: _Messages) -> tuple[KeptAnswer, ExtractionError | None]:
        """One answer, and why it is of no use, if so."""
        reply = await _send(self.asking.client, messages)
        usage = usage_of(reply.completion, self.asking.model)
        answer = KeptAnswer(
            key=request.key if reply.fault is None else None,
            model=request.model,
            prompt_sha256=request.prompt_sha256,
            schema_sha256=request.schema_sha256,
            pitch_sha256=request.pitch_sha256,
            turn=request.turn,
            text=reply.text,
            input_tokens=usage.input_tokens,
            cached_tokens=usage.cached_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=usage.cost_usd,
        )
        if self.asking.book is not None:
            await self.asking.book.keep(answer)
        return answer, reply.fault

    def _reply(self, answer: str, faults: list[str]) -> None:
        self.said.append({"role": "assistant", "content": answer or "(no answer)"})
        self.said.append({"role": "user", "content": prompts.again_message(faults)})


def _usage(answer: KeptAnswer) -> Usage:
    return Usage(
        requests=1,
        input_tokens=answer.input_tokens,
        cached_tokens=answer.cached_tokens,
        output_tokens=answer.output_tokens,
        cost_usd=answer.cost_usd,
    )


@cache
def static_tokens() -> int:
    """About how many tokens a request has beside the pitch."""
    return estimated_tokens(prompts.instructions()) + estimated_tokens(json.dumps(answer_schema()))


def _unsettled(answer: Answer) -> list[Warning]:
    """What could not be used, also after asking again: unknown, or left out of a list, and said so."""
    lists = {"problems", "personas", "competitors"}
    return [
        Warning(
            kind="ungrounded" if fault.ungrounded else "dropped",
            signal=fault.signal,
            message=f"{fault.signal}: {fault.message}; "
            + ("the entry was left out." if fault.signal in lists else "the signal counts as unknown."),
        )
        for fault in answer.faults
    ]


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0]
