"""The ranking of a portfolio: its filters, the chart and counts of what passes them, and the table in pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from analyzer.framework.ranking import Ranked
from analyzer.page.assessment import scrolling
from analyzer.page.clicks import clickable
from analyzer.page.portfolio_run import PortfolioWork
from analyzer.page.session import session
from analyzer.runs.portfolio import DRAWS, FILTER_FIELDS, Filter, FilterField, PortfolioEntry
from analyzer.views.html import Html, tag
from analyzer.views.numbers import shown
from analyzer.views.portfolio import verdict_counts
from analyzer.views.quadrant import Dot, scatter
from analyzer.views.ranking import ranks
from analyzer.vocabulary.labels import word

PAGE_SIZE: Final = 50
"""Pitches on one page of the ranking."""
_VERDICTS: Final = {
    "for": "speak for",
    "balanced": "balanced",
    "open": "open: ask more",
    "against": "speak against",
}
_ALL: Final = "all"
_WORDS: Final = "portfolio_words"
_FIELD: Final = "portfolio_by_"
_CLEAN: Final = "portfolio_clean"
_CLICKS: Final = "portfolio_clicks"
_OPEN, _TURN = "open:", "page:"
"""What a click reports: the pitch to open, or the page to turn to."""


def show_ranking(work: PortfolioWork) -> None:
    """Draws filters, chart, counts and the page of the table that the visitor is on."""
    state = session().portfolio
    wanted = _filter(work)
    if state.filter not in (None, wanted):
        state.page, state.focus = 0, None
    state.filter = wanted
    state.filtered = chosen = [number for number, (entry, _) in enumerate(work.ranked) if wanted.matches(entry)]
    page = min(state.page, max(0, (len(chosen) - 1) // PAGE_SIZE))
    back = "" if state.focus is None else f"{_OPEN}{state.focus}"
    markup = tag(
        "div",
        tag("div", _places(work, set(chosen)), _counts(work, chosen), class_="overview"),
        _table(work, chosen, page),
        class_="pa portfolio",
    )
    clickable(markup, _CLICKS, _pick, back)


def _filter(work: PortfolioWork) -> Filter:
    entries = [entry for entry, _ in work.ranked]
    with st.container(horizontal=True, vertical_alignment="bottom", key="portfolio-filters"):
        words = st.text_input("Words", key=_WORDS, placeholder="in title or id", persist_state="session")
        chosen = {field.name: _choice(field, entries) for field in FILTER_FIELDS}
        clean = st.checkbox("Without warnings", key=_CLEAN, persist_state="session")
    return Filter(words or "", chosen, clean)


def _choice(field: FilterField, entries: Sequence[PortfolioEntry]) -> str:
    """One of the field's values; empty = all."""
    return st.selectbox(
        field.label,
        ("", *field.choices(entries)),
        key=_FIELD + field.name,
        persist_state="session",
        format_func=lambda value: word(value) if value else _ALL,
    )


def _pick(value: str) -> None:
    state = session().portfolio
    state.focus = None
    if value.startswith(_TURN):
        state.page = int(value.removeprefix(_TURN))
    else:
        state.opened = int(value.removeprefix(_OPEN))


def _places(work: PortfolioWork, chosen: set[int]) -> Html:
    dots = [
        Dot(
            entry.stage,
            entry.focus,
            f"{entry.title}: {shown(entry.overall)}",
            entry.verdict,
            entry.open_position,
            f"{_OPEN}{number}",
        )
        if number in chosen
        else Dot(entry.stage, entry.focus)
        for number, (entry, _) in enumerate(work.ranked)
    ]
    note = (
        "One dot per pitch. Dots at the same place are spread around it, the best ranked in the middle. Blue: for; "
        "orange: against; gray: balanced or open. Hollow: the pitch leaves its position open, and the dot marks the "
        "middle of the possible range."
    )
    return tag(
        "section",
        tag("h3", "Stage and focus"),
        scatter(dots),
        tag("p", note, class_="lead"),
        class_="stands",
    )


