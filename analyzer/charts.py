"""Assessments and comparisons as charts for the page. Functions of what they show; no text of a pitch in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import altair as alt

from analyzer.agreement.records import ScoreAgreement
from analyzer.framework.assessment import Assessment, Position, Range

HEIGHT: Final = 340
_EDGE = -0.2, 1.2
"""The plot reaches beyond 0 and 1, so that a product in a corner does not cover the corner's name."""
_FONT: Final = '"Source Sans", system-ui, sans-serif'
_FIRST_THIRD, _LAST_THIRD = 1 / 3, 2 / 3


@dataclass(frozen=True, slots=True)
class Colours:
    """What a chart is drawn in. Chosen by whoever knows the background."""

    ink: str
    quiet: str
    line: str
    field: str
    product: str
    background: str


LIGHT: Final = Colours("#1b2430", "#566173", "#d9dee6", "#f3f5f8", "#0b5ea8", "#ffffff")
DARK: Final = Colours("#e7ebf1", "#a5afbd", "#39424f", "#1b222c", "#7cc0f5", "#11161d")

_CORNERS = (
    ("Day 1, ML", 0, 0),
    ("Day 2, ML", 1, 0),
    ("Day 1, engineering", 0, 1),
    ("Day 2, engineering", 1, 1),
)


def quadrant(assessment: Assessment, colours: Colours = LIGHT) -> alt.LayerChart:
    """Where the product stands: stage from day 1 to day 2, focus from ML to engineering.

    A point where the position is known. Where it is not, a hollow point at its expectation and the range it may lie
    in: a line if one of the two is unknown, an area if both are. Raises ValueError for a pitch out of scope.
    """
    if assessment.position is None:
        raise ValueError("an assessment out of scope has no position")
    layers = [_fields(colours), _corner_names(colours), *_product(assessment.position, colours)]
    chart: alt.LayerChart = alt.layer(*layers).configure(font=_FONT, view=alt.ViewConfig(stroke=None))
    return chart.properties(
        height=HEIGHT,
        description=described(assessment.position),
        background="transparent",
        usermeta={"embedOptions": {"actions": False}},
    )


def limits_of_agreement(scores: ScoreAgreement, colours: Colours = LIGHT) -> alt.LayerChart:
    """Bland and Altman's plot: the difference of two scores of each pitch over their mean, the mean difference and the
    limits of agreement with their intervals. Raises ValueError where there are fewer than two pitches."""
    if scores.limits is None:
        raise ValueError("limits of agreement need two pitches")
    spread = scores.limits
    dots = [{"pitch": pitch, "mean": (a + b) / 2, "difference": a - b} for pitch, a, b in scores.points]
    lines = [
        {"name": name, "at": each.value, "low": each.low, "high": each.high, "dash": name != "mean difference"}
        for name, each in (("mean difference", spread.mean), ("limit", spread.low), ("limit", spread.high))
    ]
    across = alt.X("mean:Q", title="Mean of the two scores", scale=alt.Scale(zero=False, padding=12))
    axis = {
        "labelColor": colours.quiet,
        "titleColor": colours.quiet,
        "gridColor": colours.line,
        "titleFontWeight": "normal",
    }
    at = alt.Y("at:Q", title="Difference")
    base = alt.Chart(alt.InlineData(values=lines))
    dashes = alt.condition("datum.dash", alt.value([5, 4]), alt.value([1, 0]))
    chart = alt.layer(
        base.mark_rect(color=colours.product, opacity=0.12).encode(y=alt.Y("low:Q"), y2="high"),
        base.mark_rule(color=colours.product, strokeWidth=1.5).encode(y=at, strokeDash=dashes),
        alt.Chart(alt.InlineData(values=dots))
        .mark_circle(size=70, color=colours.product, opacity=0.8)
        .encode(x=across, y="difference:Q", tooltip=["pitch:N", alt.Tooltip("difference:Q", format="+.1f")]),
    )
    shown: alt.LayerChart = (
        chart.configure(font=_FONT, view=alt.ViewConfig(stroke=None))
        .configure_axis(**axis, domain=False, ticks=False)
        .properties(height=260, background="transparent", usermeta={"embedOptions": {"actions": False}})
    )
    return shown


