"""Single pitches: the same one is not paid for twice, and a person at a terminal sees that something is going on."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import respx

from analyzer import analyze
from analyzer.errors import StoreError
from analyzer.reading.clients import shared_client
from analyzer.settings import Settings
from analyzer.store.answers import AnswerTable
from tests.completions import CHAT, PITCH, URL, answer, completion, failure
from tests.model_server import KEY, MODEL, Reply, Service, good, refused

SETTINGS = Settings(openai_base_url=URL, openai_api_key=KEY)


@pytest.fixture
def service() -> Iterator[respx.Route]:
    shared_client.cache_clear()
    with respx.mock(assert_all_called=False) as router:
        yield router.post(CHAT).mock(return_value=completion(answer()))


def test_analyze_pays_once_with_a_store_and_each_time_without(service: respx.Route, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'own.db'}"
    first = analyze(PITCH, model=MODEL, settings=SETTINGS, store=store)
    assert analyze(PITCH, model=MODEL, settings=SETTINGS, store=store) == first
    assert service.call_count == 1
    for _ in range(2):
        analyze(PITCH, model=MODEL, settings=SETTINGS)
    assert service.call_count == 3


def test_analyze_with_true_uses_the_configured_store(service: respx.Route, tmp_path: Path) -> None:
    settings = Settings(openai_base_url=URL, openai_api_key=KEY, store=f"sqlite:///{tmp_path / 'configured.db'}")
    for _ in range(2):
        analyze(PITCH, model=MODEL, settings=settings, store=True)
    assert service.call_count == 1 and (tmp_path / "configured.db").exists()


def test_a_store_that_was_asked_for_and_cannot_be_read_is_an_error_before_anything_is_paid(
    service: respx.Route,
) -> None:
    with pytest.raises(StoreError):
        analyze(PITCH, model=MODEL, settings=SETTINGS, store="sqlite:////proc/nowhere/store.db")
    assert not service.called


def test_an_answer_that_cannot_be_saved_is_shown_with_a_warning(
    service: respx.Route, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(AnswerTable, "save", full)
    assessment = analyze(PITCH, model=MODEL, settings=SETTINGS, store=f"sqlite:///{tmp_path / 'own.db'}")
    assert [warning.kind for warning in assessment.warnings] == ["not_kept"]
    assert assessment.signals.buyer.known


# ---------------------------------------------------------------- the command


def _command(service: Service, tmp_path: Path, *options: str, store: str = "") -> subprocess.CompletedProcess[str]:
    pitch = tmp_path / "pitch.txt"
    pitch.write_text(PITCH, encoding="utf-8")
    environment = {**os.environ, **service.environment, "PITCH_STORE": store or f"sqlite:///{tmp_path / 'store.db'}"}
    command = [sys.executable, "-m", "analyzer", "analyze", str(pitch), *options]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


@pytest.mark.slow
def test_the_command_asks_once_for_a_pitch_and_says_where_the_second_answer_is_from(tmp_path: Path) -> None:
    with Service(lambda *_: good()) as service:
        first, second = (_command(service, tmp_path, "--json") for _ in range(2))
        assert sum(service.asked.values()) == 1
        assert first.stdout == second.stdout and first.stderr == ""
        assert "the model was not asked" in second.stderr and "--no-store" in second.stderr
        third = _command(service, tmp_path, "--no-store", "--json")
        assert sum(service.asked.values()) == 2 and third.stderr == ""


@pytest.mark.slow
def test_the_command_does_its_work_where_nothing_can_be_saved(tmp_path: Path) -> None:
    with Service(lambda *_: good()) as service:
        done = _command(service, tmp_path, store="sqlite:////proc/nowhere/store.db")
    assert done.returncode == 0 and "was not saved" in done.stdout


@pytest.mark.slow
def test_a_line_counts_the_seconds_on_a_terminal_and_is_erased(tmp_path: Path) -> None:
    with Service(lambda *_: good()) as service:
        master, slave = pty.openpty()
        pitch = tmp_path / "pitch.txt"
        pitch.write_text(PITCH, encoding="utf-8")
        command = [sys.executable, "-m", "analyzer", "analyze", str(pitch)]
        environment = {
            **os.environ,
            **service.environment,
            "TERM": "xterm",
            "PITCH_STORE": f"sqlite:///{tmp_path}/s.db",
        }
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, env=environment) as running:
            os.close(slave)
            out, _ = running.communicate(timeout=60)
        shown = os.read(master, 100_000).decode()
        os.close(master)
    assert f"{MODEL} is reading the pitch" in shown and " 0 s" in shown
    assert shown.endswith("\x1b[2K")  # the line is gone
    assert "is reading" not in out.decode() and "Wattwise" in out.decode()


@pytest.mark.slow
@pytest.mark.parametrize(
    "reply",
    [
        refused(400),
        Reply(failure(400, None, f"you sent {PITCH} with {KEY}").content, 400),
        Reply(f'{{"error": {{"message": "{KEY}", "code": 402, "echo": "stand idle"}}}}'.encode()),
    ],
    ids=["rejected", "echo", "error in a 200"],
)
def test_debug_shows_where_and_neither_key_nor_pitch(tmp_path: Path, reply: Reply) -> None:
    with Service(lambda *_: reply) as service:
        done = _command(service, tmp_path, "--debug")
    assert done.returncode == 3
    assert "Traceback (most recent call last)" in done.stderr and done.stderr.rstrip().splitlines()[-1].startswith(
        "pitch: "
    )
    assert KEY not in done.stdout + done.stderr
    assert "stand idle" not in done.stderr and "You read pitches" not in done.stderr
