"""Text in a terminal: as text, never as markup, and without control characters that would move a cursor."""

from __future__ import annotations

import re

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from analyzer.screen import UNSEEN
from analyzer.views.times import duration

QUIET = "dim"


class _Seconds(ProgressColumn):
    """Whole seconds since the start."""

    def render(self, task: Task) -> Text:
        return Text(duration(round(task.elapsed or 0)))


def waiting(console: Console, what: str) -> Progress:
    """A line that says what is going on and for how many seconds, until the context ends; then it is erased."""
    progress = Progress(
        SpinnerColumn(), TextColumn("{task.description}", markup=False), _Seconds(), console=console, transient=True
    )
    progress.add_task(plain(what), total=None)
    return progress


def plain(text: str) -> str:
    """Text without line breaks and without characters that a terminal would act on."""
    return re.sub(r"[ \t\n]+", " ", UNSEEN.sub(" ", text)).strip()


def cut(text: str, length: int) -> str:
    """Text as one line of at most so many characters."""
    text = plain(text)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
