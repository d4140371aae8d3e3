"""What a faulty server writes down about every request, and what can be concluded from it about payments.

The server appends one line an event, so that its count outlives it: when, which request, which pitch, what happened.
Whoever is charged is charged for a complete answer, usable or not (`good`, `unusable`). An answer is paid twice if a
complete one follows a good one for the same pitch: a client that keeps what it paid for has no reason to ask again.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

Event = Literal["asked", "good", "unusable", "spoiled", "refused", "left"]
"""asked: a request came in. good, unusable: a complete answer went out. spoiled: part of one, or none. refused: an
HTTP error. left: the client hung up before the answer."""
PAID: Final = ("good", "unusable")
KEEPING: Final = 2.0
"""Seconds a client may take to keep an answer before another run on the same store can find it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. `at`: seconds since the epoch."""

    at: float
    request: str
    pitch: int
    event: Event

    def line(self) -> bytes:
        return f"{self.at:.4f} {self.request} {self.pitch} {self.event}\n".encode()


class Ledger:
    """The ledger's file: appended to by servers, read by whoever judges."""

    def __init__(self, path: Path):
        self._path = path
        self._offset = 0
        self._entries: list[Entry] = []
        self._descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    def write(self, entry: Entry) -> None:
        os.write(self._descriptor, entry.line())

    def close(self) -> None:
        os.close(self._descriptor)

    def entries(self) -> Sequence[Entry]:
        """All that is complete so far, in the order in which it was written."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._offset += len(whole)
        self._entries += [_entry(line) for line in whole.decode().splitlines()]
        return self._entries

    def count(self, *events: Event) -> int:
        return sum(entry.event in events for entry in self.entries())


@dataclass(frozen=True, slots=True)
class Payments:
    """What was paid. `twice`: answers paid for again; `wrong`: those of them that nothing excuses."""

    requests: int
    paid: int
    twice: int
    wrong: int


def judge_payments(
    entries: Iterable[Entry], *, kills: Sequence[float] = (), width: int = 0, at_once: bool = False
) -> Payments:
    """Counts answers that were paid twice.

    Excused is what was in flight: at most `width` answers at each of `kills` (moments at which a client died), and,
    with `at_once` (two runs on one store), requests that were sent before the other run could have kept the answer.
    """
    asked: dict[str, float] = {}
    answers: defaultdict[int, list[tuple[float, float, Event]]] = defaultdict(list)
    requests = paid = 0
    for entry in entries:
        if entry.event == "asked":
            requests += 1
            asked[entry.request] = entry.at
        elif entry.event in PAID:
            paid += 1
            answers[entry.pitch].append((entry.at, asked[entry.request], entry.event))
    kills = sorted(kills)
    excused: Counter[int] = Counter()
    twice = wrong = 0
    for given in answers.values():
        given.sort()
        first_good = next((place for place, (_, _, event) in enumerate(given) if event == "good"), len(given))
        for (at, _, _), (_, again, _) in zip(given[first_good:], given[first_good + 1 :], strict=False):
            twice += 1
            kill = bisect_left(kills, at)
            if kill < len(kills) and kills[kill] <= again and excused[kill] < width:
                excused[kill] += 1
            elif not (at_once and again <= at + KEEPING):
                wrong += 1
    return Payments(requests, paid, twice, wrong)


def _entry(line: str) -> Entry:
    at, request, pitch, event = line.split()
    assert event in get_args(Event), line
    return Entry(float(at), request, int(pitch), event)  # type: ignore[arg-type]
