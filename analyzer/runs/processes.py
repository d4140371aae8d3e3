"""A run whose pitches are read and judged in several processes, with the limits and the pledges of one.

Each process asks and stores by itself, so this one only shares out pitches and slots, and hands on results. A process
that dies is replaced, and what it had in hand is read again: what it stored is not asked again. A pitch in whose hands
processes die is read alone, and fails if one dies again; it never takes others with it.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, RLock, Thread
from typing import Any, BinaryIO, Final, cast
from uuid import uuid4

from analyzer.errors import AnalyzerError, ConfigurationError
from analyzer.framework.assessment import PitchRef
from analyzer.reading import background
from analyzer.reading.limit_owner import LimitOwner, Process
from analyzer.reading.limits import OwnLimits
from analyzer.reading.pitch import Pitch
from analyzer.reading.rate_limiter import stopped
from analyzer.results.result import Result, SystemRefused, WrittenResult
from analyzer.runs.arguments import id_and_text, title_of
from analyzer.runs.many import ManyRun, ReadPitch
from analyzer.runs.plan import RunPlan
from analyzer.runs.process_messages import (
    DonePitch,
    Message,
    PitchToRead,
    ProcessReport,
    RunShare,
    SetUp,
    receive_message,
    send_message,
)

_ROOT: Final = str(Path(__file__).resolve().parent.parent.parent)
_START: Final = (
    "import sys; parent, *folders = sys.argv[1:]; sys.path[:0] = folders[:1]; "
    "sys.path += [each for each in folders if each not in sys.path]; "
    "from analyzer.runs.worker import main; main(int(parent))"
)
"""What a process runs: it finds modules where this one does, however that was started."""
_SUSPECT: Final = 2
"""Deaths of processes after which a pitch that they had in hand is read alone."""
_MOST_DEATHS: Final = 5
"""Processes that may die one after the other without finishing a pitch."""
_GATHER: Final = 0.002
"""Seconds in which news for a process is gathered."""
_ELSEWHERE: Final = Pitch("", PitchRef(), (), ())
"""In place of a pitch that another process has."""


class ProcessDied(AnalyzerError):
    """The process that read a pitch died each time, also when it read nothing else."""

    kind = "system"


@dataclass(eq=False, slots=True)
class _PitchInHand:
    """A pitch that was started. `deaths`: of processes that had it in hand."""

    pitch: PitchToRead
    deliver: Callable[[ReadPitch], None]
    deaths: int = 0

    def over(self, outcome: Result | AnalyzerError) -> None:
        self.deliver(ReadPitch(self.pitch.number, _ELSEWHERE, outcome))

    def failed(self, error: AnalyzerError) -> None:
        pitch = self.pitch
        self.over(Result(pitch.number, pitch.id or str(pitch.number), error=error, title=pitch.title))


class ProcessesRun(ManyRun):
    """One run over many pitches in `plan.processes` processes. See `ManyRun`; `deliver` gets judged results."""

    def __init__(self, plan: RunPlan):
        """Raises ConfigurationError if the model or the store cannot be set up, or no process can be started."""
        self._hands = RLock()
        self._backlog: deque[_PitchInHand] = deque()
        self._suspects: deque[_PitchInHand] = deque()
        self._team: list[_ReadingProcess] = []
        self._notices_of: dict[int, tuple[str, ...]] = {}
        super().__init__(plan)

    def _set_up(self) -> None:
        self._owner = LimitOwner(cast(OwnLimits, self._limits), gather=_GATHER)
        share = RunShare.of(self.plan)
        try:
            for place in range(self.plan.processes):
                self._team.append(_ReadingProcess(self, place, share, self._owner))
                if place == 0:
                    self._team[0].wait_until_set_up()  # it creates the store, alone
        except BaseException:
            self._end_processes()
            raise

    @property
    def process_ids(self) -> list[int]:
        """The ids of the processes, as of now."""
        return [each.process_id for each in self._team]

    @property
    def notices(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(notice for each in self._notices_of.values() for notice in each))

    def start(self, number: int, entry: object, deliver: Callable[[ReadPitch], None]) -> None:
        own_id, text = id_and_text(entry)
        pitch = PitchToRead(number, _plain(own_id), _plain(text), _plain(title_of(entry)))
        with self._hands:
            if self._closing:
                return
            self._under_way[number] = Future()
            self._backlog.append(_PitchInHand(pitch, deliver))
            self._share_out()

    def has_to_stop(self) -> bool:
        stopped_before = self._stopped
        if super().has_to_stop() and not stopped_before:
            background.call(lambda: self._owner.end(self.ended))
            with self._hands:
                self._drop_waiting()
        return self._stopped

    def cancel(self) -> None:
        with self._guard:
            self._closing = True
        self._end_processes()

    def _close_readers(self) -> None:
        self._end_processes()

    # ------------------------------------------------------------ what the processes say

    async def take_in(self, process: _ReadingProcess, identity: Process, report: ProcessReport) -> None:
        """Take in what a process says. On the event loop, in its order."""
        if report.words:
            await self._owner.tell(identity, report.words)
        if report.notices is not None:
            self._notices_of[process.place] = report.notices
        if not report.done:
            return
        self.ended = self.ended or self._owner.error  # of pitches that it stopped, none may say why
        with self._hands:
            taken = [(process.in_hand.pop(done.number, None), done) for done in report.done]
            process.deaths = 0
            self._share_out()
        for pitch, done in taken:
            if pitch is not None:
                pitch.over(_outcome(done))

    def lost(self, process: _ReadingProcess) -> bool:
        """Note that a process died; whether it has to be replaced."""
        with self._hands:
            lost, alone = list(process.in_hand.values()), process.alone
            process.in_hand.clear()
            process.alone = False
            if self._closing:
                return False
            process.deaths += 1
            for pitch in lost:
                pitch.deaths += 1
                if alone:
                    pitch.failed(
                        ProcessDied(
                            "the process that read this pitch died several times, the last time with no other pitch in "
                            "hand; the other pitches are not affected"
                        )
                    )
                    process.deaths = 0
                else:
                    (self._suspects if pitch.deaths >= _SUSPECT else self._backlog).append(pitch)
            if process.deaths > _MOST_DEATHS:
                self.give_up(
                    SystemRefused(
                        f"{process.deaths} processes of the run died one after the other; nothing more is asked. Use "
                        "fewer processes (--processes), or look at what ends them (memory?)"
                    )
                )
            if self._stopped or self.ended is not None:
                self._drop_waiting()
                return False
        return True

    def give_up(self, error: AnalyzerError) -> None:
        """End the run: what is in flight is finished."""
        self.ended = self.ended or error

    def ready(self, process: _ReadingProcess) -> None:
        """Note that a process can read."""
        with self._hands:
            process.running = True
            self._share_out()

    # ------------------------------------------------------------ pitches and hands

    def _share_out(self) -> None:
        """Send waiting pitches to the processes, each to the one with the fewest; suspects to the first, one by one."""
        if self._stopped:
            self._drop_waiting()
            return
        first = self._team[0] if self._team else None
        if first is not None and not first.in_hand:
            first.alone = False
            if self._suspects and first.running:
                first.alone = True
                first.read(self._suspects.popleft())
        reserved = first if self._suspects or (first is not None and first.alone) else None
        running = [each for each in self._team if each.running and each is not reserved]
        while self._backlog and running:
            min(running, key=lambda each: len(each.in_hand)).read(self._backlog.popleft())

    def _drop_waiting(self) -> None:
        """Let go of pitches that nobody reads any more: they have no result."""
        for waiting in (self._backlog, self._suspects):
            while waiting:
                waiting.popleft().over(stopped())

    def _end_processes(self) -> None:
        for each in self._team:
            each.end()


class _ReadingProcess:
    """One place of the run: a process, and the next one where it dies. `in_hand`: its pitches, by number. `alone`:
    whether it reads a suspect."""

    def __init__(self, run: ProcessesRun, place: int, share: RunShare, owner: LimitOwner):
        self.place = place
        self.in_hand: dict[int, _PitchInHand] = {}
        self.alone = False
        self.running = False
        self.deaths = 0
        self._run = run
        self._share = share
        self._owner = owner
        self._ended = False
        self._set_up = Event()
        if place:  # nobody waits for it
            self._set_up.set()
        self._folder = _working_folder()
        self._refusal: AnalyzerError | None = None
        self._writing = RLock()
        self._process = self._started()
        Thread(target=self._serve, name=f"pitch-analyzer-process-{place}", daemon=True).start()

    @property
    def process_id(self) -> int:
        return self._process.pid

    def wait_until_set_up(self) -> None:
        """Wait for the first process at this place. Raises the error for which it could not set up."""
        self._set_up.wait()
        if self._refusal is not None:
            raise self._refusal

    def read(self, pitch: _PitchInHand) -> None:
        """Give the process a pitch in hand."""
        self.in_hand[pitch.pitch.number] = pitch
        self._send(pitch.pitch)

    def end(self) -> None:
        """End the process at once, for good."""
        self._ended = True
        self._process.kill()
        with suppress(OSError):
            self._process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        folders = [_ROOT, *(os.path.abspath(each) for each in sys.path if each)]
        try:
            return subprocess.Popen(  # noqa: S603  # this Python
                [sys.executable, *_flags(), "-c", _START, str(os.getpid()), *folders],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=self._folder,
                start_new_session=True,  # Ctrl-C is for this process, which lets what is in flight finish
            )
        except OSError as error:
            raise ConfigurationError(
                f"no process can be started ({error.strerror}); use fewer, or none: --processes 1"
            ) from error

    def _serve(self) -> None:
        """Listen to the process until it ends, and to the next one; in a thread of its own."""
        while True:
            try:
                self._listen()
            except Exception:  # noqa: BLE001  # what it says makes no sense: another takes its place
                self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    cast(BinaryIO, pipe).close()
            if not self._set_up.is_set():
                self._refusal = ConfigurationError(
                    f"a process of the run ended while it started (code {self._process.returncode}); nothing was asked"
                )
                self._set_up.set()
                return
            if self._ended or self._refusal is not None or not self._run.lost(self):
                return
            try:
                self._process = self._started()
            except AnalyzerError as error:
                self._run.give_up(error)
                self._run.lost(self)
                return
            if self._ended:
                self._process.kill()

    def _listen(self) -> None:
        identity = Process(str(self.place), uuid4().hex)
        self._send(self._share)
        news: Future[None] | None = None
        output = cast(BinaryIO, self._process.stdout)
        try:
            while (message := receive_message(output)) is not None:
                if isinstance(message, SetUp):
                    if message.error is not None:
                        self._refused(message.error)
                        break
                    news = background.submit(self._pass_on_news(identity))
                    self._run.ready(self)
                    self._set_up.set()
                else:
                    background.submit(self._run.take_in(self, identity, message))
        finally:
            self.running = False
            if news is not None:
                news.cancel()

    def _refused(self, error: AnalyzerError) -> None:
        self._refusal = error
        if self._set_up.is_set():  # a replacement, or not the first: the run cannot go on
            self._run.give_up(error)
            self._run.lost(self)
        self._set_up.set()

    async def _pass_on_news(self, identity: Process) -> None:
        while True:
            news = await self._owner.hear(identity)
            if news:
                await asyncio.to_thread(self._send, news) if len(news) > _LONG else self._send(news)

    def _send(self, message: Message) -> None:
        with self._writing, suppress(OSError, ValueError):  # it died: whoever listens to it sees that
            send_message(cast(BinaryIO, self._process.stdin), message)


_LONG: Final = 500
"""Pieces of news that may not fit into a pipe at once."""


def _plain(text: Any) -> Any:
    """A text as nothing but a text: a class of the caller's script is not known in another process."""
    return str.__str__(text) if isinstance(text, str) else text


def _flags() -> list[str]:
    """The options of this Python that say where modules and settings are taken from."""
    flags = sys.flags
    own = {"-I": flags.isolated, "-E": flags.ignore_environment, "-s": flags.no_user_site, "-O": flags.optimize == 1}
    return ["-P", *(name for name, is_set in {**own, "-OO": flags.optimize == 2}.items() if is_set)]


def _working_folder() -> str | None:
    """The working folder, in which relative paths of the run mean what they mean now; None if it is gone."""
    try:
        return os.getcwd()
    except OSError:
        return None


def _outcome(done: DonePitch) -> Result | AnalyzerError:
    if done.result is None:
        return done.ended or stopped()
    return done.result if done.document is None else WrittenResult(done.result, done.document)
