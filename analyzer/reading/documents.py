"""Files to text: plain text and Markdown by themselves, PDF, PowerPoint and Word through well-kept readers.

The readers are an optional extra; a missing one is said with what to install. A file is text only if it decodes
as text: nothing is guessed from bytes.
"""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from analyzer.errors import ConfigurationError, DocumentError

MAX_BYTES: Final = 50_000_000
"""The largest file that is opened."""
MAX_UNPACKED: Final = 500_000_000
"""The most that a zipped document may unpack to."""
SUFFIXES: Final = (".txt", ".md", ".pdf", ".pptx", ".docx")


def read_document(name: str, data: bytes) -> str:
    """The text of a file, by its name's ending and its bytes.

    Raises DocumentError if it is none of SUFFIXES, too large, damaged, protected or holds no text;
    ConfigurationError if the reader for its kind is not installed.
    """
    if len(data) > MAX_BYTES:
        raise DocumentError(
            f"{name} has {len(data) / 1e6:.0f} MB, the limit is {MAX_BYTES / 1e6:.0f}; give a smaller file"
        )
    suffix = Path(name).suffix.lower()
    reader = _READERS.get(suffix)
    if reader is None and not suffix:
        reader = _plain
    if reader is None:
        raise DocumentError(f"{name} is of a kind that cannot be read; give {', '.join(SUFFIXES)}")
    return reader(name, data)


def read_file(path: Path) -> str:
    """The text of a file on disk. Raises as `read_document`, and DocumentError if it cannot be opened."""
    try:
        with path.open("rb") as file:
            return read_document(path.name, file.read(MAX_BYTES + 1))
    except OSError as error:
        raise DocumentError(f"{path} cannot be read: {error.strerror or error}") from error


def _plain(name: str, data: bytes) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{name} is not text in UTF-8 (byte {error.start}); save it as UTF-8 and try again"
        ) from error
    if text.count("\0") > len(text) // 100:
        raise DocumentError(f"{name} is binary, not text; give {', '.join(SUFFIXES)}")
    return text


def _pdf(name: str, data: bytes) -> str:
    pypdf = _package("pypdf", name)
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of every oddity; what matters is an error here

    def texts() -> Iterator[str]:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentError(f"{name} is protected by a password; save it without one")
        for page in reader.pages:
            yield page.extract_text()

    return _found(name, texts)


def _pptx(name: str, data: bytes) -> str:
    pptx = _package("pptx", name)

    def texts() -> Iterator[str]:
        for slide in pptx.Presentation(io.BytesIO(data)).slides:
            lines = [line for shape in slide.shapes for line in _shape_lines(shape)]
            yield "\n".join(lines)
            if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
                yield slide.notes_slide.notes_text_frame.text

    return _found(name, _unpacked(name, data, texts))


def _docx(name: str, data: bytes) -> str:
    docx = _package("docx", name)

    def texts() -> Iterator[str]:
        for block in docx.Document(io.BytesIO(data)).iter_inner_content():
            if hasattr(block, "rows"):
                for row in block.rows:
                    yield " | ".join(dict.fromkeys(cell.text.strip() for cell in row.cells))
            else:
                yield block.text

    return _found(name, _unpacked(name, data, texts))


def _shape_lines(shape: Any) -> Iterator[str]:
    if shape.has_text_frame:
        yield from (line for line in shape.text_frame.text.splitlines() if line.strip())
    elif getattr(shape, "has_table", False) and shape.has_table:
        for row in shape.table.rows:
            yield " | ".join(cell.text.strip() for cell in row.cells)
    elif hasattr(shape, "shapes"):
        for inner in shape.shapes:
            yield from _shape_lines(inner)


def _unpacked(name: str, data: bytes, texts: Callable[[], Iterator[str]]) -> Callable[[], Iterator[str]]:
    """The same, for a zipped document that does not unpack to more than MAX_UNPACKED bytes."""

    def checked() -> Iterator[str]:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
                raise DocumentError(f"{name} unpacks to more than {MAX_UNPACKED / 1e6:.0f} MB; leave out its pictures")
        yield from texts()

    return checked


def _found(name: str, texts: Callable[[], Iterator[str]]) -> str:
    try:
        text = "\n\n".join(part.strip() for part in texts() if part and part.strip())
    except DocumentError:
        raise
    except Exception as error:  # a damaged file makes these readers raise anything at all
        raise DocumentError(f"{name} is damaged or not of the kind its name says; save it again and retry") from error
    if not text:
        raise DocumentError(f"{name} holds no text (pictures only?); give a version with text in it")
    return text


def _package(module: str, name: str) -> Any:
    """A reader from the `documents` extra."""
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        extra = 'pip install "pitch-analyzer[documents]"'
        raise ConfigurationError(f"reading {name} needs a package that is not installed: {extra}") from error


_READERS: Final[dict[str, Callable[[str, bytes], str]]] = {
    ".txt": _plain,
    ".md": _plain,
    ".pdf": _pdf,
    ".pptx": _pptx,
    ".docx": _docx,
}
