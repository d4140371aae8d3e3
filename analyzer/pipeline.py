"""From pitch to assessment: choose a reader, read, score. Scripts, command line and page all come through here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from analyzer.errors import AnalyzerError, ConfigurationError, MissingRecording, PitchError
from analyzer.framework.assessment import Assessment
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.framework.scoring import score
from analyzer.reading import background
from analyzer.reading.keywords import KeywordReader
from analyzer.reading.pitch import Pitch
from analyzer.reading.reading import Reading
from analyzer.settings import KEYWORDS, RECORDED, Settings

if TYPE_CHECKING:
    from analyzer.reading.recordings import Recordings

HOW_TO_SET_A_MODEL: Final = "set PITCH_MODEL or --model (for example openai/gpt-4.1-mini, with OPENAI_API_KEY)"
MAX_CONCURRENCY: Final = 256


class Reader(Protocol):
    """Anything that reads pitches: a model, recorded answers, the keyword reader."""

    async def read(self, pitch: Pitch) -> Reading: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """The reader for a pitch. `note`: one line for people, where the choice was ours and not theirs."""

    reader: Reader
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One pitch of many: an assessment, or the error that stands in its place. `number` counts from 0, as given."""

    number: int
    id: str
    assessment: Assessment | None = None
    error: AnalyzerError | None = None


class UnexpectedError(AnalyzerError):
    """A fault of this program, met while reading one of many pitches; the others go on."""

    kind = "unexpected"


def analyze(
    text: str,
    *,
    model: str | None = None,
    rulebook: Rulebook | None = None,
    market: MarketMap | None = None,
    settings: Settings | None = None,
    id: str | None = None,
) -> Assessment:
    """The assessment of one pitch. Works in scripts, notebooks and threads; blocks until done.

    `model`: `provider/name`, `recorded`, `keywords`, or None for PITCH_MODEL; with neither, a recording if
    there is one for this pitch, else `keywords`. Raises the errors of `analyzer.errors`.
    """
    settings = settings or Settings.from_environment()
    pitch = Pitch.from_text(text, id)
    return assess(pitch, choose(pitch, model, settings).reader, rulebook, market)


def assess(
    pitch: Pitch, reader: Reader, rulebook: Rulebook | None = None, market: MarketMap | None = None
) -> Assessment:
    """The assessment of a pitch as read by this reader."""
    return background.run(_assess(pitch, reader, rulebook, market))


def start(pitch: Pitch, reader: Reader, rulebook: Rulebook | None = None) -> Future[Assessment]:
    """The same without waiting; cancelling the future ends the request."""
    return background.submit(_assess(pitch, reader, rulebook))


def analyze_many(
    pitches: Iterable[str | tuple[str, str]],
    *,
    model: str | None = None,
    concurrency: int = 16,
    rulebook: Rulebook | None = None,
    market: MarketMap | None = None,
    settings: Settings | None = None,
) -> Iterator[Result]:
    """Assessments of many pitches, each as soon as it is ready; every pitch gives exactly one result.

    `pitches`: texts, or pairs (id, text); taken from the iterable only as they are needed, so it may be endless. At
    most `concurrency` (1 to 256) are under way at once. A pitch that fails is a result with `error`. Raises
    ConfigurationError before the first pitch if no model is set: many are not read by guess.
    """
    settings = settings or Settings.from_environment()
    model = model or settings.model
    if model is None:
        raise ConfigurationError(f"many pitches need a model of your choice: {HOW_TO_SET_A_MODEL}, or keywords")
    if not 1 <= concurrency <= MAX_CONCURRENCY:
        raise ConfigurationError(f"concurrency is {concurrency}; give 1 to {MAX_CONCURRENCY}")
    return _results(enumerate(pitches), _SharedReaders(model, settings), concurrency, rulebook, market)


def choose(pitch: Pitch, model: str | None, settings: Settings) -> Choice:
    """The reader for one pitch (contract: `model`, else PITCH_MODEL, else a recording of this pitch, else keywords).

    Raises ConfigurationError, or MissingRecording where `recorded` was asked for.
    """
    model = model or settings.model
    if model is not None:
        return Choice(_reader(pitch, model, settings, None))
    try:
        reader = _reader(pitch, RECORDED, settings, None)
    except MissingRecording:
        note = f"No model is set: read by cue phrases, which is rough. For a real reading, {HOW_TO_SET_A_MODEL}."
        return Choice(KeywordReader(), note)
    note = f"No model is set: this is a recorded answer. To ask a model, {HOW_TO_SET_A_MODEL}."
    return Choice(reader, note)


