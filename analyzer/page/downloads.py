"""Downloads: buttons for files that are made when somebody clicks."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import streamlit as st

from analyzer.framework.assessment import Assessment
from analyzer.views.assessment_content import heading
from analyzer.views.assessment_html import html_report
from analyzer.views.assessment_markdown import markdown_report
from analyzer.views.html import tag

_LONGEST: Final = 60


def assessment(now: Assessment, text: str | None) -> None:
    """One assessment: as a report (where the pitch's text is known, with it), as Markdown, as JSON."""
    name = file_name(now)
    files(
        [
            ("Report (HTML)", f"{name}.html", "text/html", lambda: html_report(now, text)),
            ("Markdown", f"{name}.md", "text/markdown", lambda: markdown_report(now)),
            ("JSON", f"{name}.json", "application/json", now.to_json),
        ]
    )


def file_name(assessment: Assessment) -> str:
    """A name for files about this pitch, without an ending: its product's, in letters, digits and hyphens."""
    words = re.findall(r"\w+", heading(assessment).casefold())
    return "-".join(words)[:_LONGEST].strip("-_") or assessment.pitch.id or "assessment"


def files(offered: Sequence[tuple[str, str, str, Callable[[], Any]]]) -> None:
    """A row of buttons; for each its label, file name, MIME type and the function that makes the content."""
    with st.container(horizontal=True, width="content", vertical_alignment="center"):
        st.html(tag("p", "Download", class_="pa lead"), width="content")
        for label, name, kind, content in offered:
            st.download_button(label, content, file_name=name, mime=kind, on_click="ignore")
