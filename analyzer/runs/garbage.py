"""How often Python looks for garbage in a process that does nothing but one run."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collecting_less() -> Iterator[None]:
    """Leave out what is there already, and look at the rest less often: a run makes much that lives short, and hardly
    anything that only the collector would free."""
    usual = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
