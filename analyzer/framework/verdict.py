"""The verdict of an assessment, and the words for which way a consideration goes.

Words come from the rulebook; this module only chooses and joins them, and never says more than the range allows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, Literal

from analyzer.framework.assessment import (
    ConsiderationResult,
    GateResult,
    Quadrant,
    Question,
    Range,
    Verdict,
    VerdictWord,
)
from analyzer.framework.rulebook import Consideration, Rulebook, VerdictBounds
from analyzer.vocabulary.derived import LEANS
from analyzer.vocabulary.labels import capital

SPEAKS_FOR, SPEAKS_AGAINST = 7.0, 3.0
"""Points from which a consideration speaks for the product, and up to which it speaks against it."""

Leaning = Literal["for", "against", "open"]
"""Which way a consideration goes; open where its points lie between the two, or where their range does not say."""

_DOUBTFUL: Final = "No verdict, because the reading is in doubt (see the warnings)"
_LEVELS: Final[tuple[VerdictWord, ...]] = ("against", "balanced", "for")
_AGAINST, _BALANCED, _FOR = range(len(_LEVELS))
_NAMED: Final = 2
"""Deal-breakers that a verdict names; it counts the others."""
_STAGES: Final = {"day_1": "day-1", "day_2": "day-2", "mixed": "day-1 and day-2", "unknown": ""}
_FOCUSES: Final = {"ml": "ML", "engineering": "engineering", "mixed": "ML and engineering", "unknown": ""}


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
    gates: Sequence[GateResult] = (),
    *,
    differing: Collection[str] = (),
    doubtful: bool = False,
) -> Verdict:
    """The word, from the range and the gates alone, and a few short sentences: what kind of product it is, the score
    and how far it is open, deal-breakers, the strongest point, the weakest point, and the question that would settle
    most.

    A gate that holds limits both ends of the range, one that may hold limits the lower end: in some world it does.
    `differing`: the inputs that readings differ on. `doubtful`: the reading is in doubt, so the word is "open".
    """
    low, high = _reach(rulebook.verdict, overall)
    for gate in gates:
        if gate.state != "clear":
            low = min(low, _LEVELS.index(gate.ceiling))
        if gate.state == "holds":
            high = min(high, _LEVELS.index(gate.ceiling))
    word: VerdictWord = "open" if doubtful else _word(low, high)
    judgment = _DOUBTFUL if doubtful else _judgment(low, high)
    parts = [
        f"{kind(quadrant, differing)}.",
        f"{judgment}: {_score(overall, _depends(questions, differing))}.",
        *_deal_breakers(rulebook, gates, reaches_for=high == _FOR),
        *_points(rulebook, word, considerations),
    ]
    if questions and questions[0].settles > 0:
        parts.append(f"Biggest open question: {_asked(rulebook.inputs[questions[0].signal].unknown)}")
    return Verdict(word=word, sentence=" ".join(parts))


def kind(quadrant: Quadrant, differing: Collection[str] = ()) -> str:
    """The product's kind in words, for example "Day-2 engineering product".

    `differing`: the inputs that readings differ on.
    """
    stage, focus = _STAGES[quadrant.stage], _FOCUSES[quadrant.focus]
    if not stage and not focus:
        return (
            "Readings differ on the kind of product" if LEANS.keys() & set(differing) else "Kind of product not stated"
        )
    if quadrant.stage == quadrant.focus == "mixed":
        return "Day-1 and day-2 product for ML and engineering"
    product = capital(f"{' '.join(part for part in (stage, focus) if part)} product")
    if stage and focus:
        return product
    other = "focus" if stage else "stage"
    return f"{product}, readings differ on the {other}" if other in differing else f"{product}, {other} not stated"


def _reach(bounds: VerdictBounds, overall: Range) -> tuple[int, int]:
    """The levels of the two ends of the range: they are for or against only if they lie beyond the bounds."""
    against = overall.high < bounds.against_below, overall.low < bounds.against_below
    favorable = overall.low > bounds.for_above, overall.high > bounds.for_above
    low = _AGAINST if against[1] else _FOR if favorable[0] else _BALANCED
    high = _FOR if favorable[1] else _AGAINST if against[0] else _BALANCED
    return low, high


def _word(low: int, high: int) -> VerdictWord:
    if low == high:
        return _LEVELS[low]
    return "open" if (low, high) == (_AGAINST, _FOR) else "balanced"


def _judgment(low: int, high: int) -> str:
    """The verdict's word in words, with the side that a balanced range reaches."""
    if low == high:
        return ("Unfavorable", "Balanced", "Favorable")[low]
    if (low, high) == (_AGAINST, _FOR):
        return "Too much is unknown for a verdict"
    return "Balanced to favorable" if high == _FOR else "Balanced to unfavorable"


def _deal_breakers(rulebook: Rulebook, gates: Sequence[GateResult], reaches_for: bool) -> Iterator[str]:
    """The gates that hold; and those that may, where the score alone would allow a favorable verdict."""
    because = {gate.id: gate.because for gate in rulebook.gates}
    holding = [because[gate.id] for gate in gates if gate.state == "holds"]
    possible = [because[gate.id] for gate in gates if gate.state == "open" and reaches_for]
    for clauses, label in ((holding, "Deal-breaker"), (possible, "Possible deal-breaker")):
        if clauses:
            more = [f"and {len(clauses) - _NAMED} more"] if len(clauses) > _NAMED else []
            yield f"{label}{'s' if len(clauses) > 1 else ''}: {'; '.join((*clauses[:_NAMED], *more))}."


def _depends(questions: Sequence[Question], differing: Collection[str]) -> str:
    """What the place in the range depends on."""
    if not differing:
        return "what the pitch leaves out"
    silent = any(question.signal not in differing for question in questions)
    return f"{'what the pitch leaves out and ' if silent else ''}what readings differ on"


def _score(overall: Range, depends: str) -> str:
    """The score with its range; with a decimal where whole numbers would hide that there is one."""
    if not overall.width:
        return f"{overall.value:.0f}/100"
    digits = 0 if f"{overall.low:.0f}" != f"{overall.high:.0f}" else 2
    value, low, high = (f"{number:.{digits}f}" for number in (overall.value, overall.low, overall.high))
    return f"{value}/100, between {low} and {high} depending on {depends}"


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
