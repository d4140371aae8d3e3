"""Splits a text into sentences, headings, bullets, table rows and lines of code. Nothing of the text is lost.

Hidden here: which lines belong to one sentence, and which full stops end one. A sentence that is cut too early or too
late does no harm: every piece is a verbatim span, and the pieces in order are the whole text but for white space.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise
from typing import Final

from analyzer.patterns import late

MOST_CHARACTERS: Final = 300
"""The longest sentence; a longer one is cut at a clause, else at a space."""
_LEAST_CHARACTERS = MOST_CHARACTERS // 3
_NARROWEST_COLUMN = 30
_SHORT_ANSWER = 12
_FEW_CHARACTERS = 60

PLAIN: Final = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´ʼ＇", "'"),
        **dict.fromkeys("“”„‟″«»＂", '"'),
        **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
        **dict.fromkeys("*_`\t\r\v\f\0\x1c\x1d\x1e\x1f\x85\u00a0\u2007\u2009\u200a\u202f\u2028\u2029\u3000", " "),
    }
)
"""Typographic and Markdown characters as plain ones, character for character."""
FENCE: Final = late(r"[ >]{0,8}(?:`{3}|~{3})")
MARKED_HEADING: Final = late(r" {0,3}#{1,6}\s")
BULLET: Final = late(r"\s{0,20}(?:>\s?)?(?:[-+*•–▪◦‣●✓✔✅]|\d{1,2}[.)]|\[\d{1,3}\])\s")

_LINE = late(r"[^\n\u2028\u2029]*[\n\u2028\u2029]|[^\n\u2028\u2029]+")
_TABLE_ROW = late(r"\s{0,20}\|")
_END = late(r"[.!?…]{1,3}[\"')\]”’»]{0,3}(?=\s)|[。！？｡؟۔।॥]+[」』）】》”’\"']{0,3}")
_LAST_WORD = late(r"[^\s(\[\"'“‘«]{1,20}$")
_INITIALS = late(r"[^\W\d_](?:\.[^\W\d_])*", re.UNICODE)
_LIST_NUMBER = late(r"\d{1,2}")
_ABBREVIATIONS = frozenset(
    re.findall(
        r"\S+",
        "e.g i.e vs etc dr mr mrs ms prof inc ltd co corp approx st fig cf al resp nos vol ed est dept jan feb mar apr "
        "jun jul aug sep sept oct nov dec bzw ca usw nr mio mrd evtl ggf inkl exkl abb vgl bspw sog mme mlle sr sra ej "
        "pág núm av tel",
    )
)
_CLAUSE = late(r"[,;:)|](?=\s)|[，、；：）]|\s[-–—]\s|[—–]")
_LEFT_EDGE = late(r"(?:[\s>#|*_~•–—▪◦‣●✓✔✅]|[-+](?=\s))+")
_RIGHT_EDGE = " \t\r\n\v\f\x85\u00a0\u2028\u2029\u3000|*_#~"
_LETTER_OR_DIGIT = late(r"[^\W_]")
_WORD_CHARACTER = late(r"[0-9A-Za-z\u00aa-\u024f\u0370-\u052f]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence. `first:last` is all that belongs to it; `start:end` leaves out marks of lists, headings and tables,
    and is what a quote of it holds."""

    first: int
    last: int
    start: int
    end: int


def split(text: str) -> list[Piece]:
    """The sentences of a text, in order; each holds a letter or digit. What has none (a line of dashes) belongs to
    the sentence before it, or to the first one."""
    pieces: list[Piece] = []
    begin = -1
    for first, last in _spans(text):
        start, end = _without_marks(text, first, last)
        if start < end:
            pieces.append(Piece(first if begin < 0 else begin, last, start, end))
            begin = -1
        elif pieces:
            pieces[-1] = Piece(pieces[-1].first, last, pieces[-1].start, pieces[-1].end)
        elif begin < 0:
            begin = first
    return pieces


@lru_cache(maxsize=512)
def sentences(text: str) -> tuple[Piece, ...]:
    """As `split`, remembered for as many texts as a run may have in hand."""
    return tuple(split(text))


def in_context(text: str, start: int, end: int) -> str:
    """The sentences that a span of the text is part of. One of a few words has the sentence before it too: "412" or
    "Yes" says what is meant only after what it answers."""
    pieces = sentences(text)
    inside = [number for number, piece in enumerate(pieces) if piece.start < end and start < piece.end]
    if not inside:
        return text[start:end]
    first, last = inside[0], inside[-1]
    if first and pieces[last].end - pieces[first].start < _FEW_CHARACTERS:
        first -= 1
    return text[min(start, pieces[first].start) : max(end, pieces[last].end)]


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Every part of the text that is not white space, in pieces of at most about MOST_CHARACTERS."""
    for start, end in _blocks(text):
        at = start
        for cut in _cuts(text, start, end):
            while cut - at > MOST_CHARACTERS:
                middle = _cut(text, at)
                yield from _solid(text, at, middle)
                at = middle
            yield from _solid(text, at, cut)
            at = cut


def _solid(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span without the white space around it, unless it is nothing else."""
    part = text[start:end]
    if part.strip():
        yield start + len(part) - len(part.lstrip()), start + len(part.rstrip())


