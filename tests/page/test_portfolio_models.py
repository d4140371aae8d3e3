"""Who reads a portfolio: a model that the visitor connects, of any maker, and another for the second look; no key stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import respx
from streamlit.testing.v1 import AppTest

from analyzer.page import access, open_portfolios
from analyzer.page.connect import Connection, settings_with
from analyzer.page.portfolio_run import Place
from analyzer.page.portfolio_work import RunChoices
from analyzer.settings import Settings
from analyzer.store.store import Store
from tests.completions import PITCH, answer, completion
from tests.page.test_portfolio import done, drawn, page_of, start, with_table
from tests.page.test_portfolio_address import at
from tests.page.visitor import button, visit

KEY, OTHER_KEY = "sk-a-secret-of-this-visit", "sk-another-secret"
OPENAI, MISTRAL, OWN = "https://api.openai.com/v1", "https://api.mistral.ai/v1", "http://localhost:8000/v1"
CHAT = "/chat/completions"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Somebody who sits at this machine, which has a store of its own and no key."""
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "MISTRAL_API_KEY", "PITCH_MODEL", "PITCH_VERIFY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PITCH_STORE", f"sqlite:///{tmp_path / 'store.db'}")
    monkeypatch.setattr(access, "owner", lambda: access.LOCAL)
    monkeypatch.setattr("analyzer.page.connect.find_local_servers", lambda _: [])
    yield
    open_portfolios._runs.clear()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


@pytest.fixture
def restart() -> Callable[[], None]:
    """Empties the server's memory, as its end does."""
    return open_portfolios._runs.clear


def answering(router: respx.MockRouter, *hosts: str) -> list[respx.Route]:
    return [router.post(f"{host}{CHAT}").mock(return_value=completion(answer())) for host in hosts]


def keys_sent(route: respx.Route) -> set[str]:
    return {call.request.headers["authorization"].removeprefix("Bearer ") for call in route.calls}


def connected(place: str, name: str, key: str = "", address: str = "") -> AppTest:
    """The page with a table and the fields filled in."""
    page = with_table()
    page.selectbox(key="portfolio_reader").set_value("A model").run()
    page.selectbox(key="place").set_value(place).run()
    page.text_input(key="model").set_value(name)
    if key:
        page.text_input(key="model_key").set_value(key)
    if address:
        page.text_input(key="model_address").set_value(address)
    return page.run()


def read_all(page: AppTest) -> Any:
    """Starts, and says yes to what it costs."""
    button(page, "Start").click().run()
    assert not page.error, page.error[0].value
    button(page, "Read 3 pitches").click().run()
    run = visit(page).portfolio.run
    assert run is not None
    return done(run)


def test_a_model_that_is_connected_reads_a_portfolio_and_its_key_stays_nowhere(
    respx_mock: respx.MockRouter, tmp_path: Path
) -> None:
    (route,) = answering(respx_mock, MISTRAL)
    page = connected("Mistral", "small", KEY)

    work = read_all(page)

    assert work.progress.done == 2 and keys_sent(route) == {KEY}
    assert KEY not in repr(work) and KEY not in drawn(page.run()) and KEY not in str(page.query_params)
    assert KEY.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())


def test_a_missing_key_of_any_maker_is_said_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    page = connected("Mistral", "small")
    button(page, "Start").click().run()
    assert "mistral/small needs a key; type it under Read by" in page.error[0].value

    monkeypatch.setenv("PITCH_VERIFY", "openai/gpt-4.1-mini")
    page = connected("Mistral", "small", KEY)
    assert page.text_input(key="verifier_key").label.startswith("Key for `openai`, for the second look")
    button(page, "Start").click().run()
    assert "openai/gpt-4.1-mini needs a key" in page.error[0].value
    assert visit(page).portfolio.run is None


