"""Which reader reads a pitch: chosen here, for one pitch and for a run of many.

A model's name means one of three readers: the keyword reader, recorded answers, or a model that is asked. The model SDK
takes most of a second to load, so only the reader that needs it loads it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from analyzer.errors import AnalyzerError, ConfigurationError, MissingRecording
from analyzer.framework.arguments import a_kind
from analyzer.framework.market import MarketMap
from analyzer.reading.keywords.reader import KeywordReader
from analyzer.reading.panel import ENDS_RUN, FailedReading, Member, NumberedReader, Panel
from analyzer.reading.pitch import Pitch
from analyzer.reading.reading import Reading
from analyzer.settings import KEYWORDS, RECORDED, SAME, Settings, asks_a_server
from analyzer.vocabulary.labels import joined

if TYPE_CHECKING:
    from analyzer.reading.conversation import ModelReader
    from analyzer.reading.rate_limiter import Limiter
    from analyzer.reading.recordings import Recordings

HOW_TO_SET_A_MODEL: Final = "set PITCH_MODEL or --model (for example openai/gpt-6-luna, with OPENAI_API_KEY)"


class Reader(Protocol):
    """Anything that reads pitches: a model, recorded answers, the keyword reader, or several readings by them."""

    async def read(self, pitch: Pitch) -> Reading: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """The reader for a pitch.

    `note`: one line for people if the program chose the reader; None if the user did. `asks`: the models that are
    asked, in words; None if no server is. `remarks`: what else people should know about the choice, a line each.
    """

    reader: Reader
    note: str | None = None
    asks: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def notices(self) -> list[str]:
        """What people should know about how the pitch is read, a line each, as of now."""
        return [*self.remarks, *getattr(self.reader, "notices", ())]

    @property
    def from_store(self) -> bool:
        """Whether the pitch was read from stored answers, without asking the model."""
        return getattr(self.reader, "from_store", False)


def choose(
    pitch: Pitch,
    model: str | Sequence[str] | None,
    settings: Settings,
    store: str | None = None,
    *,
    required: bool = False,
    market: MarketMap | None = None,
) -> Choice:
    """Choose the reader for one pitch: by `model`, else PITCH_MODEL, else a recording of this pitch, else keywords.

    `model`: one or several, each of which reads the pitch as often as `settings.readings` says. `store`: URL of the
    store that saves the answers of a model; None = none. A store that fails is a warning in the
    assessment, or, if it is `required` and cannot be read, a StoreError before anything is asked.

    Raises ConfigurationError, or MissingRecording if the model is `recorded`.
    """
    models = as_models(model) or as_models(settings.model)
    verifier = settings.verify if settings.verify != SAME else None
    other = _asking_reader(verifier, settings, store, required) if verifier else None
    reader: Reader
    if models:
        check_verifiable(models, settings)
        readers = PanelReaders(
            models, settings, lambda name: _asking_reader(name, settings, store, required), market=market
        )
        asked = [name for name in dict.fromkeys((*models, verifier)) if asks_a_server(name)]
        reader = checked(readers.reader_for(pitch), settings, other)
        return Choice(reader, asks=joined(asked) if asked else None, remarks=readers.remarks)
    try:
        reader = PanelReaders((RECORDED,), settings, market=market).reader_for(pitch)
    except MissingRecording:
        note = f"No model is set: read by cue phrases, which is rough. For a real reading, {HOW_TO_SET_A_MODEL}."
        reader = KeywordReader()
        if settings.verify == SAME:
            return Choice(reader, f"{note} No second look is taken either.", remarks=_remarks((KEYWORDS,), settings))
    else:
        note = f"No model is set: this is a recorded answer. To ask a model, {HOW_TO_SET_A_MODEL}."
    remarks = _remarks((KEYWORDS,), settings) if isinstance(reader, KeywordReader) else ()
    return Choice(checked(reader, settings, other), note, asks=verifier, remarks=remarks)


def as_models(model: object) -> tuple[str, ...]:
    """The models of a panel: none for None or an empty string. Raises ConfigurationError if one appears twice."""
    if isinstance(model, str) or model is None:
        model = (model or "",)
    if not isinstance(model, list | tuple) or not all(isinstance(name, str) for name in model):
        raise ConfigurationError(
            f"model is {a_kind(model)}; pass one string like 'openai/gpt-6-luna', or a list of such strings"
        )
    names = [name.strip() for name in model if name.strip()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigurationError(f"{twice} is named twice; to have it read a pitch twice, use --readings 2")
    return tuple(names)


def check_verifiable(models: Sequence[str], settings: Settings) -> None:
    """Raise ConfigurationError if the reader's own model should take the second look and there is none."""
    if settings.verify == SAME and all(model == KEYWORDS for model in models):
        raise ConfigurationError(
            f"{KEYWORDS} cannot take a second look at what it reads; name a model for it: --verify provider/name"
        )


