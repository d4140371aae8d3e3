"""Who goes first on this server: a page that is being drawn, before work in the background.

Python computes for one thread at a time, so a run over many pitches would take its turn between any two steps of
another visitor's page. Work that can wait asks `give_way` between two pitches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Condition
from typing import Final, ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Returned = TypeVar("_Returned")

LONGEST: Final = 0.5
"""Seconds for which one step of background work waits at most: a busy server slows a run, and never stops it."""
_SOON: Final = 0.25
"""Seconds after a request in which its browser probably asks for more."""


class Courtesy:
    """Counts the pages that are being drawn, and lets work wait for them. Any thread may use it."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._drawn = 0
        self._expected_until = 0.0

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """A page is drawn within."""
        with self._changed:
            self._drawn += 1
        try:
            yield
        finally:
            with self._changed:
                self._drawn -= 1
                self._changed.notify_all()

    def expect(self) -> None:
        """Notes that a browser asks for something, and will ask for more."""
        self._expected_until = time.monotonic() + _SOON

    def give_way(self, longest: float = LONGEST) -> None:
        """Waits while a page is drawn or about to be, `longest` seconds at most."""
        deadline = time.monotonic() + longest
        with self._changed:
            while (now := time.monotonic()) < deadline:
                if self._drawn:
                    self._changed.wait(deadline - now)
                elif now < self._expected_until:
                    self._changed.wait(min(deadline, self._expected_until) - now)
                else:
                    return


server: Final = Courtesy()
"""Of this process, which serves all visitors."""


def drawn_first(draw: Callable[_Arguments, _Returned]) -> Callable[_Arguments, _Returned]:
    """A function that draws a page or a part of it, before which work in the background waits."""

    @wraps(draw)
    def drawing(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Returned:
        with server.drawing():
            return draw(*arguments, **named)

    return drawing
