"""One pitch to its assessment: choose a reader, read, score. Scripts, command line and page all use this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from analyzer.files.document import Document
from analyzer.framework.assessment import Assessment
from analyzer.framework.market import MarketMap
from analyzer.framework.one_pitch import score
from analyzer.framework.rulebook import Rulebook
from analyzer.reading.pitch import Pitch
from analyzer.reading.readers import Reader, choose
from analyzer.reading.reading import Reading
from analyzer.reading.sources import with_places
from analyzer.reading.support import with_doubts
from analyzer.runs.arguments import as_text
from analyzer.runs.options import CheckedOptions, ReadingOptions, check_names, takes

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from concurrent.futures import Future
    from typing import Any


@takes(ReadingOptions, store=False)
def analyze(text: str | Document, *, id: str | None = None, **options: Unpack[ReadingOptions]) -> Assessment:
    """Read one pitch and return its assessment. Works in scripts, notebooks and threads; blocks until done.

    `text`: the pitch's text, or what `read_file` of `analyzer.files.documents` returns for a file.
    `model`: `provider/name`, `recorded`, `keywords`, or None for PITCH_MODEL; with neither, a recording if
    there is one for this pitch, else `keywords`. Several models are a panel. `readings`: how often each model reads the
    pitch, 1 to 20; None = PITCH_READINGS, else 1. Where readings differ, the assessment has their votes.
    `rulebook` and `market` may be paths of TOML files. `store`: where the model's answers are saved, so that the same
    pitch is not paid for twice; True = PITCH_STORE, False = none, or a database URL. `verify`: who takes a second look,
    which takes back values that their quotes do not support: True = the same model, or another as `provider/name`; None
    = PITCH_VERIFY. Out of scope, `scores` and `verdict` are None. Raises the errors of `analyzer.errors`; what goes
    wrong with the second look is a warning.
    """
    check_names("analyze", options, ReadingOptions)
    return assess(*_prepared(text, id, options))


@takes(ReadingOptions, store=False)
async def analyze_async(
    text: str | Document, *, id: str | None = None, **options: Unpack[ReadingOptions]
) -> Assessment:
    """Like `analyze`, for a running event loop: nothing blocks it, and cancelling the awaiting task ends the request.

    Same arguments, same result, same errors.
    """
    import asyncio

    from analyzer.reading import background

    check_names("analyze_async", options, ReadingOptions)
    prepared = await asyncio.to_thread(_prepared, text, id, options)  # loads the model SDK, cleans the text
    return await asyncio.wrap_future(background.submit(_assess(*prepared)))


def _prepared(
    text: str | Document, id: str | None, options: ReadingOptions
) -> tuple[Pitch, Reader, Rulebook, MarketMap]:
    """A pitch, its reader, and what it is scored by. Raises the error of a faulty argument."""
    pitch = Pitch.of(as_text(text), None if id is None else str(id))
    checked = CheckedOptions.of(options, store=False)
    choice = choose(pitch, checked.models, checked.settings, checked.store, required=True, market=checked.market)
    return pitch, choice.reader, checked.rulebook, checked.market


def assess(
    pitch: Pitch, reader: Reader, rulebook: Rulebook | None = None, market: MarketMap | None = None
) -> Assessment:
    """Read a pitch with this reader and return its assessment."""
    work = _assess(pitch, reader, rulebook, market)
    if not getattr(reader, "waits", True):
        return _done_at_once(work)
    from analyzer.reading import background  # loads asyncio

    return background.run(work)


def start(pitch: Pitch, reader: Reader, rulebook: Rulebook | None = None) -> Future[Assessment]:
    """Like `assess`, without waiting; cancelling the future ends the request."""
    from analyzer.reading import background

    return background.submit(_assess(pitch, reader, rulebook))


def assessment_of(reading: Reading, pitch: Pitch, rulebook: Rulebook | None, market: MarketMap | None) -> Assessment:
    """Score what was read from a pitch, with the page of every quote."""
    several = len(pitch.sources) > 1
    return score(
        with_places(with_doubts(reading.signals, reading.warnings), pitch.passages, several),
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


def _done_at_once(work: Coroutine[Any, Any, Assessment]) -> Assessment:
    """The result of work that waits for nothing, without an event loop."""
    try:
        work.send(None)
    except StopIteration as end:
        assessment: Assessment = end.value
        return assessment
    work.close()
    raise RuntimeError("this work waits for something; it needs an event loop")
