"""The page of the market map."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.page.visitor import markup


def test_the_market_map_shows_every_category_with_its_players() -> None:
    from html import escape

    from analyzer.framework.market import MarketMap

    def script() -> None:
        from analyzer.page import market

        market.show()

    page = AppTest.from_function(script, default_timeout=30).run()
    shown = markup(page)
    assert not page.exception
    for category in MarketMap.built_in().categories:
        assert escape(category.title) in shown
        assert escape(category.players[0].name) in shown
