"""The work on a portfolio, in the background: pitches read, gone on with, opened from a file, fetched from the store.

Streamlit starts the page anew at every click, so a thread does the work, and hands what takes long to other
processes: this one draws pages. What belongs to somebody is saved as it goes, so that neither a closed tab nor the end
of this server loses more than the last half second. What belongs to nobody lives in this server's memory. A run that
nobody looks at any more ends, unless its visitor wants it to go on.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from threading import Lock, Thread
from traceback import format_tb
from typing import Final, TypeVar

from analyzer.errors import AnalyzerError, InputError, StoreError
from analyzer.files.pitches import PitchFeed
from analyzer.files.tables import InputPitch
from analyzer.page import presence
from analyzer.page.portfolio_work import (
    FEW,
    PortfolioWork,
    RunChoices,
    counted,
    figures,
    outcome,
    packed,
    pitch_document,
    restored,
    result_json,
    together,
    unpacked,
    waits,
)
from analyzer.results.documents import JSON_LINES, entries_in
from analyzer.results.result import Progress, as_analyzer_error
from analyzer.runs.many import analyze_many
from analyzer.runs.portfolio_parts import (
    Piece,
    PitchesToRead,
    PortfolioItem,
    PortfolioPart,
    ResultsToOpen,
    SavedToFetch,
    in_pieces,
    part_of,
)
from analyzer.runs.side_processes import shared
from analyzer.settings import Settings, asks_a_server
from analyzer.store.portfolios import Claim, NewPitch, SavedPortfolio, SavedResult
from analyzer.store.store import Store
from analyzer.vocabulary.labels import how_many

MOST_PITCHES: Final = 5_000
"""Pitches that the page takes at once."""
_OFTEN: Final = 0.5
"""Seconds between two times that results which cost nothing are saved; paid ones are saved at once."""
_AT_ONCE: Final = 16
"""Pitches that a model's server reads at once."""
_READ_TOGETHER, _OPENED_TOGETHER = 8, 20
"""Pitches of one piece of work, read here or opened: a second at most, so that Stop and other visitors wait no
longer."""
_LATELY: Final = 20.0
"""Seconds over which the pace of a run is taken."""
_TAKEN_OVER: Final = "this portfolio was deleted, or another server goes on with it; open it again from History"
_log = logging.getLogger(__name__)
_Entry = TypeVar("_Entry")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a portfolio lives: the store, for its owner; without a store in this server's memory. `owner`: None =
    whoever has its address."""

    owner: str | None = None
    store: Store | None = None


class PortfolioRun:
    """A portfolio that is worked on, or was, and who looks at it."""

    def __init__(self, work: PortfolioWork, place: Place = Place()) -> None:
        self.work = work
        self.place = place
        self.journal: Journal | None = None
        self._watchers: set[Callable[[], bool]] = set()
        self._watched_at = time.monotonic()
        self._lock = Lock()

    def watch(self, connected: Callable[[], bool]) -> None:
        """Counts a visitor among those who look at it, as long as they are `connected`."""
        with self._lock:
            self._watchers.add(connected)

    def seconds_alone(self) -> float:
        """Seconds for which nobody has looked at it."""
        with self._lock:
            self._watchers = {watcher for watcher in self._watchers if watcher()}
            if self._watchers:
                self._watched_at = time.monotonic()
        return time.monotonic() - self._watched_at

    def resume(self) -> bool:
        """Marks what has ended as under way again; False if nothing is left to read, or another tab went on first."""
        work = self.work
        with self._lock:
            if not work.done.is_set() or work.deleted or not work.waiting:
                return False
            work.done.clear()
        return True

    def start(self, do: Callable[[PortfolioRun], None]) -> None:
        """Begins work in the background."""
        work = self.work
        work.done.clear()
        presence.end_when(work.done, self._left_alone, work.stop.set)
        Thread(target=_do, args=(self, do), name="pitch-analyzer-portfolio", daemon=True).start()

    def _left_alone(self) -> bool:
        return not self.work.goes_on and self.seconds_alone() > presence.GONE

    def choose(self, number: int, shortlisted: bool) -> None:
        """Puts a pitch on the shortlist, or takes it off. Raises StoreError."""
        (self.work.shortlist.add if shortlisted else self.work.shortlist.discard)(number)
        if self.work.saved and self.place.store is not None and self.place.owner is not None:
            self.place.store.portfolios.choose(self.place.owner, self.work.id, number, shortlisted)


class Pace:
    """How many pitches a second a run has finished lately."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque([(0.0, 0)])

    def of(self, finished: int, elapsed: float) -> float | None:
        """The pace now; None while there is too little to say."""
        self._seen.append((elapsed, finished))
        while len(self._seen) > 2 and elapsed - self._seen[0][0] > _LATELY:
            self._seen.popleft()
        since, before = self._seen[0]
        return (finished - before) / (elapsed - since) if elapsed > since else None


