"""The `pitch` command: each subcommand parses, makes one call, and renders once.

Results go to standard output, everything else to standard error. Errors are one or two lines and an exit code
(1 a pitch failed, 2 the call or an input file is wrong, 3 not configured or no model in reach); `--debug` shows
the traceback. Modules that take long to load are loaded by the commands that need them.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import wraps
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from analyzer.errors import AnalyzerError, InputError, safe_traceback
from analyzer.files.disk import check_distinct, check_writable, reason
from analyzer.screen import StandardOutputError, note, say, say_json, screen
from analyzer.settings import GIVE_UP_AFTER, MAX_CONCURRENCY

F = TypeVar("F", bound=Callable[..., Any])


class _Commands(click.Group):
    """Shows the commands in the order in which people meet them, and wrong calls in two lines."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        kwargs["standalone_mode"] = False
        try:
            code = self._called(*args, **kwargs)
        except OSError as error:  # help and version, where standard output cannot be written
            code = _told(error if isinstance(error, StandardOutputError) else StandardOutputError(error))
        sys.exit(code)

    def _called(self, *args: Any, **kwargs: Any) -> int:
        try:
            code = super().main(*args, **kwargs)
        except click.exceptions.NoArgsIsHelpError as error:
            say(error.format_message())
            return InputError.exit_code
        except click.ClickException as error:
            context = getattr(error, "ctx", None)
            note(f"pitch: {error.format_message()}")
            note(f"See: {context.command_path if context else 'pitch'} --help")
            return InputError.exit_code
        except click.Abort:
            note("pitch: interrupted")
            return 130
        return code if isinstance(code, int) else 0


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("pitch-analyzer"), prog_name="pitch")
def cli() -> None:
    """Read a pitch for an ML tool, with quotes, and judge it by a rulebook you can read.

    A model is named provider/name (openai/gpt-4.1-mini, ollama/llama3.1, …) with --model or PITCH_MODEL. Two
    readers need no network: "recorded" (answers kept earlier) and "keywords" (cue phrases; rough).
    """


def main() -> None:
    """Run the command line; the entry point of `pitch`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    cli()


def _command(name: str) -> Callable[[F], click.Command]:
    """A subcommand with `--debug`, whose errors of this package become a message and an exit code."""

    def decorate(function: F) -> click.Command:
        @wraps(function)
        def run(*args: Any, debug: bool, **kwargs: Any) -> None:
            try:
                function(*args, **kwargs)
            except AnalyzerError as error:
                if debug:
                    note(safe_traceback(error))
                note(f"pitch: {error}")
                sys.exit(error.exit_code)
            except KeyboardInterrupt as error:
                note(" ".join(["pitch: interrupted.", *getattr(error, "__notes__", ())]))
                sys.exit(130)
            except OSError as error:
                if debug:
                    note(safe_traceback(error))
                sys.exit(_told(error))
            except Exception as error:  # noqa: BLE001  # a fault of this program; its message may quote the pitch
                name = type(error).__name__
                if debug:
                    note(safe_traceback(error))
                    note(f"pitch: a fault of this program ({name}); please report it, with these lines")
                else:
                    note(f"pitch: a fault of this program ({name}); run again with --debug and report it")
                sys.exit(1)

        run = click.option("--debug", is_flag=True, help="Show where an error was raised; never the pitch or a key.")(
            run
        )
        return cli.command(name)(run)

    return decorate


_SEED = click.IntRange(0, 2**32 - 1)
_MOST = 10**9
"""More pitches than there are."""


class _Money(click.FloatRange):
    """An amount above nothing; "nan" and "inf" would be no limit at all."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        amount = super().convert(value, param, ctx)
        if not isfinite(amount):
            self.fail(f"{value} is not an amount; give US dollars, for example 5.", param, ctx)
        return amount


def _told(error: OSError) -> int:
    """Says what could not be read or written, nothing where a reader went away; the exit code."""
    if not isinstance(error, StandardOutputError):
        note(f"pitch: {error.filename or 'a file or connection'} cannot be used: {reason(error)}")
        return InputError.exit_code
    if not error.gone:
        note(f"pitch: standard output cannot be written: {reason(error)}")
    with suppress(OSError, ValueError):  # what is left in the buffer is lost; the interpreter need not complain at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


