"""Every state of the page that a person would call a screen, and how a visitor comes to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from playwright.sync_api import FilePayload, Page

from tests.browser.harness import analyze, many_pitches, pick, upload
from tests.documents import SENTENCE, box, deck, picture_slide

SAMPLE: Final = "cabstand"
NARROW: Final = 390
"""Pixels across a phone."""
_MANY: Final = 1000
PATIENCE: Final = 180_000
"""Milliseconds after which a state counts as never coming, also on a machine that does much else."""

State = Callable[[Page, str], object]


# ---------------------------------------------------------------- one pitch


def _empty(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Analyze", exact=True).wait_for()


def _newcomer(page: Page, address: str) -> None:
    """An empty field, and beneath it the example: for whom nothing is saved."""
    page.goto(f"{address}/history")
    delete = page.get_by_role("button", name="Delete all")
    delete.or_(page.get_by_text("Nothing is saved yet")).wait_for()
    if delete.is_visible():
        delete.click()
        page.get_by_role("button", name="Delete for good").click()
        page.get_by_text("Nothing is saved yet").wait_for()
    _empty(page, address)
    page.get_by_role("button", name="Open the example").wait_for()


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
    page.mouse.move(0, 0)


def _changed(page: Page, address: str) -> None:
    page.goto(f"{address}/?sample={SAMPLE}&tab=What+if&set=buyer:engineering_leadership,problems.1.stage:day_1")
    page.get_by_role("button", name="Reset all").wait_for()


def _side_by_side(page: Page, address: str) -> None:
    page.goto(f"{address}/?sample={SAMPLE}&tab=Side+by+side")
    pick(page, "Next to", "Letter: finds the scenes a car gets wrong")
    page.locator(".pa.both").first.wait_for()


def _sheet(page: Page, address: str) -> None:
    """The pitch over the answer, on a phone."""
    _answered(page, address)
    handle = page.get_by_role("button", name="The pitch", exact=True)
    if page.evaluate("innerWidth") <= NARROW:
        page.locator(".pa-desk .count", has_text="quotes").wait_for()  # its script runs
        handle.click()
        page.locator("[data-sheet=open]").wait_for()


def _failed(page: Page, address: str) -> None:
    _empty(page, address)
    analyze(page, "...")
    page.get_by_role("alert").wait_for()


def _document(page: Page, address: str) -> None:
    """A deck with a hidden slide, a picture and notes: what was read of it, and what was not."""
    _empty(page, address)

    def noted(slide: Any) -> None:
        box(slide, SENTENCE, (1, 1, 5, 1))
        slide.notes_slide.notes_text_frame.text = "Say the price."

    data = deck(noted, picture_slide, lambda slide: slide.element.set("show", "0"))
    file: FilePayload = {"name": "deck.pptx", "mimeType": "application/octet-stream", "buffer": data}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("Read: ").first.wait_for()


# ---------------------------------------------------------------- many pitches


def _portfolio_empty(page: Page, address: str) -> None:
    page.goto(f"{address}/portfolio")
    page.get_by_role("button", name="Use the samples").wait_for()


def _table(page: Page, address: str) -> None:
    """A table that is chosen and not read yet: what is understood of it."""
    _portfolio_empty(page, address)
    file: FilePayload = {"name": "pitches.csv", "mimeType": "text/csv", "buffer": many_pitches(120).encode()}
    page.locator("input[type=file]").set_input_files(file)
    page.locator(".pa .preview").wait_for()


def _not_a_table(page: Page, address: str) -> None:
    upload(page, address, "pitch,text and more\n", "odd.parquet")
    page.get_by_role("alert").wait_for()


def _running(page: Page, address: str) -> None:
    upload(page, address, many_pitches(5000))
    page.get_by_role("progressbar").wait_for()
    page.get_by_text(re.compile(r"\d+ of 5,000")).wait_for()


def _stopped(page: Page, address: str) -> None:
    """A run that was stopped: what is there, and the way to go on."""
    _running(page, address)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name=re.compile("^Go on: read")).wait_for()


def _portfolio(page: Page, address: str) -> None:
    _portfolio_empty(page, address)
    page.get_by_role("button", name="Use the samples").click()
    page.get_by_role("heading", name="Ranking").wait_for(timeout=PATIENCE)


def _many(page: Page, address: str) -> None:
    """Many pitches read by cue phrases, some of them no pitch at all."""
    upload(page, address, many_pitches(_MANY))
    page.get_by_role("heading", name="Ranking").wait_for(timeout=PATIENCE)


def _filtered_to_nothing(page: Page, address: str) -> None:
    _portfolio(page, address)
    page.get_by_role("textbox", name="Words").fill("nothing has this title")
    page.get_by_role("textbox", name="Words").press("Enter")
    page.get_by_text("No pitch matches").wait_for()


def _shortlisted(page: Page, address: str) -> None:
    """Two pitches on the shortlist, and the files of what is shown."""
    _portfolio(page, address)
    for at in range(2):
        star = page.locator(".pa .ranking .star button").nth(at)
        star.click()
        page.locator(".pa .ranking .star button[aria-pressed=true]").nth(at).wait_for()
    page.get_by_text("Shortlist only (2)").click()
    page.get_by_text("The 2 shown").wait_for()


def _one_of_many(page: Page, address: str) -> None:
    _portfolio(page, address)
    page.locator(".pa .ranking tbody th button").first.click()
    page.locator(".pa .provenance").wait_for()


def _lost(page: Page, address: str) -> None:
    page.goto(f"{address}/portfolio?run=deadbeef")
    page.get_by_text("There is no portfolio at this address").wait_for()


# ---------------------------------------------------------------- History


def _history(page: Page, address: str) -> None:
    for sample in ("taperline", "sheafline", "fillchair", SAMPLE):
        _answered(page, address, sample)
        page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.goto(f"{address}/history")
    page.get_by_role("button", name="Show").nth(3).wait_for()


def _history_to_delete(page: Page, address: str) -> None:
    _history(page, address)
    page.get_by_role("button", name="Delete all").click()
    page.get_by_role("button", name="Delete for good").wait_for()


def _nothing_found(page: Page, address: str) -> None:
    page.goto(f"{address}/history")
    page.get_by_role("textbox", name="Search").fill("nothing has this title")
    page.get_by_role("textbox", name="Search").press("Enter")
    page.get_by_text("contains these words").or_(page.get_by_text("Nothing is saved yet")).wait_for()


# ---------------------------------------------------------------- manual scoring


def _scoring_start(page: Page, address: str) -> None:
    """The queue of samples, and no name of a rater yet."""
    page.goto(f"{address}/score?sample=earmarker")
    page.get_by_text("Enter the rater's name").wait_for()


def _scoring(page: Page, address: str, rater: str) -> None:
    """All signals of a pitch, none of them looked at."""
    _scoring_start(page, address)
    page.get_by_role("textbox", name="Rater").fill(rater)
    page.get_by_role("textbox", name="Rater").press("Enter")
    page.get_by_role("button", name=re.compile("^Save")).wait_for()


def _scoring_one(page: Page, address: str) -> None:
    _scoring(page, address, "bob")
    page.get_by_text("One at a time", exact=True).click()
    page.get_by_role("button", name=re.compile("^Next signal")).click()
    page.get_by_role("button", name=re.compile("^Previous signal")).wait_for()


def _scoring_asks(page: Page, address: str) -> None:
    """Saving with signals that nobody has looked at."""
    _scoring(page, address, "carol")
    page.get_by_role("button", name=re.compile("^Save")).first.click()
    page.get_by_role("button", name=re.compile("^Silent on the other")).wait_for()


def _scored(page: Page, address: str) -> None:
    """Saved scores next to what a reader found."""
    _scoring(page, address, "dave")
    page.get_by_role("radiogroup", name="Urgency", exact=True).get_by_text("Important", exact=True).click()
    page.get_by_text(re.compile("^1 of .* signals looked at")).wait_for()
    page.get_by_role("button", name=re.compile("^Save")).first.click()
    page.get_by_role("button", name=re.compile("^Silent on the other")).click()
    page.get_by_role("heading", name="Your scores compared").wait_for()


def _scoring_text(page: Page, address: str) -> None:
    page.goto(f"{address}/score")
    page.get_by_text("Pasted text", exact=True).click()
    page.get_by_role("textbox", name="Text of the pitch").wait_for()


# ---------------------------------------------------------------- comparing, and what is behind it


def _compare_empty(page: Page, address: str) -> None:
    page.goto(f"{address}/compare")
    page.get_by_role("button", name="Use the samples").wait_for()


def _compared(page: Page, address: str) -> None:
    _compare_empty(page, address)
    page.get_by_role("button", name="Use the samples").click()
    page.get_by_role("heading", name="Agreement, signal by signal").wait_for(timeout=PATIENCE)


def _framework(page: Page, address: str) -> None:
    page.goto(f"{address}/framework")
    page.get_by_role("heading", name="Signals").wait_for()


def _market(page: Page, address: str) -> None:
    page.goto(f"{address}/market")
    page.get_by_text("Who competes where").wait_for()
    page.locator("details.category summary").first.click()
    page.locator("details.category[open] table").wait_for()


STATES: Final[Mapping[str, State]] = {
    "newcomer": _newcomer,
    "answer": _answered,
    "sheet": _sheet,
    "draft": _draft,
    "connect": _connecting,
    "gates": lambda page, address: _answered(page, address, "oddmile"),
    "gates-open": lambda page, address: _answered(page, address, "twicetold"),
    "out-of-scope": lambda page, address: _answered(page, address, "fillchair"),
    "document": _document,
    "what-if": _changed,
    "side-by-side": _side_by_side,
    "hostile": lambda page, address: _answered(page, address, "sheafline"),
    "error": _failed,
    "portfolio-empty": _portfolio_empty,
    "portfolio-table": _table,
    "portfolio-error": _not_a_table,
    "portfolio-lost": _lost,
    "portfolio-running": _running,
    "portfolio-stopped": _stopped,
    "portfolio": _portfolio,
    "portfolio-many": _many,
    "portfolio-nothing": _filtered_to_nothing,
    "portfolio-shortlist": _shortlisted,
    "portfolio-one": _one_of_many,
    "history": _history,
    "history-delete": _history_to_delete,
    "history-nothing": _nothing_found,
    "scoring-start": _scoring_start,
    "scoring-text": _scoring_text,
    "scoring-all": lambda page, address: _scoring(page, address, "anna"),
    "scoring-one": _scoring_one,
    "scoring-asks": _scoring_asks,
    "scoring-done": _scored,
    "compare-empty": _compare_empty,
    "compare": _compared,
    "framework": _framework,
    "market": _market,
}
"""By name, in the order in which a visitor meets them. Each starts from a visit of its own."""
