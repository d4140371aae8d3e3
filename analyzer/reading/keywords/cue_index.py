"""Which cues a text can hold at all, by its words: asked once a text, so that the thousands of others cost nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from analyzer.reading.keywords.cues import Cue

_MOST_WORDS: Final = 50_000
"""For so many words it is remembered which needs they meet."""
_TABLES: Final = ("exact", "beginnings", "waiting")


class CueIndex:
    """Cues by the words that they cannot do without (`Cue.needs`)."""

    def __init__(self, cues: Iterable[Cue], tables: Mapping[str, Any] | None = None):
        """`tables`: those of an index of the same cues, which saves making them."""
        self.cues = list(dict.fromkeys(cues))
        self._met: dict[str, tuple[int, ...]] = {}
        self._exact: dict[str, list[int]] = {}
        self._beginnings: dict[str, list[int]] = {}
        self._waiting: list[list[tuple[int, list[int]]]] = []
        """For each need, the places of the cues that are looked at where it is met, with their other needs."""
        if tables is None:
            numbers: dict[tuple[str, ...], int] = {}
            for place, cue in enumerate(self.cues):
                own = [self._number(options, numbers) for options in cue.needs]
                if own:
                    self._waiting[own[0]].append((place, own[1:]))
        else:
            self._exact, self._beginnings, self._waiting = (tables[name] for name in _TABLES)
        self._lengths = sorted(set(map(len, self._beginnings)))

    @property
    def tables(self) -> dict[str, Any]:
        """What can be saved as JSON and given to an index of the same cues."""
        return dict(zip(_TABLES, (self._exact, self._beginnings, self._waiting), strict=True))

    def _number(self, options: tuple[str, ...], numbers: dict[tuple[str, ...], int]) -> int:
        if options not in numbers:
            numbers[options] = len(numbers)
            self._waiting.append([])
            for option in options:
                table, word = (self._beginnings, option[:-1]) if option.endswith("*") else (self._exact, option)
                table.setdefault(word, []).append(numbers[options])
        return numbers[options]

    def near(self, words: Mapping[str, int]) -> dict[Cue, int]:
        """The cues whose needs some sentence meets, with these sentences. The bits of a number are a set of sentences.

        `words`: each word of a text with the sentences that hold it.
        """
        held: dict[int, int] = {}
        for word, sentences in words.items():
            for number in self._needs_met_by(word):
                held[number] = held.get(number, 0) | sentences
        found: dict[Cue, int] = {}
        for number, sentences in held.items():
            for place, others in self._waiting[number]:
                left = sentences
                for other in others:
                    left &= held.get(other, 0)
                    if not left:
                        break
                else:
                    found[self.cues[place]] = left
        return found

    def _needs_met_by(self, word: str) -> tuple[int, ...]:
        met = self._met.get(word)
        if met is None:
            if len(self._met) >= _MOST_WORDS:
                self._met.clear()
            found = list(self._exact.get(word, ()))
            for length in self._lengths:
                if length > len(word):
                    break
                found += self._beginnings.get(word[:length], ())
            met = self._met[word] = tuple(dict.fromkeys(found))
        return met
