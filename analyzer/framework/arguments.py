"""What callers pass for rulebooks, market maps and signals, as what it means, or refused in one line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analyzer.errors import InputError, SignalsError
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.vocabulary.signals import Signals


def as_rulebook(value: Rulebook | str | Path | None) -> Rulebook:
    """A rulebook, or the one in a TOML file; None is the built-in one. Raises RulebookError."""
    if isinstance(value, Rulebook):
        return value
    if isinstance(value, str | Path):
        return Rulebook.load(value)
    if value is None:
        return Rulebook.built_in()
    raise InputError(f"rulebook is {a_kind(value)}; pass a Rulebook, the path of a TOML file, or None")


def as_market(value: MarketMap | str | Path | None) -> MarketMap:
    """A market map, or the one in a TOML file; None is the built-in one. Raises MarketError."""
    if isinstance(value, MarketMap):
        return value
    if isinstance(value, str | Path):
        return MarketMap.load(value)
    if value is None:
        return MarketMap.built_in()
    raise InputError(f"market is {a_kind(value)}; pass a MarketMap, the path of a TOML file, or None")


def as_signals(value: Signals | Mapping[str, Any]) -> Signals:
    """Signals, or a signals document. Raises SignalsError."""
    if isinstance(value, Signals):
        return value
    if isinstance(value, Mapping):
        if "signals" in value:
            raise SignalsError("this is an assessment, not signals; pass its 'signals'")
        return Signals.from_document(dict(value), "signals")
    if hasattr(value, "signals"):
        raise SignalsError(f"signals is {a_kind(value)}; pass its .signals")
    raise SignalsError(f"signals is {a_kind(value)}; pass Signals or a signals document (a dict)")


def a_kind(value: object) -> str:
    """What a value is, in a message: "None", "a str", "an int"."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
