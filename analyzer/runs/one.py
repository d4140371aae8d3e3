"""One pitch to its assessment: choose a reader, read, score. Scripts, command line and page all use this."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from analyzer.files.document import Document
from analyzer.framework.arguments import as_market, as_rulebook
from analyzer.framework.assessment import Assessment
from analyzer.framework.market import MarketMap
from analyzer.framework.one_pitch import score
from analyzer.framework.rulebook import Rulebook
from analyzer.reading import background
from analyzer.reading.panel import as_one
from analyzer.reading.pitch import Pitch
from analyzer.reading.readers import Reader, choose
from analyzer.reading.reading import Reading, SeveralReadings
from analyzer.reading.sources import with_places
from analyzer.runs.arguments import as_readings, as_settings, as_store_url, as_text
from analyzer.settings import Settings


def analyze(
    text: str | Document,
    *,
    model: str | Sequence[str] | None = None,
    readings: int | None = None,
    rulebook: Rulebook | str | Path | None = None,
    market: MarketMap | str | Path | None = None,
    settings: Settings | None = None,
    id: str | None = None,
    store: bool | str = False,
) -> Assessment:
    """Read one pitch and return its assessment. Works in scripts, notebooks and threads; blocks until done.

    `text`: the pitch's text, or what `read_file` of `analyzer.files.documents` returns for a file.
    `model`: `provider/name`, `recorded`, `keywords`, or None for PITCH_MODEL; with neither, a recording if
    there is one for this pitch, else `keywords`. Several models are a panel. `readings`: how often each model reads the
    pitch, 1 to 20; None = PITCH_READINGS, else 1. Where readings differ, the assessment has their votes. `rulebook` and
    `market` may be paths of TOML files. `store`: where the model's answers are saved, so that the same pitch is not
    paid for twice; True = PITCH_STORE, False = none, or a database URL. Out of scope, `scores` and `verdict` are None.
    Raises the errors of `analyzer.errors`.
    """
    pitch = Pitch.of(as_text(text), None if id is None else str(id))
    rules, map_ = as_rulebook(rulebook), as_market(market)
    settings = as_readings(readings, as_settings(settings))
    choice = choose(pitch, model, settings, as_store_url(store, settings), required=True)
    return assess(pitch, choice.reader, rules, map_)


def assess(
    pitch: Pitch, reader: Reader, rulebook: Rulebook | None = None, market: MarketMap | None = None
) -> Assessment:
    """Read a pitch with this reader and return its assessment."""
    return background.run(_assess(pitch, reader, rulebook, market))


def start(pitch: Pitch, reader: Reader, rulebook: Rulebook | None = None) -> Future[Assessment]:
    """Like `assess`, without waiting; cancelling the future ends the request."""
    return background.submit(_assess(pitch, reader, rulebook))


def assessment_of(
    read: Reading | SeveralReadings, pitch: Pitch, rulebook: Rulebook | None, market: MarketMap | None
) -> Assessment:
    """Score what was read from a pitch, with the page of every quote; several readings as one."""
    reading = as_one(read, pitch, market) if isinstance(read, SeveralReadings) else read
    several = len(pitch.sources) > 1
    return score(
        with_places(reading.signals, pitch.passages, several),
        rulebook,
        market=market,
        pitch=pitch.ref,
        reader=reading.reader,
        usage=reading.usage,
        warnings=[with_places(warning, pitch.passages, several) for warning in reading.warnings],
        sources=pitch.sources,
    )


async def _assess(
    pitch: Pitch, reader: Reader, rulebook: Rulebook | None, market: MarketMap | None = None
) -> Assessment:
    return assessment_of(await reader.read(pitch), pitch, rulebook, market)
