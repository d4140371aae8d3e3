"""One pitch: take it, have it read, show the assessment.

Streamlit starts this script anew at every click and gives up the run under way. So the reading goes on in the
background, and the visitor's session keeps hold of it: a click meanwhile loses nothing, and nothing is asked of a model
twice. Sessions share nothing.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from functools import cache
from traceback import format_tb
from typing import Final

import streamlit as st

from analyzer.charts import DARK, LIGHT, quadrant
from analyzer.errors import AnalyzerError
from analyzer.framework.assessment import Assessment
from analyzer.framework.rulebook import Rulebook
from analyzer.page import answer
from analyzer.page.markup import Html, literal, tag, together
from analyzer.pipeline import UnexpectedError, choose, start
from analyzer.reading.documents import MAX_BYTES, SUFFIXES, read_document
from analyzer.reading.pitch import Pitch
from analyzer.reports import html_report, markdown_report
from analyzer.resources import resource
from analyzer.settings import KEYWORDS, RECORDED, Settings

_OTHER_MODEL: Final = "Another model"
_READERS: Final[dict[str, str | None]] = {
    "Automatic": None,
    "Recorded answer": RECORDED,
    "Keywords": KEYWORDS,
    _OTHER_MODEL: "",
}
_POLL: Final = 0.25
"""Seconds between two looks at a reading under way."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A pitch that is being read, or has been. `reader`: what was asked for, in words; `note`: why it was chosen."""

    pitch: Pitch
    reader: str
    note: str | None
    result: Future[Assessment]
    started: float = field(default_factory=time.monotonic)


def show() -> None:
    """The page."""
    st.title("Analyze a pitch")
    st.html(
        tag(
            "p",
            "Paste the pitch of a product for machine learning. You get what it says, with its own words as evidence, "
            "what the framework makes of that, and what to ask next.",
            class_="pa intro",
        )
    )
    text, model = _inputs()
    if st.button("Analyze", type="primary"):
        _start(text, model)
    reading: _Reading | None = st.session_state.get("reading")
    if reading is not None:
        _show(reading)


# ---------------------------------------------------------------- inputs


def keep_inputs() -> None:
    """Streamlit forgets the fields of a page that is not on show; a pasted pitch should survive a look elsewhere."""
    for name in ("text", "reader", "model"):
        if name in st.session_state:
            st.session_state[name] = st.session_state[name]


def _inputs() -> tuple[str, str | None]:
    """The pitch's text, and the model that was asked for; None = automatic."""
    writing, choosing = st.columns([2, 1], gap="medium")
    with choosing:
        st.selectbox(
            "Or take a sample",
            list(_samples()),
            index=None,
            placeholder="Sample pitches",
            key="sample",
            on_change=_take_sample,
        )
        st.file_uploader(
            "Or a file",
            type=[suffix.removeprefix(".") for suffix in SUFFIXES],
            max_upload_size=MAX_BYTES // 1_000_000,
            key="file",
            on_change=_take_file,
        )
    with writing:
        text = st.text_area("The pitch", key="text", height=270, placeholder="Paste the text of the pitch here.")
    fault: AnalyzerError | None = st.session_state.pop("file_fault", None)
    if fault is not None:
        _say(fault)
    return text, _model()


def _model() -> str | None:
    with st.expander("Reader"):
        chosen = st.radio("Read by", list(_READERS), key="reader", captions=_captions(), horizontal=True)
        if chosen == _OTHER_MODEL:
            return st.text_input("Model, as provider/name", placeholder="openai/gpt-4.1-mini", key="model").strip()
        return _READERS[chosen]


def _captions() -> list[str]:
    """What each choice of reader means, in the order of `_READERS`."""
    try:
        model = Settings.from_environment().model
    except AnalyzerError:
        model = None
    automatic = (
        f"as PITCH_MODEL says: {literal(model)}" if model else "a recorded answer if there is one, else keywords"
    )
    return [automatic, "given earlier by a model", "cue phrases, no model; rough", "as provider/name"]


