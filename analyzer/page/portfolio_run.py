"""Many pitches for one visitor, in the background: read now, or opened from a file of results.

Streamlit starts the page anew at every click, so a thread does the work and the visitor's session keeps hold of it. It
ends when the visitor is gone, and costs nothing more. Each assessment is kept compressed (5 kB), and the text of the
pitch if there is one, in memory only. Sessions share nothing.
"""

from __future__ import annotations

import logging
import tempfile
import time
import weakref
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from traceback import format_tb
from typing import Any, Final

from analyzer.errors import AnalyzerError, InputError
from analyzer.files.pitches import PitchFeed
from analyzer.files.tables import InputPitch
from analyzer.framework.assessment import Assessment
from analyzer.framework.ranking import Ranked
from analyzer.page.presence import end_when_gone
from analyzer.reading.pitch import Pitch
from analyzer.results.documents import DocumentEntry, entries_in, parse_document, score_document
from analyzer.results.output_files import OutputFile
from analyzer.results.result import Progress, Result, as_analyzer_error
from analyzer.results.rows import ResultRow
from analyzer.runs.many import analyze_many
from analyzer.runs.portfolio import Portfolio, PortfolioEntry
from analyzer.settings import Settings
from analyzer.views.portfolio import write_portfolio

MOST_PITCHES: Final = 5_000
"""Pitches that the page takes at once."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PortfolioItem:
    """One pitch of a portfolio: its result without the assessment; the assessment and the text, compressed, if any."""

    result: Result
    source: str
    columns: Mapping[str, Any]
    compressed_assessment: bytes | None
    compressed_text: bytes | None

    def assessment(self) -> Assessment:
        """The assessment of a pitch that has one."""
        return Assessment.model_validate_json(zlib.decompress(self.compressed_assessment or b""))

    def text(self) -> str | None:
        """The text as it was read; None if it is not known."""
        if self.compressed_text is None:
            return None
        return Pitch.from_text(zlib.decompress(self.compressed_text).decode(), self.result.id).text


@dataclass(slots=True)
class PortfolioWork:
    """What the thread works on. Lists only grow; any thread may read it at any time."""

    name: str
    reads_pitches: bool
    """Whether it reads pitches; otherwise it opens results."""
    progress: Progress = Progress()
    items: list[PortfolioItem] = field(default_factory=list)
    portfolio: Portfolio = field(default_factory=Portfolio)
    item_numbers: list[int] = field(default_factory=list)
    """For each entry of the portfolio its place in `items`."""
    ranked: list[tuple[PortfolioEntry, Ranked]] = field(default_factory=list)
    ended: AnalyzerError | None = None
    stop: Event = field(default_factory=Event)
    done: Event = field(default_factory=Event)

    def add(self, result: Result, source: str, text: str | None, columns: Mapping[str, Any] | None = None) -> None:
        """Adds one result; `columns`: the cells of the input's own columns."""
        compressed = None
        if result.assessment is not None:
            compressed = zlib.compress(result.assessment.to_json(indent=None).encode(), 1)
        before = len(self.portfolio.entries)
        self.portfolio.add(result)
        if len(self.portfolio.entries) > before:
            self.item_numbers.append(len(self.items))
        compressed_text = None if text is None else zlib.compress(text.encode(), 1)
        self.items.append(
            PortfolioItem(replace(result, assessment=None), source, columns or {}, compressed, compressed_text)
        )

    def full(self, ranked: Ranked) -> tuple[Assessment, str | None]:
        """The full assessment of a ranked pitch, and its text if it is known."""
        item = self.items[self.item_numbers[ranked.row]]
        return item.assessment(), item.text()


class PortfolioRun:
    """Owns the work for one visitor: it stops when this object is garbage, or the visitor is gone."""

    def __init__(
        self, work: PortfolioWork, do: Callable[[PortfolioWork], None], connected: Callable[[], bool] = lambda: True
    ):
        self.work = work
        weakref.finalize(self, work.stop.set)
        end_when_gone(work.done, connected, work.stop.set)
        Thread(target=_do, args=(work, do), name="pitch-analyzer-portfolio", daemon=True).start()


