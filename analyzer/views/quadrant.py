"""A product's position as a picture: stage from day 1 to day 2, focus from ML to engineering.

Drawn in HTML and CSS: it is there with the page, follows light and dark by itself, and can be read out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import cos, pi, sin, sqrt
from typing import Final

from analyzer.framework.assessment import Assessment, Position, Range
from analyzer.views.assessment_content import heading
from analyzer.views.html import Html, tag
from analyzer.views.numbers import shown

_REACH: Final = 0.2
"""The field reaches so far beyond 0 and 1, so that a product in a corner does not cover the corner's name."""
_CORNERS: Final = (
    ("Day 1, engineering", "left top"),
    ("Day 2, engineering", "right top"),
    ("Day 1, ML", "left bottom"),
    ("Day 2, ML", "right bottom"),
)
_STEP: Final = 8.0
"""Pixels between neighbors that stand at the same place."""
_APART: Final = 0.04
"""How far dots of a scatter at the same place are apart, in parts of an axis, where there is room."""
_CROWD: Final = 0.14
"""How far they may reach from their place."""
_DENSE: Final = 60
"""Dots at one place from which on they are drawn smaller."""
_TURN: Final = pi * (3 - sqrt(5))


@dataclass(frozen=True, slots=True)
class Other:
    """A pitch that is shown faintly behind the one in question."""

    title: str
    position: Position
    overall: Range

    @classmethod
    def of(cls, assessments: Iterable[Assessment], named: Callable[[Assessment], str] = heading) -> list[Other]:
        """Those of the assessments that have a position, each with its name."""
        return [
            cls(named(assessment), assessment.position, assessment.scores.overall)
            for assessment in assessments
            if assessment.position is not None and assessment.scores is not None
        ]


@dataclass(frozen=True, slots=True)
class Dot:
    """One product among many, at stage and focus; `tone` is its verdict. Without `pick` it is a shadow."""

    stage: float
    focus: float
    title: str = ""
    tone: str = ""
    hollow: bool = False
    pick: str = ""


def quadrant(position: Position, others: Sequence[Other] = ()) -> Html:
    """A point where the position is known. Where it is not, a hollow point at its expectation and the range it may lie
    in: a line if one of stage and focus is unknown, an area if both are."""
    behind = tag("div", *_others(others), class_="others", role="list", aria_label="Others") if others else ""
    return _field(behind, *_product(position))


def scatter(dots: Sequence[Dot]) -> Html:
    """Many products, a dot each: full where the position is known, hollow where it is not; a click picks one.

    Those at one place stand around it, the first in the middle, as far apart as there is room.
    """
    crowds = Counter((dot.stage, dot.focus) for dot in dots)
    met: Counter[tuple[float, float]] = Counter()
    drawn = []
    for dot in dots:
        place = (dot.stage, dot.focus)
        away = min(_APART, _CROWD / sqrt(crowds[place])) * sqrt(met[place])
        drawn.append(_dot(dot, away, met[place] * _TURN))
        met[place] += 1
    dense = " dense" if max(crowds.values(), default=0) > _DENSE else ""
    return _field(*sorted(drawn, key=lambda markup: "faint" not in markup), kind=f"plot{dense}")


def _dot(dot: Dot, away: float, angle: float) -> Html:
    across, down = _across(dot.stage + away * cos(angle)), _down(dot.focus + away * sin(angle))
    style = f"left:{across:.1f}%;top:{down:.1f}%"
    if not dot.pick:
        return tag("i", class_="dot faint", style=style)
    kind = f"dot {dot.tone}" + (" hollow" if dot.hollow else "")
    return tag("i", class_=kind, style=style, title=dot.title, data_pick=dot.pick, data_top="")


def _field(*content: str, kind: str = "plot") -> Html:
    corners = (tag("span", name, class_=f"corner {place}") for name, place in _CORNERS)
    plot = tag("div", *corners, *content, class_=kind)
    stages = tag("p", *(tag("span", name) for name in ("Day 1", "mixed", "Day 2")), class_="stages", aria_hidden="true")
    focuses = tag(
        "p", *(tag("span", name) for name in ("Engineering", "mixed", "ML")), class_="focuses", aria_hidden="true"
    )
    return tag("div", focuses, plot, stages, class_="quadrant")


def described(position: Position) -> str:
    """The picture in words, for those who cannot see it."""
    return f"{_place('Stage', position.stage, 'day 1', 'day 2')} {_place('Focus', position.focus, 'ML', 'engineering')}"


def _place(name: str, at: Range, first: str, last: str) -> str:
    scale = f"on a scale from 0, {first}, to 1, {last}"
    if at.width:
        return f"{name}: unknown, anywhere from {at.low:g} to {at.high:g} {scale}."
    return f"{name}: {at.value:g} {scale}."


def _product(position: Position) -> list[Html]:
    known = not (position.stage.width or position.focus.width)
    words = described(position)
    point = tag("i", class_="here" if known else "here expected", style=_at(position), title=words)
    spoken = tag("span", words, class_="spoken")
    return [point, spoken] if known else [_range(position), point, spoken]


def _range(position: Position) -> Html:
    left, right = _across(position.stage.low), _across(position.stage.high)
    top, bottom = _down(position.focus.high), _down(position.focus.low)
    kind = "range area" if position.stage.width and position.focus.width else "range line"
    return tag(
        "i",
        class_=kind,
        style=f"left:{left:.1f}%;top:{top:.1f}%;width:{right - left:.1f}%;height:{bottom - top:.1f}%",
    )


def _others(others: Sequence[Other]) -> Iterable[Html]:
    """One dot each; those at the same place spread out around it, each about as far from the next."""
    met: dict[tuple[float, float], int] = {}
    for other in others:
        place = (other.position.stage.value, other.position.focus.value)
        number = met[place] = met.get(place, 0) + 1
        away, angle = _STEP * sqrt(number), number * _TURN
        title = f"{other.title}: {shown(other.overall)} of 100"
        yield tag(
            "i",
            tag("span", title, class_="spoken"),
            role="listitem",
            class_="other",
            title=title,
            style=f"{_at(other.position)};margin:{away * sin(angle):.1f}px 0 0 {away * cos(angle):.1f}px",
        )


def _at(position: Position) -> str:
    return f"left:{_across(position.stage.value):.1f}%;top:{_down(position.focus.value):.1f}%"


def _across(stage: float) -> float:
    return 100 * (stage + _REACH) / (1 + 2 * _REACH)


def _down(focus: float) -> float:
    return 100 - _across(focus)
