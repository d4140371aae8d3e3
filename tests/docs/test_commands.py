"""Every command in a code block of README and docs is run, and the tutorial is followed from its first line to its last.

Models are asked through the real client, and answered on this machine. Not run here: `pitch app`, which serves until it
is stopped (tests/page, tests/browser), and makers with packages of their own (tests/reading/test_native.py).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import httpx
import pytest
import respx
from click.testing import CliRunner, Result

from analyzer import analyze_many
from analyzer.cli.main import cli
from analyzer.framework.rulebook import write_new
from analyzer.reading.clients import shared_client
from tests.completions import PITCH, URL, answer, completion
from tests.conftest import PITCHES
from tests.docs.test_docs import PAGES, ROOT
from tests.documents import printed

TUTORIAL: Final = ROOT / "docs" / "tutorial.md"
KEY: Final = "sk-secret-0123456789"
OTHER_PACKAGES: Final = ("anthropic/", "azure_openai/", "google/", "ollama/")
SERVES: Final = ("app",)
JUDGES_THE_MODEL: Final = ("--ask", "--read")
"""Options of doctor: it may say of the answers here that a model should not be used, with exit code 3."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the docs: where it is, the variables before it, and its words."""

    place: str
    variables: dict[str, str]
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.place} {' '.join(self.words)[:50]}"

    @property
    def runs_here(self) -> bool:
        """Whether it ends, and needs no package of another maker."""
        return self.words[0] not in SERVES and not any(word.startswith(OTHER_PACKAGES) for word in self.words)


def commands() -> Iterator[Command]:
    """The lines of code blocks that call `pitch`, but those of the tutorial and of the reference of commands."""
    for page in PAGES:
        if page.name in ("command-line.md", TUTORIAL.name):
            continue
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            found = re.fullmatch(r"    ((?:[A-Z_]+=\S+ )*)(?:\.venv/bin/)?pitch ([a-z].*)", line)
            if found is not None:
                pairs = (each.partition("=") for each in found[1].split())
                words = tuple(shlex.split(found[2], comments=True))
                yield Command(f"{page.name}:{number}", {name: value for name, _, value in pairs}, words)


COMMANDS = list(commands())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's folder with the files that the commands name, and a model that answers for PITCH."""
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    (tmp_path / "decks").mkdir()
    for name in ("FILE", "pitch.txt", "decks/one.txt"):
        (tmp_path / name).write_text(PITCH, encoding="utf-8")
    (tmp_path / "deck.pdf").write_bytes(printed(lambda page: page.drawString(40, 700, "Wattwise finds idle GPUs.")))
    (tmp_path / "startups.csv").write_text(f'id,pitch\nwatt,"{PITCH}"\n', encoding="utf-8")
    write_new(tmp_path / "old.toml")
    (tmp_path / "manual.csv").write_text("pitch_id,rater,urgency\nwatt,anna,important\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results.jsonl").write_text(results(), encoding="utf-8")
    shared_client.cache_clear()
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", URL)

    def respond(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return completion(answer())
        models = {"object": "list", "data": [{"id": "gpt-6-luna", "object": "model", "created": 0, "owned_by": "us"}]}
        return httpx.Response(200, json=models) if request.url.path.endswith("/models") else httpx.Response(404)

    with respx.mock(assert_all_called=False) as router:
        router.route().mock(side_effect=respond)
        yield tmp_path


@cache
def results() -> str:
    """What bulk would write of the samples and of PITCH."""
    pitches = {path.stem: path.read_text(encoding="utf-8") for path in sorted(PITCHES.glob("*.txt"))}
    read = analyze_many([*pitches.items(), ("watt", PITCH)], model="keywords")
    return "".join(f"{each.assessment.to_json(None)}\n" for each in read if each.assessment)


def run(words: list[str]) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(cli, words, catch_exceptions=False)


def test_the_docs_have_commands_and_most_of_them_run_here() -> None:
    assert len([command for command in COMMANDS if command.runs_here]) > 30
    assert {command.words[0] for command in COMMANDS if command.runs_here} >= {"analyze", "bulk", "compare", "rank"}


@pytest.mark.slow
@pytest.mark.parametrize("command", [command for command in COMMANDS if command.runs_here], ids=str)
def test_every_command_of_the_docs_does_what_it_says_without_an_error(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if command.words[:2] != ("framework", "--new"):
        write_new(folder / "my.toml")
    for name, value in command.variables.items():
        monkeypatch.setenv(name, KEY if value == "…" else value)
    if command.words[0] in ("bulk", "doctor") and "--model" not in command.words:
        # Other processes do not meet the service of this test.
        monkeypatch.setenv("PITCH_MODEL", "keywords" if "--processes" in command.words else "openai/gpt-6-luna")
    done = run(list(command.words))
    may_fail = command.words[0] == "doctor" and any(word in JUDGES_THE_MODEL for word in command.words)
    assert done.exit_code in ((0, 3) if may_fail else (0,)), done.output
    for option in ("-o", "--report", "--disagreements", "--new"):
        if option in command.words and "--dry-run" not in command.words:
            assert (folder / command.words[command.words.index(option) + 1]).stat().st_size > 0


# ---------------------------------------------------------------- the tutorial


def shows(output: str, expected: list[str]) -> str | None:
    """The first expected line that the output does not have, in order; `…` stands for anything."""
    lines = iter(output.splitlines())
    for line in expected:
        pattern = re.escape(line.rstrip()).replace("…", ".*")
        if line.strip() != "…" and not any(re.match(pattern, each.rstrip()) for each in lines):
            return line
    return None


def test_what_a_command_shows_is_compared_line_by_line() -> None:
    assert shows("a\nb 17\nc", ["a", "…", "b …", "c"]) is None
    assert shows("a\nc\nb", ["a", "b", "c"]) == "c"
    assert shows("", []) is None and shows("", ["a"]) == "a"


@pytest.mark.slow
def test_the_tutorial_runs_from_its_first_line_to_its_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    text = TUTORIAL.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert {kind for kind, _ in blocks} == {"console", "csv", "python"}
    for kind, block in blocks:
        if kind == "csv":
            before = text[: text.index(block)]
            (tmp_path / re.findall(r"`([\w.]+\.csv)`", before)[-1]).write_text(block, encoding="utf-8")
        elif kind == "python":
            exec(compile(block, str(TUTORIAL), "exec"), {"__name__": "tutorial"})  # noqa: S102  # our own docs
            assert "cabstand" in capsys.readouterr().out
        else:
            command, *expected = block.splitlines()
            done = run(shlex.split(command.removeprefix("$ pitch ")))
            assert done.exit_code == 0, done.output
            assert shows(done.stdout, expected) is None or shows(done.output, expected) is None, done.output
    assert {"cabstand.html", "results.jsonl", "agreement.html", "to_settle.csv"} <= {
        path.name for path in tmp_path.iterdir()
    }
