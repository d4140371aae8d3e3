"""The page for many pitches: read them or open results, then see the chart, the ranking and each pitch in full.

The work goes on in the background (`page.portfolio_run`); this page shows its progress and its results. Filters, pages
and the look at one pitch draw only the lower part anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import streamlit as st

from analyzer.errors import AnalyzerError
from analyzer.framework.assessment import Assessment, Position, Range
from analyzer.framework.rulebook import Rulebook
from analyzer.page import analysis, desk, downloads, pitch_field, portfolio_input
from analyzer.page import assessment as parts
from analyzer.page.portfolio_ranking import PAGE_SIZE, show_ranking
from analyzer.page.portfolio_run import PortfolioWork, export
from analyzer.page.session import session
from analyzer.results.result import Result
from analyzer.views.bulk import progress_line
from analyzer.views.html import Html, literal, tag, together
from analyzer.views.quadrant import Other
from analyzer.views.ranking import ranks

_MOST_LISTED: Final = 200
"""Pitches out of scope, or not read, that are listed; all are in the files."""
_MOST_OTHERS: Final = 200
"""Pitches that the chart shows next to the opened one."""
_INTERVAL: Final = 1.0
"""Seconds between two checks of a run."""


def show() -> None:
    """The page."""
    st.title("Portfolio")
    state = session().portfolio
    work = state.run.work if state.run is not None else None
    if work is not None and not work.done.is_set():
        _show_progress(work)
        return
    portfolio_input.show(work)
    if state.error is not None:
        st.error(literal(f"Not started: {state.error}"))
    if work is not None:
        if state.error is not None:
            text = tag("span", f"The results below are still those of: {work.name}", class_="alien")
            st.html(tag("p", text, class_="pa note", role="note"))
        _show_results(work)


# ---------------------------------------------------------------- under way


@st.fragment(run_every=_INTERVAL)
def _show_progress(work: PortfolioWork) -> None:
    """Progress, and a button to stop."""
    if work.done.is_set():
        st.rerun()
    progress = work.progress
    stopping = work.stop.is_set()
    with st.container(border=True, key="portfolio-progress"):
        doing = "Reading" if work.reads_pitches else "Opening"
        st.html(tag("p", tag("strong", f"{doing} "), tag("span", work.name, class_="alien"), class_="pa"))
        st.progress(min(1.0, progress.finished / progress.total) if progress.total else 0.0)
        line = progress_line(progress) if progress.finished else "Starting"
        note = (
            "Stopping. Answers to requests already sent still arrive."
            if stopping
            else "You can use other pages meanwhile. Closing or reloading this tab stops the run."
        )
        st.html(tag("div", tag("p", line, role="status"), tag("p", note, class_="lead"), class_="pa line"))
        st.button("Stop", on_click=work.stop.set, disabled=stopping)


# ---------------------------------------------------------------- the results


@st.fragment
def _show_results(work: PortfolioWork) -> None:
    """The portfolio, or one pitch of it."""
    opened = session().portfolio.opened
    if opened is not None:
        _one(work, opened)
        return
    st.html(_head(work))
    if not work.items:
        return
    _files(work)
    if work.ranked:
        show_ranking(work)
    rest = together(_out_of_scope(work), _not_read(work))
    if rest:
        st.html(rest)


def _head(work: PortfolioWork) -> Html:
    """How many were read and how many not, with the warnings first."""
    progress = work.progress
    parts = [f"{len(work.ranked):,} in scope"]
    outside, failed = len(work.portfolio.out_of_scope), sum(progress.failed.values())
    parts += [f"{outside:,} out of scope"] if outside else []
    parts += [f"{failed:,} not read"] if failed else []
    lines = [tag("p", tag("strong", work.name, class_="alien"), ": ", ", ".join(parts), ".")]
    if work.reads_pitches and progress.finished:
        lines.append(tag("p", progress_line(progress), class_="lead"))
    cautions = []
    if work.portfolio.rough:
        cautions.append("Read by cue phrases, without a model: it misses much and misreads some words.")
    left = (progress.total or 0) - progress.finished
    if work.ended is not None:
        cautions.append(f"Ended early: {work.ended}")
    elif work.stop.is_set() and left > 0:
        cautions.append(f"Stopped: {left:,} of {progress.total:,} pitches were not started.")
    section = tag("section", *lines, class_="pa head")
    if not cautions:
        return section
    warnings = tag("ul", *(tag("li", tag("span", caution, class_="alien")) for caution in cautions))
    return together(
        tag("section", tag("h2", "Before you read on"), warnings, class_="pa cautions", role="note"), section
    )


def _files(work: PortfolioWork) -> None:
    kinds = (
        ("Portfolio (HTML)", ".html", "text/html"),
        ("JSON Lines", ".jsonl", "application/jsonl"),
        ("CSV", ".csv", "text/csv"),
        ("Parquet", ".parquet", "application/vnd.apache.parquet"),
    )
    with st.container(key="tools"):
        downloads.files(
            [
                (label, f"portfolio{ending}", kind, lambda ending=ending: export(work, ending))  # type: ignore[misc]
                for label, ending, kind in kinds
            ]
        )


def _out_of_scope(work: PortfolioWork) -> Html:
    titles = work.portfolio.out_of_scope
    if not titles:
        return Html()
    rows = [tag("li", title, class_="alien") for title in titles[:_MOST_LISTED]]
    note = "Not products for people who build, run or improve machine learning, so the framework does not score them."
    return _listed(f"Out of scope ({len(titles):,})", note, rows, len(titles))


def _not_read(work: PortfolioWork) -> Html:
    failed = [item.result for item in work.items if item.result.error is not None]
    if not failed:
        return Html()
    rows = [
        tag("li", tag("strong", result.id, class_="alien"), ": ", tag("span", _reason(result), class_="alien"))
        for result in failed[:_MOST_LISTED]
    ]
    return _listed(f"Not read ({len(failed):,})", "The downloads list all of them with the reason.", rows, len(failed))


def _reason(result: Result) -> str:
    return str(result.error).removeprefix(f"{result.id}: ")


def _listed(heading: str, note: str, rows: Sequence[Html], count: int) -> Html:
    more = [tag("p", f"and {count - len(rows):,} more.", class_="lead")] if count > len(rows) else []
    content = (tag("p", note, class_="lead"), tag("ul", *rows), *more)
    return tag(
        "details", tag("summary", heading), *content, class_="pa listed", **({"open": ""} if count <= 10 else {})
    )


# ---------------------------------------------------------------- one of them


def _one(work: PortfolioWork, number: int) -> None:
    """The full assessment of one pitch, with buttons to its neighbors and back."""
    _, found = work.ranked[number]
    assessment, text = work.full(found)
    chosen = session().portfolio.filtered or [number]
    failure: AnalyzerError | None = None
    with st.container(horizontal=True, vertical_alignment="center", key="portfolio-one"):
        st.button("Back to the portfolio", icon=":material/arrow_back:", on_click=_back, args=(number, chosen))
        at = chosen.index(number) if number in chosen else 0
        st.button("Previous", disabled=at == 0, on_click=_go, args=(chosen[at - 1],))
        st.button("Next", disabled=at + 1 >= len(chosen), on_click=_go, args=(chosen[(at + 1) % len(chosen)],))
        if text is not None and st.button("What if", help="Opens the page for one pitch; no model is asked again."):
            try:
                _to_analyze(text, assessment, f"From the portfolio {work.name}. No model was asked again.")
            except AnalyzerError as error:
                failure = error
            else:
                st.rerun()
        rank = f"Rank {found.rank:,} of {len(work.ranked):,}; {ranks(found)} in 90% of simulations"
        st.html(tag("p", rank, class_="pa lead"), width="content")
    if failure is not None:
        st.error(literal(f"Not opened: {failure}"))
    if text is None:
        _judged(work, number, chosen, parts.without_places(assessment), None)
        return
    with desk.next_to_pitch(text, assessment, f"{work.name} {number}"):
        _judged(work, number, chosen, assessment, text)


def _judged(work: PortfolioWork, number: int, chosen: Sequence[int], assessment: Assessment, text: str | None) -> None:
    for part in (
        parts.cautions(
            assessment, None if text is not None else "The file of results does not contain the text of the pitch."
        ),
        parts.headline(assessment),
        parts.glance(assessment, list(_others(work, chosen, number))),
    ):
        if part:
            st.html(part)
    with st.container(key="tools"):
        downloads.assessment(assessment, text)
    st.html(parts.details(assessment, Rulebook.built_in()))


def _to_analyze(text: str, assessment: Assessment, note: str) -> None:
    analysis.reopen(text, assessment, note, {})
    pitch_field.put(text)
    session().go_to_analyze = True


def _others(work: PortfolioWork, chosen: Sequence[int], own: int) -> Iterator[Other]:
    """The other pitches that pass the filter, for the chart."""
    for number in chosen[:_MOST_OTHERS]:
        entry, _ = work.ranked[number]
        if number != own:
            stage, focus = (Range(value=at, low=at, high=at) for at in (entry.stage, entry.focus))
            yield Other(entry.title, Position(stage=stage, focus=focus), entry.overall)


def _go(number: int) -> None:
    session().portfolio.opened = number


def _back(number: int, chosen: Sequence[int]) -> None:
    state = session().portfolio
    state.page = chosen.index(number) // PAGE_SIZE if number in chosen else 0
    state.opened, state.focus = None, number
