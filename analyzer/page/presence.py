"""Whether a visitor is still connected; work for one who is gone ends.

Work for a visitor goes on in the background, so that a click or a look at another page loses nothing. When the browser
has been gone for a while, nobody will see the result, so the work ends and costs nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

GONE: Final = 15.0
"""Seconds without a connection after which a visitor counts as gone; a shorter break is a bad connection."""
_INTERVAL: Final = 1.0
"""Seconds between two checks of the connection."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """One visit. Called, it says whether the visitor's browser is connected; any thread may ask."""

    session: str = ""

    def __call__(self) -> bool:
        return not self.session or not runtime.exists() or runtime.get_instance().is_active_session(self.session)


def visitor() -> Visitor:
    """The visitor for whom the script runs now."""
    context = get_script_run_ctx()
    return Visitor() if context is None or not runtime.exists() else Visitor(context.session_id)


def end_when_gone(done: Event, connected: Callable[[], bool], end: Callable[[], object]) -> None:
    """Calls `end` once the visitor has been gone for GONE seconds, unless the work is done before."""
    last = time.monotonic()

    def gone() -> bool:
        nonlocal last
        if connected():
            last = time.monotonic()
        return time.monotonic() - last > GONE

    end_when(done, gone, end)


def end_when(done: Event, gone: Callable[[], bool], end: Callable[[], object]) -> None:
    """Calls `end` once those who wanted the work are `gone`, unless it is done before."""

    def watch() -> None:
        while not done.wait(_INTERVAL):
            if gone():
                end()
                return

    Thread(target=watch, name="pitch-analyzer-watch", daemon=True).start()
