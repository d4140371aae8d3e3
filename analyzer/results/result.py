"""The result for one pitch of many, and the progress of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, cast

from analyzer.errors import AnalyzerError
from analyzer.files.disk import reason
from analyzer.framework.assessment import Assessment, Usage


@dataclass(frozen=True, slots=True)
class Result:
    """One pitch of many: an assessment, or the error that takes its place. `number` counts from 0 in the input.

    `from_store`: all its answers were stored, so this run sent no request for it. `title` and `sha256` are the pitch's,
    where it has a text.
    """

    number: int
    id: str
    assessment: Assessment | None = None
    error: AnalyzerError | None = None
    from_store: bool = False
    title: str | None = None
    sha256: str | None = None

    def document(self) -> str | None:
        """The assessment as one line of JSON; None if there is none."""
        return None if self.assessment is None else self.assessment.to_json(indent=None)


class WrittenResult(Result):
    """A result whose assessment another process has written as JSON, parsed when somebody looks at it."""

    __slots__ = ("_parsed", "_text")
    _parsed: Assessment | None
    _text: str

    def __new__(cls, *parts: Any, **fields: Any) -> Any:
        """With the fields of a result, as `dataclasses.replace` calls it: a plain one."""
        return object.__new__(cls) if parts else Result(**fields)

    def __init__(self, result: Result, text: str):
        object.__setattr__(self, "_parsed", None)
        object.__setattr__(self, "_text", text)
        for name in _NAMES:
            object.__setattr__(self, name, getattr(result, name))

    @property
    def assessment(self) -> Assessment:
        if self._parsed is None:
            object.__setattr__(self, "_parsed", Assessment.model_validate_json(self._text))
        parsed: Any = self._parsed
        return cast(Assessment, parsed)

    def document(self) -> str:
        return self._text

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are plain results."""
        return Result, tuple(getattr(self, each.name) for each in fields(Result))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        return all(getattr(self, each.name) == getattr(other, each.name) for each in fields(Result))

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, each.name) for each in fields(Result)))


_NAMES: Final = tuple(each.name for each in fields(Result) if each.name != "assessment")


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run as of its last result. Times in seconds, cost in USD.

    `pace`: pitches a second over the last while, from the store or not; None = the run keeps no account of it.

    `usage` is what this run has spent; `failed` counts results with an error, by kind. `total` is None where the number
    of pitches is unknown; `limit` is how many requests may be in flight now. `notices`: what people should know about
    how the model is asked, a line each.
    """

    done: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    from_store: int = 0
    total: int | None = None
    usage: Usage = Usage()
    elapsed: float = 0.0
    limit: int = 0
    notices: tuple[str, ...] = ()
    pace: float | None = None

    @property
    def finished(self) -> int:
        """Results so far, with and without an error."""
        return self.done + sum(self.failed.values())

    @property
    def rate(self) -> float:
        """Pitches a second, without those from the store."""
        return (self.finished - self.from_store) / self.elapsed if self.elapsed else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds until the end; None while unknown.

        At the pace of the last while if that is known: answers in the store come first and fast, and say nothing about
        how long a model takes. Else at the rate of what was asked, or of everything if nothing was.
        """
        usual = self.rate or (self.finished / self.elapsed if self.elapsed else 0.0)
        pace = usual if self.pace is None else self.pace
        if self.total is None or not pace:
            return None
        return max(0, self.total - self.finished) / pace

    @property
    def cost_estimate(self) -> float | None:
        """USD the whole run may cost, if the rest costs as much as the pitches so far; None while unknown."""
        asked = self.finished - self.from_store
        if self.total is None or self.usage.cost_usd is None or not asked:
            return None
        return self.usage.cost_usd * (asked + max(0, self.total - self.finished)) / asked


class UnexpectedError(AnalyzerError):
    """A fault of this program, while reading a pitch; other pitches are not affected."""

    kind = "unexpected"


class SystemRefused(AnalyzerError):
    """The operating system refused something while a pitch was read: open files, memory, a disk."""

    kind = "system"


def as_analyzer_error(error: BaseException, where: str) -> AnalyzerError:
    """Any exception as an error to report; `where` says what was under way ("while reading this pitch").

    An error of this program's own is returned as it is. What the operating system refused is a `SystemRefused`; all
    else is an `UnexpectedError`, without its message, which may quote the pitch.
    """
    if isinstance(error, AnalyzerError):
        return error
    wrapped: AnalyzerError
    if isinstance(error, MemoryError):
        wrapped = SystemRefused(f"the system is out of memory {where}; close other programs, and try again")
    elif isinstance(error, OSError) and error.errno:
        wrapped = SystemRefused(f"the system refused an operation {where}: {reason(error)}; fix this, and try again")
    else:
        wrapped = UnexpectedError(f"{type(error).__name__} {where}; please report it")
    wrapped.__cause__ = error
    return wrapped