def _without_marks(text: str, first: int, last: int) -> tuple[int, int]:
    """The span without marks at its edges; empty if no letter or digit is left."""
    left = _LEFT_EDGE.match(text, first, last)
    start = left.end() if left else first
    end = start + len(text[start:last].rstrip(_RIGHT_EDGE))
    return (start, end) if _LETTER_OR_DIGIT.search(text, start, end) else (first, first)


# ---------------------------------------------------------------- lines that belong together


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Parts that no sentence crosses: paragraphs, bullets, and single lines of headings, tables, code and lists."""
    lines: list[tuple[int, int]] = []
    fenced = False
    for match in _LINE.finditer(text):
        line, span = match.group(), match.span()
        text_only = line.lstrip()[:1].isalpha()  # no mark of any kind begins so
        fence = not text_only and bool(FENCE.match(line))
        alone = fenced or fence or (not text_only and (MARKED_HEADING.match(line) or _TABLE_ROW.match(line)))
        if not line.strip() or alone or (not text_only and BULLET.match(line)):
            yield from _joined_lines(text, lines)
            lines = []
        if fence:
            fenced = not fenced
        if alone:
            yield span
        elif line.strip():
            lines.append(span)
    yield from _joined_lines(text, lines)


def _joined_lines(text: str, lines: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Lines of a wrapped paragraph as one span, other lines one by one. A line was wrapped if the first word of the
    next one would not have fitted into the paragraph's width."""
    if len(lines) < 2:
        yield from lines
        return
    widths = [_width(text[start:end].rstrip()) for start, end in lines]
    column = max(widths)
    first = lines[0][0]
    for number, (_, end) in enumerate(lines):
        if number + 1 < len(lines):
            following = text[slice(*lines[number + 1])].split(None, 1)[0]
            spaced = following[:1].isascii()
            wrapped = widths[number] + (1 + _width(following) if spaced else 2) > column
            if wrapped and column >= _NARROWEST_COLUMN:
                continue
            yield first, end
            first = lines[number + 1][0]
    yield first, lines[-1][1]


def _width(text: str) -> int:
    """Columns that a text takes: two for each wide character."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


# ---------------------------------------------------------------- sentences in a block


def _cuts(text: str, start: int, end: int) -> list[int]:
    """Where the sentences of a block end. "No." stays with the question that it answers, or it would say nothing."""
    ends = [*_sentence_ends(text, start, end), end]
    return [cut for cut, after in pairwise(ends) if not _is_answer(text, cut, after)] + [end]


def _is_answer(text: str, cut: int, after: int) -> bool:
    """Whether what follows a cut needs what comes before it: too short to say something, or a short answer."""
    following = text[cut:after].strip()
    letters = sum(1 for _ in islice(_LETTER_OR_DIGIT.finditer(following), 3))
    asked = text[max(0, cut - 4) : cut].rstrip("\"')]”’»」』").endswith(("?", "？", "؟"))
    return 0 < letters < (3 if following.isascii() else 2) or (asked and 0 < _width(following) <= _SHORT_ANSWER)


def _sentence_ends(text: str, start: int, end: int) -> Iterator[int]:
    for mark in _END.finditer(text, start, end):
        if text[mark.start()] not in ".!?…" or _ends_sentence(text, mark, start, end):
            yield mark.end()


def _ends_sentence(text: str, mark: re.Match[str], start: int, end: int) -> bool:
    """Whether a full stop, question or exclamation mark before white space ends a sentence."""
    following = text[mark.end() : min(end, mark.end() + 40)].lstrip()[:1]
    before = _LAST_WORD.search(text, max(start, mark.start() - 20), mark.start())
    word = before.group().lower() if before else ""
    if mark.group().startswith(".") and not mark.group().startswith(".."):
        abbreviated = word in _ABBREVIATIONS or (_INITIALS.fullmatch(word) is not None and word.isascii())
        numbered = _LIST_NUMBER.fullmatch(word) and before and not text[start : before.start()].strip("> \t\n")
        if abbreviated or numbered:
            return False
    return not following.islower() or (len(word) > 3 and mark.group().startswith("."))


def _cut(text: str, start: int) -> int:
    """Where to cut a sentence that begins here and is too long."""
    most = start + MOST_CHARACTERS
    clauses = [mark.end() for mark in _CLAUSE.finditer(text, start + _LEAST_CHARACTERS, most)]
    if clauses:
        return clauses[-1]
    spaces = [at for at in range(start + _LEAST_CHARACTERS, most) if text[at].isspace()]
    if spaces:
        return spaces[-1]
    between = [at for at in range(start + _LEAST_CHARACTERS, most + 1) if not _is_mark(text[at])]
    words = [at for at in between if not _within_word(text, at)]
    return (words or between or [most])[-1]


def _is_mark(char: str) -> bool:
    """Whether a character belongs to the one before it."""
    return unicodedata.category(char) in ("Mn", "Me", "Mc", "Cf")


def _within_word(text: str, at: int) -> bool:
    """Whether `at` is between two letters, where no quote can begin."""
    before = at - 1
    while before and _is_mark(text[before]):
        before -= 1
    return bool(_WORD_CHARACTER.match(text, before) and _WORD_CHARACTER.match(text, at))
