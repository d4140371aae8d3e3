"""What a run over many pitches does, with every option checked and filled in."""

from __future__ import annotations

from collections.abc import Callable, Sized
from dataclasses import dataclass, replace
from threading import Event

from analyzer.errors import ConfigurationError
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.reading.limits import NOBODY, LimitTerms
from analyzer.reading.rate_limiter import MANY
from analyzer.reading.readers import HOW_TO_SET_A_MODEL, as_models
from analyzer.results.result import Progress
from analyzer.runs.arguments import (
    as_concurrency,
    as_count_of_readings,
    as_limit,
    as_processes,
    as_progress,
    as_seconds,
    as_stop,
    as_switch,
    as_total,
)
from analyzer.runs.options import CheckedOptions, ManyOptions
from analyzer.settings import DEFAULT_CONCURRENCY, GIVE_UP_AFTER, SAME, Settings, asks_a_server


@dataclass(frozen=True, slots=True)
class RunPlan:
    """`ManyOptions` with every part checked and filled in."""

    models: tuple[str, ...]
    settings: Settings
    store: str | None
    rulebook: Rulebook
    market: MarketMap
    concurrency: int
    max_cost: float | None
    give_up_after: float
    on_progress: Callable[[Progress], None]
    progress: bool
    stop: Event
    total: int | None
    repeat: int
    processes: int = 1

    @classmethod
    def of(cls, options: ManyOptions, pitches: object) -> RunPlan:
        """Raises InputError or ConfigurationError."""
        checked = CheckedOptions.of(options, store=True)
        models = checked.models or as_models(checked.settings.model)
        if not models:
            raise ConfigurationError(f"many pitches need a model of your choice: {HOW_TO_SET_A_MODEL}, or keywords")
        total = as_total(options.get("total"))
        if total is None and isinstance(pitches, Sized):
            total = len(pitches)
        return cls(
            models,
            checked.settings,
            checked.store,
            checked.rulebook,
            checked.market,
            as_concurrency(options.get("concurrency", DEFAULT_CONCURRENCY)),
            as_limit(options.get("max_cost")),
            as_seconds(options.get("give_up_after", GIVE_UP_AFTER)),
            as_progress(options.get("on_progress")),
            as_switch("progress", options.get("progress", False)),
            as_stop(options.get("stop")),
            total,
            as_count_of_readings(options.get("repeat", 1), "repeat"),
            as_processes(options.get("processes", 1)),
        )

    def asked(self) -> list[str]:
        """The models that read and are asked at a server."""
        return [model for model in self.models if asks_a_server(model)]

    def verifying(self) -> str | None:
        """The other model that takes a second look; None if there is none."""
        return self.settings.verify if self.settings.verify != SAME else None

    def limit_terms(self) -> LimitTerms:
        """What limits the requests of this run. Raises ConfigurationError if there are more models than requests."""
        asked = self.asked() or [NOBODY]
        widths = dict(zip(asked, _shared(self.concurrency, len(asked)), strict=True))
        other = self.verifying()
        if other is not None:
            widths.setdefault(other, self.concurrency)
        give_up = self.give_up_after
        policy = MANY if give_up == GIVE_UP_AFTER else replace(MANY, give_up_after=give_up)
        return LimitTerms(widths, policy, self.max_cost)


def _shared(concurrency: int, models: int) -> list[int]:
    """How many requests each model may have in flight, so that all together have no more than `concurrency`.

    Raises ConfigurationError if there are more models than requests.
    """
    if models > concurrency:
        raise ConfigurationError(
            f"{models} models need at least {models} requests in flight; raise the concurrency from {concurrency}, or "
            "name fewer models"
        )
    return [concurrency // models + (place < concurrency % models) for place in range(models)]
