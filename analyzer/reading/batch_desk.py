"""The batches of one run: sends drafts, takes what is done into the store, finds what a crash left behind, cancels.

Blocking; called from the thread that consumes the results. A batch is recorded with its requests before it is sent,
and at the provider it carries our id: a process that dies, or a server whose reply is lost, costs nothing. Results are
saved as they come, before anything looks at them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import islice
from threading import Event, Thread
from typing import IO, Any, Final, cast
from uuid import uuid4

from analyzer.errors import (
    AnalyzerError,
    ConfigurationError,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnreachable,
    RateLimited,
    StoreError,
)
from analyzer.reading.batch_port import BatchAnswers, BatchedModel, Budget, Draft, PortRules
from analyzer.reading.batch_services import QUEUE_FULL, BatchService, RemoteBatch, service_for
from analyzer.reading.batch_transport import BatchNotFound, is_uncertain
from analyzer.reading.spending import Spending
from analyzer.settings import Settings
from analyzer.store.answer_queue import AnswerQueue
from analyzer.store.batches import Outcome, RequestState, StoredBatch
from analyzer.store.store import Store

_GIVE_UP: Final = 900.0
"""Seconds after which an upload that nobody is at is given up."""
_ALIVE: Final = 60.0
"""Seconds between two signs of life of an upload."""
_MOST_MISSES: Final = 3
"""How often results may be incomplete before what is missing counts as lost."""
_MISSES_APART: Final = 600.0
"""Seconds between two looks that count: several machines, or calls in a row, are no proof that results are lost."""
_LOOKS: Final = (2.0, 5.0, 10.0)
"""Seconds between looks for a batch whose creation is in doubt, and between attempts if the server takes no more."""
_FEWEST: Final = 10
"""A batch is not made smaller than this when the queue of a model is too short for it."""
_AT_ONCE: Final = 500


@dataclass(slots=True)
class BatchReport:
    """What happened to batches in one call. `sent`: requests sent, in `sent_batches`; `at_most`: USD that they, or
    what was asked live, may cost by their estimate, None = unknown. `open_batches`: that are not done yet, with
    `open_requests`. `notes`: what people should know, a sentence each."""

    sent: int = 0
    sent_batches: int = 0
    at_most: float | None = 0.0
    open_batches: int = 0
    open_requests: int = 0
    done_requests: int = 0
    cancelled: int = 0
    notes: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The same for scripts."""
        return asdict(self)


