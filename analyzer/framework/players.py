"""The competitors in a product's field: those its pitch names, matched to the market map, and those it leaves out."""

from __future__ import annotations

from analyzer.framework.assessment import Player
from analyzer.framework.inputs import Facts
from analyzer.framework.market import KINDS, KnownPlayer, MarketMap
from analyzer.vocabulary.signals import Competitor, Signals


def players(signals: Signals, market: MarketMap, facts: Facts) -> tuple[Player, ...]:
    """Those named first, in the pitch's order; then those of the map's category that the pitch leaves out, by kind.

    A named competitor that the map does not know stays as the pitch has it. The product itself is not one. Out of
    scope: none but those named.
    """
    category = market.category(str(signals.category.value)) if signals.in_scope else None
    leans = [str(facts.values[name]) for name in ("stage", "focus")]
    matched = [
        (competitor, market.match(competitor.name, str(signals.category.value))) for competitor in signals.competitors
    ]
    named = [_named(competitor, known, market, leans) for competitor, known in matched]
    taken = {known.name for _, known in matched if known is not None}
    own = market.match(signals.product) if signals.product else None
    others = [
        _left_out(player, market, leans)
        for player in (category.players if category else ())
        if player.name not in taken and player is not own
    ]
    others.sort(key=lambda player: KINDS.index(player.kind))
    return (*named, *others)


def _named(competitor: Competitor, known: KnownPlayer | None, market: MarketMap, leans: list[str]) -> Player:
    good, bad = market.strengths(competitor.kind, leans)
    return Player(
        name=competitor.name,
        kind=competitor.kind,
        named=True,
        quotes=(competitor.quote,) if competitor.quote else (),
        known_as=known.name if known else None,
        known_for=known.known_for if known else None,
        as_of=known.as_of if known else None,
        good=good,
        bad=bad,
    )


def _left_out(player: KnownPlayer, market: MarketMap, leans: list[str]) -> Player:
    good, bad = market.strengths(player.kind, leans)
    return Player(
        name=player.name,
        kind=player.kind,
        named=False,
        known_as=player.name,
        known_for=player.known_for,
        as_of=player.as_of,
        good=good,
        bad=bad,
    )
