"""Many pitches in batches at the model's provider: at half the price, within a day. Sent now, collected later.

    submit(pitches, model=...)                  send what has no answer yet
    for result in collect(pitches, model=...):  what is done, like `analyze_many`; asks again what failed
    cancel(pitches, model=...)                  end the batches with these pitches

The same prompts, keys and checks as a live run: a batch only answers in place of the server. Everything about batches
is in the store, so that any machine with the pitches and the store goes on.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Unpack

from analyzer.errors import AnalyzerError, ConfigurationError, CostLimitReached, ProviderError
from analyzer.reading.pitch import Pitch
from analyzer.results.result import Progress, Result
from analyzer.runs.arguments import as_pitches, as_switch, id_and_text
from analyzer.runs.many import MANY_DEFAULTS, ManyRun, PitchLike, Results
from analyzer.runs.options import ManyOptions, check_names, takes
from analyzer.runs.plan import RunPlan
from analyzer.settings import asks_a_server

if TYPE_CHECKING:
    from analyzer.reading.batch_desk import BatchDesk, BatchReport

_POLL: Final = 60.0
"""Seconds between two looks at batches under way."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What came of sending. `report`: of batches. `waiting`: pitches whose requests are in a batch now; `progress`: of
    those that are done or failed without one. `ended`: why not everything was sent; None if it was. `origins`: what
    `wait` takes."""

    report: BatchReport
    waiting: int
    progress: Progress
    ended: AnalyzerError | None = None
    origins: frozenset[str] = frozenset()

    @property
    def exit_code(self) -> int:
        """0 all sent; 1 some pitches failed, or the cost limit was reached; 3 the server failed after a part."""
        return self.ended.exit_code if self.ended is not None else 1 if self.progress.failed else 0

    def document(self) -> dict[str, Any]:
        """The same for scripts."""
        return {
            "batch": self.report.document(),
            "waiting": self.waiting,
            "done": self.progress.done,
            "failed": dict(self.progress.failed),
            "ended": None if self.ended is None else {"kind": self.ended.kind, "message": str(self.ended)},
        }


@takes(ManyOptions, **MANY_DEFAULTS)
def submit(pitches: Iterable[PitchLike], **options: Unpack[ManyOptions]) -> Submitted:
    """Send in batches whatever has no answer yet, also what failed for good before; nothing that a batch has already.

    Arguments as for `analyze_many`; `max_cost` bounds what the batches may cost by their estimate, before they are
    sent. Raises InputError or ConfigurationError, also for a model whose server takes no batches, and ProviderError if
    the server cannot be reached; once a batch is sent, such an error is `ended`.
    """
    check_names("submit", options, ManyOptions)
    results = BatchResults(pitches, options, anew=True)
    ended: AnalyzerError | None = None
    try:
        for _ in results:
            pass
    except (CostLimitReached, ProviderError, ConfigurationError) as error:
        if not isinstance(error, CostLimitReached) and not results.report.sent:
            raise
        ended = error
    return Submitted(results.report, results.waiting, results.summary, ended, results.origins)


@takes(ManyOptions, **MANY_DEFAULTS)
def collect(pitches: Iterable[PitchLike], *, live: bool = False, **options: Unpack[ManyOptions]) -> BatchResults:
    """Take what batches have done into the store, and yield the result of each pitch that is done, like `analyze_many`.

    What failed, expired or has to be asked about a second time goes into the next batch, sent when all results are
    taken (if the server fails then, `report` has a note, and the next call sends it); with `live` it is asked at once,
    at the usual price. Pitches that wait for a batch have no result (`waiting`); those that no batch has are never
    asked (`unasked`). Arguments and errors as for `analyze_many`.
    """
    check_names("collect", options, ManyOptions)
    return BatchResults(pitches, options, live=as_switch("live", live))


@takes(ManyOptions, **MANY_DEFAULTS)
def cancel(pitches: Iterable[PitchLike], **options: Unpack[ManyOptions]) -> BatchReport:
    """Cancel the batches under way that hold any of these pitches. What is done by then is paid for and can be
    collected; nothing more is asked until `submit`. Raises InputError, ConfigurationError or ProviderError."""
    check_names("cancel", options, ManyOptions)
    plan = RunPlan.of(options, pitches)
    with closing(_desk(plan)) as desk:
        desk.cancel(_fingerprints(as_pitches(pitches)))
        return desk.report


def under_way(options: ManyOptions) -> int:
    """How many batches of these models have not ended; 0 where no server is asked, or without a store."""
    from analyzer.store.store import Store

    plan = RunPlan.of(options, ())
    if not plan.asked() or plan.store is None:
        return 0
    with Store.open(plan.store) as store:
        return len(store.batches.under_way(plan.asked()))


def wait(
    origins: Collection[str],
    options: ManyOptions,
    *,
    stopped: Callable[[float], bool],
    on_report: Callable[[BatchReport], None] = lambda _: None,
) -> None:
    """Return a moment after no batch of these runs is under way, or when `stopped` (which waits so many seconds) says
    so. What is done by then is in the store."""
    from analyzer.store.engine import StoreUnavailable

    with closing(_desk(RunPlan.of(options, ()))) as desk:
        while not stopped(_POLL):
            try:
                desk.take(origins)
            except StoreUnavailable:
                continue
            on_report(desk.report)
            if not desk.report.open_batches:
                return


class BatchResults(Results):
    """The results of a run in batches. `waiting`: pitches whose requests are in a batch that is not done; `unasked`:
    those that are in none. `report`: what was done about batches, whole once all results are taken."""

    def __init__(self, pitches: Iterable[PitchLike], options: ManyOptions, *, anew: bool = False, live: bool = False):
        entries = as_pitches(pitches)
        plan = RunPlan.of(options, pitches)
        self._anew = anew
        self._sends = True
        desk = self._desk = _desk(plan, anew=anew, live=live)
        try:
            run = ManyRun(replace(plan, max_cost=None), desk=desk)
        except BaseException:
            desk.close()
            raise
        super().__init__(run, self._sending(entries))
        self._stream = self._with_batches(self._stream)
        weakref.finalize(self, _close, run, desk)

    @property
    def unasked(self) -> int:
        """Pitches that no batch has, so far."""
        return self._run.unasked

    @property
    def origins(self) -> frozenset[str]:
        """The runs that these pitches' batches belong to, so far."""
        return self._desk.origins

    @property
    def report(self) -> BatchReport:
        """What was done about batches, so far."""
        return self._desk.report

    def close(self) -> None:
        """As `Results.close`; drafts of batches are dropped."""
        super().close()
        self._desk.close()

    def _sending(self, entries: Iterable[object]) -> Iterator[object]:
        """The pitches; batches are sent as they fill, in the thread that takes the results."""
        for entry in entries:
            yield entry
            self._send(self._desk.send_full)

    def _send(self, send: Callable[[], None]) -> None:
        """Send drafts. Where results are collected, they matter more: once the server fails, the next call sends."""
        if not self._sends:
            self._desk.drop_drafts()
            return
        try:
            send()
        except ProviderError as error:
            if self._anew:
                raise
            self._sends = False
            self._desk.drop_drafts()
            self._desk.note_unsent(error)

    def _with_batches(self, stream: Generator[Result, None, None]) -> Generator[Result, None, None]:
        desk = self._desk
        try:
            desk.take()
            try:
                yield from stream
            except CostLimitReached:
                self._send(desk.send)  # what the limit allows
                raise
            if not self._run.plan.stop.is_set():
                self._send(desk.send)
            desk.note_otherwise()
        finally:
            stream.close()
            desk.close()


