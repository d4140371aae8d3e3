"""The page for one pitch by keyboard only, from a newcomer's first look to an edited signal and back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import harness
from tests.browser.conftest import PATIENCE
from tests.page.visitor import OWN_PITCH

_MOST: Final = 200
"""Steps with Tab after which a place counts as out of reach."""


def go_to(page: Page, place: Locator, key: str = "Tab") -> None:
    """Presses Tab until the focus is there."""
    for _ in range(_MOST):
        if place.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError("Tab does not lead there")


def test_a_newcomer_needs_no_mouse_from_the_pitch_to_what_if_and_back(browser: Browser, tmp_path: Path) -> None:
    with harness.served_page({"PITCH_MODEL": "", "PITCH_STORE": f"sqlite:///{tmp_path / 's.db'}"}) as address:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_role("button", name="Open the example")).to_be_visible()
        expect(page.locator(".pa-submit[data-ready]")).to_be_attached()

        go_to(page, page.get_by_role("textbox", name="The pitch"))
        page.keyboard.insert_text(OWN_PITCH)
        page.keyboard.press("Control+Enter")
        expect(page.locator(".pa .provenance")).to_be_attached()
        expect(page.locator(".pa.head h1")).to_be_focused()
        expect(page.get_by_role("button", name="Open the example")).to_have_count(0)

        quote = page.locator(".pa .reasons a[data-quote]").first
        go_to(page, quote)
        expect(page.locator("mark.lit").first).to_have_text(quote.inner_text())
        page.keyboard.press("Enter")
        expect(page.locator("mark.chosen").first).to_be_in_viewport()
        expect(quote).to_be_focused()

        go_to(page, page.get_by_role("tab", name="Assessment"), "Shift+Tab")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(page.get_by_role("tab", name="What if")).to_have_attribute("aria-selected", "true")
        field = page.get_by_role("combobox", name="Who signs")
        expect(field).to_be_attached()
        go_to(page, field)
        page.keyboard.press("ArrowDown")
        page.keyboard.type("engineering leadership")
        page.keyboard.press("Enter")
        expect(page.locator(".pa.effect")).to_contain_text("read: ")
        expect(page).to_have_url(re.compile("set=buyer"))

        go_to(page, page.get_by_role("tab", name="What if"), "Shift+Tab")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Enter")
        expect(page.get_by_role("tab", name="Assessment")).to_have_attribute("aria-selected", "true")
        expect(page.get_by_text("Edited after reading: Who signs.")).to_be_visible()
        context.close()
