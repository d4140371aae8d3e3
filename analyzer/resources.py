"""Where the files that come with the program lie: prompts, sample pitches, recordings, the page's script.

In a checkout they stand beside the package, where people look for them; in an installed wheel they are
inside it. Nothing else needs to know.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(name: str) -> Path:
    """Path of a shipped file or folder, by its name in the checkout (`prompts`, `fixtures/pitches`, `app.py`).

    Raises FileNotFoundError if the installation is incomplete.
    """
    for root in (_PACKAGE.parent, _PACKAGE / "shipped"):
        if (root / "prompts").is_dir() and (root / name).exists():
            return root / name
    raise FileNotFoundError(f"{name} is missing from this installation; install the package again")
