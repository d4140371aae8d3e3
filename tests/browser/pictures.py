"""Takes the picture of the page that the README shows, docs/page.png, and pictures of its states to be looked at.

    python -m tests.browser.pictures [FOLDER]

Needs Chromium.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import Browser, FilePayload, Page

from tests.browser.harness import analyze, chromium, many_pitches, pick, served_page, upload
from tests.documents import SENTENCE, box, deck, picture_slide

PICTURE: Final = Path(__file__).parents[2] / "docs" / "page.png"
SAMPLE: Final = "cabstand"
WIDTHS: Final = (1280, 390)
Scheme = Literal["light", "dark"]
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
_SETTLED: Final = 800.0
"""Milliseconds until fonts and transitions have come to rest."""
_HIGHEST: Final = 9000


def main(folder: Path | None) -> None:
    """Writes the picture; with a folder, also every state of the page there, to be looked at."""
    with (
        tempfile.TemporaryDirectory() as none,
        served_page({"PITCH_MODEL": "", "PITCH_RECORDINGS": none, "PITCH_STORE": f"sqlite:///{none}/s.db"}) as address,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
        page.goto(f"{address}/?sample={SAMPLE}")
        page.locator(".pa .provenance").wait_for()
        page.wait_for_timeout(_SETTLED)
        page.screenshot(path=PICTURE)
        print(PICTURE)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            for width in WIDTHS:
                for scheme in SCHEMES:
                    for state, show in STATES.items():
                        print(_picture(browser, address, width, scheme, show, folder / f"{state}-{width}-{scheme}.png"))


def _picture(
    browser: Browser, address: str, width: int, scheme: Scheme, show: Callable[[Page, str], object], path: Path
) -> Path:
    """One state of the page as a whole, in a window that is high enough for it."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    show(page, address)
    page.wait_for_timeout(_SETTLED)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": min(height, _HIGHEST)})
    page.wait_for_timeout(_SETTLED)
    page.screenshot(path=path)
    page.close()
    return path


def _empty(page: Page, address: str) -> None:
    """An empty field, and beneath it the example, where this visitor gets one."""
    page.goto(address)
    page.get_by_role("button", name="Analyze").wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def _answered(page: Page, address: str, sample: str = SAMPLE) -> None:
    page.goto(f"{address}/?sample={sample}")
    page.locator(".pa .provenance").wait_for()


def _draft(page: Page, address: str) -> None:
    """An own pitch, read by cue phrases."""
    _empty(page, address)
    analyze(page, SENTENCE)
    page.locator(".pa .provenance").wait_for()


def _connecting(page: Page, address: str) -> None:
    """A model that is connected without a key, and what its test says."""
    _empty(page, address)
    pick(page, "Read by", "A model")
    page.get_by_role("textbox", name="Model", exact=True).fill("gpt-6-luna")
    page.get_by_role("button", name="Test this model").click()
    page.get_by_text("does not work yet").wait_for()


def _changed(page: Page, address: str) -> None:
    page.goto(f"{address}/?sample={SAMPLE}&tab=What+if&set=buyer:engineering_leadership,problems.1.stage:day_1")
    page.get_by_role("button", name="Reset all").wait_for()


def _failed(page: Page, address: str) -> None:
    _empty(page, address)
    analyze(page, "...")
    page.get_by_role("alert").wait_for()


def _portfolio(page: Page, address: str) -> None:
    page.goto(f"{address}/portfolio")
    page.get_by_role("button", name="Use the samples").click()
    page.get_by_role("heading", name="Ranking").wait_for()


def _many(page: Page, address: str, count: int = 1000) -> None:
    """Many pitches read by cue phrases, some of them no pitch at all."""
    upload(page, address, many_pitches(count))
    page.get_by_role("heading", name="Ranking").wait_for(timeout=120_000)


