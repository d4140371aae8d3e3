"""Two assessments next to each other, row by row: what decides first, then every signal on which they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from analyzer.framework.assessment import Assessment
from analyzer.views import assessment_content as content
from analyzer.views.html import Html, tag
from analyzer.views.numbers import shown_points
from analyzer.vocabulary.labels import capital, title, value_word
from analyzer.vocabulary.records import SIGNALS


def side_by_side(one: Assessment, other: Assessment, named: Callable[[Assessment], str] = content.heading) -> Html:
    """A table with a column for each, with its name; out of scope, what needs a score stays empty."""
    pair = (one, other)
    head = tag("tr", tag("td"), *(tag("th", named(each), scope="col", class_="alien") for each in pair))
    table = tag("table", tag("thead", head), tag("tbody", *_rows(pair)))
    return tag("div", tag("div", table, class_="scrolling", tabindex="0"), class_="pa both")


def _rows(pair: tuple[Assessment, Assessment]) -> Iterator[Html]:
    yield _row("Pitch", (content.subtitle(each) for each in pair))
    yield _row("Verdict", map(_verdict, pair))
    yield _row("Market case", (shown_points(each.scores.market) if each.scores else "" for each in pair))
    yield _row("Sales case", (shown_points(each.scores.sales) if each.scores else "" for each in pair))
    yield _lists("What counts most", ([c.headline for c in content.telling(each)] for each in pair))
    yield _lists(
        content.GATES,
        ([f"{gate.title}: {content.GATE_STATES[gate.state]}" for gate in content.gates(each)] for each in pair),
    )
    yield _lists("Ask first", ([question.question for question in content.questions(each).first] for each in pair))
    for name in SIGNALS:
        values = [value_word(name, str(each.signals.single(name).value)) for each in pair]
        if values[0] != values[1]:
            yield _row(title(name), map(capital, values))


def _verdict(assessment: Assessment) -> str:
    if assessment.verdict is None:
        return content.statement(assessment)
    parts = (f"{content.verdict_word(assessment)}.", content.verdict_line(assessment), content.draft_note(assessment))
    return " ".join(filter(None, parts))


def _row(name: str, cells: Iterable[str]) -> Html:
    return tag("tr", tag("th", name, scope="row"), *(tag("td", cell, class_="alien") for cell in cells))


def _lists(name: str, cells: Iterable[Iterable[str]]) -> Html:
    return tag("tr", tag("th", name, scope="row"), *(_list(list(entries)) for entries in cells))


def _list(entries: list[str]) -> Html:
    if not entries:
        return tag("td", "none", class_="lead")
    return tag("td", tag("ul", *(tag("li", entry) for entry in entries)), class_="alien")
