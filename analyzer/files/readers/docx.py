"""Word documents: everything that a reader of the printed page sees, in order.

Read from the markup itself, because libraries for Word leave out text boxes, content controls and tracked insertions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from analyzer.files.document import Aside, Page, Unread
from analyzer.files.readers.archive import Archive, Relation, attribute, child, elements, is_on, name_of, within
from analyzer.files.readers.drawings import linked_lines
from analyzer.files.readers.kind import FEW_LETTERS, Parts, Pictures, letters

_USUAL: Final = "word/document.xml"
_SKIPPED: Final = frozenset(
    ("pPr", "rPr", "del", "moveFrom", "instrText", "delText", "sectPr", "tblPr", "tblGrid", "rt", "proofErr")
)
_TEXT: Final = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}


def read(data: bytes) -> Parts:
    archive = Archive(data)
    part = archive.main_part(_USUAL)
    body = child(archive.xml(part), "body")
    relations = archive.relations(part)
    walk = _Walk(archive, relations)
    read_letters = 0
    for block in walk.blocks(body) if body is not None else ():
        read_letters += letters(block)
        yield Page(0, block)
    for kind in ("header", "footnotes", "endnotes", "footer"):
        seen: set[str] = set()
        for relation in relations.values():
            root = archive.maybe_xml(relation.target) if relation.kind == kind else None
            if root is None:
                continue
            inner = _Walk(archive, archive.relations(relation.target))
            text = "\n".join(inner.blocks(root))
            if text not in seen and any(map(str.isalpha, text)):
                seen.add(text)
                yield Page(0, text)
    yield from _comments(archive, relations)
    if walk.hidden:
        yield Unread("hidden_text", walk.hidden)
    if walk.embedded:
        yield Unread("embedded", walk.embedded)
    if walk.pictures:
        yield Unread("pictures_as_pages" if read_letters < FEW_LETTERS else "pictures", walk.pictures)


def pictures(data: bytes, pages: Sequence[int]) -> Pictures:
    """The pictures of the document, in order."""
    archive = Archive(data)
    part = archive.main_part(_USUAL)
    relations = archive.relations(part)
    for reference in within(archive.xml(part), "blip", "imagedata"):
        relation = relations.get(attribute(reference, "embed") or attribute(reference, "id"))
        found = archive.picture(relation.target) if relation is not None else None
        if found is not None:
            yield 0, found


@dataclass
class _Walk:
    """Walks through the markup of one part, and counts what it cannot read."""

    archive: Archive
    relations: dict[str, Relation]
    pictures: int = 0
    embedded: int = 0
    hidden: int = 0
    _boxes: list[Any] = field(default_factory=list)

    def blocks(self, parent: Any) -> Iterator[str]:
        """Paragraphs and rows of tables; what is in a text box comes after the paragraph that holds the box."""
        for element in elements(parent):
            name = name_of(element)
            if name == "p":
                yield from self._paragraph(element)
            elif name == "tbl":
                yield from self._rows(element)
            elif name == "AlternateContent":
                yield from self._alternatives(element)
            elif name == "sdt":
                if child(element, "sdtPr", "showingPlcHdr") is None:
                    yield from self.blocks(
                        child(element, "sdtContent") if child(element, "sdtContent") is not None else ()
                    )
            elif name not in _SKIPPED:
                yield from self.blocks(element)

    def _paragraph(self, paragraph: Any) -> Iterator[str]:
        outer, self._boxes = self._boxes, []
        text = "".join(self._inline(paragraph)).strip()
        boxes, self._boxes = self._boxes, outer
        if text:
            yield text
        for box in boxes:
            if isinstance(box, str):
                yield box
            else:
                yield from self.blocks(box)

    def _inline(self, parent: Any) -> Iterator[str]:
        for element in elements(parent):
            name = name_of(element)
            if name == "t":
                yield element.text or ""
            elif name in _TEXT:
                yield _TEXT[name]
            elif name == "r" and self._is_hidden(element):
                self.hidden += any((text.text or "").strip() for text in within(element, "t"))
            elif name == "sdt":
                if child(element, "sdtPr", "showingPlcHdr") is None and child(element, "sdtContent") is not None:
                    yield from self._inline(child(element, "sdtContent"))
            elif name == "AlternateContent":
                yield from self._inline_alternatives(element)
            elif name in ("drawing", "pict", "object"):
                self._drawing(element)
            elif name not in _SKIPPED:
                yield from self._inline(element)

    def _is_hidden(self, run: Any) -> bool:
        switch = child(run, "rPr", "vanish")
        return switch is not None and is_on(attribute(switch, "val"))

    def _inline_alternatives(self, element: Any) -> Iterator[str]:
        """The first alternative that gives anything: text, a box, a picture."""
        for branch in elements(element):
            before = len(self._boxes), self.pictures, self.embedded
            text = "".join(self._inline(branch))
            yield text
            if text or (len(self._boxes), self.pictures, self.embedded) != before:
                return

    def _alternatives(self, element: Any) -> Iterator[str]:
        for branch in elements(element):
            found = list(self.blocks(branch))
            yield from found
            if found:
                return

    def _drawing(self, drawing: Any) -> None:
        if name_of(drawing) == "object" and child(drawing, "OLEObject") is not None:
            self.embedded += 1
            return
        self._boxes += linked_lines(drawing, self.archive, self.relations)
        outer = list(_outermost(drawing, "txbxContent"))
        self._boxes += outer
        self.pictures += sum(1 for _ in within(drawing, "blip", "imagedata")) - sum(
            1 for box in outer for _ in within(box, "blip", "imagedata")
        )

    def _rows(self, table: Any) -> Iterator[str]:
        """Rows as lines; the cells of a row that holds more than a line in a cell, one below the other."""
        lines: list[str] = []
        for row in _direct(table, "tr"):
            cells = [list(self.blocks(cell)) for cell in _direct(row, "tc") if not _covered(cell)]
            if all(len(cell) <= 1 and "\n" not in "".join(cell) for cell in cells):
                if any(cells):
                    lines.append(" | ".join(cell[0] if cell else "" for cell in cells))
            else:
                if lines:
                    yield "\n".join(lines)
                lines = []
                yield from (block for cell in cells for block in cell)
            if len(lines) >= 50:
                yield "\n".join(lines)
                lines = []
        if lines:
            yield "\n".join(lines)


def _direct(parent: Any, wanted: str) -> Iterator[Any]:
    """Rows of a table or cells of a row, also those within content controls and tracked insertions."""
    for element in elements(parent):
        name = name_of(element)
        if name == wanted:
            if child(element, "trPr", "del") is None:
                yield element
        elif name in ("sdt", "sdtContent", "ins", "customXml", "moveTo"):
            yield from _direct(element, wanted)


def _covered(cell: Any) -> bool:
    """Whether a cell only continues the one above it."""
    merge = child(cell, "tcPr", "vMerge")
    return merge is not None and attribute(merge, "val") in ("", "continue")


def _outermost(parent: Any, wanted: str) -> Iterator[Any]:
    for element in elements(parent):
        if name_of(element) == wanted:
            yield element
        elif name_of(element) == "AlternateContent":
            branch = next((each for each in elements(element) if any(within(each, wanted))), None)
            if branch is not None:
                yield from _outermost(branch, wanted)
        else:
            yield from _outermost(element, wanted)


def _comments(archive: Archive, relations: dict[str, Relation]) -> Iterator[Page]:
    for relation in relations.values():
        root = archive.maybe_xml(relation.target) if relation.kind == "comments" else None
        if root is not None:
            text = "\n".join(_Walk(archive, {}).blocks(root))
            yield Page(0, "", (Aside("comments", text),))
