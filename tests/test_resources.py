"""What ships with the program, and how people are told to install the rest."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from analyzer import resources

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]


def test_a_checkout_installs_an_extra_from_itself() -> None:
    assert resources.install_command("ocr") == (
        f'{sys.executable} -m pip install -e "{ROOT}[ocr]" -c "{ROOT / "constraints.txt"}"'
    )


@pytest.mark.parametrize("extra", ["documents", "ocr", "postgresql", "login", "ray"])
def test_an_installed_wheel_installs_an_extra_by_the_names_of_its_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, extra: str
) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "analyzer")
    command = resources.install_command(extra)
    names = sorted(re.findall(r"^[a-z0-9-]+", one)[0] for one in EXTRAS[extra])
    assert sorted(re.findall(r"'?([a-z0-9-]+)(?:\[\w+\])?[<>=]", command.partition(" install ")[2])) == names


def test_nothing_tells_people_to_install_a_name_that_no_index_has() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if name.endswith((".py", ".md", ".toml", "Makefile", ".yaml")) and name != "tests/test_resources.py":
            text = (ROOT / name).read_text("utf-8")
            assert not re.search(r"(pip|uv|pipx) (tool )?install [^\n`]*pitch-analyzer", text), name