_model = click.option("--model", metavar="MODEL", help="provider/name, recorded or keywords. Default: PITCH_MODEL.")
_json = click.option("--json", "as_json", is_flag=True, help="Print the assessment document as JSON.")
_rulebook = click.option(
    "--rulebook",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Judge by this rulebook instead of the built-in.",
)

_market = click.option(
    "--market", type=click.Path(path_type=Path), metavar="FILE", help="Use this market map instead of the built-in."
)


@_command("analyze")
@click.argument("source", metavar="[FILE or -]", default="-")
@_model
@_rulebook
@_market
@_json
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="OUT", help="Also write a report: OUT ends in .html or .md."
)
@click.option("--no-store", is_flag=True, help="Ask the model even if its answer is stored, and store nothing.")
def analyze_command(
    source: str,
    model: str | None,
    rulebook: Path | None,
    market: Path | None,
    as_json: bool,
    report: Path | None,
    no_store: bool,
) -> None:
    """Assess one pitch: a text, Markdown, PDF, PPTX or DOCX file, or standard input.

    A model's answer is stored (PITCH_STORE) and paid for once: the same pitch again asks nothing.
    """
    from analyzer.runs.many import assess, choose
    from analyzer.settings import Settings
    from analyzer.views.reports import check_report_path, write_report

    if report is not None:
        check_report_path(report, [Path(source)])
    rules, map_ = _load_rulebook(rulebook), _load_market(market)
    pitch = _pitch(source)
    settings = Settings.from_environment()
    choice = choose(pitch, model, settings, None if no_store else settings.store_url())
    if choice.note:
        note(choice.note)
    with _waiting(choice.asks, pitch.text):
        assessment = assess(pitch, choice.reader, rules, map_)
    if choice.from_store:
        note("Read from the stored answer; nothing was asked. To ask the model again: --no-store")
    if report is not None:
        write_report(report, assessment, pitch.text)
        note(f"Report: {report}")
    _show(assessment, as_json)


@_command("bulk")
@click.argument("sources", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Where the results go: OUT ends in .jsonl (whole assessments), .csv or .parquet.",
)
@_model
@click.option(
    "--concurrency",
    type=click.IntRange(1, MAX_CONCURRENCY),
    metavar="N",
    default=16,
    show_default=True,
    help="Requests in flight at most.",
)
@click.option("--text-column", metavar="NAME", help="The column of a table that holds the pitch. Default: guessed.")
@click.option("--id-column", metavar="NAME", help="The column of a table that holds an id. Default: guessed.")
@click.option("--limit", type=click.IntRange(1, _MOST), metavar="N", help="Read the first N pitches only.")
@click.option("--max-cost", type=_Money(), metavar="USD", help="Stop before passing it.")
@click.option(
    "--give-up-after",
    type=click.FloatRange(1, _MOST),
    default=GIVE_UP_AFTER,
    show_default=True,
    metavar="SECONDS",
    help="End the run when the server has not answered for so long.",
)
@click.option("--dry-run", is_flag=True, help="Estimate tokens and cost; ask nothing.")
@click.option(
    "--repeat",
    type=click.IntRange(1, 20),
    default=1,
    metavar="K",
    help="Read each pitch K times, past the store, and show how stable the reading is.",
)
@click.option("--report", type=click.Path(path_type=Path), metavar="OUT.html", help="Also write a portfolio page.")
@_rulebook
@_market
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def bulk_command(
    sources: tuple[str, ...],
    output: Path | None,
    model: str | None,
    text_column: str | None,
    id_column: str | None,
    dry_run: bool,
    report: Path | None,
    rulebook: Path | None,
    market: Path | None,
    as_json: bool,
    **limits: Any,
) -> None:
    """Assess many pitches: folders, files, patterns, or tables (.csv, .tsv, .jsonl, .parquet) with a pitch a row; -
    reads JSON Lines or CSV.

    Every paid answer is kept in a store (PITCH_STORE) before it is reported: the same command run again asks only what
    is missing, and after a change of rules nothing at all. Ctrl-C lets what is in flight finish.
    """
    from analyzer.files.pitches import Sources
    from analyzer.settings import Settings

    given = Sources(sources, text_column, id_column)
    settings = Settings.from_environment()
    if dry_run:
        _estimate(given, model, settings, limits["limit"])
    elif output is None:
        raise InputError("name the output with -o; it ends in .jsonl, .csv or .parquet")
    else:
        rules = {"rulebook": _load_rulebook(rulebook), "market": _load_market(market)}
        _run_bulk(given, output, as_json, model=model, settings=settings, report=report, **rules, **limits)


