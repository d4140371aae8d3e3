"""From pitch to assessment: choose a reader, read, score. Scripts, command line and page all come through here."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Final, Protocol

from analyzer.errors import (
    AnalyzerError,
    ConfigurationError,
    CostLimitReached,
    MissingRecording,
    ProviderDown,
    RunStopped,
)
from analyzer.framework.arguments import as_market, as_rulebook
from analyzer.framework.assessment import Assessment, PitchRef
from analyzer.framework.market import MarketMap
from analyzer.framework.one_pitch import score
from analyzer.framework.rulebook import Rulebook
from analyzer.reading import background
from analyzer.reading.keywords.reader import KeywordReader
from analyzer.reading.pitch import Pitch
from analyzer.reading.rate_limiter import MANY, RateLimiter
from analyzer.reading.reading import Reading
from analyzer.results.result import Progress, Result, as_analyzer_error
from analyzer.runs.arguments import (
    as_concurrency,
    as_limit,
    as_model,
    as_pitches,
    as_progress,
    as_seconds,
    as_settings,
    as_stop,
    as_store,
    as_text,
    as_total,
    id_and_text,
    label,
)
from analyzer.settings import GIVE_UP_AFTER, KEYWORDS, RECORDED, Settings

if TYPE_CHECKING:
    from analyzer.reading.conversation import ModelReader
    from analyzer.reading.recordings import Recordings
    from analyzer.reading.spending import Spending
    from analyzer.store.answer_queue import AnswerQueue
    from analyzer.store.store import Store

HOW_TO_SET_A_MODEL: Final = "set PITCH_MODEL or --model (for example openai/gpt-4.1-mini, with OPENAI_API_KEY)"
GivenPitch = str | tuple[object, str | AnalyzerError] | Mapping[str, Any]
"""A pitch of many: a text, a pair (id, text), or a mapping with `text` and perhaps `id`."""


class Reader(Protocol):
    """Anything that reads pitches: a model, recorded answers, the keyword reader."""

    async def read(self, pitch: Pitch) -> Reading: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """The reader for a pitch. `note`: one line for people, where the choice was ours and not theirs; `asks`: the model
    that is asked, None where nothing is."""

    reader: Reader
    note: str | None = None
    asks: str | None = None

    @property
    def from_store(self) -> bool:
        """Whether the pitch was read from stored answers, without asking the model."""
        return getattr(self.reader, "from_store", False)


def analyze(
    text: str,
    *,
    model: str | None = None,
    rulebook: Rulebook | str | Path | None = None,
    market: MarketMap | str | Path | None = None,
    settings: Settings | None = None,
    id: str | None = None,
    store: bool | str = False,
) -> Assessment:
    """The assessment of one pitch. Works in scripts, notebooks and threads; blocks until done.

    `model`: `provider/name`, `recorded`, `keywords`, or None for PITCH_MODEL; with neither, a recording if
    there is one for this pitch, else `keywords`. `rulebook` and `market` may be paths of TOML files. `store`: where the
    model's answers are kept, so that the same pitch is not paid for twice; True = PITCH_STORE, False = none, or a
    database URL. Out of scope, `scores` and `verdict` are None. Raises the errors of `analyzer.errors`.
    """
    pitch = Pitch.from_text(as_text(text), None if id is None else str(id))
    rules, map_ = as_rulebook(rulebook), as_market(market)
    settings = as_settings(settings)
    choice = choose(pitch, as_model(model), settings, _store_url(as_store(store), settings), required=True)
    return assess(pitch, choice.reader, rules, map_)


def assess(
    pitch: Pitch, reader: Reader, rulebook: Rulebook | None = None, market: MarketMap | None = None
) -> Assessment:
    """The assessment of a pitch as read by this reader."""
    return background.run(_assess(pitch, reader, rulebook, market))


def start(pitch: Pitch, reader: Reader, rulebook: Rulebook | None = None) -> Future[Assessment]:
    """The same without waiting; cancelling the future ends the request."""
    return background.submit(_assess(pitch, reader, rulebook))


def analyze_many(
    pitches: Iterable[GivenPitch],
    *,
    model: str | None = None,
    concurrency: int = 16,
    rulebook: Rulebook | str | Path | None = None,
    market: MarketMap | str | Path | None = None,
    settings: Settings | None = None,
    store: bool | str = True,
    max_cost: float | None = None,
    give_up_after: float = GIVE_UP_AFTER,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Event | None = None,
    total: int | None = None,
) -> Iterator[Result]:
    """Assessments of many pitches, each as soon as it is ready; every pitch gives exactly one result.

    `pitches`: texts, pairs (id, text), mappings with `text` (and `id`), or (id, error) for a pitch that nobody could
    read; taken only as they are needed, so there may be endlessly many. An entry that is none of these is a result with
    an error. At most `concurrency` (1 to 256) requests are in flight at once, fewer while the server pushes back. A
    pitch that fails is a result with `error`; one out of scope is an assessment without `scores` and `verdict`.

    `store`: every paid answer is kept there first, and what is there is not asked again; True = PITCH_STORE, False =
    none, or a database URL. `max_cost`: USD that this run may spend at most. `give_up_after`: seconds without a single
    answer of the model's server (or of the store's database) after which the run ends; until then every pitch is tried
    again. `on_progress` is called after every result; what it raises ends the run. `stop`: once it is set
    nothing more is asked, and what is in flight is still handed over. `total`: how many pitches there are, if you know
    (taken from `pitches` where it has a length).

    Raises InputError or ConfigurationError, before the first pitch, for an argument that is of no use (a string, a dict
    or a data frame as `pitches`), and if no model is set: many are not read by guess. Raises what ends a
    run early, after all that was in flight: ConfigurationError (key, model, quota, store), ProviderDown,
    CostLimitReached. Pitches not read by then have no result; with a store the next run goes on from there.
    """
    entries = as_pitches(pitches)
    settings = as_settings(settings)
    model = as_model(model) or settings.model
    if model is None:
        raise ConfigurationError(f"many pitches need a model of your choice: {HOW_TO_SET_A_MODEL}, or keywords")
    concurrency, max_cost, store = as_concurrency(concurrency), as_limit(max_cost), as_store(store)
    told, stopped, total = as_progress(on_progress), as_stop(stop), as_total(total)
    rules, map_, give_up_after = as_rulebook(rulebook), as_market(market), as_seconds(give_up_after)
    if total is None and isinstance(pitches, Sized):
        total = len(pitches)
    run = _Run(model, settings, concurrency, _store_url(store, settings), max_cost, give_up_after)
    results = run.results(entries, rules, map_, told, stopped, total)
    weakref.finalize(results, run.close)  # also where nobody takes them to their end, or takes any
    return results


def choose(
    pitch: Pitch, model: str | None, settings: Settings, store: str | None = None, *, required: bool = False
) -> Choice:
    """The reader for one pitch (contract: `model`, else PITCH_MODEL, else a recording of this pitch, else keywords).

    `store`: URL of the store that keeps the answers of a model; None = none. One that fails is a warning in the
    assessment, or, if it is `required` and cannot be read, a StoreError before anything is asked.

    Raises ConfigurationError, or MissingRecording where `recorded` was asked for.
    """
    model = model or settings.model
    if model is not None and store is not None and model.partition("/")[0] not in (KEYWORDS, RECORDED):
        from analyzer.reading.keeping import KeepingReader

        return Choice(KeepingReader(model, settings, store, required=required), asks=model)
    if model is not None:
        asks = None if model.partition("/")[0] in (KEYWORDS, RECORDED) else model
        return Choice(_reader(pitch, model, settings), asks=asks)
    try:
        reader = _reader(pitch, RECORDED, settings)
    except MissingRecording:
        note = f"No model is set: read by cue phrases, which is rough. For a real reading, {HOW_TO_SET_A_MODEL}."
        return Choice(KeywordReader(), note)
    note = f"No model is set: this is a recorded answer. To ask a model, {HOW_TO_SET_A_MODEL}."
    return Choice(reader, note)


def recording_reader(model: str, settings: Settings, folder: Path) -> Reader:
    """A reader that asks a real model and keeps its answers in `folder`. Raises ConfigurationError."""
    if model.partition("/")[0] in (KEYWORDS, RECORDED):
        raise ConfigurationError(f"{model} asks no model, so there is nothing to record; give provider/name")
    from analyzer.reading.conversation import ModelReader

    return ModelReader(model, settings, record_to=folder)


def _store_url(store: bool | str, settings: Settings) -> str | None:
    return settings.store_url() if store is True else store or None


async def _assess(
    pitch: Pitch, reader: Reader, rulebook: Rulebook | None, market: MarketMap | None = None
) -> Assessment:
    return _scored(await reader.read(pitch), pitch.ref, rulebook, market)


def _scored(reading: Reading, pitch: PitchRef, rulebook: Rulebook | None, market: MarketMap | None) -> Assessment:
    return score(
        reading.signals,
        rulebook,
        market=market,
        pitch=pitch,
        reader=reading.reader,
        usage=reading.usage,
        warnings=reading.warnings,
    )


def _reader(pitch: Pitch, model: str, settings: Settings) -> Reader:
    if model == KEYWORDS:
        return KeywordReader()
    from analyzer.reading.conversation import ModelReader

    if model.partition("/")[0] != RECORDED:
        return ModelReader(model, settings)
    from analyzer.reading.recordings import Recordings

    recordings = Recordings.available(settings.own_recordings())
    return ModelReader(_recorded_model(model, pitch, recordings), settings, recordings=recordings)


def _recorded_model(model: str, pitch: Pitch, recordings: Recordings) -> str:
    """The model behind `recorded/provider/name`, or behind `recorded` for this pitch. Raises MissingRecording."""
    from analyzer.reading.conversation import first_request
    from analyzer.reading.recordings import ANY_MODEL

    named = model.partition("/")[2]
    if named:
        return named
    request = first_request(ANY_MODEL, pitch)
    models = recordings.models_for(request)
    if not models:
        raise recordings.missing(request)
    return models[0]


_AHEAD: Final = 64
"""Pitches prepared beyond those in flight."""
_LOOK: Final = 0.2
"""Seconds between two looks whether a run is to stop, while nothing comes in."""


@dataclass(frozen=True, slots=True)
class _Finished:
    """What came of reading one pitch."""

    number: int
    pitch: PitchRef
    outcome: Reading | BaseException


class _Run:
    """One run over many pitches. Reading goes on on the background loop; scoring, where results are taken.

    More pitches are prepared than may be in flight, so that no place stays empty while a result is looked at.
    """

    def __init__(
        self,
        model: str,
        settings: Settings,
        concurrency: int,
        store: str | None,
        max_cost: float | None,
        give_up_after: float,
    ):
        self._model = model
        self._settings = settings
        self._window = concurrency + min(concurrency, _AHEAD)
        policy = MANY if give_up_after == GIVE_UP_AFTER else replace(MANY, give_up_after=give_up_after)
        self._limiter = RateLimiter(policy, concurrency)
        self._spending: Spending | None = None
        self._store: Store | None = None
        self._book: AnswerQueue | None = None
        self._asked: ModelReader | None = None
        self._recorded: dict[str, ModelReader] = {}
        self._recordings: Recordings | None = None
        self._ended: AnalyzerError | None = None
        self._stopped = False
        self._closed = Lock()
        self._finished: SimpleQueue[_Finished] = SimpleQueue()
        self._under_way: dict[int, Future[Reading]] = {}
        if model.partition("/")[0] not in (KEYWORDS, RECORDED):
            self._set_up_model(store, max_cost)

    def results(
        self,
        pitches: Iterable[object],
        rulebook: Rulebook | None,
        market: MarketMap | None,
        on_progress: Callable[[Progress], None],
        stop: Event,
        total: int | None,
    ) -> Iterator[Result]:
        progress = Progress(total=total, limit=self._limiter.width)
        begun = time.monotonic()
        try:
            for result in self._read(pitches, rulebook, market, stop):
                progress = replace(
                    _counted(progress, result),
                    usage=self._spending.total if self._spending else progress.usage,
                    elapsed=time.monotonic() - begun,
                    limit=int(self._limiter.limit),
                )
                on_progress(progress)
                yield result
            if self._ended is not None:
                raise self._ended
        finally:
            self.close()

    def _read(
        self, pitches: Iterable[object], rulebook: Rulebook | None, market: MarketMap | None, stop: Event
    ) -> Iterator[Result]:
        for number, given in enumerate(pitches):
            if self._stops(stop):
                break
            try:
                self._begin(number, given)
            except ConfigurationError:
                raise
            except AnalyzerError as error:
                yield Result(number, label(given, number), error=error)
            while len(self._under_way) >= self._window or not self._finished.empty():
                yield from self._taken(rulebook, market, stop)
        while self._under_way:
            yield from self._taken(rulebook, market, stop)

    def _begin(self, number: int, given: object) -> None:
        """Has one pitch read. Raises AnalyzerError if it is none."""
        own_id, text = id_and_text(given)
        pitch = Pitch.from_text(text, own_id)
        future = background.submit(self._reader_for(pitch).read(pitch))
        self._under_way[number] = future
        future.add_done_callback(partial(self._done, number, pitch.ref))

    def _done(self, number: int, pitch: PitchRef, future: Future[Reading]) -> None:
        """Hands over whatever came of a pitch, whoever ended it and however: nobody waits for what cannot come."""
        try:
            outcome: Reading | BaseException = future.result()
        except BaseException as error:  # noqa: BLE001  # becomes this pitch's result
            outcome = error
        self._finished.put(_Finished(number, pitch, outcome))

    def _taken(self, rulebook: Rulebook | None, market: MarketMap | None, stop: Event) -> Iterator[Result]:
        """The result of the next pitch that is done; nothing where it was not read because the run ends."""
        finished = None
        while finished is None:
            self._stops(stop)
            with suppress(Empty):
                finished = self._finished.get(timeout=_LOOK)
        del self._under_way[finished.number]
        outcome = finished.outcome
        if isinstance(outcome, ConfigurationError | ProviderDown | CostLimitReached):
            self._ended = self._ended or outcome
            self._stops(stop)
        elif not isinstance(outcome, RunStopped):
            yield _result(finished, rulebook, market)

    def _stops(self, stop: Event) -> bool:
        """Whether no further pitch is to be begun; the first time, the rate limiter is stopped."""
        if not self._stopped and (self._ended is not None or stop.is_set()):
            self._stopped = True
            background.call(self._limiter.stop)
        return self._stopped

    # ------------------------------------------------------------ readers

    def _set_up_model(self, store: str | None, max_cost: float | None) -> None:
        # The model SDK takes most of a second to load, and scoring or keyword reading does without it.
        from analyzer.reading.conversation import ModelReader
        from analyzer.reading.spending import Spending

        self._spending = Spending(self._model, max_cost)
        if store is not None:
            from analyzer.store.answer_queue import AnswerQueue
            from analyzer.store.store import Store

            self._store = Store.open(store)
            self._book = AnswerQueue(self._store, retry_seconds=self._limiter.policy.give_up_after or 0.0)
        self._asked = ModelReader(
            self._model, self._settings, book=self._book, limiter=self._limiter, spending=self._spending
        )

    def _reader_for(self, pitch: Pitch) -> Reader:
        if self._asked is not None:
            return self._asked
        if self._model == KEYWORDS:
            return KeywordReader()
        from analyzer.reading.conversation import ModelReader
        from analyzer.reading.recordings import Recordings

        if self._recordings is None:
            self._recordings = Recordings.available(self._settings.own_recordings())
        model = _recorded_model(self._model, pitch, self._recordings)
        if model not in self._recorded:
            self._recorded[model] = ModelReader(
                model, self._settings, recordings=self._recordings, limiter=self._limiter
            )
        return self._recorded[model]

    def close(self) -> None:
        """Ends what is under way and closes what was opened; once, from any thread."""
        if self._closed.acquire(blocking=False):
            for future in list(self._under_way.values()):
                future.cancel()
            for reader in (self._asked, *self._recorded.values()):
                if reader is not None:
                    background.finish(reader.aclose)
            if self._book is not None:
                self._book.close()
            if self._store is not None:
                self._store.close()


def _result(finished: _Finished, rulebook: Rulebook | None, market: MarketMap | None) -> Result:
    outcome = finished.outcome
    known: dict[str, Any] = {"title": finished.pitch.title, "sha256": finished.pitch.sha256}
    name = finished.pitch.id or str(finished.number)
    if isinstance(outcome, Reading):
        try:
            assessment = _scored(outcome, finished.pitch, rulebook, market)
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
