"""What people see of a run over many pitches: its progress, its summary, how stable it is, what it would cost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from analyzer.files.table_preview import TablePreview
from analyzer.framework.assessment import Usage
from analyzer.results.result import Progress
from analyzer.runs.bulk import BulkSummary, Failure
from analyzer.runs.estimate import CostEstimate
from analyzer.runs.stability import Stability
from analyzer.screen import printable
from analyzer.views.terminal import QUIET, cut
from analyzer.views.times import duration
from analyzer.vocabulary.labels import how_many, title

_EVERY: Final = 30.0
"""Seconds between two lines of progress if there is no terminal."""
_LONGEST_FACT: Final = 160


@contextmanager
def progress_shown(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Show progress during a run: a bar on a terminal, a plain line every 30 seconds elsewhere."""
    if console.is_terminal:
        with Bar(BarColumn(bar_width=24), TextColumn("{task.description}"), console=console, transient=True) as bar:
            yield _on_bar(bar, bar.add_task("starting", total=None))
    else:
        yield _in_lines(console)


def _on_bar(bar: Bar, task: TaskID) -> Callable[[Progress], None]:
    shown = 0

    def show(progress: Progress) -> None:
        nonlocal shown
        for notice in progress.notices[shown:]:
            bar.console.print(Text(notice), soft_wrap=True)
        shown = len(progress.notices)
        bar.update(task, total=progress.total, completed=progress.finished, description=progress_line(progress))

    return show


def _in_lines(console: Console) -> Callable[[Progress], None]:
    last = time.monotonic()

    shown = 0

    def show(progress: Progress) -> None:
        nonlocal last, shown
        for notice in progress.notices[shown:]:
            console.print(Text(notice), soft_wrap=True)
        shown = len(progress.notices)
        if time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            console.print(Text(progress_line(progress)), soft_wrap=True)

    return show


def progress_line(progress: Progress, *, under_way: bool = True) -> str:
    """Progress in one line: pitches finished, failed, from the store, rate, tokens, cost; of a run that is `under_way`
    also what the whole may cost and the time left."""
    of = f" of {progress.total:,}" if progress.total is not None else ""
    parts = [f"{progress.finished:,}{of}"]
    failed = sum(progress.failed.values())
    parts += [f"{failed:,} failed"] if failed else []
    parts += [f"{progress.from_store:,} from the store"] if progress.from_store else []
    parts += [f"{progress.rate:.1f}/s"] if progress.rate else []
    tokens = progress.usage.input_tokens + progress.usage.output_tokens
    parts += [f"{tokens:,} tokens"] if tokens else []
    if progress.usage.cost_usd is not None and progress.usage.requests:
        whole = progress.cost_estimate if under_way else None
        parts.append(money(progress.usage.cost_usd) + (f" of about {money(whole)}" if whole is not None else ""))
    parts += [f"{duration(progress.remaining)} left"] if progress.remaining and under_way else []
    return " · ".join(parts)


def print_summary(console: Console, summary: BulkSummary) -> None:
    """Print what was done, failed and spent, and how to continue if the run ended early."""
    progress = summary.progress
    per_second = f", {progress.finished / progress.elapsed:.1f} pitches/s" if progress.elapsed else ""
    stored = f" ({progress.from_store:,} from the store)" if progress.from_store else ""
    console.print(f"{progress.done:,} done{stored} in {duration(progress.elapsed)}{per_second}")
    for kind, count in sorted(progress.failed.items()):
        console.print(f"{count:,} failed: {kind}")
    for failure in summary.failures:
        console.print(Text(f"  {_reason(failure)}", style=QUIET), soft_wrap=True)
    unnamed = sum(progress.failed.values()) - len(summary.failures)
    if unnamed > 0:
        console.print(Text(f"  and {unnamed:,} more; the output has the reason for each", style=QUIET))
    if progress.usage.requests:
        console.print(_spent(progress.usage), soft_wrap=True)
    if summary.batch is not None:
        from analyzer.views.batch import batch_lines  # needs this module

        for line in batch_lines(summary.batch, summary.waiting, summary.unasked):
            console.print(line, soft_wrap=True)
    if summary.written is not None:
        console.print(Text(f"{summary.written}: {how_many(summary.rows, 'row')}"), soft_wrap=True)
    for note in summary.notes:
        console.print(Text(f"Note: {note}"), soft_wrap=True)
    if summary.ended is not None:
        console.print(Text(f"pitch: ended early: {summary.ended}", style="bold"), soft_wrap=True)
    if summary.store_lost:
        console.print(
            Text("pitch: the store was deleted or replaced during the run; these answers will be paid for again"),
            soft_wrap=True,
        )
    elif summary.stopped or summary.ended is not None:
        left = "" if progress.total is None else f" {progress.total - progress.finished:,} left."
        again = "Run the same command to continue; answers you paid for are not asked again."
        console.print(f"{again}{left}", soft_wrap=True)


