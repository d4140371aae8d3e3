"""Two machines, that is two processes with one store on PostgreSQL, send and collect the same pitches at one time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.batch_provider import KEY, Provider, serving, settings_for
from tests.completions import PITCH
from tests.databases import new_database

PITCHES = 40


def at_once(environment: dict[str, str], *commands: list[str]) -> list[int]:
    """The exit codes of commands that run at the same time; what they say is shown if the test fails."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "analyzer", "bulk", "in.jsonl", "--model", "openai/gpt-4.1-mini", *words],
            env=environment,
            cwd=environment["PITCH_TEST_FOLDER"],
            stdout=subprocess.DEVNULL,
        )
        for words in commands
    ]
    return [process.wait(timeout=300) for process in started]


@pytest.mark.slow
@pytest.mark.postgresql
def test_two_machines_send_and_collect_at_the_same_time_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    rows = ({"id": f"p{number}", "text": f"{PITCH}\nNumber {number}."} for number in range(PITCHES))
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    provider = Provider()
    with new_database("postgresql", tmp_path) as store, serving(provider) as url:
        environment = os.environ | {
            "PITCH_STORE": store,
            "PITCH_PROFILES": str(settings_for(tmp_path, url, requests=7).profiles),
            "OPENAI_BASE_URL": url,
            "OPENAI_API_KEY": KEY,
            "PITCH_TEST_FOLDER": str(tmp_path),
        }
        assert at_once(environment, ["--batch"], ["--batch"]) == [0, 0]
        sent = Counter(key for batch in provider.batches.values() for key in batch.requests)
        assert len(sent) == PITCHES and set(sent.values()) == {1}
        expiring = set(list(sent)[::3])
        provider.finish(lambda key, body: "expired" if key in expiring else "ok", ended="expired")
        collect = [["--collect", "-o", f"out{number}.jsonl"] for number in (1, 2)]
        assert at_once(environment, *collect) == [4, 4]
        again = Counter(key for batch in provider.batches.values() if not batch.over for key in batch.requests)
        assert set(again) == expiring and set(again.values()) == {1}
        provider.finish()
        assert at_once(environment, *collect) == [0, 0]
    for number in (1, 2):
        rows_of = [json.loads(line) for line in (tmp_path / f"out{number}.jsonl").read_text().splitlines()]
        assert sorted(row["pitch"]["id"] for row in rows_of) == sorted(f"p{each}" for each in range(PITCHES))
        assert all(row.get("error") is None for row in rows_of)
    assert len(provider.paid) == PITCHES and set(provider.paid.values()) == {1} and not provider.live
