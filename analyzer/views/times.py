"""Durations, dates and times as people read them, on the terminal and the page alike."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def duration(seconds: float) -> str:
    """Seconds as "0.4 s", "12 s", "4 min 12 s" or "1 h 3 min". Never more than two units."""
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _two(whole // 60, "min", whole % 60, "s")
    minutes = round(seconds / 60)
    return _two(minutes // 60, "h", minutes % 60, "min")


def day(moment: date) -> str:
    """A date as "2026-11-28"; for a datetime the date on its own clock."""
    return f"{moment:%Y-%m-%d}"


def moment(stored: str, timezone: str | None = None) -> str:
    """A stored time (UTC in ISO form) as "2026-11-28 16:45" in a time zone; in UTC, and saying so, for None or an
    unknown zone."""
    at = datetime.fromisoformat(stored)
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    with suppress(ZoneInfoNotFoundError, ValueError):
        if timezone:
            return f"{at.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}"
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large:,} {large_unit}" + (f" {small} {small_unit}" if small else "")
