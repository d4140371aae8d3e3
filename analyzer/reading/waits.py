"""How long a server asks to wait, as seconds that can be waited."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

MOST_SECONDS: Final = 7 * 24 * 3600.0
"""The longest wait that a server can ask for; a longer one means the same."""


def seconds_to_wait(headers: Mapping[str, Any]) -> float:
    """Seconds that a server asks to wait in Retry-After; 0 if it does not say, or the value makes no sense."""
    named = {str(name).lower(): str(value) for name, value in headers.items()}
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = seconds_in(named.get(name, ""))
        if seconds is not None:
            return sensible_seconds(seconds * unit)
    return 0.0


def sensible_seconds(seconds: float) -> float:
    """A number of seconds from outside: 0 for a negative one or NaN, at most MOST_SECONDS."""
    return 0.0 if math.isnan(seconds) else min(max(0.0, seconds), MOST_SECONDS)


def seconds_in(text: str) -> float | None:
    """Seconds from a number, or from a date in HTTP's form; None if it is neither."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None


def wait_in(content: Mapping[str, Any]) -> float:
    """Google's way to say how long to wait: `details: [{"retryDelay": "34s"}]`."""
    details = content.get("details")
    for entry in details if isinstance(details, list) else ():
        delay = entry.get("retryDelay") if isinstance(entry, Mapping) else None
        seconds = seconds_in(delay.removesuffix("s")) if isinstance(delay, str) else None
        if seconds is not None:
            return sensible_seconds(seconds)
    return 0.0
