"""Rich Text Format, by striprtf."""

from __future__ import annotations

from typing import Final

from analyzer.files.document import Page, Unread
from analyzer.files.readers.kind import Parts, Unreadable, package

_START: Final = b"{\\rtf"


def read(data: bytes) -> Parts:
    if not data.lstrip()[:5].lower().startswith(_START):
        raise Unreadable("is named .rtf but is not Rich Text Format; export it again, or paste the pitch as text")
    striprtf = package("striprtf.striprtf")
    source = data.decode("latin-1")
    text = striprtf.rtf_to_text(source, errors="replace")
    if pictures := source.count("\\pict"):
        yield Unread("pictures", pictures)
    if embedded := source.count("\\objdata"):
        yield Unread("embedded", embedded)
    yield Page(0, "\n".join(line.strip() for line in text.replace("|\n", "\n").splitlines()))
