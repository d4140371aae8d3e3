"""How long a run will still take, as people are told."""

from __future__ import annotations

import pytest

from analyzer.results.result import Progress


@pytest.mark.parametrize(
    ("progress", "seconds"),
    [
        (Progress(done=10, total=20, elapsed=5.0), 5.0),
        (Progress(done=100, from_store=100, total=1_100, elapsed=1.0), 10.0),
        (Progress(done=110, from_store=100, total=120, elapsed=5.0), 5.0),
        (Progress(done=110, from_store=100, total=120, elapsed=30.0, pace=2.0), 5.0),
        (Progress(done=20, total=20, elapsed=5.0), 0.0),
        (Progress(total=20, elapsed=5.0), None),
        (Progress(done=10, elapsed=5.0), None),
        (Progress(done=10, total=20, pace=0.0, elapsed=100.0), None),
    ],
    ids=["asked", "all from the store", "some from the store", "lately", "over", "nothing yet", "no total", "stalled"],
)
def test_the_time_left_makes_sense_whatever_comes_from_the_store(progress: Progress, seconds: float | None) -> None:
    assert progress.remaining == seconds
