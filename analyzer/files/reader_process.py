"""The process that reads documents, one after the other. It can be killed at any time without losing anything.

It receives documents on standard input and answers on standard output (`send`, `receive`). A thread watches the memory
and processor time that a document takes; past a limit it answers instead of the reader and ends the process. Where that
thread cannot run, the system's own limits end the process (Windows has none; there only the parent's clock does). The
process ends with its parent, when standard input closes. Until the first document it imports the standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from queue import SimpleQueue
from typing import Any, BinaryIO, Final, NoReturn

from analyzer.files.readers.kind import PackageMissing, TooLong, Unreadable

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MOST_DOCUMENTS: Final = 200
"""Documents after which a process makes room for a new one, as its readers may leak."""
_LONGEST_HEADER: Final = 100_000_000
_LOOK: Final = 0.02
"""Seconds between two looks at what a document takes."""


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """A document to be read: its ending, the seconds of processor time, bytes of memory and characters it may take, and
    how far to lower the priority. `pictures`: None to read its text; else the numbers of the pages to read by OCR,
    which stops after `ocr_seconds`."""

    suffix: str
    seconds: float
    memory: int
    characters: int
    nice: int = 0
    pictures: tuple[int, ...] | None = None
    ocr_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class DocumentAnswer:
    """What came of a document. `problem` is None and `found` what was read (`Document.as_json`, the fields of
    `PicturesRead`, or the `lines` of `sheet_rows`), or `problem` is one of `document` (`reason` says why), `characters`
    (`reason` says where reading stopped), `package`, `seconds`, `memory`, `fault`. `last`: the process ends after this
    answer."""

    reason: str
    problem: str | None = None
    last: bool = False
    found: dict[str, Any] | None = None


def send(stream: BinaryIO, header: dict[str, Any], data: bytes = b"") -> None:
    """Write one message: a JSON object, and bytes that go with it."""
    head = json.dumps(header).encode("ascii")
    stream.write(struct.pack(">II", len(head), len(data)) + head)
    stream.write(data)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next message; None when the stream ends, also in the middle of one."""
    sizes = stream.read(8)
    if len(sizes) < 8:
        return None
    head_size, data_size = struct.unpack(">II", sizes)
    if head_size > _LONGEST_HEADER:
        return None
    head, data = stream.read(head_size), stream.read(data_size)
    return (json.loads(head), data) if len(head) == head_size and len(data) == data_size else None


def main() -> None:
    """Read documents until standard input closes."""
    requests, answers = _own_streams()
    if resource is not None:
        _set_limit(resource.RLIMIT_CORE, 0)
    started_with = _memory(virtual=True)
    waiting: SimpleQueue[tuple[dict[str, Any], bytes]] = SimpleQueue()
    threading.Thread(target=_take, args=(requests, waiting), daemon=True).start()
    done = 0
    while True:
        header, data = waiting.get()
        request = DocumentRequest(**header)
        if done == 0 and resource is not None and hasattr(resource, "RLIMIT_AS"):
            # Twice the limit, because much that is mapped is never used; the watch ends what uses the limit itself.
            _set_limit(resource.RLIMIT_AS, started_with + 2 * request.memory)
        if done == 0 and request.nice and hasattr(os, "nice"):
            with contextlib.suppress(OSError):
                os.nice(request.nice)
        watch = _LimitsWatch(request, answers)
        answer = _answer(request, data)
        watch.end()
        del data
        done += 1
        last = answer.problem in ("memory", "fault") or done >= MOST_DOCUMENTS or _memory() > request.memory // 2
        _reply(answers, replace(answer, last=last))
        if last:
            _end()


def _answer(request: DocumentRequest, data: bytes) -> DocumentAnswer:
    try:
        return DocumentAnswer("", found=_read(request, data))
    except Unreadable as error:
        # A reader that was refused memory may say something else than that.
        return DocumentAnswer(str(error), "memory" if _came_from_memory(error) else "document")
    except TooLong as error:
        return DocumentAnswer(str(error), "characters")
    except PackageMissing as error:
        return DocumentAnswer(str(error), "package")
    except MemoryError:
        return DocumentAnswer("", "memory")
    except Exception as error:  # noqa: BLE001  # a fault of this program, told to the parent
        return DocumentAnswer(type(error).__name__, "fault")


def _read(request: DocumentRequest, data: bytes) -> dict[str, Any]:
    # Here, so that a program which starts such a process need not load what runs in it.
    from analyzer.files.document_texts import document_of, pictures_of
    from analyzer.files.sheet_rows import ENDINGS, sheet_rows

    if request.suffix in ENDINGS:
        return {"lines": sheet_rows(data, request.characters)}
    if request.pictures is None:
        return document_of(request.suffix, data, request.characters).as_json()
    return asdict(pictures_of(request.suffix, data, request.pictures, request.characters, request.ocr_seconds))


def _came_from_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


class _LimitsWatch:
    """Looks at what a document takes while it is read. Past a limit it answers in its place and ends the process."""

    def __init__(self, request: DocumentRequest, answers: BinaryIO):
        self._request = request
        self._answers = answers
        self._began = time.process_time()
        self._lock = threading.Lock()
        self._over = threading.Event()
        if resource is not None:
            _set_limit(resource.RLIMIT_CPU, int(self._began + request.seconds) + 2)
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """The document has been read: nothing is answered in its place any more."""
        with self._lock:
            self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_LOOK):
            problem = None
            if _memory() > self._request.memory:
                problem = "memory"
            elif time.process_time() - self._began > self._request.seconds:
                problem = "seconds"
            if problem is not None:
                with self._lock:
                    if not self._over.is_set():
                        _reply(self._answers, DocumentAnswer("", problem, last=True))
                        _end()


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for messages alone: what a reader prints goes nowhere."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)
    return requests, answers


def _take(requests: BinaryIO, waiting: SimpleQueue[tuple[dict[str, Any], bytes]]) -> None:
    """Hands on what comes in; when nothing can come any more the parent is gone, and so is this process."""
    while (message := receive(requests)) is not None:
        waiting.put(message)
        del message
    _end()


def _reply(answers: BinaryIO, answer: DocumentAnswer) -> None:
    try:
        send(answers, asdict(answer))
    except OSError:  # nobody is listening
        _end()


def _end() -> NoReturn:
    """End at once: other threads may be in the middle of anything."""
    os._exit(0)


def _set_limit(which: int, most: int) -> None:
    """Lowers one of the system's limits, as far as the system lets it."""
    with contextlib.suppress(OSError, ValueError):
        hard = resource.getrlimit(which)[1]
        resource.setrlimit(which, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _memory(virtual: bool = False) -> int:
    """Bytes of memory in use (or mapped); where the system does not say, the most so far; 0 where it says nothing."""
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:
            return int(file.read(200).split()[0 if virtual else 1]) * _PAGE
    except (OSError, ValueError, IndexError):
        if resource is None or virtual:
            return 0
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _page_size() -> int:
    sysconf: Callable[[str], int] | None = getattr(os, "sysconf", None)
    return sysconf("SC_PAGE_SIZE") if sysconf is not None else 4096


_PAGE: Final = _page_size()
