"""OpenDocument texts and presentations (LibreOffice): paragraphs, tables, slides, with notes apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from analyzer.files.document import Aside, Page, Unread
from analyzer.files.readers.archive import Archive, attribute, child, elements, name_of, within
from analyzer.files.readers.kind import (
    FEW_LETTERS,
    INSTEAD,
    Parts,
    Pictures,
    Unreadable,
    letters,
)

_CONTENT: Final = "content.xml"
_SKIPPED: Final = frozenset(("tracked-changes", "forms", "sequence-decls", "notes", "annotation", "event-listeners"))
_MOST_SPACES: Final = 100


def read(presentation: bool, data: bytes) -> Parts:
    archive = Archive(data)
    if "META-INF/manifest.xml" in archive and any(within(archive.xml("META-INF/manifest.xml"), "encryption-data")):
        raise Unreadable(f"is protected by a password; save it without one, {INSTEAD}")
    body = child(archive.xml(_CONTENT), "body")
    slides = list(within(body, "page")) if body is not None and presentation else [body] if body is not None else []
    for number, slide in enumerate(slides, 1):
        at = number if presentation else 0
        seen = 0
        for block in _blocks(slide):
            seen += letters(block)
            yield Page(at, block)
        notes = "\n".join(line for part in within(slide, "notes") if presentation for line in _blocks(part))
        comments = "\n".join(line for part in within(slide, "annotation") for line in _blocks(part))
        asides = [Aside(kind, text) for kind, text in (("notes", notes), ("comments", comments)) if text]
        yield Page(at, "", tuple(asides))
        pictured = sum(1 for picture in within(slide, "image") if not _in_notes(picture))
        if pictured:
            few = seen < FEW_LETTERS
            yield Unread("pictures_as_pages" if few else "pictures", pictured, (at,) if presentation else ())
        if embedded := sum(1 for _ in within(slide, "object-ole", "object")):
            yield Unread("embedded", embedded, (at,) if presentation else ())


def pictures(presentation: bool, data: bytes, pages: Sequence[int]) -> Pictures:
    """The pictures of the pages, in order."""
    archive = Archive(data)
    body = child(archive.xml(_CONTENT), "body")
    slides = [] if body is None else list(within(body, "page")) if presentation else [body]
    for number in pages if presentation else (0,) if slides else ():
        for picture in within(slides[max(number - 1, 0)], "image"):
            found = archive.picture(attribute(picture, "href"))
            if found is not None:
                yield number, found


def _blocks(parent: Any) -> Iterator[str]:
    for element in elements(parent):
        name = name_of(element)
        if name in ("p", "h"):
            boxes: list[Any] = []
            text = "".join(_inline(element, boxes)).strip()
            if text:
                yield text
            for box in boxes:
                yield from _blocks(box)
        elif name in ("table-row",):
            cells = [" ".join(_blocks(cell)) for cell in elements(element) if name_of(cell) == "table-cell"]
            if any(cells):
                yield " | ".join(cells)
        elif name not in _SKIPPED:
            yield from _blocks(element)


def _inline(element: Any, boxes: list[Any]) -> Iterator[str]:
    yield element.text or ""
    for part in element:
        name = name_of(part)
        if name == "s":
            yield " " * min(_count(part), _MOST_SPACES)
        elif name in ("tab", "line-break"):
            yield "\t" if name == "tab" else "\n"
        elif name == "frame":
            boxes.append(part)
        elif name and name not in _SKIPPED:
            yield from _inline(part, boxes)
        yield part.tail or ""


def _count(element: Any) -> int:
    value = attribute(element, "c")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 5 else 1


def _in_notes(element: Any) -> bool:
    return any(name_of(parent) == "notes" for parent in element.iterancestors())
