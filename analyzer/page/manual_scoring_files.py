"""Saved manual scores: their history, the download as CSV, and importing a CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import streamlit as st

from analyzer.errors import AnalyzerError, InputError
from analyzer.files.manual_scores import VALUES, ManualScore, ManualScores, manual_csv, parse_manual
from analyzer.page import uploads
from analyzer.page.manual_scoring_task import (
    KEY,
    SCORED,
    not_looked_at,
    options_field,
    saved_row,
    saved_time,
    scored_cells,
    show_outcome,
    status,
    table,
)
from analyzer.page.pitch_field import named
from analyzer.page.session import ManualScoringState, session
from analyzer.page.words import on_the_page, show_error
from analyzer.store.manual_scores import SavedManualScores
from analyzer.store.store import Store
from analyzer.views.html import Html, tag
from analyzer.vocabulary.labels import how_many, title, value_word, word
from analyzer.vocabulary.signals import UNKNOWN

_CSV: Final = "scoring_csv"
_OUTCOME: Final = "csv"
_LARGEST_CSV: Final = 10
"""Megabytes of an uploaded CSV."""


def history_table(history: Sequence[SavedManualScores]) -> Html:
    """Every save: when, and what changed."""
    count = f"saved {len(history)} times" if len(history) > 1 else "saved once"
    rows = [[saved_time(history[0].saved_at), _first_save(history[0])]]
    rows += [[saved_time(entry.saved_at), _changes(before.scores, entry.scores)] for before, entry in pairwise(history)]
    lead = "Before the first save this page shows no reader's values; later edits may be influenced by them."
    return tag(
        "details",
        tag("summary", f"History of edits: {count}"),
        tag("p", lead, class_="lead"),
        table(("Saved", "What changed"), rows, "History of edits"),
        class_="pa hand-history",
    )


def _first_save(entry: SavedManualScores) -> str:
    count = len(VALUES) - len(not_looked_at(entry.scores))
    scope = "out of scope" if entry.scores.get("in_scope") == "false" else f"{count} of {len(VALUES)} signals looked at"
    return f"First saved: {scope}"


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    changed = [name for name in SCORED if before.get(name, "") != after.get(name, "")]
    changes = [f"{title(name)}: {_cell(name, before)} \N{RIGHTWARDS ARROW} {_cell(name, after)}" for name in changed]
    return "; ".join(changes) or "Nothing"


def _cell(name: str, scores: Mapping[str, str]) -> str:
    cell = scores.get(name, "")
    if name in ("competitors", "overall"):
        return cell or word(UNKNOWN)
    return {"": "not looked at", UNKNOWN: "the pitch is silent"}.get(cell) or value_word(name, cell)


def show_files(state: ManualScoringState, store: Store | None, rater: str, own: Sequence[SavedManualScores]) -> None:
    if store is None:
        return
    st.html(tag("section", tag("h2", "Download your scores"), _progress(rater, own), class_="pa"))
    with st.container(horizontal=True, gap="large"):
        whose = options_field(state, "whose", "Raters", ["Mine", "All raters"])
        explained = "First: the scores from before the reader's values were shown. Use these to measure agreement."
        which = options_field(state, "which", "Version", ["Latest", "First"], explained)
    try:
        entries = own if whose == "Mine" else store.manual_scores.versions()
        finished = [entry for entry in entries if status(entry.scores) == "scored"]
        ordered = finished if which == "Latest" else finished[::-1]
        chosen = {(entry.pitch_id, entry.rater): entry for entry in ordered}
        content = manual_csv(saved_row(chosen[key]) for key in sorted(chosen))
    except AnalyzerError as error:
        show_error("Not exported", error)
        return
    label = f"Manual scores (CSV), {how_many(len(chosen), 'row')}"
    st.download_button(
        label, content, "manual_scores.csv", "text/csv", on_click="ignore", disabled=not chosen, key=f"{KEY}download"
    )
    if rater:
        _import_field(state, store, rater, own)


def _progress(rater: str, own: Sequence[SavedManualScores]) -> Html:
    if not own:
        note = f"{rater} has saved nothing yet." if rater else "Enter a rater's name to see their scores."
        return tag("p", note, class_="lead")
    latest = {entry.pitch_id: status(entry.scores) for entry in own}
    pitches, begun = ([id_ for id_, how in latest.items() if how == what] for what in ("scored", "begun"))
    count = how_many(len(pitches), "pitch", "pitches")
    text = f"{rater} has scored {count}" + (f": {'; '.join(map(named, pitches))}." if pitches else ".")
    if begun:
        text += f" Begun, and not in the file: {'; '.join(map(named, begun))}."
    return tag("p", tag("span", text, class_="alien"), class_="lead")


def _import_field(state: ManualScoringState, store: Store, rater: str, own: Sequence[SavedManualScores]) -> None:
    """Imports scores from a CSV, only this rater's rows."""
    with st.expander("Import a CSV"):
        file = uploads.one_file("Manual scores", _CSV, ["csv"], _LARGEST_CSV)
        if file is not None:
            try:
                rows, summary = _to_import(parse_manual(file.data, file.name), rater, own)
            except AnalyzerError as error:
                show_error("Not imported", error)
            else:
                st.html(tag("div", tag("p", summary, class_="lead"), class_="pa"))
                st.button("Import", disabled=not rows, on_click=_import_rows, args=(store, rows))
        show_outcome(state, _OUTCOME)


def _to_import(scores: ManualScores, rater: str, own: Sequence[SavedManualScores]) -> tuple[list[ManualScore], str]:
    """This rater's rows that are new or differ, and a summary of what happens to all rows. Raises InputError."""
    latest = {entry.pitch_id: {**entry.scores} for entry in own}
    mine = [row for row in scores.rows if row.rater == rater]
    if not mine:
        raters = ", ".join(sorted({row.rater for row in scores.rows}))
        raise InputError(f"{scores.source} has no row by {rater}; it has rows by {raters[:200]}")
    rows = [
        row for row in mine if _imported(row) != {k: v for k, v in latest.get(row.pitch, {}).items() if k in SCORED}
    ]
    are = "is" if len(rows) == 1 else "are"
    parts = [f"{len(rows)} of {how_many(len(mine), 'row')} of {rater} {are} new or different from what is saved."]
    if others := len(scores.rows) - len(mine):
        parts.append(f"{how_many(others, 'row of other raters is', 'rows of other raters are')} skipped.")
    return rows, " ".join([*parts, *(f"{note}." for note in scores.notes)])


def _imported(row: ManualScore) -> dict[str, str]:
    """A row of a CSV as it is saved: there, an empty cell says that the pitch is silent."""
    return scored_cells(row, [name for name in VALUES if row.values.get(name, UNKNOWN) == UNKNOWN])


def _import_rows(store: Store, rows: Sequence[ManualScore]) -> None:
    state = session().manual_scoring
    imported = 0
    try:
        for row in rows:
            store.manual_scores.save(row.pitch, row.rater, _imported(row))
            imported += 1
        state.messages[_OUTCOME] = f"{how_many(imported, 'row')} imported."
    except AnalyzerError as error:
        state.errors[_OUTCOME] = f"{imported} of {len(rows)} rows imported, then: {on_the_page(error)}"
    state.drafts.clear()
    for key in [key for key in st.session_state if str(key).startswith(KEY) and str(key).count(":") == 2]:
        del st.session_state[key]
