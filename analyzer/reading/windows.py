"""How long a model's context is, and whether a prompt and its answer fit.

To find the window of a model: `await window_of(client, ...)`. Servers differ in where they say it; a server that says
nothing is asked all the same, and `check_whole_prompt` looks at its answer: a prompt must never be cut unnoticed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import httpx
import openai

from analyzer.errors import AnalyzerError, ConfigurationError, PitchTooLong
from analyzer.reading.clients import ModelClient
from analyzer.reading.modes import ModelQuestion
from analyzer.reading.profiles import Profile, base_url, is_local, profile_of
from analyzer.reading.spending import estimated_tokens
from analyzer.settings import Settings

_WAIT: Final = 5.0
"""Seconds to wait for what a server says about itself."""
ANSWER_TOKENS: Final = 1500
"""Room that an answer needs; those to the sample pitches take 600 to 1,200."""
_STEPS: Final = (8192, 16_384, 32_768, 65_536, 131_072)
"""Windows that are set: few, because Ollama loads the model again for each."""
_SMALL_PROMPT: Final = 6000
"""Tokens of a prompt that every hosted model has room for, so that its server need not be asked."""
_MARGIN: Final = 1.2
"""How much longer the context is that a user is told to set, as a factor."""
_SEEN: Final = 0.6
"""The share of a prompt's estimated tokens that a server has to report as read; less means that it may be cut."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer tells about the prompt that was read. `prompt_tokens`: by the server's count; `codes`: the numbers
    that it returns. None = it does not say."""

    prompt_tokens: int | None
    codes: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Window:
    """A model's context. `tokens`: what a prompt and its answer may take together; None = not known. `settable`:
    whether it is set with each request, up to that."""

    tokens: int | None = None
    settable: bool = False

    def to_set(self, question: ModelQuestion) -> int | None:
        """The window to ask for, the least step with room for this question; None where it is not set."""
        if not self.settable:
            return None
        need = high_estimate(question) + 2 * ANSWER_TOKENS
        step = next((step for step in _STEPS if step >= need), _STEPS[-1])
        return step if self.tokens is None else min(step, self.tokens)


async def window_of(client: ModelClient, settings: Settings, *, large_prompt: bool = False) -> tuple[Profile, Window]:
    """The profile of the model's server, more exact if the server tells its kind, and the model's window.

    A hosted service is only asked about a `large_prompt`. Never raises for a server that does not say.
    """
    profile = client.profile
    if profile.api != "chat" or (not profile.local and not large_prompt and not profile.is_unknown):
        return profile, Window(profile.context.tokens)
    local = profile.local or is_local(base_url(client.model, settings))
    if not local and (not large_prompt or not profile.context.ask):
        return profile, Window(profile.context.tokens)
    listed = await _listed(client) if profile.context.ask != "ollama" else {}
    owner = listed.get("owned_by")
    if isinstance(owner, str) and owner and local:
        profile = profile_of(client.model, settings, owner)
    tokens = _tokens_in(listed) or profile.context.tokens
    if profile.context.ask == "ollama":
        shown = await _json(client, "POST", "/api/show", {"model": client.name})
        return profile, Window(_ollama_tokens(shown), settable=True)
    if profile.context.ask == "lmstudio":
        tokens = (
            _count((await _json(client, "GET", f"/api/v0/models/{client.name}")).get("loaded_context_length")) or tokens
        )
    if profile.context.ask == "props":
        props = await _json(client, "GET", "/props")
        generation = props.get("default_generation_settings")
        tokens = _count(generation.get("n_ctx") if isinstance(generation, Mapping) else None) or tokens
    return profile, Window(tokens)


def check_fits(question: ModelQuestion, window: Window, profile: Profile, model: str) -> None:
    """Check before anything is sent that prompt and answer fit. `rules`: whether the system message has the rules.

    Raises ConfigurationError if no pitch would fit, PitchTooLong if this one does not.
    """
    if window.tokens is None:
        return
    need = low_estimate(question) + ANSWER_TOKENS
    if need <= window.tokens:
        return
    without_pitch = need - len(question.pitch.text) // 4
    context = f"the context of {model} is {window.tokens:,} tokens"
    advice = "Use another model"
    if profile.context.command and not window.settable:
        advice = f"Start its server with a longer one: {_command(profile, model, need)}"
    if without_pitch > window.tokens:
        raise ConfigurationError(
            f"{context}, and any pitch needs more than {without_pitch:,}; nothing was sent. {advice}"
        )
    raise PitchTooLong(f"{context}, and this pitch needs about {need:,}; nothing was sent. {advice}")


def check_whole_prompt(question: ModelQuestion, profile: Profile, model: str, answered: Answered) -> str | None:
    """Check by an answer that the model saw the whole prompt; None if it did, else a note for people where that is
    not certain.

    Raises ConfigurationError if the prompt was cut: the server counts too few tokens and the answer does not return
    both codes, or it counts none and the answer returns one of the two.
    """
    sent = low_estimate(question)
    counted = answered.prompt_tokens
    if counted is not None and counted >= _SEEN * sent:
        return None
    right = [one == other for one, other in zip(question.codes or (), answered.codes or (), strict=False)]
    if len(right) == 2 and all(right):
        return None
    if counted is None and not any(right):
        return "The server does not say how many tokens it read, so a prompt that was cut would go unnoticed."
    if counted is not None and not (profile.context.cuts or question.codes):
        return f"The server counts {counted:,} prompt tokens where about {sent:,} were sent; caches may explain it."
    evidence = f"its server read {counted:,} tokens of about {sent:,}" if counted else "it saw only one end of it"
    command = _command(profile, model, sent + ANSWER_TOKENS) if profile.context.command else ""
    raise ConfigurationError(
        f"{model} did not see the whole prompt ({evidence}), so its answers cannot be used. "
        f"Give it a longer context{f': {command}' if command else ' on its server: 16,384 tokens or more'}"
    )


def _command(profile: Profile, model: str, need: int) -> str:
    """The command that starts the server with room for so many tokens."""
    tokens = next((step for step in _STEPS if step >= need * _MARGIN), _STEPS[-1])
    return profile.context.command.format(tokens=tokens, model=model.partition("/")[2])


def low_estimate(question: ModelQuestion) -> int:
    """At least so many tokens a prompt has: one for four characters of English."""
    return sum(_at_least(message["content"]) for message in question.messages())


@lru_cache(maxsize=64)
def _at_least(text: str) -> int:
    return len(text) // 4 if text.isascii() else len(text.encode("utf-8", "replace")) // 5


def high_estimate(question: ModelQuestion) -> int:
    """At most about so many tokens a prompt has, rules and schema included."""
    texts = [message["content"] for message in question.messages()]
    return sum(map(estimated_tokens, texts))


def is_large(question: ModelQuestion) -> bool:
    """Whether the prompt is long enough to ask a hosted service for the model's window."""
    return high_estimate(question) > _SMALL_PROMPT


