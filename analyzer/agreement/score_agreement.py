"""Do overall scores agree: readers with the raters' mean, raters with each other, all with the raters' own overall."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np

from analyzer.agreement.attribution import Scorer, is_complete
from analyzer.agreement.records import ScoreAgreement
from analyzer.agreement.sides import Sides
from analyzer.agreement.statistics import correlations, limits
from analyzer.vocabulary.signals import Signals

PitchScores = Mapping[str, float | None]
_MANUAL: Final = "manual signals"
_OVERALL: Final = "raters' overall"


def score_agreements(
    sides: Sides, manual: Mapping[tuple[str, str], Signals], scorer: Scorer, draws: int, seed: int
) -> list[ScoreAgreement]:
    """Every pair of sources that score at least one pitch in common."""
    scored = all(is_complete(row) for row in sides.rows)
    by_rater = _scores(
        scorer,
        {
            rater: {pitch: manual[pitch, rater] for pitch in sides.pitches if scored and (pitch, rater) in manual}
            for rater in sides.raters
        },
    )
    by_reader = _scores(
        scorer,
        {
            reader.name: {pitch: reader.signals[pitch] for pitch in sides.pitches if pitch in reader.signals}
            for reader in sides.readers
        },
    )
    overall = _mean(
        {pitch: sides.row[pitch, rater].overall for pitch in sides.pitches if (pitch, rater) in sides.row}
        for rater in sides.raters
    )
    mean = _mean(by_rater.values())
    sources = [(name, _MANUAL, values, mean) for name, values in by_reader.items()]
    sources += [(one, other, by_rater[one], by_rater[other]) for one, other in combinations(sides.raters, 2)]
    sources += [(name, _OVERALL, values, overall) for name, values in by_reader.items()]
    sources.append((_MANUAL, _OVERALL, mean, overall))
    found = []
    for number, (left, right, first, second) in enumerate(sources):
        points = ((pitch, first.get(pitch), second.get(pitch)) for pitch in sides.pitches)
        found.append(_agreement(left, right, points, draws, (seed, 300 + number)))
    return [agreement for agreement in found if agreement.n]


def _scores(scorer: Scorer, signals: Mapping[str, Mapping[str, Signals]]) -> dict[str, PitchScores]:
    numbers = {name: {pitch: scorer.add(each) for pitch, each in read.items()} for name, read in signals.items()}
    return {name: {pitch: scorer.score(number) for pitch, number in each.items()} for name, each in numbers.items()}


def _mean(sources: Iterable[PitchScores]) -> PitchScores:
    """The mean for each pitch over the sources that have a score for it."""
    scores: dict[str, list[float]] = {}
    for source in sources:
        for pitch, value in source.items():
            if value is not None:
                scores.setdefault(pitch, []).append(value)
    return {pitch: sum(values) / len(values) for pitch, values in scores.items()}


def _agreement(
    left: str, right: str, points: Iterable[tuple[str, float | None, float | None]], draws: int, seed: Sequence[int]
) -> ScoreAgreement:
    """Two sources, over the pitches that both score."""
    both = tuple((pitch, one, other) for pitch, one, other in points if one is not None and other is not None)
    first, second = (np.array([point[side] for point in both], np.float64) for side in (1, 2))
    spread = limits(first - second) if len(both) > 1 else None
    return ScoreAgreement(
        left, right, len(both), **correlations(first, second, draws, seed), limits=spread, points=both
    )
