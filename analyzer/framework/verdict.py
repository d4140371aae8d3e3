"""The sentences of an assessment: why a consideration got its points, and the verdict.

Words come from the rulebook; this module only chooses and joins them, and never says more than the range allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from analyzer.framework.assessment import ConsiderationResult, Quadrant, Question, Range, Verdict, VerdictWord
from analyzer.framework.inputs import Facts
from analyzer.framework.rulebook import Consideration, Rulebook, VerdictBounds
from analyzer.vocabulary.labels import capital, joined

SPEAKS_FOR, SPEAKS_AGAINST = 7.0, 3.0
"""Points from which a consideration speaks for the product, and up to which it speaks against it."""

Leaning = Literal["for", "against", "open"]
"""Which way a consideration goes; open where its points lie between the two, or where their range does not say."""

_DOUBTFUL: Final = "No verdict, because the reading is in doubt (see the warnings)"
_STAGES: Final = {"day_1": "day-1", "day_2": "day-2", "mixed": "day-1 and day-2", "unknown": ""}
_FOCUSES: Final = {"ml": "ML", "engineering": "engineering", "mixed": "ML and engineering", "unknown": ""}


def reason(rulebook: Rulebook, consideration: Consideration, facts: Facts, points: Range) -> str:
    """Why a consideration got its points; where something is unknown, what it is and which points remain possible."""
    known = {
        name: facts.phrases.get(name) or rulebook.inputs[name].found[value]
        for name in consideration.inputs
        if (value := facts.values[name]) is not None
    }
    unknown = [rulebook.inputs[name].unknown for name in consideration.inputs if name not in known]
    if not unknown:
        key = tuple(str(facts.values[name]) for name in consideration.inputs)
        return consideration.reasons[consideration.deciding[key].reason].format_map(known)
    effect = (
        f"but that makes no difference: {points.low:g} of 10 points"
        if points.width == 0
        else f"so anything from {points.low:g} to {points.high:g} of 10 points is possible"
    )
    silence = f"The pitch does not say {joined(unknown, 'or')}, {effect}."
    return f"{capital(_clauses(list(known.values())))}. {silence}" if known else silence


def _clauses(clauses: Sequence[str]) -> str:
    """Clauses in one sentence: "a", "a, and b", "a, b, and c"."""
    return clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])}, and {clauses[-1]}"


def leaning(points: Range) -> Leaning:
    """Whether a consideration speaks for the product or against it: only if its whole range says so."""
    if points.low >= SPEAKS_FOR:
        return "for"
    return "against" if points.high <= SPEAKS_AGAINST else "open"


def headline(consideration: Consideration, points: Range) -> str:
    """Which way a consideration went, in a few words; its title where the range leaves that open."""
    words = {"for": consideration.speaks_for, "against": consideration.speaks_against, "open": consideration.title}
    return capital(words[leaning(points)])


def verdict(
    rulebook: Rulebook,
    quadrant: Quadrant,
    overall: Range,
    considerations: Sequence[ConsiderationResult],
    questions: Sequence[Question],
    *,
    doubtful: bool = False,
) -> Verdict:
    """The word, from the range alone, and a few short sentences: what kind of product it is, the score and how far it
    is open, the strongest point, the weakest point, and the question that would settle most. `doubtful`: the reading
    is in doubt, so the word is "open"."""
    word: VerdictWord = "open" if doubtful else _word(rulebook.verdict, overall)
    judgment = _DOUBTFUL if doubtful else _judgment(rulebook.verdict, word, overall)
    parts = [
        f"{kind(quadrant)}.",
        f"{judgment}: {_score(overall)}.",
        *_points(rulebook, word, considerations),
    ]
    if questions and questions[0].settles > 0:
        parts.append(f"Biggest open question: {_asked(rulebook.inputs[questions[0].signal].unknown)}")
    return Verdict(word=word, sentence=" ".join(parts))


def kind(quadrant: Quadrant) -> str:
    """The product's kind in words, for example "Day-2 engineering product"."""
    stage, focus = _STAGES[quadrant.stage], _FOCUSES[quadrant.focus]
    if not stage and not focus:
        return "Kind of product not stated"
    if quadrant.stage == quadrant.focus == "mixed":
        return "Day-1 and day-2 product for ML and engineering"
    unknown = "" if stage and focus else f", {'focus' if stage else 'stage'} not stated"
    return capital(f"{' '.join(part for part in (stage, focus) if part)} product{unknown}")


def _word(bounds: VerdictBounds, overall: Range) -> VerdictWord:
    if overall.high < bounds.against_below:
        return "against"
    if overall.low > bounds.for_above:
        return "for"
    return "open" if overall.low < bounds.against_below and overall.high > bounds.for_above else "balanced"


def _judgment(bounds: VerdictBounds, word: VerdictWord, overall: Range) -> str:
    """The verdict's word in words, with the side that a balanced range reaches."""
    if word == "open":
        return "Too much is unknown for a verdict"
    if word != "balanced":
        return "Favorable" if word == "for" else "Unfavorable"
    if overall.high > bounds.for_above:
        return "Balanced to favorable"
    return "Balanced to unfavorable" if overall.low < bounds.against_below else "Balanced"


def _score(overall: Range) -> str:
    """The score with its range; with a decimal where whole numbers would hide that there is one."""
    if not overall.width:
        return f"{overall.value:.0f}/100"
    digits = 0 if f"{overall.low:.0f}" != f"{overall.high:.0f}" else 2
    value, low, high = (f"{number:.{digits}f}" for number in (overall.value, overall.low, overall.high))
    return f"{value}/100, between {low} and {high} depending on what the pitch leaves out"


def _points(rulebook: Rulebook, word: VerdictWord, considerations: Sequence[ConsiderationResult]) -> Iterator[str]:
    """The strongest and the weakest point; in an unfavorable verdict the weakest first."""
    records = {record.id: record for record in rulebook.considerations}
    weightiest = sorted((c for c in considerations if c.share), key=lambda c: -c.share * abs(c.points.value - 5))
    strong = [records[c.id].speaks_for for c in weightiest if leaning(c.points) == "for"]
    weak = [records[c.id].speaks_against for c in weightiest if leaning(c.points) == "against"]
    sentences = [f"Its strongest point: {phrase}." for phrase in strong[:1]]
    sentences += [f"Its weakest point: {phrase}." for phrase in weak[:1]]
    yield from reversed(sentences) if word == "against" else sentences


def _asked(unknown: str) -> str:
    """What is unknown, as a question; "whether …" does not make one."""
    return f"{unknown}{'.' if unknown.startswith('whether') else '?'}"
