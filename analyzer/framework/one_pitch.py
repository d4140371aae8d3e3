"""Signals and a rulebook to an assessment: a function of these two and of nothing else.

Every score is a sum of terms, one a consideration: a table of points over its inputs, times the part of the score
that it carries, which depends on the product's position. What is unknown stays open as an axis; expectation and range
over all its fillings-in are exact (`framework.extremes`). Nothing is sampled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analyzer.framework.arguments import as_market, as_rulebook, as_signals
from analyzer.framework.assessment import (
    OPENS_VERDICT,
    Assessment,
    Change,
    ConsiderationResult,
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
from analyzer.framework.extremes import Extremes, Table
from analyzer.framework.formula import FACTORS, PER_CASE, SCORES, WEIGHTED_BY, weights_in_sides
from analyzer.framework.inputs import WORLDS, Facts, derive
from analyzer.framework.market import MarketMap
from analyzer.framework.players import players
from analyzer.framework.rounding import rounded_one
from analyzer.framework.rulebook import SIDES, Consideration, Rulebook, Side
from analyzer.framework.verdict import headline, reason, verdict
from analyzer.vocabulary.derived import INPUTS, LEANS
from analyzer.vocabulary.signals import Signals

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

    worlds = _Worlds(rulebook, facts)
    scores = _scores(worlds)
    considerations = _considerations(worlds)
    quadrant = Quadrant.model_validate({name: facts.values[name] or "unknown" for name in LEANS})
    questions, changes = _questions_and_changes(worlds, scores.overall)
    return Assessment(
        **head,
        verdict=verdict(
            rulebook,
            quadrant,
            scores.overall,
            considerations,
            questions,
            doubtful=any(warning.kind in OPENS_VERDICT for warning in head["warnings"]),
        ),
        position=Position(stage=_position(facts, "stage"), focus=_position(facts, "focus")),
        quadrant=quadrant,
        scores=scores,
        considerations=considerations,
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


# ---------------------------------------------------------------- worlds and terms


_KNOWN = len(WORLDS)
"""Index, on the axis of a position, of where the product stands; before it come the worlds of an unknown one."""


class _Worlds:
    """All fillings-in of what one pitch leaves open.

    Every input of the rulebook is an axis over all its values; `allowed` holds the indices that are possible.
    """

    def __init__(self, rulebook: Rulebook, facts: Facts):
        self.rulebook = rulebook
        self.facts = facts
        self.names = rulebook.used_inputs
        self.allowed = [self._possible(name) for name in self.names]
        self._within = [np.arange(len(indices)) for indices in self.allowed]
        self._weights = weights_in_sides(rulebook)
        self._points = {c.id: self._table(c) for c in rulebook.considerations}
        self._possible_points = {c.id: self._restricted(self._points[c.id]) for c in rulebook.considerations}
        self._shares = {side: self._share(side) for side in SIDES}

    def open(self, name: str) -> bool:
        return self.facts.values[name] is None

    def points(self, consideration: Consideration) -> Table:
        """A consideration's points (0 to 10) in every possible world."""
        return self._possible_points[consideration.id]

    def terms(self, parts: Mapping[Side, float | None], possible: bool = False) -> list[Table]:
        """One table for each consideration of the sides in `parts`, so that their sum is the score in each world.

        A side counts for its share (0 to 1, from the position) times its part; None = the bare side. `possible`: over
        the possible values of each input only, and not over all.
        """
        points = self._possible_points if possible else self._points
        terms = []
        for consideration in self.rulebook.considerations:
            side = consideration.side
            if side in parts:
                part = parts[side]
                term = points[consideration.id] * self._weights[consideration.id]
                if part is not None:
                    term = term * ((self._restricted(self._shares[side]) if possible else self._shares[side]) * part)
                terms.append(term)
        return terms

    def expected_by_value(self, terms: Sequence[Table]) -> Iterator[Table]:
        """For each axis, the mean sum for each of its values, all else as it is."""
        wholes = [self._mean(term) for term in terms]
        total = sum(float(whole[0]) for whole in wholes)
        for axis in range(len(self.names)):
            values: Table = np.full(1, total)
            for term, whole in zip(terms, wholes, strict=True):
                if term.shape[axis] > 1:  # the other terms do not depend on it
                    values = values + (self._mean(term, axis) - whole)
            yield values

    def _mean(self, term: Table, of: int | None = None) -> Table:
        """The mean of a term over all possible worlds; with `of`, for each value of that axis."""
        for axis, size in enumerate(term.shape):
            if size > 1 and axis != of:
                allowed = self.allowed[axis]
                kept = term if len(allowed) == size else term.take(allowed, axis)
                term = np.add.reduce(kept, axis, keepdims=True) / len(allowed)
        return term.ravel()

    def range(self, parts: Mapping[Side, float | None]) -> Range:
        """Expectation and exact range of the sum of the terms of some sides. Only what is open takes work."""
        known, expected, open_terms = 0.0, 0.0, []
        for term in self.terms(parts, possible=True):
            if term.size == 1:
                known += term.item()
            else:
                expected += float(np.add.reduce(term, None)) / term.size
                open_terms.append(term)
        low = high = known
        if open_terms:
            low += Extremes(open_terms, self._within).total()
            high += Extremes(open_terms, self._within, -1.0).total()
        return Range(value=rounded_one(known + expected), low=rounded_one(low), high=rounded_one(high))

    def expected_share(self, consideration: Consideration) -> float:
        """The part of the overall score's weight that a consideration carries (all sum to 1)."""
        share = self._shares[consideration.side]
        axis = self.names.index(WEIGHTED_BY[consideration.side].position)
        part = float(share.take(self.allowed[axis], axis).mean()) * PER_CASE
        return part * self._weights[consideration.id]

    def _restricted(self, table: Table) -> Table:
        """A table over the possible values of each input only."""
        for axis, size in enumerate(table.shape):
            if size > 1 and len(self.allowed[axis]) < size:
                table = table.take(self.allowed[axis], axis)
        return table

    def _possible(self, name: str) -> NDArray[np.intp]:
        value = self.facts.values[name]
        if value is None:
            return np.arange(len(INPUTS[name]))
        return np.array([_KNOWN if name in LEANS else INPUTS[name].index(value)])

    def _table(self, consideration: Consideration) -> Table:
        table = consideration.table
        for number, name in enumerate(consideration.inputs):
            if name in LEANS:
                here = INPUTS[name].index(self.facts.values[name] or LEANS[name][1])
                table = table.take([0, 1, 2, here], number)
        order = sorted(range(len(consideration.inputs)), key=lambda n: self.names.index(consideration.inputs[n]))
        sizes = dict(zip(consideration.inputs, table.shape, strict=True))
        return table.transpose(order).reshape([sizes.get(name, 1) for name in self.names])

    def _share(self, side: Side) -> Table:
        weighted = WEIGHTED_BY[side]
        here = self.facts.positions[weighted.position]
        at = np.array([*map(float, WORLDS), 0.5 if here is None else float(here)])
        shape = [len(at) if other == weighted.position else 1 for other in self.names]
        return weighted.share(at).reshape(shape)


