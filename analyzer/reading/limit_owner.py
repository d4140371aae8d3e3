"""Owns the limits of a run that is spread over several processes: one rate limiter a model, and one account.

Every request of every process is a task here, in the same `RateLimiter` that a run in one process has; sending the
request is left to the process that asked. So all of them keep one concurrency, slow down together and stop together.
Processes talk to the owner in batches (`tell`, `hear`); how those travel is not known here. A process that is killed
is noticed by its silence, or by its replacement: its slots become free, and what it had in flight counts as spent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from analyzer.errors import AnalyzerError, ConfigurationError, CostLimitReached, ProviderDown, ProviderError
from analyzer.framework.assessment import Usage
from analyzer.reading.limits import OwnLimits

HELD: Final = 2.0
"""Seconds that `hear` waits for news at most."""
SILENT: Final = 20.0
"""Seconds after which a process that says nothing counts as dead."""
_GATHER: Final = 0.01
"""Seconds in which news for a process is gathered before it is sent."""


class Process(NamedTuple):
    """A process that shares the limits. `place` outlives it; another `start` at the same place replaces it."""

    place: str
    start: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to `model` wants to be sent."""

    call: int
    model: str


@dataclass(frozen=True, slots=True)
class Succeeded:
    """A request was answered, and its answer is stored."""

    call: int


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt failed."""

    call: int
    model: str
    error: AnalyzerError


@dataclass(frozen=True, slots=True)
class Left:
    """Nobody waits for this request any more."""

    call: int


@dataclass(frozen=True, slots=True)
class Headers:
    """What a response said about rate limits."""

    model: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tokens:
    """How many tokens one request took."""

    model: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Reserve:
    """A request that may be sent wants its cost set aside."""

    call: int
    model: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Returned:
    """Money that was set aside comes back; what was spent of it is reported as `Spent`."""

    need: float


@dataclass(frozen=True, slots=True)
class Spent:
    """What an answer cost. The fields are the arguments of `Spending`."""

    usage: Usage
    at_most: float
    answered: bool


@dataclass(frozen=True, slots=True)
class Assumed:
    """USD that may have been spent on a request of which nothing came back."""

    cost: float


@dataclass(frozen=True, slots=True)
class End:
    """The run ends, for all processes. `error`: why; None = it was stopped."""

    error: AnalyzerError | None


Word = Ask | Succeeded | Failed | Left | Headers | Tokens | Reserve | Returned | Spent | Assumed | End
"""What a process says to the owner."""


@dataclass(frozen=True, slots=True)
class Go:
    """The request may be sent now."""

    call: int


@dataclass(frozen=True, slots=True)
class Over:
    """The request is not sent again. `error`: why; None = by the error of its last attempt."""

    call: int
    error: AnalyzerError | None


@dataclass(frozen=True, slots=True)
class Money:
    """The cost of a request is set aside, or cannot be."""

    call: int
    need: float
    error: AnalyzerError | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The run has ended."""

    error: AnalyzerError | None


News = Go | Over | Money | Ended
"""What the owner says to a process."""


@dataclass(slots=True)
class _Client:
    """One process. `greeted`: whether it knows that it is new here. `held`: what is set aside for its requests in
    flight."""

    seen: float
    greeted: bool = False
    hearing: int = 0
    news: list[News] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    calls: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    outcomes: dict[int, asyncio.Future[None]] = field(default_factory=dict)
    reserving: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    held: list[float] = field(default_factory=list)

    def push(self, news: News) -> None:
        self.news.append(news)
        self.came.set()


