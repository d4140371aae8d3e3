"""An assessment as one HTML file that loads and runs nothing. Pitch and model text is escaped everywhere."""

from __future__ import annotations

from analyzer.framework.assessment import Assessment
from analyzer.views import assessment_content as content
from analyzer.views.html import Html, render_page
from analyzer.views.passages import cut, legend, marked


def html_report(assessment: Assessment, pitch: str | None) -> str:
    """One self-contained HTML page; `pitch` is shown in full with its quoted words marked, where it is known."""
    passages = cut(pitch, assessment) if pitch is not None else []
    return render_page(
        "report.html",
        a=assessment,
        content=content,
        kind=content.kind_of(assessment),
        legend=legend(passages),
        pitch=marked(passages) if passages else Html(),
    )
