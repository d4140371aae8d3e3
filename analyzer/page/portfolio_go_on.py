"""Going on with a portfolio that was stopped or interrupted: what is left, what it may cost, a key if one is missing.

Keys are written down nowhere, so a portfolio that waited for a day asks for one again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import streamlit as st

from analyzer.errors import AnalyzerError, ConfigurationError
from analyzer.page import portfolio_run
from analyzer.page.portfolio_run import PortfolioRun
from analyzer.page.portfolio_work import PortfolioWork
from analyzer.page.session import session
from analyzer.settings import Settings, asks_a_server
from analyzer.views.bulk import money
from analyzer.views.html import tag

_KEY: Final = "portfolio_key"


def show(run: PortfolioRun) -> None:
    """Draws a button to go on, where there is something left to read."""
    work = run.work
    if not work.waiting or work.deleted:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="portfolio-continue"):
        if _lacks_a_key(work.options.model):
            st.text_input(
                f"Key for {work.options.model.partition('/')[0]}",
                type="password",
                key=_KEY,
                help="For this start only: keys are never saved.",
            )
        st.button(f"Go on: read {len(work.waiting):,} more", type="primary", on_click=_go_on, args=(run,))
        st.html(tag("p", _outlook(work), class_="pa lead"), width="content")


def _outlook(work: PortfolioWork) -> str:
    """Who reads, and what that may cost."""
    model, progress = work.options.model, work.progress
    if not asks_a_server(model):
        return f"Read by {model}; costs nothing."
    asked = progress.finished - progress.from_store
    if progress.usage.cost_usd is None or not asked:
        return f"Read by {model}, which is paid."
    return f"Read by {model}; about {money(progress.usage.cost_usd / asked * len(work.waiting))}."


def _lacks_a_key(model: str) -> bool:
    if not asks_a_server(model):
        return False
    from analyzer.reading.clients import key_for  # loads the model SDK

    try:
        key_for(model, Settings.from_environment())
    except ConfigurationError:
        return True
    return False


def _go_on(run: PortfolioRun) -> None:
    state = session().portfolio
    state.error = None
    key = str(st.session_state.pop(_KEY, "") or "").strip()
    try:
        settings = Settings.from_environment()
        portfolio_run.go_on(run, replace(settings, openai_api_key=key) if key else settings)
    except AnalyzerError as error:
        state.error = error
