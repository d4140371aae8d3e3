"""JSON Lines, JSON arrays and JSON spread over lines, as one stream of objects; of any length, object by object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from analyzer.files.disk import LONGEST_LINE, TOO_LONG

_OUTSIDE: Final = re.compile(r'["{}\[\],]')
_INSIDE: Final = re.compile(r'["\\]')
_TOO_LARGE: Final = f"this object has more than {LONGEST_LINE / 1e6:.0f} million characters"


@dataclass(frozen=True, slots=True)
class JsonRow:
    """An object of the file, or why there is none in its place. `where`: "line 3" or "item 3"."""

    where: str
    value: dict[str, Any] | None = None
    fault: str = ""


def json_rows(pieces: Iterable[str], lines: Iterable[str | None], is_lines: bool) -> Iterator[JsonRow]:
    """The objects of a file, whose text comes in pieces or in lines; only one of the two is used (`is_lines`).

    An object that is alone and holds one list of objects ({"companies": [...]}) stands for the objects in it.
    """
    if is_lines:
        yield from _of_lines(lines)
        return
    items = (_item(number, text) for number, text in enumerate(_items(pieces), 1))
    first = next(items, None)
    second = next(items, None)
    if first is None:
        return
    if second is None and first.value is not None:
        lists = [
            value
            for value in first.value.values()
            if isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
        ]
        if len(lists) == 1:
            yield from (JsonRow(f"item {number}", item) for number, item in enumerate(lists[0], 1))
            return
    yield first
    if second is not None:
        yield from chain([second], items)


def is_json_lines(line: str | None, alone: bool) -> bool:
    """Whether a file that begins with this line has one object a line; otherwise it is an array or one spread out.

    `alone`: whether there is no other line.
    """
    if line is None:
        return True
    start = line.lstrip("\ufeff \t")
    if start.startswith("["):
        return False
    try:
        value = json.loads(start)
    except RecursionError:
        return True
    except json.JSONDecodeError as error:
        return not (start.startswith("{") and error.pos >= len(start.rstrip()))
    except ValueError:
        return True
    return not (alone and _wraps(value))


def _wraps(value: object) -> bool:
    """Whether an object may stand for the list of objects in it."""
    return isinstance(value, dict) and any(
        isinstance(part, list) and part and isinstance(part[0], dict) for part in value.values()
    )


def _of_lines(lines: Iterable[str | None]) -> Iterator[JsonRow]:
    for number, line in enumerate(lines, 1):
        if line is None:
            yield JsonRow(f"line {number}", fault=TOO_LONG)
        elif line.strip():
            yield _parsed(f"line {number}", line)


def _item(number: int, text: str | None) -> JsonRow:
    return JsonRow(f"item {number}", fault=_TOO_LARGE) if text is None else _parsed(f"item {number}", text)


def _parsed(where: str, text: str) -> JsonRow:
    if not text.isascii() and re.search("[\udc80-\udcff]", text):
        return JsonRow(where, fault="this is not UTF-8 text")
    try:
        value = json.loads(text.strip("\ufeff \t\r\n"))
    except RecursionError:
        return JsonRow(where, fault="this JSON is nested too deep to read")
    except ValueError as error:
        return JsonRow(where, fault=f"this is not JSON: {str(error)[:120]}")
    if not isinstance(value, dict):
        return JsonRow(where, fault=f"expected an object, found {type(value).__name__}")
    return JsonRow(where, value)


def _items(pieces: Iterable[str]) -> Iterator[str | None]:
    """The text of each value of an array, or of each value that follows another; None for one that is too long."""
    scanner = _Scanner()
    for piece in pieces:
        yield from scanner.take(piece)
    yield from scanner.end()


class _Scanner:
    """Cuts JSON text into values, without reading what is in them."""

    def __init__(self) -> None:
        self._depth = 0
        self._base: int | None = None
        """Depth at which values lie: 1 within an array, 0 one after the other; None before the first."""
        self._quoted = False
        self._skip = False
        self._parts: list[str] = []
        self._size = 0

    def take(self, piece: str) -> Iterator[str | None]:
        """The values that end in this piece."""
        begin = at = 0
        if self._skip and piece:
            at, self._skip = 1, False
        while at < len(piece):
            match = (_INSIDE if self._quoted else _OUTSIDE).search(piece, at)
            if match is None:
                break
            char, at = match.group(), match.end()
            if char == '"':
                self._quoted = not self._quoted
            elif char == "\\":
                self._skip = at == len(piece)
                at += 1
            elif char in "{[":
                if self._base is None:
                    self._base = 1 if char == "[" else 0
                    begin = at if char == "[" else begin
                self._depth += 1
            elif char in "}]":
                self._depth -= 1
                if self._depth == self._base:
                    yield from self._value(piece[begin:at])
                    begin = at
                elif self._depth < (self._base or 0):  # the end of the array
                    yield from self._value(piece[begin : at - 1])
                    begin, self._base, self._depth = at, 0, 0
            elif self._depth == self._base:
                yield from self._value(piece[begin : at - 1])
                begin = at
        self._add(piece[begin:])

    def end(self) -> Iterator[str | None]:
        """What is left at the end of the file."""
        yield from self._value("")

    def _add(self, text: str) -> None:
        self._size += len(text)
        if self._size > LONGEST_LINE:
            self._parts = []
        else:
            self._parts.append(text)

    def _value(self, text: str) -> Iterator[str | None]:
        self._add(text)
        whole = None if self._size > LONGEST_LINE else "".join(self._parts)
        self._parts, self._size = [], 0
        if whole is None or whole.strip("\ufeff \t\r\n"):
            yield whole
