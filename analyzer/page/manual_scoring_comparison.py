"""Saved manual scores next to what a reader extracted from the same pitch, value by value."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import streamlit as st

from analyzer.agreement.compared_signals import SCOPE, extracted_value
from analyzer.agreement.comparison import compare
from analyzer.agreement.records import Comparison, Disagreement
from analyzer.errors import AnalyzerError
from analyzer.files.manual_scores import VALUES, ManualScore, ManualScores
from analyzer.framework.assessment import Assessment
from analyzer.page.analysis import Analysis, is_done, outcome, show_progress, start_analysis
from analyzer.page.manual_scoring_task import ScoringTask, table
from analyzer.page.session import ManualScoringState, session
from analyzer.page.words import show_error
from analyzer.reading.pitch import Pitch
from analyzer.reading.readers import choose
from analyzer.settings import Settings, asks_a_server
from analyzer.views import comparison as views
from analyzer.views.assessment_content import provenance
from analyzer.views.html import Html, literal, tag
from analyzer.vocabulary.labels import capital, in_words, title
from analyzer.vocabulary.plain import explained
from analyzer.vocabulary.signals import UNKNOWN

_DRAWS: Final = 100
"""The fewest that a comparison takes; intervals for one pitch mean nothing and are not shown."""


def show_comparison(state: ManualScoringState, task: ScoringTask, saved: ManualScore) -> None:
    """Draws the comparison. A model that costs is asked only at a click."""
    try:
        analysis = _analysis(state, task)
        if analysis is None:
            return
        if not is_done(analysis):
            show_progress(analysis)
            return
        found = outcome(analysis)
        if found is None:  # cancelled here, so the page for one pitch does not say so
            session().cancelled_after = None
            state.analyses.pop(task.key)
            st.rerun()
        if isinstance(found, AnalyzerError):
            raise found
        reader = found.provenance.reader.model or "reader"
        compared = compare({reader: [found]}, ManualScores("the form", (saved,)), draws=_DRAWS)
    except AnalyzerError as error:
        state.analyses.pop(task.key, None)
        show_error("Your scores cannot be compared", error)
        return
    st.html(_compared(compared, found, saved, analysis.notes))


def _analysis(state: ManualScoringState, task: ScoringTask) -> Analysis | None:
    """The analysis of this pitch; starts one that costs nothing, or that the visitor clicks for."""
    if task.key in state.analyses:
        return state.analyses[task.key]
    settings = Settings.from_environment()
    model = settings.model
    if asks_a_server(model):
        st.html(tag("section", tag("h2", "Compare your scores"), class_="pa"))
        if not st.button(f"Compare with {literal(model)}"):
            return None
    else:
        settings = replace(settings, verify=None, readings=1)  # a model is asked at a click only
    pitch = Pitch.from_text(task.pitch.text, task.id)
    choice = choose(pitch, None, settings)
    state.analyses[task.key] = start_analysis(pitch, choice, None, settings)
    return state.analyses[task.key]


def _compared(found: Comparison, assessment: Assessment, saved: ManualScore, note: str | None) -> Html:
    both = assessment.in_scope and saved.in_scope
    names = ("in_scope", *VALUES, "competitors") if both else ("in_scope",)
    differing = {each.signal for each in found.disagreements}
    same = len(names) - len(differing)
    lines = [tag("p", note, class_="note", role="note")] if note else []
    lines += [tag("p", f"{capital(issue.text)}.", class_="lead") for issue in found.issues]
    lines.append(tag("p", f"{same} of {len(names)} values are the same. {_overall(found)}".strip()))
    rows = [[title(name), *_values(name, assessment, saved), "" if name in differing else "same"] for name in names]
    values = table(("Signal", "You", "The reader", ""), rows, "All values")
    return tag(
        "section",
        tag("h2", "Your scores compared"),
        tag("p", f"{capital(provenance(assessment))}.", class_="lead"),
        *lines,
        *map(_difference, found.disagreements),
        tag("details", tag("summary", "All values side by side"), values, class_="pa"),
        class_="pa manual-compared",
    )


def _overall(found: Comparison) -> str:
    """Both overall scores; nothing if one of the two says out of scope."""
    if not found.attributions:
        return ""
    split = found.attributions[0]
    return (
        f"Your values score {split.manual:.1f} of 100, the reader's {split.extracted:.1f}. Next to each difference: "
        "how far it alone moves the reader's score."
    )


def _difference(found: Disagreement) -> Html:
    """One value that differs, the reader's quotes, and the rule."""
    own, other = (_value_and_meaning(found.signal, each) for each in (found.manual, found.extracted))
    silent = [] if found.quotes else [tag("p", "The reader gives no quote.", class_="lead")]
    text = tag(
        "div",
        tag("h3", title(found.signal)),
        tag("p", "You: ", *own),
        tag("p", "The reader: ", *other),
        *(tag("blockquote", quote, class_="alien") for quote in found.quotes),
        *silent,
        tag("details", tag("summary", "What decides"), tag("p", in_words(found.rule), class_="source")),
        class_="text",
    )
    moves = tag("p", tag("strong", views.moved(found)), " points of the overall score", class_="points")
    return tag("div", text, *([] if found.moves is None else [tag("div", moves, class_="side")]), class_="card")


def _value_and_meaning(name: str, value: str) -> list[Html]:
    """A value in words, and what it means."""
    meaning = "" if value == UNKNOWN else explained(name, value)
    named = tag("strong", views.value_words(name, value), class_="alien")
    return [named, tag("small", f". {meaning}")] if meaning else [named]


def _values(name: str, assessment: Assessment, saved: ManualScore) -> tuple[str, str]:
    """What the rater and the reader say, in words."""
    if name == "competitors":
        names = [competitor.name for competitor in assessment.signals.competitors]
        own, other = "; ".join(saved.competitors or ()) or UNKNOWN, "; ".join(names) or UNKNOWN
    else:
        own = SCOPE[not saved.in_scope] if name == "in_scope" else saved.values[name]
        other = extracted_value(assessment.signals, name)
    return views.value_words(name, own), views.value_words(name, other)