@dataclass(slots=True)
class Journal:
    """Saves a run as it goes. What cannot be saved costs the run nothing: the page says so."""

    store: Store
    claim: Claim
    work: PortfolioWork
    unsaved: list[SavedResult] = field(default_factory=list)
    last: float = field(default_factory=time.monotonic)

    def note(self, item: PortfolioItem, *, now: bool) -> None:
        """Saves what came of a pitch, `now` or soon."""
        self.unsaved.append(SavedResult(item.result.number, result_json(item), item.result.sha256))
        if now or time.monotonic() - self.last > _OFTEN:
            self.flush()

    def add(self, pitches: Iterable[NewPitch]) -> None:
        """Saves the pitches of the run."""
        self._write(lambda: self.store.portfolios.add(self.claim, pitches))

    def flush(self) -> None:
        """Saves what is not saved yet."""
        results, self.unsaved = self.unsaved, []
        self.last = time.monotonic()
        if not self._write(lambda: self.store.portfolios.save_results(self.claim, results, figures(self.work))):
            self.unsaved = results + self.unsaved

    def _write(self, write: Callable[[], bool]) -> bool:
        try:
            holds = write()
        except StoreError as error:
            self.work.unsaved = error
            return False
        if not holds:
            self.work.stop.set()
            self.work.unsaved = InputError(_TAKEN_OVER)
        else:
            self.work.unsaved = None
        return True


def read_many(
    pitches: Iterable[InputPitch],
    total: int,
    name: str,
    *,
    settings: Settings,
    options: RunChoices,
    place: Place = Place(),
) -> PortfolioRun:
    """Starts reading the pitches. Raises InputError if there are none, or more than the page takes."""
    if not total:
        raise InputError(f"{name} contains no pitch")
    if total > MOST_PITCHES:
        raise InputError(f"{name} has {total:,} pitches, the page takes {MOST_PITCHES:,}; split the file")
    work = PortfolioWork(name, reads_pitches=True, progress=Progress(total=total), owner=place.owner, options=options)
    journal = _journal(work, place)

    def do(run: PortfolioRun) -> None:
        taken = _taken(work, pitches)
        if journal is None:
            for _ in taken:
                pass
        else:
            journal.add(taken)
        _read(run, settings)

    return _run(work, place, journal, do)


def go_on(run: PortfolioRun, settings: Settings) -> None:
    """Reads the pitches without a result, unless that is under way. Raises StoreError, or InputError if the portfolio
    is not there any more."""
    work = run.work
    if not run.resume():
        return
    try:
        journal = _claimed(run)
    except AnalyzerError:
        work.done.set()
        raise
    run.journal = journal or run.journal
    work.stop.clear()
    work.ended = None
    run.start(lambda started: _read(started, settings))


def _claimed(run: PortfolioRun) -> Journal | None:
    """What saves the run from now on, here and nowhere else; None if it is not saved."""
    work, place = run.work, run.place
    if not work.saved or place.store is None or place.owner is None:
        return None
    claim = place.store.portfolios.claim(place.owner, work.id)
    if claim is None:
        raise InputError("this portfolio was deleted")
    return Journal(place.store, claim, work)


def open_results(name: str, data: bytes, *, place: Place = Place()) -> PortfolioRun:
    """Opens a file of results (JSON Lines, JSON, Parquet; as `pitch bulk` writes them)."""
    work = PortfolioWork(name, reads_pitches=False, owner=place.owner)
    journal = _journal(work, place)

    def do(run: PortfolioRun) -> None:
        work.progress = Progress(total=_length(name, data))
        faults: list[AnalyzerError] = []
        opened = _opened_results(work, name, data, faults)
        if journal is None:
            for _ in opened:
                pass
        else:
            journal.add(opened)
        if faults:
            raise faults[0]
        if not work.items:
            raise InputError(f"{name} contains no result")

    return _run(work, place, journal, do)


