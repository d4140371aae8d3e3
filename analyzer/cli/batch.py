"""The options of `pitch bulk` for batches, and what they do."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from analyzer.cli.options import settings_with
from analyzer.errors import InputError
from analyzer.screen import note, say_json, screen
from analyzer.settings import DEFAULT_CONCURRENCY

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.files.pitches import Sources
    from analyzer.reading.batch_desk import BatchReport
    from analyzer.runs.many import Results

_NEXT_TO_NOTHING: Final = 1e-9


def batch_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for batches to a command."""
    options = (
        click.option("--batch", is_flag=True, help="Send the requests in batches, at half the price, and return."),
        click.option(
            "--collect", is_flag=True, help="Write what batches have answered; ask again what failed or expired."
        ),
        click.option("--cancel", is_flag=True, help="Cancel the batches with these pitches that are under way."),
        click.option(
            "--wait", is_flag=True, help="With --batch or --collect: wait for the batches, and collect to the end."
        ),
        click.option(
            "--live", is_flag=True, help="With --collect: ask what is left at once, at the usual price, not in a batch."
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class BatchChoice:
    """The options that were set. Raises InputError when made if they do not go together."""

    batch: bool
    collect: bool
    cancel: bool
    wait: bool
    live: bool

    def __post_init__(self) -> None:
        if self.batch + self.collect + self.cancel > 1:
            raise InputError("use one of --batch, --collect and --cancel")
        if self.wait and not (self.batch or self.collect):
            raise InputError("--wait goes with --batch or --collect")
        if self.live and not self.collect:
            raise InputError("--live goes with --collect; without batches, everything is asked at once")

    def reader(self) -> Callable[..., Results]:
        """What reads the pitches for the output."""
        from analyzer.runs.batch import collect
        from analyzer.runs.many import analyze_many

        return partial(collect, live=self.live) if self.batch or self.collect else analyze_many

    @property
    def in_batches(self) -> bool:
        """Whether what is asked goes into batches."""
        return self.batch or (self.collect and not self.live)

    @property
    def writes(self) -> bool:
        """Whether an output is written."""
        return not self.cancel and (not self.batch or self.wait)


def many_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """What `submit`, `collect` and `cancel` take, from the options of the command."""
    settings = settings_with(options["mode"], options["form"], options["readings"], options["verify"])
    settings = settings if options["repeat"] == 1 else replace(settings, readings=1)
    return {
        "model": options["model"],
        "settings": settings,
        "concurrency": options["concurrency"] or settings.concurrency or DEFAULT_CONCURRENCY,
        "max_cost": options["max_cost"],
        "give_up_after": options["give_up_after"],
        "repeat": options["repeat"],
    }


def left_of(max_cost: float | None, report: BatchReport | None) -> float | None:
    """What is left of a cost limit after requests were sent; where that is nothing, a little, so that it still
    holds."""
    if max_cost is None or report is None or report.at_most is None:
        return max_cost
    return max(max_cost - report.at_most, _NEXT_TO_NOTHING)


def send(sources: Sources, options: dict[str, Any], *, quiet: bool = False) -> frozenset[str]:
    """`--batch`: send what has no answer, and show what was sent. `quiet`: nothing on standard output. Reduces the cost
    limit by that, and returns the runs to wait for. Exits with the code of the run if it ended early, or if nothing
    follows."""
    from analyzer.runs.batch import submit
    from analyzer.runs.interrupts import stopping_on_interrupt
    from analyzer.views.batch import print_submitted

    _check(sources)
    with stopping_on_interrupt(lambda: note("Stopping; batches that are sent stay sent.")) as stop:
        submitted = submit(_entries(sources, options["limit"], options["repeat"]), stop=stop, **many_options(options))
        stopped = stop.is_set()
    if options["as_json"] and not quiet:
        say_json(json.dumps(submitted.document(), ensure_ascii=False, indent=2))
    print_submitted(screen(err=True), submitted, stopped=stopped)
    if stopped or submitted.ended is not None or (submitted.exit_code and not quiet):
        sys.exit(130 if stopped else submitted.exit_code)
    options["max_cost"] = left_of(options["max_cost"], submitted.report)
    return submitted.origins


def warn_of_batches(options: Mapping[str, Any]) -> None:
    """Say, before a live run, that batches of its models are under way."""
    from analyzer.runs.batch import under_way

    count = under_way(many_options(options))  # type: ignore[arg-type]
    if count:
        several = f"{count:,} batches are" if count > 1 else "A batch is"
        note(
            f"{several} under way with this model. A live run asks for the same pitches again and pays for them; "
            "--collect writes what batches have answered."
        )


def cancel(sources: Sources, options: dict[str, Any]) -> None:
    """`--cancel`: end the batches with these pitches."""
    from analyzer.runs.batch import cancel as cancel_batches
    from analyzer.views.batch import print_cancelled

    _check(sources)
    report = cancel_batches(_entries(sources, options["limit"], 1), **many_options(options))
    if options["as_json"]:
        say_json(json.dumps(report.document(), ensure_ascii=False, indent=2))
    print_cancelled(screen(err=True), report)


def wait_for_batches(origins: frozenset[str], options: Mapping[str, Any]) -> None:
    """Wait until no batch of these runs is under way. Exits with 130 if Ctrl-C ends that: nothing more is sent."""
    from analyzer.runs.batch import wait
    from analyzer.runs.interrupts import stopping_on_interrupt
    from analyzer.views.batch import waiting_line

    shown: list[str] = []

    def show(report: Any) -> None:
        line = waiting_line(report)
        if report.open_batches and line not in shown[-1:]:
            shown.append(line)
            note(line)

    with stopping_on_interrupt(lambda: note("Stopping.")) as stop:
        wait(origins, many_options(options), stopped=stop.wait, on_report=show)  # type: ignore[arg-type]
        if stop.is_set():
            note(
                "Stopped waiting. The batches go on at the provider; what they have answered so far is saved. Run the "
                "same command with --collect in place of --batch to continue."
            )
            sys.exit(130)


def _check(sources: Sources) -> None:
    """Raise InputError for sources that cannot be read or hold no pitch."""
    from analyzer.runs.bulk import no_pitches

    sources.check()
    if sources.count() == 0:
        raise no_pitches(sources)


def _entries(sources: Sources, limit: int | None, repeat: int) -> Iterator[dict[str, Any]]:
    for pitch in islice(iter(sources), limit):
        for _ in range(repeat):
            yield {"id": pitch.id, "text": pitch.error or pitch.document or pitch.text, "title": pitch.title}
