"""Files to text: each kind is read, and what cannot be read is one clear error."""

from __future__ import annotations

import io
import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analyzer.errors import ConfigurationError, DocumentError
from analyzer.files.documents import LIMITS, MAX_BYTES, DocumentReader, read_document, read_file
from analyzer.files.reader_process import DocumentAnswer
from analyzer.files.reader_worker import Worker
from analyzer.files.readers import CLOSED
from analyzer.reading.pitch import MAX_CHARACTERS
from tests import hostile_files as hostile
from tests.documents import TITLE, box, deck, picture_slide

STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument"
SENTENCE = "Platform teams pay for GPUs that stand idle."


def docx_file() -> bytes:
    docx = pytest.importorskip("docx")
    document = docx.Document()
    document.add_heading("Wattwise", 1)
    document.add_paragraph(SENTENCE)
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "price", "4%"
    return saved(document)


def pptx_file() -> bytes:
    pptx = pytest.importorskip("pptx")
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Wattwise"
    slide.placeholders[1].text = SENTENCE
    slide.notes_slide.notes_text_frame.text = "Say the price: 4%"
    return saved(deck)


def pdf_file() -> bytes:
    pytest.importorskip("pypdfium2")
    return hostile.one_page(f"BT /F1 12 Tf 50 700 Td (Wattwise) Tj 0 -20 Td ({SENTENCE}) Tj ET".encode())


def saved(document: object) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)  # type: ignore[attr-defined]
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "make", "also"),
    [("a.docx", docx_file, "price | 4%"), ("a.pptx", pptx_file, "Wattwise"), ("a.pdf", pdf_file, "Wattwise")],
    ids=["Word", "PowerPoint", "PDF"],
)
def test_a_document_gives_its_text(name: str, make: object, also: str) -> None:
    text = read_document(name, make()).text  # type: ignore[operator]
    assert SENTENCE in text and also in text


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", SENTENCE.encode()),
        ("a.md", b"\xef\xbb\xbf" + SENTENCE.encode()),
        ("a.TXT", SENTENCE.encode("utf-16")),
        ("pitch", SENTENCE.encode()),
    ],
    ids=["text", "with a mark", "utf-16", "no ending"],
)
def test_plain_text_is_taken_as_it_is(name: str, data: bytes) -> None:
    assert read_document(name, data).text == SENTENCE


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.txt", "Gerät".encode("latin-1"), r"not text in UTF-8 \(byte 3\)"),
        ("a.txt", b"\x00\x01\x02\x00" * 9, "is binary"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\x00\x00", "not text in UTF-8"),
        ("a.xlsx", b"PK", r"cannot be read: files of this kind are not supported; use \.txt, \.md, \.pdf, \.pptx"),
        ("a.pdf", b"not a pdf", "is named .pdf but is not a PDF"),
        ("a.docx", b"not a zip", "is named .docx but is not a Word document"),
        ("a.pptx", b"PK\x03\x04 broken", "is damaged or incomplete"),
        ("a.pdf", b"%PDF-1.7 broken", "is damaged or incomplete"),
        ("a.docx", b"", r"is empty \(0 bytes\)"),
        ("a.pptx", hostile.docx(""), "looks like a Word document"),
        ("a.docx", hostile.one_page(b""), "looks like a PDF"),
        ("a.docx", hostile.archive({"notes.txt": "x"}), "looks like a ZIP archive"),
        (
            "a.docx",
            bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 2000,
            "protected by a password or saved in an old format",
        ),
        (
            "a.docx",
            hostile.docx("", relation=STRICT),
            "holds no text; export it again, or use a version with text in it",
        ),
        (
            "a.docx",
            hostile.docx("").replace(b"word/document.xml", b"word/documenu.xml"),
            r"part that is missing.*word/document\.xml",
        ),
        ("a.txt", hostile.one_page(b""), "looks like a PDF, not text; give the file the ending .pdf"),
        ("standard input", hostile.docx(""), "looks like a Word document"),
        ("a.txt", b"x" * (MAX_BYTES + 1), "has 50 MB, the limit is 50"),
        ("a.md", b"x" * 200_001, "has 200,001 characters of text; a pitch has at most 100,000"),
    ],
    ids=[
        *("latin-1", "binary", "picture", "spreadsheet", "no pdf", "no zip", "half a zip", "half a pdf", "empty"),
        *("Word as PowerPoint", "PDF as Word", "archive", "old format", "strict", "part missing"),
        *("PDF as text", "Word as text", "large", "long"),
    ],
)
def test_what_cannot_be_read_is_one_line_that_names_the_file_and_the_true_reason(
    name: str, data: bytes, says: str
) -> None:
    with pytest.raises(DocumentError, match=says) as raised:
        read_document(name, data)
    assert str(raised.value).startswith(name) and len(str(raised.value).splitlines()) == 1


