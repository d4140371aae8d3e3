"""Pitches in batches at a provider: every one ends in exactly one row, nothing is lost, nothing is paid twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from analyzer import analyze_many
from analyzer.errors import AuthenticationFailed, ConfigurationError
from analyzer.runs.batch import collect, submit
from analyzer.settings import Settings
from analyzer.store.batches import BatchTable
from tests.batch_desks import ANTHROPIC, OPENAI, URL, Desk, at, fates, good, pitches
from tests.batch_provider import KEY, settings_for
from tests.completions import PITCH, answer, single


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.runs.batch._pause", lambda seconds: None)
    monkeypatch.setattr("analyzer.reading.batch_desk._MISSES_APART", 0.0)


# ---------------------------------------------------------------- a good day


def test_what_is_sent_is_collected_later_and_paid_for_once(desk: Desk) -> None:
    submitted = desk.submit()
    assert (submitted.report.sent, submitted.report.sent_batches, submitted.waiting) == (3, 1, 3)
    results, run = desk.collect()
    assert not results and run.waiting == 3 and run.report.open_batches == 1
    desk.provider.finish()
    results, run = desk.collect()
    assert good(results) == ["p0", "p1", "p2"] and not run.waiting
    assert not any(result.from_store for result in results.values()) and run.summary.usage.requests == 3
    again, run = desk.collect()
    assert good(again) == good(results) and run.summary.usage.requests == 0
    assert set(desk.provider.paid.values()) == {1} and len(desk.provider.batches) == 1


def test_a_batch_gives_what_a_live_run_gives_at_half_the_price(openai: Desk) -> None:
    openai.submit()
    openai.provider.finish()
    results, run = openai.collect()
    live_run = analyze_many(pitches(3), **{**openai.all, "store": False})
    live = {result.id: result for result in live_run}
    for id_, result in results.items():
        batched, asked = result.assessment, live[id_].assessment
        assert batched is not None and asked is not None
        assert (batched.signals, batched.scores) == (asked.signals, asked.scores)
    assert live_run.summary.usage.cost_usd == pytest.approx(2 * (run.summary.usage.cost_usd or 0))


def test_a_live_run_takes_what_a_batch_has_answered(openai: Desk) -> None:
    openai.submit()
    openai.provider.finish()
    openai.collect()
    assert all(result.from_store for result in analyze_many(pitches(3), **openai.all))
    assert openai.provider.live == 0


def test_sending_again_sends_nothing_that_a_batch_has(desk: Desk) -> None:
    desk.submit(2)
    assert desk.submit(3).report.sent == 1
    assert [len(batch.requests) for batch in desk.provider.batches.values()] == [2, 1]


def test_pitches_with_one_text_are_one_request_and_counted_once(openai: Desk) -> None:
    same = [("a", PITCH), ("b", PITCH)]
    assert submit(same, **openai.all).report.sent == 1
    openai.provider.finish()
    run = collect(same, **openai.all)
    assert sorted(result.id for result in run) == ["a", "b"]
    assert run.summary.usage.input_tokens == 5000


def test_batches_are_no_larger_than_the_server_allows(desk: Desk) -> None:
    desk.limits(2)
    desk.submit(5)
    assert [len(batch.requests) for batch in desk.provider.batches.values()] == [2, 2, 1]
    desk.provider.finish()
    assert len(good(desk.collect(5)[0])) == 5


@pytest.mark.slow
def test_a_batch_is_split_where_it_would_be_too_large(openai: Desk) -> None:
    openai.limits(100, 1)
    openai.submit(60)
    sizes = [len(batch.requests) for batch in openai.provider.batches.values()]
    assert len(sizes) == 2 and sum(sizes) == 60
    assert all(len(file) < 1_000_000 for file in openai.provider.files.values())


def test_pitches_that_no_batch_has_are_not_asked_when_collecting(openai: Desk) -> None:
    results, run = openai.collect()
    assert not results and (run.waiting, run.unasked) == (0, 3)
    assert not openai.provider.batches and openai.provider.live == 0


# ---------------------------------------------------------------- results


@pytest.mark.parametrize("damage", ["", "strangers"])
def test_results_in_any_order_twice_or_about_others_give_one_row_each(desk: Desk, damage: str) -> None:
    desk.submit(8)
    desk.provider.finish(fates("twice", "ok", "twice"), damage=damage, seed=4)
    results, run = desk.collect(8)
    assert len(good(results)) == 8 and run.summary.usage.requests == 8
    assert bool(run.report.notes) == bool(damage)


@pytest.mark.parametrize(("fate", "ended"), [("429", "completed"), ("500", "completed"), ("expired", "expired")])
def test_what_failed_for_the_moment_or_expired_is_asked_in_the_next_batch(desk: Desk, fate: str, ended: str) -> None:
    desk.submit()
    desk.provider.finish(fates("ok", fate), ended=ended)
    results, run = desk.collect()
    assert good(results) == ["p0", "p2"] and run.waiting == 1 and run.report.sent == 1
    desk.provider.finish()
    assert len(good(desk.collect()[0])) == 3
    assert set(desk.provider.paid.values()) == {1}


@pytest.mark.slow
def test_a_pitch_that_no_batch_answers_fails_after_three_and_is_asked_anew_on_request(desk: Desk) -> None:
    desk.submit()
    for _ in range(3):
        desk.provider.finish(fates("ok", "expired"), ended="expired")
        results, run = desk.collect()
    assert good(results) == ["p0", "p2"] and not run.waiting
    assert "no answer in 3 batches; the last time, the batch expired" in str(results["p1"].error)
    assert desk.collect()[0]["p1"].error is not None and len(desk.provider.batches) == 3
    assert desk.submit().report.sent == 1
    desk.provider.finish()
    assert len(good(desk.collect()[0])) == 3


def test_an_error_of_one_pitch_is_its_row_and_is_not_asked_again(openai: Desk) -> None:
    openai.submit()
    openai.provider.finish(fates("400 context_length_exceeded"))
    results, run = openai.collect()
    assert results["p0"].error is not None and results["p0"].error.kind == "too_long"
    assert not run.waiting and len(openai.provider.batches) == 1


def test_requests_that_fail_because_the_account_is_empty_are_asked_again(desk: Desk) -> None:
    desk.submit()
    empty = "400 Your credit balance is too low" if desk.model == ANTHROPIC else "429 insufficient_quota"
    desk.provider.finish(fates(empty, empty, "ok"))
    results, run = desk.collect()
    assert good(results) == ["p2"] and run.waiting == 2
    assert any("no balance or quota" in note for note in run.report.notes)
    desk.provider.finish()
    assert len(good(desk.collect()[0])) == 3


@pytest.mark.parametrize("damage", ["cut", "lost"])
def test_results_that_are_cut_or_missing_are_looked_for_again_before_anything_is_paid_twice(
    desk: Desk, damage: str
) -> None:
    desk.submit()
    desk.provider.finish(damage=damage)
    _, run = desk.collect()
    assert run.waiting and not run.report.sent and "incomplete" in run.report.notes[0]
    desk.provider.repair()
    results, run = desk.collect()
    assert len(good(results)) == 3 and set(desk.provider.paid.values()) == {1}


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "lost"])
def test_results_that_stay_lost_are_asked_again_and_the_run_says_so(desk: Desk, damage: str) -> None:
    desk.submit()
    desk.provider.finish(damage=damage)
    first = len(good(desk.collect()[0]))
    desk.collect()
    _, run = desk.collect()
    assert run.report.sent == 3 - first and any("may have charged" in note for note in run.report.notes)
    desk.provider.finish()
    assert len(good(desk.collect()[0])) == 3
    assert Counter(desk.provider.paid.values()) == Counter({1: first, 2: 3 - first} if first else {2: 3})


@pytest.mark.slow
def test_a_result_that_never_comes_counts_as_lost_after_three_looks(desk: Desk) -> None:
    desk.submit()
    desk.provider.finish(fates("ok", "missing"))
    sent = [desk.collect()[1].report.sent for _ in range(3)]
    assert sent == [0, 0, 1]


# ---------------------------------------------------------------- sending goes wrong


def test_a_batch_whose_creation_was_not_confirmed_is_found_and_not_sent_twice(desk: Desk) -> None:
    desk.provider.trouble.extend(["", "lost"] if desk.model == OPENAI else ["lost"])
    submitted = desk.submit()
    assert submitted.waiting == 3 and len(desk.provider.batches) == 1
    assert not submitted.report.notes or desk.model == ANTHROPIC  # where it cannot be known yet
    assert desk.submit().report.sent == 0
    desk.provider.finish()
    assert len(good(desk.collect()[0])) == 3
    assert set(desk.provider.paid.values()) == {1}


def test_a_batch_that_was_never_created_is_sent_again_after_a_while(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.provider.trouble.extend(["", "broken"] if desk.model == OPENAI else ["broken"])
    desk.submit()
    assert not desk.provider.batches
    _, run = desk.collect()
    assert run.waiting == 3 and not run.report.sent
    monkeypatch.setattr("analyzer.reading.batch_desk._GIVE_UP", 0.0)
    _, run = desk.collect()
    assert run.report.sent == 3 and "did not arrive" in run.report.notes[0]
    desk.provider.finish()
    assert len(good(desk.collect()[0])) == 3


def test_a_process_that_dies_after_creating_a_batch_loses_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    move = BatchTable.move

    def dies(table: BatchTable, id_: str, before: Any, after: Any, **changes: Any) -> bool:
        if after == "open":
            raise KeyboardInterrupt
        return move(table, id_, before, after, **changes)

    with monkeypatch.context() as patched:
        patched.setattr(BatchTable, "move", dies)
        with pytest.raises(KeyboardInterrupt):
            desk.submit()
    assert desk.submit().report.sent == 0
    desk.provider.finish()
    assert len(good(desk.collect()[0])) == 3 and len(desk.provider.batches) == 1


def test_a_batch_of_another_program_is_not_taken_for_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in at(tmp_path, ANTHROPIC):
        other.provider.trouble.append("broken")
        other.submit()
        body = {"requests": [{"custom_id": f"their-{number}", "params": {"messages": []}} for number in range(3)]}
        httpx.post(f"{URL}/messages/batches", json=body, headers={"x-api-key": KEY})
        monkeypatch.setattr("analyzer.reading.batch_desk._GIVE_UP", 0.0)
        assert other.collect()[1].report.sent == 0  # it may be ours until it shows its ids
        other.provider.finish()
        assert other.collect()[1].report.sent == 3
        other.provider.finish()
        assert len(good(other.collect()[0])) == 3


def test_an_upload_that_fails_leaves_everything_to_the_next_call(openai: Desk) -> None:
    openai.provider.trouble.extend(["broken"] * 4)
    with pytest.raises(Exception, match="the model's server failed"):
        openai.submit()
    assert openai.submit().report.sent == 3


def test_a_server_that_cannot_be_reached_leaves_what_is_stored(openai: Desk) -> None:
    openai.submit(2)
    openai.provider.finish()
    openai.collect(2)
    openai.submit(3)
    openai.settings = settings_for(openai.folder, "http://127.0.0.1:9/v1")
    results, run = openai.collect(3)
    assert good(results) == ["p0", "p1"] and run.waiting == 1
    assert "could not be looked at" in run.report.notes[0]


@pytest.mark.slow
def test_a_batch_that_the_server_refuses_is_tried_three_times(openai: Desk) -> None:
    openai.submit()
    for _ in range(3):
        openai.provider.refuse("model_not_found")
        results, run = openai.collect()
    assert not run.waiting and len(openai.provider.batches) == 3
    assert "does not know this model" in str(results["p0"].error)


@pytest.mark.slow
def test_a_full_queue_holds_what_is_left_back_and_makes_batches_smaller(openai: Desk) -> None:
    openai.limits(20)
    openai.submit(40)
    first, second = openai.provider.batches.values()
    second.status, second.reasons = "failed", ["token_limit_exceeded"]
    assert openai.collect(40)[1].report.sent == 0 and not first.over
    openai.provider.finish()
    results, run = openai.collect(40)
    assert len(good(results)) == 20 and (run.report.sent, run.report.sent_batches) == (20, 2)


# ---------------------------------------------------------------- cancelling


def test_cancelled_batches_keep_what_is_done_and_ask_nothing_until_sent_again(desk: Desk) -> None:
    desk.submit()
    assert desk.cancel().cancelled == 3
    assert all(batch.cancelling for batch in desk.provider.batches.values())
    desk.provider.finish(fates("ok", "cancelled", "cancelled"), ended="cancelled")
    results, run = desk.collect()
    assert good(results) == ["p0"] and not run.waiting and not run.report.sent
    assert "its batch was cancelled" in str(results["p1"].error)
    assert desk.submit().report.sent == 2
    desk.provider.finish()
    assert len(good(desk.collect()[0])) == 3 and set(desk.provider.paid.values()) == {1}


def test_only_the_batches_with_these_pitches_are_cancelled(openai: Desk) -> None:
    openai.submit(2)
    others = [("x", f"{PITCH}\nSomething else.")]
    submit(others, **openai.all)
    assert openai.cancel(2).cancelled == 2
    assert [batch.cancelling for batch in openai.provider.batches.values()] == [True, False]


def test_a_batch_that_the_key_does_not_reach_is_not_called_cancelled(openai: Desk) -> None:
    openai.submit()
    openai.provider.batches.clear()
    report = openai.cancel()
    assert not report.cancelled and "Is the key of another project" in report.notes[0]


# ---------------------------------------------------------------- second questions


def wrong_first(body: dict[str, Any]) -> dict[str, Any]:
    """An answer with a quote that is not in the pitch, and a sound one when asked about it."""
    roles = [message["role"] for message in body["messages"]]
    return answer() if "assistant" in roles else answer(buyer=single("practitioner", "nobody said this"))


def test_a_second_question_goes_into_the_next_batch(desk: Desk) -> None:
    desk.provider.content = wrong_first
    desk.submit()
    desk.provider.finish()
    results, run = desk.collect()
    assert not results and run.waiting == 3 and run.report.sent == 3
    desk.provider.finish()
    results, run = desk.collect()
    assert {result.assessment.signals.buyer.value for result in results.values() if result.assessment} == {
        "engineering_leadership"
    }
    assert not run.waiting and set(desk.provider.paid.values()) == {1} and len(desk.provider.paid) == 6


def test_what_is_left_is_asked_at_once_if_the_user_says_so_at_the_usual_price(openai: Desk) -> None:
    openai.provider.content = wrong_first
    openai.submit()
    openai.provider.finish(fates("ok", "expired"))
    results, run = openai.collect(live=True)
    assert len(good(results)) == 3 and openai.provider.live == 4 and not run.report.sent
    assert run.summary.usage.requests == 6


def test_what_may_be_spent_live_is_reported_so_that_a_limit_holds_over_several_calls(openai: Desk) -> None:
    openai.submit()
    openai.provider.finish(fates("ok", "429", "429"))
    _, run = openai.collect(live=True, max_cost=1)
    assert openai.provider.live == 2 and run.report.at_most and not run.report.sent


def test_answers_that_cannot_be_used_fail_the_same_way_until_the_user_asks_anew(desk: Desk) -> None:
    desk.provider.content = lambda body: "no JSON"
    desk.submit(1)
    desk.provider.finish()
    desk.collect(1)
    desk.provider.finish()
    for _ in range(2):
        results, run = desk.collect(1)
        assert results["p0"].error is not None and results["p0"].error.kind == "extraction" and not run.waiting
    assert len(desk.provider.batches) == 2
    desk.provider.content = lambda body: answer()
    assert desk.submit(1).report.sent == 1
    desk.provider.finish()
    assert good(desk.collect(1)[0]) == ["p0"]


def test_a_refusal_is_counted_once_and_stays(openai: Desk) -> None:
    openai.submit(1)
    batch = next(iter(openai.provider.batches.values()))
    openai.provider.finish()
    line = json.loads(openai.provider.files[batch.output or ""])
    line["response"]["body"]["choices"][0]["finish_reason"] = "length"
    openai.provider.files[batch.output or ""] = json.dumps(line).encode() + b"\n"
    first, run = openai.collect(1)
    assert "cut off" in str(first["p0"].error) and run.summary.usage.requests == 1
    second, run = openai.collect(1)
    assert "cut off" in str(second["p0"].error) and run.summary.usage.requests == 0
    assert openai.submit(1).report.sent == 1


def test_an_empty_answer_is_asked_once_more(openai: Desk) -> None:
    openai.submit(1)
    for expected in (1, 0):
        batch = list(openai.provider.batches.values())[-1]
        openai.provider.finish()
        line = json.loads(openai.provider.files[batch.output or ""])
        line["response"]["body"]["choices"] = []
        openai.provider.files[batch.output or ""] = json.dumps(line).encode() + b"\n"
        results, run = openai.collect(1)
        assert run.waiting == expected
    assert "empty" in str(results["p0"].error)


@pytest.mark.slow
def test_several_readings_and_a_second_look_are_requests_of_batches_too(openai: Desk) -> None:
    openai.options |= {"readings": 2, "verify": True}
    openai.provider.content = lambda body: (
        answer() if "RecordSignals" in json.dumps(body.get("tools", "")) else {"answers": []}
    )
    assert openai.submit(2).report.sent == 4
    openai.provider.finish()
    results, run = openai.collect(2)
    assert not results and run.report.sent == 1  # the second look: both were read alike
    for _ in range(3):
        openai.provider.finish()
        results, run = openai.collect(2)
    assert len(good(results)) == 2
    assert all(
        len(result.assessment.provenance.reader.readings) == 2 for result in results.values() if result.assessment
    )


# ---------------------------------------------------------------- limits and refusals


def test_a_cost_limit_bounds_the_batch_before_it_is_sent(openai: Desk) -> None:
    one = openai.submit(1).report.at_most or 0.0
    submitted = openai.submit(4, max_cost=2.5 * one)
    assert submitted.report.sent == 2 and submitted.exit_code == 1
    assert "could exceed the limit" in str(submitted.ended)
    assert openai.submit(4).report.sent == 1


def test_a_cost_limit_without_a_price_is_refused(openai: Desk) -> None:
    openai.model = "openai/nobody-knows-this"
    with pytest.raises(ConfigurationError, match="price of openai/nobody-knows-this is not known"):
        openai.submit(max_cost=1.0)


def test_a_server_without_batches_is_one_line_and_nothing_is_sent(openai: Desk) -> None:
    openai.provider.has_batches = False
    with pytest.raises(ConfigurationError, match="takes no batches; run without --batch"):
        openai.submit()
    openai.settings = Settings(openai_base_url="https://unknown.test/v1", openai_api_key=KEY)
    with pytest.raises(ConfigurationError, match="no way to send batches to this server is known"):
        openai.submit()
    openai.model = "keywords"
    with pytest.raises(ConfigurationError, match="asks no server"):
        openai.submit()
    assert not openai.provider.batches


def test_a_wrong_key_is_one_line_and_nothing_is_recorded_as_sent(desk: Desk) -> None:
    right = desk.settings
    desk.settings = Settings(
        openai_base_url=URL, openai_api_key="wrong", keys={"anthropic": "wrong"}, profiles=right.profiles
    )
    with pytest.raises(AuthenticationFailed):
        desk.submit()
    desk.settings = right
    assert desk.submit().report.sent == 3


@pytest.mark.slow
def test_a_batch_of_another_project_is_waited_for_and_not_paid_for_again(openai: Desk) -> None:
    openai.submit()
    hidden = dict(openai.provider.batches)
    openai.provider.batches.clear()
    for _ in range(4):
        _, run = openai.collect()
        assert run.waiting == 3 and "another project" in run.report.notes[0]
    openai.provider.batches |= hidden
    openai.provider.finish()
    assert len(good(openai.collect()[0])) == 3


def test_batches_need_a_store(openai: Desk) -> None:
    with pytest.raises(ConfigurationError, match="recorded in the store"):
        openai.submit(store=False)
