"""The market map on the terminal, and the competitors that it does not include yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from difflib import get_close_matches

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analyzer.errors import AnalyzerError, InputError
from analyzer.framework.market import KINDS, MarketCategory, MarketMap
from analyzer.results.documents import DocumentEntry, parse_document
from analyzer.views.html import render_page
from analyzer.views.terminal import QUIET, plain
from analyzer.vocabulary.labels import word


def print_map(console: Console, market: MarketMap, today: date) -> None:
    """Print every category with its usual position, crowding and number of players, and say which entries are old."""
    console.print(Text(f"Market map {market.version} ({market.sha256[:8]})", style="bold"))
    table = Table(box=None, pad_edge=False, header_style=QUIET, padding=(0, 2, 0, 0))
    for heading in ("category", "usually", "crowding", "players", "as of"):
        table.add_column(heading, justify="right" if heading == "players" else "left")
    for category in market.categories:
        usual = f"{word(category.usual_stage)}, {word(category.usual_focus)}"
        table.add_row(category.id, usual, category.crowding, str(len(category.players)), category.as_of)
    console.print(table)
    stale = market.stale(today)
    if stale:
        oldest = min(as_of for *_, as_of in stale)
        note = f"{len(stale)} entries are more than a year old (the oldest is from {oldest}); check them again."
        console.print(Text(note, style="yellow"))


def category_named(market: MarketMap, id: str) -> MarketCategory:
    """The category with this id. Raises InputError for an unknown one."""
    category = market.category(id)
    if category is None:
        ids = [known.id for known in market.categories]
        near = get_close_matches(id, ids, 1)
        hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(ids)}"
        raise InputError(f"unknown category {id!r}; {hint}")
    return category


def print_category(console: Console, market: MarketMap, id: str) -> None:
    """Print one category: how crowded it is and why, and its players by kind. Raises InputError for an unknown id."""
    category = category_named(market, id)
    console.print(Text(category.title, style="bold"))
    console.print(Text(category.about))
    console.print(f"Usually {word(category.usual_stage)}, {word(category.usual_focus)}.")
    console.print(Text(f"{category.crowding.capitalize()} ({category.as_of}): {category.crowding_reason}"))
    for kind in KINDS:
        players = [player for player in category.players if player.kind == kind]
        if not players:
            continue
        good, bad = market.strengths(kind, [category.usual_stage, category.usual_focus])
        console.print()
        console.print(Text(word(kind).capitalize(), style="bold"))
        if good:
            console.print(Text(f"Good at: {good}. Less so: {bad}.", style=QUIET))
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        for player in players:
            status = "" if player.status == "active" else f" ({player.status})"
            table.add_row(player.name, Text(player.known_for + status), Text(player.as_of, style=QUIET))
        console.print(table)


def unknown_competitors(
    market: MarketMap, entries: Iterable[DocumentEntry]
) -> tuple[list[tuple[str, str, int]], list[AnalyzerError]]:
    """Competitors that the map does not include, as (name, kind, times named), the most often named first.

    Also returns the errors of entries that could not be read.
    """
    counts: Counter[tuple[str, str]] = Counter()
    errors: list[AnalyzerError] = []
    for entry in entries:
        parsed = parse_document(entry)
        if parsed.signals is None:
            errors.append(parsed.no_signals)
            continue
        for competitor in parsed.signals.competitors:
            if competitor.kind not in ("in_house", "manual_process") and market.match(competitor.name) is None:
                counts[(competitor.name, competitor.kind)] += 1
    return [(name, kind, times) for (name, kind), times in counts.most_common()], errors


def print_unknown(console: Console, competitors: Sequence[tuple[str, str, int]]) -> None:
    """Print the competitors that the map does not include, for whoever maintains it."""
    if not competitors:
        console.print("The market map includes every product named as a competitor.")
        return
    table = Table(box=None, pad_edge=False, header_style=QUIET, padding=(0, 2, 0, 0))
    for heading in ("times", "kind", "competitor"):
        table.add_column(heading)
    for name, kind, times in competitors:
        table.add_row(str(times), word(kind), Text(plain(name)))
    console.print(table)


def market_markdown(market: MarketMap) -> str:
    """The market map as a page: categories with their judgment, and the players of each."""
    return render_page("market.md", market=market, word=word)