def described(position: Position) -> str:
    """The quadrant chart in words, for those who cannot see it."""
    return f"{_place('Stage', position.stage, 'day 1', 'day 2')} {_place('Focus', position.focus, 'ML', 'engineering')}"


def _place(name: str, at: Range, first: str, last: str) -> str:
    scale = f"on a scale from 0, {first}, to 1, {last}"
    if at.width:
        return f"{name}: unknown, anywhere from {at.low:g} to {at.high:g} {scale}."
    return f"{name}: {at.value:g} {scale}."


def _x(field: str) -> alt.X:
    return alt.X(f"{field}:Q", scale=alt.Scale(domain=list(_EDGE), nice=False, zero=False))


def _y(field: str) -> alt.Y:
    return alt.Y(f"{field}:Q", scale=alt.Scale(domain=list(_EDGE), nice=False, zero=False))


def _axis(name: str, title: str, colours: Colours) -> alt.Axis:
    first, last = ("Day 1", "Day 2") if name == "stage" else ("ML", "Engineering")
    return alt.Axis(
        values=[0, 0.5, 1],
        labelExpr=f"datum.value < 0.25 ? '{first}' : datum.value > 0.75 ? '{last}' : 'mixed'",
        labelColor=colours.quiet,
        labelFontSize=12,
        labelAngle=0 if name == "stage" else -90,
        labelFlush=False,
        labelOverlap=False,
        title=title,
        titleColor=colours.quiet,
        titleFontSize=12,
        titleFontWeight="normal",
        domain=False,
        ticks=False,
        grid=False,
        labelPadding=6,
        titlePadding=8,
    )


def _fields(colours: Colours) -> alt.Chart:
    """The four corners: where both leans are clear."""
    first, last = (_EDGE[0], _FIRST_THIRD), (_LAST_THIRD, _EDGE[1])
    corners = [{"left": x[0], "right": x[1], "bottom": y[0], "top": y[1]} for x in (first, last) for y in (first, last)]
    fields: alt.Chart = (
        alt.Chart(alt.InlineData(values=corners))
        .mark_rect(color=colours.field, cornerRadius=4)
        .encode(
            x=_x("left").axis(_axis("stage", "Stage of the problem", colours)),
            x2="right",
            y=_y("bottom").axis(_axis("focus", "Focus of the work", colours)),
            y2="top",
        )
    )
    return fields


def _corner_names(colours: Colours) -> alt.Chart:
    names = [
        {"name": name, "x": 1.17 if right else -0.17, "y": 1.13 if top else -0.13, "right": bool(right)}
        for name, right, top in _CORNERS
    ]
    labels: alt.Chart = (
        alt.Chart(alt.InlineData(values=names))
        .mark_text(color=colours.quiet, fontSize=12, fontWeight=600, align={"expr": "datum.right ? 'right' : 'left'"})
        .encode(x=_x("x"), y=_y("y"), text="name:N")
    )
    return labels


def _product(position: Position, colours: Colours) -> list[alt.Chart]:
    stage, focus = position.stage, position.focus
    known = stage.width == 0 and focus.width == 0
    spot = {
        "stage": stage.value,
        "focus": focus.value,
        "left": stage.low,
        "right": stage.high,
        "bottom": focus.low,
        "top": focus.high,
        "where": described(position),
    }
    base = alt.Chart(alt.InlineData(values=[spot]))
    tooltip = alt.Tooltip("where:N", title="Position")
    point = base.mark_point(
        shape="circle",
        size=190,
        filled=True,
        fill=colours.product if known else colours.background,
        stroke=colours.background if known else colours.product,
        strokeWidth=2.5,
        opacity=1,
    ).encode(x=_x("stage"), y=_y("focus"), tooltip=tooltip)
    if known:
        return [point]
    if stage.width and focus.width:
        area = base.mark_rect(
            fill=colours.product, fillOpacity=0.13, stroke=colours.product, strokeDash=[5, 4], cornerRadius=3
        ).encode(x=_x("left"), x2="right", y=_y("bottom"), y2="top", tooltip=tooltip)
        return [area, point]
    line = base.mark_rule(color=colours.product, strokeWidth=3, opacity=0.6, strokeCap="round")
    if stage.width:
        return [line.encode(x=_x("left"), x2="right", y=_y("focus"), tooltip=tooltip), point]
    return [line.encode(x=_x("stage"), y=_y("bottom"), y2="top", tooltip=tooltip), point]
