"""How hard a model's server is pressed: one Pace a run, shared by all that is asked in it.

The one owner of retries. Hidden here: who waits for whom, and how long. A server that says "slow down" closes one gate
for everybody until the time it names; the number of requests in flight halves, and grows again with every success. So a
storm of refusals makes a run slower and fails nothing. Pauses have full jitter: a crowd that failed together does not
come back together.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from analyzer.errors import (
    ProviderDown,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnreachable,
    RateLimited,
    RunStopped,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on trying. Times in seconds.

    `tries`: of one request, by what went wrong; kinds that are not named: `other_tries`. `longest_wait`: the longest
    pause a server may ask for. `silence`: how long nothing at all may get through before the server counts as down;
    while anything does, a rate limit alone never fails a request (None: tries alone decide).
    """

    tries: Mapping[type[ProviderError], int]
    other_tries: int
    longest_wait: float
    silence: float | None = None
    longest_pause: float = 20.0


ONE: Final = Patience(
    {ProviderRejected: 1, ProviderTimeout: 2, ProviderUnreachable: 3, RateLimited: 6},
    other_tries=5,
    longest_wait=60.0,
)
"""Somebody waits in front of the page."""
MANY: Final = Patience({ProviderRejected: 1, ProviderTimeout: 4}, other_tries=10, longest_wait=900.0, silence=300.0)
"""A run that has all night."""


@dataclass(slots=True)
class Pace:
    """Lets at most `width` requests be in flight, fewer while the server pushes back."""

    patience: Patience
    width: int
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    limit: float = field(init=False)
    """How many may be in flight just now: from 1 to `width`."""
    _in_flight: int = 0
    _waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    _open_at: float = 0.0
    _cut_at: float = float("-inf")
    _heard_at: float | None = None
    _answered_at: float = float("-inf")
    _largest: float = 0.0
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.limit = float(self.width)

    async def call(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` returns, through as many tries as patience allows.

        Raises the last ProviderError, ProviderDown where nothing has got through for long, RunStopped where the run
        was stopped while this waited, and whatever else `ask` raises at once.
        """
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(ProviderError),
            stop=partial(self._enough, self.clock()),
            wait=self._pause,
            sleep=self._rest,
            reraise=True,
        ):
            with attempt:
                async with self._place():
                    return await self._ask(ask)
        raise AssertionError("the loop ends with an answer or an error")

    def told(self, headers: Mapping[str, str]) -> None:
        """Takes in what a response's headers say of limits: if one is used up, everybody waits until there is room.

        `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, the reset being the time until all of it is back.
        """
        for kind, need in (("requests", 1.0), ("tokens", self._largest)):
            left = _number(headers.get(f"x-ratelimit-remaining-{kind}"))
            reset = _seconds(headers.get(f"x-ratelimit-reset-{kind}"))
            if left is None or reset is None or left >= max(need, 1.0):
                continue
            whole = _number(headers.get(f"x-ratelimit-limit-{kind}"))
            part = min(1.0, max(need, 1.0) / (whole - left)) if whole and whole > left else 1.0
            self._close_until(self.clock() + min(reset * part, self.patience.longest_wait))

    def used(self, tokens: int) -> None:
        """Notes what one request took, as a measure for the next."""
        self._largest = max(self._largest, float(tokens))

    def stop(self) -> None:
        """Lets what is in flight finish, and nothing else begin."""
        self._stopping.set()
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    # ------------------------------------------------------------ a place

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        await self._enter()
        try:
            yield
        finally:
            self._in_flight -= 1
            self._wake()

    async def _enter(self) -> None:
        while True:
            self._check_stopped()
            wait = self._open_at - self.clock()
            if wait > 0:
                await self._rest(wait + random.random() * min(wait, 1.0))  # not all at the same moment
            elif self._in_flight < int(self.limit):
                self._in_flight += 1
                return
            else:
                turn = asyncio.get_running_loop().create_future()
                self._waiting.append(turn)
                try:
                    await turn
                finally:
                    if turn in self._waiting:
                        self._waiting.remove(turn)

    def _wake(self) -> None:
        free = int(self.limit) - self._in_flight
        while free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1

    # ------------------------------------------------------------ what came of it

    async def _ask(self, ask: Callable[[], Awaitable[T]]) -> T:
        begun = self.clock()
        if self._heard_at is None:
            self._heard_at = begun
        try:
            answer = await ask()
        except RateLimited as error:
            self._pushed_back(begun, error)
            raise
        except ProviderError as error:
            self._close_for(error.retry_after)
            raise
        self._heard_at = self._answered_at = self.clock()
        self.limit = min(float(self.width), self.limit + 1.0 / self.limit)
        return answer

    def _pushed_back(self, begun: float, error: RateLimited) -> None:
        """Halves what may be in flight, once for all that was under way together."""
        if begun > self._cut_at:
            self.limit = max(1.0, self.limit / 2)
            self._cut_at = self.clock()
        self._close_for(error.retry_after)

    def _close_for(self, seconds: float) -> None:
        if 0 < seconds <= self.patience.longest_wait:
            self._close_until(self.clock() + seconds)

    def _close_until(self, moment: float) -> None:
        self._open_at = max(self._open_at, moment)

    def _enough(self, begun: float, state: RetryCallState) -> bool:
        """Whether a request that was begun then is given up. Raises ProviderDown where the server is at fault."""
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, ProviderError):
            return True
        self._check_stopped()
        patience = self.patience
        too_often = state.attempt_number >= patience.tries.get(type(error), patience.other_tries)
        too_long = error.retry_after > patience.longest_wait
        if patience.silence is None or isinstance(error, ProviderRejected):
            return too_often or too_long
        silent = self.clock() - max(self._heard_at or 0.0, self._open_at) > patience.silence
        limited = isinstance(error, RateLimited)
        # A request that fails again and again while nothing else gets through either is not to blame.
        if silent or too_long or (too_often and not limited and self._answered_at < begun):
            raise ProviderDown(
                f"nothing has got through to the model for {self.clock() - (self._heard_at or 0.0):.0f} seconds; "
                f"the last thing was: {error}"
            ) from error
        return too_often and not limited

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, ProviderError) else 0.0
        return max(asked, wait_random_exponential(multiplier=0.5, max=self.patience.longest_pause)(state))

    async def _rest(self, seconds: float) -> None:
        """Sleeps, unless the run is stopped meanwhile."""
        sleeping = asyncio.ensure_future(self.sleep(seconds))
        stopped = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({sleeping, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            stopped.cancel()
        self._check_stopped()

    def _check_stopped(self) -> None:
        if self._stopping.is_set():
            raise RunStopped("the run was stopped before this pitch was read")


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


_PARTS: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(text: str | None) -> float | None:
    """A time as these headers write it: "1s", "6m0s", "20ms", or bare seconds."""
    if not text:
        return None
    parts = _PARTS.findall(text)
    return sum(float(number) * _UNITS[unit] for number, unit in parts) if parts else _number(text)
