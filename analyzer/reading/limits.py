"""What limits the requests of a run: how fast they go to each model, and what all of them may cost.

A run in one process has its own limits. Several processes share those of a `LimitOwner` (`reading.limit_owner`), each
through its `SharedLimits` (`reading.shared_limits`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from analyzer.reading.rate_limiter import Limiter, RateLimiter, RetryPolicy

if TYPE_CHECKING:
    from analyzer.framework.assessment import Usage
    from analyzer.reading.spending import Spending

NOBODY: Final = ""
"""In place of a model's name, where no server is asked."""


@dataclass(frozen=True, slots=True)
class LimitTerms:
    """The limits in numbers. `widths`: how many requests may be in flight, by model. `max_cost`: USD; None = no
    limit."""

    widths: Mapping[str, int]
    policy: RetryPolicy
    max_cost: float | None = None

    @property
    def models(self) -> list[str]:
        """The models that are asked."""
        return [model for model in self.widths if model != NOBODY]


class Limits(Protocol):
    """The limits that a run's readers ask under."""

    @property
    def limiters(self) -> Mapping[str, Limiter]:
        """By model."""
        ...

    @property
    def spending(self) -> Spending:
        """Raises ConfigurationError if the cost is limited and a price is not known."""
        ...

    @property
    def spent(self) -> Usage | None:
        """What this process spent so far; None if nothing is asked."""
        ...


class OwnLimits:
    """The limits of a run in one process."""

    def __init__(self, terms: LimitTerms):
        self._terms = terms
        self._spending: Spending | None = None
        self.limiters = {model: RateLimiter(terms.policy, width) for model, width in terms.widths.items()}

    @property
    def spending(self) -> Spending:
        if self._spending is None:
            from analyzer.reading.spending import Spending

            self._spending = Spending(self._terms.models, self._terms.max_cost)
        return self._spending

    @property
    def spent(self) -> Usage | None:
        return None if self._spending is None else self._spending.total
