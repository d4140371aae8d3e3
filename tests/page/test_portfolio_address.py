"""Every state of a portfolio has an address, which opens for those who may see it, from memory or from the store."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from analyzer.errors import AnalyzerError
from analyzer.page import access, link, open_portfolios, portfolio_run
from analyzer.page.portfolio_run import Place, PortfolioRun
from analyzer.page.portfolio_work import PortfolioWork
from analyzer.reading.pitch import Pitch
from analyzer.settings import Settings
from analyzer.store.answers import StoredAnswer
from analyzer.store.store import Store
from tests.completions import PITCH
from tests.model_server import MODEL, Service, good
from tests.page.test_portfolio import done, drawn, given, page_of, shown, start
from tests.page.visitor import button, visit

ANN, BOB = "https://login.example ann", "https://login.example bob"
TEXTS = (PITCH, f"{PITCH} It also watches zeppelins.", "Fillchair finds you a seat in a restaurant near you.", "")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    monkeypatch.setenv("PITCH_STORE", url)
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def as_owner(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Makes the next visitor this owner."""
    return lambda owner: monkeypatch.setattr(access, "owner", lambda: owner)


@pytest.fixture(autouse=True)
def restart() -> Iterator[Callable[[], None]]:
    """Empties the server's memory, as its end does."""
    yield open_portfolios._runs.clear
    open_portfolios._runs.clear()


def portfolio(owner: str | None, store: Store | None = None, texts: tuple[str, ...] = TEXTS) -> PortfolioRun:
    """A finished run of this owner."""
    run = open_portfolios.enter(start(*texts, place=Place(owner, store)))
    done(run)
    return run


def at(**address: str) -> AppTest:
    """The page at an address, as a reload, a second tab or a link opens it, once it has fetched what it shows."""
    page = page_of()
    page.query_params.update(address)
    page.run()
    if visit(page).portfolio.run is not None:
        assert work_of(page).done.wait(60)
        page.run()
    return page


def work_of(page: AppTest) -> PortfolioWork:
    run = visit(page).portfolio.run
    assert run is not None
    return run.work


def address_of(page: AppTest) -> Mapping[str, Any]:
    return {name: values[0] if isinstance(values, list) else values for name, values in page.query_params.items()}


def titles(page: AppTest) -> list[str]:
    """The titles in the ranking, in their order."""
    return re.findall(r'data-pick="open:\d+" data-top="">([^<]*)<', drawn(page))


# ---------------------------------------------------------------- the same place again


def test_a_portfolio_and_a_pitch_have_an_address_that_leads_back_to_them(
    as_owner: Callable[[str | None], None],
) -> None:
    as_owner(None)
    run = portfolio(None)
    page = at(run=run.work.id)
    assert "2 in scope, 1 out of scope, 1 not read." in drawn(page)

    visit(page).portfolio.opened = 1
    page.run()
    assert address_of(page) == {"run": run.work.id, "pitch": "2"}

    again = at(**address_of(page))
    assert "zeppelins" in drawn(again)
    assert work_of(again) is run.work


def test_filters_order_and_page_are_part_of_the_address(as_owner: Callable[[str | None], None]) -> None:
    as_owner(None)
    run = portfolio(None)
    page = at(run=run.work.id)
    page.text_input(key="portfolio_words").set_value("zeppelins").run()
    page.selectbox(key="portfolio_sort").set_value("overall").run()
    page.checkbox(key="portfolio_shortlist").set_value(False).run()

    assert address_of(page) == {"run": run.work.id, "words": "zeppelins", "sort": "overall"}
    again = at(**address_of(page))
    assert again.text_input(key="portfolio_words").value == "zeppelins"
    assert "Shown: 1 of 2" in drawn(again)


