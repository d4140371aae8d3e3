"""Counts what reading costs: tokens and USD of each answer, summed over a run, and enforces a limit.

Prices come from the package genai-prices; if it does not know a model, the cost is None, never zero.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from analyzer.errors import ConfigurationError, CostLimitReached
from analyzer.framework.assessment import Usage

FIRST_OUTPUT_TOKENS: Final = 3000
"""Assumed length of an answer before one was seen: longer than that of any sample pitch."""
_MARGIN: Final = 1.25
"""How much longer an answer may be than the longest seen so far, as a factor."""


MOST_TOKENS: Final = 10**12
"""A larger count cannot be that of a request: it is unknown, like one that is negative or not a number."""


@dataclass(frozen=True, slots=True)
class Reported:
    """The usage that a completion reports. `known`: its numbers are plausible. `note`: what is wrong with them, for
    people."""

    usage: Usage
    known: bool = True
    note: str | None = None


def usage_of(completion: Any, model: str, price: float = 1.0) -> Reported:
    """Read tokens and price of one completion, whatever a server sends; never raises. `price`: the share of the usual
    price that it costs.

    `input_tokens` holds the cached ones. A count that is missing or implausible makes the cost unknown.
    """
    reported = _get(completion, "usage") or _get(completion, "usage_metadata")
    tokens = _count(reported, "prompt_tokens", "input_tokens", "prompt_token_count")
    output = _count(reported, "completion_tokens", "output_tokens", "candidates_token_count")
    details = _get(reported, "prompt_tokens_details") or _get(reported, "input_tokens_details")
    cached = _count(details, "cached_tokens")
    if cached is None:
        cached = _count(reported, "cache_read_input_tokens", "cached_content_token_count") or 0
    note = None
    if tokens is not None and _count(reported, "prompt_tokens") is None:  # Anthropic counts cached ones apart
        apart = [_count(reported, name) or 0 for name in ("cache_read_input_tokens", "cache_creation_input_tokens")]
        tokens += sum(apart)
    if tokens is not None and cached > tokens:
        tokens += cached
        note = "The server reports more cached than prompt tokens; both were added, so the cost may be too high."
    known = tokens is not None and output is not None
    cost = cost_of(model, tokens or 0, output or 0, cached) if known else None
    cost = round(cost * price, 8) if cost is not None else None
    if not known and cost_of(model, 1000, 1000) is not None:
        note = "The server does not say how many tokens this took, so the cost is unknown."
    usage = Usage(requests=1, input_tokens=tokens or 0, cached_tokens=cached, output_tokens=output or 0, cost_usd=cost)
    return Reported(usage, known, note)


def _count(holder: object, *names: str) -> int | None:
    """The first of these that is a number of tokens; None if none is."""
    for name in names:
        value = _get(holder, name)
        if isinstance(value, bool):
            continue
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            continue
        if 0 <= number <= MOST_TOKENS:  # false for NaN
            return int(number)
    return None


def _get(holder: object, name: str) -> Any:
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


def known_models(provider: str) -> list[str]:
    """The models of a provider that the price list knows, for completion; none for a provider that it does not know."""
    from genai_prices.data import providers

    return sorted(model.id for each in providers if each.id == provider for model in each.models)


def cost_of(
    model: str, input_tokens: int, output_tokens: int, cached_tokens: int = 0, at: datetime | None = None
) -> float | None:
    """USD for these tokens of `provider/name`; None if the price is unknown. Never raises. `at`: a time with its zone,
    for makers whose price depends on the hour; None = now."""
    from genai_prices import Usage as Priced
    from genai_prices import calc_price

    provider, _, name = model.partition("/")
    priced = Priced(input_tokens=input_tokens, cache_read_tokens=cached_tokens, output_tokens=output_tokens)
    try:
        return round(
            float(calc_price(priced, model_ref=name, provider_id=provider, genai_request_timestamp=at).total_price), 8
        )
    except Exception:  # noqa: BLE001  # a fault in the price list must not lose a paid answer
        return None


def added(one: Usage, other: Usage) -> Usage:
    """Add two usages; if the cost of one is unknown, so is the sum's."""
    known = one.requests == 0 or (one.cost_usd is not None and other.cost_usd is not None)
    return Usage(
        requests=one.requests + other.requests,
        input_tokens=one.input_tokens + other.input_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        cost_usd=(one.cost_usd or 0.0) + (other.cost_usd or 0.0) if known and other.cost_usd is not None else None,
    )


@lru_cache(maxsize=64)
def estimated_tokens(text: str) -> int:
    """Estimate the tokens of a text, on the high side: one for three ASCII characters, or for one of another script."""
    return len(text) if not text.isascii() and _mostly_other(text) else len(text) // 3 + 1


