"""How long a million pitches take under the rate limits of real accounts, and what they cost: the table of docs/ray.md.

python -m benchmarks.ray_plan
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

PITCHES: Final = 1_000_000
SENT: Final = 7_247
ANSWERED: Final = 626
"""Tokens of one pitch, as measured in docs/reading-measured.md."""
USD_SENT: Final = 0.10
USD_ANSWERED: Final = 0.50
"""USD for a million tokens, of openai/gpt-6-luna and of anthropic/claude-haiku-5-5 alike (November 2026)."""
LATENCY: Final = 5.0
"""Seconds that an answer is assumed to take."""
PROCESS: Final = 100.0
"""Pitches a second that one process on one core is good for (docs/bulk.md: about 150)."""


@dataclass(frozen=True)
class Tier:
    """What an account may use in a minute. None = not limited by itself."""

    name: str
    requests: int | None = None
    tokens: int | None = None
    sent: int | None = None
    answered: int | None = None

    @property
    def pitches_a_minute(self) -> float:
        limits = [
            (self.requests, 1),
            (self.tokens, SENT + ANSWERED),
            (self.sent, SENT),
            (self.answered, ANSWERED),
        ]
        return min(most / of_one for most, of_one in limits if most is not None)


TIERS: Final = (
    Tier("OpenAI, tier 1", tokens=500_000),
    Tier("OpenAI, tier 3", tokens=4_000_000),
    Tier("OpenAI, tier 4", tokens=10_000_000),
    Tier("OpenAI, tier 5", tokens=180_000_000),
    Tier("Anthropic, Start", requests=1_000, sent=500_000, answered=100_000),
    Tier("Anthropic, Scale", requests=4_000, sent=4_000_000, answered=800_000),
)


def main() -> None:
    cost = PITCHES * (SENT * USD_SENT + ANSWERED * USD_ANSWERED) / 1e6
    print("| account | pitches a minute | hours | in flight | processes | USD |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for tier in TIERS:
        minute = tier.pitches_a_minute
        hours, in_flight = PITCHES / minute / 60, math.ceil(minute / 60 * LATENCY)
        processes = max(1, math.ceil(in_flight / 256), math.ceil(minute / 60 / PROCESS))
        print(f"| {tier.name} | {minute:,.0f} | {hours:,.1f} | {in_flight:,} | {processes} | {cost:,.0f} |")


if __name__ == "__main__":
    main()
