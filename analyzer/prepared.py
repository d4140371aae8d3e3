"""What is worked out from data files that come with the program, saved next to Python's own compiled modules.

Reading TOML and taking cue phrases apart would be most of a start. As with compiled modules, the first run saves what
it worked out (in `__pycache__`, or under PYTHONPYCACHEPREFIX), a changed source makes it stale, and a file that is
missing, damaged or cannot be written costs time and nothing else. It is JSON, so that reading it runs nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from analyzer.version import __version__


def prepared(source: Path, make: Callable[[], Any], also_from: Iterable[Path] = ()) -> Any:
    """What `make` returns, as JSON would hold it: read from the saved file if `source` and the files in `also_from` are
    as they were when it was saved, else worked out and saved."""
    place = _place(source)
    made_of = _digest([__version__.encode(), *(path.read_bytes() for path in (source, *also_from))])
    saved = _saved(place, made_of) if place is not None else None
    if saved is None:
        saved = json.dumps(make(), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        if place is not None and not sys.dont_write_bytecode:
            _save(place, made_of, saved)
    return json.loads(saved)


def prepared_toml(source: Path) -> dict[str, Any]:
    """The content of a TOML file that comes with the program."""

    def parse() -> dict[str, Any]:
        import tomllib

        return tomllib.loads(source.read_text(encoding="utf-8"))

    return dict(prepared(source, parse))


def _place(source: Path) -> Path | None:
    """Where it is saved; None in a Python that compiles nothing."""
    try:
        return Path(cache_from_source(str(source))).with_suffix(".json")
    except NotImplementedError:
        return None


def _digest(parts: Iterable[bytes]) -> bytes:
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest().encode()


def _saved(place: Path, made_of: bytes) -> bytes | None:
    """The saved content, if it is whole and was made of these sources."""
    try:
        head, _, content = place.read_bytes().partition(b"\n")
    except OSError:
        return None
    return content if head == _head(made_of, content) else None


def _head(made_of: bytes, content: bytes) -> bytes:
    return made_of + b" " + _digest([content])


def _save(place: Path, made_of: bytes, content: bytes) -> None:
    """Another process sees the whole file, or none."""
    unfinished = place.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_bytes(_head(made_of, content) + b"\n" + content)
            unfinished.replace(place)
        finally:
            unfinished.unlink(missing_ok=True)
