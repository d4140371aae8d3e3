"""A run over many pitches as people see it: progress while it goes on, and what came of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from statistics import median
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from analyzer.framework.assessment import Usage
from analyzer.results.result import Progress
from analyzer.runs.bulk import BulkSummary, Failure
from analyzer.runs.estimate import CostEstimate
from analyzer.runs.stability import STABLE_NAMES, Stability
from analyzer.views.terminal import QUIET, cut
from analyzer.vocabulary.labels import title

_EVERY: Final = 30.0
"""Seconds between two lines of progress where there is no terminal."""


@contextmanager
def progress_shown(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Shows progress while the run goes on: a bar on a terminal, elsewhere a plain line now and then."""
    if console.is_terminal:
        with Bar(BarColumn(bar_width=24), TextColumn("{task.description}"), console=console, transient=True) as bar:
            yield _on_bar(bar, bar.add_task("starting", total=None))
    else:
        yield _in_lines(console)


def _on_bar(bar: Bar, task: TaskID) -> Callable[[Progress], None]:
    def show(progress: Progress) -> None:
        bar.update(task, total=progress.total, completed=progress.finished, description=progress_line(progress))

    return show


def _in_lines(console: Console) -> Callable[[Progress], None]:
    last = time.monotonic()

    def show(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            console.print(Text(progress_line(progress)), soft_wrap=True)

    return show


def progress_line(progress: Progress) -> str:
    """How far it is, in one line: done, failed, from the store, rate, tokens, cost, time left."""
    of = f" of {progress.total:,}" if progress.total is not None else ""
    parts = [f"{progress.finished:,}{of}"]
    failed = sum(progress.failed.values())
    parts += [f"{failed:,} failed"] if failed else []
    parts += [f"{progress.from_store:,} from the store"] if progress.from_store else []
    parts += [f"{progress.rate:.1f}/s"] if progress.rate else []
    tokens = progress.usage.input_tokens + progress.usage.output_tokens
    parts += [f"{tokens:,} tokens"] if tokens else []
    if progress.usage.cost_usd is not None and progress.usage.requests:
        whole = progress.cost_estimate
        parts.append(money(progress.usage.cost_usd) + (f" of about {money(whole)}" if whole is not None else ""))
    parts += [f"{_time(progress.remaining)} left"] if progress.remaining else []
    return " · ".join(parts)


def print_summary(console: Console, summary: BulkSummary) -> None:
    """What came of the run, and how to go on where it ended early."""
    progress = summary.progress
    per_second = f", {progress.finished / progress.elapsed:.1f} pitches/s" if progress.elapsed else ""
    kept = f" ({progress.from_store:,} from the store)" if progress.from_store else ""
    console.print(f"{progress.done:,} done{kept} in {_time(progress.elapsed)}{per_second}")
    for kind, count in sorted(progress.failed.items()):
        console.print(f"{count:,} failed: {kind}")
    for failure in summary.failures:
        console.print(Text(f"  {_reason(failure)}", style=QUIET), soft_wrap=True)
    unnamed = sum(progress.failed.values()) - len(summary.failures)
    if unnamed > 0:
        console.print(Text(f"  and {unnamed:,} more, each with its reason in the output", style=QUIET))
    if progress.usage.requests:
        console.print(_spent(progress.usage))
    if summary.written is not None:
        console.print(Text(f"{summary.written}: {summary.rows:,} rows"), soft_wrap=True)
    for note in summary.notes:
        console.print(Text(f"Note: {note}"), soft_wrap=True)
    if summary.ended is not None:
        console.print(Text(f"pitch: ended early: {summary.ended}", style="bold"), soft_wrap=True)
    if summary.store_lost:
        console.print(
            Text("pitch: the store was deleted or replaced during the run; another run pays for these answers again"),
            soft_wrap=True,
        )
    elif summary.stopped or summary.ended is not None:
        left = "" if progress.total is None else f" {progress.total - progress.finished:,} are left."
        again = (
            "The same command goes on from here; what was paid for is not asked again."
            if summary.stability is None
            else "The same command starts over: repeated readings do not use the store."
        )
        console.print(f"{again}{left}", soft_wrap=True)


def _reason(failure: Failure) -> str:
    """Where and why, in a line."""
    message = " ".join(failure.message.split())
    return cut(message if failure.source in message else f"{failure.source}: {message}", 240)


def summary_json(summary: BulkSummary) -> str:
    """The summary for scripts."""
    return json.dumps(summary.document(), ensure_ascii=False, indent=2)


def print_stability(console: Console, stability: Stability) -> None:
    """How alike repeated readings are, the least stable signal first."""
    console.print(
        f"{stability.pitches} pitches, {stability.repeat} readings each: share of pairs of readings that agree"
    )
    table = Table(box=None, pad_edge=False, header_style=QUIET, padding=(0, 2, 0, 0))
    table.add_column("signal")
    table.add_column("agree", justify="right")
    shares = [(share, name) for name in STABLE_NAMES if (share := stability.share(name)) is not None]
    for share, name in sorted(shares, key=lambda pair: pair[0]):
        table.add_row(title(name), f"{share:.0%}")
    console.print(table)
    if stability.spreads:
        console.print(
            f"Overall score, greatest less least of a pitch's readings: {median(stability.spreads):.1f} in the middle, "
            f"{max(stability.spreads):.1f} at most."
        )


def print_estimate(console: Console, estimate: CostEstimate) -> None:
    """What a run would ask and cost."""
    faulty = "".join(f", {count:,} cannot be read ({kind})" for kind, count in sorted(estimate.faulty.items()))
    kept = f", {estimate.stored:,} in the store already" if estimate.stored else ""
    console.print(f"{estimate.pitches:,} pitches{kept}{faulty}", soft_wrap=True)
    console.print(f"about {estimate.input_tokens:,} tokens to send and {estimate.output_tokens:,} to be answered")
    cost = "the price of this model is not known" if estimate.cost_usd is None else f"about {money(estimate.cost_usd)}"
    console.print(f"{cost}; nothing was asked")


def money(usd: float) -> str:
    """USD with as many digits as say something."""
    return f"${usd:,.2f}" if usd >= 1 or usd == 0 else f"${usd:.4f}"


def _spent(usage: Usage) -> str:
    cost = "" if usage.cost_usd is None else f", {money(usage.cost_usd)}"
    if usage.requests and not usage.input_tokens and not usage.output_tokens:
        return f"{usage.requests:,} answers paid for; the server does not say how many tokens they took"
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    return (
        f"{usage.requests:,} answers paid for: {usage.input_tokens:,} tokens sent{cached}, "
        f"{usage.output_tokens:,} answered{cost}"
    )


def _time(seconds: float | None) -> str:
    return f"{seconds:.1f} s" if seconds is not None and seconds < 60 else str(timedelta(seconds=round(seconds or 0)))
