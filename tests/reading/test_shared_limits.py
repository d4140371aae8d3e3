"""Several processes under the limits of one run: what one is told holds for all, and what one owes is not forgotten.

Processes are tasks here, and the owner is called directly, on a clock that moves only when somebody sleeps.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.errors import (
    AnalyzerError,
    AuthenticationFailed,
    ConfigurationError,
    CostLimitReached,
    ExtractionError,
    ProviderDown,
    ProviderRejected,
    ProviderUnreachable,
    RateLimited,
    RunStopped,
)
from analyzer.framework.assessment import Usage
from analyzer.reading.limit_owner import SILENT, Ask, LimitOwner, News, Process, Word
from analyzer.reading.limits import LimitTerms, OwnLimits
from analyzer.reading.rate_limiter import MANY, RateLimiter
from analyzer.reading.shared_limits import SharedLimits
from tests.properties import runs

MODEL = "openai/gpt-4.1-mini"


class Clock:
    """Moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        await asyncio.sleep(0.001)
        self.now = max(self.now, until)


class Team:
    """An owner and its processes. `sent`: how many requests were in flight whenever one was sent."""

    def __init__(self, width: int = 4, max_cost: float | None = None):
        self.clock = Clock()
        self.terms = LimitTerms({MODEL: width}, MANY, max_cost)
        limits = OwnLimits(self.terms)
        self.limiter = RateLimiter(MANY, width, sleep=self.clock.sleep, clock=lambda: self.clock.now)
        limits.limiters[MODEL] = self.limiter
        self.owner = LimitOwner(limits, clock=lambda: self.clock.now, held=0.05, gather=0)
        self.in_flight = 0
        self.sent: list[int] = []
        self._processes: list[SharedLimits] = []

    def process(self, place: str, start: str = "1", link: Any = None) -> SharedLimits:
        made = SharedLimits(link or self.owner, Process(place, start), self.terms, gather=0)
        self._processes.append(made)
        return made

    def request(self, *outcomes: Exception | str) -> Callable[[], Awaitable[str]]:
        """A request that has these outcomes, one after the other."""
        left = list(outcomes)

        async def ask() -> str:
            self.in_flight += 1
            self.sent.append(self.in_flight)
            await asyncio.sleep(0.001)
            self.in_flight -= 1
            outcome = left.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return ask

    async def paid(self, process: SharedLimits, cost: float) -> str:
        """A request that costs this much."""
        reservation = process.spending.reservation(MODEL, ["a pitch"], 1000)

        async def ask() -> str:
            await reservation.set_aside()
            await asyncio.sleep(0.001)
            reservation.answered(Usage(requests=1, input_tokens=1000, output_tokens=100, cost_usd=cost))
            return "answer"

        try:
            return await process.limiters[MODEL].call(ask)
        finally:
            reservation.release()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        async def whole() -> Any:
            try:
                return await asyncio.wait_for(work, 20)
            finally:
                for process in self._processes:
                    await process.aclose()

        return asyncio.run(whole())


def limited(retry_after: float = 0.0) -> RateLimited:
    error = RateLimited("too many")
    error.retry_after = retry_after
    return error


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


# ---------------------------------------------------------------- how fast


def test_all_processes_together_have_no_more_in_flight_than_the_concurrency() -> None:
    team = Team(width=4)

    async def work() -> list[str]:
        limiters = [team.process(place).limiters[MODEL] for place in "abc"]
        return list(await asyncio.gather(*(each.call(team.request("answer")) for each in limiters for _ in range(10))))

    assert team.run(work()) == ["answer"] * 30
    assert max(team.sent) == 4


def test_a_wait_that_the_server_asks_of_one_process_holds_for_all() -> None:
    team = Team()
    sent_at: list[float] = []

    async def work() -> None:
        one, other = (team.process(place).limiters[MODEL] for place in "ab")
        refused = asyncio.create_task(one.call(team.request(limited(30.0), "answer")))
        await until(lambda: team.limiter.limit < 4)

        async def ask() -> str:
            sent_at.append(team.clock.now)
            return "answer"

        await other.call(ask)
        await refused

    team.run(work())
    assert sent_at[0] >= 30
    assert team.limiter.limit < 4


def test_the_rate_limit_headers_that_one_process_sees_hold_for_all() -> None:
    team = Team()

    async def work() -> None:
        one, other = (team.process(place) for place in "ab")
        await one.limiters[MODEL].call(team.request("answer"))
        one.limiters[MODEL].observe(
            {
                "X-RateLimit-Remaining-Requests": "0",
                "x-ratelimit-reset-requests": "40s",
                "x-ratelimit-limit-requests": "1",
            }
        )
        await one.limiters[MODEL].call(team.request("answer"))
        await other.limiters[MODEL].call(team.request("answer"))

    team.run(work())
    assert team.clock.now >= 40


