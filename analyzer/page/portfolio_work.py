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
from analyzer.framework.assessment import Usage
from analyzer.framework.ranking import Ranked
from analyzer.results.result import Progress, Result
from analyzer.runs.portfolio import Portfolio, PortfolioEntry, folded, ranks_of, words_of
from analyzer.runs.portfolio_parts import PortfolioItem, PortfolioPart, SavedOutcome
from analyzer.runs.side_processes import shared
from analyzer.store.portfolios import SavedPitch, SavedPortfolio

FEW: Final = 50
"""Pitches for which starting another process takes longer than doing the work here."""
_NAME: Final = re.compile(r"[^\w.()-]+")


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
    ) -> PortfolioItem:
        """Adds one result; `columns`: the cells of the input's own columns."""
        item = PortfolioItem.of(result, source, text, columns)
        before = len(self.portfolio.entries)
        self.portfolio.add(result)
        self._take([item], [0] if len(self.portfolio.entries) > before else [])
        return item

    def join(self, part: PortfolioPart) -> None:
        """Adds a part of it."""
        self.portfolio.join(part.portfolio)
        self._take(part.items, part.in_scope)

    def _take(self, items: Sequence[PortfolioItem], in_scope: Sequence[int]) -> None:
        first = len(self.items)
        self.item_numbers += [first + at for at in in_scope]
        self._in_scope.update(first + at for at in in_scope)
        self._places.update((item.result.number, at) for at, item in enumerate(items, first))
        self.items += items

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
        coded = self.portfolio.coded()
        if coded is None:
            ranks: list[Ranked] = []
        else:
            ranks = ranks_of(coded) if len(coded) < FEW else shared.submit(ranks_of, coded).result()
        ranked = self.portfolio.with_ranks(ranks)
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


def result_json(item: PortfolioItem) -> str:
    """What came of a pitch, for the store."""
    result, assessment = item.result, item.json()
    document: dict[str, Any] = {"id": result.id, "title": result.title, "from_store": result.from_store}
    if assessment is None:
        document["error"] = _error_document(result.error or AnalyzerError("not read"))
        return json.dumps(document, ensure_ascii=False)
    return f'{json.dumps(document, ensure_ascii=False)[:-1]}, "assessment": {assessment}}}'


def waits(work: PortfolioWork, saved: SavedPitch) -> bool:
    """Takes what a pitch of the store is to the portfolio; whether it waits to be read."""
    if saved.shortlisted:
        work.shortlist.add(saved.number)
    if saved.result is None:
        work.waiting[saved.number] = packed(_input_pitch(saved.pitch))
    return saved.result is None


def outcome(work: PortfolioWork, saved: SavedPitch) -> SavedOutcome:
    """What the store has of a pitch that was read."""
    pitch, found = saved.pitch, saved.result or {}
    return SavedOutcome(
        saved.number,
        str(found.get("id") or pitch.get("id") or saved.number),
        found.get("title"),
        saved.sha256,
        bool(found.get("from_store")),
        None if found.get("error") else found["assessment"],
        _error(found["error"]) if found.get("error") else None,
        str(pitch.get("source", "")),
        None if not work.reads_pitches or pitch.get("error") else str(pitch.get("text", "")),
        pitch.get("columns") or {},
    )


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
