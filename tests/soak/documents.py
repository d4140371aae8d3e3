"""Damaged documents, by a seed: PDF, Word and PowerPoint files that were cut, flipped, zeroed or garbled inside."""

from __future__ import annotations

import io
import random
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.completions import PITCH

_LINES: Final = [line for line in PITCH.splitlines() if line]
WHOLE: Final = 10
"""Every so many documents one is left whole: it has to be assessed."""


def write_documents(folder: Path, count: int, seed: int) -> set[str]:
    """Writes so many documents, most of them damaged; returns the names (without endings) of those left whole."""
    folder.mkdir(parents=True, exist_ok=True)
    makers: dict[str, Callable[[], bytes]] = {"pdf": pdf_file, "docx": docx_file, "pptx": pptx_file}
    sound = {ending: make() for ending, make in makers.items()}
    whole = set()
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        ending = list(makers)[number % len(makers)]
        name = f"document-{number:03}"
        if number % WHOLE == 0:
            whole.add(name)
            (folder / f"{name}.{ending}").write_bytes(sound[ending])
        else:
            (folder / f"{name}.{ending}").write_bytes(damaged(sound[ending], rng))
    return whole


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The same document with one kind of damage."""
    ways: list[Callable[[bytes, random.Random], bytes]] = [_cut, _flip, _zero, _repeat]
    if data.startswith(b"PK"):
        ways.append(_garble_parts)
    return rng.choice(ways)(data, rng)


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _flip(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 8, 64, 512))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _zero(data: bytes, rng: random.Random) -> bytes:
    start, length = rng.randrange(len(data)), rng.randrange(1, 2000)
    return data[:start] + b"\0" * min(length, len(data) - start) + data[start + length :]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    start, length = rng.randrange(len(data)), rng.randrange(1, 2000)
    return data[:start] + data[start : start + length] * rng.choice((2, 20)) + data[start + length :]


def _garble_parts(data: bytes, rng: random.Random) -> bytes:
    """Damage inside the parts of a zipped document, so that the archive itself is sound."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as changed:
        for name in archive.namelist():
            part = archive.read(name)
            if part and rng.random() < 0.3:
                part = rng.choice((_cut, _flip, _zero, _repeat))(part, rng)
            if rng.random() > 0.03:
                changed.writestr(name, part)
    return out.getvalue()


# ---------------------------------------------------------------- sound ones


def docx_file() -> bytes:
    import docx

    document = docx.Document()
    for line in _LINES:
        document.add_paragraph(line)
    table = document.add_table(rows=2, cols=2)
    for row in table.rows:
        row.cells[0].text, row.cells[1].text = "price", "4%"
    return _saved(document)


def pptx_file() -> bytes:
    import pptx

    deck = pptx.Presentation()
    for line in _LINES:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = _LINES[0], line
    return _saved(deck)


def pdf_file() -> bytes:
    """One page for each line, its text compressed as most programs write it."""
    pages = [
        zlib.compress(f"BT /F1 12 Tf 50 700 Td ({line.replace('(', ' ').replace(')', ' ')}) Tj ET".encode())
        for line in _LINES
    ]
    kids = " ".join(f"{4 + 2 * place} 0 R" for place in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for place, page in enumerate(pages):
        resources = "/Resources << /Font << /F1 3 0 R >> >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * place} 0 R {resources} >>".encode()
        )
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream" % (len(page), page))
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + table + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))


def _saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()
