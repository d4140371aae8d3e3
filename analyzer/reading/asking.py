"""Asks a model about one text, in as many requests as it takes, and keeps what is paid for.

Hidden here: who asks again, and when answers are saved and counted. Each kind of retry has one owner: the run's
`RateLimiter` repeats a request that may still get through; a `Conversation` asks again if an answer cannot be used. The
SDK and instructor retry nothing. What an answer says is up to the module that asks: `conversation` reads pitches,
`second_look` checks values against their quotes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final, Protocol, get_args

import httpx

from analyzer.errors import (
    AnalyzerError,
    AuthenticationFailed,
    ModeRejected,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
)
from analyzer.framework.assessment import Usage
from analyzer.reading.clients import Exchange, ModelClient, key_hint
from analyzer.reading.exchange import EMPTY, FILTERED, Reply, document_in, fault_of, not_understood, send
from analyzer.reading.fallback import ModeOrder, Way
from analyzer.reading.forms import Form, any_form
from analyzer.reading.modes import Messages, ModelQuestion, codes_for, returned_codes
from analyzer.reading.pitch import Pitch
from analyzer.reading.profiles import Mode, modes_of
from analyzer.reading.rate_limiter import Limiter
from analyzer.reading.recordings import ModelRequest, Recordings, current_request, so_far_sha256
from analyzer.reading.spending import Reservation, Spending, added, estimated_tokens
from analyzer.reading.windows import Answered, Window, check_fits, check_whole_prompt, is_large, window_of
from analyzer.settings import Settings
from analyzer.store.answers import StoredAnswer

MAX_ASKS: Final = 3
"""Most answers asked for one text: the first, one more for an unusable answer, one more for faulty parts."""


class PaidAnswers(Protocol):
    """Where paid answers are saved and looked up: a store, for a run of many or for one pitch."""

    async def find(self, *keys: str) -> StoredAnswer | None:
        """The answer to the first of these requests that has one."""
        ...

    async def save(self, answer: StoredAnswer) -> None: ...

    async def discard(self, keys: list[str]) -> None: ...


@dataclass(slots=True)
class Asking:
    """What all conversations with one model in one run share."""

    settings: Settings
    client: ModelClient
    order: ModeOrder
    limiter: Limiter
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
            if self.window is None or (self.window.tokens is None and not self.asked_large and is_large(question)):
                self.asked_large = is_large(question)
                profile, self.window = await window_of(self.client, self.settings, large_prompt=self.asked_large)
                if profile is not self.client.profile:
                    self.client.profile = profile
                    self.order.modes = modes_of(profile, self.settings.mode)
            return self.window

    asked_large: bool = False


@dataclass(slots=True)
class Conversation:
    """All messages to and from a model about one text: a pitch, or values with their quotes (`form` says which)."""

    asking: Asking
    form: Form
    pitch: Pitch
    reading: int = 1
    usage: Usage = field(default_factory=Usage)
    said: Messages = field(default_factory=list)
    turns: list[tuple[str, list[str]]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    paid: int = 0
    asks: int = 0
    empty: int = 0
    notes: list[str] = field(default_factory=list)
    message: str = field(init=False)
    """The pitch as it is sent."""

    def __post_init__(self) -> None:
        self.message = self.form.message(self.pitch)

    async def ask(self) -> str:
        """The text of the next answer: a stored one, else one that is paid for and saved. Raises the errors of
        `ModelReader.read`."""
        self.asks += 1
        saved = await self._stored()
        if saved is not None:
            self.keys.append(saved.key or "")
            self.usage = added(self.usage, _usage(saved))
            if saved.fault is not None:
                raise fault_of(saved.fault, stored=True)
        else:
            saved = await self._pay()
        return saved.text

    def reply(self, answer: str, faults: list[str], about: list[str]) -> None:
        """Add the question about a faulty answer. `about` names what is at fault, empty for the whole answer."""
        self.turns.append((answer, about))
        self.said.append({"role": "assistant", "content": answer or "(no answer)"})
        self.said.append({"role": "user", "content": self.form.again(faults)})

    async def discard(self) -> None:
        """Mark the answers so far as unusable, so that the next run asks again."""
        if self.asking.answers is not None:
            await self.asking.answers.discard(self.keys)

    def _request_in(self, mode: str) -> ModelRequest:
        """The next request of this conversation, if it is asked in this mode."""
        said = json.dumps(self.said, ensure_ascii=False, sort_keys=True) if self.said else ""
        return replace(
            ModelRequest.first(self.asking.model, self.pitch.ref.sha256 or "", self.form.name, mode),
            reading=self.reading,
            turn=len(self.turns),
            so_far_sha256=so_far_sha256(self.turns),
            said_sha256=hashlib.sha256(said.encode()).hexdigest() if said else "",
        )

    async def _stored(self) -> StoredAnswer | None:
        """The stored answer to the next request: in the present mode, else in any other."""
        if self.asking.answers is None:
            return None
        present = self._request_in(self.asking.order.way.mode)
        requests = [present, *(replace(present, mode=mode) for mode in get_args(Mode) if mode != present.mode)]
        return await self.asking.answers.find(*(request.key for request in requests))

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
        said = [self.message, *(message["content"] for message in self.said)]
        reservation = asking.spending.reservation(asking.model, said, static_tokens(self.form.name))
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
        return ModelQuestion(self.form, self.pitch, self.said, codes, self.reading, way.settings, self.message)

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
        batch = asking.client.batch
        ignored = False
        if reply.fault is None and batch is None:  # a batch is asked in one way
            ignored = not_understood(reply.text, way.mode, exchange.completion, question)
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
        if batch is not None and saved.key is None:
            await batch.note_unusable(request.key, saved.fault)
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
    asked = any_form(form_name)
    schema = json.dumps(asked.schema(_ANY_PITCH), separators=(",", ":"))
    return estimated_tokens(asked.instructions(rules=True)) + estimated_tokens(schema)


_ANY_PITCH: Final = Pitch.from_text("Any pitch.")
