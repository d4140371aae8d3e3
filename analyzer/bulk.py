"""A whole run: pitches from sources, read and judged, written as they come, with what came of it at the end.

The run can end early (the user stops it, a limit on its cost is reached, the server or the key is gone). Whatever ends
it, each pitch that was read is written once, and what was paid for is in the store: the same call goes on from there.
"""

from __future__ import annotations

import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations, islice
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Any, Final

from analyzer.errors import AnalyzerError, ConfigurationError, InputError
from analyzer.framework.assessment import Usage
from analyzer.framework.inputs import LEANS, derive
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.outputs import Row, Written
from analyzer.pipeline import Progress, Result, analyze_many
from analyzer.portfolio import Portfolio
from analyzer.reading.pitch import Pitch
from analyzer.settings import GIVE_UP_AFTER, KEYWORDS, RECORDED, Settings
from analyzer.signals import SIGNALS, Signals
from analyzer.sources import Feed, Given, Sources

_TYPICAL_OUTPUT_TOKENS: Final = 1200
"""How long an answer is taken to be for an estimate, before the store has seen one of this model."""
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a run. `ended`: the error that ended it early; `stopped`: the user did. `stability` with repeats."""

    progress: Progress
    output: Path
    ended: AnalyzerError | None = None
    stopped: bool = False
    stability: Stability | None = None

    @property
    def exit_code(self) -> int:
        """0 all well; 1 some failed or were not read; 3 not configured or the model out of reach; 130 stopped."""
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
    portfolio: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Event | None = None,
) -> Summary:
    """Reads all pitches of the sources into the output (its ending says which kind), and a portfolio page if asked for.

    `repeat` > 1 reads each pitch so often, past the store, and says how stable the reading is. `limit`: the first so
    many pitches. `give_up_after`: as in `analyze_many`. Raises InputError or ConfigurationError where nothing can
    begin; what ends the run later is in the summary.
    """
    sources.check()
    if output.resolve() in {path.resolve() for path in sources.paths()}:
        raise InputError(f"{output} is one of the inputs; write to another file")
    if portfolio is not None and portfolio.suffix.lower() != ".html":
        raise InputError(f"{portfolio}: a portfolio's report ends in .html")
    stop = stop or Event()
    total = sources.count()
    total = total if limit is None else min(limit, total if total is not None else limit)
    feed = Feed(islice(iter(sources), limit), repeat)
    latest = Progress(total=None if total is None else total * repeat)

    def noted(progress: Progress) -> None:
        nonlocal latest
        latest = progress
        if on_progress is not None:
            on_progress(progress)

    results = analyze_many(
        feed,
        model=model,
        concurrency=concurrency,
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
    written = Written(output)
    page = Portfolio(rulebook, market) if portfolio is not None else None
    stability = Stability(repeat) if repeat > 1 else None
    ended: AnalyzerError | None = None
    try:
        for result in results:
            reading = None if repeat == 1 else result.number % repeat + 1
            row = Row(result, feed.pop(result.number).source, reading)
            written.write(row)
            if page is not None:
                page.add(result)
            if stability is not None:
                stability.add(row)
    except (ConfigurationError, InputError) as error:
        if not written.rows:
            written.finish()
            raise
        ended = error
    except AnalyzerError as error:
        ended = error
    except BaseException:
        written.give_up()
        raise
    written.finish()
    if page is not None and portfolio is not None and written.rows:
        page.write(portfolio, latest)
    return Summary(latest, output, ended, stop.is_set(), stability)


def estimate(sources: Sources, *, model: str | None, settings: Settings, limit: int | None = None) -> Estimate:
    """What `run` would ask and cost. Reads the sources to their end, asks nothing. Raises InputError or
    ConfigurationError."""
    model = model or settings.model
    if model is None or model.partition("/")[0] in (KEYWORDS, RECORDED):
        raise ConfigurationError("there is nothing to estimate without a model; name one with --model")
    from analyzer.reading.model import first_request, static_tokens
    from analyzer.reading.spending import cost_of, estimated_tokens
    from analyzer.store import Store

    sources.check()
    store = Store.open(settings.store_url())
    seen = store.mean_tokens(model)
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
        found = store.find_answers(list(keys.values()))
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

    def add(self, row: Row) -> None:
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
        "done": progress.done,
        "from_store": progress.from_store,
        "failed": dict(progress.failed),
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


def _batches(given: Iterator[Given]) -> Iterator[list[Given]]:
    while batch := list(islice(given, _BATCH)):
        yield batch
