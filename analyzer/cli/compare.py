"""`pitch compare`: what was extracted against manual scores."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.command import command
from analyzer.cli.completion import files
from analyzer.cli.inputs import load_market, load_rulebook
from analyzer.cli.options import FILE, json_option, market_option, output_option, rulebook_option, seed_option
from analyzer.errors import InputError
from analyzer.files.disk import check_distinct
from analyzer.screen import note, say_json, screen

if TYPE_CHECKING:
    from analyzer.agreement.records import Comparison


@command("compare")
@click.argument("sources", nargs=-1, required=True, metavar="EXTRACTED... MANUAL.csv", shell_complete=files)
@click.option(
    "--pitches",
    type=FILE,
    metavar="FOLDER",
    help="Read these pitches now, if EXTRACTED is a model: recorded, keywords or provider/name.",
)
@click.option("--rater", "raters", multiple=True, metavar="NAME", help="Use only this rater; repeat for more.")
@rulebook_option
@market_option
@click.option(
    "--draws",
    type=click.IntRange(100, 100_000),
    metavar="N",
    default=1000,
    show_default=True,
    help="Number of bootstrap samples for the intervals.",
)
@seed_option
@output_option("--report", "OUT.html", "Also write a page with charts.")
@output_option("--disagreements", "OUT.csv", "Also write every disagreement as CSV, ready to be settled.")
@json_option("comparison")
def compare_command(
    sources: tuple[str, ...], report: Path | None, disagreements: Path | None, as_json: bool, **options: Any
) -> None:
    """Compare extracted signals with manual scores.

    Shows agreement, its confidence intervals, and every disagreement.

    EXTRACTED is a file of assessments (.json, .jsonl, .parquet), or a model that reads the pitches in --pitches. Name
    several to compare them side by side. MANUAL.csv has one row per pitch and rater.
    """
    from analyzer.views.comparison_files import check_outputs
    from analyzer.views.comparison_terminal import print_comparison

    check_outputs(report, disagreements, [path for path in map(Path, sources) if path.is_file()])
    check_distinct((report, disagreements))
    comparison = _compare(sources, **options)
    _write(comparison, report, disagreements)
    if as_json:
        say_json(comparison.to_json())
    else:
        print_comparison(screen(), comparison)
    if any(reader.failed for reader in comparison.readers):
        sys.exit(1)


def _compare(sources: tuple[str, ...], rulebook: Path | None, market: Path | None, **options: Any) -> Comparison:
    from analyzer.agreement.comparison import compare

    if len(sources) < 2:
        raise InputError("name what was extracted and, last, the manual scores: pitch compare EXTRACTED MANUAL.csv")
    rules, map_ = load_rulebook(rulebook), load_market(market)
    return compare(list(sources[:-1]), sources[-1], rulebook=rules, market=map_, **options)


def _write(comparison: Comparison, report: Path | None, disagreements: Path | None) -> None:
    from analyzer.views.comparison_files import write_comparison, write_disagreements

    if report is not None:
        write_comparison(report, comparison)
        note(f"Report: {report}")
    if disagreements is not None:
        write_disagreements(disagreements, comparison)
        note(f"Disagreements: {disagreements}")
