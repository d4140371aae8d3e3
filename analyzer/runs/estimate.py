"""What a run over many pitches would send and cost, before anything is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Final

from analyzer.errors import AnalyzerError, ConfigurationError
from analyzer.files.pitches import InputPitch, Sources
from analyzer.reading.pitch import Pitch
from analyzer.runs.bulk import no_pitches
from analyzer.settings import Settings, asks_a_server

_TYPICAL_OUTPUT_TOKENS: Final = 1200
"""Assumed length of an answer until the store holds one of this model."""
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What a run would send and cost. Tokens are estimated on the high side; cost in USD, None = price unknown.

    `stored`: pitches whose answer is in the store already. `faulty`: entries that cannot be read, by kind of error.
    """

    pitches: int
    stored: int
    faulty: Mapping[str, int]
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


def estimate(sources: Sources, *, model: str | None, settings: Settings, limit: int | None = None) -> CostEstimate:
    """Estimate a run over these sources, or over their first `limit` pitches. Reads them all and asks nothing.

    Raises InputError or ConfigurationError.
    """
    model = model or settings.model
    if not asks_a_server(model):
        raise ConfigurationError("without a model there is no cost to estimate; name one with --model")
    from analyzer.reading.conversation import requests_in_every_mode, static_tokens  # loads the model SDK
    from analyzer.reading.spending import cost_of, estimated_tokens
    from analyzer.store.store import Store

    sources.check()
    if sources.count() == 0:
        raise no_pitches(sources)
    faulty: Counter[str] = Counter()
    pitches = stored = tokens = 0
    with closing(Store.open(settings.store_url())) as store:
        seen = store.answers.mean_tokens(model)
        for batch in _batches(islice(iter(sources), limit)):
            readable = _readable(batch, faulty)
            pitches += len(batch)
            keys = {
                pitch.ref.sha256: {request.key for request in requests_in_every_mode(model, pitch, settings.form)}
                for pitch in readable
            }
            answers = store.answers.find([key for same in keys.values() for key in same])
            unread = [pitch for pitch in readable if keys[pitch.ref.sha256].isdisjoint(answers)]
            stored += len(readable) - len(unread)
            tokens += sum(static_tokens(settings.form) + estimated_tokens(pitch.text) for pitch in unread)
    asked = pitches - stored - sum(faulty.values())
    output_tokens = round(asked * (seen[1] if seen else _TYPICAL_OUTPUT_TOKENS))
    return CostEstimate(pitches, stored, dict(faulty), tokens, output_tokens, cost_of(model, tokens, output_tokens))


def _readable(batch: Sequence[InputPitch], faulty: Counter[str]) -> list[Pitch]:
    """The pitches of a batch; counts the entries that are none, by kind of error."""
    pitches = []
    for entry in batch:
        try:
            if entry.error is not None:
                raise entry.error
            pitches.append(Pitch.of(entry.document or entry.text, entry.id))
        except AnalyzerError as error:
            faulty[error.kind] += 1
    return pitches


def _batches(entries: Iterator[InputPitch]) -> Iterator[list[InputPitch]]:
    while batch := list(islice(entries, _BATCH)):
        yield batch
