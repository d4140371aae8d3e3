"""How fast requests go to a server: what it asks of one holds for all, and a run gives up after the stated time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.errors import (
    ProviderDown,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    RateLimited,
    RunStopped,
    StoreError,
)
from analyzer.reading.rate_limiter import MANY, ONE, RateLimiter, RetryPolicy, retry_after, seconds_until
from analyzer.settings import GIVE_UP_AFTER


class Clock:
    """A clock that moves only when somebody sleeps; the sleeper with the nearest end goes first."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        self.slept.append(seconds)
        await asyncio.sleep(0)
        self.now = max(self.now, until)

    def limiter(self, policy: RetryPolicy = MANY, width: int = 1) -> RateLimiter:
        return RateLimiter(policy, width, sleep=self.sleep, clock=lambda: self.now)


def limited(retry_after: float = 0.0) -> RateLimited:
    error = RateLimited("too many")
    error.retry_after = retry_after
    return error


def failing(times: int, error: Callable[[], ProviderError]) -> Callable[[], Awaitable[str]]:
    """Something to ask that fails so often and then answers."""
    left = times

    async def ask() -> str:
        nonlocal left
        if left:
            left -= 1
            raise error()
        return "answer"

    return ask


def test_a_wait_that_the_server_asks_of_one_request_holds_for_all() -> None:
    clock = Clock()
    begun: list[float] = []

    async def run() -> None:
        limiter = clock.limiter(width=4)

        async def first() -> str:
            if not begun:
                begun.append(clock.now)
                raise limited(30.0)
            return "answer"

        async def other() -> str:
            begun.append(clock.now)
            return "answer"

        with pytest.raises(RateLimited):
            await limiter._attempt(first)
        await asyncio.gather(*(limiter.call(other) for _ in range(4)))

    asyncio.run(run())
    assert begun[0] == 0.0
    assert min(begun[1:]) >= 30.0


def test_refusals_halve_what_is_in_flight_once_for_all_that_went_together_and_successes_bring_it_back() -> None:
    async def run() -> list[float]:
        clock = Clock()
        limiter = clock.limiter(width=64)

        async def refused() -> str:
            await asyncio.sleep(0)
            raise limited()

        async def answered() -> str:
            return "answer"

        await asyncio.gather(*(limiter._attempt(refused) for _ in range(64)), return_exceptions=True)
        limits = [limiter.limit]
        clock.now += 1
        await asyncio.gather(limiter._attempt(refused), return_exceptions=True)
        limits.append(limiter.limit)
        for _ in range(2000):
            await limiter._attempt(answered)
        return [*limits, limiter.limit]

    assert asyncio.run(run()) == [32.0, 16.0, 64.0]


def odd_reply() -> ProviderError:
    error = ProviderError("the model's server replied with a page")
    error.replied = True
    return error


@pytest.mark.parametrize("answered_before", [0, 5])
def test_a_request_whose_reply_never_holds_an_answer_fails_alone_long_before_the_server_counts_as_down(
    answered_before: int,
) -> None:
    clock = Clock()

    async def run() -> str:
        limiter = clock.limiter()
        for _ in range(answered_before):
            await limiter.call(failing(0, odd_reply))
        with pytest.raises(ProviderError, match="replied with a page") as raised:
            await limiter.call(failing(10_000, odd_reply))
        assert not isinstance(raised.value, ProviderDown)
        return await limiter.call(failing(0, odd_reply))

    assert asyncio.run(run()) == "answer"
    assert len(clock.slept) == MANY.other_attempts - 1
    assert clock.now < GIVE_UP_AFTER


def test_a_server_that_replies_to_all_without_an_answer_costs_few_requests_and_then_counts_as_down() -> None:
    async def in_turn() -> list[type[object]]:
        limiter = Clock().limiter()
        return [type((await asyncio.gather(limiter.call(failing(10_000, odd_reply)), return_exceptions=True))[0]) for _ in range(4)]  # fmt: skip

    async def together() -> set[type[object]]:
        limiter = Clock().limiter(width=8)
        calls = (limiter.call(failing(10_000, odd_reply)) for _ in range(8))
        return {type(error) for error in await asyncio.gather(*calls, return_exceptions=True)}

    assert asyncio.run(in_turn()) == [ProviderError, ProviderError, ProviderError, ProviderDown]
    assert asyncio.run(together()) == {ProviderDown}


def test_a_storm_of_refusals_fails_nothing_as_long_as_anything_gets_through() -> None:
    clock = Clock()

    async def run() -> list[str]:
        limiter = clock.limiter(replace(MANY, give_up_after=600.0), width=8)
        return await asyncio.gather(*(limiter.call(failing(25, limited)) for _ in range(20)))

    assert asyncio.run(run()) == ["answer"] * 20


def test_a_server_that_lets_nothing_through_for_long_is_down_and_the_error_says_what_came_last() -> None:
    clock = Clock()
    with pytest.raises(ProviderDown, match=r"has not answered any request for 3\d\d seconds; last error: too many"):
        asyncio.run(clock.limiter().call(failing(10_000, limited)))
    assert 300 < clock.now < 400