@_command("score")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@_rulebook
@_market
@click.option(
    "--against", type=click.Path(path_type=Path), metavar="FILE", help="Show what changes from this rulebook."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Score a .parquet file into another, fast; a row that does not fit stops it.",
)
@_json
def score_command(
    files: tuple[str, ...],
    rulebook: Path | None,
    market: Path | None,
    against: Path | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Score signals that exist already: an assessment, a signals document, or .jsonl/.parquet of them; - reads JSON.

    No model is called. A file is read to its end; documents that do not fit are named, the others scored.
    """
    from analyzer.framework.rulebook import Rulebook
    from analyzer.results.documents import unique_files

    rules, map_ = _load_rulebook(rulebook), _load_market(market)
    once, notes = unique_files(files)
    for line in notes:
        note(f"pitch: {line}")
    if output is not None:
        if as_json or against is not None or market is not None:
            raise InputError("-o goes with --rulebook only: a table of signals holds what the market map said already")
        _score_parquet(once, output, rules)
    elif against is not None:
        _score_against(once, rules or Rulebook.built_in(), Rulebook.load(against), map_, as_json)
    else:
        _score_each(once, rules, map_, as_json)


@_command("rank")
@click.argument("files", nargs=-1, required=True, metavar="RESULTS...")
@_rulebook
@click.option(
    "--top",
    type=click.IntRange(1, _MOST),
    metavar="N",
    default=10,
    show_default=True,
    help="Count how often a pitch is among the first so many.",
)
@click.option(
    "--draws",
    type=click.IntRange(1, 100_000),
    metavar="N",
    default=1000,
    show_default=True,
    help="How often to draw weights and unknowns.",
)
@click.option(
    "--seed", type=_SEED, metavar="N", default=0, show_default=True, help="The same seed gives the same result."
)
@click.option("--report", type=click.Path(path_type=Path), metavar="OUT.html", help="Also write the ranking as a page.")
@click.option("--json", "as_json", is_flag=True, help="Print the ranking as JSON.")
def rank_command(
    files: tuple[str, ...],
    rulebook: Path | None,
    top: int,
    draws: int,
    seed: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Rank pitches that were read before, and say how far the ranking can be trusted.

    Weights and what the pitches leave unsaid are drawn many times over, and the pitches ranked each time (stochastic
    multicriteria acceptability analysis). No model is called.
    """
    from analyzer.framework.ranking import rank
    from analyzer.framework.rulebook import Rulebook
    from analyzer.results.tables import coded_entries
    from analyzer.views.ranking import print_ranking, ranking_json, write_ranking

    if report is not None:
        check_writable(report, "a ranking's report", (".html",), map(Path, files))
    rules = _load_rulebook(rulebook) or Rulebook.built_in()
    found = coded_entries(files)
    for problem in (*found.notes, *found.errors):
        note(f"pitch: {problem}")
    if not len(found.coded) and not found.errors:
        raise InputError(f"{', '.join(files)}: there are no signals in there to rank")
    ranking = rank(found.coded, rules, top=top, draws=draws, seed=seed)
    if report is not None:
        write_ranking(report, found.labels, ranking, top, draws)
        note(f"Report: {report}")
    if len(ranking) < len(found.coded):
        note(f"{len(found.coded) - len(ranking)} out of scope, not ranked.")
    if as_json:
        say_json(ranking_json(found.labels, ranking))
    else:
        print_ranking(screen(), found.labels, ranking, top, draws)
    if found.errors:
        sys.exit(1 if ranking else InputError.exit_code)


@_command("compare")
@click.argument("sources", nargs=-1, required=True, metavar="EXTRACTED... MANUAL.csv")
@click.option(
    "--pitches",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Read these pitches now, where EXTRACTED is a model: recorded, keywords or provider/name.",
)
@click.option("--rater", "raters", multiple=True, metavar="NAME", help="Count this rater only; may be repeated.")
@_rulebook
@_market
@click.option(
    "--draws",
    type=click.IntRange(100, 100_000),
    metavar="N",
    default=1000,
    show_default=True,
    help="Samples drawn for the intervals.",
)
@click.option(
    "--seed", type=_SEED, metavar="N", default=0, show_default=True, help="The same seed gives the same result."
)
@click.option("--report", type=click.Path(path_type=Path), metavar="OUT.html", help="Also write a page with pictures.")
@click.option(
    "--disagreements",
    type=click.Path(path_type=Path),
    metavar="OUT.csv",
    help="Also write every disagreement as CSV, to be settled.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def compare_command(
    sources: tuple[str, ...], report: Path | None, disagreements: Path | None, as_json: bool, **options: Any
) -> None:
    """Compare what was extracted with manual scores: agreement, its limits, and every disagreement.

    EXTRACTED is a file of assessments (.json, .jsonl, .parquet), or a model that reads the pitches of --pitches;
    several are set side by side. MANUAL.csv has one row a pitch and rater.
    """
    from analyzer.views.comparison import check_outputs, print_comparison

    check_outputs(report, disagreements, [path for path in map(Path, sources) if path.is_file()])
    check_distinct((report, disagreements))
    comparison = _compare(sources, **options)
    _write_comparison(comparison, report, disagreements)
    if as_json:
        say_json(comparison.to_json())
    else:
        print_comparison(screen(), comparison)
    if any(reader.failed for reader in comparison.readers):
        sys.exit(1)


@_command("record")
@click.argument("sources", nargs=-1, required=True, metavar="INPUT...")
@click.option("--model", metavar="MODEL", required=True, help="provider/name of the model to ask.")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where to keep them. Default: PITCH_RECORDINGS.",
)
def record_command(sources: tuple[str, ...], model: str, folder: Path | None) -> None:
    """Ask a real model about pitches (files or folders) and keep its answers, to be replayed with --model recorded.

    An answer is kept as it came; nothing else of the exchange is: no key, no header, no path.
    """
    from analyzer.files.pitches import Sources
    from analyzer.runs.many import assess, recording_reader
    from analyzer.settings import Settings

    settings = Settings.from_environment()
    target = folder or settings.own_recordings()
    reader = recording_reader(model, settings, target)
    failed = 0
    given = Sources(sources)
    for path in given.documents():
        try:
            assess(_pitch(str(path)), reader)
            note(f"{path}: recorded")
        except AnalyzerError as error:
            if error.exit_code == 3:
                raise
            failed += 1
            note(f"pitch: {path}: {error}")
    for left_out in given.notes():
        note(f"Note: {left_out}")
    say(str(target))
    if failed:
        sys.exit(1)


