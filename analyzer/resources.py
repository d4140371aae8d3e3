"""Finds the files that come with the program: prompts, sample pitches, recordings, the page's script.

In a checkout they are next to the package, where people look for them; in an installed wheel they are inside it.
The program is in no package index, so what an extra needs is installed from the checkout, or by the packages' names.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

DISTRIBUTION = "pitch-analyzer"

_PACKAGE = Path(__file__).resolve().parent


def resource(name: str) -> Path:
    """Return the path of a shipped file or folder: `prompts`, `fixtures/pitches`, `app.py`, as named in the checkout.

    Raises FileNotFoundError if the installation is incomplete.
    """
    for root in (_PACKAGE.parent, _PACKAGE / "shipped"):
        if (root / "prompts").is_dir() and (root / name).exists():
            return root / name
    raise FileNotFoundError(f"{name} is missing from this installation; install the package again")


def install_command(extra: str) -> str:
    """The command that installs what an extra (`documents`, `ocr`, `postgresql`, `login`, `ray`) needs here."""
    python = shlex.quote(sys.executable)
    root = _PACKAGE.parent
    if (root / "pyproject.toml").exists():
        return f'{python} -m pip install -e "{root}[{extra}]" -c "{root / "constraints.txt"}"'
    return f"{python} -m pip install {' '.join(map(shlex.quote, _packages_of(extra)))}"


def _packages_of(extra: str) -> list[str]:
    """The requirements of an extra, as the installed package's metadata says."""
    from importlib import metadata  # slow to load, and rarely needed

    needs = [line.partition(";") for line in metadata.requires(DISTRIBUTION) or ()]
    return [
        need.strip() for need, _, marker in needs if marker.strip() in (f"extra == '{extra}'", f'extra == "{extra}"')
    ]