def test_a_request_is_tried_again_and_fails_with_the_error_that_its_process_saw() -> None:
    team = Team()
    error = ProviderRejected("no")

    async def work() -> None:
        limiter = team.process("a").limiters[MODEL]
        assert await limiter.call(team.request(limited(), ProviderUnreachable("gone"), "answer")) == "answer"
        with pytest.raises(ProviderRejected) as raised:
            await limiter.call(team.request(error))
        assert raised.value is error
        with pytest.raises(ZeroDivisionError):
            await limiter.call(team.request(ZeroDivisionError()))
        assert await limiter.call(team.request("answer")) == "answer"

    team.run(work())
    assert len(team.sent) == 6


def test_a_cancelled_request_leaves_its_slot_to_another_process() -> None:
    team = Team(width=1)

    async def work() -> str:
        one, other = (team.process(place).limiters[MODEL] for place in "ab")
        started = asyncio.Event()

        async def never() -> str:
            started.set()
            await asyncio.Event().wait()
            return ""

        holding = asyncio.create_task(one.call(never))
        await started.wait()
        holding.cancel()
        with suppress(asyncio.CancelledError):
            await holding
        return await other.call(team.request("answer"))

    assert team.run(work()) == "answer"


# ---------------------------------------------------------------- what it costs


def test_the_cost_limit_is_that_of_all_processes_and_ends_them_all() -> None:
    team = Team(width=4, max_cost=0.02)
    processes: list[SharedLimits] = []

    async def work() -> list[str | BaseException]:
        processes.extend(team.process(place) for place in "ab")
        asked = [team.paid(process, 0.004) for process in processes for _ in range(10)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        await until(lambda: all(process.ended for process in processes))
        return list(outcomes)

    outcomes = team.run(work())
    answers = outcomes.count("answer")
    assert 1 <= answers <= 5
    assert team.owner.spent.cost_usd == pytest.approx(0.004 * answers)
    assert {type(each) for each in outcomes if each != "answer"} == {CostLimitReached, RunStopped}
    assert all(isinstance(process.error, CostLimitReached) for process in processes)


def test_without_a_limit_the_owner_still_knows_what_all_spend() -> None:
    team = Team()

    async def work() -> None:
        await asyncio.gather(*(team.paid(team.process(place), 0.5) for place in "abc"))
        await until(lambda: team.owner.spent.requests == 3)

    team.run(work())
    assert team.owner.spent.cost_usd == pytest.approx(1.5)


def test_a_limit_for_a_model_without_a_price_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="price"):
        LimitOwner(OwnLimits(LimitTerms({"openai/nobody-knows-it": 4}, MANY, 1.0)))


# ---------------------------------------------------------------- ends


@pytest.mark.parametrize("error", [AuthenticationFailed("the key"), AuthenticationFailed("of\nmany lines")], ids=str)
def test_an_error_that_would_meet_every_request_ends_all_processes(error: AnalyzerError) -> None:
    team = Team(width=1)

    async def work() -> list[SharedLimits]:
        one, other = team.process("a"), team.process("b")
        first = asyncio.create_task(one.limiters[MODEL].call(team.request(error)))
        waiting = asyncio.create_task(other.limiters[MODEL].call(team.request("answer")))
        outcomes = await asyncio.gather(first, waiting, return_exceptions=True)
        assert [type(each) for each in outcomes] in ([AuthenticationFailed, RunStopped], [AuthenticationFailed, str])
        late = team.process("c")
        with pytest.raises(RunStopped):
            await late.limiters[MODEL].call(team.request("answer"))
        await until(lambda: one.ended and other.ended)
        return [one, other, late]

    assert {str(process.error) for process in team.run(work())} == {str(error)}


def test_a_server_that_no_process_reaches_ends_all_of_them() -> None:
    team = Team(width=2)

    async def work() -> list[SharedLimits]:
        processes = [team.process(place) for place in "ab"]
        asked = [each.limiters[MODEL].call(team.request(*[ProviderUnreachable("gone")] * 500)) for each in processes]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(each) for each in outcomes} <= {ProviderDown, RunStopped}
        await until(lambda: all(each.ended for each in processes))
        return processes

    assert all(isinstance(process.error, ProviderDown) for process in team.run(work()))
    assert team.clock.now >= 300


def test_an_end_that_one_process_wants_ends_the_others_with_its_reason() -> None:
    team = Team()

    async def work() -> SharedLimits:
        one, other = team.process("a"), team.process("b")
        await other.limiters[MODEL].call(team.request("answer"))
        one.end(ConfigurationError("the store is gone"))
        await until(lambda: other.ended)
        return other

    assert str(team.run(work()).error) == "the store is gone"


