"""Files that a visitor has chosen: kept for as long as the visit lasts, and read without holding up other visitors.

Streamlit forgets the files of a field that is not on the page. Here they are kept with the visit, and a field that
comes back empty says which files are still chosen and lets the visitor remove them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import streamlit as st

from analyzer.agreement.extracted import Upload
from analyzer.errors import DocumentError
from analyzer.files.document import Document
from analyzer.files.documents import LIMITS, DocumentReader
from analyzer.page.presence import GONE, visitor
from analyzer.page.session import session
from analyzer.screen import printable
from analyzer.views.html import tag

_LIMITS: Final = replace(LIMITS, nice=5)
"""As everywhere, but with a lower priority, so that the page keeps answering other visitors."""


@dataclass(slots=True)
class FieldFiles:
    """The chosen files of one field: those that the field shows, and those from before the page was last left."""

    shown: list[Upload] = field(default_factory=list)
    earlier: list[Upload] = field(default_factory=list)
    generation: int = 0
    """Counts up to start the field anew, empty."""

    def all(self) -> list[Upload]:
        """All chosen files, each once."""
        return [*(file for file in self.earlier if file not in self.shown), *self.shown]


OnChange = Callable[[], None]
"""Called when the files of a field change."""


def one_file(
    label: str, key: str, types: Sequence[str], largest: int, *, on_change: OnChange | None = None, **options: Any
) -> Upload | None:
    """Draws a field for one file of up to `largest` megabytes; the chosen file."""
    return next(iter(_draw(label, key, on_change, type=list(types), max_upload_size=largest, **options)), None)


def several_files(
    label: str, key: str, types: Sequence[str], largest: int, *, on_change: OnChange | None = None, **options: Any
) -> list[Upload]:
    """Draws a field for files of up to `largest` megabytes each; the chosen files, the earliest first."""
    options |= {"type": list(types), "max_upload_size": largest, "accept_multiple_files": True}
    return _draw(label, key, on_change, **options)


def chosen_file(key: str) -> Upload | None:
    """The chosen file of a field for one."""
    return next(iter(_files(key).all()), None)


def clear(key: str) -> None:
    """Empties a field."""
    session().files[key] = FieldFiles(generation=_files(key).generation + 1)


def read_upload(file: Upload) -> Document:
    """What a chosen file holds; a visitor who leaves ends the work. Raises as `DocumentReader.read`, and DocumentError
    for a file without text."""
    with DocumentReader(_LIMITS, _left(visitor())) as reader:
        document = reader.read(file.name, file.data)
    if not document.text.strip() and not document.has_asides:
        what = "holds nothing but spaces" if file.data else "is empty (0 bytes)"
        raise DocumentError(f"{printable(file.name)} {what}; choose another file, or paste the pitch as text")
    return document


def _left(connected: Callable[[], bool]) -> Callable[[], bool]:
    """A function that says whether the visitor has been without a connection for GONE seconds."""
    last_seen = time.monotonic()

    def left() -> bool:
        nonlocal last_seen
        if connected():
            last_seen = time.monotonic()
        return time.monotonic() - last_seen > GONE

    return left


def _draw(label: str, key: str, on_change: OnChange | None, **options: Any) -> list[Upload]:
    files = _files(key)
    widget = f"{key}:{files.generation}"
    if widget not in st.session_state:
        files.earlier, files.shown = files.all(), []
    st.file_uploader(label, key=widget, on_change=_update, args=(key, widget, on_change), **options)
    for number, file in enumerate(files.earlier):
        with st.container(horizontal=True, vertical_alignment="center", key=f"{widget}:earlier-{number}"):
            name = tag("span", file.name, class_="alien")
            st.html(tag("p", "Still chosen: ", name, f" ({_size(file.data)})", class_="pa lead"), width="content")
            st.button(
                "Remove",
                key=f"{widget}:remove-{number}",
                on_click=_remove,
                args=(key, number, on_change),
                type="tertiary",
            )
    return files.all()


def _update(key: str, widget: str, on_change: OnChange | None) -> None:
    value = st.session_state[widget]
    files = _files(key)
    if isinstance(value, list):
        chosen = value
    else:
        chosen = [] if value is None else [value]
        files.earlier = []  # the new file replaces the old one
    files.shown = [Upload(file.name, file.getvalue()) for file in chosen]
    if on_change is not None:
        on_change()


def _remove(key: str, number: int, on_change: OnChange | None) -> None:
    del _files(key).earlier[number]
    if on_change is not None:
        on_change()


def _files(key: str) -> FieldFiles:
    return session().files.setdefault(key, FieldFiles())


def _size(data: bytes) -> str:
    if len(data) < 1_000:
        return f"{len(data)} bytes"
    return f"{len(data) / 1_000_000:.1f} MB" if len(data) >= 1_000_000 else f"{len(data) / 1_000:.0f} kB"