@_command("market")
@click.argument("category", required=False)
@_market
@click.option("--unknown", metavar="RESULTS", help="List the alternatives named in results that the map does not know.")
def market_command(category: str | None, market: Path | None, unknown: str | None) -> None:
    """Show the market map: all categories, or one CATEGORY with its players."""
    from datetime import UTC, datetime

    from analyzer.framework.market import MarketMap
    from analyzer.results.documents import read_entries
    from analyzer.views.market import print_category, print_map, print_unknown, unknown_rivals

    map_ = _load_market(market) or MarketMap.built_in()
    if unknown is not None:
        rivals, errors = unknown_rivals(map_, read_entries(unknown))
        for error in errors:
            note(f"pitch: {error}")
        print_unknown(screen(), rivals)
        if errors:
            sys.exit(1)
    elif category is not None:
        print_category(screen(), map_, category)
    else:
        print_map(screen(), map_, datetime.now(UTC).date())


@_command("framework")
@_rulebook
@click.option("--markdown", is_flag=True, help="Print it as Markdown.")
@click.option("--new", type=click.Path(path_type=Path), metavar="FILE", help="Start a rulebook of your own from it.")
@click.option(
    "--diff",
    nargs=2,
    type=click.Path(path_type=Path),
    metavar="OLD NEW",
    help="Show what differs between two rulebooks.",
)
def framework_command(rulebook: Path | None, markdown: bool, new: Path | None, diff: tuple[Path, Path] | None) -> None:
    """Show the rulebook: considerations, tables, weights, sources."""
    from analyzer.framework.revision import differences
    from analyzer.framework.rulebook import Rulebook, write_new

    if new is not None:
        write_new(new)
        say(f"{new}: a copy of the built-in rulebook; change it and use it with --rulebook {new}")
    elif diff:
        lines = list(differences(*map(Rulebook.load, diff)))
        say("\n".join(lines) or "They judge and speak alike.")
    elif markdown:
        from analyzer.views.reports import rulebook_markdown

        say(rulebook_markdown(_load_rulebook(rulebook) or Rulebook.built_in()))
    else:
        from analyzer.views.terminal import print_rulebook

        print_rulebook(screen(), _load_rulebook(rulebook) or Rulebook.built_in())


