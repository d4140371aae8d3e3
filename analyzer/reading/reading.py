"""What every reader hands over: signals, and what has to be known about how they were read."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.framework.assessment import ReaderRef, Usage, Warning
from analyzer.vocabulary.signals import Signals


@dataclass(frozen=True, slots=True)
class Reading:
    """Signals read from one pitch. Every quote in them stands in the pitch, with offsets.

    `usage` is what reading it cost, whenever that was; `from_store`: all of it was paid in an earlier run.
    """

    signals: Signals
    reader: ReaderRef
    warnings: tuple[Warning, ...] = ()
    usage: Usage = Usage()
    from_store: bool = False
