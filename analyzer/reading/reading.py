"""What every reader returns: the signals, and how they were read; or several such readings of one pitch."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.errors import AnalyzerError
from analyzer.framework.assessment import ReaderRef, Usage, Warning
from analyzer.vocabulary.signals import Signals


@dataclass(frozen=True, slots=True)
class Reading:
    """Signals read from one pitch. Every quote in them is in the pitch, with offsets.

    `usage` is what reading it cost, in this run or an earlier one; `from_store`: all of it was paid in an earlier run.
    `number`: which reading of the pitch by this reader it is, from 1.
    """

    signals: Signals
    reader: ReaderRef
    warnings: tuple[Warning, ...] = ()
    usage: Usage = Usage()
    from_store: bool = False
    number: int = 1


@dataclass(frozen=True, slots=True)
class FailedReading:
    """A reading that did not come: of which model, which of its readings, and why."""

    model: str
    number: int
    error: AnalyzerError


@dataclass(frozen=True, slots=True)
class SeveralReadings:
    """The readings of one pitch that came, at least one, and those that did not; `panel.as_one` combines them."""

    readings: tuple[Reading, ...]
    failed: tuple[FailedReading, ...] = ()

    @property
    def from_store(self) -> bool:
        """Whether every reading was paid in an earlier run."""
        return not self.failed and all(reading.from_store for reading in self.readings)
