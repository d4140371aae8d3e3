"""Opens the database: SQLite by default (write-ahead log, one file in the user's data folder), PostgreSQL by URL.

Hidden here: the shared engines, how errors of the drivers map to ours, and who may read a new SQLite file.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from analyzer.errors import StoreError
from analyzer.resources import install_command
from analyzer.store import migrate

_BUSY: Final = 60.0
"""Seconds to wait for another process that is writing, or for a free connection."""
_CONNECT: Final = 10
"""Seconds to wait for a PostgreSQL server to accept a connection."""


class StoreUnavailable(StoreError):
    """The database cannot be reached or is locked right now; a later attempt may succeed."""


@dataclass(slots=True)
class _SharedEngine:
    """An engine and how many open databases use it."""

    engine: sa.Engine
    users: int = 0


_shared: Final[dict[tuple[object, ...], _SharedEngine]] = {}
_lock: Final = threading.RLock()  # garbage collection may release a database while this thread holds it


class Database:
    """One use of a database, from `open` to `close`. Safe to share between threads."""

    def __init__(self, engine: sa.Engine, key: tuple[object, ...] | None = None):
        self._engine = engine
        self._release = weakref.finalize(self, _release, engine, key)
        self._release.atexit = False

    @classmethod
    def open(cls, url: str) -> Database:
        """The database at a SQLAlchemy URL, its tables created or brought up to date.

        All that one process opens at one URL share one engine, that is one pool of connections: the first to open it
        creates the engine, the last to close it disposes of it. A SQLite file that was deleted or replaced, and a
        forked process, get an engine of their own. Raises StoreError.
        """
        parsed = _parsed(url)
        if _is_file(parsed):
            _create_private(_sqlite_path(parsed))
        key = _key(parsed)
        with _lock:
            shared = _shared.get(key) or _SharedEngine(_engine(parsed))
            shared.users += 1
            _shared[key] = shared
        database = cls(shared.engine, key)
        try:
            with database._errors():
                migrate.to_newest(shared.engine, database.name)
        except BaseException:
            database.close()
            raise
        return database

    @classmethod
    def existing(cls, url: str) -> Database | str:
        """The database at a URL as it is, or one line that says why there is nothing to read yet. Creates and changes
        nothing. Raises StoreError."""
        parsed = _parsed(url)
        if _is_file(parsed) and not _sqlite_path(parsed).exists():
            return f"{_without_password(parsed)}: not created yet"
        database = cls(_engine(parsed))
        try:
            with database.reading() as connection:
                revision = migrate.revision(connection)
            if revision is not None and revision > migrate.newest():
                raise migrate.too_new(database.name)
        except BaseException:
            database.close()
            raise
        if revision == migrate.newest():
            return database
        database.close()
        if revision is None:
            return f"{database.name}: not created yet"
        return f"{database.name}: created by an earlier version; the next use updates it"

    @property
    def name(self) -> str:
        """Its URL, without a password."""
        return _without_password(self._engine.url)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def close(self) -> None:
        """Ends this use, as does losing the last reference to it. The engine's connections close with its last use.
        Repeated calls do nothing."""
        self._release()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection for queries. Raises StoreError."""
        with self._errors(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection in a transaction, which is committed at the end, or rolled back by an exception. Raises
        StoreError."""
        with self._errors(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0][:160]
            kind = StoreUnavailable if _is_temporary(error) else StoreError
            raise kind(f"the store {self.name} cannot be used: {reason}; check PITCH_STORE") from error


def _release(engine: sa.Engine, key: tuple[object, ...] | None) -> None:
    """Counts one use less of an engine, and disposes of it after the last."""
    with _lock:
        if key is not None:
            shared = _shared[key]
            shared.users -= 1
            if shared.users:
                return
            del _shared[key]
    engine.dispose(close=key is None or key[0] == os.getpid())  # a forked process leaves its parent's connections alone


def sqlite_file(url: str) -> Path | None:
    """The file of a store in SQLite; None for any other."""
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:
        return None
    return _sqlite_path(parsed) if _is_file(parsed) else None


def absolute(url: str) -> str:
    """The URL of a store, also for processes in other folders: the path of a file in full. Raises StoreError."""
    return _parsed(url).render_as_string(hide_password=False)


def _is_temporary(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether a later attempt may succeed: the connection was lost or refused, or the database is locked."""
    if not isinstance(error, sa.exc.DBAPIError):
        return isinstance(error, sa.exc.TimeoutError)
    message = str(error.orig).lower()
    if "sqlite3" in type(error.orig).__module__:
        return "locked" in message or "busy" in message
    return error.connection_invalidated or isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)


def _parsed(url: str) -> sa.URL:
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError as error:
        raise StoreError(
            "PITCH_STORE is not a valid database URL; set one such as sqlite:////data/pitches.db"
        ) from error
    kind = parsed.get_backend_name()
    if kind not in ("sqlite", "postgresql"):
        raise StoreError(f"PITCH_STORE names {kind}, which is not supported; use SQLite or PostgreSQL")
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if _is_file(parsed):
        parsed = parsed.set(database=str(_sqlite_path(parsed)))
    return parsed


def _is_file(url: sa.URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")


def _sqlite_path(url: sa.URL) -> Path:
    path = Path(url.database or "").expanduser()
    return path.parent.resolve() / path.name


def _key(url: sa.URL) -> tuple[object, ...]:
    """What has to be the same for two uses to share an engine."""
    written = url.render_as_string(hide_password=False)
    if _is_file(url):
        with suppress(OSError):
            status = _sqlite_path(url).stat()
            return os.getpid(), written, status.st_dev, status.st_ino
    if url.get_backend_name() == "sqlite":  # in memory: each is a database of its own
        return os.getpid(), written, object()
    return os.getpid(), written


def _engine(url: sa.URL) -> sa.Engine:
    is_sqlite = url.get_backend_name() == "sqlite"
    arguments: dict[str, Any] = {"timeout": _BUSY} if is_sqlite else {"connect_timeout": _CONNECT}
    options: dict[str, Any] = {"pool_timeout": _BUSY} if _is_file(url) or not is_sqlite else {}
    try:
        engine = sa.create_engine(url, connect_args=arguments, pool_pre_ping=not is_sqlite, **options)
    except ImportError as error:
        raise StoreError(f"PostgreSQL needs a package: {install_command('postgresql')}") from error
    if is_sqlite:
        sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    """A write survives a killed process, readers never wait for a writer, and what is deleted is overwritten."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _create_private(path: Path) -> None:
    """Creates the file of a SQLite store and missing folders, readable by their owner alone: it holds pitches. SQLite
    gives the same permissions to its other files. Leaves what exists as it is."""
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        for folder in reversed(missing):
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(f"PITCH_STORE: cannot create the folder {path.parent}: {error.strerror}") from error
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(f"PITCH_STORE: cannot create {path}: {error.strerror}") from error


def _without_password(url: sa.URL) -> str:
    """A URL without its password, and without the query, which may hold another."""
    return url.set(query={}).render_as_string(hide_password=True)
