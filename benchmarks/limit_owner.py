"""What one request costs the owner of shared limits, in CPU: its own work, without the messages that Ray carries.

python -m benchmarks.limit_owner
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from analyzer.framework.assessment import Usage
from analyzer.reading.limit_owner import Ask, Go, LimitOwner, Process, Spent, Succeeded, Tokens, Word
from analyzer.reading.limits import LimitTerms, OwnLimits
from analyzer.reading.rate_limiter import MANY

_MODEL: Final = "openai/gpt-4.1-mini"
_REQUESTS: Final = 5_000
_WIDTH: Final = 256
_USAGE: Final = Usage(requests=1, input_tokens=7_247, output_tokens=626, cost_usd=0.001)


async def main() -> None:
    owner = LimitOwner(OwnLimits(LimitTerms({_MODEL: _WIDTH}, MANY)), gather=0)
    process = Process("here", "1")
    await owner.hear(process)
    began, answered, asked = time.process_time(), 0, _WIDTH
    await owner.tell(process, [Ask(call, _MODEL) for call in range(_WIDTH)])
    while answered < _REQUESTS:
        words: list[Word] = []
        for news in await owner.hear(process) or ():
            if isinstance(news, Go):
                words += [Spent(_USAGE, 0.0, True), Succeeded(news.call), Tokens(_MODEL, 7_873), Ask(asked, _MODEL)]
                answered, asked = answered + 1, asked + 1
        await owner.tell(process, words)
    print(f"{1000 * (time.process_time() - began) / answered:.2f} ms of CPU a request")


if __name__ == "__main__":
    asyncio.run(main())
