"""Finds quotes in the pitch exactly, and nothing that only resembles them.

A quote counts only if the pitch contains its words in that order. White space, Unicode forms (composed or
not, ligatures, full width), typographic quotes and dashes, and invisible format characters may differ; letters,
digits and case may not. Where the layout cuts a word (a hyphen at the end of a line, a line end in Chinese or Japanese,
a heading in spaced letters, Markdown emphasis), it counts joined and as it is typed. There is no fuzzy matching: it
finds "We sell" in "We do not sell".
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from analyzer.patterns import late
from analyzer.vocabulary.signals import Quote

_SAME = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´`ʼ＇", "'"),
        **dict.fromkeys("“”„‟″«»＂", '"'),
        **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
    }
)
_SAME_OR_SPACE = {**_SAME, ord("\n"): " "}
_SPACES = late(r"\s+")
_KEEPS_FORM = ("<super>", "<sub>", "<fraction>")
_SPACED_SCRIPT = r"[0-9A-Za-z\u00aa-\u024f\u0370-\u052f]"
_WITHIN_WORD = late(_SPACED_SCRIPT * 2)
_MARKS = (
    r"[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u064b-\u065f\u1160-\u11ff\u1ab0-\u1aff\u20d0-\u20f0"
    r"\u3099\u309a\ufe20-\ufe2f]"
)
_CUT_WORD, _NO_SPACE, _EMPHASIS, _HYPHEN = "\x00\x01\x02\x03"
"""What takes the place of layout in a folded text, which holds no control characters otherwise. A hyphen at a line end is
nothing or a hyphen (_CUT_WORD), or, next to digits and capitals, always a hyphen (_HYPHEN); _NO_SPACE is nothing or a
space, _EMPHASIS nothing or its sign."""
_LAYOUT_MARKS = _CUT_WORD + _NO_SPACE + _EMPHASIS
_ANY_LAYOUT = f"[{_CUT_WORD}{_NO_SPACE}{_EMPHASIS}]*"
_CJK = r"\u2e80-\u2fdf\u3001-\u303f\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff65\U00020000-\U0003134f"
_LINE_END = r"[ \t]*\n[ \t]*"
_LAYOUT = late(
    rf"(?P<cut>(?<=[^\W\d_])[-\u2010]{_LINE_END}(?=[^\W\d_]))|(?P<hyphen>(?<=[^\W_])[-\u2010]{_LINE_END}(?=[^\W_]))"
    rf"|(?P<soft>(?<=[^\W_])\u00ad{_LINE_END}(?=[^\W_]))|(?P<cjk>(?<=[{_CJK}]){_LINE_END}(?=[{_CJK}]))"
    r"|(?P<bold>(?<![^\s(\[\"'>*_|])(?P<sign>\*{1,3}|_{1,3})(?=[^\s*_])(?P<inner>[^\n*_]{0,400}(?:\n[^\n*_]+){0,4})(?<=\S)(?P=sign)(?![\w*_]))"
    r"|(?P<spaced>^[ \t]*[^\W_](?:[ ]{1,4}[^\W_]){3,80}[ \t]*$)",
    re.MULTILINE,
)
_MAY_BE_LAYOUT = late(r"[*_]|[-\u2010\u00ad][ \t]*\n| [^\W_] {1,4}[^\W_] ")
_LINE_END_IN_CJK = late(rf"[{_CJK}]{_LINE_END}[{_CJK}]")
"""What any layout holds some of."""
_ENDS = late(r"[!-~]*[0-9A-Za-z](?:[\s\S]*[!-~])?")
"""A text that begins and ends with a visible ASCII character, and holds a letter or digit before any white space."""
_PIECE = late(rf"(?P<plain>[!-~]+(?:[ \n][!-~]+)*(?!{_MARKS}))|[\s\S]{_MARKS}*")
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
        if is_plain(pitch):
            self._layout: list[tuple[int, int, str]] = []
            self._folded = _Folded(pitch.translate(_SAME_OR_SPACE), (0,), (0,), (len(pitch),))
        else:
            self._layout = list(_layout(pitch))
            self._folded = _fold(pitch, self._layout)

    def find(self, quote: str, outside: Sequence[tuple[int, int]] = (), first: int = 0) -> Quote | None:
        """Find the first match of the quote at or after the offset `first`, as the pitch spells it. None if there is
        none, or only within the spans of `outside`.

        A quote never begins or ends within a word ("can" is not found in "cannot"), and holds at least
        one letter or digit.
        """
        if not outside and self._is_at(quote, first):
            return Quote(text=quote, start=first, end=first + len(quote))
        return next(self.find_all(quote, outside, first), None)

    def _is_at(self, quote: str, first: int) -> bool:
        """Whether the quote is surely found exactly here: letter for letter, in a pitch without layout, between
        characters that are folded each by itself. Most quotes are, as an answer says where they begin."""
        end = first + len(quote)
        if self._layout or not self._pitch.startswith(quote, first) or not _ENDS.fullmatch(quote):
            return False
        before, after = self._pitch[max(0, first - 1) : first], self._pitch[end : end + 1]
        return (
            (before + after).isascii()
            and _WITHIN_WORD.match(before + quote[0]) is None
            and _WITHIN_WORD.match(quote[-1] + after) is None
        )

    def find_all(self, quote: str, outside: Sequence[tuple[int, int]] = (), first: int = 0) -> Iterator[Quote]:
        """Find every match of the quote, in order and without overlaps; see `find`. One pass through the pitch, however
        many matches and spans there are."""
        wanted = folded(quote).strip()
        if not any(char.isalnum() for char in wanted):
            return
        spans = _merged(outside)
        text, after = self._folded.text, first
        search = self._search(wanted)
        at, end = search(self._folded.position(first)) if first < len(self._pitch) else (-1, -1)
        while at >= 0:
            if not _within_word(text, at) and not _within_word(text, end):
                start, stop = self._folded.origin(at)[0], self._folded.origin(end - 1)[1]
                span = bisect_left(spans, (stop, 0)) - 1  # the last one that begins before this ends
                if span >= 0 and start < spans[span][1]:
                    at, end = search(max(at + 1, self._folded.position(spans[span][1])))
                    continue
                if start >= after:
                    yield Quote(text=self._pitch[start:stop], start=start, end=stop)
                    after = stop
            at, end = search(at + 1)

    def _search(self, wanted: str) -> Callable[[int], tuple[int, int]]:
        """A function that finds the next match from a place on: its begin and end, -1 for none."""
        text = self._folded.text
        if not self._layout:

            def plainly(start: int) -> tuple[int, int]:
                at = text.find(wanted, start)
                return at, at + len(wanted)

            return plainly
        pattern = re.compile(_ANY_LAYOUT.join(_as_typed(wanted)))

        def through_layout(start: int) -> tuple[int, int]:
            match = pattern.search(text, start)
            return match.span() if match is not None else (-1, -1)

        return through_layout


def is_plain(text: str) -> bool:
    """Whether folding a text only replaces single characters, and layout cuts or marks nothing in it: most sentences,
    which need not be searched for that."""
    return (
        _PLAIN.fullmatch(text) is not None
        and not any(sign in text for sign in ("*", "_", "-\n"))
        and all(map(_TWO_LETTERS.search, text.split("\n")))
    )


_PLAIN = late(r"[!-~]+(?:[ \n][!-~]+)*")
_TWO_LETTERS = late(r"[0-9A-Za-z]{2}")
"""In a heading of spaced letters there are none."""


def _as_typed(wanted: str) -> Iterator[str]:
    """Patterns for the characters of a quote, each of which may be typed as layout in the pitch."""
    for char in re.findall(r"- |[\s\S]", wanted):
        if char == "- ":
            yield f"(?:-{_ANY_LAYOUT} |[{_CUT_WORD}{_HYPHEN}])"
        elif char == "-":
            yield f"[-{_CUT_WORD}{_HYPHEN}]"
        elif char == " ":
            yield f"[ {_NO_SPACE}]"
        elif char in "*_":
            yield f"[{re.escape(char)}{_EMPHASIS}]"
        else:
            yield re.escape(char)


def _layout(text: str) -> Iterator[tuple[int, int, str]]:
    """Where layout cuts or marks words: begin, end, and what takes its place."""
    if _MAY_BE_LAYOUT.search(text) is None and (text.isascii() or _LINE_END_IN_CJK.search(text) is None):
        return
    at = 0
    while (match := _LAYOUT.search(text, at)) is not None:
        kind, (start, end) = match.lastgroup, match.span()
        if match["bold"] is not None:
            signs = len(match["sign"])
            opening, closing = range(start, start + signs), range(end - signs, end)
            marks = [(place, place + 1, _EMPHASIS) for place in (*opening, *closing)]
            inner = _layout_within(text, start + signs, end - signs)
            yield from sorted((*marks, *inner))
        elif match["spaced"] is not None:
            for space in re.finditer(r"(?<=\S) (?=\S)", match.group()):
                yield start + space.start(), start + space.end(), _NO_SPACE
        else:
            yield start, end, {"cut": _CUT_WORD, "hyphen": _HYPHEN}.get(kind or "", _NO_SPACE)
        at = max(end, at + 1)


def _layout_within(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """The layout within an emphasized passage."""
    return ((begin + start, stop + start, mark) for begin, stop, mark in _layout(text[start:end]))


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
    """Whether position `at` falls between two letters or digits of a script that puts spaces between words, also where
    layout cuts the word."""
    before, after = at - 1, at
    while before > 0 and text[before] in _LAYOUT_MARKS:
        before -= 1
    while after < len(text) - 1 and text[after] in _LAYOUT_MARKS:
        after += 1
    return at > 0 and after < len(text) and _WITHIN_WORD.match(text[before] + text[after]) is not None


def _fold(text: str, layout: Sequence[tuple[int, int, str]] = ()) -> _Folded:
    pieces: list[str] = []
    at: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    length = 0
    for start, end, piece, whole in _pieces(text, layout):
        for part in (piece,) if whole or len(piece) == 1 else piece:
            if part == " " and pieces and pieces[-1] == " ":
                ends[-1] = end
                continue
            pieces.append(part)
            at.append(length)
            starts.append(start)
            ends.append(end)
            length += len(part)
    return _Folded("".join(pieces), at, starts, ends)


def _pieces(text: str, layout: Sequence[tuple[int, int, str]]) -> Iterator[tuple[int, int, str, bool]]:
    """The pieces of a text: begin, end, what is compared, and whether that keeps its length."""
    at = 0
    for begin, stop, mark in (*layout, (len(text), len(text), "")):
        for match in _PIECE.finditer(text, at, begin):
            plain = match.lastgroup is not None
            piece = match.group()
            yield *match.span(), piece.translate(_SAME_OR_SPACE) if plain else _fold_cluster(piece), plain
        if mark:
            yield begin, stop, mark, True
        at = stop


def _fold_cluster(cluster: str) -> str:
    if len(cluster) == 1 and cluster.isascii():
        return " " if cluster.isspace() else cluster.translate(_SAME)
    if unicodedata.decomposition(cluster[0]).startswith(_KEEPS_FORM):
        return cluster
    plain = unicodedata.normalize("NFKC", cluster.translate(_SAME)).translate(_SAME)
    return "".join(" " if char.isspace() else char for char in plain if unicodedata.category(char) != "Cf")
