"""A file dropped on the page: its text into the field, or one line that says why not; whoever leaves ends the work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from analyzer.errors import RunStopped
from analyzer.page import upload
from tests.hostile import docx, many_pages, paragraph

pytest.importorskip("docx")
pytest.importorskip("pypdf")
ROOT = Path(__file__).parent.parent
SENTENCE = "Platform teams pay for GPUs that stand idle."


@dataclass(frozen=True)
class File:
    name: str
    data: bytes

    def getvalue(self) -> bytes:
        return self.data


def test_the_text_of_a_file_comes_into_the_field_and_a_file_without_leaves_it_as_it_is() -> None:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    page.file_uploader[0].set_value(("deck.docx", docx(paragraph(SENTENCE)), "application/octet-stream")).run()
    assert page.text_area(key="text").value == SENTENCE
    deep = docx("<w:p>" * 5000 + "</w:p>" * 5000)
    page.file_uploader[0].set_value(("deep.docx", deep, "application/octet-stream")).run()
    assert "deep.docx nests too deeply" in page.error[0].value
    assert page.text_area(key="text").value == SENTENCE and not page.exception


@pytest.mark.parametrize("away", [4.0, 6.0], ids=["for a moment", "for good"])
def test_a_file_is_read_on_for_a_visitor_who_is_back_in_a_moment_and_not_for_one_who_left(
    monkeypatch: pytest.MonkeyPatch, away: float
) -> None:
    """The clock is the test's own: the visitor is there when the file comes, and then away for so many seconds."""
    looks = iter([0.0, away])
    server = SimpleNamespace(is_active_session=lambda session: False)
    monkeypatch.setattr(upload, "get_script_run_ctx", lambda: SimpleNamespace(session_id="a"))
    monkeypatch.setattr(upload, "runtime", SimpleNamespace(exists=lambda: True, get_instance=lambda: server))
    monkeypatch.setattr(upload, "time", SimpleNamespace(monotonic=lambda: next(looks, away)))
    if away > upload.GONE:
        with pytest.raises(RunStopped, match=r"deck\.pdf was not read to its end"):
            upload.read_upload(File("deck.pdf", many_pages()))
    else:
        assert upload.read_upload(File("deck.docx", docx(paragraph(SENTENCE)))) == SENTENCE
