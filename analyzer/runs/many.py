"""Many pitches to assessments, streamed: each is read in the background and scored when its result is collected."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Unpack

from analyzer.errors import (
    AnalyzerError,
    AwaitsBatch,
    ConfigurationError,
    CostLimitReached,
    ExtractionError,
    InputError,
    ProviderDown,
    RunStopped,
)
from analyzer.files.document import Document
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.late import live_progress
from analyzer.reading import background
from analyzer.reading.limits import NOBODY, Limits, OwnLimits
from analyzer.reading.panel import ENDS_RUN
from analyzer.reading.pitch import Pitch
from analyzer.reading.readers import PanelReaders, Reader, check_verifiable, checked
from analyzer.reading.reading import Reading
from analyzer.results.frames import FrameKind, to_frame
from analyzer.results.result import Progress, Result, as_analyzer_error
from analyzer.runs.arguments import (
    as_pitches,
    id_and_text,
    label,
    title_of,
)
from analyzer.runs.one import assessment_of
from analyzer.runs.options import ManyOptions, check_names, takes
from analyzer.runs.plan import RunPlan
from analyzer.settings import GIVE_UP_AFTER

if TYPE_CHECKING:
    from analyzer.framework.assessment import Usage
    from analyzer.reading.batch_desk import BatchDesk
    from analyzer.reading.conversation import ModelReader
    from analyzer.store.answer_queue import AnswerQueue
    from analyzer.store.store import Store

PitchLike = str | Document | tuple[object, str | Document | AnalyzerError] | Mapping[str, Any]
"""A pitch of many: a text, a pair (id, text), or a mapping with `text` and perhaps `id` and `title`. A text may be a
`Document`."""

_PREPARED: Final = 64
"""Pitches prepared beyond those in flight."""
STOP_CHECK: Final = 0.2
"""Seconds between two checks whether the run has to stop, while no result arrives."""
MANY_DEFAULTS: Final[Mapping[str, Any]] = {
    "concurrency": 16,
    "store": True,
    "give_up_after": GIVE_UP_AFTER,
    "progress": False,
    "processes": 1,
}


@takes(ManyOptions, **MANY_DEFAULTS)
def analyze_many(pitches: Iterable[PitchLike], **options: Unpack[ManyOptions]) -> Results:
    """Assess many pitches and yield each result as soon as it is ready; every pitch gives exactly one.

    `pitches`: texts, pairs (id, text), mappings with `text` (and `id`, `title`), or (id, error) for a pitch that could
    not be read; consumed only as needed, so the stream may be endless. An entry that is none of these is a result with
    an error. At most `concurrency` (1 to 256) requests are in flight at once, fewer while the server pushes back;
    several models share them. A pitch that fails is a result with `error`; one out of scope is an assessment without
    `scores` and `verdict`.

    `store`: every paid answer is saved there first, and what is there is not asked again; True = PITCH_STORE, False =
    none, or a database URL. `model`, `readings`, `rulebook`, `market`, `settings` and `verify`: as for `analyze`. What
    bounds and watches a run: `max_cost`, `give_up_after`, `on_progress`, `progress`, `stop`, `total`, `repeat` and
    `processes` (`RunControl`).

    Raises InputError or ConfigurationError, before the first pitch, for an argument that cannot be used (a string, a
    dict or a data frame as `pitches`) and if no model is set: many pitches are never read with a guessed model. Raises
    the error that ended a run early after all results in flight: ConfigurationError (key, model, quota, store),
    ProviderDown, CostLimitReached. Pitches not read by then have no result; with a store the next run continues there.
    """
    check_names("analyze_many", options, ManyOptions)
    entries = as_pitches(pitches)
    run = open_run(RunPlan.of(options, pitches))
    results = Results(run, entries)
    weakref.finalize(results, run.close)  # also if nobody consumes them to the end, or at all
    return results


class Results(Iterator[Result]):
    """The results of a run, one for each pitch, as they come. `summary`: the run's progress as of the last of them."""

    def __init__(self, run: ManyRun, pitches: Iterable[object]):
        self._run = run
        self._stream = _results(run, pitches)
        self._taken = 0

    def __iter__(self) -> Results:
        return self

    def __next__(self) -> Result:
        result = next(self._stream)
        self._taken += 1
        return result

    def __repr__(self) -> str:
        return f"Results({self._taken:,} taken)"

    @property
    def summary(self) -> Progress:
        """Pitches done and failed, tokens and cost so far."""
        return self._run.progress

    @property
    def waiting(self) -> int:
        """Pitches without a result so far because a batch at the provider has them; 0 in a live run."""
        return self._run.waiting

    def to_frame(self, kind: FrameKind = "pandas") -> Any:
        """Wait for all results and return them as a table (`to_frame`). Raises InputError if some were taken."""
        check_none_taken(self._taken)
        return to_frame(self, kind)

    def close(self) -> None:
        """End the run: requests in flight are cancelled, and no more results come."""
        self._stream.close()
        self._run.close()


