"""What reading costs: tokens and USD of each answer, summed over a run, and a limit that is not passed.

Prices are those of the list that genai-prices carries; where it does not know a model the cost is None, never zero.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

from analyzer.errors import ConfigurationError, CostLimitReached
from analyzer.framework.assessment import Usage

FIRST_OUTPUT_TOKENS: Final = 3000
"""How long an answer is taken to be before one was seen: longer than any of the sample pitches has."""
_MARGIN: Final = 1.25
"""By how much an answer may be longer than the longest seen so far."""


def usage_of(completion: Any, model: str) -> Usage:
    """Tokens and price of one completion; services name them in two ways."""
    told = getattr(completion, "usage", None)
    tokens = int(getattr(told, "prompt_tokens", None) or getattr(told, "input_tokens", None) or 0)
    output = int(getattr(told, "completion_tokens", None) or getattr(told, "output_tokens", None) or 0)
    details = getattr(told, "prompt_tokens_details", None)
    cached = int(getattr(details, "cached_tokens", None) or getattr(told, "cache_read_input_tokens", None) or 0)
    cost = cost_of(model, tokens, output, cached)
    return Usage(requests=1, input_tokens=tokens, cached_tokens=cached, output_tokens=output, cost_usd=cost)


def cost_of(model: str, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float | None:
    """USD for these tokens of `provider/name`; None where the price is not known."""
    from genai_prices import Usage as Priced
    from genai_prices import calc_price

    provider, _, name = model.partition("/")
    priced = Priced(input_tokens=input_tokens, cache_read_tokens=cached_tokens, output_tokens=output_tokens)
    try:
        return round(float(calc_price(priced, model_ref=name, provider_id=provider).total_price), 8)
    except LookupError:
        return None


def added(one: Usage, other: Usage) -> Usage:
    """The sum; the cost of a sum with an unknown part is unknown."""
    known = one.requests == 0 or (one.cost_usd is not None and other.cost_usd is not None)
    return Usage(
        requests=one.requests + other.requests,
        input_tokens=one.input_tokens + other.input_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        cost_usd=(one.cost_usd or 0.0) + (other.cost_usd or 0.0) if known and other.cost_usd is not None else None,
    )


def estimated_tokens(text: str) -> int:
    """Tokens of a text, rather too many than too few: three ASCII characters each, or one of any other script."""
    return len(text) if not text.isascii() and _mostly_other(text) else len(text) // 3 + 1


def _mostly_other(text: str) -> bool:
    return sum(char > "\u024f" for char in text) > len(text) // 3


@dataclass(slots=True)
class Spending:
    """A run's tally. With `limit`, in USD, no request begins that could pass it by its estimate.

    Raises ConfigurationError when made with a limit for a model whose price is not known.
    """

    model: str
    limit: float | None = None
    total: Usage = field(default_factory=Usage)
    """What was spent so far in this run."""
    _reserved: float = 0.0
    _under_way: int = 0
    _longest: float = 0.0
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        if self.limit is not None and cost_of(self.model, 1000, 1000) is None:
            raise ConfigurationError(
                f"the price of {self.model} is not known, so no limit on its cost can be kept; leave the limit out"
            )

    async def reserve(self, input_tokens: int) -> float:
        """USD set aside for one request; to be given back with `settle`. Waits for others under way where it might yet
        fit. Raises CostLimitReached."""
        while self.limit is not None:
            need = self.estimate(input_tokens) or 0.0
            spent = self.total.cost_usd or 0.0
            if spent + self._reserved + need <= self.limit:
                self._reserved += need
                self._under_way += 1
                return need
            if not self._under_way:
                raise CostLimitReached(
                    f"the next request might pass the limit of ${self.limit:g}: ${spent:.4f} are spent, "
                    f"and it may cost ${need:.4f}"
                )
            self._settled.clear()
            await self._settled.wait()
        return 0.0

    def settle(self, reserved: float, usage: Usage | None) -> None:
        """Gives back what was set aside, and counts what was used (None: nothing came of it)."""
        if self.limit is not None:
            self._under_way -= 1
            self._reserved = self._reserved - reserved if self._under_way else 0.0
        if usage is not None:
            self.total = added(self.total, usage)
            self._longest = max(self._longest, float(usage.output_tokens))
        self._settled.set()

    def estimate(self, input_tokens: int) -> float | None:
        """USD that a request may cost, by its input and the longest answer so far; None = price not known."""
        longest = self._longest * _MARGIN if self.total.requests >= 8 else max(self._longest, FIRST_OUTPUT_TOKENS)
        return cost_of(self.model, input_tokens, int(longest))
