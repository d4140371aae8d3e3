"""Reads a pitch with a language model, through instructor and any OpenAI-compatible endpoint.

Hidden here: who asks again, and when answers are saved and counted. Each kind of retry has one owner: the run's
`RateLimiter` repeats a request that may still get through; `_Conversation` asks again if an answer cannot be used (at
most MAX_ASKS answers for one pitch). The SDK and instructor retry nothing. `reading.clients` knows the providers,
`reading.exchange` one request and its reply, `reading.provider_errors` what goes wrong; `reading.answers` decides what
of an answer holds.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final, Protocol

import httpx
import instructor

from analyzer.errors import AnalyzerError, ExtractionError, ProviderError, ProviderTimeout, ProviderUnreachable
from analyzer.framework.assessment import DISQUALIFIED, ReaderRef, Usage, Warning
from analyzer.reading import prompts
from analyzer.reading.answers import LIST_PARTS, CheckedAnswer, Fault, NotAnAnswer, check_answer
from analyzer.reading.clients import (
    NO_KEY,
    Exchange,
    client_for,
    client_of_run,
    http_options,
    is_compatible,
    key_for,
)
from analyzer.reading.exchange import EMPTY, FILTERED, Messages, Reply, fault_of, send
from analyzer.reading.grounding import Grounding
from analyzer.reading.pitch import Pitch
from analyzer.reading.planted_text import planted_warning
from analyzer.reading.rate_limiter import ONE, RateLimiter
from analyzer.reading.reading import Reading
from analyzer.reading.recordings import (
    ModelRequest,
    Recorder,
    Recordings,
    ReplayTransport,
    as_recorded,
    current_request,
    noting_played,
    so_far_sha256,
)
from analyzer.reading.spending import Reservation, Spending, added, estimated_tokens
from analyzer.reading.support import support_warnings
from analyzer.settings import RECORDED, Settings
from analyzer.store.answers import StoredAnswer
from analyzer.vocabulary.signals import Quote, answer_schema, vocabulary_sha256

MAX_ASKS: Final = 3
"""Most answers asked for one pitch: the first, one more for an unusable answer, one more for faulty signals."""


class PaidAnswers(Protocol):
    """Where paid answers are saved and looked up: a store, for a run of many or for one pitch."""

    async def find(self, key: str) -> StoredAnswer | None: ...

    async def save(self, answer: StoredAnswer) -> None: ...

    async def discard(self, keys: list[str]) -> None: ...


# ---------------------------------------------------------------- the reader


class ModelReader:
    """Reads pitches with one model. Tasks of one event loop may share it; make one for each run.

    `record_to`: a folder in which every answer is saved as a recording. `recordings`: answer from these instead of
    asking. `answers`: saves paid answers and supplies them again. `limiter`: how fast requests go. `spending`: counts
    what is spent and may limit it. Raises ConfigurationError when made if the model cannot be set up.
    """

    def __init__(
        self,
        model: str,
        settings: Settings,
        *,
        recordings: Recordings | None = None,
        record_to: Path | None = None,
        answers: PaidAnswers | None = None,
        limiter: RateLimiter | None = None,
        spending: Spending | None = None,
    ):
        self._recorder: Recorder | None = None
        self._own: httpx.AsyncClient | None = None
        limiter = limiter or RateLimiter(ONE, 1)
        if recordings is not None:
            settings = Settings(openai_api_key=NO_KEY, timeout=settings.timeout)
            # Proxies of the environment would be asked before the transport.
            self._own = httpx.AsyncClient(transport=ReplayTransport(recordings), trust_env=False)
        elif record_to is not None:
            self._recorder = Recorder(record_to, [key_for(model, settings)] if is_compatible(model) else [])
            self._own = httpx.AsyncClient(**http_options(settings.timeout, limiter.width, [self._recorder.keep]))
        elif limiter.policy is not ONE and is_compatible(model):
            self._own = client_of_run(settings.timeout, limiter)
        client = client_for(model, settings, self._own)
        self._asking = _Asking(model, client, limiter, answers, spending or Spending(model))
        shown = f"{RECORDED}/{model}" if recordings is not None else model
        self.ref = ReaderRef(model=shown, prompt_sha256=prompts.prompt_sha256(), schema_sha256=vocabulary_sha256())

    @property
    def written(self) -> list[Path]:
        """The recordings written so far."""
        return self._recorder.written if self._recorder else []

    async def read(self, pitch: Pitch) -> Reading:
        """Read the signals of a pitch and check every quote. Raises ProviderError, ExtractionError, ConfigurationError,
        MissingRecording, or, if the run ends first, RunStopped or CostLimitReached."""
        if self._recorder is not None and pitch.ref.sha256 and pitch.ref.title:
            self._recorder.titles[pitch.ref.sha256] = pitch.ref.title
        with noting_played() as played:
            reading = await _Conversation(self._asking, pitch).reading(self.ref)
        return as_recorded(reading, played)

    async def aclose(self) -> None:
        """Close the connections of this reader."""
        if self._own is not None:
            await self._own.aclose()


def first_request(model: str, pitch: Pitch) -> ModelRequest:
    """The first request for reading this pitch with this model, as recordings identify it."""
    return ModelRequest.first(model, pitch.ref.sha256 or "")


@dataclass(frozen=True, slots=True)
class _Asking:
    """What all conversations of a reader share."""

    model: str
    client: instructor.AsyncInstructor
    limiter: RateLimiter
    answers: PaidAnswers | None
    spending: Spending


@dataclass(slots=True)
class _Conversation:
    """All messages to and from a model about one pitch."""

    asking: _Asking
    pitch: Pitch
    usage: Usage = field(default_factory=Usage)
    said: Messages = field(default_factory=list)
    turns: list[tuple[str, list[str]]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    paid: int = 0
    empty: int = 0
    notes: list[str] = field(default_factory=list)
    last: str = ""
    usable: str = ""

    async def reading(self, ref: ReaderRef) -> Reading:
        grounding = Grounding(self.pitch.text)
        answer = await self._usable_answer(grounding)
        lost: tuple[Warning, ...] = ()
        if answer.faults and len(self.keys) + self.empty < MAX_ASKS:
            try:
                again = await self._ask_about(answer, grounding)
            except (ProviderError, ExtractionError, NotAnAnswer) as error:
                lost = (Warning(kind="adjusted", message=f"The model could not be asked again: {_reason(error)}"),)
            else:
                # A passage that the second answer calls an instruction to the reader is not evidence for the first.
                answer = check_answer(self.usable, self.pitch, grounding, again.planted).fixed_by(again)
        planted = [
            planted_warning(Quote(text=self.pitch.text[start:end], start=start, end=end))
            for start, end in answer.planted
            if (start, end) not in self.pitch.planted
        ]
        counted = [Warning(kind="usage", message=note) for note in dict.fromkeys(self.notes)]
        signals = answer.signals()
        doubts = support_warnings(signals, self.pitch.text)
        warnings = (*self.pitch.warnings, *planted, *answer.warnings, *lost, *_unsettled(answer), *doubts, *counted)
        return Reading(signals, ref, warnings, self.usage, from_store=not self.paid)

    async def _usable_answer(self, grounding: Grounding) -> CheckedAnswer:
        """The first answer in the requested shape; a model that misses it is asked once more."""
        self.usable = await self._ask()
        try:
            return check_answer(self.usable, self.pitch, grounding)
        except NotAnAnswer as fault:
            self._reply(self.usable, [str(fault)], [])
        self.usable = await self._ask()
        try:
            return check_answer(self.usable, self.pitch, grounding)
        except NotAnAnswer as fault:
            if self.asking.answers is not None:  # so that the next run asks again
                await self.asking.answers.discard(self.keys)
            raise ExtractionError(
                f"the model gave no usable answer, even when asked again: {fault}; try another model"
            ) from fault

    async def _ask_about(self, answer: CheckedAnswer, grounding: Grounding) -> CheckedAnswer:
        faults = answer.faults
        self._reply(self.last, [f"{fault.signal}: {fault.message}" for fault in faults], [one.signal for one in faults])
        return check_answer(await self._ask(), self.pitch, grounding, answer.planted)

    async def _ask(self) -> str:
        said = json.dumps(self.said, ensure_ascii=False, sort_keys=True) if self.said else ""
        request = replace(
            first_request(self.asking.model, self.pitch),
            turn=len(self.keys),
            so_far_sha256=so_far_sha256(self.turns),
            said_sha256=hashlib.sha256(said.encode()).hexdigest() if said else "",
        )
        self.keys.append(request.key)
        saved = await self.asking.answers.find(request.key) if self.asking.answers is not None else None
        if saved is not None:
            self.usage = added(self.usage, _usage(saved))
            if saved.fault is not None:
                raise fault_of(saved.fault, stored=True)
        else:
            saved = await self._pay(request)
        self.last = saved.text
        return self.last

    async def _pay(self, request: ModelRequest) -> StoredAnswer:
        """Ask the model and save its answer before it is used. Raises the errors of `ModelReader.read`."""
        saved = await self._request(request)
        if saved.fault == EMPTY and not self.empty:  # an empty reply: the same request again, once
            self.empty += 1
            saved = await self._request(request)
        if saved.fault is not None:
            raise fault_of(saved.fault)
        return saved

    async def _request(self, request: ModelRequest) -> StoredAnswer:
        """Get one reply of the model, in as many attempts as the limiter allows."""
        asking = self.asking
        messages: Messages = [
            {"role": "system", "content": prompts.instructions()},
            {"role": "user", "content": prompts.pitch_message(self.pitch.text, self.pitch.ref.sha256 or "")},
            *self.said,
        ]
        said = [message["content"] for message in messages[1:]]
        reservation = asking.spending.reservation(said, static_tokens())
        token = current_request.set(request)
        try:
            # Saved before its slot goes to another request: a killed run pays twice for at most what was in flight.
            saved = await asking.limiter.call(lambda: self._ask_and_save(request, messages, reservation))
        finally:
            current_request.reset(token)
            reservation.release()
        asking.limiter.record_usage(saved.input_tokens + saved.output_tokens)
        return saved

    async def _ask_and_save(self, request: ModelRequest, messages: Messages, reservation: Reservation) -> StoredAnswer:
        """Send one request; count and save whatever comes back. Raises errors of the provider."""
        await reservation.set_aside()  # a repeated request may be paid for like the first
        exchange = Exchange(self.asking.model)
        try:
            reply = await send(self.asking.client, messages, exchange)
        except AnalyzerError as error:
            self._count_failed(exchange, error, reservation)
            if isinstance(error, ProviderError) and not isinstance(error, ProviderTimeout | ProviderUnreachable):
                error.replied = exchange.status == httpx.codes.OK
            raise
        usage = self._count(exchange, reservation)
        saved = StoredAnswer(
            key=request.key if self._settles(reply, request.turn) else None,
            model=request.model,
            prompt_sha256=request.prompt_sha256,
            schema_sha256=request.schema_sha256,
            pitch_sha256=request.pitch_sha256,
            turn=request.turn,
            text=reply.text,
            input_tokens=usage.input_tokens,
            cached_tokens=usage.cached_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=usage.cost_usd,
            fault=reply.fault,
        )
        if self.asking.answers is not None:
            await self.asking.answers.save(saved)
        return saved

    def _settles(self, reply: Reply, turn: int) -> bool:
        """Whether the next run uses this reply instead of asking: an answer, a filter's refusal, and any reply to a
        second question, because the first answer can be used without it."""
        if reply.fault == EMPTY and not self.empty:  # it is asked for again at once
            return False
        return reply.fault in (None, FILTERED) or turn > 0

    def _count(self, exchange: Exchange, reservation: Reservation) -> Usage:
        """Count what a reply cost."""
        reported = exchange.reported
        usage = reported.usage if reported is not None else Usage(requests=1)
        reservation.answered(usage)
        self.usage = added(self.usage, usage)
        self.paid += 1
        if reported is not None and reported.note:
            self.notes.append(reported.note)
        return usage

    def _count_failed(self, exchange: Exchange, error: AnalyzerError, reservation: Reservation) -> None:
        """Count a request without an answer: what it reports, or, if the server did or may have done the work, the
        amount reserved for it."""
        if exchange.reported is not None and exchange.reported.known:
            self._count(exchange, reservation)
        elif exchange.status == httpx.codes.OK or isinstance(error, ProviderTimeout):
            reservation.lost(received=exchange.status is not None)
        else:
            reservation.release()

    def _reply(self, answer: str, faults: list[str], about: list[str]) -> None:
        """Add the question about a faulty answer; `about` names the signals at fault, empty for the whole answer."""
        self.turns.append((answer, about))
        self.said.append({"role": "assistant", "content": answer or "(no answer)"})
        self.said.append({"role": "user", "content": prompts.again_message(faults)})


def _usage(answer: StoredAnswer) -> Usage:
    return Usage(
        requests=1,
        input_tokens=answer.input_tokens,
        cached_tokens=answer.cached_tokens,
        output_tokens=answer.output_tokens,
        cost_usd=answer.cost_usd,
    )


@cache
def static_tokens() -> int:
    """About how many tokens a request has without the pitch."""
    return estimated_tokens(prompts.instructions()) + estimated_tokens(json.dumps(answer_schema()))


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
