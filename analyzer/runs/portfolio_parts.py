"""Parts of a portfolio, each computed by itself from a piece of the input: pitches to read, or results to open.

A part is plain data, so that it can come from another process.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeVar

from analyzer.errors import AnalyzerError
from analyzer.files.pitches import PitchFeed
from analyzer.files.tables import InputPitch
from analyzer.framework.assessment import Assessment
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.reading.pitch import Pitch
from analyzer.results.documents import DocumentEntry, entries_of_lines, parse_document, score_document
from analyzer.results.result import Result
from analyzer.runs.many import analyze_many
from analyzer.runs.portfolio import Portfolio
from analyzer.settings import Settings

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class PortfolioItem:
    """One pitch of a portfolio: its result without the assessment; the assessment and the text, compressed, if any."""

    result: Result
    source: str
    columns: Mapping[str, Any]
    compressed_assessment: bytes | None
    compressed_text: bytes | None

    @classmethod
    def of(cls, result: Result, source: str, text: str | None, columns: Mapping[str, Any] | None) -> PortfolioItem:
        """The item of a result; `columns`: the cells of the input's own columns."""
        document = result.document()
        return cls(
            replace(result, assessment=None),
            source,
            columns or {},
            None if document is None else zlib.compress(document.encode(), 1),
            None if text is None else zlib.compress(text.encode("utf-8", "replace"), 1),
        )

    def json(self) -> str | None:
        """The assessment as JSON; None if there is none."""
        return None if self.compressed_assessment is None else zlib.decompress(self.compressed_assessment).decode()

    def assessment(self) -> Assessment:
        """The assessment of a pitch that has one."""
        return Assessment.model_validate_json(zlib.decompress(self.compressed_assessment or b""))

    def text(self) -> str | None:
        """The text as it was read; None if it is not known."""
        if self.compressed_text is None:
            return None
        return Pitch.from_text(self.words(), self.result.id).text

    def words(self) -> str:
        """The text of the input; empty if it is not known."""
        return "" if self.compressed_text is None else zlib.decompress(self.compressed_text).decode()


@dataclass(slots=True)
class PortfolioPart:
    """Some pitches of a portfolio. `in_scope`: for each entry of `portfolio` its place in `items`. `ended`: why the
    pitches after these were not read; `notices`: what people should know about how they were read."""

    items: list[PortfolioItem] = field(default_factory=list)
    portfolio: Portfolio = field(default_factory=Portfolio)
    in_scope: list[int] = field(default_factory=list)
    notices: tuple[str, ...] = ()
    ended: AnalyzerError | None = None

    def add(self, result: Result, source: str, text: str | None, columns: Mapping[str, Any] | None) -> None:
        """Add one result."""
        before = len(self.portfolio.entries)
        self.portfolio.add(result)
        if len(self.portfolio.entries) > before:
            self.in_scope.append(len(self.items))
        self.items.append(PortfolioItem.of(result, source, text, columns))


@dataclass(frozen=True, slots=True)
class PitchesToRead:
    """Pitches, with their numbers in the input, for a reader that asks no server. Keys may be in `settings`."""

    numbers: Sequence[int]
    pitches: Sequence[InputPitch] = field(repr=False)
    model: str
    readings: int
    settings: Settings = field(repr=False)

    def part(self) -> PortfolioPart:
        """What comes of them."""
        part, feed = PortfolioPart(), PitchFeed(self.pitches)
        results = analyze_many(
            feed,
            model=self.model,
            settings=self.settings,
            store=False,
            verify=False,
            readings=self.readings,
            concurrency=1,
        )
        try:
            for result in results:
                pitch = feed.pop(result.number)
                text = None if pitch.error is not None else pitch.text
                part.add(replace(result, number=self.numbers[result.number]), pitch.source, text, pitch.columns)
        except AnalyzerError as error:
            part.ended = error
        part.notices = results.summary.notices
        part.portfolio.code()
        return part


@dataclass(frozen=True, slots=True)
class ResultsToOpen:
    """Results of a file, the first of which has this number: lines of JSON with their numbers in the file, or entries
    that were parsed already."""

    name: str
    first: int
    lines: Sequence[tuple[int, bytes]] = ()
    entries: Sequence[DocumentEntry] = ()

    def __len__(self) -> int:
        return len(self.lines) or len(self.entries)

    def part(self) -> PortfolioPart:
        """What comes of them; the current rulebook scores them."""
        part = PortfolioPart()
        entries = entries_of_lines(self.name, self.lines) if self.lines else self.entries
        for number, entry in enumerate(entries, self.first):
            result, source, columns = _opened(number, entry)
            part.add(result, source, None, columns)
        part.portfolio.code()
        return part


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


@dataclass(frozen=True, slots=True)
class SavedOutcome:
    """What the store has of a pitch that was read: the id, its assessment or the error, and the pitch's own facts."""

    number: int
    id: str
    title: str | None
    sha256: str | None
    from_store: bool
    assessment: Mapping[str, Any] | None
    error: AnalyzerError | None
    source: str
    text: str | None
    columns: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SavedToFetch:
    """Outcomes of the store, of the portfolio with this name."""

    name: str
    outcomes: Sequence[SavedOutcome]

    def part(self) -> PortfolioPart:
        """They as the current rulebook and market map score them."""
        part = PortfolioPart()
        for each in self.outcomes:
            assessment, error = None, each.error
            if each.assessment is not None:
                try:
                    assessment = current(each.assessment, f"{self.name}, {each.source}")
                except AnalyzerError as fault:
                    error = fault
            result = Result(
                each.number, each.id, assessment, error, each.from_store, title=each.title, sha256=each.sha256
            )
            part.add(result, each.source, each.text, each.columns)
        part.portfolio.code()
        return part


def current(document: Mapping[str, Any], place: str) -> Assessment:
    """A saved assessment as the current rulebook and market map score it. Raises SignalsError."""
    made = document.get("provenance", {})
    if (made.get("rulebook", {}).get("sha256"), (made.get("market") or {}).get("sha256")) == (
        Rulebook.built_in().sha256,
        MarketMap.built_in().sha256,
    ):
        try:
            found = Assessment.model_validate(document)
        except ValueError:
            pass  # another version wrote it
        else:
            return found
    return score_document(parse_document(DocumentEntry(place, dict(document))))


Piece = PitchesToRead | ResultsToOpen | SavedToFetch


def part_of(piece: Piece) -> PortfolioPart:
    """What comes of a piece of the input."""
    return piece.part()


def in_pieces(values: Iterable[_Value], size: int) -> Iterator[list[_Value]]:
    """The values in pieces of this size; the last may be smaller."""
    left = iter(values)
    while piece := list(islice(left, size)):
        yield piece