def fetch(store: Store, saved: SavedPortfolio) -> PortfolioRun:
    """Fetches a portfolio from the store; it is not gone on with."""
    work = restored(saved)

    def do(run: PortfolioRun) -> None:
        known = (pitch for pitch in store.portfolios.pitches(saved.owner, saved.id) if not waits(work, pitch))
        outcomes = (outcome(work, pitch) for pitch in known)
        pieces = (SavedToFetch(saved.name, piece) for piece in in_pieces(outcomes, _OPENED_TOGETHER))
        for part in _parts(pieces, saved.total or MOST_PITCHES):
            work.join(part)
            work.progress = counted(work.progress, [item.result for item in part.items])
        if saved.total is None:
            work.ended = InputError(f"{saved.name} was not taken in as a whole; start again with the file")
            work.waiting.clear()

    return _run(work, Place(saved.owner, store), None, do)


# ---------------------------------------------------------------- in the thread


def _run(
    work: PortfolioWork, place: Place, journal: Journal | None, do: Callable[[PortfolioRun], None]
) -> PortfolioRun:
    run = PortfolioRun(work, place)
    run.journal = journal
    run.start(do)
    return run


def _journal(work: PortfolioWork, place: Place) -> Journal | None:
    """What saves the run, for somebody to whom it belongs. If the store fails, the run goes on without it."""
    if place.store is None or place.owner is None:
        return None
    options = {name: value for name, value in asdict(work.options).items() if name != "model"}
    try:
        claim = place.store.portfolios.create(
            owner=place.owner, name=work.name, model=work.options.model, options=options
        )
    except StoreError as error:
        work.unsaved = error
        return None
    work.id, work.saved = claim.portfolio, True
    return Journal(place.store, claim, work)


def _do(run: PortfolioRun, do: Callable[[PortfolioRun], None]) -> None:
    """Works, saves and ranks; whatever fails, nobody waits for it for ever."""
    try:
        _guarded(run.work, lambda: do(run))
        _guarded(run.work, lambda: _finish(run))
    finally:
        run.work.loading = False
        run.work.done.set()


def _finish(run: PortfolioRun) -> None:
    if run.journal is not None:
        run.journal.flush()
    run.work.rank()


def _guarded(work: PortfolioWork, step: Callable[[], None]) -> None:
    """Does a step; an error of it is why the work ended."""
    try:
        step()
    except AnalyzerError as error:
        work.ended = error
    except Exception as error:  # noqa: BLE001  # a bug: one line for the visitor, the rest for who runs the page
        where = "".join(format_tb(error.__traceback__))  # without its message, which may quote a pitch
        _log.error("%s while working on many pitches\n%s", type(error).__name__, where)
        work.ended = as_analyzer_error(error, f"after {how_many(len(work.items), 'pitch', 'pitches')}")


def _parts(pieces: Iterator[Piece], count: int) -> Iterator[PortfolioPart]:
    """The parts of so many pitches, computed in other processes unless they are few."""
    return map(part_of, pieces) if count < FEW else shared.map(part_of, pieces)


def _taken(work: PortfolioWork, pitches: Iterable[InputPitch]) -> Iterator[NewPitch]:
    """Takes all pitches in, before the first is read: what was stopped or broke off can then go on."""
    for number, pitch in enumerate(islice(pitches, MOST_PITCHES)):
        if work.stop.is_set() and work.unsaved is not None:
            return
        work.waiting[number] = packed(pitch)
        yield NewPitch(number, pitch_document(pitch))


def _read(run: PortfolioRun, settings: Settings) -> None:
    """Reads the pitches that wait, in their order."""
    work, numbers = run.work, sorted(run.work.waiting)
    if asks_a_server(work.options.model):
        _read_by_server(run, settings, numbers)
    else:
        _read_by_processor(run, settings, numbers)