def check_none_taken(taken: int) -> None:
    """Raise InputError if a table of all results cannot be made, because some were handed out and not kept."""
    if taken:
        raise InputError(
            f"{taken:,} results were already taken; collect them all (results = list(...)) and pass them to to_frame"
        )


@dataclass(frozen=True, slots=True)
class ReadPitch:
    """What came of reading one pitch: a reading, or a result that another process has judged."""

    number: int
    pitch: Pitch
    outcome: Reading | Result | BaseException


@dataclass(slots=True)
class _Opened:
    """What a run holds open."""

    store: Store | None = None
    answers: AnswerQueue | None = None


class ManyRun:
    """One run over many pitches. Reading happens on the background loop; `deliver` is called there for every pitch
    that was read. Scoring happens wherever results are collected.

    More pitches are prepared (`window`) than may be in flight, so that no slot stays empty while a result is looked at.
    `waiting`: pitches taken so far whose requests are in a batch that is not done; `unasked`: those in no batch.
    """

    def __init__(self, plan: RunPlan, limits: Limits | None = None, desk: BatchDesk | None = None):
        """`limits`: None = this run's own. `desk`: what asks in batches; None = all is asked at once.

        Raises ConfigurationError if the model or the store cannot be set up."""
        self.plan = plan
        self.waiting = 0
        self.unasked = 0
        self._desk = desk
        self.window = plan.concurrency + min(plan.concurrency, _PREPARED)
        self._limits = limits or OwnLimits(plan.limit_terms())
        self._reading = [self._limits.limiters[model] for model in plan.asked() or [NOBODY]]
        self.progress = Progress(total=plan.total, limit=plan.concurrency)
        self.ended: AnalyzerError | None = None
        self._bar = live_progress() if plan.progress else None
        self._opened = _Opened()
        self._started = time.monotonic()
        self._stopped = False
        self._closing = False
        self._guard = Lock()
        self._closed = Lock()
        self._under_way: dict[int, Future[Reading]] = {}
        self._readers: PanelReaders
        self._verifying: ModelReader | None
        check_verifiable(plan.models, plan.settings)
        try:
            self._set_up()
        except BaseException:
            self._close_store()
            raise

    def _set_up(self) -> None:
        plan, other = self.plan, self.plan.verifying()
        self._readers = PanelReaders(
            plan.models, plan.settings, self._asking_reader, self._reading[0], ENDS_RUN, plan.market
        )
        self._verifying = None if other is None else self._asking_reader(other)

    @property
    def notices(self) -> tuple[str, ...]:
        """What people should know about how the models are asked, a line each, as of now."""
        others = self._verifying.notices if self._verifying else ()
        return tuple(dict.fromkeys((*self._readers.notices, *others)))

    @property
    def spent(self) -> Usage | None:
        """What was spent so far; None if nothing is asked."""
        return self._limits.spent

    @property
    def under_way(self) -> int:
        """Pitches that were started and whose outcome has not been taken."""
        return len(self._under_way)

    def start(self, number: int, entry: object, deliver: Callable[[ReadPitch], None]) -> None:
        """Start reading one pitch; `deliver` gets what comes of it. Raises AnalyzerError if the entry is not one."""
        own_id, text = id_and_text(entry)
        pitch = Pitch.of(text, own_id, title_of(entry))
        repeat = self.plan.repeat
        reader = self._readers.reader_for(pitch, None if repeat == 1 else number % repeat + 1)
        reader = checked(reader, self.plan.settings, self._verifying)
        with self._guard:  # a run that is being closed starts nothing more
            if self._closing:
                return
            future = background.submit(_read(reader, pitch, self._desk))
            self._under_way[number] = future
        future.add_done_callback(partial(_deliver, number, pitch, deliver))

    def take(self, finished: ReadPitch) -> bool:
        """Note that a pitch is done; whether it has a result. It has none if it was not read because the run ends."""
        del self._under_way[finished.number]
        outcome = finished.outcome
        if isinstance(outcome, ConfigurationError | ProviderDown | CostLimitReached):
            self.ended = self.ended or outcome
            self.has_to_stop()
            return False
        if isinstance(outcome, AwaitsBatch):
            self.waiting += outcome.asked
            self.unasked += not outcome.asked
        return not isinstance(outcome, RunStopped)

    def result(self, finished: ReadPitch) -> Result:
        """The result of a pitch that was read: scored, or with the error that took its place."""
        return _result(finished, self.plan.rulebook, self.plan.market)

    def has_to_stop(self) -> bool:
        """Whether no further pitch may be started; the first time, the rate limiters are stopped."""
        if not self._stopped and (self.ended is not None or self.plan.stop.is_set()):
            self._stopped = True
            for limiter in self._limits.limiters.values():
                background.call(limiter.stop)
        return self._stopped

    def count(self, result: Result) -> None:
        """Count a result that is about to be handed out, and tell whoever watches."""
        self._tell(_counted(self.progress, result))

    def raise_end(self) -> None:
        """Raise the error that ended the run early, if one did."""
        if self.ended is not None:
            if self._limits.spent not in (None, self.progress.usage):
                self._tell(self.progress)  # what came after the last result
            raise self.ended

    def _tell(self, progress: Progress) -> None:
        self.progress = replace(
            progress,
            usage=self._limits.spent or progress.usage,
            elapsed=time.monotonic() - self._started,
            limit=int(sum(limiter.limit for limiter in self._reading)),
            notices=self.notices,
        )
        if self._bar is not None:
            self._bar.show(self.progress)
        self.plan.on_progress(self.progress)

    def _asking_reader(self, model: str) -> ModelReader:
        """The reader that asks a model, for all pitches of this run; all share what they spend and store."""
        from analyzer.reading.conversation import ModelReader

        plan, opened, limits = self.plan, self._opened, self._limits
        limiter = limits.limiters[model]
        if plan.store is not None and opened.store is None:
            from analyzer.store.answer_queue import AnswerQueue
            from analyzer.store.store import Store

            opened.store = Store.open(plan.store)
            opened.answers = AnswerQueue(opened.store, retry_seconds=limiter.policy.give_up_after or 0.0)
        settings = plan.settings.asking(model)
        if self._desk is None or opened.answers is None:
            return ModelReader(model, settings, answers=opened.answers, limiter=limiter, spending=limits.spending)
        return ModelReader(
            model,
            settings,
            answers=self._desk.answers(opened.answers),
            limiter=limiter,
            spending=limits.spending,
            batch=self._desk.port(model),
        )

    def cancel(self) -> None:
        """End the requests in flight and start no others; does not wait."""
        with self._guard:
            self._closing = True
        for future in list(self._under_way.values()):
            future.cancel()

    def close(self) -> None:
        """End what is under way and close what was opened; once, from any thread."""
        if self._closed.acquire(blocking=False):
            self.cancel()
            if self._bar is not None:
                self._bar.close()
            self._close_readers()
            self._close_store()

    def _close_readers(self) -> None:
        self._readers.close()
        if self._verifying is not None:
            background.finish(self._verifying.aclose)

    def _close_store(self) -> None:
        if self._opened.answers is not None:
            self._opened.answers.close()
        if self._opened.store is not None:
            self._opened.store.close()


