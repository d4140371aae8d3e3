"""Which question would settle most, and what would change the outcome: the pitch scored with every other value.

A pitch is scored once as it is, and once for each value of each input that it does not say or could have had, as
further rows of the same scorer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from pydantic import TypeAdapter

from analyzer.framework import scorer
from analyzer.framework.assessment import Change, GateResult, Question
from analyzer.framework.inputs import UNPLACED, Facts
from analyzer.framework.look_ups import LookUps, Spreads
from analyzer.framework.rounding import rounded, rounded_one
from analyzer.framework.rulebook import Side
from analyzer.framework.scorer import CODES, Coded, Placed, Scored, lean_codes
from analyzer.vocabulary.derived import INPUTS, LEANS

_QUESTIONS: Final = TypeAdapter(tuple[Question, ...])
_CHANGES: Final = TypeAdapter(tuple[Change, ...])
_NUMBER: Final = {name: number for number, name in enumerate(INPUTS)}


@dataclass(frozen=True, slots=True)
class ScoredPitch:
    """What is known of one pitch, and what comes of it.

    `scored` has the pitch as it is first, then once for each of the `others`, input by input. `shares`: the part of the
    overall score's weight that each side carries.
    """

    facts: Facts
    rules: LookUps
    others: Mapping[str, Sequence[OtherValue]]
    scored: Scored
    shares: Mapping[Side, float]

    @classmethod
    def of(cls, facts: Facts, rules: LookUps) -> ScoredPitch:
        others = _others(facts, rules)
        coded = _rows(facts, others)
        shares = {side: float(share[0]) for side, share in scorer.side_shares(coded.take(slice(0, 1))).items()}
        return cls(facts, rules, others, scorer.scored(coded, rules), shares)

    @property
    def said(self) -> float:
        """The share of the overall score's weight that rests on what the pitch says, 0 to 1."""
        facts = self.facts
        known = {name: 1.0 if value is not None else 0.0 for name, value in facts.values.items()}
        known |= {name: several.said for name, several in facts.several.items() if facts.values[name] is None}
        return scorer.said_of(known, self.shares, self.rules)


def questions_and_changes(
    pitch: ScoredPitch, gates: Iterable[GateResult]
) -> tuple[tuple[Question, ...], tuple[Change, ...]]:
    """The questions, those that settle most first, each with the gates it would settle; and what other values would
    give, the largest effect on the score first."""
    facts, rules = pitch.facts, pitch.rules
    settling: dict[str, list[str]] = {}
    for gate in gates:
        for name in gate.unknown:
            settling.setdefault(name, []).append(gate.id)
    overall = pitch.scored.scores["overall"]
    widths = (overall[2] - overall[1]).tolist()
    values, lows, highs = rounded(overall).tolist()
    questions: list[tuple[float, dict[str, Any]]] = []
    changes: list[tuple[float, dict[str, Any]]] = []
    row = 1
    for name, listed in pitch.others.items():
        mine = range(row, row + len(listed))
        row += len(listed)
        if facts.open(name):
            left = sum(other.weight * widths[number] for number, other in zip(mine, listed, strict=True))
            settles = rounded_one(max(widths[0] - left, 0.0))
            question = rules.rulebook.inputs[name].question
            asked = {"signal": name, "question": question, "settles": settles, "gates": settling.get(name, ())}
            questions.append((-settles, asked))
            continue
        before, possible = facts.values[name], INPUTS[name]
        for number, other in zip(mine, listed, strict=True):
            found = {"value": values[number], "low": lows[number], "high": highs[number]}
            change = {"signal": name, "from": before, "to": possible[other.code], "overall": found}
            changes.append((-abs(values[number] - values[0]), change))
    for entries in (questions, changes):
        entries.sort(key=lambda entry: entry[0])
    return (
        _QUESTIONS.validate_python([question for _, question in questions]),
        _CHANGES.validate_python([change for _, change in changes]),
    )


class OtherValue(NamedTuple):
    """Another value of an input: an answer where it is open, with how likely it is, or what it could be instead.

    `code` is the value's index; `at` is where that places the product, for stage and focus.
    """

    code: int
    weight: float
    at: float | None = None


def _others(facts: Facts, rules: LookUps) -> dict[str, Sequence[OtherValue]]:
    """For each input, the values it may have where it is open, and all but its own where it is known."""
    found: dict[str, Sequence[OtherValue]] = {}
    for name in rules.names:
        if name in LEANS and facts.open(name):
            places = [float(at) for at, _ in facts.positions[name]]
            chances = [weight for _, weight in facts.positions[name]]
            leans = lean_codes(np.array(places)).tolist()
            found[name] = [OtherValue(*other) for other in zip(leans, chances, places, strict=True)]
        elif name in facts.several and name not in LEANS:
            spread = enumerate(facts.several[name].weights)
            found[name] = [OtherValue(code, weight) for code, weight in spread if weight]
        else:
            found[name] = _other_values(name, facts.values[name])
    return found


@cache
def _other_values(name: str, own: str | None) -> Sequence[OtherValue]:
    values = INPUTS[name]
    places = [float(at) for at, _ in UNPLACED] if name in LEANS else [None] * len(values)
    weight = 1 / len(values)
    return [OtherValue(code, weight, places[code]) for code, value in enumerate(values) if value != own]


def _rows(facts: Facts, others: Mapping[str, Sequence[OtherValue]]) -> Coded:
    """The pitch as it is, and then once for each other value of each input."""
    own, several = [], {}
    for name, index in CODES.items():
        value = facts.values[name]
        code = index[value]
        if value is None and name in facts.several:
            read = facts.several[name]
            several[name] = Spreads(np.array([read.weights]), np.array([read.said]))
            code += 1
        own.append(code)
    count = 1 + sum(map(len, others.values()))
    columns = np.repeat(np.array(own, np.int32)[:, None], count, axis=1)
    inputs = [_NUMBER[name] for name, listed in others.items() for _ in listed]
    columns[inputs, np.arange(1, count)] = [other.code for listed in others.values() for other in listed]
    positions = {}
    for name in LEANS:
        places = facts.positions[name]
        positions[name] = Placed(
            np.repeat(np.array([[float(at) for at, _ in places]]), count, axis=0),
            np.repeat(np.array([[weight for _, weight in places]]), count, axis=0),
        )
    row = 1
    for name, listed in others.items():
        if name in LEANS and listed:
            mine = slice(row, row + len(listed))
            positions[name].at[mine] = 0.0
            positions[name].weight[mine] = 0.0
            positions[name].at[mine, 0] = [other.at for other in listed]
            positions[name].weight[mine, 0] = 1.0
        row += len(listed)
    return Coded(dict(zip(INPUTS, columns, strict=True)), several, positions, np.ones(count, np.bool_))
