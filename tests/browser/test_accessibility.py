"""What axe-core finds on the screens of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import harness
from tests.browser.states import NARROW, STATES

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
    """The rules of WCAG 2.2 AA, and that no level of headings is skipped, that parts of our own break."""
    options: Any = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
        "rules": {"heading-order": {"enabled": True}},
    }
    rules = AXE.Axe().run(page, options=options).response["violations"]
    ours = "element => !element?.closest(" + repr(", ".join(f"[data-testid={name}]" for name in OF_STREAMLIT)) + ")"
    return [
        f"{rule['id']}: {node['html'][:160]}"
        for rule in rules
        for node in rule["nodes"]
        if page.evaluate(f"selector => ({ours})(document.querySelector(selector))", node["target"][0])
    ]


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing_on_our_screens_wide_and_narrow(
    opened: Callable[..., Page], address: str, screen: str
) -> None:
    page = opened(width=1280)
    STATES[screen](page, address)

    assert found_by_axe(page) == []
    page.set_viewport_size({"width": NARROW, "height": 900})
    assert found_by_axe(page) == []
