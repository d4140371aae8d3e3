"""`pitch bulk`: many pitches."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.batch import BatchChoice, batch_options, cancel, left_of, send, wait_for_batches, warn_of_batches
from analyzer.cli.command import command
from analyzer.cli.completion import files
from analyzer.cli.inputs import load_market, load_rulebook
from analyzer.cli.options import (
    FILE,
    MOST,
    FiniteRange,
    form_option,
    json_option,
    market_option,
    mode_option,
    model_option,
    output_option,
    readings_option,
    rulebook_option,
    settings_with,
    verify_option,
)
from analyzer.errors import AWAITS_BATCH, InputError
from analyzer.files.disk import check_distinct, check_writable
from analyzer.screen import note, say_json, screen
from analyzer.settings import DEFAULT_CONCURRENCY, GIVE_UP_AFTER, MAX_CONCURRENCY, MAX_PROCESSES, MAX_READINGS, Settings

if TYPE_CHECKING:
    from analyzer.files.pitches import Sources
    from analyzer.runs.bulk import BulkSummary
    from analyzer.runs.portfolio import Portfolio


@command("bulk")
@click.argument("sources", nargs=-1, required=True, metavar="INPUT...", shell_complete=files)
@click.option(
    "-o",
    "--output",
    type=FILE,
    metavar="OUT",
    help="Write the results here. OUT ends in .jsonl (complete assessments), .csv or .parquet; - prints JSON Lines.",
)
@model_option
@readings_option
@mode_option
@form_option
@verify_option
@click.option(
    "--concurrency",
    type=click.IntRange(1, MAX_CONCURRENCY),
    metavar="N",
    help="Send at most N requests at a time. Default: PITCH_CONCURRENCY, else 16.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, MAX_PROCESSES),
    default=1,
    show_default=True,
    metavar="N",
    help="Read and judge in N processes, which share all limits. Worth it where one core is the limit.",
)
@click.option(
    "--text-column",
    metavar="NAME",
    multiple=True,
    help="Column of a table that holds the pitch. Repeat it to join several. Default: found by its name.",
)
@click.option("--id-column", metavar="NAME", help="Column of a table that holds an id. Default: found by its name.")
@click.option(
    "--title-column", metavar="NAME", help="Column of a table that holds a title. Default: found by its name."
)
@click.option("--encoding", metavar="NAME", help="Encoding of tables that are not UTF-8, for example windows-1252.")
@click.option("--notes", is_flag=True, help="Include speaker notes, comments and earlier messages of documents.")
@click.option("--limit", type=click.IntRange(1, MOST), metavar="N", help="Read only the first N pitches.")
@click.option(
    "--max-cost", type=FiniteRange(min=0, min_open=True), metavar="USD", help="Stop before spending more than this."
)
@click.option(
    "--give-up-after",
    type=FiniteRange(1, MOST),
    default=GIVE_UP_AFTER,
    show_default=True,
    metavar="SECONDS",
    help="End the run if the server has not answered for this long.",
)
@click.option(
    "--dry-run", is_flag=True, help="Show how tables are understood, and estimate tokens and cost. Asks no model."
)
@click.option(
    "--repeat",
    type=click.IntRange(1, MAX_READINGS),
    default=1,
    metavar="K",
    help="Write K readings of each pitch, each in a row of its own, and show how far they agree.",
)
@batch_options
@output_option("--report", "OUT.html", "Also write a portfolio page.")
@rulebook_option
@market_option
@json_option("summary")
def bulk_command(sources: tuple[str, ...], notes: bool, dry_run: bool, **options: Any) -> None:
    """Assess many pitches: folders, files, patterns or tables.

    Tables (.csv, .tsv, .json, .jsonl, .parquet, .xlsx) have one pitch a row. Use - to read CSV or JSON from standard
    input.

    Every answer you pay for is saved in a store (PITCH_STORE) right away. Run the same command again to ask only for
    what is missing; after a change of rules, nothing is asked. Ctrl-C lets requests in flight finish.

    --batch sends the requests to the provider in batches, which cost half and are answered within a day. Run the same
    command with --collect later, on any machine with the same store.
    """
    from analyzer.files.pitches import Sources

    if options["repeat"] > 1 and options["readings"]:
        raise InputError("--repeat shows each reading by itself and --readings combines them; use one of the two")
    choice = BatchChoice(**{name: options.pop(name) for name in ("batch", "collect", "cancel", "wait", "live")})
    if options["processes"] > 1 and (choice.batch or choice.collect or choice.cancel):
        raise InputError("--processes is for requests that are sent at once; leave it out with batches")
    if choice.wait and "-" in sources:
        raise InputError("--wait reads the pitches several times, and standard input comes once; save it to a file")
    columns = {name: options.pop(name) for name in ("text_column", "id_column", "title_column", "encoding")}
    inputs = Sources(sources, notes_too=notes, **columns)
    if dry_run:
        if choice.cancel:
            raise InputError("--dry-run estimates what would be asked; leave it out with --cancel")
        settings = settings_with(options["mode"], options["form"], options["readings"], options["verify"])
        settings = settings if options["repeat"] == 1 else replace(settings, readings=options["repeat"])
        _estimate(inputs, options["model"], options["limit"], settings, options["as_json"], choice.in_batches)
        return
    if choice.writes:
        _check_output(options["output"], options["as_json"])
    origins: frozenset[str] = frozenset()
    if choice.cancel:
        cancel(inputs, options)
    elif choice.batch:
        origins = send(inputs, options, quiet=choice.wait)
    if choice.writes:
        _run(inputs, choice, origins, **options)


def _estimate(
    sources: Sources, model: tuple[str, ...], limit: int | None, settings: Settings, as_json: bool, batch: bool
) -> None:
    from analyzer.runs.estimate import estimate
    from analyzer.views.bulk import print_estimate

    found = estimate(sources, model=model, settings=settings, limit=limit, batch=batch)
    if as_json:
        say_json(json.dumps(found.document(), ensure_ascii=False, indent=2))
    else:
        print_estimate(screen(), found)


def _check_output(output: Path | None, as_json: bool) -> None:
    """Raise InputError without an output, or if it and the summary would get into each other's way."""
    if output is None:
        raise InputError("name the output with -o; it ends in .jsonl, .csv or .parquet, or is - for standard output")
    if as_json and str(output) == "-":
        raise InputError("results and --json cannot both go to standard output; name a file with -o")