def _read_by_server(run: PortfolioRun, settings: Settings, numbers: Sequence[int]) -> None:
    """A model's server reads them, several at once; what is left to compute takes little."""
    work, before, pace = run.work, run.work.progress, Pace()
    feed = PitchFeed(unpacked(work.waiting[number]) for number in numbers)

    def note(progress: Progress) -> None:
        together_ = together(before, progress, before.total)
        work.progress = replace(together_, pace=pace.of(progress.finished, progress.elapsed))

    results = analyze_many(
        feed,
        model=work.options.model,
        settings=settings,
        store=work.options.save_answers,
        verify=work.options.verify or False,
        readings=work.options.readings,
        concurrency=_AT_ONCE,
        max_cost=work.options.max_cost,
        on_progress=note,
        stop=work.stop,
        total=len(numbers),
    )
    for result in results:
        pitch = feed.pop(result.number)
        result = replace(result, number=numbers[result.number])
        item = work.add(result, pitch.source, None if pitch.error is not None else pitch.text, pitch.columns)
        del work.waiting[result.number]
        if run.journal is not None:
            run.journal.note(item, now=True)


def _read_by_processor(run: PortfolioRun, settings: Settings, numbers: Sequence[int]) -> None:
    """This machine reads them, in pieces, which leaves this process to the pages."""
    work, before, pace = run.work, run.work.progress, Pace()
    started, now = time.monotonic(), Progress(total=len(numbers))

    def pieces() -> Iterator[Piece]:
        for piece in in_pieces(numbers, _READ_TOGETHER):
            if work.stop.is_set():
                return
            pitches = [unpacked(work.waiting[number]) for number in piece]
            yield PitchesToRead(piece, pitches, work.options.model, work.options.readings, settings)

    for part in _parts(pieces(), len(numbers)):
        work.join(part)
        for item in part.items:
            del work.waiting[item.result.number]
            if run.journal is not None:
                run.journal.note(item, now=False)
        now = counted(now, [item.result for item in part.items])
        now = replace(now, elapsed=time.monotonic() - started, notices=part.notices)
        work.progress = replace(together(before, now, before.total), pace=pace.of(now.finished, now.elapsed))
        if part.ended is not None:
            raise part.ended


def _opened_results(work: PortfolioWork, name: str, data: bytes, faults: list[AnalyzerError]) -> Iterator[NewPitch]:
    """Opens the results, piece by piece. What ends it joins `faults`: what came before is there all the same."""
    started = time.monotonic()
    pieces = _results(work, name, data, faults)
    try:
        for part in _parts(pieces, MOST_PITCHES if work.progress.total is None else work.progress.total):
            work.join(part)
            progress = counted(work.progress, [item.result for item in part.items])
            work.progress = replace(progress, elapsed=time.monotonic() - started)
            for item in part.items:
                pitch = InputPitch(item.source, item.result.id, columns=item.columns)
                yield NewPitch(item.result.number, pitch_document(pitch), result_json(item), item.result.sha256)
    except AnalyzerError as error:
        faults.append(error)


def _results(work: PortfolioWork, name: str, data: bytes, faults: list[AnalyzerError]) -> Iterator[Piece]:
    """The results of a file in pieces. What ends them joins `faults`."""
    first = 0
    if name.lower().endswith(JSON_LINES):  # lines are parsed where they are scored
        lines = ((number, line) for number, line in enumerate(data.splitlines(), 1) if line.strip())
        whole: Iterator[ResultsToOpen] = (
            ResultsToOpen(name, 0, lines=piece) for piece in in_pieces(_taken_of(lines, name, faults), _OPENED_TOGETHER)
        )
    else:
        entries = _taken_of(entries_in(name, data), name, faults)
        whole = (ResultsToOpen(name, 0, entries=piece) for piece in in_pieces(entries, _OPENED_TOGETHER))
    for piece in whole:
        if work.stop.is_set():
            return
        yield replace(piece, first=first)
        first += len(piece)


def _taken_of(results: Iterable[_Entry], name: str, faults: list[AnalyzerError]) -> Iterator[_Entry]:
    """As many of the results as the page takes. The error that ends them joins `faults`."""
    try:
        for number, result in enumerate(results):
            if number == MOST_PITCHES:
                raise InputError(f"{name} has more than {MOST_PITCHES:,} results; the page shows the first")
            yield result
    except AnalyzerError as error:
        faults.append(error)


def _length(name: str, data: bytes) -> int | None:
    """How many results the file seems to have; None if that takes reading it."""
    return sum(1 for line in data.splitlines() if line.strip()) if name.lower().endswith(JSON_LINES) else None
