"""The text of PDF, PowerPoint and Word files, and why a file gives none.

Runs in a process of its own (`files.reader_process`), because a hostile file can make these readers take any time and
memory. So nothing is imported here but the standard library and, when needed, the reader of one kind.
"""

from __future__ import annotations

import io
import logging
import zipfile
import zlib
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Final

MAX_UNPACKED: Final = 150_000_000
"""The most bytes that a zipped document may unpack to."""
_INSTEAD: Final = "or paste the pitch as text"
_OLD_FORMAT: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STRICT: Final = b"http://purl.oclc.org/ooxml/"
_KINDS: Final = {
    ".pdf": "a PDF",
    ".pptx": "a PowerPoint file (.pptx)",
    ".docx": "a Word document (.docx)",
    ".xlsx": "a spreadsheet (.xlsx)",
    ".zip": "a ZIP archive",
}
"""What `_kind_of` tells apart, in words."""


_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, EOFError)
_DAMAGE_NAMES: Final = ("XMLSyntaxError", "PdfReadError", "PdfStreamError", "ParseError", "EmptyFileError")
"""What the readers raise of a file that breaks its own format."""


class Unreadable(Exception):
    """Why a file gives no text, and what to do: the rest of a sentence that begins with the file's name."""


class TooLong(Exception):
    """A file has more text than was asked for; says where reading stopped."""


class PackageMissing(Exception):
    """The reader of this kind of file is not installed."""


def text_of(suffix: str, data: bytes, most: int) -> str:
    """The text of a document with one of the endings in READERS, in reading order, parts separated by a blank line. At
    more than `most` characters nothing further is read.

    Raises Unreadable, TooLong, PackageMissing or MemoryError.
    """
    if not data:
        raise Unreadable(f"is empty (0 bytes); export it again, {_INSTEAD}")
    parts: list[str] = []
    length = 0
    try:
        for where, part in READERS[suffix](data):
            stripped = (part or "").strip()
            if not stripped:
                continue
            parts.append(stripped)
            length += len(stripped) + 2
            if length - 2 > most:
                raise TooLong(where)
    except (Unreadable, TooLong, PackageMissing, MemoryError):
        raise
    except Exception as error:  # a damaged or hostile file makes these readers raise anything at all
        raise Unreadable(_reason(suffix, data, error)) from error
    if not parts:
        raise Unreadable("holds no text (pictures only?); give a version with text in it")
    return "\n\n".join(parts)


def _kind_of(data: bytes) -> str | None:
    """The ending that fits the first bytes of a file: "" for a damaged archive, None for no kind known here."""
    if data.startswith(b"%PDF-"):
        return ".pdf"
    if not data.startswith(b"PK\x03\x04"):
        return None
    try:
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except Exception:  # noqa: BLE001  # zipfile raises anything at all too
        return ""
    folders = {"word/": ".docx", "ppt/": ".pptx", "xl/": ".xlsx"}
    return next((kind for folder, kind in folders.items() if any(name.startswith(folder) for name in names)), ".zip")


def _pdf(data: bytes) -> Iterator[tuple[str, str]]:
    pypdf = _package("pypdf")
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of every oddity; what matters is an error here
    reader = pypdf.PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable(f"is protected by a password; save it without one, {_INSTEAD}")
    for number, page in enumerate(reader.pages, 1):
        yield f"page {number:,} of {len(reader.pages):,}", page.extract_text()


def _pptx(data: bytes) -> Iterator[tuple[str, str]]:
    pptx = _package("pptx")
    _check_archive(data, ".pptx")
    slides = pptx.Presentation(io.BytesIO(data)).slides
    for number, slide in enumerate(slides, 1):
        where = f"slide {number:,} of {len(slides):,}"
        yield where, "\n".join(line for shape in slide.shapes for line in _shape_lines(shape))
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            yield where, slide.notes_slide.notes_text_frame.text


def _docx(data: bytes) -> Iterator[tuple[str, str]]:
    docx = _package("docx")
    _check_archive(data, ".docx")
    for number, block in enumerate(docx.Document(io.BytesIO(data)).iter_inner_content(), 1):
        if hasattr(block, "rows"):
            for row in block.rows:
                yield f"paragraph {number:,}", " | ".join(dict.fromkeys(cell.text.strip() for cell in row.cells))
        else:
            yield f"paragraph {number:,}", block.text


def _shape_lines(shape: Any) -> Iterator[str]:
    if shape.has_text_frame:
        yield from (line for line in shape.text_frame.text.splitlines() if line.strip())
    elif getattr(shape, "has_table", False) and shape.has_table:
        for row in shape.table.rows:
            yield " | ".join(cell.text.strip() for cell in row.cells)
    elif hasattr(shape, "shapes"):
        for inner in shape.shapes:
            yield from _shape_lines(inner)


READERS: Final[dict[str, Callable[[bytes], Iterator[tuple[str, str]]]]] = {
    ".pdf": _pdf,
    ".pptx": _pptx,
    ".docx": _docx,
}
"""For each ending what reads such a file: its parts in order, each with where it is."""


def _package(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise PackageMissing(module) from error


def _check_archive(data: bytes, suffix: str) -> None:
    """Raises Unreadable if a zipped document would unpack to more than MAX_UNPACKED or is of another standard."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
            raise Unreadable(
                f"unpacks to more than {MAX_UNPACKED / 1e6:.0f} MB; save it without its pictures, {_INSTEAD}"
            )
        if "_rels/.rels" in archive.namelist() and _STRICT in archive.read("_rels/.rels"):
            raise Unreadable(f'is saved as "Strict Open XML", which cannot be read; save it as {_KINDS[suffix]}')


def _reason(suffix: str, data: bytes, error: Exception) -> str:
    """What is the matter with a file whose reader gave up; "damaged" only where nothing else explains it."""
    name, message = type(error).__name__, str(error)
    if isinstance(error, RecursionError) or "Excessive depth" in message:
        return f"nests too deeply to be read; save it again without groups and drawings, {_INSTEAD}"
    if name == "LimitReachedError" or (name == "XMLSyntaxError" and ("entit" in message or "amplification" in message)):
        return f"unpacks to more, or nests deeper, than can be read; print it to a new PDF, {_INSTEAD}"
    if name == "DependencyError":
        return "is encrypted (AES), which needs another package: pip install cryptography; or save it unencrypted"
    if data.startswith(_OLD_FORMAT):
        return f"is protected by a password or saved in an old format; save it without, as {_KINDS[suffix]}"
    found = _kind_of(data)
    if found and found != suffix:
        return f"is named {suffix} but looks like {_KINDS[found]}; rename it, or export it again as {_KINDS[suffix]}"
    if found is None and not (suffix == ".pdf" and b"%PDF-" in data[:1024]):
        return f"is named {suffix} but is not {_KINDS[suffix]}; export it again, {_INSTEAD}"
    if "There is no item named" in message:
        part = "".join(char for char in message.split("'")[1][:80] if char.isprintable()) if "'" in message else ""
        return f"refers to a part that is missing from it ({part}); open it, save it again and retry"
    if isinstance(error, _DAMAGE) or name in _DAMAGE_NAMES:
        return f"is damaged or incomplete; save it again, {_INSTEAD}"
    return f"holds something that its reader does not understand, or is damaged; save it again, {_INSTEAD}"
