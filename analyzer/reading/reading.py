"""What every reader returns: the signals, and how they were read."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.framework.assessment import ReaderRef, Usage, Warning
from analyzer.vocabulary.signals import Signals


@dataclass(frozen=True, slots=True)
class Reading:
    """Signals read from one pitch. Every quote in them is in the pitch, with offsets.

    `usage` is what reading it cost, in this run or an earlier one; `from_store`: all of it was paid in an earlier run.
    """

    signals: Signals
    reader: ReaderRef
    warnings: tuple[Warning, ...] = ()
    usage: Usage = Usage()
    from_store: bool = False
