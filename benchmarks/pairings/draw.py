"""True and wrong pairings of values and quotes, drawn from the recorded readings of the samples and the reading set.

A wrong pairing is a true quote hung on another signal, or on a stronger value than the reading found in it. It is sent
as a second look sees a real mistake: among the other values of its document, at most a third of which are wrong. The
seed is fixed, so the same recordings give the same pairings.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from analyzer import analyze_many
from analyzer.errors import InputError
from analyzer.reading.forms.look import ClaimedValue
from analyzer.reading.grounding import Grounding
from analyzer.reading.second_look import checkables, in_sentences
from analyzer.reading.support import missing_support, names_competitor
from analyzer.resources import resource
from analyzer.settings import RECORDED, Settings
from analyzer.vocabulary.records import SIGNALS
from analyzer.vocabulary.signals import Quote, Signals

SEED: Final = 20261128
WRONG: Final = 200
FOLDERS: Final = ("pitches", "reading")
PLAUSIBLE: Final = "pairings/plausible.csv"
COLUMNS: Final = ("pitch_id", "signal", "value", "quote")
_WHOLE: Final = "whole_text"


@dataclass(frozen=True, slots=True)
class Pairing:
    """A value and its quotes. `kind`: `true`, `other signal`, `stronger value` or `plausible`; `stopped`: why a rule
    refuses it, empty if none does."""

    claim: ClaimedValue
    kind: str = "true"
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The pairings of one document, which are asked about together."""

    pitch: str
    pairings: tuple[Pairing, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """One recorded reading."""

    pitch: str
    text: str
    signals: Signals

    def true(self) -> tuple[Pairing, ...]:
        return tuple(
            Pairing(one.claim, stopped=stopped_by_rule(one.claim, one.quotes, self.signals.product, self.text))
            for one in checkables(self.signals, self.text)
        )

    def pairing(self, kind: str, name: str, value: str, quotes: Sequence[Quote]) -> Pairing:
        claim = ClaimedValue(name, value, in_sentences(quotes, self.text))
        return Pairing(claim, kind, stopped_by_rule(claim, quotes, self.signals.product, self.text))


def true_sheets() -> list[Sheet]:
    """Every document as it was read."""
    return [Sheet(one.pitch, one.true()) for one in _readings()]


def wrong_sheets(count: int = WRONG, seed: int = SEED) -> list[Sheet]:
    """The documents with `count` wrong pairings in place of true ones or beside them, at most a third in each."""
    draw = random.Random(seed)
    readings = list(_readings())
    draw.shuffle(readings)
    wrong: dict[str, list[Pairing]] = {one.pitch: [] for one in readings}
    for reading in readings * count:
        missing = count - sum(map(len, wrong.values()))
        if not missing:
            break
        mine = wrong[reading.pitch]
        if len(mine) < len(reading.true()) // 3 and (drawn := _wrong(reading, mine, draw)) is not None:
            mine.append(drawn)
    return [_mixed(reading, wrong[reading.pitch]) for reading in readings if wrong[reading.pitch]]


def plausible_sheets(path: Path | None = None) -> list[Sheet]:
    """The plausible wrong pairings of fixtures/pairings/plausible.csv, each among the true values of its document; none
    if there is no such file. Rows of pitches that are read as out of scope are left out, as no second look is taken of
    them. Raises InputError for a row that cannot be used."""
    path = path or resource("fixtures") / PLAUSIBLE
    if not path.exists():
        return []
    readings = {one.pitch: one for one in _readings()}
    sheets: dict[str, list[list[Pairing]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if set(COLUMNS) - set(rows.fieldnames or ()):
            raise InputError(f"{path}: it needs the columns {', '.join(COLUMNS)}")
        for number, row in enumerate(rows, 2):
            pitch, signal, value = (row[name].strip() for name in COLUMNS[:3])
            if pitch not in readings and any(
                (resource("fixtures") / each / f"{pitch}.txt").exists() for each in FOLDERS
            ):
                continue  # read as out of scope, so no second look is taken
            if pitch not in readings:
                raise InputError(f"{path}, line {number}: no recorded reading of a pitch {pitch!r}")
            if signal not in SIGNALS or value not in SIGNALS[signal].values:
                raise InputError(f"{path}, line {number}: {signal}: {value} is not a value of a signal")
            text = row["quote"].strip()
            quote = Grounding(readings[pitch].text).find(text) or Quote(text=text)
            _add(sheets.setdefault(pitch, []), readings[pitch].pairing("plausible", signal, value, [quote]))
    return [_mixed(readings[pitch], wrong) for pitch, several in sheets.items() for wrong in several]


def stopped_by_rule(claim: ClaimedValue, quoted: Sequence[Quote], product: str, text: str) -> str:
    """Why the rules refuse a value with these quotes, in the order in which a reading is checked; empty if they do
    not."""
    grounding = Grounding(text)
    quotes = [quote for quote in quoted if grounding.find(quote.text) is not None]
    if not quotes:
        return "the quote is not in the pitch"
    if claim.field == "kind" and claim.value not in ("in_house", "manual_process"):
        return "" if names_competitor(claim.name, quotes[0].text) else "the quote does not hold the name"
    return missing_support(claim.field, claim.value, quotes, product) if claim.field in SIGNALS else ""


@cache
def _readings() -> tuple[_Read, ...]:
    settings = Settings(recordings=resource("fixtures") / "recordings")
    paths = [path for folder in FOLDERS for path in sorted((resource("fixtures") / folder).glob("*.txt"))]
    texts = {path.stem: path.read_text(encoding="utf-8") for path in paths}
    found = analyze_many(texts.items(), model=RECORDED, settings=settings, verify=False, readings=1)
    read = {result.id: result.assessment.signals for result in found if result.assessment is not None}
    return tuple(_Read(name, text, read[name]) for name, text in texts.items() if name in read and read[name].in_scope)


def _add(several: list[list[Pairing]], pairing: Pairing) -> None:
    """Add to the first sheet that has no pairing of the same signal."""
    for sheet in several:
        if all(one.claim.field != pairing.claim.field for one in sheet):
            sheet.append(pairing)
            return
    several.append([pairing])


def _wrong(reading: _Read, drawn: Sequence[Pairing], draw: random.Random) -> Pairing | None:
    """One more wrong pairing of a document; None if there is none left. Both kinds are tried, in random order."""
    taken = {one.claim.field for one in drawn}
    kinds = [
        ("stronger value", list(_stronger(reading.signals, taken))),
        ("other signal", list(_other(reading, taken))),
    ]
    draw.shuffle(kinds)
    for kind, claims in kinds:
        if claims:
            return reading.pairing(kind, *draw.choice(claims))
    return None


_Claim = tuple[str, str, tuple[Quote, ...]]
"""A signal, a value and quotes."""


def _stronger(signals: Signals, taken: set[str]) -> Iterator[_Claim]:
    """The quotes of each value on every value that ranks higher."""
    for name, spec in SIGNALS.items():
        signal = signals.single(name)
        if name in taken or not signal.known or not signal.quotes:
            continue
        for value in spec.values:
            if (signal.value, value) in spec.order and spec.support.get(value) != _WHOLE:
                yield name, value, signal.quotes


def _other(reading: _Read, taken: set[str]) -> Iterator[_Claim]:
    """The quotes of each signal on values of every other that are not its own, where they share no sentence with its
    own quotes. Values that no quote can show are left out: nobody can say that a quote does not support them."""
    signals = reading.signals
    quoted = {name: signals.single(name).quotes for name in SIGNALS}
    for name, spec in SIGNALS.items():
        if name in taken:
            continue
        own = in_sentences(quoted[name], reading.text)
        for other, quotes in quoted.items():
            if other == name or not quotes or _share_words(in_sentences(quotes, reading.text), own):
                continue
            for value in spec.values:
                if value != signals.single(name).value and spec.support.get(value) != _WHOLE:
                    yield name, value, quotes


def _share_words(some: Sequence[str], others: Sequence[str]) -> bool:
    """Whether passages of one text, which are whole sentences, have one in common."""
    return any(one in other or other in one for one in some for other in others)


def _mixed(reading: _Read, wrong: Sequence[Pairing]) -> Sheet:
    """The document with the wrong pairings in place of what it has for their signals, in its usual order."""
    by_field = {one.claim.field: one for one in wrong}
    lists = [one for one in reading.true() if one.claim.field not in SIGNALS]
    own = {one.claim.field: one for one in reading.true() if one.claim.field in SIGNALS}
    singles = [by_field.get(name) or own.get(name) for name in SIGNALS]
    return Sheet(reading.pitch, (*lists, *(one for one in singles if one is not None)))
