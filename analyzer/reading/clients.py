"""Makes the client for a `provider/name`: its SDK, its key, and the HTTP client below it.

Hidden here: what is sent and where. A request holds a whole pitch, so a server that redirects it to
another origin is not followed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from threading import Lock
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit

import httpx
import instructor
import openai
from httpx_aiohttp import HttpxAiohttpClient

from analyzer.errors import ConfigurationError
from analyzer.reading.profiles import Profile, base_url, profile_of
from analyzer.reading.provider_errors import error_of
from analyzer.reading.rate_limiter import Limiter
from analyzer.reading.request_body import RequestBodies
from analyzer.reading.spending import Reported, usage_of
from analyzer.settings import Settings, provider_key

_HTTPX_WIDTH: Final = 16
"""The most requests in flight that httpx's own connection pool is good for."""
_WIDEST: Final = 256
_MOST_REDIRECTS: Final = 3
"""Each is one more request with the whole pitch."""


NO_KEY: Final = "none"
"""Sent to servers that need no key; the SDK requires one."""


@dataclass(slots=True)
class Exchange:
    """What has come back for one request so far, whether or not the SDK makes sense of it.

    `status` is HTTP's, or the one that a refusal in the body of an HTTP 200 names; None while there is none.
    `completion` is what the SDK made of the body, and `reported` what that says it took, read before anything
    changes it. `price`: the share of the usual price that it costs.
    """

    model: str
    status: int | None = None
    completion: Any = None
    reported: Reported | None = None
    price: float = 1.0

    def arrived(self, completion: Any) -> None:
        self.completion = completion
        self.reported = usage_of(completion, self.model, self.price)


current_exchange: ContextVar[Exchange] = ContextVar("current_exchange")
"""Set around each request, so that clients which many requests share know whose response they see."""


def split_model(model: str) -> tuple[str, str]:
    """`provider/name` as its two parts. Raises ConfigurationError."""
    provider, slash, name = model.strip().partition("/")
    if not slash or not provider or not name:
        raise ConfigurationError(
            f"{model!r} is not a model; write provider/name, for example openai/gpt-6-luna or "
            "ollama/qwen3.5:9b, or one of: recorded, keywords"
        )
    return provider, name


class BatchPort(Protocol):
    """What answers requests in place of the server: batches, as far as they are done.

    `price`: the share of the usual price that their answers cost.
    """

    price: float

    async def reply(self, endpoint: str, body: Mapping[str, Any], *, settings: bool) -> Mapping[str, Any] | None:
        """The body of the reply to the present request; None if it is to be asked live. `settings`: whether the body
        has temperature and the like. Raises AwaitsBatch if there is none yet, or the error that takes its place."""
        ...

    async def note_unusable(self, key: str, fault: str | None) -> None:
        """Note that a reply was paid for and is not an answer; `fault`: why."""
        ...


class ModelClient:
    """The client of one model, for every mode that its server has. `profile`: what is known about the server; it may
    be replaced by a more exact one. `name`: the model without its provider. `batch`: what answers in place of the
    server; None = nothing does.

    Raises ConfigurationError when made if the provider is unknown, its package missing or its key not set.
    """

    def __init__(
        self, model: str, settings: Settings, http: httpx.AsyncClient | None = None, batch: BatchPort | None = None
    ):
        self.model = model.strip()
        self.name = split_model(model)[1]
        self.batch = batch
        self.bodies = RequestBodies(self.name)
        self.profile = profile_of(self.model, settings)
        self._settings = settings
        self._only: instructor.AsyncInstructor | None = None
        if self.profile.api == "chat":
            self.sdk: Any = openai.AsyncOpenAI(
                api_key=key_for(model, settings),
                base_url=base_url(self.model, settings) or None,
                max_retries=0,
                # Typed as httpx2; httpx serves both 2 and 3.
                http_client=cast(Any, http or shared_client(settings.timeout)),
            )
            return
        if http is not None:
            provider = split_model(model)[0]
            raise ConfigurationError(f"answers of {provider} cannot be recorded; use an OpenAI-compatible endpoint")
        key_for(model, settings)
        self.sdk = None if batch is not None else self.through_instructor().client

    def through_instructor(self) -> instructor.AsyncInstructor:
        """The client through which requests go; that of a maker's own SDK is made when something is asked live."""
        if self._only is None:
            if self.profile.api == "chat":
                create: Any = instructor.patch(create=partial(_post, self.sdk))
                self._only = instructor.AsyncInstructor(self.sdk, create)
            else:
                self._only = _other_client(self.model, self.profile, self._settings)
                self._only.on("completion:response", _note_completion)
        return self._only

    def outside_version(self) -> openai.AsyncOpenAI:
        """The SDK for paths of the server outside /v1, such as /api/chat."""
        url = str(self.sdk.base_url).rstrip("/").removesuffix("/v1")
        outside: openai.AsyncOpenAI = self.sdk.with_options(base_url=url)
        return outside