@pytest.mark.parametrize("fault", [RunStopped("the owner is gone"), TypeError("cannot be pickled")], ids=str)
def test_where_the_owner_cannot_be_reached_the_requests_that_wait_for_it_end(fault: Exception) -> None:
    class Gone:
        async def tell(self, process: Process, words: Sequence[Word]) -> None:
            raise fault

        async def hear(self, process: Process) -> list[News] | None:
            await asyncio.Event().wait()
            return None

    team = Team()

    async def work() -> SharedLimits:
        process = team.process("a", link=Gone())
        for _ in range(2):
            with pytest.raises(RunStopped):
                await process.limiters[MODEL].call(team.request("answer"))
        return process

    assert str(team.run(work()).error) in ("the owner is gone", "TypeError")
    assert not team.sent


# ---------------------------------------------------------------- processes that die


async def die(process: SharedLimits) -> None:
    """What a killed process does: nothing more."""
    for loop in process._loops:
        loop.cancel()
    await asyncio.gather(*process._loops, return_exceptions=True)
    process._words.clear()


async def hold(team: Team, process: SharedLimits) -> asyncio.Task[str]:
    """A request of a process that is in flight until the process dies, with its cost set aside."""
    sent = asyncio.Event()
    reservation = process.spending.reservation(MODEL, ["a pitch"], 1000)

    async def ask() -> str:
        await reservation.set_aside()
        sent.set()
        await asyncio.Event().wait()
        return ""

    held = asyncio.create_task(process.limiters[MODEL].call(ask))
    await sent.wait()
    return held


@pytest.mark.parametrize("noticed", ["by its replacement", "by its silence"])
def test_the_slots_of_a_killed_process_become_free_and_its_requests_count_as_paid(noticed: str) -> None:
    team = Team(width=1, max_cost=1.0)

    async def work() -> str:
        killed = team.process("a", "1")
        held = await hold(team, killed)
        await die(killed)
        place = "a"
        if noticed == "by its silence":
            await asyncio.sleep(0.1)  # what it was hearing has ended
            team.clock.now += SILENT + 1
            place = "b"
        answer = await team.process(place, "2").limiters[MODEL].call(team.request("answer"))
        held.cancel()
        await asyncio.gather(held, return_exceptions=True)
        await die(killed)
        return answer

    assert team.run(work()) == "answer"
    assert [process.start for process in team.owner.processes] == ["2"]
    assert team.owner._spending._at_most > 0
    assert team.owner._spending._reserved == 0


def test_a_process_that_was_only_slow_goes_on() -> None:
    team = Team(width=1)

    async def work() -> list[str]:
        slow = team.process("a")
        release = asyncio.Event()
        sent = asyncio.Event()

        async def ask() -> str:
            sent.set()
            await release.wait()
            if not team.clock.now:
                raise AssertionError
            if team.in_flight == 0:
                team.in_flight = 1
                raise limited()
            return "answer"

        call = asyncio.create_task(slow.limiters[MODEL].call(ask))
        await sent.wait()
        waiting = asyncio.create_task(slow.limiters[MODEL].call(team.request("answer")))
        await asyncio.sleep(0.01)
        team.clock.now += SILENT + 1
        team.owner._drop([Process("a", "1")])  # as if it had been silent
        release.set()
        return list(await asyncio.gather(call, waiting))

    assert team.run(work()) == ["answer", "answer"]


@runs(10)
@given(
    st.lists(st.lists(st.sampled_from(["limited", "gone", "none"]), max_size=3), min_size=1, max_size=12),
    st.integers(1, 4),
)
def test_whatever_requests_meet_each_ends_once_and_no_slot_is_lost(scripts: list[list[str]], width: int) -> None:
    team = Team(width=width)
    errors: dict[str, Callable[[], Exception]] = {
        "limited": limited,
        "gone": lambda: ProviderUnreachable("gone"),
        "none": lambda: ExtractionError("none"),
    }

    async def work() -> list[str | BaseException]:
        limiters = [team.process(place).limiters[MODEL] for place in "ab"]
        asked = [
            limiters[number % 2].call(team.request(*(errors[each]() for each in script), "answer"))
            for number, script in enumerate(scripts)
        ]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        await until(lambda: team.limiter._in_flight == 0)
        return list(outcomes)

    outcomes = team.run(work())
    assert max(team.sent) <= width
    for script, outcome in zip(scripts, outcomes, strict=True):
        assert isinstance(outcome, ExtractionError) if "none" in script else outcome == "answer"


def test_words_and_news_survive_the_way_between_processes() -> None:
    error = limited(12.0)
    error.usage = Usage(requests=1)
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(copied), str(copied), copied.retry_after, copied.usage) == (RateLimited, "too many", 12.0, error.usage)
    assert pickle.loads(pickle.dumps(Ask(1, MODEL))) == Ask(1, MODEL)  # noqa: S301
