"""What the page says needs no command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import analyzer
from analyzer import page
from analyzer.errors import AnalyzerError
from analyzer.files.document import _INSTALL_OCR
from analyzer.page.words import on_the_page
from analyzer.reading.pitch import Pitch
from analyzer.reading.provider_errors import TABLE, WITHOUT_STATUS
from analyzer.reading.readers import HOW_TO_SET_A_MODEL, choose
from analyzer.settings import Settings

OF_THE_COMMAND_LINE = re.compile(r"--[a-z]|\b[A-Z]{2,}_[A-Z_]+|\bpitch (?:doctor|record|bulk|app|analyze)\b")
ANALYZER = Path(analyzer.__file__).parent
ON_THE_PAGE = ("agreement", "files", "framework", "page", "reading", "results", "runs", "store")
NOT_ON_THE_PAGE = {"hosts.py", "serve.py", "doctor.py", "batch_desk.py", "batch_services.py", "processes.py"}
"""What starts the server, a command of its own, batches and processes of bulk runs, which the page does not use."""


@pytest.mark.parametrize("rule", [*TABLE, *WITHOUT_STATUS], ids=lambda rule: rule.happened[:40])
def test_advice_after_an_error_of_a_provider_needs_no_command_line(rule: object) -> None:
    said = on_the_page(f"{rule.happened}; {rule.advice}")  # type: ignore[attr-defined]

    assert not OF_THE_COMMAND_LINE.search(said), said
    assert len(said) > 20


@pytest.mark.parametrize("model", ["recorded", "openai/gpt-6-luna", "nobody/x", "groq/llama", None])
def test_what_choosing_a_reader_says_needs_no_command_line(model: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "GROQ_API_KEY", "PITCH_MODEL"):
        monkeypatch.delenv(name, raising=False)
    try:
        said = choose(Pitch.from_text("A tool for data scientists."), model, Settings()).note or ""
    except AnalyzerError as error:
        said = str(error)

    assert OF_THE_COMMAND_LINE.search(said)
    assert not OF_THE_COMMAND_LINE.search(on_the_page(said)), on_the_page(said)


def test_what_was_not_read_of_a_document_is_said_in_words_of_the_page() -> None:
    said = on_the_page(f"Slide 2 is a picture with little or no text, and was not read. {_INSTALL_OCR}")

    assert said.endswith("Whoever runs this page can have such pages read: with the extra ocr")


def test_how_to_set_a_model_is_said_in_words_of_the_page() -> None:
    assert on_the_page(f"For a real reading, {HOW_TO_SET_A_MODEL}.") == (
        "For a real reading, connect a model (Read by: A model)."
    )


def messages_of_errors() -> Iterator[tuple[str, str]]:
    """The text of every error that is raised where the page can meet it, and where."""
    for folder in ON_THE_PAGE:
        for path in sorted((ANALYZER / folder).rglob("*.py")):
            if path.name in NOT_ON_THE_PAGE:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error"):
                    for argument in node.args:
                        yield f"{path.name}:{node.lineno}", text_of(argument)


def text_of(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) if isinstance(part, ast.Constant) else "Example" for part in node.values)
    return text_of(node.left) + text_of(node.right) if isinstance(node, ast.BinOp) else ""


def test_no_error_that_the_page_can_meet_needs_the_command_line() -> None:
    messages = {where: text for where, text in messages_of_errors() if "standard input" not in text}
    said = {where: on_the_page(text) for where, text in messages.items()}

    assert len([text for text in messages.values() if OF_THE_COMMAND_LINE.search(text)]) > 10
    assert {where: text for where, text in said.items() if OF_THE_COMMAND_LINE.search(text)} == {}


TO_WHOEVER_RUNS_IT = {"hosts.py", "serve.py", "words.py"}
"""Files whose messages are for a terminal, or for whoever set up the server; and the words that are replaced."""
FILES = [path for path in sorted(Path(page.__file__).parent.glob("*.py")) if path.name not in TO_WHOEVER_RUNS_IT]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_text_of_the_page_itself_names_a_command_or_a_variable(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    notes = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    texts = [
        each.value
        for each in ast.walk(tree)
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in notes
    ]
    patterns = (r"--model \w+/(\S+)", "--w:")  # what examples of profiles are searched for; a variable of a style
    assert [text for text in texts if OF_THE_COMMAND_LINE.search(text) and text not in patterns] == []
