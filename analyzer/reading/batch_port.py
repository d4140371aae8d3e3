"""Answers the requests of one model from batches, and writes those that are missing into drafts of the next ones.

One `BatchPort` a model, on the event loop; `reading.batch_desk` sends the drafts and takes what is done.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import IO, Any, Final, get_args

from analyzer.errors import AwaitsBatch, ConfigurationError, CostLimitReached, PitchTooLong, ProviderRejected
from analyzer.reading.batch_decisions import AskNext, Fail, Play, Wait, decide
from analyzer.reading.batch_services import BatchService
from analyzer.reading.batch_transport import on_temporary_disk, temporary_file
from analyzer.reading.profiles import Mode
from analyzer.reading.recordings import ModelRequest, current_request
from analyzer.reading.spending import FIRST_OUTPUT_TOKENS, cost_of, estimated_tokens
from analyzer.store.answers import StoredAnswer
from analyzer.store.batches import StoredRequest
from analyzer.store.store import Store

_HEAD: Final = 1000
"""Bytes that a batch may have besides its requests."""
_MARGIN: Final = 1.25
_NOTHING: Final = 1e-6
"""USD for which no request can be asked."""
_TOKENS: Final = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens")
_FIRST_TURN: Final = ("read", 0)


@dataclass(slots=True)
class Draft:
    """Requests for one batch that is not sent yet: a line each in a file on disk, with key and pitch of each."""

    model: str
    endpoint: str
    file: IO[bytes] = field(default_factory=temporary_file)
    requests: list[tuple[str, str]] = field(default_factory=list)
    size: int = 0

    def add(self, key: str, pitch_sha256: str, line: bytes) -> None:
        """Add a request. Raises ConfigurationError if the disk has no room for it."""
        try:
            with on_temporary_disk():
                self.file.write(line)
                self.file.flush()
        except ConfigurationError:
            with suppress(OSError):
                self.file.truncate(self.size)
                self.file.seek(self.size)
            raise
        self.requests.append((key, pitch_sha256))
        self.size += len(line)

    def close(self) -> None:
        self.file.close()

    @contextmanager
    def lines_of(self, keys: set[str]) -> Iterator[IO[bytes]]:
        """A file with the lines of these requests alone. Raises ConfigurationError."""
        self.file.seek(0)
        if len(keys) == len(self.requests):
            yield self.file
            return
        with temporary_file() as chosen:
            with on_temporary_disk():
                for (key, _), line in zip(self.requests, self.file, strict=True):
                    if key in keys:
                        chosen.write(line)
                chosen.flush()
            chosen.seek(0)
            yield chosen


@dataclass(slots=True)
class Budget:
    """USD that may be asked for; None = no limit. `planned`: the estimates of all requests so far."""

    limit: float | None = None
    planned: float = 0.0
    requests: int = 0
    unknown: bool = False

    def reserve(self, cost: float | None) -> None:
        """Count a request. Raises CostLimitReached if it could exceed the limit."""
        if self.limit is not None and self.planned + (cost or 0.0) > self.limit:
            if self.limit < _NOTHING:
                raise CostLimitReached("nothing is left of the cost limit, so what is left to ask was not sent")
            raise CostLimitReached(
                f"one more request could exceed the limit of ${self.limit:g}: {self.requests:,} requests may cost "
                f"${self.planned:.4f} together"
            )
        self.planned += cost or 0.0
        self.requests += 1
        self.unknown = self.unknown or cost is None


@dataclass(slots=True)
class PortRules:
    """What the ports of one run share.

    `anew`: whether the user asks again for whatever failed before. `live`: whether what is missing is asked at once, at
    the usual price. `origins`: of the batches that these pitches are in; new ones have the first of them. `otherwise`:
    pitches that batches have asked about, but not this. `again`: why requests are asked again, with how many.
    """

    store: Store
    budget: Budget
    anew: bool
    live: bool = False
    origins: dict[str, None] = field(default_factory=dict)
    otherwise: set[str] = field(default_factory=set)
    again: dict[str, int] = field(default_factory=dict)
    drafts: dict[tuple[str, str], Draft] = field(default_factory=dict)
    full: deque[Draft] = field(default_factory=deque)


class BatchedModel:
    """A `BatchPort`. `held`: whether its queue at the provider is full, so that nothing more is sent for now."""

    def __init__(self, model: str, service: BatchService, rules: PortRules):
        self._model = model
        self._service = service
        self._rules = rules
        self._drafted: set[bytes] = set()
        self._played: set[bytes] = set()
        self._origins: dict[str, str | None] = {}
        self._output = float(FIRST_OUTPUT_TOKENS)
        self.price = service.batches.price
        self.most = service.batches.requests
        self.held = False
        seen = rules.store.answers.mean_tokens(model)
        if seen is not None:
            self._output = max(self._output, seen[1] * _MARGIN)

    async def reply(self, endpoint: str, body: Mapping[str, Any], *, settings: bool) -> Mapping[str, Any] | None:
        """As `BatchPort.reply`."""
        request, rules = current_request.get(), self._rules
        stored, known = await asyncio.to_thread(self._look_up, request)
        decision = decide(stored, anew=rules.anew, settings=settings, body=body)
        match decision:
            case Play(reply):
                return self._counted_once(request.key, reply)
            case Fail(error):
                raise error
            case Wait():
                raise AwaitsBatch("its request is in a batch that is not answered yet")
            case AskNext(because):
                if not rules.anew:
                    await asyncio.to_thread(self._check_wanted, request, known)
                if rules.live:
                    rules.budget.reserve(self._cost(self._service.line(request.key, endpoint, body), 1.0))
                    return None
                self._draft(request, endpoint, body, because)
                raise AwaitsBatch("its request goes into the next batch")

    async def note_unusable(self, key: str, fault: str | None) -> None:
        """As `BatchPort.note_unusable`."""
        await asyncio.to_thread(self._rules.store.batches.note_unusable, key, fault)

    def _counted_once(self, key: str, reply: Mapping[str, Any]) -> Mapping[str, Any]:
        """A reply; where two pitches have one text, its tokens count for the first alone."""
        digest = bytes.fromhex(key)
        if digest in self._played:
            return {**reply, "usage": dict.fromkeys(_TOKENS, 0)}
        self._played.add(digest)
        return reply

    def _look_up(self, request: ModelRequest) -> tuple[StoredRequest | None, bool]:
        """The stored state of a request, in its mode or in another in which a batch has it or has a reply; and whether
        it was in any batch, in whatever mode."""
        keys = [request.key, *(replace(request, mode=mode).key for mode in get_args(Mode) if mode != request.mode)]
        found = self._rules.store.batches.find(keys)
        stored = found.get(request.key)
        if stored is None or stored.state not in ("sent", "replied"):
            stored = next((one for one in found.values() if one.state in ("sent", "replied")), stored)
        if found:
            self._note_origin((stored or next(iter(found.values()))).batch)
        return stored, bool(found)

    def _check_wanted(self, request: ModelRequest, known: bool) -> None:
        """Raise an error in place of asking what the user did not send, or has cancelled. Batches that asked about the
        pitch with another model, in other words or fewer times do not count."""
        batches = self._rules.store.batches
        if not known and (request.purpose, request.turn) == _FIRST_TURN:
            if batches.has_asked_about(request.pitch_sha256):
                self._rules.otherwise.add(request.pitch_sha256)
            unasked = AwaitsBatch("it is in no batch; run with --batch to ask it")
            unasked.asked = False
            raise unasked
        if batches.is_cancelled(request.pitch_sha256):
            raise ProviderRejected("the run was cancelled; run with --batch to ask it again")

    def _note_origin(self, batch: str) -> None:
        if batch not in self._origins:
            self._origins[batch] = origin = self._rules.store.batches.origin_of(batch)
            if origin is not None:
                self._rules.origins[origin] = None

    def _draft(self, request: ModelRequest, endpoint: str, body: Mapping[str, Any], because: str) -> None:
        """Write a request into the draft of the next batch. Raises AwaitsBatch if it is there, CostLimitReached, or
        PitchTooLong."""
        digest, rules, batches = bytes.fromhex(request.key), self._rules, self._service.batches
        if self.held:
            raise AwaitsBatch("the provider's queue is full; its request is sent later")
        if digest in self._drafted:
            return
        line = self._service.line(request.key, endpoint, body)
        largest = batches.megabytes * 1_000_000 - _HEAD
        if len(line) > largest:
            raise PitchTooLong(f"the pitch is longer than a batch may be ({batches.megabytes} MB); shorten it")
        rules.budget.reserve(self._cost(line, self.price))
        place = (self._model, endpoint)
        draft = rules.drafts.get(place)
        if draft is not None and (len(draft.requests) >= self.most or draft.size + len(line) > largest):
            rules.full.append(rules.drafts.pop(place))
            draft = None
        if draft is None:
            draft = rules.drafts[place] = Draft(self._model, endpoint)
        draft.add(request.key, request.pitch_sha256, line)
        self._drafted.add(digest)
        if because:
            rules.again[because] = rules.again.get(because, 0) + 1

    def _cost(self, line: bytes, price: float) -> float | None:
        cost = cost_of(self._model, estimated_tokens(line.decode("utf-8", "replace")), int(self._output))
        return None if cost is None else cost * price


class BatchAnswers:
    """The stored answers of a batch run, as `PaidAnswers`. Answers that turn out unusable stay, so that the next
    `--collect` comes to the same end without asking; they are discarded when the user asks anew."""

    def __init__(self, answers: Any, rules: PortRules):
        self._answers = answers
        self._rules = rules

    async def find(self, *keys: str) -> StoredAnswer | None:
        found: StoredAnswer | None = await self._answers.find(*keys)
        return found

    async def save(self, answer: StoredAnswer) -> None:
        await self._answers.save(answer)

    async def discard(self, keys: list[str]) -> None:
        if self._rules.anew:
            await self._answers.discard(keys)
            await asyncio.to_thread(self._rules.store.batches.note_discarded, keys)
