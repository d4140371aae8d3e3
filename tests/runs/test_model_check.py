"""`pitch doctor --ask` and `--read`: what a model's server can do, and how well the model reads, over real sockets."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from analyzer.cli.main import cli
from analyzer.reading.pitch import Pitch
from analyzer.reading.recordings import Recordings
from analyzer.runs.doctor import Finding
from analyzer.runs.model_check import SAMPLES, Agreed, ask, read_samples, verdict
from analyzer.settings import Settings
from analyzer.vocabulary.signals import SIGNALS
from tests.completions import answer, single
from tests.quirks.server import KEY, QuirkyServer
from tests.quirks.shapes import Body, said

PITCHES = Path(__file__).parents[2] / "fixtures" / "pitches"


def tiny(request: Body) -> str:
    """A sound answer to the tiny reading; to the question whether a schema is enforced, what its words ask for."""
    if "k7" in json.dumps(request.get("response_format", request.get("tools", ""))):
        return json.dumps({"word": "hello"})
    quiet: dict[str, Any] = {name: single("unknown", basis="absent") for name in SIGNALS}
    buyer = single("engineering_leadership", "Platform engineers install it with Helm in ten minutes")
    return json.dumps(answer(problems=[], personas=[], competitors=[], **{**quiet, "buyer": buyer}))


def enforcing(request: Body) -> str:
    """The same of a server that enforces schemas."""
    return json.dumps({"k7": "q4-19"}) if "k7" in json.dumps(request.get("response_format", "")) else tiny(request)


def by_subject(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}


def test_asking_says_what_the_server_can_do() -> None:
    with QuirkyServer(tiny) as server:
        found = by_subject(list(ask("openai/sound", server.settings)))
    assert all(finding.ok for finding in found.values())
    assert found["mode"].text == "json_schema"
    assert found["schema"].text.startswith("not enforced")
    assert "tokens" in found["speed"].text and "not known" in found["price"].text
    assert "1 of 14 values" in found["reading"].text


def test_asking_finds_that_a_schema_is_enforced() -> None:
    with QuirkyServer(enforcing) as server:
        found = by_subject(list(ask("openai/sound", server.settings)))
    assert found["schema"].text.startswith("enforced")


def test_asking_says_which_mode_worked_and_how_to_begin_there() -> None:
    with QuirkyServer(tiny) as server:
        found = list(ask("openai/thinks-no-forced-tool", server.settings))
    assert "json; to begin there: PITCH_MODE=json" in [finding.text for finding in found]


@pytest.mark.parametrize(
    ("name", "subject"),
    [("key-rejected", "key"), ("model-missing", "model"), ("always-cut", "context"), ("too-long-vllm", "context")],
)
def test_asking_names_what_is_wrong_and_never_a_key(name: str, subject: str) -> None:
    with QuirkyServer(tiny) as server:
        found = by_subject(list(ask(f"openai/{name}", server.settings)))
    assert [finding.subject for finding in found.values() if not finding.ok] == [subject]
    assert KEY not in str(found)


def test_asking_a_server_that_is_not_there_says_so() -> None:
    (found,) = ask("openai/m", Settings(openai_base_url="http://127.0.0.1:9/v1", openai_api_key=KEY, timeout=1.0))
    assert found.subject == "reached" and not found.ok


@cache
def shipped() -> Recordings:
    return Recordings.available(Settings().own_recordings())


def recorded(request: Body) -> str:
    """The recorded answer to the sample whose text is in the request."""
    for name in SAMPLES:
        pitch = Pitch.from_text((PITCHES / f"{name}.txt").read_text(encoding="utf-8"), name)
        if pitch.text.splitlines()[0] in said(request):
            found = next(one for one in shipped() if one.request.pitch_sha256 == pitch.ref.sha256)
            return str(found.response["choices"][0]["message"]["content"])
    raise AssertionError("not a sample")


def silent(request: Body) -> str:
    """The answer of a model that finds nothing."""
    parts = json.loads(recorded(request))
    for name in SIGNALS:
        parts[name] = single("unknown", basis="absent")
    return json.dumps(parts | {"problems": [], "personas": [], "competitors": []})


def test_a_model_that_reads_like_the_recorded_one_is_said_to() -> None:
    with QuirkyServer(recorded) as server:
        found = by_subject(list(read_samples("openai/sound", server.settings)))
    assert list(found) == [*SAMPLES, "verdict"]
    assert found["verdict"].ok and "much like the large model" in found["verdict"].text
    assert any("adds 0, misses 0, 0 different" in found[name].text for name in SAMPLES)


def test_a_model_that_finds_nothing_is_said_to_be_no_better_than_keywords(monkeypatch: pytest.MonkeyPatch) -> None:
    with QuirkyServer(silent) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", str(server.settings.openai_base_url))
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        done = CliRunner().invoke(cli, ["doctor", "--read", "--model", "openai/sound"])
    assert done.exit_code == 3
    assert "MISS  verdict" in done.stdout and "no better than the reader without a model" in done.stdout
    assert KEY not in done.output


def test_a_server_that_cuts_the_prompt_ends_the_reading_of_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    with QuirkyServer(recorded) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", str(server.settings.openai_base_url))
        done = CliRunner().invoke(cli, ["doctor", "--read", "--model", "openai/always-cut"])
    assert done.exit_code == 3
    assert "did not see the whole prompt" in done.output and "longer context" in done.output
    assert len(server.asked) == 1


@pytest.mark.parametrize("model", [None, "keywords", "recorded"])
def test_a_model_that_asks_no_server_cannot_be_tried(model: str | None) -> None:
    chosen = ["--model", model] if model else []
    done = CliRunner().invoke(cli, ["doctor", "--ask", *chosen])
    assert done.exit_code == 3 and "set PITCH_MODEL or --model" in done.stderr


def test_values_that_a_model_adds_count_against_it() -> None:
    keywords = Agreed(same=40, of=50, added=1)
    assert verdict(Agreed(same=48, of=50, added=1), keywords).ok
    assert not verdict(replace(Agreed(same=44, of=50), added=6), keywords).ok
    assert not verdict(Agreed(same=40, of=50), keywords).ok


def test_looking_creates_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITCH_STORE", f"sqlite:///{tmp_path / 'new' / 'store.db'}")
    with QuirkyServer(tiny) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", str(server.settings.openai_base_url))
        done = CliRunner().invoke(cli, ["doctor", "--ask", "--model", "openai/sound"])
    assert "not created yet" in done.stdout and list(tmp_path.iterdir()) == []
