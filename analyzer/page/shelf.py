"""What this server keeps in its memory under an address that nobody can guess, so that a reload, Back, or a second tab
finds it where nothing is saved.

An id is 128 random bits, so an address opens only for whoever was given it; where visitors log in, only for its owner
too. The oldest entries give way, and none stays longer than LONGEST.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final, Generic, TypeVar

_Kept = TypeVar("_Kept")

LONGEST: Final = 4 * 3600.0
"""Seconds that an entry stays."""


@dataclass(frozen=True, slots=True)
class _Entry(Generic[_Kept]):
    owner: str | None
    value: _Kept
    since: float


class Shelf(Generic[_Kept]):
    """At most `room` values, by id. Any thread may use it."""

    def __init__(self, room: int, clock: Callable[[], float] = time.monotonic):
        self._room = room
        self._clock = clock
        self._entries: dict[str, _Entry[_Kept]] = {}
        self._lock = Lock()

    def put(self, value: _Kept, owner: str | None) -> str:
        """Keeps a value; its id. `owner`: who alone may take it; None = whoever has the id."""
        id_ = secrets.token_urlsafe(16)
        with self._lock:
            self._drop_old()
            self._entries[id_] = _Entry(owner, value, self._clock())
            for oldest in list(self._entries)[: -self._room]:
                del self._entries[oldest]
        return id_

    def get(self, id_: str, owner: str | None) -> _Kept | None:
        """The value, None if there is none for this owner."""
        with self._lock:
            self._drop_old()
            entry = self._entries.get(id_)
        return entry.value if entry is not None and entry.owner in (None, owner) else None

    def remove(self, belongs: Callable[[_Kept], bool], owner: str | None) -> None:
        """Removes this owner's values of which `belongs` is true."""
        with self._lock:
            for id_, entry in list(self._entries.items()):
                if entry.owner == owner and belongs(entry.value):
                    del self._entries[id_]

    def _drop_old(self) -> None:
        oldest = self._clock() - LONGEST
        for id_, entry in list(self._entries.items()):
            if entry.since < oldest:
                del self._entries[id_]
