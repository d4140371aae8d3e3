"""Where readings of a pitch differ: what people see of it in the terminal, in reports and in tables."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from analyzer import score
from analyzer.framework.assessment import Assessment
from analyzer.framework.contested import COMPARED, contested
from analyzer.page import assessment as page
from analyzer.reading.combine import combined
from analyzer.results.result import Result
from analyzer.results.rows import COLUMNS, ResultRow
from analyzer.views import assessment_content as content
from analyzer.views.assessment_html import html_report
from analyzer.views.assessment_markdown import markdown_report
from analyzer.views.assessment_terminal import print_assessment
from analyzer.vocabulary.signals import Signals

PROBLEM = {"statement": "GPUs stand idle", "stage": "day_2", "focus": "engineering", "primary": True}


def read(*readings: dict[str, object]) -> Assessment:
    usual = {"problems": [PROBLEM], "personas": [{"role": "platform_engineer"}]}
    return score(combined([Signals.model_validate(usual | reading) for reading in readings]))


DIFFERING = read(
    {"urgency": "important"},
    {"urgency": "important"},
    {"urgency": "critical_path", "problems": [{**PROBLEM, "stage": "day_1"}]},
)
TIED = read({"urgency": "important"}, {"in_scope": False})


def in_terminal(assessment: Assessment) -> str:
    console = Console(file=StringIO(), width=200)
    print_assessment(console, assessment)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def everywhere(assessment: Assessment) -> dict[str, str]:
    return {
        "terminal": in_terminal(assessment),
        "html": html_report(assessment, None),
        "markdown": markdown_report(assessment).replace("\\", ""),
        "page": str(page.signals(assessment)),
    }


def test_every_view_says_how_far_readings_agree_and_shows_the_votes() -> None:
    agreed = f"3 readings agree on {len(COMPARED) - 2} of {len(COMPARED)} signals. They differ on: Stage and Urgency."
    assert content.agreement(DIFFERING) == agreed
    for name, shown in everywhere(DIFFERING).items():
        assert agreed in " ".join(shown.split()), name
        if name == "terminal":  # its table breaks lines
            assert "important (2 of 3" in shown and "day 2 (2 of 3 readings);" in shown
        else:
            assert "mportant (2 of 3 readings); critical path (1)" in shown, name
            assert "ay 2 (2 of 3 readings); day 1 (1)" in shown, name


def test_the_verdict_says_what_readings_differ_on_and_not_that_the_pitch_is_silent() -> None:
    assert DIFFERING.verdict is not None
    assert DIFFERING.verdict.sentence.startswith("Engineering product, readings differ on the stage.")
    assert "depending on what the pitch leaves out and what readings differ on." in DIFFERING.verdict.sentence
    assert "stage not stated" not in in_terminal(DIFFERING)


def test_a_single_reading_says_nothing_of_votes() -> None:
    alone = read({"urgency": "important"})
    assert contested(alone.signals) == {} and content.agreement(alone) == ""
    assert all("readings" not in shown for shown in everywhere(alone).values())


def test_readings_that_agree_say_so_in_one_line() -> None:
    assert content.agreement(read({}, {})) == f"All 2 readings agree on all {len(COMPARED)} signals."


def test_a_tie_on_scope_is_called_undecided_and_shows_what_was_read() -> None:
    assert content.verdict_word(TIED) == "Undecided"
    assert content.statement(TIED).startswith("Undecided: as many readings say")
    for name, shown in everywhere(TIED).items():
        assert "mportant" in shown and "They differ on: In scope" in " ".join(shown.split()), name


def test_positions_that_share_a_lean_are_distinguished() -> None:
    other = {**PROBLEM, "stage": "day_1", "statement": "Labels are missing"}
    three = [PROBLEM, {**PROBLEM, "statement": "Models decay"}, {**PROBLEM, "statement": "Costs rise"}]
    found = contested(read({"problems": three}, {"problems": [*three, other]}).signals)
    assert sorted(found["stage"]) == [("day_2 at 0.75", 1), ("day_2 at 1", 1)]


@pytest.mark.parametrize(
    ("assessment", "readings", "differing"),
    [(DIFFERING, 1, "stage; urgency"), (TIED, 1, "in_scope"), (read({}), 1, None)],
)
def test_tables_name_what_readings_differ_on(assessment: Assessment, readings: int, differing: str | None) -> None:
    row = ResultRow(Result(0, "a", assessment), "in.csv")
    cells = {column.name: column.value(row) for column in COLUMNS}
    assert (cells["readings"], cells["contested"]) == (readings, differing)
