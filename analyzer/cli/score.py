"""`pitch score` and `pitch rank`: judge signals that were read before; no model is called."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.command import command
from analyzer.cli.completion import files
from analyzer.cli.inputs import load_market, load_rulebook
from analyzer.cli.options import (
    FILE,
    MOST,
    json_option,
    market_option,
    output_option,
    rulebook_option,
    seed_option,
)
from analyzer.cli.show import show_assessment
from analyzer.errors import InputError
from analyzer.files.disk import check_writable
from analyzer.screen import note, say, say_json, screen

if TYPE_CHECKING:
    from analyzer.framework.market import MarketMap
    from analyzer.framework.rulebook import Rulebook
    from analyzer.results.documents import DocumentEntry


@command("score")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=files)
@rulebook_option
@market_option
@click.option("--against", type=FILE, metavar="FILE", help="Show what changes compared with this rulebook.")
@click.option(
    "-o",
    "--output",
    type=FILE,
    metavar="OUT",
    help="Score one .parquet file into another, fast. Stops at the first invalid row.",
)
@json_option("assessment")
def score_command(
    files: tuple[str, ...], rulebook: Path | None, market: Path | None, output: Path | None, **options: Any
) -> None:
    """Score signals that were read before; no model is called.

    FILE is an assessment, a signals document, or a .jsonl or .parquet file of them. Use - to read JSON from standard
    input. Invalid documents are reported; all others are scored.
    """
    if output is not None:
        if options["as_json"] or options["against"] is not None or market is not None:
            raise InputError("-o goes with --rulebook only: a table of signals already holds the market map's values")
        _score_parquet(_unique_files(files), output, load_rulebook(rulebook))
    else:
        _score(_unique_files(files), load_rulebook(rulebook), load_market(market), **options)


def _unique_files(files: Sequence[str]) -> list[str]:
    """The files without repeats; says which were named twice."""
    from analyzer.results.documents import unique_files

    names, notes = unique_files(files)
    for line in notes:
        note(f"pitch: {line}")
    return names


def _score(files: list[str], rules: Rulebook, market: MarketMap, against: Path | None, as_json: bool) -> None:
    if against is not None:
        _score_against(files, rules, load_rulebook(against), market, as_json)
    else:
        _score_each(files, rules, market, as_json)


def _score_parquet(files: list[str], output: Path, rules: Rulebook) -> None:
    from analyzer.results.tables import score_parquet

    if len(files) != 1 or Path(files[0]).suffix.lower() != ".parquet" or output.suffix.lower() != ".parquet":
        raise InputError("with -o, name one .parquet file and an output that ends in .parquet")
    note(f"{score_parquet(Path(files[0]), output, rules):,} rows: {output}")


def _score_each(files: list[str], rules: Rulebook, market: MarketMap, as_json: bool) -> None:
    from analyzer.results.documents import score_entry

    scored = failed = 0
    ids: Counter[str] = Counter()
    for entry in _entries(files):
        result = score_entry(entry, rules, market)
        if result.error is not None:
            failed += 1
            note(f"pitch: {result.error}")
        elif result.assessment is not None:
            if scored and not as_json:
                say()
            scored += 1
            ids.update([result.assessment.pitch.id] if result.assessment.pitch.id else [])
            show_assessment(result.assessment, as_json, compact=result.many or len(files) > 1)
    for id_, count in ids.most_common(3):
        if count > 1:
            note(f"Note: {count} documents have the id {id_}; they are shown in the order of the input.")
    _finish(files, scored, failed)


def _score_against(files: list[str], rules: Rulebook, against: Rulebook, market: MarketMap, as_json: bool) -> None:
    from analyzer.framework.revision import shift
    from analyzer.results.documents import score_entry
    from analyzer.views.ranking import print_shifts, shifts_json

    shifts = []
    failed = out_of_scope = 0
    for entry in _entries(files):
        before, after = score_entry(entry, against, market), score_entry(entry, rules, market)
        if before.error is not None:
            failed += 1
            note(f"pitch: {before.error}")
        elif before.assessment is not None and after.assessment is not None:
            change = shift(before.assessment, after.assessment)
            shifts += [change] if change else []
            out_of_scope += change is None
    if out_of_scope:
        note(f"{out_of_scope} out of scope, not scored.")
    if shifts or out_of_scope:
        shifts.sort(key=lambda change: -abs(change.by))
        if as_json:
            say_json(shifts_json(shifts))
        else:
            print_shifts(screen(), shifts)
    _finish(files, len(shifts) + out_of_scope, failed)


def _entries(files: Sequence[str]) -> Iterator[DocumentEntry]:
    from analyzer.results.documents import read_entries

    for name in files:
        yield from read_entries(name)


def _finish(files: Sequence[str], good: int, failed: int) -> None:
    """Exit with 1 if some documents failed, 2 if all did. Raises InputError if there were none."""
    if not good and not failed:
        raise _no_signals(files)
    if failed:
        sys.exit(1 if good else InputError.exit_code)


def _no_signals(files: Sequence[str]) -> InputError:
    return InputError(f"no signals found in {', '.join(files)}")


@command("rank")
@click.argument("files", nargs=-1, required=True, metavar="RESULTS...", shell_complete=files)
@rulebook_option
@click.option(
    "--top",
    type=click.IntRange(1, MOST),
    metavar="N",
    default=10,
    show_default=True,
    help="Show how often each pitch ranks among the first N.",
)
@click.option(
    "--draws",
    type=click.IntRange(1, 100_000),
    metavar="N",
    default=1000,
    show_default=True,
    help="Number of simulations.",
)
@seed_option
@output_option("--report", "OUT.html", "Also write the ranking as a page.")
@json_option("ranking")
def rank_command(files: tuple[str, ...], rulebook: Path | None, report: Path | None, **options: Any) -> None:
    """Rank pitches that were read before, and show how reliable the ranking is.

    Each simulation varies the weights, fills in what the pitches do not say with possible values, and ranks the
    pitches (stochastic multicriteria acceptability analysis). No model is called.
    """
    if report is not None:
        check_writable(report, "a ranking's report", (".html",), map(Path, files))
    _rank(files, load_rulebook(rulebook), report, **options)


def _rank(
    files: Sequence[str], rules: Rulebook, report: Path | None, top: int, draws: int, seed: int, as_json: bool
) -> None:
    from analyzer.framework.ranking import rank
    from analyzer.results.tables import coded_entries
    from analyzer.views.ranking import print_ranking, ranking_json, write_ranking

    entries = coded_entries(files)
    for problem in (*entries.notes, *entries.errors):
        note(f"pitch: {problem}")
    if not len(entries.coded) and not entries.errors:
        raise _no_signals(files)
    ranking = rank(entries.coded, rules, top=top, draws=draws, seed=seed)
    if report is not None:
        write_ranking(report, entries.labels, ranking, top, draws)
        note(f"Report: {report}")
    if len(ranking) < len(entries.coded):
        note(f"{len(entries.coded) - len(ranking)} out of scope, not ranked.")
    if as_json:
        say_json(ranking_json(entries.labels, ranking))
    else:
        print_ranking(screen(), entries.labels, ranking, top, draws)
    _finish(files, len(ranking), len(entries.errors))
