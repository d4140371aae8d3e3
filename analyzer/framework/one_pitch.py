"""Signals and a rulebook to an assessment: a function of these two and of nothing else.

The numbers come from the one scorer (`framework.scorer`). What an answer or another value would change is scored by it
too: the same pitch, once for each value of each input, as further rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from analyzer.framework import scorer
from analyzer.framework.arguments import as_market, as_rulebook, as_signals
from analyzer.framework.assessment import (
    OPENS_VERDICT,
    Assessment,
    Change,
    ConsiderationResult,
    GateResult,
    MarketRef,
    PitchRef,
    Position,
    Provenance,
    Quadrant,
    Question,
    Range,
    ReaderRef,
    RulebookRef,
    Scores,
    SideScores,
    SourceRef,
    Usage,
    Warning,
)
from analyzer.framework.edits import as_read as signals_as_read
from analyzer.framework.edits import edited, edits
from analyzer.framework.formula import SCORES
from analyzer.framework.inputs import UNPLACED, Facts, derive
from analyzer.framework.look_ups import Floats, LookUps, Triple, look_ups
from analyzer.framework.market import MarketMap
from analyzer.framework.players import players
from analyzer.framework.rounding import SAID_DIGITS, rounded_one
from analyzer.framework.rulebook import SIDES, Rulebook
from analyzer.framework.scorer import STATES, Coded, Placed, Scored, lean_codes
from analyzer.framework.verdict import gate_reason, headline, reason, verdict
from analyzer.vocabulary.derived import INPUTS, LEANS
from analyzer.vocabulary.signals import Quote, Signals

_ANALYZER: Final = version("pitch-analyzer")


def score(
    signals: Signals | Mapping[str, Any],
    rulebook: Rulebook | str | Path | None = None,
    *,
    market: MarketMap | str | Path | None = None,
    pitch: PitchRef | None = None,
    reader: ReaderRef | None = None,
    usage: Usage | None = None,
    warnings: Iterable[Warning] = (),
    sources: Iterable[SourceRef] = (),
    as_read: Signals | None = None,
) -> Assessment:
    """The assessment of these signals by this rulebook and market map (default: the built-in ones). Pure.

    `signals` may be a signals document, `rulebook` and `market` paths of TOML files. Raises SignalsError, RulebookError
    or MarketError with what is wrong in them.

    Scores: overall 0–100, market, sales and sides 0–10, each with its exact range over what is unknown
    (docs/scoring.md, "Scores"). `pitch`, `reader`, `usage`, `warnings` and `sources` are carried into the result; a
    warning of a kind in OPENS_VERDICT also makes the verdict open.
    `as_read`: the signals as they were read, where a person has changed some since; the result then lists the edits.
    """
    signals, rulebook, market = as_signals(signals), as_rulebook(rulebook), as_market(market)
    facts = derive(signals, market)
    head: dict[str, Any] = {
        "pitch": pitch or PitchRef(title=signals.product or None),
        "in_scope": signals.in_scope,
        "signals": signals,
        "players": players(signals, market, facts),
        "warnings": tuple(warnings),
        "edits": edits(as_read, signals) if as_read else (),
        "sources": tuple(sources),
        "provenance": Provenance(
            analyzer=_ANALYZER,
            rulebook=RulebookRef(version=rulebook.version, sha256=rulebook.sha256),
            market=MarketRef(version=market.version, sha256=market.sha256),
            reader=reader or ReaderRef(),
            usage=usage or Usage(),
        ),
    }
    if not signals.in_scope:
        empty: dict[str, Any] = dict.fromkeys(("verdict", "position", "quadrant", "scores"))
        return Assessment(**head, **empty, considerations=(), questions=(), changes=())

    rated = _Pitch.of(facts, look_ups(rulebook))
    scores = _scores(rated)
    shares = scorer.shares(rated.alone, rated.rules)
    considerations = _considerations(rated, shares)
    gates = _gates(rated)
    quadrant = Quadrant.model_validate({name: facts.values[name] or "unknown" for name in LEANS})
    questions, changes = _questions_and_changes(rated, scores.overall, gates)
    return Assessment(
        **head,
        verdict=verdict(
            rulebook,
            quadrant,
            scores.overall,
            considerations,
            questions,
            gates,
            doubtful=any(warning.kind in OPENS_VERDICT for warning in head["warnings"]),
        ),
        position=Position(stage=_position(facts, "stage"), focus=_position(facts, "focus")),
        quadrant=quadrant,
        scores=scores,
        said=rounded_one(scorer.said(rated.alone, rated.rules, shares)[0], SAID_DIGITS),
        considerations=considerations,
        gates=gates,
        questions=questions,
        changes=changes,
    )


def what_if(
    assessment: Assessment,
    changes: Mapping[str, str],
    rulebook: Rulebook | None = None,
    *,
    market: MarketMap | None = None,
) -> Assessment:
    """The same pitch with some signals edited, in place of any edits it has; nothing is read again.

    `changes` as for `framework.edits.edited`; none gives the assessment of what was read. Raises SignalsError.
    """
    read = signals_as_read(assessment.signals, assessment.edits)
    made = assessment.provenance
    return score(
        edited(read, changes),
        rulebook,
        market=market,
        pitch=assessment.pitch,
        reader=made.reader,
        usage=made.usage,
        warnings=assessment.warnings,
        sources=assessment.sources,
        as_read=read,
    )


# ---------------------------------------------------------------- the parts of an assessment


@dataclass(frozen=True, slots=True)
class _Pitch:
    """What is known of one pitch as facts and as the row that the scorer sees, and what comes of it.

    `scored` has the pitch as it is first, then once for each of the `others`, input by input.
    """

    facts: Facts
    rules: LookUps
    alone: Coded
    others: Mapping[str, list[_Other]]
    scored: Scored

    @classmethod
    def of(cls, facts: Facts, rules: LookUps) -> _Pitch:
        alone = Coded.of([facts], [True])
        others = _others(facts, rules)
        return cls(facts, rules, alone, others, scorer.scored(_rows(alone, others), rules))

    def range(self, triple: Triple) -> Range:
        """The rounded range of the pitch as it is."""
        value, low, high = triple
        return Range(value=rounded_one(value[0]), low=rounded_one(low[0]), high=rounded_one(high[0]))


def _scores(pitch: _Pitch) -> Scores:
    found = {name: pitch.range(pitch.scored.scores[name]) for name in SCORES}
    return Scores(
        overall=found["overall"],
        market=found["market"],
        sales=found["sales"],
        sides=SideScores(**{side: found[side] for side in SIDES}),
    )


def _position(facts: Facts, name: str) -> Range:
    places = facts.positions[name]
    expected = sum(float(at) * weight for at, weight in places)
    low, high = float(places[0][0]), float(places[-1][0])
    return Range(value=rounded_one(expected), low=rounded_one(low), high=rounded_one(high))


def _considerations(pitch: _Pitch, shares: Mapping[str, Floats]) -> tuple[ConsiderationResult, ...]:
    facts, rulebook = pitch.facts, pitch.rules.rulebook
    results = []
    for consideration in rulebook.considerations:
        found = pitch.range(pitch.scored.points[consideration.id])
        inputs = pitch.rules.tables[consideration.id].names
        results.append(
            ConsiderationResult(
                id=consideration.id,
                title=consideration.title,
                headline=headline(consideration, found),
                side=consideration.side,
                stance=consideration.stance,
                points=found,
                weight=consideration.weight,
                share=round(float(shares[consideration.id][0]), 6),
                reason=reason(rulebook, consideration, facts, found),
                quotes=_quotes(facts, inputs),
                source=consideration.source,
                unknown=tuple(name for name in inputs if facts.open(name)),
            )
        )
    return tuple(results)


def _quotes(facts: Facts, inputs: Iterable[str]) -> tuple[Quote, ...]:
    return tuple(dict.fromkeys(quote for name in inputs for quote in facts.quotes[name]))


def _gates(pitch: _Pitch) -> tuple[GateResult, ...]:
    facts, rulebook = pitch.facts, pitch.rules.rulebook
    results = []
    for gate in rulebook.gates:
        state = STATES[pitch.scored.states(gate.id)[0]]
        unknown = _deciding(pitch, gate.id) if state == "open" else ()
        results.append(
            GateResult(
                id=gate.id,
                title=gate.title,
                state=state,
                ceiling=gate.ceiling,
                reason=gate_reason(rulebook, gate, facts, state),
                quotes=_quotes(facts, sorted(pitch.rules.gates[gate.id].names, key=lambda name: name in LEANS)),
                source=gate.source,
                unknown=unknown,
            )
        )
    return tuple(results)


def _deciding(pitch: _Pitch, gate: str) -> tuple[str, ...]:
    """The open inputs on which it depends whether a gate holds."""
    table = pitch.rules.gates[gate]
    holds = table.table
    for axis, name in enumerate(table.names):
        if not pitch.facts.open(name) or name in pitch.facts.several:
            holds = holds.take([INPUTS[name].index(value) for value in pitch.facts.possible(name)], axis)
    return tuple(
        name
        for axis, name in enumerate(table.names)
        if holds.shape[axis] > 1 and (holds.min(axis) < holds.max(axis)).any()
    )


# ---------------------------------------------------------------- other values


def _questions_and_changes(
    pitch: _Pitch, overall: Range, gates: Iterable[GateResult]
) -> tuple[tuple[Question, ...], tuple[Change, ...]]:
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
class _Other:
    """Another value of an input: an answer where it is open, with how likely it is, or what it could be instead.

    `code` is the value's index; `at` is where that places the product, for stage and focus.
    """

    code: int
    weight: float
    at: float | None = None


def _others(facts: Facts, rules: LookUps) -> dict[str, list[_Other]]:
    """For each input, the values it may have where it is open, and all but its own where it is known."""
    found: dict[str, list[_Other]] = {}
    for name in rules.names:
        size = len(INPUTS[name])
        if name in LEANS:
            open_ = facts.open(name)
            places = [(float(at), weight) for at, weight in (facts.positions[name] if open_ else UNPLACED)]
            leans = lean_codes(np.array([at for at, _ in places])).tolist()
            own = None if open_ else INPUTS[name].index(str(facts.values[name]))
            found[name] = [
                _Other(code, weight, at) for (at, weight), code in zip(places, leans, strict=True) if code != own
            ]
        elif name in facts.several:
            spread = enumerate(facts.several[name].weights)
            found[name] = [_Other(code, weight) for code, weight in spread if weight]
        else:
            value = facts.values[name]
            own = None if value is None else INPUTS[name].index(value)
            found[name] = [_Other(code, 1 / size) for code in range(size) if code != own]
    return found


def _rows(alone: Coded, others: Mapping[str, list[_Other]]) -> Coded:
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
