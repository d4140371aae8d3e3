"""The limits of a run, from inside one of the processes that share them: see `reading.limit_owner`.

Readers use them like limits of their own. Hidden here: a request waits for word from the owner, what is said is
gathered into batches, and an owner that is gone ends the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Final, Protocol, TypeVar

from analyzer.errors import AnalyzerError, CostLimitReached, ProviderError, RunStopped
from analyzer.framework.assessment import Usage
from analyzer.reading.limit_owner import (
    Ask,
    Assumed,
    End,
    Ended,
    Failed,
    Go,
    Headers,
    Left,
    Money,
    News,
    Over,
    Process,
    Reserve,
    Returned,
    Spent,
    Succeeded,
    Tokens,
    Word,
)
from analyzer.reading.limits import LimitTerms
from analyzer.reading.rate_limiter import RetryPolicy, limit_headers, stopped
from analyzer.reading.spending import Spending

T = TypeVar("T")

_GATHER: Final = 0.01
"""Seconds in which words are gathered before they are sent."""


class OwnerLink(Protocol):
    """How a process reaches the owner. Both raise an AnalyzerError if the owner is gone."""

    async def tell(self, process: Process, words: Sequence[Word]) -> None: ...

    async def hear(self, process: Process) -> list[News] | None: ...


class SharedLimits:
    """This process's share of the limits that an owner holds. Everything but `end` is used on one event loop.

    `ended`: whether the run has ended, and `error` why (None = it was stopped).
    """

    def __init__(self, link: OwnerLink, process: Process, terms: LimitTerms, *, gather: float = _GATHER):
        self._link = link
        self._process = process
        self._gather = gather
        self._names = count()
        self._words: list[Word] = []
        self._said = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._waiting: dict[int, tuple[Word, asyncio.Future[float]]] = {}
        self.ended = False
        self.error: AnalyzerError | None = None
        self.limiters = {
            model: SharedLimiter(self, model, width, terms.policy) for model, width in terms.widths.items()
        }
        self.spending = SharedSpending(terms.models, terms.max_cost)
        self.spending.limits = self

    @property
    def spent(self) -> Usage:
        return self.spending.total

    def say(self, word: Word) -> None:
        """Send a word to the owner, soon and in this order."""
        self._words.append(word)
        self._said.set()
        if not self._loops and not self.ended:
            create = asyncio.get_running_loop().create_task
            self._loops = [create(self._tell()), create(self._hear())]

    async def wait(self, call: int, word: Word) -> float:
        """Say a word that the owner replies to; what it replies. Raises RunStopped and what the owner reports."""
        self.check_stopped()
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting[call] = word, future
        self.say(word)
        try:
            return await future
        finally:
            self._waiting.pop(call, None)

    def name(self) -> int:
        """A number for a request, or for money."""
        return next(self._names)

    def end(self, error: AnalyzerError | None) -> None:
        """End the run for all processes."""
        if not self.ended:
            self.say(End(error))

    def check_stopped(self) -> None:
        """Raises RunStopped if the run has ended."""
        if self.ended:
            raise stopped()

    async def aclose(self) -> None:
        """Say what is left to say, and no longer listen."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._words:
            with suppress(Exception):  # whoever would hear it may be gone
                await self._link.tell(self._process, self._words)

    # ------------------------------------------------------------ the owner

    async def _tell(self) -> None:
        while True:
            await self._said.wait()
            await asyncio.sleep(self._gather)
            words, self._words = self._words, []
            self._said.clear()
            try:
                await self._link.tell(self._process, words)
            except Exception as error:  # noqa: BLE001  # nobody may wait for what cannot come
                self._over(_sendable(error))
                return

    async def _hear(self) -> None:
        while True:
            try:
                news = await self._link.hear(self._process)
            except Exception as error:  # noqa: BLE001
                self._over(_sendable(error))
                return
            if news is None:
                for word in [word for word, _ in self._waiting.values() if word not in self._words]:
                    self.say(word)
            for each in news or ():
                self._take_in(each)

    def _take_in(self, news: News) -> None:
        match news:
            case Go(call):
                self._reply(call, 0.0)
            case Over(call, error):
                self._reply(call, error or _LAST)
            case Money(call, need, error):
                if not self._reply(call, error or need) and error is None:
                    self.say(Returned(need))  # whoever wanted it was cancelled
            case Ended(error):
                self._over(error)

    def _reply(self, call: int, reply: float | AnalyzerError) -> bool:
        """Whether somebody waited for it."""
        _, future = self._waiting.get(call, (None, None))
        if future is None or future.done():
            return False
        if isinstance(reply, AnalyzerError):
            future.set_exception(reply)
        else:
            future.set_result(reply)
        return True

    def _over(self, error: AnalyzerError | None) -> None:
        if not self.ended:
            self.ended, self.error = True, error
        for word, future in self._waiting.values():
            if not future.done() and not (isinstance(word, Reserve) and isinstance(error, CostLimitReached)):
                future.set_exception(stopped())


