"""A report of one assessment as a file: HTML or Markdown, as the ending of its name says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from analyzer.errors import InputError
from analyzer.files.disk import check_writable, write_whole
from analyzer.framework.arguments import a_kind
from analyzer.framework.assessment import Assessment
from analyzer.views.assessment_html import html_report
from analyzer.views.assessment_markdown import markdown_report

_SUFFIXES: Final = (".html", ".md")


def check_report_path(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Raise OutputError unless a report can be written there, so that no model is paid for nothing."""
    check_writable(path, "a report", _SUFFIXES, inputs)


def report(assessment: Assessment, path: str | Path, *, text: str | None = None) -> Path:
    """Write an assessment as a report and return its path: one self-contained HTML page (.html), or Markdown (.md).

    `text`: the pitch, which the HTML page then shows in full with its quoted words marked. An existing file is
    replaced. Raises OutputError, also for another ending, and InputError for anything that is not an assessment.
    """
    if not isinstance(assessment, Assessment):
        raise InputError(f"assessment is {a_kind(assessment)}; pass what analyze returns")
    write_report(Path(path), assessment, text)
    return Path(path)


def write_report(path: Path, assessment: Assessment, pitch: str | None) -> None:
    """Write the report as a whole or not at all. Raises OutputError."""
    check_report_path(path)
    write_whole(path, html_report(assessment, pitch) if path.suffix.lower() == ".html" else markdown_report(assessment))
