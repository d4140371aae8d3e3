"""One pitch being analyzed for one visitor: started, waited for, cancelled, done.

Streamlit starts the page anew at every click and gives up the run under way. So the analysis goes on in the background
and the visitor's session keeps hold of it: a click meanwhile loses nothing, nothing is asked of a model twice, and a
cancelled request ends.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from threading import Event
from traceback import format_tb
from types import MappingProxyType
from typing import Final

import streamlit as st

from analyzer.errors import AnalyzerError, ConfigurationError, InputError
from analyzer.files.document import Document
from analyzer.framework.assessment import Assessment
from analyzer.page import connect, pitch_field
from analyzer.page.presence import Visitor, end_when_gone, visitor
from analyzer.page.session import session
from analyzer.page.shelf import Shelf
from analyzer.page.words import on_the_page
from analyzer.reading.pitch import Pitch
from analyzer.reading.readers import Choice, choose
from analyzer.results.result import as_analyzer_error
from analyzer.runs.one import start
from analyzer.settings import SAME, Settings
from analyzer.views.html import literal, tag
from analyzer.views.times import duration

_BRIEF_WAIT: Final = 0.4
"""Seconds that an analysis may take before the page shows progress."""
_INTERVAL: Final = 1.0
"""Seconds between two checks of a running analysis."""
_ROOM: Final = 200
"""Analyses that this server's memory holds for their addresses."""
_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Analysis:
    """An analysis of one pitch, running or done, on one tab or more. `reader`: the model that the visitor or
    PITCH_MODEL names ("" = the page's choice); `note`: why that reader was chosen; `changes`: signals to edit once they
    are there; `save`: whether it is for History, `saved_as`: its id there."""

    pitch: Pitch
    reader: str
    note: str | None
    result: Future[Assessment]
    timeout: float
    changes: Mapping[str, str]
    started: float = field(default_factory=time.monotonic)
    choice: Choice | None = None
    """Who reads, until it is done: a reader holds a key."""
    notices: Sequence[str] = ()
    save: bool = True
    saved_as: str | None = None
    watchers: set[Visitor] = field(default_factory=set)

    @property
    def notes(self) -> str | None:
        """Why that reader was chosen, and how its model is asked if that is not the usual way; None if nothing is to
        be said."""
        choice = self.choice
        notices = self.notices if choice is None else choice.notices
        return on_the_page(" ".join(filter(None, [self.note, *notices]))) or None

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def watched(self) -> bool:
        """Whether somebody who shows it is connected."""
        return any(watcher() for watcher in list(self.watchers))

    def leave(self) -> None:
        """This visit shows it no more; a reading that no other one shows ends."""
        self.watchers.discard(visitor())
        if not self.watched():
            self.result.cancel()


def begin(
    text: str | Document,
    model: str | None,
    changes: Mapping[str, str],
    *,
    store: bool = False,
    verify: bool = False,
    readings: int | None = None,
) -> None:
    """Starts an analysis in this session; with `store`, the model's answer is looked up in the store and saved there.
    `verify`: with a second look, by the model that PITCH_VERIFY names or by the one that reads. `readings`: how often a
    model reads the pitch; None = PITCH_READINGS.

    The previous outcome is dropped, so that nobody takes it for the new one, and an analysis still running that no
    other tab shows is cancelled, so that nobody pays for it. If it cannot start, the session keeps the error.
    """
    visit = session()
    if visit.analysis is not None:
        visit.analysis.leave()
    visit.analysis = visit.error = visit.cancelled_after = None
    try:
        settings = connect.settings_for(model, verifier() if verify else None)
        settings = replace(settings, readings=readings or settings.readings)
        pitch = Pitch.of(text)
        choice = choose(pitch, model, settings, settings.store_url() if store else None)
    except AnalyzerError as error:
        visit.error = error
        return
    visit.analysis = start_analysis(pitch, choice, model, settings, changes)


def verifier() -> str:
    """Who takes a second look: the model that PITCH_VERIFY names, or the one that reads."""
    try:
        return Settings.from_environment().verify or SAME
    except ConfigurationError:
        return SAME  # what starts a reading says so


def start_analysis(
    pitch: Pitch,
    choice: Choice,
    model: str | None,
    settings: Settings,
    changes: Mapping[str, str] = MappingProxyType({}),
) -> Analysis:
    """Starts an analysis, which ends when it is done, cancelled, or everybody who shows it is gone."""
    result = start(pitch, choice.reader)
    reader = model or settings.model or ""
    started = Analysis(pitch, reader, choice.note, result, settings.timeout, changes, choice=choice)
    started.watchers.add(visitor())
    finished = Event()

    def finish(_: Future[Assessment]) -> None:
        started.notices, started.choice = choice.notices, None
        finished.set()

    result.add_done_callback(finish)
    end_when_gone(finished, started.watched, result.cancel)
    return started