def test_a_pdf_with_a_password_says_so_and_is_not_called_damaged() -> None:
    with pytest.raises(DocumentError, match=r"is protected by a password; save it without one"):
        read_document("a.pdf", hostile.encrypted())


@pytest.mark.parametrize("ending", CLOSED)
def test_an_old_or_closed_format_says_how_to_save_it(ending: str) -> None:
    with pytest.raises(DocumentError, match=rf"^deck\{ending} is an? .*; (in|there).*(Save As|Export|Download)"):
        read_document(f"deck{ending}", b"x")


def test_a_name_of_several_lines_is_shown_on_one() -> None:
    with pytest.raises(DocumentError) as raised:
        read_document("a\nb\x1b[1m.pdf", b"")
    assert str(raised.value).startswith("a?b?[1m.pdf is empty")


def test_a_file_is_named_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "deck.pdf").write_bytes(b"")
    with pytest.raises(DocumentError, match=re.escape(f"{tmp_path / 'deck.pdf'} is empty")):
        read_file(tmp_path / "deck.pdf")


def test_a_document_without_text_says_so() -> None:
    docx = pytest.importorskip("docx")
    with pytest.raises(DocumentError, match="holds no text"):
        read_document("a.docx", saved(docx.Document()))


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read: No such file"):
        read_file(tmp_path / "none.txt")


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.pptx"])
def test_a_missing_reader_says_what_to_install(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(sys, "path", [path for path in sys.path if not path.endswith("site-packages")])
    with pytest.raises(ConfigurationError, match=r"pip install .*documents"):
        read_document(name, b"x")


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as reader:
        yield reader


@pytest.mark.parametrize(("name", "make"), [("a.docx", docx_file), ("a.pptx", pptx_file), ("a.pdf", pdf_file)])
def test_damaged_documents_never_end_in_anything_but_our_errors(
    reader: DocumentReader, name: str, make: Callable[[], bytes]
) -> None:
    whole = make()
    refused = 0
    for seed in range(60):
        try:
            reader.read(name, hostile.damaged(whole, random.Random(seed)))
        except DocumentError as error:
            assert str(error).startswith(name) and len(str(error).splitlines()) == 1
            assert "fault of this program" not in str(error) and "its reader fail" not in str(error)
            refused += 1
    assert refused


def test_an_honest_pitch_is_never_refused_for_its_length() -> None:
    assert LIMITS.characters >= 2 * MAX_CHARACTERS


@pytest.mark.parametrize(
    ("problem", "words"),
    [("memory", "needs more memory than it may use"), ("crash", "ended unexpectedly"), ("fault", "failed")],
)
def test_pages_on_which_installed_ocr_fails_are_named_without_advice_to_install_it(
    monkeypatch: pytest.MonkeyPatch, problem: str, words: str
) -> None:
    monkeypatch.setattr("analyzer.files.documents.ocr_installed", lambda: True)
    read = Worker.read

    def fails(worker: Worker, *arguments: Any) -> DocumentAnswer:
        return DocumentAnswer("", problem) if arguments[-1] is not None else read(worker, *arguments)

    monkeypatch.setattr(Worker, "read", fails)
    document = read_document("a.pptx", deck(lambda slide: box(slide, TITLE, (1, 1, 8, 1)), picture_slide))
    assert document.sentences(serious=True) == [f"Slide 2 is a picture and was not read, because OCR {words}."]
