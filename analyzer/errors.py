"""Everything that can go wrong, sorted by who can fix it.

    AnalyzerError               any of these
    ├── InputError              whoever brought the pitch, file or rulebook
    │   ├── PitchError          the text itself: empty, too long, not text
    │   ├── DocumentError       a file that cannot be read
    │   ├── SignalsError        a signals document that does not fit the vocabulary
    │   ├── RulebookError       a rulebook that is incomplete or contradicts itself
    │   ├── MarketError         a market map that contradicts itself or the vocabulary
    │   ├── ManualError         manual scores that do not fit the vocabulary
    │   └── OutputError         a file that cannot be written: no such folder, a full disk
    ├── ConfigurationError      whoever set the program up: model, key, extra package
    │   ├── AuthenticationFailed  the server refuses the key
    │   ├── ModelNotFound       the server does not have this model
    │   ├── QuotaExhausted      the account has no credit left
    │   ├── ModeRejected        the model cannot be asked in this way (tool calls, JSON Schema)
    │   │   └── SettingRejected nor with this temperature, seed or the like
    │   └── StoreError          the database of stored answers
    ├── ProviderError           the model's service: nobody here; try again later
    │   ├── ProviderUnreachable no connection to the service
    │   ├── ProviderTimeout     no answer within the time-out
    │   ├── RateLimited         too many requests, or tokens, for now
    │   ├── ProviderRejected    the service refuses this request
    │   └── ProviderDown        no request got an answer for minutes; a run of many ends
    ├── ExtractionError         this pitch: no usable answer (not JSON, another shape, cut off, refused)
    │   ├── ContentFiltered     the provider's content filter blocked it
    │   └── PitchTooLong        longer than the model, or the account's rate limit, allows
    ├── RunStopped              the run was stopped before this pitch was read
    │   └── AwaitsBatch         its request is in a batch that is not answered yet
    ├── CostLimitReached        the user's cost limit; a run of many ends
    ├── AnswerNotStored         the database cannot hold this answer; others are not affected
    └── MissingRecording        no recorded answer fits this request

Every message is one or two lines: what happened, where, what to do. No message holds a key, a prompt or
the text of a pitch. Errors of the SDKs are mapped to these in one place (`reading.provider_errors`); the cause is a
`SdkError`, which says where it was raised and leaves out what the server or the SDK said.
"""

from __future__ import annotations

from traceback import format_tb
from typing import Any, ClassVar, Final


class AnalyzerError(Exception):
    """Base of all errors that this package raises on purpose.

    `kind` is a stable word for scripts and result files; `exit_code` is what `pitch` ends with:
    1 a pitch failed, 2 the call or an input file is wrong, 3 not configured, or the model cannot be reached, 4 pitches
    wait for a batch. `usage`: what was spent on a pitch before its reading failed; None if nothing is known of it.
    """

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    usage: Any = None


class InputError(AnalyzerError):
    kind = "input"
    exit_code = 2


class PitchError(InputError):
    kind = "pitch"


class DocumentError(InputError):
    kind = "document"


class SignalsError(InputError):
    kind = "signals"


class OutputError(InputError):
    kind = "output"


class _FaultyData(InputError):
    """A data file and everything wrong with it: one line for each fault, in `faults`."""

    def __init__(self, source: str, faults: list[str]):
        self.source = source
        self.faults = tuple(faults)
        super().__init__(f"{source}: {len(faults)} fault{'s' if len(faults) != 1 else ''}\n  " + "\n  ".join(faults))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.source, list(self.faults)), self.__dict__


class RulebookError(_FaultyData):
    kind = "rulebook"


class MarketError(_FaultyData):
    kind = "market"


class ManualError(_FaultyData):
    kind = "manual"


class ConfigurationError(AnalyzerError):
    kind = "configuration"
    exit_code = 3


class AuthenticationFailed(ConfigurationError):
    kind = "authentication"


class ModelNotFound(ConfigurationError):
    kind = "model_not_found"


class QuotaExhausted(ConfigurationError):
    kind = "quota"


class ModeRejected(ConfigurationError):
    kind = "mode"


class SettingRejected(ModeRejected):
    kind = "setting"


class StoreError(ConfigurationError):
    kind = "store"


class ProviderError(AnalyzerError):
    """`retry_after`: seconds the server asks to wait; 0 where it does not say. `replied`: a whole reply came with HTTP
    200, only without an answer in it: the server is there."""

    kind = "provider"
    exit_code = 3
    retry_after: float = 0.0
    replied: bool = False


class ProviderUnreachable(ProviderError):
    kind = "unreachable"


class ProviderTimeout(ProviderError):
    kind = "timeout"


class RateLimited(ProviderError):
    kind = "rate_limited"


class ProviderRejected(ProviderError):
    kind = "rejected"


class ProviderDown(ProviderError):
    kind = "provider_down"


class RunStopped(AnalyzerError):
    kind = "stopped"


AWAITS_BATCH: Final = 4
"""What `pitch` ends with if pitches wait for a batch."""


class AwaitsBatch(RunStopped):
    """`asked`: whether the request is in a batch, or will be; else no batch has it."""

    kind = "awaits_batch"
    exit_code = AWAITS_BATCH
    asked: bool = True


class CostLimitReached(AnalyzerError):
    kind = "cost_limit"


class ExtractionError(AnalyzerError):
    kind = "extraction"


class ContentFiltered(ExtractionError):
    kind = "filtered"


class PitchTooLong(ExtractionError):
    kind = "too_long"


class AnswerNotStored(AnalyzerError):
    kind = "not_stored"


class MissingRecording(AnalyzerError):
    kind = "missing_recording"


class SdkError(Exception):
    """Replaces an exception of a model's SDK as the cause of one of ours.

    SDKs put the whole prompt, the server's reply and sometimes the key into their messages and attributes. This keeps
    only the exception's type, its HTTP status if it has one, and, as a note, the lines of code it came from.
    """

    @classmethod
    def of(cls, error: BaseException, status: int | None = None) -> SdkError:
        made = cls(f"{_type_name(error)}{f' (HTTP {status})' if status else ''}; its message is left out")
        made.add_note(f"Raised at:\n{''.join(format_tb(error.__traceback__))}".rstrip())
        return made


_HIDDEN: Final = "message left out: it may quote a pitch or a key"


def safe_traceback(error: BaseException) -> str:
    """Format the traceback of an error and its causes, without the messages of foreign exceptions.

    Foreign messages may quote anything: a server's reply, the parameters of an SQL statement, the text of a pitch.
    """
    chain: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in chain:
        chain.append(each)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return "\n\n".join(_safe_lines(each) for each in reversed(chain))


def _safe_lines(error: BaseException) -> str:
    own = isinstance(error, AnalyzerError | SdkError)
    message = str(error) if own else _HIDDEN
    if isinstance(error, OSError) and error.strerror:
        message = error.strerror
    lines = [f"{_type_name(error)}: {message}"]
    if error.__traceback__ is not None:
        lines = ["Traceback (most recent call last):", "".join(format_tb(error.__traceback__)).rstrip(), *lines]
    return "\n".join([*lines, *(getattr(error, "__notes__", ()) if own else ())])


def _type_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")


def of_kind(kind: str, message: str) -> AnalyzerError:
    """Make the error that a file of results names by its kind; AnalyzerError for a kind that is not in the tree."""
    kinds = [AnalyzerError]
    for candidate in kinds:
        kinds += candidate.__subclasses__()
    named = (each for each in kinds if each.kind == kind and not issubclass(each, _FaultyData))
    return next(named, AnalyzerError)(message)
