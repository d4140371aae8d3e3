"""Pictures of pages are read by OCR where its extra is installed: marked as that, and within limits."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from analyzer import analyze
from analyzer.files.documents import LIMITS, DocumentReader, ocr_installed
from tests.documents import SENTENCE, TITLE, box, deck, open_document, picture, picture_slide, printed

pytestmark = [
    pytest.mark.ocr,
    pytest.mark.slow,
    pytest.mark.skipif(not ocr_installed(), reason="needs the extra ocr"),
]


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as reader:
        yield reader


def text_slide(slide: Any) -> None:
    box(slide, f"{TITLE} finds idle GPUs in your cluster.", (1, 1, 8, 1))


def draw_picture(canvas: Any) -> None:
    from reportlab.lib.utils import ImageReader

    canvas.drawImage(ImageReader(io.BytesIO(picture())), 40, 300, 530, 300)


def test_pages_that_are_pictures_are_read_and_marked_with_their_confidence(reader: DocumentReader) -> None:
    document = reader.read("a.pptx", deck(text_slide, picture_slide))
    assert [page.ocr is None for page in document.pages] == [True, False]
    assert document.pages[1].text == SENTENCE and 0.8 < (document.pages[1].ocr or 0) <= 1
    assert not any(unread.kind == "pictures_as_pages" for unread in document.unread)
    found = analyze(document, model="keywords")
    quoted = {quote.text: (quote.page, quote.origin) for _, quote in found.signals.quotes()}
    assert quoted[SENTENCE] == (2, "ocr")


def test_pages_of_a_pdf_are_rendered_and_read(reader: DocumentReader) -> None:
    document = reader.read("a.pdf", printed(lambda canvas: canvas.drawString(72, 700, SENTENCE), draw_picture))
    assert document.pages[1].text == SENTENCE and document.pages[0].ocr is None


def test_an_open_document_of_pictures_alone_is_refused_with_the_reason_if_none_can_be_opened(
    reader: DocumentReader,
) -> None:
    body = '<draw:page><draw:frame><draw:image xmlns:xlink="x" xlink:href="no.png"/></draw:frame></draw:page>'
    with pytest.raises(Exception, match=r"Slide 1 is a picture that cannot be opened or is too large"):
        reader.read("a.odp", open_document(body, "presentation"))


def test_pages_beyond_the_limit_are_named() -> None:
    with DocumentReader(replace(LIMITS, ocr_pages=1)) as reader:
        document = reader.read("a.pptx", deck(picture_slide, picture_slide, picture_slide))
    assert document.sentences(serious=True)[0].startswith(
        "Slides 2 and 3 are pictures and were not read, because OCR reached its limit of 1 pages."
    )


def test_pages_beyond_the_time_are_named_and_nothing_of_them_is_used() -> None:
    with DocumentReader(replace(LIMITS, ocr_seconds=0.0)) as reader:
        document = reader.read("a.pptx", deck(text_slide, picture_slide))
    assert document.sentences(serious=True)[0].startswith("Slide 2 is a picture and was not read, because OCR reached")
    assert all(page.ocr is None for page in document.pages)


def test_a_picture_of_64_megapixels_is_not_opened_and_named(reader: DocumentReader) -> None:
    huge = picture(size=(8_000, 8_001))
    document = reader.read("a.pptx", deck(text_slide, lambda slide: picture_slide(slide, huge)))
    assert document.sentences(serious=True) == [
        "Slide 2 is a picture that cannot be opened or is too large, and was not read."
    ]


def test_a_page_without_words_in_its_picture_says_so(reader: DocumentReader) -> None:
    document = reader.read("a.pptx", deck(text_slide, lambda slide: picture_slide(slide, picture(""))))
    assert document.sentences(serious=True) == ["Slide 2 is a picture in which OCR found no text."]
