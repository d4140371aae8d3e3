"""Deal-breakers, and how much a pitch answers, in every view: terminal, reports, ranking, portfolio and columns."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from analyzer import Rulebook, Signals, score
from analyzer.framework.assessment import Assessment
from analyzer.framework.many_pitches import coded_documents
from analyzer.framework.ranking import rank
from analyzer.results.result import Result
from analyzer.results.rows import COLUMNS, ResultRow
from analyzer.results.tables import PitchLabel
from analyzer.runs.portfolio import Portfolio
from analyzer.views.assessment_html import html_report
from analyzer.views.assessment_markdown import markdown_report
from analyzer.views.assessment_terminal import print_assessment
from analyzer.views.portfolio import write_portfolio
from analyzer.views.ranking import print_ranking, ranking_json, write_ranking
from analyzer.views.rulebook import print_rulebook, rulebook_markdown
from tests.framework.test_gates import NICE

HOSTILE = "fine <img src=x> to skip"
DOCUMENT: dict[str, Any] = {
    **NICE,
    "urgency": {"value": "nice_to_have", "quotes": [HOSTILE]},
    "value_at_stake": "very_high",
    "competitors": [],
    "differentiation": "specific",
}
"""One gate holds, and one is open."""


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    return score(Signals.model_validate(DOCUMENT))


def printed(draw: Any, *arguments: Any) -> str:
    out = io.StringIO()
    draw(Console(file=out, width=200), *arguments)
    return out.getvalue()


def test_terminal_and_reports_show_gates_before_considerations_and_what_was_said(assessment: Assessment) -> None:
    assert assessment.said is not None
    line = f"The pitch answers {assessment.said:.0%} of what the score rests on."
    for text in (
        printed(print_assessment, assessment),
        markdown_report(assessment),
        html_report(assessment, None),
    ):
        assert line in text
        places = [
            text.index(words)
            for words in (
                "Deal-breakers",
                "Not on the critical path",
                "Customers build it themselves",
                "In its favor",
            )
        ]
        assert places == sorted(places)
        assert (
            "The verdict is at most balanced." in text
            and "Where the deal-breaker holds, the verdict is at most balanced." in text
        )
        assert "Could settle a deal-breaker: Customers build it themselves." in text.replace("\\", "")
    assert HOSTILE not in html_report(assessment, None) and HOSTILE not in markdown_report(assessment)


def test_ranking_shows_said_and_gates(tmp_path: Path, assessment: Assessment) -> None:
    ranking = rank(coded_documents([Signals.model_validate(DOCUMENT)]), draws=3)
    labels = [PitchLabel("a", "A pitch")]
    assert ranking[0].said == assessment.said
    shown = printed(print_ranking, labels, ranking, 1, 3)
    assert f"{assessment.said:.0%}" in shown and "not-on-the-critical-path, 1" in shown
    row = json.loads(ranking_json(labels, ranking))[0]
    assert (row["said"], row["holds"], row["open"]) == (
        assessment.said, ["not-on-the-critical-path"], ["customers-build-it"],
    )  # fmt: skip
    write_ranking(tmp_path / "r.html", labels, ranking, 1, 3)
    assert "not-on-the-critical-path, 1 possible" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_portfolio_and_columns_show_said_and_gates(tmp_path: Path, assessment: Assessment) -> None:
    result = Result(number=0, id="a", title="A pitch", sha256="0", assessment=assessment)
    portfolio = Portfolio()
    portfolio.add(result)
    write_portfolio(tmp_path / "p.html", portfolio)
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "Deal-breaker: Not on the critical path" in page and f"{assessment.said:.0%}" in page
    row = ResultRow(result, "a.txt")
    cells = {column.name: column.value(row) for column in COLUMNS}
    assert (cells["said"], cells["gates_hold"], cells["gates_open"]) == (
        assessment.said, "not-on-the-critical-path", "customers-build-it",
    )  # fmt: skip


def test_the_rulebook_shows_its_gates_and_intermediate_tables() -> None:
    for text in (printed(print_rulebook, Rulebook.built_in()), rulebook_markdown(Rulebook.built_in())):
        assert "Intermediate tables" in text and "out of reach" in text
        assert "Deal-breakers" in text and "Stage: day 2; Urgency: nice to have" in text


def test_what_was_read_in_several_ways_is_shown_with_its_votes() -> None:
    urgency = {"value": "important", "votes": 2, "also": [{"value": "unknown"}]}
    shown = printed(print_assessment, score(Signals.model_validate({**DOCUMENT, "urgency": urgency})))
    assert "important (2 of 3" in shown and "not stated (1)" in shown
