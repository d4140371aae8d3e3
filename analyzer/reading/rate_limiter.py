"""How fast requests go to a model's server: one RateLimiter a run, shared by all of its requests.

The one owner of retries. Hidden here: which request waits, and how long. How many requests may be in flight falls in
proportion to the share of requests that the server refuses, and rises with every answer: a server that refuses all of
them halves it at once, a refusal now and then costs next to nothing. A wait that the server asks for holds for all
requests where refusals are frequent, and for the refused request alone where they are rare. Pauses have full jitter:
requests that failed together do not come back together.
"""

from __future__ import annotations

import asyncio
import email.utils
import math
import random
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from analyzer.errors import (
    ConfigurationError,
    ProviderDown,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnreachable,
    RateLimited,
    RunStopped,
)
from analyzer.patterns import late
from analyzer.settings import GIVE_UP_AFTER

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to go on trying. Times in seconds.

    `attempts`: of one request, by what went wrong; `other_attempts` for kinds that are not listed. `longest_wait`: the
    longest wait that a server may ask for. `give_up_after`: how long nothing at all may get through before the server
    counts as down. While it is set, only attempts count that fail while other requests get through, or that the server
    replied to without an answer while few requests fail, and a rate limit never fails a request; None: the number of
    attempts alone decides.
    """

    attempts: Mapping[type[ProviderError], int]
    other_attempts: int
    longest_wait: float
    give_up_after: float | None = None
    longest_pause: float = 20.0


ONE: Final = RetryPolicy(
    {ProviderRejected: 1, ProviderTimeout: 2, ProviderUnreachable: 3, RateLimited: 6},
    other_attempts=5,
    longest_wait=60.0,
)
"""For one pitch, while somebody waits."""
MANY: Final = RetryPolicy(
    {ProviderRejected: 1, ProviderTimeout: 4}, other_attempts=10, longest_wait=86_400.0, give_up_after=GIVE_UP_AFTER
)
"""For a run over many pitches."""

_FREQUENT: Final = 0.2
"""From this share of refusals on, a wait that the server asks for holds for all requests."""
_MEMORY: Final = 0.95
"""What one response weighs, compared to the one after it, in the share of refusals."""
_GROWTH: Final = 0.05
"""By how much of itself the limit grows while as many requests as it allows are answered."""
_PROBE_EVERY: Final = 60.0
"""Seconds between two requests that try whether the server answers again, while a long wait holds for all requests."""
_BLAMED: Final = 3
"""From so many attempts on that failed while others got through, a request alone may be at fault, not the server."""
_FEW: Final = 3
"""So many requests at most count as at fault themselves where the server replies, but with an answer to none."""


class Limiter(Protocol):
    """What a reader needs of a limiter: the run's own, or one that several processes share."""

    @property
    def policy(self) -> RetryPolicy: ...

    @property
    def width(self) -> int: ...

    @property
    def limit(self) -> float: ...

    async def call(self, request: Callable[[], Awaitable[T]]) -> T: ...

    def observe(self, headers: Mapping[str, str]) -> None: ...

    def record_usage(self, tokens: int) -> None: ...

    def stop(self) -> None: ...

    def check_stopped(self) -> None: ...


@dataclass(slots=True)
class _Call:
    """One request over all of its attempts. `blamed`: attempts whose failure the server is not to blame for, as other
    requests got through meanwhile, or as it replied and few requests fail."""

    since: float
    blamed: int = 0


