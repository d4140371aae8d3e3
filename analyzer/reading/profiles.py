"""What is known about each model server: one profile for each, from `profiles.toml` and the user's own file.

To find the profile of a model:   `profile_of("openai/gpt-4.1", settings)`
To find the modes it is asked in: `modes_of(profile, settings.mode)`, best first
To find its context window:       `await reading.windows.window_of(...)`

A profile says which base URLs and models it covers, in which order ways of asking (modes) are tried, which settings go
with a request, how long the context is and how to raise it, and what is odd about the server, each with source and
date. The first profile that covers a model counts; the user's file (PITCH_PROFILES) is read before ours.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from analyzer.errors import ConfigurationError
from analyzer.settings import MODES, Settings, server_address

Mode = Literal["json_schema", "tools", "tools_required", "tools_auto", "json", "text", "responses", "native"]
"""A way of asking: strict JSON schema; a tool call that is named, required or left to the model; a JSON object with the
schema in the prompt; text with JSON in it; OpenAI's Responses API; the maker's own API."""
Api = Literal["chat", "anthropic", "google", "sdk"]
"""Which SDK: OpenAI's, Anthropic's, Google's, or another that instructor knows."""

_TOOLS: Final[tuple[Mode, ...]] = ("tools", "tools_required", "tools_auto")
_OF_API: Final[dict[Api, tuple[Mode, ...]]] = {
    "chat": get_args(Mode),
    "anthropic": ("native", "tools", "tools_auto", "text"),
    "google": ("native", "tools", "text"),
    "sdk": ("tools",),
}
_NATIVE: Final = "native"
_CLOSE: Final = 0.8
"""How like a known provider a name has to be, from 0 to 1, to be taken for a slip."""


class _ProfilePart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Quirk(_ProfilePart):
    """One thing that is odd about a server, in a plain line."""

    says: str
    source: str
    checked: date


class Parameters(_ProfilePart):
    """What goes with a request apart from the question. `extra`: parts of the body, sent as they are."""

    temperature: bool = True
    """Whether temperature 0 is sent."""
    seed: bool = True
    max_tokens: Literal["", "max_tokens", "max_completion_tokens", "max_output_tokens"] = ""
    """The name under which the longest answer is sent; empty = not sent."""
    answer_tokens: int = Field(default=8000, ge=1000)
    """The longest answer, in tokens."""
    strict_tools: bool = False
    """Whether tools are sent with `strict`."""
    left_out: tuple[str, ...] = ()
    """Keywords of JSON Schema that the server refuses."""
    extra: dict[str, Any] = {}


class Context(_ProfilePart):
    """How long a prompt and its answer may be together, in tokens."""

    tokens: int | None = Field(default=None, ge=1000)
    """The window, if it is the same for every model of the profile."""
    ask: Literal["", "models", "ollama", "lmstudio", "props"] = ""
    """Where the server says it: /v1/models, Ollama's /api/show, LM Studio's /api/v0/models,
    llama-server's /props; empty = nowhere."""
    cuts: bool = False
    """Whether the server may cut a prompt that is too long without saying so."""
    command: str = ""
    """What raises it; `{tokens}` and `{model}` are filled in."""


class Batches(_ProfilePart):
    """How the server takes requests in batches, which are answered later and cost less."""

    protocol: Literal["openai", "anthropic"]
    """OpenAI's files and batches, or Anthropic's message batches."""
    requests: int = Field(ge=1)
    """The most requests in one batch."""
    megabytes: int = Field(ge=1)
    """The largest batch, in millions of bytes."""
    price: float = Field(default=0.5, gt=0, le=1)
    """The share of the usual price that is paid."""
    hours: int = Field(default=24, ge=1)
    """How long the server may take; what is not answered by then expires."""
    source: str
    checked: date


