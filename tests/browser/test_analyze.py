"""The page in a browser: a pitch gets its verdict, by mouse and keyboard, on any screen, and reaches nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from playwright.sync_api import Browser, Page, expect

from analyzer import analyze as assessed
from analyzer.framework.assessment import Assessment
from analyzer.framework.edits import as_read
from analyzer.resources import resource
from analyzer.views.numbers import shown
from tests.browser import harness
from tests.conftest import PITCHES
from tests.page.visitor import HOSTILE, OWN_PITCH, TAPERLINE


@pytest.fixture(scope="module")
def address(silent_model: tuple[int, Event], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = {
        "PITCH_MODEL": "keywords",
        "PITCH_STORE": f"sqlite:///{tmp_path_factory.mktemp('page') / 's.db'}",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{silent_model[0]}/v1",
        "OPENAI_API_KEY": "not-a-key",
    }
    with harness.served_page(settings) as address:
        yield address


def test_a_pasted_pitch_gets_its_verdict(opened: Callable[..., Page]) -> None:
    page = opened()
    harness.analyze(page, resource("fixtures/pitches/taperline.txt").read_text(encoding="utf-8"))

    expect(page.get_by_text(TAPERLINE, exact=True).first).to_be_visible()
    expect(page.locator(".pa .verdict .word")).to_have_text("Draft")
    expect(page.get_by_role("heading", name="Scores")).to_be_visible()
    expect(page.locator(".pa .quadrant .here")).to_be_visible()
    expect(page.get_by_text("Edit this pitch or analyze another")).to_be_visible()


def test_a_look_at_the_framework_loses_neither_pitch_nor_answer(opened: Callable[..., Page]) -> None:
    page = opened()
    harness.analyze(page, OWN_PITCH)
    expect(page.locator(".pa .provenance")).to_be_visible()

    page.get_by_role("link", name="The framework").click()
    expect(page.get_by_role("heading", name="Signals")).to_be_visible()
    page.get_by_role("link", name="Analyze a pitch").click()

    expect(page.get_by_role("heading", name="Scores")).to_be_visible()
    page.get_by_text("Edit this pitch or analyze another").click()
    expect(page.get_by_role("textbox", name="The pitch")).to_have_value(OWN_PITCH)


def test_a_hostile_pitch_reaches_nobody_and_runs_nothing(opened: Callable[..., Page]) -> None:
    hosts: set[str] = set()
    alerts: list[str] = []
    page = opened(hosts=hosts)
    page.on("dialog", lambda dialog: alerts.append(dialog.message))
    code = '![x](http://evil.example/m.png) <img src="http://evil.example/i.png" onerror="alert(2)">'
    harness.analyze(page, f"{HOSTILE}\n```\n{code}\n```\n")

    expect(page.locator(".pa .pitch")).to_contain_text("Evilco for machine learning")
    expect(page.locator(".pa .pitch")).to_contain_text(":red[x] $x^2$ :material/home: :smile:")
    expect(page.locator(".pa .pitch")).to_contain_text(code)
    expect(page.locator(".pa .provenance")).to_be_visible()
    assert page.locator("[data-testid=stMain] img, [data-testid=stMain] a[href*=evil]").count() == 0
    assert hosts - {""} == {"127.0.0.1"}  # scripts of the page itself are blobs, without a host
    assert alerts == []


def test_a_hostile_file_name_is_shown_unchanged(opened: Callable[..., Page]) -> None:
    page = opened()
    name = "a `b` :red[x] :smile: $x$ **c** www.evil.example.pdf"
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "application/pdf", "buffer": b"no PDF"})

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(name)
    assert alert.locator("a, strong, .katex").count() == 0


def test_an_edited_signal_shows_at_once_and_goes_into_the_download(opened: Callable[..., Page]) -> None:
    read = assessed((PITCHES / "cabstand.txt").read_text(encoding="utf-8"), model="recorded")
    assert read.scores is not None
    before = shown(read.scores.overall)
    page = opened(path="/?sample=cabstand&reader=recorded&tab=What+if")
    expect(page.locator(".pa.effect")).to_contain_text(before)

    harness.pick(page, "Who signs", "engineering leadership")

    expect(page.locator(".pa.effect")).to_contain_text(f"read: {before} (+")
    expect(page.locator(".pa.head")).to_contain_text("Edited after reading: Who signs.")
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    assessment = Assessment.model_validate_json(Path(download.value.path()).read_text(encoding="utf-8"))
    assert [edit.signal for edit in assessment.edits] == ["buyer"]
    assert assessment.signals.buyer.basis == "edited"
    assert as_read(assessment.signals, assessment.edits).buyer == read.signals.buyer

    page.reload()
    expect(page.locator(".pa.effect")).to_contain_text(f"read: {before} (+")
    page.get_by_role("button", name="Reset: Who signs").or_(
        page.get_by_role("button", name="Reset", exact=True)
    ).click()
    expect(page.locator(".pa.effect")).not_to_contain_text("read:")


def test_cancel_works_while_the_model_is_silent_and_ends_the_request(
    opened: Callable[..., Page], silent_model: tuple[int, Event]
) -> None:
    page = opened(path="/?reader=openai/silent")
    page.get_by_role("textbox", name="The pitch").fill(OWN_PITCH)
    page.get_by_role("button", name="Analyze").click()
    expect(page.get_by_text(re.compile(r"openai/silent is reading the pitch \(17 words\): \d+ s"))).to_be_visible()

    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_text("the request has ended")).to_be_visible()
    expect(page.get_by_role("textbox", name="The pitch")).to_have_value(OWN_PITCH)
    assert silent_model[1].wait(10)


def test_a_file_becomes_the_pitch(opened: Callable[..., Page]) -> None:
    page = opened()
    file = {"name": "deck.md", "mimeType": "text/markdown", "buffer": OWN_PITCH.encode()}
    page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_role("textbox", name="The pitch")).to_have_value(OWN_PITCH)

    page.get_by_role("button", name="Analyze").click()

    expect(page.locator(".pa .provenance")).to_be_visible()


def test_the_report_is_one_file_that_asks_nobody_for_anything(
    opened: Callable[..., Page], browser: Browser, tmp_path: Path
) -> None:
    page = opened(path="/?sample=sheafline&reader=recorded")
    expect(page.locator(".pa .provenance")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Report (HTML)").click()
    report = browser.new_page()
    asked: list[str] = []
    report.on("request", lambda request: asked.append(request.url))

    download.value.save_as(tmp_path / "report.html")
    report.goto((tmp_path / "report.html").as_uri())
    report.emulate_media(media="print")

    assert report.locator("h1").inner_text().startswith("Sheafline")
    assert report.locator("mark.planted").count() == 3
    assert len(asked) == 1
    report.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "query", ["sample=sheafline&reader=recorded", "sample=cabstand&reader=recorded&tab=What+if&set=buyer:practitioner,urgency:important"], ids=["answer", "what if"]
)  # fmt: skip
def test_every_text_has_enough_contrast(opened: Callable[..., Page], scheme: str, query: str) -> None:
    page = opened(path=f"/?{query}", scheme=scheme)
    expect(page.locator(".pa .provenance, .pa.effect").first).to_be_visible()

    dark = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor") == "rgb(17, 22, 29)"
    assert dark == (scheme == "dark")
    assert page.evaluate(harness.POOR_CONTRAST) == []


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/?sample=taperline&reader=recorded", ".pa .provenance"),
        ("/?sample=taperline&reader=recorded&tab=What+if&set=buyer:practitioner", ".st-key-changed"),
        ("/framework", ".pa .card >> nth=11"),
    ],
    ids=["answer", "what if", "framework"],
)
def test_nothing_scrolls_sideways_on_a_phone(opened: Callable[..., Page], path: str, there: str) -> None:
    page = opened(width=390, path=path)
    expect(page.locator(there)).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
