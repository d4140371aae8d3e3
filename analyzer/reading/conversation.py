"""Reads a pitch with a language model, through instructor and any OpenAI-compatible endpoint.

Hidden here: which answers are asked for again. `reading.asking` sends and saves, `reading.clients` knows the providers,
`reading.exchange` one request and its reply, `reading.provider_errors` what goes wrong; `reading.answers` decides what
of an answer holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import httpx

from analyzer.errors import AnalyzerError, ExtractionError, ProviderError
from analyzer.framework.assessment import DISQUALIFIED, ReaderRef, Warning
from analyzer.reading.answers import LIST_PARTS, CheckedAnswer, Fault, NotAnAnswer, check_answer
from analyzer.reading.asking import MAX_ASKS, Asking, Conversation, PaidAnswers
from analyzer.reading.clients import NO_KEY, BatchPort, ModelClient, client_of_run, http_options, is_compatible, key_for
from analyzer.reading.fallback import ModeOrder
from analyzer.reading.forms import form
from analyzer.reading.grounding import Grounding
from analyzer.reading.pitch import Pitch
from analyzer.reading.planted_text import planted_warning
from analyzer.reading.profiles import Mode, modes_of
from analyzer.reading.rate_limiter import ONE, Limiter, RateLimiter
from analyzer.reading.reading import Reading
from analyzer.reading.recordings import (
    ModelRequest,
    Recorder,
    RecordingClient,
    Recordings,
    ReplayTransport,
    as_recorded,
    noting_played,
    prompt_sha256,
)
from analyzer.reading.schema_probe import ProbedConnection
from analyzer.reading.spending import Spending
from analyzer.reading.support import support_warnings
from analyzer.settings import RECORDED, Settings
from analyzer.vocabulary.signals import Quote, Signals, vocabulary_sha256


class ModelReader:
    """Reads pitches with one model. Tasks of one event loop may share it; make one for each run.

    `record_to`: a folder in which every answer is saved as a recording; what is there is asked for only with `again`.
    `recordings`: answer from these instead of asking. `answers`: saves paid answers and supplies them again. `limiter`:
    how fast requests go. `spending`: counts what is spent and may limit it. `batch`: what answers in place of the
    server. Raises ConfigurationError when made if the model cannot be set up.
    """

    def __init__(
        self,
        model: str,
        settings: Settings,
        *,
        recordings: Recordings | None = None,
        record_to: Path | None = None,
        again: bool = False,
        answers: PaidAnswers | None = None,
        limiter: Limiter | None = None,
        spending: Spending | None = None,
        batch: BatchPort | None = None,
    ):
        self._recorder: Recorder | None = None
        self._own: httpx.AsyncClient | None = None
        limiter = limiter or RateLimiter(ONE, settings.readings)
        if recordings is not None:
            settings = Settings(openai_api_key=NO_KEY, timeout=settings.timeout, form=settings.form)
            # Proxies of the environment would be asked before the transport.
            self._own = httpx.AsyncClient(transport=ReplayTransport(recordings), trust_env=False)
        elif record_to is not None:
            secrets = [key_for(model, settings)] if is_compatible(model, settings) else []
            mode = "" if settings.mode == "auto" else settings.mode
            self._recorder = Recorder(record_to, secrets, again=again, mode=mode)
            options = http_options(settings.timeout, limiter.width, [self._recorder.keep])
            self._own = RecordingClient(self._recorder, **options)
        elif limiter.policy is not ONE and batch is None and is_compatible(model, settings):
            self._own = client_of_run(settings.timeout, limiter)
        client = ModelClient(model, settings, self._own, batch)
        order = ModeOrder(model, modes_of(client.profile, settings.mode))
        spending = spending or Spending([model])
        self._form = form(settings.form)
        self.asking = Asking(settings, client, order, limiter, answers, spending, recordings)
        shown = f"{RECORDED}/{model}" if recordings is not None else model
        prompt = prompt_sha256(settings.form)
        self.ref = ReaderRef(model=shown, prompt_sha256=prompt, schema_sha256=vocabulary_sha256())

    @property
    def written(self) -> list[Path]:
        """The recordings written so far."""
        return self._recorder.written if self._recorder else []

    @property
    def skipped(self) -> int:
        """Answers that were not asked for, because they are recorded."""
        return self._recorder.skipped if self._recorder else 0

    @property
    def notices(self) -> list[str]:
        """What people should know about how the model is asked, a line each, as of now."""
        return list(self.asking.order.notices)

    @property
    def connection(self) -> ProbedConnection:
        """Through what and how the model is asked, as of now."""
        return ProbedConnection(self.asking.client, self.asking.order.way, self.asking.window)

    async def read(self, pitch: Pitch, number: int = 1) -> Reading:
        """Read the signals of a pitch and check every quote. `number`: which reading of it this is, from 1; each is
        asked, stored and recorded by itself. Raises ProviderError, ExtractionError, ConfigurationError,
        MissingRecording, or, if the run ends first, RunStopped or CostLimitReached."""
        self.note_title(pitch)
        talk = Conversation(self.asking, self._form, pitch, number)
        with noting_played() as played:
            try:
                reading = await _PitchReading(talk).reading(self.ref)
            except AnalyzerError as error:
                error.usage = talk.usage
                raise
        return as_recorded(reading, played)

    def note_title(self, pitch: Pitch) -> None:
        """Give the recordings of answers about a text its title."""
        if self._recorder is not None and pitch.ref.sha256 and pitch.ref.title:
            self._recorder.titles[pitch.ref.sha256] = pitch.ref.title

    async def aclose(self) -> None:
        """Close the connections of this reader."""
        if self._own is not None:
            await self._own.aclose()


def first_request(model: str, pitch: Pitch, form_name: str, mode: str = "json_schema", number: int = 1) -> ModelRequest:
    """The first request of a reading of this pitch with this model, as recordings identify it. `number`: which reading,
    from 1."""
    return replace(ModelRequest.first(model, pitch.ref.sha256 or "", form_name, mode), reading=number)


def requests_in_every_mode(model: str, pitch: Pitch, form_name: str, number: int = 1) -> list[ModelRequest]:
    """The first request of a reading of a pitch, in every mode: a stored answer to any of them is used."""
    return [first_request(model, pitch, form_name, mode, number) for mode in get_args(Mode)]


def signals_of(text: str, pitch: Pitch, form_name: str) -> Signals | None:
    """What a first answer says, if the model need not be asked again; else None."""
    asked = form(form_name)
    try:
        answer = check_answer(asked.document(text, pitch), pitch, Grounding(pitch.text))
    except NotAnAnswer:
        return None
    return None if answer.faults else answer.signals()


@dataclass(slots=True)
class _PitchReading:
    """The conversation about one pitch. `usable`: its last answer in the requested shape."""

    talk: Conversation
    usable: str = ""

    @property
    def pitch(self) -> Pitch:
        return self.talk.pitch

    async def reading(self, ref: ReaderRef) -> Reading:
        grounding = Grounding(self.pitch.text)
        answer = await self._usable_answer(grounding)
        lost: tuple[Warning, ...] = ()
        if answer.faults and self.talk.asks + self.talk.empty < MAX_ASKS:
            try:
                again = await self._ask_about(answer, grounding)
            except (ProviderError, ExtractionError, NotAnAnswer) as error:
                lost = (Warning(kind="adjusted", message=f"The model could not be asked again: {_reason(error)}"),)
            else:
                # A passage that the second answer calls an instruction to the reader is not evidence for the first.
                answer = self._checked(self.usable, grounding, again.planted).fixed_by(again)
        planted = [
            planted_warning(Quote(text=self.pitch.text[start:end], start=start, end=end))
            for start, end in answer.planted
            if (start, end) not in self.pitch.planted
        ]
        counted = [Warning(kind="usage", message=note) for note in dict.fromkeys(self.talk.notes)]
        signals = answer.signals()
        doubts = support_warnings(signals, self.pitch.text)
        warnings = (*self.pitch.warnings, *planted, *answer.warnings, *lost, *_unsettled(answer), *doubts, *counted)
        talk = self.talk
        return Reading(signals, ref, warnings, talk.usage, from_store=not talk.paid, number=talk.reading)

    async def _usable_answer(self, grounding: Grounding) -> CheckedAnswer:
        """The first answer in the requested shape; a model that misses it is asked once more."""
        self.usable = await self.talk.ask()
        try:
            return self._checked(self.usable, grounding)
        except NotAnAnswer as fault:
            if self.talk.asks >= MAX_ASKS:
                raise await self._gave_none(fault) from fault
            self.talk.reply(self.usable, [str(fault)], [])
        self.usable = await self.talk.ask()
        try:
            return self._checked(self.usable, grounding)
        except NotAnAnswer as fault:
            raise await self._gave_none(fault) from fault

    async def _gave_none(self, fault: NotAnAnswer) -> ExtractionError:
        """The error for a model whose answers cannot be used. They are discarded, so that the next run asks again."""
        await self.talk.discard()
        return ExtractionError(f"the model gave no usable answer, even when asked again: {fault}; try another model")

    def _checked(self, text: str, grounding: Grounding, planted: Sequence[tuple[int, int]] = ()) -> CheckedAnswer:
        """Check an answer. Raises NotAnAnswer."""
        document = self.talk.form.document(text, self.pitch)
        answer = check_answer(document, self.pitch, grounding, planted)
        self.talk.asking.order.understood = True
        return answer

    async def _ask_about(self, answer: CheckedAnswer, grounding: Grounding) -> CheckedAnswer:
        faults = answer.faults
        self.talk.reply(
            self.usable, [f"{fault.signal}: {fault.message}" for fault in faults], [one.signal for one in faults]
        )
        return self._checked(await self.talk.ask(), grounding, answer.planted)


def _unsettled(answer: CheckedAnswer) -> list[Warning]:
    """Warnings for signals that could not be used even after asking again: now unknown, or left out of a list."""
    return [_unsettled_one(fault) for fault in answer.faults]


def _unsettled_one(fault: Fault) -> Warning:
    if fault.kind == DISQUALIFIED:
        message = (
            f"{fault.message.split(';')[0]}. The list was ignored and the verdict is open: read the pitch yourself."
        )
        return Warning(kind=DISQUALIFIED, message=message)
    lost = "the entry was left out" if fault.signal in LIST_PARTS else "the signal counts as unknown"
    return Warning(kind=fault.kind, signal=fault.signal, message=f"{fault.signal}: {fault.message}; {lost}.")


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0]
