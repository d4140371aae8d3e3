"""What the page's address holds, so that a reload, Back and Forward, a bookmark or a colleague come to the same place.

On every page: `newly_opened` says that the visitor came to this address, `parameters` reads it, `put` writes it; each
address that `put` writes is a step that Back undoes. For one pitch (`Link`): the sample, the reader, the tab, the
edited signals, and an id: of an assessment saved in History, which opens for its owner only, or of one in this server's
memory. Never a pasted pitch: browsers and servers log addresses, and people pass them on. Whatever does not fit is
dropped; opening a link never asks a model that costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from analyzer.errors import SignalsError
from analyzer.framework.edits import edited
from analyzer.page.session import session
from analyzer.vocabulary.signals import Signals

_SAMPLE, _READER, _TAB, _SET, _SAVED, _HELD = "sample", "reader", "tab", "set", "saved", "analysis"
_LONGEST: Final = 2_000


def newly_opened(page: str) -> bool:
    """Whether the visitor came to this page by its address: once a visit, and at each Back or Forward. Call it once a
    run."""
    visit, context = session(), get_script_run_ctx()
    first = page not in visit.opened
    visit.opened.add(page)
    return first or (context is not None and context.is_history_navigation)


def parameters() -> dict[str, str]:
    """The parameters of the address, cut where they are longer than any of ours."""
    return {name: value[:_LONGEST] for name, value in st.query_params.to_dict().items()}


def put(wanted: Mapping[str, str | None]) -> None:
    """Makes these the parameters of the address; empty ones are left out. A new address is a step for Back."""
    filled = {name: value for name, value in wanted.items() if value}
    if st.query_params.to_dict() != filled:
        st.query_params.from_dict(filled)


@dataclass(frozen=True, slots=True)
class Link:
    """`changes` as for `framework.edits.edited`; `saved`: an id in History; `held`: an id in this server's memory;
    None = the page's own choice."""

    sample: str | None = None
    reader: str | None = None
    tab: str | None = None
    changes: Mapping[str, str] = field(default_factory=dict)
    saved: str | None = None
    held: str | None = None

    @property
    def place(self) -> tuple[str | None, str | None, str | None]:
        """Which pitch it leads to, whatever is done there."""
        return self.sample, self.saved, self.held


def read() -> Link:
    """Reads the address of the page for one pitch."""
    found = parameters()
    pairs = (part.partition(":") for part in found.get(_SET, "").split(","))
    changes = {name: value for name, colon, value in pairs if name and colon}
    sample, reader, tab, saved, held = (found.get(name) or None for name in (_SAMPLE, _READER, _TAB, _SAVED, _HELD))
    return Link(sample, reader, tab, changes, saved, held)


def write(link: Link) -> None:
    """Writes the address of the page for one pitch."""
    changes = ",".join(f"{name}:{value}" for name, value in link.changes.items())
    named = {_SAMPLE: link.sample, _READER: link.reader, _TAB: link.tab, _SET: changes}
    put({**named, _SAVED: link.saved, _HELD: link.held})


def fitting(read_: Signals, changes: Mapping[str, str]) -> dict[str, str]:
    """Those of the changes that these signals can take."""
    fit: dict[str, str] = {}
    for name, value in changes.items():
        try:
            if edited(read_, {name: value}) != read_:
                fit[name] = value
        except SignalsError:
            continue
    return fit
