"""A report of one assessment as a file: HTML or Markdown, as the ending of its name says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from analyzer.files.disk import check_writable, write_whole
from analyzer.framework.assessment import Assessment
from analyzer.views.assessment_html import html_report
from analyzer.views.assessment_markdown import markdown_report

_SUFFIXES: Final = (".html", ".md")


def check_report_path(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Raise OutputError unless a report can be written there, so that no model is paid for nothing."""
    check_writable(path, "a report", _SUFFIXES, inputs)


def write_report(path: Path, assessment: Assessment, pitch: str) -> None:
    """Write the report as a whole or not at all. Raises OutputError."""
    check_report_path(path)
    write_whole(path, html_report(assessment, pitch) if path.suffix.lower() == ".html" else markdown_report(assessment))
