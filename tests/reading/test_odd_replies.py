"""An odd reply costs at most its own pitch: whatever a server sends, every pitch has one result that says what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzer import analyze_many
from analyzer.errors import AnalyzerError, ConfigurationError, ProviderError
from analyzer.reading.rate_limiter import MANY
from analyzer.results.result import Progress
from tests.completions import PITCH
from tests.model_server import MODEL, Service, good
from tests.odd_replies import QUIRKS, Outcome, Quirk

COUNT = 6


def cases(*outcomes: Outcome) -> list[Any]:
    """The quirks with these outcomes, as parameters."""
    return [pytest.param(quirk, id=name) for name, quirk in QUIRKS.items() if quirk.outcome in outcomes]


def run(service: Service, progress: list[Progress], concurrency: int = 2) -> dict[int, AnalyzerError | None]:
    """The error of each pitch, by its place."""
    pitches = [f"{PITCH}\nNumber {number}." for number in range(COUNT)]
    results = analyze_many(
        pitches,
        model=MODEL,
        settings=service.settings,
        store=False,
        concurrency=concurrency,
        on_progress=progress.append,
    )
    errors: dict[int, AnalyzerError | None] = {}
    for result in results:
        assert result.number not in errors
        errors[result.number] = result.error
    return errors


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.runs.plan.MANY", replace(MANY, longest_pause=0.02))


@pytest.mark.parametrize(
    ("odd_one", "concurrency"), [(2, 2), (COUNT - 1, 1)], ids=["one of them", "the last, one at a time"]
)
@pytest.mark.parametrize("quirk", cases("read", "fails", "ends"))
def test_an_odd_reply_costs_at_most_its_own_pitch(quirk: Quirk, odd_one: int, concurrency: int) -> None:
    progress: list[Progress] = []
    ending = f"Number {odd_one}."
    with Service(lambda pitch, _: quirk.reply if pitch.endswith(ending) else good()) as service:
        if quirk.outcome == "ends":
            with pytest.raises(ConfigurationError):
                run(service, progress, concurrency)
            return
        errors = run(service, progress, concurrency)
    assert set(errors) == set(range(COUNT))
    assert {number for number, error in errors.items() if error is not None} == (
        {odd_one} if quirk.outcome == "fails" else set()
    )
    if (error := errors[odd_one]) is not None:
        assert error.kind not in ("error", "unexpected")
        assert len(str(error).splitlines()) <= 2
    usage = progress[-1].usage
    assert 0 <= usage.cached_tokens <= usage.input_tokens
    odd = sum(times for pitch, times in service.asked.items() if pitch.endswith(ending))
    assert usage.requests == service.asked.total() - (0 if quirk.paid else odd)


@pytest.mark.parametrize("quirk", cases("waits"))
def test_a_limit_that_passes_is_waited_for(quirk: Quirk) -> None:
    with Service(lambda _, times: quirk.reply if times <= 3 else good()) as service:
        errors = run(service, [])
    assert set(errors.values()) == {None}


@pytest.mark.parametrize("quirk", cases("fails", "ends"))
def test_a_server_that_only_ever_replies_oddly_causes_one_error_a_pitch_or_one_for_the_run(
    quirk: Quirk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyzer.runs.plan.MANY", replace(MANY, longest_pause=0.02, give_up_after=0.2))
    with Service(lambda *_: quirk.reply) as service:
        try:
            errors = run(service, [])
        except (ConfigurationError, ProviderError) as error:
            assert len(str(error).splitlines()) <= 2
        else:
            assert len(errors) == COUNT and None not in errors.values()
            assert not {error.kind for error in errors.values() if error is not None} & {"error", "unexpected"}