def _run(
    sources: Sources,
    choice: BatchChoice,
    origins: frozenset[str],
    output: Path,
    report: Path | None,
    rulebook: Path | None,
    market: Path | None,
    as_json: bool,
    **limits: Any,
) -> None:
    """Run, write what is named, show what came of it; exit with the run's code."""
    from analyzer.runs.portfolio import Portfolio

    rules, map_ = load_rulebook(rulebook), load_market(market)
    if report is not None:
        check_writable(report, "a portfolio's report", (".html",), sources.paths())
        check_distinct((output, report))
    if not (choice.batch or choice.collect):
        warn_of_batches(limits)
    again, first = True, True
    while again:
        if choice.wait and (origins or not first):
            wait_for_batches(origins, limits)
        first = False
        portfolio = Portfolio(rules, map_) if report is not None else None
        limits["read"] = choice.reader()
        summary = _read_all(sources, output, portfolio, rulebook=rules, market=map_, **limits)
        again = choice.wait and summary.exit_code == AWAITS_BATCH
        origins = summary.origins
        limits["max_cost"] = left_of(limits["max_cost"], summary.batch)
    if report is not None and portfolio is not None:
        _write_portfolio(report, portfolio, summary)
    _show(summary, as_json)
    if summary.exit_code:
        sys.exit(summary.exit_code)


def _read_all(
    sources: Sources,
    output: Path,
    portfolio: Portfolio | None,
    mode: str | None,
    form: str | None,
    readings: int | None,
    verify: str | None,
    **options: Any,
) -> BulkSummary:
    """The one call of the run: with progress shown, ended by Ctrl-C."""
    from analyzer.runs.bulk import BulkOptions, run
    from analyzer.runs.garbage import collecting_less
    from analyzer.runs.interrupts import stopping_on_interrupt
    from analyzer.views.bulk import progress_shown

    settings = settings_with(mode, form, readings, verify)
    options["concurrency"] = options["concurrency"] or settings.concurrency or DEFAULT_CONCURRENCY
    stopping = "Stopping once the requests in flight are answered. Press Ctrl-C again to stop now."
    with (
        stopping_on_interrupt(lambda: note(stopping)) as stop,
        progress_shown(screen(err=True)) as show,
        collecting_less(),
    ):
        return run(
            sources,
            output,
            BulkOptions(settings=settings, **options),
            on_progress=show,
            on_result=portfolio.add if portfolio is not None else None,
            stop=stop,
        )


def _show(summary: BulkSummary, as_json: bool) -> None:
    from analyzer.results.output_files import STANDARD_OUTPUT
    from analyzer.views.bulk import print_stability, print_summary, summary_json

    print_summary(screen(err=True), summary)
    if as_json:
        say_json(summary_json(summary))
    elif summary.stability is not None:
        print_stability(screen(err=summary.output == STANDARD_OUTPUT), summary.stability)


def _write_portfolio(report: Path, portfolio: Portfolio, summary: BulkSummary) -> None:
    """Write the page of a run's results. A run that ended early does not replace the page of a complete one."""
    from analyzer.views.portfolio import write_portfolio

    if summary.written is None:
        return
    if summary.written != summary.output and report.exists():
        note(f"{report} was not changed: it shows a longer run.")
    else:
        write_portfolio(report, portfolio, summary.progress)
