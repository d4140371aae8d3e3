"""Which pitches of a portfolio are shown, in what order and with which columns: the fields, and a view's address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import streamlit as st

from analyzer.framework.ranking import Ranked
from analyzer.page.portfolio_work import PortfolioWork
from analyzer.page.session import session
from analyzer.runs.portfolio import FILTER_FIELDS, Filter, FilterField, PortfolioEntry, folded
from analyzer.views.assessment_content import SHOWN_VERDICTS
from analyzer.vocabulary.labels import word

_WORDS: Final = "portfolio_words"
_FIELD: Final = "portfolio_by_"
_CLEAN: Final = "portfolio_clean"
_SHORTLIST: Final = "portfolio_shortlist"
_SORT: Final = "portfolio_sort"
_COLUMNS: Final = "portfolio_columns"
_OWN: Final = "own:"
"""What the name of an order by one of the input's own columns begins with."""
_SHOWN_COLUMNS: Final = 3
"""Own columns that are shown at first."""
_LONGEST_WORDS: Final = 80
"""Characters of the words that an address holds: words to search for, never a pitch."""
_ALL: Final = "all"
_BY_RANK: Final = "rank"
_VERDICTS: Final = ("for", "balanced", "open", "against", "draft")


@dataclass(frozen=True, slots=True)
class _Order:
    """An order of the pitches. `key`: None = the pitch has nothing to sort by, and comes last."""

    label: str
    key: Callable[[int, PortfolioEntry, Ranked], Any]
    largest_first: bool = False


ORDERS: Final[Mapping[str, _Order]] = {
    _BY_RANK: _Order("Rank", lambda place, entry, ranked: place),
    "title": _Order("Pitch", lambda place, entry, ranked: folded(entry.title)),
    "position": _Order("Stage, focus", lambda place, entry, ranked: (entry.stage, entry.focus)),
    "verdict": _Order("Verdict", lambda place, entry, ranked: _VERDICTS.index(entry.verdict)),
    "overall": _Order("Overall", lambda place, entry, ranked: entry.overall.value, largest_first=True),
    "said": _Order("Said", lambda place, entry, ranked: entry.said, largest_first=True),
    "ranks": _Order("Ranks in 90%", lambda place, entry, ranked: (ranked.best, ranked.worst)),
    "ask": _Order("Ask first", lambda place, entry, ranked: folded(entry.ask) or None),
}


@dataclass(frozen=True, slots=True)
class View:
    """What a visitor looks at. `sort`: one of ORDERS, or one of the input's own columns."""

    filter: Filter = field(default_factory=Filter)
    shortlist: bool = False
    sort: str = _BY_RANK
    reverse: bool = False

    @property
    def narrows(self) -> bool:
        """Whether it leaves any pitch out."""
        return bool(self.filter.words.strip() or any(self.filter.chosen.values()) or self.filter.without_warnings) or (
            self.shortlist
        )

    def places(self, work: PortfolioWork) -> list[int]:
        """The places in the ranking of the pitches to show, in their order."""
        facts = Filter("", self.filter.chosen, self.filter.without_warnings)
        words = work.with_words(self.filter.words) if self.filter.words.strip() else None
        places = [
            place
            for place, (entry, _) in enumerate(work.ranked)
            if (words is None or place in words)
            and facts.matches(entry)
            and (not self.shortlist or work.ranked_item(place).result.number in work.shortlist)
        ]
        return self._ordered(work, places)

    def _ordered(self, work: PortfolioWork, places: Sequence[int]) -> list[int]:
        if self.sort.startswith(_OWN):
            name = self.sort.removeprefix(_OWN)
            cells = {place: work.ranked_item(place).columns.get(name) for place in places}
            keys, largest_first = _keys(cells), False
        else:
            order = ORDERS.get(self.sort, ORDERS[_BY_RANK])
            keys = {place: order.key(place, *work.ranked[place]) for place in places}
            largest_first = order.largest_first
        known = [place for place in places if keys[place] is not None]
        known.sort(key=lambda place: keys[place], reverse=largest_first != self.reverse)
        return known + [place for place in places if keys[place] is None]

    def parameters(self) -> dict[str, str]:
        """What the address says of it."""
        found = {name: value for name, value in self.filter.chosen.items() if value}
        if len(self.filter.words) <= _LONGEST_WORDS and self.filter.words.strip():
            found["words"] = self.filter.words
        flags = {"clean": self.filter.without_warnings, "shortlist": self.shortlist, "reverse": self.reverse}
        found |= {name: "yes" for name, value in flags.items() if value}
        return found if self.sort == _BY_RANK else {**found, "sort": self.sort}