def open_run(plan: RunPlan) -> ManyRun:
    """A run by this plan, in this process or in several. Raises ConfigurationError if it cannot be set up."""
    if plan.processes == 1:
        return ManyRun(plan)
    from analyzer.runs.processes import ProcessesRun

    return ProcessesRun(plan)


def _results(run: ManyRun, pitches: Iterable[object]) -> Generator[Result, None, None]:
    read_pitches: SimpleQueue[ReadPitch] = SimpleQueue()

    def next_result() -> Iterator[Result]:
        """The result of the next pitch that is done; nothing if it was not read because the run ends."""
        finished = None
        while finished is None:
            run.has_to_stop()
            with suppress(Empty):
                finished = read_pitches.get(timeout=STOP_CHECK)
        if run.take(finished):
            yield run.result(finished)

    def results() -> Iterator[Result]:
        for number, entry in enumerate(pitches):
            if run.has_to_stop():
                break
            try:
                run.start(number, entry, read_pitches.put)
            except ConfigurationError:
                raise
            except AnalyzerError as error:
                yield Result(number, label(entry, number), error=error, title=title_of(entry))
            while run.under_way >= run.window or not read_pitches.empty():
                yield from next_result()
        while run.under_way:
            yield from next_result()

    try:
        for result in results():
            run.count(result)
            yield result
        run.raise_end()
    finally:
        run.close()


