"""A file dropped on the page: its text into the field, or one line that says why not; whoever leaves ends the work."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from analyzer.agreement.extracted import Upload
from analyzer.errors import RunStopped
from analyzer.page import uploads
from analyzer.page.presence import GONE
from tests.hostile_files import docx, many_pages, paragraph

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
