"""Which problems a text says the product solves, with stage and focus of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypeVar, cast

from analyzer.framework.market import MarketMap
from analyzer.reading.keywords.categories import CategoryFinder
from analyzer.reading.keywords.evidence import Evidence
from analyzer.reading.keywords.rules import ProblemCues
from analyzer.reading.keywords.sentences import Hit
from analyzer.vocabulary.signals import MAX_PROBLEMS, Focus, Problem, Stage

T = TypeVar("T", bound=str)

_STATEMENT_WORDS: Final = 25
_CLEAR_POINTS: Final = 4
"""From so many points on, a sentence is clear about a problem of its own, or about each of two kinds."""
_SOLD_POINTS: Final = 3
"""From so many points on, a sentence of the first paragraph sells a problem of its own."""
_MOST_POINTS: Final = 3
"""What one cue counts at most."""
_SECONDARY_PROBLEMS: Final = 2
_STAGES: Final = ("day_1", "day_2")
_OF_LEAN: Final = {"mixed": "both"}
"""The stage or focus of a problem whose product leans to neither end."""


@dataclass(frozen=True, slots=True)
class Placing:
    """What one or more sentences say about a problem's stage and focus, and how clearly."""

    stage: Stage
    focus: Focus
    points: int = 0


def usual_placing(category: str | None) -> Placing:
    """Stage and focus that products of this category usually have, by the market map."""
    usual = MarketMap.built_in().category(category) if category is not None else None
    if usual is None:
        return Placing("unclear", "unclear")
    stage, focus = (_OF_LEAN.get(lean, lean) for lean in (usual.usual_stage, usual.usual_focus))
    return Placing(cast(Stage, stage), cast(Focus, focus))


class ProblemFinder:
    """Finds the problems in one text."""

    def __init__(self, evidence: Evidence, categories: CategoryFinder):
        self._evidence = evidence
        self._text = evidence.text
        self._rules = evidence.rules
        self._categories = categories

    def find(self) -> tuple[Problem, ...]:
        """The problems, the primary ones first."""
        primary = self._primary()
        seen = {(problem.stage, problem.focus) for problem in primary}
        more = []
        for number, placing in sorted(self._placings.items(), key=lambda entry: -entry[1].points):
            placed = (placing.stage, placing.focus)
            if number not in self._evidence.front and placing.points >= _CLEAR_POINTS and placed not in seen:
                seen.add(placed)
                more.append(self._problem(number, placing))
        return (*primary, *more[:_SECONDARY_PROBLEMS])[:MAX_PROBLEMS]

    def _primary(self) -> list[Problem]:
        """The problem that title and first paragraph sell; two if the title leaves the stage open and the paragraph has
        a clear sentence for each. Stage and focus that they do not tell come from the text that follows, else from
        the category."""
        if not self._evidence.front:
            return []
        sold = {
            self._placings[number].stage: number
            for number in reversed(self._evidence.front[1:])
            if number in self._placings and self._placings[number].points >= _SOLD_POINTS
        }
        if {"day_1", "day_2"} <= set(sold) and self._pooled(self._evidence.front[:1]).stage in ("unclear", "both"):
            return [self._problem(sold[stage], self._placings[sold[stage]], primary=True) for stage in _STAGES]
        early = [number for number in range(len(self._text.sentences)) if self._evidence.place(number) == "early"]
        own = [number for number in early if self._evidence.is_own_name(self._text.words(number))]
        clear = [number for number in early if number in self._placings]
        usual = usual_placing(self._categories.best[0] if self._categories.best else None)
        sources = [
            self._pooled(self._evidence.front),
            self._pooled(own),
            usual,
            self._pooled(clear),
        ]
        placing = Placing(_first(each.stage for each in sources), _first(each.focus for each in sources))
        return [self._problem(self._first_with_cue([*self._evidence.front, *early]), placing, primary=True)]

    def _first_with_cue(self, numbers: Sequence[int]) -> int:
        """The first of the sentences with a cue, except titles of one or two words; else the first sentence."""
        stages, focuses = self._problem_cues
        held = (
            number
            for number in numbers
            if (number in stages or number in focuses) and len(self._text.words(number).split()) > 2
        )
        return next(held, numbers[0])

    def _problem(self, number: int, placing: Placing, primary: bool = False) -> Problem:
        sentence = self._text.sentences[number]
        words = self._text.words(number).removeprefix(f"{self._evidence.product}: ").split()[:_STATEMENT_WORDS]
        quote = self._text.quote(Hit(number, sentence.start, sentence.start))
        return Problem(
            statement=" ".join(words), quote=quote, stage=placing.stage, focus=placing.focus, primary=primary
        )

    def _pooled(self, numbers: Sequence[int]) -> Placing:
        """Stage and focus by the points of the cues in these sentences; a tie is unclear."""
        counted: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        for number in numbers:
            weight = 3 if self._evidence.place(number) == "title" else 1
            for total, cues in zip(counted, self._problem_cues, strict=True):
                for value, count in cues.get(number, Counter()).items():
                    total[value] += weight * count
        stages, focuses = counted
        each = [self._problem_cues[1].get(number, Counter()) for number in numbers]
        shared = (
            "both" if any(len(counts) > 1 and min(counts.values()) >= _CLEAR_POINTS for counts in each) else "unclear"
        )
        stage, focus = _most(stages) or "unclear", _most(focuses) or shared
        return Placing(cast(Stage, stage), cast(Focus, focus), min(stages.total(), focuses.total()))

    @cached_property
    def _placings(self) -> dict[int, Placing]:
        """Sentences that tell both stage and focus by themselves."""
        stages, focuses = self._problem_cues
        pooled = {number: self._pooled([number]) for number in sorted(stages.keys() & focuses.keys())}
        return {
            number: placing for number, placing in pooled.items() if "unclear" not in (placing.stage, placing.focus)
        }

    @cached_property
    def _problem_cues(self) -> tuple[dict[int, Counter[str]], dict[int, Counter[str]]]:
        """How strongly a sentence speaks for each stage, and for each focus."""
        stages, focuses = self._counted(self._rules.problem.stage), self._counted(self._rules.problem.focus)
        decided = {number: Counter(both=counts["both"]) for number, counts in stages.items() if "both" in counts}
        return stages | decided, focuses

    def _counted(self, groups: Sequence[ProblemCues]) -> dict[int, Counter[str]]:
        """Points for each value by sentence. A cue of several words says more than one of a single word, and words
        count once for a value, whichever of its cues they meet."""
        counted: dict[int, Counter[str]] = {}
        for cues in groups:
            met: dict[int, list[tuple[int, int, int]]] = {}
            for cue in self._text.near(cues.cues):
                for hit in self._evidence.hits(cue, cues.unless):
                    if hit.sentence not in self._evidence.planned:
                        met.setdefault(hit.sentence, []).append(
                            (-min(len(cue.needs), _MOST_POINTS), hit.start, hit.end)
                        )
            for number, hits in met.items():
                taken: list[tuple[int, int]] = []
                for less, start, end in sorted(hits):
                    if all(end <= first or last <= start for first, last in taken):
                        taken.append((start, end))
                        counted.setdefault(number, Counter())[cues.value] -= less
        return counted


def _first(values: Iterable[T]) -> T | Literal["unclear"]:
    return next((value for value in values if value != "unclear"), "unclear")


def _most(counted: Counter[str]) -> str:
    """The value with the most points; empty without any, or at a tie."""
    ranked = counted.most_common(2)
    return ranked[0][0] if ranked and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]) else ""
