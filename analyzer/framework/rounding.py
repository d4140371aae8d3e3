"""How scores are rounded, in one place: one pitch and a million must print the same digits."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

SCORE_DIGITS: Final = 2
SAID_DIGITS: Final = 4


_AT_ONCE: Final = 16_384
"""So many numbers stay in a processor's cache."""


def rounded(numbers: ArrayLike, digits: int = SCORE_DIGITS) -> NDArray[np.float64]:
    """So many decimals. Rounding first to nine removes what floating point adds, so that equal scores print alike."""
    found = np.array(numbers, np.float64, order="C")
    flat = found.reshape(-1)
    for start in range(0, flat.size, _AT_ONCE):
        part = flat[start : start + _AT_ONCE]
        for factor in (1e9, float(10**digits)):
            np.multiply(part, factor, out=part)
            np.rint(part, out=part)
            np.divide(part, factor, out=part)
        np.add(part, 0.0, out=part)
    return found


def rounded_one(number: float, digits: int = SCORE_DIGITS) -> float:
    """The same for one number, to the digit: numpy's way of rounding without its cost a call."""
    factor: int = 10**digits
    return round(round(float(number) * 1e9) / 1e9 * factor) / factor
