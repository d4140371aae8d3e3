"""What outlives a run: paid answers, earlier assessments, scores given by hand. All SQL of the program is here.

SQLite by default (write-ahead log, one file in the user's data folder), PostgreSQL by URL. The tables are made and
brought up to date by the migrations in `migrations/` when a store is opened; nobody else knows them. An answer belongs
to the key of its request, so a changed prompt, vocabulary, model or pitch finds nothing and asks anew; scores are never
kept in place of answers, so a changed rulebook needs no call.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

from analyzer.errors import AnswerNotStored, StoreError

_log = logging.getLogger(__name__)

_MIGRATIONS: Final = Path(__file__).with_name("migrations")
_MIGRATING: Final = 7_118_231
"""PostgreSQL's advisory lock under which one process migrates at a time."""
_BATCH: Final = 500
_BUSY: Final = 60.0
"""Seconds to wait for another process that is writing."""
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
"""Seconds between two tries to reach a database that is out of reach."""

_tables = sa.MetaData()

_answers = sa.Table(
    "answers",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(64), unique=True),  # null: paid, of no use, not to be used again
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("prompt_sha256", sa.String(64), nullable=False),
    sa.Column("schema_sha256", sa.String(64), nullable=False),
    sa.Column("pitch_sha256", sa.String(64), nullable=False, index=True),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("input_tokens", sa.BigInteger, nullable=False),
    sa.Column("cached_tokens", sa.BigInteger, nullable=False),
    sa.Column("output_tokens", sa.BigInteger, nullable=False),
    sa.Column("cost_usd", sa.Float),
    sa.Column("fault", sa.String(32)),
    sa.Column("kept_at", sa.String(32), nullable=False),
)

