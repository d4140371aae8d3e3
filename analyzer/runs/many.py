"""Many pitches to assessments, streamed: each is read in the background and scored when its result is collected."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

from analyzer.errors import (
    AnalyzerError,
    ConfigurationError,
    CostLimitReached,
    ProviderDown,
    RunStopped,
)
from analyzer.files.document import Document
from analyzer.framework.arguments import as_market, as_rulebook
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.reading import background
from analyzer.reading.panel import ENDS_RUN, NumberedReader
from analyzer.reading.pitch import Pitch
from analyzer.reading.rate_limiter import MANY, RateLimiter
from analyzer.reading.readers import HOW_TO_SET_A_MODEL, PanelReaders, as_models
from analyzer.reading.reading import Reading, SeveralReadings
from analyzer.results.result import Progress, Result, as_analyzer_error
from analyzer.runs.arguments import (
    as_concurrency,
    as_count_of_readings,
    as_limit,
    as_pitches,
    as_progress,
    as_readings,
    as_seconds,
    as_settings,
    as_stop,
    as_store_url,
    as_total,
    id_and_text,
    label,
    title_of,
)
from analyzer.runs.one import assessment_of
from analyzer.settings import GIVE_UP_AFTER, Settings, asks_a_server

if TYPE_CHECKING:
    from analyzer.reading.spending import Spending
    from analyzer.store.answer_queue import AnswerQueue
    from analyzer.store.store import Store

PitchLike = str | Document | tuple[object, str | Document | AnalyzerError] | Mapping[str, Any]
"""A pitch of many: a text, a pair (id, text), or a mapping with `text` and perhaps `id` and `title`. A text may be a
`Document`."""

_PREPARED: Final = 64
"""Pitches prepared beyond those in flight."""
_STOP_CHECK: Final = 0.2
"""Seconds between two checks whether the run has to stop, while no result arrives."""


class RunControl(TypedDict, total=False):
    """What bounds, watches and stops a run of `analyze_many`; every part is optional."""

    max_cost: float | None
    """USD that the run may spend at most; None = no limit."""
    give_up_after: float
    """Seconds without a single answer of the model's server, or of the store's database, after which the run ends
    (300). Until then every pitch is tried again."""
    on_progress: Callable[[Progress], None] | None
    """Called after every result; what it raises ends the run."""
    stop: Event | None
    """Once it is set nothing more is asked; what is in flight still becomes results."""
    total: int | None
    """How many pitches there are, if you know; otherwise the length of `pitches`, if it has one."""
    repeat: int
    """How often each pitch comes in `pitches`, one after the other; each time it is another reading, by itself (1)."""


def analyze_many(
    pitches: Iterable[PitchLike],
    *,
    model: str | Sequence[str] | None = None,
    readings: int | None = None,
    concurrency: int = 16,
    rulebook: Rulebook | str | Path | None = None,
    market: MarketMap | str | Path | None = None,
    settings: Settings | None = None,
    store: bool | str = True,
    **control: Unpack[RunControl],
) -> Iterator[Result]:
    """Assess many pitches and yield each result as soon as it is ready; every pitch gives exactly one.

    `pitches`: texts, pairs (id, text), mappings with `text` (and `id`, `title`), or (id, error) for a pitch that could
    not be read; consumed only as needed, so the stream may be endless. An entry that is none of these is a result with
    an error. `model` and `readings`: as for `analyze`. At most `concurrency` (1 to 256) requests are in flight at once,
    fewer while the server pushes back; several models share them. A pitch that fails is a result with `error`; one out
    of scope is an assessment without `scores` and `verdict`.

    `store`: every paid answer is saved there first, and what is there is not asked again; True = PITCH_STORE, False =
    none, or a database URL. `control`: `max_cost`, `give_up_after`, `on_progress`, `stop`, `total` and `repeat`
    (`RunControl`).

    Raises InputError or ConfigurationError, before the first pitch, for an argument that cannot be used (a string, a
    dict or a data frame as `pitches`) and if no model is set: many pitches are never read with a guessed model. Raises
    the error that ended a run early after all results in flight: ConfigurationError (key, model, quota, store),
    ProviderDown, CostLimitReached. Pitches not read by then have no result; with a store the next run continues there.
    """
    entries = as_pitches(pitches)
    settings = as_readings(readings, as_settings(settings))
    models = as_models(model) or as_models(settings.model)
    if not models:
        raise ConfigurationError(f"many pitches need a model of your choice: {HOW_TO_SET_A_MODEL}, or keywords")
    url = as_store_url(store, settings)
    watch = _RunWatch.checked(**control)
    if watch.total is None and isinstance(pitches, Sized):
        watch = replace(watch, total=len(pitches))
    run = _Run(models, settings, as_concurrency(concurrency), url, watch)
    results = run.results(entries, as_rulebook(rulebook), as_market(market))
    weakref.finalize(results, run.close)  # also if nobody consumes them to the end, or at all
    return results


@dataclass(frozen=True, slots=True)
class _RunWatch:
    """A `RunControl` with every part checked and filled in."""

    max_cost: float | None
    give_up_after: float
    on_progress: Callable[[Progress], None]
    stop: Event
    total: int | None
    repeat: int

    @classmethod
    def checked(
        cls,
        max_cost: float | None = None,
        give_up_after: float = GIVE_UP_AFTER,
        on_progress: Callable[[Progress], None] | None = None,
        stop: Event | None = None,
        total: int | None = None,
        repeat: int = 1,
    ) -> _RunWatch:
        """Raises ConfigurationError."""
        return cls(
            as_limit(max_cost),
            as_seconds(give_up_after),
            as_progress(on_progress),
            as_stop(stop),
            as_total(total),
            as_count_of_readings(repeat, "repeat"),
        )


@dataclass(frozen=True, slots=True)
class _ReadPitch:
    """What came of reading one pitch."""

    number: int
    pitch: Pitch
    outcome: Reading | SeveralReadings | BaseException


class _Run:
    """One run over many pitches. Reading happens on the background loop; scoring, where results are collected.

    More pitches are prepared than may be in flight, so that no slot stays empty while a result is looked at.
    """

    def __init__(
        self, models: Sequence[str], settings: Settings, concurrency: int, store: str | None, watch: _RunWatch
    ):
        self._window = concurrency + min(concurrency, _PREPARED)
        give_up = watch.give_up_after
        policy = MANY if give_up == GIVE_UP_AFTER else replace(MANY, give_up_after=give_up)
        asked = [model for model in models if asks_a_server(model)]
        self._limiters = {model: RateLimiter(policy, width) for model, width in _shared(concurrency, asked).items()}
        self._other_limiter = RateLimiter(policy, concurrency)
        self._settings = settings
        self._watch = watch
        self._spending: Spending | None = None
        self._store: Store | None = None
        self._answers: AnswerQueue | None = None
        self._ended: AnalyzerError | None = None
        self._stopped = False
        self._closed = Lock()
        self._read_pitches: SimpleQueue[_ReadPitch] = SimpleQueue()
        self._under_way: dict[int, Future[Reading | SeveralReadings]] = {}
        self._readers = PanelReaders(
            models, settings, lambda model: self._asking_reader(model, asked, store), self._other_limiter, ENDS_RUN
        )

    @property
    def _all_limiters(self) -> list[RateLimiter]:
        return list(self._limiters.values()) or [self._other_limiter]

    def results(
        self, pitches: Iterable[object], rulebook: Rulebook | None, market: MarketMap | None
    ) -> Iterator[Result]:
        progress = Progress(total=self._watch.total, limit=sum(limiter.width for limiter in self._all_limiters))
        started = time.monotonic()
        try:
            for result in self._results(pitches, rulebook, market):
                progress = self._at_present(_counted(progress, result), started)
                self._watch.on_progress(progress)
                yield result
            if self._ended is not None:
                if self._spending is not None and self._spending.total != progress.usage:
                    self._watch.on_progress(self._at_present(progress, started))  # what came after the last result
                raise self._ended
        finally:
            self.close()

    def _at_present(self, progress: Progress, started: float) -> Progress:
        return replace(
            progress,
            usage=self._spending.total if self._spending else progress.usage,
            elapsed=time.monotonic() - started,
            limit=int(sum(limiter.limit for limiter in self._all_limiters)),
            notices=self._readers.notices,
        )

    def _results(
        self, pitches: Iterable[object], rulebook: Rulebook | None, market: MarketMap | None
    ) -> Iterator[Result]:
        for number, entry in enumerate(pitches):
            if self._has_to_stop():
                break
            try:
                self._start(number, entry)
            except ConfigurationError:
                raise
            except AnalyzerError as error:
                yield Result(number, label(entry, number), error=error)
            while len(self._under_way) >= self._window or not self._read_pitches.empty():
                yield from self._next_result(rulebook, market)
        while self._under_way:
            yield from self._next_result(rulebook, market)

    def _start(self, number: int, entry: object) -> None:
        """Start reading one pitch. Raises AnalyzerError if the entry is not a pitch."""
        own_id, text = id_and_text(entry)
        pitch = Pitch.of(text, own_id, title_of(entry))
        repeat = self._watch.repeat
        reader = self._readers.reader_for(pitch, None if repeat == 1 else number % repeat + 1)
        future = background.submit(reader.read(pitch))
        self._under_way[number] = future
        future.add_done_callback(partial(self._done, number, pitch))

    def _done(self, number: int, pitch: Pitch, future: Future[Reading | SeveralReadings]) -> None:
        """Queue the outcome of a pitch, whoever ended it and however: nobody may wait for what cannot come."""
        try:
            outcome: Reading | SeveralReadings | BaseException = future.result()
        except BaseException as error:  # noqa: BLE001  # becomes this pitch's result
            outcome = error
        self._read_pitches.put(_ReadPitch(number, pitch, outcome))

    def _next_result(self, rulebook: Rulebook | None, market: MarketMap | None) -> Iterator[Result]:
        """The result of the next pitch that is done; nothing if it was not read because the run ends."""
        finished = None
        while finished is None:
            self._has_to_stop()
            with suppress(Empty):
                finished = self._read_pitches.get(timeout=_STOP_CHECK)
        del self._under_way[finished.number]
        outcome = finished.outcome
        if isinstance(outcome, ConfigurationError | ProviderDown | CostLimitReached):
            self._ended = self._ended or outcome
            self._has_to_stop()
        elif not isinstance(outcome, RunStopped):
            yield _result(finished, rulebook, market)

    def _has_to_stop(self) -> bool:
        """Whether no further pitch may be started; the first time, the rate limiters are stopped."""
        if not self._stopped and (self._ended is not None or self._watch.stop.is_set()):
            self._stopped = True
            for limiter in (*self._limiters.values(), self._other_limiter):
                background.call(limiter.stop)
        return self._stopped

    def _asking_reader(self, model: str, asked: Sequence[str], store: str | None) -> NumberedReader:
        """The reader that asks one of the models, for all pitches of this run; all share what they spend and store."""
        from analyzer.reading.conversation import ModelReader
        from analyzer.reading.spending import Spending

        limiter = self._limiters[model]
        self._spending = self._spending or Spending(asked, self._watch.max_cost)
        if store is not None and self._store is None:
            from analyzer.store.answer_queue import AnswerQueue
            from analyzer.store.store import Store

            self._store = Store.open(store)
            self._answers = AnswerQueue(self._store, retry_seconds=limiter.policy.give_up_after or 0.0)
        return ModelReader(model, self._settings, answers=self._answers, limiter=limiter, spending=self._spending)

    def close(self) -> None:
        """End what is under way and close what was opened; once, from any thread."""
        if self._closed.acquire(blocking=False):
            for future in list(self._under_way.values()):
                future.cancel()
            self._readers.close()
            if self._answers is not None:
                self._answers.close()
            if self._store is not None:
                self._store.close()


def _shared(concurrency: int, models: Sequence[str]) -> dict[str, int]:
    """How many requests each model may have in flight, so that all together have no more than `concurrency`.

    Raises ConfigurationError if there are more models than requests.
    """
    if len(models) > concurrency:
        raise ConfigurationError(
            f"{len(models)} models need at least {len(models)} requests in flight; raise the concurrency from "
            f"{concurrency}, or name fewer models"
        )
    return {
        model: concurrency // len(models) + (place < concurrency % len(models)) for place, model in enumerate(models)
    }


def _result(finished: _ReadPitch, rulebook: Rulebook | None, market: MarketMap | None) -> Result:
    outcome = finished.outcome
    known: dict[str, Any] = {"title": finished.pitch.ref.title, "sha256": finished.pitch.ref.sha256}
    name = finished.pitch.ref.id or str(finished.number)
    if isinstance(outcome, Reading | SeveralReadings):
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
