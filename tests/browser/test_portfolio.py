"""The portfolio in a browser: a table becomes a ranking, and each pitch is a click away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser import harness


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    with harness.served_page({"PITCH_MODEL": "", "PITCH_STORE": f"sqlite:///{folder / 's.db'}"}) as address:
        yield address


def uploaded(page: Page, address: str, count: int) -> None:
    harness.upload(page, address, harness.many_pitches(count))
    page.get_by_role("heading", name="Ranking").wait_for()


def test_a_table_becomes_a_portfolio_of_which_one_pitch_is_opened_and_all_taken_away(
    opened: Callable[..., Page], address: str, tmp_path: Path
) -> None:
    page = opened()
    uploaded(page, address, 110)
    expect(page.locator(".pa.head")).to_contain_text("102 in scope, 7 out of scope, 1 not read.")
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.locator(".pa .pages")).to_contain_text("51 to 100 of 102")
    row = page.locator(".pa .ranking tbody th button").nth(20)
    title = row.inner_text()

    row.focus()
    page.keyboard.press("Enter")

    expect(page.locator(".pa .subtitle", has_text=title)).to_be_in_viewport()
    expect(page.locator(".pa .pitch")).to_be_visible()
    page.get_by_role("link", name="The framework").click()
    expect(page.get_by_role("heading", name="Signals")).to_be_visible()
    page.get_by_role("link", name="Portfolio").click()
    expect(page.locator(".pa .subtitle", has_text=title)).to_be_visible()
    page.get_by_role("button", name="Back to the portfolio").click()
    expect(page.locator(".pa .ranking tbody th button").nth(20)).to_be_focused()

    with page.expect_download() as download:
        page.get_by_role("button", name="JSON Lines").click()
    download.value.save_as(tmp_path / "portfolio.jsonl")
    lines = (tmp_path / "portfolio.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 110
    assert sum("error" in json.loads(line) for line in lines) == 1

    page.get_by_text("Analyze other pitches").click()
    page.get_by_text("Open results").click()
    expect(page.get_by_text("A file of results")).to_be_visible()
    page.locator("input[type=file]").set_input_files(tmp_path / "portfolio.jsonl")
    page.get_by_role("button", name="Open file").click()
    expect(page.get_by_role("heading", level=2, name="portfolio.jsonl")).to_be_visible()
    expect(page.locator(".pa.head")).to_contain_text("102 in scope, 7 out of scope, 1 not read.")


def test_a_dot_opens_its_pitch_and_what_if_goes_on_from_there(opened: Callable[..., Page], address: str) -> None:
    page = opened()
    page.goto(f"{address}/portfolio")
    page.get_by_role("button", name="Use the samples").click()
    dot = page.locator('.pa .dot[title^="Website: puts a model"]')
    dot.click()
    expect(page.get_by_role("heading", level=1, name="Cabstand")).to_be_visible()

    page.get_by_role("button", name="What if", exact=True).click()

    expect(page.locator(".st-key-analyze")).to_be_attached()
    expect(page.get_by_text("No model was asked again.")).to_be_visible()
    expect(page.get_by_role("tab", name="What if")).to_be_visible()


def test_before_a_paid_model_reads_a_table_is_shown_and_its_cost_confirmed(
    opened: Callable[..., Page], address: str
) -> None:
    page = opened(width=390, path="/portfolio")
    table: FilePayload = {"name": "pitches.csv", "mimeType": "text/csv", "buffer": harness.many_pitches(5).encode()}
    page.locator("input[type=file]").set_input_files(table)
    expect(page.locator(".pa .preview")).to_contain_text("CSV, UTF-8, comma-separated")
    harness.pick(page, "Read by", "A model")
    page.get_by_role("textbox", name="Key").fill("sk-of-this-visit")
    name = page.get_by_role("textbox", name="Model", exact=True)
    name.fill("gpt-4.1-mini")
    name.press("Enter")
    expect(page.get_by_text("Maximum cost, in USD")).to_be_visible()

    page.get_by_role("button", name="Start").click()
    expect(page.locator(".st-key-portfolio-confirm")).to_contain_text("openai/gpt-4.1-mini: 5 pitches; about ")
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("button", name="Read 5 pitches")).to_have_count(0)
    expect(page.get_by_role("button", name="Start")).to_be_enabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_scrolls_sideways_and_every_text_has_enough_contrast(
    opened: Callable[..., Page], address: str, scheme: str
) -> None:
    page = opened(width=390, scheme=scheme)
    page.goto(f"{address}/portfolio")
    page.get_by_role("button", name="Use the samples").click()

    for there in (".pa.portfolio", ".pa .provenance"):
        if there == ".pa .provenance":
            page.locator(".pa .ranking tbody th button").first.click()
        page.locator(there).wait_for()
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
        assert page.evaluate(harness.POOR_CONTRAST) == []
