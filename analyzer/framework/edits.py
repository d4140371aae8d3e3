"""Edited signals: what a person puts in place of what was read, and the way back.

An assessment's signals are those that it scores, so that whoever scores them again gets the same. What was read is
next to them in its `edits`, whole, with basis and quotes: nothing that a reader found is lost, and what a person set
never passes for it (its basis is `edited`, and it has no quotes).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

from analyzer.errors import SignalsError
from analyzer.framework.assessment import Edit
from analyzer.vocabulary.signals import (
    SIGNALS,
    UNKNOWN,
    Competitor,
    Focus,
    Persona,
    Problem,
    RivalKind,
    Role,
    Signals,
    Stage,
)
from analyzer.vocabulary.votes import without_votes

ADDED: Final = "added by a person"
"""The statement of a problem, and the name of a competitor, that a person added."""
_EDITABLE: Final = ("in_scope", "problems", "personas", "competitors", *SIGNALS, "derived", "scope")


def edited(read: Signals, changes: Mapping[str, str]) -> Signals:
    """The signals with some of them edited. A change to what was read anyway changes nothing.

    Names and values of `changes`: `in_scope`: yes, no · `problems.N.stage` and `problems.N.focus`, N from 0 (where none
    was read, 0 adds one) · `main_user`: a role or unknown · `competitors`: those to keep by their number from 0, and
    kinds to add, between spaces ("0 2 in_house") · the single values by their names: a value or unknown.
    An edited signal has no votes for other values. Raises SignalsError for any other name or value.
    """
    fields: dict[str, Any] = {}
    for name, value in changes.items():
        if name in SIGNALS:
            _check(name, value, (*SIGNALS[name].values, UNKNOWN))
            if value != read.single(name).value or read.single(name).also:
                fields[name] = {"value": value, "basis": "absent" if value == UNKNOWN else "edited"}
        elif name == "in_scope":
            fields[name] = _check(name, value, ("yes", "no")) == "yes"
            fields["scope"] = read.scope if fields[name] == read.in_scope else None
        elif name == "main_user":
            fields["personas"] = _personas(read, _check(name, value, (*get_args(Role), UNKNOWN)))
        elif name == "competitors":
            fields[name] = tuple(_competitors(read, value.split()))
        else:
            fields["problems"] = _problems(fields.get("problems", read.problems), name, value)
    changed = [name for name, part in fields.items() if part != getattr(read, name)]
    fields["derived"] = without_votes(read.derived, changed)
    kept = {name: getattr(read, name) for name in Signals.model_fields}
    return Signals.from_document(kept | fields, "the changed signals")


def edits(read: Signals, now: Signals) -> tuple[Edit, ...]:
    """What differs between the signals that were read and those that stand now, in the order of the vocabulary."""
    if read is now:
        return ()
    before, after = (signals.model_dump(mode="json", include=set(_EDITABLE)) for signals in (read, now))
    return tuple(
        Edit(signal=name, **{"from": before.get(name), "to": after.get(name)})
        for name in _EDITABLE
        if before.get(name) != after.get(name)
    )


def as_read(now: Signals, made: Iterable[Edit], source: str = "the assessment") -> Signals:
    """The signals as they were read, before these edits. Raises SignalsError naming `source` if one does not fit."""
    fields = {edit.signal: edit.before for edit in made}
    strangers = [name for name in fields if name not in _EDITABLE]
    if strangers:
        raise SignalsError(f"{source}: edits: {strangers[0][:40]!r} is not a signal")
    return Signals.from_document({**now.model_dump(mode="json"), **fields}, source) if fields else now


def _problems(problems: tuple[Problem, ...], name: str, value: str) -> tuple[Problem, ...]:
    number, _, part = name.removeprefix("problems.").partition(".")
    known = {"stage": get_args(Stage), "focus": get_args(Focus)}
    problems = problems or (Problem(statement=ADDED, stage="unclear", focus="unclear", primary=True),)
    if not name.startswith("problems.") or part not in known or number not in map(str, range(len(problems))):
        raise SignalsError(f"{name[:40]!r} cannot be edited: it is not a signal of this pitch")
    changed = {**problems[int(number)].model_dump(), part: _check(name, value, known[part])}
    return (*problems[: int(number)], Problem.model_validate(changed), *problems[int(number) + 1 :])


def _personas(read: Signals, role: str) -> tuple[Persona, ...]:
    if role == UNKNOWN:
        return ()
    if read.personas and read.personas[0].role == role:
        return read.personas
    return (Persona.model_validate({"role": role}), *read.personas[1:])


def _competitors(read: Signals, parts: Iterable[str]) -> Iterable[Competitor]:
    numbered = {str(number): competitor for number, competitor in enumerate(read.competitors)}
    for part in parts:
        if part in numbered:
            yield numbered[part]
        else:
            kind = _check("competitors", part, get_args(RivalKind))
            yield Competitor.model_validate({"name": ADDED, "kind": kind})


def _check(name: str, value: str, options: Iterable[str]) -> str:
    if value not in options:
        raise SignalsError(f"{name} cannot be {value[:40]!r}; it is one of {', '.join(options)}")
    return value
