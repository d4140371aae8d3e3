"""Scores and points as people read them: with their range, and a bare number only where nothing is unknown."""

from __future__ import annotations

from analyzer.framework.assessment import Range


def number(value: float) -> str:
    """Points with one decimal where there is one: "6.3", "10"."""
    return f"{value:.1f}".removesuffix(".0")


def span(points: Range) -> str:
    """A range without its value: "2 to 10"; empty where nothing is unknown."""
    return f"{number(points.low)} to {number(points.high)}" if points.width else ""


def shown_points(points: Range) -> str:
    """Points (0 to 10) with their range: "6.3, 2 to 10"; the number alone only where nothing is unknown."""
    return ", ".join(part for part in (number(points.value), span(points)) if part)


def shown(score: Range) -> str:
    """A score as people see it: "62, 48 to 75"; the number alone only where nothing is unknown."""
    value, low, high = (f"{number:.0f}" for number in (score.value, score.low, score.high))
    return value if score.width == 0 else f"{value}, {low} to {high}"
