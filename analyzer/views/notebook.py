"""What notebooks show: an assessment, a comparison and a ranking as small HTML, and the progress of a run.

The HTML loads and runs nothing, escapes every text, keeps MathJax away from it, and takes text color and background
from the notebook, so it can be read in light and dark ones. The whole of a result is in its report.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Final

from analyzer.agreement.records import Comparison
from analyzer.framework.assessment import Assessment
from analyzer.results.ranking import Ranking
from analyzer.results.result import Progress
from analyzer.screen import screen
from analyzer.views import assessment_content as content
from analyzer.views.bulk import progress_line, progress_shown
from analyzer.views.comparison import agreement_table, headlines, side_name, sides
from analyzer.views.html import render_page, tag
from analyzer.views.ranking import gates, how, ranks

_ROWS: Final = 25
_EVERY: Final = 0.2
"""Seconds between two updates of a notebook's bar."""


def html_of(value: object) -> str:
    """A value as a small piece of HTML."""
    if isinstance(value, Assessment):
        return render_page("notebook.html", kind="assessment", a=value, content=content)
    if isinstance(value, Comparison):
        tables = [(side_name(value, side), *agreement_table(value, side)) for side in sides(value)]
        return render_page("notebook.html", kind="comparison", lines=headlines(value), tables=tables)
    if isinstance(value, Ranking):
        head = ["Pitch", "Median rank", "Overall", "Ranks in 90%", f"Top {value.top}", "Said", "Deal-breakers"]
        rows = [
            [
                value.labels[each.row].name,
                f"{each.rank:,}",
                f"{each.overall:.0f}",
                ranks(each),
                f"{each.top:.0%}",
                f"{each.said:.0%}",
                gates(each.holds, each.open),
            ]
            for each in value.ranked[:_ROWS]
        ]
        more = max(0, len(value.ranked) - _ROWS)
        return render_page(
            "notebook.html", kind="ranking", head=head, rows=rows, more=more, how=how(value.top, value.draws)
        )
    raise TypeError(f"no HTML is made of a {type(value).__name__}")


class LiveProgress:
    """The progress of a run where its user looks: below a notebook's cell, as a bar on a terminal, else in lines."""

    def __init__(self) -> None:
        self._notebook = _notebook_display()
        self._terminal: Any = None
        self._handle: Any = None
        self._show: Any = None
        self._last = 0.0

    def show(self, progress: Progress) -> None:
        """Show the progress as of now."""
        if self._notebook is not None:
            self._in_notebook(progress)
            return
        if self._show is None:
            self._terminal = progress_shown(screen(err=True))
            self._show = self._terminal.__enter__()
        self._show(progress)

    def close(self) -> None:
        """Leave the last state in a notebook; clear the bar on a terminal."""
        if self._terminal is not None:
            self._terminal.__exit__(None, None, None)
            self._terminal = None

    def _in_notebook(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._handle is not None and now - self._last < _EVERY and progress.finished != progress.total:
            return
        self._last = now
        shown = ProgressBar(progress)
        if self._handle is None:
            self._handle = self._notebook(shown, display_id=True)
        else:
            self._handle.update(shown)


class ProgressBar:
    """A progress bar as notebooks show it."""

    def __init__(self, progress: Progress):
        self._progress = progress

    def __repr__(self) -> str:
        return progress_line(self._progress)

    def _repr_html_(self) -> str:
        total = self._progress.total
        bar = [] if not total else [tag("progress", value=str(self._progress.finished), max=str(total))]
        notices = [tag("div", notice) for notice in self._progress.notices]
        return tag("div", *bar, " ", progress_line(self._progress), *notices, class_="tex2jax_ignore mathjax_ignore")


def _notebook_display() -> Any:
    """IPython's `display` where a notebook runs this; None elsewhere. IPython is there if a notebook is."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or not getattr(shell, "kernel", None):
        return None
    return sys.modules["IPython"].display.display
