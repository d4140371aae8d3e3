"""The signals that are compared: their values, their order, what decides between values, and what a reading says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import numpy as np

from analyzer.agreement.statistics import Floats
from analyzer.files.manual_scores import ORDERS, VALUES
from analyzer.framework.inputs import lean, positions
from analyzer.vocabulary.derived import LEANS
from analyzer.vocabulary.partial_order import Order
from analyzer.vocabulary.signals import LIST_RULES, SIGNALS, UNKNOWN, Quote, Signals

SignalKind = Literal["scope", "ordered", "unordered", "competitors"]
"""`ordered`: at least two of the signal's values are more than one step apart."""
SCOPE: Final = ("true", "false")
COMPARED: Final = ("in_scope", *VALUES)
_RULE_OF: Final = {"stage": "stage", "focus": "focus", "persona": "personas", "competitors": "competitors"}


def kind(name: str) -> SignalKind:
    """The kind of a compared signal, which decides which figures apply to it."""
    if name in ("in_scope", "competitors"):
        return "scope" if name == "in_scope" else "competitors"
    return "ordered" if steps(name).max(initial=0) > 1 else "unordered"


def options(name: str) -> tuple[str, ...]:
    """Every value that a reader or rater can choose for a signal."""
    return SCOPE if name == "in_scope" else (*VALUES[name], UNKNOWN)


def steps(name: str) -> Floats:
    """How many steps apart any two values of a signal are (`Order.distance`), without unknown.

    No entry is above 1 where the values have no order, or only orders of one step: weights would change nothing.
    """
    values, order = options(name)[:-1], ORDERS.get(name, Order())
    return np.array([[order.distance(value, other) for other in values] for value in values], dtype=float)


def rule(name: str) -> str:
    """The vocabulary's rule that decides between the values of a signal."""
    return SIGNALS[name].rule if name in SIGNALS else LIST_RULES[_RULE_OF.get(name, name)]


def extracted_value(signals: Signals, name: str) -> str:
    """The value of a signal in a reading, in the words of a manual score: leans, the main user, single values."""
    if name == "in_scope":
        return SCOPE[not signals.in_scope]
    if name in LEANS:
        return lean(name, positions(signals)[name]) or UNKNOWN
    if name == "persona":
        return signals.personas[0].role if signals.personas else UNKNOWN
    return str(signals.single(name).value)


def quoted(signals: Signals, name: str) -> tuple[str, ...]:
    """The texts that a reading quotes for a signal, each once."""
    quotes: Iterable[Quote | None]
    if name in LEANS:
        quotes = (problem.quote for problem in signals.problems)
    elif name == "persona":
        quotes = (persona.quote for persona in signals.personas[:1])
    elif name == "competitors":
        quotes = (competitor.quote for competitor in signals.competitors)
    else:
        quotes = signals.single(name).quotes if name in SIGNALS else ()
    return tuple(dict.fromkeys(quote.text for quote in quotes if quote is not None))
