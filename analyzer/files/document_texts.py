"""One document's bytes to what it holds, and why a file gives nothing.

Runs in a process of its own (`files.reader_process`), because a hostile file can make its reader take any time and
memory. So nothing is imported here but the standard library and, when needed, the package that reads one kind.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Final

from analyzer.files.document import Document, DocumentBuilder, Page, Unread
from analyzer.files.readers import CLOSED, READERS
from analyzer.files.readers.kind import INSTEAD, Attachment, PackageMissing, PicturesRead, TooLong, Unreadable

_OLD_FORMAT: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FOUND: Final = {
    **{ending: kind.name for ending, kind in READERS.items()},
    ".xlsx": "a spreadsheet (.xlsx)",
    ".zip": "a ZIP archive",
}
"""What `_kind_of` tells apart, in words."""
_ZIPPED: Final = (".docx", ".docm", ".pptx", ".pptm", ".ppsx", ".odt", ".odp")
_PLAIN: Final = (".txt", ".md")
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, EOFError)
_DAMAGE_NAMES: Final = ("XMLSyntaxError", "PdfiumError")
"""What the readers raise for a file that breaks its own format."""


def document_of(suffix: str, data: bytes, most: int, *, attached: bool = False) -> Document:
    """What a document with one of the endings in READERS holds, without its name. At more than `most` characters
    nothing further is read. `attached`: it came with an e-mail, and its own attachments are only named.

    Raises Unreadable, TooLong, PackageMissing or MemoryError.
    """
    if not data:
        raise Unreadable(f"is empty (0 bytes); export it again, {INSTEAD}")
    kind = READERS[suffix]
    builder = DocumentBuilder()
    parts = 0
    try:
        for part in kind.read(data):
            if isinstance(part, Attachment):
                builder.add(_attachment(part, most, attached))
                continue
            builder.add(part)
            parts += isinstance(part, Page)
            if builder.length > most:
                number = part.number if isinstance(part, Page) else 0
                raise TooLong(f"{kind.unit} {number:,}" if kind.unit and number else f"paragraph {parts:,}")
        author, date, subject = _origin(data) if suffix == ".eml" else (None, None, None)
    except (Unreadable, TooLong, PackageMissing, MemoryError):
        raise
    except Exception as error:  # a damaged or hostile file makes these readers raise anything at all
        raise Unreadable(_reason(suffix, data, error)) from error
    pages = builder.pages()
    numbered = any(page.number for page in pages)
    return Document(
        "",
        suffix.removeprefix("."),
        hashlib.sha256(data).hexdigest(),
        kind.unit if numbered else "",
        pages,
        builder.all_unread(),
        tuple(builder.attachments),
        max((page.number for page in pages), default=0),
        author,
        date,
        subject,
    )


def pictures_of(suffix: str, data: bytes, pages: Sequence[int], most: int, seconds: float) -> PicturesRead:
    """The text of pages that are pictures, by OCR.

    Raises Unreadable, PackageMissing or MemoryError.
    """
    from analyzer.files.readers.ocr import read_pictures

    kind = READERS[suffix]
    if kind.pictures is None:
        return PicturesRead((), (), tuple(pages))
    try:
        return read_pictures(kind.pictures(data, pages), pages, most, seconds)
    except (Unreadable, PackageMissing, MemoryError):
        raise
    except Exception as error:  # as above
        raise Unreadable(_reason(suffix, data, error)) from error


def _origin(data: bytes) -> tuple[str | None, str | None, str | None]:
    from analyzer.files.readers import eml

    return eml.origin(data)


def _attachment(attachment: Attachment, most: int, nested: bool) -> Document | Unread:
    """An attachment as a document, or the reason why it is none."""
    suffix = PurePath(attachment.name).suffix.lower()
    try:
        if nested:
            raise Unreadable("is attached to an attachment")
        if suffix in READERS:
            found = document_of(suffix, attachment.data, most, attached=True)
        elif suffix in _PLAIN:
            found = Document.plain("", attachment.data, attachment.data.decode("utf-8-sig"))
        else:
            raise Unreadable(f"is {CLOSED[suffix]}" if suffix in CLOSED else "is of a kind that cannot be read")
    except TooLong:
        return Unread("attachment", 1, (), f"{attachment.name} has more than {most:,} characters of text")
    except UnicodeDecodeError:
        return Unread("attachment", 1, (), f"{attachment.name} is not text in UTF-8")
    except (Unreadable, PackageMissing) as error:
        reason = "needs a package that is not installed" if isinstance(error, PackageMissing) else str(error)
        return Unread("attachment", 1, (), f"{attachment.name} {reason}")
    return replace(found, title=attachment.name)


def _kind_of(data: bytes) -> str | None:
    """The ending that fits the first bytes of a file: "" for a damaged archive, None for no kind known here."""
    if data.startswith(b"%PDF-"):
        return ".pdf"
    if data.lstrip()[:5] == b"{\\rtf":
        return ".rtf"
    if not data.startswith(b"PK\x03\x04"):
        return None
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        names = archive.namelist()
        if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
            return ".odp" if b"presentation" in archive.read("mimetype") else ".odt"
    except Exception:  # noqa: BLE001  # zipfile raises anything at all too
        return ""
    folders = {"word/": ".docx", "ppt/": ".pptx", "xl/": ".xlsx"}
    return next((kind for folder, kind in folders.items() if any(name.startswith(folder) for name in names)), ".zip")


def _reason(suffix: str, data: bytes, error: Exception) -> str:
    """What is the matter with a file whose reader gave up; "damaged" only where nothing else explains it."""
    name, message = type(error).__name__, str(error)
    wanted = READERS[suffix].name
    if isinstance(error, RecursionError) or "xcessive depth" in message:
        return f"nests too deeply to be read; save it again without groups and drawings, {INSTEAD}"
    if name == "XMLSyntaxError" and ("entit" in message or "amplification" in message):
        return f"unpacks to more than can be read; save it again, {INSTEAD}"
    if data.startswith(_OLD_FORMAT):
        return f"is protected by a password or saved in an old format; save it without, as {wanted}"
    found = _kind_of(data)
    if found and found != suffix and READERS.get(found) is not READERS[suffix]:
        return f"is named {suffix} but looks like {_FOUND[found]}; rename it, or export it again as {wanted}"
    if found is None and (suffix in _ZIPPED or (suffix == ".pdf" and b"%PDF-" not in data[:1024])):
        return f"is named {suffix} but is not {wanted}; export it again, {INSTEAD}"
    if "There is no item named" in message:
        part = "".join(char for char in message.split("'")[1][:80] if char.isprintable()) if "'" in message else ""
        return f"refers to a part that is missing from it ({part}); open it, save it again and retry"
    if isinstance(error, _DAMAGE) or name in _DAMAGE_NAMES:
        return f"is damaged or incomplete; save it again, {INSTEAD}"
    return f"holds something that its reader does not understand, or is damaged; save it again, {INSTEAD}"
