"""History: saved assessments and portfolios of this owner, to search, open without asking a model, and delete.

An assessment is saved after it is shown: if the store fails, a warning says so and the assessment stays on the page.
`access.owner` says whose History it is, and where there is none. Nothing here reads anybody else's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Final

import streamlit as st
from pydantic import ValidationError

from analyzer.errors import AnalyzerError, SignalsError
from analyzer.framework.assessment import Assessment
from analyzer.page import access, analysis, open_portfolios, pitch_field, portfolio_list
from analyzer.page.analysis import Analysis
from analyzer.page.assessment import verdict_word
from analyzer.page.portfolio_list import ListedPortfolio
from analyzer.page.session import HISTORY_STEP, HistoryState, PendingDeletion, SaveAttempt, session
from analyzer.page.store import shared_store
from analyzer.page.words import on_the_page, show_error
from analyzer.results.documents import DocumentEntry, score_entry
from analyzer.store.history import SavedAssessment
from analyzer.views.html import Html, literal, tag
from analyzer.views.numbers import shown
from analyzer.views.times import moment

_MOST_OTHERS: Final = 100
"""Saved assessments that the chart can show next to the current one."""
_SEARCH: Final = "history_search"
_SELECT: Final = "history-pick:"
_SELECT_PORTFOLIO: Final = "history-pick-portfolio:"
_SAVE: Final = "keep"
_INTRODUCTION: Final = (
    "The pitches and portfolios you analyzed on this page, newest first. Opening one asks no model: the current "
    "rulebook scores the saved signals again."
)
_NOTHING_SAVED: Final = (
    "Nothing is saved here. Others can reach this server and nobody logs in, so it cannot tell whose an assessment is. "
    "Download what you want to keep. docs/page.md says how to set up login."
)


def show() -> None:
    """The page."""
    st.title("History")
    owner = access.owner()
    if owner is None:
        st.html(tag("p", _NOTHING_SAVED, class_="pa note", role="note"))
        return
    st.html(tag("p", _INTRODUCTION, class_="pa intro"))
    state = session().history
    _show_outcome(state)
    search = st.text_input(
        "Search", key=_SEARCH, placeholder="Words of the title or the pitch", persist_state="session"
    )
    limit = state.limit
    try:
        found = shared_store().history.search(owner, search, limit + 1)
        portfolios = portfolio_list.saved(shared_store().portfolios.search(owner, search, limit + 1))
    except AnalyzerError as error:
        show_error("History cannot be read", error)
        return
    if not found and not portfolios:
        st.html(tag("p", _nothing_found(search), class_="pa note"))
        return
    _delete(owner, found[:limit], portfolios[:limit])
    if portfolios:
        st.html(tag("section", tag("h2", "Portfolios"), class_="pa"))
    for portfolio in portfolios[:limit]:
        _portfolio_row(portfolio)
    if portfolios and found:
        st.html(tag("section", tag("h2", "Single pitches"), class_="pa"))
    for entry in found[:limit]:
        _row(entry)
    if max(len(found), len(portfolios)) > limit:
        st.button("Show more", on_click=_more)


def _nothing_found(search: str) -> str:
    if search.strip():
        return "No saved assessment contains these words, and no portfolio has them in its name."
    return "Nothing is saved yet. What you analyze appears here while Save in History is on."


def _more() -> None:
    session().history.limit += HISTORY_STEP


def _show_outcome(state: HistoryState) -> None:
    """Says, once, what came of the last click."""
    if state.error is not None:
        st.error(literal(on_the_page(state.error)))
    if state.message:
        st.success(state.message)
    state.error, state.message = None, ""


# ---------------------------------------------------------------- rows


def _row(entry: SavedAssessment) -> None:
    _listed(entry.id, entry.title, _SELECT, _summary(entry), _open)


def _portfolio_row(entry: ListedPortfolio) -> None:
    _listed(entry.id, entry.name, _SELECT_PORTFOLIO, entry.html(), _open_portfolio)


def _listed(id: str, title: str, select: str, shown: Html, show: Callable[[str], None]) -> None:
    """One row: a box to select it, what it is, and a button that shows it."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"history-row-{id}"):
        st.checkbox(
            literal(f"Select {_short(title)}"),
            key=select + id,
            label_visibility="collapsed",
            width="content",
            persist_state="session",
        )
        st.html(shown, width="stretch")
        st.button("Show", key=f"history-open:{id}", on_click=show, args=(id,))


