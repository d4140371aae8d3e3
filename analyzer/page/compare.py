"""The page that compares extracted signals with manual scores and shows where they agree and where they differ.

The comparison is kept in the visitor's session, so that a click elsewhere does not compute it anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import streamlit as st

from analyzer.agreement.comparison import compare
from analyzer.agreement.extracted import Upload
from analyzer.agreement.figures import RATERS
from analyzer.agreement.records import Attribution, Comparison, Disagreement, SignalAgreement
from analyzer.errors import AnalyzerError
from analyzer.files.manual_scores import ManualScores, parse_manual
from analyzer.page import uploads
from analyzer.page.assessment import scrolling
from analyzer.page.pitch_field import named
from analyzer.page.session import ComparisonState, session
from analyzer.page.words import show_error
from analyzer.resources import resource
from analyzer.settings import KEYWORDS, RECORDED, Settings
from analyzer.views import comparison as views
from analyzer.views.comparison_chart import DARK, LIGHT, limits_of_agreement
from analyzer.views.comparison_files import disagreements_csv
from analyzer.views.comparison_html import comparison_html
from analyzer.views.html import Html, tag, together
from analyzer.vocabulary.labels import in_words, title

_KINDS: Final = ["json", "jsonl", "parquet"]
_LARGEST: Final = 100
"""Megabytes of an uploaded file."""
_CASES: Final = 40
"""Disagreements on the page; all are in the files."""
_COLORS: Final = 3
_EXTRACTED: Final = "compare_extracted"
_MANUAL: Final = "compare_manual"
_RATERS: Final = "compare_raters"


def show() -> None:
    """The page."""
    st.title("Compare with manual scoring")
    st.html(
        tag(
            "p",
            "How well do extracted signals agree with manual scores, where do they differ, and is it because of the "
            "reader or the rule? Upload assessments and manual scores of the same pitches, or use the "
            "samples.",
            class_="pa intro",
        )
    )
    left, right = st.columns(2, gap="medium")
    with left:
        extracted = uploads.several_files(
            "Assessments",
            _EXTRACTED,
            _KINDS,
            _LARGEST,
            on_change=_outdate,
            help="JSON, JSON Lines or Parquet. Several files are compared side by side.",
        )
    with right:
        manual = uploads.one_file(
            "Manual scores",
            _MANUAL,
            ["csv"],
            _LARGEST,
            on_change=_outdate,
            help="CSV with one row per pitch and rater. Manual scoring downloads such a file.",
        )
        chosen = _raters(manual.name, manual.data) if manual is not None else []
    with st.container(horizontal=True):
        if st.button("Compare", type="primary", disabled=not extracted or manual is None) and manual is not None:
            _compare(extracted, (manual.name, manual.data), chosen)
        if st.button("Use the samples"):
            _compare([RECORDED, KEYWORDS], None)
    state = session().comparison
    if state.error is not None:
        show_error("Not compared", state.error)
    elif state.result is not None:
        if state.outdated:
            note = "These figures are for the previous files. Press Compare to update them."
            st.html(tag("p", note, class_="pa note", role="note"))
        _show(state.result)


def _outdate() -> None:
    """Marks the figures on the page as those of other files than are chosen now."""
    state = session().comparison
    state.outdated, state.error = True, None


def _raters(name: str, data: bytes) -> list[str]:
    """The raters that the visitor wants to include; none chosen = all."""
    try:
        known = sorted({row.rater for row in parse_manual(data, name).rows})
    except AnalyzerError:
        return []  # Compare says why
    if len(known) < 2:
        return []
    return st.multiselect("Raters to include", known, placeholder="All", key=_RATERS, persist_state="session")


def _compare(extracted: Sequence[str | Upload], manual: tuple[str, bytes] | None, raters: Sequence[str] = ()) -> None:
    """Compares and keeps the result; drops the previous one first, so that nobody takes it for the new one."""
    state = session().comparison = ComparisonState()
    try:
        with st.spinner("Comparing"):
            scores = _scores(manual)
            pitches = None if manual else resource("fixtures/pitches")
            settings = replace(Settings.from_environment(), verify=None, readings=1)  # no model is asked here
            state.result = compare(list(extracted), scores, pitches=pitches, raters=raters, settings=settings)
    except AnalyzerError as error:
        state.error = error


def _scores(manual: tuple[str, bytes] | None) -> ManualScores:
    if manual is None:
        samples = resource("fixtures/manual_scores.csv")
        return parse_manual(samples.read_bytes(), samples.name)  # no visitor sees where the server has it
    return parse_manual(manual[1], manual[0])


# ---------------------------------------------------------------- the result


def _show(comparison: Comparison) -> None:
    st.html(_head(comparison))
    _downloads(comparison)
    st.html(_agreement(comparison))
    figures = [_figures(comparison, side) for side in views.sides(comparison)]
    st.html(tag("section", tag("h2", "The figures"), *figures, _confusions(comparison), class_="pa"))
    _html(together(_readers(comparison), _competitors(comparison)))
    _overall(comparison)
    _html(together(_attributions(comparison), _disagreements(comparison)))


def _html(markup: Html) -> None:
    if markup:
        st.html(markup)


def _head(comparison: Comparison) -> Html:
    lines = [tag("p", line) for line in views.headlines(comparison)]
    issues = [tag("li", f"{issue.where}: {issue.text}") for issue in comparison.issues]
    known = tag("section", tag("h2", "Before you read on"), tag("ul", *issues), class_="pa cautions", role="note")
    return together(tag("section", *lines, class_="pa prose"), *([known] if issues else []))


def _downloads(comparison: Comparison) -> None:
    files = (
        ("Report (HTML)", "agreement.html", "text/html", comparison_html(comparison)),
        ("Figures (JSON)", "agreement.json", "application/json", comparison.to_json()),
        ("Disagreements (CSV)", "disagreements.csv", "text/csv", "\ufeff" + disagreements_csv(comparison)),
    )
    with st.container(horizontal=True):
        for label, name, kind, content in files:
            st.download_button(label, content.encode(), file_name=name, mime=kind, on_click="ignore")


def _side_class(comparison: Comparison, side: str) -> str:
    return "side-raters" if side == RATERS else f"side-{views.sides(comparison).index(side) % _COLORS}"


def _agreement(comparison: Comparison) -> Html:
    shown = views.sides(comparison)
    key = [tag("span", views.side_name(comparison, side), class_=_side_class(comparison, side)) for side in shown]
    rows = []
    for name in views.signal_names(comparison):
        found = [(side, comparison.signals[side][name]) for side in shown if name in comparison.signals[side]]
        lines = [_bar(comparison, side, agreement) for side, agreement in found]
        rows += [tag("div", title(name), class_="name"), tag("div", *lines)]
    return tag(
        "section",
        tag("h2", "Agreement, signal by signal"),
        tag(
            "p",
            "The share of pitches with the same value, unknown being a value like any other, with its 95% interval. "
            "Agreement between raters is the ceiling.",
            class_="lead",
        ),
        tag("p", *key, class_="sides"),
        tag("div", *rows, class_="agreement"),
        class_="pa",
    )


def _bar(comparison: Comparison, side: str, found: SignalAgreement) -> Html:
    same = found["agreement"]
    share, low, high = (100 * (end or 0) for end in (same.value, same.low, same.high))
    interval = tag("i", style=f"left:{low:.1f}%;width:{high - low:.1f}%")
    track = tag("span", interval, tag("b", style=f"left:{share:.1f}%"), class_="track", aria_hidden="true")
    text = f"{views.percent(same.value)} ({views.between(same, 100, 0)})"
    return tag("div", track, tag("span", text, class_="number"), class_=f"line {_side_class(comparison, side)}")


def _figures(comparison: Comparison, side: str) -> Html:
    name = views.side_name(comparison, side)
    meanings = [tag("li", line) for line in views.meanings(views.shown_figures(side))]
    return tag(
        "details",
        tag("summary", f"The figures: {name}" + ("" if side == RATERS else " against the raters")),
        _table(*views.agreement_table(comparison, side), f"Figures: {name}"),
        tag("ul", *meanings, class_="lead"),
        class_="pa",
    )


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]], name: str) -> Html:
    head = tag("tr", *(tag("th", each, scope="col") if each else tag("td") for each in heads))
    body = [tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows]
    return scrolling(tag("table", tag("thead", head), tag("tbody", *body)), name)


def _confusions(comparison: Comparison) -> Html:
    parts = []
    for name in views.signal_names(comparison):
        for side in views.sides(comparison):
            found = comparison.signals[side].get(name)
            if found is not None and views.heat_map(found).confused:
                parts.append(_confusion(name, f"{title(name)}: {views.side_name(comparison, side)}", found))
    if not parts:
        return Html("")
    note = "Rows: the rater's value; columns: the reader's. Blue: same value; orange: different values."
    return tag("details", tag("summary", "Confused values"), tag("p", note, class_="lead"), *parts, class_="pa")


def _confusion(name: str, heading: str, found: SignalAgreement) -> Html:
    words = partial(views.value_words, name)
    drawn = views.heat_map(found)
    if len(drawn.values) > views.LARGEST_MAP:
        lines = [
            f"rater {words(rater)}, reader {words(reader)}: {weight:g}" for rater, reader, weight in drawn.confused
        ]
        return together(tag("h3", heading), tag("ul", *(tag("li", line) for line in lines)))
    head = tag("tr", tag("td"), *(tag("th", words(value.value), scope="col") for value in drawn.values))
    rows = [head]
    for at, (value, cells) in enumerate(drawn.rows):
        drawn_cells = [
            tag(
                "td",
                f"{round(cell, 2):g}" if cell else "",
                style=f"--w:{cell / value.manual if value.manual else 0:.2f}",
                class_="same" if at == column else "off",
            )
            for column, cell in enumerate(cells)
        ]
        rows.append(tag("tr", tag("th", words(value.value), scope="row"), *drawn_cells))
    return together(tag("h3", heading), scrolling(tag("table", *rows, class_="confusion"), heading))


def _readers(comparison: Comparison) -> Html:
    if not comparison.tests:
        return Html("")
    lines = [tag("p", line) for line in views.reader_differences(comparison)]
    return tag("section", tag("h2", "Which reader agrees more"), *lines, class_="pa prose")


def _competitors(comparison: Comparison) -> Html:
    if not comparison.competitors:
        return Html("")
    matches = [
        [views.side_name(comparison, side), named(match.pitch), match.extracted, match.manual]
        for side, agreement in comparison.competitors.items()
        for match in agreement.matches
    ]
    return tag(
        "section",
        tag("h2", "Competitors"),
        tag("p", views.competitors_rule(), class_="lead"),
        _table(*views.competitor_table(comparison), "Competitors"),
        tag(
            "details",
            tag("summary", "Names that count as the same"),
            _table(["Between", "Pitch", "First", "Second"], matches, "Names that count as the same"),
        ),
        class_="pa",
    )


def _overall(comparison: Comparison) -> None:
    if not comparison.scores:
        return
    heads = ["First", "Second", "n", "Pearson", "Spearman", "Kendall", "mean difference", "limits of agreement"]
    rows = [
        [
            s.left,
            s.right,
            str(s.n),
            *map(views.number, (s.pearson, s.spearman, s.kendall)),
            views.mean_difference(s),
            views.limits(s),
        ]
        for s in comparison.scores
    ]
    lead = tag("p", "From 0 to 100; differences are the first minus the second.", class_="lead")
    st.html(tag("section", tag("h2", "Overall scores"), lead, _table(heads, rows, "Overall scores"), class_="pa"))
    drawn = [scores for scores in comparison.scores if scores.limits is not None]
    colors = DARK if st.context.theme.type == "dark" else LIGHT
    columns = st.columns(2, gap="medium")
    for number, scores in enumerate(drawn):
        with columns[number % 2]:
            st.html(tag("div", tag("h3", f"{scores.left} minus {scores.right}"), class_="pa"))
            st.altair_chart(limits_of_agreement(scores, colors), width="stretch", theme=None)


def _attributions(comparison: Comparison) -> Html:
    found = views.differing(comparison)
    if not found:
        return Html("")

    def figures(each: Attribution) -> tuple[str, str]:
        return f"{each.extracted:.1f}", f"{each.manual:.1f}"

    rows = [
        [named(each.pitch), each.reader, raters, *figures(each), views.attribution_line(each)]
        for each, raters in found[:_CASES]
    ]
    heads = ["Pitch", "Reader", "Rater", "extracted", "manual", "because of"]
    lead = "How far the score moves if one signal at a time takes the rater's value."
    return tag(
        "section",
        tag("h2", "Why scores differ"),
        tag("p", lead, class_="lead"),
        _table(heads, rows, "Where scores differ"),
        class_="pa",
    )


def _disagreements(comparison: Comparison) -> Html:
    found = comparison.disagreements
    if not found:
        return Html("")
    more = len(found) - _CASES
    rest = [tag("p", f"{more} more in the report and the CSV file.", class_="lead")] if more > 0 else []
    return tag(
        "section",
        tag("h2", "Disagreements, largest effect on the score first"),
        *map(_case, found[:_CASES]),
        *rest,
        class_="pa",
    )


def _case(found: Disagreement) -> Html:
    head = f"{views.moved(found)}  {named(found.pitch)}, {title(found.signal)}"
    return tag(
        "div",
        tag("h3", tag("span", head, class_="alien")),
        tag("p", tag("span", views.both_values(found), class_="alien")),
        *(tag("blockquote", tag("span", quote, class_="alien")) for quote in found.quotes),
        *(tag("p", "Note by ", tag("span", note, class_="alien")) for note in found.notes),
        tag("details", tag("summary", "What decides"), tag("p", in_words(found.rule))),
        class_="card",
    )
