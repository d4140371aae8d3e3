"""Invented documents for tests: decks, Word files, e-mails and pictures, built in memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

TITLE = "Kilnworks"
SENTENCE = "Platform teams pay for GPUs that stand idle half of the day."
PLACE = tuple[float, float, float, float]
"""Left, top, width, height in inches."""


def saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def deck(*slides: Callable[[Any], None]) -> bytes:
    """A presentation; each function fills one blank slide."""
    pptx = pytest.importorskip("pptx")
    presentation = pptx.Presentation()
    for fill in slides:
        fill(presentation.slides.add_slide(presentation.slide_layouts[6]))
    return saved(presentation)


def box(slide: Any, text: str, place: PLACE) -> Any:
    inches = pytest.importorskip("pptx.util").Inches
    shape = slide.shapes.add_textbox(*map(inches, place))
    shape.text_frame.text = text
    return shape


def picture(text: str = SENTENCE, size: tuple[int, int] = (1200, 675), kind: str = "PNG") -> bytes:
    """A picture with a line of text in it."""
    image_module, draw = pytest.importorskip("PIL.Image"), pytest.importorskip("PIL.ImageDraw")
    font = pytest.importorskip("PIL.ImageFont").load_default(34)
    image = image_module.new("RGB", size, "white")
    draw.Draw(image).text((60, 120), text, fill="black", font=font)
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def picture_slide(slide: Any, data: bytes | None = None) -> None:
    inches = pytest.importorskip("pptx.util").Inches
    slide.shapes.add_picture(io.BytesIO(data or picture()), 0, 0, inches(10), inches(5.6))


def changed(data: bytes, part: str, change: Callable[[str], str]) -> bytes:
    """A zipped document with one part changed."""
    source, out = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name in source.namelist():
            content = source.read(name)
            file.writestr(name, change(content.decode()).encode() if name == part else content)
    return out.getvalue()


def open_document(body: str, kind: str = "text") -> bytes:
    """The smallest OpenDocument file with this body."""
    names = {
        "office": "office", "text": "text", "table": "table", "draw": "drawing", "presentation": "presentation", "xlink": "",
    }  # fmt: skip
    spaces = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for short, name in names.items() if name
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        file.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
        )
    return out.getvalue()


def email(body: str, *, subject: str = TITLE, html: bool = False, attachments: dict[str, bytes] | None = None) -> bytes:
    from email.message import EmailMessage

    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ada <ada@kilnworks.example>", "fund@example.org", subject
    message["Date"] = "Mon, 02 Nov 2026 09:30:00 +0000"
    message.set_content(body, subtype="html" if html else "plain")
    for name, data in (attachments or {}).items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def printed(*pages: Callable[[Any], None], encrypt: Any = None) -> bytes:
    """A PDF; each function draws one page on a canvas of reportlab."""
    canvas = pytest.importorskip("reportlab.pdfgen.canvas")
    buffer = io.BytesIO()
    drawing = canvas.Canvas(buffer, pagesize=(612, 792), encrypt=encrypt)
    for page in pages:
        page(drawing)
        drawing.showPage()
    drawing.save()
    return buffer.getvalue()