def _open_portfolio(id: str) -> None:
    portfolio_list.reopen(id)
    session().go_to_portfolio = True


def _summary(entry: SavedAssessment) -> Html:
    parts = [_when(entry.saved_at), entry.model]
    try:
        found = Assessment.model_validate_json(entry.document)
    except ValidationError:
        verdict = tag("span", "from an older version", class_="lead")
    else:
        word, tone = verdict_word(found)
        verdict = tag("span", word, class_=f"verdict-word {tone}")
        if found.scores is not None:
            parts.insert(0, f"{shown(found.scores.overall)} of 100")
    title = tag("strong", entry.title, class_="alien")
    about = tag("p", *_dotted([verdict, *(tag("span", part, class_="alien") for part in parts)]), class_="about")
    return tag("div", tag("p", title), about, class_="pa kept")


def _dotted(parts: Sequence[Html]) -> list[str]:
    dotted: list[str] = []
    for part in parts:
        dotted += [" \N{MIDDLE DOT} ", part] if dotted else [part]
    return dotted


def _short(title: str) -> str:
    return title if len(title) <= 60 else f"{title[:60]}…"


def _when(saved_at: str) -> str:
    """Date and time on the visitor's clock."""
    return moment(saved_at, st.context.timezone)


# ---------------------------------------------------------------- open


def _open(id: str) -> None:
    """Shows a saved assessment on the page for one pitch."""
    try:
        reopen(id, {})
    except AnalyzerError as error:
        session().history.error = error
        return
    session().go_to_analyze = True


def reopen(id: str, changes: Mapping[str, str]) -> None:
    """Shows a saved assessment as this session's analysis, scored by the current rulebook; no model is asked.

    Raises ConfigurationError; SignalsError if the visitor has none with this id or it cannot be read any more;
    InputError while a pitch is being read.
    """
    owner = access.owner()
    entry = None if owner is None else shared_store().history.find(owner, id)
    if entry is None:
        raise SignalsError("this assessment is not in your History; it was deleted or belongs to somebody else")
    scored = score_entry(DocumentEntry(f"the assessment of {_when(entry.saved_at)}", json.loads(entry.document)))
    if scored.assessment is None:
        raise scored.error or SignalsError("this assessment cannot be read any more")
    note = f"From your History: read on {_when(entry.saved_at)} by {entry.model}. No model was asked again."
    reopened = analysis.reopen(entry.text, scored.assessment, note, changes)
    pitch_field.put(entry.text)
    session().saved = SaveAttempt(reopened, entry.id)


# ---------------------------------------------------------------- delete


def _delete(owner: str, shown_: Sequence[SavedAssessment], portfolios: Sequence[ListedPortfolio]) -> None:
    """Buttons to delete the selected assessments and portfolios or all, after a confirmation."""
    pitches = {entry.id: entry.pitch_sha256 for entry in shown_ if st.session_state.get(_SELECT + entry.id)}
    chosen = tuple(entry.id for entry in portfolios if st.session_state.get(_SELECT_PORTFOLIO + entry.id))
    selected = len(pitches) + len(chosen)
    with st.container(horizontal=True, vertical_alignment="center", key="history-tools"):
        label = f"Delete {selected} selected" if selected else "Delete selected"
        st.button(label, disabled=not selected, on_click=_ask, args=(pitches, chosen), key="history-delete")
        st.button("Delete all", on_click=_ask, args=(None, ()), type="tertiary")
    pending = session().history.pending
    if pending is None:
        return
    with st.container(border=True, key="history-confirm"):
        what = "your whole History" if pending.pitches is None else _counted(pending.pitches, pending.portfolios)
        st.html(
            tag(
                "p",
                tag("strong", f"Delete {what} for good?"),
                " This also deletes the stored model answers about the same pitches, unless somebody else saved "
                "the same pitch. It cannot be undone.",
                class_="pa",
                role="alert",
            )
        )
        with st.container(horizontal=True):
            st.button("Delete for good", type="primary", on_click=_forget, args=(owner, pending))
            st.button("Cancel", on_click=_cancel_deletion)


def _counted(assessments: Sized, portfolios: Sized) -> str:
    return _numbers(len(assessments), len(portfolios))


