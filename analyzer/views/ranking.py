"""A ranking, and what another rulebook changes: on the terminal, as JSON, as a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analyzer.files.disk import write_whole
from analyzer.framework.ranking import Ranked
from analyzer.framework.revision import Shift
from analyzer.results.tables import PitchLabel
from analyzer.views.html import render_page
from analyzer.views.numbers import shown
from analyzer.views.terminal import QUIET, plain

_SHOWN: Final = 50
"""Rows in the terminal; all are in the report and in JSON."""
_SURE: Final = 0.9
_BAR: Final = 16
_WITH_BARS: Final = 110
"""Columns of a terminal that shows bars too; names come first."""


def how(top: int, draws: int) -> str:
    """Explain the figures of a ranking."""
    return (
        f"{draws:,} simulations. Each varies every weight between half and twice the rulebook's, and fills in what a "
        f"pitch does not say with possible values. Rank: the median, then the range in 90% of simulations. Top {top}: "
        f"how often among the first {top}. Next: how often ahead of the pitch below. Where ranges overlap, the order "
        "is uncertain. Said: how much of what the score rests on the pitch answers."
    )


def gates(holds: Sequence[str], possible: Sequence[str]) -> str:
    """The deal-breakers of a pitch in a cell: those that hold by id, those that may by number."""
    return ", ".join([*holds, *([f"{len(possible)} possible"] if possible else [])])


def ranks(ranked: Ranked) -> str:
    """The ranks of a pitch in 90% of simulations: "3 to 67", or "1" if it is always the same."""
    return f"{ranked.best:,}" if ranked.best == ranked.worst else f"{ranked.best:,} to {ranked.worst:,}"


def print_ranking(
    console: Console, labels: Sequence[PitchLabel], ranking: Sequence[Ranked], top: int, draws: int
) -> None:
    """Print the ranking, with a bar for each pitch: its median rank and its ranks in 90% of simulations."""
    if not ranking:
        console.print("No pitch in scope to rank.")
        return
    table = Table(box=None, pad_edge=False, header_style=QUIET, padding=(0, 2, 0, 0))
    table.add_column("rank", justify="right")
    table.add_column("pitch", min_width=20, max_width=44)
    table.add_column("overall", justify="right")
    table.add_column("in 90%", justify="right")
    with_bars = console.width >= _WITH_BARS
    if with_bars:
        table.add_column("", no_wrap=True, width=_BAR)
    table.add_column(f"top {top}", justify="right")
    table.add_column("next", justify="right")
    table.add_column("said", justify="right")
    table.add_column("deal-breakers", max_width=32)
    for ranked in ranking[:_SHOWN]:
        ahead = "" if ranked.beats_next is None else f"{ranked.beats_next:.0%}"
        table.add_row(
            f"{ranked.rank:,}",
            Text(plain(labels[ranked.row].name), overflow="ellipsis", no_wrap=True),
            f"{ranked.overall:.0f}",
            ranks(ranked),
            *([_bar(ranked, len(ranking))] if with_bars else []),
            f"{ranked.top:.0%}",
            Text(ahead, style="" if (ranked.beats_next or 0) >= _SURE else QUIET),
            f"{ranked.said:.0%}",
            gates(ranked.holds, ranked.open),
        )
    console.print(table)
    if len(ranking) > _SHOWN:
        console.print(Text(f"{len(ranking) - _SHOWN:,} more; see them all with --json or --report.", style=QUIET))
    console.print(Text(how(top, draws), style=QUIET))


def ranking_json(labels: Sequence[PitchLabel], ranking: Sequence[Ranked]) -> str:
    """The ranking as a JSON list, best first: each pitch's id (null if it has none), name, and figures."""
    return json.dumps(_rows(labels, ranking), ensure_ascii=False, indent=1)


def write_ranking(path: Path, labels: Sequence[PitchLabel], ranking: Sequence[Ranked], top: int, draws: int) -> None:
    """Write the ranking as one self-contained HTML page. Raises OutputError."""
    rows = _rows(labels, ranking)
    write_whole(
        path, render_page("ranking.html", rows=rows, how=how(top, draws), top=top, last=max(1, len(rows)), gates=gates)
    )


def _rows(labels: Sequence[PitchLabel], ranking: Sequence[Ranked]) -> list[dict[str, Any]]:
    return [{"id": labels[ranked.row].id, "pitch": labels[ranked.row].name, **asdict(ranked)} for ranked in ranking]


def print_shifts(console: Console, shifts: Sequence[Shift]) -> None:
    """Print what another rulebook changes, the largest change first."""
    moved = [change for change in shifts if change.by or change.before != change.after]
    same = len(shifts) - len(moved)
    for change in moved:
        head = Text.assemble(
            (f"{change.by:+7.1f}  ", "bold"),
            (plain(change.title or change.id or "untitled"), "bold"),
            f"  {shown(change.before)} -> {shown(change.after)}",
        )
        if change.verdict_before != change.verdict_after:
            head.append(f"  {change.verdict_before} -> {change.verdict_after}")
        console.print(head, soft_wrap=True)
        through = ", ".join(f"{effect.consideration} {effect.by:+.1f}" for effect in change.effects[:4])
        if through:
            console.print(Text(f"         through {through}", style=QUIET))
    console.print(
        Text(
            f"{len(moved)} of {len(shifts)} pitches change{'' if moved else '; the rulebooks agree on all of them'}.",
            style=QUIET,
        )
    )
    if same and moved:
        console.print(Text(f"{same} unchanged.", style=QUIET))


def shifts_json(shifts: Sequence[Shift]) -> str:
    """The changes as a JSON list, in order."""
    rows = []
    for change in shifts:
        row = {name: getattr(change, name) for name in ("id", "title", "by", "verdict_before", "verdict_after")}
        row |= {"before": change.before.model_dump(), "after": change.after.model_dump()}
        rows.append(row | {"effects": [asdict(effect) for effect in change.effects]})
    return json.dumps(rows, ensure_ascii=False, indent=1)


def _bar(ranked: Ranked, pitches: int, width: int = _BAR) -> Text:
    def at(rank: int) -> int:
        return round((rank - 1) / max(1, pitches - 1) * (width - 1))

    text = Text()
    for place in range(width):
        inside = at(ranked.best) <= place <= at(ranked.worst)
        text.append("●" if place == at(ranked.rank) else "━" if inside else "·", style="" if inside else QUIET)
    return text