def reopen(text: str, assessment: Assessment, note: str, changes: Mapping[str, str]) -> Analysis:
    """Shows an existing assessment as this session's analysis; no model is asked. `text`: as it was read.

    Raises InputError while another analysis runs, so that nobody loses an answer they pay for.
    """
    _check_nothing_else_is_read()
    visit = session()
    result: Future[Assessment] = Future()
    result.set_result(assessment)
    pitch = Pitch(text, assessment.pitch, planted=(), warnings=())
    visit.analysis = Analysis(pitch, assessment.provenance.reader.model or "", note, result, 0.0, changes)
    visit.error = None
    return visit.analysis


def _check_nothing_else_is_read(but: Analysis | None = None) -> None:
    """Raises InputError while another analysis of this visit runs."""
    current = session().analysis
    if current is not None and current is not but and not current.result.done():
        name = current.pitch.ref.title or "a pitch"
        raise InputError(f"a model is still reading {name}; wait for its answer or cancel it under Analyze a pitch")


@st.cache_resource(show_spinner=False)
def _shelf() -> Shelf[Analysis]:
    return Shelf(_ROOM)


def hold(current: Analysis, owner: str | None) -> str:
    """Holds an analysis in this server's memory, once; the id for its address."""
    visit = session()
    if visit.held is None or visit.held[0] is not current:
        visit.held = current, _shelf().put(current, owner)
    return visit.held[1]


def held(id_: str, owner: str | None) -> Analysis:
    """The analysis with this id in this server's memory. Raises InputError if it is not there any more."""
    found = _shelf().get(id_, owner)
    if found is None:
        raise InputError("what this address led to is not in the server's memory any more; analyze the pitch again")
    return found


def take(id_: str, owner: str | None, changes: Mapping[str, str]) -> Analysis:
    """Shows an analysis from this server's memory, its text in the field: what came of it, or the reading that goes on.
    Raises InputError if it is not there any more, or another pitch is being read."""
    found, visit = held(id_, owner), session()
    _check_nothing_else_is_read(found)
    found.watchers.add(visitor())
    found.changes = changes
    visit.analysis, visit.error, visit.held = found, None, (found, id_)
    pitch_field.put(found.pitch.text)
    return found


def forget(pitches: Collection[str] | None, owner: str | None) -> None:
    """Removes this owner's finished analyses from this server's memory: of the pitches with these SHA-256, or all."""

    def gone(found: Analysis) -> bool:
        return found.result.done() and (pitches is None or found.pitch.ref.sha256 in pitches)

    _shelf().remove(gone, owner)


def is_done(analysis: Analysis) -> bool:
    """Whether there is an outcome, after the brief wait in which most analyses without a model finish."""
    return not wait([analysis.result], _BRIEF_WAIT).not_done


def outcome(analysis: Analysis) -> Assessment | AnalyzerError | None:
    """The outcome of a finished analysis: an assessment, an error, or None if it was cancelled."""
    if analysis.result.cancelled():
        return None
    try:
        return analysis.result.result()
    except AnalyzerError as error:
        return error
    except Exception as error:  # noqa: BLE001  # a bug: one line for the visitor, the rest for who runs the page
        where = "".join(format_tb(error.__traceback__))  # without its message, which may quote the pitch
        _log.error("%s while reading a pitch\n%s", type(error).__name__, where)
        return as_analyzer_error(error, "while reading this pitch")


@st.fragment(run_every=_INTERVAL)
def show_progress(analysis: Analysis) -> None:
    """Shows what is happening and for how long, with a button to cancel."""
    if analysis.result.done():
        st.rerun()
    words = len(analysis.pitch.text.split())
    reader = literal(analysis.reader) if analysis.reader else "The reader"
    with st.container(border=True):
        st.markdown(f"{reader} is reading the pitch ({words:,} words): **{duration(round(analysis.seconds))}**")
        st.html(
            tag(
                "p",
                "Next, every quote is checked against the pitch and the rulebook scores the signals. "
                f"The page waits up to {duration(analysis.timeout)}. You can use other pages meanwhile.",
                class_="pa lead",
            )
        )
        st.button("Cancel", on_click=_cancel, args=(analysis,))


def _cancel(analysis: Analysis) -> None:
    analysis.result.cancel()
    session().cancelled_after = analysis.seconds
