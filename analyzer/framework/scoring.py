"""Signals and a rulebook to an assessment: a function of these two and of nothing else.

How the range stays exact however much is unknown: every score is a sum of terms, one a consideration, each a
table over its few inputs (and over the product's position, where that is unknown too). The least and the
greatest sum over all fillings-in follow by eliminating one unknown after the other, each from the terms that
share it, so the work grows with the terms' own tables and not with the number of worlds. Nothing is sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analyzer.framework.assessment import (
    Assessment,
    Change,
    ConsiderationResult,
    PitchRef,
    Player,
    Position,
    Provenance,
    Quadrant,
    Question,
    Range,
    ReaderRef,
    RulebookRef,
    Scores,
    SideScores,
    Usage,
    Warning,
)
from analyzer.framework.inputs import INPUTS, LEANS, WORLDS, Facts, derive
from analyzer.framework.rulebook import SIDES, Consideration, Rulebook, Side
from analyzer.framework.wording import reason, verdict
from analyzer.signals import Signals

_Array = NDArray[np.float64]
_POSITION_OF: Final[Mapping[Side, tuple[str, bool]]] = {
    "day_1": ("stage", False),
    "day_2": ("stage", True),
    "ml": ("focus", False),
    "engineering": ("focus", True),
}
"""The position that weighs each side, and whether the side's part grows with it."""
_ANALYZER: Final = version("pitch-analyzer")