@pytest.mark.parametrize(
    ("patience", "error", "tries"),
    [(ONE, ProviderError, 5), (ONE, ProviderTimeout, 2), (ONE, RateLimited, 6), (MANY, ProviderError, 10)],
    ids=["one", "one, timeout", "one, rate limit", "many"],
)
def test_tries_end_with_the_last_error(patience: RetryPolicy, error: type[ProviderError], tries: int) -> None:
    clock, asked = Clock(), 0

    async def ask() -> str:
        nonlocal asked
        asked += 1
        raise error("no")

    with pytest.raises(error):
        asyncio.run(clock.limiter(replace(patience, give_up_after=None)).call(ask))
    assert asked == tries


def test_a_request_that_fails_while_others_get_through_ends_alone() -> None:
    clock = Clock()

    async def run() -> list[object]:
        limiter = clock.limiter(width=2)

        async def fails() -> str:
            await limiter._attempt(failing(0, limited))  # another one that gets through meanwhile
            raise ProviderError("no")

        return list(await asyncio.gather(limiter.call(fails), return_exceptions=True))

    assert [type(outcome) for outcome in asyncio.run(run())] == [ProviderError]


@pytest.mark.parametrize("error", [ProviderError, ProviderTimeout, ProviderUnreachable, RateLimited])
def test_silence_alone_ends_a_run_after_the_stated_time_whatever_the_errors_are(error: type[ProviderError]) -> None:
    clock = Clock()
    with pytest.raises(ProviderDown):
        asyncio.run(clock.limiter(replace(MANY, give_up_after=3600.0)).call(failing(10**6, lambda: error("no"))))
    assert 3600 <= clock.now < 3700


def test_a_server_that_is_restarted_in_mid_run_fails_nothing() -> None:
    clock = Clock()

    async def run() -> list[str]:
        limiter = clock.limiter(width=8)

        async def ask() -> str:
            if 5 < clock.now < 200:
                raise ProviderUnreachable("no")
            clock.now += 1
            return "answer"

        return await asyncio.gather(*(limiter.call(ask) for _ in range(50)))

    assert asyncio.run(run()) == ["answer"] * 50


def test_a_pause_of_whoever_takes_the_results_is_no_silence_of_the_server() -> None:
    async def run() -> str:
        clock = Clock()
        limiter = clock.limiter()
        await limiter.call(failing(0, limited))
        clock.now += 10_000
        return await limiter.call(failing(1, limited))

    assert asyncio.run(run()) == "answer"


def test_a_long_wait_asked_for_among_answers_that_get_through_neither_ends_nor_stalls_the_run() -> None:
    clock = Clock()

    async def run() -> list[str]:
        limiter = clock.limiter(width=4)
        answers = [await limiter.call(failing(0, limited)) for _ in range(20)]
        return [*answers, await limiter.call(failing(1, lambda: limited(50_000.0)))]

    assert asyncio.run(run()) == ["answer"] * 21
    assert clock.now < 120


def test_a_long_wait_for_all_ends_as_soon_as_one_request_that_tries_gets_through() -> None:
    clock = Clock()

    async def run() -> list[str]:
        limiter = clock.limiter(width=4)
        first = [limiter.call(failing(1, lambda: limited(50_000.0))) for _ in range(4)]
        return await asyncio.gather(*first)

    assert asyncio.run(run()) == ["answer"] * 4
    assert clock.now < 400


def test_refusals_now_and_then_leave_the_width_nearly_as_it_is() -> None:
    async def run() -> float:
        clock = Clock()
        limiter, lowest = clock.limiter(width=64), 64.0
        for number in range(2000):
            clock.now += number % 64 == 0  # that many are in flight together
            with suppress(RateLimited):
                await limiter._attempt(failing(number % 20 == 19, limited))
            lowest = min(lowest, limiter.limit)
        return lowest

    assert asyncio.run(run()) > 55


def test_the_last_request_that_fails_where_all_others_got_through_fails_alone() -> None:
    clock = Clock()

    async def run() -> list[object]:
        limiter = clock.limiter(width=2)

        async def refused() -> str:
            if clock.now < 20:
                await limiter._attempt(failing(0, limited))  # others get through at first
            raise limited()

        return list(await asyncio.gather(limiter.call(refused), return_exceptions=True))

    assert [type(outcome) for outcome in asyncio.run(run())] == [RateLimited]


NOON = 1_764_331_200.0  # 2025-11-28 12:00:00 UTC


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0), ("0.5", 0.5), ("1m30s", 90.0), ("20ms", 0.02), ("2025-11-28T12:00:30Z", 30.0),
        ("Fri, 28 Nov 2025 12:01:00 GMT", 60.0), ("2025-11-28T11:00:00Z", 0.0), ("Fri, 28 Nov 2025 11:00:00 GMT", 0.0),
        (str(NOON + 5), 5.0), (str(int(NOON * 1000 + 5000)), 5.0), ("9999-01-01T00:00:00Z", 86_400.0), ("1e8", 86_400.0),
        ("NaN", None), ("-5", None), ("inf", None), ("1e300", None), ("soon", None), ("", None), (None, None),
        ("1s or so", None), ("99999-99-99T00:00:00Z", None), ("Fri, 99 Nov 2025 12:00:00 GMT", None),
    ],
)  # fmt: skip
def test_a_time_in_a_header_is_read_in_every_form_there_is_and_ignored_in_any_other(
    text: str | None, seconds: float | None
) -> None:
    assert seconds_until(text, NOON) == seconds
    assert retry_after({} if text is None else {"retry-after": text}, NOON) == (seconds or 0.0)


