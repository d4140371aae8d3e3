"""Finds quotes in the pitch exactly, and nothing that only resembles them.

A quote counts only if the pitch contains its words in that order. White space, Unicode forms (composed or
not, ligatures, full width), typographic quotes and dashes, and invisible format characters may differ; letters,
digits and case may not. There is no fuzzy matching: it finds "We sell" in "We do not sell".
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzer.vocabulary.signals import Quote

_SAME = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´`ʼ＇", "'"),
        **dict.fromkeys("“”„‟″«»＂", '"'),
        **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
    }
)
_SAME_OR_SPACE = {**_SAME, ord("\n"): " "}
_SPACES = re.compile(r"\s+")
_KEEPS_FORM = ("<super>", "<sub>", "<fraction>")
_SPACED_SCRIPT = r"[0-9A-Za-z\u00aa-\u024f\u0370-\u052f]"
_WITHIN_WORD = re.compile(_SPACED_SCRIPT * 2)
_MARKS = (
    r"[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u064b-\u065f\u1160-\u11ff\u1ab0-\u1aff\u20d0-\u20f0"
    r"\u3099\u309a\ufe20-\ufe2f]"
)
_PIECE = re.compile(rf"(?P<plain>[!-~]+(?:[ \n][!-~]+)*(?!{_MARKS}))|[\s\S]{_MARKS}*")
"""A run that keeps its length when folded, or a single character with its marks. Most pitches are a few runs."""


@dataclass(frozen=True, slots=True)
class _Folded:
    """A folded text in pieces. Piece n begins at `at[n]` in `text` and is `starts[n]:ends[n]` in the original. A piece
    that kept its length maps character by character, any other piece as a whole."""

    text: str
    at: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]

    def origin(self, at: int) -> tuple[int, int]:
        """The span in the original of the character at `at`."""
        piece = bisect_right(self.at, at) - 1
        start, end = self.starts[piece], self.ends[piece]
        last = self.at[piece + 1] if piece + 1 < len(self.at) else len(self.text)
        if last - self.at[piece] != end - start:
            return start, end
        start += at - self.at[piece]
        return start, start + 1

    def position(self, original: int) -> int:
        """The position in `text` of an offset in the original; within a piece that maps as a whole, its beginning."""
        start = self.starts[bisect_right(self.starts, original) - 1]
        piece = bisect_left(self.starts, start)  # the first of a character that folds into several
        last = self.at[piece + 1] if piece + 1 < len(self.at) else len(self.text)
        if last - self.at[piece] != self.ends[piece] - start:
            return self.at[piece]
        return self.at[piece] + min(original, self.ends[piece]) - start


class Grounding:
    """Looks up quotes in one pitch, which is folded once."""

    def __init__(self, pitch: str):
        self._pitch = pitch
        self._folded = _fold(pitch)

    def find(self, quote: str, outside: Sequence[tuple[int, int]] = (), first: int = 0) -> Quote | None:
        """Find the first match of the quote at or after the offset `first`, as the pitch spells it. None if there is
        none, or only within the spans of `outside`.

        A quote never begins or ends within a word ("can" is not found in "cannot"), and holds at least
        one letter or digit.
        """
        return next(self.find_all(quote, outside, first), None)

    def find_all(self, quote: str, outside: Sequence[tuple[int, int]] = (), first: int = 0) -> Iterator[Quote]:
        """Find every match of the quote, in order and without overlaps; see `find`. One pass through the pitch, however
        many matches and spans there are."""
        wanted = folded(quote).strip()
        if not any(char.isalnum() for char in wanted):
            return
        spans = _merged(outside)
        text, after = self._folded.text, first
        at = text.find(wanted, self._folded.position(first)) if first < len(self._pitch) else -1
        while at >= 0:
            end = at + len(wanted)
            if not _within_word(text, at) and not _within_word(text, end):
                start, stop = self._folded.origin(at)[0], self._folded.origin(end - 1)[1]
                span = bisect_left(spans, (stop, 0)) - 1  # the last one that begins before this ends
                if span >= 0 and start < spans[span][1]:
                    at = text.find(wanted, max(at + 1, self._folded.position(spans[span][1])))
                    continue
                if start >= after:
                    yield Quote(text=self._pitch[start:stop], start=start, end=stop)
                    after = stop
            at = text.find(wanted, at + 1)


def _merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge spans that overlap or touch, and sort them."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged


def folded(text: str) -> str:
    """The text as it is compared: spellings of the same text, and invisible characters, make no difference."""
    if text.isascii():
        return _SPACES.sub(" ", text).translate(_SAME)
    return _fold(text).text


def _within_word(text: str, at: int) -> bool:
    """Whether `at` is between two letters or digits, in a script that puts spaces between words."""
    return at > 0 and _WITHIN_WORD.match(text, at - 1) is not None


def _fold(text: str) -> _Folded:
    pieces: list[str] = []
    at: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    length = 0
    for match in _PIECE.finditer(text):
        start, end = match.span()
        piece = match.group()
        piece = piece.translate(_SAME_OR_SPACE) if match.lastgroup else _fold_cluster(piece)
        for part in (piece,) if match.lastgroup or len(piece) == 1 else piece:
            if part == " " and pieces and pieces[-1] == " ":
                ends[-1] = end
                continue
            pieces.append(part)
            at.append(length)
            starts.append(start)
            ends.append(end)
            length += len(part)
    return _Folded("".join(pieces), at, starts, ends)


def _fold_cluster(cluster: str) -> str:
    if len(cluster) == 1 and cluster.isascii():
        return " " if cluster.isspace() else cluster.translate(_SAME)
    if unicodedata.decomposition(cluster[0]).startswith(_KEEPS_FORM):
        return cluster
    plain = unicodedata.normalize("NFKC", cluster.translate(_SAME)).translate(_SAME)
    return "".join(" " if char.isspace() else char for char in plain if unicodedata.category(char) != "Cf")
