"""Which way a model is asked, and what happens when its server does not take it.

One `ModeOrder` a reader. A way that is refused, or whose answer shows that it was not understood, is left for the next
one, once for the whole run and with a notice. The first request of a way goes ahead alone: a run does not send 64
requests that all fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from analyzer.errors import ModeRejected, SettingRejected
from analyzer.reading.profiles import Mode

_SPOKEN: Final = {
    "json_schema": "with a JSON schema",
    "tools": "with a named tool call",
    "tools_required": "with a required tool call",
    "tools_auto": "with a tool call of its own choice",
    "json": "for a JSON object",
    "text": "for JSON in plain text",
    "responses": "through the Responses API",
    "native": "through its own API",
}


@dataclass(frozen=True, slots=True)
class Way:
    """A way of asking. `settings`: whether temperature, seed and the like go with it."""

    mode: Mode
    settings: bool = True


@dataclass(slots=True)
class ModeOrder:
    """The ways of asking one model that are left. `notices`: one line for each change, for people."""

    model: str
    modes: Sequence[Mode]
    notices: list[str] = field(default_factory=list)
    understood: bool = False
    """Whether an answer in the present way could be used."""
    _settings: bool = True
    _at: int = 0
    _answered: bool = False
    _first: asyncio.Lock = field(default_factory=asyncio.Lock)
    _ended: ModeRejected | None = None

    @property
    def way(self) -> Way:
        """The present way."""
        return Way(self.modes[self._at], self._settings)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Way]:
        """The way for one request. Until the server has answered one in this way, others wait here.

        Raises ModeRejected if no way is left.
        """
        alone = False
        if not self._answered:
            await self._first.acquire()
            alone = not self._answered
            if not alone:
                self._first.release()
        try:
            if self._ended is not None:
                raise self._ended
            yield self.way
        finally:
            if alone:
                self._first.release()

    def answered(self) -> None:
        """Note that the server took a request, whatever it replied: others may follow."""
        self._answered = True

    def rejected(self, way: Way, error: ModeRejected) -> None:
        """Go on to the next way after `way` was refused; nothing if that has happened already.

        Raises ModeRejected if none is left.
        """
        if way != self.way:
            return
        if isinstance(error, SettingRejected) and way.settings:
            self._settings, self._answered = False, False
            self.notices.append(
                f"{self.model}: the server refuses a setting of the request (temperature, seed or the like); "
                "from now on none is sent, so answers may vary."
            )
            return
        if not self._move(f"could not be asked {_SPOKEN[way.mode]}: {_reason(error)}"):
            tried = ", ".join(self.modes)
            self._ended = (
                error
                if len(self.modes) == 1
                else ModeRejected(
                    f"{self.model} could not be asked in any mode ({tried}); the last was refused: {_reason(error)}. "
                    "Use another model, or set --mode"
                )
            )
            raise self._ended

    def ignored(self, way: Way) -> bool:
        """Go on to the next way after an answer showed that `way` was not understood. False if there is no other, or
        if answers in this way could be used before."""
        if way != self.way:
            return True
        return not self.understood and self._move(f"did not answer as asked {_SPOKEN[way.mode]}")

    def _move(self, why: str) -> bool:
        if self._at + 1 >= len(self.modes):
            return False
        self._at += 1
        self._answered = self.understood = False
        mode = self.modes[self._at]
        hint = "" if mode.startswith("tools_") else f" To begin there: --mode {mode}."
        self.notices.append(f"{self.model} {why}; it is now asked {_SPOKEN[mode]}.{hint}")
        return True


def _reason(error: Exception) -> str:
    """The error without its advice."""
    return str(error).splitlines()[0].partition(";")[0]
