"""Files to text: each kind is read, and what cannot be read is one clear error."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from analyzer.errors import AnalyzerError, ConfigurationError, DocumentError
from analyzer.files.documents import MAX_BYTES, read_document, read_file

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
    """A page of text, written by hand: the smallest PDF that a reader accepts."""
    pytest.importorskip("pypdf")
    stream = f"BT /F1 12 Tf 50 700 Td (Wattwise) Tj 0 -20 Td ({SENTENCE}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + table + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % len(out)


def saved(document: object) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)  # type: ignore[attr-defined]
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "make", "also"),
    [("a.docx", docx_file, "price | 4%"), ("a.pptx", pptx_file, "Say the price: 4%"), ("a.pdf", pdf_file, "Wattwise")],
    ids=["Word", "PowerPoint", "PDF"],
)
def test_a_document_gives_its_text(name: str, make: object, also: str) -> None:
    text = read_document(name, make())  # type: ignore[operator]
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
    assert read_document(name, data) == SENTENCE


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.txt", "Gerät".encode("latin-1"), r"not text in UTF-8 \(byte 3\)"),
        ("a.txt", b"\x00\x01\x02\x00" * 9, "is binary"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\x00\x00", "not text in UTF-8"),
        ("a.xlsx", b"PK", r"cannot be read; give \.txt, \.md, \.pdf, \.pptx, \.docx"),
        ("a.pdf", b"not a pdf", "damaged or not of the kind"),
        ("a.docx", b"not a zip", "damaged or not of the kind"),
        ("a.pptx", b"PK\x03\x04 broken", "damaged or not of the kind"),
        ("a.txt", b"x" * (MAX_BYTES + 1), "has 50 MB, the limit is 50"),
    ],
    ids=["latin-1", "binary", "picture", "spreadsheet", "pdf", "docx", "pptx", "large"],
)
def test_what_cannot_be_read_is_one_line_naming_the_file(name: str, data: bytes, says: str) -> None:
    with pytest.raises(DocumentError, match=says) as raised:
        read_document(name, data)
    assert str(raised.value).startswith(name) and len(str(raised.value).splitlines()) == 1


def test_a_document_without_text_says_so() -> None:
    docx = pytest.importorskip("docx")
    with pytest.raises(DocumentError, match="holds no text"):
        read_document("a.docx", saved(docx.Document()))


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read: No such file"):
        read_file(tmp_path / "none.txt")


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.pptx"])
def test_a_missing_reader_says_what_to_install(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for module in ("pypdf", "docx", "pptx"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=r'pip install "pitch-analyzer\[documents\]"'):
        read_document(name, b"x")


@pytest.mark.parametrize("seed", range(40))
def test_damaged_documents_never_end_in_anything_but_our_errors(seed: int) -> None:
    import random

    rng = random.Random(seed)
    make, name = rng.choice([(docx_file, "a.docx"), (pptx_file, "a.pptx"), (pdf_file, "a.pdf")])
    data = bytearray(make())
    for _ in range(rng.randint(1, 30)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    try:
        read_document(name, bytes(data[: rng.randint(1, len(data))] if seed % 2 else data))
    except AnalyzerError as error:
        assert len(str(error).splitlines()) == 1
