"""Stored answers for many conversations on one event loop, found and saved in batches by one thread."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final

import sqlalchemy as sa

from analyzer.errors import AnswerNotStored, StoreError
from analyzer.store.answers import StoredAnswer
from analyzer.store.engine import StoreUnavailable
from analyzer.store.store import Store

_log = logging.getLogger(__name__)
_BATCH: Final = 500
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
"""Seconds between two attempts to reach a database that is unavailable."""
_ROW_FAULTS: Final = (OverflowError, ValueError, TypeError)
"""What drivers raise for a value that they cannot store, before the database sees it."""


class AnswerQueue:
    """Finds, saves and discards a store's answers for many conversations; to be closed.

    Tasks that arrive during a batch go into the next one, so a lookup or a durable write costs a fraction of a
    transaction, and the event loop never waits for a disk. A database that is unavailable (restarted, locked) is tried
    again for `retry_seconds`. Every failure reaches whoever waits for it. When a batch fails, each of its tasks is done
    alone, so that one failure does not spoil the others.
    """

    def __init__(self, store: Store, retry_seconds: float = 0.0):
        self._store = store
        self._retry_seconds = retry_seconds
        self._tasks: SimpleQueue[_QueuedTask | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="pitch-analyzer-store", daemon=True)
        self._thread.start()

    async def find(self, *keys: str) -> StoredAnswer | None:
        """The stored answer to the first of these requests that has one; None if none has, or it is damaged. Raises
        StoreError."""
        answer: StoredAnswer | None = await self._submit("find", keys)
        return answer

    async def save(self, answer: StoredAnswer) -> None:
        """Returns when the answer is saved durably. Raises StoreError, or AnswerNotStored for this answer alone."""
        await self._submit("save", answer)

    async def discard(self, keys: Iterable[str]) -> None:
        """Marks answers as unusable. Raises StoreError."""
        await self._submit("discard", list(keys))

    def close(self) -> None:
        """Finishes what is queued and ends the thread; later tasks are refused."""
        with self._lock:
            self._closing.set()
            self._tasks.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _submit(self, kind: str, content: Any) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        task = _QueuedTask(kind, content, loop, loop.create_future())
        with self._lock:
            if self._closing.is_set():
                raise StoreError("the store was closed while a pitch was still being read")
            self._tasks.put(task)
        return task.outcome

    def _work(self) -> None:
        more = True
        while more:
            batch: list[_QueuedTask] = []
            first = self._tasks.get()
            while first is not None:
                batch.append(first)
                if len(batch) == _BATCH:
                    break
                try:
                    first = self._tasks.get_nowait()
                except Empty:
                    break
            more = first is not None
            _settle(batch, self._outcomes(batch))

    def _outcomes(self, batch: Sequence[_QueuedTask]) -> list[Any]:
        """For each task its result, or the exception that it ends with."""
        try:
            return self._with_retries(lambda: self._results(batch))
        except StoreUnavailable as error:
            return [error] * len(batch)
        except BaseException as error:  # noqa: BLE001  # reaches whoever waits
            if len(batch) > 1:
                return [outcome for task in batch for outcome in self._outcomes([task])]
            return [self._failed_alone(batch[0], error)] if batch else []

    def _failed_alone(self, task: _QueuedTask, error: BaseException) -> Any:
        """The outcome of one task that failed by itself."""
        if task.kind == "find" and isinstance(error, StoreError | ValueError) and _is_about_one_row(error):
            try:
                return self._sound(task.content)
            except BaseException as other:  # noqa: BLE001  # reaches whoever waits
                return other
        if task.kind == "save" and _is_about_one_row(error):
            lost = AnswerNotStored(
                f"the store cannot hold the answer to this pitch ({type(error.__cause__ or error).__name__}); "
                "this answer is lost, other pitches are not affected"
            )
            lost.__cause__ = error
            return lost
        return error

    def _sound(self, keys: Sequence[str]) -> StoredAnswer | None:
        """The stored answer to the first of these requests that has one. Damaged ones are discarded, so that the next
        answer takes their place."""
        for key in keys:
            try:
                found = self._store.answers.find([key])
            except (StoreError, ValueError) as error:
                if not _is_about_one_row(error):
                    raise
                self._store.answers.discard([key])
                _log.warning("A stored answer is damaged; its request is sent again.")
            else:
                if key in found:
                    return found[key]
        return None

    def _with_retries(self, work: Callable[[], list[Any]]) -> list[Any]:
        until, pause = time.monotonic() + self._retry_seconds, _FIRST_PAUSE
        while True:
            try:
                return work()
            except StoreUnavailable:
                left = until - time.monotonic()
                if left <= 0 or self._closing.wait(min(pause, left)):
                    raise
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _results(self, batch: Sequence[_QueuedTask]) -> list[Any]:
        contents: dict[str, list[Any]] = {"save": [], "discard": [], "find": []}
        for task in batch:
            contents[task.kind].append(task.content)
        if contents["save"]:
            self._store.answers.save(contents["save"])
        if contents["discard"]:
            self._store.answers.discard([key for keys in contents["discard"] for key in keys])
        keys = [key for keys in contents["find"] for key in keys]
        answers = self._store.answers.find(keys) if keys else {}
        return [
            next((answers[key] for key in task.content if key in answers), None) if task.kind == "find" else None
            for task in batch
        ]


@dataclass(frozen=True, slots=True)
class _QueuedTask:
    """One request to the thread: `kind` is find, save or discard."""

    kind: str
    content: Any
    loop: asyncio.AbstractEventLoop
    outcome: asyncio.Future[Any]


def _is_about_one_row(error: BaseException) -> bool:
    """Whether a database or its driver refuses what one row holds: a number out of range, text that is not text, a
    value of another type. Not a database that is broken."""
    if isinstance(error, StoreError):
        cause = error.__cause__
        reason = getattr(cause, "orig", cause)
        if isinstance(cause, sa.exc.DataError) or isinstance(reason, _ROW_FAULTS):
            return True
        return any(word in str(reason).lower() for word in ("decode", "cannot adapt"))
    return isinstance(error, _ROW_FAULTS)


def _settle(batch: Sequence[_QueuedTask], outcomes: Sequence[Any]) -> None:
    """Hands the outcomes to the event loops that wait for them, in one call a loop."""

    def hand_over(pairs: Sequence[tuple[_QueuedTask, Any]]) -> None:
        for task, outcome in pairs:
            if task.outcome.done():  # cancelled meanwhile
                continue
            if isinstance(outcome, BaseException):
                task.outcome.set_exception(outcome if isinstance(outcome, Exception) else _wrapped(outcome))
            else:
                task.outcome.set_result(outcome)

    for loop in {task.loop for task in batch}:
        pairs = [(task, outcome) for task, outcome in zip(batch, outcomes, strict=True) if task.loop is loop]
        with suppress(RuntimeError):  # nobody waits on a loop that was closed meanwhile
            loop.call_soon_threadsafe(hand_over, pairs)


def _wrapped(error: BaseException) -> StoreError:
    """An exception that would end a thread, as an error that a future accepts."""
    wrapped = StoreError(f"the store failed: {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped
