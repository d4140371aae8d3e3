"""Computes pieces of work in processes of their own, so that this process stays free for people.

Python computes for one thread at a time: work in a thread would take its turn between any two steps of a page that is
being drawn. The processes run at a low priority, are shared by all who have work, and end when there has been none for
a while. A piece is a function of a module and one argument, both pickled.
"""

from __future__ import annotations

import atexit
import logging
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, BinaryIO, Final, TypeVar, cast

from analyzer.results.result import SystemRefused
from analyzer.runs.pipes import read_message, write_message
from analyzer.runs.side_process import SideAnswer, SideWork

_Piece = TypeVar("_Piece")
_Answer = TypeVar("_Answer")

_ROOT: Final = str(Path(__file__).resolve().parent.parent.parent)
_MOST: Final = 4
"""Processes at most, however many processors there are: each takes some 100 MB."""
_AHEAD: Final = 2
"""Pieces of one map that wait or are under way, for each process: enough to keep all busy, few enough that others who
come meanwhile soon have their turn."""
_IDLE: Final = 60.0
"""Seconds without work after which a process ends."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _SideJob:
    work: SideWork
    future: Future[Any]


class SideProcesses:
    """Up to `most` processes, started when there is work. Any thread may use it."""

    def __init__(self, most: int | None = None, idle: float = _IDLE):
        self.most = max(1, min(_MOST, os.cpu_count() or 1)) if most is None else most
        self._idle = idle
        self._jobs: SimpleQueue[_SideJob] = SimpleQueue()
        self._lock = Lock()
        self._places = 0
        self._unfinished = 0
        self._processes: set[subprocess.Popen[bytes]] = set()
        atexit.register(self.close)

    def submit(self, do: Callable[[_Piece], _Answer], piece: _Piece) -> Future[_Answer]:
        """Compute `do(piece)`. The future raises what it raised; SystemRefused if its process died."""
        future: Future[_Answer] = Future()
        with self._lock:
            self._unfinished += 1
            self._jobs.put(_SideJob(SideWork(do, piece), future))
            if self._places < min(self.most, self._unfinished):
                self._places += 1
                Thread(target=self._serve, name="pitch-analyzer-side", daemon=True).start()
        return future

    def map(self, do: Callable[[_Piece], _Answer], pieces: Iterable[_Piece]) -> Iterator[_Answer]:
        """What `do` makes of each piece, in their order; the pieces are consumed as needed."""
        waiting: deque[Future[_Answer]] = deque()
        try:
            for piece in pieces:
                waiting.append(self.submit(do, piece))
                if len(waiting) >= _AHEAD * self.most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def warm_up(self) -> None:
        """Start the processes, for work that comes soon."""
        for _ in range(self.most):
            self.submit(_nothing, None)

    def close(self) -> None:
        """End all processes at once."""
        for process in list(self._processes):
            process.kill()

    # ---------------------------------------------------------------- one thread for each process

    def _serve(self) -> None:
        process: subprocess.Popen[bytes] | None = None
        while True:
            try:
                job = self._jobs.get(timeout=self._idle)
            except Empty:
                with self._lock:
                    if not self._jobs.empty():
                        continue
                    self._places -= 1
                self._end(process)
                return
            if job.future.set_running_or_notify_cancel():
                if process is not None and process.poll() is not None:  # something ended it meanwhile
                    self._end(process)
                    process = None
                process = process or self._started()
                if not self._computed(process, job):
                    self._end(process)
                    process = None
            with self._lock:
                self._unfinished -= 1

    def _computed(self, process: subprocess.Popen[bytes] | None, job: _SideJob) -> bool:
        """Has one piece computed; whether the process lives on."""
        try:
            answer = job.work.answer() if process is None else _answer(process, job.work)  # none can be started: here
        except Exception as error:  # noqa: BLE001  # whoever waits for the piece is told
            job.future.set_exception(error)
            return False
        if answer.where:
            _log.error("%s in a process of its own\n%s", answer.error, answer.where)
        if answer.error is not None:
            job.future.set_exception(answer.error)
        else:
            job.future.set_result(answer.value)
        return True

    def _started(self) -> subprocess.Popen[bytes] | None:
        paths = os.pathsep.join([_ROOT, *filter(None, [os.environ.get("PYTHONPATH")])])
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "analyzer.runs.side_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": paths},
                start_new_session=True,  # Ctrl-C is for this process; when it ends, so do the others
                creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),
            )
        except OSError as error:
            _log.warning("No process can be started (%s); this one computes everything", error.strerror)
            return None
        self._processes.add(process)
        return process

    def _end(self, process: subprocess.Popen[bytes] | None) -> None:
        if process is None:
            return
        self._processes.discard(process)
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                cast(BinaryIO, pipe).close()


def _answer(process: subprocess.Popen[bytes], work: SideWork) -> SideAnswer:
    with suppress(OSError):  # it died: there is no answer
        write_message(cast(BinaryIO, process.stdin), work)
    answer: SideAnswer | None = read_message(cast(BinaryIO, process.stdout))
    if answer is None:
        process.kill()
        raise SystemRefused(f"a process that computes for this one ended (code {process.wait()}); try again (memory?)")
    return answer


def _nothing(_: None) -> None:
    """Does nothing, in a process that is ready after it."""


shared: Final = SideProcesses()
"""Of this process, for all its work."""
