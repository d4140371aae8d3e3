"""Whether a visitor is still connected; work for one who is gone ends.

Work for a visitor goes on in the background, so that a click or a look at another page loses nothing. When the browser
has been gone for a while, nobody will see the result, so the work ends and costs nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

GONE: Final = 15.0
"""Seconds without a connection after which a visitor counts as gone; a shorter break is a bad connection."""
_INTERVAL: Final = 1.0
"""Seconds between two checks of the connection."""


def visitor() -> Callable[[], bool]:
    """A function that says whether this visitor's browser is connected; any thread may call it."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return lambda: True
    server, session = runtime.get_instance(), context.session_id
    return lambda: server.is_active_session(session)


def end_when_gone(done: Event, connected: Callable[[], bool], end: Callable[[], object]) -> None:
    """Calls `end` once the visitor has been gone for GONE seconds, unless the work is done before."""

    def watch() -> None:
        last = time.monotonic()
        while not done.wait(_INTERVAL):
            if connected():
                last = time.monotonic()
            elif time.monotonic() - last > GONE:
                end()
                return

    Thread(target=watch, name="pitch-analyzer-watch", daemon=True).start()
