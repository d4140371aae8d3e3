"""The page for many pitches: read them or open results, then see the chart, the ranking and each pitch in full.

The work goes on in the background (`page.portfolio_run`); this page shows its progress and its results. Every state
has an address: the portfolio, the pitch that is open, filters, order and page. Filters, pages and the look at one pitch
draw only the lower part anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from analyzer.errors import AnalyzerError
from analyzer.page import access, downloads, link, open_portfolios, portfolio_go_on, portfolio_input, portfolio_list
from analyzer.page import portfolio_filters as filters
from analyzer.page.clicks import clickable
from analyzer.page.portfolio_export import export
from analyzer.page.portfolio_one import show_one
from analyzer.page.portfolio_ranking import show_ranking
from analyzer.page.portfolio_run import PortfolioRun
from analyzer.page.portfolio_work import PortfolioWork
from analyzer.page.presence import visitor
from analyzer.page.session import PortfolioState, session
from analyzer.page.store import shared_store
from analyzer.page.words import on_the_page, show_error
from analyzer.results.result import Result
from analyzer.views.bulk import progress_line
from analyzer.views.html import Html, tag, together

_MOST_LISTED: Final = 200
"""Pitches out of scope, or not read, that are listed; all are in the files."""
_INTERVAL: Final = 1.0
"""Seconds between two checks of a run."""
_LOST: Final = (
    "There is no portfolio at this address that you can see. It was deleted, it belongs to somebody else, or it was "
    "only in the memory of a server that has ended."
)
_GOES_ON: Final = "portfolio_goes_on"
_PART: Final = "portfolio_part"
_OUTSIDE: Final = "portfolio_outside"
_SHOWN, _EVERYTHING = "Shown", "All"
_KINDS: Final = (
    ("Portfolio (HTML)", ".html", "text/html"),
    ("JSON Lines", ".jsonl", "application/jsonl"),
    ("CSV", ".csv", "text/csv"),
    ("Parquet", ".parquet", "application/vnd.apache.parquet"),
)


def show() -> None:
    """The page."""
    st.title("Portfolio")
    arrived = link.arrival("portfolio")
    if arrived is not None:
        _follow(arrived)
    state = session().portfolio
    if state.run is not None and state.run.work.deleted:
        session().portfolio = state = PortfolioState(lost=_LOST)
    run = state.run
    if state.lost:
        st.warning(state.lost)
    if run is None:
        portfolio_input.show(None)
        _show_error(state)
        portfolio_list.show_recent()
        link.show({})
        return
    run.watch(visitor())
    st.set_page_config(page_title=f"{run.work.name}: Portfolio")
    if not run.work.done.is_set():
        _show_progress(run)
    else:
        portfolio_input.show(run.work)
        _show_error(state)
        if state.error is not None:
            text = tag("span", f"The results below are still those of: {run.work.name}", class_="alien")
            st.html(tag("p", text, class_="pa note", role="note"))
        if state.arrived:
            filters.follow(state.arrived, run.work)
            state.arrived = {}
        _show_results(run)
    link.show(_address(state))


def _show_error(state: PortfolioState) -> None:
    if state.error is not None:
        show_error("Not started", state.error)


# ---------------------------------------------------------------- addresses


def _follow(address: Mapping[str, str]) -> None:
    """Comes to the place that the address names."""
    before, visit = session().portfolio.run, session()
    id_ = address.get("run", "")
    if not id_:
        visit.portfolio = PortfolioState()
        return
    state = PortfolioState(before) if before is not None and before.work.id == id_ else PortfolioState(_found(id_))
    if state.run is None:
        state.lost = _LOST
    else:
        number = address.get("pitch", "")
        state.opened = int(number) - 1 if number.isascii() and number.isdigit() else None
        page = address.get("page", "")
        state.page = int(page) - 1 if page.isascii() and page.isdigit() else 0
        state.arrived = {"run": id_, **address}
    visit.portfolio = state


def _found(id_: str) -> PortfolioRun | None:
    try:
        return open_portfolios.find(id_, access.owner(), shared_store)
    except AnalyzerError:
        return None  # a store that cannot be read: History says so


def _address(state: PortfolioState) -> dict[str, str | None]:
    """The address of what is shown."""
    if state.run is None:
        return {}
    pitch = None if state.opened is None else str(state.opened + 1)
    page = str(state.page + 1) if state.page and pitch is None else None
    view = {} if state.arrived else filters.view().parameters()
    return {**(state.arrived or view), "run": state.run.work.id, "pitch": pitch, "page": page}


# ---------------------------------------------------------------- under way


@st.fragment(run_every=_INTERVAL)
def _show_progress(run: PortfolioRun) -> None:
    """Progress, and a button to stop."""
    work = run.work
    if work.done.is_set():
        st.rerun()
    progress = work.progress
    stopping = work.stop.is_set() and not work.loading
    with st.container(border=True, key="portfolio-progress"):
        doing = "Fetching" if work.loading else "Reading" if work.reads_pitches else "Opening"
        st.html(tag("p", tag("strong", f"{doing} "), tag("span", work.name, class_="alien"), class_="pa"))
        st.progress(min(1.0, progress.finished / progress.total) if progress.total else 0.0)
        line = progress_line(progress) if progress.finished and not work.loading else "Starting"
        notes = (
            []
            if work.loading
            else ["Stopping. Answers to requests already sent still arrive."]
            if stopping
            else [
                "You can use other pages meanwhile, or come back to this address.",
                _where(work),
            ]
        )
        lines = [tag("p", note, class_="lead") for note in notes]
        st.html(tag("div", tag("p", line, role="status"), *lines, class_="pa line"))
        if not work.loading:
            _goes_on(run)
            st.button("Stop", on_click=work.stop.set, disabled=stopping)


def _goes_on(run: PortfolioRun) -> None:
    """Whether the run goes on without its visitor."""
    if not run.work.reads_pitches:
        return
    run.work.goes_on = st.toggle(
        "Go on when this tab is closed",
        run.work.goes_on,
        key=f"{_GOES_ON}:{run.work.id}",
        help="Otherwise the run stops 15 seconds after the last tab with it is closed; it can be continued.",
    )


def _where(work: PortfolioWork) -> str:
    """Where the portfolio lives, and for how long."""
    if work.saved:
        return "Saved in your History as it goes." if not work.done.is_set() else _saved(work)
    if work.owner is not None:
        return "Not saved in History: it stays in this server's memory until an hour after you last look at it."
    return (
        "Not saved: it stays in this server's memory until an hour after you last look at it, and whoever has the "
        "address of this page can see it."
    )


def _saved(work: PortfolioWork) -> str:
    """What of a portfolio that is not worked on is in History."""
    return (
        "Saved in your History."
        if work.unsaved is None
        else "Saved in your History, but for what could not be saved (see above)."
    )


# ---------------------------------------------------------------- the results


@st.fragment
def _show_results(run: PortfolioRun) -> None:
    """The portfolio, or one pitch of it."""
    work, state = run.work, session().portfolio
    if not work.done.is_set() or work.deleted:
        st.rerun()  # it goes on, or was deleted on another tab
    opened = None if state.opened is None else work.item(state.opened)
    if opened is not None and opened.compressed_assessment is not None:
        show_one(run, opened)
        link.show(_address(state))
        return
    state.opened = None
    st.html(_head(work))
    portfolio_go_on.show(run)
    if work.items:
        place = st.empty()
        shown = show_ranking(run) if work.ranked else []
        with place.container(key="tools"):
            _files(work, shown)
        _out_of_scope(work)
        failed = _not_read(work)
        if failed:
            st.html(failed)
    link.show(_address(state))


def _head(work: PortfolioWork) -> Html:
    """How many were read and how many not, with the warnings first."""
    progress = work.progress
    parts = [f"{len(work.ranked):,} in scope"]
    outside, failed = len(work.portfolio.out_of_scope), sum(progress.failed.values())
    parts += [f"{outside:,} out of scope"] if outside else []
    parts += [f"{failed:,} not read"] if failed else []
    lines = [tag("h2", work.name, class_="large alien"), tag("p", f"{', '.join(parts)}.")]
    if work.reads_pitches and progress.finished:
        lines.append(tag("p", progress_line(progress, under_way=False), class_="lead"))
    lines.append(tag("p", _where(work), class_="lead"))
    section = tag("section", *lines, class_="pa head")
    cautions = _cautions(work)
    if not cautions:
        return section
    warnings = tag("ul", *(tag("li", tag("span", caution, class_="alien")) for caution in cautions))
    return together(
        tag("section", tag("h2", "Before you read on"), warnings, class_="pa cautions", role="note"), section
    )


def _cautions(work: PortfolioWork) -> list[str]:
    progress, cautions = work.progress, []
    if work.portfolio.rough:
        cautions.append("Read by cue phrases, without a model: it misses much and misreads some words.")
    left = (progress.total or 0) - progress.finished
    if work.unsaved is not None:
        cautions.append(f"Not all of this is saved: {on_the_page(work.unsaved)}")
    if work.ended is not None:
        cautions.append(f"Ended early: {on_the_page(work.ended)}")
    elif left > 0:
        how = "Stopped" if work.stop.is_set() else "Interrupted"
        cautions.append(f"{how}: {left:,} of {progress.total:,} pitches were not read.")
    return cautions


def _files(work: PortfolioWork, shown: Sequence[int]) -> None:
    """Downloads of what is shown, or of everything."""
    places = None
    if filters.view().narrows and shown:
        labels = {_SHOWN: f"The {len(shown):,} shown", _EVERYTHING: f"All {len(work.items):,}"}
        part = st.segmented_control(
            "What to download",
            list(labels),
            default=_SHOWN,
            required=True,
            format_func=labels.__getitem__,
            key=_PART,
            label_visibility="collapsed",
            persist_state="session",
        )
        places = None if part == _EVERYTHING else list(shown)
    what = "portfolio" if places is None else "portfolio-filtered"
    downloads.files(
        [
            (label, work.file_name(f"{what}{ending}"), kind, lambda ending=ending: export(work, ending, places))  # type: ignore[misc]
            for label, ending, kind in _KINDS
        ]
    )


def _out_of_scope(work: PortfolioWork) -> None:
    """The pitches that the framework does not score; each opens in full."""
    outside = [item for item in work.items if work.is_out_of_scope(item)]
    if not outside:
        return
    note = "Not products for people who build, run or improve machine learning, so the framework does not score them."
    rows = [
        tag(
            "li",
            tag(
                "button",
                item.result.title or item.result.id,
                type="button",
                class_="alien",
                data_pick=str(item.result.number),
                data_top="",
            ),
        )
        for item in outside[:_MOST_LISTED]
    ]
    clickable(_listed(f"Out of scope ({len(outside):,})", note, rows, len(outside)), _OUTSIDE, _open)


def _listed(heading: str, note: str, rows: Sequence[Html], count: int) -> Html:
    more = [tag("p", f"and {count - len(rows):,} more.", class_="lead")] if count > len(rows) else []
    opened = {"open": ""} if count <= 10 else {}
    lead = tag("p", note, class_="lead")
    return tag("details", tag("summary", heading), lead, tag("ul", *rows), *more, class_="pa listed", **opened)


def _open(number: str) -> None:
    session().portfolio.opened = int(number)


def _not_read(work: PortfolioWork) -> Html:
    failed = [item.result for item in work.items if item.result.error is not None]
    if not failed:
        return Html()
    rows = [
        tag("li", tag("strong", result.id, class_="alien"), ": ", tag("span", _reason(result), class_="alien"))
        for result in failed[:_MOST_LISTED]
    ]
    note = "The downloads list all of them with the reason."
    return _listed(f"Not read ({len(failed):,})", note, rows, len(failed))


def _reason(result: Result) -> str:
    return on_the_page(result.error).removeprefix(f"{result.id}: ")
