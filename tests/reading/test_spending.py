"""What is paid for is counted and kept, whatever the server reports; a limit on the cost is not passed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import analyze_many
from analyzer.errors import AnalyzerError, ContentFiltered, CostLimitReached, ExtractionError
from analyzer.reading.spending import MOST_TOKENS, cost_of, usage_of
from analyzer.results.result import Progress, Result
from analyzer.store.store import Store
from tests.completions import PITCH, answer, completion
from tests.model_server import FAULTS, MODEL, Reply, Service, good

PITCHES = [(str(number), f"{PITCH} {number}") for number in range(12)]


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


def reply(usage: object = ..., content: Any = None, **changes: Any) -> Reply:
    """An answer, or none, that reports this usage (`...` = as `completion` does; NaN and such go out as they are)."""
    body = json.loads(completion(content, **changes).content)
    if changes.get("message", ...) is None:
        body["choices"][0]["message"] = None
    if "choices" in changes:
        body["choices"] = changes["choices"]
    if usage is not ...:
        body["usage"] = usage
    return Reply(json.dumps(body).encode())


def run(
    service: Service, store: str | bool, max_cost: float | None = None, pitches: Any = PITCHES
) -> tuple[list[Result], Progress, AnalyzerError | None]:
    """All of a run: its results, its last progress, and what ended it."""
    results: list[Result] = []
    seen = [Progress()]
    asked: Any = {"model": MODEL, "settings": service.settings, "store": store, "max_cost": max_cost, "concurrency": 4}
    try:
        for result in analyze_many(pitches, on_progress=seen.append, **asked):
            results.append(result)
    except AnalyzerError as error:
        return results, seen[-1], error
    return results, seen[-1], None


def kept(store: str) -> int:
    opened = Store.open(store)
    try:
        return opened.answers.count()
    finally:
        opened.close()


# ---------------------------------------------------------------- what a server reports


ODD_COUNTS = [2**63, 2**64, 10**400, 3_000_000_000, -5, float("nan"), float("inf"), float("-inf"), "many", "5000", None]
ODD_COUNTS += [[], {}, True, 5000.7]


@pytest.mark.parametrize("count", ODD_COUNTS, ids=lambda count: str(count)[:12])
def test_an_answer_with_odd_counts_is_saved_and_not_paid_for_again(store: str, count: object) -> None:
    usage = {"prompt_tokens": count, "completion_tokens": count, "prompt_tokens_details": {"cached_tokens": count}}
    with Service(lambda *_: reply(usage, answer())) as service:
        first, progress, ended = run(service, store)
        again, _, _ = run(service, store)
    assert ended is None and not progress.failed
    assert all(result.assessment for result in first) and len(first) == len(PITCHES)
    assert all(result.from_store for result in again)
    assert sum(service.asked.values()) == len(PITCHES)
    assert 0 <= progress.usage.input_tokens <= MOST_TOKENS * len(PITCHES)


_ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=2)
)
_NAMES = (
    "prompt_tokens",
    "input_tokens",
    "completion_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "prompt_tokens_details",
)


@given(
    st.one_of(
        _ANYTHING,
        st.dictionaries(st.sampled_from(_NAMES), _ANYTHING | st.builds(lambda n: {"cached_tokens": n}, _ANYTHING)),
    )
)
def test_whatever_is_reported_gives_counts_that_can_be_stored(usage: object) -> None:
    for completion_ in (SimpleNamespace(usage=usage), {"usage": usage}, usage):
        found = usage_of(completion_, MODEL).usage
        assert found.requests == 1
        for tokens in (found.input_tokens, found.cached_tokens, found.output_tokens):
            assert 0 <= tokens <= 4 * MOST_TOKENS
        assert found.cached_tokens <= found.input_tokens or found.cost_usd is None
        assert found.cost_usd is None or found.cost_usd >= 0


def test_more_cached_than_prompt_tokens_is_a_warning_and_the_sum_is_priced(store: str) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 900, "prompt_tokens_details": {"cached_tokens": 4735}}
    with Service(lambda *_: reply(usage, answer())) as service:
        results, progress, ended = run(service, store, pitches=PITCHES[:1])
    assert ended is None and kept(store) == 1
    found = results[0].assessment
    assert found is not None and [warning.kind for warning in found.warnings] == ["usage"]
    assert progress.usage.input_tokens == 4740
    assert progress.usage.cost_usd == cost_of(MODEL, 4740, 900, 4735)


def test_anthropic_counts_cached_tokens_apart() -> None:
    usage = {"input_tokens": 5, "cache_read_input_tokens": 4000, "cache_creation_input_tokens": 90, "output_tokens": 7}
    found = usage_of(SimpleNamespace(usage=usage), MODEL)
    assert (found.usage.input_tokens, found.usage.cached_tokens, found.note) == (4095, 4000, None)


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None, "completion_tokens": None}, {"prompt_tokens": 9}])
def test_an_answer_that_does_not_say_what_it_took_has_an_unknown_cost(store: str, usage: object) -> None:
    with Service(lambda *_: reply(usage, answer())) as service:
        results, progress, _ = run(service, store, pitches=PITCHES[:2])
    assert progress.usage.cost_usd is None and progress.usage.requests == 2
    found = results[0].assessment
    assert found is not None and "the cost is unknown" in found.warnings[0].message


def test_a_limit_on_the_cost_does_not_go_on_blindly(store: str) -> None:
    with Service(lambda *_: reply(None, answer())) as service:
        results, _, ended = run(service, store, max_cost=1.0)
    assert isinstance(ended, CostLimitReached) and "does not say how many tokens" in str(ended)
    assert len(results) == sum(service.asked.values()) == kept(store) <= 4  # those in flight when it was first seen


# ---------------------------------------------------------------- replies without an answer


def test_a_filtered_answer_is_asked_for_once_counted_and_never_asked_for_again(store: str) -> None:
    with Service(lambda *_: reply(finish="content_filter", plain=True)) as service:
        first, progress, ended = run(service, store)
        second, later, _ = run(service, store)
    assert ended is None
    assert {result.error.kind for result in (*first, *second) if result.error} == {"filtered"}
    assert progress.failed == later.failed == {"filtered": 12}
    assert sum(service.asked.values()) == 12 == progress.usage.requests
    assert progress.usage.input_tokens == 12 * 5000 and progress.usage.cost_usd is not None
    assert later.usage.requests == 0


@pytest.mark.parametrize("finish", ["content_filter", "guardrail_intervened", "SAFETY"])
def test_a_filter_has_many_names_and_what_it_left_is_not_an_answer(finish: str) -> None:
    with Service(lambda *_: reply(content=answer(), finish=finish)) as service:
        results, _, _ = run(service, False, pitches=PITCHES[:1])
    assert isinstance(results[0].error, ContentFiltered)
    assert sum(service.asked.values()) == 1


EMPTY = {
    "no choices": reply(choices=[]),
    "choices null": reply(choices=None),
    "message null": reply(message=None, content="{}"),
    "an empty object": Reply(b'{"usage": {"prompt_tokens": 5000, "completion_tokens": 900}}'),
}


@pytest.mark.parametrize("nothing", EMPTY.values(), ids=EMPTY)
def test_a_reply_with_nothing_in_it_is_asked_for_once_more_counted_and_never_replayed(
    store: str, nothing: Reply
) -> None:
    with Service(lambda *_: nothing) as service:
        results, progress, _ = run(service, store, pitches=PITCHES[:1])
        assert isinstance(results[0].error, ExtractionError)
        assert sum(service.asked.values()) == 2 == progress.usage.requests == kept(store)
    with Service(lambda _, asked: nothing if asked == 1 else good()) as service:
        results, progress, _ = run(service, store, pitches=PITCHES[:1])
    assert results[0].assessment is not None and not results[0].from_store
    assert progress.usage.requests == 2 and progress.usage.input_tokens == 10_000


def test_a_useless_second_answer_is_not_paid_for_again_by_the_next_run(store: str) -> None:
    faulty = answer(buyer={"quotes": ["nobody said this"], "basis": "stated", "value": "practitioner"})
    for useless in (reply(finish="length", plain=True), reply(choices=[]), reply(finish="content_filter", plain=True)):
        pitches = [("1", f"{PITCH} {useless.body.decode()[-200:-100]}")]

        def answered(_: str, asked: int, useless: Reply = useless) -> Reply:
            return reply(content=faulty) if asked == 1 else useless

        with Service(answered) as service:
            first, _, _ = run(service, store, pitches=pitches)
            again, progress, _ = run(service, store, pitches=pitches)
        assert first[0].assessment is not None and again[0].from_store
        assert progress.usage.requests == 0


# ---------------------------------------------------------------- the limit


class Counted:
    """A service's replies with what they cost: each HTTP 200 counts, whether or not the client likes it."""

    def __init__(self, choose: Callable[[int], Reply]):
        self._choose = choose
        self._lock = Lock()
        self.requests = 0
        self.cost = 0.0

    def __call__(self, *_: object) -> Reply:
        with self._lock:
            self.requests += 1
            made = self._choose(self.requests)
            if made.status == 200:
                self.cost += cost_of(MODEL, 5000, 900, 4000) or 0.0
            return made


KINDS = {
    "answers": reply(content=answer()),
    "filtered": reply(finish="content_filter", plain=True),
    "cut off": reply(finish="length", plain=True),
    "empty": reply(choices=[]),
    "refused": reply(refusal="no"),
    "garbled": FAULTS["not json"],
    "half a body": FAULTS["cut off"],
    "a page": Reply(b"<html></html>", headers={"Content-Type": "text/html"}),
    "an error in a 200": Reply(b'{"error": {"message": "no", "code": 502}}'),
    "an error with usage": Reply(
        b'{"error": {"message": "no", "code": 429}, "usage": {"prompt_tokens": 5000, "completion_tokens": 900}}'
    ),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_http_200_counts_within_the_limit(kind: Reply, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.reading.rate_limiter.wait_random_exponential", lambda **_: lambda _: 0.0)
    counted = Counted(lambda number: kind if number % 2 else KINDS["answers"])
    limit = 0.03
    pitches = [(str(number), f"{PITCH} {number}") for number in range(200)]
    with Service(counted) as service:
        _, _, ended = run(service, False, max_cost=limit, pitches=pitches)
    assert isinstance(ended, CostLimitReached)
    assert 0 < counted.cost <= limit