class _Last(AnalyzerError):
    """The error of the last attempt counts."""


_LAST: Final = _Last("")


class SharedLimiter:
    """The rate limiter of one model, for one process of several."""

    def __init__(self, limits: SharedLimits, model: str, width: int, policy: RetryPolicy):
        self._limits = limits
        self._model = model
        self.width = width
        self.policy = policy

    @property
    def limit(self) -> float:
        return float(self.width)

    async def call(self, request: Callable[[], Awaitable[T]]) -> T:
        """As `RateLimiter.call`; the owner decides when, and how often."""
        limits, call = self._limits, self._limits.name()
        word: Word = Ask(call, self._model)
        last: ProviderError | None = None
        try:
            while True:
                try:
                    await limits.wait(call, word)
                except _Last as over:
                    raise last or over from None
                try:
                    answer = await request()
                except ProviderError as error:
                    last, word = error, Failed(call, self._model, error)
                except Exception as error:
                    limits.say(Failed(call, self._model, _sendable(error)))
                    raise
                else:
                    limits.say(Succeeded(call))
                    return answer
        except (asyncio.CancelledError, RunStopped):
            limits.say(Left(call))
            raise

    def observe(self, headers: Mapping[str, str]) -> None:
        """As `RateLimiter.observe`."""
        found = limit_headers(headers)
        if found:
            self._limits.say(Headers(self._model, found))

    def record_usage(self, tokens: int) -> None:
        """As `RateLimiter.record_usage`."""
        self._limits.say(Tokens(self._model, tokens))

    def stop(self) -> None:
        """End the run for all processes."""
        self._limits.end(None)

    def check_stopped(self) -> None:
        """As `RateLimiter.check_stopped`."""
        self._limits.check_stopped()


class SharedSpending(Spending):
    """What this process spends; the owner adds up what all do, and sets money aside where it is limited."""

    __slots__ = ("limits",)
    limits: SharedLimits

    async def set_aside(self, model: str, tokens: int) -> float:
        if self.limit is None:
            return 0.0
        call = self.limits.name()
        try:
            return await self.limits.wait(call, Reserve(call, model, tokens))
        except asyncio.CancelledError:
            self.limits.say(Left(call))
            raise

    def give_back(self, need: float) -> None:
        if self.limit is not None:
            self.limits.say(Returned(need))

    def count(self, usage: Usage, at_most: float, answered: bool) -> None:
        super().count(usage, at_most, answered)
        self.limits.say(Spent(usage, at_most, answered))

    def assume(self, cost: float) -> None:
        self.limits.say(Assumed(cost))


def _sendable(error: Exception) -> AnalyzerError:
    """An error as another process can take it in; of a foreign one only that there was one."""
    return error if isinstance(error, AnalyzerError) else AnalyzerError(type(error).__name__)