def _numbers(assessments: int, portfolios: int) -> str:
    counts = ((assessments, "assessment"), (portfolios, "portfolio"))
    parts = [f"one {what}" if number == 1 else f"{number} {what}s" for number, what in counts if number]
    return " and ".join(parts) or "nothing"


def _ask(pitches: dict[str, str] | None, portfolios: tuple[str, ...]) -> None:
    session().history.pending = PendingDeletion(pitches, portfolios)


def _cancel_deletion() -> None:
    session().history.pending = None


def _forget(owner: str, deletion: PendingDeletion) -> None:
    """Deletes from the store and from this visit, so that no other page shows a deleted pitch."""
    visit = session()
    visit.history.pending = None
    pitches = deletion.pitches
    portfolios = None if pitches is None else deletion.portfolios
    open_portfolios.forget(owner, portfolios)
    try:
        number = shared_store().history.delete(owner, None if pitches is None else list(pitches))
        many = shared_store().portfolios.delete(owner, portfolios)
    except AnalyzerError as error:
        visit.history.error = error
        return
    analysis.forget(None if pitches is None else set(pitches.values()), owner)
    for sha256 in list(visit.assessments) if pitches is None else pitches.values():
        visit.assessments.pop(sha256, None)
    current = visit.analysis
    finished = current if current is not None and current.result.done() else None  # one under way is not saved yet
    if finished is not None and (pitches is None or finished.pitch.ref.sha256 in pitches.values()):
        visit.analysis = None
        pitch_field.drop(finished.pitch.text)
    deleted = _numbers(number, many)
    visit.history.message = f"Deleted {deleted} and the stored model answers about the same pitches."


# ---------------------------------------------------------------- save


def toggle() -> None:
    """Lets the visitor choose whether to save what they analyze, where it can be saved."""
    if access.owner() is None:
        return
    st.session_state.setdefault(_SAVE, True)
    st.toggle(
        "Save in History",
        key=_SAVE,
        persist_state="session",
        help="Saves pitches and their assessments in this server's store, for you only, until you delete them.",
    )


def set_saving(wanted: bool) -> None:
    """Sets the switch, before it is drawn, as it was on the tab that an analysis comes from."""
    st.session_state[_SAVE] = wanted


def wants_saving() -> bool:
    """Whether to save what is analyzed now."""
    return access.owner() is not None and bool(st.session_state.get(_SAVE, True))


def save(current: Analysis, assessment: Assessment) -> AnalyzerError | None:
    """Saves the assessment on the page, once, if the visitor wants it; the error if it cannot be saved."""
    owner = access.owner()
    if owner is None or not wants_saving():
        return None
    visit = session()
    if visit.saved is None or visit.saved.analysis is not current:
        visit.saved = _try_to_save(owner, current, assessment)
    return visit.saved.error


def _try_to_save(owner: str, current: Analysis, assessment: Assessment) -> SaveAttempt:
    if current.saved_as is not None:
        return SaveAttempt(current, current.saved_as)  # another tab with it was first
    try:
        id_ = current.saved_as = shared_store().history.save(
            owner=owner,
            title=assessment.pitch.title or assessment.signals.product or "Untitled pitch",
            pitch_sha256=current.pitch.ref.sha256 or "",
            model=assessment.provenance.reader.model or current.reader,
            text=current.pitch.text,
            document=assessment.to_json(indent=None),
        )
    except AnalyzerError as error:
        return SaveAttempt(current, error=error)
    return SaveAttempt(current, id_)


def saved_id(current: Analysis) -> str | None:
    """The id of this analysis in History; None if it is not saved."""
    attempt = session().saved
    return attempt.id if attempt is not None and attempt.analysis is current else None


def load_assessments() -> None:
    """Once a visit, after all else is drawn: the owner's latest assessments join those of this visit."""
    owner, visit = access.owner(), session()
    if owner is None or visit.history.loaded:
        return
    try:
        found = shared_store().history.search(owner, limit=_MOST_OTHERS)
    except AnalyzerError:
        visit.history.loaded = True
        return  # the page History says so, and a warning where something cannot be saved
    older: dict[str, Assessment] = {}
    for entry in reversed(found):
        try:
            older[entry.pitch_sha256] = Assessment.model_validate_json(entry.document)
        except ValidationError:
            continue
    visit.assessments = older | visit.assessments
    visit.history.loaded = True  # only now: a click may end this run while a slow store is asked
