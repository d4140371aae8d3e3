"""A whole run: pitches from sources, read and judged, written as they come, with a summary at the end.

The run can end early: the user stops it, its cost limit is reached, the server or the key is gone. Whatever ends it,
each pitch that was read is written once, and every paid answer is in the store: the same call continues from there.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from os import stat_result
from os.path import samestat
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.errors import AWAITS_BATCH, AnalyzerError, ConfigurationError, InputError, OutputError
from analyzer.files.disk import connections_at_once
from analyzer.files.pitches import PitchFeed, Sources
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.reading.readers import as_models
from analyzer.results.output_files import STANDARD_OUTPUT, output_to
from analyzer.results.result import Progress, Result
from analyzer.results.rows import ResultRow
from analyzer.runs.batch import BatchResults
from analyzer.runs.many import Results, analyze_many
from analyzer.runs.stability import Stability
from analyzer.settings import DEFAULT_CONCURRENCY, GIVE_UP_AFTER, KEYWORDS, Settings
from analyzer.vocabulary.labels import how_many

if TYPE_CHECKING:
    from analyzer.reading.batch_desk import BatchReport

_NAMED_FAILURES: Final = 5
"""Failures that the summary names; all are in the output."""
_NAMED_COLUMNS: Final = 10


@dataclass(frozen=True, slots=True)
class BulkOptions:
    """How a run reads and judges its pitches.

    `model`: one or several; none = PITCH_MODEL. `rulebook`, `market`: None = the built-in ones. `settings`: None = from
    the environment. `max_cost` in USD and `give_up_after` in seconds: as in `analyze_many`. `repeat` > 1 has so many
    readings of each pitch in the output, each by itself, and measures how far they agree. `limit`: only the first so
    many pitches. `processes`: in how many processes pitches are read and judged. `read`: what reads them,
    `analyze_many` or `collect` of `runs.batch`.
    """

    model: str | Sequence[str] | None = None
    concurrency: int = DEFAULT_CONCURRENCY
    rulebook: Rulebook | None = None
    market: MarketMap | None = None
    settings: Settings | None = None
    max_cost: float | None = None
    give_up_after: float = GIVE_UP_AFTER
    repeat: int = 1
    limit: int | None = None
    processes: int = 1
    read: Callable[..., Results] = analyze_many


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one pitch has no assessment. `source`: its file and row."""

    id: str
    source: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class BulkSummary:
    """The outcome of a run.

    `ended`: the error that ended it early; `stopped`: whether the user stopped it. `written`: the file with the rows:
    the output, or the partial file next to it if an earlier, longer output was left as it was; None without rows.
    `rows`: their number. `failures`: the first few. `notes`: what else the user should know, one sentence each.
    `stability`: where pitches are read more than once. `store_lost`: whether the store's file was deleted or replaced
    during the run, so that paid answers are not in it. `waiting`, `unasked`: pitches without a row because a batch has
    them, or because none has; `batch`: what was done about batches, None in a live run; `origins`: what `wait` of
    `runs.batch` takes.
    """

    progress: Progress
    output: Path
    ended: AnalyzerError | None = None
    stopped: bool = False
    stability: Stability | None = None
    written: Path | None = None
    rows: int = 0
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    store_lost: bool = False
    waiting: int = 0
    unasked: int = 0
    batch: BatchReport | None = None
    origins: frozenset[str] = frozenset()

    @property
    def exit_code(self) -> int:
        """0 all well; 1 some pitches failed or were not read; 2 the output cannot be written; 3 not configured, or the
        model cannot be reached; 4 some pitches wait for a batch; 130 stopped."""
        if self.stopped:
            return 130
        if self.ended is not None:
            return self.ended.exit_code
        if self.waiting:
            return AWAITS_BATCH
        return 1 if self.progress.failed or self.unasked else 0

    def document(self) -> dict[str, Any]:
        """The summary for scripts."""
        progress = self.progress
        return {
            "output": str(self.output),
            "written": None if self.written is None else str(self.written),
            "rows": self.rows,
            "done": progress.done,
            "from_store": progress.from_store,
            "failed": dict(progress.failed),
            "failures": [asdict(failure) for failure in self.failures],
            "notes": list(self.notes),
            "total": progress.total,
            "ended": None if self.ended is None else {"kind": self.ended.kind, "message": str(self.ended)},
            "stopped": self.stopped,
            "usage": progress.usage.model_dump(),
            "seconds": round(progress.elapsed, 2),
            "pitches_per_second": round(progress.finished / progress.elapsed, 3) if progress.elapsed else None,
            "stability": None if self.stability is None else self.stability.document(),
            **({} if self.batch is None else self._batch_document()),
        }

    def _batch_document(self) -> dict[str, Any]:
        batch = None if self.batch is None else self.batch.document()
        return {"waiting": self.waiting, "unasked": self.unasked, "batch": batch}