def _counts(work: PortfolioWork, chosen: Sequence[int]) -> Html:
    counts = verdict_counts([work.ranked[number] for number in chosen])
    most = max(1, *counts.values())
    rows = [
        tag(
            "li",
            tag("strong", f"{counts[name]:,}", class_="value"),
            tag("span", words, class_="label"),
            tag("span", tag("i", style=f"width:{100 * counts[name] / most:.1f}%"), class_="tally", aria_hidden="true"),
            class_=name,
        )
        for name, words in _VERDICTS.items()
    ]
    count = f"{len(chosen):,} of {len(work.ranked):,}" if len(chosen) < len(work.ranked) else f"all {len(chosen):,}"
    shown_ = tag("p", f"Shown: {count}", class_="lead", role="status")
    return tag("section", tag("h3", "Verdicts"), shown_, tag("ul", *rows, class_="counts"))


# ---------------------------------------------------------------- the ranking


def _table(work: PortfolioWork, chosen: Sequence[int], page: int) -> Html:
    heading = tag("h3", "Ranking", id="ranking")
    if not chosen:
        return tag("section", heading, tag("p", "No pitch matches these filters.", class_="note"), class_="ranking")
    note = (
        f"Rank: the median over {DRAWS} simulations, which vary the weights and what the pitches do not say. Ranks in "
        "90%: those in 90% of the simulations. Pitches with the same median share a rank; where ranks overlap, the "
        "order says little. Overall: the score, 0 to 100, with its exact range. Said: how much of what the score rests "
        "on the pitch answers."
    )
    last = len(work.ranked)
    rows = [_row(number, *work.ranked[number], last) for number in chosen[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]]
    names = ("Rank", "Pitch", "Stage, focus", "Verdict", "Overall", "Said", "Ranks in 90%", "Ask first")
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names)))
    return tag(
        "section",
        heading,
        tag("p", note, class_="lead"),
        scrolling(tag("table", head, tag("tbody", *rows)), "Ranking"),
        _pages(page, len(chosen)),
        class_="ranking",
    )


def _row(number: int, entry: PortfolioEntry, found: Ranked, last: int) -> Html:
    warnings = ", ".join(map(word, entry.warnings))
    below = [tag("small", entry.id, class_="alien")] if entry.id not in (entry.title, "") else []
    below += [tag("small", f"Warning: {warnings}", class_="warned")] if warnings else []
    where = [tag("span", f"{word(entry.stage_lean)}, {word(entry.focus_lean)}")]
    where += [tag("small", word(entry.category))] if entry.category else []
    limits = [tag("small", f"Deal-breaker: {entry.gates}")] if entry.gates else []
    opened = tag("button", entry.title, type="button", class_="alien", data_pick=f"{_OPEN}{number}", data_top="")
    return tag(
        "tr",
        tag("td", f"{found.rank:,}", class_="rank"),
        tag("th", opened, *below, scope="row"),
        tag("td", *where),
        tag("td", tag("span", entry.verdict, class_=f"verdict-word {entry.verdict}"), *limits),
        tag("td", shown(entry.overall), _span(entry.overall.value, entry.overall.low, entry.overall.high, 0, 100)),
        tag("td", f"{entry.said:.0%}"),
        tag("td", ranks(found), _span(found.rank, found.best, found.worst, 1, last)),
        tag("td", entry.ask, class_="ask"),
    )


def _span(value: float, low: float, high: float, first: float, last: float) -> Html:
    """A range on its scale, the value as a mark; the text next to it says the same."""

    def at(place: float) -> float:
        return 100 * (place - first) / max(last - first, 1)

    inner = tag("i", class_="range", style=f"left:{at(low):.1f}%;width:{at(high) - at(low):.1f}%")
    mark = tag("i", class_="value", style=f"left:{at(value):.1f}%")
    return tag("div", inner, mark, class_="bar", aria_hidden="true")


def _pages(page: int, count: int) -> Html:
    """Buttons to the other pages of the ranking."""
    if count <= PAGE_SIZE:
        return Html()
    most = (count - 1) // PAGE_SIZE
    first, last = page * PAGE_SIZE + 1, min(count, (page + 1) * PAGE_SIZE)
    return tag(
        "nav",
        _turn("Previous", page - 1, page > 0),
        tag("span", f"{first:,} to {last:,} of {count:,}", role="status"),
        _turn("Next", page + 1, page < most),
        class_="pages",
        aria_label="Pages of the ranking",
    )


def _turn(label: str, page: int, possible: bool) -> Html:
    if possible:
        return tag("button", label, type="button", data_pick=f"{_TURN}{page}")
    return tag("button", label, type="button", disabled="")
