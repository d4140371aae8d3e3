"""The form for manual scores: one field per column, its draft, and saving it.

A draft is kept in the session for each pitch and rater, because Streamlit forgets the fields of a page that is not on
show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import streamlit as st

from analyzer.agreement.compared_signals import rule
from analyzer.errors import AnalyzerError, ManualError
from analyzer.files.cells import plain_cell
from analyzer.files.manual_scores import MEANINGS, VALUES, ManualScore, manual_csv, row_of
from analyzer.page.manual_scoring_task import (
    KEY,
    PITCH_SHA256,
    SCORED,
    ScoringTask,
    initial_value,
    not_looked_at,
    options_field,
    saved_time,
    scored_cells,
    show_outcome,
)
from analyzer.page.session import ManualScoringState, session
from analyzer.page.words import on_the_page
from analyzer.store.store import Store
from analyzer.views.html import tag
from analyzer.vocabulary.labels import capital, in_words, title, value_word
from analyzer.vocabulary.plain import explained
from analyzer.vocabulary.signals import SIGNALS, UNKNOWN

_OUTCOME: Final = "form"
_MOST_OPTIONS: Final = 12
"""Values that are shown one below the other; longer lists are folded into a box to choose from."""
_MOST_KEYS: Final = 9
"""Values that a digit can choose."""
_SILENT: Final = "The pitch is silent"
_NOT_YET: Final = "Not looked at yet"
_WORDS: Final = {UNKNOWN: _SILENT, "true": "Yes", "false": "No"}
_INSTRUCTIONS: Final = {
    "competitors": "One per line, or separated by semicolons. Leave empty if the pitch names none.",
    "overall": "Your own score from 0 to 100, if you want to give one. It changes no other field.",
}
_ALL, _ONE = "All signals", "One at a time"


def show_form(state: ManualScoringState, store: Store | None, task: ScoringTask, saved: ManualScore | None) -> None:
    """Draws how far the scores are, the fields, and the button to save."""
    draft = state.drafts.setdefault(task.key, _draft(task, saved))
    with st.container(key="scoring-progress"):
        st.html(tag("div", tag("p", _state(task, draft), class_="lead", role="status"), class_="pa"))
        st.progress(1 - len(not_looked_at(draft)) / len(VALUES))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            shown = options_field(state, "shown", "Show", (_ALL, _ONE), hidden=True)
            st.button(
                "Save",
                type="primary",
                key=f"{KEY}save",
                disabled=store is None,
                on_click=_save,
                args=(store, task),
                shortcut="Ctrl+S",
            )
        if task.key in state.asks:
            _ask(store, task, draft)
        show_outcome(state, _OUTCOME)
    if shown == _ONE:
        _show_one(state, task, draft)
    else:
        _show_all(state, task, draft)
    if store is None:
        _unsaved(task, draft)


def _show_all(state: ManualScoringState, task: ScoringTask, draft: Mapping[str, str]) -> None:
    """Every field, one below the other."""
    _field(state, task, "in_scope", _choice("in_scope", ("true", "false")))
    out = draft.get("in_scope") == "false"
    if out:
        note = "Out of scope: the framework does not apply, and the fields below are not saved."
        st.html(tag("p", note, class_="pa note", role="note"))
    for name, values in VALUES.items():
        _field(state, task, name, _choice(name, (UNKNOWN, *values)), out)
    _field(state, task, "competitors", _names_field, out)
    _field(state, task, "overall", _number_field, out)


def _show_one(state: ManualScoringState, task: ScoringTask, draft: Mapping[str, str]) -> None:
    """One field, with the way to the others; a value that is chosen leads to the next signal."""
    names = ["in_scope"] if draft.get("in_scope") == "false" else list(SCORED)
    open_ = not_looked_at(draft)
    name = state.signals.get(task.key) or (open_[0] if open_ else names[0])
    name = name if name in names else names[0]
    at = names.index(name)
    with st.container(horizontal=True, vertical_alignment="center", key="scoring-steps"):
        _step(task, "Previous signal", names[at - 1] if at else None, "P")
        _step(task, "Next signal", names[at + 1] if at + 1 < len(names) else None, "N")
        later = [each for each in open_ if each != name]
        _step(task, "Next not looked at", later[0] if later else None, "O")
        st.html(tag("p", f"{at + 1} of {len(names)}", class_="pa lead"), width="content")
    values = {"in_scope": ("true", "false")}.get(name) or ((UNKNOWN, *VALUES[name]) if name in VALUES else ())
    if values and len(values) <= _MOST_KEYS:
        _heading(name)
        after = names[at + 1] if at + 1 < len(names) else name
        for number, value in enumerate(values, 1):
            st.button(
                _in_one_line(name, value),
                key=f"{KEY}choose#{name}#{value}",
                type="primary" if draft.get(name) == value else "secondary",
                shortcut=str(number),
                on_click=_decide,
                args=(task.key, name, value, after),
                width="stretch",
                wrap=True,
            )
    elif values:
        _field(state, task, name, _choice(name, values))
    else:
        _field(state, task, name, _names_field if name == "competitors" else _number_field)


def _step(task: ScoringTask, label: str, name: str | None, key: str) -> None:
    st.button(label, disabled=name is None, shortcut=key, on_click=_turn, args=(task.key, name or ""))


def _turn(key: str, name: str) -> None:
    session().manual_scoring.signals[key] = name


def _decide(key: str, name: str, value: str, after: str) -> None:
    state = session().manual_scoring
    state.drafts.setdefault(key, {})[name] = value
    state.asks.discard(key)
    state.signals[key] = name if name == "in_scope" and value == "false" else after


def _draft(task: ScoringTask, saved: ManualScore | None) -> dict[str, str]:
    """What the form shows at first: the latest scores, or nothing."""
    if saved is None:
        return {"in_scope": "true"}
    cells = {name: cell for name, cell in task.history[-1].scores.items() if name in SCORED}
    return cells | {"competitors": "\n".join(saved.competitors or ())}


_Draw = Callable[[str, str, dict[str, Any]], None]
"""Draws a field from its label, its initial value, and the settings that all fields share."""


def _field(state: ManualScoringState, task: ScoringTask, name: str, draw: _Draw, out: bool = False) -> None:
    """One column: its title, its rule, and the field with the draft's value."""
    _heading(name, out)
    key = f"{KEY}{task.key}:{name}"
    first = initial_value(state, key, state.drafts[task.key].get(name, ""))
    settings = {"key": key, "on_change": _keep_value, "args": (task.key, name), "disabled": out}
    draw(title(name), first, settings | {"label_visibility": "collapsed"})


