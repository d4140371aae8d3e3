"""Finds the JSON document in what a model wrote, whatever it is wrapped in.

Models put the document after their thoughts, into a code fence, into a tool call written as text, under the tool's
name, under `properties`, into a string of JSON, or spread it over several calls. A paid answer that contains the
document is used; asking again would cost as much and wrap it in the same way.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any, Final

from analyzer.patterns import late

_THOUGHTS: Final = late(
    r"<(think|thinking|thought|reasoning|reflection)>.*?</\1>|<\|channel\|>analysis.*?<\|end\|>", re.DOTALL | re.I
)
_UNOPENED_THOUGHT: Final = late(r"^.*</(?:think|thinking)>", re.DOTALL | re.I)
"""Some templates open the tag in the prompt, so the answer only closes it."""
_TRAILING_COMMA: Final = late(r",(\s*[}\]])")
_MOST_STARTS: Final = 200
"""Places in a text at which a document may begin."""
_DEEPEST: Final = 6
"""Wrappings inside each other."""


def unwrapped(text: str, fields: Collection[str]) -> Any:
    """The object in the text that has the most of these fields; parts of one document are put together.

    If no object has any of them: the first JSON value of the text. Remembered for as many answers as a run may have in
    hand, so treat it as read-only. Raises ValueError if there is none.
    """
    return _unwrapped(text, frozenset(fields))


@lru_cache(maxsize=512)
def _unwrapped(text: str, wanted: frozenset[str]) -> Any:
    values = list(_values(_without_thoughts(text))) or list(_values(text))
    if not values:
        raise ValueError("no JSON in the text")
    found = [each for value in values for each in _objects(value, wanted, _DEEPEST)]
    if not found:
        return values[0]
    best = max(found, key=lambda each: len(wanted & set(each)))
    if len(wanted & set(best)) < len(wanted):
        for other in found:  # one call for each part of the document
            best = {**{name: part for name, part in other.items() if name in wanted}, **best}
    return best


def _without_thoughts(text: str) -> str:
    shorter = _THOUGHTS.sub("", text)
    return _UNOPENED_THOUGHT.sub("", shorter) if re.search(r"</think(?:ing)?>", shorter, re.I) else shorter


def _values(text: str) -> Iterator[Any]:
    """The JSON values in a text, one after the other, from outside in."""
    decoder = json.JSONDecoder(strict=False)
    whole = text.strip()
    if whole.startswith('"'):  # a string of JSON
        try:
            yield decoder.decode(whole)
            return
        except ValueError:
            pass
    at, starts = 0, 0
    while starts < _MOST_STARTS and (match := re.compile(r"[{\[]").search(text, at)):
        starts += 1
        try:
            value, at = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            value, end = _repaired(text, match.start())
            at = end if value is not None else match.end()
        if isinstance(value, dict | list) and value:
            yield value


def _repaired(text: str, start: int) -> tuple[Any, int]:
    """An object with a comma too many, or written as Python writes it, up to the last bracket; None if it is
    neither."""
    end = max(text.rfind("}"), text.rfind("]")) + 1
    piece = text[start:end]
    if len(piece) < 2 or piece[0] not in "{[":
        return None, start
    try:
        return json.loads(_TRAILING_COMMA.sub(r"\1", piece), strict=False), end
    except (ValueError, RecursionError):
        pass
    if not re.match(r"[{\[]\s*['\"(\[{]", piece):
        return None, start
    try:
        value = ast.literal_eval(piece)
        return json.loads(json.dumps(value)), end
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None, start


def _objects(value: Any, wanted: frozenset[str], depth: int) -> Iterator[dict[str, Any]]:
    """The objects in a value that have a wanted field, without looking into those."""
    if depth == 0:
        return
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "[", '"'):
        try:
            inner = json.loads(value, strict=False)
        except (ValueError, RecursionError):
            return
        if inner != value:
            yield from _objects(inner, wanted, depth - 1)
    elif isinstance(value, list):
        for entry in value[:_MOST_STARTS]:
            yield from _objects(entry, wanted, depth - 1)
    elif isinstance(value, dict):
        if len(wanted & set(value)) > len(wanted) // 4 or (wanted & set(value) and not _wraps(value)):
            yield value
            return
        for entry in value.values():
            yield from _objects(entry, wanted, depth - 1)


def _wraps(value: dict[str, Any]) -> bool:
    """Whether an object is a wrapping, although one of its keys is also a field: {"name": …, "arguments": …}."""
    return any(name in value for name in ("arguments", "parameters", "input", "properties", "function"))