def score(
    signals: Signals,
    rulebook: Rulebook | None = None,
    *,
    pitch: PitchRef | None = None,
    reader: ReaderRef | None = None,
    usage: Usage | None = None,
    warnings: Iterable[Warning] = (),
) -> Assessment:
    """The assessment of these signals by this rulebook (default: the built-in one). Pure.

    Scores: overall 0–100, market, sales and sides 0–10, each with its exact range over what is unknown
    (codebook §4). `pitch`, `reader`, `usage` and `warnings` are only carried into the result.
    """
    rulebook = rulebook or Rulebook.built_in()
    facts = derive(signals)
    head: dict[str, Any] = {
        "pitch": pitch or PitchRef(title=signals.product or None),
        "in_scope": signals.in_scope,
        "signals": signals,
        "players": tuple(
            Player(name=rival.name, kind=rival.kind, named=True, quotes=(rival.quote,) if rival.quote else ())
            for rival in signals.competitors
        ),
        "warnings": tuple(warnings),
        "provenance": Provenance(
            analyzer=_ANALYZER,
            rulebook=RulebookRef(version=rulebook.version, sha256=rulebook.sha256),
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
    questions, changes = _questions_and_changes(worlds)
    return Assessment(
        **head,
        verdict=verdict(rulebook, quadrant, scores.overall, considerations, questions),
        position=Position(stage=_position(facts, "stage"), focus=_position(facts, "focus")),
        quadrant=quadrant,
        scores=scores,
        considerations=considerations,
        questions=questions,
        changes=changes,
    )


# ---------------------------------------------------------------- worlds and terms


@dataclass(frozen=True, slots=True)
class _Axis:
    """One input within the worlds still possible: indices into its values; for a position also where it may be."""

    indices: tuple[int, ...]
    at: tuple[float, ...] = ()


class _Worlds:
    """All fillings-in of what one pitch leaves open. Each term has one array axis an input; an axis of length one
    is settled."""

    def __init__(self, rulebook: Rulebook, facts: Facts):
        self.rulebook = rulebook
        self.facts = facts
        self.names = rulebook.used_inputs
        self._axes = {name: self._axis(name) for name in self.names}
        self._weights = {side: sum(c.weight for c in rulebook.of_side(side)) for side in SIDES}

    def open(self, name: str) -> bool:
        return self.facts.values[name] is None

    def _axis(self, name: str) -> _Axis:
        value = self.facts.values[name]
        if value is None:
            return self._whole_axis(name)
        position = self.facts.positions[name] if name in LEANS else None
        return _Axis((INPUTS[name].index(value),), () if position is None else (float(position),))

    def _whole_axis(self, name: str) -> _Axis:
        at = tuple(float(world) for world in WORLDS) if name in LEANS else ()
        return _Axis(tuple(range(len(INPUTS[name]))), at)

    def points(self, consideration: Consideration, axes: Mapping[str, _Axis] | None = None) -> _Array:
        """Points (0 to 10) in every world, shaped over all axes."""
        axes = axes or self._axes
        table = consideration.table
        for number, name in enumerate(consideration.inputs):
            table = table.take(axes[name].indices, number)
        order = sorted(range(len(consideration.inputs)), key=lambda n: self.names.index(consideration.inputs[n]))
        shape = [len(axes[name].indices) if name in consideration.inputs else 1 for name in self.names]
        return table.transpose(order).reshape(shape)

    def terms(self, parts: Mapping[Side, Callable[[_Array], _Array] | None], opened: str | None = None) -> list[_Array]:
        """One array for each consideration of the sides in `parts`, so that their sum is the score in each world.

        A side's part is a function of its share (0 to 1, from the position), or None for the bare side.
        `opened`: an input to leave open although it is known.
        """
        axes = self._axes if opened is None else {**self._axes, opened: self._whole_axis(opened)}
        terms = []
        for consideration in self.rulebook.considerations:
            if consideration.side in parts:
                term = self.points(consideration, axes) * (consideration.weight / self._weights[consideration.side])
                scale = parts[consideration.side]
                terms.append(term if scale is None else term * scale(self._share(consideration.side, axes)))
        return terms

    def _share(self, side: Side, axes: Mapping[str, _Axis]) -> _Array:
        name, grows = _POSITION_OF[side]
        at = np.array(axes[name].at)
        shape = [len(at) if other == name else 1 for other in self.names]
        return (at if grows else 1 - at).reshape(shape)

    def expected_share(self, consideration: Consideration) -> float:
        """The part of the overall score's weight that a consideration carries (all sum to 1)."""
        part = float(self._share(consideration.side, self._axes).mean()) / 2
        return part * consideration.weight / self._weights[consideration.side]


def _whole(share: _Array) -> _Array:
    return share


def _overall(share: _Array) -> _Array:
    return share * 5


_OVERALL: Final[Mapping[Side, Callable[[_Array], _Array]]] = dict.fromkeys(SIDES, _overall)


def _least(terms: Sequence[_Array], sign: float = 1.0, keep: int | None = None) -> _Array:
    """The least sum of the terms over all worlds (`sign=-1`: the greatest); over the axis `keep`, one for each value."""
    factors = [term * sign for term in terms]
    while True:
        wide = {axis for factor in factors for axis, size in enumerate(factor.shape) if size > 1 and axis != keep}
        if not wide:
            break
        joined = {axis: [factor for factor in factors if factor.shape[axis] > 1] for axis in wide}
        axis = min(sorted(wide), key=lambda a: np.prod(np.broadcast_shapes(*(f.shape for f in joined[a]))))
        factors = [factor for factor in factors if factor.shape[axis] == 1]
        total = joined[axis][0]
        for factor in joined[axis][1:]:
            total = total + factor
        factors.append(total.min(axis=axis, keepdims=True))
    total = factors[0]
    for factor in factors[1:]:
        total = total + factor
    return total.ravel() * sign


def _expected(terms: Sequence[_Array], keep: int) -> _Array:
    """The mean sum over all worlds, for each value of the axis `keep`."""
    total: _Array = np.zeros(1)
    for term in terms:
        total = total + term.mean(axis=tuple(axis for axis in range(term.ndim) if axis != keep)).ravel()
    return total


def _rounded(number: float) -> float:
    """Two decimals. Rounding first to nine removes what floating point adds, so that equal scores print alike."""
    return round(round(float(number), 9), 2) + 0.0


def _range(terms: Sequence[_Array]) -> Range:
    value = sum(float(term.mean()) for term in terms)
    low, high = float(_least(terms)[0]), float(_least(terms, -1)[0])
    return Range(value=_rounded(value), low=_rounded(low), high=_rounded(high))


# ---------------------------------------------------------------- the parts of an assessment


def _scores(worlds: _Worlds) -> Scores:
    sides = {side: _range(worlds.terms({side: None})) for side in SIDES}
    return Scores(
        overall=_range(worlds.terms(_OVERALL)),
        market=_range(worlds.terms({"day_1": _whole, "day_2": _whole})),
        sales=_range(worlds.terms({"ml": _whole, "engineering": _whole})),
        sides=SideScores(**sides),
    )


def _position(facts: Facts, name: str) -> Range:
    at = facts.positions[name]
    if at is None:
        return Range(value=float(Fraction(1, 2)), low=0.0, high=1.0)
    return Range(value=_rounded(float(at)), low=_rounded(float(at)), high=_rounded(float(at)))


def _considerations(worlds: _Worlds) -> tuple[ConsiderationResult, ...]:
    results = []
    for consideration in worlds.rulebook.considerations:
        points = worlds.points(consideration)
        found = Range(value=_rounded(points.mean()), low=_rounded(points.min()), high=_rounded(points.max()))
        quotes = dict.fromkeys(quote for name in consideration.inputs for quote in worlds.facts.quotes[name])
        results.append(
            ConsiderationResult(
                id=consideration.id,
                title=consideration.title,
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


def _questions_and_changes(worlds: _Worlds) -> tuple[tuple[Question, ...], tuple[Change, ...]]:
    now = _range(worlds.terms(_OVERALL))
    questions: list[Question] = []
    changes: list[Change] = []
    for axis, name in enumerate(worlds.names):
        terms = worlds.terms(_OVERALL, opened=name)
        lows, highs, values = _least(terms, keep=axis), _least(terms, -1, keep=axis), _expected(terms, axis)
        if worlds.open(name):
            settles = now.width - float(np.mean(highs - lows))
            text = worlds.rulebook.inputs[name].question
            questions.append(Question(signal=name, question=text, settles=_rounded(max(settles, 0.0))))
            continue
        before = worlds.facts.values[name]
        for index, after in enumerate(INPUTS[name]):
            if after != before and len(values) > 1:
                changed = Range(
                    value=_rounded(values[index]), low=_rounded(lows[index]), high=_rounded(highs[index])
                )
                changes.append(Change(before=str(before), after=after, signal=name, overall=changed))
    questions.sort(key=lambda question: -question.settles)
    changes.sort(key=lambda change: -abs(change.overall.value - now.value))
    return tuple(questions), tuple(changes)
