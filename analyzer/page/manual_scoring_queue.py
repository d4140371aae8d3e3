"""The pitches to score: one, or a queue of them with how far it is and the way through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import PurePath
from typing import Final
from zlib import crc32

import streamlit as st

from analyzer.errors import AnalyzerError, InputError
from analyzer.files.documents import MAX_BYTES, SUFFIXES
from analyzer.files.listing import TABLES
from analyzer.files.pitches import uploaded_table
from analyzer.page import access, pitch_field, uploads
from analyzer.page.manual_scoring_task import KEY, lasting_field, options_field, status
from analyzer.page.portfolio_run import MOST_PITCHES
from analyzer.page.session import ManualScoringState, session
from analyzer.page.store import shared_store
from analyzer.page.words import show_error
from analyzer.reading.pitch import Pitch
from analyzer.screen import printable
from analyzer.store.manual_scores import SavedManualScores
from analyzer.views.html import tag
from analyzer.views.terminal import cut

SAMPLES: Final = "The samples"
_PORTFOLIO: Final = "A portfolio"
_TABLE: Final = "A table"
_TEXT: Final = "Pasted text"
_FILE: Final = "A file"
SOURCE: Final = "source"
_FILE_FIELD: Final = "scoring_file"
_TABLE_FIELD: Final = "scoring_table"
_LARGEST_TABLE: Final = 100
"""Megabytes of an uploaded table."""
_MOST_PORTFOLIOS: Final = 50
_LONGEST_TITLE: Final = 70
_MARKS: Final = {"scored": "\N{CHECK MARK} ", "begun": "\N{HORIZONTAL ELLIPSIS} ", "": ""}


@dataclass(frozen=True, slots=True)
class QueuedPitch:
    """A pitch to score: its text, the id that its scores get, and a title; without an id, that of its text."""

    text: str
    id: str | None = None
    title: str = ""

    @property
    def name(self) -> str:
        """What the queue calls it."""
        first = next((line.strip() for line in self.text.splitlines() if line.strip()), "")
        return cut(self.title or first or str(self.id), _LONGEST_TITLE)


def choose_pitch(state: ManualScoringState, own: Sequence[SavedManualScores]) -> Pitch | None:
    """Draws where the pitches come from, and the queue; the pitch to score now. `own`: what the rater has saved."""
    sources: dict[str, Callable[[ManualScoringState], Mapping[str, QueuedPitch] | QueuedPitch | None]] = {
        SAMPLES: lambda _: _samples(),
        _PORTFOLIO: _from_portfolio,
        _TABLE: _from_table,
        _TEXT: _from_text,
        _FILE: _from_file,
    }
    source = options_field(state, SOURCE, "Pitches to score", list(sources))
    try:
        found = sources[source](state)
        if isinstance(found, Mapping):
            found = _next_of(state, source, found, own)
        return None if found is None else Pitch.from_text(found.text, found.id)
    except AnalyzerError as error:
        show_error("Not read", error)
        return None


def chosen_sample(state: ManualScoringState) -> str | None:
    """The sample that is scored now; None if it is another pitch."""
    name = state.chosen.get(SAMPLES)
    return name if state.fields.get(SOURCE, SAMPLES) == SAMPLES else None


def follow(state: ManualScoringState, sample: str) -> None:
    """Comes to this sample, as an address says."""
    if sample in _samples():
        state.fields[SOURCE] = SAMPLES
        st.session_state.pop(f"{KEY}{SOURCE}", None)
        _go(SAMPLES, sample)


# ---------------------------------------------------------------- the queue


def _next_of(
    state: ManualScoringState, source: str, queue: Mapping[str, QueuedPitch], own: Sequence[SavedManualScores]
) -> QueuedPitch | None:
    """Draws how far the queue is, and which pitch of it is scored now."""
    if not queue:
        return None
    latest = {entry.pitch_id: status(entry.scores) for entry in own}
    states = {id_: latest.get(id_, "") for id_ in queue}
    chosen = state.chosen.get(source)
    chosen = chosen if chosen in queue else None
    ids = list(queue)
    marks = crc32("".join(states.values()).encode())  # a field whose options are worded anew forgets its value
    key = f"{KEY}queue#{source}#{state.generation}#{marks}"
    picked = st.selectbox(
        "Sample" if source == SAMPLES else "Pitch",
        ids,
        format_func=lambda id_: _MARKS[states[id_]] + queue[id_].name,
        placeholder="Choose a pitch",
        index=ids.index(chosen) if chosen is not None else None,
        key=key,
        on_change=_pick,
        args=(source, key),
    )
    with st.container(horizontal=True, vertical_alignment="center", key="scoring-queue"):
        at = ids.index(picked) if picked is not None and picked in queue else -1
        others = (*ids[at + 1 :], *ids[: max(at, 0)])
        open_ = next((id_ for id_ in others if states[id_] != "scored"), None)
        before = ids[at - 1] if at > 0 else None
        after = ids[at + 1] if at + 1 < len(ids) else None
        for label, id_ in (("Previous pitch", before), ("Next pitch", after)):
            st.button(label, disabled=id_ is None, on_click=partial(_go, source, id_ or ""))
        st.button(
            "Next not scored",
            disabled=open_ is None,
            on_click=partial(_go, source, open_ or ""),
            shortcut="Alt+N",
        )
        scored, begun = (sum(each == what for each in states.values()) for what in ("scored", "begun"))
        line = f"{scored:,} of {len(queue):,} scored" + (f", {begun:,} begun" if begun else "")
        st.html(tag("p", line, class_="pa lead", role="status"), width="content")
    st.progress(scored / len(queue))
    return queue.get(picked) if picked else None


def _pick(source: str, key: str) -> None:
    session().manual_scoring.chosen[source] = st.session_state[key]


def _go(source: str, id_: str) -> None:
    """Turns to a pitch; the field that names it starts anew, since its value is set here."""
    state = session().manual_scoring
    state.chosen[source] = id_
    state.generation += 1


# ---------------------------------------------------------------- where pitches come from


@cache
def _samples() -> dict[str, QueuedPitch]:
    """The sample pitches by their ids."""
    return {
        name: QueuedPitch(text, name, pitch_field.sample_title(name)) for name, text in pitch_field.samples().items()
    }


def _from_portfolio(state: ManualScoringState) -> Mapping[str, QueuedPitch] | None:
    """The pitches of a saved portfolio."""
    owner = access.owner()
    saved = [] if owner is None else shared_store().portfolios.search(owner, limit=_MOST_PORTFOLIOS)
    named = {entry.id: entry.name for entry in saved if entry.model}
    if owner is None or not named:
        st.html(tag("p", "No portfolio is saved in your History.", class_="pa note", role="note"))
        return None
    first, settings = lasting_field(state, "portfolio", None)
    chosen = st.selectbox(
        "Portfolio",
        list(named),
        format_func=lambda id_: cut(named[id_], _LONGEST_TITLE),
        index=list(named).index(first) if first in named else 0,
        **settings,
    )
    if chosen not in state.queues:
        found = shared_store().portfolios.pitches(owner, chosen)
        state.queues = {
            chosen: {
                str(each.pitch["id"]): QueuedPitch(
                    str(each.pitch["text"]), str(each.pitch["id"]), str(each.pitch.get("title") or "")
                )
                for each in found
                if not each.pitch.get("error")
            }
        }
    return state.queues[chosen]


def _from_table(state: ManualScoringState) -> Mapping[str, QueuedPitch] | None:
    """The pitches of an uploaded table."""
    file = uploads.one_file(
        "Table with one pitch per row",
        _TABLE_FIELD,
        [ending.removeprefix(".") for ending in TABLES],
        _LARGEST_TABLE,
        label_visibility="collapsed",
        help="Its usual columns are found by their names; where they are not, read it on the page Portfolio, and "
        "choose A portfolio here.",
    )
    if file is None:
        return None
    name = f"{file.name}:{hash(file.data)}"
    if name not in state.queues:
        rows = islice(uploaded_table(file.name, file.data), MOST_PITCHES)
        queue = {
            row.id: QueuedPitch(row.text, row.id, row.title) for row in rows if row.error is None and row.text.strip()
        }
        state.queues = {name: queue}
    if not state.queues[name]:
        raise InputError(f"{printable(file.name)} has no row with a pitch; choose another file")
    return state.queues[name]


def _from_text(state: ManualScoringState) -> QueuedPitch | None:
    first, settings = lasting_field(state, "text", "")
    text: str = st.text_area(
        "Text of the pitch",
        value=first,
        height=140,
        placeholder="Paste the text of the pitch here.",
        label_visibility="collapsed",
        **settings,
    )
    return QueuedPitch(text) if text.strip() else None


def _from_file(state: ManualScoringState) -> QueuedPitch | None:
    uploads.one_file(
        "File with the pitch",
        _FILE_FIELD,
        [suffix.removeprefix(".") for suffix in SUFFIXES],
        MAX_BYTES // 1_000_000,
        label_visibility="collapsed",
        on_change=_read_file,
    )
    if state.file_error is not None:
        show_error("Not read", state.file_error)
    return None if state.file is None else QueuedPitch(state.file[1], state.file[0])


def _read_file() -> None:
    state, chosen = session().manual_scoring, uploads.chosen_file(_FILE_FIELD)
    state.file = state.file_error = None
    if chosen is None:
        return
    try:
        state.file = PurePath(chosen.name).stem, uploads.read_upload(chosen).text
    except AnalyzerError as error:
        state.file_error = error
