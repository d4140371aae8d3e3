"""What of the page stands in its address, so that a reload, a bookmark or a colleague comes to the same place.

The sample, the reader, the tab, the signals set by hand, and the number of an assessment that is kept in History: that
is drawn by chance, says nothing of the pitch and opens to its owner only. Never a pasted pitch: an address is kept in
histories and logs, and passed on. Whatever does not fit is dropped; a link can have nothing read by a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import streamlit as st

from analyzer.errors import SignalsError
from analyzer.framework.edits import edited
from analyzer.vocabulary.signals import Signals

_SAMPLE, _READER, _TAB, _SET, _KEPT = "sample", "reader", "tab", "set", "kept"
_NAMES: Final = (_SAMPLE, _READER, _TAB, _SET, _KEPT)
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Link:
    """`changes` as for `framework.edits.edited`; `kept` as `Earlier.id`; None = the page's own choice."""

    sample: str | None = None
    reader: str | None = None
    tab: str | None = None
    changes: Mapping[str, str] = field(default_factory=dict)
    kept: str | None = None


def read() -> Link:
    """The place that the page's address names."""
    found = {name: st.query_params.get(name, "")[:_LONGEST] or None for name in _NAMES}
    pairs = (part.partition(":") for part in (found[_SET] or "").split(","))
    changes = {name: value for name, colon, value in pairs if name and colon}
    return Link(found[_SAMPLE], found[_READER], found[_TAB], changes, found[_KEPT])


def write(link: Link) -> None:
    """Puts the place into the address."""
    changes = ",".join(f"{name}:{value}" for name, value in link.changes.items())
    named = {_SAMPLE: link.sample, _READER: link.reader, _TAB: link.tab, _SET: changes, _KEPT: link.kept}
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
