"""Many pitches to assessments in a running event loop: like `analyze_many`, and nothing here blocks the loop.

Requests run on the background loop, as they always do. What takes processor time or may wait (loading the model SDK,
the next pitch of an ordinary iterable, cleaning a text, scoring, closing the store) runs in threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, Self, Unpack

from analyzer.errors import AnalyzerError, ConfigurationError
from analyzer.results.frames import FrameKind, to_frame
from analyzer.results.result import Progress, Result
from analyzer.runs.arguments import as_pitches, label, title_of
from analyzer.runs.many import (
    MANY_DEFAULTS,
    STOP_CHECK,
    ManyRun,
    PitchLike,
    ReadPitch,
    check_none_taken,
    open_run,
)
from analyzer.runs.options import ManyOptions, check_names, takes
from analyzer.runs.plan import RunPlan

_END: Final = object()


@takes(ManyOptions, **MANY_DEFAULTS)
def analyze_many_async(
    pitches: Iterable[PitchLike] | AsyncIterable[PitchLike], **options: Unpack[ManyOptions]
) -> AsyncResults:
    """Like `analyze_many`, for a running event loop: `async for result in analyze_many_async(pitches, model=...)`.

    Same arguments, same results, same errors. `pitches` may also be asynchronous; an ordinary iterable is read in a
    thread of its own, so it may wait for files or a database. A result is handed out as soon as it is ready, also while
    the next pitch is awaited. Cancelling the awaiting task, leaving the loop with `break`, and `aclose` end the
    requests in flight.

    Raises InputError or ConfigurationError at once for an argument that cannot be used; what only shows when the model
    is set up (a missing key, a store that cannot be opened) is raised by the first step of the iteration.
    """
    check_names("analyze_many_async", options, ManyOptions)
    entries = pitches if isinstance(pitches, AsyncIterable) else as_pitches(pitches)
    return AsyncResults(RunPlan.of(options, pitches), entries)


class AsyncResults(AsyncIterator[Result]):
    """The results of a run, one for each pitch, as they come. Also an asynchronous context manager, whose end ends the
    run. `summary`: the run's progress as of the last result."""

    def __init__(self, plan: RunPlan, pitches: Iterable[object] | AsyncIterable[object]):
        self._course = _Course(plan)
        self._stream = self._course.results(pitches)
        self._taken = 0

    def __aiter__(self) -> Self:
        return self

    def __repr__(self) -> str:
        return f"AsyncResults({self._taken:,} taken)"

    async def __anext__(self) -> Result:
        result = await anext(self._stream)
        self._taken += 1
        return result

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def summary(self) -> Progress:
        """Pitches done and failed, tokens and cost so far."""
        return self._course.progress

    async def to_frame(self, kind: FrameKind = "pandas") -> Any:
        """Wait for all results and return them as a table (`to_frame`). Raises InputError if some were taken."""
        check_none_taken(self._taken)
        return await asyncio.to_thread(to_frame, [result async for result in self], kind)

    async def aclose(self) -> None:
        """End the run: requests in flight are cancelled, and no more results come."""
        await self._stream.aclose()


class _Course:
    """A run from the first step of its iteration to its end."""

    def __init__(self, plan: RunPlan):
        self._plan = plan
        self._run: ManyRun | None = None

    @property
    def progress(self) -> Progress:
        return Progress(total=self._plan.total) if self._run is None else self._run.progress

    async def results(self, pitches: Iterable[object] | AsyncIterable[object]) -> AsyncGenerator[Result, None]:
        loop = asyncio.get_running_loop()
        run = self._run = await asyncio.to_thread(open_run, self._plan)  # loads the model SDK, opens the store
        arrived: asyncio.Queue[ReadPitch | Result | None] = asyncio.Queue()
        slots = asyncio.Semaphore(run.window)

        def deliver(finished: ReadPitch) -> None:
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(arrived.put_nowait, finished)

        with _Pitches(pitches) as source:
            feeder = asyncio.create_task(_feed(run, source, slots, deliver, arrived))
            fed = False
            try:
                while not (fed and not run.under_way and arrived.empty()):
                    try:
                        item = await asyncio.wait_for(arrived.get(), STOP_CHECK)
                    except TimeoutError:
                        if run.has_to_stop():
                            feeder.cancel()  # it may wait for a pitch that nobody will read
                        continue
                    if item is None:
                        fed = True
                        if not feeder.cancelled():
                            feeder.result()  # raises what the source of the pitches raised
                        continue
                    if isinstance(item, ReadPitch):
                        slots.release()
                        if not run.take(item):
                            continue
                        item = await asyncio.to_thread(run.result, item)
                    run.count(item)
                    yield item
                run.raise_end()
            finally:
                await asyncio.shield(_end(run, feeder))


async def _feed(
    run: ManyRun,
    source: _Pitches,
    slots: asyncio.Semaphore,
    deliver: Callable[[ReadPitch], None],
    arrived: asyncio.Queue[ReadPitch | Result | None],
) -> None:
    """Start pitch after pitch while there is room, and say when there are no more."""
    try:
        number = 0
        while True:
            await slots.acquire()
            if run.has_to_stop():
                return
            entry = await source.next()
            if entry is _END or run.has_to_stop():
                return
            try:
                await source.in_thread(run.start, number, entry, deliver)
            except ConfigurationError:
                raise
            except AnalyzerError as error:
                slots.release()
                arrived.put_nowait(Result(number, label(entry, number), error=error, title=title_of(entry)))
            number += 1
    finally:
        arrived.put_nowait(None)


async def _end(run: ManyRun, feeder: asyncio.Task[None]) -> None:
    run.cancel()
    feeder.cancel()
    await asyncio.wait([feeder])
    await asyncio.to_thread(run.close)


class _Pitches:
    """The pitches one by one, whichever kind of iterable they come in. An ordinary one is read in one thread."""

    def __init__(self, pitches: Iterable[object] | AsyncIterable[object]):
        self._thread = ThreadPoolExecutor(1, "pitch-analyzer-pitches")
        self._later = aiter(pitches) if isinstance(pitches, AsyncIterable) else None
        self._now = iter(()) if isinstance(pitches, AsyncIterable) else iter(pitches)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def next(self) -> object:
        """The next pitch, or _END."""
        if self._later is not None:
            return await anext(self._later, _END)
        return await self.in_thread(next, self._now, _END)

    async def in_thread(self, function: Any, *arguments: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
