"""The ranking of a portfolio: the chart and counts of what passes the filters, and the table in pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from analyzer.errors import AnalyzerError
from analyzer.page import portfolio_filters as filters
from analyzer.page.assessment import scrolling
from analyzer.page.clicks import clickable
from analyzer.page.portfolio_filters import ORDERS, View
from analyzer.page.portfolio_run import PortfolioRun
from analyzer.page.portfolio_work import PortfolioWork
from analyzer.page.session import session
from analyzer.runs.portfolio import DRAWS, PortfolioEntry
from analyzer.runs.portfolio_parts import PortfolioItem
from analyzer.views.assessment_content import SHOWN_VERDICTS, tone_of, warning_kinds
from analyzer.views.html import Html, tag
from analyzer.views.numbers import shown
from analyzer.views.portfolio import verdict_counts
from analyzer.views.quadrant import Dot, scatter
from analyzer.views.ranking import ranks
from analyzer.views.terminal import cut
from analyzer.vocabulary.labels import word

PAGE_SIZE: Final = 50
"""Pitches on one page of the ranking."""
_CLICKS: Final = "portfolio_clicks"
_OPEN, _TURN, _SORT, _STAR = "open:", "page:", "sort:", "star:"
"""What a click reports: the number of the pitch to open, the page to turn to, the column to sort by, the number of the
pitch to put on the shortlist or take off."""
_LONGEST_CELL: Final = 120


def show_ranking(run: PortfolioRun) -> list[int]:
    """Draws filters, chart, counts and the page of the table that the visitor is on; the places that are shown."""
    work, state = run.work, session().portfolio
    filters.show_fields(work)
    view = filters.view()
    if state.view not in (None, view):
        state.page, state.focus = 0, None
    state.view = view
    places = view.places(work)
    state.page = min(state.page, max(0, (len(places) - 1) // PAGE_SIZE))
    back = "" if state.focus is None else f"{_OPEN}{state.focus}"
    markup = tag(
        "div",
        tag("div", _chart(work, set(places)), _counts(work, places), class_="overview"),
        _table(work, view, places, state.page),
        class_="pa portfolio",
    )
    clickable(markup, _CLICKS, lambda value: _pick(run, value), back)
    return places


def page_of(place: int, places: Sequence[int]) -> int:
    """The page of the table on which a pitch is."""
    return places.index(place) // PAGE_SIZE if place in places else 0


def _pick(run: PortfolioRun, value: str) -> None:
    state = session().portfolio
    state.focus = None
    kind, _, rest = value.partition(":")
    if f"{kind}:" == _TURN:
        state.page = int(rest)
    elif f"{kind}:" == _SORT:
        if rest in filters.orders(run.work):
            filters.sort_by(rest)
    elif f"{kind}:" == _STAR:
        choose(run, int(rest))
    else:
        state.opened = int(rest)


def choose(run: PortfolioRun, number: int) -> None:
    """Puts a pitch on the shortlist, or takes it off."""
    try:
        run.choose(number, number not in run.work.shortlist)
    except AnalyzerError as error:
        run.work.unsaved = error


def _chart(work: PortfolioWork, chosen: set[int]) -> Html:
    dots = [
        Dot(
            entry.stage,
            entry.focus,
            f"{entry.title}: {shown(entry.overall)}",
            tone_of(entry.verdict),
            entry.open_position,
            f"{_OPEN}{work.ranked_item(place).result.number}",
        )
        if place in chosen
        else Dot(entry.stage, entry.focus)
        for place, (entry, _) in enumerate(work.ranked)
    ]
    note = (
        "One dot per pitch. Dots at the same place are spread around it, the best ranked in the middle. Hollow: the "
        "pitch leaves its position open, and the dot marks the middle of the possible range."
    )
    others = "balanced, open, or a draft" if work.portfolio.rough else "balanced or open"
    colors = (("for", "favorable"), ("against", "unfavorable"), ("open", others))
    keys = (tag("span", tag("i", class_=f"key {name}", aria_hidden="true"), f" {words}") for name, words in colors)
    legend = tag("p", *keys, class_="legend")
    return tag(
        "section",
        tag("h3", "Stage and focus", class_="part"),
        scatter(dots),
        legend,
        tag("p", note, class_="lead"),
        class_="stands",
    )


def _counts(work: PortfolioWork, chosen: Sequence[int]) -> Html:
    counts = verdict_counts([work.ranked[number] for number in chosen])
    most = max(1, *counts.values())
    rows = [
        tag(
            "li",
            tag("strong", f"{counts[name]:,}", class_="value"),
            tag("span", SHOWN_VERDICTS[name], class_="label"),
            tag("span", tag("i", style=f"width:{100 * counts[name] / most:.1f}%"), class_="tally", aria_hidden="true"),
            class_=tone_of(name),
        )
        for name in counts
    ]
    count = f"{len(chosen):,} of {len(work.ranked):,}" if len(chosen) < len(work.ranked) else f"all {len(chosen):,}"
    shown_ = tag("p", f"Shown: {count}", class_="lead", role="status")
    return tag("section", tag("h3", "Verdicts", class_="part"), shown_, tag("ul", *rows, class_="counts"))


# ---------------------------------------------------------------- the table


def _table(work: PortfolioWork, view: View, chosen: Sequence[int], page: int) -> Html:
    heading = tag("h3", "Ranking", id="ranking", class_="part")
    if not chosen:
        return tag("section", heading, tag("p", "No pitch matches these filters.", class_="note"), class_="ranking")
    note = (
        f"{DRAWS} simulations vary the weights and fill in what the pitches do not say. Rank: the middle one of a "
        "pitch's ranks; the same for two pitches if they are level. Ranks in 90%: between these it comes in 90% of the "
        "simulations; where they overlap, the order says little. Overall: 0 to 100, with its exact range. Said: how "
        "much of what decides the score the pitch answers."
    )
    last, own = len(work.ranked), filters.shown_columns(work)
    on_page = chosen[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    rows = [_row(work, place, last, own) for place in on_page]
    heads = [_head(name, order.label, view) for name, order in ORDERS.items()]
    heads += [_head(filters.own_order(name), name, view) for name in own]
    head = tag("thead", tag("tr", tag("th", tag("span", "Shortlist", class_="unseen"), scope="col"), *heads))
    return tag(
        "section",
        heading,
        tag("p", note, class_="lead"),
        scrolling(tag("table", head, tag("tbody", *rows)), "Ranking"),
        _pages(page, len(chosen)),
        class_="ranking",
    )


def _head(name: str, label: str, view: View) -> Html:
    """The head of a column, which sorts by it."""
    button = tag("button", cut(label, _LONGEST_CELL), type="button", class_="alien", data_pick=f"{_SORT}{name}")
    if name != view.sort:
        return tag("th", button, scope="col")
    largest_first = name in ORDERS and ORDERS[name].largest_first
    direction = "descending" if largest_first != view.reverse else "ascending"
    arrow = "\N{DOWNWARDS ARROW}" if direction == "descending" else "\N{UPWARDS ARROW}"
    return tag("th", button, tag("span", arrow, aria_hidden="true"), scope="col", aria_sort=direction)


def _row(work: PortfolioWork, place: int, last: int, own: Sequence[str]) -> Html:
    (entry, found), item = work.ranked[place], work.ranked_item(place)
    warnings = warning_kinds(entry.warnings)
    below = [tag("small", entry.id, class_="alien")] if entry.id not in (entry.title, "") else []
    below += [tag("small", f"Warning: {warnings}", class_="warned")] if warnings else []
    where = [tag("span", f"{word(entry.stage_lean)}, {word(entry.focus_lean)}")]
    where += [tag("small", word(entry.category))] if entry.category else []
    limits = [tag("small", f"Deal-breaker: {entry.gates}")] if entry.gates else []
    number = item.result.number
    opened = tag("button", entry.title, type="button", class_="alien", data_pick=f"{_OPEN}{number}", data_top="")
    return tag(
        "tr",
        tag("td", _star(entry, number in work.shortlist, number), class_="star"),
        tag("td", f"{found.rank:,}", class_="rank"),
        tag("th", opened, *below, scope="row"),
        tag("td", *where, class_="where"),
        tag(
            "td",
            tag("span", SHOWN_VERDICTS[entry.verdict], class_=f"verdict-word {tone_of(entry.verdict)}"),
            *limits,
            class_="verdict-cell",
        ),
        tag(
            "td",
            shown(entry.overall),
            _span(entry.overall.value, entry.overall.low, entry.overall.high, 0, 100),
            class_="overall",
        ),
        tag("td", f"{entry.said:.0%}", class_="said"),
        tag("td", ranks(found), _span(found.rank, found.best, found.worst, 1, last), class_="ranks"),
        tag("td", entry.ask, class_="ask"),
        *_own_cells(item, own),
    )


def _star(entry: PortfolioEntry, chosen: bool, number: int) -> Html:
    label = f"{'Remove' if chosen else 'Add'} {entry.title} {'from' if chosen else 'to'} the shortlist"
    sign = "\N{BLACK STAR}" if chosen else "\N{WHITE STAR}"
    return tag(
        "button",
        tag("span", sign, aria_hidden="true"),
        type="button",
        aria_label=label,
        aria_pressed=str(chosen).lower(),
        data_pick=f"{_STAR}{number}",
    )


def _own_cells(item: PortfolioItem, own: Sequence[str]) -> list[Html]:
    """The cells of the input's own columns; on a phone each names its column."""
    cells = []
    for name in own:
        cell = item.columns.get(name)
        text = "" if cell is None else cut(" ".join(str(cell).split()), _LONGEST_CELL)
        cells.append(tag("td", text, class_="own alien", data_column=cut(name, _LONGEST_CELL)))
    return cells


def _span(value: float, low: float, high: float, first: float, last: float) -> Html:
    """A range on its scale, the value as a mark; the text next to it says the same."""

    def at(place: float) -> float:
        return 100 * (place - first) / max(last - first, 1)

    inner = tag("i", class_="range", style=f"left:{at(low):.1f}%;width:{at(high) - at(low):.1f}%")
    mark = tag("i", class_="value", style=f"left:{at(value):.1f}%")
    return tag("div", inner, mark, class_="bar", aria_hidden="true")


def _pages(page: int, count: int) -> Html:
    """Buttons to the other pages of the ranking."""
    if count <= PAGE_SIZE:
        return Html()
    most = (count - 1) // PAGE_SIZE
    first, last = page * PAGE_SIZE + 1, min(count, (page + 1) * PAGE_SIZE)
    return tag(
        "nav",
        _turn("Previous", page - 1, page > 0),
        tag("span", f"{first:,} to {last:,} of {count:,}", role="status"),
        _turn("Next", page + 1, page < most),
        class_="pages",
        aria_label="Pages of the ranking",
    )


def _turn(label: str, page: int, possible: bool) -> Html:
    if possible:
        return tag("button", label, type="button", data_pick=f"{_TURN}{page}")
    return tag("button", label, type="button", disabled="")