def read_many(
    pitches: Iterable[InputPitch],
    total: int,
    name: str,
    *,
    model: str,
    settings: Settings,
    max_cost: float | None = None,
    store: bool = False,
    connected: Callable[[], bool] = lambda: True,
) -> PortfolioRun:
    """Starts reading the pitches; it goes on while the visitor is `connected`.

    Raises InputError if there are none, or more than the page takes.
    """
    if not total:
        raise InputError(f"{name} contains no pitch")
    if total > MOST_PITCHES:
        raise InputError(f"{name} has {total:,} pitches, the page takes {MOST_PITCHES:,}; use: pitch bulk {name}")

    def do(work: PortfolioWork) -> None:
        feed = PitchFeed(pitches)

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
            pitch = feed.pop(result.number)
            work.add(result, pitch.source, None if pitch.error is not None else pitch.text, pitch.columns)

    return PortfolioRun(PortfolioWork(name, reads_pitches=True, progress=Progress(total=total)), do, connected)


def open_results(name: str, data: bytes, *, connected: Callable[[], bool] = lambda: True) -> PortfolioRun:
    """Opens a file of results (JSON Lines, JSON, Parquet; as `pitch bulk` writes them) while the visitor is
    `connected`."""

    def do(work: PortfolioWork) -> None:
        started = time.monotonic()
        progress = Progress(total=_length(name, data))
        for number, entry in enumerate(entries_in(name, data)):
            if work.stop.is_set():
                return
            if number == MOST_PITCHES:
                raise InputError(f"{name} has more than {MOST_PITCHES:,} results; the page shows the first")
            result, source, columns = _opened(number, entry)
            if result.error is not None:
                kind = result.error.kind
                progress = replace(progress, failed={**progress.failed, kind: progress.failed.get(kind, 0) + 1})
            else:
                progress = replace(progress, done=progress.done + 1)
            work.add(result, source, None, columns)
            work.progress = replace(progress, elapsed=time.monotonic() - started)
        if not work.items:
            raise InputError(f"{name} contains no result")

    return PortfolioRun(PortfolioWork(name, reads_pitches=False), do, connected)


def export(work: PortfolioWork, ending: str) -> bytes:
    """All results in the order of the input, as `pitch bulk` writes them; `.html` is the portfolio in one file."""
    with tempfile.TemporaryDirectory(prefix="pitch-analyzer-") as folder:
        path = Path(folder) / f"portfolio{ending}"
        if ending == ".html":
            write_portfolio(path, work.portfolio, work.progress)
            return path.read_bytes()
        file = OutputFile(path, own=dict.fromkeys(name for item in work.items for name in item.columns))
        for item in sorted(work.items, key=lambda item: item.result.number):
            assessment = None if item.compressed_assessment is None else item.assessment()
            file.write(ResultRow(replace(item.result, assessment=assessment), item.source, columns=item.columns))
        file.finish()
        return path.read_bytes()


def _do(work: PortfolioWork, do: Callable[[PortfolioWork], None]) -> None:
    try:
        do(work)
    except AnalyzerError as error:
        work.ended = error
    except Exception as error:  # noqa: BLE001  # a bug: one line for the visitor, the rest for who runs the page
        where = "".join(format_tb(error.__traceback__))  # without its message, which may quote a pitch
        _log.error("%s while working on many pitches\n%s", type(error).__name__, where)
        work.ended = as_analyzer_error(error, f"after {len(work.items)} pitches")
    work.ranked = work.portfolio.ranked()
    work.done.set()


def _length(name: str, data: bytes) -> int | None:
    """How many results the file seems to have; None if that takes reading it."""
    return sum(1 for line in data.splitlines() if line.strip()) if name.lower().endswith(".jsonl") else None


def _opened(number: int, entry: DocumentEntry) -> tuple[Result, str, Mapping[str, Any]]:
    """The result of an entry, scored by the current rulebook, where its pitch came from, and its own columns."""
    parsed = parse_document(entry)
    pitch = parsed.pitch
    assessment = None if parsed.signals is None else score_document(parsed)
    result = Result(
        number,
        pitch.id or entry.source,
        assessment,
        parsed.failure or parsed.fault,
        title=pitch.title,
        sha256=pitch.sha256,
    )
    place = entry.document.get("input") if isinstance(entry.document, dict) else None
    columns = place.get("columns") if isinstance(place, dict) else None
    return result, parsed.source, columns if isinstance(columns, dict) else {}
