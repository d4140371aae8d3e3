"""The page's link leads back to what was open, and never holds a pitch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from analyzer.page import link
from analyzer.page.presence import Visitor
from analyzer.reading.readers import Choice
from analyzer.vocabulary.signals import Signals
from tests.page.visitor import (
    OWN_PITCH,
    FixedReader,
    SlowReader,
    analysis,
    analyze,
    button,
    markup,
    opened_at,
    visit,
    what_if,
)


def test_a_link_leads_back_to_sample_tab_and_changes(page: AppTest) -> None:
    page.selectbox(key="sample").set_value("cabstand").run()
    what_if(page, buyer="engineering_leadership")
    page.multiselect(key="set:competitors").set_value(["0", "in_house"]).run()
    link = {name: values[0] if isinstance(values, list) else values for name, values in page.query_params.items()}
    assert link == {
        "sample": "cabstand",
        "tab": "What if",
        "set": "buyer:engineering_leadership,competitors:0 in_house",
    }

    again = opened_at(**link)

    assert markup(again) == markup(page)
    assert again.selectbox(key="set:buyer").value == "engineering_leadership"


def test_a_link_never_holds_a_pasted_pitch(page: AppTest, reads: Callable[..., FixedReader]) -> None:
    reads(Signals())
    analyze(page, OWN_PITCH)
    what_if(page, buyer="practitioner")

    assert set(page.query_params) == {"tab", "set", "analysis"}
    assert "Testbed" not in str(page.query_params.values())


def test_an_own_pitch_has_an_address_that_leads_back_to_it_with_its_edits(
    page: AppTest, reads: Callable[..., FixedReader]
) -> None:
    reader = reads(Signals(product="Testbed"))
    analyze(page, OWN_PITCH)
    what_if(page, buyer="practitioner")
    link = {name: str(value[0] if isinstance(value, list) else value) for name, value in page.query_params.items()}

    again = opened_at(**link)

    assert again.text_area(key="text").value == OWN_PITCH
    assert again.selectbox(key="set:buyer").value == "practitioner"
    assert reader.asked == 1


def test_an_address_that_the_server_does_not_remember_says_so() -> None:
    page = opened_at(analysis="AAAAAAAAAAAAAAAAAAAAAA")

    assert "not in the server's memory any more" in page.error[0].value


@pytest.mark.parametrize(
    "query",
    [
        {"sample": "../../etc/passwd"},
        {"sample": "cabstand", "set": "buyer:king,nonsense,:,problems.9.stage:day_1,competitors:99"},
        {"reader": "<b>/x"},
        {"tab": "Nowhere", "set": "buyer:practitioner"},
    ],
    ids=["no sample", "no change", "no reader", "no tab"],
)
def test_a_link_that_means_nothing_is_passed_over(query: dict[str, str]) -> None:
    page = opened_at(**query)

    assert not page.exception
    assert not page.error
    assert "Edited after reading" not in markup(page)


def test_a_link_has_nothing_read_by_a_model(reads: Callable[..., FixedReader], monkeypatch: pytest.MonkeyPatch) -> None:
    reader = reads(Signals())

    page = opened_at(sample="cabstand", reader="openai/expensive")

    assert reader.asked == 0
    assert page.selectbox(key="place").value == "OpenAI"
    assert page.text_input(key="model").value == "expensive"
    assert str(page.text_area(key="text").value).startswith("Cabstand")


# ---------------------------------------------------------------- addresses of any page


def place() -> AppTest:
    """A page with one choice, which its address holds."""

    def script() -> None:
        import streamlit as st

        from analyzer.page import link

        arrived = link.arrival("place")
        if arrived is not None:
            st.session_state["choice"] = arrived.get("choice", "none")
        chosen = st.radio("Choice", ("none", "one", "two"), key="choice")
        link.show({"choice": None if chosen == "none" else chosen, "other": ""})

    return AppTest.from_function(script, default_timeout=30)


def test_a_reload_and_a_second_tab_come_to_the_place_that_the_address_names() -> None:
    page = place().run()
    page.radio(key="choice").set_value("two").run()
    assert dict(page.query_params) == {"choice": "two"}

    again = place()
    again.query_params.update(page.query_params)
    again.run()

    assert again.radio(key="choice").value == "two"


def test_a_click_is_not_undone_by_an_address_that_is_not_up_to_date_yet() -> None:
    page = place().run()
    page.radio(key="choice").set_value("two").run()
    page.query_params["choice"] = "one"

    page.run()

    assert page.radio(key="choice").value == "two"


@pytest.mark.parametrize(("address", "choice"), [({"choice": "one"}, "one"), ({}, "none")])
def test_back_and_forward_come_to_the_place_that_the_address_names(
    monkeypatch: pytest.MonkeyPatch, address: dict[str, str], choice: str
) -> None:
    page = place().run()
    page.radio(key="choice").set_value("two").run()
    page.query_params.clear()
    page.query_params.update(address)

    monkeypatch.setattr(link, "came_by_history", lambda: True)
    page.run()

    assert page.radio(key="choice").value == choice


# ---------------------------------------------------------------- a reading under way


def _address(page: AppTest) -> dict[str, str]:
    return {name: str(value[0] if isinstance(value, list) else value) for name, value in page.query_params.items()}


@pytest.fixture
def under_way(page: AppTest, monkeypatch: pytest.MonkeyPatch, slow_reader: SlowReader) -> AppTest:
    """The page while a model reads a pitch that is not to be saved."""
    monkeypatch.setattr("analyzer.page.analysis.choose", lambda *_: Choice(slow_reader))
    if any(toggle.key == "keep" for toggle in page.toggle):
        page.toggle(key="keep").set_value(False)
    return analyze(page, OWN_PITCH)


def test_a_reload_while_a_model_reads_comes_back_to_that_reading(under_way: AppTest, slow_reader: SlowReader) -> None:
    again = opened_at(**_address(under_way))

    assert again.text_area(key="text").value == OWN_PITCH
    assert analysis(again) is analysis(under_way)
    assert any("is reading the pitch" in said.value for said in again.markdown)
    button(again, "Cancel").click().run()
    assert slow_reader.ended.wait(10)
    assert "Cancelled after " in again.info[0].value
    assert "Cancelled (on another tab" in under_way.run().info[0].value


def test_what_one_tab_does_not_show_any_more_another_tab_goes_on_with(
    under_way: AppTest, monkeypatch: pytest.MonkeyPatch, slow_reader: SlowReader
) -> None:
    current = analysis(under_way)
    current.watchers.add(Visitor("another tab"))

    current.leave()

    assert not current.result.cancelled()
    monkeypatch.setattr(Visitor, "__call__", lambda _: False)
    current.leave()
    assert slow_reader.ended.wait(10)


def test_back_from_an_answer_comes_to_the_field_with_its_pitch(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, under_way: AppTest, reads: Callable[..., FixedReader]
) -> None:
    address = _address(under_way)
    analysis(under_way).result.cancel()
    page.query_params.clear()
    page.query_params.update(address)
    monkeypatch.setattr(link, "came_by_history", lambda: True)

    page.run()

    assert page.text_area(key="text").value == OWN_PITCH
    assert visit(page).analysis is None and not page.info


def test_a_pitch_that_is_not_to_be_saved_is_not_saved_after_a_reload(
    page: AppTest, reads: Callable[..., FixedReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyzer.page.access.owner", lambda: "someone")
    reads(Signals(product="Testbed"))
    page.run()
    page.toggle(key="keep").set_value(False)
    analyze(page, OWN_PITCH)

    again = opened_at(**_address(page))

    assert again.toggle(key="keep").value is False
    assert visit(again).saved is None
