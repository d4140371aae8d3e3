"""The statistics of agreement, as functions of numbers: nothing here knows a pitch, a signal or a file.

Kappa, AC1 and alpha work on stacks of tables, because their intervals need them for thousands of resampled tables at
once, and the libraries compute one at a time. The tests check them against scikit-learn, krippendorff and published
examples. An undefined figure is nan inside this module and None outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

LEVEL: Final = 0.95
HALF_WIDTH: Final = 0.1
"""An agreement can be quoted when its interval extends at most this far to either side."""
_Z: Final = 1.959963984540054
_AT_ONCE: Final = 2_000_000
"""Numbers drawn at a time, so that memory does not grow with the pitches."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its 95% interval. `value` None: undefined (one side uses only one value, or there is nothing to
    compare); `low` and `high` None: no interval."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class DifferenceLimits:
    """Differences between two scores of the same pitches (Bland and Altman 1986, 1999).

    `mean`: the mean difference; `low`, `high`: the limits between which 95% of differences lie if they are normal.
    """

    mean: Measured
    low: Measured
    high: Measured
    sd: float


# ---------------------------------------------------------------- shares


def wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95% interval for a share of `n` (Wilson 1927). A share that averages several raters may lie between
    two whole counts; `n` counts pitches."""
    center = share + _Z**2 / (2 * n)
    reach = _Z * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    return max(0.0, (center - reach) / scale), min(1.0, (center + reach) / scale)


def needed(share: float) -> int:
    """How many pitches it takes until half the width of Wilson's interval at this share is 0.1 or less."""
    low, high = 1, 10_000
    while low < high:
        middle = (low + high) // 2
        ends = wilson(share, middle)
        if (ends[1] - ends[0]) / 2 <= HALF_WIDTH:
            high = middle
        else:
            low = middle + 1
    return low


# ---------------------------------------------------------------- tables


def agreement(tables: Floats) -> Floats:
    """The share on the diagonal of each (…, K, K) table; nan where a table is empty."""
    total = tables.sum((-2, -1))
    return ratio(np.trace(tables, axis1=-2, axis2=-1), total)


def kappa(tables: Floats, apart: Floats | None = None) -> Floats:
    """Cohen's kappa of each (…, K, K) table; with `apart`, weighted by how far apart two values are (Cohen 1968): a
    (K, K) table with zeros on its diagonal. Without it, all values are equally far apart.

    nan where only chance agreement is possible: both sides use a single value, the same one.
    """
    size = tables.shape[-1]
    apart = 1 - np.eye(size) if apart is None else apart
    total = tables.sum((-2, -1))
    by_chance = np.einsum("...i,...j,ij->...", tables.sum(-1), tables.sum(-2), apart)
    return 1 - ratio((tables * apart).sum((-2, -1)) * total, by_chance)


def ac1(tables: Floats, values: int) -> Floats:
    """Gwet's AC1 of each table (Gwet 2008), with as many values as a rater could choose from."""
    total = tables.sum((-2, -1))[..., None]
    shares = ratio(tables.sum(-1) + tables.sum(-2), 2 * total)
    by_chance = (shares * (1 - shares)).sum(-1) / (values - 1)
    return ratio(agreement(tables) - by_chance, 1 - by_chance)


def alpha(coincidences: Floats) -> Floats:
    """Krippendorff's nominal alpha of each table of coincidences (Krippendorff 2004, chapter 11); nan for one value."""
    margins = coincidences.sum(-1)
    total = margins.sum(-1)
    observed = total - np.trace(coincidences, axis1=-2, axis2=-1)
    expected = total**2 - (margins**2).sum(-1)
    return 1 - ratio(observed * (total - 1), expected)


def ratio(above: Floats, below: Floats) -> Floats:
    """Each number divided by its counterpart; nan where that is zero."""
    undefined = np.full(np.broadcast(above, below).shape, np.nan)
    return np.asarray(np.divide(above, below, out=undefined, where=np.abs(below) > 1e-12))


# ---------------------------------------------------------------- resampling


