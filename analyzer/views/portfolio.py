"""Many assessments on one page: where they stand, how they rank and how sure that is, with filters; one HTML file.

The page loads nothing, and its one script is named in its own security policy by fingerprint.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from analyzer.files.disk import write_whole
from analyzer.framework.assessment import ShownVerdict, Usage
from analyzer.framework.ranking import Ranked
from analyzer.results.result import Progress
from analyzer.runs.portfolio import DRAWS, FILTER_FIELDS, ROWS, Portfolio, PortfolioEntry, filter_facts
from analyzer.views.assessment_content import SHOWN_VERDICTS, tone_of, warning_kinds
from analyzer.views.html import render_page, template_text
from analyzer.views.times import day


def write_portfolio(
    path: Path,
    portfolio: Portfolio,
    progress: Progress | None = None,
    *,
    name: str = "",
    ranked: list[tuple[PortfolioEntry, Ranked]] | None = None,
) -> None:
    """Writes the page, whole or not at all. `name`: of the file that the pitches came from. `ranked`: the part of the
    ranking to show, with the ranks that the pitches have among all; None = all. Raises InputError."""
    part = ranked is not None
    everything = portfolio.ranked()
    ranked = everything if ranked is None else ranked
    script = template_text("portfolio.js")
    fingerprint = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    write_whole(
        path,
        render_page(
            "portfolio.html",
            ranked=ranked[:ROWS],
            left_out=max(0, len(ranked) - ROWS),
            last=max(1, len(everything)),
            name=name,
            part_of=len(everything) if part else None,
            counts=verdict_counts(ranked),
            filter_fields=FILTER_FIELDS,
            filter_facts=filter_facts,
            entries=[entry for entry, _ in ranked],
            verdicts=SHOWN_VERDICTS,
            tone_of=tone_of,
            warning_kinds=warning_kinds,
            rough=portfolio.rough,
            out_of_scope=[] if part else portfolio.out_of_scope,
            failed=[] if part else portfolio.failed,
            failed_count=0 if part else sum((progress.failed if progress else {}).values()) or len(portfolio.failed),
            usage=progress.usage if progress else Usage(),
            draws=DRAWS,
            made=day(datetime.now(UTC)),
            script=script,
            policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{fingerprint}'",
        ),
    )


def verdict_counts(ranked: Iterable[tuple[PortfolioEntry, Ranked]]) -> Mapping[ShownVerdict, int]:
    """How many pitches have each verdict; drafts only where there are some."""
    counts: dict[ShownVerdict, int] = {"for": 0, "balanced": 0, "open": 0, "against": 0}
    for entry, _ in ranked:
        counts[entry.verdict] = counts.get(entry.verdict, 0) + 1
    return counts
