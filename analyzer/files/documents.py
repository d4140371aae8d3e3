"""Any file to a document: text and Markdown here, every other kind in a separate process.

A file is hostile data: a few bytes can make a reader take hours and all memory. So each file is read in a child process
within `DocumentLimits`, and what does not finish in time is an error like any other. The packages that read documents
are an optional extra; an error says what to install. A file counts as text only if it decodes as text: no encoding is
guessed. Pages that are pictures are then read by OCR, if its extra is installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from threading import BoundedSemaphore
from types import TracebackType
from typing import Final, Self

from analyzer.errors import ConfigurationError, DocumentError, RunStopped
from analyzer.files.disk import reason
from analyzer.files.document import Document, Page, Unread
from analyzer.files.reader_process import DocumentAnswer
from analyzer.files.reader_worker import Cancelled, DocumentLimits, Worker
from analyzer.files.readers import CLOSED, READERS
from analyzer.resources import install_command

MAX_BYTES: Final = 50_000_000
"""The largest file that is opened."""
MAX_CHARACTERS: Final = 100_000
"""The longest pitch that is read: about 25,000 tokens, 60 printed pages."""
SUFFIXES: Final = (".txt", ".md", *READERS)
_KINDS: Final = ", ".join(SUFFIXES)
LIMITS: Final = DocumentLimits(characters=2 * MAX_CHARACTERS)
"""What a document may take. A text is never cut: up to twice the length of a pitch it is returned whole, and `Pitch`
counts what is left of it when it is cleaned."""
_AT_ONCE: Final = 4
"""Documents read at the same time for this process, so that many visitors cannot take all its memory."""
_OCR_PACKAGES: Final = ("rapidocr", "onnxruntime", "pypdfium2", "lxml")
_OCR_FAULTS: Final = {
    "seconds": "took too long",
    "wait": "did not begin in time",
    "memory": "needs more memory than it may use",
    "crash": "ended unexpectedly",
    "package": "is not fully installed",
}
_INSTEAD: Final = "save it without appendices and drawings, or paste the pitch as text"
_NO_TEXT: Final = (
    (b"%PDF-", "a PDF", ".pdf"),
    (b"PK\x03\x04", "a Word document, a PowerPoint file or an archive", ".docx or .pptx"),
    (b"{\\rtf", "Rich Text Format", ".rtf"),
)
"""How files begin that people pass as text."""
_LONG: Final = (
    f"a pitch has at most {MAX_CHARACTERS:,}; leave out appendices, or paste the part that says what the product does"
)
_places = BoundedSemaphore(_AT_ONCE)


def _forget() -> None:
    """Start counting anew in a forked process, where none of the parent's threads runs."""
    global _places
    _places = BoundedSemaphore(_AT_ONCE)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class DocumentReader:
    """Reads documents one after the other in one child process, which starts when needed, and again after a fault.

    Use one for many documents, because a start takes 0.3 seconds; in one thread, in a `with` block, whose end ends the
    child. `cancelled` is called at least ten times a second; when it returns true, the work under way ends.
    """

    def __init__(self, limits: DocumentLimits = LIMITS, cancelled: Callable[[], bool] | None = None):
        self._limits = limits
        self._cancelled = cancelled
        self._workers: dict[bool, Worker] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child; the next document would start another."""
        while self._workers:
            self._workers.popitem()[1].close()

    def read(self, name: str, data: bytes) -> Document:
        """What a file holds, by its name's ending and its bytes.

        Raises DocumentError if its ending is not one of SUFFIXES, or if it is too large, too long, damaged, protected,
        takes more than it may, or holds no text at all; ConfigurationError if the reader for its kind is not installed;
        RunStopped if cancelled.
        """
        shown = _shown(name)
        if len(data) > MAX_BYTES:
            raise DocumentError(
                f"{shown} has {len(data) / 1e6:.0f} MB, the limit is {MAX_BYTES / 1e6:.0f}; use a smaller file"
            )
        suffix = Path(name).suffix.lower()
        if suffix in READERS:
            return self._read_apart(shown, suffix, data)
        if suffix in CLOSED:
            raise DocumentError(f"{shown} is {CLOSED[suffix]}")
        if suffix and suffix not in SUFFIXES:
            raise DocumentError(f"{shown} cannot be read: files of this kind are not supported; use {_KINDS}")
        text = _plain(shown, data, self._limits.characters)
        if _looks_like_html(text):
            return self._read_apart(shown, ".html", text.encode("utf-8"))
        return Document.plain(_title(name), data, text)

    def read_file(self, path: Path) -> Document:
        """What a file on disk holds. Raises as `read`, and DocumentError if it cannot be opened."""
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise DocumentError(f"{_shown(str(path))} cannot be read: {reason(error)}") from error
        return self.read(str(path), data)

    def _read_apart(self, shown: str, suffix: str, data: bytes) -> Document:
        """Read a document in the child process, and its pages without text by OCR."""
        document = _document(shown, self._answer(shown, suffix, data, self._limits), self._limits)
        pictures = next((each for each in document.unread if each.kind == "pictures_as_pages"), None)
        if pictures is not None and ocr_installed():
            document = self._with_ocr(document, pictures, shown, suffix, data)
        if not any(char.isalnum() for char in document.including_asides().text):
            raise DocumentError(f"{shown} holds no text{_why_none(document)}")
        return document

    def _with_ocr(self, document: Document, pictures: Unread, shown: str, suffix: str, data: bytes) -> Document:
        limits = self._limits.for_ocr()
        wanted = (pictures.pages or (0,))[: limits.ocr_pages]
        answer = self._answer(shown, suffix, data, limits, wanted)
        if answer.problem is not None or answer.found is None:
            reason = _OCR_FAULTS.get(answer.problem or "", "failed")
            return document.with_ocr([], [Unread("ocr_failed", pictures.count, pictures.pages, reason)])
        read = [Page(page["number"], page["text"], ocr=page["ocr"]) for page in answer.found["pages"]]
        empty = tuple(page.number for page in read if not page.text.strip())
        left = (
            ("no_text_found", empty, ""),
            ("unopened", tuple(answer.found["unopened"]), ""),
            ("over_ocr_limit", tuple(answer.found["late"]), f"{limits.ocr_seconds:g} seconds"),
            ("over_ocr_limit", pictures.pages[limits.ocr_pages :], f"{limits.ocr_pages} pages"),
        )
        unread = [Unread(kind, len(pages), pages, detail) for kind, pages, detail in left if pages]
        return document.with_ocr([page for page in read if page.text.strip()], unread)

    def _answer(
        self, shown: str, suffix: str, data: bytes, limits: DocumentLimits, pictures: tuple[int, ...] | None = None
    ) -> DocumentAnswer:
        """The child's answer; one that reads pictures is a child of its own, as it takes more memory."""
        try:
            places = _places
            while not places.acquire(timeout=0.1):
                if self._cancelled is not None and self._cancelled():
                    raise Cancelled
            try:
                worker = self._workers.get(pictures is not None)
                if worker is None or not worker.alive:
                    worker = self._workers[pictures is not None] = Worker()
                return worker.read(suffix, data, limits, self._cancelled, pictures)
            finally:
                places.release()
        except Cancelled:
            raise RunStopped(f"{shown} was not read to its end: nobody is waiting for it any more") from None
        except OSError as error:
            raise DocumentError(
                f"{shown} cannot be read now, as no process can be started for it ({reason(error)}); "
                "try again, or paste the pitch as text"
            ) from error


