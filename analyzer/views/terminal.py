"""Text in a terminal: as text, never as markup, and without control characters that would move a cursor."""

from __future__ import annotations

import re

from analyzer.screen import UNSEEN

QUIET = "dim"


def plain(text: str) -> str:
    """Text without line breaks and without characters that a terminal would act on."""
    return re.sub(r"[ \t\n]+", " ", UNSEEN.sub(" ", text)).strip()


def cut(text: str, length: int) -> str:
    """Text as one line of at most so many characters."""
    text = plain(text)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
