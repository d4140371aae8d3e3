"""Batches of requests at a provider, and each request's latest state, so that any machine goes on where one stopped.

A request has one row, under the key of its answer, which is also its id at the provider. A row is claimed by a batch
before that batch is sent, and by no other until it has an outcome: two processes never pay for the same request. A
batch goes from `writing` (recorded, its file is being uploaded) to `creating` (from here on the provider may have it)
to `open`, and ends as `ended`, `refused` (nothing of it was done) or `abandoned` (it was never created). Each step
happens only from the state before, so of two processes one takes it.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from analyzer.store.engine import Database
from analyzer.store.tables import ANSWERS, BATCH_REQUESTS, BATCHES, now

BatchState = Literal["writing", "creating", "open", "ended", "refused", "abandoned"]
RequestState = Literal["sent", "replied", "answered", "unusable", "failed", "expired", "cancelled", "lost", "unsent"]
"""In a batch without an outcome; a reply that was not used yet; its answer is in `answers`; a paid reply without a
usable answer; an error in place of a reply; the batch ended before it was asked; the provider lost what came of it; the
batch was refused or never created."""

UNDER_WAY: Final[tuple[BatchState, ...]] = ("writing", "creating", "open")
_CLAIMED: Final = ("sent", "replied")
_TAKEN: Final = ("replied", "answered", "unusable")
_CANCELLED: Final = "cancelled"
_AT_ONCE: Final = 500
_KEY: Final = re.compile(r"[0-9a-f]{64}")
"""What an id of ours looks like; no other reaches the database."""
_LOCK: Final = 0x70_69_74_63_68
"""The number of the lock in PostgreSQL for changes of many requests."""


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """One batch. `origin`: shared by all batches of one run, later ones for second questions included. `upload`,
    `remote`: the provider's ids. `misses`: how often its results were incomplete. `note`: why it was refused."""

    id: str
    origin: str
    model: str
    state: BatchState
    requests: int
    upload: str | None = None
    remote: str | None = None
    misses: int = 0
    note: str = ""
    saved_at: str = ""
    changed_at: str = ""

    def age(self) -> float:
        """Seconds since its state changed."""
        return (datetime.now(UTC) - datetime.fromisoformat(self.changed_at)).total_seconds()


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """The latest state of one request. `tries`: batches that it was in since it was last asked for anew. `status`: of
    HTTP, for its reply or error; `reply`: the body of either."""

    key: str
    batch: str
    state: RequestState
    tries: int = 1
    status: int | None = None
    reply: Any = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a provider says came of one request."""

    key: str
    state: RequestState
    status: int | None = None
    reply: Any = None


T = TypeVar("T")
_BATCH_FIELDS: Final = tuple(StoredBatch.__dataclass_fields__)


class BatchTable:
    """The batches of one database. Every method raises StoreError."""

    def __init__(self, database: Database):
        self._database = database

    def claim(self, batch: StoredBatch, requests: Sequence[tuple[str, str]], *, anew: bool) -> set[str]:
        """Record a batch that is about to be sent, with its requests (key and fingerprint of the pitch), all or
        nothing. Returns the keys that it has claimed; others are in another batch, or have a reply or an answer by now.
        Without any, the batch is not recorded. `anew`: whether its requests count as tried for the first time."""
        insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        claimed: set[str] = set()
        with self._writing_rows() as connection:
            for part in _parts(sorted(dict(requests).items())):
                answered = sa.select(ANSWERS.c.key).where(ANSWERS.c.key.in_([key for key, _ in part]))
                known = set(connection.execute(answered).scalars())
                rows = [
                    {"key": key, "batch": batch.id, "pitch_sha256": pitch, "tries": 1, "state": "sent"}
                    for key, pitch in part
                    if key not in known
                ]
                if not rows:
                    continue
                changes: dict[str, Any] = {
                    "batch": batch.id,
                    "state": "sent",
                    "tries": 1 if anew else BATCH_REQUESTS.c.tries + 1,
                    "status": None,
                    "reply": None,
                }
                free = BATCH_REQUESTS.c.state.not_in(_CLAIMED)
                upsert = insert(BATCH_REQUESTS).values(rows)
                upsert = upsert.on_conflict_do_update(index_elements=["key"], set_=changes, where=free)
                claimed.update(connection.execute(upsert.returning(BATCH_REQUESTS.c.key)).scalars())
            if claimed:
                at = now()
                row = {name: getattr(batch, name) for name in _BATCH_FIELDS}
                row |= {"requests": len(claimed), "saved_at": at, "changed_at": at}
                connection.execute(sa.insert(BATCHES).values(row))
        return claimed

    def move(self, id_: str, before: BatchState, after: BatchState, **changes: Any) -> bool:
        """Take a batch from one state to the next; False if it is no longer in the first, and nothing changes."""
        step = sa.update(BATCHES).where(BATCHES.c.id == id_, BATCHES.c.state == before)
        with self._database.writing() as connection:
            done = connection.execute(step.values(state=after, changed_at=now(), **changes))
            return done.rowcount == 1

    def give_up(
        self,
        id_: str,
        before: BatchState,
        after: BatchState,
        note: str = "",
        *,
        rest: RequestState = "unsent",
        reply: Any = None,
    ) -> bool:
        """End a batch of which nothing was done: its requests are `rest` from now on, and this try does not count
        unless they were refused for what may be in them (`failed`; `reply` says why). False if it is no longer in the
        state `before`."""
        step = sa.update(BATCHES).where(BATCHES.c.id == id_, BATCHES.c.state == before)
        free: dict[str, Any] = {"state": rest}
        if rest == "unsent":
            free["tries"] = BATCH_REQUESTS.c.tries - 1
        elif rest == "failed":
            free["reply"] = _packed(reply)
        with self._writing_rows() as connection:
            if connection.execute(step.values(state=after, note=note, changed_at=now())).rowcount != 1:
                return False
            connection.execute(sa.update(BATCH_REQUESTS).where(*_waiting(id_)).values(**free))
        return True

    def under_way(self, models: Sequence[str]) -> list[StoredBatch]:
        """The batches of these models that have not ended, oldest first."""
        query = sa.select(*(BATCHES.c[name] for name in _BATCH_FIELDS))
        query = query.where(BATCHES.c.state.in_(UNDER_WAY), BATCHES.c.model.in_(list(models)))
        with self._database.reading() as connection:
            return [StoredBatch(*row) for row in connection.execute(query.order_by(BATCHES.c.saved_at))]

    def count_under_way(self) -> int:
        """How many batches have not ended."""
        query = sa.select(sa.func.count()).select_from(BATCHES).where(BATCHES.c.state.in_(UNDER_WAY))
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one()

    def origin_of(self, batch: str) -> str | None:
        """The origin of a batch."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(BATCHES.c.origin).where(BATCHES.c.id == batch)).scalar()

    def state_of(self, batch: str) -> BatchState | None:
        """The state of a batch."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(BATCHES.c.state).where(BATCHES.c.id == batch)).scalar()

    def known_remotes(self) -> set[str]:
        """The provider's ids of all recorded batches."""
        with self._database.reading() as connection:
            return set(connection.execute(sa.select(BATCHES.c.remote).where(BATCHES.c.remote.is_not(None))).scalars())

    def smallest_refused(self, model: str, note: str) -> int | None:
        """The size of the smallest batch of a model that was refused with this note in two days; None if none was."""
        lately = (datetime.now(UTC) - timedelta(days=2)).isoformat(timespec="microseconds")
        smallest = sa.select(sa.func.min(BATCHES.c.requests)).where(
            BATCHES.c.model == model,
            BATCHES.c.state == "refused",
            BATCHES.c.note == note,
            BATCHES.c.saved_at > lately,
        )
        with self._database.reading() as connection:
            return connection.execute(smallest).scalar()

    def note_cancelled(self, origin: str) -> None:
        """Note that nothing more is to be asked for the run that these batches belong to."""
        step = sa.update(BATCHES).where(BATCHES.c.origin == origin, BATCHES.c.note == "")
        with self._database.writing() as connection:
            connection.execute(step.values(note=_CANCELLED))

    def cancelled_origins(self) -> set[str]:
        """The runs for which nothing more is to be asked."""
        with self._database.reading() as connection:
            query = sa.select(BATCHES.c.origin).where(BATCHES.c.note == _CANCELLED).distinct()
            return set(connection.execute(query).scalars())

    def is_cancelled(self, pitch_sha256: str) -> bool:
        """Whether nothing more is to be asked about a pitch: the newest batch with a request about it belongs to a run
        that was cancelled."""
        of_pitch = sa.join(BATCHES, BATCH_REQUESTS, BATCH_REQUESTS.c.batch == BATCHES.c.id)
        newest = (
            sa.select(BATCHES.c.origin)
            .select_from(of_pitch)
            .where(BATCH_REQUESTS.c.pitch_sha256 == pitch_sha256)
            .order_by(BATCHES.c.saved_at.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = sa.select(BATCHES.c.id).where(BATCHES.c.origin == newest, BATCHES.c.note == _CANCELLED).limit(1)
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def note_miss(self, id_: str, apart: float) -> int:
        """Note that the results of an open batch were incomplete, unless that was noted less than `apart` seconds ago,
        also by another machine. Returns how often it was noted."""
        before = (datetime.now(UTC) - timedelta(seconds=apart)).isoformat(timespec="microseconds")
        is_due = sa.or_(BATCHES.c.misses == 0, BATCHES.c.changed_at <= before)
        step = sa.update(BATCHES).where(BATCHES.c.id == id_, BATCHES.c.state == "open", is_due)
        with self._database.writing() as connection:
            connection.execute(step.values(misses=BATCHES.c.misses + 1, changed_at=now()))
            return connection.execute(sa.select(BATCHES.c.misses).where(BATCHES.c.id == id_)).scalar() or 0

    def note_alive(self, id_: str) -> None:
        """Note that the process that sends a batch is at it."""
        step = sa.update(BATCHES).where(BATCHES.c.id == id_, BATCHES.c.state.in_(("writing", "creating")))
        with self._database.writing() as connection:
            connection.execute(step.values(changed_at=now()))

    # ------------------------------------------------------------ requests

    def find(self, keys: Sequence[str]) -> dict[str, StoredRequest]:
        """The states of these requests, by key; those that were in no batch are left out."""
        columns = (BATCH_REQUESTS.c[name] for name in ("key", "batch", "state", "tries", "status", "reply"))
        with self._database.reading() as connection:
            named = [key for key in keys if _KEY.fullmatch(key)]
            rows = connection.execute(sa.select(*columns).where(BATCH_REQUESTS.c.key.in_(named)))
            return {
                row.key: StoredRequest(row.key, row.batch, row.state, row.tries, row.status, _unpacked(row.reply))
                for row in rows
            }

    def claimed(self, keys: Sequence[str]) -> set[str]:
        """Those of these requests that a batch has, or has a reply to."""
        found: set[str] = set()
        with self._database.reading() as connection:
            for part in _parts(keys):
                query = sa.select(BATCH_REQUESTS.c.key).where(
                    BATCH_REQUESTS.c.key.in_(part), BATCH_REQUESTS.c.state.in_(_CLAIMED)
                )
                found.update(connection.execute(query).scalars())
        return found

    def has_asked_about(self, pitch_sha256: str) -> bool:
        """Whether any request about a pitch was in a batch."""
        query = sa.select(BATCH_REQUESTS.c.key).where(BATCH_REQUESTS.c.pitch_sha256 == pitch_sha256).limit(1)
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def origins_about(self, pitches: Iterable[str]) -> set[str]:
        """The origins of the batches under way with a request about one of these pitches (by SHA-256)."""
        origins: set[str] = set()
        join = sa.select(BATCHES.c.origin).join_from(BATCHES, BATCH_REQUESTS, BATCH_REQUESTS.c.batch == BATCHES.c.id)
        with self._database.reading() as connection:
            for part in _parts(pitches):
                of_these = join.where(BATCHES.c.state.in_(UNDER_WAY), BATCH_REQUESTS.c.pitch_sha256.in_(part))
                origins.update(connection.execute(of_these.distinct()).scalars())
        return origins

    def take(self, id_: str, outcomes: Sequence[Outcome]) -> int:
        """Save outcomes of a batch durably, all or none; returns how many are about requests that are not known. A
        reply counts once: the first stays, whatever comes later, and an error never replaces it. What else comes of a
        request counts only while this batch has it: another may have it since another machine took these results."""
        known = self.find([outcome.key for outcome in outcomes])
        with self._writing_rows() as connection:
            for outcome in outcomes:
                if outcome.key not in known:
                    continue
                where = [BATCH_REQUESTS.c.key == outcome.key]
                if outcome.state == "replied":
                    where.append(BATCH_REQUESTS.c.state.not_in(_TAKEN))
                else:
                    where += _waiting(id_)
                values = {"state": outcome.state, "status": outcome.status, "reply": _packed(outcome.reply)}
                connection.execute(sa.update(BATCH_REQUESTS).where(*where).values(**values))
        return sum(outcome.key not in known for outcome in outcomes)

    def counts(self, id_: str) -> tuple[int, int]:
        """How many requests of a batch have no outcome yet, and how many have a reply."""
        of_batch = BATCH_REQUESTS.c.batch == id_
        count = sa.select(sa.func.count()).select_from(BATCH_REQUESTS)
        with self._database.reading() as connection:
            waiting = connection.execute(count.where(*_waiting(id_))).scalar_one()
            return waiting, connection.execute(count.where(of_batch, BATCH_REQUESTS.c.state.in_(_TAKEN))).scalar_one()

    def end(self, id_: str, rest: RequestState) -> bool:
        """End an open batch; its requests without an outcome are `rest` from now on. False if it is no longer open."""
        step = sa.update(BATCHES).where(BATCHES.c.id == id_, BATCHES.c.state == "open")
        with self._writing_rows() as connection:
            if connection.execute(step.values(state="ended", changed_at=now())).rowcount != 1:
                return False
            connection.execute(sa.update(BATCH_REQUESTS).where(*_waiting(id_)).values(state=rest))
        return True

    def note_unusable(self, key: str, fault: str | None) -> None:
        """Note that the reply to a request was counted, and is not an answer; `fault`: why."""
        step = sa.update(BATCH_REQUESTS).where(BATCH_REQUESTS.c.key == key, BATCH_REQUESTS.c.state == "replied")
        with self._database.writing() as connection:
            connection.execute(step.values(state="unusable", reply=_packed({"fault": fault})))

    def note_discarded(self, keys: Sequence[str]) -> None:
        """Note that the answers to these requests were used and discarded: they may be asked again."""
        step = sa.update(BATCH_REQUESTS).where(BATCH_REQUESTS.c.key.in_(keys), BATCH_REQUESTS.c.state == "replied")
        with self._writing_rows() as connection:
            connection.execute(step.values(state="answered", reply=None))

    def drop_used_replies(self) -> None:
        """Delete the replies whose answers are saved by now."""
        saved = sa.select(ANSWERS.c.key).where(ANSWERS.c.key == BATCH_REQUESTS.c.key).exists()
        step = sa.update(BATCH_REQUESTS).where(BATCH_REQUESTS.c.state == "replied", saved)
        with self._writing_rows() as connection:
            connection.execute(step.values(state="answered", reply=None))

    @contextmanager
    def _writing_rows(self) -> Iterator[sa.Connection]:
        """As `writing`, for one machine at a time: two that change many rows at once would wait for each other."""
        with self._database.writing() as connection:
            if self._database.dialect == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            yield connection


def _parts(entries: Iterable[T]) -> Iterator[list[T]]:
    """The entries, as many at once as one statement may name."""
    rest = iter(entries)
    while part := list(islice(rest, _AT_ONCE)):
        yield part


def _waiting(batch: str) -> tuple[Any, ...]:
    return BATCH_REQUESTS.c.batch == batch, BATCH_REQUESTS.c.state == "sent"


def _packed(reply: Any) -> bytes | None:
    return None if reply is None else zlib.compress(json.dumps(reply, ensure_ascii=False).encode("utf-8", "replace"))


def _unpacked(packed: bytes | None) -> Any:
    """A damaged reply is none."""
    try:
        reply = None if packed is None else json.loads(zlib.decompress(packed))
    except (zlib.error, ValueError):
        return None
    return reply if isinstance(reply, Mapping) else None