def _desk(plan: RunPlan, *, anew: bool = False, live: bool = False) -> BatchDesk:
    from analyzer.reading.batch_desk import BatchDesk
    from analyzer.store.store import Store

    asked = list(dict.fromkeys(model for model in (*plan.asked(), plan.verifying()) if asks_a_server(model)))
    if not asked:
        raise ConfigurationError(f"{', '.join(plan.models)} asks no server, so there is nothing to send in batches")
    if plan.processes > 1:
        raise ConfigurationError("processes are for requests that are sent at once; leave them out with batches")
    if plan.store is None:
        raise ConfigurationError("batches are recorded in the store; do not run them without one")
    store = Store.open(plan.store)
    try:
        return BatchDesk(store, asked, plan.settings, anew=anew, live=live, limit=plan.max_cost, pause=_pause)
    except BaseException:
        store.close()
        raise


def _pause(seconds: float) -> None:
    time.sleep(seconds)


def _close(run: ManyRun, desk: BatchDesk) -> None:
    run.close()
    desk.close()


def _fingerprints(entries: Iterable[object]) -> Iterator[str]:
    """The SHA-256 of each pitch that can be read."""
    for entry in entries:
        try:
            id_, text = id_and_text(entry)
            pitch = Pitch.of(text, id_)
        except ConfigurationError:
            raise
        except AnalyzerError:
            continue
        yield pitch.ref.sha256 or ""
