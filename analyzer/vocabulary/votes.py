"""What was read in several ways: which values, by how many votes. The document's parts, and the weights that follow.

A value has votes next to the others that were read. A vote for unknown says that a reading found nothing: it counts for
every value alike. What is derived from the lists of a signals document (position, main user, competition, known vendor,
in-house building) has no place of its own there, so its votes are in `derived`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from analyzer.vocabulary.derived import INPUTS
from analyzer.vocabulary.records import SIGNALS, UNKNOWN

WORLDS: Final = (Fraction(0), Fraction(1, 2), Fraction(1))
"""Where an unknown position may be, each equally likely."""
_FINEST: Final = 1000
"""A position is a mean over a few problems; this finds the fraction that a float of the document means."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def _not_stated(value: object) -> bool:
    return value is None


class Vote(_Part):
    """Another value that was read, and by how many readings."""

    value: str
    votes: int = Field(default=1, ge=1)


class PositionVote(_Part):
    """Another position that was read, 0 to 1, and by how many readings."""

    value: float | Literal["unknown"] = Field(union_mode="left_to_right")
    votes: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _within(self) -> PositionVote:
        _check_position(self.value)
        return self


class DerivedRead(_Part):
    """The value of an input that is derived from the lists, as several readings have it."""

    value: str
    votes: int = Field(default=1, ge=1)
    also: tuple[Vote, ...] = ()


class PositionRead(_Part):
    """The position (0 to 1) that several readings give."""

    value: float | Literal["unknown"] = Field(union_mode="left_to_right")
    votes: int = Field(default=1, ge=1)
    also: tuple[PositionVote, ...] = ()

    @model_validator(mode="after")
    def _within(self) -> PositionRead:
        _check_position(self.value)
        _check_different(self.value, self.also)
        return self


class ScopeRead(_Part):
    """How many readings say that the framework applies, and how many that it does not, where they disagree."""

    in_scope: int = Field(ge=1)
    out_of_scope: int = Field(ge=1)

    @property
    def tied(self) -> bool:
        """Whether they are as many, so that nothing is decided."""
        return self.in_scope == self.out_of_scope


class Derived(_Part):
    """The votes of what is derived from the lists; what is missing follows from the lists themselves."""

    stage: PositionRead | None = Field(default=None, exclude_if=_not_stated)
    focus: PositionRead | None = Field(default=None, exclude_if=_not_stated)
    persona_fit: DerivedRead | None = Field(default=None, exclude_if=_not_stated)
    crowding: DerivedRead | None = Field(default=None, exclude_if=_not_stated)
    incumbent: DerivedRead | None = Field(default=None, exclude_if=_not_stated)
    in_house: DerivedRead | None = Field(default=None, exclude_if=_not_stated)

    @model_validator(mode="after")
    def _in_the_vocabulary(self) -> Derived:
        for name in type(self).model_fields:
            read = getattr(self, name)
            if isinstance(read, DerivedRead):
                try:
                    check_votes(INPUTS[name], read.value, read.also)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from error
        return self


DECIDES: Final[Mapping[str, tuple[str, ...]]] = {
    "problems": ("stage", "focus"),
    "personas": ("persona_fit",),
    "competitors": ("crowding", "incumbent", "in_house"),
    "category": ("crowding", "incumbent"),
}
"""Which derived inputs follow from a field of the document."""


def without_votes(derived: Derived | None, fields: Iterable[str]) -> Derived | None:
    """The votes that still count once these fields have another content: what follows from them has none."""
    if derived is None:
        return None
    settled = {name for field in fields for name in DECIDES.get(field, ())}
    left = {name: read for name, read in derived if read is not None and name not in settled}
    return Derived(**left) if left else None


def check_votes(values: Sequence[str], value: str, also: Sequence[Vote]) -> None:
    """Raise ValueError where a value is not in the vocabulary or appears twice."""
    for other in (value, *(vote.value for vote in also)):
        if other not in (*values, UNKNOWN):
            raise ValueError(f"there is no value {other[:40]!r}; it has {', '.join(values)} or {UNKNOWN}")
    _check_different(value, also)


def _check_different(value: object, also: Sequence[Vote | PositionVote]) -> None:
    listed = [value, *(vote.value for vote in also)]
    for other in listed:
        if listed.count(other) > 1:
            raise ValueError(f"{str(other)[:40]!r} appears twice; add its votes up")


def _check_position(value: float | str) -> None:
    if not isinstance(value, str) and not 0 <= value <= 1:
        raise ValueError("a position is from 0 to 1")


# ---------------------------------------------------------------- weights


class Weights(NamedTuple):
    """The weight of each value (they sum to 1), the values that were named, and the share of votes that name one."""

    weights: tuple[float, ...]
    named: tuple[str, ...]
    said: float


def weights(values: Sequence[str], read: Any) -> Weights:
    """The weights of some values by the votes of `read`, which has `value`, `votes` and `also`.

    A vote for unknown counts for every value alike.
    """
    votes = {read.value: read.votes} | {vote.value: vote.votes for vote in read.also}
    total = sum(votes.values())
    silent = votes.get(UNKNOWN, 0)
    size = len(values)
    spread = tuple((votes.get(value, 0) * size + silent) / (total * size) for value in values)
    return Weights(spread, tuple(value for value in values if value in votes), (total - silent) / total)


def places(read: PositionRead) -> tuple[tuple[tuple[Fraction, float], ...], float]:
    """Each position that was read with its weight, in order, and the share of votes that name one (0 to 1)."""
    votes = [(read.value, read.votes), *((vote.value, vote.votes) for vote in read.also)]
    total = sum(count for _, count in votes)
    silent = sum(count for value, count in votes if value == UNKNOWN)
    counts: dict[Fraction, Fraction] = dict.fromkeys(WORLDS, Fraction(silent, len(WORLDS))) if silent else {}
    for value, count in votes:
        if not isinstance(value, str):
            counts[as_fraction(value)] = counts.get(as_fraction(value), Fraction(0)) + count
    return tuple((at, float(count / total)) for at, count in sorted(counts.items())), (total - silent) / total


def as_fraction(position: float) -> Fraction:
    """The fraction that a document's number for a position means: a third is a third."""
    return Fraction(position).limit_denominator(_FINEST)


def check_derived() -> None:
    """Raise TypeError where the vocabulary has other derived inputs than the document has votes for."""
    odd = {name for name in INPUTS if name not in SIGNALS} ^ set(Derived.model_fields)
    if odd:
        raise TypeError(f"the document's votes do not fit the derived inputs: {', '.join(sorted(odd))}")


check_derived()
