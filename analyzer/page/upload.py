"""The text of a file that a visitor chose; a visitor who leaves ends the work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from analyzer.agreement.extracted import Upload
from analyzer.files.documents import LIMITS, DocumentReader
from analyzer.page.presence import GONE, visitor

_LIMITS: Final = replace(LIMITS, nice=5)
"""As everywhere, but the page goes on answering all others first."""


def read_upload(file: Upload) -> str:
    """The text of a chosen file. Raises as `DocumentReader.read`."""
    with DocumentReader(_LIMITS, _gone(visitor())) as reader:
        return reader.read(file.name, file.data)


def _gone(there: Callable[[], bool]) -> Callable[[], bool]:
    """Whether the visitor has been without a connection for GONE seconds."""
    last_seen = time.monotonic()

    def gone() -> bool:
        nonlocal last_seen
        if there():
            last_seen = time.monotonic()
        return time.monotonic() - last_seen > GONE

    return gone
