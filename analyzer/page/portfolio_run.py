"""Many pitches for one visitor, in the background: read now, or opened from a file of results.

Streamlit starts the page anew at every click, so a thread of its own does the work and the visitor's session keeps
hold of it. It ends when the visitor is gone: whoever closes the page pays for nothing further. Of each pitch its
assessment is kept packed (5 kB), and its text where there is one, in memory only. Sessions share nothing.
"""

from __future__ import annotations

import logging
import tempfile
import time
import weakref
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from traceback import format_tb
from typing import Final

from analyzer.errors import AnalyzerError, InputError
from analyzer.files.pitches import InputPitch, PitchFeed
from analyzer.framework.assessment import Assessment
from analyzer.framework.ranking import Ranked
from analyzer.page.presence import end_when_gone
from analyzer.reading.pitch import Pitch
from analyzer.results.documents import DocumentEntry, entries_in, parse_document, score_document
from analyzer.results.output_files import OutputFile
from analyzer.results.result import Progress, Result, as_analyzer_error
from analyzer.results.rows import ResultRow
from analyzer.runs.many import analyze_many
from analyzer.runs.portfolio import Entry, Portfolio
from analyzer.settings import Settings
from analyzer.views.portfolio import write_portfolio

MOST: Final = 5_000
"""Pitches that the page takes at once."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one pitch: its result without the assessment; packed, the assessment and, if known, the text."""

    result: Result
    source: str
    packed: bytes | None
    text: bytes | None

    def assessment(self) -> Assessment:
        """The assessment of a pitch that has one."""
        return Assessment.model_validate_json(zlib.decompress(self.packed or b""))

    def pitch(self) -> str | None:
        """The text as it was read; None where it is not known."""
        return None if self.text is None else Pitch.from_text(zlib.decompress(self.text).decode(), self.result.id).text


@dataclass(slots=True)
class Work:
    """What the thread works on. Lists only grow; all of it may be read at any time."""

    name: str
    asks: bool
    """Whether it reads pitches (else it opens results)."""
    progress: Progress = Progress()
    kept: list[Kept] = field(default_factory=list)
    portfolio: Portfolio = field(default_factory=Portfolio)
    placed: list[int] = field(default_factory=list)
    """For each entry of the portfolio its place in `kept`."""
    ranked: list[tuple[Entry, Ranked]] = field(default_factory=list)
    ended: AnalyzerError | None = None
    stop: Event = field(default_factory=Event)
    done: Event = field(default_factory=Event)

    def take(self, result: Result, source: str, text: str | None) -> None:
        """Keeps one result."""
        packed = None
        if result.assessment is not None:
            packed = zlib.compress(result.assessment.to_json(indent=None).encode(), 1)
        before = len(self.portfolio.entries)
        self.portfolio.add(result)
        if len(self.portfolio.entries) > before:
            self.placed.append(len(self.kept))
        packed_text = None if text is None else zlib.compress(text.encode(), 1)
        self.kept.append(Kept(replace(result, assessment=None), source, packed, packed_text))

    def whole(self, ranked: Ranked) -> tuple[Assessment, str | None]:
        """The whole assessment of a pitch that is ranked, and its text where it is known."""
        kept = self.kept[self.placed[ranked.row]]
        return kept.assessment(), kept.pitch()


class Run:
    """A visitor's hold on the work: when nobody holds it any more, or the visitor is gone, it stops."""

    def __init__(self, work: Work, do: Callable[[Work], None], there: Callable[[], bool] = lambda: True):
        self.work = work
        weakref.finalize(self, work.stop.set)
        end_when_gone(work.done, there, work.stop.set)
        Thread(target=_do, args=(work, do), name="pitch-analyzer-portfolio", daemon=True).start()


