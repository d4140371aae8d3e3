"""PDF: text in logical order, with filled fields, and pages that are pictures are named."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from analyzer.errors import DocumentError
from analyzer.files.documents import DocumentReader
from tests.documents import SENTENCE, TITLE, picture, printed
from tests.hostile_files import one_page

pytest.importorskip("pypdfium2")
pytest.importorskip("reportlab")


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as reader:
        yield reader


def text_page(canvas: Any) -> None:
    canvas.drawString(72, 700, SENTENCE)


def picture_page(canvas: Any) -> None:
    from reportlab.lib.utils import ImageReader

    canvas.drawImage(ImageReader(io.BytesIO(picture())), 60, 300, 450, 250)
    canvas.drawString(300, 20, "7")


def test_pages_are_numbered_and_pictures_of_pages_are_named(
    reader: DocumentReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyzer.files.documents.ocr_installed", lambda: False)
    document = reader.read("a.pdf", printed(text_page, picture_page, text_page, picture_page))
    assert document.size() == "4 pages" and document.unread[0].pages == (2, 4)
    assert [(part.page, part.origin) for part in document.passages()] == [(1, None), (2, None), (3, None), (4, None)]
    assert document.sentences()[0].startswith("Pages 2 and 4 are pictures with little or no text, and were not read.")


def test_what_is_filled_into_a_form_follows_its_label(reader: DocumentReader) -> None:
    def form(canvas: Any) -> None:
        canvas.drawString(72, 700, "What does it do?")
        canvas.acroForm.textfield(name="what", value=SENTENCE, x=72, y=660, width=450, height=24)
        canvas.drawString(72, 600, "Who pays?")
        canvas.acroForm.textfield(name="who", value="Platform teams", x=72, y=560, width=450, height=24)

    lines = reader.read("a.pdf", printed(form)).text.splitlines()
    assert lines == ["What does it do?", SENTENCE, "Who pays?", "Platform teams"]


@pytest.mark.parametrize("strength", [40, 128, 256])
def test_a_file_that_only_forbids_copying_is_read_and_one_with_a_password_is_not(
    reader: DocumentReader, strength: int
) -> None:
    encryption = pytest.importorskip("reportlab.lib.pdfencrypt")
    if strength == 256:
        pytest.importorskip("pyaes")
    free = encryption.StandardEncryption("", "owner", canCopy=0, strength=strength)
    assert reader.read("a.pdf", printed(text_page, encrypt=free)).text == SENTENCE
    closed = encryption.StandardEncryption("user", "owner", strength=strength)
    with pytest.raises(DocumentError, match="is protected by a password"):
        reader.read("a.pdf", printed(text_page, encrypt=closed))


def test_a_word_split_at_the_end_of_a_line_keeps_its_hyphen_and_its_line(reader: DocumentReader) -> None:
    content = b"BT /F1 12 Tf 50 700 Td (Idle GPUs in your infra-) Tj 0 -14 Td (structure wait) Tj ET"
    assert reader.read("a.pdf", one_page(content)).text == "Idle GPUs in your infra-\nstructure wait"


def test_a_long_file_is_read_no_further_than_the_limit(reader: DocumentReader) -> None:
    def full(canvas: Any) -> None:
        for line in range(50):
            canvas.drawString(20, 780 - 15 * line, "word " * 24 + TITLE)

    with pytest.raises(DocumentError, match=r"more than 200,000 characters of text \(stopped at page 3\d\)"):
        reader.read("a.pdf", printed(*[full] * 60))
