"""What comes of one pitch of many, and how far a run is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzer.errors import AnalyzerError
from analyzer.framework.assessment import Assessment, Usage


@dataclass(frozen=True, slots=True)
class Result:
    """One pitch of many: an assessment, or the error that stands in its place. `number` counts from 0, as given.

    `from_store`: nothing was asked for it in this run. `title` and `sha256` are the pitch's, where there was a text.
    """

    number: int
    id: str
    assessment: Assessment | None = None
    error: AnalyzerError | None = None
    from_store: bool = False
    title: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, as of its last result. Times in seconds, cost in USD.

    `usage` is what this run has spent; `failed` counts results with an error, by its kind. `total` is None where nobody
    knows how many pitches there are; `limit` is how many requests may be in flight just now.
    """

    done: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    from_store: int = 0
    total: int | None = None
    usage: Usage = Usage()
    elapsed: float = 0.0
    limit: int = 0

    @property
    def finished(self) -> int:
        """Results so far, of either kind."""
        return self.done + sum(self.failed.values())

    @property
    def rate(self) -> float:
        """Pitches a second, those from the store left out."""
        return (self.finished - self.from_store) / self.elapsed if self.elapsed else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds until the end at this rate; None while that cannot be told."""
        if self.total is None or not self.rate:
            return None
        return max(0, self.total - self.finished) / self.rate

    @property
    def cost_estimate(self) -> float | None:
        """USD the whole run may cost, if the rest is like what was asked so far; None while that cannot be told."""
        asked = self.finished - self.from_store
        if self.total is None or self.usage.cost_usd is None or not asked:
            return None
        return self.usage.cost_usd * (asked + max(0, self.total - self.finished)) / asked


class UnexpectedError(AnalyzerError):
    """A fault of this program, met while reading one of many pitches; the others go on."""

    kind = "unexpected"
