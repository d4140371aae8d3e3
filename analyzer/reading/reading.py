"""What every reader returns: the signals, and how they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzer.framework.assessment import ReaderRef, Usage, Warning
from analyzer.vocabulary.signals import Quote, Signals


@dataclass(frozen=True, slots=True)
class Reading:
    """Signals read from one pitch. Every quote in them is in the pitch, with offsets.

    `usage` is what reading it cost, in this run or an earlier one; `from_store`: all of it was paid in an earlier run.
    `number`: which reading of the pitch by this reader it is, from 1. `evidence`: of combined readings, the quotes of
    values that only some have, by signal and value.
    """

    signals: Signals
    reader: ReaderRef
    warnings: tuple[Warning, ...] = ()
    usage: Usage = Usage()
    from_store: bool = False
    number: int = 1
    evidence: Mapping[tuple[str, str], tuple[Quote, ...]] = field(default_factory=dict)