class LimitOwner:
    """Holds the limits of one run for all processes. For one event loop.

    Raises ConfigurationError when made if the cost is limited and a price is not known.
    """

    def __init__(
        self,
        limits: OwnLimits,
        *,
        clock: Callable[[], float] = time.monotonic,
        held: float = HELD,
        gather: float = _GATHER,
    ):
        self._limits = limits
        self._spending = limits.spending
        self._clock = clock
        self._held = held
        self._gather = gather
        self._clients: dict[Process, _Client] = {}
        self._end: End | None = None

    @property
    def spent(self) -> Usage:
        """What all processes have spent so far."""
        return self._spending.total

    @property
    def processes(self) -> list[Process]:
        """Those that are not known to be dead."""
        return list(self._clients)

    async def tell(self, process: Process, words: Sequence[Word]) -> None:
        """Take in what a process says, in its order."""
        client = self._client(process)
        for word in words:
            self._take_in(client, word)

    async def hear(self, process: Process) -> list[News] | None:
        """News for a process: as soon as there are some, or none after a while. None: the process was not known (it
        is new, or was taken for dead); it has to ask again for what it waits for."""
        client = self._client(process)
        if not client.greeted:
            client.greeted = True
            return None
        client.hearing += 1
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._held):
                    await client.came.wait()
            if client.news:
                await asyncio.sleep(self._gather)
        finally:
            client.hearing -= 1
            client.seen = self._clock()
        news, client.news = client.news, []
        client.came.clear()
        return news

    @property
    def error(self) -> AnalyzerError | None:
        """Why the run has ended early; None if it has not, or was stopped."""
        return None if self._end is None else self._end.error

    def end(self, error: AnalyzerError | None) -> None:
        """End the run: what is in flight is finished, nothing else is sent. The first reason counts."""
        if self._end is not None:
            return
        self._end = End(error)
        for limiter in self._limits.limiters.values():
            limiter.stop()
        for client in self._clients.values():
            client.push(Ended(error))

    # ------------------------------------------------------------ processes

    def _client(self, process: Process) -> _Client:
        now = self._clock()
        if process not in self._clients:
            self._drop(each for each in list(self._clients) if each.place == process.place)
            self._clients[process] = client = _Client(now)
            if self._end is not None:
                client.push(Ended(self._end.error))
        self._clients[process].seen = now
        silent = (each for each, client in list(self._clients.items()) if now - client.seen > SILENT)
        self._drop(each for each in silent if not self._clients[each].hearing)
        return self._clients[process]

    def _drop(self, processes: Iterable[Process]) -> None:
        """Forget processes that are dead. Their requests may have been answered and paid for."""
        for process in processes:
            client = self._clients.pop(process)
            for task in (*client.calls.values(), *client.reserving.values()):
                task.cancel()
            for need in client.held:
                self._spending.assume(need)
                self._spending.give_back(need)

    # ------------------------------------------------------------ requests

    def _take_in(self, client: _Client, word: Word) -> None:
        match word:
            case Ask(call, model):
                self._ask(client, call, model)
            case Succeeded(call):
                self._settle(client, call, None)
            case Failed(call, model, error):
                if call in client.calls:
                    self._settle(client, call, error)
                elif isinstance(error, ProviderError):  # asked before this process was taken for dead
                    self._ask(client, call, model)
            case Left(call):
                for task in (client.calls.pop(call, None), client.reserving.pop(call, None)):
                    if task is not None:
                        task.cancel()
            case Headers(model, headers):
                self._limits.limiters[model].observe(headers)
            case Tokens(model, tokens):
                self._limits.limiters[model].record_usage(tokens)
            case Reserve(call, model, tokens):
                self._reserve(client, call, model, tokens)
            case Returned(need):
                if need in client.held:
                    client.held.remove(need)
                    self._spending.give_back(need)
            case Spent(usage, at_most, answered):
                self._spending.count(usage, at_most, answered)
            case Assumed(cost):
                self._spending.assume(cost)
            case End(error):
                self.end(error)

    def _ask(self, client: _Client, call: int, model: str) -> None:
        if call not in client.calls:
            client.calls[call] = asyncio.get_running_loop().create_task(self._answer(client, call, model))

    def _settle(self, client: _Client, call: int, error: AnalyzerError | None) -> None:
        outcome = client.outcomes.pop(call, None)
        if outcome is None or outcome.done():
            return
        if error is None:
            outcome.set_result(None)
        else:
            outcome.set_exception(error)

    async def _answer(self, client: _Client, call: int, model: str) -> None:
        """One request over all of its attempts, each made by its process."""
        last: AnalyzerError | None = None

        async def attempt() -> None:
            nonlocal last
            client.outcomes[call] = outcome = asyncio.get_running_loop().create_future()
            client.push(Go(call))
            try:
                await outcome
            except AnalyzerError as error:
                last = error
                raise

        try:
            await self._limits.limiters[model].call(attempt)
        except AnalyzerError as error:
            client.push(Over(call, None if error is last else error))
            if isinstance(error, ConfigurationError | ProviderDown):
                self.end(error)  # after whom it met, who would only hear that the run was stopped
        except Exception as error:  # noqa: BLE001  # the process must not wait for what cannot come
            client.push(Over(call, AnalyzerError(f"{type(error).__name__} where the run's limits are kept")))
        finally:
            client.outcomes.pop(call, None)
            if client.calls.get(call) is asyncio.current_task():
                del client.calls[call]

    def _reserve(self, client: _Client, call: int, model: str, tokens: int) -> None:
        async def reserve() -> None:
            try:
                need = await self._spending.set_aside(model, tokens)
            except CostLimitReached as error:
                self.end(error)
                client.push(Money(call, 0.0, error))
            else:
                client.held.append(need)
                client.push(Money(call, need))
            finally:
                client.reserving.pop(call, None)

        if call not in client.reserving:
            client.reserving[call] = asyncio.get_running_loop().create_task(reserve())
