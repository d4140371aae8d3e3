"""What every reader of documents shares: how it describes itself, and how it says that a file gives no text.

Runs in the process that reads documents: standard library only, and the package of a kind when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from analyzer.files.document import Page, Unread

FEW_LETTERS: Final = 40
"""Letters and digits below which a page holds almost no text."""
LARGE_PICTURE: Final = 0.1
"""Share of a page from which a picture counts as its content."""
INSTEAD: Final = "or paste the pitch as text"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a document, to be read as one of its own."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class PicturesRead:
    """What OCR made of some pages: those it read, perhaps without finding text; the numbers of those that it did not
    come to in time, and of those whose pictures cannot be opened or are too large."""

    pages: tuple[Page, ...]
    late: tuple[int, ...]
    unopened: tuple[int, ...]


Parts = Iterator[Page | Unread | Attachment]
"""What a reader yields: pages in order (several for one number are joined), what it does not read, attachments."""
Pictures = Iterator[tuple[int, Any]]
"""Page numbers, each with a picture of it, as the OCR takes pictures: bytes of a file or an array."""


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """One kind of document. `name` completes "is not …"; `contents` and `left_out` tell in the docs what is read and
    what is not. `unit`: what its pages are called, empty where it has none. `pictures`: gives OCR the pictures of some
    pages, if such a document can consist of pictures."""

    endings: tuple[str, ...]
    name: str
    unit: str
    read: Callable[[bytes], Parts]
    contents: str
    left_out: str
    pictures: Callable[[bytes, Sequence[int]], Pictures] | None = None


class Unreadable(Exception):
    """Why a file gives no text, and what to do: the rest of a sentence that begins with the file's name."""


class TooLong(Exception):
    """A file has more text than was asked for; says where reading stopped."""


class PackageMissing(Exception):
    """The package that reads this kind of file is not installed."""


def package(module: str) -> Any:
    """A package of the extra `documents` or `ocr`. Raises PackageMissing."""
    try:
        return import_module(module)
    except ImportError as error:
        raise PackageMissing(module) from error


def letters(text: str) -> int:
    """How many letters and digits there are."""
    return sum(map(str.isalnum, text))