def read_many(
    given: Iterable[InputPitch],
    total: int,
    name: str,
    *,
    model: str,
    settings: Settings,
    max_cost: float | None = None,
    store: bool = False,
    there: Callable[[], bool] = lambda: True,
) -> Run:
    """Has the pitches read, as long as the visitor is `there`.

    Raises InputError if there are none, or more than the page takes.
    """
    if not total:
        raise InputError(f"{name} holds no pitch")
    if total > MOST:
        raise InputError(f"{name} has {total:,} pitches, the page takes {MOST:,}; read them with: pitch bulk {name}")

    def do(work: Work) -> None:
        feed = PitchFeed(given)

        def note(progress: Progress) -> None:
            work.progress = progress

        results = analyze_many(
            feed,
            model=model,
            settings=settings,
            store=store,
            max_cost=max_cost,
            on_progress=note,
            stop=work.stop,
            total=total,
        )
        for result in results:
            of = feed.pop(result.number)
            work.take(result, of.source, None if of.error is not None else of.text)

    return Run(Work(name, asks=True, progress=Progress(total=total)), do, there)


def open_results(name: str, data: bytes, *, there: Callable[[], bool] = lambda: True) -> Run:
    """Opens a file of results (JSON Lines, JSON, Parquet; as `pitch bulk` writes them) while the visitor is `there`."""

    def do(work: Work) -> None:
        begun = time.monotonic()
        progress = Progress(total=_length(name, data))
        for number, entry in enumerate(entries_in(name, data)):
            if work.stop.is_set():
                return
            if number == MOST:
                raise InputError(f"{name} has more than {MOST:,} results; these are the first")
            result, source = _opened(number, entry)
            if result.error is not None:
                kind = result.error.kind
                progress = replace(progress, failed={**progress.failed, kind: progress.failed.get(kind, 0) + 1})
            else:
                progress = replace(progress, done=progress.done + 1)
            work.take(result, source, None)
            work.progress = replace(progress, elapsed=time.monotonic() - begun)
        if not work.kept:
            raise InputError(f"{name} holds no result")

    return Run(Work(name, asks=False, progress=Progress()), do, there)


def exported(work: Work, ending: str) -> bytes:
    """All results in the order of the input, as `pitch bulk` writes them; `.html` is the portfolio in one file."""
    with tempfile.TemporaryDirectory(prefix="pitch-analyzer-") as folder:
        path = Path(folder) / f"portfolio{ending}"
        if ending == ".html":
            write_portfolio(path, work.portfolio, work.progress)
            return path.read_bytes()
        written = OutputFile(path)
        for kept in sorted(work.kept, key=lambda kept: kept.result.number):
            assessment = None if kept.packed is None else kept.assessment()
            written.write(ResultRow(replace(kept.result, assessment=assessment), kept.source))
        written.finish()
        return path.read_bytes()


def _do(work: Work, do: Callable[[Work], None]) -> None:
    try:
        do(work)
    except AnalyzerError as error:
        work.ended = error
    except Exception as error:  # noqa: BLE001  # a fault of this program: a line for the visitor, the rest for who runs the page
        where = "".join(format_tb(error.__traceback__))  # without its message, which may quote a pitch
        _log.error("%s while working on many pitches\n%s", type(error).__name__, where)
        work.ended = as_analyzer_error(error, f"after {len(work.kept)} pitches")
    work.ranked = work.portfolio.ranked()
    work.done.set()


def _length(name: str, data: bytes) -> int | None:
    """How many results there seem to be; None where only reading tells."""
    return sum(1 for line in data.splitlines() if line.strip()) if name.lower().endswith(".jsonl") else None


def _opened(number: int, entry: DocumentEntry) -> tuple[Result, str]:
    """The result in a file, judged by today's rulebook, and where its pitch came from."""
    parsed = parse_document(entry)
    pitch = parsed.pitch
    assessment = None if parsed.signals is None else score_document(parsed)
    error = parsed.failure or parsed.fault
    return Result(
        number, pitch.id or entry.source, assessment, error, title=pitch.title, sha256=pitch.sha256
    ), parsed.source
