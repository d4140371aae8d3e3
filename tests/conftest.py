"""What every test runs under: no network but this machine, no settings but the test's own."""

from __future__ import annotations

import gc
import itertools
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest

from analyzer import config_file
from analyzer.store import engine
from analyzer.store.store import Store
from tests import properties

_NUMBERS = itertools.count()
PITCHES = Path(__file__).parent.parent / "fixtures" / "pitches"

properties.register_profiles()


def pytest_collection_finish() -> None:
    """What was imported stays: looking through it for garbage, again and again, takes a tenth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _certificates_are_read_once() -> Iterator[None]:
    """All clients share the certificates that they trust: reading them takes longer than most tests."""
    create = ssl.create_default_context
    shared = create(cafile=certifi.where())

    def context(*arguments: Any, **named: Any) -> ssl.SSLContext:
        is_usual = not arguments and named == {"cafile": certifi.where()}
        return shared if is_usual else create(*arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", context)
        yield


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def only_here(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else "local"
        if host not in ("127.0.0.1", "::1", "localhost", "local"):
            raise RuntimeError(f"a test tried to reach {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", only_here)


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in (*config_file.ENTRIES.values(), "OPENAI_API_KEY", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)
    own = tmp_path_factory.getbasetemp() / "own" / str(next(_NUMBERS))  # mktemp looks through thousands for a name
    own.mkdir(parents=True)
    monkeypatch.setattr("analyzer.settings._data_folder", lambda: own)
    monkeypatch.setenv("PITCH_RECORDINGS", str(own / "recordings"))
    monkeypatch.setenv("PITCH_STORE", f"sqlite:///{own / 'store.db'}")
    (own / "config.toml").touch()
    monkeypatch.setenv(config_file.VARIABLE, str(own / "config.toml"))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store in SQLite with nothing in it, as the migrations leave it."""
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    Store.open(f"sqlite:///{path}").close()
    assert not path.with_name("store.db-wal").exists()
    return path.read_bytes()


@pytest.fixture(autouse=True)
def _new_stores(monkeypatch: pytest.MonkeyPatch, migrated: bytes) -> None:
    """A new store in this process is a copy of an empty one; only tests/store and other processes migrate each."""
    create = engine._create_private

    def copied(path: Path) -> None:
        is_new = not path.exists()
        create(path)
        if is_new:
            path.write_bytes(migrated)

    monkeypatch.setattr(engine, "_create_private", copied)


@pytest.fixture
def pitch_file() -> Path:
    """A sample pitch that leaves something unknown."""
    return PITCHES / "taperline.txt"
