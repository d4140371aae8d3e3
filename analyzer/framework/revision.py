"""What changes when the rulebook does: the rules themselves, and the pitches that they judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analyzer.framework.assessment import Assessment, Range, VerdictWord
from analyzer.framework.decision_table import RulebookPart
from analyzer.framework.formula import POINTS_TO_SCORE
from analyzer.framework.rulebook import Consideration, Rulebook
from analyzer.vocabulary.labels import joined


@dataclass(frozen=True, slots=True)
class Effect:
    """One consideration's part in a change of the overall score, in its points (0 to 100)."""

    consideration: str
    by: float


@dataclass(frozen=True, slots=True)
class Shift:
    """One pitch under two rulebooks. `effects`: the considerations through which its score moved, the largest first;
    they add up to the change unless the product's position is unknown."""

    id: str | None
    title: str | None
    before: Range
    after: Range
    verdict_before: VerdictWord
    verdict_after: VerdictWord
    effects: tuple[Effect, ...]

    @property
    def by(self) -> float:
        return round(self.after.value - self.before.value, 2) + 0.0


def differences(old: Rulebook, new: Rulebook) -> Iterator[str]:
    """What differs between two rulebooks, a line each; nothing where they judge and speak alike."""
    if old.verdict != new.verdict:
        before, after = old.verdict, new.verdict
        yield (
            f"verdict: against below {before.against_below:g}, for above {before.for_above:g}"
            f" -> {after.against_below:g}, {after.for_above:g}"
        )
    olds, news = ({c.id: c for c in rulebook.considerations} for rulebook in (old, new))
    yield from (f"{name}: removed" for name in olds if name not in news)
    for name, rule in news.items():
        if name not in olds:
            yield f"{name}: added to {rule.side}, weight {rule.weight:g}"
        else:
            yield from (f"{name}: {line}" for line in _changes(olds[name], rule))
    yield from _records("intermediate table", old.tables, new.tables)
    yield from _records("gate", {g.id: g for g in old.gates}, {g.id: g for g in new.gates})
    for name in dict.fromkeys((*old.inputs, *new.inputs)):
        if old.inputs.get(name) != new.inputs.get(name):
            yield f"inputs.{name}: other words"


def _records(kind: str, olds: Mapping[str, RulebookPart], news: Mapping[str, RulebookPart]) -> Iterator[str]:
    """What differs between the intermediate tables or gates of two rulebooks, by their fields."""
    for name in dict.fromkeys((*olds, *news)):
        old, new = olds.get(name), news.get(name)
        if old is None or new is None:
            yield f"{name}: {kind} {'added' if old is None else 'removed'}"
            continue
        changed = [part for part in type(new).model_fields if getattr(old, part) != getattr(new, part)]
        if changed:
            yield f"{name}: {kind} with other {joined(changed)}"


def shift(before: Assessment, after: Assessment) -> Shift | None:
    """How a pitch's assessment moved between two rulebooks; None if it is out of scope."""
    if before.scores is None or after.scores is None or before.verdict is None or after.verdict is None:
        return None
    was, is_ = (
        {c.id: POINTS_TO_SCORE * c.share * c.points.value for c in found.considerations} for found in (before, after)
    )
    moved = {name: is_.get(name, 0.0) - was.get(name, 0.0) for name in dict.fromkeys((*was, *is_))}
    effects = sorted(
        (Effect(name, round(by, 2)) for name, by in moved.items() if abs(by) >= 0.005), key=lambda e: -abs(e.by)
    )
    return Shift(
        after.pitch.id,
        after.pitch.title,
        before.scores.overall,
        after.scores.overall,
        before.verdict.word,
        after.verdict.word,
        tuple(effects),
    )


def _changes(old: Consideration, new: Consideration) -> Iterator[str]:
    if old.weight != new.weight:
        yield f"weight {old.weight:g} -> {new.weight:g}"
    if old.side != new.side:
        yield f"side {old.side} -> {new.side}"
    if old.inputs != new.inputs:
        yield f"looks at {', '.join(old.inputs)} -> {', '.join(new.inputs)}"
        return
    for key, row in new.deciding.items():
        before = old.deciding[key]
        if before.points != row.points:
            place = ", ".join(f"{name}={value}" for name, value in zip(new.inputs, key, strict=True))
            yield f"{place}: {before.points:g} -> {row.points:g} points"
    words = ("title", "idea", "source", "stance", "speaks_for", "speaks_against", "reasons")
    if any(getattr(old, name) != getattr(new, name) for name in words):
        yield "other words"