class Profile(_ProfilePart):
    """One server, or one family of models on it."""

    name: str
    title: str
    checked: date
    source: tuple[str, ...] = Field(min_length=1)
    tried: Literal["documentation", "mock", "server"]
    """How far this was tried: only read about, against a mock server, or against the server itself."""
    api: Api = "chat"
    providers: tuple[str, ...] = ()
    """Names before the slash of a model that mean this server."""
    hosts: tuple[str, ...] = ()
    """Hosts (`api.x.com`, `*.x.com`) and ports (`*:11434`) of OPENAI_BASE_URL that mean it."""
    owners: tuple[str, ...] = ()
    """`owned_by` in its list of models."""
    models: tuple[str, ...] = ("*",)
    """Patterns of model names, without the provider."""
    url: str = ""
    """The base URL of a provider; empty = the SDK's own."""
    url_variable: str = ""
    key: str = ""
    """The environment variable of its key; empty = it needs none."""
    local: bool = False
    """Whether it runs on the user's own machines."""
    modes: tuple[Mode, ...] = Field(min_length=1)
    """Ways of asking, best first."""
    native: Literal["", "ollama"] = ""
    """The maker's own API where its SDK is OpenAI's."""
    parameters: Parameters = Parameters()
    context: Context = Context()
    batches: Batches | None = None
    """None = none that is known."""
    price: Literal["genai-prices", "free", ""] = ""
    """Where its price is known from; empty = it is not."""
    example: str = ""
    """A command that uses it."""
    quirks: tuple[Quirk, ...] = ()

    @field_validator("modes")
    @classmethod
    def _no_mode_twice(cls, modes: tuple[Mode, ...]) -> tuple[Mode, ...]:
        if len(set(modes)) < len(modes):
            raise ValueError("a mode appears twice")
        return modes

    @model_validator(mode="after")
    def _fits(self) -> Profile:
        foreign = [mode for mode in self.modes if mode not in self.possible_modes]
        if foreign:
            raise ValueError(f"cannot be asked in the mode {foreign[0]!r}; use {', '.join(self.possible_modes)}")
        return self

    @property
    def possible_modes(self) -> tuple[Mode, ...]:
        """The modes that its API has at all."""
        if self.api == "chat" and not self.native:
            return tuple(mode for mode in _OF_API["chat"] if mode != _NATIVE)
        return _OF_API[self.api]

    @property
    def is_unknown(self) -> bool:
        """Whether nothing is known about the server."""
        return self.name.startswith("unknown")


class _File(_ProfilePart):
    profile: tuple[Profile, ...] = Field(min_length=1)


# ---------------------------------------------------------------- finding one


def profile_of(model: str, settings: Settings, owner: str = "") -> Profile:
    """The profile of `provider/name` as these settings reach it. `owner`: `owned_by` in the server's list of models.

    Raises ConfigurationError if the provider is not known, or the user's file of profiles is not valid.
    """
    provider, _, name = model.partition("/")
    url = base_url(model, settings)
    host = _host_and_port(url) if provider == "openai" and settings.openai_base_url else ""
    for profile in profiles(settings.profiles):
        if not any(fnmatchcase(name.lower(), pattern.lower()) for pattern in profile.models):
            continue
        if host:
            named = any(
                fnmatchcase(each, pattern) for each in (host, host.rpartition(":")[0]) for pattern in profile.hosts
            )
            if (owner and owner in profile.owners) or (named and not owner):
                return profile
        elif provider in profile.providers:
            return profile
    if not host:
        close = get_close_matches(provider.lower(), providers(settings), 1, _CLOSE)
        near = f"did you mean {close[0]}/{name}? Otherwise " if close else ""
        raise ConfigurationError(
            f"{provider!r} is not a provider that this program knows; {near}use one of "
            f"{', '.join(providers(settings))}, "
            "or OPENAI_BASE_URL with openai/NAME for any compatible server"
        )
    if owner:  # a server that is known by nothing but its address
        return profile_of(model, settings)
    unknown = "unknown-local" if is_local(url) else "unknown"
    return next(profile for profile in profiles(None) if profile.name == unknown)


