"""Addresses in a browser: a reload, Back, Forward, a second tab and a new server come to the same place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import harness


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {"PITCH_MODEL": "", "PITCH_STORE": f"sqlite:///{tmp_path / 'store.db'}"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store: Path = tmp_path_factory.mktemp("addresses") / "store.db"
    with harness.served_page({"PITCH_MODEL": "", "PITCH_STORE": f"sqlite:///{store}"}) as address:
        yield address


def place(page: Page) -> str:
    """The address without the server's part."""
    return page.url.partition("/portfolio")[2]


def samples(page: Page, address: str) -> None:
    page.goto(f"{address}/portfolio")
    page.get_by_role("button", name="Use the samples").click()
    expect(page.get_by_role("heading", name="Ranking")).to_be_visible()


def test_back_and_forward_go_through_portfolio_order_and_pitch_and_a_new_server_opens_the_same(
    browser: Browser, settings: dict[str, str]
) -> None:
    start = "Analyze many pitches at once"
    page = browser.new_page()
    page.set_default_timeout(60_000)
    with harness.served_page(settings) as address:
        samples(page, address)
        expect(page).to_have_url(re.compile(r"/portfolio\?run=[0-9a-f]{32}$"))
        portfolio = place(page)
        page.locator(".ranking thead button", has_text="Overall").click()
        expect(page).to_have_url(re.compile("sort=overall"))
        expect(page.locator(".ranking th[aria-sort=descending]")).to_have_text(re.compile("Overall"))
        page.locator(".ranking tbody th button").first.click()
        expect(page.get_by_role("button", name="Back to the portfolio")).to_be_visible()
        expect(page).to_have_url(re.compile("pitch=[0-9]+"))
        pitch = place(page)

        page.go_back()
        expect(page.get_by_role("heading", name="Ranking")).to_be_visible()
        page.go_back()
        expect(page.locator(".ranking th[aria-sort=ascending]")).to_have_text(re.compile("Rank"))
        assert place(page) == portfolio
        page.go_back()
        expect(page.get_by_text(start)).to_be_visible()
        page.go_forward()
        expect(page.get_by_role("heading", name="Ranking")).to_be_visible()
        page.go_forward()
        page.go_forward()
        expect(page.get_by_role("button", name="Back to the portfolio")).to_be_visible()
        assert place(page) == pitch

        page.reload()
        expect(page.get_by_role("button", name="Back to the portfolio")).to_be_visible()
        title = page.get_by_role("heading", level=2).first.inner_text()
        second = browser.new_page()
        second.goto(f"{address}/portfolio{pitch}")
        expect(second.get_by_role("heading", level=2, name=title)).to_be_visible()
        second.close()

    with harness.served_page(settings) as address:
        page.goto(f"{address}/portfolio{pitch}")
        expect(page.get_by_role("heading", level=2, name=title)).to_be_visible()
        page.get_by_role("button", name="Back to the portfolio").click()
        expect(page.locator(".ranking th[aria-sort=descending]")).to_have_text(re.compile("Overall"))
    page.close()


def test_a_run_goes_on_without_its_tab_and_is_found_at_its_address(browser: Browser, address: str) -> None:
    page = browser.new_page()
    harness.upload(page, address, harness.many_pitches(60))
    page.get_by_text("Go on when this tab is closed").click()
    expect(page).to_have_url(re.compile("run="))
    run = place(page)
    page.close()

    again = browser.new_page()
    again.goto(f"{address}/portfolio{run}")
    expect(again.get_by_role("heading", name="Ranking")).to_be_visible(timeout=120_000)
    expect(again.get_by_role("button", name=re.compile("^Go on"))).to_have_count(0)
    again.close()


def test_what_is_filtered_is_downloaded_under_the_files_own_name(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    page = browser.new_page()
    page.set_default_timeout(60_000)
    harness.upload(page, address, harness.many_pitches(20), name="Deal flow.csv")
    expect(page.get_by_role("heading", name="Ranking")).to_be_visible(timeout=120_000)
    page.get_by_role("button", name=re.compile("^Add .* to the shortlist")).first.click()
    expect(page.get_by_text("Shortlist only (1)")).to_be_visible()
    page.get_by_text("Shortlist only (1)").click()
    expect(page.get_by_text(re.compile("Shown: 1 of"))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON Lines").click()
    assert download.value.suggested_filename == "Deal-flow-portfolio-filtered.jsonl"
    download.value.save_as(tmp_path / "some.jsonl")
    assert len((tmp_path / "some.jsonl").read_text(encoding="utf-8").splitlines()) == 1
    page.close()
