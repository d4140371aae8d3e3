"""How alike two names of competitors are. Names are free text, so a match is a guess by this rule.

Two names match if they are one player of the market map, or if they are spelled alike: rapidfuzz's token_set_ratio of
at least 80 (words in any order, one name may say more than the other). Names of two different players never match,
however alike they are.
"""

from __future__ import annotations

from typing import Final

from analyzer.framework.market import MarketMap

ALIKE: Final = 80.0
_SAME: Final = 101.0
"""The market map has precedence over likeness of spelling."""


def likeness(one: str, other: str, market: MarketMap) -> float:
    """0 to 101; below ALIKE counts as nothing, so that no weak pair is chosen over a good one."""
    players = market.match(one), market.match(other)
    if players[0] is not None and players[1] is not None:
        return _SAME if players[0].name == players[1].name else 0.0
    from rapidfuzz import fuzz, utils  # one reading needs none of it

    ratio = fuzz.token_set_ratio(one, other, processor=utils.default_process)
    return ratio if ratio >= ALIKE else 0.0
