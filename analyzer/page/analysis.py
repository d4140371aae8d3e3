"""One pitch being read for one visitor: begun, waited for, cancelled, done.

Streamlit starts the page anew at every click and gives up the run under way. So the reading goes on in the background
and the visitor's session keeps hold of it: a click meanwhile loses nothing, nothing is asked of a model twice, and what
is cancelled is ended and not only forgotten. Sessions share nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from threading import Event
from traceback import format_tb
from types import MappingProxyType
from typing import Final

import streamlit as st

from analyzer.errors import AnalyzerError, InputError
from analyzer.framework.assessment import Assessment
from analyzer.page.presence import end_when_gone, visitor
from analyzer.reading.pitch import Pitch
from analyzer.results.result import as_analyzer_error
from analyzer.runs.many import Choice, choose, start
from analyzer.settings import Settings
from analyzer.views.html import literal, tag

_AT_ONCE: Final = 0.4
"""Seconds that a reading may take before the page says that one has to wait."""
_LOOK: Final = 1.0
"""Seconds between two looks at a reading under way."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """A pitch that is being read, or has been. `reader`: what was asked for, in words ("" = the page's choice); `note`:
    why it was chosen; `changes`: signals to be set by hand once they are there."""

    pitch: Pitch
    reader: str
    note: str | None
    result: Future[Assessment]
    timeout: float
    changes: Mapping[str, str]
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started


def current() -> Reading | None:
    """The visitor's reading, the last one begun."""
    found: Reading | None = st.session_state.get("reading")
    return found


def begin(text: str, model: str | None, changes: Mapping[str, str], *, store: bool = False) -> None:
    """Has the pitch read; with `store`, the model's answer is kept in this server's store, and found there.

    What was read before is dropped, so that nobody takes it for the answer, and a reading still under way is ended, so
    that nobody pays for it. What cannot even begin is kept as the session's fault.
    """
    before = current()
    if before is not None:
        before.result.cancel()
    st.session_state["reading"] = None
    st.session_state["fault"] = None
    try:
        settings = Settings.from_environment()
        pitch = Pitch.from_text(text)
        choice = choose(pitch, model, settings, settings.store_url() if store else None)
    except AnalyzerError as error:
        st.session_state["fault"] = error
        return
    st.session_state["reading"] = ask(pitch, choice, model, settings, changes)


def ask(
    pitch: Pitch,
    choice: Choice,
    model: str | None,
    settings: Settings,
    changes: Mapping[str, str] = MappingProxyType({}),
) -> Reading:
    """Begins a reading, which ends when it is done, cancelled, or the visitor is gone."""
    result = start(pitch, choice.reader)
    done = Event()
    result.add_done_callback(lambda _: done.set())
    end_when_gone(done, visitor(), result.cancel)
    return Reading(pitch, model or settings.model or "", choice.note, result, settings.timeout, changes)


def reopen(text: str, assessment: Assessment, note: str, changes: Mapping[str, str]) -> None:
    """Puts an assessment that is there already in the place of a reading; nothing is asked. `text`: as it was read.

    Raises InputError while a pitch is being read: what is paid for is not dropped unasked.
    """
    before = current()
    if before is not None and not before.result.done():
        name = before.pitch.ref.title or "a pitch"
        raise InputError(f"a model is still reading {name}; wait for its answer or cancel it under Analyze a pitch")
    found: Future[Assessment] = Future()
    found.set_result(assessment)
    pitch = Pitch(text, assessment.pitch, planted=(), warnings=())
    asked = assessment.provenance.reader.model or ""
    st.session_state["reading"] = Reading(pitch, asked, note, found, 0.0, changes)
    st.session_state["fault"] = None


def done(reading: Reading) -> bool:
    """Whether there is an outcome, having waited the moment that most readings without a model take."""
    return not wait([reading.result], _AT_ONCE).not_done


def outcome(reading: Reading) -> Assessment | AnalyzerError | None:
    """What came of a reading that is done: an assessment, what went wrong, or None if it was cancelled."""
    if reading.result.cancelled():
        return None
    try:
        return reading.result.result()
    except AnalyzerError as error:
        return error
    except Exception as error:  # noqa: BLE001  # a fault of this program: a line for the visitor, the rest for who runs the page
        where = "".join(format_tb(error.__traceback__))  # without its message, which may quote the pitch
        _log.error("%s while reading a pitch\n%s", type(error).__name__, where)
        return as_analyzer_error(error, "while reading this pitch")


@st.fragment(run_every=_LOOK)
def waiting(reading: Reading) -> None:
    """What is happening, for how long, and a way out."""
    if reading.result.done():
        st.rerun()
    words = len(reading.pitch.text.split())
    by = literal(reading.reader) if reading.reader else "The reader"
    with st.container(border=True):
        st.markdown(f"{by} is reading the pitch ({words:,} words): **{reading.seconds:.0f} s**")
        st.html(
            tag(
                "p",
                "When the answer is there, every quote is checked against the pitch and the rulebook judges. "
                f"The page waits up to {reading.timeout:.0f} s. You can look at other pages meanwhile.",
                class_="pa lead",
            )
        )
        st.button("Cancel", on_click=_cancel, args=(reading,))


def _cancel(reading: Reading) -> None:
    reading.result.cancel()
    st.session_state["cancelled_after"] = reading.seconds
