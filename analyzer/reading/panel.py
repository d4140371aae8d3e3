"""Several readings of one pitch: by one model or a panel of them, at the same time, and what comes of them together.

A reading that fails costs a warning as long as another one came. What would fail for every pitch (a rejected key, a
server that is gone, the cost limit) is raised in a run over many, so that the run ends and the next one goes on from
the stored answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from analyzer.errors import (
    AnalyzerError,
    ConfigurationError,
    CostLimitReached,
    MissingRecording,
    ProviderDown,
    RunStopped,
)
from analyzer.framework.assessment import ReaderRef, ReadingRef, Usage, Warning
from analyzer.framework.market import MarketMap
from analyzer.reading.combine import combined, other_quotes
from analyzer.reading.pitch import Pitch
from analyzer.reading.reading import Reading
from analyzer.reading.support import support_warnings
from analyzer.settings import KEYWORDS, RECORDED
from analyzer.vocabulary.labels import joined
from analyzer.vocabulary.votes import ScopeRead

ENDS_RUN: Final = (ConfigurationError, ProviderDown, CostLimitReached, RunStopped)
"""Errors that end a run over many pitches."""


class NumberedReader(Protocol):
    """A reader whose readings of one pitch differ."""

    async def read(self, pitch: Pitch, number: int = 1) -> Reading: ...


@dataclass(frozen=True, slots=True)
class Member:
    """One reading of a panel: by whom, and which of its readings of the pitch."""

    model: str
    reader: NumberedReader
    number: int


@dataclass(frozen=True, slots=True)
class FailedReading:
    """A reading that did not come: of which model, which of its readings, and why."""

    model: str
    number: int
    error: AnalyzerError


@dataclass(slots=True)
class Panel:
    """Reads one pitch several times, and combines the readings. `missing`: readings that cannot be made; `raises`:
    errors of a single reading that count for all. `from_store`: whether the last pitch was read without asking."""

    members: Sequence[Member]
    missing: Sequence[FailedReading] = ()
    raises: tuple[type[AnalyzerError], ...] = ()
    market: MarketMap | None = None
    from_store: bool = False

    @property
    def taker(self) -> NumberedReader:
        """The reader whose model takes a second look at the combined reading: the first that has one."""
        return next((each.reader for each in self.members if each.model != KEYWORDS), self.members[0].reader)

    @property
    def notices(self) -> list[str]:
        """What people should know about how the models are asked, a line each, as of now."""
        readers = {id(member.reader): member.reader for member in self.members}.values()
        return [notice for reader in readers for notice in getattr(reader, "notices", ())]

    async def read(self, pitch: Pitch) -> Reading:
        """Every reading that comes, as one. Raises the error of the first reading if none does."""
        import asyncio

        reads = (member.reader.read(pitch, member.number) for member in self.members)
        outcomes = await asyncio.gather(*reads, return_exceptions=True)
        came, failed = [], list(self.missing)
        for member, outcome in zip(self.members, outcomes, strict=True):
            if isinstance(outcome, Reading):
                came.append(outcome)
            elif not isinstance(outcome, AnalyzerError) or isinstance(outcome, self.raises):
                raise outcome
            else:
                failed.append(FailedReading(member.model, member.number, outcome))
        if not came:
            raise failed[0].error
        reading = as_one(came, failed, pitch, self.market)
        self.from_store = reading.from_store
        return reading


def as_one(
    readings: Sequence[Reading], failed: Sequence[FailedReading], pitch: Pitch, market: MarketMap | None = None
) -> Reading:
    """The readings of a pitch as one: their signals combined, all of their warnings and usage."""
    signals = combined([reading.signals for reading in readings], market)
    models = list(dict.fromkeys(reading.reader.model or "" for reading in readings))
    first = readings[0].reader
    reader = ReaderRef(
        model=", ".join(models),
        prompt_sha256=first.prompt_sha256,
        schema_sha256=first.schema_sha256,
        readings=tuple(ReadingRef(model=each.reader.model or "", number=each.number) for each in readings),
    )
    of_each = (warning for reading in readings for warning in _without_doubts(reading, pitch))
    warnings = (
        *([_failed_warning(len(readings), failed)] if failed else []),
        *([_scope_warning(signals.scope)] if signals.scope else []),
        *of_each,
        *support_warnings(signals, pitch.text),
    )
    return Reading(
        signals,
        reader,
        tuple(dict.fromkeys(warnings)),
        _total([*(reading.usage for reading in readings), *(each.error.usage for each in failed)]),
        from_store=not failed and all(reading.from_store for reading in readings),
        evidence=other_quotes(signals, [reading.signals for reading in readings]),
    )


def _without_doubts(reading: Reading, pitch: Pitch) -> Iterable[Warning]:
    """The warnings of a reading, but for those that compare its quotes: the combined quotes have their own."""
    doubts = support_warnings(reading.signals, pitch.text)
    return (warning for warning in reading.warnings if warning not in doubts)


def _total(usages: Iterable[Usage | None]) -> Usage:
    from analyzer.reading.spending import added

    total = Usage()
    for usage in usages:
        total = added(total, usage) if usage is not None and usage.requests else total
    return total if total.cost_usd is None else total.model_copy(update={"cost_usd": round(total.cost_usd, 8)})


def _failed_warning(came: int, failed: Sequence[FailedReading]) -> Warning:
    numbers: dict[tuple[str, str], list[str]] = {}
    for each in failed:
        recorded = isinstance(each.error, MissingRecording)
        reason = "not recorded" if recorded else f"failed: {_reason(each.error)}"
        model = each.model.removeprefix(RECORDED).removeprefix("/")
        numbers.setdefault((model, reason), []).append(str(each.number))
    why = "; ".join(_failed_words(*each, listed) for each, listed in numbers.items())
    message = f"This rests on {came} of {came + len(failed)} readings: {why.removesuffix('.')}."
    return Warning(kind="readings", message=message)


def _failed_words(model: str, reason: str, numbers: Sequence[str]) -> str:
    several = len(numbers) > 1
    which = f"reading{'s' if several else ''} {joined(numbers)}{f' of {model}' if model else ''}"
    return f"{which} {reason}" if reason.startswith("failed") else f"{which} {'are' if several else 'is'} {reason}"


def _reason(error: AnalyzerError) -> str:
    return str(error).splitlines()[0]


def _scope_warning(scope: ScopeRead) -> Warning:
    inside, outside = scope.in_scope, scope.out_of_scope
    total = inside + outside
    if scope.tied:
        message = (
            f"{inside} of {total} readings say{'s' if inside == 1 else ''} that the framework applies to this product, "
            f"and {outside} that it does not. Nothing is scored: read the pitch yourself, or ask for an odd number of "
            "readings."
        )
    else:
        lost, says = (outside, "does not apply") if inside > outside else (inside, "applies")
        message = f"{lost} of {total} readings say{'s' if lost == 1 else ''} that the framework {says} to this product."
    return Warning(kind="scope", message=message)