def checked(reader: Reader, settings: Settings, other: Reader | None) -> Reader:
    """The reader with a second look at what it reads, if the settings ask for one. `other`: the reader of another model
    that takes it; several readings get one second look together."""
    if settings.verify is None:
        return reader
    from analyzer.reading.second_look import CheckedReader, SecondLook

    taker: Any = getattr(reader, "taker", reader) if other is None else other
    return CheckedReader(reader, SecondLook(taker))


def recording_readers(
    model: str | Sequence[str], settings: Settings, folder: Path, *, again: bool = False
) -> RecordingReaders:
    """Make readers that ask real models and save their answers as recordings in `folder`. What is recorded there in
    today's words is not asked for, unless `again`. If the model is `recorded`, only the second look of another model is
    recorded.

    Raises ConfigurationError.
    """
    models = as_models(model)
    verifier = settings.verify if settings.verify not in (None, SAME) else None
    for name in models:
        replayed = name.partition("/")[0] == RECORDED and verifier is not None
        if not asks_a_server(name) and not replayed:
            raise ConfigurationError(f"{name} asks no model, so there is nothing to record; pass provider/name")
    from analyzer.reading.conversation import ModelReader

    made: list[ModelReader] = []

    def asking(name: str) -> ModelReader:
        made.append(ModelReader(name, settings.asking(name), record_to=folder, again=again))
        return made[-1]

    readers = PanelReaders(models, settings, asking, None, ENDS_RUN)
    return RecordingReaders(readers, settings, asking(verifier) if verifier else None, made)


@dataclass(frozen=True, slots=True)
class RecordingReaders:
    """The readers whose answers are recorded, for one pitch after the other."""

    readers: PanelReaders
    settings: Settings
    verifier: ModelReader | None
    asking: Sequence[ModelReader] = ()

    @property
    def written(self) -> int:
        """Answers recorded so far."""
        return sum(len(reader.written) for reader in self.asking)

    @property
    def skipped(self) -> int:
        """Answers that were not asked for so far, because they are recorded."""
        return sum(reader.skipped for reader in self.asking)

    @property
    def notices(self) -> tuple[str, ...]:
        """As `PanelReaders.notices`, of all models."""
        return tuple(dict.fromkeys((*self.readers.notices, *(self.verifier.notices if self.verifier else ()))))

    def reader_for(self, pitch: Pitch) -> Reader:
        """The reader for this pitch."""
        return checked(self.readers.reader_for(pitch), self.settings, self.verifier)


class PanelReaders:
    """The readers of one or several models, for one pitch or many; each model reads a pitch `settings.readings` times.

    `ask`, `limiter`: as for `Readers`. `raises`: errors of a single reading that count for the whole pitch. `market`:
    what combined readings are derived with. Raises
    ConfigurationError when made if a model cannot be set up.
    """

    def __init__(
        self,
        models: Sequence[str],
        settings: Settings,
        ask: Callable[[str], NumberedReader] | None = None,
        limiter: Limiter | None = None,
        raises: tuple[type[AnalyzerError], ...] = (),
        market: MarketMap | None = None,
    ):
        self._readings = settings.readings
        self._raises = raises
        self._market = market
        self._settings = settings
        self._models: dict[str, Readers] = {}
        try:
            for name in models:
                self._models[name] = Readers(name, settings, ask, limiter)
        except BaseException:
            self.close()
            raise

    @property
    def remarks(self) -> tuple[str, ...]:
        """What people should know about the choice of models."""
        return _remarks(tuple(self._models), self._settings)

    @property
    def notices(self) -> tuple[str, ...]:
        """What people should know about how pitches are read, a line each, as of now."""
        return (*self.remarks, *(notice for readers in self._models.values() for notice in readers.notices))

    def reader_for(self, pitch: Pitch, number: int | None = None) -> Reader:
        """The reader for this pitch. `number`: of each model only this reading, from 1; None = all of them.

        Raises MissingRecording if no recording of it fits `recorded`.
        """
        members, missing = [], []
        for model, readers in self._models.items():
            last = 1 if model == KEYWORDS else self._readings
            for each in range(1, last + 1) if number is None else (number,):
                try:
                    members.append(Member(model, readers.reader_for(pitch, each), each))
                except MissingRecording as error:
                    missing.append(FailedReading(model, each, error))
        if not members:
            raise missing[0].error
        if len(members) == 1 and not missing:
            return _Single(members[0])
        return Panel(members, missing, self._raises, self._market)

    def close(self) -> None:
        """Close the connections of all readers, from any thread."""
        for readers in self._models.values():
            readers.close()


