"""Every example in the docs runs as it is printed, on pitches in and out of scope, and the type checker accepts it."""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import json
import pkgutil
import re
import shlex
import shutil
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import httpx
import mypy.api
import pytest
import respx

import analyzer
from analyzer import Signals, analyze
from analyzer.cli.main import cli
from analyzer.files.pitches import Sources
from analyzer.framework.rulebook import write_new
from analyzer.reading.clients import shared_client
from analyzer.runs.bulk import BulkOptions, run
from analyzer.settings import Settings
from tests.completions import CHAT, PITCH, URL, answer, completion

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "fixtures/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
OUT_OF_SCOPE = "Fillchair fills empty chairs at hair salons. Nothing to do with models."
UNREADABLE = " "


@dataclass(frozen=True, slots=True)
class Example:
    source: str
    text: str

    def __str__(self) -> str:
        return self.source


def python_examples() -> Iterator[Example]:
    """Fenced blocks of Python in the docs, and indented ones in docstrings that start with an import of ours."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, found.start()) + 1
            yield Example(f"{page.relative_to(ROOT)}:{line}", found[1])
    for module in [analyzer, *(importlib.import_module(name) for name in modules())]:
        holders = [
            module,
            *(each for each in vars(module).values() if getattr(each, "__module__", "") == module.__name__),
        ]
        for holder in holders:
            for block in re.findall(r"(?:^    .*\n|^\n)+", f"{inspect.getdoc(holder) or ''}\n", re.MULTILINE):
                if block.strip().startswith(("from analyzer import", "import analyzer")):
                    yield Example(f"{module.__name__}, docstring", textwrap.dedent(block))


def modules() -> Iterator[str]:
    for found in pkgutil.walk_packages(analyzer.__path__, "analyzer."):
        if not found.name.startswith(("analyzer.migrations", "analyzer.__main__", "analyzer.page")):
            yield found.name


EXAMPLES = list(python_examples())
ALONE = [example for example in EXAMPLES if not example.source.startswith("docs/tutorial.md")]
"""Examples that can be run alone; the tutorial's follow from its commands (test_commands)."""

NAMES = """
from typing import Any
text: str = ""
texts: list[str] = []
pitches: list[str] = []
document: dict[str, Any] = {}
"""
"""What the examples take for known."""


