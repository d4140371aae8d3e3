"""The soak test's results as a table, on the terminal and in docs/reliability.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.soak.verdict import Row

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
MARK: Final = "<!-- results: written by make soak -->"
MARK_END: Final = "<!-- end -->"
_HEAD: Final = (
    "| scenario | asked | rows, expected/got | paid twice | requests | seconds | verdict |\n"
    "| --- | --- | ---: | ---: | ---: | ---: | --- |"
)

_DATED_HEAD: Final = tuple(f"{line} {cell} |" for line, cell in zip(_HEAD.splitlines(), ("day", "---"), strict=True))
_BARS: Final = _DATED_HEAD[0].count("|")


def table(rows: Sequence[Row]) -> str:
    return "\n".join([_HEAD, *map(table_line, rows)])


def table_line(row: Row) -> str:
    twice = _shown(row.paid_twice)
    if row.paid_twice and row.in_flight is not None:
        twice += f" ({row.in_flight} in flight)"
    rows = "" if row.expected is None else f"{row.expected}/{_shown(row.got)}"
    said = "; ".join([*row.faults, *([row.note] if row.note else [])])
    verdict = row.verdict + (f": {said}" if said else "")
    seconds = f"{row.seconds:.0f}" if row.tried else ""
    cells = [row.scenario, row.asked, rows, twice, _shown(row.requests), seconds, verdict]
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def write_page(rows: Sequence[Row], seed: int, page: Path = PAGE) -> None:
    """Put the results between the page's marks, each with its day. Rows of scenarios that were not run now stay."""
    text = page.read_text(encoding="utf-8")
    before, mark, rest = text.partition(MARK)
    earlier, end, after = rest.partition(MARK_END)
    if not mark or not end:
        raise ValueError(f"{page} has no place for results: it needs {MARK} and {MARK_END}")
    day = datetime.now(UTC).date().isoformat()
    lines = {_key(line): line for line in earlier.splitlines() if line.startswith("| ") and line.count("|") == _BARS}
    for head in _DATED_HEAD:
        lines.pop(_key(head), None)
    lines |= {_key(line): f"{line} {day} |" for line in map(table_line, rows)}
    tried = [line for line in lines.values() if "| not tried" not in line]
    passed = sum("| pass" in line for line in tried)
    results = f"{passed} of {len(tried)} passed (seed {seed}; {machine()}).\n\n"
    content = "\n".join([*_DATED_HEAD, *lines.values()])
    page.write_text(f"{before}{mark}\n{results}{content}\n{end}{after}", encoding="utf-8")


def _key(line: str) -> tuple[str, ...]:
    """What tells the rows of the table apart: the scenario and what was asked."""
    return tuple(cell.strip() for cell in line.split("|")[1:3])


def machine() -> str:
    """The kind of this machine, in a few words; nothing that names it."""
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        memory = f", {size / 2**30:.0f} GB of memory"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.system()} {platform.machine()}, {cores} cores{memory}, Python {platform.python_version()}"


def _shown(count: int | None) -> str:
    return "" if count is None else f"{count:,}"