async def _read(reader: Reader, pitch: Pitch, desk: BatchDesk | None) -> Reading:
    """A reading. Where the user asks anew in batches, answers that cannot be used are discarded and asked again."""
    try:
        return await reader.read(pitch)
    except ExtractionError:
        if desk is None or not desk.rules.anew:
            raise
        return await reader.read(pitch)


def _deliver(number: int, pitch: Pitch, deliver: Callable[[ReadPitch], None], future: Future[Reading]) -> None:
    """Deliver the outcome of a pitch, whoever ended it and however: nobody may wait for what cannot come."""
    try:
        outcome: Reading | BaseException = future.result()
    except BaseException as error:  # noqa: BLE001  # becomes this pitch's result
        outcome = error
    deliver(ReadPitch(number, pitch, outcome))


def _result(finished: ReadPitch, rulebook: Rulebook | None, market: MarketMap | None) -> Result:
    outcome = finished.outcome
    if isinstance(outcome, Result):
        return outcome
    known: dict[str, Any] = {"title": finished.pitch.ref.title, "sha256": finished.pitch.ref.sha256}
    name = finished.pitch.ref.id or str(finished.number)
    if isinstance(outcome, Reading):
        try:
            assessment = assessment_of(outcome, finished.pitch, rulebook, market)
        except Exception as error:  # noqa: BLE001  # a fault of this program must not end the run
            outcome = error
        else:
            return Result(finished.number, name, assessment, from_store=outcome.from_store, **known)
    return Result(finished.number, name, error=as_analyzer_error(outcome, f"while reading pitch {name}"), **known)


def _counted(progress: Progress, result: Result) -> Progress:
    if result.error is None:
        return replace(progress, done=progress.done + 1, from_store=progress.from_store + result.from_store)
    kind = result.error.kind
    return replace(progress, failed={**progress.failed, kind: progress.failed.get(kind, 0) + 1})
