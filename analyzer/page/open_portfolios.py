"""The portfolios in this server's memory, by their addresses, and who may see each.

An address is an unguessable id. What has an owner opens for that owner alone, wherever the address came from; what has
none (this server cannot tell its visitors apart) for whoever has the address. What is not looked at for an hour leaves
the memory: what is saved can be fetched from the store again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Final

from analyzer.page.portfolio_run import PortfolioRun, fetch
from analyzer.store.store import Store

KEPT: Final = 3_600.0
"""Seconds for which a portfolio that nobody looks at stays in memory."""
_runs: Final[dict[str, PortfolioRun]] = {}
_lock: Final = Lock()


def enter(run: PortfolioRun) -> PortfolioRun:
    """Gives a portfolio its address."""
    with _lock:
        _runs[run.work.id] = run
    tidy()
    return run


def find(id: str, owner: str | None, store: Callable[[], Store]) -> PortfolioRun | None:
    """The portfolio at this address, from memory or the store; None if there is none that this visitor may see, and
    nothing says which of the two. Raises StoreError, ConfigurationError."""
    tidy()
    with _lock:
        run = _runs.get(id)
    if run is not None:
        return run if run.work.owner in (None, owner) else None
    if owner is None:
        return None
    opened = store()
    saved = opened.portfolios.find(owner, id)
    if saved is None:
        return None
    with _lock:  # two tabs may ask at the same time
        return _runs.get(id) or _runs.setdefault(id, fetch(opened, saved))


def unsaved(owner: str) -> list[PortfolioRun]:
    """An owner's portfolios that are in memory only, newest first."""
    with _lock:
        return [run for run in reversed(_runs.values()) if run.work.owner == owner and not run.work.saved]


def forget(owner: str, ids: Iterable[str] | None = None) -> None:
    """Ends and drops an owner's portfolios (None = all)."""
    wanted = None if ids is None else set(ids)
    with _lock:
        for id_, run in list(_runs.items()):
            if run.work.owner == owner and (wanted is None or id_ in wanted):
                run.work.deleted = True
                run.work.stop.set()
                del _runs[id_]


def tidy() -> None:
    """Drops what nobody has looked at for long."""
    with _lock:
        for id_, run in list(_runs.items()):
            if run.work.done.is_set() and run.seconds_alone() > KEPT:
                del _runs[id_]
