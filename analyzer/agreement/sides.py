"""The sides of a comparison: readers and raters as the columns of one table, and what each says of every pitch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np

from analyzer.agreement.compared_signals import SCOPE, extracted_value, options
from analyzer.agreement.extracted import ExtractedReadings
from analyzer.agreement.figures import RATERS
from analyzer.agreement.records import InputNote
from analyzer.agreement.statistics import Codes
from analyzer.files.manual_scores import ManualScore
from analyzer.settings import KEYWORDS

Pair = tuple[int, int]
"""Two columns that are compared: a reader's and a rater's, or two raters'."""
_ABSENT: Final = -1


class Sides:
    """Readers, then raters, by column; `pitches`: those that a reader has read and a rater has scored.

    `pairs`: for each reader, and with several raters for "raters", the pairs of columns that are compared.
    """

    def __init__(self, readers: Sequence[ExtractedReadings], rows: Sequence[ManualScore]):
        self.readers = readers
        self.rows = rows
        self.raters = sorted({row.rater for row in rows})
        self.row = {(row.pitch, row.rater): row for row in rows}
        read = {pitch for reader in readers for pitch in reader.signals}
        self.pitches = sorted(read & {row.pitch for row in rows})
        self.names = [*(reader.name for reader in readers), *self.raters]
        raters = range(len(readers), len(self.names))
        self.pairs = {reader.name: [(number, rater) for rater in raters] for number, reader in enumerate(readers)}
        if len(raters) > 1:
            self.pairs[RATERS] = list(combinations(raters, 2))

    def codes(self, signal: str) -> Codes:
        """What every side says of a signal: pitches by columns, indices into the signal's values, -1 for nothing.

        A side that holds a pitch to be out of scope says nothing of its other signals.
        """
        places = {value: number for number, value in enumerate(options(signal))}
        codes = np.full((len(self.pitches), len(self.names)), _ABSENT, np.intp)
        for place, pitch in enumerate(self.pitches):
            for column in range(len(self.names)):
                value = self._value(column, pitch, signal)
                if value is not None:
                    codes[place, column] = places[value]
        return codes

    def _value(self, column: int, pitch: str, signal: str) -> str | None:
        if column < len(self.readers):
            signals = self.readers[column].signals.get(pitch)
            said = signals is not None and (signals.in_scope or signal == "in_scope")
            return extracted_value(signals, signal) if signals is not None and said else None
        row = self.row.get((pitch, self.names[column]))
        if row is None:
            return None
        if signal == "in_scope":
            return SCOPE[not row.in_scope]
        return row.values.get(signal) if row.in_scope else None

    def competitors(self, column: int, pitch: str) -> tuple[str, ...] | None:
        """The names of competitors; None where a side says nothing of them."""
        if column < len(self.readers):
            signals = self.readers[column].signals.get(pitch)
            return tuple(each.name for each in signals.competitors) if signals and signals.in_scope else None
        row = self.row.get((pitch, self.names[column]))
        return row.competitors if row and row.in_scope else None

    def raters_of(self, pair: Pair) -> str:
        """The names of the raters in a pair of columns."""
        return ", ".join(self.names[column] for column in pair if column >= len(self.readers))

    def notes(self) -> list[InputNote]:
        """Everything about the input that cannot be compared or that limits the comparison."""
        notes = [note for reader in self.readers for note in self._reader_notes(reader)]
        scored = {row.pitch for row in self.rows}
        for rater in self.raters:
            missing = sorted(scored - {row.pitch for row in self.rows if row.rater == rater})
            if missing:
                notes.append(InputNote(f"rater {rater}", f"no score for {', '.join(missing)}"))
        if len(self.raters) > 1:
            share = f"each of {len(self.raters)} raters counts for an equal part of a pitch: {', '.join(self.raters)}"
            notes.append(InputNote("raters", share))
        return notes

    def _reader_notes(self, reader: ExtractedReadings) -> list[InputNote]:
        scored = {row.pitch for row in self.rows}
        notes = ["read by cue phrases, without a model; rough"] if KEYWORDS in reader.models else []
        notes += reader.notes
        notes += [f"{pitch} has no signals ({reason})" for pitch, reason in sorted(reader.failed.items())]
        read = {*reader.signals, *reader.failed}
        if unread := sorted(scored - read):
            notes.append(f"has manual scores but was not read: {', '.join(unread)}")
        if unscored := sorted(read - scored):
            notes.append(f"was read but has no manual scores: {', '.join(unscored)}")
        return [InputNote(reader.name, note) for note in notes]
