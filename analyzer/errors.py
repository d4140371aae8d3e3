"""Everything that can go wrong, sorted by who can mend it.

    AnalyzerError
    ├── InputError              whoever brought the pitch, file or rulebook
    │   ├── PitchError          the text itself: empty, too long, not text
    │   ├── DocumentError       a file that cannot be read
    │   ├── SignalsError        a signals document that does not fit the vocabulary
    │   ├── RulebookError       a rulebook that does not decide what it should
    │   ├── MarketError         a market map that contradicts itself or the vocabulary
    │   └── ManualError         manual scores that do not fit the vocabulary
    ├── ConfigurationError      whoever set the program up: model, key, extra package
    │   ├── AuthenticationFailed
    │   ├── ModelNotFound
    │   ├── QuotaExhausted
    │   └── StoreError          the database of kept answers
    ├── ProviderError           the model's service: nobody here; try later
    │   ├── ProviderUnreachable
    │   ├── ProviderTimeout
    │   ├── RateLimited
    │   ├── ProviderRejected    the service refuses this request
    │   └── ProviderDown        nothing has got through for long; a run of many ends
    ├── ExtractionError         the answer: not JSON, of another shape, cut off, refused
    ├── RunStopped              this pitch's turn had not come when its run was stopped
    ├── CostLimitReached        the limit that the user set; a run of many ends
    ├── AnswerNotStored         the database cannot hold this answer; others are not affected
    └── MissingRecording        there is no recorded answer for this request

Every message is one or two lines: what was found, where, what to do. No message holds a key, a prompt or
the text of a pitch. Errors of the SDKs are mapped to these in one place (`reading.model`), cause kept.
"""

from __future__ import annotations

from typing import ClassVar


class AnalyzerError(Exception):
    """Base of all errors that this package raises on purpose.

    `kind` is a stable word for scripts and result files; `exit_code` is what `pitch` ends with:
    1 a pitch failed, 2 the call or an input file is wrong, 3 not configured or model out of reach.
    """

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1


class InputError(AnalyzerError):
    kind = "input"
    exit_code = 2


class PitchError(InputError):
    kind = "pitch"


class DocumentError(InputError):
    kind = "document"


class SignalsError(InputError):
    kind = "signals"


class _FaultyData(InputError):
    """A data file with all that is wrong with it, one line per fault, in `faults`."""

    def __init__(self, source: str, faults: list[str]):
        self.faults = tuple(faults)
        super().__init__(f"{source}: {len(faults)} fault{'s' if len(faults) != 1 else ''}\n  " + "\n  ".join(faults))


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


class StoreError(ConfigurationError):
    kind = "store"


class ProviderError(AnalyzerError):
    """`retry_after`: seconds the server asks to wait; 0 where it does not say."""

    kind = "provider"
    exit_code = 3
    retry_after: float = 0.0


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


class CostLimitReached(AnalyzerError):
    kind = "cost_limit"


class ExtractionError(AnalyzerError):
    kind = "extraction"


class AnswerNotStored(AnalyzerError):
    kind = "not_stored"


class MissingRecording(AnalyzerError):
    kind = "missing_recording"


def of_kind(kind: str, message: str) -> AnalyzerError:
    """An error as a file of results tells it; of a kind that is not in the tree, the tree's base."""
    found = [AnalyzerError]
    for candidate in found:
        found += candidate.__subclasses__()
    named = (each for each in found if each.kind == kind and not issubclass(each, _FaultyData))
    return next(named, AnalyzerError)(message)
