"""Assessments made earlier on the page: kept for their owner, found again, opened without a call, deleted for good.

Keeping comes after showing: a store that fails costs a line of warning and never the answer. Whose History it is, and
where there is none, `access.owner` says. Nothing here looks at anybody else's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from pydantic import ValidationError

from analyzer.errors import AnalyzerError, SignalsError
from analyzer.framework.assessment import Assessment
from analyzer.page import access, pitch_field
from analyzer.page import analysis as reading
from analyzer.page.analysis import Reading
from analyzer.page.assessment import verdict_word
from analyzer.results.documents import DocumentEntry, score_entry
from analyzer.settings import Settings
from analyzer.store.history import SavedAssessment
from analyzer.store.store import Store
from analyzer.views.html import Html, literal, tag
from analyzer.views.numbers import shown

_STEP: Final = 25
"""Assessments that come with each "Show more"."""
_BEHIND: Final = 100
"""Assessments whose pitches stand faintly behind the next."""
_PICK: Final = "history-pick:"
_INTRODUCTION: Final = (
    "What you analyzed on this page, the newest first. Opening one asks nothing of a model; today's rulebook judges it."
)
_NOTHING_KEPT: Final = (
    "Nothing is kept here. This server can be reached by others and asks nobody to log in, so it could not tell whose "
    "an assessment is. Take away what you want to keep as a file. How to set up login stands in docs/page.md."
)


def show() -> None:
    """The page."""
    st.title("History")
    owner = access.owner()
    if owner is None:
        st.html(tag("p", _NOTHING_KEPT, class_="pa note", role="note"))
        return
    st.html(tag("p", _INTRODUCTION, class_="pa intro"))
    _say(st.session_state.pop("history_fault", None))
    told = st.session_state.pop("history_told", None)
    if told:
        st.success(told)
    search = st.text_input(
        "Search", key="history_search", placeholder="Words of the title or the pitch", persist_state="session"
    )
    limit = st.session_state.setdefault("history_limit", _STEP)
    try:
        found = _store().history.search(owner, search, limit + 1)
    except AnalyzerError as error:
        st.error(literal(f"History cannot be shown: {error}"))
        return
    if not found:
        st.html(tag("p", _none(search), class_="pa note"))
        return
    _delete(owner, found[:limit])
    for entry in found[:limit]:
        _row(entry)
    if len(found) > limit:
        st.button("Show more", on_click=_more)


def _none(search: str) -> str:
    if search.strip():
        return "Nothing in your History holds these words."
    return "Nothing is kept yet. What you analyze appears here, as long as Keep in History is on."


def _more() -> None:
    st.session_state["history_limit"] += _STEP


# ---------------------------------------------------------------- rows


def _row(entry: SavedAssessment) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"history-row-{entry.id}"):
        st.checkbox(
            literal(f"Select {_short(entry.title)}"),
            key=_PICK + entry.id,
            label_visibility="collapsed",
            width="content",
            persist_state="session",
        )
        st.html(_told(entry), width="stretch")
        st.button("Open", key=f"history-open:{entry.id}", on_click=_open, args=(entry.id,))


def _told(entry: SavedAssessment) -> Html:
    parts = [_when(entry.saved_at), entry.model]
    try:
        found = Assessment.model_validate_json(entry.document)
    except ValidationError:
        verdict = tag("span", "of an older version", class_="lead")
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
    at = datetime.fromisoformat(saved_at).replace(tzinfo=UTC)
    with suppress(ZoneInfoNotFoundError, ValueError):
        at = at.astimezone(ZoneInfo(st.context.timezone or "UTC"))
    return f"{at.day} {at:%B %Y, %H:%M}"


# ---------------------------------------------------------------- open


def _open(id: str) -> None:
    """Shows a kept assessment on the page for one pitch."""
    try:
        reopen(id, {})
    except AnalyzerError as error:
        st.session_state["history_fault"] = error
        return
    st.session_state["go_to_analyze"] = True


def reopen(id: str, changes: Mapping[str, str]) -> None:
    """Puts a kept assessment in the place of a reading, judged by today's rulebook; nothing is asked.

    Raises ConfigurationError, SignalsError if the visitor has none of this id or it cannot be read any more, or
    InputError while a pitch is being read.
    """
    owner = access.owner()
    entry = None if owner is None else _store().history.find(owner, id)
    if entry is None:
        raise SignalsError("this assessment is not in your History; it may have been deleted, or be somebody else's")
    scored = score_entry(DocumentEntry(f"the assessment of {_when(entry.saved_at)}", json.loads(entry.document)))
    if scored.assessment is None:
        raise scored.error or SignalsError("this assessment cannot be read any more")
    note = f"From your History: read on {_when(entry.saved_at)} by {entry.model}. Nothing was asked again."
    reading.reopen(entry.text, scored.assessment, note, changes)
    pitch_field.put(entry.text)
    st.session_state["kept"] = (st.session_state["reading"], entry.id)


# ---------------------------------------------------------------- delete


def _delete(owner: str, shown_: Sequence[SavedAssessment]) -> None:
    """Deleting those that are selected, or all; asked once more before it is done."""
    picked = {entry.id: entry.pitch_sha256 for entry in shown_ if st.session_state.get(_PICK + entry.id)}
    with st.container(horizontal=True, vertical_alignment="center", key="history-tools"):
        label = f"Delete {len(picked)} selected" if picked else "Delete selected"
        st.button(label, disabled=not picked, on_click=_ask, args=(picked,), key="history-delete")
        st.button("Delete all", on_click=_ask, args=(None,), type="tertiary")
    if "history_doomed" not in st.session_state:
        return
    doomed: dict[str, str] | None = st.session_state["history_doomed"]
    with st.container(border=True, key="history-confirm"):
        what = "your whole History" if doomed is None else _counted(len(doomed))
        rest = "Pitches and assessments" if doomed is None or len(doomed) > 1 else "The pitch and its assessment"
        st.html(
            tag(
                "p",
                tag("strong", f"Delete {what} for good?"),
                f" {rest} go, and so do the answers of models about the same pitches that this store holds, unless "
                "somebody else has kept them too. Nobody can bring them back.",
                class_="pa",
                role="alert",
            )
        )
        with st.container(horizontal=True):
            st.button("Delete for good", type="primary", on_click=_forget, args=(owner, doomed))
            st.button("Do not delete", on_click=_ask_no_more)


def _counted(number: int) -> str:
    return "one assessment" if number == 1 else f"{number} assessments"


def _ask(doomed: dict[str, str] | None) -> None:
    st.session_state["history_doomed"] = doomed


def _ask_no_more() -> None:
    st.session_state.pop("history_doomed", None)


def _forget(owner: str, doomed: Mapping[str, str] | None) -> None:
    """Deletes, in the store and in this visit: what is gone is also not shown on another page any more. `doomed`: the
    fingerprint of the pitch for each id; None = all."""
    _ask_no_more()
    try:
        number = _store().history.delete(owner, None if doomed is None else list(doomed))
    except AnalyzerError as error:
        st.session_state["history_fault"] = error
        return
    earlier: dict[str, Assessment] = st.session_state.get("earlier", {})
    for sha256 in list(earlier) if doomed is None else doomed.values():
        earlier.pop(sha256, None)
    now = reading.current()
    answered = now if now is not None and now.result.done() else None  # what is still being read was not kept yet
    if answered is not None and (doomed is None or answered.pitch.ref.sha256 in doomed.values()):
        st.session_state["reading"] = None
        pitch_field.drop(answered.pitch.text)
    st.session_state["history_told"] = f"Deleted: {_counted(number)}, and the answers about the same pitches."


# ---------------------------------------------------------------- keep


def toggle() -> None:
    """Whether what is analyzed is kept, for the visitor to choose where it can be."""
    if access.owner() is None:
        return
    st.toggle(
        "Keep in History",
        True,
        key="keep",
        persist_state="session",
        help="The pitch and its assessment are kept in the store of this server, for you, until you delete them.",
    )


def keeps() -> bool:
    """Whether what is analyzed now is to be kept for the visitor."""
    return access.owner() is not None and bool(st.session_state.get("keep", True))


def keep(under_way: Reading, found: Assessment) -> AnalyzerError | None:
    """Keeps an assessment that is on the screen, once, if the visitor wants it; the error where it cannot be kept."""
    owner = access.owner()
    if owner is None or not keeps():
        return None
    tried: tuple[Reading, str | AnalyzerError] | None = st.session_state.get("kept")
    if tried is None or tried[0] is not under_way:
        outcome: str | AnalyzerError
        try:
            outcome = _store().history.save(
                owner=owner,
                title=found.pitch.title or found.signals.product or "Untitled pitch",
                pitch_sha256=under_way.pitch.ref.sha256 or "",
                model=found.provenance.reader.model or under_way.reader,
                text=under_way.pitch.text,
                document=found.to_json(indent=None),
            )
        except AnalyzerError as error:
            outcome = error
        tried = (under_way, outcome)
        st.session_state["kept"] = tried
    return tried[1] if isinstance(tried[1], AnalyzerError) else None


def kept_as(under_way: Reading) -> str | None:
    """The id under which this reading is kept; None if it is not."""
    tried: tuple[Reading, str | AnalyzerError] | None = st.session_state.get("kept")
    return tried[1] if tried is not None and tried[0] is under_way and isinstance(tried[1], str) else None


def gather() -> None:
    """Once a visit, when all else is drawn: the owner's latest assessments join the earlier ones of this visit."""
    owner = access.owner()
    if owner is None or st.session_state.get("gathered"):
        return
    st.session_state["gathered"] = True
    try:
        found = _store().history.search(owner, limit=_BEHIND)
    except AnalyzerError:
        return  # said where it matters: when something is to be kept, and on the page
    older: dict[str, Assessment] = {}
    for entry in reversed(found):
        try:
            older[entry.pitch_sha256] = Assessment.model_validate_json(entry.document)
        except ValidationError:
            continue
    st.session_state["earlier"] = older | st.session_state.get("earlier", {})


def _store() -> Store:
    return _opened(Settings.from_environment().store_url())


@st.cache_resource(show_spinner=False)
def _opened(url: str) -> Store:
    return Store.open(url)


def _say(error: AnalyzerError | None) -> None:
    if error is not None:
        st.error(literal(str(error)))
