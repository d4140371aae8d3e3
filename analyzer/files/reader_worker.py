"""One child process that reads documents for this process. It ends at a limit, at a fault, or when nobody waits for it.

The child is a new Python that imports only what reading needs. It is not forked, because a fork copies threads in the
middle of their work, and it does not run the user's script again, as multiprocessing would. It sees no keys: it gets
only the environment variables that a process needs to start. What it prints is never shown.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final, cast

from analyzer.files.reader_process import DocumentAnswer, DocumentRequest, receive, send

_ROOT: Final = str(Path(__file__).resolve().parent.parent.parent)
_START: Final = (
    "import sys; sys.path += sys.argv[1:]; from analyzer.files.reader_process import main; sys.argv[1:] = []; main()"
)
_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LANG")
_LOOK: Final = 0.05
"""Seconds between two looks whether anybody still waits."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """What one document may take: seconds of processor time and of waiting, bytes of memory, characters of text.

    `nice`: by how much reading lowers its priority (0 not at all, 19 most). `ocr_pages`, `ocr_seconds`, `ocr_memory`:
    how many pages OCR reads, how long it may take for all of them, and its bytes of memory.
    """

    seconds: float = 30.0
    wait: float = 60.0
    memory: int = 400_000_000
    characters: int = 200_000
    nice: int = 0
    ocr_pages: int = 40
    ocr_seconds: float = 300.0
    ocr_memory: int = 1_500_000_000

    def for_ocr(self) -> DocumentLimits:
        """The limits of the process that reads pictures: it must end by itself, with the pages that it has read."""
        return replace(self, seconds=4 * self.ocr_seconds + 60, wait=self.ocr_seconds + 120, memory=self.ocr_memory)


class Cancelled(Exception):
    """Nobody waits for this document any more."""


class Worker:
    """A child process. Raises OSError if none can be started. To be closed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _START, *_paths()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,  # never where the user works: what lies there could be imported
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            start_new_session=True,  # Ctrl-C is for the parent, which lets the document under way finish
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0)
            | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._exchange: _Exchange | None = None
        self._parent = os.getpid()
        self._closed = False

    @property
    def alive(self) -> bool:
        """Whether it reads further documents for this process; not for one that was forked from its parent."""
        return not self._closed and self._parent == os.getpid()

    def read(
        self,
        suffix: str,
        data: bytes,
        limits: DocumentLimits,
        cancelled: Callable[[], bool] | None,
        pictures: tuple[int, ...] | None = None,
    ) -> DocumentAnswer:
        """Read a document, or by OCR its `pictures`. Return the child's answer, or a problem that only its parent sees:
        `wait` (it took too long) or `crash`.

        Raises Cancelled when `cancelled` says so; as after any other exception, the child has ended then.
        """
        request = DocumentRequest(
            suffix, limits.seconds, limits.memory, limits.characters, limits.nice, pictures, limits.ocr_seconds
        )
        until = time.monotonic() + limits.wait
        try:
            self._exchange = exchange = _Exchange(self._process, request, data)
            while not exchange.over.wait(_LOOK if cancelled else max(0.0, until - time.monotonic())):
                if cancelled is not None and cancelled():
                    raise Cancelled
                if time.monotonic() >= until:
                    self.close()
                    return exchange.answer or DocumentAnswer("", "wait", last=True)
        except BaseException:
            self.close()
            raise
        exchange.join()
        answer = exchange.answer
        if answer is None or answer.last:
            self.close()
        if answer is None:
            by_limit = self._process.returncode == -getattr(signal, "SIGXCPU", sys.maxsize)
            answer = DocumentAnswer("", "seconds" if by_limit else "crash", last=True)
        return answer

    def close(self) -> None:
        """End the child, whatever it does, and leave nothing of it."""
        self._closed = True
        self._process.kill()
        self._process.wait()
        if self._exchange is not None:
            self._exchange.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()


class _Exchange:
    """Sends one document and receives the answer, in a thread that ends when the child does."""

    def __init__(self, process: subprocess.Popen[bytes], request: DocumentRequest, data: bytes):
        self.over = threading.Event()
        self.answer: DocumentAnswer | None = None
        self._process = process
        self._thread = threading.Thread(
            target=self._run, args=(request, data), name="pitch-analyzer-document", daemon=True
        )
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _run(self, request: DocumentRequest, data: bytes) -> None:
        try:
            # The child may have answered before it received everything, for example that the document is too large.
            with contextlib.suppress(OSError):
                send(cast(BinaryIO, self._process.stdin), asdict(request), data)
            message = receive(cast(BinaryIO, self._process.stdout))
            self.answer = None if message is None else DocumentAnswer(**message[0])
        except (OSError, ValueError, TypeError):  # the child ended in the middle
            self.answer = None
        finally:
            self.over.set()


def _paths() -> list[str]:
    """Where the child finds modules, after the standard library: this package, installed packages, then the other paths
    of this process. The user's current folder is left out, unless the package itself is there."""
    here = {"", os.curdir}
    with contextlib.suppress(OSError):  # it may be gone
        here.add(str(Path.cwd()))
    known = [path for path in sys.path if path not in here and path != _ROOT]
    known.sort(key=lambda path: Path(path).name not in ("site-packages", "dist-packages"))
    return [_ROOT, *known]