def _heading(name: str, out: bool = False) -> None:
    parts = [tag("h2", title(name), class_="minor")]
    if name in SIGNALS:
        parts.append(tag("p", SIGNALS[name].question, class_="lead"))
    if name in _INSTRUCTIONS:
        parts.append(tag("p", _INSTRUCTIONS[name], class_="lead"))
    if name != "overall":
        exact = [
            tag("li", tag("strong", capital(value_word(name, value))), f": {in_words(meaning)}")
            for value, meaning in MEANINGS.get(name, {}).items()
        ]
        decided = tag("p", in_words(rule(name)), class_="lead")
        parts.append(tag("details", tag("summary", "How to decide"), decided, tag("ul", *exact, class_="lead")))
    st.html(tag("div", *parts, class_="pa manual out" if out else "pa manual"))


def _keep_value(key: str, name: str) -> None:
    state = session().manual_scoring
    state.drafts.setdefault(key, {})[name] = st.session_state[f"{KEY}{key}:{name}"] or ""
    state.asks.discard(key)


def _shown(name: str, value: str) -> str:
    return _WORDS.get(value) or capital(value_word(name, value))


def _meant(name: str, value: str) -> str:
    """What a choice means, in plain words; the rules that decide are under How to decide."""
    if value == UNKNOWN:
        return "It does not say, or not clearly."
    return explained(name, {"true": "yes", "false": "no"}.get(value, value))


def _in_one_line(name: str, value: str) -> str:
    """A choice with its meaning, in one line."""
    return ": ".join(filter(None, (_shown(name, value), _meant(name, value))))


def _choice(name: str, values: Sequence[str]) -> _Draw:
    """A field for one of the values; nothing is chosen before the rater has looked."""

    def draw(label: str, first: str, settings: dict[str, Any]) -> None:
        at = values.index(first) if first in values else None
        if len(values) > _MOST_OPTIONS:
            st.selectbox(
                label,
                index=at,
                options=values,
                placeholder=_NOT_YET,
                format_func=partial(_in_one_line, name),
                **settings,
            )
        else:
            captions = [_meant(name, value) for value in values]
            st.radio(label, values, at, format_func=partial(_shown, name), captions=captions, **settings)

    return draw


def _names_field(label: str, first: str, settings: dict[str, Any]) -> None:
    st.text_area(label, first, height=100, **settings)


def _number_field(label: str, first: str, settings: dict[str, Any]) -> None:
    st.text_input(label, first, max_chars=12, placeholder="Optional", **settings)