def _mostly_other(text: str) -> bool:
    few = len(text) // 3
    if len(text.encode("utf-8", "replace")) - len(text) <= few:  # each such character takes two bytes or more
        return False
    return sum(map(len, _OTHER_SCRIPT.findall(text))) > few


_OTHER_SCRIPT: Final = re.compile(r"[^\0-\u024f]+")
"""What is not in Latin letters."""


@dataclass(slots=True)
class Spending:
    """What a run spends on all of its models. With `limit`, in USD, no request starts that could exceed it by its
    estimate.

    Raises ConfigurationError when made with a limit for a model whose price is not known.
    """

    models: Sequence[str]
    limit: float | None = None
    total: Usage = field(default_factory=Usage)
    """What the run has spent so far; its cost is unknown as soon as that of one answer is."""
    _at_most: float = 0.0
    """USD spent so far: known costs, plus the estimate for each request whose cost is unknown."""
    _blind: bool = False
    _reserved: float = 0.0
    _under_way: int = 0
    _longest: float = 0.0
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        unknown = [model for model in self.models if cost_of(model, 1000, 1000) is None]
        if self.limit is not None and unknown:
            raise ConfigurationError(
                f"the price of {unknown[0]} is not known, so a cost limit cannot be enforced; run without one"
            )

    def reservation(self, model: str, texts: Iterable[str], more_tokens: int) -> Reservation:
        """Make a reservation for one request of these texts and `more_tokens`; nothing is reserved yet."""
        return Reservation(self, model, more_tokens + sum(map(estimated_tokens, texts)))

    async def set_aside(self, model: str, tokens: int) -> float:
        while self.limit is not None:
            if self._blind:
                raise CostLimitReached(
                    f"the server does not say how many tokens its answers take, so the limit of ${self.limit:g} cannot "
                    f"be enforced; up to ${self._at_most:.4f} spent. Run again without the limit"
                )
            need = self._estimate(model, tokens) or 0.0
            if self._at_most + self._reserved + need <= self.limit:
                self._reserved += need
                self._under_way += 1
                return need
            if not self._under_way:
                raise CostLimitReached(
                    f"the next request could exceed the limit of ${self.limit:g}: ${self._at_most:.4f} spent so far, "
                    f"and it may cost ${need:.4f}"
                )
            self._settled.clear()
            await self._settled.wait()
        return 0.0

    def give_back(self, need: float) -> None:
        if self.limit is not None:
            self._under_way -= 1
            self._reserved = self._reserved - need if self._under_way else 0.0
        self._settled.set()

    def count(self, usage: Usage, at_most: float, answered: bool) -> None:
        self.total = added(self.total, usage)
        self._at_most += at_most if usage.cost_usd is None else usage.cost_usd
        self._longest = max(self._longest, float(usage.output_tokens))
        self._blind = self._blind or (answered and usage.cost_usd is None)

    def assume(self, cost: float) -> None:
        """Count a request that may have been paid for and of which nothing came back."""
        self._at_most += cost

    def _estimate(self, model: str, input_tokens: int) -> float | None:
        """USD that a request may cost, by its input and the longest answer so far; None = price unknown."""
        longest = self._longest * _MARGIN if self.total.requests >= 8 else max(self._longest, FIRST_OUTPUT_TOKENS)
        return cost_of(model, input_tokens, int(longest))


@dataclass(slots=True)
class Reservation:
    """The money reserved for one request. Each attempt begins with `set_aside` and ends with `answered`, `lost` or
    `release`. Reserve only with a free slot to send from: waiting for a slot with money reserved could block a run.
    """

    spending: Spending
    model: str
    tokens: int
    need: float = 0.0
    _held: bool = False

    async def set_aside(self) -> None:
        """Reserve the estimate; wait for requests under way if it may fit later. Raises CostLimitReached."""
        self.need = await self.spending.set_aside(self.model, self.tokens)
        self._held = True

    def answered(self, usage: Usage) -> None:
        """Count the cost of an answer, usable or not. If it does not say, a limit can no longer be enforced."""
        self.spending.count(usage, self.need, answered=True)
        self.release()

    def lost(self, received: bool) -> None:
        """Count a request that may have been paid for but does not say what it cost: as much as was reserved.
        `received`: whether the server sent something."""
        if received:
            self.spending.count(Usage(requests=1), self.need, answered=False)
        else:
            self.spending.assume(self.need)
        self.release()

    def release(self) -> None:
        """Return the reserved money unspent."""
        if self._held:
            self._held = False
            self.spending.give_back(self.need)
