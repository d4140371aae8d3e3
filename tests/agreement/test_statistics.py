"""The figures of agreement against published worked examples and against libraries that compute one at a time."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from analyzer.agreement import statistics as figures

ABSTRACTORS = np.array([[13.0, 0, 0], [0, 20, 7], [0, 4, 56]])
"""Two abstractors on 100 pregnancies: Gwet (2014), Handbook of Inter-Rater Reliability, 4th ed.; irrCAC cont3x3abstractors."""
PEAK_FLOW = (
    [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427],
    [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451],
)
"""First measurements with the large and the mini meter: Bland and Altman (1986), Lancet 327, table 1."""

STEPS = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
"""How far apart three ordered values are."""


def tables(size: int = 3) -> st.SearchStrategy[list[tuple[int, int]]]:
    code = st.integers(0, size - 1)
    return st.lists(st.tuples(code, code), min_size=2, max_size=25)


def counted(pairs: list[tuple[int, int]], size: int = 3) -> figures.Floats:
    table = np.zeros((size, size))
    for one, other in pairs:
        table[one, other] += 1
    return table


# ---------------------------------------------------------------- published examples


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_that_of_newcombe_1998_table_1(right: int, n: int, low: float, high: float) -> None:
    assert figures.wilson(right / n, n) == pytest.approx((low, high), abs=5e-5)


def test_kappa_and_ac1_are_those_that_irrcac_gives_for_gwets_example() -> None:
    assert float(figures.kappa(ABSTRACTORS)) == pytest.approx(0.7964094, abs=1e-7)
    assert float(figures.ac1(ABSTRACTORS, 3)) == pytest.approx(0.8493305, abs=1e-7)


def test_skewed_labels_pull_kappa_down_and_leave_ac1_where_the_agreement_is() -> None:
    """The table by which Gwet (2002) shows it, 118, 5, 2 and 0 of 125: agreement 0.944, kappa -0.023, AC1 0.941."""
    skewed = np.array([[118.0, 5], [2, 0]])
    assert float(figures.agreement(skewed)) == pytest.approx(0.944)
    assert float(figures.kappa(skewed)) == pytest.approx(-0.0234, abs=5e-5)
    assert float(figures.ac1(skewed, 2)) == pytest.approx(0.9408, abs=5e-5)


def test_limits_of_agreement_are_those_of_bland_and_altman_1986() -> None:
    """Mean -2.1 (-22.0 to 17.8), SD 38.8; lower limit -79.7 and upper 75.5 with two SDs, each ± 34.6 (they take √(3s²/n))."""
    found = figures.limits(np.subtract(*np.array(PEAK_FLOW, float)))
    assert found.sd == pytest.approx(38.8, abs=0.05)
    assert (found.mean.value, found.mean.low, found.mean.high) == pytest.approx((-2.1, -22.0, 17.8), abs=0.1)
    assert found.low.value == pytest.approx(-79.7, abs=0.05 * 38.8) and found.high.value == pytest.approx(75.5, abs=2)
    assert found.low.high is not None and found.low.value is not None
    assert found.low.high - found.low.value == pytest.approx(34.6, abs=0.5)


def test_holms_correction_is_that_of_a_hand_worked_family() -> None:
    assert figures.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert figures.holm([0.5, 0.9]) == [1.0, 1.0] and figures.holm([]) == []


# ---------------------------------------------------------------- held to libraries


@given(tables())
def test_kappa_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    first, second = zip(*pairs, strict=True)
    table = counted(pairs)
    if len({*first, *second}) == 1:
        assert np.isnan(figures.kappa(table)) and np.isnan(figures.kappa(table, STEPS))
        return
    labels = [0, 1, 2]
    assert float(figures.kappa(table)) == pytest.approx(cohen_kappa_score(first, second, labels=labels), abs=1e-12)
    linear = cohen_kappa_score(first, second, labels=labels, weights="linear")
    assert float(figures.kappa(table, STEPS)) == pytest.approx(linear, abs=1e-12)


@given(st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=4), min_size=2, max_size=15))
def test_alpha_is_krippendorffs_also_where_raters_are_missing(pitches: list[list[int]]) -> None:
    counts = np.array([[codes.count(value) for value in range(3)] for codes in pitches])
    coincidences = np.zeros((3, 3))
    for codes in pitches:
        for one in range(len(codes)):
            for other in range(len(codes)):
                if one != other:
                    coincidences[codes[one], codes[other]] += 1 / (len(codes) - 1)
    if (counts.sum(0) > 0).sum() == 1:
        assert np.isnan(figures.alpha(coincidences))
        return
    expected = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
    assert float(figures.alpha(coincidences)) == pytest.approx(expected, abs=1e-9)


@given(st.integers(0, 40), st.integers(1, 40))
def test_wilsons_interval_of_a_count_is_scipys(right: int, n: int) -> None:
    right = min(right, n)
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert figures.wilson(right / n, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.lists(tables(), min_size=1, max_size=4))
def test_a_stack_of_tables_gives_what_each_gives_alone(stack: list[list[tuple[int, int]]]) -> None:
    all_tables = np.array([counted(pairs) for pairs in stack])
    for figure in (figures.agreement, figures.kappa, lambda t: figures.kappa(t, STEPS), lambda t: figures.ac1(t, 3)):
        np.testing.assert_allclose(figure(all_tables), [figure(table) for table in all_tables])


# ---------------------------------------------------------------- what must always hold


@given(st.floats(0, 1))
def test_the_number_needed_is_the_first_that_is_narrow_enough(share: float) -> None:
    def half(n: int) -> float:
        low, high = figures.wilson(share, n)
        return (high - low) / 2

    n = figures.needed(share)
    assert half(n) <= figures.HALF_WIDTH < half(n - 1)


def test_resampled_pitches_are_the_same_for_the_same_seed_and_as_many_as_there_are() -> None:
    counts = np.array([3, 0, 5])
    first, second = (figures.resampled(counts, 50, (7, 1)) for _ in range(2))
    assert (first == second).all() and (first.sum(1) == 8).all() and (first[:, 1] == 0).all()
    assert (first != figures.resampled(counts, 50, (8, 1))).any()


def test_an_interval_is_not_claimed_where_all_samples_agree_or_many_are_undefined() -> None:
    assert figures.interval(np.ones(100)) == (None, None)
    assert figures.interval(np.array([np.nan] * 10 + [0.1, 0.9] * 45)) == (None, None)
    assert figures.interval(np.linspace(0, 1, 1001)) == pytest.approx((0.025, 0.975))


def test_correlations_need_three_pitches_and_two_different_scores() -> None:
    none = {"pearson", "spearman", "kendall"}
    for first, second in (([1.0, 2], [1.0, 2]), ([1.0, 1, 1], [1.0, 2, 3])):
        found = figures.correlations(np.array(first), np.array(second), 100, (0,))
        assert {name for name, each in found.items() if each.value is None} == none
    straight = figures.correlations(np.arange(10.0), np.arange(10.0) ** 3, 200, (0,))
    assert straight["spearman"].value == pytest.approx(1) and straight["pearson"].value is not None
    assert straight["pearson"].value < 1


def test_the_sign_test_of_no_difference_is_sure_of_nothing() -> None:
    assert figures.sign_test(0, 0) == 1.0
    assert figures.sign_test(6, 0) == pytest.approx(2 / 2**6)
