"""A visitor's portfolios: the saved ones, and those that are in this server's memory only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import streamlit as st

from analyzer.errors import AnalyzerError
from analyzer.page import access, open_portfolios
from analyzer.page import portfolio_filters as filters
from analyzer.page.portfolio_run import PortfolioRun
from analyzer.page.session import PortfolioState, session
from analyzer.page.store import shared_store
from analyzer.settings import KEYWORDS
from analyzer.store.portfolios import SavedPortfolio
from analyzer.views.html import Html, tag
from analyzer.views.times import moment

_RECENT: Final = 5


@dataclass(frozen=True, slots=True)
class ListedPortfolio:
    """A portfolio in a list. `about`: when, by whom and how far it was read, in words."""

    id: str
    name: str
    about: tuple[str, ...]

    def html(self) -> Html:
        """Its name, and what is known about it."""
        parts: list[str] = []
        for part in self.about:
            parts += [" \N{MIDDLE DOT} "] if parts else []
            parts += [tag("span", part, class_="alien")]
        name = tag("p", tag("strong", self.name, class_="alien"))
        return tag("div", name, tag("p", *parts, class_="about"), class_="pa kept")


def saved(entries: Iterable[SavedPortfolio]) -> list[ListedPortfolio]:
    """Saved portfolios as a list."""
    return [
        ListedPortfolio(
            entry.id,
            entry.name,
            (
                _read(entry.finished, entry.total),
                f"{KEYWORDS}, drafts" if entry.model == KEYWORDS else entry.model or "results of a file",
                moment(entry.saved_at, st.context.timezone),
            ),
        )
        for entry in entries
    ]


def show_recent() -> None:
    """Draws the visitor's latest portfolios, each with a button that opens it."""
    owner = access.owner()
    if owner is None:
        return
    try:
        entries = saved(shared_store().portfolios.search(owner, limit=_RECENT))
    except AnalyzerError:
        entries = []  # History says why
    unsaved = [
        ListedPortfolio(
            run.work.id,
            run.work.name,
            (_read(run.work.progress.finished, run.work.progress.total), "not saved, in this server's memory"),
        )
        for run in open_portfolios.unsaved(owner)
    ]
    if not entries and not unsaved:
        return
    st.html(tag("section", tag("h2", "Your portfolios"), class_="pa"))
    for entry in (*unsaved, *entries):
        with st.container(horizontal=True, vertical_alignment="center", key=f"history-row-{entry.id}"):
            st.html(entry.html(), width="stretch")
            st.button("Show", key=f"portfolio-open:{entry.id}", on_click=reopen, args=(entry.id,))


def reopen(id: str) -> None:
    """Shows a portfolio on its page; if that cannot be, the page says so."""
    try:
        run = open_portfolios.find(id, access.owner(), shared_store)
    except AnalyzerError as error:
        session().portfolio = PortfolioState(error=error)
        return
    present(run)


def present(run: PortfolioRun | None) -> None:
    """Makes this the portfolio of the visit."""
    filters.clear()
    gone = "" if run is not None else "This portfolio was deleted."
    session().portfolio = PortfolioState(run, lost=gone)


def _read(finished: int, total: int | None) -> str:
    if total is None or finished >= total:
        return f"{finished:,} pitches"
    return f"{finished:,} of {total:,} pitches read"
