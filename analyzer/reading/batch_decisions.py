"""What becomes of one request of a batch run, from its latest state in the store. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from analyzer.errors import AnalyzerError, ModeRejected, ProviderRejected, SettingRejected
from analyzer.reading.exchange import EMPTY, fault_of
from analyzer.reading.provider_errors import error_from, report_of_result, rule_for
from analyzer.store.batches import StoredRequest

MOST_TRIES: Final = 3
"""Batches that may fail to answer a request before its pitch fails."""
_TRIES_IF_EMPTY: Final = 2


@dataclass(frozen=True, slots=True)
class Play:
    """Use this reply."""

    reply: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AskNext:
    """Ask it, in the next batch or live. `because`: what went wrong before, in words; empty for the first time."""

    because: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """A batch has it."""


@dataclass(frozen=True, slots=True)
class Fail:
    """Nothing more is asked; this error is what came of it."""

    error: AnalyzerError


def decide(
    stored: StoredRequest | None, *, anew: bool, settings: bool = True, body: Mapping[str, Any] | None = None
) -> Play | AskNext | Wait | Fail:
    """What becomes of a request without a stored answer. `anew`: the user asks again for whatever failed before.
    `settings`: whether the request would have temperature and the like. `body`: what is asked."""
    if stored is None:
        return AskNext()
    match stored.state:
        case "sent":
            return Wait()
        case "replied" if stored.reply is not None:
            return Play(stored.reply)
        case "replied":
            return _again(stored, anew, "the saved reply was damaged")
        case "answered":
            return _again(stored, anew, "its answer was discarded")
        case "unusable":
            return _unusable(stored, anew)
        case "failed":
            return _failed(stored, anew, settings, body or {})
        case "cancelled" if not anew:
            return Fail(ProviderRejected(f"its batch was cancelled before it was answered; {_ANEW}"))
        case state:
            return _again(stored, anew, _WORDS[state])


_ANEW: Final = "run with --batch to ask it again"
_WORDS: Final = {
    "cancelled": "the batch was cancelled",
    "expired": "the batch expired",
    "lost": "the provider lost the results",
    "unsent": "the batch was not accepted",
}


def _again(stored: StoredRequest, anew: bool, because: str) -> AskNext | Fail:
    if anew or stored.tries < MOST_TRIES:
        return AskNext(because)
    return Fail(ProviderRejected(f"no answer in {stored.tries} batches; the last time, {because}; {_ANEW}"))


def _unusable(stored: StoredRequest, anew: bool) -> AskNext | Fail:
    fault = (stored.reply or {}).get("fault")
    if anew or (fault == EMPTY and stored.tries < _TRIES_IF_EMPTY):
        return AskNext("the answer was empty" if fault == EMPTY else "the model gave no usable answer")
    return Fail(fault_of(str(fault), stored=True))


def _failed(stored: StoredRequest, anew: bool, settings: bool, body: Mapping[str, Any]) -> AskNext | Fail:
    report = report_of_result(stored.status, stored.reply, " ".join(_texts(body)))
    rule, error = rule_for(report), error_from(report)
    if isinstance(error, SettingRejected) and settings:
        return Fail(error)  # it is asked without them next
    if anew or isinstance(error, SettingRejected):
        return _again(stored, anew, rule.happened)
    if isinstance(error, ModeRejected):
        return Fail(ProviderRejected(f"{rule.happened} ({report.shown}); choose another way with --mode, and --batch"))
    if rule.action == "this pitch":
        return Fail(error)
    return _again(stored, anew, f"{rule.happened} ({report.shown})")


def _texts(part: object) -> Iterator[str]:
    """All texts in a body."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _texts(value)
