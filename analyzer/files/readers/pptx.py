"""PowerPoint files: the text of each slide by its place, with charts, SmartArt and tables; speaker notes apart.

Read from the markup itself, because libraries for PowerPoint leave out SmartArt, charts' texts and alternatives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from analyzer.files.document import Aside, Page, Unread
from analyzer.files.readers.archive import Archive, Relation, attribute, child, elements, is_on, name_of, within
from analyzer.files.readers.drawings import linked_lines, paragraphs, table_rows
from analyzer.files.readers.kind import FEW_LETTERS, LARGE_PICTURE, Parts, Pictures, letters
from analyzer.files.readers.reading_order import Box, in_reading_order

_USUAL: Final = "ppt/presentation.xml"
_TITLES: Final = ("title", "ctrTitle")
_NO_CONTENT: Final = ("sldNum", "dt")
_USUAL_SIZE: Final = (9_144_000.0, 6_858_000.0)


def read(data: bytes) -> Parts:
    deck = _Deck(Archive(data))
    footers: set[str] = set()
    for number, part in enumerate(deck.slides(), 1):
        root = deck.archive.xml(part)
        if not is_on(root.get("show", "1")):
            yield Unread("hidden_slides", 1, (number,))
            yield Page(number, "")
            continue
        slide = _Slide(deck, part, root, footers)
        text = "\n".join(slide.lines())
        if letters(text) < FEW_LETTERS and slide.covered >= LARGE_PICTURE:
            yield Unread("pictures_as_pages", 1, (number,))
        elif slide.pictures:
            yield Unread("pictures", slide.pictures, (number,))
        if slide.embedded:
            yield Unread("embedded", slide.embedded, (number,))
        yield Page(number, text, tuple(slide.notes()))


def pictures(data: bytes, pages: Sequence[int]) -> Pictures:
    """The pictures of the slides, by place."""
    deck = _Deck(Archive(data))
    parts = deck.slides()
    for number in pages:
        part = parts[number - 1]
        relations = deck.archive.relations(part)
        for reference in within(deck.archive.xml(part), "blip"):
            relation = relations.get(attribute(reference, "embed"))
            found = deck.archive.picture(relation.target) if relation is not None else None
            if found is not None:
                yield number, found


class _Deck:
    """A presentation: its slides in order, and where their layouts place what they do not place themselves."""

    def __init__(self, archive: Archive):
        self.archive = archive
        self.part = archive.main_part(_USUAL)
        self._places: dict[str, dict[tuple[str, str], Box]] = {}
        self.root = archive.xml(self.part)
        size = child(self.root, "sldSz")
        width, height = (_number(size, name) for name in ("cx", "cy")) if size is not None else (0.0, 0.0)
        self.area = width * height or _USUAL_SIZE[0] * _USUAL_SIZE[1]

    def slides(self) -> list[str]:
        relations = self.archive.relations(self.part)
        listed = child(self.root, "sldIdLst")
        ids = [attribute_of_relation(each) for each in elements(listed)] if listed is not None else []
        return [relations[each].target for each in ids if each in relations]

    def places(self, part: str) -> dict[tuple[str, str], Box]:
        """Where the layout of a slide, or the master of a layout, puts its placeholders."""
        relation = next(
            (each for each in self.archive.relations(part).values() if each.kind in ("slideLayout", "slideMaster")),
            None,
        )
        if relation is None or relation.target not in self.archive or part.startswith("ppt/slideMasters"):
            return {}
        if relation.target not in self._places:
            self._places[relation.target] = {}  # also ends a circle
            found = dict(self.places(relation.target))
            for shape in within(self.archive.xml(relation.target), "sp"):
                holder, box = _placeholder(shape), _box(shape)
                if holder is not None and box is not None:
                    found[holder] = box
                    found.setdefault((holder[0], ""), box)
            self._places[relation.target] = found
        return self._places[relation.target]


@dataclass
class _Slide:
    """One slide. What it cannot read is counted while its lines are read."""

    deck: _Deck
    part: str
    root: Any
    footers: set[str]
    pictures: int = 0
    embedded: int = 0
    covered: float = 0.0
    relations: dict[str, Relation] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        self.relations = self.deck.archive.relations(self.part)
        tree = child(self.root, "cSld", "spTree")
        if tree is not None:
            yield from self._tree(tree)

    def notes(self) -> Iterator[Aside]:
        for relation in self.relations.values():
            root = self.deck.archive.maybe_xml(relation.target) if relation.kind == "notesSlide" else None
            for shape in within(root, "sp") if root is not None else ():
                holder, body = _placeholder(shape), child(shape, "txBody")
                if body is not None and holder is not None and holder[0] == "body":
                    yield Aside("notes", "\n".join(paragraphs(body)))

    def _tree(self, tree: Any) -> Iterator[str]:
        """The lines of the shapes in a tree or group, by place."""
        placed: list[tuple[Box | None, bool, list[str]]] = []
        for shape in _shapes(tree):
            found = list(self._shape(shape))
            if found:
                holder = _placeholder(shape)
                placed.append((self._place(shape, holder), holder is not None and holder[0] in _TITLES, found))
        for at in in_reading_order([box for box, _, _ in placed], [title for _, title, _ in placed]):
            yield from placed[at][2]

    def _shape(self, shape: Any) -> Iterator[str]:
        name = name_of(shape)
        if name == "grpSp":
            yield from self._tree(shape)
            return
        properties = child(shape, "spPr")
        if name == "pic" or (properties is not None and any(within(properties, "blip"))):
            self.pictures += 1
            self._cover(shape)
        if name == "graphicFrame":
            if any(within(shape, "oleObj")):
                self.embedded += 1
                self._cover(shape)
                return
            for table in within(shape, "tbl"):
                yield from table_rows(table)
            yield from linked_lines(shape, self.deck.archive, self.relations)
            return
        holder, body = _placeholder(shape), child(shape, "txBody")
        if body is None or (holder is not None and holder[0] in _NO_CONTENT):
            return
        found = list(paragraphs(body))
        if holder is not None and holder[0] == "ftr":
            found = [line for line in found if line not in self.footers]
            self.footers.update(found)
        yield from found

    def _cover(self, shape: Any) -> None:
        box = self._place(shape, _placeholder(shape))
        if box is not None:
            self.covered += (box.right - box.left) * (box.bottom - box.top) / self.deck.area

    def _place(self, shape: Any, holder: tuple[str, str] | None) -> Box | None:
        box = _box(shape)
        if box is None and holder is not None:
            places = self.deck.places(self.part)
            box = places.get(holder) or places.get((holder[0], ""))
            box = box or next((each for key, each in places.items() if holder[1] and key[1] == holder[1]), None)
        return box


def attribute_of_relation(element: Any) -> str:
    """The relation that an entry of the list of slides names; its own id is without a namespace."""
    return next((str(value) for key, value in element.items() if key.endswith("}id")), "")


def _shapes(tree: Any) -> Iterator[Any]:
    for element in elements(tree):
        name = name_of(element)
        if name == "AlternateContent":
            branches = [list(_shapes(branch)) for branch in elements(element)]
            with_text = (branch for branch in branches if any(_has_content(shape) for shape in branch))
            yield from next(with_text, branches[0] if branches else [])
        elif name in ("sp", "pic", "grpSp", "graphicFrame", "cxnSp"):
            yield element


def _has_content(shape: Any) -> bool:
    return any((each.text or "").strip() for each in within(shape, "t")) or any(
        within(shape, "blip", "relIds", "chart", "oleObj")
    )


def _placeholder(shape: Any) -> tuple[str, str] | None:
    """Type and index of a placeholder; None for any other shape."""
    for properties in elements(shape):
        if name_of(properties).startswith("nv"):
            holder = child(properties, "nvPr", "ph")
            if holder is not None:
                return holder.get("type", "body"), holder.get("idx", "")
    return None


def _box(shape: Any) -> Box | None:
    """Where a shape says it is; None where its layout does."""
    properties = child(shape, "spPr")
    properties = child(shape, "grpSpPr") if properties is None else properties
    frame = child(shape, "xfrm") if properties is None else child(properties, "xfrm")
    corner, size = (None, None) if frame is None else (child(frame, "off"), child(frame, "ext"))
    if corner is None or size is None:
        return None
    left, top = _number(corner, "x"), _number(corner, "y")
    return Box(left, top, left + _number(size, "cx"), top + _number(size, "cy"))


def _number(element: Any, name: str) -> float:
    try:
        return float(element.get(name, "0"))
    except ValueError:
        return 0.0
