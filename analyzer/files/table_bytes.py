"""The bytes of a table, from a file, an upload or standard input, and whether they are what the file's name says."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from analyzer.errors import InputError
from analyzer.files.table_columns import STANDARD_INPUT

CSV_ENDINGS: Final = (".csv", ".tsv")
JSON_ENDINGS: Final = (".jsonl", ".ndjson", ".json")
WORKBOOK_ENDINGS: Final = (".xlsx",)
PARQUET_ENDINGS: Final = (".parquet",)
_PEEKED: Final = 1_000_000
"""Bytes of standard input that are looked at before the first row is read."""
_HEAD: Final = 4_096
_CSV_INSTEAD: Final = "save the table as CSV UTF-8"
_SIGNATURES: Final = (
    (b"%PDF-", "a PDF", ".pdf"),
    (b"PAR1", "a Parquet file", ".parquet"),
    (b"\xd0\xcf\x11\xe0", "an old Office file", ""),
    (b"{\\rtf", "a Rich Text file", ""),
    (b"\x1f\x8b", "compressed (gzip)", ""),
    (b"SQLite format 3", "a SQLite database", ""),
    (b"\x89PNG", "a picture", ""),
    (b"\xff\xd8\xff", "a picture", ""),
    (b"GIF8", "a picture", ""),
)
_BEGINS: Final = {".parquet": (b"PAR1", "a Parquet file"), ".xlsx": (b"PK\x03\x04", "an Excel workbook")}
_ZIPPED: Final = {
    "xl/": ("an Excel workbook", ".xlsx"),
    "word/": ("a Word document", ".docx"),
    "ppt/": ("a PowerPoint file", ".pptx"),
}
_HTML: Final = (b"<!doctype html", b"<html", b"<table", b"<?xml")


@dataclass(frozen=True, slots=True)
class TableBytes:
    """Opens a table. `open_all`: all of it, of standard input once; `open_head`: what can be looked at beforehand, all
    of it but for standard input. `path`: of a file on disk."""

    name: str
    open_all: Callable[[], BinaryIO]
    open_head: Callable[[], BinaryIO]
    path: Path | None = None

    @classmethod
    def of_path(cls, path: Path, name: str) -> TableBytes:
        """The bytes of a file on disk."""

        def opened() -> BinaryIO:
            return path.open("rb")

        return cls(name, opened, opened, path)

    @classmethod
    def of_upload(cls, name: str, data: bytes) -> TableBytes:
        """The bytes of an upload."""
        return cls(name, lambda: io.BytesIO(data), lambda: io.BytesIO(data))

    @classmethod
    def of_stream(cls, stream: BinaryIO) -> TableBytes:
        """The bytes of standard input, of which a little is read now: two lines, or as much as has come."""
        head = b""
        ended = False
        while len(head) < _PEEKED and head.strip().count(b"\n") < 2 and not ended:
            piece = _at_once(stream, _PEEKED)
            head, ended = head + piece, not piece
        whole = head[: head.rfind(b"\n") + 1] if not ended else head
        return cls(STANDARD_INPUT, lambda: cast(BinaryIO, _Joined(head, stream)), lambda: io.BytesIO(whole or head))

    @property
    def suffix(self) -> str:
        """The ending of its name, empty for standard input."""
        return "" if self.name == STANDARD_INPUT else Path(self.name).suffix.lower()

    def check_kind(self) -> None:
        """Raises InputError where the first bytes say that the file is of another kind than its name."""
        with closing(self.open_head()) as file:
            head = file.read(_HEAD)
        begin, title = _BEGINS.get(self.suffix, (b"", ""))
        if not head or (begin and head.startswith(begin)):
            return
        kind, ending = self._kind(head)
        what = f"{self.name} is named {self.suffix} but" if self.suffix else f"{self.name}"
        if kind:
            again = f"rename it to {ending}, or {_CSV_INSTEAD}" if ending else _CSV_INSTEAD
            raise InputError(f"{what} is {kind}; {again}")
        if begin:
            raise InputError(f"{what} is not {title}; export it again, or {_CSV_INSTEAD}")

    def _kind(self, head: bytes) -> tuple[str, str]:
        """What a file is by its first bytes, and the ending it should have; empty where that fits its name."""
        for signature, kind, ending in _SIGNATURES:
            if head.startswith(signature):
                return kind, ending
        if head.startswith(b"PK\x03\x04"):
            return self._zipped()
        start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
        if start.lower().startswith(_HTML):
            return "a web page or XML", ""
        inner = start[1:].lstrip()[:1]
        if self.suffix in CSV_ENDINGS and (
            (start[:1] == b"{" and inner == b'"') or (start[:1] == b"[" and inner == b"{")
        ):
            return "JSON", ".json"
        if self.suffix in JSON_ENDINGS and b"\0" not in head[:4] and start[:1] not in (b"{", b"[", b""):
            return "not JSON", ""
        return "", ""

    def _zipped(self) -> tuple[str, str]:
        try:
            with closing(self.open_head()) as file, zipfile.ZipFile(file) as archive:
                names = archive.namelist()
        except Exception:  # noqa: BLE001  # of a damaged archive zipfile raises anything
            return "a ZIP archive", ""
        found = (kind for folder, kind in _ZIPPED.items() if any(name.startswith(folder) for name in names))
        return next(found, ("a ZIP archive", ""))


class _Joined(io.RawIOBase):
    """What was read of a stream already, and the rest of it."""

    def __init__(self, head: bytes, rest: BinaryIO):
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`."""
        if self._head:
            piece, self._head = self._head, b""
            return piece
        return _at_once(self._rest, size)


def _at_once(stream: BinaryIO, size: int) -> bytes:
    """What has come of a stream by now; waits only if that is nothing."""
    return cast(io.BufferedReader, stream).read1(size)
