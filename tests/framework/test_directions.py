"""Orders and directions: partial orders as pairs, and tables that keep to them or are refused with the rows."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import Rulebook
from analyzer.agreement.compared_signals import steps
from analyzer.errors import RulebookError
from analyzer.framework.directions import violations
from analyzer.vocabulary.derived import INPUT_SPECS, INPUTS
from analyzer.vocabulary.partial_order import Order
from analyzer.vocabulary.records import SIGNALS
from tests.framework.test_rulebook import BUILT_IN
from tests.properties import runs

LETTERS = "abcde"


@st.composite
def orders(draw: st.DrawFn, values: str = LETTERS) -> Order:
    """Any partial order: pairs that agree with some listing of the values cannot contradict each other."""
    listed = draw(st.permutations(values))
    return Order.of(draw(st.sets(st.sampled_from(list(itertools.combinations(listed, 2))))))


@given(orders())
def test_an_order_holds_what_follows_from_its_pairs_and_no_contradiction(order: Order) -> None:
    for low, middle in order:
        assert low != middle and (middle, low) not in order.pairs
        for other, high in order:
            assert other != middle or (low, high) in order.pairs
    assert order.reversed.reversed == order
    assert Order.of(order) == order


@pytest.mark.parametrize("pairs", ["aa", "ab ba", "ab bc ca"], ids=["itself", "two", "three"])
def test_an_order_that_contradicts_itself_is_refused(pairs: str) -> None:
    with pytest.raises(ValueError, match="comes before itself"):
        Order.of((pair[0], pair[1]) for pair in pairs.split())


@given(orders())
def test_distance_is_of_places_in_a_full_order_and_one_where_values_cannot_be_compared(order: Order) -> None:
    for one, other in itertools.product(LETTERS, repeat=2):
        assert order.distance(one, other) == order.distance(other, one)
        assert (order.distance(one, other) == 0) == (one == other)
        assert Order.listed(LETTERS).distance(one, other) == abs(LETTERS.index(one) - LETTERS.index(other))
        assert Order().distance(one, other) == (one != other)


def test_routes_to_trust_are_better_than_none_and_not_than_each_other() -> None:
    order = SIGNALS["trust_route"].order
    assert set(order) == {("none", route) for route in SIGNALS["trust_route"].values if route != "none"}
    assert not order.at_least("reference_customers", "marketplace_or_partner")
    assert steps("trust_route").max() == 1, "a rater who is one route off is as far off as one who is two off"
    assert not SIGNALS["buyer"].order and steps("buyer").max() == 1
    assert steps("traction").max() == 4


# ---------------------------------------------------------------- tables


@st.composite
def ordered_tables(draw: st.DrawFn) -> tuple[dict[str, Order], dict[tuple[str, ...], float]]:
    """Two inputs of three values with directions, and points that follow neither."""
    better = {"x": draw(orders("abc")), "y": draw(orders("abc"))}
    points = st.integers(0, 10).map(float)
    return better, {key: draw(points) for key in itertools.product("abc", repeat=2)}


def dominated(one: tuple[str, ...], other: tuple[str, ...], better: dict[str, Order]) -> bool:
    return all(better[name].at_least(high, low) for name, low, high in zip("xy", one, other, strict=True))


@given(ordered_tables())
def test_a_table_without_a_violation_gives_no_fewer_points_where_every_input_is_as_good_or_better(
    drawn: tuple[dict[str, Order], dict[tuple[str, ...], float]],
) -> None:
    better, points = drawn
    found = list(violations("xy", points, better, lambda one, other: one >= other))
    for violation in found:
        assert dominated(violation.worse, violation.better, better)
        assert points[violation.better] < points[violation.worse]
    fewer = any(dominated(a, b, better) and points[b] < points[a] for a in points for b in points)
    assert bool(found) == fewer


@given(ordered_tables(), orders("pqr"), st.data())
def test_a_table_that_feeds_another_keeps_to_its_directions_if_both_do(
    drawn: tuple[dict[str, Order], dict[tuple[str, ...], float]], between: Order, data: st.DataObject
) -> None:
    better, _ = drawn
    feeding = {key: data.draw(st.sampled_from("pqr")) for key in itertools.product("abc", repeat=2)}
    fed: dict[tuple[str, ...], float] = {(value,): float(data.draw(st.integers(0, 10))) for value in "pqr"}
    if list(violations("xy", feeding, better, between.at_least)):
        return
    if list(violations("z", fed, {"z": between}, lambda one, other: one >= other)):
        return
    through = {key: fed[(value,)] for key, value in feeding.items()}
    assert not list(violations("xy", through, better, lambda one, other: one >= other))


@given(st.sampled_from(range(len(Rulebook.built_in().considerations))), st.data())
@runs(60)
def test_whatever_points_a_table_has_it_is_refused_exactly_if_they_break_a_direction(
    number: int, data: st.DataObject
) -> None:
    content: dict[str, Any] = copy.deepcopy(BUILT_IN)
    rows = content["considerations"][number]["rows"]
    changed = data.draw(st.integers(0, len(rows) - 1))
    rows[changed][-2] = data.draw(st.integers(0, 10))
    built_in = Rulebook.built_in().considerations[number]
    points = {
        key: rows[changed][-2] if built_in.rows.index(row) == changed else row.points
        for key, row in built_in.deciding.items()
    }
    better = {other: Rulebook.built_in().better(built_in, other) for other in built_in.inputs}
    broken = {v.input for v in violations(built_in.inputs, points, better, lambda one, other: one >= other)}
    try:
        Rulebook.from_content(content, "my.toml")
    except RulebookError as error:
        assert len(error.faults) == len(broken) > 0
        for fault in error.faults:
            assert fault.startswith(f"{built_in.id}: rows ") and "it must not" in fault
            assert str(changed + 1) in fault.split(": ")[1].replace(",", "").split()
    else:
        assert not broken


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_has_a_direction_that_its_order_bears_out(name: str) -> None:
    spec = INPUT_SPECS[name]
    if spec.direction == "none":
        assert not spec.better
    else:
        assert spec.better in (spec.order, spec.order.reversed)
        ranked = {value for pair in spec.better for value in pair}
        not_comparable = {"free_only"} if name == "pricing" else set()
        assert ranked == set(spec.values) - not_comparable
