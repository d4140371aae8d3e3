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

from analyzer.errors import SignalsError
from analyzer.framework.edits import edited
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


def read() -> Link:
    """Reads the page's address."""
    found = {name: st.query_params.get(name, "")[:_LONGEST] or None for name in _NAMES}
    pairs = (part.partition(":") for part in (found[_SET] or "").split(","))
    changes = {name: value for name, colon, value in pairs if name and colon}
    return Link(found[_SAMPLE], found[_READER], found[_TAB], changes, found[_SAVED])


def write(link: Link) -> None:
    """Writes the page's address."""
    changes = ",".join(f"{name}:{value}" for name, value in link.changes.items())
    named = {_SAMPLE: link.sample, _READER: link.reader, _TAB: link.tab, _SET: changes, _SAVED: link.saved}
    wanted = {name: value for name, value in named.items() if value}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


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
