"""One manual scoring task: a pitch, a rater and their saved scores; and what the parts of the page share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from analyzer.files.cells import plain_cell
from analyzer.files.manual_scores import COLUMNS, VALUES, ManualScore, cells_of, row_of
from analyzer.page.assessment import scrolling
from analyzer.page.session import ManualScoringState, session
from analyzer.page.words import on_the_page
from analyzer.reading.pitch import Pitch
from analyzer.store.manual_scores import SavedManualScores
from analyzer.views.html import Html, literal, tag
from analyzer.views.times import moment
from analyzer.vocabulary.signals import UNKNOWN

KEY: Final = "manual:"
"""What the keys of this page's fields begin with; those of the form go on with the task and the column."""
SCORED: Final = COLUMNS[2:]
"""The columns that a rater fills in."""
PITCH_SHA256: Final = "pitch_sha256"


@dataclass(frozen=True, slots=True)
class ScoringTask:
    """One pitch for one rater. `history`: what this rater has saved under the pitch's id, the oldest first."""

    pitch: Pitch
    id: str
    rater: str
    history: Sequence[SavedManualScores] = ()

    @property
    def key(self) -> str:
        """A key that is unique for any names."""
        return hashlib.sha256("\0".join((self.pitch.ref.sha256 or "", self.id, self.rater)).encode()).hexdigest()[:16]

    @property
    def other_text(self) -> bool:
        """Whether the scores saved under this id belong to another text."""
        return bool(self.history) and self.history[-1].scores.get(PITCH_SHA256, self.pitch.ref.sha256) != (
            self.pitch.ref.sha256
        )

    @property
    def complete(self) -> bool:
        """Whether the rater has looked at every signal and saved that."""
        return bool(self.history) and not self.other_text and status(self.history[-1].scores) == "scored"

    @property
    def saved(self) -> ManualScore | None:
        """The latest scores. Raises ManualError if they do not fit the current vocabulary."""
        return saved_row(self.history[-1]) if self.history and not self.other_text else None


def saved_row(entry: SavedManualScores) -> ManualScore:
    """Saved scores as a row. Raises ManualError if they do not fit the current vocabulary."""
    cells = {"pitch_id": plain_cell(entry.pitch_id), "rater": plain_cell(entry.rater)}
    cells |= {name: cell for name, cell in entry.scores.items() if name in SCORED}
    return row_of(cells, f"{entry.pitch_id} by {entry.rater}, saved {saved_time(entry.saved_at)}")


def scored_cells(row: ManualScore, silent: Sequence[str]) -> dict[str, str]:
    """A row as it is saved: `unknown` where the rater says that the pitch is silent, empty where nobody has looked."""
    cells = {name: cell for name, cell in cells_of(row).items() if name in SCORED}
    return cells | {name: UNKNOWN for name in silent if row.in_scope}


def not_looked_at(scores: Mapping[str, str]) -> list[str]:
    """The signals that a rater has not looked at; none out of scope, where nothing else counts."""
    return [name for name in VALUES if not scores.get(name)] if scores.get("in_scope", "true") == "true" else []


def status(scores: Mapping[str, str]) -> str:
    """How far saved scores are: scored, or begun."""
    return "begun" if not_looked_at(scores) else "scored"


def saved_time(saved_at: str) -> str:
    """Date and time on the visitor's clock."""
    return moment(saved_at, st.context.timezone)


def lasting_field(state: ManualScoringState, name: str, default: Any) -> tuple[Any, dict[str, Any]]:
    """The initial value of a field, and the settings with which it keeps its value while another page is open."""
    key = f"{KEY}{name}"
    return initial_value(state, key, state.fields.get(name, default)), {
        "key": key,
        "on_change": _keep_field,
        "args": (name,),
    }


def initial_value(state: ManualScoringState, key: str, value: Any) -> Any:
    """The initial value of a field, the same as long as the field is on the page. A field that gets its value this way
    and not through `st.session_state` shows it even if a click ends the run in which it appears."""
    if key not in st.session_state:
        state.initial[key] = value
    return state.initial.get(key, value)


def _keep_field(name: str) -> None:
    session().manual_scoring.fields[name] = st.session_state[f"{KEY}{name}"]


def options_field(
    state: ManualScoringState,
    name: str,
    label: str,
    options: Sequence[str],
    help: str | None = None,
    *,
    hidden: bool = False,
) -> str:
    """One of the options; `hidden`: its label is for those who cannot see the page."""
    first, settings = lasting_field(state, name, options[0])
    if hidden:
        settings["label_visibility"] = "collapsed"
    return st.radio(label, options, index=options.index(first), horizontal=True, help=help, **settings) or options[0]


def show_outcome(state: ManualScoringState, place: str) -> None:
    """Says, once, what came of the last click in this place of the page."""
    error, message = state.errors.pop(place, ""), state.messages.pop(place, "")
    if error:
        st.error(literal(on_the_page(error)))
    elif message:
        st.success(message)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], name: str) -> Html:
    head = tag("tr", *(tag("th", text, scope="col", class_="alien") if text else tag("td") for text in heads))
    body = [tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows]
    return scrolling(tag("table", tag("thead", head), tag("tbody", *body)), name)
