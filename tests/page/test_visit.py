"""A visit to the page: nothing typed, chosen or running is lost by a look at another page, and nothing goes wrong in silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from streamlit.testing.v1 import AppTest

from analyzer.page import presence
from analyzer.page.analysis import Analysis
from analyzer.reading.readers import Choice
from analyzer.vocabulary.signals import Signals
from tests.page.visitor import (
    OWN_PITCH,
    ROOT,
    FixedReader,
    SlowReader,
    analysis,
    analyze,
    button,
    markup,
    portfolio_work,
)

BAD_FILE = ("deck.pdf", b"no PDF", "application/pdf")
NOT_A_PDF = "deck.pdf is named .pdf but is not a PDF"
PAGES = ("Portfolio", "History", "Compare", "Manual scoring", "The framework", "The market map")


def field(page: AppTest) -> str:
    return str(page.text_area[0].value)


def choose(page: AppTest, name: str, data: bytes) -> AppTest:
    page.file_uploader[0].set_value((name, data, "text/plain")).run()
    assert not page.exception
    return page


def whole_page() -> AppTest:
    """All pages of a visit, with a choice of page that a test can make."""

    def script() -> None:
        from importlib import import_module

        import streamlit as st

        names = ("analyze", "portfolio", "history", "compare", "manual_scoring", "framework")
        import_module(f"analyzer.page.{st.radio('Page', names)}").show()

    return AppTest.from_function(script, default_timeout=60).run()


def go(page: AppTest, name: str) -> AppTest:
    next(found for found in page.radio if found.label == "Page").set_value(name)
    page.run()
    assert not page.exception
    return page


# ---------------------------------------------------------------- what is analyzed is what is in the field


def test_after_a_file_that_cannot_be_read_no_other_text_is_analyzed(
    page: AppTest, reads: Callable[..., FixedReader]
) -> None:
    reader = reads(Signals())
    analyze(page, OWN_PITCH)

    page.file_uploader[0].set_value(BAD_FILE).run()
    assert NOT_A_PDF in page.error[0].value
    assert field(page) == ""

    button(page, "Analyze").click().run()
    assert [NOT_A_PDF in error.value for error in page.error] == [True]
    assert reader.asked == 1


def test_the_text_that_a_file_took_the_place_of_can_be_put_back(page: AppTest) -> None:
    page.text_area[0].set_value(OWN_PITCH).run()
    page.file_uploader[0].set_value(BAD_FILE).run()

    button(page, "Restore the previous text").click().run()

    assert field(page) == OWN_PITCH
    assert not page.error


@pytest.mark.parametrize("other", ["file", "sample"])
def test_a_typed_text_is_not_lost_to_a_file_or_a_sample(page: AppTest, other: str) -> None:
    page.text_area[0].set_value(OWN_PITCH).run()

    if other == "file":
        choose(page, "deck.md", b"Another pitch.")
    else:
        page.selectbox(key="sample").set_value("taperline").run()
    assert field(page) != OWN_PITCH

    button(page, "Restore the previous text").click().run()
    assert field(page) == OWN_PITCH
    assert page.selectbox(key="sample").value is None


def test_what_was_wrong_with_a_file_is_forgotten_with_the_file(page: AppTest) -> None:
    page.file_uploader[0].set_value(BAD_FILE).run()
    page.file_uploader[0].set_value(None).run()
    assert not page.error

    page.file_uploader[0].set_value(BAD_FILE).run()
    page.text_area[0].set_value(OWN_PITCH).run()
    assert not page.error
    button(page, "Analyze").click().run()
    assert analysis(page).pitch.text == OWN_PITCH


def test_a_reading_under_way_is_not_dropped_for_an_assessment_from_elsewhere(
    monkeypatch: pytest.MonkeyPatch, slow_reader: SlowReader
) -> None:
    monkeypatch.setattr("analyzer.page.access.owner", lambda: "local")
    page = whole_page()
    analyze(page, OWN_PITCH)
    analysis(page).result.result(60)
    page.run()
    monkeypatch.setattr("analyzer.page.analysis.choose", lambda *_: Choice(slow_reader))
    analyze(page, f"{OWN_PITCH} Really.")
    under_way: Analysis = analysis(page)

    go(page, "history")
    button(page, "Show").click().run()

    assert "a model is still reading" in page.error[0].value
    assert analysis(page) is under_way
    assert not under_way.result.done()
    under_way.result.cancel()


# ---------------------------------------------------------------- other files that cannot be read


def test_a_portfolio_stays_where_another_cannot_be_started() -> None:
    page = go(whole_page(), "portfolio")
    button(page, "Use the samples").click().run()
    portfolio_work(page).done.wait(60)
    page.run()

    page.file_uploader[0].set_value(("broken.csv", b"\xff\xfe\x00", "text/csv")).run()
    page.selectbox(key="portfolio_reader").set_value("Keywords").run()
    button(page, "Start").click().run()

    assert "Not started: broken.csv" in page.error[0].value
    assert "The results below are still those of: The samples" in markup(page)
    assert "15 in scope, 1 out of scope." in markup(page)


def test_a_removed_or_unread_file_is_not_scored() -> None:
    def script() -> None:
        from analyzer.page import manual_scoring

        manual_scoring.show()

    page = AppTest.from_function(script, default_timeout=30).run()
    page.radio[0].set_value("A file").run()
    choose(page, "deck.md", OWN_PITCH.encode())
    assert OWN_PITCH in markup(page)

    page.file_uploader[0].set_value(BAD_FILE).run()
    assert OWN_PITCH not in markup(page)
    page.run()
    assert NOT_A_PDF in page.error[0].value

    choose(page, "deck.md", OWN_PITCH.encode())
    page.file_uploader[0].set_value(None).run()
    assert OWN_PITCH not in markup(page) and not page.error


@pytest.mark.slow
def test_figures_of_other_files_than_those_chosen_say_so() -> None:
    page = go(whole_page(), "compare")
    button(page, "Use the samples").click().run()
    assert "These figures are for the previous files" not in markup(page)

    page.file_uploader[0].set_value([("a.json", b"{}", "application/json")]).run()
    assert "These figures are for the previous files. Press Compare to update them." in markup(page)

    button(page, "Use the samples").click().run()
    assert "These figures are for the previous files" not in markup(page)


# ---------------------------------------------------------------- a look elsewhere


def held(page: AppTest) -> dict[str, Any]:
    """What every field on the page holds, but for the choice of page itself."""
    kinds = ("text_area", "text_input", "selectbox", "radio", "checkbox", "toggle", "multiselect", "number_input")
    fields = [field for kind in (*kinds, "button_group") for field in page.get(kind)]
    named = {f"{type(field).__name__} {getattr(field, 'label', '')}": cast(Any, field).value for field in fields}
    return {name: value for name, value in named.items() if name != "Radio Page"}


def change_all(page: AppTest) -> None:
    """Gives every field another value than it has."""
    fields: list[Any] = [*page.checkbox, *page.toggle]
    for field in fields:
        field.set_value(not field.value)
    for field in (*page.text_area, *page.text_input):
        field.set_value("data")
    for field in page.selectbox:
        field.select_index(len(field.options) - 1)
    for field in page.radio:
        if field.label != "Page":
            field.set_value(field.options[-1])
    for field in page.multiselect:
        field.set_value(field.options[:1])
    page.run()
    assert not page.exception


def with_answer(page: AppTest) -> None:
    analyze(page, OWN_PITCH)
    analysis(page).result.result(60)
    page.run()


def with_entry(page: AppTest) -> None:
    with_answer(go(page, "analyze"))
    go(page, "history")


def with_portfolio(page: AppTest) -> None:
    button(page, "Use the samples").click().run()
    portfolio_work(page).done.wait(60)
    page.run()


def with_scores(page: AppTest) -> None:
    manual = (ROOT / "fixtures" / "manual_scores.csv").read_bytes()
    page.file_uploader[1].set_value(("m.csv", manual, "text/csv")).run()


def with_form(page: AppTest) -> None:
    page.selectbox[0].set_value("earmarker")
    page.text_input[0].set_value("data").run()


@pytest.mark.parametrize(
    ("name", "prepare"),
    [
        ("analyze", lambda page: None),
        ("analyze", with_answer),
        ("portfolio", lambda page: None),
        ("portfolio", with_portfolio),
        ("history", with_entry),
        ("compare", with_scores),
        ("manual_scoring", with_form),
    ],
    ids=["pitch", "answer", "portfolio", "ranking", "history", "compare", "scoring"],
)
def test_every_field_of_every_page_survives_a_look_elsewhere(
    monkeypatch: pytest.MonkeyPatch, name: str, prepare: Callable[[AppTest], object]
) -> None:
    monkeypatch.setattr("analyzer.page.access.owner", lambda: "local")
    page = go(whole_page(), name)
    prepare(page)
    change_all(page)
    before = held(page)
    assert before

    go(go(page, "framework"), name)

    assert held(page) == before


def test_chosen_files_survive_a_look_elsewhere_and_can_be_removed() -> None:
    page = go(whole_page(), "compare")
    page.file_uploader[0].set_value([("a.json", b"{}", "application/json")])
    page.file_uploader[1].set_value(("m.csv", b"pitch_id,rater\n", "text/csv")).run()

    go(go(page, "framework"), "compare")

    assert markup(page).count("Still chosen: ") == 2
    assert not button(page, "Compare").disabled
    page.file_uploader[0].set_value([("b.json", b"{}", "application/json")]).run()
    assert 'Still chosen: <span class="alien">a.json</span> (2 bytes)' in markup(page)

    button(page, "Remove").click().run()
    assert "a.json" not in markup(page)


def test_a_visitor_who_is_gone_has_no_pitch_read_any_more(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, slow_reader: SlowReader
) -> None:
    monkeypatch.setattr(presence, "GONE", 0.0)
    monkeypatch.setattr(presence, "_INTERVAL", 0.01)
    monkeypatch.setattr("analyzer.page.analysis.visitor", lambda: lambda: False)
    monkeypatch.setattr("analyzer.page.analysis.choose", lambda *_: Choice(slow_reader))

    analyze(page, OWN_PITCH)

    assert slow_reader.ended.wait(30)