def _table(page: Page, address: str) -> None:
    """A table that is chosen and not read yet: what is understood of it."""
    page.goto(f"{address}/portfolio")
    file: FilePayload = {"name": "pitches.csv", "mimeType": "text/csv", "buffer": many_pitches(120).encode()}
    page.locator("input[type=file]").set_input_files(file)
    page.locator(".pa .preview").wait_for()


def _to_confirm(page: Page, address: str) -> None:
    _table(page, address)
    pick(page, "Read by", "A model")
    name = page.get_by_role("textbox", name="Model, as provider/name")
    name.fill("openai/gpt-4.1-mini")
    name.press("Enter")
    page.get_by_text("Maximum cost").wait_for()
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Read 120 pitches").wait_for()


def _document(page: Page, address: str) -> None:
    """A deck with a hidden slide, a picture and notes: what was read of it, and what was not."""
    _empty(page, address)

    def noted(slide: Any) -> None:
        box(slide, SENTENCE, (1, 1, 5, 1))
        slide.notes_slide.notes_text_frame.text = "Say the price."

    data = deck(noted, picture_slide, lambda slide: slide.element.set("show", "0"))
    file: FilePayload = {"name": "deck.pptx", "mimeType": "application/octet-stream", "buffer": data}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("Read: ").wait_for()


def _running(page: Page, address: str) -> None:
    upload(page, address, many_pitches(5000))
    page.get_by_text("/s").wait_for()


def _filtered_to_nothing(page: Page, address: str) -> None:
    _portfolio(page, address)
    page.get_by_role("textbox", name="Words").fill("nothing has this title")
    page.get_by_role("textbox", name="Words").press("Enter")
    page.get_by_text("No pitch matches").wait_for()


def _portfolio_empty(page: Page, address: str) -> None:
    page.goto(f"{address}/portfolio")
    page.get_by_role("button", name="Use the samples").wait_for()


def _not_a_table(page: Page, address: str) -> None:
    upload(page, address, "pitch,text and more\n", "odd.parquet")
    page.get_by_role("alert").wait_for()


def _one_of_many(page: Page, address: str) -> None:
    _portfolio(page, address)
    page.locator(".pa .ranking th button").first.click()
    page.locator(".pa .provenance").wait_for()


def _history(page: Page, address: str) -> None:
    for sample in ("taperline", "sheafline", "fillchair", SAMPLE):
        _answered(page, address, sample)
        page.wait_for_timeout(_SETTLED)
    page.goto(f"{address}/history")
    page.get_by_role("button", name="Show").first.wait_for()


def _history_to_delete(page: Page, address: str) -> None:
    _history(page, address)
    page.get_by_role("button", name="Delete all").click()
    page.get_by_role("button", name="Delete for good").wait_for()


def _nothing_found(page: Page, address: str) -> None:
    page.goto(f"{address}/history")
    page.get_by_role("textbox", name="Search").fill("nothing has this title")
    page.get_by_role("textbox", name="Search").press("Enter")
    page.get_by_text("contains these words").or_(page.get_by_text("Nothing is saved yet")).wait_for()


STATES: Final[Mapping[str, Callable[[Page, str], object]]] = {
    "empty": _empty,
    "answer": _answered,
    "draft": _draft,
    "connect": _connecting,
    "gates": lambda page, address: _answered(page, address, "oddmile"),
    "gates-open": lambda page, address: _answered(page, address, "twicetold"),
    "document": _document,
    "what-if": _changed,
    "hostile": lambda page, address: _answered(page, address, "sheafline"),
    "error": _failed,
    "portfolio-empty": _portfolio_empty,
    "portfolio-table": _table,
    "portfolio-confirm": _to_confirm,
    "portfolio-running": _running,
    "portfolio": _portfolio,
    "portfolio-many": _many,
    "portfolio-nothing": _filtered_to_nothing,
    "portfolio-one": _one_of_many,
    "portfolio-error": _not_a_table,
    "history": _history,
    "history-delete": _history_to_delete,
    "history-nothing": _nothing_found,
}


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
