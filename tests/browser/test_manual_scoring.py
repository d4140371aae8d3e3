"""Manual scoring in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from analyzer.files.manual_scores import VALUES
from tests.browser import harness
from tests.page.test_manual_scoring import BESIDE


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store: Path = tmp_path_factory.mktemp("scoring") / "store.db"
    with harness.served_page({"PITCH_MODEL": "keywords", "PITCH_STORE": f"sqlite:///{store}"}) as address:
        yield address


@pytest.fixture
def scored_by(opened: Callable[..., Page]) -> Callable[[str, int], Page]:
    """The page for a rater in a window of a width, with a sample chosen. The store is that of all tests here."""

    def open_page(rater: str, width: int) -> Page:
        page = opened(width=width, path="/score")
        page.get_by_role("combobox", name="Sample").click()
        page.get_by_role("option", name="Website: labels sound recordings").click()
        page.get_by_role("textbox", name="Rater").fill(rater)
        page.get_by_role("textbox", name="Rater").press("Enter")
        page.get_by_role("button", name=re.compile("^Save")).wait_for()
        return page

    return open_page


def test_a_pitch_is_scored_next_to_its_text_and_then_compared_with_a_reading(
    scored_by: Callable[[str, int], Page],
) -> None:
    page = scored_by("anna", 1280)
    urgency = page.get_by_role("radiogroup", name="Urgency", exact=True)
    urgency.get_by_text("Important", exact=True).click()
    expect(page.get_by_text(f"1 of {len(VALUES)} signals looked at.")).to_be_visible()
    expect(page.get_by_role("region", name="The pitch")).to_be_in_viewport()
    expect(page.get_by_role("heading", name=BESIDE)).to_have_count(0)

    page.get_by_role("link", name="The framework").click()
    expect(page.get_by_role("heading", name="Signals")).to_be_visible()
    page.get_by_role("link", name="Manual scoring").click()
    expect(urgency.get_by_role("radio", name="Important")).to_be_checked()
    page.keyboard.press("Control+s")
    page.get_by_role("button", name=f"Silent on the other {len(VALUES) - 1}: save").click()

    expect(page.get_by_role("heading", name=BESIDE)).to_be_visible()
    expect(page.get_by_text(re.compile("^Read by keywords"))).to_be_visible()
    expect(page.get_by_text("History of edits: saved once")).to_be_visible()


def test_on_a_phone_the_pitch_is_above_the_form(scored_by: Callable[[str, int], Page]) -> None:
    page = scored_by("bo", 390)
    pitch = page.get_by_role("region", name="The pitch").bounding_box()
    form = page.get_by_role("radiogroup", name="In scope", exact=True).bounding_box()

    assert pitch is not None and form is not None
    assert pitch["y"] + pitch["height"] < form["y"]
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390


def test_one_signal_at_a_time_goes_by_keys_and_the_progress_stays_in_sight(
    scored_by: Callable[[str, int], Page],
) -> None:
    page = scored_by("cleo", 1280)
    page.get_by_text("One at a time", exact=True).click()
    expect(page.get_by_role("heading", level=2, name="Stage")).to_be_visible()
    page.get_by_role("heading", level=2, name="Stage").click()

    page.keyboard.press("2")
    expect(page.get_by_role("heading", level=2, name="Focus")).to_be_visible()
    expect(page.get_by_text(f"1 of {len(VALUES)} signals looked at.")).to_be_visible()
    page.keyboard.press("1")
    expect(page.get_by_text(f"2 of {len(VALUES)} signals looked at, 1 of them silent.")).to_be_visible()
    page.keyboard.press("p")
    expect(page.get_by_role("heading", level=2, name="Focus")).to_be_visible()

    page.get_by_text("All signals", exact=True).click()
    last = page.get_by_role("textbox", name="Overall")
    last.scroll_into_view_if_needed()
    expect(page.get_by_text(f"2 of {len(VALUES)} signals looked at, 1 of them silent.")).to_be_in_viewport()
