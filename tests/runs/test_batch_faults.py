"""Batches where something breaks: processes that die, machines that work at the same time, inputs that change, full
disks, odd files. Every pitch still ends in one row, nothing is lost, nothing is paid twice."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable
from functools import wraps
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from analyzer.errors import ConfigurationError, ProviderUnreachable
from analyzer.reading.batch_services import _AnthropicBatches, _OpenAIBatches
from analyzer.runs.batch import cancel, collect, submit
from analyzer.settings import Settings
from analyzer.store.answers import AnswerTable
from analyzer.store.batches import BatchTable
from analyzer.store.store import Store
from tests.batch_desks import ANTHROPIC, OPENAI, Desk, at, fates, good, pitches
from tests.batch_provider import settings_for
from tests.completions import PITCH, answer, single
from tests.databases import KINDS, new_database

DESK = "analyzer.reading.batch_desk"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.runs.batch._pause", lambda seconds: None)


def wrong_first(body: dict[str, Any]) -> dict[str, Any]:
    """An answer with a quote that is not in the pitch for pitch 0, and a sound one when asked about it."""
    asked_again = "assistant" in [message["role"] for message in body["messages"]]
    wrong = "Number 0." in json.dumps(body) and not asked_again
    return answer(buyer=single("practitioner", "nobody said this")) if wrong else answer()


# ---------------------------------------------------------------- processes that die


class Killed(BaseException):
    """What ends a process here."""


class Death:
    """Ends the process after its `at`-th step: nothing that it would still do happens, until `revive`."""

    def __init__(self, at: int):
        self.left = at
        self.dead = self.fired = False

    def revive(self) -> None:
        self.dead = False

    def watch(self, monkeypatch: pytest.MonkeyPatch, holder: type, *names: str) -> None:
        for name in names:
            monkeypatch.setattr(holder, name, self._mortal(getattr(holder, name)))

    def _mortal(self, step: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(step)
        def mortal(*arguments: Any, **options: Any) -> Any:
            if self.dead:
                raise Killed
            done = step(*arguments, **options)
            self.left -= 1
            if self.left == 0:
                self.dead = self.fired = True
                raise Killed
            return done

        return mortal


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (OPENAI, "sqlite"),
        (ANTHROPIC, "sqlite"),
        pytest.param(OPENAI, "postgresql", marks=pytest.mark.postgresql),
    ],
)
def test_a_process_may_die_after_any_step_and_the_next_call_goes_on(tmp_path: Path, kind: str, model: str) -> None:
    for at_step in count(1):
        folder = tmp_path / f"{at_step}"
        folder.mkdir()
        with new_database(kind, folder) as url:
            if not _dies_once(folder, model, url, Death(at_step)):
                break
    assert at_step > 15  # so many steps there are at least


def _dies_once(folder: Path, model: str, url: str, death: Death) -> bool:
    """Whether the process died, in a course with a second question and a request that expires."""
    for run in at(folder, model):
        run.options["store"] = url
        run.provider.content = wrong_first
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(f"{DESK}._GIVE_UP", 0.0)
            service = _OpenAIBatches if model == OPENAI else _AnthropicBatches
            death.watch(patched, service, "upload", "create", "get")
            death.watch(
                patched, BatchTable, "claim", "move", "give_up", "take", "end", "note_unusable", "drop_used_replies"
            )
            death.watch(patched, AnswerTable, "save")
            for events, call in (
                (fates(), run.submit),
                (fates("ok", "expired"), run.collect),
                *((fates(), run.collect) for _ in range(3)),
            ):
                run.provider.finish(events, ended="expired")
                try:
                    call(2)
                except BaseException:  # noqa: BLE001  # whatever a dying process raises
                    assert death.dead
                if death.dead:
                    death.revive()
                    call(2)
        run.provider.finish()
        results, last = run.collect(2)
        assert good(results) == ["p0", "p1"], (death.left, results, last.report)
        assert set(run.provider.paid.values()) == {1} and len(run.provider.paid) == 3
        assert not last.waiting and not run.provider.live
    return death.fired


# ---------------------------------------------------------------- several machines


@pytest.mark.parametrize("kind", KINDS)
def test_results_that_another_machine_took_long_ago_change_nothing(desk: Desk, tmp_path: Path, kind: str) -> None:
    with new_database(kind, tmp_path) as url:
        desk.options["store"] = url
        desk.submit(1)
        desk.provider.finish(fates("expired"), ended="expired")
        late: list[Any] = []
        take = BatchTable.take

        def slowly(table: BatchTable, id_: str, outcomes: Any) -> int:
            late.append((id_, outcomes))
            return take(table, id_, outcomes)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(BatchTable, "take", slowly)
            assert desk.collect(1)[1].report.sent == 1
        with Store.open(url) as store:  # the slow machine saves what it read before
            for id_, outcomes in late:
                store.batches.take(id_, outcomes)
        assert desk.submit(1).report.sent == 0 and desk.collect(1)[1].waiting == 1
        desk.provider.finish()
        assert good(desk.collect(1)[0]) == ["p0"] and set(desk.provider.paid.values()) == {1}


def test_looks_in_quick_succession_are_no_proof_that_results_are_lost(desk: Desk) -> None:
    desk.submit()
    desk.provider.finish(damage="lost")
    for _ in range(5):
        assert desk.collect()[1].report.sent == 0
    desk.provider.repair()
    assert len(good(desk.collect()[0])) == 3 and set(desk.provider.paid.values()) == {1}


def test_a_batch_that_was_given_up_while_it_was_created_is_cancelled_and_not_paid_for_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = BatchTable.move

    def too_late(table: BatchTable, id_: str, before: Any, after: Any, **changes: Any) -> bool:
        if after == "open":
            table.give_up(id_, "creating", "abandoned")
        return move(table, id_, before, after, **changes)

    with monkeypatch.context() as patched:
        patched.setattr(BatchTable, "move", too_late)
        with pytest.raises(Exception, match="another run took it over"):
            desk.submit()
    assert [batch.cancelling for batch in desk.provider.batches.values()] == [True]
    assert desk.submit().report.sent == 3


def test_an_upload_that_takes_long_is_not_given_up_while_its_process_lives(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive = Event()
    service = _OpenAIBatches if desk.model == OPENAI else _AnthropicBatches
    upload = service.upload

    def slowly(self: Any, file: Any, name: str) -> str:
        assert alive.wait(60)
        return upload(self, file, name)

    monkeypatch.setattr(f"{DESK}._ALIVE", 0.001)
    monkeypatch.setattr(BatchTable, "note_alive", lambda table, id_: alive.set())
    monkeypatch.setattr(service, "upload", slowly)
    assert desk.submit().report.sent == 3


# ---------------------------------------------------------------- the input and the options change


def test_collecting_takes_the_pitches_that_are_there_by_then(openai: Desk) -> None:
    openai.submit(4)
    openai.provider.finish()
    changed = [
        ("new", f"{PITCH}\nNobody sent this."),
        *reversed(pitches(4)[1:]),
        ("again", pitches(4)[2][1]),
        ("p1", f"{pitches(4)[1][1]} And more."),
    ]
    run = collect(changed, **openai.all)
    assert sorted(result.id for result in run) == ["again", "p1", "p2", "p3"]
    assert (run.waiting, run.unasked, run.report.sent) == (0, 2, 0)
    assert len(good(openai.collect(4)[0])) == 4 and set(openai.provider.paid.values()) == {1}


@pytest.mark.parametrize("changes", [{"model": "openai/gpt-4.1"}, {"form": "quotes"}, {"readings": 2}])
def test_collecting_in_another_way_than_was_sent_asks_nothing_and_says_so(
    openai: Desk, changes: dict[str, Any]
) -> None:
    openai.submit()
    openai.provider.finish()
    if "form" in changes:
        changes = {"settings": settings_for(openai.folder, str(openai.settings.openai_base_url), form="quotes")}
    run = collect(pitches(3), **{**openai.all, **changes})
    assert not list(run)
    assert (run.waiting, run.unasked, run.report.sent) == (0, 3, 0)
    assert "3 pitches are in batches that asked something else" in run.report.notes[0]
    assert len(openai.provider.batches) == 1 and not openai.provider.live
    assert len(good(openai.collect()[0])) == 3


def test_cancelling_one_run_leaves_another_in_the_same_call_alone(openai: Desk) -> None:
    openai.provider.content = lambda body: "no JSON"
    openai.submit(2)
    others = [("x", f"{PITCH}\nSomething else.")]
    submit(others, **openai.all)
    cancel(others, **openai.all)
    openai.provider.finish()
    run = collect([*others, *pitches(2)], **openai.all)
    results = {result.id: result for result in run}
    assert run.waiting == 2 and run.report.sent == 2
    assert "the run was cancelled" in str(results["x"].error)
    openai.provider.content = lambda body: answer()
    openai.provider.finish()
    assert good({result.id: result for result in collect([*others, *pitches(2)], **openai.all)}) == ["p0", "p1"]
    assert submit(others, **openai.all).report.sent == 1


# ---------------------------------------------------------------- files of results


ODD_FILES: dict[str, Callable[[bytes], bytes]] = {
    "BOM": lambda lines: b"\xef\xbb\xbf" + lines,
    "CRLF and empty lines": lambda lines: b"\r\n" + lines.replace(b"\n", b"\r\n\r\n"),
    "compressed": gzip.compress,
    "ids that are not ours": lambda lines: (
        lines
        + b'{"custom_id": "a\\u0000b", "response": {"status_code": 200, "body": {}}, "result": {"type": "succeeded"}}\n'
        + b'{"custom_id": "\\ud800", "result": {"type": "canceled"}}\n{"custom_id": 7}\n{}\n'
    ),
    "no last line break": lambda lines: lines.rstrip(b"\n"),
    "status and body as text": lambda lines: b"".join(_as_text(line) for line in lines.splitlines()),
}


def _as_text(line: bytes) -> bytes:
    document = json.loads(line)
    if "response" in document:
        document["response"] = {"status_code": "200", "body": json.dumps(document["response"]["body"])}
    return json.dumps(document).encode() + b"\n"


@pytest.mark.parametrize("odd", ODD_FILES)
@pytest.mark.parametrize("kind", KINDS)
def test_odd_files_of_results_are_read(desk: Desk, tmp_path: Path, kind: str, odd: str) -> None:
    with new_database(kind, tmp_path) as url:
        desk.options["store"] = url
        desk.submit(2)
        desk.provider.finish()
        for batch in desk.provider.batches.values():
            desk.provider.files[batch.output or ""] = ODD_FILES[odd](desk.provider.files[batch.output or ""])
        assert good(desk.collect(2)[0]) == ["p0", "p1"]


def test_a_compressed_file_that_is_cut_loses_nothing(openai: Desk) -> None:
    openai.submit()
    openai.provider.finish()
    name = next(iter(openai.provider.batches.values())).output or ""
    whole = gzip.compress(openai.provider.files[name])
    openai.provider.files[name] = whole[:-30]
    assert "incomplete" in openai.collect()[1].report.notes[0]
    openai.provider.files[name] = whole
    assert len(good(openai.collect()[0])) == 3


# ---------------------------------------------------------------- servers and disks that fail


def test_an_outage_while_results_are_fetched_loses_none_however_long_it_lasts(
    openai: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    openai.submit()
    openai.provider.finish()
    with monkeypatch.context() as patched:
        patched.setattr(openai.provider, "_file", lambda name: httpx.Response(503))
        for _ in range(4):
            results, run = openai.collect()
            assert not results and run.waiting == 3 and not run.report.sent
            assert "could not be looked at" in run.report.notes[0]
    assert len(good(openai.collect()[0])) == 3 and set(openai.provider.paid.values()) == {1}


def test_where_no_connection_comes_about_nothing_is_held_back(desk: Desk) -> None:
    desk.provider.trouble.extend(["", "unreachable"] if desk.model == OPENAI else ["unreachable"])
    with pytest.raises(ProviderUnreachable):
        desk.submit()
    assert desk.submit().report.sent == 3 and len(desk.provider.batches) == 1


def test_a_server_that_takes_no_more_batches_just_now_is_asked_again(desk: Desk) -> None:
    desk.provider.trouble.extend(["", "429", "429"] if desk.model == OPENAI else ["429", "429"])
    assert desk.submit().report.sent == 3 and len(desk.provider.batches) == 1


def test_a_server_that_fails_half_way_leaves_what_was_sent_and_says_so(openai: Desk) -> None:
    openai.limits(1)
    openai.provider.trouble.extend(["", "", "broken", "broken", "broken", "broken"])
    submitted = openai.submit()
    assert submitted.report.sent == 1 and submitted.exit_code == 3 and submitted.waiting
    assert openai.submit().report.sent == 2
    openai.provider.finish()
    assert len(good(openai.collect()[0])) == 3 and set(openai.provider.paid.values()) == {1}


def test_a_server_that_fails_when_what_is_left_is_sent_does_not_cost_the_results(openai: Desk) -> None:
    openai.submit()
    openai.provider.finish(fates("expired"), ended="expired")
    openai.provider.trouble.extend(["broken"] * 4)
    results, run = openai.collect()
    assert good(results) == ["p1", "p2"] and run.waiting == 1
    assert any("could not be sent" in note for note in run.report.notes)
    assert openai.collect()[1].report.sent == 1


class FullDisk:
    """A temporary file that cannot be written."""

    def write(self, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    flush = seek = truncate = close = lambda self, *_: None


def test_a_full_disk_is_no_loss_of_results_and_no_broken_batch(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "TemporaryFile", FullDisk)
        with pytest.raises(ConfigurationError, match="No space left on device"):
            desk.submit()
    assert not desk.provider.batches and desk.submit().report.sent == 3
    desk.provider.finish()
    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "TemporaryFile", FullDisk)
        with pytest.raises(ConfigurationError, match="No space left on device"):
            desk.collect()
    assert len(good(desk.collect()[0])) == 3


def test_a_queue_that_is_full_is_known_by_its_message_too(openai: Desk) -> None:
    openai.submit()
    openai.provider.refuse("")
    batch = next(iter(openai.provider.batches.values()))
    batch.messages = ["Enqueued token limit reached for gpt-4.1-mini. Limit: 2,000,000 enqueued tokens."]
    for _ in range(4):  # it does not count as a try
        assert openai.collect()[1].waiting == 3
        for batch in openai.provider.batches.values():
            if not batch.over:
                batch.status, batch.messages = "failed", ["Enqueued token limit reached."]
    openai.collect()
    openai.provider.finish()
    assert len(good(openai.collect()[0])) == 3


def test_cancelling_with_another_key_does_not_say_that_it_is_cancelled(openai: Desk) -> None:
    openai.submit()
    hidden = dict(openai.provider.batches)
    openai.provider.batches.clear()
    report = openai.cancel()
    assert report.cancelled == 0 and any("another project" in note for note in report.notes)
    openai.provider.batches |= hidden
    assert openai.cancel().cancelled == 3


def test_a_batch_that_never_ends_is_named(openai: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    openai.submit()
    monkeypatch.setattr(f"{DESK}.BatchDesk._is_overdue", lambda *_: True)
    next(iter(openai.provider.batches.values())).status = "a status of tomorrow"
    _, run = openai.collect()
    assert run.waiting == 3 and any("has not ended in twice the time" in note for note in run.report.notes)


def test_a_batch_that_the_server_cannot_show_does_not_hide_the_next(openai: Desk) -> None:
    openai.limits(1)
    openai.submit(2)
    first = next(iter(openai.provider.batches.values()))
    openai.provider.finish()
    openai.provider.broken.add(first.id)
    results, run = openai.collect(2)
    assert good(results) == ["p1"] and run.waiting == 1


def test_a_wrong_key_ends_collecting_and_nothing_counts_as_lost(desk: Desk) -> None:
    desk.submit()
    desk.provider.finish()
    right = desk.settings
    desk.settings = Settings(
        openai_base_url=right.openai_base_url, openai_api_key="wrong", keys={"anthropic": "no"}, profiles=right.profiles
    )
    with pytest.raises(ConfigurationError, match="does not accept the key"):
        desk.collect()
    desk.settings = right
    assert len(good(desk.collect()[0])) == 3
