"""Signals and a rulebook to an assessment: a function of these two and of nothing else.

The numbers come from the one scorer (`framework.scorer`). What an answer or another value would change is scored by it
too: the same pitch, once for each value of each input, as further rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter

from analyzer.framework.arguments import as_market, as_rulebook, as_signals
from analyzer.framework.assessment import (
    OPENS_VERDICT,
    Assessment,
    ConsiderationResult,
    GateResult,
    MarketRef,
    PitchRef,
    Position,
    Provenance,
    Quadrant,
    Range,
    ReaderRef,
    RulebookRef,
    Scores,
    SourceRef,
    Usage,
    Warning,
)
from analyzer.framework.edits import as_read as signals_as_read
from analyzer.framework.edits import edited, edits
from analyzer.framework.formula import SCORES
from analyzer.framework.inputs import Facts, derive
from analyzer.framework.look_ups import look_ups
from analyzer.framework.market import MarketMap
from analyzer.framework.players import players
from analyzer.framework.questions import ScoredPitch, questions_and_changes
from analyzer.framework.reasons import Reasons
from analyzer.framework.rounding import SAID_DIGITS, rounded, rounded_one
from analyzer.framework.rulebook import SIDES, Rulebook
from analyzer.framework.scorer import STATES
from analyzer.framework.verdict import headline, verdict
from analyzer.version import __version__
from analyzer.vocabulary.derived import LEANS
from analyzer.vocabulary.signals import Quote, Signals

_CONSIDERATIONS: Final = TypeAdapter(tuple[ConsiderationResult, ...])


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
            analyzer=__version__,
            rulebook=RulebookRef(version=rulebook.version, sha256=rulebook.sha256),
            market=MarketRef(version=market.version, sha256=market.sha256),
            reader=reader or ReaderRef(),
            usage=usage or Usage(),
        ),
    }
    if not signals.in_scope:
        empty: dict[str, Any] = dict.fromkeys(("verdict", "position", "quadrant", "scores"))
        return Assessment(**head, **empty, considerations=(), questions=(), changes=())

    rated = ScoredPitch.of(facts, look_ups(rulebook))
    reasons = Reasons(rulebook, facts)
    scores = _scores(rated)
    considerations = _considerations(rated, reasons)
    gates = _gates(rated, reasons)
    quadrant = Quadrant.model_validate({name: facts.values[name] or "unknown" for name in LEANS})
    questions, changes = questions_and_changes(rated, gates)
    return Assessment(
        **head,
        verdict=verdict(
            rulebook,
            quadrant,
            scores.overall,
            considerations,
            questions,
            gates,
            differing=facts.several.keys(),
            doubtful=any(warning.kind in OPENS_VERDICT for warning in head["warnings"]),
        ),
        position=Position(stage=_position(facts, "stage"), focus=_position(facts, "focus")),
        quadrant=quadrant,
        scores=scores,
        said=rounded_one(rated.said, SAID_DIGITS),
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


def _scores(pitch: ScoredPitch) -> Scores:
    triples = rounded(np.stack([pitch.scored.scores[name][:, 0] for name in SCORES])).tolist()
    found = {name: _range(triple) for name, triple in zip(SCORES, triples, strict=True)}
    sides = {side: found.pop(side) for side in SIDES}
    return Scores.model_validate({**found, "sides": sides})


def _range(triple: Sequence[float]) -> dict[str, float]:
    value, low, high = triple
    return {"value": value, "low": low, "high": high}


def _position(facts: Facts, name: str) -> Range:
    places = facts.positions[name]
    expected = sum(float(at) * weight for at, weight in places)
    low, high = float(places[0][0]), float(places[-1][0])
    return Range(value=rounded_one(expected), low=rounded_one(low), high=rounded_one(high))


def _considerations(pitch: ScoredPitch, reasons: Reasons) -> tuple[ConsiderationResult, ...]:
    facts = pitch.facts
    results = []
    for consideration in pitch.rules.considerations:
        found = Range(**_range(pitch.scored.points[consideration.id][:, 0].tolist()))
        inputs = pitch.rules.tables[consideration.id].names
        results.append(
            {
                "id": consideration.id,
                "title": consideration.title,
                "headline": headline(consideration, found),
                "side": consideration.side,
                "stance": consideration.stance,
                "points": found,
                "weight": consideration.weight,
                "share": round(pitch.shares[consideration.side] * pitch.rules.weights[consideration.id], 6),
                "reason": reasons.of(consideration, found),
                "quotes": _quotes(facts, inputs),
                "source": consideration.source,
                "unknown": [name for name in inputs if facts.open(name)],
            }
        )
    return _CONSIDERATIONS.validate_python(results)


def _quotes(facts: Facts, inputs: Iterable[str]) -> tuple[Quote, ...]:
    return tuple(dict.fromkeys(quote for name in inputs for quote in facts.quotes[name]))


def _gates(pitch: ScoredPitch, reasons: Reasons) -> tuple[GateResult, ...]:
    facts, rulebook = pitch.facts, pitch.rules.rulebook
    results = []
    for gate in rulebook.gates:
        state = STATES[pitch.scored.gates[gate.id][0]]
        results.append(
            GateResult(
                id=gate.id,
                title=gate.title,
                state=state,
                ceiling=gate.ceiling,
                reason=reasons.of_gate(gate, state),
                quotes=_quotes(facts, sorted(pitch.rules.gates[gate.id].names, key=lambda name: name in LEANS)),
                source=gate.source,
                unknown=pitch.rules.deciding(gate.id, facts.possible) if state == "open" else (),
            )
        )
    return tuple(results)
