"""A file dropped on the page: its text into the field, or one line that says why not; whoever leaves ends the work."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from analyzer.agreement.extracted import Upload
from analyzer.errors import RunStopped
from analyzer.page import uploads
from analyzer.page.presence import GONE
from tests.documents import box, deck
from tests.hostile_files import docx, many_pages, paragraph
from tests.page.visitor import analysis, markup

pytest.importorskip("docx")
pytest.importorskip("pypdfium2")
ROOT = Path(__file__).parents[2]
SENTENCE = "Platform teams pay for GPUs that stand idle."


def pitch(page: AppTest) -> str:
    return next(str(area.value) for area in page.text_area if area.label == "The pitch")


def test_the_text_of_a_file_comes_into_the_field_and_of_a_file_without_nothing_is_analyzed() -> None:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    page.file_uploader[0].set_value(("deck.docx", docx(paragraph(SENTENCE)), "application/octet-stream")).run()
    assert pitch(page) == SENTENCE
    deep = docx("<w:p>" * 5000 + "</w:p>" * 5000)
    page.file_uploader[0].set_value(("deep.docx", deep, "application/octet-stream")).run()
    assert "deep.docx nests too deeply" in page.error[0].value
    assert pitch(page) == "" and not page.exception


@pytest.mark.parametrize("away", [GONE - 1, GONE + 1], ids=["for a moment", "for good"])
def test_a_file_is_read_on_for_a_visitor_who_is_back_in_a_moment_and_not_for_one_who_left(
    monkeypatch: pytest.MonkeyPatch, away: float
) -> None:
    """The clock is the test's own: the visitor is there when the file comes, and then away for so many seconds."""
    looks = iter([0.0, away])
    monkeypatch.setattr(uploads, "visitor", lambda: lambda: False)
    monkeypatch.setattr(uploads, "time", SimpleNamespace(monotonic=lambda: next(looks, away)))
    if away > GONE:
        with pytest.raises(RunStopped, match=r"deck\.pdf was not read to its end"):
            uploads.read_upload(Upload("deck.pdf", many_pages()))
    else:
        assert uploads.read_upload(Upload("deck.docx", docx(paragraph(SENTENCE)))).text == SENTENCE


def test_before_analyze_the_page_says_what_a_file_holds_and_what_was_not_read() -> None:
    def hidden(slide: Any) -> None:
        box(slide, "Old pricing", (1, 1, 5, 1))
        slide.element.set("show", "0")

    def noted(slide: Any) -> None:
        box(slide, SENTENCE, (1, 1, 5, 1))
        slide.notes_slide.notes_text_frame.text = "Say the price: 4%"

    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    name = "<b>deck.pptx"
    page.file_uploader[0].set_value((name, deck(noted, hidden), "application/octet-stream")).run()
    shown = next(element.proto.body for element in page.get("html") if "Read: " in element.proto.body)
    assert "2 slides" in shown and "Slide 2 is hidden and was left out." in shown
    assert "&lt;b&gt;deck.pptx" in shown and "<b>deck" not in shown
    assert pitch(page) == SENTENCE
    next(tick for tick in page.checkbox if tick.label.startswith("Include speaker notes")).check().run()
    assert pitch(page) == f"{SENTENCE}\n\n[Speaker notes]\n\nSay the price: 4%" and not page.exception


def test_an_uploaded_file_is_a_source_of_the_assessment_with_pages() -> None:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    text = "Kilnworks finds idle GPUs and hands them to the next training job."
    data = deck(lambda slide: box(slide, text, (1, 1, 5, 1)))
    page.file_uploader[0].set_value(("deck.pptx", data, "application/octet-stream")).run()
    page.selectbox(key="reader").set_value("Keywords").run()
    next(button for button in page.button if button.label == "Analyze").click().run()
    assert [source.title for source in analysis(page).result.result(timeout=60).sources] == ["deck.pptx"]
    page.run()
    assert "(page 1)" in markup(page) and not page.exception