def resampled(counts: Codes, draws: int, seed: Sequence[int]) -> Floats:
    """How often each kind of pitch occurs in each of `draws` samples with replacement; `counts`: how often it occurs
    in the pitches."""
    total = int(counts.sum())
    return np.random.default_rng(seed).multinomial(total, counts / total, size=draws).astype(np.float64)


def interval(values: Floats) -> tuple[float, float] | tuple[None, None]:
    """The middle 95% of resampled figures. None where 5% or more of them are undefined, or where all are the same:
    samples of pitches that all agree also agree, which says nothing about other pitches."""
    defined = values[~np.isnan(values)]
    if not len(defined) or len(defined) < LEVEL * len(values) or np.ptp(defined) < 1e-9:
        return None, None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def estimate(value: float, values: Floats) -> Measured:
    """A figure with the interval of its resampled values."""
    return Measured(None) if np.isnan(value) else Measured(float(value), *interval(values))


# ---------------------------------------------------------------- two readers


def sign_test(better: int, worse: int) -> float:
    """The two-sided exact probability of a split at least this uneven; McNemar's exact test where each pitch is right
    or wrong."""
    return float(stats.binomtest(better, better + worse).pvalue) if better + worse else 1.0


def holm(probabilities: Sequence[float]) -> list[float]:
    """Probabilities corrected for the number of tests (Holm 1979)."""
    corrected = [0.0] * len(probabilities)
    highest = 0.0
    for rank, number in enumerate(sorted(range(len(probabilities)), key=lambda n: probabilities[n])):
        highest = max(highest, min(1.0, probabilities[number] * (len(probabilities) - rank)))
        corrected[number] = highest
    return corrected


# ---------------------------------------------------------------- scores


def limits(differences: Floats) -> DifferenceLimits:
    """Mean difference and limits of agreement with their intervals; for two or more differences."""
    n = len(differences)
    mean, sd = float(differences.mean()), float(differences.std(ddof=1))
    t = float(stats.t.ppf((1 + LEVEL) / 2, n - 1))
    off_mean = t * sd / sqrt(n)
    off_limit = t * sd * sqrt(1 / n + _Z**2 / (2 * (n - 1)))

    def around(value: float, off: float) -> Measured:
        return Measured(value, value - off, value + off)

    return DifferenceLimits(
        around(mean, off_mean), around(mean - _Z * sd, off_limit), around(mean + _Z * sd, off_limit), sd
    )


def correlations(first: Floats, second: Floats, draws: int, seed: Sequence[int]) -> dict[str, Measured]:
    """Pearson's, Spearman's and Kendall's (tau-b) correlation, the first two with bootstrap intervals over pitches.

    None for fewer than three pitches or where one side is constant.
    """
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return dict.fromkeys(("pearson", "spearman", "kendall"), Measured(None))
    picked = _bootstrapped(first, second, draws, seed)
    return {
        "pearson": estimate(float(stats.pearsonr(first, second).statistic), picked[0]),
        "spearman": estimate(float(stats.spearmanr(first, second).statistic), picked[1]),
        "kendall": Measured(float(stats.kendalltau(first, second).statistic)),
    }


def _bootstrapped(first: Floats, second: Floats, draws: int, seed: Sequence[int]) -> tuple[Floats, Floats]:
    random = np.random.default_rng(seed)
    linear, ranked = [], []
    at_once = max(1, _AT_ONCE // len(first))
    for start in range(0, draws, at_once):
        rows = random.integers(0, len(first), (min(at_once, draws - start), len(first)))
        linear.append(_pearson(first[rows], second[rows]))
        ranked.append(_pearson(*(stats.rankdata(side[rows], axis=1) for side in (first, second))))
    return np.concatenate(linear), np.concatenate(ranked)


def _pearson(first: Floats, second: Floats) -> Floats:
    first, second = (side - side.mean(1, keepdims=True) for side in (first, second))
    return ratio((first * second).sum(1), np.sqrt((first**2).sum(1) * (second**2).sum(1)))
