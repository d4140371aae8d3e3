"""Many assessments side by side: where they stand, how they rank and how sure that is, with filters.

Of every pitch a few figures are kept, a thousandth of its assessment, so that many thousands can be taken in while they
stream by.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from analyzer.framework.assessment import Range, ShownVerdict
from analyzer.framework.many_pitches import coded_documents
from analyzer.framework.market import MarketMap
from analyzer.framework.ranking import Ranked, rank
from analyzer.framework.rulebook import Rulebook
from analyzer.framework.scorer import Coded
from analyzer.results.result import Result
from analyzer.vocabulary.derived import LEANS
from analyzer.vocabulary.signals import UNKNOWN, Signals

ROWS: Final = 5_000
"""Pitches shown in the table, the best ranked first; the figures above it are over all."""
DRAWS: Final = 500
_BATCH: Final = 500
_JITTER: Final = 0.055
"""How far a point is moved, so that pitches at the same place can be told apart; in parts of the axis."""


@dataclass(frozen=True, slots=True)
class PortfolioEntry:
    """What the page shows of one pitch. Positions 0 to 1; `overall` 0 to 100 with its range; `said` 0 to 1; `gates`:
    the titles of the deal-breakers that hold."""

    id: str
    title: str
    stage: float
    focus: float
    stage_lean: str
    focus_lean: str
    open_position: bool
    overall: Range
    verdict: ShownVerdict
    sentence: str
    category: str
    ask: str
    warnings: tuple[str, ...]
    said: float
    gates: str
    spread: tuple[float, float]


@dataclass(frozen=True, slots=True)
class FilterField:
    """A fact of a pitch that portfolios are filtered by. `values`: those to choose from, before others that occur."""

    name: str
    label: str
    value: Callable[[PortfolioEntry], str]
    values: tuple[str, ...] = ()

    def choices(self, entries: Iterable[PortfolioEntry]) -> tuple[str, ...]:
        """The values to choose from for these pitches."""
        return (*self.values, *sorted({found for found in map(self.value, entries) if found} - set(self.values)))


FILTER_FIELDS: Final = (
    FilterField("verdict", "Verdict", lambda entry: entry.verdict, ("for", "balanced", "open", "against")),
    FilterField("stage", "Stage", lambda entry: entry.stage_lean, (*LEANS["stage"], UNKNOWN)),
    FilterField("focus", "Focus", lambda entry: entry.focus_lean, (*LEANS["focus"], UNKNOWN)),
    FilterField("category", "Category", lambda entry: entry.category),
)
"""What the page and the HTML portfolio filter by, besides words and warnings."""


def filter_facts(entry: PortfolioEntry) -> dict[str, str]:
    """All that filters look at, by name: `words` (title and id, without case), each field, and the warnings' kinds.

    The rows of the HTML portfolio carry these facts as data attributes, so its script filters by the same ones.
    """
    fields = {field.name: field.value(entry) for field in FILTER_FIELDS}
    return {"words": folded(f"{entry.title} {entry.id}"), **fields, "warnings": " ".join(entry.warnings)}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which pitches to look at. `words`: all of them occur in the title or the id; `chosen`: the value of some fields
    by name, empty for any."""

    words: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)
    without_warnings: bool = False

    def matches(self, entry: PortfolioEntry) -> bool:
        """Whether this pitch is one of them; `filter` in views/templates/portfolio.js decides the same."""
        facts = filter_facts(entry)
        return (
            all(word in facts["words"] for word in words_of(self.words))
            and all(not value or value == facts[name] for name, value in self.chosen.items())
            and not (self.without_warnings and facts["warnings"])
        )


_SPACES: Final = r"[ \t\n\r\f\v\u00a0\u3000]+"
"""Written out, because \\s is not the same in Python and JavaScript."""


def words_of(text: str) -> list[str]:
    """The words to search for, without case."""
    return re.split(_SPACES, folded(text))


def folded(text: str) -> str:
    """Without case, as JavaScript can do it, too; both ways, so that "STRASSE" and "straße" are the same."""
    return text.upper().lower()


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
            self.out_of_scope.append(f"{title} (readings disagree)" if found.signals.scope else title)
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
                verdict="draft" if found.is_draft else found.verdict.word,
                sentence=found.verdict.sentence,
                category=str(category.value) if category.known else "",
                ask=found.questions[0].question if found.questions else "",
                warnings=tuple(dict.fromkeys(w.kind for w in found.warnings if w.kind != "rough_reader")),
                said=found.said or 0.0,
                gates="; ".join(gate.title for gate in found.gates if gate.state == "holds"),
                spread=_spread(found.pitch.sha256 or result.id),
            )
        )
        self._signals.append(found.signals)
        if len(self._signals) >= _BATCH:
            self.code()

    def join(self, other: Portfolio) -> None:
        """Takes in all that another portfolio has, after what is here."""
        self.code()
        other.code()
        self.rough = self.rough or other.rough
        self.entries += other.entries
        self.out_of_scope += other.out_of_scope
        self.failed += other.failed[: max(0, ROWS - len(self.failed))]
        self._coded += other._coded

    def coded(self) -> Coded | None:
        """The signals of the pitches in scope, as numbers; None without any."""
        self.code()
        return Coded.joined(self._coded) if self._coded else None

    def ranked(self) -> list[tuple[PortfolioEntry, Ranked]]:
        """The pitches in scope, best first, each with how far its rank can be trusted."""
        coded = self.coded()
        return [] if coded is None else self.with_ranks(ranks_of(coded, self.rulebook))

    def with_ranks(self, ranks: Iterable[Ranked]) -> list[tuple[PortfolioEntry, Ranked]]:
        """The pitches with their ranks."""
        return [(self.entries[found.row], found) for found in ranks]

    def code(self) -> None:
        """Turns the signals that are not yet into numbers."""
        if self._signals:
            self._coded.append(coded_documents(self._signals, self.market))
            self._signals = []


def ranks_of(coded: Coded, rulebook: Rulebook | None = None) -> list[Ranked]:
    """The ranks of a portfolio's pitches, best first."""
    return rank(coded, rulebook, top=10, draws=DRAWS, seed=0)


def _spread(seed: str) -> tuple[float, float]:
    """A small shift to either side that is the same every time."""
    digest = hashlib.sha256(seed.encode()).digest()
    return tuple((byte / 255 - 0.5) * 2 * _JITTER for byte in digest[:2])  # type: ignore[return-value]
