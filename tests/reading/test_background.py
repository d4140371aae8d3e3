"""The background loop: last work where nothing has run on it."""

from __future__ import annotations

import asyncio

import pytest

from analyzer.reading import background


def test_last_work_starts_no_loop_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the interpreter exits no thread can start, and whoever waits for one never ends."""
    monkeypatch.setattr(background, "_loop", None)
    done = []

    async def close() -> None:
        done.append(asyncio.get_running_loop())

    background.finish(close)
    assert background._loop is None
    assert done == []