def recording_reader(model: str, settings: Settings, folder: Path) -> Reader:
    """A reader that asks a real model and keeps its answers in `folder`. Raises ConfigurationError."""
    if model.partition("/")[0] in (KEYWORDS, RECORDED):
        raise ConfigurationError(f"{model} asks no model, so there is nothing to record; give provider/name")
    from analyzer.reading.model import ModelReader

    return ModelReader(model, settings, record_to=folder)


async def _assess(
    pitch: Pitch, reader: Reader, rulebook: Rulebook | None, market: MarketMap | None = None
) -> Assessment:
    reading = await reader.read(pitch)
    return score(
        reading.signals,
        rulebook,
        market=market,
        pitch=pitch.ref,
        reader=reading.reader,
        usage=reading.usage,
        warnings=reading.warnings,
    )


def _reader(pitch: Pitch, model: str, settings: Settings, recordings: Recordings | None) -> Reader:
    if model == KEYWORDS:
        return KeywordReader()
    # The model SDK takes most of a second to load, and scoring or keyword reading does without it.
    from analyzer.reading.model import ModelReader, first_request

    provider, _, recorded_model = model.partition("/")
    if provider != RECORDED:
        return ModelReader(model, settings)
    from analyzer.reading.recordings import Recordings

    recordings = recordings or Recordings.available(settings.own_recordings())
    if not recorded_model:
        request = first_request("any", pitch)
        models = recordings.models_for(request)
        if not models:
            raise recordings.missing(request)
        recorded_model = models[0]
    return ModelReader(recorded_model, settings, recordings=recordings)


class _SharedReaders:
    """One reader for all pitches of a run; recorded answers are chosen for each pitch from one loaded set."""

    def __init__(self, model: str, settings: Settings):
        self._model = model
        self._settings = settings
        self._recordings: Recordings | None = None
        self._one: Reader | None = None

    def __call__(self, pitch: Pitch) -> Reader:
        if self._model.partition("/")[0] == RECORDED:
            if self._recordings is None:
                from analyzer.reading.recordings import Recordings

                self._recordings = Recordings.available(self._settings.own_recordings())
            return _reader(pitch, self._model, self._settings, self._recordings)
        if self._one is None:
            self._one = _reader(pitch, self._model, self._settings, None)
        return self._one


def _results(
    pitches: Iterator[tuple[int, str | tuple[str, str]]],
    readers: _SharedReaders,
    concurrency: int,
    rulebook: Rulebook | None,
    market: MarketMap | None,
) -> Iterator[Result]:
    under_way: dict[Future[Assessment], tuple[int, str]] = {}
    try:
        for number, given in pitches:
            label = str(number)
            try:
                own_id, text = _taken(given, label)
                label = own_id or label
                pitch = Pitch.from_text(text, own_id)
                under_way[background.submit(_assess(pitch, readers(pitch), rulebook, market))] = (
                    number,
                    pitch.ref.id or label,
                )
            except ConfigurationError:
                raise
            except AnalyzerError as error:
                yield Result(number, label, error=error)
            if len(under_way) >= concurrency:
                yield from _finished(under_way)
        while under_way:
            yield from _finished(under_way)
    finally:
        for future in under_way:
            future.cancel()


def _taken(given: object, label: str) -> tuple[str | None, str]:
    """Id and text of what was given for a pitch. Raises PitchError if it is neither a text nor an (id, text)."""
    if isinstance(given, str):
        return None, given
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], str):
        return str(given[0]), given[1]
    raise PitchError(f"{label}: expected a text or a pair (id, text), found {type(given).__name__}")


def _finished(under_way: dict[Future[Assessment], tuple[int, str]]) -> Iterator[Result]:
    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
    for future in done:
        number, label = under_way.pop(future)
        error = future.exception()
        if error is None:
            yield Result(number, label, assessment=future.result())
        elif isinstance(error, AnalyzerError):
            yield Result(number, label, error=error)
        else:
            wrapped = UnexpectedError(f"{label}: {type(error).__name__} while reading this pitch; please report it")
            wrapped.__cause__ = error
            yield Result(number, label, error=wrapped)