def read_document(name: str, data: bytes, cancelled: Callable[[], bool] | None = None) -> Document:
    """What one file holds, as `DocumentReader.read` returns it."""
    with DocumentReader(cancelled=cancelled) as reader:
        return reader.read(name, data)


def read_file(path: Path) -> Document:
    """What one file on disk holds, as `DocumentReader.read_file` returns it."""
    with DocumentReader() as reader:
        return reader.read_file(path)


def ocr_installed() -> bool:
    """Whether the packages of the extra `ocr` are there."""
    return all(find_spec(name) is not None for name in _OCR_PACKAGES)


def _document(shown: str, answer: DocumentAnswer, limits: DocumentLimits) -> Document:
    """The document of an answer. Raises what its problem means."""
    if answer.problem is None and answer.found is not None:
        return replace(Document.from_json(answer.found), title=_title(shown))
    if answer.problem == "package":
        raise ConfigurationError(
            f"reading {shown} needs a package that is not installed: {install_command('documents')}"
        )
    reasons = {
        "document": answer.reason,
        "characters": f"has more than {limits.characters:,} characters of text (stopped at {answer.reason}); {_LONG}",
        "seconds": f"takes more than {limits.seconds:g} seconds to read; {_INSTEAD}",
        "wait": f"was not read within {limits.wait:g} seconds; try again when less is going on here, or {_INSTEAD}",
        "memory": f"takes more than {limits.memory / 1e6:.0f} MB of memory to read; {_INSTEAD}",
        "crash": f"made its reader fail: it is damaged or takes too much memory; {_INSTEAD}",
    }
    fault = f"was not read because of a fault of this program ({answer.reason}); paste the pitch as text, and report it"
    raise DocumentError(f"{shown} {reasons.get(answer.problem or '', fault)}")


def _why_none(document: Document) -> str:
    """What a document without text holds instead, and what to do."""
    sentences = document.sentences()
    return f": {' '.join(sentences)}" if sentences else "; export it again, or use a version with text in it"


def _plain(shown: str, data: bytes, most: int) -> str:
    for start, kind, ending in _NO_TEXT:
        if data.startswith(start):
            raise DocumentError(f"{shown} looks like {kind}, not text; give the file the ending {ending}")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{shown} is not text in UTF-8 (byte {error.start}); save it as UTF-8 and try again"
        ) from error
    if text.count("\0") > len(text) // 100:
        raise DocumentError(f"{shown} is binary, not text; use {_KINDS}")
    if len(text) > most:
        raise DocumentError(f"{shown} has {len(text):,} characters of text; {_LONG}")
    return text


def _looks_like_html(text: str) -> bool:
    """Whether a text is a whole HTML page: it begins like one."""
    start = text[:500].lstrip("\ufeff \t\r\n").lower()
    return start.startswith(("<!doctype html", "<html"))


def _title(name: str) -> str:
    """A file's name without its folders."""
    return Path(_shown(name)).name or _shown(name)


def _shown(name: str) -> str:
    """A file's name as a message shows it: printable, on one line."""
    plain = "".join(char if char.isprintable() else "?" for char in name)
    return plain if len(plain) <= 200 else f"…{plain[-199:]}"
