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
from analyzer.reading.combine import combined, other_quotes
from analyzer.reading.pitch import Pitch
from analyzer.reading.readers import as_models
from analyzer.runs.bulk import no_pitches
from analyzer.settings import SAME, Settings, asks_a_server

if TYPE_CHECKING:
    from analyzer.reading.profiles import Batches
    from analyzer.store.answers import StoredAnswer
    from analyzer.store.store import Store

_TYPICAL_OUTPUT_TOKENS: Final = 1200
"""Assumed length of an answer until the store holds one of this model."""
_TOKENS_PER_SECOND: Final = 60
"""Assumed speed at which a model writes one answer."""
_AT_ONCE: Final = 16
"""Answers assumed to be written at the same time, as `analyze_many` asks by default."""
_TYPICAL_LOOK: Final = (1900, 500)
"""Assumed tokens of the values of a second look, and of its answer: about twenty values, as the samples have."""
_BATCH: Final = 500
_BYTES_A_TOKEN: Final = 4


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What a run would send and cost. Tokens are estimated on the high side; cost in USD, None = price unknown.

    `model`: None where none is named; several separated by commas. `stored`: pitches that need no request, because
    their answers are in the store already. `readings`: of each pitch, by all models; `requests`: those that would be
    asked for, second looks (`looks`) included. `in_batches`: pitches with a request that a batch has already and that a
    run in batches does not send again. `faulty`: entries that cannot be read, by kind of error. `tables`: what was
    understood of each table.
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
    looks: int = 0
    asks: bool = False
    """Whether the run would ask a server."""
    batches: int | None = None
    """How many batches would be sent, whose price the cost is; None for a live run."""
    in_batches: int = 0

    @property
    def seconds(self) -> float:
        """Seconds that reading takes with a model that writes 60 tokens a second, 16 answers at once; 0 where nothing
        is asked. A local model is often much slower."""
        return self.output_tokens / _TOKENS_PER_SECOND / _AT_ONCE

    def document(self) -> dict[str, Any]:
        """The estimate for scripts."""
        own = {
            name: getattr(self, name)
            for name in (
                *("model", "pitches", "stored", "readings", "requests", "looks"),
                *("input_tokens", "output_tokens", "cost_usd", "batches", "in_batches"),
            )
        }
        return {**own, "faulty": dict(self.faulty), "tables": [table.document() for table in self.tables]}