def providers(settings: Settings) -> list[str]:
    """Every name that may stand before the slash of a model."""
    return sorted({name for profile in profiles(settings.profiles) for name in profile.providers})


def modes_of(profile: Profile, wanted: str) -> tuple[Mode, ...]:
    """The modes to try, best first. `wanted`: "auto" or the user's own choice.

    Raises ConfigurationError if the server has no such mode.
    """
    if wanted == "auto":
        return profile.modes
    if wanted == "tools":
        tools = tuple(mode for mode in profile.modes if mode in _TOOLS)
        return tools or tuple(mode for mode in _TOOLS if mode in profile.possible_modes)
    chosen = next((mode for mode in profile.possible_modes if mode == wanted), None)
    if chosen is None:
        possible = [mode for mode in MODES if mode in profile.possible_modes]
        raise ConfigurationError(
            f"{profile.title} cannot be asked in the mode {wanted}; use --mode auto, or one of {', '.join(possible)}"
        )
    return (chosen,)


def base_url(model: str, settings: Settings) -> str:
    """The base URL of the model's server; empty if only its SDK knows it."""
    provider = model.partition("/")[0]
    if provider == "openai" and settings.openai_base_url:
        return _with_version(settings.openai_base_url)
    for profile in profiles(settings.profiles):
        if provider in profile.providers:
            own = server_address(profile.url_variable) if profile.url_variable else None
            return _with_version(own) if own else profile.url
    return ""


def is_local(url: str) -> bool:
    """Whether a URL is on this machine or a private network."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith((".local", ".lan", ".internal", ".localhost")) or "." not in host


def _with_version(url: str) -> str:
    """A base URL as the SDK wants it: people also write it without /v1, or with the path of the call."""
    bare = url.rstrip("/").removesuffix("/chat/completions").removesuffix("/responses").rstrip("/")
    return bare if urlsplit(bare).path.strip("/") else f"{bare}/v1"


def _host_and_port(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return f"{(parts.hostname or '').lower()}:{port}"


# ---------------------------------------------------------------- reading the files


def profiles(own: Path | None = None) -> Sequence[Profile]:
    """The user's profiles, then ours; the first that covers a model counts. Raises ConfigurationError."""
    return (*_own(own), *_built_in()) if own is not None else _built_in()


@cache
def _built_in() -> tuple[Profile, ...]:
    text = (files("analyzer.reading") / "profiles.toml").read_text(encoding="utf-8")
    return _parsed(text, "profiles.toml")


@cache
def _own(path: Path) -> tuple[Profile, ...]:
    try:
        return _parsed(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ConfigurationError(f"{path} (PITCH_PROFILES) cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} (PITCH_PROFILES) is not UTF-8 text; save it as UTF-8") from error


def _parsed(text: str, source: str) -> tuple[Profile, ...]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{source} is not valid TOML: {error}") from error
    try:
        return _File.model_validate(content).profile
    except ValidationError as error:
        fault, count = error.errors()[0], error.error_count()
        more = f" ({count - 1} more fault{'s' if count > 2 else ''})" if count > 1 else ""
        raise ConfigurationError(f"{source}: {_place(content, fault['loc'])}: {_reason(fault)}{more}") from error


def _place(content: dict[str, Any], loc: tuple[int | str, ...]) -> str:
    """Where a fault is: the profile's name instead of its number."""
    words: list[str] = []
    for number, part in enumerate(loc):
        if number == 1 and isinstance(part, int):
            entry = content["profile"][part]
            words[-1] = f"profile {entry.get('name') or part + 1 if isinstance(entry, dict) else part + 1}"
        else:
            words.append(f"entry {part + 1}" if isinstance(part, int) else part)
    return ", ".join(words)


def _reason(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "unknown key; remove it or correct its spelling"
    return str(fault["msg"].removeprefix("Value error, "))
