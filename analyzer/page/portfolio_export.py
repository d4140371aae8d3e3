"""A portfolio as a file, whole or what a filter leaves of it."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from analyzer.page.portfolio_work import PortfolioWork
from analyzer.results.output_files import OutputFile
from analyzer.results.rows import ResultRow
from analyzer.views.portfolio import write_portfolio


def export(work: PortfolioWork, ending: str, places: Collection[int] | None = None) -> bytes:
    """The results in the order of the input, as `pitch bulk` writes them; `.html` is the portfolio in one file.

    `places`: those to export, by place in the ranking; None = all, also those out of scope and those not read.
    """
    with tempfile.TemporaryDirectory(prefix="pitch-analyzer-") as folder:
        path = Path(folder) / f"portfolio{ending}"
        if ending == ".html":
            ranked = None if places is None else [work.ranked[place] for place in sorted(places)]
            write_portfolio(path, work.portfolio, work.progress, name=work.name, ranked=ranked)
            return path.read_bytes()
        items = work.items if places is None else [work.ranked_item(place) for place in places]
        file = OutputFile(path, own=dict.fromkeys(work.own_columns()))
        for item in sorted(items, key=lambda item: item.result.number):
            assessment = None if item.compressed_assessment is None else item.assessment()
            file.write(ResultRow(replace(item.result, assessment=assessment), item.source, columns=item.columns))
        file.finish()
        return path.read_bytes()
