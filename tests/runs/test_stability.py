"""How far readings agree is the same figure, whether they come one by one or combined by votes."""

from __future__ import annotations

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from analyzer.framework.one_pitch import score
from analyzer.reading.combine import combined
from analyzer.results.result import Result
from analyzer.runs.stability import Stability
from analyzer.views.bulk import print_stability
from analyzer.vocabulary.signals import Signals
from tests.properties import runs

READINGS = st.lists(
    st.fixed_dictionaries(
        {
            "buyer": st.sampled_from(["practitioner", "engineering_leadership", "unknown"]),
            "stage": st.sampled_from(["day_1", "day_2"]),
        }
    ),
    min_size=2,
    max_size=5,
)


def signals(reading: dict[str, str]) -> Signals:
    problem = {"statement": "s", "stage": reading["stage"], "focus": "ml", "primary": True}
    buyer = {} if reading["buyer"] == "unknown" else {"buyer": {"value": reading["buyer"], "basis": "stated"}}
    return Signals.model_validate({"in_scope": True, "problems": [problem], **buyer})


@runs(30, deadline=None)
@given(READINGS)
def test_votes_say_as_much_of_agreement_as_the_readings_one_by_one(drawn: list[dict[str, str]]) -> None:
    readings = [signals(each) for each in drawn]
    alone, together = Stability(len(readings)), Stability(len(readings), combined=True)
    for number, each in enumerate(readings):
        alone.add(Result(number, "p", score(each)))
    together.add(Result(0, "p", score(combined(readings))))

    for name in set(alone.names) & set(together.names):
        assert alone.share(name) == pytest.approx(together.share(name)), name


def test_a_pitch_with_one_reading_says_nothing_of_agreement() -> None:
    one = Stability(3, combined=True)
    one.add(Result(0, "p", score(signals({"buyer": "practitioner", "stage": "day_1"}))))

    console = Console(width=100, record=True, file=StringIO())
    print_stability(console, one)

    assert one.pitches == 0 and one.share("buyer") is None
    assert "No pitch has two readings" in console.export_text()
