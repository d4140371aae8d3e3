"""An assessment as Markdown, in which nothing that a pitch or a model wrote acts."""

from __future__ import annotations

from analyzer.framework.assessment import Assessment
from analyzer.views import assessment_content as content
from analyzer.views.html import render_page


def markdown_report(assessment: Assessment) -> str:
    """The assessment as Markdown."""
    return render_page(
        "report.md",
        a=assessment,
        content=content,
        kind=content.kind_of(assessment),
    )
