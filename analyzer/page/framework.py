"""The page of the rulebook: what the framework looks at, and how it decides."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from analyzer.framework.assessment import VerdictWord
from analyzer.framework.rulebook import SIDE_TITLES, SIDES, Consideration, Gate, Intermediate, Rulebook, Side
from analyzer.page.assessment import scrolling
from analyzer.views.article import MEANS
from analyzer.views.assessment_content import VERDICTS
from analyzer.views.html import Html, tag, together
from analyzer.views.numbers import number
from analyzer.views.rulebook import condition, table_cells, title
from analyzer.vocabulary.labels import capital, how_many, word


def show() -> None:
    """The page."""
    rulebook = Rulebook.built_in()
    st.title("The framework")
    st.html(_introduction(rulebook))
    for side in SIDES:
        st.html(_side(rulebook, side))
    st.html(_gates(rulebook))
    st.html(_intermediate(rulebook))
    st.html(_questions(rulebook))


def _introduction(rulebook: Rulebook) -> Html:
    bounds = rulebook.verdict
    return tag(
        "section",
        tag("p", f"{rulebook.title}. Based on {rulebook.source}.", class_="lead"),
        tag(
            "p",
            "A product's problems place it between day 1 and day 2, and between ML and engineering. Each of these four "
            "sides has its considerations, and each consideration gives 0 to 10 points: 10 where the framework speaks "
            "for the product, 0 where it speaks against it. A table decides them from what the pitch says.",
        ),
        tag(
            "p",
            "A side is the weighted mean of its points. The market case mixes day 1 and day 2 as the product does, the "
            "sales case mixes ML and engineering, and the overall score is ten times their mean. What the pitch does "
            "not say counts neither for nor against: the score is then a range, from the worst possible case to the "
            "best.",
        ),
        tag(
            "p",
            f"The verdict is {_word('against')} if the whole range lies below {number(bounds.against_below)}, "
            f"{_word('for')} if it lies above {number(bounds.for_above)}, {_word('open')} if it reaches beyond both, "
            f"and {_word('balanced')} otherwise.",
        ),
        tag("p", f"Rulebook {rulebook.version} ({rulebook.sha256[:8]})", class_="provenance"),
        class_="pa prose",
    )


def _word(verdict: VerdictWord) -> str:
    return VERDICTS[verdict].lower()


def _side(rulebook: Rulebook, side: Side) -> Html:
    members = rulebook.of_side(side)
    total = sum(consideration.weight for consideration in members)
    heading = (tag("h2", SIDE_TITLES[side], class_="large"), tag("p", MEANS[side], class_="lead"))
    return tag("section", *heading, *(_consideration(rulebook, member, total) for member in members), class_="pa")


def _consideration(rulebook: Rulebook, consideration: Consideration, total: float) -> Html:
    stance = "Speaks for" if consideration.stance == "for" else "Speaks against"
    weight = f"weight {number(consideration.weight)} of {number(total)}"
    text = tag(
        "div",
        tag("h3", consideration.title),
        tag("p", consideration.idea, class_="reason"),
        tag("p", f"In the article: {consideration.source}", class_="source"),
        class_="text",
    )
    place = tag(
        "div", tag("p", tag("strong", stance), class_="points"), tag("p", weight, class_="place"), class_="side"
    )
    table = tag(
        "details",
        tag("summary", f"Decision table, {how_many(len(consideration.rows), 'row')}"),
        _table(rulebook, consideration, "Points", [number(row.points) for row in consideration.rows]),
    )
    return tag("article", text, place, table, class_=f"card {consideration.stance}")


def _gates(rulebook: Rulebook) -> Html:
    """The deal-breakers; nothing where the rulebook has none."""
    if not rulebook.gates:
        return Html()
    lead = "Where one holds, the verdict is at most its ceiling, whatever the score. It changes no score."
    return tag(
        "section",
        tag("h2", "Deal-breakers", class_="large"),
        tag("p", lead, class_="lead"),
        *(_gate(rulebook, gate) for gate in rulebook.gates),
        class_="pa",
    )


def _gate(rulebook: Rulebook, gate: Gate) -> Html:
    text = tag(
        "div",
        tag("h3", gate.title),
        tag("p", gate.idea, class_="reason"),
        tag("p", f"Holds with {condition(rulebook, gate)}.", class_="reason"),
        tag("p", f"In the article: {gate.source}", class_="source"),
        class_="text",
    )
    ceiling = tag("p", tag("strong", f"At most {_word(gate.ceiling)}"), class_="points")
    return tag("article", text, tag("div", ceiling, class_="side"), class_="card against")


def _intermediate(rulebook: Rulebook) -> Html:
    """The intermediate tables; nothing where the rulebook has none."""
    tables = [
        tag(
            "article",
            tag("div", tag("h3", table.title), tag("p", table.idea, class_="reason"), class_="text"),
            _table(rulebook, table, table.title, [capital(word(row.value)) for row in table.rows]),
            class_="card",
        )
        for table in rulebook.intermediate
    ]
    return tag("section", tag("h2", "Intermediate tables", class_="large"), *tables, class_="pa") if tables else Html()


def _table(rulebook: Rulebook, record: Consideration | Intermediate, outcome: str, outcomes: Sequence[str]) -> Html:
    names = [tag("th", title(rulebook, name), scope="col") for name in record.inputs]
    rows = [
        tag("tr", *(tag("td", capital(cell)) for cell in cells), tag("td", given, class_="figure"))
        for cells, given in zip(table_cells(rulebook, record), outcomes, strict=True)
    ]
    head = tag("thead", tag("tr", *names, tag("th", outcome, scope="col", class_="figure")))
    return scrolling(tag("table", head, tag("tbody", *rows)), f"Decision table: {record.title}")


def _questions(rulebook: Rulebook) -> Html:
    rows = [
        tag("tr", tag("th", title(rulebook, name), scope="row"), tag("td", rulebook.inputs[name].question))
        for name in rulebook.used_inputs
    ]
    head = tag(
        "thead",
        tag("tr", tag("th", "Signal", scope="col"), tag("th", "Question if unknown", scope="col")),
    )
    table = scrolling(tag("table", head, tag("tbody", *rows)), "Questions")
    return tag("section", together(tag("h2", "Signals", class_="large"), table), class_="pa")
