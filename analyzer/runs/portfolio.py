"""Many assessments side by side: where they stand, how they rank and how sure that is, with filters.

Of every pitch a few figures are kept, a thousandth of its assessment, so that many thousands can be taken in while they
stream by.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from analyzer.framework.assessment import Range
from analyzer.framework.many_pitches import Coded, coded_signals, signals_table
from analyzer.framework.market import MarketMap
from analyzer.framework.ranking import Ranked, rank
from analyzer.framework.rulebook import Rulebook
from analyzer.results.result import Result
from analyzer.vocabulary.signals import Signals

ROWS: Final = 5_000
"""Pitches shown in the table, the best ranked first; the figures above it are over all."""
DRAWS: Final = 500
_BATCH: Final = 500
_JITTER: Final = 0.055
"""How far a point is moved, so that pitches at the same place can be told apart; in parts of the axis."""


@dataclass(frozen=True, slots=True)
class PortfolioEntry:
    """What the page shows of one pitch. Positions 0 to 1; `overall` 0 to 100 with its range."""

    id: str
    title: str
    stage: float
    focus: float
    stage_lean: str
    focus_lean: str
    open_position: bool
    overall: Range
    verdict: str
    sentence: str
    category: str
    ask: str
    warnings: tuple[str, ...]
    spread: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which pitches to look at; what is empty lets all pass. `words`: all of them in the title or the id."""

    words: str = ""
    verdict: str = ""
    stage: str = ""
    focus: str = ""
    category: str = ""
    without_warnings: bool = False

    def lets(self, entry: PortfolioEntry) -> bool:
        """Whether this pitch is among them."""
        text = f"{entry.title} {entry.id}".casefold()
        wanted = (
            (self.verdict, entry.verdict),
            (self.stage, entry.stage_lean),
            (self.focus, entry.focus_lean),
            (self.category, entry.category),
        )
        return (
            all(word in text for word in self.words.casefold().split())
            and all(not value or value == found for value, found in wanted)
            and not (self.without_warnings and entry.warnings)
        )


@dataclass(slots=True)
class Portfolio:
    """Collects results, then writes the page."""

    rulebook: Rulebook | None = None
    market: MarketMap | None = None
    entries: list[PortfolioEntry] = field(default_factory=list)
    out_of_scope: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    rough: bool = False
    """Whether any of them was read by cue phrases."""
    _signals: list[Signals] = field(default_factory=list)
    _coded: list[Coded] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Takes in one result of either kind."""
        if result.assessment is None:
            if len(self.failed) < ROWS:
                self.failed.append((result.id, str(result.error)))
            return
        found = result.assessment
        title = found.pitch.title or found.signals.product or result.id
        if found.scores is None or found.position is None or found.quadrant is None or found.verdict is None:
            self.out_of_scope.append(title)
            return
        self.rough = self.rough or any(warning.kind == "rough_reader" for warning in found.warnings)
        category = found.signals.category
        self.entries.append(
            PortfolioEntry(
                id=result.id,
                title=title,
                stage=found.position.stage.value,
                focus=found.position.focus.value,
                stage_lean=found.quadrant.stage,
                focus_lean=found.quadrant.focus,
                open_position=bool(found.position.stage.width or found.position.focus.width),
                overall=found.scores.overall,
                verdict=found.verdict.word,
                sentence=found.verdict.sentence,
                category=str(category.value) if category.known else "",
                ask=found.questions[0].question if found.questions else "",
                warnings=tuple(dict.fromkeys(w.kind for w in found.warnings if w.kind != "rough_reader")),
                spread=_spread(found.pitch.sha256 or result.id),
            )
        )
        self._signals.append(found.signals)
        if len(self._signals) >= _BATCH:
            self._code()

    def ranked(self) -> list[tuple[PortfolioEntry, Ranked]]:
        """The pitches in scope, best first, each with how far its rank can be trusted."""
        self._code()
        if not self._coded:
            return []
        return [
            (self.entries[found.row], found)
            for found in rank(Coded.joined(self._coded), self.rulebook, top=10, draws=DRAWS, seed=0)
        ]

    def _code(self) -> None:
        if self._signals:
            self._coded.append(coded_signals(signals_table(self._signals, market=self.market)))
            self._signals = []


def _spread(seed: str) -> tuple[float, float]:
    """A small shift to either side that is the same every time."""
    digest = hashlib.sha256(seed.encode()).digest()
    return tuple((byte / 255 - 0.5) * 2 * _JITTER for byte in digest[:2])  # type: ignore[return-value]
