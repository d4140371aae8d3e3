"""What the page's address holds, so that a reload, a bookmark or a colleague comes to the same place.

The sample, the reader, the tab, the edited signals, and the id of an assessment saved in History: a random number that
opens for its owner only. Never a pasted pitch: browsers and servers log addresses, and people pass them on. Whatever
does not fit is dropped; opening a link never asks a model that costs.
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

_SAMPLE, _READER, _TAB, _SET, _SAVED = "sample", "reader", "tab", "set", "saved"
_NAMES: Final = (_SAMPLE, _READER, _TAB, _SET, _SAVED)
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Link:
    """`changes` as for `framework.edits.edited`; `saved`: an id in History; None = the page's own choice."""

    sample: str | None = None
    reader: str | None = None
    tab: str | None = None
    changes: Mapping[str, str] = field(default_factory=dict)
    saved: str | None = None


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


def read() -> Link:
    """Reads the page's address."""
    found = {name: st.query_params.get(name, "")[:_LONGEST] or None for name in _NAMES}
    pairs = (part.partition(":") for part in (found[_SET] or "").split(","))
    changes = {name: value for name, colon, value in pairs if name and colon}
    return Link(found[_SAMPLE], found[_READER], found[_TAB], changes, found[_SAVED])


def write(link: Link) -> None:
    """Writes the page's address."""
    changes = ",".join(f"{name}:{value}" for name, value in link.changes.items())
    show({_SAMPLE: link.sample, _READER: link.reader, _TAB: link.tab, _SET: changes, _SAVED: link.saved})


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