def estimate(
    sources: Sources,
    *,
    model: str | Sequence[str] | None,
    settings: Settings,
    limit: int | None = None,
    batch: bool = False,
) -> CostEstimate:
    """Estimate a run over these sources, or over their first `limit` pitches. Reads them all and asks nothing. `batch`:
    whether it would be sent in batches.

    Raises InputError or ConfigurationError, also for a model whose server takes no batches.
    """
    sources.check()
    if sources.count() == 0:
        raise no_pitches(sources)
    counted = _Counted(as_models(model) or as_models(settings.model), settings, batch=batch)
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

    def __init__(self, models: Sequence[str], settings: Settings, store: bool = True, batch: bool = False):
        self._models = models
        self._asked = [model for model in models if asks_a_server(model)]
        verifier = settings.verify if settings.verify != SAME else next(iter(self._asked), None)
        self._looks = _Looks(verifier, settings) if asks_a_server(verifier) else None
        self._settings = settings
        self._batches = (
            _batches((*self._asked, *([self._looks.model] if self._looks else [])), settings) if batch else {}
        )
        self._batch_run = batch
        self._store: Store | None = None
        if (self._asked or self._looks) and store:
            from analyzer.store.store import Store

            self._store = Store.open(settings.store_url())
        self._faulty: Counter[str] = Counter()
        self._pitches = self._stored = self._in_batches = 0
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
        if not self._asked and self._looks is None:
            return CostEstimate(name, self._pitches, faulty=dict(self._faulty))
        from analyzer.reading.spending import cost_of

        sums = [
            (model, self._tokens[model], round(self._requests[model] * self._typical_output(model)))
            for model in self._asked
        ]
        looks = self._looks.count if self._looks is not None else 0
        if self._looks is not None:
            sums.append((self._looks.model, self._looks.tokens, round(looks * self._looks.typical_output(self._store))))
        costs = [_times(cost_of(*each), self._price(each[0])) for each in sums]
        return CostEstimate(
            name,
            self._pitches,
            self._stored,
            dict(self._faulty),
            sum(sent for _, sent, _ in sums),
            sum(answered for _, _, answered in sums),
            None if None in costs else sum(filter(None, costs)),
            readings=max(1, len(self._asked) * self._settings.readings),
            requests=self._requests.total() + looks,
            looks=looks,
            asks=True,
            batches=self._batch_count(looks) if self._batch_run else None,
            in_batches=self._in_batches,
        )

    def _price(self, model: str) -> float:
        return self._batches[model].price if model in self._batches else 1.0

    def _batch_count(self, looks: int) -> int:
        """How many batches the requests fill, by the number and the size that a batch may have."""
        count = 0
        for model, batches in self._batches.items():
            requests = self._requests[model] + (looks if self._looks and self._looks.model == model else 0)
            size = _BYTES_A_TOKEN * self._tokens[model]
            count += max(-(-requests // batches.requests), -(-size // (batches.megabytes * 1_000_000)))
        return count

    def _typical_output(self, model: str) -> float:
        from analyzer.reading.forms.look import LOOK
        from analyzer.reading.recordings import prompt_sha256

        seen = None if self._store is None else self._store.answers.mean_tokens(model, prompt_sha256(LOOK), other=True)
        return seen[1] if seen else _TYPICAL_OUTPUT_TOKENS

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    def _count(self) -> None:
        batch, self._batch = self._batch, []
        readable = _readable(batch, self._faulty)
        self._pitches += len(batch)
        if not self._asked and self._looks is None:
            return
        from analyzer.reading.asking import static_tokens
        from analyzer.reading.conversation import requests_in_every_mode  # loads the model SDK
        from analyzer.reading.spending import estimated_tokens

        form = self._settings.form
        asks: Counter[int] = Counter()
        stored: list[list[StoredAnswer]] = [[] for _ in readable]
        sent: set[int] = set()
        for model, number in product(self._asked, range(1, self._settings.readings + 1)):
            keys = [
                {request.key for request in requests_in_every_mode(model, pitch, form, number)} for pitch in readable
            ]
            every = [key for same in keys for key in same]
            answers = {} if self._store is None else self._store.answers.find(every)
            claimed = self._store.batches.claimed(every) if self._store is not None and self._batch_run else set()
            for place, (pitch, same) in enumerate(zip(readable, keys, strict=True)):
                if same.isdisjoint(answers) and not same.isdisjoint(claimed):
                    sent.add(place)
                elif same.isdisjoint(answers):
                    asks[place] += 1
                    self._requests[model] += 1
                    self._tokens[model] += static_tokens(form) + estimated_tokens(pitch.text)
                else:
                    stored[place].append(next(answers[key] for key in same if key in answers))
        if self._looks is not None:
            for place, (pitch, read) in enumerate(zip(readable, stored, strict=True)):
                asks[place] += self._looks.add(pitch, [] if asks[place] or place in sent else read, self._store)
        self._in_batches += len(sent)
        self._stored += sum(not asks[place] and place not in sent for place in range(len(readable)))


class _Looks:
    """Counts the second looks that a run would ask for. What was read decides what is sent: where all answers are
    stored it is known, elsewhere a typical length is taken."""

    def __init__(self, model: str, settings: Settings):
        self.model = model
        self.count = self.tokens = 0
        self._form = settings.form

    def add(self, pitch: Pitch, answers: Sequence[StoredAnswer], store: Store | None) -> bool:
        """Count the second look at a pitch; whether it would be asked for."""
        from analyzer.reading.asking import static_tokens
        from analyzer.reading.conversation import requests_in_every_mode, signals_of
        from analyzer.reading.forms.look import LOOK, material
        from analyzer.reading.second_look import checkables
        from analyzer.reading.spending import estimated_tokens

        values_tokens = _TYPICAL_LOOK[0]
        read = [signals_of(answer.text, pitch, self._form) for answer in answers]
        known = [signals for signals in read if signals is not None]
        if known and len(known) == len(read):
            signals = combined(known)
            if not signals.in_scope:
                return False
            claims = [one.claim for one in checkables(signals, pitch.text, other_quotes(signals, known))]
            values = material(claims)
            keys = [request.key for request in requests_in_every_mode(self.model, values, LOOK)]
            if not claims or (store is not None and store.answers.find(keys)):
                return False
            values_tokens = estimated_tokens(values.text)
        self.count += 1
        self.tokens += static_tokens(LOOK) + values_tokens
        return True

    def typical_output(self, store: Store | None) -> float:
        """The tokens of an answer."""
        from analyzer.reading.forms.look import LOOK
        from analyzer.reading.recordings import prompt_sha256

        seen = None if store is None else store.answers.mean_tokens(self.model, prompt_sha256(LOOK))
        return seen[1] if seen else _TYPICAL_LOOK[1]


def _batches(models: Sequence[str], settings: Settings) -> dict[str, Batches]:
    """What is known of each model's batches. Raises ConfigurationError."""
    from analyzer.reading.batch_services import batches_of

    return {model: batches_of(model, settings) for model in models}


def _times(cost: float | None, price: float) -> float | None:
    return None if cost is None else cost * price


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
