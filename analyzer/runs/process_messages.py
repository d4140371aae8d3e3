"""What the processes of one run say to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from threading import Event
from typing import Any, BinaryIO

from analyzer.errors import AnalyzerError
from analyzer.files.document import Document
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.reading.limit_owner import News, Word
from analyzer.results.result import Result
from analyzer.runs.pipes import read_message, write_message
from analyzer.runs.plan import RunPlan
from analyzer.settings import Settings


@dataclass(frozen=True, slots=True)
class RunShare:
    """What a process has to know of the run. Keys may be in it, so `repr` shows nothing."""

    models: tuple[str, ...] = field(repr=False)
    settings: Settings = field(repr=False)
    store: str | None = field(repr=False)
    rulebook: Rulebook = field(repr=False)
    market: MarketMap = field(repr=False)
    concurrency: int = field(repr=False)
    max_cost: float | None = field(repr=False)
    give_up_after: float = field(repr=False)
    repeat: int = field(repr=False)

    @classmethod
    def of(cls, plan: RunPlan) -> RunShare:
        """The share of every process in a run of this plan."""
        return cls(**{each.name: getattr(plan, each.name) for each in fields(cls)})

    def plan(self) -> RunPlan:
        """The plan by which the process reads; what becomes of results is not its concern."""
        own: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        return RunPlan(**own, on_progress=lambda _: None, progress=False, stop=Event(), total=None)


@dataclass(frozen=True, slots=True)
class PitchToRead:
    """A pitch of the run, for a process to read."""

    number: int
    id: str | None
    text: str | Document
    title: str | None

    def entry(self) -> dict[str, Any]:
        """The pitch as `ManyRun.start` takes it."""
        named = {"id": self.id, "title": self.title}
        return {"text": self.text, **{name: value for name, value in named.items() if value is not None}}


@dataclass(frozen=True, slots=True)
class DonePitch:
    """What came of a pitch: a result, its assessment as JSON (`document`), or the error that ends the run."""

    number: int
    result: Result | None = None
    document: str | None = None
    ended: AnalyzerError | None = None


@dataclass(frozen=True, slots=True)
class ProcessReport:
    """What a process says: words for the owner of the limits, and the pitches that are done after them. `notices`: as
    of now; None = unchanged."""

    words: Sequence[Word] = ()
    done: Sequence[DonePitch] = ()
    notices: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class SetUp:
    """The process is ready, or could not set up the model or the store (`error`)."""

    error: AnalyzerError | None = None


Message = RunShare | PitchToRead | list[News] | ProcessReport | SetUp


def send_message(stream: BinaryIO, message: Message) -> None:
    """Write one message. Raises OSError or ValueError if nobody reads the stream any more."""
    write_message(stream, message)


def receive_message(stream: BinaryIO) -> Any:
    """The next message; None when the stream ends, also in the middle of one."""
    return read_message(stream)
