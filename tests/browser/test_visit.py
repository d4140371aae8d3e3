"""A visit in a browser: nothing is lost by a look at another page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser import harness
from tests.page.test_visit import PAGES
from tests.page.visitor import (
    OWN_PITCH,
)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page") / "log"


@pytest.fixture(scope="module")
def address(silent_model: tuple[int, Event], log: Path) -> Iterator[str]:
    settings = {
        "PITCH_MODEL": "",
        "PITCH_STORE": f"sqlite:///{log.with_name('s.db')}",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{silent_model[0]}/v1",
        "OPENAI_API_KEY": "not-a-key",
    }
    with harness.served_page(settings, log) as address:
        yield address


def look_elsewhere(page: Page, back: str) -> None:
    """Opens every other page, and comes back."""
    for name in (*PAGES, "Analyze a pitch", back):
        page.get_by_role("link", name=name).click()
        if name == "Analyze a pitch":  # its heading is the product, where there is one
            expect(page.locator(".st-key-analyze")).to_be_attached()
            continue
        title = {"Compare": "Compare with manual scoring"}.get(name, name)
        expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()


def file(name: str, content: str) -> FilePayload:
    return {"name": name, "mimeType": "text/csv", "buffer": content.encode()}


def test_a_look_at_all_pages_loses_neither_the_pitch_nor_the_reading(opened: Callable[..., Page]) -> None:
    page = opened(path="/?reader=openai/silent")
    page.get_by_role("textbox", name="The pitch").fill(OWN_PITCH)
    page.get_by_text("Save in History").click()
    page.get_by_role("button", name="Analyze", exact=True).click()
    expect(page.get_by_text(re.compile(r"is reading the pitch.*: \d+ s"))).to_be_visible()

    look_elsewhere(page, "Analyze a pitch")

    expect(page.get_by_role("textbox", name="The pitch")).to_have_value(OWN_PITCH)
    expect(page.get_by_role("textbox", name="Model", exact=True)).to_have_value("silent")
    expect(page.locator(".st-key-keep input")).not_to_be_checked()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("The pitch is still in the field above.")).to_be_visible()
    expect(page.get_by_role("textbox", name="The pitch")).to_have_value(OWN_PITCH)


def test_a_visit_to_everything_loses_nothing_and_leaves_no_word_in_the_log(
    opened: Callable[..., Page], log: Path
) -> None:
    page = opened(path="/?sample=cabstand")
    expect(page.locator(".pa .provenance")).to_be_visible()
    page.get_by_text("Samples", exact=True).click()
    page.get_by_role("tab", name="What if").click()
    harness.pick(page, "Who signs", "engineering leadership")
    changed = page.get_by_text("Edited after reading: Who signs.")
    expect(changed).to_be_visible()

    page.get_by_role("link", name="Portfolio").click()
    page.get_by_role("button", name="Use the samples").wait_for()
    page.locator("input[type=file]").set_input_files(file("many.csv", harness.many_pitches(60)))
    expect(page.get_by_text("Column of its id")).to_be_visible()
    harness.pick(page, "Read by", "Keywords")
    look_elsewhere(page, "Portfolio")
    expect(page.get_by_text("Still chosen: many.csv")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    ranking = page.get_by_role("heading", name="Ranking")
    expect(page.get_by_role("button", name="Stop").or_(ranking).first).to_be_visible()  # the run has begun
    page.get_by_role("link", name="The framework").click()
    page.get_by_role("link", name="Portfolio").click()
    expect(ranking).to_be_visible()
    page.get_by_role("textbox", name="Words").fill("cabstand")
    page.get_by_role("textbox", name="Words").press("Enter")
    expect(page.get_by_text("Shown: 4 of")).to_be_visible()

    page.get_by_role("link", name="Manual scoring").click()
    page.get_by_role("textbox", name="Rater").fill("anna")
    harness.pick(page, "Sample", "Website: labels sound recordings")
    page.get_by_role("radiogroup", name="Who signs").get_by_text("Engineering leadership").click()

    look_elsewhere(page, "Manual scoring")
    expect(page.get_by_role("textbox", name="Rater")).to_have_value("anna")
    expect(page.get_by_role("radio", name="Engineering leadership")).to_be_checked()
    look_elsewhere(page, "Portfolio")
    expect(page.get_by_role("textbox", name="Words")).to_have_value("cabstand")
    expect(page.get_by_text("Shown: 4 of")).to_be_visible()
    look_elsewhere(page, "Analyze a pitch")
    expect(page.get_by_role("tab", name="What if")).to_have_attribute("aria-selected", "true")
    expect(changed).to_be_visible()
    page.get_by_role("tab", name="Assessment").click()
    expect(page.locator(".pa .other")).not_to_have_count(0)

    said = [line for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert [line for line in said if not line.startswith("The page is at")] == []


def test_after_a_file_that_cannot_be_read_the_field_is_empty_and_says_why(opened: Callable[..., Page]) -> None:
    page = opened()
    box = page.get_by_role("textbox", name="The pitch")
    box.fill(OWN_PITCH)
    box.blur()
    box.press("End")
    box.type(" Not sent yet.")
    broken: Any = {"name": "deck.pdf", "mimeType": "application/pdf", "buffer": b"no PDF"}
    page.locator("input[type=file]").set_input_files(broken)

    expect(page.get_by_role("alert")).to_contain_text("deck.pdf is")
    expect(box).to_have_value("")
    page.get_by_role("button", name="Restore the previous text").click()
    expect(box).to_have_value(OWN_PITCH)
    expect(page.get_by_role("alert")).to_have_count(0)