def test_neither_a_server_of_ones_own_nor_its_key_is_for_the_model_of_the_second_look(
    respx_mock: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITCH_VERIFY", "openai/gpt-4.1-mini")
    own, openai = answering(respx_mock, OWN, OPENAI)
    page = connected("A server of your own", "openai/house", KEY, OWN)
    page.text_input(key="verifier_key").set_value(OTHER_KEY).run()

    work = read_all(page)

    assert work.ended is None and work.options.server == OWN
    assert (keys_sent(own), keys_sent(openai)) == ({KEY}, {OTHER_KEY})


def test_the_model_of_the_second_look_is_asked_with_settings_of_its_own() -> None:
    taker = "openai/gpt-4.1-mini"
    own = settings_with(Connection("openai/house", KEY, OWN), "openai/house", taker)
    assert (own.openai_base_url, own.asking(taker).openai_base_url) == (OWN, None)
    assert KEY not in own.asking(taker).keys.values() and KEY not in repr(own)

    same_maker = settings_with(Connection("openai/gpt-6-luna", KEY), "openai/gpt-6-luna", taker)
    assert same_maker.asking(taker).keys["openai"] == KEY


@pytest.mark.parametrize(
    ("model", "host"), [("openai/gpt-4.1-mini", OPENAI), ("mistral/small", MISTRAL)], ids=["OpenAI", "another maker"]
)
def test_going_on_asks_for_a_key_that_is_not_set_and_writes_it_down_nowhere(
    respx_mock: respx.MockRouter, store: Store, tmp_path: Path, restart: Callable[[], None], model: str, host: str
) -> None:
    (route,) = answering(respx_mock, host)
    run = start(PITCH, settings=Settings.from_environment(), place=Place(access.LOCAL, store), model=model)
    assert done(run).ended is not None
    restart()

    page = at(run=run.work.id)
    button(page, "Go on: read 1 more").click().run()
    assert f"{model} needs a key" in page.error[0].value
    page.text_input(key="portfolio_key").set_value(KEY)
    button(page, "Go on: read 1 more").click().run()
    work = done(visit(page).portfolio.run or run)

    assert work.ended is None and len(work.items) == 1 and keys_sent(route) == {KEY}
    assert "portfolio_key" not in page.session_state or not page.session_state["portfolio_key"]
    assert KEY.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert KEY not in repr(work)


@pytest.mark.respx(assert_all_called=False)
def test_a_run_on_a_server_of_ones_own_goes_on_there_and_nowhere_else(
    respx_mock: respx.MockRouter, store: Store, monkeypatch: pytest.MonkeyPatch, restart: Callable[[], None]
) -> None:
    own, openai = answering(respx_mock, OWN, OPENAI)
    monkeypatch.setenv("OPENAI_API_KEY", "the key of the page")
    settings = Connection("openai/house", "", OWN).applied_to(Settings.from_environment())
    run = start(
        PITCH, f"{PITCH} 2", settings=settings, place=Place(access.LOCAL, store), model="openai/house", server=OWN
    )
    run.work.stop.set()
    work = done(run)
    if not work.waiting:
        pytest.skip("the run was faster than its end")
    before = own.call_count
    restart()

    page = at(run=work.id)
    assert "at localhost:8000" in drawn(page)
    button(page, f"Go on: read {len(work.waiting)} more").click().run()
    done(visit(page).portfolio.run or run)

    assert own.call_count > before and not openai.called
    assert "the key of the page" not in keys_sent(own)


def test_an_address_is_written_down_without_its_password() -> None:
    from analyzer.page.portfolio_work import without_credentials

    assert (
        without_credentials("https://ann:secret@models.example:8000/v1?key=secret") == "https://models.example:8000/v1"
    )
    assert without_credentials("") == "" and RunChoices().server == ""


def test_readings_are_part_of_the_question_and_of_the_run(
    respx_mock: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITCH_READINGS", "2")
    (route,) = answering(respx_mock, MISTRAL)
    page = connected("Mistral", "small", KEY)
    assert page.number_input(key="portfolio_readings").value == 2
    button(page, "Start").click().run()
    assert "3 pitches, 2 readings of each, 1 that cannot be read" in drawn(page)

    page.number_input(key="portfolio_readings").set_value(3).run()
    assert "readings of each" not in drawn(page), "what was estimated no longer holds"
    work = read_all(page)

    assert work.options.readings == 3 and route.call_count >= 6
    assert work.ranked_item(0).assessment().signals.readings == 3


def test_the_page_of_a_portfolio_that_goes_on_knows_how_it_was_read(store: Store, restart: Callable[[], None]) -> None:
    run = start(PITCH, place=Place(access.LOCAL, store), readings=3, server=OWN, verify="openai/x")
    done(run)
    restart()
    found = open_portfolios.find(run.work.id, access.LOCAL, lambda: store)
    assert found is not None and done(found).options == run.work.options
    assert page_of().run()


def test_an_address_that_is_half_typed_is_refused_and_breaks_nothing() -> None:
    page = connected("A server of your own", "openai/own", address="http://[::1")
    button(page, "Start").click().run()
    assert not page.exception
    assert "the address of the server is not a URL" in page.error[0].value
