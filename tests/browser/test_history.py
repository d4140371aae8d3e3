"""History in a browser: saved, opened again, deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import harness
from tests.page.visitor import OWN_PITCH


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    with harness.served_page({"PITCH_MODEL": "keywords", "PITCH_STORE": f"sqlite:///{folder / 's.db'}"}) as address:
        yield address


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")], ids=["wide", "phone, dark"])
def test_a_pitch_is_saved_reopened_survives_a_reload_and_is_deleted(
    opened: Callable[..., Page], address: str, width: int, scheme: str
) -> None:
    page = opened(width=width, scheme=scheme)
    harness.analyze(page, f"Testbed {width}\n\n{OWN_PITCH}")
    expect(page.locator(".pa .provenance")).to_be_visible()
    page.wait_for_url("**saved=*")
    page.reload()
    expect(page.get_by_text("From your History: read on")).to_be_visible()
    expect(page.locator(".pa.head")).to_contain_text(f"Testbed {width}")

    page.goto(f"{address}/history")
    row = page.locator("[class*=st-key-history-row-]", has_text=f"Testbed {width}")
    expect(row).to_be_visible()
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    assert page.evaluate(harness.POOR_CONTRAST) == []
    row.get_by_role("button", name="Show").click()
    expect(page.locator(".pa.head")).to_contain_text(f"Testbed {width}")
    expect(page.get_by_text("From your History: read on")).to_be_visible()
    page.wait_for_url("**saved=*")
    link = page.url

    page.goto(f"{address}/history")
    row.locator("label").click()
    page.get_by_role("button", name="Delete 1 selected").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("Deleted one assessment")).to_be_visible()
    expect(row).to_have_count(0)

    page.goto(link)
    expect(page.get_by_text("this assessment is not in your History")).to_be_visible()