# ---------------------------------------------------------------- what servers say


async def _listed(client: ModelClient) -> Mapping[str, Any]:
    """The model's entry in /v1/models; empty if there is none."""
    content = await _json(client, "GET", "/models", version=True)
    entries = content.get("data")
    if not isinstance(entries, list):
        return {}
    models: list[Mapping[str, Any]] = [each for each in entries if isinstance(each, Mapping)]
    named = [each for each in models if each.get("id") in (client.name, f"{client.name}:latest")]
    return named[0] if named else models[0] if len(models) == 1 else {}


_FIELDS: Final = ("max_model_len", "context_length", "context_window", "max_context_length", "loaded_context_length")


def _tokens_in(entry: Mapping[str, Any]) -> int | None:
    return next((tokens for name in _FIELDS if (tokens := _count(entry.get(name)))), None)


def _ollama_tokens(shown: Mapping[str, Any]) -> int | None:
    info = shown.get("model_info")
    lengths = info.items() if isinstance(info, Mapping) else ()
    return next((_count(value) for name, value in lengths if str(name).endswith(".context_length")), None)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


async def _json(
    client: ModelClient, method: str, path: str, body: object = None, *, version: bool = False
) -> Mapping[str, Any]:
    """What a server says at a path; empty if it says nothing that can be used, or not in time."""
    sdk = client.sdk if version else client.outside_version()
    call = sdk.get(path, cast_to=object) if method == "GET" else sdk.post(path, cast_to=object, body=body)
    try:
        content = await asyncio.wait_for(call, _WAIT)
    except (openai.OpenAIError, httpx.HTTPError, AnalyzerError, OSError, ValueError, TypeError):
        return {}
    return content if isinstance(content, Mapping) else {}
