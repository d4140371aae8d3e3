"""`pitch bulk` in batches, as a user calls it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import respx
from click.testing import CliRunner, Result

from analyzer.cli.main import cli
from tests.batch_provider import KEY, Provider, settings_for
from tests.completions import PITCH

URL = "https://models.test/v1"
Call = Callable[..., Result]


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.chdir(tmp_path)
    rows = ({"id": f"p{number}", "text": f"{PITCH}\nNumber {number}."} for number in range(3))
    Path("in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    monkeypatch.setenv("PITCH_PROFILES", str(settings_for(tmp_path, URL).profiles))
    monkeypatch.setenv("OPENAI_BASE_URL", URL)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    made = Provider()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="models.test").mock(side_effect=lambda request: made.handle(request))
        yield made


def bulk(*words: str) -> Result:
    called = ["bulk", "in.jsonl", "--model", "openai/gpt-4.1-mini", *words]
    return CliRunner().invoke(cli, called, catch_exceptions=False)


def test_pitches_are_sent_collected_and_written_like_a_live_run(provider: Provider) -> None:
    estimated = bulk("--dry-run", "--batch")
    assert "at the price of batches, in 1 batch; the model was not asked" in estimated.output
    assert not provider.seen
    sent = bulk("--batch", "--max-cost", "1")
    assert sent.exit_code == 0 and "3 requests sent in 1 batch, for at most about $" in sent.output
    assert "--collect in place of --batch" in sent.output
    estimated = bulk("--dry-run", "--batch")
    assert "3 pitches, 3 in batches" in estimated.output and "in 0 batches" in estimated.output
    waiting = bulk("--collect", "-o", "out.jsonl")
    assert waiting.exit_code == 4 and "3 pitches wait for batches" in waiting.output
    assert not Path("out.jsonl").exists()
    provider.finish(lambda key, body: "429" if "Number 1" in json.dumps(body) else "ok")
    partly = bulk("--collect", "-o", "out.jsonl")
    assert partly.exit_code == 4 and "2 done" in partly.output and "out.jsonl: 2 rows" in partly.output
    assert "1 request sent for what is left, in 1 batch" in partly.output
    provider.finish()
    done = bulk("--collect", "--json", "-o", "out.jsonl")
    assert done.exit_code == 0
    summary = json.loads(done.stdout)
    assert (summary["rows"], summary["waiting"], summary["from_store"]) == (3, 0, 2)
    assert sorted(json.loads(line)["pitch"]["id"] for line in Path("out.jsonl").read_text().splitlines()) == [
        "p0",
        "p1",
        "p2",
    ]


def test_waiting_sends_collects_and_sends_again_to_the_end(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def time_passes() -> None:
        nonlocal looks
        looks += 1
        fate = "429" if len(provider.batches) == 1 else "ok"
        if looks % 3 == 0:
            provider.finish(lambda key, body: fate if "Number 1" in json.dumps(body) else "ok")

    provider.on_look = time_passes
    monkeypatch.setattr("analyzer.runs.batch._POLL", 0.0)
    done = bulk("--batch", "--wait", "-o", "out.jsonl")
    assert done.exit_code == 0, done.output
    assert "Waiting for 1 batch: 0 of 3 requests done." in done.output
    assert len(Path("out.jsonl").read_text().splitlines()) == 3 and set(provider.paid.values()) == {1}


def test_ctrl_c_while_waiting_sends_nothing_more_and_says_how_to_continue(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        provider.finish(lambda key, body: "429" if "Number 1" in json.dumps(body) else "ok")
        signal.raise_signal(signal.SIGINT)

    provider.on_look = interrupted
    monkeypatch.setattr("analyzer.runs.batch._POLL", 0.0)
    stopped = bulk("--batch", "--wait", "-o", "out.jsonl")
    assert stopped.exit_code == 130 and len(provider.batches) == 1
    assert "The batches go on at the provider" in stopped.output and "--collect in place of --batch" in stopped.output
    provider.on_look = lambda: None
    assert "2 done" in bulk("--collect", "-o", "out.jsonl").output


def test_sending_fails_like_a_live_run_where_a_pitch_cannot_be_read(provider: Provider) -> None:
    with Path("in.jsonl").open("a") as file:
        file.write('{"id": "empty", "text": ""}\n')
    sent = bulk("--batch")
    assert sent.exit_code == 1 and "3 requests sent" in sent.output and "1 failed" in sent.output


def test_a_live_run_says_that_batches_are_under_way(provider: Provider) -> None:
    bulk("--batch")
    assert "A batch is under way with this model." in bulk("-o", "out.jsonl").output


def test_batches_are_cancelled(provider: Provider) -> None:
    bulk("--batch")
    cancelled = bulk("--cancel")
    assert cancelled.exit_code == 0 and "Cancelled: batches with 3 requests" in cancelled.output
    assert all(batch.cancelling for batch in provider.batches.values())
    provider.finish(ended="cancelled")
    bulk("--collect", "-o", "out.jsonl")
    assert "No batch with these pitches" in bulk("--cancel").output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--batch", "--collect"), "use one of --batch, --collect and --cancel"),
        (("--wait", "-o", "out.jsonl"), "--wait goes with --batch or --collect"),
        (("--live", "-o", "out.jsonl"), "--live goes with --collect"),
        (("--batch", "--wait"), "name the output with -o"),
        (("--collect",), "name the output with -o"),
        (("--cancel", "--dry-run"), "leave it out with --cancel"),
        (("-", "--batch", "--wait", "-o", "out.jsonl"), "standard input comes once; save it to a file"),
    ],
)
def test_options_that_do_not_go_together_are_refused_before_anything_is_sent(
    provider: Provider, words: tuple[str, ...], message: str
) -> None:
    refused = CliRunner().invoke(cli, ["bulk", "in.jsonl", "--model", "openai/gpt-4.1-mini", *words])
    assert refused.exit_code == 2 and message in refused.output
    assert not provider.seen
