"""Going on with a portfolio that was stopped or interrupted: what is left, what it may cost, a key if one is missing.

Keys are written down nowhere, so a portfolio that waited for a day asks for one again. A server of the visitor's own is
written down by its address: without it the pitches would go to somebody else.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import streamlit as st

from analyzer.errors import AnalyzerError, ConfigurationError
from analyzer.page import access, connect, portfolio_run
from analyzer.page.connect import Connection
from analyzer.page.portfolio_run import PortfolioRun
from analyzer.page.portfolio_work import PortfolioWork, RunChoices, without_credentials
from analyzer.page.session import session
from analyzer.settings import Settings, asks_a_server
from analyzer.views.bulk import money
from analyzer.views.html import literal, tag

_KEY: Final = "portfolio_key"
_VERIFIER_KEY: Final = "portfolio_verifier_key"


def show(run: PortfolioRun) -> None:
    """Draws a button to go on, where there is something left to read."""
    work = run.work
    if not work.waiting or work.deleted:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="portfolio-continue"):
        _key_fields(work.options)
        st.button(f"Go on: read {len(work.waiting):,} more", type="primary", on_click=_go_on, args=(run,))
        st.html(tag("p", _outlook(work), class_="pa lead"), width="content")


def _key_fields(options: RunChoices) -> None:
    """Fields for the keys that are missing: of the model that reads, and of another that takes the second look."""
    model, verify = options.model, options.verify
    try:
        settings = _settings(options)
    except ConfigurationError:
        return  # the button says so
    other = connect.other_verifier(model, verify)
    lacking = connect.without_key(settings, model, other)
    asks_again = bool(options.server) and _connection(options) is not session().connection
    if model in lacking or asks_again:
        connect.key_field(model, _KEY, " (empty if it needs none)" if options.server else "", lasts=False)
    if other is not None and other in lacking:
        connect.key_field(other, _VERIFIER_KEY, f", for the second look by {literal(other)}", lasts=False)


def _connection(options: RunChoices, key: str = "") -> Connection | None:
    """The connection to the model: with this key, else the one of this visit, if it leads to the same server."""
    current = session().connection
    fits = current is not None and (current.model, without_credentials(current.url)) == (options.model, options.server)
    if key or (options.server and not fits):
        return Connection(options.model, key, options.server)
    return current if fits else None


def _settings(options: RunChoices, key: str = "", verifier_key: str = "") -> Settings:
    """How the model is asked. Raises ConfigurationError."""
    if options.server and not access.may_reach_local():
        raise ConfigurationError("a server of your own can only be asked by those who may reach this machine's network")
    return connect.settings_with(_connection(options, key), options.model, options.verify, verifier_key)


def _outlook(work: PortfolioWork) -> str:
    """Who reads, and what that may cost."""
    options, progress = work.options, work.progress
    if not asks_a_server(options.model):
        return f"Read by {options.model}; costs nothing."
    reader = f"{options.model} at {urlsplit(options.server).netloc}" if options.server else options.model
    asked = progress.finished - progress.from_store
    if progress.usage.cost_usd is None or not asked:
        return f"Read by {reader}, which is paid." if not options.server else f"Read by {reader}."
    return f"Read by {reader}; about {money(progress.usage.cost_usd / asked * len(work.waiting))}."


def _go_on(run: PortfolioRun) -> None:
    state, options = session().portfolio, run.work.options
    state.error = None
    key, verifier_key = (str(st.session_state.pop(name, "") or "").strip() for name in (_KEY, _VERIFIER_KEY))
    try:
        settings = _settings(options, key, verifier_key)
        connect.check_keys(settings, options.model, options.verify)
        portfolio_run.go_on(run, settings)
    except AnalyzerError as error:
        state.error = error
