"""One event loop in one background thread, on which all requests to models run.

A shared HTTP client belongs to the loop it was first used on; scripts, notebooks with a running loop of their own,
threads and page sessions all call in from outside. So there is exactly one loop, and nobody else sees it.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def submit(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Start the work on the background loop; cancelling the future cancels it."""
    return asyncio.run_coroutine_threadsafe(work, _running_loop())


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do the work on the background loop and wait for it; an interrupt cancels it."""
    future = submit(work)
    try:
        return future.result()
    except KeyboardInterrupt:
        future.cancel()
        raise


def call(function: Callable[[], None]) -> None:
    """Have the loop call this, soon."""
    _running_loop().call_soon_threadsafe(function)


def _running_loop() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            thread = threading.Thread(target=_loop.run_forever, name="pitch-analyzer-requests", daemon=True)
            thread.start()
            atexit.register(_stop, _loop, thread)
        return _loop


def _forget() -> None:
    """A forked process has no such thread; it starts its own when it needs one."""
    global _loop, _lock
    _loop, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


async def _unwind() -> None:
    """Ends what is still under way."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    if _loop is not loop:
        return
    with contextlib.suppress(TimeoutError):
        asyncio.run_coroutine_threadsafe(_unwind(), loop).result(timeout=2)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=5)
    if not thread.is_alive():
        loop.close()
