"""The sentences of an assessment: why a consideration got its points, and the verdict.

Words come from the rulebook; this module only chooses and joins them, and never says more than the range allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from analyzer.framework.assessment import ConsiderationResult, Quadrant, Question, Range, Verdict, VerdictWord
from analyzer.framework.inputs import Facts
from analyzer.framework.rulebook import Consideration, Rulebook
from analyzer.vocabulary.labels import capital, joined

SPEAKS_FOR, SPEAKS_AGAINST = 7.0, 3.0
"""Points from which a consideration speaks for the product, and up to which it speaks against it."""

Leaning = Literal["for", "against", "open"]
LEANINGS: Final[Mapping[Leaning, str]] = {
    "for": "Speaks for it",
    "against": "Speaks against it",
    "open": "In between, or open",
}
"""Where considerations belong when people look at them, in this order."""

_STAGES = {"day_1": "day-1", "day_2": "day-2", "mixed": "day-1 and day-2", "unknown": ""}
_FOCUSES = {"ml": "ML", "engineering": "engineering", "mixed": "ML and engineering", "unknown": ""}
_VERDICTS: dict[VerdictWord, str] = {
    "for": "the framework speaks for it",
    "against": "the framework speaks against it",
    "balanced": "for and against are about even",
    "open": "too much is left unsaid for a verdict",
}


def reason(rulebook: Rulebook, consideration: Consideration, facts: Facts, points: Range) -> str:
    """One sentence naming what was found; where something is unknown, what is, and which points that leaves open."""
    found = {
        name: facts.phrases.get(name) or rulebook.inputs[name].found[value]
        for name in consideration.inputs
        if (value := facts.values[name]) is not None
    }
    missing = [rulebook.inputs[name].unknown for name in consideration.inputs if name not in found]
    if not missing:
        key = tuple(str(facts.values[name]) for name in consideration.inputs)
        return consideration.reasons[consideration.deciding[key].reason].format_map(found)
    if points.width == 0:
        span = f"either way it comes to {points.low:g} of 10 points"
    else:
        span = f"that leaves anything from {points.low:g} to {points.high:g} of 10 points"
    silence = f"the pitch does not say {joined(missing, 'or')}"
    known = f"{joined(list(found.values()))}, but {silence}" if found else silence
    return f"{capital(known)}; {span}."


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
) -> Verdict:
    """The word, from the range alone, and one sentence: what kind of product it is, how sure that is, what speaks most
    for it and most against it, and what would decide it."""
    bounds = rulebook.verdict
    word: VerdictWord
    if overall.high < bounds.against_below:
        word = "against"
    elif overall.low > bounds.for_above:
        word = "for"
    elif overall.low < bounds.against_below and overall.high > bounds.for_above:
        word = "open"
    else:
        word = "balanced"
    records = {record.id: record for record in rulebook.considerations}
    speaking = sorted(considerations, key=lambda c: -c.share * abs(c.points.value - 5))
    favour = [records[c.id].speaks_for for c in speaking if c.share and leaning(c.points) == "for"]
    against = [records[c.id].speaks_against for c in speaking if c.share and leaning(c.points) == "against"]
    said = _VERDICTS[word]
    if word == "balanced" and overall.high > bounds.for_above:
        said = "depending on what is left unsaid, the framework is about even or speaks for it"
    elif word == "balanced" and overall.low < bounds.against_below:
        said = "depending on what is left unsaid, the framework is about even or speaks against it"
    spoken = [f"most for it is that {favour[0]}"] if favour else []
    if against:
        spoken.append(f"most against it{'' if favour else ' is'} that {against[0]}")
    parts = [f"{kind(quadrant)}: {said} ({_sure(overall)})", ", ".join(spoken)]
    telling = [rulebook.inputs[question.signal].unknown for question in questions[:1] if question.settles > 0]
    if telling:
        parts.append(f"{'what would decide it' if word in ('open', 'balanced') else 'still to ask'} is {telling[0]}")
    return Verdict(word=word, sentence=f"{'; '.join(part for part in parts if part)}.")


def _sure(overall: Range) -> str:
    """The score with what is left open, in words."""
    value, low, high = (f"{number:.0f}" for number in (overall.value, overall.low, overall.high))
    return f"{value} of 100, anywhere from {low} to {high}" if overall.width else f"{value} of 100, nothing left open"


def kind(quadrant: Quadrant) -> str:
    """The product's kind in words, for example "A day-2 engineering product"."""
    stage, focus = _STAGES[quadrant.stage], _FOCUSES[quadrant.focus]
    if not stage and not focus:
        return "A product whose place the pitch does not tell"
    words = " ".join(part for part in (stage, focus) if part)
    return f"{'An' if words.startswith(('ML', 'engineering')) else 'A'} {words} product"


def grouped(considerations: Iterable[ConsiderationResult]) -> dict[Leaning, list[ConsiderationResult]]:
    """The considerations that count, by where they belong, the weightiest first; groups without any are left out."""
    counted = sorted((c for c in considerations if c.share > 0), key=lambda c: -c.share)
    groups: dict[Leaning, list[ConsiderationResult]] = {
        name: [c for c in counted if leaning(c.points) == name] for name in LEANINGS
    }
    return {name: group for name, group in groups.items() if group}
