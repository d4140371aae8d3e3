"""Prints an assessment; `pitch analyze` and `pitch score` share it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.screen import say_json, screen

if TYPE_CHECKING:
    from analyzer.framework.assessment import Assessment


def show_assessment(assessment: Assessment, as_json: bool, compact: bool = False) -> None:
    """Print an assessment for people, or as JSON: indented, or on one line if `compact`."""
    if as_json:
        say_json(assessment.to_json(indent=None if compact else 2))
    else:
        from analyzer.views.assessment_terminal import print_assessment

        print_assessment(screen(), assessment)
