"""Brings the tables up to date with the migrations in `migrations/`, when a store is opened."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from analyzer.errors import StoreError

MIGRATIONS: Final = Path(__file__).with_name("migrations")
_LOCK: Final = 7_118_231
"""PostgreSQL's advisory lock under which one process migrates at a time."""


def to_newest(engine: sa.Engine, name: str) -> None:
    """Brings the tables up to date; several processes may come at once. `name` is for messages. Raises StoreError."""
    with engine.connect() as connection:
        if revision(connection) == newest():
            return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # The driver begins no transaction before a change of tables; this one lock covers them all.
            connection.connection.dbapi_connection.isolation_level = None  # type: ignore[union-attr]
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise too_new(name) from error
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")
            connection.invalidate()  # its driver works without transactions now
        else:
            connection.commit()


def too_new(name: str) -> StoreError:
    return StoreError(
        f"a newer version of this program created the store {name}; upgrade the program, or set PITCH_STORE to another"
    )


def revision(connection: sa.Connection) -> str | None:
    """The last migration that a database has seen; None for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def newest() -> str:
    """The last migration, by its file's name, so that an up-to-date store opens without loading the migrations."""
    return max(path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
