"""A PostgreSQL server of the test's own, on a socket in a folder that goes with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

_FOLDERS: Final = "/usr/lib/postgresql"
_USER: Final = "postgres"
"""Who runs the server where this is root: PostgreSQL refuses to."""


class Postgres:
    """Made, it has its files; started, it serves `url`."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="soak-"))
        self._folder.chmod(0o755)
        if _is_root():
            shutil.chown(self._folder, _USER)
        self._data = self._folder / "data"
        self.url = f"postgresql://{_USER}@/postgres?host={self._folder}"
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", _USER, "-E", "UTF8", "--no-sync")

    @staticmethod
    def available() -> bool:
        return _program("initdb") is not None and find_spec("psycopg") is not None

    def start(self) -> None:
        self._control("start")

    def restart(self) -> None:
        """Ends all connections and starts again."""
        self._control("restart", "-m", "fast")

    def end(self) -> None:
        """Stops it, if it runs, and removes its files."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "stop", check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _control(self, *what: str) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories='{self._folder}' -c fsync=off"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", log, "-o", options, *what)

    def _run(self, name: str, *arguments: str, check: bool = True) -> None:
        program = _program(name)
        assert program is not None, name
        _quietly([program, *arguments], check, **({"user": _USER, "group": _USER} if _is_root() else {}))


def _quietly(command: Sequence[str], check: bool, **options: Any) -> None:
    null = subprocess.DEVNULL
    subprocess.run(
        command,
        check=check,
        cwd="/",
        stdin=null,
        stdout=null,
        stderr=null,
        env={**os.environ, "LC_ALL": "C"},
        **options,
    )


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _program(name: str) -> str | None:
    """A program of PostgreSQL: of the newest version where Debian keeps them, else on the path."""
    versions = [path for path in Path(_FOLDERS).glob("*/bin") if (path / name).exists()]
    if versions:
        return str(max(versions, key=lambda path: float(path.parent.name)) / name)
    return shutil.which(name)
