"""A comparison as one HTML page that loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analyzer.agreement.figures import RATERS
from analyzer.agreement.records import Comparison, ScoreAgreement
from analyzer.views import comparison as content
from analyzer.views.comparison import signed
from analyzer.views.html import render_page

_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 390.0, 12.0, 196.0


def comparison_html(comparison: Comparison) -> str:
    """The page, with every text from pitches and files escaped."""
    return render_page("comparison.html", c=comparison, v=content, raters=RATERS, plots=_plots(comparison.scores))


def _plots(scores: Sequence[ScoreAgreement]) -> list[dict[str, Any]]:
    """Bland-Altman plots as positions in a picture of 400 by 230: mean of the two scores across, difference upwards."""
    drawn = []
    for agreement in scores:
        if agreement.limits is None:
            continue
        spread = agreement.limits
        ends = [e for each in (spread.mean, spread.low, spread.high) for e in (each.low, each.high) if e is not None]
        reach = max(1.0, *(abs(end) for end in ends), *(abs(a - b) for _, a, b in agreement.points)) * 1.05
        means = [(a + b) / 2 for _, a, b in agreement.points]
        first, last = min(means) - 2, max(means) + 2

        def across(mean: float, first: float = first, last: float = last) -> float:
            return round(_LEFT + (_RIGHT - _LEFT) * (mean - first) / (last - first), 1)

        def up(difference: float, reach: float = reach) -> float:
            return round((_TOP + _BOTTOM) / 2 - (_BOTTOM - _TOP) / 2 * difference / reach, 1)

        lines = [
            {"name": name, "at": up(each.value or 0), "top": up(each.high or 0), "bottom": up(each.low or 0)}
            | {"label": signed(each.value or 0)}
            for name, each in (("mean", spread.mean), ("lower limit", spread.low), ("upper limit", spread.high))
        ]
        dots = [
            {"x": across((a + b) / 2), "y": up(a - b), "label": f"{pitch}: {a:.1f}, {b:.1f}"}
            for pitch, a, b in agreement.points
        ]
        drawn.append(
            {"scores": agreement, "lines": lines, "dots": dots, "zero": up(0), "first": first + 2, "last": last - 2}
        )
    return drawn
