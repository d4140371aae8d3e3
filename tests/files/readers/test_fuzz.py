"""Broken files of every kind: cut short, with flipped bytes, or both. Each is read or refused in one line."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from analyzer.errors import DocumentError
from analyzer.files.documents import LIMITS, DocumentReader
from analyzer.files.readers import READERS
from tests.documents import SENTENCE, TITLE, box, deck, email, open_document, picture_slide, printed
from tests.hostile_files import damaged, docx, paragraph

pytestmark = pytest.mark.slow
for _package in ("lxml", "pypdfium2", "pptx", "reportlab", "striprtf"):
    pytest.importorskip(_package)
SEEDS = 40


def full_deck() -> bytes:
    def fill(slide: Any) -> None:
        box(slide, SENTENCE, (1, 1, 5, 1))
        slide.notes_slide.notes_text_frame.text = TITLE

    return deck(fill, picture_slide)


MAKERS: dict[str, Callable[[], bytes]] = {
    ".pdf": lambda: printed(lambda canvas: canvas.drawString(72, 700, SENTENCE)),
    ".pptx": full_deck,
    ".docx": lambda: docx(paragraph(SENTENCE) + "<w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl>"),
    ".html": lambda: f"<!doctype html><html><body><table><tr><td>{SENTENCE}</table></body></html>".encode(),
    ".eml": lambda: email(SENTENCE, attachments={"a.docx": docx(paragraph(TITLE)), "b.html": b"<p>x"}),
    ".odt": lambda: open_document(f"<text:p>{SENTENCE}</text:p>"),
    ".odp": lambda: open_document(f"<draw:page><text:p>{SENTENCE}</text:p></draw:page>", "presentation"),
    ".rtf": lambda: rb"{\rtf1\ansi{\fonttbl\f0 Helvetica;}\f0 Kilnworks\par Z\'fcrich \u8364? 4\par}",
}


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader(LIMITS) as reader:
        yield reader


def broken_inside(data: bytes, rng: random.Random) -> bytes:
    """A zipped document whose archive is sound and whose parts are broken, which its checksums would hide otherwise."""
    source, out = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    names = source.namelist()
    hit = rng.choice(names)
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            content = source.read(name)
            file.writestr(name, damaged(content, rng) if name == hit and content else content)
    return out.getvalue()


def test_every_kind_of_document_is_broken_here() -> None:
    assert {kind for ending in MAKERS for kind in READERS[ending].endings} == set(READERS)


@pytest.mark.parametrize("ending", MAKERS)
def test_a_broken_file_is_read_or_refused_in_one_line(
    reader: DocumentReader, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr("analyzer.files.documents.ocr_installed", lambda: False)
    whole = MAKERS[ending]()
    assert SENTENCE in (text := reader.read(f"a{ending}", whole).text) or "Kilnworks" in text
    for seed in range(SEEDS):
        rng = random.Random(seed)
        zipped = whole.startswith(b"PK") and seed % 2
        data = broken_inside(whole, rng) if zipped else damaged(whole, rng)
        try:
            reader.read(f"a{ending}", data)
        except DocumentError as error:
            message = str(error)
            assert message.startswith(f"a{ending} ") and len(message.splitlines()) == 1, (seed, message)
            assert "fault of this program" not in message and "its reader fail" not in message, (seed, message)
