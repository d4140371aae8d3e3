"""The one place where this program prints: what comes from outside is shown as text, and never acted on by a terminal.

File names, headers of tables, pitches and answers may hold escape sequences (colors, links, the clipboard, the window's
title) and marks that turn the direction of text. They are spelled out (`\\x1b`, `\\u202e`), in errors too. Notes on
standard error are not worth a run: where they cannot be written, the run goes on.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from rich.console import Console

UNSEEN: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that a terminal acts on, or that change how the text around them is read; all but tab and line feed."""


def printable(text: str) -> str:
    """Text with every character that a terminal would act on spelled out; tabs and line feeds stay."""
    return UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def printable_json(document: str) -> str:
    """A JSON document that says the same and can be printed."""
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


class StandardOutputError(OSError):
    """Standard output cannot be written: a full disk, or a reader that went away (`gone`)."""

    def __init__(self, error: OSError):
        super().__init__(error.errno, error.strerror)
        self.gone = isinstance(error, BrokenPipeError)


def say(text: str = "") -> None:
    """Print a line of a result on standard output. Raises StandardOutputError."""
    print(printable(text), file=_Heard(sys.stdout), flush=True)


def say_json(document: str) -> None:
    """Print a JSON document on standard output. Raises StandardOutputError."""
    print(printable_json(document), file=_Heard(sys.stdout), flush=True)


def note(text: str) -> None:
    """Print a line on standard error, if anybody can read it."""
    with suppress(OSError, ValueError):
        print(printable(text), file=sys.stderr, flush=True)  # noqa: T201


def screen(err: bool = False) -> Console:
    """A terminal for tables and reports, on standard output or standard error. Text is never read as markup."""
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Screen(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                if segment.control or not UNSEEN.search(segment.text):
                    yield segment
                else:
                    yield Segment(printable(segment.text), segment.style)

    file: Any = _Unheard(sys.stderr) if err else _Heard(sys.stdout)
    return Screen(file=file, stderr=err, highlight=False, markup=False, emoji=False, soft_wrap=False)


class _Heard:
    """A stream whose failures are told apart from those of files and connections."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            raise StandardOutputError(error) from error

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            raise StandardOutputError(error) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Unheard:
    """A stream whose failures do not matter."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
