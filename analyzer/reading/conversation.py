"""Reads a pitch with a language model, through instructor and any OpenAI-compatible endpoint.

Hidden here: who asks again, and when answers are saved and counted. Each kind of retry has one owner: the run's
`RateLimiter` repeats a request that may still get through; `_Conversation` asks again if an answer cannot be used (at
most MAX_ASKS answers for one pitch). The SDK and instructor retry nothing. `reading.clients` knows the providers,
`reading.exchange` one request and its reply, `reading.provider_errors` what goes wrong; `reading.answers` decides what
of an answer holds.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final, Protocol, get_args

import httpx

from analyzer.errors import (
    AnalyzerError,
    AuthenticationFailed,
    ExtractionError,
    ModeRejected,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
)
from analyzer.framework.assessment import DISQUALIFIED, ReaderRef, Usage, Warning
from analyzer.reading.answers import LIST_PARTS, CheckedAnswer, Fault, NotAnAnswer, check_answer
from analyzer.reading.clients import (
    NO_KEY,
    Exchange,
    ModelClient,
    client_of_run,
    http_options,
    is_compatible,
    key_for,
    key_hint,
)
from analyzer.reading.exchange import EMPTY, FILTERED, Reply, document_in, fault_of, not_understood, send
from analyzer.reading.fallback import ModeOrder, Way
from analyzer.reading.forms import Form, form
from analyzer.reading.grounding import Grounding
from analyzer.reading.modes import Messages, ModelQuestion, codes_for, returned_codes
from analyzer.reading.pitch import Pitch
from analyzer.reading.planted_text import planted_warning
from analyzer.reading.profiles import Mode, modes_of
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
    prompt_sha256,
    so_far_sha256,
)
from analyzer.reading.schema_probe import Connection
from analyzer.reading.spending import Reservation, Spending, added, estimated_tokens
from analyzer.reading.support import support_warnings
from analyzer.reading.windows import Answered, Window, check_fits, check_whole_prompt, is_large, window_of
from analyzer.settings import RECORDED, Settings
from analyzer.store.answers import StoredAnswer
from analyzer.vocabulary.signals import Quote, vocabulary_sha256

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
        limiter = limiter or RateLimiter(ONE, settings.readings)
        if recordings is not None:
            settings = Settings(openai_api_key=NO_KEY, timeout=settings.timeout, form=settings.form)
            # Proxies of the environment would be asked before the transport.
            self._own = httpx.AsyncClient(transport=ReplayTransport(recordings), trust_env=False)
        elif record_to is not None:
            secrets = [key_for(model, settings)] if is_compatible(model, settings) else []
            self._recorder = Recorder(record_to, secrets)
            self._own = httpx.AsyncClient(**http_options(settings.timeout, limiter.width, [self._recorder.keep]))
        elif limiter.policy is not ONE and is_compatible(model, settings):
            self._own = client_of_run(settings.timeout, limiter)
        client = ModelClient(model, settings, self._own)
        order = ModeOrder(model, modes_of(client.profile, settings.mode))
        spending = spending or Spending([model])
        self._asking = _Asking(settings, client, form(settings.form), order, limiter, answers, spending, recordings)
        shown = f"{RECORDED}/{model}" if recordings is not None else model
        prompt = prompt_sha256(settings.form)
        self.ref = ReaderRef(model=shown, prompt_sha256=prompt, schema_sha256=vocabulary_sha256())

    @property
    def written(self) -> list[Path]:
        """The recordings written so far."""
        return self._recorder.written if self._recorder else []

    @property
    def notices(self) -> list[str]:
        """What people should know about how the model is asked, a line each, as of now."""
        return list(self._asking.order.notices)

    @property
    def connection(self) -> Connection:
        """Through what and how the model is asked, as of now."""
        return Connection(self._asking.client, self._asking.order.way, self._asking.window)

    async def read(self, pitch: Pitch, number: int = 1) -> Reading:
        """Read the signals of a pitch and check every quote. `number`: which reading of it this is, from 1; each is
        asked, stored and recorded by itself. Raises ProviderError, ExtractionError, ConfigurationError,
        MissingRecording, or, if the run ends first, RunStopped or CostLimitReached."""
        if self._recorder is not None and pitch.ref.sha256 and pitch.ref.title:
            self._recorder.titles[pitch.ref.sha256] = pitch.ref.title
        with noting_played() as played:
            reading = await _Conversation(self._asking, pitch, number).reading(self.ref)
        return as_recorded(reading, played)

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


@dataclass(slots=True)
class _Asking:
    """What all conversations of a reader share."""

    settings: Settings
    client: ModelClient
    form: Form
    order: ModeOrder
    limiter: RateLimiter
    answers: PaidAnswers | None
    spending: Spending
    recordings: Recordings | None
    window: Window | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def model(self) -> str:
        return self.client.model

    async def prepare(self, question: ModelQuestion) -> Window:
        """Learn what the server says about itself, once before anything is sent."""
        if self.recordings is not None:
            return Window()
        async with self.lock:
            if self.window is None or (self.window.tokens is None and is_large(question) and not self.asked_large):
                self.asked_large = is_large(question)
                profile, self.window = await window_of(self.client, self.settings, large_prompt=self.asked_large)
                if profile is not self.client.profile:
                    self.client.profile = profile
                    self.order.modes = modes_of(profile, self.settings.mode)
            return self.window

    asked_large: bool = False


@dataclass(slots=True)
class _Conversation:
    """All messages to and from a model about one pitch."""

    asking: _Asking
    pitch: Pitch
    number: int = 1
    usage: Usage = field(default_factory=Usage)
    said: Messages = field(default_factory=list)
    turns: list[tuple[str, list[str]]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    paid: int = 0
    asks: int = 0
    empty: int = 0
    notes: list[str] = field(default_factory=list)
    last: str = ""
    usable: str = ""

    async def reading(self, ref: ReaderRef) -> Reading:
        grounding = Grounding(self.pitch.text)
        answer = await self._usable_answer(grounding)
        lost: tuple[Warning, ...] = ()
        if answer.faults and self.asks + self.empty < MAX_ASKS:
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
        counted = [Warning(kind="usage", message=note) for note in dict.fromkeys(self.notes)]
        signals = answer.signals()
        doubts = support_warnings(signals, self.pitch.text)
        warnings = (*self.pitch.warnings, *planted, *answer.warnings, *lost, *_unsettled(answer), *doubts, *counted)
        return Reading(signals, ref, warnings, self.usage, from_store=not self.paid, number=self.number)

    async def _usable_answer(self, grounding: Grounding) -> CheckedAnswer:
        """The first answer in the requested shape; a model that misses it is asked once more."""
        self.usable = await self._ask()
        try:
            return self._checked(self.usable, grounding)
        except NotAnAnswer as fault:
            if self.asks >= MAX_ASKS:
                raise await self._gave_none(fault) from fault
            self._reply(self.usable, [str(fault)], [])
        self.usable = await self._ask()
        try:
            return self._checked(self.usable, grounding)
        except NotAnAnswer as fault:
            raise await self._gave_none(fault) from fault

    async def _gave_none(self, fault: NotAnAnswer) -> ExtractionError:
        """The error for a model whose answers cannot be used. They are discarded, so that the next run asks again."""
        if self.asking.answers is not None:
            await self.asking.answers.discard(self.keys)
        return ExtractionError(f"the model gave no usable answer, even when asked again: {fault}; try another model")

    def _checked(self, text: str, grounding: Grounding, planted: Sequence[tuple[int, int]] = ()) -> CheckedAnswer:
        """Check an answer. Raises NotAnAnswer."""
        document = self.asking.form.document(text, self.pitch)
        answer = check_answer(document, self.pitch, grounding, planted)
        self.asking.order.understood = True
        return answer

    async def _ask_about(self, answer: CheckedAnswer, grounding: Grounding) -> CheckedAnswer:
        faults = answer.faults
        self._reply(self.last, [f"{fault.signal}: {fault.message}" for fault in faults], [one.signal for one in faults])
        return self._checked(await self._ask(), grounding, answer.planted)

    def _request_in(self, mode: str) -> ModelRequest:
        """The next request of this conversation, if it is asked in this mode."""
        said = json.dumps(self.said, ensure_ascii=False, sort_keys=True) if self.said else ""
        return replace(
            first_request(self.asking.model, self.pitch, self.asking.form.name, mode, self.number),
            turn=len(self.turns),
            so_far_sha256=so_far_sha256(self.turns),
            said_sha256=hashlib.sha256(said.encode()).hexdigest() if said else "",
        )

    async def _ask(self) -> str:
        self.asks += 1
        saved = await self._stored()
        if saved is not None:
            self.keys.append(saved.key or "")
            self.usage = added(self.usage, _usage(saved))
            if saved.fault is not None:
                raise fault_of(saved.fault, stored=True)
        else:
            saved = await self._pay()
        self.last = saved.text
        return self.last

    async def _stored(self) -> StoredAnswer | None:
        """The stored answer to the next request: in the present mode, else in any other."""
        if self.asking.answers is None:
            return None
        present = self.asking.order.way.mode
        saved = await self.asking.answers.find(self._request_in(present).key)
        if saved is None:
            others = [self._request_in(mode).key for mode in get_args(Mode) if mode != present]
            found = await asyncio.gather(*map(self.asking.answers.find, others))
            saved = next((answer for answer in found if answer is not None), None)
        return saved

    async def _pay(self) -> StoredAnswer:
        """Ask the model and save its answer before it is used. Raises the errors of `ModelReader.read`."""
        saved = await self._request()
        if saved.fault == EMPTY and not self.empty:  # an empty reply: the same request again, once
            self.empty += 1
            saved = await self._request()
        if saved.fault is not None:
            raise fault_of(saved.fault)
        return saved

    async def _request(self) -> StoredAnswer:
        """Get one reply of the model, in as many attempts as the limiter allows."""
        asking = self.asking
        said = [self.asking.form.message(self.pitch), *(message["content"] for message in self.said)]
        reservation = asking.spending.reservation(asking.model, said, static_tokens(self.asking.form.name))
        try:
            # Saved before its slot goes to another request: a killed run pays twice for at most what was in flight.
            saved = await asking.limiter.call(lambda: self._in_some_mode(reservation))
        finally:
            reservation.release()
        asking.limiter.record_usage(saved.input_tokens + saved.output_tokens)
        return saved

    async def _in_some_mode(self, reservation: Reservation) -> StoredAnswer:
        """Send the request in the present mode, and in the next ones as long as the server does not understand it."""
        order = self.asking.order
        window = await self.asking.prepare(self._question(order.way))
        while True:
            async with order.turn() as way:
                self.asking.limiter.check_stopped()
                try:
                    saved, ignored = await self._ask_and_save(way, window, reservation)
                except ModeRejected as error:
                    order.rejected(way, error)
                    continue
                except AnalyzerError:
                    order.answered()
                    raise
                if not (ignored and self.asks < MAX_ASKS and order.ignored(way)):
                    order.answered()
                    return saved
                self.asks += 1

    def _question(self, way: Way) -> ModelQuestion:
        """What is asked next. Codes around the prompt show whether a server that may cut it did."""
        profile = self.asking.client.profile
        doubtful = profile.is_unknown and profile.context.cuts
        codes = codes_for(self.pitch) if doubtful else None
        return ModelQuestion(self.asking.form, self.pitch, self.said, codes, self.number, way.settings)

    async def _ask_and_save(self, way: Way, window: Window, reservation: Reservation) -> tuple[StoredAnswer, bool]:
        """Send one request; count and save whatever comes back. True if the answer shows that the mode was not
        understood. Raises errors of the provider."""
        asking, request, question = self.asking, self._request_in(way.mode), self._question(way)
        if asking.recordings is not None and (recording := asking.recordings.find(request)) is not None:
            way = Way(recording.request.mode)  # type: ignore[arg-type]
            request = self._request_in(way.mode)
        check_fits(question, window, asking.client.profile, asking.model)
        await reservation.set_aside()  # a repeated request may be paid for like the first
        exchange = Exchange(asking.model)
        token = current_request.set(request)
        try:
            reply = await send(asking.client, question, way.mode, exchange, window=window.to_set(question))
        except AnalyzerError as error:
            self._count_failed(exchange, error, reservation)
            if isinstance(error, ProviderError) and not isinstance(error, ProviderTimeout | ProviderUnreachable):
                error.replied = exchange.status == httpx.codes.OK
            if isinstance(error, AuthenticationFailed) and exchange.status == httpx.codes.UNAUTHORIZED:
                hint = key_hint(asking.model, asking.settings)
                raise AuthenticationFailed(f"{error}{hint}") from error
            raise
        finally:
            current_request.reset(token)
        usage = self._count(exchange, reservation)
        ignored = reply.fault is None and not_understood(reply.text, way.mode, exchange.completion, question)
        if asking.recordings is None:
            self._check_whole_prompt(question, reply, exchange)
        settled = self._settles(reply, request.turn) and not ignored
        saved = StoredAnswer(
            key=request.key if settled else None,
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
        if asking.answers is not None:
            await asking.answers.save(saved)
        self.keys.append(request.key)
        return saved, ignored

    def _check_whole_prompt(self, question: ModelQuestion, reply: Reply, exchange: Exchange) -> None:
        """Raises ConfigurationError if the server cut the prompt."""
        profile = self.asking.client.profile
        if reply.fault is not None or not (profile.context.cuts or profile.is_unknown):
            return
        counted = exchange.reported.usage.input_tokens if exchange.reported and exchange.reported.known else None
        answered = Answered(counted or None, returned_codes(document_in(reply.text, question)))
        note = check_whole_prompt(question, profile, self.asking.model, answered)
        if note:
            self.notes.append(note)

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
        """Add the question about a faulty answer. `about` names the signals at fault, empty for the whole answer."""
        self.turns.append((answer, about))
        self.said.append({"role": "assistant", "content": answer or "(no answer)"})
        self.said.append({"role": "user", "content": self.asking.form.again(faults)})


def _usage(answer: StoredAnswer) -> Usage:
    return Usage(
        requests=1,
        input_tokens=answer.input_tokens,
        cached_tokens=answer.cached_tokens,
        output_tokens=answer.output_tokens,
        cost_usd=answer.cost_usd,
    )


@cache
def static_tokens(form_name: str) -> int:
    """About how many tokens a request in a form has without the pitch."""
    asked = form(form_name)
    schema = json.dumps(asked.schema(_ANY_PITCH), separators=(",", ":"))
    return estimated_tokens(asked.instructions(rules=True)) + estimated_tokens(schema)


_ANY_PITCH: Final = Pitch.from_text("Any pitch.")


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