def view() -> View:
    """What the visitor looks at now."""
    state = st.session_state
    chosen = {each.name: str(state.get(_FIELD + each.name) or "") for each in FILTER_FIELDS}
    filter_ = Filter(str(state.get(_WORDS) or ""), chosen, bool(state.get(_CLEAN)))
    return View(filter_, bool(state.get(_SHORTLIST)), str(state.get(_SORT) or _BY_RANK), session().portfolio.reverse)


def clear() -> None:
    """Drops all filters and the order: another portfolio has other pitches."""
    for key in (_WORDS, _CLEAN, _SHORTLIST, _SORT, _COLUMNS, *(_FIELD + each.name for each in FILTER_FIELDS)):
        st.session_state.pop(key, None)
    session().portfolio.reverse = False


def follow(parameters: Mapping[str, str], work: PortfolioWork) -> None:
    """Sets the fields as an address says; what does not fit is dropped. Call it before the fields are drawn."""
    state = st.session_state
    entries = [entry for entry, _ in work.ranked]
    for each in FILTER_FIELDS:
        value = parameters.get(each.name, "")
        state[_FIELD + each.name] = value if value in each.choices(entries) else ""
    state[_WORDS] = parameters.get("words", "")
    state[_CLEAN] = "clean" in parameters
    state[_SHORTLIST] = "shortlist" in parameters
    sort = parameters.get("sort", _BY_RANK)
    state[_SORT] = sort if sort in orders(work) else _BY_RANK
    session().portfolio.reverse = "reverse" in parameters


def orders(work: PortfolioWork) -> dict[str, str]:
    """The orders to choose from, with their labels."""
    own = {_OWN + name: name for name in work.own_columns()}
    return {name: order.label for name, order in ORDERS.items()} | own


def own_order(name: str) -> str:
    """The order by one of the input's own columns."""
    return _OWN + name


def sort_by(name: str) -> None:
    """Sorts by a column; a second time the other way around."""
    state = session().portfolio
    state.reverse = view().sort == name and not state.reverse
    st.session_state[_SORT] = name


def show_fields(work: PortfolioWork) -> None:
    """Draws the fields."""
    entries = [entry for entry, _ in work.ranked]
    named = orders(work)
    with st.container(horizontal=True, vertical_alignment="bottom", key="portfolio-filters"):
        where = "in title, id or pitch" if work.reads_pitches else "in title, id or columns"
        st.text_input("Words", key=_WORDS, placeholder=where, persist_state="session")
        for each in FILTER_FIELDS:
            _choice(each, entries)
        st.selectbox(
            "Sort by",
            list(named),
            key=_SORT,
            format_func=lambda name: _cut(named.get(str(name), str(name))),
            on_change=_in_order,
            persist_state="session",
        )
    with st.container(horizontal=True, vertical_alignment="center", key="portfolio-more"):
        st.checkbox("Without warnings", key=_CLEAN, persist_state="session")
        st.checkbox(f"Shortlist only ({len(work.shortlist):,})", key=_SHORTLIST, persist_state="session")
        st.button("Reverse the order", icon=":material/swap_vert:", on_click=_turn_around, type="tertiary")
        own = work.own_columns()
        if own:
            st.multiselect(
                "Columns of the file",
                own,
                default=own[:_SHOWN_COLUMNS],
                key=_COLUMNS,
                format_func=_cut,
                label_visibility="collapsed",
                placeholder="Columns of the file",
                persist_state="session",
            )


def shown_columns(work: PortfolioWork) -> list[str]:
    """The input's own columns to show."""
    own = work.own_columns()
    return [name for name in st.session_state.get(_COLUMNS, own[:_SHOWN_COLUMNS]) if name in own]


def _choice(each: FilterField, entries: Sequence[PortfolioEntry]) -> None:
    """One of the field's values; empty = all."""
    words = {str(name): text for name, text in SHOWN_VERDICTS.items()} if each.name == "verdict" else {}
    st.selectbox(
        each.label,
        ("", *each.choices(entries)),
        key=_FIELD + each.name,
        persist_state="session",
        format_func=lambda value: words.get(value) or (word(value) if value else _ALL),
    )


def _in_order() -> None:
    session().portfolio.reverse = False


def _turn_around() -> None:
    state = session().portfolio
    state.reverse = not state.reverse


def _keys(cells: Mapping[int, Any]) -> dict[int, Any]:
    """What to sort cells by: as numbers if all are, else as texts; None for an empty cell."""
    texts = {place: "" if cell is None else str(cell).strip() for place, cell in cells.items()}
    with suppress(ValueError):
        return {place: float(text.replace(",", "")) if text else None for place, text in texts.items()}
    return {place: folded(text) or None for place, text in texts.items()}


def _cut(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:40]}…"
