"""Durations and times as people read them: one form wherever they are shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.views.times import duration, moment

UNITS = {"s": 1, "min": 60, "h": 3600}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.42, "0.4 s"),
        (9.96, "10 s"),
        (59.7, "1 min"),
        (252, "4 min 12 s"),
        (3599.6, "1 h"),
        (3780, "1 h 3 min"),
        (90_000, "25 h"),
    ],
)
def test_a_duration_names_its_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(st.floats(0, 1e7))
def test_a_duration_is_right_to_its_smallest_unit(seconds: float) -> None:
    parts = re.findall(r"([\d.,]+) (s|min|h)\b", duration(seconds))
    shown = sum(float(number.replace(",", "")) * UNITS[unit] for number, unit in parts)
    assert 1 <= len(parts) <= 2
    assert all(float(number.replace(",", "")) < 60 for number, unit in parts if unit != "h")
    assert abs(shown - seconds) <= (0.051 if seconds < 9.95 else 0.501 if seconds < 3599.5 else 30.01)


@pytest.mark.parametrize(
    ("timezone", "text"),
    [
        (None, "2026-11-28 23:30 UTC"),
        ("Nowhere/Land", "2026-11-28 23:30 UTC"),
        ("../etc", "2026-11-28 23:30 UTC"),
        ("Asia/Tokyo", "2026-11-29 08:30"),
    ],
)
@pytest.mark.parametrize("stored", ["2026-11-28T23:30:59.123456", "2026-11-28T23:30:59+00:00"])
def test_a_stored_time_is_shown_on_the_readers_clock_or_says_utc(stored: str, timezone: str | None, text: str) -> None:
    assert moment(stored, timezone) == text


def test_only_one_file_puts_times_into_words() -> None:
    home = Path("analyzer/views/times.py")
    for path in Path(__file__).parent.parent.joinpath("analyzer").rglob("*.py"):
        if path.parts[-3:] != home.parts and path.relative_to(Path(__file__).parent.parent).parts[1] in (
            "views",
            "page",
            "cli",
        ):
            source = path.read_text(encoding="utf-8")
            assert not re.search(r"timedelta|strftime|:%[A-Za-z]|:\.\df\} s\b|\[11:16\]", source), path
