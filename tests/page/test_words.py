"""What the page says needs no command line."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from analyzer import page
from analyzer.errors import AnalyzerError
from analyzer.page.words import on_the_page
from analyzer.reading.pitch import Pitch
from analyzer.reading.provider_errors import TABLE, WITHOUT_STATUS
from analyzer.reading.readers import HOW_TO_SET_A_MODEL, choose
from analyzer.settings import Settings

OF_THE_COMMAND_LINE = re.compile(r"--[a-z]|\b[A-Z]{2,}_[A-Z_]+|\bpitch (?:doctor|record|bulk|app|analyze)\b")


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


def test_how_to_set_a_model_is_said_in_words_of_the_page() -> None:
    assert on_the_page(f"For a real reading, {HOW_TO_SET_A_MODEL}.") == (
        "For a real reading, connect a model (Read by: A model)."
    )


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
