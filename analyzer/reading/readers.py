"""Which reader reads a pitch: chosen here, for one pitch and for a run of many.

A model's name means one of three readers: the keyword reader, recorded answers, or a model that is asked. The model SDK
takes most of a second to load, so only the reader that needs it loads it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from analyzer.errors import ConfigurationError, MissingRecording
from analyzer.reading import background
from analyzer.reading.keywords.reader import KeywordReader
from analyzer.reading.pitch import Pitch
from analyzer.reading.reading import Reading
from analyzer.settings import KEYWORDS, RECORDED, SAME, Settings, asks_a_server
from analyzer.vocabulary.labels import joined

if TYPE_CHECKING:
    from analyzer.reading.conversation import ModelReader
    from analyzer.reading.rate_limiter import RateLimiter
    from analyzer.reading.recordings import Recordings

HOW_TO_SET_A_MODEL: Final = "set PITCH_MODEL or --model (for example openai/gpt-6-luna, with OPENAI_API_KEY)"


class Reader(Protocol):
    """Anything that reads pitches: a model, recorded answers, the keyword reader."""

    async def read(self, pitch: Pitch) -> Reading: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """The reader for a pitch.

    `note`: one line for people if the program chose the reader; None if the user did. `asks`: the model that is asked;
    None if no server is.
    """

    reader: Reader
    note: str | None = None
    asks: str | None = None

    @property
    def notices(self) -> list[str]:
        """What people should know about how the model is asked, a line each, as of now."""
        return list(getattr(self.reader, "notices", ()))

    @property
    def from_store(self) -> bool:
        """Whether the pitch was read from stored answers, without asking the model."""
        return getattr(self.reader, "from_store", False)


def choose(
    pitch: Pitch, model: str | None, settings: Settings, store: str | None = None, *, required: bool = False
) -> Choice:
    """Choose the reader for one pitch: by `model`, else PITCH_MODEL, else a recording of this pitch, else keywords.

    `store`: URL of the store that saves the answers of a model; None = none. A store that fails is a warning in the
    assessment, or, if it is `required` and cannot be read, a StoreError before anything is asked.

    Raises ConfigurationError, or MissingRecording if the model is `recorded`.
    """
    model = model or settings.model
    verifier = settings.verify if settings.verify != SAME else None
    other = _asking_reader(verifier, settings, store, required) if verifier else None
    reader: Reader
    if model is not None:
        check_verifiable(model, settings)
        reader = Readers(model, settings, lambda: _asking_reader(model, settings, store, required)).reader_for(pitch)
        asked = [name for name in (model, verifier) if asks_a_server(name)]
        return Choice(checked(reader, settings, other), asks=joined(asked) if asked else None)
    try:
        reader = Readers(RECORDED, settings).reader_for(pitch)
    except MissingRecording:
        note = f"No model is set: read by cue phrases, which is rough. For a real reading, {HOW_TO_SET_A_MODEL}."
        reader = KeywordReader()
        if settings.verify == SAME:
            return Choice(reader, f"{note} No second look is taken either.")
    else:
        note = f"No model is set: this is a recorded answer. To ask a model, {HOW_TO_SET_A_MODEL}."
    return Choice(checked(reader, settings, other), note, asks=verifier)


def check_verifiable(model: str, settings: Settings) -> None:
    """Raise ConfigurationError if the reader's own model should take the second look and there is none."""
    if settings.verify == SAME and model == KEYWORDS:
        raise ConfigurationError(
            f"{KEYWORDS} cannot take a second look at what it reads; name a model for it: --verify provider/name"
        )


def checked(reader: Reader, settings: Settings, other: Reader | None) -> Reader:
    """The reader with a second look at what it reads, if the settings ask for one. `other`: the reader of another model
    that takes it."""
    if settings.verify is None:
        return reader
    from analyzer.reading.second_look import CheckedReader, SecondLook

    taker: Any = reader if other is None else other
    return CheckedReader(reader, SecondLook(taker))