@dataclass(slots=True)
class RateLimiter:
    """Lets at most `width` requests be in flight, fewer while the server pushes back."""

    policy: RetryPolicy
    width: int
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    limit: float = field(init=False)
    """How many requests may be in flight right now: from 1 to `width`."""
    _in_flight: int = 0
    _waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    _closed_at: float = float("-inf")
    _open_at: float = float("-inf")
    _probe_at: float = float("-inf")
    _cut_at: float = float("-inf")
    _answered_at: float = float("-inf")
    _failing_since: float | None = None
    _failing: set[int] = field(default_factory=set)
    _given_up: int = 0
    _refused: float = 0.0
    _seen: float = 0.0
    _largest: float = 0.0
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _reopened: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.limit = float(self.width)

    async def call(self, request: Callable[[], Awaitable[T]]) -> T:
        """Return what `request` returns, in as many attempts as the policy allows.

        Raises the last ProviderError, ProviderDown if nothing got through for `give_up_after` seconds, RunStopped if
        the run was stopped while this request waited, and anything else that `request` raises at once.
        """
        call = _Call(self.clock())
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(ProviderError),
                stop=partial(self._is_over, call),
                wait=self._pause,
                sleep=self._rest,
                reraise=True,
            ):
                with attempt:
                    async with self._slot():
                        return await self._attempt(request)
        finally:
            self._failing.discard(id(call))
        raise AssertionError("the loop ends with an answer or an error")

    def observe(self, headers: Mapping[str, str]) -> None:
        """Read the rate-limit headers of a response: if a limit is used up, all requests wait until one fits again.

        Understands `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` and
        `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}`; a reset is when the
        whole limit is back. A value that makes no sense is ignored.
        """
        for pattern, kinds in _HEADERS:
            for kind in kinds:
                need = 1.0 if kind == "requests" else self._largest
                self._observe(headers, partial(pattern.format, kind=kind), need)

    def record_usage(self, tokens: int) -> None:
        """Note how many tokens one request used, to estimate the next."""
        self._largest = max(self._largest, float(tokens))

    def stop(self) -> None:
        """Let requests in flight finish and start no others."""
        self._stopping.set()
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    # ------------------------------------------------------------ a slot

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        await self._enter()
        try:
            yield
        finally:
            self._in_flight -= 1
            self._wake()

    async def _enter(self) -> None:
        while True:
            self.check_stopped()
            clock = self.clock()
            if clock >= self._open_at:
                if self._in_flight < int(self.limit):
                    self._in_flight += 1
                    return
                await self._turn()
            elif clock >= self._probe_at and self._in_flight < int(self.limit):
                self._probe_at = clock + self._within_give_up(_PROBE_EVERY)
                self._in_flight += 1
                return
            else:
                wait = self._open_at - clock
                wait = min(wait, max(self._probe_at - clock, 1.0))
                # Not all at the same moment.
                await self._rest(wait + random.random() * min(wait, 1.0), self._reopened)

    async def _turn(self) -> None:
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

    async def _attempt(self, request: Callable[[], Awaitable[T]]) -> T:
        started = self.clock()
        try:
            answer = await request()
        except ConfigurationError:
            self.stop()  # every other request would fail in the same way: none takes over this slot
            raise
        except ProviderRejected:
            raise  # the server answers; it refuses only this request
        except ProviderError as error:
            self._failed(started, error)
            raise
        self._answered(started)
        return answer

    def _failed(self, started: float, error: ProviderError) -> None:
        pushed_back = isinstance(error, RateLimited) or error.retry_after > 0
        self._count(refused=pushed_back)
        if self._failing_since is None:
            self._failing_since = max(started, self._answered_at)
        if isinstance(error, RateLimited) and started > self._cut_at:
            self.limit = max(1.0, self.limit * (1 - self._share / 2))  # once for all that were in flight together
            self._cut_at = self.clock()
        wait = error.retry_after
        if pushed_back and self._share >= _FREQUENT and 0 < wait <= self.policy.longest_wait:
            self._close_until(self.clock() + wait)

    def _answered(self, started: float) -> None:
        self._answered_at = self.clock()
        self._failing_since = None
        self._failing.clear()
        self._given_up = 0
        self._count(refused=False)
        self.limit = min(float(self.width), self.limit + _GROWTH + 1.0 / self.limit)
        if (
            self._closed_at < started and self._answered_at < self._open_at
        ):  # a probe got through: no need to wait longer
            self._open_at = self._answered_at
            self._reopened.set()

    def _count(self, *, refused: bool) -> None:
        self._refused = self._refused * _MEMORY + refused
        self._seen = self._seen * _MEMORY + 1

    @property
    def _share(self) -> float:
        """The share of refusals among the latest responses."""
        return self._refused / self._seen if self._seen else 0.0

    def _observe(self, headers: Mapping[str, str], name: Callable[..., str], need: float) -> None:
        need = max(need, 1.0)
        left = _number(headers.get(name(what="remaining")))
        reset = seconds_until(headers.get(name(what="reset")), self.now())
        if left is None or reset is None or left >= need:
            return
        whole = _number(headers.get(name(what="limit")))
        part = min(1.0, need / (whole - left)) if whole is not None and whole > left else 1.0
        self._close_until(self.clock() + min(reset * part, self.policy.longest_wait))

    def _close_until(self, moment: float) -> None:
        clock = self.clock()
        if clock >= self._open_at:
            self._closed_at = clock
            self._probe_at = clock + self._within_give_up(_PROBE_EVERY)
            self._reopened.clear()
        self._open_at = max(self._open_at, moment)

    def _within_give_up(self, seconds: float) -> float:
        """These seconds, or fewer if the run gives up earlier."""
        return seconds if self.policy.give_up_after is None else min(seconds, self.policy.give_up_after)

    def _is_over(self, call: _Call, state: RetryCallState) -> bool:
        """Whether to give up a request. Raises ProviderDown if the server is at fault."""
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, ProviderError):
            return True
        self.check_stopped()
        policy = self.policy
        kinds = (kind for kind in type(error).__mro__ if kind in policy.attempts)
        attempts = policy.attempts.get(next(kinds, ProviderError), policy.other_attempts)
        if policy.give_up_after is None:
            return state.attempt_number >= attempts or error.retry_after > policy.longest_wait
        if isinstance(error, ProviderRejected):
            return state.attempt_number >= attempts
        clock = self.clock()
        self._failing.add(id(call))
        replied = error.replied and len(self._failing) + self._given_up <= _FEW
        call.blamed += replied or self._answered_at > call.since
        call.since = clock
        if call.blamed >= attempts and not isinstance(error, RateLimited):
            self._given_up += 1
            return True
        silent = clock - self._failing_since if self._failing_since is not None else 0.0
        if silent >= policy.give_up_after:
            if call.blamed >= _BLAMED and len(self._failing) == 1:  # all others got through
                return True
            raise ProviderDown(
                f"the model's server has not answered any request for {silent:.0f} seconds; last error: {error}"
            ) from error
        return False

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, ProviderError) else 0.0
        jitter = wait_random_exponential(multiplier=0.5, max=self.policy.longest_pause)(state)
        return self._within_give_up(
            max(min(asked, _PROBE_EVERY), jitter)
        )  # longer waits hold for all requests, see `_enter`

    async def _rest(self, seconds: float, until: asyncio.Event | None = None) -> None:
        """Sleep until the run is stopped or the event is set, at most so long."""
        events = [self._stopping] if until is None else [self._stopping, until]
        tasks = [asyncio.ensure_future(work) for work in (self.sleep(seconds), *(event.wait() for event in events))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        self.check_stopped()

    def check_stopped(self) -> None:
        """Raises RunStopped if the run was stopped."""
        if self._stopping.is_set():
            raise stopped()


def stopped() -> RunStopped:
    """The error of a pitch that was not read because the run ended."""
    return RunStopped("the run was stopped before this pitch was read")


# ---------------------------------------------------------------- headers


def limit_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a response that `observe` looks at, by their names in lower case."""
    return {name.lower(): value for name, value in headers.items() if name.lower().startswith(_PREFIXES)}


_PREFIXES: Final = ("x-ratelimit-", "anthropic-ratelimit-")
_HEADERS: Final = (
    ("x-ratelimit-{what}-{kind}", ("requests", "tokens")),
    ("anthropic-ratelimit-{kind}-{what}", ("requests", "tokens", "input-tokens", "output-tokens")),
)
_LONGEST: Final = 86_400.0
"""No wait is longer than a day, whatever a header says."""
_EPOCH: Final = 1e9
_PARTS: Final = late(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float:
    """Seconds that a response asks to wait, at most a day; 0 if it does not say, or in an unknown form."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return min(milliseconds / 1000, _LONGEST)
    return seconds_until(headers.get("retry-after"), time.time() if now is None else now) or 0.0


def seconds_until(text: str | None, now: float) -> float | None:
    """A time as headers write it, in seconds from now: "1s", "6m0s", "20ms", bare seconds, or a date (RFC 3339 or
    HTTP). At most a day, 0 for a date in the past, None for anything else."""
    text = (text or "").strip()
    seconds = _number(text)
    if seconds is None and re.fullmatch(f"(?:{_PARTS.pattern})+", text):
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _PARTS.findall(text))
    if seconds is not None and seconds > _EPOCH:  # a moment, in seconds or milliseconds since 1970
        moment = seconds if seconds < _EPOCH * 1000 else seconds / 1000
        seconds = max(0.0, moment - now) if moment < _EPOCH * 100 else None
    elif seconds is None:
        date = _date(text)
        seconds = None if date is None else max(0.0, date - now)
    return None if seconds is None else min(seconds, _LONGEST)


def _number(text: str | None) -> float | None:
    """A finite number from 0 on; None for anything else."""
    try:
        number = float(text) if text else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _date(text: str) -> float | None:
    """Seconds since 1970 of a date; None if it is not one."""
    for parse in (datetime.fromisoformat, email.utils.parsedate_to_datetime):
        try:
            date = parse(text)
            return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, OverflowError):
            continue
    return None
