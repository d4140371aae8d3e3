"""A whole run: pitches from sources, read and judged, written as they come, with what came of it at the end.

The run can end early (the user stops it, a limit on its cost is reached, the server or the key is gone). Whatever ends
it, each pitch that was read is written once, and what was paid for is in the store: the same call goes on from there.
"""

from __future__ import annotations

import signal
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import combinations, islice
from os import stat_result
from os.path import samestat
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Any, Final

import numpy as np

from analyzer.errors import AnalyzerError, ConfigurationError, InputError, OutputError
from analyzer.files.disk import connections_at_once
from analyzer.files.pitches import InputPitch, PitchFeed, Sources
from analyzer.framework.assessment import Usage
from analyzer.framework.inputs import derive
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.reading.pitch import Pitch
from analyzer.results.output_files import OutputFile
from analyzer.results.result import Progress, Result
from analyzer.results.rows import ResultRow
from analyzer.runs.many import analyze_many
from analyzer.settings import GIVE_UP_AFTER, KEYWORDS, RECORDED, Settings
from analyzer.vocabulary.derived import LEANS
from analyzer.vocabulary.signals import SIGNALS, Signals

_TYPICAL_OUTPUT_TOKENS: Final = 1200
"""How long an answer is taken to be for an estimate, before the store has seen one of this model."""
_BATCH: Final = 500
_FAILURES: Final = 5
"""Failures that are named in the summary; all are in the output."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one pitch has no assessment, and where it stands."""

    id: str
    source: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a run.

    `ended`: the error that ended it early; `stopped`: the user did. `written`: where the rows are: the output, or the
    file beside it where an earlier, longer output stays; None if there are none. `rows`: how many. `failures`: the
    first few. `notes`: what else the user should know, a sentence each. `stability` with repeats.
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
    """Whether the store's file was deleted or replaced meanwhile, so that what was paid for is not in it."""

    @property
    def exit_code(self) -> int:
        """0 all well; 1 some failed or were not read; 2 the output cannot be written; 3 not configured or the model out
        of reach; 130 stopped."""
        if self.stopped:
            return 130
        if self.ended is not None:
            return self.ended.exit_code
        return 1 if self.progress.failed else 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would ask and cost, before anything is asked. Tokens rather too many than too few; cost in USD.

    `kept`: pitches whose answer is in the store already. `faulty`: entries that cannot be read, by kind.
    """

    pitches: int
    kept: int
    faulty: Mapping[str, int]
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


def run(
    sources: Sources,
    output: Path,
    *,
    model: str | None,
    concurrency: int = 16,
    rulebook: Rulebook | None = None,
    market: MarketMap | None = None,
    settings: Settings | None = None,
    max_cost: float | None = None,
    give_up_after: float = GIVE_UP_AFTER,
    repeat: int = 1,
    limit: int | None = None,
    on_result: Callable[[Result], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Event | None = None,
) -> Summary:
    """Reads all pitches of the sources into the output (its ending says which kind).

    `repeat` > 1 reads each pitch so often, past the store, and says how stable the reading is. `limit`: the first so
    many pitches. `on_result` is called with each result. `give_up_after`: as in `analyze_many`.
    Raises InputError or ConfigurationError where nothing can
    begin or there is no pitch; what ends the run later is in the summary.
    """
    sources.check()
    inputs = sources.paths()
    stop = stop or Event()
    settings = settings or Settings.from_environment()
    total = sources.count()
    total = total if limit is None else min(limit, total if total is not None else limit)
    if total == 0:
        raise _no_pitches(sources)
    feed = PitchFeed(islice(iter(sources), limit), repeat)
    latest = Progress(total=None if total is None else total * repeat)

    def noted(progress: Progress) -> None:
        nonlocal latest
        latest = progress
        if on_progress is not None:
            on_progress(progress)

    at_once = connections_at_once(concurrency)
    written = OutputFile(output, inputs)
    stability = Stability(repeat) if repeat > 1 else None
    failures: list[Failure] = []
    ids = _Ids()
    ended: AnalyzerError | None = None
    stopped = False
    try:
        results = analyze_many(
            feed,
            model=model,
            concurrency=at_once,
            rulebook=rulebook,
            market=market,
            settings=settings,
            store=repeat == 1,
            max_cost=max_cost,
            give_up_after=give_up_after,
            on_progress=noted,
            stop=stop,
            total=latest.total,
        )
        store = _StoreFile(settings)
        for result in results:
            reading = None if repeat == 1 else result.number % repeat + 1
            row = ResultRow(result, feed.pop(result.number).source, reading)
            if result.error is not None and len(failures) < _FAILURES:
                failures.append(Failure(result.id, row.source, result.error.kind, str(result.error)))
            if ended is None:
                try:
                    written.write(row)
                except OutputError as error:  # nothing more is asked; what is in flight is still paid for and stored
                    ended, stopped = error, stop.is_set()
                    stop.set()
            if reading in (None, 1):
                ids.add(result.id)
            if on_result is not None:
                on_result(result)
            if stability is not None:
                stability.add(row)
    except (ConfigurationError, InputError) as error:
        if not written.rows and ended is None:
            written.give_up()
            raise
        ended = ended or error
    except AnalyzerError as error:
        ended = ended or error
    except BaseException as error:
        partial = written.give_up()
        if partial is not None:
            error.add_note(f"What was read so far is in {partial} ({written.rows:,} rows).")
        raise
    stopped = stopped if isinstance(ended, OutputError) else stop.is_set()
    rows = None
    try:
        rows = written.finish(whole=ended is None and not stopped)
    except OutputError as error:
        ended = ended or error
    if not latest.finished and ended is None and not stopped:
        raise _no_pitches(sources)
    notes = [*sources.notes(), *ids.notes()]
    if at_once < concurrency:
        notes.append(
            f"{at_once} requests in flight instead of {concurrency}: more open files are not allowed (ulimit -n)."
        )
    if rows not in (None, output) and not isinstance(ended, OutputError):
        notes.append(f"{output} has as many rows or more and was left as it was; what this run read is in {rows}.")
    return Summary(
        latest,
        output,
        ended,
        stopped,
        stability,
        written=rows,
        rows=written.rows if rows is not None else 0,
        failures=tuple(failures),
        notes=tuple(notes),
        store_lost=store.lost,
    )


def _no_pitches(sources: Sources) -> InputError:
    return InputError(f"there are no pitches in {', '.join(sources.names)}; nothing was asked or written")


class _Ids:
    """Counts the ids that several pitches share, in eight bytes a pitch."""

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
    """The file of a store in SQLite, to notice when somebody deletes or replaces it while a run uses it."""

    def __init__(self, settings: Settings):
        from analyzer.store.engine import sqlite_file

        self._path = sqlite_file(settings.store_url())
        self._own = self._now()

    @property
    def lost(self) -> bool:
        now = self._now()
        return self._own is not None and (now is None or not samestat(self._own, now))

    def _now(self) -> stat_result | None:
        try:
            return None if self._path is None else self._path.stat()
        except OSError:
            return None


def estimate(sources: Sources, *, model: str | None, settings: Settings, limit: int | None = None) -> Estimate:
    """What `run` would ask and cost. Reads the sources to their end, asks nothing. Raises InputError or
    ConfigurationError."""
    model = model or settings.model
    if model is None or model.partition("/")[0] in (KEYWORDS, RECORDED):
        raise ConfigurationError("there is nothing to estimate without a model; name one with --model")
    from analyzer.reading.conversation import first_request, static_tokens
    from analyzer.reading.spending import cost_of, estimated_tokens
    from analyzer.store.store import Store

    sources.check()
    if sources.count() == 0:
        raise _no_pitches(sources)
    store = Store.open(settings.store_url())
    seen = store.answers.mean_tokens(model)
    faulty: Counter[str] = Counter()
    pitches = kept = tokens = 0
    for batch in _batches(islice(iter(sources), limit)):
        sound: list[Pitch] = []
        for given in batch:
            try:
                if given.error is not None:
                    raise given.error
                sound.append(Pitch.from_text(given.text, given.id))
            except AnalyzerError as error:
                faulty[error.kind] += 1
        pitches += len(batch)
        keys = {pitch.ref.sha256: first_request(model, pitch).key for pitch in sound}
        found = store.answers.find(list(keys.values()))
        for pitch in sound:
            if keys[pitch.ref.sha256] in found:
                kept += 1
            else:
                tokens += static_tokens() + estimated_tokens(pitch.text)
    store.close()
    asked = pitches - kept - sum(faulty.values())
    output_tokens = round(asked * (seen[1] if seen else _TYPICAL_OUTPUT_TOKENS))
    return Estimate(pitches, kept, dict(faulty), tokens, output_tokens, cost_of(model, tokens, output_tokens))


@contextmanager
def stopping_on_interrupt(told: Callable[[], None]) -> Iterator[Event]:
    """An event that the first Ctrl-C sets, after `told` has said so; a second one interrupts at once."""
    stop = Event()
    if current_thread() is not main_thread():
        yield stop
        return

    def interrupted(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        told()
        stop.set()

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(slots=True)
class Stability:
    """How alike repeated readings of the same pitch are, signal by signal.

    Two readings agree on a signal if they give the same value, unknown being one; on stage, focus and main user
    likewise. Counted over all pairs of readings of a pitch, so that it can be compared between numbers of repeats.
    """

    repeat: int
    pitches: int = 0
    pairs: int = 0
    alike: Counter[str] = field(default_factory=Counter)
    spreads: list[float] = field(default_factory=list)
    _open: defaultdict[int, list[Result]] = field(default_factory=lambda: defaultdict(list))

    def add(self, row: ResultRow) -> None:
        pitch = row.result.number // self.repeat
        readings = self._open[pitch]
        readings.append(row.result)
        if len(readings) < self.repeat:
            return
        del self._open[pitch]
        read = [result.assessment for result in readings if result.assessment is not None]
        if len(read) < 2:
            return
        self.pitches += 1
        values = [values_of(assessment.signals) for assessment in read]
        for one, other in combinations(values, 2):
            self.pairs += 1
            self.alike.update(name for name in one if one[name] == other[name])
        scores = [assessment.scores.overall.value for assessment in read if assessment.scores is not None]
        if len(scores) > 1:
            self.spreads.append(max(scores) - min(scores))

    def share(self, name: str) -> float | None:
        """The share of pairs of readings that agree on a signal; None without a pair."""
        return self.alike[name] / self.pairs if self.pairs else None


STABLE_NAMES: Final = ("in_scope", *LEANS, "persona", *SIGNALS, "competitors")
"""What stability is told of, in the order in which it is shown."""


def values_of(signals: Signals) -> dict[str, Any]:
    """What is compared of two readings of a pitch, by `STABLE_NAMES`."""
    derived = derive(signals).values
    return {
        "in_scope": signals.in_scope,
        **{name: derived[name] for name in LEANS},
        "persona": signals.personas[0].role if signals.personas else None,
        **{name: signals.single(name).value for name in SIGNALS},
        "competitors": frozenset(rival.name.casefold() for rival in signals.competitors),
    }


def summary_document(summary: Summary) -> dict[str, Any]:
    """The summary for scripts."""
    progress, stability = summary.progress, summary.stability
    usage: Usage = progress.usage
    return {
        "output": str(summary.output),
        "written": None if summary.written is None else str(summary.written),
        "rows": summary.rows,
        "done": progress.done,
        "from_store": progress.from_store,
        "failed": dict(progress.failed),
        "failures": [asdict(failure) for failure in summary.failures],
        "notes": list(summary.notes),
        "total": progress.total,
        "ended": None if summary.ended is None else {"kind": summary.ended.kind, "message": str(summary.ended)},
        "stopped": summary.stopped,
        "usage": usage.model_dump(),
        "seconds": round(progress.elapsed, 2),
        "pitches_per_second": round(progress.finished / progress.elapsed, 3) if progress.elapsed else None,
        "stability": None
        if stability is None
        else {
            "pitches": stability.pitches,
            "readings": stability.repeat,
            "agreement": {name: stability.share(name) for name in STABLE_NAMES},
            "overall_spread": stability.spreads,
        },
    }


def _batches(given: Iterator[InputPitch]) -> Iterator[list[InputPitch]]:
    while batch := list(islice(given, _BATCH)):
        yield batch
