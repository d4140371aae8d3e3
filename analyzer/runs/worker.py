"""One of several processes of a run: it reads and judges the pitches that the run's own process sends.

It asks and stores like a run of its own, under limits that the run's process holds, and ends with that process: when
standard input closes, or, where another process still has that open, when its parent is another.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from dataclasses import replace
from functools import partial
from queue import SimpleQueue
from typing import Any, BinaryIO, Final, NoReturn

from analyzer.errors import AnalyzerError, ConfigurationError, RunStopped
from analyzer.reading import background
from analyzer.reading.limit_owner import Process, Word
from analyzer.reading.limits import LimitTerms
from analyzer.reading.panel import ENDS_RUN
from analyzer.reading.shared_limits import SharedLimits
from analyzer.results.result import Result, as_analyzer_error
from analyzer.runs.arguments import label, title_of
from analyzer.runs.garbage import collecting_less
from analyzer.runs.many import ManyRun, ReadPitch
from analyzer.runs.process_messages import (
    DonePitch,
    PitchToRead,
    ProcessReport,
    RunShare,
    SetUp,
    receive_message,
    send_message,
)

_LOOK: Final = 2.0
"""Seconds between two looks whether the run's process is still there."""
_GATHER: Final = 0.002
"""Seconds in which words for the owner of the limits are gathered."""


def main(parent: int) -> None:
    """Read pitches until standard input closes or the process with the id `parent` is gone."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run's own process
    incoming, outgoing = _own_streams()
    share: RunShare | None = receive_message(incoming)
    if share is None:
        _end()
    reports = _Reports(outgoing)
    try:
        limits = _PipedLimits(reports, share.plan().limit_terms())
        run = ManyRun(share.plan(), limits)
    except AnalyzerError as error:
        reports.send(SetUp(error))
        _end()
    reports.send(SetUp())
    work: SimpleQueue[PitchToRead | ReadPitch] = SimpleQueue()
    threading.Thread(target=_take, args=(incoming, work, limits), daemon=True).start()
    with collecting_less():
        _work(run, limits, work, reports)


def _work(run: ManyRun, limits: SharedLimits, work: SimpleQueue[Any], reports: _Reports) -> NoReturn:
    while True:
        item = work.get()
        if isinstance(item, ReadPitch):
            reports.done(_judged(run, limits, item), run.notices)
        else:
            _start(run, item, work, reports)


def _start(run: ManyRun, pitch: PitchToRead, work: SimpleQueue[Any], reports: _Reports) -> None:
    number, entry = pitch.number, pitch.entry()
    try:
        run.start(number, entry, work.put)
    except ConfigurationError as error:
        reports.done(DonePitch(number, ended=error), run.notices)
    except AnalyzerError as error:
        reports.done(DonePitch(number, _failed(number, entry, error)), run.notices)
    except Exception as error:  # noqa: BLE001  # a fault of this program must not end the run
        wrapped = as_analyzer_error(error, f"while reading pitch {label(entry, number)}")
        reports.done(DonePitch(number, _failed(number, entry, wrapped)), run.notices)


def _failed(number: int, entry: dict[str, Any], error: AnalyzerError) -> Result:
    return Result(number, label(entry, number), error=error, title=title_of(entry))


def _judged(run: ManyRun, limits: SharedLimits, finished: ReadPitch) -> DonePitch:
    outcome = finished.outcome
    if isinstance(outcome, ENDS_RUN) and not isinstance(outcome, RunStopped):
        background.call(partial(limits.end, outcome))
    if not run.take(finished):
        ended = outcome if isinstance(outcome, AnalyzerError) else None
        return DonePitch(finished.number, ended=ended)
    result = run.result(finished)
    return DonePitch(finished.number, replace(result, assessment=None), result.document())


class _Reports:
    """Sends what this process has to say. Words are gathered for a moment; a pitch that is done follows all words that
    came before it."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._lock = threading.Lock()
        self._words: list[Word] = []
        self._notices: tuple[str, ...] = ()
        self._soon = False

    def say(self, word: Word) -> None:
        """Send a word soon. Called on the event loop."""
        with self._lock:
            self._words.append(word)
            if self._soon:
                return
            self._soon = True
        asyncio.get_running_loop().call_later(_GATHER, self._flush)

    def done(self, pitch: DonePitch, notices: tuple[str, ...]) -> None:
        with self._lock:
            changed = notices if notices != self._notices else None
            self._notices = notices
            self._write((pitch,), changed)

    def send(self, message: SetUp) -> None:
        with self._lock:
            self._send(message)

    def _flush(self) -> None:
        with self._lock:
            self._soon = False
            if self._words:
                self._write((), None)

    def _write(self, done: tuple[DonePitch, ...], notices: tuple[str, ...] | None) -> None:
        words, self._words = self._words, []
        self._send(ProcessReport(words, done, notices))

    def _send(self, message: SetUp | ProcessReport) -> None:
        try:
            send_message(self._stream, message)
        except (OSError, ValueError):  # nobody is listening
            _end()


class _PipedLimits(SharedLimits):
    """The limits that the run's own process holds; words and news go through the pipes."""

    def __init__(self, reports: _Reports, terms: LimitTerms):
        super().__init__(_NoLink(), Process("", ""), terms)
        self._reports = reports

    def say(self, word: Word) -> None:
        self._reports.say(word)

    def hear(self, news: list[Any]) -> None:
        """Take in what the owner says. Called on the event loop."""
        for each in news:
            self._take_in(each)


class _NoLink:
    """Nothing goes this way."""

    async def tell(self, process: Process, words: object) -> None:
        raise AssertionError

    async def hear(self, process: Process) -> None:
        raise AssertionError


def _take(incoming: BinaryIO, work: SimpleQueue[Any], limits: _PipedLimits) -> None:
    """Hands on what comes in; when nothing can come any more, the run's process is gone, and so is this one."""
    try:
        while (message := receive_message(incoming)) is not None:
            if isinstance(message, list):
                background.call(partial(limits.hear, message))
            else:
                work.put(message)
    finally:  # also where a message makes no sense: nobody may wait for what was in it
        _end()


def _end_with(parent: int) -> None:
    """End when this process gets another parent; Windows never gives it one."""
    while os.getppid() == parent:
        time.sleep(_LOOK)
    _end()


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for messages alone: what anything prints goes to standard error."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    return incoming, outgoing


def _end() -> NoReturn:
    """End at once: other threads may be in the middle of anything, and every answer that counts is stored."""
    os._exit(0)
