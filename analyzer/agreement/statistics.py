"""The figures of agreement, as functions of numbers: no pitch, signal or file is known here.

Kappa, AC1 and alpha work on stacks of tables, because their intervals need them for thousands of resampled tables at
once, which the libraries do one at a time. The tests hold them to scikit-learn, krippendorff and published examples.
A figure that is not defined is nan inside this module and None outside.
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
"""An agreement is fit to be quoted when its interval reaches no further than this to either side."""
_Z: Final = 1.959963984540054
_AT_ONCE: Final = 2_000_000
"""Numbers drawn at a time, so that memory does not grow with the pitches."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval. `value` None: not defined (one side knows only one value, or there is nothing to
    compare); `low` and `high` None: no interval."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Differences between two scores of the same pitches (Bland and Altman 1986, 1999).

    `mean`: the mean difference; `low`, `high`: the limits between which 95% of differences lie if they are normal.
    """

    mean: Estimate
    low: Estimate
    high: Estimate
    sd: float


# ---------------------------------------------------------------- shares


def wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95% interval for a share of `n` (Wilson 1927). A share that averages several raters may lie between
    two whole counts; `n` counts pitches."""
    centre = share + _Z**2 / (2 * n)
    reach = _Z * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)


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
    return _divided(np.trace(tables, axis1=-2, axis2=-1), total)


def kappa(tables: Floats, apart: Floats | None = None) -> Floats:
    """Cohen's kappa of each (…, K, K) table; with `apart`, weighted by how far apart two values are (Cohen 1968): a
    (K, K) table with zeros on its diagonal. Without it every other value is as far as the next.

    nan where no other agreement than by chance is possible: both sides know one and the same value only.
    """
    size = tables.shape[-1]
    apart = 1 - np.eye(size) if apart is None else apart
    total = tables.sum((-2, -1))
    by_chance = np.einsum("...i,...j,ij->...", tables.sum(-1), tables.sum(-2), apart)
    return 1 - _divided((tables * apart).sum((-2, -1)) * total, by_chance)


def ac1(tables: Floats, values: int) -> Floats:
    """Gwet's AC1 of each table (Gwet 2008), with as many values as a rater could choose from."""
    total = tables.sum((-2, -1))[..., None]
    shares = _divided(tables.sum(-1) + tables.sum(-2), 2 * total)
    by_chance = (shares * (1 - shares)).sum(-1) / (values - 1)
    return _divided(agreement(tables) - by_chance, 1 - by_chance)


def alpha(coincidences: Floats) -> Floats:
    """Krippendorff's nominal alpha of each table of coincidences (Krippendorff 2004, chapter 11); nan for one value."""
    margins = coincidences.sum(-1)
    total = margins.sum(-1)
    observed = total - np.trace(coincidences, axis1=-2, axis2=-1)
    expected = total**2 - (margins**2).sum(-1)
    return 1 - _divided(observed * (total - 1), expected)


def _divided(above: Floats, below: Floats) -> Floats:
    undefined = np.full(np.broadcast(above, below).shape, np.nan)
    return np.asarray(np.divide(above, below, out=undefined, where=np.abs(below) > 1e-12))


# ---------------------------------------------------------------- resampling


def resampled(counts: Codes, draws: int, seed: Sequence[int]) -> Floats:
    """How often each kind of pitch is in each of `draws` samples with replacement; `counts`: how often it is there."""
    total = int(counts.sum())
    return np.random.default_rng(seed).multinomial(total, counts / total, size=draws).astype(np.float64)


def interval(values: Floats) -> tuple[float, float] | tuple[None, None]:
    """The middle 95% of resampled figures; none where a twentieth or more of them is not defined, or all are the same:
    pitches that all agree give samples that all agree, which says nothing about other pitches."""
    defined = values[~np.isnan(values)]
    if not len(defined) or len(defined) < LEVEL * len(values) or np.ptp(defined) < 1e-9:
        return None, None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def estimate(value: float, values: Floats) -> Estimate:
    """A figure with the interval of its resampled values."""
    return Estimate(None) if np.isnan(value) else Estimate(float(value), *interval(values))


# ---------------------------------------------------------------- two readers


def sign_test(better: int, worse: int) -> float:
    """Two-sided exact probability of so uneven a split; McNemar's exact test where each pitch is right or wrong."""
    return float(stats.binomtest(better, better + worse).pvalue) if better + worse else 1.0


def holm(probabilities: Sequence[float]) -> list[float]:
    """Probabilities corrected for how many were looked at (Holm 1979)."""
    corrected = [0.0] * len(probabilities)
    highest = 0.0
    for rank, number in enumerate(sorted(range(len(probabilities)), key=lambda n: probabilities[n])):
        highest = max(highest, min(1.0, probabilities[number] * (len(probabilities) - rank)))
        corrected[number] = highest
    return corrected


# ---------------------------------------------------------------- scores


def limits(differences: Floats) -> Limits:
    """Mean difference and limits of agreement with their intervals; for two or more differences."""
    n = len(differences)
    mean, sd = float(differences.mean()), float(differences.std(ddof=1))
    t = float(stats.t.ppf((1 + LEVEL) / 2, n - 1))
    off_mean = t * sd / sqrt(n)
    off_limit = t * sd * sqrt(1 / n + _Z**2 / (2 * (n - 1)))

    def around(value: float, off: float) -> Estimate:
        return Estimate(value, value - off, value + off)

    return Limits(around(mean, off_mean), around(mean - _Z * sd, off_limit), around(mean + _Z * sd, off_limit), sd)


def correlations(first: Floats, second: Floats, draws: int, seed: Sequence[int]) -> dict[str, Estimate]:
    """Pearson's, Spearman's and Kendall's (tau-b) correlation, the first two with bootstrap intervals over pitches.

    None for fewer than three pitches or where one side is constant.
    """
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return dict.fromkeys(("pearson", "spearman", "kendall"), Estimate(None))
    picked = _bootstrapped(first, second, draws, seed)
    return {
        "pearson": estimate(float(stats.pearsonr(first, second).statistic), picked[0]),
        "spearman": estimate(float(stats.spearmanr(first, second).statistic), picked[1]),
        "kendall": Estimate(float(stats.kendalltau(first, second).statistic)),
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
    return _divided((first * second).sum(1), np.sqrt((first**2).sum(1) * (second**2).sum(1)))
