"""What a run over many pitches would send and cost, before anything is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from analyzer.errors import AnalyzerError
from analyzer.files.pitches import Sources
from analyzer.files.table_columns import STANDARD_INPUT
from analyzer.files.table_preview import PreviewBuilder, TablePreview
from analyzer.files.tables import InputPitch, Table
from analyzer.reading.pitch import Pitch
from analyzer.reading.readers import as_models
from analyzer.runs.bulk import no_pitches
from analyzer.settings import Settings, asks_a_server

if TYPE_CHECKING:
    from analyzer.store.store import Store

_TYPICAL_OUTPUT_TOKENS: Final = 1200
"""Assumed length of an answer until the store holds one of this model."""
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What a run would send and cost. Tokens are estimated on the high side; cost in USD, None = price unknown.

    `model`: None where none is named; several separated by commas. `stored`: pitches that need no request, because
    their answers are in the store already. `readings`: of each pitch, by all models; `requests`: those that would be
    asked for. `faulty`: entries that cannot be read, by kind of error. `tables`: what was understood of each table.
    """

    model: str | None
    pitches: int = 0
    stored: int = 0
    faulty: Mapping[str, int] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    tables: tuple[TablePreview, ...] = ()
    readings: int = 1
    requests: int = 0
    asks: bool = False
    """Whether the run would ask a server."""

    def document(self) -> dict[str, Any]:
        """The estimate for scripts."""
        own = {
            name: getattr(self, name)
            for name in (
                *("model", "pitches", "stored", "readings", "requests"),
                *("input_tokens", "output_tokens", "cost_usd"),
            )
        }
        return {**own, "faulty": dict(self.faulty), "tables": [table.document() for table in self.tables]}


def estimate(
    sources: Sources, *, model: str | Sequence[str] | None, settings: Settings, limit: int | None = None
) -> CostEstimate:
    """Estimate a run over these sources, or over their first `limit` pitches. Reads them all and asks nothing.

    Raises InputError or ConfigurationError.
    """
    sources.check()
    if sources.count() == 0:
        raise no_pitches(sources)
    counted = _Counted(as_models(model) or as_models(settings.model), settings)
    previews: list[TablePreview] = []
    with closing(counted):
        left = limit
        for part in sources.parts():
            builder = None if part.table is None else PreviewBuilder(part.table)
            for pitch in part.pitches:
                if left != 0:
                    counted.add(pitch)
                    left = None if left is None else left - 1
                elif builder is None or part.table is None or part.table.name == STANDARD_INPUT:
                    break
                if builder is not None:
                    builder.add(pitch)
            with suppress(AnalyzerError):  # a table in a folder that does not fit: counted as a failed entry
                previews += [] if builder is None else [builder.preview()]
            if left == 0 and part.table is None:
                break
        return replace(counted.estimate(), tables=tuple(previews))


def estimate_table(table: Table, *, model: str | Sequence[str] | None, settings: Settings, store: bool) -> CostEstimate:
    """Estimate reading one table, for answers that are saved in the store or not. Raises as `estimate`."""
    builder = PreviewBuilder(table)
    with closing(_Counted(as_models(model), settings, store)) as counted:
        for pitch in table:
            counted.add(pitch)
            builder.add(pitch)
        return replace(counted.estimate(), tables=(builder.preview(),))


class _Counted:
    """Counts what reading pitches would take, a batch at a time."""

    def __init__(self, models: Sequence[str], settings: Settings, store: bool = True):
        self._models = models
        self._asked = [model for model in models if asks_a_server(model)]
        self._settings = settings
        self._store: Store | None = None
        if self._asked and store:
            from analyzer.store.store import Store

            self._store = Store.open(settings.store_url())
        self._faulty: Counter[str] = Counter()
        self._pitches = self._stored = 0
        self._tokens: Counter[str] = Counter()
        self._requests: Counter[str] = Counter()
        self._batch: list[InputPitch] = []

    def add(self, pitch: InputPitch) -> None:
        self._batch.append(pitch)
        if len(self._batch) >= _BATCH:
            self._count()

    def estimate(self) -> CostEstimate:
        """The estimate for all pitches so far."""
        self._count()
        name = ", ".join(self._models) or None
        if not self._asked:
            return CostEstimate(name, self._pitches, faulty=dict(self._faulty))
        from analyzer.reading.spending import cost_of

        output_tokens = {model: round(self._requests[model] * self._typical_output(model)) for model in self._asked}
        costs = [cost_of(model, self._tokens[model], output_tokens[model]) for model in self._asked]
        return CostEstimate(
            name,
            self._pitches,
            self._stored,
            dict(self._faulty),
            self._tokens.total(),
            sum(output_tokens.values()),
            None if None in costs else sum(filter(None, costs)),
            readings=len(self._asked) * self._settings.readings,
            requests=self._requests.total(),
            asks=True,
        )

    def _typical_output(self, model: str) -> float:
        seen = None if self._store is None else self._store.answers.mean_tokens(model)
        return seen[1] if seen else _TYPICAL_OUTPUT_TOKENS

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    def _count(self) -> None:
        batch, self._batch = self._batch, []
        readable = _readable(batch, self._faulty)
        self._pitches += len(batch)
        if not self._asked:
            return
        from analyzer.reading.asking import static_tokens
        from analyzer.reading.conversation import requests_in_every_mode  # loads the model SDK
        from analyzer.reading.spending import estimated_tokens

        form = self._settings.form
        asks: Counter[int] = Counter()
        for model, number in product(self._asked, range(1, self._settings.readings + 1)):
            keys = [
                {request.key for request in requests_in_every_mode(model, pitch, form, number)} for pitch in readable
            ]
            answers = {} if self._store is None else self._store.answers.find([key for same in keys for key in same])
            for place, (pitch, same) in enumerate(zip(readable, keys, strict=True)):
                if same.isdisjoint(answers):
                    asks[place] += 1
                    self._requests[model] += 1
                    self._tokens[model] += static_tokens(form) + estimated_tokens(pitch.text)
        self._stored += len(readable) - len(asks)


def _readable(batch: Sequence[InputPitch], faulty: Counter[str]) -> list[Pitch]:
    """The pitches of a batch; counts the entries that are none, by kind of error."""
    pitches = []
    for entry in batch:
        try:
            if entry.error is not None:
                raise entry.error
            pitches.append(Pitch.of(entry.document or entry.text, entry.id, entry.title or None))
        except AnalyzerError as error:
            faulty[error.kind] += 1
    return pitches
