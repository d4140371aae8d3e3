"""What a reader returns for one file: its pages with their text, what else they hold, and what was not read.

Standard library only: the process that reads documents uses it too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

_LISTED: Final = 6
"""Page numbers or ranges that a sentence names."""
ASIDES: Final = {
    "notes": "Speaker notes",
    "comments": "Comments",
    "history": "Earlier messages",
    "signature": "Signature",
}
"""Text that comes with a document and is not the pitch: its kinds, and the line above it where it is included."""


@dataclass(frozen=True, slots=True)
class Aside:
    """Text of a page that is not part of the pitch. `kind` is one of ASIDES."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page or slide. `number` counts from 1; 0 where a document has no pages. `ocr`: None for text that the file
    holds; where the text was read from a picture, how certain that is (0 to 1)."""

    number: int
    text: str
    asides: tuple[Aside, ...] = ()
    ocr: float | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """Something in a document that was not read. `kind` is one of UNREAD; `count` is how many there are; `pages` where,
    if that is known; `detail` more words, such as an attachment's name and fault."""

    kind: str
    count: int = 1
    pages: tuple[int, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _UnreadKind:
    """The words for one kind of unread content, and what to do. `serious`: an assessment warns of it."""

    one: str
    many: str
    serious: bool = True
    remedy: str = ""


_INSTALL_OCR: Final = "To read such pages, install the extra `ocr`; pitch doctor says how"
UNREAD: Final[dict[str, _UnreadKind]] = {
    "pictures_as_pages": _UnreadKind(
        "{where} is a picture with little or no text, and was not read",
        "{where} are pictures with little or no text, and were not read",
        remedy=_INSTALL_OCR,
    ),
    "ocr_failed": _UnreadKind(
        "{where} is a picture and was not read, because OCR {detail}",
        "{where} are pictures and were not read, because OCR {detail}",
    ),
    "no_text_found": _UnreadKind(
        "{where} is a picture in which OCR found no text", "{where} are pictures in which OCR found no text"
    ),
    "unopened": _UnreadKind(
        "{where} is a picture that cannot be opened or is too large, and was not read",
        "{where} are pictures that cannot be opened or are too large, and were not read",
    ),
    "over_ocr_limit": _UnreadKind(
        "{where} is a picture and was not read, because OCR reached its limit of {detail}",
        "{where} are pictures and were not read, because OCR reached its limit of {detail}",
        remedy="Save these pages as a separate file.",
    ),
    "hidden_slides": _UnreadKind("{where} is hidden and was left out", "{where} are hidden and were left out"),
    "hidden_text": _UnreadKind("1 hidden passage was left out", "{count} hidden passages were left out"),
    "embedded": _UnreadKind("1 embedded file was not read", "{count} embedded files were not read"),
    "attachment": _UnreadKind("1 attachment was not read: {detail}", "{count} attachments were not read: {detail}"),
    "pictures": _UnreadKind(
        "1 picture next to text was not read", "{count} pictures next to text were not read", serious=False
    ),
    "notes": _UnreadKind("Speaker notes were left out", "", serious=False),
    "comments": _UnreadKind("Comments were left out", "", serious=False),
    "history": _UnreadKind("Quoted earlier messages were left out", "", serious=False),
    "signature": _UnreadKind("The signature was left out", "", serious=False),
}


@dataclass(frozen=True, slots=True)
class TextPart:
    """A part of a document's text: from `start` to `end`, on which page. `origin`: None for text that the file holds,
    `ocr` for text read from a picture, else the kind of an aside. `document`: its place among `Document.all`."""

    start: int
    end: int
    page: int
    origin: str | None = None
    document: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """One file as it was read. `kind`: the ending of such files, without its dot. `unit`: what its pages are called,
    empty where it has none. `attachments`: what came with an e-mail. `author`, `date` (ISO), `subject`: an e-mail's."""

    title: str
    kind: str
    sha256: str
    unit: str = ""
    pages: tuple[Page, ...] = ()
    unread: tuple[Unread, ...] = ()
    attachments: tuple[Document, ...] = ()
    total: int = 0
    """Pages of the file, also those that were left out."""
    author: str | None = None
    date: str | None = None
    subject: str | None = None
    with_asides: bool = False
    """Whether speaker notes and the like are part of the text."""

    @classmethod
    def plain(cls, title: str, data: bytes, text: str) -> Document:
        """A file of plain text."""
        return cls(title, "text", hashlib.sha256(data).hexdigest(), pages=(Page(0, text),))

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Document:
        """The document that `as_json` wrote."""
        pages = (
            Page(page["number"], page["text"], tuple(Aside(**aside) for aside in page["asides"]), page["ocr"])
            for page in value["pages"]
        )
        unread = (Unread(**{**each, "pages": tuple(each["pages"])}) for each in value["unread"])
        attachments = (cls.from_json(each) for each in value["attachments"])
        parts = {"pages": tuple(pages), "unread": tuple(unread), "attachments": tuple(attachments)}
        return cls(**{**value, **parts})

    def as_json(self) -> dict[str, Any]:
        """All of it, to be sent from one process to another."""
        return asdict(self)

    @property
    def all(self) -> tuple[Document, ...]:
        """This document and all its attachments."""
        return (self, *(inner for attachment in self.attachments for inner in attachment.all))

    @property
    def text(self) -> str:
        """The text of the pitch, then that of the attachments."""
        return "\n\n".join(text for document in self.all for _, _, text in document._texts())

    @property
    def has_asides(self) -> bool:
        """Whether there are speaker notes or the like."""
        return any(page.asides for document in self.all for page in document.pages)

    def including_asides(self, yes: bool = True) -> Document:
        """The same document with speaker notes and the like in its text, each under a line that says what it is; or
        without them."""
        attachments = tuple(attachment.including_asides(yes) for attachment in self.attachments)
        return replace(self, with_asides=yes, attachments=attachments)

    def cleaned(self, clean: Callable[[str], str]) -> Document:
        """The same document with every text changed by a function."""
        pages = tuple(
            replace(
                page,
                text=clean(page.text),
                asides=tuple(replace(aside, text=clean(aside.text)) for aside in page.asides),
            )
            for page in self.pages
        )
        return replace(self, pages=pages, attachments=tuple(each.cleaned(clean) for each in self.attachments))

    def passages(self) -> tuple[TextPart, ...]:
        """What each part of the text is."""
        passages: list[TextPart] = []
        length = 0
        for at, document in enumerate(self.all):
            for page, origin, text in document._texts():
                passages.append(TextPart(length, length + len(text), page, origin, at))
                length += len(text) + 2
        return tuple(passages)

    def left_out(self) -> tuple[Unread, ...]:
        """What is not in the text: what was not read, and the asides unless they are in it."""
        if self.with_asides:
            return self.unread
        kinds: dict[str, list[int]] = {}
        for page in self.pages:
            for aside in page.asides:
                kinds.setdefault(aside.kind, []).append(page.number)
        found = (
            Unread(kind, len(pages), tuple(dict.fromkeys(page for page in pages if page)))
            for kind, pages in kinds.items()
        )
        return (*self.unread, *found)

    def size(self) -> str:
        """How many pages there are: "10 slides"; empty for a document without pages."""
        return counted(self.total or len(self.pages), self.unit) if self.unit else ""

    def sentences(self, serious: bool = False) -> list[str]:
        """What is not in the text and what to do about it, a sentence each. `serious`: only what an assessment warns
        about."""
        return [sentence(each, self.unit) for each in self.left_out() if UNREAD[each.kind].serious or not serious]

    def summary(self) -> list[str]:
        """What a person wants to know before the text is used: pages, OCR, what is missing; a sentence each."""
        ocr = self.by_ocr()
        size = self.size()
        return [*([f"{size}."] if size else []), *([f"{ocr}."] if ocr else []), *self.sentences()]

    def by_ocr(self) -> str:
        """The sentence that names the pages read by OCR; empty if there are none."""
        pages = [page for page in self.pages if page.ocr is not None]
        if not pages:
            return ""
        certain = min(page.ocr or 0.0 for page in pages)
        where = numbered([page.number for page in pages], self.unit) if self.unit else "The document"
        verb = "were" if len(pages) > 1 else "was"
        return f"{where} {verb} read from pictures by OCR (confidence {certain:.0%} or more); check quotes from there"

    def with_ocr(self, pages: Iterable[Page], unread: Iterable[Unread]) -> Document:
        """The same document with pages that were read from pictures in place of the pages of these numbers."""
        read = {page.number: page for page in pages}
        merged = {page.number: page for page in self.pages}
        merged |= {number: replace(page, asides=_asides(merged.get(number))) for number, page in read.items()}
        still = [each for each in self.unread if each.kind != "pictures_as_pages"]
        ordered = tuple(merged[number] for number in sorted(merged))
        return replace(self, pages=ordered, unread=(*unread, *still))

    def _texts(self) -> Iterator[tuple[int, str | None, str]]:
        for page in self.pages:
            if page.text.strip():
                yield page.number, "ocr" if page.ocr is not None else None, page.text
            for aside in page.asides if self.with_asides else ():
                yield page.number, aside.kind, f"[{ASIDES[aside.kind]}]\n\n{aside.text}"


@dataclass(slots=True)
class DocumentBuilder:
    """Collects what a reader yields, in order."""

    texts: dict[int, list[str]] = field(default_factory=dict)
    asides: dict[int, list[Aside]] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)
    attachments: list[Document] = field(default_factory=list)
    length: int = 0

    def add(self, part: Page | Unread | Document) -> None:
        """Adds a page (or more text of one), something unread, or an attachment."""
        if isinstance(part, Document):
            self.attachments.append(part)
            self.length += sum(len(page.text) for each in part.all for page in each.pages)
        elif isinstance(part, Unread):
            self.unread.append(part)
        else:
            texts = self.texts.setdefault(part.number, [])
            if text := part.text.strip():
                self.length += len(text) + (2 if self.length else 0)
                texts.append(text)
            found = [aside for aside in part.asides if aside.text.strip()]
            self.asides.setdefault(part.number, []).extend(found)
            self.length += sum(len(aside.text) for aside in found)

    def pages(self) -> tuple[Page, ...]:
        """The pages, those without text too."""
        return tuple(
            Page(number, "\n\n".join(texts), tuple(self.asides[number])) for number, texts in self.texts.items()
        )

    def all_unread(self) -> tuple[Unread, ...]:
        """What was not read, each kind once."""
        merged: dict[str, Unread] = {}
        for each in self.unread:
            before = merged.get(each.kind)
            if before is not None:
                details = "; ".join(filter(None, (before.detail, each.detail)))
                each = Unread(each.kind, before.count + each.count, before.pages + each.pages, details)
            merged[each.kind] = each
        return tuple(replace(each, pages=tuple(sorted(set(each.pages)))) for each in merged.values())


