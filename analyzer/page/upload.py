"""A file that a visitor uploads, to text; a visitor who leaves ends the work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from analyzer.files.documents import LIMITS, DocumentReader

GONE: Final = 5.0
"""Seconds without a connection after which nobody waits for a file any more."""
_LIMITS: Final = replace(LIMITS, nice=5)
"""As everywhere, but the page goes on answering all others first."""


class Upload(Protocol):
    """A file in memory, as Streamlit's uploader gives it."""

    @property
    def name(self) -> str: ...

    def getvalue(self) -> bytes: ...


def read_upload(file: Upload) -> str:
    """The text of an uploaded file. Raises as `DocumentReader.read`."""
    with DocumentReader(_LIMITS, _gone()) as reader:
        return reader.read(file.name, file.getvalue())


def _gone() -> Callable[[], bool]:
    """Whether the visitor of this run of the script has been without a connection for GONE seconds."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return lambda: False
    server, session = runtime.get_instance(), context.session_id
    last_seen = time.monotonic()

    def gone() -> bool:
        nonlocal last_seen
        if server.is_active_session(session):
            last_seen = time.monotonic()
        return time.monotonic() - last_seen > GONE

    return gone