# ---------------------------------------------------------------- the parts of an assessment


def _scores(worlds: _Worlds) -> Scores:
    found = {name: worlds.range(FACTORS[name]) for name in SCORES}
    return Scores(
        overall=found["overall"],
        market=found["market"],
        sales=found["sales"],
        sides=SideScores(**{side: found[side] for side in SIDES}),
    )


def _position(facts: Facts, name: str) -> Range:
    at = facts.positions[name]
    if at is None:
        return Range(value=float(Fraction(1, 2)), low=0.0, high=1.0)
    return Range(value=rounded_one(float(at)), low=rounded_one(float(at)), high=rounded_one(float(at)))


def _considerations(worlds: _Worlds) -> tuple[ConsiderationResult, ...]:
    results = []
    for consideration in worlds.rulebook.considerations:
        points = worlds.points(consideration)
        found = Range(value=rounded_one(points.mean()), low=rounded_one(points.min()), high=rounded_one(points.max()))
        quotes = dict.fromkeys(quote for name in consideration.inputs for quote in worlds.facts.quotes[name])
        results.append(
            ConsiderationResult(
                id=consideration.id,
                title=consideration.title,
                headline=headline(consideration, found),
                side=consideration.side,
                stance=consideration.stance,
                points=found,
                weight=consideration.weight,
                share=round(worlds.expected_share(consideration), 6),
                reason=reason(worlds.rulebook, consideration, worlds.facts, found),
                quotes=tuple(quotes),
                source=consideration.source,
                unknown=tuple(name for name in consideration.inputs if worlds.open(name)),
            )
        )
    return tuple(results)


def _questions_and_changes(worlds: _Worlds, overall: Range) -> tuple[tuple[Question, ...], tuple[Change, ...]]:
    terms = worlds.terms(FACTORS["overall"])
    least, greatest = (Extremes(terms, worlds.allowed, sign) for sign in (1.0, -1.0))
    width = greatest.total() - least.total()
    lows, highs = least.by_value(), greatest.by_value()
    questions: list[Question] = []
    changes: list[Change] = []
    for axis, (name, values) in enumerate(zip(worlds.names, worlds.expected_by_value(terms), strict=True)):
        if worlds.open(name):
            left = (highs[axis] - lows[axis])[worlds.allowed[axis]]
            settles = rounded_one(max(width - float(left.mean()), 0.0))
            questions.append(Question(signal=name, question=worlds.rulebook.inputs[name].question, settles=settles))
            continue
        before = str(worlds.facts.values[name])
        for index, after in enumerate(INPUTS[name]):
            if after != before:
                ends = (values[index], lows[axis][index], highs[axis][index])
                value, low, high = map(rounded_one, ends)
                changed = Range(value=value, low=low, high=high)
                changes.append(Change(signal=name, **{"from": before, "to": after}, overall=changed))
    questions.sort(key=lambda question: -question.settles)
    changes.sort(key=lambda change: -abs(change.overall.value - overall.value))
    return tuple(questions), tuple(changes)