def sentence(unread: Unread, unit: str) -> str:
    """What was not read, and what to do about it, in words."""
    kind = UNREAD[unread.kind]
    where = numbered(unread.pages, unit) if unread.pages and unit else "The document"
    several = len(unread.pages) > 1 if "{where}" in kind.one else unread.count > 1
    pattern = kind.many if several and kind.many else kind.one
    words = pattern.format(where=where, count=f"{unread.count:,}", detail=unread.detail)
    if unread.kind == "notes" and unread.pages and unit:
        words = f"{words} ({where[0].lower()}{where[1:]})"
    return f"{words}. {kind.remedy}".rstrip() if kind.remedy else f"{words}."


def numbered(numbers: Iterable[int], unit: str) -> str:
    """Pages as a sentence names them: "Slides 2 to 5 and 9"."""
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    words = [
        f"{low}" if low == high else f"{low}{' and ' if high == low + 1 else ' to '}{high}" for low, high in ranges
    ]
    if len(words) > _LISTED:
        words = [*words[: _LISTED - 1], f"{len(words) - _LISTED + 1} more"]
    one = len(ranges) == 1 and ranges[0][0] == ranges[0][1]
    listed = " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
    return f"{unit.capitalize()}{'' if one else 's'} {listed}"


def counted(count: int, unit: str) -> str:
    """A number of things: "1 slide", "12 slides"."""
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


def _asides(page: Page | None) -> tuple[Aside, ...]:
    return page.asides if page is not None else ()
