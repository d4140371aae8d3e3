"""Bytes of a table to lines of text. The encoding is found from the whole file, and asked for where it is not certain.

Hidden here: byte order marks, UTF-16 without one, line ends, and lines too long to hold. Windows-1252 and its relatives
cannot be told apart from their bytes, so they are never guessed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, Final

from analyzer.errors import InputError
from analyzer.files.disk import LONGEST_LINE
from analyzer.patterns import late

PIECE: Final = 262_144
"""Bytes that are read at once."""
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NAMES: Final = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32-le": "UTF-32",
    "utf-32-be": "UTF-32",
}
_INVALID: Final = late("[\udc80-\udcff]")
_VALID: Final = late("[^\x00-\x7f\ud800-\udfff]+")
_NOT_TEXT: Final = late("[\x00-\x08\x0b\x0e-\x1f\ue000-\uf8ff\ufffe\uffff]")
_MANY_NULS: Final = 0.1
_SHOWN: Final = 40


class UnknownEncoding(InputError):
    """The bytes of a table do not tell its encoding."""


@dataclass(frozen=True, slots=True)
class TextEncoding:
    """How a file's bytes are text. `mark`: bytes of the byte order mark; `returns`: whether lines end in CR alone."""

    codec: str
    mark: int = 0
    returns: bool = False

    @property
    def title(self) -> str:
        """Its name for people."""
        return _NAMES.get(self.codec, self.codec)

    @property
    def errors(self) -> str:
        """What becomes of bytes that are not text: half a character, which no text holds."""
        return "surrogatepass" if self.codec.startswith(("utf-16", "utf-32")) else "surrogateescape"


def named_encoding(wanted: str) -> str:
    """The codec of this name. Raises InputError if there is none for text."""
    try:
        info = codecs.lookup(wanted)
        if info.name in ("utf-16", "utf-32", "utf-7") or not "a,b\n".encode(info.name).decode(info.name):
            raise LookupError
    except (LookupError, ValueError, TypeError) as error:
        raise InputError(f"{wanted[:_SHOWN]!r} is not an encoding; use utf-8, utf-16-le or windows-1252") from error
    return info.name


def find_encoding(name: str, pieces: Iterable[bytes], wanted: str | None, how_to_say: str) -> TextEncoding:
    """The encoding of a file from all its bytes, or the wanted one.

    Raises InputError where the bytes do not tell; `how_to_say` completes the question.
    """
    rest = iter(pieces)
    head = next(rest, b"")
    encoding = _by_mark(head)
    if encoding is None and wanted is not None:
        encoding = TextEncoding(named_encoding(wanted))
    if encoding is None and 0 in head:
        encoding = _without_mark(head)
        if encoding is None and head.count(0) > len(head) * _MANY_NULS:
            raise InputError(f"{name} is binary, not text; save it as CSV UTF-8")
    if encoding is None:
        _check_utf8(name, chain([head], rest), how_to_say)
        encoding = TextEncoding("utf-8")
    text = head[encoding.mark :].decode(encoding.codec, "replace")
    return TextEncoding(encoding.codec, encoding.mark, _ends_in_returns(text))


def pieces_of(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file, piece by piece."""
    while piece := file.read(PIECE):
        yield piece


def text_pieces(name: str, file: BinaryIO, encoding: TextEncoding) -> Iterator[str]:
    """The text of a file, piece by piece. Raises InputError if it is not text in this encoding."""
    decoder = codecs.getincrementaldecoder(encoding.codec)(encoding.errors)
    left = encoding.mark
    whole = encoding.errors == "surrogatepass"  # half a character at the end of such a file is no text
    try:
        for piece in pieces_of(file):
            skipped, left = piece[left:], max(0, left - len(piece))
            text = decoder.decode(skipped)
            yield text.replace("\r", "\n") if encoding.returns else text
        if not whole and (text := decoder.decode(b"", True)):
            yield text
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is damaged: it is not {encoding.title} throughout; save it as CSV UTF-8") from error


def text_lines(name: str, file: BinaryIO, encoding: TextEncoding) -> Iterator[str | None]:
    """The lines of a file with their ends; None for one longer than LONGEST_LINE, so that memory stays small."""
    parts: list[str] = []
    size = 0
    for text in text_pieces(name, file, encoding):
        lines = text.split("\n")
        for line in lines[:-1]:
            too_long = size + len(line) > LONGEST_LINE
            yield None if too_long else "".join((*parts, line, "\n"))
            parts, size = [], 0
        size += len(lines[-1])
        parts = [*parts, lines[-1]] if size <= LONGEST_LINE else []
    if size:
        yield None if size > LONGEST_LINE else "".join(parts)


def _by_mark(head: bytes) -> TextEncoding | None:
    return next((TextEncoding(codec, len(mark)) for mark, codec in _MARKS if head.startswith(mark)), None)


def _without_mark(head: bytes) -> TextEncoding | None:
    """UTF-16 by where its NULs are; None if the bytes are not text in it."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    codec = "utf-16-le" if odd > even else "utf-16-be"
    ascii_alone = head.isascii() and even + odd < 0.3 * len(head)  # an ASCII text with a few NULs
    if min(even, odd) > max(even, odd) // 20 or ascii_alone:
        return None
    try:
        text = codecs.getincrementaldecoder(codec)().decode(head)
    except UnicodeDecodeError:
        return None
    return None if _NOT_TEXT.search(text) else TextEncoding(codec)


def _check_utf8(name: str, pieces: Iterable[bytes], how_to_say: str) -> None:
    """Raises InputError unless a file is UTF-8, apart from a few damaged bytes."""
    strict = codecs.getincrementaldecoder("utf-8")
    decoder = strict("surrogateescape")
    valid = invalid = line = 0
    first: tuple[int, str] | None = None
    for piece in chain(pieces, [b""]):
        text = decoder.decode(piece, not piece)
        if not text.isascii():
            valid += len(_VALID.findall(text))
            faults = [match.start() for match in _INVALID.finditer(text)]
            invalid += len(faults)
            if faults and first is None:
                first = line + text.count("\n", 0, faults[0]) + 1, _around(text, faults[0])
        line += text.count("\n")
    if first is not None and invalid > valid // 2:
        raise UnknownEncoding(
            f"{name} is not UTF-8: line {first[0]:,} would read {first[1]!r} if it is Windows-1252. {how_to_say}"
        )


def _around(text: str, at: int) -> str:
    """The words around a byte that is not UTF-8, as Windows-1252 reads them."""
    near = re.split(r'[\r\n\t;,|"]', text[max(0, at - _SHOWN // 2) : at])[-1]
    after = re.split(r'[\r\n\t;,|"]', text[at : at + _SHOWN // 2])[0]
    return (near + after).encode("utf-8", "surrogateescape").decode("windows-1252", "replace").strip()


def _ends_in_returns(text: str) -> bool:
    """Whether rows end in CR alone, as old programs for the Mac write them; line ends within quotation marks aside."""
    if "\r" not in text:
        return False
    plain = re.sub(r'"[^"]*"', "", text)
    alone = len(re.findall(r"\r(?!\n)", plain[:-1]))
    return alone > plain.count("\n")
