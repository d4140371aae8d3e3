"""The page for manual scoring: a queue of pitches, each scored, saved, and only then set next to a reading.

Scores go to the store, which keeps every version: so the scores from before the comparison was shown can always be told
from those edited afterwards.
"""

from __future__ import annotations

from typing import Final

import streamlit as st

from analyzer.errors import AnalyzerError, ManualError
from analyzer.page import link
from analyzer.page.manual_scoring_comparison import show_comparison
from analyzer.page.manual_scoring_files import history_table, show_files
from analyzer.page.manual_scoring_form import show_form
from analyzer.page.manual_scoring_queue import choose_pitch, chosen_sample, follow
from analyzer.page.manual_scoring_task import ScoringTask, lasting_field
from analyzer.page.session import ManualScoringState, session
from analyzer.page.store import shared_store
from analyzer.page.words import show_error
from analyzer.reading.pitch import Pitch
from analyzer.store.store import Store
from analyzer.views.html import Html, tag

_LONGEST_NAME: Final = 80
_LONGEST_ID: Final = 255
"""As long as a file's name can be."""


def show() -> None:
    """The page."""
    st.title("Manual scoring")
    st.html(
        tag(
            "p",
            "Score pitches yourself, by the same rules as the reader. What the reader extracted stays hidden until you "
            "have looked at every signal and saved, so that it cannot influence you. Your scores show how well the "
            "reader works.",
            class_="pa intro",
        )
    )
    state = session().manual_scoring
    arrived = link.arrival("score")
    if arrived is not None:
        follow(state, arrived.get("sample", ""))
    who, which = st.columns(2, gap="medium")
    with who:
        rater = _rater(state)
    try:
        saved_scores: Store | None = shared_store()
        own = saved_scores.manual_scores.versions(rater=rater) if rater and saved_scores is not None else []
    except AnalyzerError as error:
        saved_scores, own = None, []
        show_error("Scores cannot be saved now", error)
    pitch = choose_pitch(state, own)
    link.show({"sample": chosen_sample(state)})
    if pitch is not None:
        with which:
            pitch_id = _id(state, pitch)
        task = ScoringTask(pitch, pitch_id, rater, [entry for entry in own if entry.pitch_id == pitch_id])
        _show_task(state, saved_scores, task)
    show_files(state, saved_scores, rater, own)


# ---------------------------------------------------------------- who, and which pitch


def _rater(state: ManualScoringState) -> str:
    """Who scores; at first the name of the login."""
    known = (st.user.get("name") or st.user.get("email")) if st.user.get("is_logged_in") else None
    first, settings = lasting_field(state, "rater", str(known)[:_LONGEST_NAME] if known else "")
    named: str = st.text_input(
        "Rater",
        value=first,
        max_chars=_LONGEST_NAME,
        placeholder="Your name or initials",
        help="Appears with your scores in the CSV. Let two raters score independently to see how much they agree.",
        **settings,
    )
    return " ".join(named.split())


def _id(state: ManualScoringState, pitch: Pitch) -> str:
    """The id of the scores; the visitor may choose another, but for a sample, which has its own."""
    own = (pitch.ref.id or "")[:_LONGEST_ID]
    if chosen_sample(state) is not None:
        return own
    first, settings = lasting_field(state, f"id:{pitch.ref.sha256}:{own}", own)
    named: str = st.text_input(
        "Pitch id",
        value=first,
        max_chars=_LONGEST_ID,
        help="Links your scores to the assessment of the same pitch. Usually the file's name without its ending.",
        **settings,
    )
    return " ".join(named.split()) or own


def _show_task(state: ManualScoringState, store_: Store | None, task: ScoringTask) -> None:
    """The pitch next to the form; below them, once scores are saved, what a reader extracted."""
    left, right = st.columns(2, gap="large")
    with left:
        st.html(_text(task.pitch))
    with right:
        try:
            saved = task.saved
        except ManualError as error:
            saved = None
            show_error("The saved scores cannot be read", error)
        if not task.rater:
            st.html(tag("p", "Enter the rater's name above to open the form.", class_="pa note", role="note"))
        elif task.other_text:
            note = f"{task.rater} has scored another text as {task.id}. Choose another id for this one."
            st.html(tag("p", note, class_="pa note", role="note"))
        else:
            show_form(state, store_, task, saved)
    if saved is not None:
        if task.complete:
            show_comparison(state, task, saved)
        st.html(history_table(task.history))


def _text(pitch: Pitch) -> Html:
    """The pitch to read while scoring, with a mark on passages that do not count as evidence."""
    parts: list[str] = []
    at = 0
    for begin, end in pitch.planted:
        parts += [pitch.text[at:begin], tag("mark", pitch.text[begin:end], class_="planted")]
        at = end
    warnings = [tag("p", message, class_="lead") for message in dict.fromkeys(w.message for w in pitch.warnings)]
    body = tag("div", *parts, pitch.text[at:], class_="pitch alien")
    region = tag("div", *warnings, body, class_="reading", role="region", aria_label="The pitch", tabindex="0")
    return tag("div", region, class_="pa to-score")
