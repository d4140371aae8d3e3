"""Files to text: plain text and Markdown by themselves, PDF, PowerPoint and Word in a process of their own.

A file is hostile data: a few bytes can make a reader take hours and all memory there is. So each is read in a child
process, within `DocumentLimits`; what it does not finish in time is an error like any other. The readers are an
optional extra; an error says what to install. A file is text only if it decodes as text: nothing is guessed from bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import BoundedSemaphore
from types import TracebackType
from typing import Final, Self

from analyzer.errors import ConfigurationError, DocumentError, RunStopped
from analyzer.files.disk import reason
from analyzer.files.document_texts import READERS
from analyzer.files.reader_process import DocumentAnswer
from analyzer.files.reader_worker import Cancelled, DocumentLimits, Worker

MAX_BYTES: Final = 50_000_000
"""The largest file that is opened."""
MAX_CHARACTERS: Final = 100_000
"""The longest pitch that is read: about 25,000 tokens, 60 printed pages. Longer files are given up halfway."""
SUFFIXES: Final = (".txt", ".md", *READERS)
LIMITS: Final = DocumentLimits(characters=2 * MAX_CHARACTERS)
"""What a document may take. Its text is cut nowhere: up to twice a pitch it is returned whole, for `Pitch` to count."""
_AT_ONCE: Final = 4
"""Documents that this process has read at the same time, so that many visitors cannot take all its memory."""
_INSTEAD: Final = "save it without appendices and drawings, or paste the pitch as text"
_NO_TEXT: Final = (
    (b"%PDF-", "a PDF", ".pdf"),
    (b"PK\x03\x04", "a Word document, a PowerPoint file or an archive", ".docx or .pptx"),
)
"""How files begin that people give as text."""
_LONG: Final = (
    f"a pitch has at most {MAX_CHARACTERS:,}; leave out appendices, or paste the part that says what the product does"
)
_places = BoundedSemaphore(_AT_ONCE)


def _forget() -> None:
    """In a forked process nobody else reads, whatever its parent's threads were doing."""
    global _places
    _places = BoundedSemaphore(_AT_ONCE)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class DocumentReader:
    """Reads documents one after the other in one child process, which is started when needed and anew after a fault.

    For many documents: a start takes 0.3 seconds. Used in one thread, with `with`: leaving it ends the child.
    `cancelled` is asked ten times a second and more; true ends the work under way.
    """

    def __init__(self, limits: DocumentLimits = LIMITS, cancelled: Callable[[], bool] | None = None):
        self._limits = limits
        self._cancelled = cancelled
        self._worker: Worker | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child; the next document would start another."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def read(self, name: str, data: bytes) -> str:
        """The text of a file, by its name's ending and its bytes.

        Raises DocumentError if it is none of SUFFIXES, too large, too long, damaged, protected, holds no text or takes
        more than it may; ConfigurationError if the reader for its kind is not installed; RunStopped if cancelled.
        """
        shown = _shown(name)
        if len(data) > MAX_BYTES:
            raise DocumentError(
                f"{shown} has {len(data) / 1e6:.0f} MB, the limit is {MAX_BYTES / 1e6:.0f}; give a smaller file"
            )
        suffix = Path(name).suffix.lower()
        if suffix in READERS:
            return self._read_apart(shown, suffix, data)
        if suffix in SUFFIXES or not suffix:
            return _plain(shown, data, self._limits.characters)
        raise DocumentError(f"{shown} is of a kind that cannot be read; give {', '.join(SUFFIXES)}")

    def read_file(self, path: Path) -> str:
        """The text of a file on disk. Raises as `read`, and DocumentError if it cannot be opened."""
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise DocumentError(f"{_shown(str(path))} cannot be read: {reason(error)}") from error
        return self.read(str(path), data)

    def _read_apart(self, shown: str, suffix: str, data: bytes) -> str:
        try:
            places = _places
            while not places.acquire(timeout=0.1):
                if self._cancelled is not None and self._cancelled():
                    raise Cancelled
            try:
                if self._worker is None or not self._worker.alive:
                    self._worker = Worker()
                answer = self._worker.read(suffix, data, self._limits, self._cancelled)
            finally:
                places.release()
        except Cancelled:
            raise RunStopped(f"{shown} was not read to its end: nobody waits for it any more") from None
        except OSError as error:
            raise DocumentError(
                f"{shown} cannot be read now, as no process can be started for it ({reason(error)}); "
                "try again, or paste the pitch as text"
            ) from error
        return _text(shown, answer, self._limits)


def read_document(name: str, data: bytes, cancelled: Callable[[], bool] | None = None) -> str:
    """The text of one file, as `DocumentReader.read` gives it."""
    with DocumentReader(cancelled=cancelled) as reader:
        return reader.read(name, data)


def read_file(path: Path) -> str:
    """The text of one file on disk, as `DocumentReader.read_file` gives it."""
    with DocumentReader() as reader:
        return reader.read_file(path)


def _text(shown: str, answer: DocumentAnswer, limits: DocumentLimits) -> str:
    """The text of an answer. Raises what its problem means."""
    if answer.problem is None:
        return answer.text
    if answer.problem == "package":
        extra = 'pip install "pitch-analyzer[documents]"'
        raise ConfigurationError(f"reading {shown} needs a package that is not installed: {extra}")
    reasons = {
        "document": answer.text,
        "characters": f"has more than {limits.characters:,} characters of text (stopped at {answer.text}); {_LONG}",
        "seconds": f"takes more than {limits.seconds:g} seconds to read; {_INSTEAD}",
        "wait": f"was not read within {limits.wait:g} seconds; try again when less is going on here, or {_INSTEAD}",
        "memory": f"takes more than {limits.memory / 1e6:.0f} MB of memory to read; {_INSTEAD}",
        "crash": "made the program that reads such files break off; save it again, or paste the pitch as text",
    }
    fault = f"was not read because of a fault of this program ({answer.text}); paste the pitch as text, and report it"
    raise DocumentError(f"{shown} {reasons.get(answer.problem, fault)}")


def _plain(shown: str, data: bytes, most: int) -> str:
    for start, kind, ending in _NO_TEXT:
        if data.startswith(start):
            raise DocumentError(f"{shown} looks like {kind}, not text; give it as a file with the ending {ending}")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{shown} is not text in UTF-8 (byte {error.start}); save it as UTF-8 and try again"
        ) from error
    if text.count("\0") > len(text) // 100:
        raise DocumentError(f"{shown} is binary, not text; give {', '.join(SUFFIXES)}")
    if len(text) > most:
        raise DocumentError(f"{shown} has {len(text):,} characters of text; {_LONG}")
    return text


def _shown(name: str) -> str:
    """A file's name as a message shows it: on one line, whatever it is made of."""
    plain = "".join(char if char.isprintable() else "?" for char in name)
    return plain if len(plain) <= 200 else f"…{plain[-199:]}"
