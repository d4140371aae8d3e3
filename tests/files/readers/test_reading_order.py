"""Reading order: every box once, rows before columns where both are possible."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analyzer.files.readers.reading_order import Box, in_reading_order

side = st.floats(0, 100)
boxes = st.lists(st.none() | st.builds(Box, side, side, side, side), max_size=30)


@given(boxes, st.data())
def test_every_box_is_read_exactly_once_and_titles_first(boxes: list[Box | None], data: st.DataObject) -> None:
    titles = data.draw(st.lists(st.booleans(), min_size=len(boxes), max_size=len(boxes)))
    order = in_reading_order(boxes, titles)
    assert sorted(order) == list(range(len(boxes)))
    assert all(titles[at] for at in order[: sum(titles)])


@given(st.permutations(range(6)))
def test_a_column_of_boxes_is_read_from_top_to_bottom_however_it_was_drawn(drawn: list[int]) -> None:
    boxes = [Box(0, 10 * row, 50, 10 * row + 8) for row in drawn]
    assert [drawn[at] for at in in_reading_order(boxes, [False] * 6)] == list(range(6))


def test_boxes_that_overlap_a_little_still_have_an_order() -> None:
    boxes = [Box(0, 19, 90, 30), Box(0, 0, 50, 20), Box(60, 0, 90, 20)]
    assert in_reading_order(boxes, [False] * 3) == [1, 2, 0]
