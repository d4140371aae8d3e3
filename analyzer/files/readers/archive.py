"""Zipped documents (Word, PowerPoint, OpenDocument): their parts, parsed safely, whatever their namespaces are.

Elements are compared by local name, because "Strict Open XML" has the same names in other namespaces.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from analyzer.files.readers.kind import INSTEAD, Unreadable, package

MAX_UNPACKED: Final = 150_000_000
"""The most bytes of markup that a zipped document may unpack to."""
MAX_PICTURE: Final = 60_000_000
"""The most bytes of a picture that is unpacked for OCR."""
_MARKUP: Final = (".xml", ".rels")
READABLE_PICTURES: Final = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp")
_FOLDERS: Final = frozenset(("word", "ppt", "xl"))


@dataclass(frozen=True, slots=True)
class Relation:
    """What a part refers to: its kind (the last word of its type) and the name of the other part; `target` is empty
    for what is outside the document."""

    kind: str
    target: str


class Archive:
    """The parts of a zipped document. Raises Unreadable if they would unpack to more than MAX_UNPACKED."""

    def __init__(self, data: bytes):
        etree = package("lxml.etree")
        self._zip = zipfile.ZipFile(io.BytesIO(data))
        self._sizes = {entry.filename: entry.file_size for entry in self._zip.infolist()}
        if sum(size for name, size in self._sizes.items() if name.lower().endswith(_MARKUP)) > MAX_UNPACKED:
            raise Unreadable(
                f"unpacks to more than {MAX_UNPACKED / 1e6:.0f} MB; save the part that matters as a file, {INSTEAD}"
            )
        self._parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
        self._parse = etree.fromstring

    def __contains__(self, name: str) -> bool:
        return name in self._sizes

    def names(self) -> list[str]:
        return list(self._sizes)

    def xml(self, name: str) -> Any:
        """The root of a part. Raises KeyError if there is none, Unreadable if it defines entities."""
        if self._sizes.get(name, 0) > MAX_UNPACKED:
            raise Unreadable(f"unpacks to more than {MAX_UNPACKED / 1e6:.0f} MB; {INSTEAD}")
        root = self._parse(self._zip.read(name), self._parser)
        if root.getroottree().docinfo.internalDTD is not None:
            raise Unreadable(f"defines entities, as no word processor does, and is not read; save it again, {INSTEAD}")
        return root

    def maybe_xml(self, name: str) -> Any:
        """The root of a part; None if it is missing."""
        return self.xml(name) if name in self else None

    def relations(self, name: str) -> dict[str, Relation]:
        """What a part refers to, by id."""
        folder, file = posixpath.split(name)
        root = self.maybe_xml(posixpath.join(folder, "_rels", f"{file}.rels"))
        return {} if root is None else {each.get("Id", ""): _relation(each, folder) for each in elements(root)}

    def main_part(self, usual: str) -> str:
        """The name of the document's main part. Raises ValueError if it belongs to another program than `usual`."""
        named = (each.target for each in self.relations("").values() if each.kind == "officeDocument")
        part = next(filter(None, named), usual)
        if part.partition("/")[0] in _FOLDERS - {usual.partition("/")[0]}:
            raise ValueError(f"the main part is {part}")
        return part

    def picture(self, name: str) -> bytes | None:
        """The bytes of a picture that OCR can read."""
        if not name.lower().endswith(READABLE_PICTURES) or not 0 < self._sizes.get(name, 0) <= MAX_PICTURE:
            return None
        return self._zip.read(name)


def name_of(element: Any) -> str:
    """An element's local name; empty for what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def elements(parent: Any) -> Iterator[Any]:
    """The child elements."""
    return (child for child in parent if isinstance(child.tag, str))


def child(parent: Any, *path: str) -> Any:
    """The element at a path of local names; None if there is none."""
    for name in path:
        parent = None if parent is None else next((each for each in elements(parent) if name_of(each) == name), None)
    return parent


def within(parent: Any, *names: str) -> Iterator[Any]:
    """All elements below with one of these local names, in document order."""
    return parent.iter(*(f"{{*}}{name}" for name in names))  # type: ignore[no-any-return]


def attribute(element: Any, name: str) -> str:
    """The value of an attribute by local name; empty if there is none."""
    for key, value in element.items():
        if key.rpartition("}")[2] == name:
            return str(value)
    return ""


def is_on(value: str) -> bool:
    """Whether an attribute of a switch is on; the mere presence of the switch is."""
    return value.lower() not in ("0", "false", "off", "none")


def _relation(element: Any, folder: str) -> Relation:
    target = element.get("Target", "")
    outside = element.get("TargetMode", "") == "External"
    inside = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
    return Relation(element.get("Type", "").rpartition("/")[2], "" if outside else unquote(inside))
