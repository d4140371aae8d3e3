"""The field with the pitch: its text is what gets analyzed, wherever the text came from.

Samples, files, History and a portfolio put their text there. A text that somebody typed is not lost by that: it can be
restored.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st

from analyzer.errors import AnalyzerError
from analyzer.files.document import Document
from analyzer.files.documents import MAX_BYTES, SUFFIXES
from analyzer.page import uploads, words
from analyzer.page.session import session
from analyzer.reading.pitch import MAX_CHARACTERS, Pitch
from analyzer.resources import resource
from analyzer.views.html import tag

_TEXT: Final = "text"
SAMPLE: Final = "sample"
_FILE: Final = "file"
_NOTES: Final = "notes"


def text() -> str:
    """The text in the field."""
    return str(st.session_state.get(_key()) or "")


def pitch() -> str | Document:
    """What is to be analyzed: the chosen file, as long as its text is in the field unchanged, else the text."""
    document = session().pitch_field.document
    return document if document is not None and document.text == text() else text()


def sample() -> str | None:
    """The name of the sample in the field; None for any other text."""
    name: str | None = st.session_state.get(SAMPLE)
    return name


def choose_sample(name: str | None) -> None:
    """Marks a sample as the one in the field, or none."""
    st.session_state[SAMPLE] = name


def put(new: str, sample_: str | None = None) -> None:
    """Replaces the text in the field, and removes the chosen file."""
    _replace(new, sample_)
    uploads.clear(_FILE)
    session().pitch_field.error = session().pitch_field.document = None


def drop(deleted: str) -> None:
    """Removes a deleted text from the field and from what can be restored."""
    state = session().pitch_field
    if text().strip() == deleted.strip():
        st.session_state[_key()] = ""
    if state.replaced.strip() == deleted.strip():
        state.replaced = ""


def field(height: int = 250) -> None:
    """Draws the field, so many pixels high."""
    st.text_area(
        "The pitch",
        key=_key(),
        height=height,
        placeholder="Paste the text of the pitch here.",
        on_change=_typed,
        persist_state="session",
    )
    replaced = session().pitch_field.replaced
    if replaced.strip() and replaced.strip() != text().strip():
        st.button("Restore the previous text", icon=":material/undo:", on_click=_restore, type="tertiary")


def file() -> None:
    """Draws the field for a file; the file's text goes into the field for the pitch."""
    uploads.one_file(
        f"Or upload a file, up to {MAX_BYTES // 1_000_000} MB and {MAX_CHARACTERS:,} characters of text",
        _FILE,
        [suffix.removeprefix(".") for suffix in SUFFIXES],
        MAX_BYTES // 1_000_000,
        on_change=_read_file,
    )
    document = session().pitch_field.document
    if document is None:
        return
    for each in document.all:
        size = f" ({each.size()})" if each.size() else ""
        entries = [tag("li", words.on_the_page(sentence)) for sentence in each.summary()[1 if size else 0 :]]
        name = tag("span", each.title, class_="alien")
        nothing = tag("p", "All of it was read.", class_="lead")
        st.html(
            tag("div", tag("p", "Read: ", name, size), tag("ul", *entries) if entries else nothing, class_="pa listed")
        )
    if document.has_asides:
        st.checkbox("Include speaker notes and comments", key=_NOTES, on_change=_include_notes)


def file_failed() -> bool:
    """Whether the chosen file could not be read, and no other text replaced it."""
    return session().pitch_field.error is not None


def show_error() -> None:
    """Says what is wrong with the chosen file, as long as it is chosen."""
    error = session().pitch_field.error
    if error is not None:
        words.show_error("Not read", error)


_SAMPLE_TITLES: Final = {
    "cabstand": "Website: puts a model behind an address",
    "chaffinch": "Blog post: finds wrong labels",
    "commonfield": "Product page: features, old and new",
    "earmarker": "Website: labels sound recordings",
    "fillchair": "Website: AI for dentists, out of scope",
    "gudgeon": "Long memo: keeps training runs alive",
    "idlewatt": "Website: finds idle GPUs",
    "kilnday": "Short blurb: trains on a rented GPU",
    "nightmill": "Press release: notebooks on a schedule",
    "oddmile": "Letter: finds the scenes a car gets wrong",
    "plainreason": "Slides: why an insurer's model decided so",
    "sheafline": "Introduction with orders to its reader: versions data",
    "tallyrun": "README: tracks experiments",
    "taperline": "Founder's post: slow answers of a model",
    "tidepost": "Rough e-mail: watches a live model",
    "twicetold": "Forum post: a cache for prompts",
}
"""The samples by what they are."""


def sample_title(name: str) -> str:
    """A sample by what it is: its form and what its product does."""
    return _SAMPLE_TITLES.get(name, name.capitalize())


def named(id_: str) -> str:
    """A pitch by its id; a sample by what it is."""
    return sample_title(id_) if id_ in samples() else id_


@cache
def samples_by_sha256() -> dict[str, str]:
    """The names of the samples by the SHA-256 of their text, as an assessment has it."""
    return {str(Pitch.from_text(text).ref.sha256): name for name, text in samples().items()}


@cache
def samples() -> dict[str, str]:
    """The sample pitches that come with the program, by name."""
    paths: list[Path] = sorted(resource("fixtures/pitches").glob("*.txt"))
    return {path.stem: path.read_text(encoding="utf-8") for path in paths}


def _replace(new: str, sample_: str | None) -> None:
    before = text()
    if before.strip() and before.strip() != new.strip() and before not in samples().values():
        session().pitch_field.replaced = before
    st.session_state[_key()] = new
    st.session_state[SAMPLE] = sample_
    session().error = None  # it was about the previous text


def _key() -> str:
    generation = session().pitch_field.generation
    return f"{_TEXT}:{generation}" if generation else _TEXT


def _start_anew() -> None:
    """Replaces the field in the browser by a new one with the same text. The old one might hold a text that was typed
    but not sent yet, and would go on showing that."""
    before = text()
    st.session_state.pop(_key(), None)
    session().pitch_field.generation += 1
    st.session_state[_key()] = before


def _restore() -> None:
    put(session().pitch_field.replaced)


def _typed() -> None:
    """An edited text is not a sample any more, nor the file that could not be read."""
    session().pitch_field.error = None
    if text() != samples().get(sample() or ""):
        st.session_state[SAMPLE] = None


def _read_file() -> None:
    """Reads the chosen file into the field. If it cannot be read, the field is empty and nothing is analyzed."""
    state = session().pitch_field
    state.error = state.document = None
    st.session_state.pop(_NOTES, None)
    chosen = uploads.chosen_file(_FILE)
    if chosen is None:
        return
    _start_anew()
    try:
        state.document = uploads.read_upload(chosen)
        _replace(state.document.text, None)
    except AnalyzerError as error:
        _replace("", None)
        state.error = error


def _include_notes() -> None:
    """Puts the text with or without speaker notes into the field."""
    state = session().pitch_field
    if state.document is not None:
        state.document = state.document.including_asides(bool(st.session_state[_NOTES]))
        _start_anew()
        _replace(state.document.text, None)