@_command("doctor")
def doctor_command() -> None:
    """Show what is configured and what can be reached. Never prints a key."""
    from analyzer.runs.doctor import check
    from analyzer.settings import Settings

    worst = 0
    for finding in check(Settings.from_environment()):
        say(f"{'ok  ' if finding.ok else 'MISS'}  {finding.subject:<16} {finding.text}")
        worst = max(worst, 0 if finding.ok else 3)
    if worst:
        sys.exit(worst)


@_command("app")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", default=8501, show_default=True, help="Port on this machine."
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option(
    "--host-name",
    "host_names",
    metavar="NAME",
    multiple=True,
    envvar="PITCH_HOST_NAMES",
    show_envvar=True,
    help="Name by which a web server in front is reached; repeat for more. The page answers to no other names.",
)
def app_command(port: int, no_browser: bool, host_names: tuple[str, ...]) -> None:
    """Open the page in a browser. It is served to this machine only.

    What is analyzed there is kept in the store (PITCH_STORE, else a file in your data folder), where you can delete it.
    """
    from analyzer.page.serve import serve

    sys.exit(serve(port=port, open_browser=not no_browser, named=host_names))


def _waiting(model: str | None, text: str) -> AbstractContextManager[object]:
    """A line that counts the seconds while a model is asked, where a person is looking."""
    if model is None or not sys.stderr.isatty():
        return nullcontext()
    from analyzer.views.terminal import waiting

    return waiting(screen(err=True), f"{model} is reading the pitch ({len(text.split()):,} words)")


def _estimate(sources: Any, model: str | None, settings: Any, limit: int | None) -> None:
    from analyzer.runs.bulk import estimate
    from analyzer.views.bulk import print_estimate

    print_estimate(screen(), estimate(sources, model=model, settings=settings, limit=limit))


def _run_bulk(sources: Any, output: Path, as_json: bool, report: Path | None, **options: Any) -> None:
    from analyzer.runs.bulk import run, stopping_on_interrupt
    from analyzer.runs.portfolio import Portfolio
    from analyzer.views.bulk import print_stability, print_summary, progress_shown, summary_json

    if report is not None:
        check_writable(report, "a portfolio's report", (".html",), sources.paths())
        check_distinct((output, report))
    portfolio = Portfolio(options["rulebook"], options["market"]) if report is not None else None
    told = "Stopping: what is in flight is still taken in. Ctrl-C again ends at once."
    with stopping_on_interrupt(lambda: note(told)) as stop, progress_shown(screen(err=True)) as show:
        taken = portfolio.add if portfolio is not None else None
        summary = run(sources, output, on_progress=show, on_result=taken, stop=stop, **options)
    if report is not None and portfolio is not None:
        _write_portfolio(report, portfolio, summary)
    print_summary(screen(err=True), summary)
    if as_json:
        say_json(summary_json(summary))
    elif summary.stability is not None:
        print_stability(screen(), summary.stability)
    if summary.exit_code:
        sys.exit(summary.exit_code)


def _write_portfolio(report: Path, portfolio: Any, summary: Any) -> None:
    """The page of a run's results. A whole one from before is not replaced by one of a run that ended early."""
    from analyzer.views.portfolio import write_portfolio

    if summary.written is None:
        return
    if summary.written != summary.output and report.exists():
        note(f"{report} was left as it was.")
    else:
        write_portfolio(report, portfolio, summary.progress)


def _compare(sources: tuple[str, ...], rulebook: Path | None, market: Path | None, **options: Any) -> Any:
    from analyzer.agreement.comparison import compare

    if len(sources) < 2:
        raise InputError("give what was extracted and, last, the manual scores: pitch compare EXTRACTED MANUAL.csv")
    rules, map_ = _load_rulebook(rulebook), _load_market(market)
    return compare(list(sources[:-1]), sources[-1], rulebook=rules, market=map_, **options)


