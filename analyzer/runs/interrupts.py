"""Ctrl-C during a run: the first one stops it in an orderly way, the second one interrupts at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, current_thread, main_thread


@contextmanager
def stopping_on_interrupt(on_interrupt: Callable[[], None]) -> Iterator[Event]:
    """An event that the first Ctrl-C sets, after calling `on_interrupt`; a second one interrupts at once."""
    stop = Event()
    if current_thread() is not main_thread():
        yield stop
        return

    def interrupted(*_: object) -> None:
        # A shell's background job begins with Ctrl-C ignored; a second one must end that, too.
        signal.signal(signal.SIGINT, before if callable(before) else signal.default_int_handler)
        on_interrupt()
        stop.set()

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
