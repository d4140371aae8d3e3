"""What CONTRIBUTING says of the tree is so: folders, files, names and sizes."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
SOURCES = sorted((ROOT / "analyzer").rglob("*.py"))
_PATH = re.compile(r"`((?:\w[\w.-]*/)+[\w.-]+\.(?:py|toml|md|css|csv|html|js))`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_the_docs_name_is_there(page: Path) -> None:
    named = _PATH.findall(page.read_text(encoding="utf-8"))
    assert [
        name for name in named if not any((at / name).exists() for at in (ROOT, ROOT / "analyzer", page.parent))
    ] == []


def test_the_map_of_the_folders_names_every_layer_from_top_to_bottom() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = [re.findall(r"analyzer\.(\w+)", layer) for layer in contracts[0]["layers"] if "__main__" not in layer]
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    shown = {
        name: at for at, line in enumerate(lines) for name in re.findall(r"(?:^|· )([a-z_]+)", line.split("   ")[0])
    }
    places = [{shown.get(name, -1) for name in layer} for layer in layers]
    assert all(len(found) == 1 and -1 not in found for found in places)
    tops = [min(found) for found in places]
    assert tops == sorted(tops)


def test_no_two_classes_have_one_name_and_no_file_is_longer_than_500_lines() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in SOURCES}
    names = Counter(name for text in texts.values() for name in re.findall(r"^ *class (\w+)[(:\[]", text, re.MULTILINE))
    assert len(names) > 300
    assert [name for name, count in names.items() if count > 1] == []
    assert [path.name for path, text in texts.items() if len(text.splitlines()) > 500] == []
