"""The reading desk in a browser: everything that decides on one screen, and ways between the judgment and the pitch that
never move what was clicked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import harness
from tests.page.visitor import OWN_PITCH

CABSTAND = "/?sample=cabstand&reader=recorded"
DECIDES = (".pa.head h1", ".pa .verdict", ".pa .reasons li", ".pa.glance .asks li", ".pa .quadrant .plot", ".pa .score")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = tmp_path_factory.mktemp("desk") / "s.db"
    with harness.served_page({"PITCH_MODEL": "", "PITCH_STORE": f"sqlite:///{store}"}) as address:
        yield address


def answered(opened: Callable[..., Page], width: int = 1440, path: str = CABSTAND) -> Page:
    page = opened(width=width, path=path)
    expect(page.locator(".pa .provenance")).to_be_attached()
    expect(page.locator(".pa-desk .count")).to_contain_text("quotes")
    return page


def top(element: Locator) -> float:
    return float(element.evaluate("element => element.getBoundingClientRect().top"))


def at_rest(page: Page) -> None:
    """Waits until nothing scrolls any more."""
    page.evaluate(
        """async () => {
          const places = () => [...document.querySelectorAll("[data-testid=stMain], .passages")].map((e) => e.scrollTop);
          for (let same = 0, last = ""; same < 10; ) {
            await new Promise(requestAnimationFrame);
            const now = String(places());
            same = now === last ? same + 1 : 0;
            last = now;
          }
        }"""
    )


@pytest.mark.parametrize("sample", ["cabstand", "oddmile", "gudgeon", "kilnday", "sheafline"])
def test_what_decides_is_on_the_first_screen_and_the_pitch_next_to_it(opened: Callable[..., Page], sample: str) -> None:
    page = answered(opened, path=f"/?sample={sample}&reader=recorded")

    for part in DECIDES:
        for each in page.locator(part).all():
            box = each.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= 900, f"{part} ends at {box['y'] + box['height']}"
    pitch = page.locator(".passages").bounding_box()
    assert pitch is not None
    assert pitch["x"] > 800
    assert pitch["y"] + pitch["height"] <= 900


def test_the_heading_is_the_product_and_the_title_of_the_pitch_is_beneath(opened: Callable[..., Page]) -> None:
    page = answered(opened)

    expect(page.get_by_role("heading", level=1)).to_have_text("Cabstand")
    expect(page.locator(".pa .subtitle")).to_have_text("Cabstand: from model file to URL before lunch")


def test_a_click_on_a_quote_scrolls_the_pitch_only(opened: Callable[..., Page]) -> None:
    page = answered(opened)
    for at in (0, 3, 7):
        quote = page.locator(".pa .card a[data-quote] >> visible=true").nth(at)
        quote.scroll_into_view_if_needed()
        at_rest(page)
        before = top(quote)

        quote.click()
        at_rest(page)

        mark = page.locator("mark.chosen").first
        expect(mark).to_be_in_viewport()
        assert quote.get_attribute("data-quote") in (mark.get_attribute("data-quotes") or "").split()
        assert top(quote) == pytest.approx(before, abs=1)


def test_a_click_on_a_mark_scrolls_the_judgment_only(opened: Callable[..., Page]) -> None:
    page = answered(opened)
    for at in (0, 5, 11):
        mark = page.locator("mark[data-quotes]").nth(at)
        mark.scroll_into_view_if_needed()
        at_rest(page)
        before = top(mark)

        mark.click()
        at_rest(page)

        assert top(mark) == pytest.approx(before, abs=1)
        chosen = page.locator("a.chosen[data-quote] >> visible=true").filter(has_not=page.locator(".passages"))
        expect(chosen.first).to_be_visible()


def test_a_label_leads_to_its_signal_and_its_signal_back_by_keyboard(opened: Callable[..., Page]) -> None:
    page = answered(opened)
    page.locator(".pa .pitch a.label", has_text="Pricing").first.focus()
    page.keyboard.press("Enter")
    at_rest(page)
    row = page.locator("#signal-pricing")
    expect(row).to_be_in_viewport()

    row.locator("blockquote a").first.focus()
    page.keyboard.press("Enter")
    at_rest(page)
    expect(page.locator("mark.chosen").first).to_have_text("Solo — free, one sleeping model.")
    expect(page.locator("mark.chosen").first).to_be_in_viewport()
    expect(row.locator("blockquote a").first).to_be_focused()


def test_hover_and_focus_light_both_sides(opened: Callable[..., Page]) -> None:
    page = answered(opened)
    quote = page.locator(".pa .reasons a[data-quote]").first

    quote.hover()
    expect(page.locator("mark.lit").first).to_have_text(quote.inner_text())
    page.locator(".pa.head h1").hover()
    expect(page.locator("mark.lit")).to_have_count(0)
    quote.focus()
    expect(page.locator("mark.lit").first).to_have_text(quote.inner_text())


def test_next_and_previous_go_through_the_quotes_by_button_and_key(opened: Callable[..., Page]) -> None:
    page = answered(opened)
    count = page.locator(".pa-desk .count")
    page.get_by_role("button", name="Next").click()
    expect(count).to_contain_text("Quote 1 of")
    page.keyboard.press("n")
    expect(count).to_contain_text("Quote 2 of")
    page.keyboard.press("p")
    page.get_by_role("button", name="Previous").click()
    at_rest(page)

    last = count.inner_text().split()
    assert last[1] == last[3]
    expect(page.locator("mark.chosen").last).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.locator("mark.chosen")).to_have_count(0)


def test_in_what_if_the_pitch_stays_and_a_label_leads_to_its_field(opened: Callable[..., Page]) -> None:
    page = opened(width=1440, path=f"{CABSTAND}&tab=What+if")
    expect(page.locator(".pa.effect")).to_be_visible()
    expect(page.locator(".pa-desk .count")).to_contain_text("quotes")
    label = page.locator(".pa .pitch a.label", has_text="Pricing").first
    label.click()
    at_rest(page)

    expect(page.get_by_role("combobox", name="Pricing")).to_be_in_viewport()
    expect(label).to_be_in_viewport()


def test_on_a_phone_the_pitch_is_a_sheet_with_a_way_back(opened: Callable[..., Page]) -> None:
    page = answered(opened, width=390)
    expect(page.locator(".passages")).not_to_be_visible()
    quote = page.locator(".pa .card a[data-quote] >> visible=true").nth(2)
    quote.scroll_into_view_if_needed()
    at_rest(page)
    before = top(quote)

    quote.click()
    expect(page.locator("mark.chosen").first).to_be_in_viewport()
    page.get_by_role("button", name="Close").click()

    expect(page.locator(".passages")).not_to_be_visible()
    expect(quote).to_be_focused()
    assert top(quote) == pytest.approx(before, abs=1)
    page.get_by_role("button", name="The pitch").click()
    page.locator("mark[data-quotes] >> visible=true").first.click()
    at_rest(page)
    expect(page.locator(".passages")).not_to_be_visible()
    expect(page.locator("a.chosen >> visible=true").first).to_be_in_viewport()


def test_escape_closes_the_sheet_and_the_focus_goes_back_to_where_it_was(opened: Callable[..., Page]) -> None:
    page = answered(opened, width=390)
    handle = page.get_by_role("button", name="The pitch", exact=True)
    handle.focus()
    page.keyboard.press("Enter")
    expect(handle).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Previous quote")).to_be_focused()

    page.keyboard.press("Escape")

    expect(handle).to_have_attribute("aria-expanded", "false")
    expect(handle).to_be_focused()
    quote = page.locator(".pa .card a[data-quote] >> visible=true").first
    quote.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Close the pitch")).to_be_focused()
    page.keyboard.press("Escape")
    expect(quote).to_be_focused()


def test_the_way_to_the_pages_has_a_name_on_a_phone(opened: Callable[..., Page]) -> None:
    page = opened(width=390)
    page.get_by_role("button", name="Show all pages").click()
    page.get_by_role("link", name="The framework").click()

    expect(page.get_by_role("heading", level=1, name="The framework")).to_be_visible()


def test_ctrl_enter_analyzes_and_the_focus_goes_to_the_answer(opened: Callable[..., Page]) -> None:
    page = opened()
    expect(page.locator(".pa-submit[data-ready]")).to_be_attached()
    field = page.get_by_role("textbox", name="The pitch")
    field.fill(OWN_PITCH)
    field.press("Control+Enter")

    expect(page.locator(".pa .provenance")).to_be_attached()
    expect(page.locator(".pa.head h1")).to_be_focused()


def test_back_undoes_an_edit_a_tab_and_the_pitch_and_forward_redoes_them(opened: Callable[..., Page]) -> None:
    page = opened()
    harness.pick(page, "Or use a sample", "Website: puts a model behind an address")
    expect(page.locator(".pa .provenance")).to_be_attached()
    expect(page).to_have_url(re.compile("sample=cabstand"))
    page.get_by_role("tab", name="What if").click()
    expect(page).to_have_url(re.compile("tab=What"))
    harness.pick(page, "Who signs", "engineering leadership")
    expect(page.locator(".pa.effect")).to_contain_text("read: ")
    expect(page).to_have_url(re.compile("set=buyer"))

    page.go_back()
    expect(page.locator(".pa.effect")).not_to_contain_text("read: ")
    page.go_back()
    expect(page.get_by_role("tab", name="Assessment")).to_have_attribute("aria-selected", "true")
    page.go_back()
    expect(page.get_by_role("heading", level=1, name="Analyze a pitch")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", level=1, name="Cabstand")).to_be_visible()
    page.go_forward()
    page.go_forward()
    expect(page.locator(".pa.effect")).to_contain_text("read: ")


def test_an_unsaved_pitch_survives_a_reload(opened: Callable[..., Page]) -> None:
    page = opened()
    page.get_by_text("Save in History").click()
    harness.analyze(page, OWN_PITCH)
    expect(page.locator(".pa .provenance")).to_be_attached()
    expect(page).to_have_url(re.compile("analysis="))
    heading = page.locator(".pa.head h1").inner_text()

    page.reload()

    expect(page.locator(".pa.head h1")).to_have_text(heading)
    expect(page.locator(".pa .pitch")).to_contain_text("finds label errors")
