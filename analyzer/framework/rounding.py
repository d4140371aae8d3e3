"""How scores are rounded, in one place: one pitch and a million must print the same digits."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

SCORE_DIGITS: Final = 2
SAID_DIGITS: Final = 4


def rounded(numbers: ArrayLike, digits: int = SCORE_DIGITS) -> NDArray[np.float64]:
    """So many decimals. Rounding first to nine removes what floating point adds, so that equal scores print alike."""
    return np.asarray(np.round(np.round(np.asarray(numbers, np.float64), 9), digits) + 0.0, np.float64)


def rounded_one(number: float, digits: int = SCORE_DIGITS) -> float:
    """The same for one number, to the digit: numpy's way of rounding without its cost a call."""
    factor: int = 10**digits
    return round(round(float(number) * 1e9) / 1e9 * factor) / factor
