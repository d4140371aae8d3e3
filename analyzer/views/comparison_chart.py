"""Charts of a comparison for the page. A chart holds figures, and of a pitch only its id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import altair as alt

from analyzer.agreement.records import ScoreAgreement
from analyzer.views import palette

_FONT: Final = '"Source Sans", system-ui, sans-serif'


@dataclass(frozen=True, slots=True)
class ChartColors:
    """The colors of a chart, for a light or a dark background."""

    quiet: str
    line: str
    product: str


LIGHT: Final = ChartColors(palette.QUIET.light, palette.LINE.light, palette.FOR.light)
DARK: Final = ChartColors(palette.QUIET.dark, palette.LINE.dark, palette.FOR.dark)


def limits_of_agreement(scores: ScoreAgreement, colors: ChartColors = LIGHT) -> alt.LayerChart:
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
        "labelColor": colors.quiet,
        "titleColor": colors.quiet,
        "gridColor": colors.line,
        "titleFontWeight": "normal",
    }
    at = alt.Y("at:Q", title="Difference")
    base = alt.Chart(alt.InlineData(values=lines))
    dashes = alt.condition("datum.dash", alt.value([5, 4]), alt.value([1, 0]))
    chart = alt.layer(
        base.mark_rect(color=colors.product, opacity=0.12).encode(y=alt.Y("low:Q"), y2="high"),
        base.mark_rule(color=colors.product, strokeWidth=1.5).encode(y=at, strokeDash=dashes),
        alt.Chart(alt.InlineData(values=dots))
        .mark_circle(size=70, color=colors.product, opacity=0.8)
        .encode(x=across, y="difference:Q", tooltip=["pitch:N", alt.Tooltip("difference:Q", format="+.1f")]),
    )
    shown: alt.LayerChart = (
        chart.configure(font=_FONT, view=alt.ViewConfig(stroke=None))
        .configure_axis(**axis, domain=False, ticks=False)
        .properties(height=260, background="transparent", usermeta={"embedOptions": {"actions": False}})
    )
    return shown
