"""Files that a visitor has chosen, for as long as the visit lasts.

Streamlit forgets the files of a field that is not on show. Here they are kept with the visit, and a field that comes
back empty says which files are still chosen and lets the visitor remove them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from analyzer.agreement.extracted import Upload
from analyzer.views.html import tag


@dataclass(slots=True)
class _Chosen:
    """The files of one field: those that it shows, and those chosen before it was last drawn anew."""

    shown: list[Upload] = field(default_factory=list)
    earlier: list[Upload] = field(default_factory=list)
    drawn: int = 0
    """Counts up to give the field a new, empty life."""

    def files(self) -> list[Upload]:
        """All that count, each once."""
        return [*(file for file in self.earlier if file not in self.shown), *self.shown]


Then = Callable[[], None]
"""What is called when the files of a field change."""


def one(
    label: str, key: str, types: Sequence[str], largest: int, *, then: Then | None = None, **options: Any
) -> Upload | None:
    """A field for one file of up to `largest` megabytes; the file that is chosen."""
    return next(iter(_field(label, key, then, type=list(types), max_upload_size=largest, **options)), None)


def several(
    label: str, key: str, types: Sequence[str], largest: int, *, then: Then | None = None, **options: Any
) -> list[Upload]:
    """A field for files of up to `largest` megabytes each; those that are chosen, the earliest first."""
    options |= {"type": list(types), "max_upload_size": largest, "accept_multiple_files": True}
    return _field(label, key, then, **options)


def chosen(key: str) -> Upload | None:
    """The file that is chosen in a field for one."""
    return next(iter(_chosen(key).files()), None)


def clear(key: str) -> None:
    """Empties a field."""
    before = _chosen(key)
    _all()[key] = _Chosen(drawn=before.drawn + 1)


def _field(label: str, key: str, then: Then | None, **options: Any) -> list[Upload]:
    kept = _chosen(key)
    widget = f"{key}:{kept.drawn}"
    if widget not in st.session_state:
        kept.earlier, kept.shown = kept.files(), []
    st.file_uploader(label, key=widget, on_change=_take, args=(key, widget, then), **options)
    for number, file in enumerate(kept.earlier):
        with st.container(horizontal=True, vertical_alignment="center", key=f"{widget}:earlier-{number}"):
            named = tag("span", file.name, class_="alien")
            st.html(tag("p", "Still chosen: ", named, f" ({_size(file.data)})", class_="pa lead"), width="content")
            st.button(
                "Remove", key=f"{widget}:remove-{number}", on_click=_remove, args=(key, number, then), type="tertiary"
            )
    return kept.files()


def _take(key: str, widget: str, then: Then | None) -> None:
    found = st.session_state[widget]
    files = found if isinstance(found, list) else [found] if found is not None else []
    kept = _chosen(key)
    kept.shown = [Upload(file.name, file.getvalue()) for file in files]
    if not isinstance(found, list):
        kept.earlier = []  # one file takes the place of another
    if then is not None:
        then()


def _remove(key: str, number: int, then: Then | None) -> None:
    del _chosen(key).earlier[number]
    if then is not None:
        then()


def _chosen(key: str) -> _Chosen:
    return _all().setdefault(key, _Chosen())


def _all() -> dict[str, _Chosen]:
    kept: dict[str, _Chosen] = st.session_state.setdefault("uploads", {})
    return kept


def _size(data: bytes) -> str:
    if len(data) < 1_000:
        return f"{len(data)} bytes"
    return f"{len(data) / 1_000_000:.1f} MB" if len(data) >= 1_000_000 else f"{len(data) / 1_000:.0f} kB"
