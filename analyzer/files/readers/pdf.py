"""PDF, by PDFium: text in reading order, form fields and boxes of text, and which pages are pictures."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from typing import Any, Final

from analyzer.files.document import Page, Unread
from analyzer.files.readers.kind import (
    FEW_LETTERS,
    INSTEAD,
    LARGE_PICTURE,
    Parts,
    Pictures,
    Unreadable,
    letters,
    package,
)

_MOST_OBJECTS: Final = 5_000
"""Objects of a page that are looked at to find out whether it is a picture."""
_SIDE: Final = 1_600
"""Pixels of the longer side of a page that is rendered for OCR."""
_LONGEST_VALUE: Final = 20_000


def read(data: bytes) -> Parts:
    pdfium, raw = package("pypdfium2"), package("pypdfium2.raw")
    document = _opened(pdfium, raw, data)
    forms = document.get_formtype() != raw.FORMTYPE_NONE
    if forms:
        document.init_forms()
    for number in range(1, len(document) + 1):
        page = document[number - 1]
        content = page.get_textpage()
        text = _plain(content.get_text_range())
        texts = _lines_with_fields(text, content, list(_annotations(raw, document, page, forms)))
        pictures, covered = _pictures(raw, page, letters(texts) < FEW_LETTERS)
        if letters(texts) < FEW_LETTERS and covered:
            yield Unread("pictures_as_pages", 1, (number,))
        elif pictures:
            yield Unread("pictures", pictures, (number,))
        yield Page(number, texts)
        content.close()
        page.close()
    if attached := document.count_attachments():
        yield Unread("embedded", attached)


def pictures(data: bytes, pages: Sequence[int]) -> Pictures:
    """The pages, rendered."""
    pdfium, raw = package("pypdfium2"), package("pypdfium2.raw")
    document = _opened(pdfium, raw, data)
    if document.get_formtype() != raw.FORMTYPE_NONE:
        document.init_forms()
    for number in pages:
        page = document[number - 1]
        scale = _SIDE / max(*page.get_size(), 1.0)
        yield number, page.render(scale=scale).to_numpy()
        page.close()


def _opened(pdfium: Any, raw: Any, data: bytes) -> Any:
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        code = getattr(error, "err_code", None)
        if code == raw.FPDF_ERR_PASSWORD:
            raise Unreadable(f"is protected by a password; save it without one, {INSTEAD}") from error
        if code == raw.FPDF_ERR_SECURITY:
            raise Unreadable(
                f"is encrypted in a way that cannot be read; save it without encryption, {INSTEAD}"
            ) from error
        raise


def _plain(text: str) -> str:
    """PDFium's text with ordinary line ends; it marks a hyphen that splits a word at the end of a line."""
    return text.replace("\r\n", "\n").replace("\ufffe", "-\n").replace("\x02", "-\n")


def _pictures(raw: Any, page: Any, look_at_drawings: bool) -> tuple[int, bool]:
    """How many pictures a page has, and whether pictures or drawings cover a good part of it."""
    width, height = page.get_size()
    area = max(width * height, 1.0)
    count, covered = 0, 0.0
    for seen, thing in enumerate(page.get_objects(max_depth=4)):
        if seen >= _MOST_OBJECTS:
            break
        picture = thing.type in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING)
        count += thing.type == raw.FPDF_PAGEOBJ_IMAGE
        drawing = look_at_drawings and thing.type == raw.FPDF_PAGEOBJ_PATH
        if not picture and not drawing:
            continue
        try:
            left, bottom, right, top = thing.get_bounds()
        except Exception:  # noqa: BLE001, S112  # an object without bounds covers nothing
            continue
        share = abs(right - left) * abs(top - bottom) / area
        # Text drawn as outlines is many small paths; one large path is a background.
        covered += share if picture else min(share, 0.02) if share < 0.5 else 0.0
    return count, covered >= LARGE_PICTURE


def _annotations(raw: Any, document: Any, page: Any, forms: bool) -> Iterator[tuple[float, str]]:
    """What is filled into a form's fields, and the boxes of text laid over a page, each with its height on it."""
    for at in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST_OBJECTS)):
        annotation = raw.FPDFPage_GetAnnot(page, at)
        if not annotation:
            continue
        try:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            value = ""
            if kind == raw.FPDF_ANNOT_WIDGET and forms:
                value = _field_value(raw, document.formenv, annotation)
            elif kind == raw.FPDF_ANNOT_FREETEXT:
                value = _string(lambda *to: raw.FPDFAnnot_GetStringValue(annotation, b"Contents", *to))  # noqa: B023
            if value.strip():
                place = raw.FS_RECTF()
                raw.FPDFAnnot_GetRect(annotation, place)
                yield (place.top + place.bottom) / 2, value.strip()
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


def _field_value(raw: Any, form: Any, annotation: Any) -> str:
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        if not raw.FPDFAnnot_IsChecked(form, annotation):
            return ""
        return _string(lambda *to: raw.FPDFAnnot_GetFormFieldExportValue(form, annotation, *to))
    if kind in (raw.FPDF_FORMFIELD_PUSHBUTTON, raw.FPDF_FORMFIELD_SIGNATURE):
        return ""
    return _string(lambda *to: raw.FPDFAnnot_GetFormFieldValue(form, annotation, *to))


def _string(get: Any) -> str:
    """A string that PDFium writes into a buffer, in UTF-16."""
    size = get(None, 0)
    if size <= 2 or size > 2 * _LONGEST_VALUE:
        return ""
    buffer = ctypes.create_string_buffer(size)
    get(ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace").replace("\r\n", "\n").replace("\r", "\n")


def _lines_with_fields(text: str, content: Any, fields: list[tuple[float, str]]) -> str:
    """The lines of a page with each field's value after the lowest line that begins above it."""
    if not fields:
        return text
    lines = text.split("\n")
    heights, at = [], 0
    for line in lines:
        heights.append(_height(content, at, line))
        at += len(line) + 2
    for height, value in sorted(fields):
        above = [number for number, line in enumerate(heights) if line is not None and line >= height - 2]
        lines.insert(above[-1] + 1 if above else len(lines), value)
        heights.insert(above[-1] + 1 if above else len(heights), None)
    return "\n".join(lines)


def _height(content: Any, at: int, line: str) -> float | None:
    """The height of a line's first character; None where PDFium knows none."""
    if not line.strip():
        return None
    try:
        _, bottom, _, top = content.get_charbox(at + len(line) - len(line.lstrip()))
    except Exception:  # noqa: BLE001  # an index past the last character
        return None
    return float(top + bottom) / 2