def run(
    sources: Sources,
    output: Path,
    options: BulkOptions,
    *,
    on_result: Callable[[Result], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Event | None = None,
) -> BulkSummary:
    """Read all pitches of the sources into the output, whose ending decides its format; `-` is standard output.

    `on_result` and `on_progress` are called with each result and after it. Once `stop` is set nothing more is asked.
    Raises InputError or ConfigurationError if the run cannot begin or there are no pitches; an error that ends it later
    is in the summary.
    """
    return _BulkRun(sources, output, options, on_result, on_progress, stop or Event()).summary()


def no_pitches(sources: Sources) -> InputError:
    """The error for sources without any pitch."""
    return InputError(f"there are no pitches in {', '.join(sources.names)}; nothing was asked or written")


class _BulkRun:
    """One run, and what it has collected so far."""

    def __init__(
        self,
        sources: Sources,
        output: Path,
        options: BulkOptions,
        on_result: Callable[[Result], None] | None,
        on_progress: Callable[[Progress], None] | None,
        stop: Event,
    ):
        sources.check()
        inputs = sources.paths()
        total = sources.count()
        self._own = sources.own_columns()
        if options.limit is not None:
            total = min(options.limit, total if total is not None else options.limit)
        if total == 0:
            raise no_pitches(sources)
        self._sources = sources
        self._output = output
        self._options = options
        settings = options.settings or Settings.from_environment()
        self._settings = settings if options.repeat == 1 else replace(settings, readings=1)
        self._on_result = on_result
        self._on_progress = on_progress
        self._stop = stop
        self._progress = Progress(total=None if total is None else total * options.repeat)
        self._feed = PitchFeed(islice(iter(sources), options.limit), options.repeat)
        self._in_flight = connections_at_once(options.concurrency)
        self._written = output_to(output, inputs, self._own)
        self._late_columns: dict[str, None] = {}
        self._stability = _stability(options, self._settings)
        self._failures: list[Failure] = []
        self._ids = _SharedIds()
        self._ended: AnalyzerError | None = None
        self._stopped = False
        self._store: _StoreFile | None = None
        self._results: Results | None = None

    def summary(self) -> BulkSummary:
        """Do the run."""
        try:
            self._read_all()
        except (ConfigurationError, InputError) as error:
            if not self._written.rows and self._ended is None:
                self._written.give_up()
                raise
            self._ended = self._ended or error
        except AnalyzerError as error:
            self._ended = self._ended or error
        except BaseException as error:
            partial = self._written.give_up()
            if partial is not None:
                error.add_note(f"What was read so far is in {partial} ({how_many(self._written.rows, 'row')}).")
            raise
        if not isinstance(self._ended, OutputError):
            self._stopped = self._stop.is_set()
        return self._finished()

    def _read_all(self) -> None:
        options = self._options
        results = self._results = options.read(
            self._feed,
            model=options.model,
            concurrency=self._in_flight,
            rulebook=options.rulebook,
            market=options.market,
            settings=self._settings,
            repeat=options.repeat,
            max_cost=options.max_cost,
            give_up_after=options.give_up_after,
            on_progress=self._note_progress,
            stop=self._stop,
            total=self._progress.total,
            processes=options.processes,
        )
        self._store = _StoreFile(self._settings)
        for result in results:
            self._collect(result)

    def _note_progress(self, progress: Progress) -> None:
        self._progress = progress
        if self._on_progress is not None:
            self._on_progress(progress)

    def _collect(self, result: Result) -> None:
        repeat = None if self._options.repeat == 1 else result.number % self._options.repeat + 1
        pitch = self._feed.pop(result.number)
        row = ResultRow(result, pitch.source, repeat, pitch.columns)
        if len(self._late_columns) < _NAMED_COLUMNS:
            self._late_columns.update(dict.fromkeys(name for name in pitch.columns if name not in self._own))
        if result.error is not None and len(self._failures) < _NAMED_FAILURES:
            self._failures.append(Failure(result.id, row.source, result.error.kind, str(result.error)))
        if self._ended is None:
            try:
                self._written.write(row)
            except OutputError as error:  # nothing more is asked; what is in flight is still paid for and stored
                self._ended, self._stopped = error, self._stop.is_set()
                self._stop.set()
        if repeat in (None, 1):
            self._ids.add(result.id)
        if self._on_result is not None:
            self._on_result(result)
        if self._stability is not None:
            self._stability.add(result)

    def _finished(self) -> BulkSummary:
        written = None
        try:
            whole = self._ended is None and not self._stopped and not self._without_row
            written = self._written.finish(whole=whole)
        except OutputError as error:
            self._ended = self._ended or error
        if not self._progress.finished and not self._without_row and self._ended is None and not self._stopped:
            raise no_pitches(self._sources)
        return BulkSummary(
            self._progress,
            self._output,
            self._ended,
            self._stopped,
            self._stability,
            written=written,
            rows=self._written.rows if written is not None else 0,
            failures=tuple(self._failures),
            notes=tuple(self._notes(written)),
            store_lost=self._store is not None and self._store.lost,
            **self._batch(),
        )

    def _batch(self) -> dict[str, Any]:
        """What the summary says about batches."""
        results = self._results
        if not isinstance(results, BatchResults):
            return {}
        known = {"waiting": results.waiting, "unasked": results.unasked}
        return {**known, "batch": results.report, "origins": results.origins}

    @property
    def _without_row(self) -> int:
        """Pitches that have no row because of batches."""
        return sum(self._batch().get(name, 0) for name in ("waiting", "unasked"))

    def _notes(self, written: Path | None) -> list[str]:
        notes = [*self._sources.notes(), *self._ids.notes()]
        if isinstance(self._results, BatchResults):
            notes += self._results.report.notes
        if self._late_columns and self._output.suffix.lower() != ".jsonl" and self._output != STANDARD_OUTPUT:
            names = ", ".join(name[:40] for name in self._late_columns)
            notes.append(f"Columns that appear only in later rows of standard input are not in the output: {names}.")
        if self._in_flight < self._options.concurrency:
            notes.append(
                f"{self._in_flight} requests in flight instead of {self._options.concurrency}: the limit on open files "
                "allows no more (ulimit -n)."
            )
        if written not in (None, self._output) and not isinstance(self._ended, OutputError):
            notes.append(
                f"{self._output} has as many rows or more and was left as it was; what this run read is in {written}."
            )
        return notes


def _stability(options: BulkOptions, settings: Settings) -> Stability | None:
    """What measures how far readings agree; None where each pitch is read once."""
    if options.repeat > 1:
        return Stability(options.repeat)
    models = as_models(options.model) or as_models(settings.model)
    readings = sum(1 if model == KEYWORDS else settings.readings for model in models)
    return Stability(readings, combined=True) if readings > 1 else None


class _SharedIds:
    """Counts pitches that share an id with another, in eight bytes for each pitch."""

    def __init__(self) -> None:
        self._hashes = array("q")

    def add(self, id_: str) -> None:
        self._hashes.append(hash(id_))

    def notes(self) -> list[str]:
        _, counts = np.unique(np.frombuffer(self._hashes, np.int64), return_counts=True)
        shared = int(counts[counts > 1].sum())
        if not shared:
            return []
        return [f"{shared:,} pitches share their id with another; number and source tell them apart."]


class _StoreFile:
    """The file of a SQLite store, to notice if somebody deletes or replaces it while a run uses it."""

    def __init__(self, settings: Settings):
        from analyzer.store.engine import sqlite_file

        self._path = sqlite_file(settings.store_url())
        self._at_start = self._stat()

    @property
    def lost(self) -> bool:
        now = self._stat()
        return self._at_start is not None and (now is None or not samestat(self._at_start, now))

    def _stat(self) -> stat_result | None:
        try:
            return None if self._path is None else self._path.stat()
        except OSError:
            return None
