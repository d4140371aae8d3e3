"""Whether a text is about a tool for machine learning, and which category of tool."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from analyzer.reading.keywords.evidence import Evidence
from analyzer.reading.keywords.rules import Cues
from analyzer.reading.keywords.sentences import Hit, Place
from analyzer.vocabulary.signals import Category

PLACE_POINTS: Final[Mapping[Place, int]] = {"title": 4, "opening": 3, "early": 2, "later": 1}
"""How much a hit counts, by its place."""
_CONTRARY: Final = 3


class CategoryFinder:
    """Finds scope and category of one text."""

    def __init__(self, evidence: Evidence):
        self._evidence = evidence
        self._rules = evidence.rules

    def in_scope(self) -> bool:
        """Whether the text is about the making of machine learning."""
        scope = self._rules.scope
        own_use = self._places_met(scope.own_use)
        aside = self._evidence.sentences_with(scope.aside).union(*own_use)
        work = self._places_met(scope.work, aside)
        points = 2 * len(work) + sum(not places.isdisjoint(self._evidence.front) for places in work)
        points += len(self._places_met(scope.hints, aside)) - 3 * min(_CONTRARY, len(own_use))
        for contrary in (scope.other_trades, scope.infrastructure):
            points -= min(_CONTRARY, len(self._places_met(contrary)))
        return points >= scope.needed

    def _places_met(self, cues: Cues, aside: frozenset[int] = frozenset()) -> list[frozenset[int]]:
        """For each cue that appears early in the text, its sentences. Further down, long manuals mention everything."""
        met = [
            frozenset(
                hit.sentence
                for hit in self._evidence.hits(cue, code=True)
                if self._evidence.place(hit.sentence) != "later" and hit.sentence not in aside
            )
            for cue in self._evidence.text.near(cues)
        ]
        return [places for places in met if places]

    @cached_property
    def best(self) -> tuple[Category, list[Hit]] | None:
        """The category with the most points and its hits, if it has enough points and a clear lead over the next."""
        table = self._rules.category
        points: dict[Category, float] = {}
        hits: dict[Category, list[Hit]] = {}
        theirs = [hit for cue in self._evidence.text.near(table.theirs) for hit in self._evidence.hits(cue)]
        for name, category in table.of.items():
            met = [
                (-weight * PLACE_POINTS[self._evidence.place(hit.sentence)], hit.start, number, weight, hit)
                for weight, cues in ((3, category.naming), (1, category.cues))
                for number, cue in enumerate(self._evidence.text.near(cues))
                for hit in itertools.islice(self._evidence.hits(cue), 3)
                if not any(hit.start < other.end and other.start < hit.end for other in theirs)
            ]
            hits[name], points[name] = [], 0.0
            counted: set[tuple[int, int]] = set()
            for less, _, number, weight, hit in sorted(met, key=lambda each: each[:3]):
                if any(hit.start < other.end and other.start < hit.end for other in hits[name]):
                    continue
                hits[name].append(hit)
                points[name] += weight / 2 if (weight, number) in counted else -less
                counted.add((weight, number))
        first, second = sorted(points, key=lambda name: -points[name])[:2]
        if points[first] < table.needed or points[first] < table.lead * points[second]:
            return None
        return first, sorted(hits[first], key=lambda hit: hit.start)

    def value(self) -> dict[str, Any]:
        """The signal `category`; empty if unknown."""
        if self.best is None:
            return {}
        name, hits = self.best
        naming = [hit for cue in self._rules.category.of[name].naming for hit in self._evidence.hits(cue)]
        opening = [hit for hit in naming if self._evidence.place(hit.sentence) in ("title", "opening")]
        return self._evidence.value(name, "stated" if opening else "inferred", opening or naming or hits)