def test_back_from_a_pitch_comes_to_the_portfolio_and_back_from_there_to_the_start(
    as_owner: Callable[[str | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_owner(None)
    run = portfolio(None)
    page = at(run=run.work.id, pitch="2")
    monkeypatch.setattr(link, "came_by_history", lambda: True)

    page.query_params.clear()
    page.query_params["run"] = run.work.id
    page.run()
    assert "Ranking" in drawn(page)

    page.query_params.clear()
    page.run()
    assert "Analyze many pitches at once" in drawn(page)
    assert visit(page).portfolio.run is None


@pytest.mark.parametrize(
    "address",
    [
        {"pitch": "999"}, {"pitch": "x"}, {"pitch": "-1"}, {"pitch": "²"}, {"page": "99"}, {"sort": "own:nothing"},
        {"verdict": "king"}, {"category": "<b>"}, {"words": "\x00"},
    ],
    ids=str,
)  # fmt: skip
def test_what_an_address_cannot_mean_is_dropped(
    as_owner: Callable[[str | None], None], address: Mapping[str, str]
) -> None:
    as_owner(None)
    page = at(run=portfolio(None).work.id, **address)
    assert "2 in scope" in drawn(page)


# ---------------------------------------------------------------- who may see what


@pytest.mark.parametrize("saved", [True, False], ids=["saved", "in memory"])
@pytest.mark.parametrize("other", [BOB, None, access.LOCAL])
def test_nobody_but_its_owner_opens_a_portfolio_by_its_address(
    store: Store, as_owner: Callable[[str | None], None], other: str | None, saved: bool
) -> None:
    id_ = portfolio(ANN, store if saved else None).work.id

    as_owner(other)
    for address in ({"run": id_}, {"run": id_, "pitch": "2"}):
        page = at(**address)
        assert "There is no portfolio at this address" in page.warning[0].value
        assert "Wattwise" not in drawn(page)
        assert visit(page).portfolio.run is None

    as_owner(ANN)
    assert "2 in scope" in drawn(at(run=id_))


def test_an_address_that_leads_nowhere_looks_like_one_that_belongs_to_somebody_else(
    store: Store, as_owner: Callable[[str | None], None]
) -> None:
    id_ = portfolio(ANN, store).work.id
    as_owner(BOB)
    assert at(run=id_).warning[0].value == at(run="0" * 32).warning[0].value


def test_where_visitors_cannot_be_distinguished_a_portfolio_opens_for_anyone_with_its_address_and_says_so(
    as_owner: Callable[[str | None], None],
) -> None:
    as_owner(None)
    id_ = portfolio(None).work.id
    assert re.fullmatch("[0-9a-f]{32}", id_)
    assert "whoever has the address of this page can see it" in drawn(at(run=id_))


def test_one_visitors_list_shows_nobody_elses_portfolios(store: Store, as_owner: Callable[[str | None], None]) -> None:
    portfolio(ANN, store)
    portfolio(ANN)
    as_owner(BOB)
    assert "t.csv" not in drawn(page_of().run())
    as_owner(ANN)
    assert drawn(page_of().run()).count("t.csv") == 2


# ---------------------------------------------------------------- after the end of the server


def test_a_portfolio_comes_back_whole_after_a_restart(
    store: Store, as_owner: Callable[[str | None], None], restart: Callable[[], None]
) -> None:
    as_owner(ANN)
    before = portfolio(ANN, store)
    before.choose(1, True)
    restart()

    work = work_of(at(run=before.work.id))

    assert work is not before.work
    assert [item.result.number for item in work.items] == [0, 1, 2, 3]
    originals = {item.result.number: item for item in before.work.items}
    for item in work.items:
        original = originals[item.result.number]
        assert (item.result.id, item.source, item.columns) == (original.result.id, original.source, original.columns)
        if original.compressed_assessment is not None:
            assert item.assessment() == original.assessment()
            assert item.text() == original.text()
    assert [entry.id for entry, _ in work.ranked] == [entry.id for entry, _ in before.work.ranked]
    assert (work.progress.done, dict(work.progress.failed)) == (3, {"pitch": 1})
    assert work.shortlist == {1}


def test_what_was_in_memory_only_is_gone_after_a_restart_and_that_is_said(
    as_owner: Callable[[str | None], None], restart: Callable[[], None]
) -> None:
    as_owner(ANN)
    id_ = portfolio(ANN).work.id
    restart()
    assert "only in the memory of a server that has ended" in at(run=id_).warning[0].value


def test_a_run_that_was_interrupted_goes_on_after_a_restart_and_nothing_is_asked_twice(
    store: Store, as_owner: Callable[[str | None], None], restart: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_owner(ANN)
    texts = [f"{PITCH} Number {number}." for number in range(60)]
    answered: list[str] = []
    run: PortfolioRun

    def answer(pitch: str, time: int) -> Any:
        answered.append(pitch)
        if len(answered) == 2:
            run.work.stop.set()
        return good()

    with Service(answer) as service:
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        settings = Settings.from_environment()
        run = start(*texts, settings=settings, place=Place(ANN, store), model=MODEL, save_answers=False)
        open_portfolios.enter(run)
        done(run)
        read = len(run.work.items)
        restart()

        page = at(run=run.work.id)
        assert f"Stopped: {60 - read} of 60 pitches were not read." in drawn(page)
        button(page, f"Go on: read {60 - read} more").click().run()
        work = done(visit(page).portfolio.run or run)

        assert service.asked.total() == 60
    assert sorted(item.result.number for item in work.items) == list(range(60))
    assert work.progress.usage.requests == 60
    saved = store.portfolios.find(ANN, work.id)
    assert saved is not None and (saved.finished, saved.total) == (60, 60)


def test_a_run_that_another_server_goes_on_with_stops_and_says_so(store: Store) -> None:
    run = start(*[f"{PITCH} {n}" for n in range(30)], place=Place(ANN, store))
    run.work.stop.set()
    done(run)
    assert store.portfolios.claim(ANN, run.work.id) is not None

    run.work.stop.clear()
    run.start(lambda started: portfolio_run._read(started, Settings()))

    assert "another server goes on with it" in str(done(run).unsaved)


def test_a_store_that_fails_costs_the_run_nothing_and_the_page_says_so(
    store: Store, as_owner: Callable[[str | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_owner(ANN)

    def fail(*_: object, **__: object) -> None:
        from analyzer.errors import StoreError

        raise StoreError("the disk is full")

    monkeypatch.setattr("analyzer.store.portfolios.PortfolioTable.save_results", fail)
    run = portfolio(ANN, store)

    assert len(run.work.items) == 4
    assert "Not all of this is saved: the disk is full" in drawn(shown(run.work))


# ---------------------------------------------------------------- History


def history() -> AppTest:
    def script() -> None:
        from analyzer.page import history

        history.show()

    return AppTest.from_function(script, default_timeout=30).run()


def test_history_lists_opens_and_deletes_portfolios_with_their_answers(
    store: Store, as_owner: Callable[[str | None], None]
) -> None:
    as_owner(ANN)
    run = portfolio(ANN, store)
    store.portfolios.create(owner=BOB, name="bob.csv", model="m", options={})
    sha = Pitch.from_text(PITCH).ref.sha256 or ""
    store.answers.save([StoredAnswer("k", "m", "p", "s", sha, 0, "{}")])
    page = history()
    assert "t.csv" in drawn(page) and "4 pitches" in drawn(page) and "bob.csv" not in drawn(page)

    page.button(key=f"history-open:{run.work.id}").click().run()
    assert visit(page).portfolio.run is run and visit(page).go_to_portfolio

    page.checkbox(key=f"history-pick-portfolio:{run.work.id}").check().run()
    button(page, "Delete 1 selected").click().run()
    assert "Delete one portfolio for good?" in drawn(page)
    button(page, "Delete for good").click().run()

    assert "Deleted one portfolio" in page.success[0].value
    assert store.portfolios.search(ANN) == [] and len(store.portfolios.search(BOB)) == 1
    assert store.answers.find(["k"]) == {}
    assert run.work.deleted
    assert "There is no portfolio at this address" in shown(run.work).warning[0].value


def test_delete_all_takes_the_portfolios_too_and_ends_what_runs(
    store: Store, as_owner: Callable[[str | None], None]
) -> None:
    as_owner(ANN)
    saved, unsaved = portfolio(ANN, store), portfolio(ANN)
    page = history()
    button(page, "Delete all").click().run()
    button(page, "Delete for good").click().run()

    assert store.portfolios.count() == 0
    assert saved.work.deleted and unsaved.work.deleted
    for run in (saved, unsaved):
        assert at(run=run.work.id).warning


def test_a_portfolio_that_nobody_looks_at_leaves_the_memory_and_one_under_way_does_not(
    store: Store, monkeypatch: pytest.MonkeyPatch, restart: Callable[[], None]
) -> None:
    monkeypatch.setattr(open_portfolios, "KEPT", -1.0)
    run = portfolio(None)
    open_portfolios.tidy()
    assert run.work.id not in open_portfolios._runs

    under_way = PortfolioRun(PortfolioWork("t.csv", reads_pitches=True))
    open_portfolios.enter(under_way)
    open_portfolios.tidy()
    assert under_way.work.id in open_portfolios._runs


def test_errors_keep_their_kinds_in_the_store(store: Store, restart: Callable[[], None]) -> None:
    run = portfolio(ANN, store, texts=(PITCH, ""))
    restart()
    again = open_portfolios.find(run.work.id, ANN, lambda: store)
    assert again is not None
    done(again)
    errors: list[AnalyzerError | None] = [item.result.error for item in again.work.items]
    assert [error and error.kind for error in errors] == [None, "pitch"]
    assert given(PITCH)[0].text == again.work.items[0].text()
