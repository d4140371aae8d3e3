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
_thread: threading.Thread | None = None


def is_over() -> bool:
    """Whether the loop was stopped for good, as the interpreter exits."""
    return _loop is not None and _loop.is_closed()


def submit(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Start the work on the background loop; cancelling the future cancels it."""
    return asyncio.run_coroutine_threadsafe(work, _running_loop())


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do the work on the background loop and wait for it; an interrupt cancels it. Not for calls from the loop itself:
    see `finish`."""
    future = submit(work)
    try:
        return future.result()
    except KeyboardInterrupt:
        future.cancel()
        raise


def finish(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do last work such as closing connections, from wherever: where a generator is collected as garbage, that may be
    the loop's own thread, which cannot wait for itself, or after the loop has ended, when there is nothing to close.
    Nor is there if it never started; a thread that is started as the interpreter exits would be waited for without end.
    """
    if _loop is None or is_over():
        return
    future = submit(work())
    if threading.current_thread() is not _thread:
        future.result()


def call(function: Callable[[], None]) -> None:
    """Have the loop call this, soon."""
    if not is_over():
        _running_loop().call_soon_threadsafe(function)


def _running_loop() -> asyncio.AbstractEventLoop:
    global _loop, _thread
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            _thread = threading.Thread(target=_serve, args=(_loop,), name="pitch-analyzer-requests", daemon=True)
            _thread.start()
            atexit.register(_stop, _loop, _thread)
        return _loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    """Runs the loop until it is stopped. SystemExit and KeyboardInterrupt leave a loop, after the future of their task
    has them: whoever waits for that gets the exception, and the others go on."""
    while True:
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt):
            continue
        return


def _forget() -> None:
    """A forked process has no such thread; it starts its own when it needs one."""
    global _loop, _thread, _lock
    _loop, _thread, _lock = None, None, threading.Lock()


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