def _reason(failure: Failure) -> str:
    """Where and why, in one line."""
    message = " ".join(failure.message.split())
    return cut(message if failure.source in message else f"{failure.source}: {message}", 240)


def summary_json(summary: BulkSummary) -> str:
    """The summary for scripts."""
    return json.dumps(summary.document(), ensure_ascii=False, indent=2)


def print_stability(console: Console, stability: Stability) -> None:
    """Print how often repeated readings agree, the least stable signal first."""
    if not stability.pitches:
        console.print("No pitch has two readings, so there is nothing to say of how far readings agree.")
        return
    pitches = how_many(stability.pitches, "pitch", "pitches")
    console.print(f"{pitches} read {stability.repeat} times each. Share of pairs of readings that agree:")
    table = Table(box=None, pad_edge=False, header_style=QUIET, padding=(0, 2, 0, 0))
    table.add_column("signal")
    table.add_column("agree", justify="right")
    shares = [(share, name) for name in stability.names if (share := stability.share(name)) is not None]
    for share, name in sorted(shares, key=lambda pair: pair[0]):
        table.add_row(title(name), f"{share:.0%}")
    console.print(table)
    if stability.spreads:
        console.print(
            f"Overall score, difference between a pitch's highest and lowest reading: median "
            f"{median(stability.spreads):.1f}, largest {max(stability.spreads):.1f}."
        )


def print_estimate(console: Console, estimate: CostEstimate) -> None:
    """Print what was understood of each table, and what a run would send and cost."""
    for table in estimate.tables:
        _print_table(console, table)
    faulty = "".join(f", {count:,} cannot be read ({kind})" for kind, count in sorted(estimate.faulty.items()))
    stored = f", {estimate.stored:,} already in the store" if estimate.stored else ""
    sent = f", {estimate.in_batches:,} in batches" if estimate.in_batches else ""
    pitches = how_many(estimate.pitches, "pitch", "pitches")
    console.print(f"{pitches}{stored}{sent}{faulty}", soft_wrap=True)
    if estimate.model is None:
        console.print("Name a model with --model to see what reading them would cost.")
        return
    if not estimate.asks:
        console.print(f"{estimate.model} asks no server and costs nothing.")
        return
    if estimate.readings > 1:
        console.print(
            f"{estimate.readings} readings of each pitch: {estimate.requests:,} requests, if every answer can be used"
        )
    if estimate.looks:
        console.print(f"{estimate.looks:,} second looks, with their tokens below")
    console.print(f"about {estimate.input_tokens:,} input tokens and {estimate.output_tokens:,} output tokens")
    cost = "the price of this model is unknown" if estimate.cost_usd is None else f"about {money(estimate.cost_usd)}"
    if estimate.batches is not None:
        cost = f"{cost} at the price of batches, in {estimate.batches:,} batch{'es' if estimate.batches != 1 else ''}"
    console.print(f"{cost}; the model was not asked")


def _print_table(console: Console, table: TablePreview) -> None:
    console.print(Text(table.name, style="bold"), soft_wrap=True)
    for name, fact in table.facts():
        console.print(Text(f"  {name}: {printable(cut(fact, _LONGEST_FACT))}"), soft_wrap=True)
    for pitch in table.first:
        title = f"{pitch.id}: " if pitch.id == pitch.title or not pitch.title else f"{pitch.id} ({pitch.title}): "
        line = printable(cut(f"{title}{' '.join(pitch.text.split())}", _LONGEST_FACT))
        console.print(Text(f"  {line}", style=QUIET), soft_wrap=True)
    console.print()


def money(usd: float) -> str:
    """US dollars: two decimals from $1 up, four below."""
    return f"${usd:,.2f}" if usd >= 1 or usd == 0 else f"${usd:.4f}"


def _spent(usage: Usage) -> str:
    cost = "" if usage.cost_usd is None else f", {money(usage.cost_usd)}"
    if usage.requests and not usage.input_tokens and not usage.output_tokens:
        return f"{usage.requests:,} answers paid for; the server does not report tokens"
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    return (
        f"{usage.requests:,} answers paid for: {usage.input_tokens:,} input tokens{cached}, "
        f"{usage.output_tokens:,} output tokens{cost}"
    )
