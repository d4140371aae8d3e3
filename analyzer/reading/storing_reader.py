"""Reads single pitches with a model and saves its answers in a store, so that no pitch is paid for twice.

A run of many has its own `AnswerQueue`, and ends if its store fails. Here somebody waits for one answer: a store that
fails costs a warning and never the answer, unless the caller asked for that store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeVar

from analyzer.errors import StoreError
from analyzer.framework.assessment import Warning
from analyzer.reading.conversation import ModelReader
from analyzer.reading.pitch import Pitch
from analyzer.reading.reading import Reading
from analyzer.settings import Settings
from analyzer.store.answers import StoredAnswer
from analyzer.store.store import Store

T = TypeVar("T")


@dataclass(slots=True)
class SinglePitchAnswers:
    """The answers in the store at `url`, which is opened for each use and off the event loop.

    `fault`: why an answer could not be saved or looked up, unless that was raised. With `required`, a store that
    cannot be read raises StoreError before anything is asked.
    """

    url: str
    required: bool = False
    fault: StoreError | None = None

    async def find(self, *keys: str) -> StoredAnswer | None:
        try:
            found = await self._use(lambda store: store.answers.find(keys))
            return next((found[key] for key in keys if key in found), None)
        except StoreError as error:
            if self.required:
                raise
            self.fault = error
            return None

    async def save(self, answer: StoredAnswer) -> None:
        try:
            await self._use(lambda store: store.answers.save([answer]))
        except StoreError as error:
            self.fault = error

    async def discard(self, keys: list[str]) -> None:
        try:
            await self._use(lambda store: store.answers.discard(keys))
        except StoreError as error:
            self.fault = error

    def lost(self) -> Warning | None:
        """The warning that an answer was not saved; None if all were."""
        if self.fault is None:
            return None
        return Warning(kind="not_kept", message=f"The model's answer was not saved: {self.fault}")

    async def _use(self, work: Callable[[Store], T]) -> T:
        def on_open_store() -> T:
            with closing(Store.open(self.url)) as store:
                return work(store)

        return await asyncio.to_thread(on_open_store)


class StoringReader:
    """Reads like `ModelReader`, but asks nothing that the store at `url` has an answer to.

    `from_store`: whether the last pitch was read without asking. Raises ConfigurationError when made if the model
    cannot be set up.
    """

    def __init__(self, model: str, settings: Settings, url: str, *, required: bool = False):
        self._answers = SinglePitchAnswers(url, required)
        self._reader = ModelReader(model, settings, answers=self._answers)
        self.from_store = False

    @property
    def model_reader(self) -> ModelReader:
        """The reader that asks."""
        return self._reader

    @property
    def notices(self) -> list[str]:
        """As `ModelReader.notices`."""
        return self._reader.notices

    async def read(self, pitch: Pitch, number: int = 1) -> Reading:
        """Like `ModelReader.read`. Also raises StoreError if the store is required and cannot be read."""
        self._answers.fault = None
        reading = await self._reader.read(pitch, number)
        self.from_store = reading.from_store
        lost = self._answers.lost()
        return reading if lost is None else replace(reading, warnings=(*reading.warnings, lost))