_assessments = sa.Table(
    "assessments",
    _tables,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("pitch_sha256", sa.String(64), nullable=False, index=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("kept_at", sa.String(32), nullable=False),
)

_hand_scores = sa.Table(
    "hand_scores",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("pitch_id", sa.Text, nullable=False),
    sa.Column("rater", sa.Text, nullable=False),
    sa.Column("scores", sa.Text, nullable=False),
    sa.Column("saved_at", sa.String(32), nullable=False),
    sa.Index("ix_hand_scores_pitch", "pitch_id", "rater"),
)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """One answer of a model as it came, and what it cost. `key` is that of its request, None where the answer is of no
    use; `cost_usd` None = not known. `fault`: why there is no answer in it; None = there is a text."""

    key: str | None
    model: str
    prompt_sha256: str
    schema_sha256: str
    pitch_sha256: str
    turn: int
    text: str
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """An assessment made earlier: `document` is its JSON, `text` the pitch it is of, `kept_at` UTC in ISO form."""

    id: str
    owner: str
    title: str
    pitch_sha256: str
    model: str
    text: str
    document: str
    kept_at: str


@dataclass(frozen=True, slots=True)
class HandScores:
    """One saving of one rater's scores of one pitch: column to cell, as in the CSV of manual scores, and `pitch_sha256`
    where it is known which text was scored."""

    pitch_id: str
    rater: str
    scores: Mapping[str, str]
    saved_at: str


def _sound(answer: KeptAnswer) -> KeptAnswer:
    """The answer, if each column holds its kind: SQLite keeps anything in any column. Raises ValueError."""
    tokens = (answer.input_tokens, answer.cached_tokens, answer.output_tokens)
    cost = answer.cost_usd
    counted = all(isinstance(count, int) and count >= 0 for count in tokens)
    priced = cost is None or (isinstance(cost, int | float) and 0 <= cost < float("inf"))
    if isinstance(answer.text, str) and counted and priced:
        return answer
    raise ValueError("a stored answer holds what is not an answer")


class StoreUnavailable(StoreError):
    """The database cannot be reached or is locked right now; later it may be."""


class Store:
    """One database. Safe to share between threads; several processes may use one at the same time."""

    def __init__(self, engine: sa.Engine):
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Store:
        """The store at a SQLAlchemy URL, its tables made or brought up to date.

        Raises StoreError if the URL is none, a package for it is missing, the database cannot be reached, or a newer
        version of this program has made it.
        """
        engine = _engine(url)
        store = cls(engine)
        try:
            with store._errors():
                _migrate(engine)
        except StoreError:
            store.close()
            raise
        return store

    @classmethod
    def describe(cls, url: str) -> str:
        """Where the store is and what it holds, in one line. Only looks: makes no file, folder or table, and changes
        none. Raises StoreError."""
        parsed = _parsed(url)
        name = _shown(parsed)
        if _is_file(parsed) and not _sqlite_path(parsed.database or "").exists():
            return f"{name}: not created yet"
        store = cls(_engine(url))
        try:
            with store._errors(), store._engine.connect() as connection:
                revision = _revision(connection)
            if revision is None:
                return f"{store.name}: not created yet"
            if revision < _newest():
                return f"{store.name}: of an earlier version; the next use brings it up to date"
            if revision > _newest():
                raise _too_new(store._engine)
            return f"{store.name}: {store.answers_count():,} answers, {store.assessments_count():,} assessments"
        finally:
            store.close()

    @property
    def name(self) -> str:
        """Where it is, without a password."""
        return _shown(self._engine.url)

    def close(self) -> None:
        self._engine.dispose()

    # ------------------------------------------------------------ answers

    def find_answers(self, keys: Sequence[str]) -> dict[str, KeptAnswer]:
        """The answers kept for these requests, by key; a request without one is not in it. Raises StoreError."""
        columns = [_answers.c[name] for name in KeptAnswer.__dataclass_fields__]
        with self._errors(), self._engine.connect() as connection:
            rows = connection.execute(sa.select(*columns).where(_answers.c.key.in_(keys)))
            return {row.key: _sound(KeptAnswer(*row)) for row in rows}

    def keep_answers(self, answers: Sequence[KeptAnswer]) -> None:
        """Keeps answers, all or none, for good when it returns. Of two for one key the first is the answer from then
        on, and the other is kept as paid. Raises StoreError."""
        now = _now()
        rows = [
            {**{name: getattr(answer, name) for name in KeptAnswer.__dataclass_fields__}, "kept_at": now}
            for answer in answers
        ]
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        with self._errors(), self._engine.begin() as connection:
            for row in rows:
                first = insert(_answers).values(row).on_conflict_do_nothing(index_elements=["key"])
                if connection.execute(first.returning(_answers.c.id)).first() is None:
                    connection.execute(sa.insert(_answers).values({**row, "key": None}))

    def discard_answers(self, keys: Sequence[str]) -> None:
        """Marks answers as of no use: they stay as paid, and the requests are asked anew. Raises StoreError."""
        with self._errors(), self._engine.begin() as connection:
            connection.execute(sa.update(_answers).where(_answers.c.key.in_(keys)).values(key=None))

    def answers_count(self) -> int:
        with self._errors(), self._engine.connect() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(_answers)).scalar_one()

    def mean_tokens(self, model: str) -> tuple[float, float] | None:
        """Mean input and output tokens of an answer of this model; None if there is none with a count."""
        counted = sa.select(sa.func.avg(_answers.c.input_tokens), sa.func.avg(_answers.c.output_tokens)).where(
            _answers.c.model == model, _answers.c.input_tokens > 0
        )
        with self._errors(), self._engine.connect() as connection:
            row = connection.execute(counted).one()
        return None if row[0] is None else (float(row[0]), float(row[1]))

    # ------------------------------------------------------------ earlier assessments

    def remember(self, *, owner: str, title: str, pitch_sha256: str, model: str, text: str, document: str) -> str:
        """Keeps an assessment with its pitch for its owner; the id it has from then on. Raises StoreError.

        One owner's assessment of the same pitch by the same reader takes the place of the one before.
        """
        own = uuid4().hex
        row = {"owner": owner, "title": title, "pitch_sha256": pitch_sha256, "model": model}
        same = sa.and_(*(_assessments.c[name] == row[name] for name in ("owner", "pitch_sha256", "model")))
        with self._errors(), self._engine.begin() as connection:
            connection.execute(sa.delete(_assessments).where(same))
            connection.execute(
                sa.insert(_assessments).values(id=own, text=text, document=document, kept_at=_now(), **row)
            )
        return own

    def assessments_count(self) -> int:
        with self._errors(), self._engine.connect() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(_assessments)).scalar_one()

    def find_earlier(self, owner: str, id: str) -> Earlier | None:
        """An owner's assessment by its id; None if there is none of this owner. Raises StoreError."""
        columns = [_assessments.c[name] for name in Earlier.__dataclass_fields__]
        found = sa.select(*columns).where(_assessments.c.owner == owner, _assessments.c.id == id)
        with self._errors(), self._engine.connect() as connection:
            row = connection.execute(found).one_or_none()
        return None if row is None else Earlier(*row)

    def earlier(self, owner: str, search: str = "", limit: int = 100) -> list[Earlier]:
        """An owner's assessments, newest first; with `search`, those whose title or pitch holds these words."""
        found = sa.select(*(_assessments.c[name] for name in Earlier.__dataclass_fields__))
        found = found.where(_assessments.c.owner == owner)
        for word in search.split():
            either = _assessments.c.title.icontains(word, autoescape=True)
            found = found.where(sa.or_(either, _assessments.c.text.icontains(word, autoescape=True)))
        found = found.order_by(_assessments.c.kept_at.desc(), _assessments.c.id).limit(limit)
        with self._errors(), self._engine.connect() as connection:
            return [Earlier(*row) for row in connection.execute(found)]

    def forget(self, owner: str, ids: Sequence[str] | None = None) -> int:
        """Deletes an owner's assessments (None = all), and the answers about their pitches where nobody else has an
        assessment of them; for good. How many assessments were deleted. Raises StoreError."""
        mine = _assessments.c.owner == owner
        if ids is not None:
            mine = sa.and_(mine, _assessments.c.id.in_(ids))
        with self._errors(), self._engine.begin() as connection:
            pitches = set(connection.execute(sa.select(_assessments.c.pitch_sha256).where(mine)).scalars())
            done = connection.execute(sa.delete(_assessments).where(mine)).rowcount
            kept = set(
                connection.execute(
                    sa.select(_assessments.c.pitch_sha256).where(_assessments.c.pitch_sha256.in_(pitches))
                ).scalars()
            )
            connection.execute(sa.delete(_answers).where(_answers.c.pitch_sha256.in_(pitches - kept)))
        return int(done)

    # ------------------------------------------------------------ scores by hand

    def save_hand_scores(self, pitch_id: str, rater: str, scores: Mapping[str, str]) -> HandScores:
        """Keeps one rater's scores of one pitch. Earlier ones stay as its history. Raises StoreError."""
        saved = HandScores(pitch_id, rater, dict(scores), _now())
        with self._errors(), self._engine.begin() as connection:
            connection.execute(
                sa.insert(_hand_scores).values(
                    pitch_id=pitch_id,
                    rater=rater,
                    scores=json.dumps(saved.scores, ensure_ascii=False),
                    saved_at=saved.saved_at,
                )
            )
        return saved

    def hand_scores(self, pitch_id: str | None = None, rater: str | None = None) -> list[HandScores]:
        """The latest scores of each pitch and rater, by pitch and rater. Raises StoreError."""
        latest = {(entry.pitch_id, entry.rater): entry for entry in self.hand_score_history(pitch_id, rater)}
        return [latest[key] for key in sorted(latest)]

    def hand_score_history(self, pitch_id: str | None = None, rater: str | None = None) -> list[HandScores]:
        """Every saving, the oldest first. Raises StoreError."""
        query = sa.select(_hand_scores).order_by(_hand_scores.c.id)
        if pitch_id is not None:
            query = query.where(_hand_scores.c.pitch_id == pitch_id)
        if rater is not None:
            query = query.where(_hand_scores.c.rater == rater)
        with self._errors(), self._engine.connect() as connection:
            return [
                HandScores(row.pitch_id, row.rater, json.loads(row.scores), row.saved_at)
                for row in connection.execute(query)
            ]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0][:160]
            kind = StoreUnavailable if _may_pass(error) else StoreError
            raise kind(f"the store {self.name} cannot be used: {reason}; check PITCH_STORE") from error


