"""Messages between processes of our own: pickled, over pipes, each with its length before it."""

from __future__ import annotations

import pickle
import struct
from contextlib import suppress
from typing import Any, BinaryIO, Final

_LENGTH: Final = struct.Struct(">Q")


def write_message(stream: BinaryIO, message: object) -> None:
    """Write one message. Raises OSError or ValueError if nobody reads the stream any more."""
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(content)) + content)
    stream.flush()


def read_message(stream: BinaryIO) -> Any:
    """The next message; None when the stream ends, also in the middle of one."""
    with suppress(OSError, ValueError):
        length = stream.read(_LENGTH.size)
        if len(length) == _LENGTH.size:
            content = stream.read(_LENGTH.unpack(length)[0])
            if len(content) == _LENGTH.unpack(length)[0]:
                return pickle.loads(content)  # noqa: S301  # of a process of our own
    return None
