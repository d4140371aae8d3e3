"""Which competitors a pitch names: known products, unknown names, and ways to do without any product."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from analyzer.patterns import late
from analyzer.reading.keywords.cues import NAME_WORD, Cue
from analyzer.reading.keywords.evidence import MOST_HITS, Evidence, meets
from analyzer.reading.keywords.rules import KnownNames
from analyzer.reading.keywords.sentences import Hit
from analyzer.vocabulary.signals import MAX_COMPETITORS, Competitor, RivalKind

_CONTEXT_CHARACTERS: Final = 80
_LISTED_NAMES = late(rf"\s{{0,3}}(?:the\s)?({NAME_WORD}(?:\s{NAME_WORD}){{0,2}})(?:\s?,\s?|\s(?:and|or)\s|$|(?=\W))")


@dataclass(frozen=True, slots=True)
class FoundCompetitors:
    """The competitors that a pitch names, and the sentences that mention them."""

    competitors: tuple[Competitor, ...]
    sentences: frozenset[int]


class CompetitorFinder:
    """Finds the competitors in one text."""

    def __init__(self, evidence: Evidence):
        self._evidence = evidence
        self._text = evidence.text
        self._rules = evidence.rules
        self._ends: dict[tuple[int, Cue], list[int]] = {}

    @cached_property
    def mentioned(self) -> FoundCompetitors:
        named: dict[str, Competitor] = {}
        sentences = set()
        mentions = [*self._known_competitors(), *self._unknown_names(), *self._unnamed]
        for hit, kind in sorted(mentions, key=lambda mention: mention[0].start):
            name = " ".join(self._text.original[hit.start : hit.end].split())
            named.setdefault(name.lower(), Competitor(name=name, kind=kind, quote=self._text.quote(hit)))
            sentences.add(hit.sentence)
        return FoundCompetitors(tuple(named.values())[:MAX_COMPETITORS], frozenset(sentences))

    def _known_competitors(self) -> Iterator[tuple[Hit, RivalKind]]:
        unnamed = [hit for hit, _ in self._unnamed]
        for hit, known in self._known_names:
            if any(hit.start < other.end and other.start < hit.end for other in unnamed):
                continue
            if not self._evidence.is_own_name(self._text.original[hit.start : hit.end]) and self._is_against(
                hit, known
            ):
                yield hit, known.kind

    @cached_property
    def _known_names(self) -> list[tuple[Hit, KnownNames]]:
        """Every mention of a known product in prose."""
        named: list[tuple[Hit, KnownNames]] = []
        taken: set[int] = set()
        for cue in self._text.near(self._rules.names):
            known = self._rules.names[cue]
            for first in itertools.islice(self._text.hits(cue), MOST_HITS):
                for start, end in self._text.spans(first.sentence, cue):
                    if taken.isdisjoint(range(start, end)):
                        taken.update(range(start, end))
                        named.append((Hit(first.sentence, start, end), known))
        return named

    def _is_against(self, hit: Hit, known: KnownNames) -> bool:
        """Whether a known name is mentioned as a competitor: by the nearest cue before it, by what is said about it, or
        by the heading above it."""
        cues = self._rules.competitor
        against = self._nearest(hit, cues.against)
        together = self._nearest(hit, cues.together)
        if max(against, together) >= 0:
            return against >= together
        if known.needs_cue:
            return False
        if self._opens(hit) and meets(self._text.after(hit, 3), cues.alone):
            return True
        section = self._text.sentences[hit.sentence].section
        return section >= 0 and bool(self._text.spans(section, cues.heading))

    def _nearest(self, hit: Hit, cue: Cue) -> int:
        """The end of the last such cue close before the name; -1 if there is none."""
        if (hit.sentence, cue) not in self._ends:
            self._ends[hit.sentence, cue] = [end for _, end in self._text.spans(hit.sentence, cue)]
        ends = self._ends[hit.sentence, cue]
        return max((end for end in ends if hit.start - _CONTEXT_CHARACTERS <= end <= hit.start), default=-1)

    def _opens(self, hit: Hit) -> bool:
        return hit.start - self._text.sentences[hit.sentence].start <= 4

    def _unknown_names(self) -> Iterator[tuple[Hit, RivalKind]]:
        """Capitalized names that are not known products, right after words that only a competitor follows."""
        known = [(hit.start, hit.end) for hit, _ in self._known_names]
        for cue in self._text.near(self._rules.competitor.strong):
            for hit in self._evidence.hits(cue):
                at = hit.end
                while (
                    name := _LISTED_NAMES.match(self._text.plain, at, self._text.sentences[hit.sentence].end)
                ) is not None:
                    at = name.end()
                    start, end = name.span(1)
                    if not any(start < last and first < end for first, last in known) and self._is_name(name[1]):
                        yield Hit(hit.sentence, start, end), "startup"

    def _is_name(self, name: str) -> bool:
        """Whether a capitalized word is a name, and not a common word that opens a heading or a sentence."""
        return not self._evidence.is_common(name) and self._evidence.is_company(name)

    @cached_property
    def _unnamed(self) -> list[tuple[Hit, RivalKind]]:
        """Competitors without a name: what customers build or do themselves; one of each kind in a sentence."""
        first: dict[tuple[int, RivalKind], Hit] = {}
        for cues in self._rules.competitor.class_:
            for hit in self._evidence.set_hits(cues):
                first.setdefault((hit.sentence, cues.kind), hit)
        return [(hit, kind) for (_, kind), hit in first.items()]