def recording_reader(model: str, settings: Settings, folder: Path) -> Reader:
    """Make a reader that asks a real model and saves its answers as recordings in `folder`. If the model is `recorded`,
    only the second look of another model is.

    Raises ConfigurationError.
    """
    replayed = model.partition("/")[0] == RECORDED and settings.verify not in (None, SAME)
    if not asks_a_server(model) and not replayed:
        raise ConfigurationError(f"{model} asks no model, so there is nothing to record; pass provider/name")
    from analyzer.reading.conversation import ModelReader

    reader: Reader = _Recorded(model, settings) if replayed else ModelReader(model, settings, record_to=folder)
    verifier = settings.verify if settings.verify not in (None, SAME) else None
    return checked(reader, settings, ModelReader(verifier, settings, record_to=folder) if verifier else None)


class _Recorded:
    """Reads every pitch from recordings."""

    def __init__(self, model: str, settings: Settings):
        self._readers = Readers(model, settings)

    async def read(self, pitch: Pitch) -> Reading:
        return await self._readers.reader_for(pitch).read(pitch)


class Readers:
    """The readers behind one model's name, for one pitch or many.

    `ask` makes the reader of a model that is asked; it is called once, if at all. `limiter`: as for `ModelReader`.
    Raises ConfigurationError when made if the model cannot be set up.
    """

    def __init__(
        self,
        model: str,
        settings: Settings,
        ask: Callable[[], Reader] | None = None,
        limiter: RateLimiter | None = None,
    ):
        self._model = model
        self._settings = settings
        self._limiter = limiter
        self._one_for_all: Reader | None = None
        self._recordings: Recordings | None = None
        self._replaying: dict[tuple[str, str], ModelReader] = {}
        if model == KEYWORDS:
            self._one_for_all = KeywordReader()
        elif asks_a_server(model):
            self._one_for_all = ask() if ask is not None else _asking_reader(model, settings)

    def reader_for(self, pitch: Pitch) -> Reader:
        """The reader for this pitch. Raises MissingRecording if no recording of it fits `recorded`."""
        if self._one_for_all is not None:
            return self._one_for_all
        from analyzer.reading.conversation import ModelReader
        from analyzer.reading.recordings import Recordings

        if self._recordings is None:
            self._recordings = Recordings.available(self._settings.own_recordings())
        recorded = _recorded(self._model, pitch, self._recordings, self._settings.form)
        if recorded not in self._replaying:
            model, form_name = recorded
            settings = replace(self._settings, form=form_name)
            self._replaying[recorded] = ModelReader(model, settings, recordings=self._recordings, limiter=self._limiter)
        return self._replaying[recorded]

    @property
    def notices(self) -> tuple[str, ...]:
        """What people should know about how the model is asked, a line each, as of now."""
        return tuple(getattr(self._one_for_all, "notices", ()))

    def close(self) -> None:
        """Close the connections of all readers, from any thread."""
        for reader in (self._one_for_all, *self._replaying.values()):
            if reader is not None and hasattr(reader, "aclose"):
                background.finish(reader.aclose)


def _asking_reader(model: str, settings: Settings, store: str | None = None, required: bool = False) -> Reader:
    if store is None:
        from analyzer.reading.conversation import ModelReader

        return ModelReader(model, settings)
    from analyzer.reading.storing_reader import StoringReader

    return StoringReader(model, settings, store, required=required)


def _recorded(model: str, pitch: Pitch, recordings: Recordings, usual_form: str) -> tuple[str, str]:
    """The model and form of the recording behind `recorded/provider/name`, or behind `recorded`, for this pitch: of
    several forms the usual one. Raises MissingRecording."""
    from analyzer.reading.conversation import first_request
    from analyzer.reading.forms import FORMS
    from analyzer.reading.recordings import ANY_MODEL

    named = model.partition("/")[2]
    for form_name in dict.fromkeys((usual_form, *FORMS)):
        if named and recordings.find(first_request(named, pitch, form_name)) is not None:
            return named, form_name
        models = [] if named else recordings.models_for(first_request(ANY_MODEL, pitch, form_name))
        if models:
            return models[0], form_name
    raise recordings.missing(first_request(named or ANY_MODEL, pitch, usual_form))
