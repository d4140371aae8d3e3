"""Runs of a few pitches in batches, against a provider in memory, with one store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import respx

from analyzer.results.result import Result
from analyzer.runs.batch import BatchResults, Submitted, cancel, collect, submit
from tests.batch_provider import Provider, settings_for
from tests.completions import PITCH

OPENAI = "openai/gpt-4.1-mini"
ANTHROPIC = "anthropic/claude-opus-5-5"
URL = "https://models.test/v1"


def pitches(count: int) -> list[tuple[str, str]]:
    return [(f"p{number}", f"{PITCH}\nNumber {number}.") for number in range(count)]


class Desk:
    """A provider, and runs of a few pitches against it with one store."""

    def __init__(self, folder: Path, model: str):
        self.folder, self.model = folder, model
        self.provider = Provider()
        self.settings = settings_for(folder, URL)
        self.options: dict[str, Any] = {"store": f"sqlite:///{folder / 'store.db'}"}

    def limits(self, requests: int, megabytes: int = 200) -> None:
        self.settings = settings_for(self.folder, URL, requests, megabytes)

    @property
    def all(self) -> dict[str, Any]:
        return {"model": self.model, "settings": self.settings, **self.options}

    def submit(self, count: int = 3, **options: Any) -> Submitted:
        return submit(pitches(count), **{**self.all, **options})

    def collect(self, count: int = 3, **options: Any) -> tuple[dict[str, Result], BatchResults]:
        """The results by id, each exactly once."""
        run = collect(pitches(count), **{**self.all, **options})
        results = list(run)
        assert len({result.id for result in results}) == len(results)
        assert len(results) + run.waiting + run.unasked == count
        return {result.id: result for result in results}, run

    def cancel(self, count: int = 3) -> Any:
        return cancel(pitches(count), **self.all)


def at(folder: Path, model: str) -> Iterator[Desk]:
    desk = Desk(folder, model)
    with respx.mock(assert_all_called=False) as router:
        router.route(host="models.test").mock(side_effect=lambda request: desk.provider.handle(request))
        yield desk


def good(results: dict[str, Result]) -> list[str]:
    return sorted(id_ for id_, result in results.items() if result.assessment is not None)


def fates(*listed: str) -> Callable[[str, dict[str, Any]], str]:
    """One fate for each request, in the order of their pitches, then ok."""
    return lambda key, body: next(
        (fate for number, fate in enumerate(listed) if f"Number {number}." in json.dumps(body)), "ok"
    )