def _write_comparison(comparison: Any, report: Path | None, disagreements: Path | None) -> None:
    from analyzer.views.comparison import write_comparison, write_disagreements

    if report is not None:
        write_comparison(report, comparison)
        note(f"Report: {report}")
    if disagreements is not None:
        write_disagreements(disagreements, comparison)
        note(f"Disagreements: {disagreements}")


def _score_each(files: list[str], rules: Any, market: Any, as_json: bool) -> None:
    from analyzer.results.documents import read_entries, score_entry

    shown = failed = 0
    ids: Counter[str] = Counter()
    for entry in (entry for name in files for entry in read_entries(name)):
        scored = score_entry(entry, rules, market)
        if scored.error is not None:
            failed += 1
            note(f"pitch: {scored.error}")
        elif scored.assessment is not None:
            ids.update([scored.assessment.pitch.id] if scored.assessment.pitch.id else [])
            if shown and not as_json:
                say()
            shown += 1
            _show(scored.assessment, as_json, compact=scored.many or len(files) > 1)
    for id_, count in ids.most_common(3):
        if count > 1:
            note(f"Note: {count} documents have the id {id_}; they are shown in the order of the input.")
    if not shown and not failed:
        raise InputError(f"{', '.join(files)}: there are no signals in there to score")
    if failed:
        sys.exit(1 if shown else InputError.exit_code)


def _score_parquet(files: list[str], output: Path, rules: Any) -> None:
    from analyzer.results.tables import score_parquet

    if len(files) != 1 or Path(files[0]).suffix.lower() != ".parquet" or output.suffix.lower() != ".parquet":
        raise InputError("with -o, give one .parquet file and an output that ends in .parquet")
    note(f"{score_parquet(Path(files[0]), output, rules):,} rows: {output}")


def _score_against(files: list[str], rules: Any, against: Any, market: Any, as_json: bool) -> None:
    from analyzer.framework.revision import shift
    from analyzer.results.documents import read_entries, score_entry
    from analyzer.views.ranking import print_shifts, shifts_json

    shifts = []
    failed = outside = 0
    for entry in (entry for name in files for entry in read_entries(name)):
        before, after = score_entry(entry, against, market), score_entry(entry, rules, market)
        if before.error is not None:
            failed += 1
            note(f"pitch: {before.error}")
        elif before.assessment is not None and after.assessment is not None:
            found = shift(before.assessment, after.assessment)
            shifts += [found] if found else []
            outside += found is None
    if not shifts and not failed and not outside:
        raise InputError(f"{', '.join(files)}: there are no signals in there to score")
    if outside:
        note(f"{outside} out of scope, without a score.")
    shifts.sort(key=lambda found: -abs(found.by))
    if as_json:
        say_json(shifts_json(shifts))
    else:
        print_shifts(screen(), shifts)
    if failed:
        sys.exit(1 if shifts else InputError.exit_code)


def _pitch(source: str) -> Any:
    from analyzer.files.documents import MAX_BYTES, read_document, read_file
    from analyzer.files.listing import TABLES, spelled
    from analyzer.reading.pitch import Pitch

    if source == "-":
        if sys.stdin.isatty():
            note("Paste the pitch, then end with Ctrl-D (Windows: Ctrl-Z, Enter).")
        return Pitch.from_text(read_document("standard input", sys.stdin.buffer.read(MAX_BYTES + 1)))
    path = Path(source)
    if path.is_dir():
        raise InputError(f"{source} is a folder; for all pitches in it: pitch bulk {source} -o OUT.jsonl")
    if path.suffix.lower() in TABLES:
        raise InputError(f"{source} is a table of pitches; for a pitch a row: pitch bulk {source} -o OUT.jsonl")
    return Pitch.from_text(read_file(path), spelled(path.stem))


def _load_rulebook(path: Path | None) -> Any:
    from analyzer.framework.rulebook import Rulebook

    return Rulebook.load(path) if path else None


def _load_market(path: Path | None) -> Any:
    from analyzer.framework.market import MarketMap

    return MarketMap.load(path) if path else None


def _show(assessment: Any, as_json: bool, compact: bool = False) -> None:
    if as_json:
        say_json(assessment.to_json(indent=None if compact else 2))
    else:
        from analyzer.views.terminal import print_assessment

        print_assessment(screen(), assessment)
