"""The field with the pitch: what stands in it is what gets analyzed, wherever it came from.

Samples, files, the History and a portfolio put their text there. A text that somebody typed is never lost by that: it
can be put back.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st

from analyzer.agreement.extracted import Upload
from analyzer.errors import AnalyzerError
from analyzer.files.documents import MAX_BYTES, SUFFIXES
from analyzer.page import uploads
from analyzer.page.upload import read_upload
from analyzer.reading.pitch import MAX_CHARACTERS
from analyzer.resources import resource
from analyzer.views.html import literal

_TEXT: Final = "text"
_LIFE: Final = "text_life"
"""How often the field began anew, see `_anew`."""
SAMPLE: Final = "sample"
_FILE: Final = "file"
_REPLACED: Final = "replaced_text"
_UNREAD: Final = "unread_file"


def text() -> str:
    """What stands in the field."""
    return str(st.session_state.get(_key()) or "")


def sample() -> str | None:
    """The sample that was chosen and not changed since."""
    name: str | None = st.session_state.get(SAMPLE)
    return name


def put(new: str, sample_: str | None = None) -> None:
    """Puts another text into the field, in the place of what was there and of a file that was chosen."""
    _replace(new, sample_)
    uploads.clear(_FILE)
    st.session_state[_UNREAD] = None


def drop(deleted: str) -> None:
    """Takes a text that was deleted out of the field, and away from what can be put back."""
    if text().strip() == deleted.strip():
        st.session_state[_key()] = ""
    if str(st.session_state.get(_REPLACED, "")).strip() == deleted.strip():
        st.session_state[_REPLACED] = ""


def field() -> None:
    """Draws it."""
    st.text_area(
        "The pitch",
        key=_key(),
        height=250,
        placeholder="Paste the text of the pitch here.",
        on_change=_typed,
        persist_state="session",
    )
    before: str = st.session_state.get(_REPLACED, "")
    if before.strip() and before.strip() != text().strip():
        st.button("Put back the text that was here before", icon=":material/undo:", on_click=_put_back, type="tertiary")


def file() -> None:
    """Draws the field for a file, whose text goes into the field for the pitch."""
    uploads.one(
        f"Or a file, up to {MAX_BYTES // 1_000_000} MB and {MAX_CHARACTERS:,} characters of text",
        _FILE,
        [suffix.removeprefix(".") for suffix in SUFFIXES],
        MAX_BYTES // 1_000_000,
        then=_take_file,
    )


def unread() -> bool:
    """Whether the file that is chosen could not be read, and nothing was put in its place."""
    return st.session_state.get(_UNREAD) is not None


def fault() -> None:
    """Says what is wrong with the file that is chosen, as long as it is."""
    error: AnalyzerError | None = st.session_state.get(_UNREAD)
    if error is not None:
        st.error(literal(f"Not read: {error}"))


@cache
def samples() -> dict[str, str]:
    """The sample pitches that come with the program, by name."""
    paths: list[Path] = sorted(resource("fixtures/pitches").glob("*.txt"))
    return {path.stem: path.read_text(encoding="utf-8") for path in paths}


def _replace(new: str, sample_: str | None) -> None:
    before = text()
    if before.strip() and before.strip() != new.strip() and before not in samples().values():
        st.session_state[_REPLACED] = before
    st.session_state[_key()] = new
    st.session_state[SAMPLE] = sample_
    st.session_state["fault"] = None  # it was about the text before


def _key() -> str:
    life: int = st.session_state.get(_LIFE, 0)
    return f"{_TEXT}:{life}" if life else _TEXT


def _anew() -> None:
    """Gives the field a new life in the browser, with the same text. The old one might hold a text that was typed and
    not sent yet, and would go on showing that in the place of what is put there now."""
    before = text()
    st.session_state.pop(_key(), None)
    st.session_state[_LIFE] = st.session_state.get(_LIFE, 0) + 1
    st.session_state[_key()] = before


def _put_back() -> None:
    put(st.session_state[_REPLACED])


def _typed() -> None:
    """A text of the visitor's own is no sample any more, and not the file that could not be read."""
    st.session_state[_UNREAD] = None
    if text() != samples().get(sample() or ""):
        st.session_state[SAMPLE] = None


def _take_file() -> None:
    """Reads the chosen file into the field. Of one that cannot be read nothing is analyzed: the field is empty then."""
    st.session_state[_UNREAD] = None
    chosen: Upload | None = uploads.chosen(_FILE)
    if chosen is None:
        return
    _anew()
    try:
        _replace(read_upload(chosen), None)
    except AnalyzerError as error:
        _replace("", None)
        st.session_state[_UNREAD] = error
