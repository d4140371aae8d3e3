"""A portfolio in memory: its pitches, what came of each, and their ranking; and how all of it is written down.

A thread fills it and any other may read it at any time: lists only grow. Each assessment is held compressed (5 kB), and
so is the text of a pitch, if there is one.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from analyzer.errors import AnalyzerError, of_kind
from analyzer.files.tables import InputPitch
from analyzer.framework.assessment import Assessment, Usage
from analyzer.framework.market import MarketMap
from analyzer.framework.ranking import Ranked
from analyzer.framework.rulebook import Rulebook
from analyzer.reading.pitch import Pitch
from analyzer.results.documents import DocumentEntry, parse_document, score_document
from analyzer.results.result import Progress, Result
from analyzer.runs.portfolio import Portfolio, PortfolioEntry, folded, words_of
from analyzer.store.portfolios import SavedPitch, SavedPortfolio

_NAME: Final = re.compile(r"[^\w.()-]+")


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
        return Pitch.from_text(self.words(), self.result.id).text

    def words(self) -> str:
        """The text of the input; empty if it is not known."""
        return "" if self.compressed_text is None else zlib.decompress(self.compressed_text).decode()


@dataclass(frozen=True, slots=True)
class RunChoices:
    """How the pitches are read: the model's name, the USD that one start may cost, whether paid answers are saved, who
    takes a second look (None = nobody), how often a pitch is read, and the address of a server of the visitor's own.
    Without any key: a key is never written down."""

    model: str = ""
    max_cost: float | None = None
    save_answers: bool = False
    verify: str | None = None
    readings: int = 1
    server: str = ""


@dataclass(slots=True)
class PortfolioWork:
    """One portfolio. `id`: its address; `owner`: who alone may see it, None = whoever has its address."""

    name: str
    reads_pitches: bool
    """Whether it reads pitches; otherwise it opens results."""
    progress: Progress = Progress()
    id: str = field(default_factory=lambda: uuid4().hex)
    owner: str | None = None
    options: RunChoices = RunChoices()
    saved: bool = False
    """Whether it is in the store."""
    unsaved: AnalyzerError | None = None
    """Why something of it could not be saved."""
    loading: bool = False
    """Whether it comes from the store now."""
    waiting: dict[int, bytes] = field(default_factory=dict)
    """The pitches without a result, packed, by their number in the input."""
    items: list[PortfolioItem] = field(default_factory=list)
    portfolio: Portfolio = field(default_factory=Portfolio)
    item_numbers: list[int] = field(default_factory=list)
    """For each entry of the portfolio its place in `items`."""
    ranked: list[tuple[PortfolioEntry, Ranked]] = field(default_factory=list)
    shortlist: set[int] = field(default_factory=set)
    """Numbers of pitches."""
    goes_on: bool = False
    """Whether it is read on when nobody looks at it."""
    deleted: bool = False
    ended: AnalyzerError | None = None
    stop: Event = field(default_factory=Event)
    done: Event = field(default_factory=Event)
    _places: dict[int, int] = field(default_factory=dict)
    _in_scope: set[int] = field(default_factory=set)
    _found: tuple[str, frozenset[int]] = ("", frozenset())

    def add(
        self, result: Result, source: str, text: str | None, columns: Mapping[str, Any] | None = None
    ) -> str | None:
        """Adds one result; `columns`: the cells of the input's own columns. Returns its assessment as JSON."""
        assessment = None if result.assessment is None else result.assessment.to_json(indent=None)
        compressed = None if assessment is None else zlib.compress(assessment.encode(), 1)
        before = len(self.portfolio.entries)
        self.portfolio.add(result)
        if len(self.portfolio.entries) > before:
            self.item_numbers.append(len(self.items))
            self._in_scope.add(len(self.items))
        compressed_text = None if text is None else zlib.compress(text.encode("utf-8", "replace"), 1)
        self._places[result.number] = len(self.items)
        self.items.append(
            PortfolioItem(replace(result, assessment=None), source, columns or {}, compressed, compressed_text)
        )
        return assessment

    def item(self, number: int) -> PortfolioItem | None:
        """The pitch with this number in the input, if it has a result."""
        place = self._places.get(number)
        return None if place is None else self.items[place]

    def ranked_item(self, place: int) -> PortfolioItem:
        """The pitch at this place of the ranking."""
        return self.items[self.item_numbers[self.ranked[place][1].row]]

    def place(self, number: int) -> int | None:
        """The place in the ranking of the pitch with this number in the input; None out of scope."""
        return next((p for p in range(len(self.ranked)) if self.ranked_item(p).result.number == number), None)

    def is_out_of_scope(self, item: PortfolioItem) -> bool:
        """Whether the pitch was read and has no place in the ranking."""
        return item.compressed_assessment is not None and self._places[item.result.number] not in self._in_scope

    def own_columns(self) -> tuple[str, ...]:
        """The names of the input's own columns."""
        return tuple(dict.fromkeys(name for item in list(self.items) for name in item.columns))

    def with_words(self, words: str) -> frozenset[int]:
        """The places in the ranking of the pitches whose own words (title, id, text, own columns) have all of these."""
        if self._found[0] != words or not words:
            wanted = words_of(words)
            places = (p for p in range(len(self.ranked)) if self._has(p, wanted))
            self._found = words, frozenset(places)
        return self._found[1]

    def _has(self, place: int, wanted: Sequence[str]) -> bool:
        entry, item = self.ranked[place][0], self.ranked_item(place)
        left = [word for word in wanted if word not in folded(f"{entry.title} {entry.id}")]
        if not left:
            return True
        said = folded(" ".join([item.words(), *map(str, item.columns.values())]))
        return all(word in said for word in left)

    def rank(self) -> None:
        """Ranks what is there."""
        ranked = self.portfolio.ranked()
        self._found = "", frozenset()
        self.ranked = ranked

    def file_name(self, what: str) -> str:
        """A name for a file of it, after the file that it came from."""
        stem = self.name.rpartition(".")[0] or self.name
        return f"{_NAME.sub('-', stem).strip('-.')[:80] or 'portfolio'}-{what}"