def _may_pass(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether the same may work later: a connection that was lost or cannot be made, a lock."""
    if not isinstance(error, sa.exc.DBAPIError):
        return isinstance(error, sa.exc.TimeoutError)
    message = str(error.orig).lower()
    if "sqlite3" in type(error.orig).__module__:
        return "locked" in message or "busy" in message
    return error.connection_invalidated or isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)


class AnswerBook:
    """A store's answers for many conversations on one event loop, read and written in batches by one thread.

    What is asked for while a batch is under way goes into the next: so a lookup or a durable write costs a fraction of
    a transaction, and the loop never waits for a disk. A database that is out of reach for a while (restarted, locked)
    is tried again for `patience` seconds. Whatever goes wrong reaches those who wait for it: of a batch that fails,
    each request is done alone, so that one that cannot be done costs no other.
    """

    def __init__(self, store: Store, patience: float = 0.0):
        self._store = store
        self._patience = patience
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="pitch-analyzer-store", daemon=True)
        self._thread.start()

    async def find(self, key: str) -> KeptAnswer | None:
        """The answer kept for a request. One that cannot be read any more counts as none. Raises StoreError."""
        found: KeptAnswer | None = await self._ask("find", key)
        return found

    async def keep(self, answer: KeptAnswer) -> None:
        """Returns when the answer is kept for good. Raises StoreError, or AnswerNotStored for this answer alone."""
        await self._ask("keep", answer)

    async def discard(self, keys: Iterable[str]) -> None:
        """Marks answers as of no use. Raises StoreError."""
        await self._ask("discard", list(keys))

    def close(self) -> None:
        """Ends the thread after what it was given; what comes later is refused."""
        with self._lock:
            self._closing.set()
            self._asked.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _ask(self, kind: str, content: Any) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        asked = _Asked(kind, content, loop, loop.create_future())
        with self._lock:
            if self._closing.is_set():
                raise StoreError("the store was closed while a pitch was still being read")
            self._asked.put(asked)
        return asked.answer

    def _work(self) -> None:
        open_ = True
        while open_:
            batch: list[_Asked] = []
            first = self._asked.get()
            while first is not None:
                batch.append(first)
                if len(batch) == _BATCH:
                    break
                try:
                    first = self._asked.get_nowait()
                except Empty:
                    break
            open_ = first is not None
            _settle(batch, self._outcomes(batch))

    def _outcomes(self, batch: Sequence[_Asked]) -> list[Any]:
        """For each request its answer, or the exception that is its outcome."""
        try:
            return self._patiently(lambda: self._done(batch))
        except StoreUnavailable as error:
            return [error] * len(batch)
        except BaseException as error:  # noqa: BLE001  # reaches whoever waits
            if len(batch) > 1:
                return [outcome for asked in batch for outcome in self._outcomes([asked])]
            return [self._alone(batch[0], error)] if batch else []

    def _alone(self, asked: _Asked, error: BaseException) -> Any:
        """The outcome of one request that cannot be done."""
        if asked.kind == "find" and isinstance(error, StoreError | ValueError) and _is_about_one_row(error):
            try:  # so that the next answer takes its place
                self._store.discard_answers([asked.content])
            except BaseException as other:  # noqa: BLE001  # reaches whoever waits
                return other
            _log.warning("A stored answer cannot be read any more; its request is asked again.")
            return None
        if asked.kind == "keep" and _is_about_one_row(error):
            lost = AnswerNotStored(
                f"the store cannot hold the answer to this pitch ({type(error.__cause__ or error).__name__}); "
                "the answer is lost, other pitches are not affected"
            )
            lost.__cause__ = error
            return lost
        return error

    def _patiently(self, work: Callable[[], list[Any]]) -> list[Any]:
        until, pause = time.monotonic() + self._patience, _FIRST_PAUSE
        while True:
            try:
                return work()
            except StoreUnavailable:
                left = until - time.monotonic()
                if left <= 0 or self._closing.wait(min(pause, left)):
                    raise
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _done(self, batch: Sequence[_Asked]) -> list[Any]:
        of: dict[str, list[Any]] = {"keep": [], "discard": [], "find": []}
        for asked in batch:
            of[asked.kind].append(asked.content)
        if of["keep"]:
            self._store.keep_answers(of["keep"])
        if of["discard"]:
            self._store.discard_answers([key for keys in of["discard"] for key in keys])
        found = self._store.find_answers(of["find"]) if of["find"] else {}
        return [found.get(asked.content) if asked.kind == "find" else None for asked in batch]


@dataclass(frozen=True, slots=True)
class _Asked:
    kind: str
    content: Any
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]


def _is_about_one_row(error: BaseException) -> bool:
    """Whether it is the content of one row that a database or its driver cannot take or give: a number or text out of
    its bounds, text that is not text. Not a database that is broken."""
    if isinstance(error, StoreError):
        cause = error.__cause__
        if isinstance(getattr(cause, "orig", None), OverflowError | ValueError | TypeError):
            return True
        message = str(getattr(cause, "orig", cause)).lower()
        return isinstance(cause, sa.exc.DataError) or "decode" in message or "cannot adapt" in message
    return isinstance(error, OverflowError | ValueError | TypeError)


def _settle(batch: Sequence[_Asked], outcomes: Sequence[Any]) -> None:
    """Hands the outcomes over on the loops that wait for them, in one call a loop."""

    def hand_over(pairs: Sequence[tuple[_Asked, Any]]) -> None:
        for asked, outcome in pairs:
            if asked.answer.done():  # given up meanwhile
                continue
            if isinstance(outcome, BaseException):
                asked.answer.set_exception(outcome if isinstance(outcome, Exception) else _wrapped(outcome))
            else:
                asked.answer.set_result(outcome)

    for loop in {asked.loop for asked in batch}:
        pairs = [(asked, outcome) for asked, outcome in zip(batch, outcomes, strict=True) if asked.loop is loop]
        with suppress(RuntimeError):  # a loop that was closed meanwhile has nobody who waits
            loop.call_soon_threadsafe(hand_over, pairs)


def _wrapped(error: BaseException) -> StoreError:
    """What would end a thread, as an error that a future takes."""
    wrapped = StoreError(f"the store failed: {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped


# ---------------------------------------------------------------- opening


def sqlite_file(url: str) -> Path | None:
    """The file of a store in SQLite; None for any other."""
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:
        return None
    return _sqlite_path(str(parsed.database)) if _is_file(parsed) else None


def _parsed(url: str) -> sa.URL:
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError as error:
        raise StoreError("PITCH_STORE is no database URL; give one like sqlite:////data/pitches.db") from error
    kind = parsed.get_backend_name()
    if kind not in ("sqlite", "postgresql"):
        raise StoreError(f"PITCH_STORE names {kind}; SQLite and PostgreSQL can be used")
    return parsed


def _is_file(url: sa.URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")


def _engine(url: str) -> sa.Engine:
    parsed = _parsed(url)
    kind = parsed.get_backend_name()
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if _is_file(parsed):
        path = _sqlite_path(parsed.database or "")
        _make_private(path)
        parsed = parsed.set(database=str(path))
    try:
        options = {"timeout": _BUSY} if kind == "sqlite" else {"connect_timeout": 10}
        engine = sa.create_engine(parsed, connect_args=options, pool_pre_ping=kind == "postgresql")
    except ImportError as error:
        raise StoreError('PostgreSQL needs a package: pip install "pitch-analyzer[postgresql]"') from error
    if kind == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _sqlite_path(database: str) -> Path:
    path = Path(database).expanduser()
    return path.parent.resolve() / path.name


def _make_private(path: Path) -> None:
    """Makes the file of a SQLite store, and folders that are missing, for their owner alone: it holds pitches. SQLite
    gives the files beside it the same permissions. What exists stays as it is."""
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        for folder in reversed(missing):
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(f"PITCH_STORE: the folder {path.parent} cannot be made: {error.strerror}") from error
    with suppress(FileExistsError):
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            raise
        except OSError as error:
            raise StoreError(f"PITCH_STORE: {path} cannot be made: {error.strerror}") from error


def _shown(url: sa.URL) -> str:
    """A URL without its password, also where that stands behind a question mark."""
    return url.set(query={}).render_as_string(hide_password=True)


def _prepare_sqlite(connection: Any, _: object) -> None:
    """A write survives a killed process, readers never wait for a writer, and what is deleted is overwritten."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _migrate(engine: sa.Engine) -> None:
    """Brings the tables up to date; several processes may come at once. Raises StoreError."""
    with engine.connect() as connection:
        if _revision(connection) == _newest():
            return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # The driver begins no transaction before a change of tables; this one lock covers them all.
            connection.connection.dbapi_connection.isolation_level = None  # type: ignore[union-attr]
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATING})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise _too_new(engine) from error
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")
        else:
            connection.commit()
    engine.dispose()


def _too_new(engine: sa.Engine) -> StoreError:
    return StoreError(
        f"the store {_shown(engine.url)} was made by a newer version of this program; upgrade the program, or name "
        "another store with PITCH_STORE"
    )


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _newest() -> str:
    """The last migration, by its file's name, so that an up-to-date store opens without loading the migrations."""
    return max(path.stem.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
