"""A line on the terminal while something goes on. Apart from the rest: Rich's progress takes long to load."""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from analyzer.views.terminal import plain
from analyzer.views.times import duration


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
