"""The page by keyboard alone, and what axe-core finds on its screens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import harness
from tests.browser.states import NARROW, STATES
from tests.page.visitor import OWN_PITCH

AXE: Any = pytest.importorskip("axe_playwright_python.sync_playwright")
SCREENS = ("answer", "what-if", "side-by-side", "portfolio", "history", "scoring-one", "compare", "framework", "market")
OF_STREAMLIT = ("stFileUploader", "stToolbar", "stSidebar", "stMultiSelect", "stNumberInput")
"""Parts of Streamlit's own, which the page cannot change."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store: Path = tmp_path_factory.mktemp("accessible") / "s.db"
    with harness.served_page({"PITCH_MODEL": "", "PITCH_STORE": f"sqlite:///{store}"}) as address:
        yield address


def found_by_axe(page: Page) -> list[str]:
    """The rules of WCAG 2.2 AA that parts of our own break, with one part each."""
    options: Any = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    rules = AXE.Axe().run(page, options=options).response["violations"]
    ours = "element => !element?.closest(" + repr(", ".join(f"[data-testid={name}]" for name in OF_STREAMLIT)) + ")"
    return [
        f"{rule['id']}: {node['html'][:160]}"
        for rule in rules
        for node in rule["nodes"]
        if page.evaluate(f"selector => ({ours})(document.querySelector(selector))", node["target"][0])
    ]


@pytest.mark.parametrize("width", [1280, NARROW])
@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing_on_our_screens(opened: Callable[..., Page], address: str, screen: str, width: int) -> None:
    page = opened(width=width)
    STATES[screen](page, address)

    assert found_by_axe(page) == []


def test_from_the_field_to_an_edit_by_keyboard_alone(opened: Callable[..., Page]) -> None:
    page = opened()
    expect(page.locator(".pa-submit[data-ready]")).to_be_attached()
    tab_to(page, page.get_by_role("textbox", name="The pitch"))
    page.keyboard.insert_text(OWN_PITCH)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".pa.head h1")).to_be_focused()

    tab_to(page, page.get_by_role("tab", name="Assessment"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    field = page.get_by_role("combobox", name="Who signs")
    expect(field).to_be_visible()
    tab_to(page, field)
    page.keyboard.type("engineering lead")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Edited after reading: Who signs.")).to_be_visible()


def tab_to(page: Page, wanted: Any) -> None:
    """Goes on with Tab until this is in focus, and at each stop sees that it shows."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            assert page.evaluate(FOCUS_SHOWS), f"the focus on {wanted} cannot be seen"
            return
    raise AssertionError(f"Tab never comes to {wanted}")


FOCUS_SHOWS = """() => {
  for (let part = document.activeElement; part && part !== document.body; part = part.parentElement) {
    const style = getComputedStyle(part);
    if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) || style.boxShadow !== "none") return true;
    if (parseFloat(style.borderTopWidth) && part.matches(":focus-within, :focus")) return true;
  }
  return false;
}"""