def without_credentials(url: str) -> str:
    """A server's address as it may be written down: without user, password and query. Empty for what is not an address,
    such as one that is half typed."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else ""


# ---------------------------------------------------------------- written down


def packed(pitch: InputPitch) -> bytes:
    """A pitch to be read, for memory."""
    return zlib.compress(
        json.dumps(pitch_document(pitch), ensure_ascii=False, default=str).encode("utf-8", "replace"), 1
    )


def unpacked(data: bytes) -> InputPitch:
    """A pitch to be read."""
    return _input_pitch(json.loads(zlib.decompress(data)))


def pitch_document(pitch: InputPitch) -> dict[str, Any]:
    """A pitch to be read, for the store."""
    document = {name: getattr(pitch, name) for name in ("source", "id", "title", "text")}
    document["columns"] = dict(pitch.columns)
    return document if pitch.error is None else {**document, "error": _error_document(pitch.error)}


def result_json(result: Result, assessment: str | None) -> str:
    """What came of a pitch, for the store; `assessment`: its JSON, if it has one."""
    document: dict[str, Any] = {"id": result.id, "title": result.title, "from_store": result.from_store}
    if assessment is None:
        document["error"] = _error_document(result.error or AnalyzerError("not read"))
        return json.dumps(document, ensure_ascii=False)
    return f'{json.dumps(document, ensure_ascii=False)[:-1]}, "assessment": {assessment}}}'


def add_saved(work: PortfolioWork, saved: SavedPitch) -> None:
    """Takes a pitch from the store, with what came of it, if anything. The current rulebook scores it."""
    pitch = saved.pitch
    if saved.shortlisted:
        work.shortlist.add(saved.number)
    if saved.result is None:
        work.waiting[saved.number] = packed(_input_pitch(pitch))
        return
    found, assessment, error = saved.result, None, None
    if found.get("error"):
        error = _error(found["error"])
    else:
        try:
            assessment = _assessment(found["assessment"], f"{work.name}, {pitch.get('source', '')}")
        except AnalyzerError as fault:
            error = fault
    known: dict[str, Any] = {
        "title": found.get("title"),
        "sha256": saved.sha256,
        "from_store": bool(found.get("from_store")),
    }
    result = Result(saved.number, str(found.get("id") or pitch.get("id") or saved.number), assessment, error, **known)
    text = None if not work.reads_pitches or pitch.get("error") else str(pitch.get("text", ""))
    work.add(result, str(pitch.get("source", "")), text, pitch.get("columns"))


def figures(work: PortfolioWork) -> dict[str, Any]:
    """What a run reports beyond its results, for the store."""
    progress = work.progress
    return {
        "elapsed": round(progress.elapsed, 3),
        "usage": progress.usage.model_dump(),
        "stopped": work.stop.is_set(),
        "ended": None if work.ended is None else _error_document(work.ended),
    }


def restored(saved: SavedPortfolio) -> PortfolioWork:
    """A portfolio of the store, still without its pitches."""
    options = RunChoices(
        saved.model,
        saved.options.get("max_cost"),
        bool(saved.options.get("save_answers", False)),
        saved.options.get("verify"),
        int(saved.options.get("readings") or 1),
        str(saved.options.get("server") or ""),
    )
    work = PortfolioWork(saved.name, bool(saved.model), id=saved.id, owner=saved.owner, options=options, saved=True)
    ended = saved.figures.get("ended")
    work.ended = _error(ended) if ended else None
    work.loading = True
    work.progress = Progress(
        total=saved.total,
        usage=Usage.model_validate(saved.figures.get("usage") or {}),
        elapsed=float(saved.figures.get("elapsed") or 0.0),
    )
    if saved.figures.get("stopped"):
        work.stop.set()
    return work


def counted(progress: Progress, results: Iterable[Result]) -> Progress:
    """The progress with these results counted in."""
    failed, done, stored = dict(progress.failed), progress.done, progress.from_store
    for result in results:
        if result.error is None:
            done, stored = done + 1, stored + result.from_store
        else:
            failed[result.error.kind] = failed.get(result.error.kind, 0) + 1
    return replace(progress, done=done, from_store=stored, failed=failed)


def together(before: Progress, now: Progress, total: int | None) -> Progress:
    """The progress of a run that went on: all that came before, and now."""
    failed = {kind: before.failed.get(kind, 0) + now.failed.get(kind, 0) for kind in {**before.failed, **now.failed}}
    return replace(
        now,
        done=before.done + now.done,
        failed=failed,
        from_store=before.from_store + now.from_store,
        total=total,
        elapsed=before.elapsed + now.elapsed,
        usage=_sum(before.usage, now.usage),
    )


def _sum(one: Usage, other: Usage) -> Usage:
    numbers = {name: getattr(one, name) + getattr(other, name) for name in Usage.model_fields if name != "cost_usd"}
    costs = [usage.cost_usd for usage in (one, other) if usage.requests or usage.cost_usd is not None]
    return Usage(**numbers, cost_usd=None if not costs or None in costs else sum(cost or 0.0 for cost in costs))


def _assessment(document: Mapping[str, Any], place: str) -> Assessment:
    """The assessment as the current rulebook and market map score it. Raises SignalsError."""
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


def _input_pitch(document: Mapping[str, Any]) -> InputPitch:
    return InputPitch(
        str(document.get("source", "")),
        str(document.get("id", "")),
        str(document.get("text", "")),
        _error(document["error"]) if document.get("error") else None,
        str(document.get("title", "")),
        document.get("columns") or {},
    )


def _error_document(error: AnalyzerError) -> dict[str, str]:
    return {"kind": error.kind, "message": str(error)}


def _error(document: Mapping[str, str]) -> AnalyzerError:
    return of_kind(document["kind"], document["message"])
