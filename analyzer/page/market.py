"""The page of the market map: categories by stage and focus, sized by their players, and who is in each."""

from __future__ import annotations

from math import sqrt
from typing import Final

import streamlit as st

from analyzer.framework.market import KINDS, MarketCategory, MarketMap
from analyzer.page.assessment import scrolling
from analyzer.views.html import Html, tag
from analyzer.vocabulary.derived import LEANS
from analyzer.vocabulary.labels import capital, word

_COLUMNS: Final = {"day_1": "Day 1", "mixed": "Day 1 and day 2", "day_2": "Day 2"}
_ROWS: Final = {"engineering": "engineering", "mixed": "both kinds of work", "ml": "ML"}
_CROWDING: Final = {"open": "open", "contested": "contested", "crowded": "crowded"}
_LARGEST: Final = 26
"""Pixels across the circle of the category with the most players; areas are in proportion."""


def show() -> None:
    """The page."""
    market = MarketMap.built_in()
    st.title("The market map")
    st.html(_introduction(market))
    st.html(_picture(market))
    for category in market.categories:
        st.html(_category(market, category))


def _introduction(market: MarketMap) -> Html:
    total = sum(len(category.players) for category in market.categories)
    return tag(
        "section",
        tag(
            "p",
            "Who competes where, by the step of the ML lifecycle that a product serves. How crowded a category is, is "
            "a judgment with a reason and a date. The listed players support it; their number alone does not decide "
            "it, because it depends on how thorough the search was.",
        ),
        tag(
            "p",
            f"{len(market.categories)} categories, {total} entries. Map {market.version} ({market.sha256[:8]})",
            class_="provenance",
        ),
        class_="pa prose",
    )


def _picture(market: MarketMap) -> Html:
    most = max(len(category.players) for category in market.categories)
    cells = []
    for focus in reversed(LEANS["focus"]):
        for stage in LEANS["stage"]:
            members = [c for c in market.categories if (c.usual_stage, c.usual_focus) == (stage, focus)]
            head = tag("p", f"{_COLUMNS[stage]}, {_ROWS[focus]}", class_="cell")
            cells.append(tag("div", head, *(_bubble(member, most) for member in members), class_="field"))
    legend = tag(
        "p", *(_key(name) for name in _CROWDING), tag("span", "The more players, the larger."), class_="legend"
    )
    return tag(
        "section",
        tag("h2", "Categories by stage and focus", class_="large"),
        legend,
        tag("div", *cells, class_="map"),
        class_="pa",
    )


def _bubble(category: MarketCategory, most: int) -> Html:
    across = max(6, round(_LARGEST * sqrt(len(category.players) / most)))
    size = f"width:{across}px;height:{across}px"
    circle = tag("span", tag("i", style=size, class_=category.crowding), class_="spot", aria_hidden="true")
    count = f" {len(category.players)} players, {category.crowding}"
    return tag("p", circle, tag("span", category.title, tag("small", count)), class_="bubble")


def _key(crowding: str) -> Html:
    return tag("span", tag("i", class_=crowding, style="width:12px;height:12px"), f" {_CROWDING[crowding]}")


def _category(market: MarketMap, category: MarketCategory) -> Html:
    usual = f"usually {word(category.usual_stage)}, {word(category.usual_focus)}"
    rows = []
    for kind in KINDS:
        good, bad = market.strengths(kind, [category.usual_stage, category.usual_focus])
        for number, player in enumerate(p for p in category.players if p.kind == kind):
            about = f"Good at: {good}. Less so: {bad}." if good and not number else ""
            status = "" if player.status == "active" else f" ({player.status})"
            rows.append(
                tag(
                    "tr",
                    tag("th", player.name, scope="row"),
                    tag("td", capital(word(kind)), *([". ", tag("small", about)] if about else [])),
                    tag("td", f"{player.known_for}{status}"),
                    tag("td", player.as_of),
                )
            )
    head = tag("tr", *(tag("th", name, scope="col") for name in ("Player", "Kind", "Known for", "As of")))
    table = scrolling(tag("table", tag("thead", head), tag("tbody", *rows)), f"Players: {category.title}")
    crowding = f"{category.crowding} ({category.as_of})"
    summary = tag("summary", tag("strong", category.title), f": {crowding}, {usual}, {len(category.players)} players")
    return tag(
        "details",
        summary,
        tag("p", category.about),
        tag("p", category.crowding_reason, class_="lead"),
        table,
        class_="pa category",
    )
