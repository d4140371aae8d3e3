"""Where a product stands: a point, or the range of what is unknown."""

from __future__ import annotations

import re
from typing import Any

import pytest

from analyzer.framework.one_pitch import score
from analyzer.views.quadrant import Other, described, quadrant
from analyzer.vocabulary.signals import Signals
from tests.page.visitor import DAY_2_ENGINEERING


@pytest.mark.parametrize(
    ("problem", "mark", "said"),
    [
        (DAY_2_ENGINEERING, "here", "Stage: 1 on a scale"),
        (DAY_2_ENGINEERING | {"stage": "unclear"}, "range line", "Stage: unknown"),
        (DAY_2_ENGINEERING | {"focus": "unclear"}, "range line", "Focus: unknown"),
        (DAY_2_ENGINEERING | {"stage": "unclear", "focus": "unclear"}, "range area", "Focus: unknown"),
    ],
    ids=["known", "stage unknown", "focus unknown", "both unknown"],
)
def test_the_quadrant_shows_a_point_and_the_range_of_what_is_unknown(
    problem: dict[str, Any], mark: str, said: str
) -> None:
    position = score(Signals.model_validate({"problems": [problem]})).position
    assert position is not None

    shown = quadrant(position)

    assert f'class="{mark}"' in shown
    assert ('class="range' in shown) == ("range" in mark)
    assert said in described(position)
    assert f'<span class="spoken">{described(position)}</span>' in shown


def test_pitches_behind_the_product_are_named_and_do_not_cover_each_other() -> None:
    behind = Other.of(
        [score(Signals.model_validate({"product": name, "problems": [DAY_2_ENGINEERING]})) for name in ("<A>", "B")]
    )

    shown = quadrant(behind[0].position, behind)

    places = re.findall(r'role="listitem" class="other" title="(.*?)" style="(.*?)"', shown)
    assert [title.split(":")[0] for title, _ in places] == ["&lt;A&gt;", "B"]
    assert len({place for _, place in places}) == 2


def test_out_of_scope_has_no_place_among_the_others() -> None:
    assert Other.of([score(Signals(in_scope=False))]) == []
