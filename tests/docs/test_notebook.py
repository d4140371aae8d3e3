"""The example notebook runs from top to bottom, without a key, and shows what its text promises."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "example.ipynb"


def cells() -> list[str]:
    """The code of the notebook's cells."""
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in document["cells"] if cell["cell_type"] == "code"]


def shown_by(cell: str, names: dict[str, Any]) -> Any:
    """Run a cell as a notebook does, in a running loop if it awaits; the value of its last line."""
    tree = ast.parse(cell)
    last = tree.body[-1]
    parts: list[ast.Module | ast.Expression] = [tree]
    if isinstance(last, ast.Expr):
        del tree.body[-1]
        parts.append(ast.Expression(last.value))
    value = None
    for part in parts:
        mode = "eval" if isinstance(part, ast.Expression) else "exec"
        code = compile(part, "cell", mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        value = eval(code, names)  # noqa: S307  # our own notebook
        if inspect.iscoroutine(value):
            value = asyncio.run(value)
    return value if len(parts) > 1 else None


def test_the_notebook_is_saved_without_outputs() -> None:
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in document["cells"])


@pytest.mark.slow
def test_every_cell_runs_without_a_key_and_shows_something(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(NOTEBOOK.parent)
    names: dict[str, Any] = {"__name__": "notebook"}
    shown = [shown_by(cell, names) for cell in cells()]
    assert [type(value).__name__ for value in shown] == [
        "str", "Assessment", "list", "DataFrame", "Ranking", "Comparison", "NoneType"
    ]  # fmt: skip
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert "error_kind" in names["found"] and names["found"]["error_kind"].isna().all()
    assert list(names["found"].index) == list(names["pitches"].index)
    assert shown[4].labels[shown[4][0].row].name in shown[4]._repr_html_()
