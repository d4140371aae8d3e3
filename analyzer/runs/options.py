"""The arguments that `analyze`, `analyze_many`, `analyze_frame` and their asynchronous forms share, named once.

Type checkers see them through `Unpack`. At run time, `takes` shows them in each function's signature, so that help and
completion list them, and `check_names` refuses any other.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from threading import Event
from typing import Any, TypedDict, TypeVar

from analyzer.framework.arguments import as_market, as_rulebook
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.reading.readers import as_models
from analyzer.results.result import Progress
from analyzer.runs.arguments import as_readings, as_settings, as_store_url, with_verify
from analyzer.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])


class ReadingOptions(TypedDict, total=False):
    """How one pitch is read and scored; every part is optional."""

    model: str | Sequence[str] | None
    """`provider/name`, `recorded` or `keywords`; several are a panel; None = PITCH_MODEL."""
    readings: int | None
    """How often each model reads a pitch, 1 to 20; None = PITCH_READINGS, else 1."""
    rulebook: Rulebook | str | Path | None
    """A rulebook or the path of its TOML file; None = the built-in one."""
    market: MarketMap | str | Path | None
    """A market map or the path of its TOML file; None = the built-in one."""
    settings: Settings | None
    """Key, base URL, time-out and more; None = from the environment."""
    store: bool | str
    """Where the model's answers are saved: True = PITCH_STORE, False = nowhere, or a database URL."""
    verify: bool | str | None
    """Who takes a second look, which takes back values that their quotes do not support: True = the model that reads,
    or another as `provider/name`; False = nobody; None = PITCH_VERIFY."""


class RunControl(TypedDict, total=False):
    """What bounds, watches and stops a run over many pitches; every part is optional."""

    max_cost: float | None
    """USD that the run may spend at most; None = no limit."""
    give_up_after: float
    """Seconds without a single answer of the model's server, or of the store's database, after which the run ends
    (300). Until then every pitch is tried again."""
    on_progress: Callable[[Progress], None] | None
    """Called after every result; what it raises ends the run."""
    progress: bool
    """Whether to show a progress bar: below the cell of a notebook, or on a terminal's standard error."""
    stop: Event | None
    """Once it is set nothing more is asked; what is in flight still becomes results."""
    total: int | None
    """How many pitches there are, if you know; otherwise the length of `pitches`, if it has one."""
    repeat: int
    """How often each pitch comes in `pitches`, one after the other; each time it is another reading, by itself (1)."""
    processes: int
    """In how many processes pitches are read and judged, 1 to 64; they share all limits (1 = in this process)."""


class LimitedOptions(ReadingOptions, total=False):
    """How the pitches of several processes are read and scored, and the limits that these share; every part is
    optional."""

    concurrency: int
    """The most requests in flight, of all processes together (16)."""
    max_cost: float | None
    """USD that all processes together may spend at most; None = no limit."""
    give_up_after: float
    """Seconds without a single answer of the model's server after which the run ends (300)."""


class ManyOptions(ReadingOptions, RunControl, total=False):
    """How many pitches are read and scored; every part is optional."""

    concurrency: int
    """The most requests in flight, 1 to 256 (16)."""


@dataclass(frozen=True, slots=True)
class CheckedOptions:
    """`ReadingOptions`, each converted. `models`: none = PITCH_MODEL. `store`: a database URL; None = no store."""

    models: tuple[str, ...]
    rulebook: Rulebook
    market: MarketMap
    settings: Settings
    store: str | None

    @classmethod
    def of(cls, options: Mapping[str, Any], store: bool) -> CheckedOptions:
        """`store`: whether answers are saved if the options do not say. Raises InputError or ConfigurationError."""
        settings = with_verify(as_settings(options.get("settings")), options.get("verify"))
        settings = as_readings(options.get("readings"), settings)
        return cls(
            as_models(options.get("model")),
            as_rulebook(options.get("rulebook")),
            as_market(options.get("market")),
            settings,
            as_store_url(options.get("store", store), settings),
        )


def check_names(function: str, options: Mapping[str, Any], known: type[Any]) -> None:
    """Raise TypeError for an option that the TypedDict `known` does not have."""
    for name in options:
        if name not in known.__annotations__:
            near = get_close_matches(name, known.__annotations__, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}{hint}")


def takes(known: type[Any], **defaults: Any) -> Callable[[F], F]:
    """Show the options of the TypedDict `known` in a function's signature in place of `**options`. Those without a
    default here are None."""

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        own = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
        options = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=defaults.get(name),
                annotation=getattr(annotation, "__forward_arg__", annotation),
            )
            for name, annotation in known.__annotations__.items()
        ]
        function.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
        return function

    return decorate
