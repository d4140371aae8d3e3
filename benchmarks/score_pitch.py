"""Scoring pitches one by one, questions and changes included, next to checking their signals documents.

    python benchmarks/score_pitch.py [PITCHES]

Signals are drawn like public pitches: a third unknown. Prints milliseconds of CPU a pitch and the ratio, also where
a few signals were read in several ways.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import random
import sys
import time
from collections.abc import Callable
from typing import Any

from analyzer import Signals, score
from analyzer.vocabulary.derived import INPUTS
from analyzer.vocabulary.signals import SIGNALS, UNKNOWN

_ROUNDS = 15


def draw(rng: random.Random, several: int) -> dict[str, Any]:
    """A signals document; `several` of its values have votes for another one."""
    names = [name for name in SIGNALS if name in INPUTS]
    document: dict[str, Any] = {
        name: {"value": UNKNOWN if rng.random() < 1 / 3 else rng.choice(INPUTS[name])} for name in names
    }
    for name in rng.sample(names, several):
        value, other = rng.sample(INPUTS[name], 2)
        document[name] = {"value": value, "votes": 2, "also": [{"value": other, "votes": 1}]}
    place = {"stage": rng.choice(["day_1", "day_2", "both"]), "focus": rng.choice(["ml", "engineering", "both"])}
    document["problems"] = [{"statement": "x", "primary": True, **place}]
    document["category"] = {"value": rng.choice(["other", "model_serving", "edge_case_mining"])}
    return document


def cpu(work: Callable[[Any], object], items: list[Any]) -> float:
    """Milliseconds of CPU an item: the least of some rounds for each, so that other work shows little."""
    least = [float("inf")] * len(items)
    for _ in range(_ROUNDS):
        for number, item in enumerate(items):
            started = time.process_time()
            work(item)
            least[number] = min(least[number], time.process_time() - started)
    return 1000 * sum(least) / len(items)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rng = random.Random(7)
    for several in (0, 3):
        documents = [draw(rng, several) for _ in range(count)]
        checking = cpu(Signals.model_validate, documents)
        scoring = cpu(score, [Signals.model_validate(document) for document in documents])
        print(
            f"{several} signals read in several ways: {scoring:.2f} ms of CPU a pitch, "
            f"{scoring / checking:.0f} times as long as checking its document ({checking:.3f} ms)"
        )


if __name__ == "__main__":
    main()
