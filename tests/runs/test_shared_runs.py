"""Two runs under the limits of one owner, through the real client: as processes of a cluster are, in one process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from analyzer.errors import AnalyzerError, AuthenticationFailed, CostLimitReached
from analyzer.reading.limit_owner import LimitOwner, Process
from analyzer.reading.limits import OwnLimits
from analyzer.reading.shared_limits import SharedLimits
from analyzer.results.result import Result
from analyzer.runs.many import ManyRun, Results
from analyzer.runs.plan import RunPlan
from tests.completions import PITCH
from tests.model_server import FAULTS, MODEL, Reply, Service, good, refused

PITCHES = [(str(number), f"{PITCH} {number}") for number in range(24)]


def run_both(service: Service, **options: Any) -> tuple[list[Result], list[SharedLimits], list[AnalyzerError | None]]:
    """Half of the pitches in each of two runs: all results, and how each run ended."""
    asked: Any = {"model": MODEL, "settings": service.settings, "store": False, "concurrency": 4, **options}
    plan = RunPlan.of(asked, None)
    terms = plan.limit_terms()
    owner = LimitOwner(OwnLimits(terms), gather=0)
    shares = [SharedLimits(owner, Process(place, "1"), terms, gather=0) for place in "ab"]

    def run(number: int) -> tuple[list[Result], AnalyzerError | None]:
        found: list[Result] = []
        try:
            found.extend(Results(ManyRun(plan, shares[number]), PITCHES[number::2]))
        except AnalyzerError as error:
            return found, error
        return found, None

    with ThreadPoolExecutor(2) as threads:
        ends = list(threads.map(run, (0, 1)))
    return [each for found, _ in ends for each in found], shares, [ended for _, ended in ends]


def test_two_runs_have_no_more_in_flight_than_one_and_every_pitch_gets_its_result() -> None:
    faults = ["429", "500", "reset"]

    def reply(_: str, asked: int) -> Reply:
        if asked == 1 and faults:
            return FAULTS[faults.pop()]
        return Reply(good().body, after=0.02)

    with Service(reply) as service:
        results, _, ended = run_both(service)
    assert ended == [None, None]
    assert sorted(result.id for result in results) == sorted(id_ for id_, _ in PITCHES)
    assert [result.error for result in results if result.error] == []
    assert service.most == 4


def test_a_cost_limit_ends_both_runs_within_it() -> None:
    with Service(lambda *_: good()) as service:
        results, shares, ended = run_both(service, max_cost=0.01)
    spent = [result.assessment.provenance.usage.cost_usd or 0.0 for result in results if result.assessment]
    assert 0 < sum(spent) <= 0.01
    assert len(spent) == sum(service.answered.values())
    assert CostLimitReached in map(type, ended)
    assert {type(share.error) for share in shares} == {CostLimitReached}


def test_a_rejected_key_ends_both_runs_after_few_requests() -> None:
    with Service(lambda *_: refused(401)) as service:
        results, shares, ended = run_both(service)
    assert results == []
    assert AuthenticationFailed in map(type, ended)
    assert {type(share.error) for share in shares} == {AuthenticationFailed}
    assert sum(service.asked.values()) <= 8
