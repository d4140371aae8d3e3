"""Small files that make a reader of documents take hours, or all the memory there is; and ways to damage good ones."""

from __future__ import annotations

import io
import random
import zipfile
import zlib
from collections.abc import Callable

import pytest

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
DOCUMENT = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def pdf(objects: list[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalog."""
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    size = len(objects) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n" % size + b"".join(b"%010d 00000 n \n" % at for at in offsets)
    end = b"trailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF" % (size, trailer, len(out))
    return bytes(out) + table + end


def one_page(content: bytes, filters: bytes = b"", *more: bytes, resources: bytes = b"/Font << /F1 5 0 R >>") -> bytes:
    """A PDF with one page, object 3; its content is object 4 and its font object 5."""
    return pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << %s >> >>" % resources,
            stream(content, filters),
            *(more or (FONT,)),
        ]
    )


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), entries, content)


def docx(body: str, before: str = "", relation: str = OFFICE) -> bytes:
    """The smallest Word document that a reader takes, with this body."""
    relations = f'<Relationship Id="a" Type="{relation}" Target="word/document.xml"/>'
    return archive(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{DOCUMENT}"/></Types>',
            "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f"{relations}</Relationships>",
            "word/document.xml": f'<?xml version="1.0"?>{before}<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>',
        }
    )


def archive(parts: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return buffer.getvalue()


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def wide_cell() -> bytes:
    """A table cell that spans a hundred million columns; each is a cell to its reader."""
    cell = f'<w:tc><w:tcPr><w:gridSpan w:val="100000000"/></w:tcPr>{paragraph("x")}</w:tc>'
    return docx(f"<w:tbl><w:tblGrid/><w:tr>{cell}</w:tr></w:tbl>")


def tall_table() -> bytes:
    """Cells merged downwards, row after row: each is looked for from its own row up."""
    first, cell = (f"<w:tc><w:tcPr><w:vMerge{kind}/></w:tcPr><w:p/></w:tc>" for kind in (' w:val="restart"', ""))
    return docx(f"<w:tbl><w:tblGrid/><w:tr>{first}</w:tr>{f'<w:tr>{cell}</w:tr>' * 4000}</w:tbl>")


def swollen_archive() -> bytes:
    return docx(" " * 151_000_000)


def deep_markup() -> bytes:
    return docx("<w:p>" * 50_000 + "</w:p>" * 50_000)


def entities() -> bytes:
    """The billion laughs."""
    lines = ['<!ENTITY e0 "ha">', *(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))]
    return docx(paragraph("&e9;"), f"<!DOCTYPE x [{''.join(lines)}]>")


def long_text() -> bytes:
    return docx(paragraph("word " * 100) * 3_000)


def group_shapes() -> bytes:
    """Groups in groups, side by side by the thousand."""
    pptx = pytest.importorskip("pptx")
    deck = pptx.Presentation()
    shapes = deck.slides.add_slide(deck.slide_layouts[6]).shapes
    for _ in range(8):
        inner = shapes.add_group_shape().shapes
        for _ in range(40):
            inner = inner.add_group_shape().shapes
    buffer = io.BytesIO()
    deck.save(buffer)
    source = zipfile.ZipFile(buffer)
    parts = {name: source.read(name).decode("latin-1") for name in source.namelist()}
    slide = parts["ppt/slides/slide1.xml"]
    start, end = slide.index("<p:grpSp>"), slide.rindex("</p:grpSp>") + len("</p:grpSp>")
    parts["ppt/slides/slide1.xml"] = slide[:start] + slide[start:end] * 100 + slide[end:]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, text.encode("latin-1"))
    return out.getvalue()


def table_of_contents_loop() -> bytes:
    """A cross-reference table that comes before itself."""
    data = one_page(b"BT /F1 12 Tf (x) Tj ET")
    at = data.rindex(b"startxref\n") + len(b"startxref\n")
    start = data[at:].split(b"\n")[0]
    return data.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %s" % start)


def packed_twice() -> bytes:
    """A page of 300 MB, packed twice, in some hundred bytes."""
    packer = zlib.compressobj(9)
    once = b"".join(packer.compress(b" " * 1_000_000) for _ in range(300)) + packer.flush()
    return one_page(zlib.compress(once, 9), b"/Filter [/FlateDecode /FlateDecode]")


def deep_pages() -> bytes:
    """A tree of pages five thousand levels deep."""
    levels = [
        b"<< /Type /Pages /Kids [%d 0 R] /Count 1 %s >>" % (number + 1, b"/Parent %d 0 R" % (number - 1))
        for number in range(2, 5_002)
    ]
    return pdf([b"<< /Type /Catalog /Pages 2 0 R >>", *levels, b"<< /Type /Page /Parent 5001 0 R >>"])


def circle_of_pages() -> bytes:
    pages = b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"
    return pdf([b"<< /Type /Catalog /Pages 2 0 R >>", pages])


def many_pages() -> bytes:
    """A hundred thousand times the same page."""
    content = zlib.compress(b"BT /F1 12 Tf 50 700 Td ET " * 200)
    return one_page(content, b"/Filter /FlateDecode").replace(
        b"/Kids [3 0 R] /Count 1", b"/Kids [%s] /Count 100000" % (b"3 0 R " * 100_000)
    )


def page_within_itself() -> bytes:
    """A form that draws itself twice."""
    form = stream(
        b"/Fm Do /Fm Do", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /Fm 5 0 R >> >>"
    )
    return one_page(b"/Fm Do", b"", form, resources=b"/XObject << /Fm 5 0 R >>")


def many_words() -> bytes:
    content = zlib.compress(b"BT /F1 12 Tf 50 700 Td (w) Tj ET\n" * 400_000, 9)
    return one_page(content, b"/Filter /FlateDecode")


def endless_characters() -> bytes:
    """A font whose table of characters has four billion entries."""
    ranges = b"1 begincodespacerange <00000000> <FFFFFFFF> endcodespacerange 1 beginbfrange <00000000> <FFFFFFFF> <00000000> endbfrange"
    font = b"<< /Type /Font /Subtype /Type0 /BaseFont /A /Encoding /Identity-H /ToUnicode 6 0 R >>"
    return one_page(b"BT /F1 12 Tf (x) Tj ET", b"", font, stream(ranges))


def brackets() -> bytes:
    """Lists in lists."""
    return one_page(b"[" * 200_000 + b"]" * 200_000 + b" TJ")


def deep_tags() -> bytes:
    return b"<!doctype html><html><body>" + b"<div><section>" * 300_000 + b"deep"


def open_tag() -> bytes:
    """One tag that never ends."""
    return b"<!doctype html><html><body><p>text</p><a " + b"x='y' <" * 2_000_000


def mail_in_mail() -> bytes:
    """Parts in parts, five thousand deep."""
    head = b"Subject: x\nMIME-Version: 1.0\n"
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (at, at) for at in range(5_000))
    return head + parts + b"Content-Type: text/plain\n\ntext\n"


def braces() -> bytes:
    return b"{\\rtf1 " + b"{\\b " * 500_000 + b"text" + b"}" * 500_001


HOSTILE: dict[str, tuple[str, Callable[[], bytes], str | None]] = {
    "a cell over many columns": (".docx", wide_cell, None),
    "cells merged downwards": (".docx", tall_table, None),
    "an archive that swells": (".docx", swollen_archive, "unpacks to more than 150 MB"),
    "deep markup": (".docx", deep_markup, "nests too deeply"),
    "entities of entities": (".docx", entities, "unpacks to more"),
    "a long text": (".docx", long_text, r"has more than 200,000 characters of text \(stopped at paragraph 400\)"),
    "groups in groups": (".pptx", group_shapes, None),
    "a table before itself": (".pdf", table_of_contents_loop, None),
    "a page packed twice": (".pdf", packed_twice, "takes more than 150 MB of memory to read"),
    "deep pages": (".pdf", deep_pages, None),
    "a circle of pages": (".pdf", circle_of_pages, None),
    "many pages": (".pdf", many_pages, "takes more than 1 seconds to read"),
    "a page within itself": (".pdf", page_within_itself, None),
    "many words": (".pdf", many_words, r"takes more than (150 MB of memory|1 seconds) to read"),
    "endless characters": (".pdf", endless_characters, None),
    "lists in lists": (".pdf", brackets, None),
    "deep tags": (".html", deep_tags, None),
    "a tag without end": (".html", open_tag, None),
    "mail in mail": (".eml", mail_in_mail, None),
    "braces": (".rtf", braces, None),
}
"""Each with its kind, how it is made, and what its error says where that is always the same."""


def encrypted() -> bytes:
    """A PDF that AES protects; whether with a password cannot be seen without the package for it."""
    entries = b" ".join(
        b"/%s <%s>" % (name, b"00" * size)
        for name, size in ((b"O", 48), (b"U", 48), (b"OE", 32), (b"UE", 32), (b"Perms", 16))
    )
    filters = b"/CF << /StdCF << /CFM /AESV3 /Length 32 /AuthEvent /DocOpen >> >> /StmF /StdCF /StrF /StdCF"
    encryption = b"/Encrypt << /Filter /Standard /V 5 /R 6 /Length 256 /P -4 %s %s >> /ID [<00> <00>]" % (
        filters,
        entries,
    )
    return one_page(b"BT (x) Tj ET").replace(b"/Root 1 0 R", b"/Root 1 0 R " + encryption)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The file cut short, with bytes changed, or both."""
    out = bytearray(data)
    for _ in range(rng.randint(0, 30)):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out[: rng.randint(1, len(out))] if rng.random() < 0.5 else out)