@cache
def _samples() -> dict[str, str]:
    """The sample pitches that come with the program, by title."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(resource("fixtures/pitches").glob("*.txt")))
    return {text.partition("\n")[0].strip(): text for text in texts}


def _take_sample() -> None:
    if st.session_state["sample"] is not None:
        st.session_state["text"] = _samples()[st.session_state["sample"]]


def _take_file() -> None:
    file = st.session_state["file"]
    if file is None:
        return
    try:
        st.session_state["text"] = read_document(file.name, file.getvalue())
    except AnalyzerError as error:
        st.session_state["file_fault"] = error


# ---------------------------------------------------------------- reading


def _start(text: str, model: str | None) -> None:
    """Has the pitch read. What was read before is dropped, so that nobody takes it for the answer, and a reading still
    under way is ended, so that nobody pays for it."""
    before: _Reading | None = st.session_state.get("reading")
    if before is not None:
        before.result.cancel()
    st.session_state["reading"] = None
    try:
        if model == "":
            st.error("No model is named. Type one as provider/name, or choose another reader.")
            return
        settings = Settings.from_environment()
        pitch = Pitch.from_text(text)
        choice = choose(pitch, model, settings)
    except AnalyzerError as error:
        _say(error)
        return
    asked = model or settings.model or ""
    st.session_state["reading"] = _Reading(pitch, asked, choice.note, start(pitch, choice.reader))


def _wait(reading: _Reading) -> None:
    """Until the reading is done. Writing the seconds lets Streamlit end this run when a click has begun another."""
    by = f" with {literal(reading.reader)}" if reading.reader else ""
    with st.status(f"Reading the pitch{by}") as status:
        while wait([reading.result], _POLL).not_done:
            status.update(label=f"Reading the pitch{by}: {time.monotonic() - reading.started:.0f} s")


# ---------------------------------------------------------------- the answer


def _show(reading: _Reading) -> None:
    if wait([reading.result], _POLL).not_done:
        place = st.empty()
        with place:
            _wait(reading)
        place.empty()
    try:
        assessment, rulebook = reading.result.result(), Rulebook.built_in()
    except AnalyzerError as error:
        _say(error)
        return
    except Exception as error:  # noqa: BLE001  # a fault of this program: a line for the visitor, the rest for who runs the page
        where = "".join(format_tb(error.__traceback__))  # without its message, which may quote the pitch
        _log.error("%s while reading a pitch\n%s", type(error).__name__, where)
        _say(UnexpectedError(f"{type(error).__name__} while reading this pitch; please report it"))
        return
    _html(answer.cautions(assessment, reading.note))
    _html(answer.headline(assessment))
    if assessment.scores is not None:
        left, right = st.columns(2, gap="medium")
        with left:
            st.html(tag("div", tag("h3", "Where it stands"), class_="pa"))
            colours = DARK if st.context.theme.type == "dark" else LIGHT
            st.altair_chart(quadrant(assessment, colours), width="stretch", theme=None)
        with right:
            _html(answer.scores(assessment))
    _html(answer.considerations(assessment))
    _html(together(answer.questions(assessment), answer.changes(assessment, rulebook)))
    if assessment.in_scope:
        _html(together(answer.signals(assessment), answer.players(assessment)))
    _html(together(answer.pitch_text(reading.pitch.text, assessment), answer.made(assessment)))
    _downloads(assessment, reading.pitch)


def _downloads(assessment: Assessment, pitch: Pitch) -> None:
    files = (
        ("Report (HTML)", "html", "text/html", html_report(assessment, pitch.text)),
        ("Report (Markdown)", "md", "text/markdown", markdown_report(assessment)),
        ("Assessment (JSON)", "json", "application/json", assessment.to_json()),
    )
    st.html(tag("div", tag("h3", "Take it away"), class_="pa"))
    with st.container(horizontal=True):
        for label, suffix, kind, content in files:
            name = f"{assessment.pitch.id or 'assessment'}.{suffix}"
            st.download_button(label, content, file_name=name, mime=kind, on_click="ignore")


def _say(error: AnalyzerError) -> None:
    st.error(literal(f"Not read: {error}"))


def _html(markup: Html) -> None:
    if markup:
        st.html(markup)
