"""How many examples a property is tried with."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import HealthCheck, settings

THOROUGH: Final = "thorough"
_MOST: Final = 100
_SHARE: Final = 3
_FEWEST: Final = 10

_COMMON: Final[dict[str, Any]] = {
    "deadline": None,
    "print_blob": True,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.too_slow],
}


def register_profiles() -> None:
    """`suite` is what runs without a word; `thorough` tries each property with three times as many examples."""
    settings.register_profile("suite", max_examples=_fewer(_MOST), **_COMMON)
    settings.register_profile(THOROUGH, max_examples=_MOST, **_COMMON)
    settings.load_profile("suite")


def runs(max_examples: int, **others: Any) -> settings:
    """Settings of a property that takes another number of examples than most: this one if the profile is thorough."""
    thorough = settings.get_current_profile_name() == THOROUGH
    return settings(max_examples=max_examples if thorough else _fewer(max_examples), **others)


def _fewer(examples: int) -> int:
    return min(examples, max(_FEWEST, examples // _SHARE))
