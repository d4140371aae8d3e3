"""Work in processes of their own: every piece has its answer or its error, whatever becomes of the process."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from threading import Event
from typing import cast

import pytest

from analyzer.errors import InputError
from analyzer.files.tables import InputPitch
from analyzer.results.result import SystemRefused, UnexpectedError
from analyzer.runs.portfolio_parts import PitchesToRead, ResultsToOpen, part_of
from analyzer.runs.side_processes import SideProcesses
from analyzer.settings import KEYWORDS, Settings
from tests.completions import PITCH


@pytest.fixture(scope="module")
def side() -> Iterator[SideProcesses]:
    processes = SideProcesses(1)
    yield processes
    processes.close()


def test_pieces_are_computed_elsewhere_in_their_order_and_taken_only_as_they_are_needed(side: SideProcesses) -> None:
    taken: list[int] = []

    def pieces() -> Iterator[int]:
        for number in range(-9, 0):
            taken.append(number)
            yield number

    answers = side.map(abs, pieces())

    assert next(answers) == 9
    assert len(taken) < 9
    assert list(answers) == [8, 7, 6, 5, 4, 3, 2, 1]


@pytest.mark.skipif(not hasattr(os, "nice"), reason="priorities are set otherwise here")
def test_whoever_waits_for_a_page_goes_before_them(side: SideProcesses) -> None:
    assert side.submit(os.nice, 0).result() > os.nice(0) or os.nice(0) >= 10


def test_a_fault_is_an_error_without_its_message_and_the_log_says_where(
    side: SideProcesses, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(UnexpectedError, match="ValueError") as raised:
        side.submit(int, "secret").result()

    assert "secret" not in str(raised.value) and "secret" not in caplog.text
    assert "side_process.py" in caplog.text
    with pytest.raises(InputError, match="what it says"):
        side.submit(_refuse, "what it says").result()


def _refuse(message: str) -> None:
    raise InputError(message)


def test_a_process_that_dies_takes_its_own_piece_only(side: SideProcesses) -> None:
    died = side.submit(cast("type[int]", os._exit), 3)  # it takes a number, as int does
    after = side.submit(abs, -5)

    with pytest.raises(SystemRefused, match=r"ended \(code 3\)"):
        died.result()
    assert after.result() == 5


def test_a_process_that_was_ended_while_it_had_no_work_costs_no_piece(side: SideProcesses) -> None:
    side.submit(abs, -1).result()
    for process in list(side._processes):
        process.kill()
        process.wait()

    assert side.submit(abs, -5).result() == 5


def test_where_no_process_can_be_started_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("analyzer.runs.side_processes.subprocess.Popen", refused)

    assert list(SideProcesses(2).map(abs, [-1, -2])) == [1, 2]


@pytest.mark.slow
def test_processes_without_work_end_and_new_ones_start_when_there_is_some() -> None:
    processes = SideProcesses(1, idle=0.01)
    first = processes.submit(_own_id, None).result()
    while processes._processes:
        Event().wait(0.01)

    second = processes.submit(_own_id, None).result()

    assert len({first, second, os.getpid()}) == 3
    processes.close()


def _own_id(_: None) -> int:
    return os.getpid()


def test_a_part_of_a_portfolio_is_the_same_wherever_it_is_computed(side: SideProcesses) -> None:
    pitches = [InputPitch("t.csv, row 1", "p1", PITCH, columns={"fund": "A"}), InputPitch("t.csv, row 2", "p2", "")]
    pieces = PitchesToRead((4, 7), pitches, KEYWORDS, 1, Settings())

    here, there = part_of(pieces), side.submit(part_of, pieces).result()

    ours, theirs = (sorted(part.items, key=lambda item: item.result.number) for part in (here, there))
    assert ours[0] == theirs[0]
    assert (there.portfolio.entries, there.in_scope, there.ended) == (here.portfolio.entries, here.in_scope, None)
    assert [item.result.number for item in theirs] == [4, 7]
    assert str(theirs[1].result.error) == str(ours[1].result.error)
    lines = [(3, (ours[0].json() or "").encode()), (9, b"{")]
    opened = side.submit(part_of, ResultsToOpen("r.jsonl", 2, lines)).result()
    assert opened.items[0].assessment() == ours[0].assessment()
    assert [item.result.number for item in opened.items] == [2, 3]
    assert "r.jsonl, line 9" in str(opened.items[1].result.error)
    assert opened.portfolio.ranked() == here.portfolio.ranked()