def test_the_docs_and_the_package_have_examples() -> None:
    sources = {example.source.partition(":")[0] for example in EXAMPLES}
    assert {"README.md", "docs/bulk.md", "docs/reading.md", "docs/scoring.md", "docs/agreement.md"} <= sources
    assert "analyzer, docstring" in sources


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what the first example makes and the others copy."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture
def a_users_folder(tmp_path: Path, made_once: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the files that the examples name, and a model that answers for each of the pitches."""

    def respond(request: httpx.Request) -> httpx.Response:
        asked = json.dumps(json.loads(request.content)["messages"])
        return completion(answer(in_scope=False) if "Fillchair" in asked else answer())

    shared_client.cache_clear()
    monkeypatch.setenv("OPENAI_BASE_URL", URL)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-0123456789")
    monkeypatch.chdir(tmp_path)
    with respx.mock(assert_all_called=False) as router:
        router.post(CHAT).mock(side_effect=respond)
        if not (made_once / "results.parquet").exists():
            monkeypatch.setenv("PITCH_STORE", f"sqlite:///{made_once / 'answers.db'}")
            make_files(made_once)
        shutil.copytree(made_once, tmp_path, dirs_exist_ok=True)
        monkeypatch.setenv("PITCH_STORE", f"sqlite:///{tmp_path / 'answers.db'}")  # wide runs ask where nobody answers
        yield tmp_path


def make_files(folder: Path) -> None:
    """Write the files that the examples name."""
    write_new(folder / "my.toml")
    rows = [("in", PITCH), ("out", OUT_OF_SCOPE)]
    assessments = [analyze(pitch, model="keywords", id=own).to_json(None) for own, pitch in rows]
    for name in ("mini.jsonl", "large.jsonl"):
        (folder / name).write_text("\n".join(assessments), encoding="utf-8")
    raters = "".join(
        f"{own},{rater},{scope},important\n" for own, scope in (("in", 1), ("out", 0)) for rater in ("settled", "anna")
    )
    (folder / "manual.csv").write_text(f"pitch_id,rater,in_scope,urgency\n{raters}", encoding="utf-8")
    lines = [json.dumps({"id": own, "text": pitch}) for own, pitch in [*rows, ("none", UNREADABLE)]]
    (folder / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    run(
        Sources((str(folder / "rows.jsonl"),), None, None),
        folder / "results.parquet",
        BulkOptions(model="openai/gpt-6-luna", settings=Settings.from_environment()),
    )


@pytest.mark.parametrize("pitch", [PITCH, OUT_OF_SCOPE], ids=["in scope", "out of scope"])
@pytest.mark.parametrize("example", ALONE, ids=str)
@pytest.mark.usefixtures("a_users_folder")
def test_every_python_example_runs(example: Example, pitch: str, capsys: pytest.CaptureFixture[str]) -> None:
    document = Signals(in_scope=pitch is PITCH).model_dump(mode="json")
    many = [PITCH, OUT_OF_SCOPE, UNREADABLE]
    exec(  # noqa: S102  # our own docs
        compile(example.text, example.source, "exec"),
        {"__name__": "example", "text": pitch, "texts": many, "pitches": many, "document": document},
    )
    if "print(" in example.text and pitch is PITCH:
        assert capsys.readouterr().out.strip()


USER = """
from collections.abc import Iterator
from analyzer import MarketMap, Result, Rulebook, Signals, analyze, analyze_many, read_manual, score, score_table

assessment = analyze("x", model="keywords", rulebook="my.toml", market=MarketMap.built_in())
if assessment.scores is not None:
    overall: float = assessment.scores.overall.value
results: Iterator[Result] = analyze_many(["x", ("a", "x"), {"id": 1, "text": "x"}], model="keywords")
for result in results:
    if result.assessment and result.assessment.verdict:
        word: str = result.assessment.verdict.word
score(Signals(buyer="practitioner", urgency=None, traction={"value": "pilots"}, problems=[]), Rulebook.built_in())
score(Signals.of(buyer="practitioner", traction={"value": "pilots"}))
score({"buyer": {"value": "practitioner"}}, "my.toml")
known: bool = assessment.signals.buyer.value == "practitioner"


class Frame:
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


frame: Frame = score_table(Frame())
raters: set[str] = {row.rater for row in read_manual("manual.csv").rows}
"""
WRONG = """
from analyzer import Signals, analyze

analyze("x").scores.overall
Signals(buyer="cto")
analyze(None)
Signals.of(buyer="cto")
analyze("x", modle="y")
"""


@pytest.mark.slow
def test_the_type_checker_accepts_every_example_and_a_users_script_and_sees_what_is_wrong(tmp_path: Path) -> None:
    files = []
    for number, example in enumerate(EXAMPLES):
        files.append(tmp_path / f"example_{number}.py")
        imports = "\n".join(line for line in example.text.splitlines() if line.startswith(("import ", "from ")))
        rest = example.text.replace(imports, "")
        files[-1].write_text(f"# {example.source}\n{imports}\n{NAMES}\n{rest}", encoding="utf-8")
    files.append(tmp_path / "user.py")
    files[-1].write_text(USER, encoding="utf-8")
    wrong = tmp_path / "wrong.py"
    wrong.write_text(WRONG, encoding="utf-8")
    arguments = ["--strict", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
    said, problems, _ = mypy.api.run([*arguments, *map(str, files), str(wrong)])
    assert not problems, problems
    faults = [line for line in said.splitlines() if "error:" in line]
    assert [line for line in faults if wrong.name not in line] == []
    assert [re.sub(r".*wrong\.py:(\d+).*\[(.*)\]", r"\1 \2", line) for line in faults] == [
        "4 union-attr",
        "5 arg-type",
        "6 arg-type",
        "7 arg-type",
        "8 call-arg",
    ]


def test_what_signals_take_and_what_they_hold_are_the_same_fields() -> None:
    tree = ast.parse(Path(inspect.getfile(Signals)).read_text(encoding="utf-8"))
    (written,) = (each for each in ast.walk(tree) if isinstance(each, ast.ClassDef) and each.name == "Signals")
    (taken,) = (each for each in ast.walk(written) if isinstance(each, ast.FunctionDef) and each.name == "__init__")
    assert [argument.arg for argument in taken.args.kwonlyargs] == list(Signals.model_fields)


# ---------------------------------------------------------------- the command line


def command_lines() -> Iterator[Example]:
    """Lines of code blocks that call `pitch`, and spans of code within a sentence that do."""
    for page in PAGES:
        if page.name == "command-line.md":  # its usage lines are written by click
            continue
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            code = line.startswith("    ") and not line.strip().startswith(("-", "*", "|"))
            spans = [line.strip()] if code else re.findall(r"`([^`]+)`", line)
            for span in spans:
                found = re.match(r"(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?(pitch [a-z-]+.*)", span)
                if found:
                    yield Example(f"{page.relative_to(ROOT)}:{number}", found[1])


COMMANDS = list(command_lines())


def test_the_docs_show_most_commands() -> None:
    assert {line.text.split()[1] for line in COMMANDS} >= set(cli.commands) - {"record"}


@pytest.mark.parametrize("line", COMMANDS, ids=lambda line: f"{line.source} {line.text[:40]}")
def test_every_command_line_in_the_docs_is_one_that_the_program_takes(line: Example) -> None:
    words = shlex.split(line.text, comments=True)[1:]
    command = cli.commands.get(words[0])
    assert command is not None, f"there is no command {words[0]}"
    shown = [word for word in words[1:] if word not in ("…", "...")]
    optional = [word.strip("[]") for word in shown]
    # A sentence may name a command, or one of its options, without what it takes; --help ends at once.
    with suppress(click.MissingParameter, click.exceptions.Exit):
        try:
            command.make_context(words[0], list(optional))
        except click.BadOptionUsage as error:
            assert "requires" in str(error), error


async def _posted(app: Any, text: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        return await client.post("/assess", content=text.encode())


def test_the_web_application_of_the_docs_answers_with_an_assessment() -> None:
    (example,) = (each for each in EXAMPLES if "Starlette(" in each.text)
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(example.text, example.source, "exec"), names)  # noqa: S102  # our own docs
    reply = asyncio.run(_posted(names["app"], PITCH))
    assert reply.json()["pitch"]["title"] == "Wattwise: cut your GPU bill"
