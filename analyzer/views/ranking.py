"""Rankings, and what another rulebook changes, as people and scripts read them."""

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
from analyzer.views.numbers import shown
from analyzer.views.reports import render_page
from analyzer.views.terminal import QUIET, plain

_SHOWN: Final = 50
"""Rows in the terminal; all are in the report and in JSON."""
_SURE: Final = 0.9
_BAR: Final = 16


def how(top: int, draws: int) -> str:
    """What the figures of a ranking mean."""
    return (
        f"{draws:,} simulations, each weight between half and twice the rulebook's, what the pitch does not say from "
        f"its possible values. Rank: the median, then the ranks in 90% of the simulations. Top {top}: how often among "
        f"the first {top}. Next: how often ahead of the next. Pitches whose ranks overlap are not clearly apart."
    )


def ranks(found: Ranked) -> str:
    """The ranks of a pitch in 90% of the simulations: "3 to 67", or "1" where it is always the same."""
    return f"{found.best:,}" if found.best == found.worst else f"{found.best:,} to {found.worst:,}"


def print_ranking(
    console: Console, labels: Sequence[PitchLabel], ranking: Sequence[Ranked], top: int, draws: int
) -> None:
    """The ranking with its picture: the median rank of each pitch, and its ranks in 90% of the simulations."""
    if not ranking:
        console.print("Nothing in scope to rank.")
        return
    table = Table(box=None, pad_edge=False, header_style=QUIET, padding=(0, 2, 0, 0))
    for heading, justify in (("rank", "right"), ("pitch", "left"), ("overall", "right"), ("in 90%", "right")):
        table.add_column(heading, justify=justify, max_width=44)  # type: ignore[arg-type]
    table.add_column("", no_wrap=True, width=_BAR)
    table.add_column(f"top {top}", justify="right")
    table.add_column("next", justify="right")
    for found in ranking[:_SHOWN]:
        ahead = "" if found.beats_next is None else f"{found.beats_next:.0%}"
        table.add_row(
            f"{found.rank:,}",
            Text(plain(labels[found.row].name), overflow="ellipsis", no_wrap=True),
            f"{found.overall:.0f}",
            ranks(found),
            _bar(found, len(ranking)),
            f"{found.top:.0%}",
            Text(ahead, style="" if (found.beats_next or 0) >= _SURE else QUIET),
        )
    console.print(table)
    if len(ranking) > _SHOWN:
        console.print(Text(f"{len(ranking) - _SHOWN:,} more with --json or --report.", style=QUIET))
    console.print(Text(how(top, draws), style=QUIET))


def ranking_json(labels: Sequence[PitchLabel], ranking: Sequence[Ranked]) -> str:
    """The ranking as a JSON list, best first: each pitch's id (null where it has none), its name, and its figures."""
    return json.dumps(_rows(labels, ranking), ensure_ascii=False, indent=1)


def write_ranking(path: Path, labels: Sequence[PitchLabel], ranking: Sequence[Ranked], top: int, draws: int) -> None:
    """The ranking as one self-contained HTML page. Raises OutputError."""
    rows = _rows(labels, ranking)
    write_whole(path, render_page("ranking.html", rows=rows, how=how(top, draws), top=top, last=max(1, len(rows))))


def _rows(labels: Sequence[PitchLabel], ranking: Sequence[Ranked]) -> list[dict[str, Any]]:
    return [{"id": labels[found.row].id, "pitch": labels[found.row].name, **asdict(found)} for found in ranking]


def print_shifts(console: Console, shifts: Sequence[Shift]) -> None:
    """What another rulebook changes, the largest change first."""
    moved = [found for found in shifts if found.by or found.before != found.after]
    same = len(shifts) - len(moved)
    for found in moved:
        head = Text.assemble(
            (f"{found.by:+7.1f}  ", "bold"),
            (plain(found.title or found.id or "untitled"), "bold"),
            f"  {shown(found.before)} -> {shown(found.after)}",
        )
        if found.verdict_before != found.verdict_after:
            head.append(f"  {found.verdict_before} -> {found.verdict_after}")
        console.print(head, soft_wrap=True)
        through = ", ".join(f"{effect.consideration} {effect.by:+.1f}" for effect in found.effects[:4])
        if through:
            console.print(Text(f"         through {through}", style=QUIET))
    console.print(
        Text(
            f"{len(moved)} of {len(shifts)} pitches change{'' if moved else '; the rulebooks agree on all'}.",
            style=QUIET,
        )
    )
    if same and moved:
        console.print(Text(f"{same} stay as they were.", style=QUIET))


def shifts_json(shifts: Sequence[Shift]) -> str:
    """What changes, as a JSON list."""
    rows = []
    for found in shifts:
        row = {name: getattr(found, name) for name in ("id", "title", "by", "verdict_before", "verdict_after")}
        row |= {"before": found.before.model_dump(), "after": found.after.model_dump()}
        rows.append(row | {"effects": [asdict(effect) for effect in found.effects]})
    return json.dumps(rows, ensure_ascii=False, indent=1)


def _bar(found: Ranked, pitches: int, width: int = _BAR) -> Text:
    def at(rank: int) -> int:
        return round((rank - 1) / max(1, pitches - 1) * (width - 1))

    text = Text()
    for place in range(width):
        inside = at(found.best) <= place <= at(found.worst)
        text.append("●" if place == at(found.rank) else "━" if inside else "·", style="" if inside else QUIET)
    return text