async def _post(sdk: openai.AsyncOpenAI, *, endpoint: str, content: bytes, **_: Any) -> Any:
    """The document that a server of OpenAI's protocol replies with; as text if it is not JSON. The body of the request
    is whole, and nobody needs the reply in the SDK's own types: making both takes longer than reading an answer."""
    response: httpx.Response = await sdk.post(endpoint, cast_to=cast(Any, httpx.Response), content=content)
    try:
        return response.json()
    except ValueError:
        return response.text


def is_compatible(model: str, settings: Settings) -> bool:
    """Whether the provider speaks OpenAI's protocol, so that the HTTP client is ours."""
    split_model(model)
    return profile_of(model.strip(), settings).api == "chat"


def key_for(model: str, settings: Settings) -> str:
    """The key of a provider. Raises ConfigurationError if it is not set."""
    provider, _ = split_model(model)
    profile = profile_of(model.strip(), settings)
    variable = "OPENAI_API_KEY" if provider == "openai" else profile.key
    key = settings.keys.get(provider) or (settings.openai_api_key if provider == "openai" else None)
    if key is None and provider != "openai" and variable:
        key = provider_key(variable)
    if key is None and provider == "google":
        key = provider_key("GEMINI_API_KEY")
    if key:
        return key
    if not variable or (provider == "openai" and settings.openai_base_url):
        return NO_KEY
    raise ConfigurationError(f"{variable} is not set; set it to use {model}, or use --model keywords (no model, rough)")


def reach(model: str, settings: Settings, timeout: float) -> str:
    """Ask the model's server which models it has. Raises ConfigurationError or ProviderError."""
    provider, name = split_model(model)
    if not is_compatible(model, settings):
        ModelClient(model, settings)
        return f"{provider} is set up; its server was not contacted"
    with httpx.Client(timeout=timeout, follow_redirects=True, event_hooks={"response": [stay_at_origin]}) as http:
        sdk = openai.OpenAI(
            api_key=key_for(model, settings),
            base_url=base_url(model.strip(), settings) or None,
            max_retries=0,
            http_client=cast(Any, http),
        )
        try:
            known = [entry.id for entry in sdk.models.list().data]
        except (openai.OpenAIError, httpx.HTTPError, ValueError, AttributeError, TypeError) as error:
            mapped = error_of(error)
        else:
            listed = name in known or f"{name}:latest" in known  # Ollama lists llama3.1:latest for llama3.1
            return f"reached; it {'has' if listed else 'does not list'} {name} ({len(known)} models)"
    raise mapped


_KEYS: Final = {
    "sk-ant-": "Anthropic",
    "sk-or-": "OpenRouter",
    "sk-proj-": "OpenAI",
    "AIza": "Google",
    "gsk_": "Groq",
    "xai-": "xAI",
    "pplx-": "Perplexity",
    "fw_": "Fireworks",
    "tgp_": "Together",
    "hf_": "Hugging Face",
}


def key_hint(model: str, settings: Settings) -> str:
    """What the beginning of a refused key tells about its maker; empty if it tells nothing or fits."""
    key, profile = key_for(model, settings), profile_of(model.strip(), settings)
    maker = next((maker for start, maker in _KEYS.items() if key.startswith(start)), None)
    if maker is None or maker.lower() in profile.title.lower():
        return ""
    return f"; the key begins like one of {maker}"


def _other_client(model: str, profile: Profile, settings: Settings) -> instructor.AsyncInstructor:
    """A provider with its own SDK, through instructor."""
    provider, name = split_model(model)
    try:
        if profile.api == "anthropic":
            return _anthropic_client(name, key_for(model, settings), settings.timeout)
        if profile.api == "google":
            return _google_client(name, key_for(model, settings), settings.timeout)
        client: Any = instructor.from_provider(model, async_client=True)
        if hasattr(client.client, "with_options") and hasattr(instructor, f"from_{provider}"):
            # The SDK's own retries would multiply ours.
            http = shared_client(settings.timeout)
            sdk = client.client.with_options(max_retries=0, timeout=settings.timeout, http_client=http)
            client = getattr(instructor, f"from_{provider}")(sdk, model=name, **client.kwargs)
        return cast(instructor.AsyncInstructor, client)
    except ConfigurationError:
        raise
    except Exception as error:  # each provider's set-up code raises its own kinds
        if isinstance(error, ImportError) or "package" in str(error) or "not installed" in str(error):
            package = f'"instructor[{"google-genai" if provider == "google" else provider}]"'
            raise ConfigurationError(
                f"{model} needs a package that is not installed: {sys.executable} -m pip install {package}"
            ) from error
        raise ConfigurationError(
            f"{model} cannot be set up; check the provider's name and that its key is set"
        ) from error