class Readers:
    """The readers behind one model's name, for one pitch or many.

    `ask` makes the reader of a model that is asked; it is called once, if at all. `limiter`: as for `ModelReader`.
    Raises ConfigurationError when made if the model cannot be set up.
    """

    def __init__(
        self,
        model: str,
        settings: Settings,
        ask: Callable[[str], NumberedReader] | None = None,
        limiter: Limiter | None = None,
    ):
        self._model = model
        self._settings = settings
        self._limiter = limiter
        self._one_for_all: NumberedReader | None = None
        self._recordings: Recordings | None = None
        self._replaying: dict[tuple[str, str], ModelReader] = {}
        if model == KEYWORDS:
            self._one_for_all = KeywordReader()
        elif asks_a_server(model):
            self._one_for_all = ask(model) if ask is not None else _asking_reader(model, settings)

    def reader_for(self, pitch: Pitch, number: int = 1) -> NumberedReader:
        """The reader for a reading of this pitch. Raises MissingRecording if no recording of it fits `recorded`."""
        if self._one_for_all is not None:
            return self._one_for_all
        from analyzer.reading.conversation import ModelReader
        from analyzer.reading.recordings import Recordings

        if self._recordings is None:
            self._recordings = Recordings.available(self._settings.own_recordings())
        recorded = _recorded(self._model, pitch, self._recordings, self._settings.form, number)
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
                from analyzer.reading import background

                background.finish(reader.aclose)


def _remarks(models: Sequence[str], settings: Settings) -> tuple[str, ...]:
    if settings.readings > 1 and KEYWORDS in models:
        return (f"{KEYWORDS} reads a pitch the same way every time, so it reads it once.",)
    return ()


@dataclass(slots=True)
class _Single:
    """One reading by one reader."""

    member: Member

    @property
    def taker(self) -> NumberedReader:
        return self.member.reader

    @property
    def notices(self) -> list[str]:
        return list(getattr(self.member.reader, "notices", ()))

    @property
    def from_store(self) -> bool:
        return bool(getattr(self.member.reader, "from_store", False))

    @property
    def waits(self) -> bool:
        return bool(getattr(self.member.reader, "waits", True))

    async def read(self, pitch: Pitch) -> Reading:
        return await self.member.reader.read(pitch, self.member.number)


def _asking_reader(model: str, settings: Settings, store: str | None = None, required: bool = False) -> NumberedReader:
    if store is None:
        from analyzer.reading.conversation import ModelReader

        return ModelReader(model, settings.asking(model))
    from analyzer.reading.storing_reader import StoringReader

    return StoringReader(model, settings.asking(model), store, required=required)


def _recorded(model: str, pitch: Pitch, recordings: Recordings, usual_form: str, number: int) -> tuple[str, str]:
    """The model and form of the recording behind `recorded/provider/name`, or behind `recorded`, for a reading of this
    pitch: of several forms the usual one. A later reading is by the model of the first. Raises MissingRecording."""
    from analyzer.reading.conversation import first_request
    from analyzer.reading.forms import FORMS
    from analyzer.reading.recordings import ANY_MODEL

    named = model.partition("/")[2]
    if not named and number > 1:
        named = _recorded(model, pitch, recordings, usual_form, 1)[0]
    for form_name in dict.fromkeys((usual_form, *FORMS)):
        request = first_request(named or ANY_MODEL, pitch, form_name, number=number)
        if named and recordings.find(request) is not None:
            return named, form_name
        models = [] if named else recordings.models_for(request)
        if models:
            return models[0], form_name
    raise recordings.missing(first_request(named or ANY_MODEL, pitch, usual_form, number=number))