def _state(task: ScoringTask, draft: Mapping[str, str]) -> str:
    """How far the scores are, and whether they are saved."""
    if draft.get("in_scope") == "false":
        text = "Out of scope."
    else:
        looked = len(VALUES) - len(not_looked_at(draft))
        silent = sum(draft.get(name) == UNKNOWN for name in VALUES)
        text = f"{looked} of {len(VALUES)} signals looked at" + (f", {silent} of them silent." if silent else ".")
    if not task.history:
        return f"{text} Not saved yet."
    try:
        changed = _cells(task, draft) != _saved_cells(task)
    except ManualError:
        changed = True
    return f"{text} Unsaved changes." if changed else f"{text} Saved {saved_time(task.history[-1].saved_at)}."


def _cells(task: ScoringTask, draft: Mapping[str, str]) -> dict[str, str]:
    """The draft as it is saved. Raises ManualError with everything that does not fit the vocabulary."""
    return scored_cells(_filled(task, draft), [name for name in VALUES if draft.get(name) == UNKNOWN])


def _saved_cells(task: ScoringTask) -> dict[str, str]:
    return {name: cell for name, cell in task.history[-1].scores.items() if name in SCORED}


def _filled(task: ScoringTask, draft: Mapping[str, str]) -> ManualScore:
    """The draft as a row. Raises ManualError with everything that does not fit the vocabulary."""
    cells = {"pitch_id": task.id, "rater": task.rater, "in_scope": draft.get("in_scope", "true")}
    if cells["in_scope"] == "true":
        cells |= {name: draft.get(name, "") for name in SCORED[1:]}
        cells["competitors"] = "; ".join(cells["competitors"].splitlines())
    else:
        cells |= dict.fromkeys(SCORED[1:], "")
    return row_of({name: plain_cell(cell) for name, cell in cells.items()}, "the form")


def _save(store: Store, task: ScoringTask) -> None:
    """Saves the draft if every signal was looked at; else asks what the others mean."""
    state = session().manual_scoring
    draft = state.drafts.setdefault(task.key, {})
    for name in SCORED:  # the field that this click left may not have reported yet
        key = f"{KEY}{task.key}:{name}"
        if key in st.session_state:
            draft[name] = st.session_state[key] or ""
    if not_looked_at(draft):
        state.asks.add(task.key)
    else:
        _write(store, task, draft)


def _ask(store: Store | None, task: ScoringTask, draft: dict[str, str]) -> None:
    """The question before scores are saved that are not complete."""
    left = len(not_looked_at(draft))
    what = "Nothing was looked at yet." if left == len(VALUES) else f"{left} signals were not looked at."
    with st.container(border=True, key="scoring-ask"):
        explained = (
            " If the pitch is silent on them all, save that: you then see the reading. Or save what you have, and go "
            "on another time: the reading stays hidden, and the file of your scores leaves this pitch out."
        )
        st.html(tag("p", tag("strong", what), explained, class_="pa", role="alert"))
        with st.container(horizontal=True):
            st.button(f"Silent on the other {left}: save", on_click=_save_as_silent, args=(store, task, draft))
            st.button("Save for later", on_click=_save_for_later, args=(store, task, draft))
            st.button("Go on scoring", on_click=_go_on, args=(task.key,))


def _save_as_silent(store: Store, task: ScoringTask, draft: dict[str, str]) -> None:
    for name in not_looked_at(draft):
        draft[name] = UNKNOWN
        st.session_state.pop(f"{KEY}{task.key}:{name}", None)
    _write(store, task, draft)


def _save_for_later(store: Store, task: ScoringTask, draft: dict[str, str]) -> None:
    _write(store, task, draft)


def _go_on(key: str) -> None:
    session().manual_scoring.asks.discard(key)


def _write(store: Store, task: ScoringTask, draft: Mapping[str, str]) -> None:
    """Saves the draft, unless the same is saved already."""
    state = session().manual_scoring
    state.asks.discard(task.key)
    try:
        cells = _cells(task, draft)
        if task.history and cells == _saved_cells(task):
            state.messages[_OUTCOME] = "Nothing has changed since the last save."
            return
        store.manual_scores.save(task.id, task.rater, cells | {PITCH_SHA256: task.pitch.ref.sha256 or ""})
        state.messages[_OUTCOME] = "Saved."
    except ManualError as error:
        state.errors[_OUTCOME] = "Not saved: " + "; ".join(each.partition(": ")[2] for each in error.faults)
    except AnalyzerError as error:
        state.errors[_OUTCOME] = f"Not saved: {on_the_page(error)}"


def _unsaved(task: ScoringTask, draft: Mapping[str, str]) -> None:
    """Offers what was filled in as a download, where it cannot be saved."""
    try:
        content = manual_csv([_filled(task, draft)])
    except ManualError:
        return
    st.download_button("Download this row (CSV)", content, "manual_scores.csv", "text/csv", on_click="ignore")
