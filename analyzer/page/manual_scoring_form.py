"""The form for manual scores: one field per column, its draft, and saving it.

A draft is kept in the session for each pitch and rater, because Streamlit forgets the fields of a page that is not on
show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from analyzer.agreement.compared_signals import rule
from analyzer.errors import AnalyzerError, ManualError
from analyzer.files.cells import plain_cell
from analyzer.files.manual_scores import MEANINGS, VALUES, ManualScore, cells_of, manual_csv, row_of
from analyzer.page.manual_scoring_task import (
    KEY,
    PITCH_SHA256,
    SCORED,
    ScoringTask,
    initial_value,
    saved_time,
    scored_cells,
    show_outcome,
)
from analyzer.page.session import ManualScoringState, session
from analyzer.store.store import Store
from analyzer.views.html import tag
from analyzer.vocabulary.labels import capital, title, word

_OUTCOME: Final = "form"
_MOST_OPTIONS: Final = 12
"""Values that are shown one below the other; longer lists are folded into a box to choose from."""
_WORDS: Final = {"": "Not stated", "true": "Yes", "false": "No"}
_INSTRUCTIONS: Final = {
    "competitors": "One per line, or separated by semicolons. Leave empty if the pitch names none.",
    "overall": "Your own score from 0 to 100, if you want to give one. It changes no other field.",
}


def show_form(state: ManualScoringState, store: Store | None, task: ScoringTask, saved: ManualScore | None) -> None:
    draft = state.drafts.setdefault(task.key, _draft(saved))
    _field(state, task, "in_scope", _choice(("true", "false")))
    out = draft.get("in_scope") == "false"
    if out:
        note = "Out of scope: the framework does not apply, and the fields below are not saved."
        st.html(tag("p", note, class_="pa note", role="note"))
    for name, values in VALUES.items():
        _field(state, task, name, _choice(("", *values), MEANINGS.get(name, {})), out)
    _field(state, task, "competitors", _names_field, out)
    _field(state, task, "overall", _number_field, out)
    st.html(tag("div", tag("p", _state(task, draft, saved), class_="lead", role="status"), class_="pa"))
    st.button(
        "Save", type="primary", key=f"{KEY}save", disabled=store is None, on_click=_save, args=(store, task, saved)
    )
    if store is None:
        _unsaved(task, draft)
    show_outcome(state, _OUTCOME)


def _draft(saved: ManualScore | None) -> dict[str, str]:
    """What the form shows at first: the latest scores, or nothing."""
    if saved is None:
        return {"in_scope": "true"}
    return {name: cell for name, cell in cells_of(saved).items() if name in SCORED} | {
        "competitors": "\n".join(saved.competitors or ())
    }


_Draw = Callable[[str, str, dict[str, Any]], None]
"""Draws a field from its label, its initial value, and the settings that all fields share."""


def _field(state: ManualScoringState, task: ScoringTask, name: str, draw: _Draw, out: bool = False) -> None:
    """One column: its title, its rule, and the field with the draft's value."""
    rule_text = rule(name) if name != "overall" else ""
    lines = [tag("p", text, class_="lead") for text in (rule_text, _INSTRUCTIONS.get(name, "")) if text]
    st.html(tag("div", tag("h4", title(name)), *lines, class_="pa by-hand out" if out else "pa by-hand"))
    key = f"{KEY}{task.key}:{name}"
    first = initial_value(state, key, state.drafts[task.key].get(name, ""))
    settings = {"key": key, "on_change": _keep_value, "args": (task.key, name), "disabled": out}
    draw(title(name), first, settings | {"label_visibility": "collapsed"})


def _keep_value(key: str, name: str) -> None:
    session().manual_scoring.drafts.setdefault(key, {})[name] = st.session_state[f"{KEY}{key}:{name}"]


def _choice(values: Sequence[str], meanings: Mapping[str, str] | None = None) -> _Draw:
    def shown(value: str) -> str:
        return _WORDS.get(value) or capital(word(value))

    def meant(value: str) -> str:
        return (meanings or {}).get(value, "" if value else "the pitch does not say")

    def draw(label: str, first: str, settings: dict[str, Any]) -> None:
        if len(values) > _MOST_OPTIONS:
            st.selectbox(
                label,
                index=values.index(first),
                options=values,
                format_func=lambda value: ": ".join(filter(None, (shown(value), meant(value)))),
                **settings,
            )
        else:
            captions = None if meanings is None else [meant(value) for value in values]
            at = values.index(first)
            st.radio(label, values, at, format_func=shown, captions=captions, horizontal=meanings is None, **settings)

    return draw


def _names_field(label: str, first: str, settings: dict[str, Any]) -> None:
    st.text_area(label, first, height=100, **settings)


def _number_field(label: str, first: str, settings: dict[str, Any]) -> None:
    st.text_input(label, first, max_chars=12, placeholder="Optional", **settings)


def _state(task: ScoringTask, draft: Mapping[str, str], saved: ManualScore | None) -> str:
    """How far the scores are, and whether they are saved."""
    count = sum(bool(draft.get(name)) for name in VALUES)
    text = f"{count} of {len(VALUES)} signals have a value; the others count as not stated."
    if draft.get("in_scope") == "false":
        text = "Out of scope."
    try:
        if saved is not None and cells_of(_filled(task, draft)) != cells_of(saved):
            return f"{text} Unsaved changes."
    except ManualError:
        return f"{text} Unsaved changes."
    return f"{text} Not saved yet." if saved is None else f"{text} Saved {saved_time(task.history[-1].saved_at)}."


def _filled(task: ScoringTask, draft: Mapping[str, str]) -> ManualScore:
    """The draft as a row. Raises ManualError with everything that does not fit the vocabulary."""
    cells = {"pitch_id": task.id, "rater": task.rater, "in_scope": draft.get("in_scope", "true")}
    if cells["in_scope"] == "true":
        cells |= {name: draft.get(name, "") for name in SCORED[1:]}
        cells["competitors"] = "; ".join(cells["competitors"].splitlines())
    else:
        cells |= dict.fromkeys(SCORED[1:], "")
    return row_of({name: plain_cell(cell) for name, cell in cells.items()}, "the form")


def _save(store: Store, task: ScoringTask, saved: ManualScore | None) -> None:
    """Saves the draft, unless the same is saved already."""
    state = session().manual_scoring
    shown = {name: st.session_state[f"{KEY}{task.key}:{name}"] for name in SCORED}
    state.drafts[task.key] = shown  # the field that this click left may not have reported yet
    try:
        row = _filled(task, shown)
        if saved is not None and cells_of(saved) == cells_of(row):
            state.messages[_OUTCOME] = "Nothing has changed since the last save."
            return
        store.manual_scores.save(task.id, task.rater, scored_cells(row) | {PITCH_SHA256: task.pitch.ref.sha256 or ""})
        state.messages[_OUTCOME] = "Saved."
    except ManualError as error:
        state.errors[_OUTCOME] = "Not saved: " + "; ".join(each.partition(": ")[2] for each in error.faults)
    except AnalyzerError as error:
        state.errors[_OUTCOME] = f"Not saved: {error}"


def _unsaved(task: ScoringTask, draft: Mapping[str, str]) -> None:
    """Offers what was filled in as a download, where it cannot be saved."""
    try:
        content = manual_csv([_filled(task, draft)])
    except ManualError:
        return
    st.download_button("Download this row (CSV)", content, "manual_scores.csv", "text/csv", on_click="ignore")
