"""Finds the files that come with the program: prompts, sample pitches, recordings, the page's script.

In a checkout they are next to the package, where people look for them; in an installed wheel they are inside it.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(name: str) -> Path:
    """Return the path of a shipped file or folder: `prompts`, `fixtures/pitches`, `app.py`, as named in the checkout.

    Raises FileNotFoundError if the installation is incomplete.
    """
    for root in (_PACKAGE.parent, _PACKAGE / "shipped"):
        if (root / "prompts").is_dir() and (root / name).exists():
            return root / name
    raise FileNotFoundError(f"{name} is missing from this installation; install the package again")
