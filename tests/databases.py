"""Databases of their own for tests, in SQLite or on the PostgreSQL server that PITCH_TEST_POSTGRESQL names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

POSTGRESQL = os.environ.get("PITCH_TEST_POSTGRESQL", "")
"""URL of a PostgreSQL server on which databases may be made; `.ci/run` starts one."""
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
"""The parameters of a fixture that tests both."""


@contextmanager
def new_database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of a database that does not hold anything yet; it is gone afterwards. Skips where there is no server."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'folder' / 'store.db'}"
        return
    if not POSTGRESQL:
        pytest.skip("PITCH_TEST_POSTGRESQL names no PostgreSQL server")
    name = f"pitches_{uuid4().hex[:12]}"
    server = sa.create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield sa.make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        server.dispose()
