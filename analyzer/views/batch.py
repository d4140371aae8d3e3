"""What people see of batches at a provider."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from analyzer.reading.batch_desk import BatchReport
from analyzer.runs.batch import Submitted
from analyzer.views.bulk import money
from analyzer.vocabulary.labels import how_many


def print_submitted(console: Console, submitted: Submitted, *, stopped: bool = False) -> None:
    """Print what was sent, and how to go on."""
    report, progress = submitted.report, submitted.progress
    if report.sent:
        cost = "of unknown price" if report.at_most is None else f"for at most about {money(report.at_most)}"
        console.print(f"{how_many(report.sent, 'request')} sent in {_batches(report.sent_batches)}, {cost}")
    else:
        console.print("Nothing was sent.")
    earlier = submitted.waiting - report.sent
    if report.open_batches:
        console.print(f"{_batches(report.open_batches)} sent earlier {_are(report.open_batches)} under way")
    elif earlier > 0 and not report.sent:
        console.print(f"{how_many(earlier, 'pitch waits', 'pitches wait')} for a batch")
    if progress.done:
        console.print(f"{how_many(progress.done, 'pitch needs', 'pitches need')} no request")
    for kind, count in sorted(progress.failed.items()):
        console.print(f"{count:,} failed: {kind}")
    _print_notes(console, report)
    if submitted.ended is not None:
        console.print(Text(f"pitch: not everything was sent: {submitted.ended}", style="bold"), soft_wrap=True)
    if stopped:
        console.print("Stopped. Run the same command to send the rest.")
    elif submitted.waiting or progress.done:
        console.print("Collect the answers with the same command and --collect in place of --batch.", soft_wrap=True)


def print_cancelled(console: Console, report: BatchReport) -> None:
    """Print what was cancelled."""
    if not report.cancelled:
        console.print("No batch with these pitches is under way.")
    else:
        console.print(
            f"Cancelled: batches with {how_many(report.cancelled, 'request')}. What is answered by now is paid for; "
            "--collect takes it.",
            soft_wrap=True,
        )
    _print_notes(console, report)


def waiting_line(report: BatchReport) -> str:
    """How far the batches under way are, in one line."""
    done = f"{report.done_requests:,} of {how_many(report.open_requests, 'request')} done"
    return f"Waiting for {_batches(report.open_batches)}: {done}."


def batch_lines(report: BatchReport, waiting: int, unasked: int) -> list[str]:
    """What the summary of a run says about batches."""
    lines = []
    if report.sent:
        cost = "" if report.at_most is None else f", for at most about {money(report.at_most)}"
        lines.append(
            f"{how_many(report.sent, 'request')} sent for what is left, in {_batches(report.sent_batches)}{cost}"
        )
    if waiting:
        waits = how_many(waiting, "pitch waits", "pitches wait")
        lines.append(f"{waits} for batches; run the same command again to collect them")
    if unasked:
        lines.append(f"{how_many(unasked, 'pitch was', 'pitches were')} not sent; send them with --batch")
    return lines


def _print_notes(console: Console, report: BatchReport) -> None:
    for each in report.notes:
        console.print(Text(f"Note: {each}"), soft_wrap=True)


def _batches(count: int) -> str:
    return how_many(count, "batch", "batches")


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
