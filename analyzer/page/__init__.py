"""The page in the browser. Each page is a module with a `show()`: inputs, one call, the result; no rules."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from threading import Thread

import streamlit as st

from analyzer.page import access, analyze, compare, framework, history, manual_scoring, market, portfolio
from analyzer.page.session import session
from analyzer.views.palette import page_css

_STYLE = Path(__file__).with_name("style.css")
_NAMES = Path(__file__).with_name("names.js").read_text(encoding="utf-8")


def main() -> None:
    """Runs the page that the visitor opened. A new page is one more entry here."""
    st.set_page_config(page_title="Pitch Analyzer", layout="centered", initial_sidebar_state="collapsed")
    st.html(f"<style>{page_css()}\n{_STYLE.read_text(encoding='utf-8')}</style>")
    access.require_login()
    _warm_up()
    pages = [
        st.Page(analyze.show, title="Analyze a pitch", url_path="analyze", default=True),
        st.Page(portfolio.show, title="Portfolio", url_path="portfolio"),
        st.Page(history.show, title="History", url_path="history"),
        st.Page(compare.show, title="Compare", url_path="compare"),
        st.Page(manual_scoring.show, title="Manual scoring", url_path="score"),
        st.Page(framework.show, title="The framework", url_path="framework"),
        st.Page(market.show, title="The market map", url_path="market"),
    ]
    opened = st.navigation(pages, position="top")
    if session().go_to_analyze:
        session().go_to_analyze = False
        st.switch_page(pages[0])
    if session().go_to_portfolio:
        session().go_to_portfolio = False
        st.switch_page(pages[1])
    opened.run()
    access.show_logout()
    _name_buttons()


def _name_buttons() -> None:
    """Gives Streamlit's own buttons names that visitors understand."""
    with st.container(key="names"):
        st.components.v2.component("pitch_analyzer_names", html="<span></span>", js=_NAMES)(key="button-names")


@st.cache_resource(show_spinner=False)
def _warm_up() -> None:
    """Loads, once a server, what takes a second and every pitch needs, while the first visitor still reads."""
    Thread(target=import_module, args=("analyzer.reading.conversation",), daemon=True).start()
