"""One pitch of a portfolio in full, with the way to its neighbors and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import streamlit as st

from analyzer.errors import AnalyzerError
from analyzer.framework.assessment import Assessment, Position, Range
from analyzer.framework.rulebook import Rulebook
from analyzer.page import analysis, desk, downloads, pitch_field
from analyzer.page import assessment as parts
from analyzer.page import portfolio_filters as filters
from analyzer.page.portfolio_ranking import choose, page_of
from analyzer.page.portfolio_run import PortfolioRun
from analyzer.page.portfolio_work import PortfolioWork
from analyzer.page.session import session
from analyzer.page.words import show_error
from analyzer.runs.portfolio_parts import PortfolioItem
from analyzer.views.html import Html, tag
from analyzer.views.quadrant import Other
from analyzer.views.ranking import ranks

_MOST_OTHERS: Final = 200
"""Pitches that the chart shows next to the opened one."""
_NO_TEXT: Final = "The file of results does not contain the text of the pitch."


def show_one(run: PortfolioRun, item: PortfolioItem) -> None:
    """Draws the assessment of a pitch."""
    work, number = run.work, item.result.number
    assessment, text = item.assessment(), item.text()
    place = work.place(number)
    shown = filters.view().places(work)
    with st.container(horizontal=True, vertical_alignment="center", key="portfolio-one"):
        st.button("Back to the portfolio", icon=":material/arrow_back:", on_click=_back, args=(work, number, shown))
        _neighbors(work, place, shown)
        chosen = number in work.shortlist
        st.button(
            "Remove from the shortlist" if chosen else "Add to the shortlist",
            icon=":material/star:" if chosen else ":material/star_outline:",
            on_click=choose,
            args=(run, number),
            key=f"portfolio-star-{chosen}",
        )
        failure = _what_if(work, assessment, text)
        if place is not None:
            found = work.ranked[place][1]
            line = f"Rank {found.rank:,} of {len(work.ranked):,}; {ranks(found)} in 90% of simulations"
            st.html(tag("p", line, class_="pa lead"), width="content")
    if failure is not None:
        show_error("Not opened", failure)
    others = list(_others(work, shown, place))
    if text is None:
        _judged(item, parts.without_places(assessment), None, others)
    else:
        with desk.next_to_pitch(text, assessment, f"{work.id} {number}"):
            _judged(item, assessment, text, others)


def _judged(item: PortfolioItem, assessment: Assessment, text: str | None, others: Sequence[Other]) -> None:
    """The assessment, part by part."""
    for part in (
        parts.cautions(assessment, None if text is not None else _NO_TEXT),
        parts.headline(assessment),
        parts.glance(assessment, others),
        _own_columns(item),
    ):
        if part:
            st.html(part)
    with st.container(key="tools"):
        downloads.assessment(assessment, text)
    st.html(parts.details(assessment, Rulebook.built_in()))


def _neighbors(work: PortfolioWork, place: int | None, shown: Sequence[int]) -> None:
    """Buttons to the pitches before and after, in the order of the view."""
    at = shown.index(place) if place in shown else None
    before = None if at in (None, 0) else shown[at - 1]
    after = None if at is None or at + 1 >= len(shown) else shown[at + 1]
    for label, other in (("Previous", before), ("Next", after)):
        number = None if other is None else work.ranked_item(other).result.number
        st.button(label, disabled=number is None, on_click=_go, args=(number,))


def _what_if(work: PortfolioWork, assessment: Assessment, text: str | None) -> AnalyzerError | None:
    """A button that opens the pitch on the page for one pitch; why it could not be opened."""
    if text is None or not st.button("What if", help="Opens the page for one pitch; no model is asked again."):
        return None
    try:
        analysis.reopen(text, assessment, f"From the portfolio {work.name}. No model was asked again.", {})
    except AnalyzerError as error:
        return error
    pitch_field.put(text)
    session().go_to_analyze = True
    return st.rerun()


def _own_columns(item: PortfolioItem) -> Html:
    """What the input's own columns say of the pitch."""
    cells = {name: " ".join(str(cell).split()) for name, cell in item.columns.items() if cell is not None}
    rows = [
        tag("tr", tag("th", name, scope="row", class_="alien"), tag("td", cell, class_="alien"))
        for name, cell in cells.items()
        if cell
    ]
    if not rows:
        return Html()
    table = tag("table", *rows, class_="preview")
    return tag("details", tag("summary", f"From the file: {len(rows)} columns"), table, class_="pa listed")


def _others(work: PortfolioWork, shown: Sequence[int], own: int | None) -> Iterator[Other]:
    """The other pitches that pass the filter, for the chart."""
    for place in shown[:_MOST_OTHERS]:
        entry, _ = work.ranked[place]
        if place != own:
            stage, focus = (Range(value=at, low=at, high=at) for at in (entry.stage, entry.focus))
            yield Other(entry.title, Position(stage=stage, focus=focus), entry.overall)


def _go(number: int) -> None:
    session().portfolio.opened = number


def _back(work: PortfolioWork, number: int, shown: Sequence[int]) -> None:
    state, place = session().portfolio, work.place(number)
    state.page = 0 if place is None else page_of(place, shown)
    state.opened, state.focus = None, number
