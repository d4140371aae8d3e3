"""What a run over many pitches would send and cost, before anything is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from analyzer.errors import AnalyzerError
from analyzer.files.pitches import Sources
from analyzer.files.table_columns import STANDARD_INPUT
from analyzer.files.table_preview import PreviewBuilder, TablePreview
from analyzer.files.tables import InputPitch, Table
from analyzer.reading.pitch import Pitch
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

    `model`: None where none is named. `stored`: pitches whose answer is in the store already. `faulty`: entries that
    cannot be read, by kind of error. `tables`: what was understood of each table.
    """

    model: str | None
    pitches: int = 0
    stored: int = 0
    faulty: Mapping[str, int] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    tables: tuple[TablePreview, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether the run would ask a server."""
        return asks_a_server(self.model)

    def document(self) -> dict[str, Any]:
        """The estimate for scripts."""
        own = {
            name: getattr(self, name)
            for name in ("model", "pitches", "stored", "input_tokens", "output_tokens", "cost_usd")
        }
        return {**own, "faulty": dict(self.faulty), "tables": [table.document() for table in self.tables]}


def estimate(sources: Sources, *, model: str | None, settings: Settings, limit: int | None = None) -> CostEstimate:
    """Estimate a run over these sources, or over their first `limit` pitches. Reads them all and asks nothing.

    Raises InputError or ConfigurationError.
    """
    sources.check()
    if sources.count() == 0:
        raise no_pitches(sources)
    counted = _Counted(model or settings.model, settings)
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


def estimate_table(table: Table, *, model: str | None, settings: Settings, store: bool) -> CostEstimate:
    """Estimate reading one table, for answers that are saved in the store or not. Raises as `estimate`."""
    builder = PreviewBuilder(table)
    with closing(_Counted(model, settings, store)) as counted:
        for pitch in table:
            counted.add(pitch)
            builder.add(pitch)
        return replace(counted.estimate(), tables=(builder.preview(),))


class _Counted:
    """Counts what reading pitches would take, a batch at a time."""

    def __init__(self, model: str | None, settings: Settings, store: bool = True):
        self._model = model
        self._form = settings.form
        self._store: Store | None = None
        if asks_a_server(model) and store:
            from analyzer.store.store import Store

            self._store = Store.open(settings.store_url())
        self._faulty: Counter[str] = Counter()
        self._pitches = self._stored = self._tokens = 0
        self._batch: list[InputPitch] = []

    def add(self, pitch: InputPitch) -> None:
        self._batch.append(pitch)
        if len(self._batch) >= _BATCH:
            self._count()

    def estimate(self) -> CostEstimate:
        """The estimate for all pitches so far."""
        self._count()
        if self._model is None or not asks_a_server(self._model):
            return CostEstimate(self._model, self._pitches, faulty=dict(self._faulty))
        from analyzer.reading.spending import cost_of

        seen = None if self._store is None else self._store.answers.mean_tokens(self._model)
        asked = self._pitches - self._stored - sum(self._faulty.values())
        output_tokens = round(asked * (seen[1] if seen else _TYPICAL_OUTPUT_TOKENS))
        cost = cost_of(self._model, self._tokens, output_tokens)
        return CostEstimate(
            self._model, self._pitches, self._stored, dict(self._faulty), self._tokens, output_tokens, cost
        )

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    def _count(self) -> None:
        batch, self._batch = self._batch, []
        readable = _readable(batch, self._faulty)
        self._pitches += len(batch)
        if self._model is None or not asks_a_server(self._model):
            return
        from analyzer.reading.asking import static_tokens
        from analyzer.reading.conversation import requests_in_every_mode  # loads the model SDK
        from analyzer.reading.spending import estimated_tokens

        keys = [
            {request.key for request in requests_in_every_mode(self._model, pitch, self._form)} for pitch in readable
        ]
        answers = {} if self._store is None else self._store.answers.find([key for same in keys for key in same])
        unread = [pitch for pitch, same in zip(readable, keys, strict=True) if same.isdisjoint(answers)]
        self._stored += len(readable) - len(unread)
        self._tokens += sum(static_tokens(self._form) + estimated_tokens(pitch.text) for pitch in unread)


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