def _anthropic_client(name: str, key: str, timeout: float) -> instructor.AsyncInstructor:
    anthropic: Any = import_module("anthropic")

    def sdk(http: Any) -> Any:
        return anthropic.AsyncAnthropic(api_key=key, max_retries=0, timeout=timeout, http_client=http)

    try:
        made = sdk(shared_client(timeout))
    except TypeError:  # newer releases take a client of httpx2 alone
        import httpx2

        made = sdk(httpx2.AsyncClient(**http_options(timeout, _WIDEST)))
    client: instructor.AsyncInstructor = cast(Any, instructor).from_anthropic(made, model=name)
    return client


def _google_client(name: str, key: str, timeout: float) -> instructor.AsyncInstructor:
    genai: Any = import_module("google.genai")
    options = genai.types.HttpOptions(timeout=int(timeout * 1000), httpx_async_client=shared_client(timeout))
    sdk = genai.Client(api_key=key, http_options=options)
    client: instructor.AsyncInstructor = cast(Any, instructor).from_genai(sdk, use_async=True, model=name)
    return client


# ---------------------------------------------------------------- HTTP


class _SharedClients:
    """One client for each time-out, made once, whichever threads ask for it first."""

    def __init__(self) -> None:
        self.cache_clear()

    def __call__(self, timeout: float) -> httpx.AsyncClient:
        with self._lock:
            if timeout not in self._clients:
                self._clients[timeout] = httpx.AsyncClient(**http_options(timeout, _WIDEST))
            return self._clients[timeout]

    def cache_clear(self) -> None:
        self._lock = Lock()  # a forked process may have a copy that a thread held
        self._clients: dict[float, httpx.AsyncClient] = {}


shared_client: Final = _SharedClients()
"""The client that single readings share. It uses the environment's proxies and certificates."""


if hasattr(os, "register_at_fork"):  # connections belong to the process that opened them
    os.register_at_fork(after_in_child=shared_client.cache_clear)


def client_of_run(timeout: float, limiter: Limiter) -> httpx.AsyncClient:
    """A client for a whole run. A wide one uses aiohttp: httpx's own pool walks all connections at every request."""

    async def observe(response: httpx.Response) -> None:
        limiter.observe(response.headers)

    kind = HttpxAiohttpClient if limiter.width > _HTTPX_WIDTH else httpx.AsyncClient
    return kind(**http_options(timeout, limiter.width, [observe]))


def http_options(timeout: float, width: int, hooks: list[Any] | None = None) -> dict[str, Any]:
    """How our HTTP clients behave. `hooks` see each response."""
    return {
        "timeout": httpx.Timeout(timeout, connect=min(10.0, timeout), pool=None),
        "limits": httpx.Limits(max_connections=max(width, 64), max_keepalive_connections=width, keepalive_expiry=30),
        "follow_redirects": True,
        "max_redirects": _MOST_REDIRECTS,
        "event_hooks": {"response": [_note_response, *(hooks or ())]},
    }


async def _note_response(response: httpx.Response) -> None:
    exchange = current_exchange.get(None)
    if exchange is not None:
        exchange.status = response.status_code
    stay_at_origin(response)


def _note_completion(completion: Any) -> None:
    exchange = current_exchange.get(None)
    if exchange is not None:
        exchange.arrived(completion)


def stay_at_origin(response: httpx.Response) -> None:
    """A response hook: raises ConfigurationError where the response leads to another origin, of which only the origin
    is shown."""
    if not response.has_redirect_location:
        return
    asked = response.request.url
    try:
        target = asked.join(response.headers["location"])
        origin = (target.scheme, target.host, _port(target))
    except (httpx.InvalidURL, ValueError):
        raise ConfigurationError(
            "the model's server redirects to an address that is not valid; nothing more was sent. Check OPENAI_BASE_URL"
        ) from None
    if origin != (asked.scheme, asked.host, _port(asked)):
        raise ConfigurationError(
            f"the model's server redirects to another one, {_shown_origin(target)}; nothing was sent there. "
            "If it is the right one, name it in OPENAI_BASE_URL"
        )


def _port(url: httpx.URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)


def _shown_origin(url: httpx.URL) -> str:
    parts = urlsplit(str(url))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
