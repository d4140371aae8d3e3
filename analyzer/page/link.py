"""What the page's address holds, so that a reload, Back and Forward, a bookmark or a colleague come to the same place.

For one pitch the sample, the reader, the tab, the edited signals, and an id, a random number: of an assessment saved in
History, which opens for its owner only, or of one in this server's memory, which may still be read. Never a pasted
pitch: browsers and servers log addresses, and people pass them on. Whatever does not fit is dropped; opening a link
never asks a model that costs.
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

_SAMPLE, _READER, _TAB, _SET, _SAVED, _HELD, _READ = "sample", "reader", "tab", "set", "saved", "analysis", "reading"
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Link:
    """`changes` as for `framework.edits.edited`; `saved`: an id in History; `held`: an id in this server's memory, of
    what was read; `reading`: of what is still being read; None = the page's own choice."""

    sample: str | None = None
    reader: str | None = None
    tab: str | None = None
    changes: Mapping[str, str] = field(default_factory=dict)
    saved: str | None = None
    held: str | None = None
    reading: str | None = None

    @property
    def place(self) -> tuple[str | None, ...]:
        """Which pitch it leads to, whatever is done there."""
        return self.sample, self.saved, self.held, self.reading


def arrival(page: str) -> Mapping[str, str] | None:
    """The parameters of the address, by which the visitor came to this place of the page: a link, a reload, another
    tab, Back or Forward. None where the visitor came by a click: then the session says what the page shows.

    `page`: a name that is the same for every run of the page. Call it once a run, outside fragments.
    """
    visit = session()
    first, visit.pages = page not in visit.pages, visit.pages | {page}
    found = {name: value[:_LONGEST] for name, value in st.query_params.to_dict().items()}
    return found if came_by_history() or (first and found) else None


def came_by_history() -> bool:
    """Whether this run answers the browser's Back or Forward."""
    context = get_script_run_ctx()
    return context is not None and bool(context.is_history_navigation)


def show(parameters: Mapping[str, str | None]) -> None:
    """Gives the page this address; parameters without a value are left out. A new address is a step that Back undoes;
    in a run that answers Back or Forward it takes the place of the current one."""
    wanted = {name: value for name, value in parameters.items() if value}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def read(found: Mapping[str, str]) -> Link:
    """What the address of the page for one pitch means."""
    pairs = (part.partition(":") for part in found.get(_SET, "").split(","))
    changes = {name: value for name, colon, value in pairs if name and colon}
    sample, reader, tab = (found.get(name) or None for name in (_SAMPLE, _READER, _TAB))
    return Link(sample, reader, tab, changes, *(found.get(name) or None for name in (_SAVED, _HELD, _READ)))


def write(link: Link) -> None:
    """Gives the page for one pitch its address."""
    changes = ",".join(f"{name}:{value}" for name, value in link.changes.items())
    named = {_SAMPLE: link.sample, _READER: link.reader, _TAB: link.tab, _SET: changes}
    show({**named, _SAVED: link.saved, _HELD: link.held, _READ: link.reading})


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
