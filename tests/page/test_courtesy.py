"""Pages that are drawn go before work in the background."""

from __future__ import annotations

from contextlib import AbstractContextManager
from threading import Event, Thread

import pytest
from streamlit.testing.v1 import AppTest

from analyzer.files.tables import InputPitch
from analyzer.page import courtesy
from analyzer.page.courtesy import Courtesy
from analyzer.page.portfolio_run import read_many
from analyzer.page.portfolio_work import RunChoices
from analyzer.settings import KEYWORDS, Settings
from tests.page.visitor import OWN_PITCH

LONG = 60.0
"""Seconds that no test waits for."""


def waiting(manners: Courtesy, longest: float = LONG) -> tuple[Event, Event]:
    """Work that gives way once, in a thread: whether it has begun, and whether it went on."""
    began, went_on = Event(), Event()

    def work() -> None:
        began.set()
        manners.give_way(longest)
        went_on.set()

    Thread(target=work, daemon=True).start()
    return began, went_on


def test_work_waits_until_no_page_is_drawn() -> None:
    manners = Courtesy()
    with manners.drawing():
        with manners.drawing():
            began, went_on = waiting(manners)
            assert began.wait(LONG)
        assert not went_on.is_set()  # the outer page is drawn still

    assert went_on.wait(LONG)


def test_work_waits_for_what_a_browser_will_probably_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courtesy, "_SOON", LONG)
    manners = Courtesy()
    manners.expect()
    began, went_on = waiting(manners)
    assert began.wait(LONG)
    assert not went_on.is_set()


def test_pages_that_are_drawn_all_the_time_do_not_stop_the_work() -> None:
    manners = Courtesy()
    with manners.drawing():
        _, went_on = waiting(manners, longest=0.01)
        assert went_on.wait(LONG)


def test_a_page_that_ends_early_is_drawn_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    manners = Courtesy()
    monkeypatch.setattr(courtesy, "server", manners)

    @courtesy.drawn_first
    def broken() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        broken()
    _, went_on = waiting(manners)
    assert went_on.wait(LONG)


def test_a_run_gives_way_before_each_pitch(monkeypatch: pytest.MonkeyPatch) -> None:
    gave_way: list[int] = []
    monkeypatch.setattr(courtesy.server, "give_way", lambda: gave_way.append(1))
    pitches = [InputPitch(f"row {number}", f"p{number}", f"{OWN_PITCH} {number}") for number in range(3)]

    run = read_many(pitches, 3, "pitches.csv", settings=Settings(), options=RunChoices(KEYWORDS))

    assert run.work.done.wait(LONG)
    assert len(run.work.items) == 3
    assert len(gave_way) >= 3


def test_drawing_any_page_counts(monkeypatch: pytest.MonkeyPatch, page: AppTest) -> None:
    drawn: list[Courtesy] = []
    begin = Courtesy.drawing

    def noted(manners: Courtesy) -> AbstractContextManager[None]:
        drawn.append(manners)
        return begin(manners)

    monkeypatch.setattr(Courtesy, "drawing", noted)

    page.run()

    assert drawn == [courtesy.server]