class BatchDesk:
    """All batches of a run with these models.

    `anew`: ask again for everything that has no answer and is in no batch, also what failed for good before; else only
    what a failed or expired batch left, and what answers lead to. `live`: ask that at once instead, at the usual price.
    `limit`: USD. Raises ConfigurationError if a model's server takes no batches.
    """

    def __init__(
        self,
        store: Store,
        models: Sequence[str],
        settings: Settings,
        *,
        anew: bool = False,
        live: bool = False,
        limit: float | None = None,
        pause: Callable[[float], None] = time.sleep,
    ):
        self._store = store
        self._pause = pause
        self._services: dict[str, BatchService] = {model: service_for(model, settings, pause) for model in models}
        Spending(list(models), limit)  # refuses a limit for a model without a price
        self.rules = PortRules(store, Budget(limit), anew, live)
        self.report = BatchReport()
        self._ports: dict[str, BatchedModel] = {}

    def port(self, model: str) -> BatchedModel:
        """What answers the requests to a model."""
        if model not in self._ports:
            self._ports[model] = BatchedModel(model, self._services[model], self.rules)
        return self._ports[model]

    @property
    def origins(self) -> frozenset[str]:
        """The runs that the batches of these pitches belong to, as far as they were seen."""
        return frozenset(self.rules.origins)

    def answers(self, queue: AnswerQueue) -> BatchAnswers:
        """The stored answers, as this run uses them."""
        return BatchAnswers(queue, self.rules)

    def close(self) -> None:
        """Drop the drafts and close the store; repeated calls do nothing."""
        self.drop_drafts()
        self._store.close()

    def drop_drafts(self) -> None:
        """Drop what is written and not sent."""
        for draft in (*self.rules.drafts.values(), *self.rules.full):
            draft.close()
        self.rules.drafts.clear()
        self.rules.full.clear()

    # ------------------------------------------------------------ sending

    def send_full(self) -> None:
        """Send the drafts that hold as much as a batch may. Raises ProviderError or ConfigurationError."""
        while self.rules.full:
            with closing(self.rules.full.popleft()) as draft:
                self._send(draft)

    def send(self) -> None:
        """Send all drafts. Raises ProviderError or ConfigurationError."""
        self.send_full()
        while self.rules.drafts:
            _, last = self.rules.drafts.popitem()
            with closing(last) as draft:
                self._send(draft)
        self._note_cost()
        for because, count in self.rules.again.items():
            asked = "1 request is" if count == 1 else f"{count:,} requests are"
            self._note(f"{asked} asked again: {because}.")
        self.rules.again.clear()

    def note_otherwise(self) -> None:
        """Note how many pitches are in batches that asked about them in another way than this run does."""
        count = len(self.rules.otherwise)
        if count:
            pitches = "1 pitch is" if count == 1 else f"{count:,} pitches are"
            self._note(
                f"{pitches} in batches that asked something else: with another model, form or number of readings, or "
                "in the words of another version. Collect with the options and the version that sent them."
            )

    def note_unsent(self, error: ProviderError) -> None:
        """Note that what is left could not be sent."""
        self._note(f"What is left could not be sent: {error}. Run the same command again later.")

    def _send(self, draft: Draft) -> None:
        rules = self.rules
        over = self._store.batches.cancelled_origins()
        origin = next((one for one in rules.origins if one not in over), uuid4().hex)
        rules.origins[origin] = None
        batch = StoredBatch(uuid4().hex, origin, draft.model, "writing", len(draft.requests))
        claimed = self._store.batches.claim(batch, draft.requests, anew=rules.anew)
        if not claimed:
            return
        batch = replace(batch, requests=len(claimed))
        try:
            with draft.lines_of(claimed) as file, self._at_it(batch):
                remote = self._create(batch, draft.endpoint, file)
        except BaseException:
            self._store.batches.give_up(batch.id, "writing", "abandoned")
            raise
        self.report.sent += len(claimed)
        self.report.sent_batches += 1
        self._note_cost()
        if remote is None:
            self._note(
                "The server did not confirm a batch and may have it all the same. Run with --collect in a few minutes: "
                "it is found, or its requests are sent again."
            )

    def _note_cost(self) -> None:
        budget = self.rules.budget
        self.report.at_most = None if budget.unknown else budget.planned

    def _create(self, batch: StoredBatch, endpoint: str, file: IO[bytes]) -> RemoteBatch | None:
        """Upload and create a batch; None if it is not known whether the provider has it."""
        service, batches = self._services[batch.model], self._store.batches
        try:
            upload = service.upload(file, batch.id)
        except BatchNotFound as error:
            raise ConfigurationError(
                f"the server of {batch.model} takes no batches; run without --batch. Nothing was sent"
            ) from error
        if not batches.move(batch.id, "writing", "creating", upload=upload):
            raise ProviderError("the upload took so long that another run took it over; run again to go on")
        since = datetime.now().astimezone()
        try:
            remote = self._created(service, batch, endpoint, upload, file)
        except AnalyzerError as error:
            found = self._in_doubt(service, batch, upload, since) if is_uncertain(error) else None
            if found is None and is_uncertain(error):
                return None
            if found is None:
                batches.give_up(batch.id, "creating", "refused", error.kind)
                raise
            remote = found
        opened = batches.move(batch.id, "creating", "open", remote=remote.id)  # else another machine found it first
        if not opened and batches.state_of(batch.id) == "abandoned":  # or gave it up, and sends its requests itself
            with suppress(ProviderError):
                service.cancel(remote.id)
            raise ProviderError("it took so long to create a batch that another run took it over; run again to go on")
        return remote

    def _created(
        self, service: BatchService, batch: StoredBatch, endpoint: str, upload: str, file: IO[bytes]
    ) -> RemoteBatch:
        """Create a batch; where the server says that it takes no more just now, it did not: that is tried again."""
        for seconds in _LOOKS:
            with suppress(RateLimited):
                return service.create(batch.id, endpoint, upload, file)
            self._pause(seconds)
        return service.create(batch.id, endpoint, upload, file)

    @contextmanager
    def _at_it(self, batch: StoredBatch) -> Iterator[None]:
        """While a batch is sent, tell other machines so from time to time: a large upload may take long."""
        done = Event()

        def tell() -> None:
            while not done.wait(_ALIVE):
                with suppress(StoreError):
                    self._store.batches.note_alive(batch.id)

        Thread(target=tell, name="pitch-analyzer-upload", daemon=True).start()
        try:
            yield
        finally:
            done.set()

    def _in_doubt(self, service: BatchService, batch: StoredBatch, upload: str, since: datetime) -> RemoteBatch | None:
        """A batch whose creation failed in a way that leaves open whether it exists."""
        for seconds in _LOOKS:
            self._pause(seconds)
            with suppress(ProviderError):
                found = [one for one in service.find(batch.id, upload, since, batch.requests) if one.certain]
                if found:
                    return found[0].remote
        return None

    # ------------------------------------------------------------ taking

    def take(self, origins: Collection[str] | None = None) -> None:
        """Take what is done into the store. `origins`: only of these runs; None = of all with these models. A server
        that cannot be reached is a note. Raises ConfigurationError."""
        self._store.batches.drop_used_replies()
        self.report.open_batches = self.report.open_requests = self.report.done_requests = 0
        silent: set[str] = set()
        for batch in self._store.batches.under_way(list(self._services)):
            if origins is not None and batch.origin not in origins:
                continue
            if batch.model in silent:
                self._still_open(batch)
                continue
            try:
                self._take_one(batch)
            except ProviderError as error:
                if isinstance(error, ProviderUnreachable | ProviderTimeout):
                    silent.add(batch.model)
                self._still_open(batch)
                self._note(f"Batches of {batch.model} could not be looked at: {error}.")
        self._hold_full_queues()

    def _take_one(self, batch: StoredBatch) -> None:
        if batch.state == "writing":
            if batch.age() < _GIVE_UP or not self._store.batches.give_up(batch.id, "writing", "abandoned"):
                self._still_open(batch)
                self._note("An upload is under way, or was broken off; its requests are sent again 15 minutes later.")
            return
        remote_id = batch.remote if batch.state == "open" else self._found(batch)
        if remote_id is None:
            return
        try:
            remote = self._services[batch.model].get(remote_id)
        except BatchNotFound:
            self._not_found(batch)
            return
        if remote.ended == "refused":
            self._refused(batch, remote)
        elif not remote.ended:
            self._still_open(batch, remote)
        else:
            self._take_results(batch, remote)

    def _found(self, batch: StoredBatch) -> str | None:
        """The provider's id of a batch whose creation was not confirmed; None while it is not known."""
        service, batches = self._services[batch.model], self._store.batches
        known = batches.known_remotes()
        since = datetime.fromisoformat(batch.saved_at)
        possible = [
            one
            for one in service.find(batch.id, batch.upload or "", since, batch.requests)
            if one.remote.id not in known
        ]
        undecided = False
        for one in possible:
            try:
                ours = one.certain or (self._is_ours(batch, one.remote) if one.remote.ended else None)
            except ProviderError as error:  # an outage says nothing of the batch, however old it is
                ours, undecided = None, undecided or not isinstance(error, ProviderRejected)
            if ours:
                batches.move(batch.id, "creating", "open", remote=one.remote.id)
                return one.remote.id
            # One whose results cannot be read may be ours, for as long as results are worth waiting for.
            undecided = undecided or (ours is None and not (one.remote.ended and self._is_overdue(batch)))
        if not undecided and batch.age() >= _GIVE_UP and batches.give_up(batch.id, "creating", "abandoned"):
            self._note(f"A batch of {batch.requests:,} requests did not arrive; they are sent again.")
            return None
        self._still_open(batch)
        self._note("The server has not confirmed a batch yet; it is looked for again next time.")
        return None

    def _is_ours(self, batch: StoredBatch, remote: RemoteBatch) -> bool | None:
        """Whether the results of a batch have the ids of our requests; None if there are none to be read. Raises
        ProviderError if they cannot be fetched."""
        with closing(self._services[batch.model].results(remote)) as results:
            first = next((one for one in results if one is not None), None)
        if first is None:
            return None
        return any(request.batch == batch.id for request in self._store.batches.find([first.key]).values())

    def _is_overdue(self, batch: StoredBatch) -> bool:
        """Whether a batch had twice the time in which its provider answers."""
        age = (datetime.now().astimezone() - datetime.fromisoformat(batch.saved_at)).total_seconds()
        return age > 2 * self._services[batch.model].batches.hours * 3600

    def _not_found(self, batch: StoredBatch) -> None:
        misses = self._store.batches.note_miss(batch.id, _MISSES_APART)
        if misses >= _MOST_MISSES and self._is_overdue(batch):
            self._store.batches.end(batch.id, "lost")
            self._note(f"The server no longer knows a batch of {batch.requests:,} requests; they are sent again.")
            return
        self._still_open(batch)
        self._note(self._unknown(batch.remote))

    def _unknown(self, remote: str | None) -> str:
        owner = "Is the key of another project or account than the one that sent it?"
        return f"The server does not know batch {remote}. {owner}"

    def _refused(self, batch: StoredBatch, remote: RemoteBatch) -> None:
        reason = remote.refused or "no reason given"
        self._note(f"The server refused a batch of {batch.requests:,} requests ({reason}).")
        # Unless the queue is full, the reason may be in the requests: this try counts.
        is_full = QUEUE_FULL in remote.refused
        note, rest = (QUEUE_FULL, "unsent") if is_full else (remote.refused[:200], "failed")
        reply = {"error": {"code": remote.refused.partition(",")[0]}}
        self._store.batches.give_up(batch.id, "open", "refused", note, rest=cast(RequestState, rest), reply=reply)

    def _take_results(self, batch: StoredBatch, remote: RemoteBatch) -> None:
        """Save what came of each request, and end the batch if nothing is missing."""
        store = self._store.batches
        complete = self._save_results(batch, remote)
        waiting, replies = store.counts(batch.id)
        if waiting and (not complete or remote.ended == "completed" or replies < remote.done):
            if store.note_miss(batch.id, _MISSES_APART) < _MOST_MISSES:
                self._still_open(batch)
                self._note(
                    f"The results of a batch are incomplete: {waiting:,} of {batch.requests:,} requests are missing. "
                    "They are looked for again next time."
                )
                return
            self._note(f"The server lost what came of {waiting:,} requests and may have charged for them.")
        rest: RequestState = "lost"
        if remote.ended in ("expired", "cancelled"):
            rest = "expired" if remote.ended == "expired" else "cancelled"
        store.end(batch.id, rest)

    def _save_results(self, batch: StoredBatch, remote: RemoteBatch) -> bool:
        """Save all results that can be read; whether none was unreadable. Raises ProviderError if the server fails for
        the moment, as if nothing had been looked at: results are not lost by an outage."""
        complete, strangers = True, 0
        results = self._services[batch.model].results(remote)
        try:
            for outcomes in _parts(results):
                readable = [one for one in outcomes if one is not None]
                complete = complete and len(readable) == len(outcomes)
                strangers += self._store.batches.take(batch.id, readable)
        except ProviderError as error:
            if not isinstance(error, ProviderRejected) and not self._is_overdue(batch):
                raise
            complete = False
        if strangers:
            self._note(f"{strangers:,} results are about requests that were not sent from this store; skipped.")
        return complete

    def _still_open(self, batch: StoredBatch, remote: RemoteBatch | None = None) -> None:
        self.report.open_batches += 1
        self.report.open_requests += batch.requests
        self.report.done_requests += remote.done if remote is not None else 0
        if remote is not None and not remote.ended and self._is_overdue(batch):
            self._note(
                f"Batch {remote.id} has not ended in twice the time that its provider promises. Cancel it with "
                "--cancel; once it has ended, send its requests again with --batch."
            )

    def _hold_full_queues(self) -> None:
        """Where a batch was refused because the queue is full, wait while others are in it, else send smaller ones."""
        open_models = {batch.model for batch in self._store.batches.under_way(list(self._services))}
        for model in self._services:
            refused = self._store.batches.smallest_refused(model, QUEUE_FULL)
            if refused is not None:
                self.port(model).held = model in open_models
                self.port(model).most = min(self.port(model).most, max(_FEWEST, refused // 2))

    # ------------------------------------------------------------ cancelling

    def cancel(self, pitches: Iterable[str]) -> None:
        """Cancel the batches under way with a request about these pitches (by SHA-256), and those of the same run. What
        is done by then can still be taken. Raises ProviderError or ConfigurationError."""
        store = self._store.batches
        origins = store.origins_about(pitches)
        for origin in origins:
            store.note_cancelled(origin)
        for batch in store.under_way(list(self._services)):
            if batch.origin not in origins:
                continue
            if batch.state == "writing" and store.give_up(batch.id, "writing", "abandoned", rest="cancelled"):
                self.report.cancelled += batch.requests
                continue
            if self._cancelled(batch):
                self.report.cancelled += batch.requests
            else:
                self._note(f"{batch.requests:,} requests could not be cancelled yet; run with --cancel again later.")

    def _cancelled(self, batch: StoredBatch) -> bool:
        """Whether the server has cancelled a batch that it may have, or had ended it before."""
        remote = batch.remote if batch.state == "open" else self._found(batch)
        if remote is None:
            return self._store.batches.state_of(batch.id) == "abandoned"
        try:
            self._services[batch.model].cancel(remote)
        except BatchNotFound:
            self._note(self._unknown(remote))
            return False
        except ProviderRejected:
            pass  # it has ended meanwhile
        return True

    def _note(self, note: str) -> None:
        if note not in self.report.notes:
            self.report.notes.append(note)


def _parts(results: Iterator[Outcome | None]) -> Iterator[list[Outcome | None]]:
    while part := list(islice(results, _AT_ONCE)):
        yield part
