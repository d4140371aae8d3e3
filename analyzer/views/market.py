"""The market map as people read it, and the rivals that it does not know yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from difflib import get_close_matches

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analyzer.errors import AnalyzerError, InputError
from analyzer.framework.market import KINDS, MarketMap
from analyzer.results.documents import DocumentEntry, parse_document
from analyzer.views.terminal import QUIET, plain
from analyzer.vocabulary.labels import word


def print_map(console: Console, market: MarketMap, today: date) -> None:
    """All categories with position, crowding and number of players, and what is older than a year."""
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
        note = f"{len(stale)} entries are older than a year (the oldest from {oldest}); look at them again."
        console.print(Text(note, style="yellow"))


def print_category(console: Console, market: MarketMap, id: str) -> None:
    """One category with the judgement of its crowding and its players by kind. Raises InputError if there is none."""
    category = market.category(id)
    if category is None:
        ids = [known.id for known in market.categories]
        near = get_close_matches(id, ids, 1)
        hint = f"do you mean {near[0]}?" if near else f"there are {', '.join(ids)}"
        raise InputError(f"there is no category {id!r}; {hint}")
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


def unknown_rivals(
    market: MarketMap, entries: Iterable[DocumentEntry]
) -> tuple[list[tuple[str, str, int]], list[AnalyzerError]]:
    """Products named as alternatives that the map does not know: (name, kind, times), the most often named first; and
    the entries that could not be looked at."""
    found: Counter[tuple[str, str]] = Counter()
    errors: list[AnalyzerError] = []
    for entry in entries:
        parsed = parse_document(entry)
        if parsed.signals is None:
            errors.append(parsed.no_signals)
            continue
        for rival in parsed.signals.competitors:
            if rival.kind not in ("in_house", "manual_process") and market.match(rival.name) is None:
                found[(rival.name, rival.kind)] += 1
    return [(name, kind, times) for (name, kind), times in found.most_common()], errors


def print_unknown(console: Console, rivals: Sequence[tuple[str, str, int]]) -> None:
    """The rivals that the map does not know, for whoever keeps it."""
    if not rivals:
        console.print("The market map knows every product that is named as an alternative.")
        return
    table = Table(box=None, pad_edge=False, header_style=QUIET, padding=(0, 2, 0, 0))
    for heading in ("named", "kind", "alternative"):
        table.add_column(heading)
    for name, kind, times in rivals:
        table.add_row(str(times), word(kind), Text(plain(name)))
    console.print(table)
