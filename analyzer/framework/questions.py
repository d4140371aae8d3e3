"""Which question would settle most, and what would change the outcome: the pitch scored with every other value.

A pitch is scored once as it is, and once for each value of each input that it does not say or could have had, as
further rows of the same scorer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from analyzer.framework import scorer
from analyzer.framework.assessment import Change, GateResult, Question, Range
from analyzer.framework.inputs import UNPLACED, Facts
from analyzer.framework.look_ups import LookUps, Triple
from analyzer.framework.rounding import rounded_one
from analyzer.framework.scorer import Coded, Placed, Scored, lean_codes
from analyzer.vocabulary.derived import INPUTS, LEANS


@dataclass(frozen=True, slots=True)
class ScoredPitch:
    """What is known of one pitch as facts and as the row that the scorer sees, and what comes of it.

    `scored` has the pitch as it is first, then once for each of the `others`, input by input.
    """

    facts: Facts
    rules: LookUps
    alone: Coded
    others: Mapping[str, list[OtherValue]]
    scored: Scored

    @classmethod
    def of(cls, facts: Facts, rules: LookUps) -> ScoredPitch:
        alone = Coded.of([facts], [True])
        others = _others(facts, rules)
        return cls(facts, rules, alone, others, scorer.scored(_rows(alone, others), rules))

    def range(self, triple: Triple) -> Range:
        """The rounded range of the pitch as it is."""
        value, low, high = triple
        return Range(value=rounded_one(value[0]), low=rounded_one(low[0]), high=rounded_one(high[0]))


def questions_and_changes(
    pitch: ScoredPitch, overall: Range, gates: Iterable[GateResult]
) -> tuple[tuple[Question, ...], tuple[Change, ...]]:
    """The questions, those that settle most first, each with the gates it would settle; and what other values would
    give, the largest effect on the score first."""
    facts, rules = pitch.facts, pitch.rules
    settling: dict[str, list[str]] = {}
    for gate in gates:
        for name in gate.unknown:
            settling.setdefault(name, []).append(gate.id)
    values, lows, highs = (numbers.tolist() for numbers in pitch.scored.scores["overall"])
    width = highs[0] - lows[0]
    questions: list[Question] = []
    changes: list[Change] = []
    row = 1
    for name, listed in pitch.others.items():
        mine = range(row, row + len(listed))
        row += len(listed)
        if facts.open(name):
            left = 0.0
            for number, other in zip(mine, listed, strict=True):
                left += other.weight * (highs[number] - lows[number])
            settles = rounded_one(max(width - left, 0.0))
            question = rules.rulebook.inputs[name].question
            found = tuple(settling.get(name, ()))
            questions.append(Question(signal=name, question=question, settles=settles, gates=found))
            continue
        before = str(facts.values[name])
        for number, other in zip(mine, listed, strict=True):
            value, low, high = rounded_one(values[number]), rounded_one(lows[number]), rounded_one(highs[number])
            after = INPUTS[name][other.code]
            changed = Range(value=value, low=low, high=high)
            changes.append(Change(signal=name, **{"from": before, "to": after}, overall=changed))
    questions.sort(key=lambda question: -question.settles)
    changes.sort(key=lambda change: -abs(change.overall.value - overall.value))
    return tuple(questions), tuple(changes)


@dataclass(frozen=True, slots=True)
class OtherValue:
    """Another value of an input: an answer where it is open, with how likely it is, or what it could be instead.

    `code` is the value's index; `at` is where that places the product, for stage and focus.
    """

    code: int
    weight: float
    at: float | None = None


def _others(facts: Facts, rules: LookUps) -> dict[str, list[OtherValue]]:
    """For each input, the values it may have where it is open, and all but its own where it is known."""
    found: dict[str, list[OtherValue]] = {}
    for name in rules.names:
        size = len(INPUTS[name])
        if name in LEANS:
            open_ = facts.open(name)
            places = [(float(at), weight) for at, weight in (facts.positions[name] if open_ else UNPLACED)]
            leans = lean_codes(np.array([at for at, _ in places])).tolist()
            own = None if open_ else INPUTS[name].index(str(facts.values[name]))
            found[name] = [
                OtherValue(code, weight, at) for (at, weight), code in zip(places, leans, strict=True) if code != own
            ]
        elif name in facts.several:
            spread = enumerate(facts.several[name].weights)
            found[name] = [OtherValue(code, weight) for code, weight in spread if weight]
        else:
            value = facts.values[name]
            own = None if value is None else INPUTS[name].index(value)
            found[name] = [OtherValue(code, 1 / size) for code in range(size) if code != own]
    return found


def _rows(alone: Coded, others: Mapping[str, list[OtherValue]]) -> Coded:
    """The pitch as it is, and then once for each other value of each input."""
    count = 1 + sum(map(len, others.values()))
    codes = {name: np.repeat(column, count) for name, column in alone.codes.items()}
    positions = {
        name: Placed(np.repeat(placed.at, count, axis=0), np.repeat(placed.weight, count, axis=0))
        for name, placed in alone.positions.items()
    }
    row = 1
    for name, listed in others.items():
        for other in listed:
            codes[name][row] = other.code
            if other.at is not None:
                positions[name].at[row] = 0.0
                positions[name].weight[row] = 0.0
                positions[name].at[row, 0], positions[name].weight[row, 0] = other.at, 1.0
            row += 1
    return Coded(codes, alone.several, positions, np.ones(count, np.bool_))
