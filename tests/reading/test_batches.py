"""Requests in batches: the same as live ones, and whatever becomes of them, answered once or failed after a few."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from analyzer.errors import AnalyzerError, AwaitsBatch
from analyzer.reading.batch_decisions import MOST_TRIES, AskNext, Fail, Play, Wait, decide
from analyzer.reading.batch_desk import BatchDesk
from analyzer.reading.clients import Exchange, ModelClient, shared_client
from analyzer.reading.exchange import send
from analyzer.reading.forms import form
from analyzer.reading.modes import ModelQuestion, whole_request
from analyzer.reading.pitch import Pitch
from analyzer.reading.profiles import Mode, profile_of, profiles
from analyzer.reading.recordings import ModelRequest, current_request
from analyzer.settings import Settings
from analyzer.store.answers import StoredAnswer, delete_unused_answers
from analyzer.store.batches import Outcome, StoredBatch, StoredRequest
from analyzer.store.store import Store
from tests.batch_provider import KEY, Provider, settings_for
from tests.completions import PITCH
from tests.properties import runs
from tests.sdks import can_be_mocked

MODEL = "openai/gpt-4.1-mini"
CLAUDE = "anthropic/claude-opus-5-5"
URL = "https://models.test/v1"

# ---------------------------------------------------------------- the same request


@pytest.mark.parametrize(
    ("model", "mode"),
    [
        *(
            (MODEL, mode)
            for mode in ("tools", "tools_required", "tools_auto", "json_schema", "json", "text", "responses")
        ),
        *((CLAUDE, mode) for mode in ("native", "tools", "tools_auto", "text")),
    ],
)
def test_a_batch_asks_exactly_what_a_live_run_asks(model: str, mode: Mode) -> None:
    if model == CLAUDE and not can_be_mocked("anthropic"):
        pytest.skip("needs the package anthropic, on httpx")
    shared_client.cache_clear()
    configured = Settings(openai_api_key=KEY, keys={"anthropic": KEY})
    question = ModelQuestion(form("quotes"), Pitch.from_text(PITCH))
    with respx.mock() as router:
        route = router.route().mock(return_value=httpx.Response(400, json={}))
        with pytest.raises(AnalyzerError):
            asyncio.run(send(ModelClient(model, configured), question, mode, Exchange(model)))
    asked = route.calls[0].request
    name = model.partition("/")[2]
    endpoint, body = whole_request(question, mode, profile_of(model, configured), name)
    assert asked.url.path == f"/v1{endpoint}" and json.loads(asked.content) == json.loads(json.dumps(body))


# ---------------------------------------------------------------- what becomes of a request


def stored(state: Any, **changes: Any) -> StoredRequest:
    return StoredRequest("k" * 64, "b", state, **changes)


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("state", ["expired", "lost", "unsent", "answered", "failed"])
def test_what_has_no_answer_is_asked_again_until_it_was_tried_too_often(state: str, anew: bool) -> None:
    for tries in range(1, MOST_TRIES):
        assert isinstance(decide(stored(state, tries=tries), anew=anew), AskNext)
    assert isinstance(decide(stored(state, tries=MOST_TRIES), anew=anew), AskNext if anew else Fail)


@pytest.mark.parametrize("anew", [False, True])
def test_what_is_in_a_batch_or_replied_is_never_asked(anew: bool) -> None:
    assert isinstance(decide(stored("sent"), anew=anew), Wait)
    assert decide(stored("replied", reply={"a": 1}), anew=anew) == Play({"a": 1})


def test_a_setting_that_is_refused_is_left_out_next_time() -> None:
    body = {"error": {"code": "unsupported_value", "message": "no"}}
    refused = stored("failed", status=400, reply=body)
    first = decide(refused, anew=False, settings=True)
    assert isinstance(first, Fail) and first.error.kind == "setting"
    assert isinstance(decide(refused, anew=False, settings=False), AskNext)


def test_a_mode_that_is_refused_fails_the_pitch_and_names_the_option() -> None:
    refused = stored("failed", status=400, reply={"error": {"code": "unsupported_tool_choice", "message": "no"}})
    decision = decide(refused, anew=False)
    assert isinstance(decision, Fail) and "--mode" in str(decision.error)


def test_an_error_that_echoes_the_pitch_does_not_decide_for_it() -> None:
    pitch = "the context length is too long: maximum context length"
    echoed = stored("failed", status=400, reply={"error": {"message": pitch}})
    decision = decide(echoed, anew=False, body={"messages": [{"content": pitch}]})
    assert isinstance(decision, Fail) and decision.error.kind == "rejected"


# ---------------------------------------------------------------- any course of events


FATES = st.sampled_from(["ok", "ok", "twice", "expired", "cancelled", "missing", "429", "500", "400"])
ROUND = st.fixed_dictionaries(
    {
        "fates": st.lists(FATES, min_size=4, max_size=4),
        "damage": st.sampled_from(["", "", "cut", "lost", "strangers"]),
        "ended": st.sampled_from(["completed", "expired", "cancelled"]),
        "refuse": st.sampled_from(["", "", "", "model_not_found"]),
        "trouble": st.lists(st.sampled_from(["", "", "broken", "lost", "429"]), max_size=4),
        "repair": st.booleans(),
    }
)


class Course:
    """Four requests of one model, asked in batches until each has an answer or an error."""

    def __init__(self, store: Store, configured: Settings, model: str, name: str):
        self.store, self.configured, self.model = store, configured, model
        keys = [hashlib.sha256(f"{name} {number}".encode()).hexdigest() for number in range(4)]
        self.requests = [ModelRequest.first(model, key, "quotes", "tools") for key in keys]
        self.answered: set[str] = set()
        self.failed: dict[str, AnalyzerError] = {}

    def go(self, *, anew: bool = False) -> None:
        """One call of `submit` or `collect`."""
        desk = BatchDesk(self.store, [self.model], self.configured, anew=anew, pause=lambda seconds: None)
        try:
            desk.take()
            asyncio.run(self._ask_all(desk))
            desk.send()
        except AnalyzerError:
            pass  # the next call goes on
        finally:
            for draft in (*desk.rules.drafts.values(), *desk.rules.full):
                draft.close()

    async def _ask_all(self, desk: BatchDesk) -> None:
        self.failed = {}
        for request in self.requests:
            if request.key in self.answered:
                continue
            token = current_request.set(request)
            try:
                body = {"model": "m", "messages": [{"content": request.pitch_sha256}]}
                await desk.port(self.model).reply(self.endpoint, body, settings=True)
            except AwaitsBatch:
                continue
            except AnalyzerError as error:
                self.failed[request.key] = error
                continue
            finally:
                current_request.reset(token)
            self.answered.add(request.key)
            self.store.answers.save([StoredAnswer(request.key, self.model, "", "", request.pitch_sha256, 0, "{}")])

    @property
    def endpoint(self) -> str:
        return "/messages" if self.model == CLAUDE else "/chat/completions"

    @property
    def over(self) -> bool:
        return len(self.answered) + len(self.failed) == len(self.requests)


@pytest.fixture(params=[MODEL, CLAUDE], ids=["openai", "anthropic"])
def course(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], tuple[Course, Provider]]]:
    monkeypatch.setattr("analyzer.reading.batch_desk._GIVE_UP", 0.0)
    monkeypatch.setattr("analyzer.reading.batch_desk._MISSES_APART", 0.0)
    monkeypatch.setattr("analyzer.reading.batch_desk.BatchDesk._is_overdue", lambda *_: True)
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    configured = settings_for(tmp_path, URL, requests=3)
    providers: list[Provider] = []

    def made(name: str) -> tuple[Course, Provider]:
        providers.append(Provider())
        return Course(store, configured, request.param, name), providers[-1]

    with respx.mock(assert_all_called=False) as router:
        router.route(host="models.test").mock(side_effect=lambda asked: providers[-1].handle(asked))
        yield made
    store.close()


_number = iter(range(1_000_000))


@pytest.mark.slow
@given(rounds=st.lists(ROUND, max_size=5))
@runs(40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_course_of_events_ends_in_one_outcome_each_and_pays_no_answer_twice(
    course: Callable[[str], tuple[Course, Provider]], rounds: list[dict[str, Any]]
) -> None:
    run, provider = course(f"course {next(_number)}")
    run.go(anew=True)
    for events in rounds:
        _happen(provider, run, events)
        run.go()
    for _ in range(12):
        provider.trouble.clear()
        provider.repair()
        provider.finish()
        run.go()
        if run.over:
            break
    assert run.over
    for key in run.answered:  # an answer that arrived is never paid for again
        assert 1 <= provider.paid[key] <= 1 + _lost(rounds)
    before = sum(provider.paid.values())
    run.go()
    provider.finish()
    assert run.over and sum(provider.paid.values()) == before
    run.go(anew=True)
    provider.finish()
    run.go()
    assert len(run.answered) == 4


def _happen(provider: Provider, run: Course, events: dict[str, Any]) -> None:
    provider.trouble.clear()
    provider.trouble.extend(events["trouble"])
    if events["repair"]:
        provider.repair()
    if events["refuse"]:
        if run.model == MODEL:
            provider.refuse(events["refuse"])
        return
    number = {request.pitch_sha256: place for place, request in enumerate(run.requests)}

    def fate(key: str, body: dict[str, Any]) -> str:
        return str(events["fates"][number[body["messages"][0]["content"]]])

    provider.finish(fate, ended=events["ended"], damage=events["damage"], seed=1)


def _lost(rounds: list[dict[str, Any]]) -> int:
    """In how many rounds the provider itself lost answers that it had charged for. All batches are days old here, so
    three looks that fail count as such a loss."""
    lost = sum(events["damage"] in ("cut", "lost") or "missing" in events["fates"] for events in rounds)
    return lost + sum(bool(trouble) for events in rounds for trouble in events["trouble"]) // 3


# ---------------------------------------------------------------- several processes


KEYS = [f"{number:064x}" for number in range(4)]


def test_of_two_processes_that_send_the_same_requests_one_claims_each(tmp_path: Path) -> None:
    with (
        Store.open(f"sqlite:///{tmp_path / 'store.db'}") as one,
        Store.open(f"sqlite:///{tmp_path / 'store.db'}") as two,
    ):
        first, second = (StoredBatch(name * 32, "o" * 32, MODEL, "writing", 0) for name in "ab")
        assert one.batches.claim(first, [(KEYS[1], "p"), (KEYS[2], "p")], anew=True) == {KEYS[1], KEYS[2]}
        assert two.batches.claim(second, [(KEYS[2], "p"), (KEYS[3], "p")], anew=True) == {KEYS[3]}
        assert two.batches.claim(second, [(KEYS[2], "p")], anew=True) == set()
        assert [batch.requests for batch in one.batches.under_way([MODEL])] == [2, 1]


def test_of_two_processes_one_takes_a_batch_from_one_state_to_the_next(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        store.batches.claim(StoredBatch("b" * 32, "o" * 32, MODEL, "writing", 0), [(KEYS[1], "p")], anew=True)
        assert store.batches.give_up("b" * 32, "writing", "abandoned")
        assert not store.batches.move("b" * 32, "writing", "creating")
        assert store.batches.find([KEYS[1]])[KEYS[1]].state == "unsent"


def test_an_error_of_an_old_batch_does_not_free_a_request_that_a_new_one_has(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        old, new = (StoredBatch(name * 32, "o" * 32, MODEL, "writing", 0) for name in "ab")
        store.batches.claim(old, [(KEYS[1], "p")], anew=True)
        failed = [Outcome(KEYS[1], "failed", 429, {})]
        store.batches.take(old.id, failed)
        assert store.batches.claim(new, [(KEYS[1], "p")], anew=False) == {KEYS[1]}
        store.batches.take(old.id, failed)  # by a slower process
        assert store.batches.find([KEYS[1]])[KEYS[1]].state == "sent"


def test_deleting_a_pitch_deletes_what_batches_know_of_it(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        store.batches.claim(
            StoredBatch("b" * 32, "o" * 32, MODEL, "writing", 0), [(KEYS[1], "p"), (KEYS[2], "q")], anew=True
        )
        store.batches.take("b" * 32, [Outcome(KEYS[1], "replied", 200, {"a": 1})])
        with store._database.writing() as connection:
            delete_unused_answers(connection, ["p"])
        assert set(store.batches.find([KEYS[1], KEYS[2]])) == {KEYS[2]}


# ---------------------------------------------------------------- the docs


def test_the_docs_name_the_limits_of_every_server_with_batches() -> None:
    text = (Path(__file__).parents[2] / "docs" / "batch.md").read_text(encoding="utf-8")
    for profile in profiles():
        if profile.batches is not None:
            limits = f"{profile.batches.requests:,} requests, {profile.batches.megabytes} MB"
            assert any(
                f"`{name}/…`" in line and limits in line for name in profile.providers for line in text.splitlines()
            )