@given(st.text(max_size=30) | st.floats().map(str) | st.datetimes().map(str))
def test_no_header_makes_anybody_wait_longer_than_a_day_or_breaks_anything(text: str) -> None:
    assert 0.0 <= retry_after({"retry-after": text, "retry-after-ms": text}, NOON) <= 86_400.0


def test_the_headers_of_anthropic_are_understood() -> None:
    limiter = Clock().limiter()
    limiter.now = lambda: NOON
    limiter.record_usage(2000)
    limiter.observe(
        {
            "anthropic-ratelimit-output-tokens-limit": "8000",
            "anthropic-ratelimit-output-tokens-remaining": "0",
            "anthropic-ratelimit-output-tokens-reset": "2025-11-28T12:01:00Z",
        }
    )
    assert limiter._open_at == pytest.approx(15.0)


def test_pauses_are_drawn_between_nothing_and_a_growing_end() -> None:
    clock = Clock()
    with pytest.raises(ProviderError):
        asyncio.run(clock.limiter(replace(MANY, give_up_after=None)).call(failing(99, lambda: ProviderError("no"))))
    assert len(set(clock.slept)) == 9
    assert all(0 <= pause <= min(20.0, 0.5 * 2**n) for n, pause in enumerate(clock.slept))


def test_never_more_are_in_flight_than_the_width() -> None:
    async def run() -> int:
        limiter, under_way, most = RateLimiter(MANY, 5), 0, 0

        async def ask() -> str:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1
            return "answer"

        await asyncio.gather(*(limiter.call(ask) for _ in range(200)))
        return most

    assert asyncio.run(run()) == 5


def test_a_stopped_run_lets_what_is_in_flight_finish_and_begins_nothing() -> None:
    async def run() -> list[object]:
        limiter = RateLimiter(MANY, 1)
        begun = asyncio.Event()
        finish = asyncio.Event()

        async def ask() -> str:
            begun.set()
            await finish.wait()
            return "answer"

        calls = [asyncio.ensure_future(limiter.call(ask)) for _ in range(3)]
        await begun.wait()
        limiter.stop()
        finish.set()
        return list(await asyncio.gather(*calls, return_exceptions=True))

    first, *others = asyncio.run(run())
    assert first == "answer"
    assert all(isinstance(other, RunStopped) for other in others)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"remaining-requests": "0", "reset-requests": "6m0s", "limit-requests": "60"}, 6.0),
        ({"remaining-requests": "0", "reset-requests": "1s"}, 1.0),
        ({"remaining-tokens": "100", "reset-tokens": "10s", "limit-tokens": "5100"}, 4.0),
        ({"remaining-tokens": "5000", "reset-tokens": "10s", "limit-tokens": "5100"}, 0.0),
        ({"remaining-requests": "many", "reset-requests": "soon"}, 0.0),
        ({}, 0.0),
    ],
    ids=["one of sixty", "limit not told", "too few tokens", "tokens enough", "nonsense", "nothing"],
)
def test_a_limit_that_is_used_up_is_waited_for_until_one_request_fits(headers: dict[str, str], wait: float) -> None:
    limiter = Clock().limiter()
    limiter.record_usage(2000)
    limiter.observe({f"x-ratelimit-{name}": value for name, value in headers.items()})
    assert limiter._open_at == (pytest.approx(wait) if wait else float("-inf"))


@given(st.lists(st.sampled_from(["answer", "limited"]), max_size=60))
def test_the_limit_stays_between_one_and_the_width_whatever_comes(outcomes: list[str]) -> None:
    async def run() -> None:
        clock = Clock()
        limiter = clock.limiter(width=7)
        for outcome in outcomes:
            clock.now += 1
            with suppress(RateLimited):
                await limiter._attempt(failing(outcome == "limited", limited))
            assert 1.0 <= limiter.limit <= 7.0

    asyncio.run(run())


def test_an_error_that_ends_the_run_lets_no_other_request_take_its_slot() -> None:
    sent: list[str] = []

    async def run() -> list[object]:
        limiter = RateLimiter(MANY, 1)

        async def broken() -> str:
            sent.append("broken")
            await asyncio.sleep(0)
            raise StoreError("no room")

        async def other() -> str:
            sent.append("other")
            return "answer"

        calls = (limiter.call(broken), *(limiter.call(other) for _ in range(3)))
        return list(await asyncio.gather(*calls, return_exceptions=True))

    first, *others = asyncio.run(run())
    assert isinstance(first, StoreError) and all(isinstance(each, RunStopped) for each in others)
    assert sent == ["broken"]
