"""HTML pages and decks: the text that a browser shows, as lines; slides of a deck in HTML as slides.

By the HTML parser of the standard library, which takes any file and needs no package. Nothing is loaded or executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from analyzer.files.document import Aside, Page, Unread
from analyzer.files.readers.kind import Parts, Unreadable


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_NO_TEXT: Final = _tags("title script style template svg math noscript iframe object canvas audio video select")
_VOID: Final = _tags("area base br col embed hr img input link meta source track wbr")
_BLOCKS: Final = _tags(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hgroup hr li main nav ol p pre section summary table tbody tfoot thead tr ul"
)
_ALONE: Final = _tags("h1 h2 h3 h4 h5 h6 p ul ol table blockquote pre section article figure dl")
"""Blocks that a blank line sets apart."""
_CLOSES: Final = {"p": {"p"}, "li": {"li"}, "td": {"td", "th"}, "th": {"td", "th"}, "tr": {"td", "th", "tr"}}
"""What an opening tag closes without a closing tag."""
_INVISIBLE: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.IGNORECASE)
_CHARSET: Final = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w-]{2,40})", re.IGNORECASE)
_WHITE: Final = re.compile(r"[ \t\r\n\f]+")
_DECK: Final = _tags("slides marpit bespoke-marp-parent remark-slides-area shower")
"""Classes and ids by which the usual programs for decks in HTML mark the parent of the slides."""
_MOST_DEEP: Final = 2_000


def read(data: bytes) -> Parts:
    yield from read_text(decoded(data))


def read_text(text: str) -> Parts:
    """The same of text that is decoded already."""
    parser = _Text()
    for start in range(0, len(text), 65_536):
        parser.feed(text[start : start + 65_536])
        yield from parser.take()
    parser.close()
    parser.finish()
    yield from parser.take()
    if parser.hidden:
        yield Unread("hidden_text", parser.hidden)
    if parser.pictures:
        yield Unread("pictures", parser.pictures)


def decoded(data: bytes) -> str:
    """The text, by its mark, else as it declares, else as UTF-8. Raises Unreadable."""
    declared = _CHARSET.search(data[:4_096])
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    else:
        encoding = "utf-8-sig"
        if declared is not None and not data.startswith(b"\xef\xbb\xbf"):
            encoding = declared[1].decode("ascii")
            encoding = "utf-8" if encoding.lower().startswith("utf-16") else encoding
    try:
        return data.decode(encoding)
    except LookupError as error:
        raise Unreadable(f"declares an encoding that is not known ({encoding}); save it as UTF-8") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not text in {encoding} (byte {error.start}); save it as UTF-8") from error


@dataclass
class _Collected:
    """The text of one page so far. `pieces` is text as it will be, white space folded."""

    number: int
    pieces: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.hidden = self.pictures = 0
        self._open: list[str] = []
        self._silent: int | None = None
        """How deep the outermost element is whose text is not shown; None if all is."""
        self._counted = False
        self._notes: int | None = None
        self._pre = 0
        self._deck: int | None = None
        self._page = _Collected(0)
        self._ready: list[Page] = []
        self._slides = 0

    def take(self) -> Iterator[Page]:
        ready, self._ready = self._ready, []
        yield from ready

    def finish(self) -> None:
        self._turn(self._page.number)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "img" and self._silent is None:
            self.pictures += 1
            if alt := values.get("alt", "").strip():
                self._write(alt)
        if tag in ("br", "hr"):
            self._write("\n", raw=True)
        if tag in _VOID or len(self._open) > _MOST_DEEP:
            return
        while self._open and self._open[-1] in _CLOSES.get(tag, ()):
            self._close(self._open[-1])
        self._open.append(tag)
        depth = len(self._open)
        if self._deck is None and _DECK & {*values.get("class", "").split(), values.get("id", "")}:
            self._deck = depth
        if tag == "section" and self._deck is not None and self._open[self._deck :].count("section") == 1:
            self._slides += 1
            self._turn(self._slides)
        if tag in _BLOCKS:
            self._end_line(tag)
        elif tag in ("td", "th"):
            self._write("\t", raw=True)
        self._pre += tag == "pre"
        if self._silent is None:
            invisible = "hidden" in values or bool(_INVISIBLE.search(values.get("style", "")))
            if invisible or tag in _NO_TEXT:
                self._silent, self._counted = depth, not invisible
        if self._notes is None and tag == "aside" and "notes" in values.get("class", "").split():
            self._notes = depth

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            return
        while self._open[-1] != tag:
            self._close(self._open[-1])
        self._close(tag)

    def handle_data(self, data: str) -> None:
        if self._silent is not None:
            if not self._counted and data.strip():
                self._counted = True
                self.hidden += 1
            return
        self._write(data)

    def _close(self, tag: str) -> None:
        depth = len(self._open)
        self._open.pop()
        if tag in _BLOCKS:
            self._end_line(tag)
        self._pre -= tag == "pre"
        if self._silent == depth:
            self._silent = None
        if self._notes == depth:
            self._notes = None
        if self._deck == depth:
            self._deck = None

    def _end_line(self, tag: str) -> None:
        pieces = self._page.notes if self._notes is not None else self._page.pieces
        if tag in _ALONE:
            self._write("\n\n", raw=True)
        elif pieces and not pieces[-1].endswith("\n"):
            self._write("\n", raw=True)

    def _write(self, text: str, raw: bool = False) -> None:
        if self._silent is not None:
            return
        words = text if raw or self._pre else _WHITE.sub(" ", text)
        (self._page.notes if self._notes is not None else self._page.pieces).append(words)

    def _turn(self, number: int) -> None:
        text, notes = _tidy(self._page.pieces), _tidy(self._page.notes)
        if text or self._page.number:
            self._ready.append(Page(self._page.number, text, (Aside("notes", notes),) if notes else ()))
        self._page = _Collected(number)


def _tidy(pieces: list[str]) -> str:
    """Lines without space around them, cells of a row with bars between, at most one blank line."""
    lines: list[str] = []
    for line in "".join(pieces).replace("\xa0", " ").splitlines():
        cells = [" ".join(cell.split()) for cell in line.split("\t")]
        text = " | ".join(cell for cell in cells if cell) if "\t" in line else cells[0]
        if text or (lines and lines[-1]):
            lines.append(text)
    return "\n".join(lines).strip()
