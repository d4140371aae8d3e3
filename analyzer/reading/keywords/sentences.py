"""A pitch cut into sentences, each with its place, and indexed by word, so that a thousand cues cost little.

Hides what is prose, heading, bullet and code in Markdown and plain text, where title and opening end, and how a
verbatim quote is cut around a hit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from analyzer.reading.keywords.cue_index import CueIndex
from analyzer.reading.keywords.cues import Cue
from analyzer.vocabulary.signals import Quote

Place = Literal["title", "opening", "early", "later"]

_QUOTE_LENGTH: Final = 200
_SENTENCE_LENGTH: Final = 600
_TITLE_LENGTH: Final = 150
_PARAGRAPH_WORDS: Final = 8
_OPENING_WORDS: Final = 60
_EARLY_CHARACTERS: Final = 1500
_WORD: Final = re.compile(r"\w+")
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´ʼ＇", "'"),
        **dict.fromkeys("“”„‟″«»＂", '"'),
        **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
        **dict.fromkeys("*_`\t\r\v\f\0\x1c\x1d\x1e\x1f\x85\u00a0\u2007\u2009\u200a\u202f\u2028\u2029\u3000", " "),
    }
)
_NO_PROSE = re.compile(
    r"!\[[^\[\]\n]{0,200}\]\([^()\s]{0,500}\)|https?://[^\s<>\"')\]]{1,500}|</?[A-Za-z][^<>]{0,400}>|<!--[^<>]{0,400}-->"
    r"|(?<=\])\([^()\s]{1,300}\)|&nbsp;"
)
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]+")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE = re.compile(r"[ >]{0,8}(?:`{3}|~{3})")
_MARKED_HEADING = re.compile(r" {0,3}#{1,6}\s")
_BULLET = re.compile(r"\s{0,20}(?:>\s?)?(?:[-+*•–▪◦‣●✓✔✅]|\d{1,2}[.)]|\[\d{1,3}\])\s")
_INDENTED = re.compile(r"(?: {4}|\t)\s{0,20}[^\s*+•>|-]")
_SENTENCE_END = re.compile(
    r"[.!?…]{1,3}[\"')\]]{0,3}(?=\s{1,8}[\"'(\[]{0,2}(?:[^\W\d_a-z]|\d|[$€£¥])|\s{2,8}\S)|[。！？؟۔।]"
)
_ABBREVIATION = re.compile(
    r"(?<![\w.])(?:e\.g|i\.e|vs|etc|dr|mrs?|ms|prof|inc|ltd|approx|st|fig|cf|al|resp)$", re.IGNORECASE
)
_CLAUSE_MARK = re.compile(r"[,;:!?.)\"”](?=\s)|[(–—]|\s-{1,2}\s|\b(?:but|so|because|which)\b")
_EDGE = " \t\r\n\v\f\0\x85\u00a0\u2028\u2029\ufeff\u200b*_`#>|•-–—+✓✔✅●▪◦‣"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, heading, bullet or line of code. `section`: the number of the heading above it, or -1."""

    start: int
    end: int
    place: Place
    code: bool
    section: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A cue met in a sentence; `org`: the name it met where it asks for one."""

    sentence: int
    start: int
    end: int
    org: str = ""


@dataclass(frozen=True, slots=True)
class _Block:
    """Text that belongs together: a paragraph, a bullet, a heading, a line of code."""

    start: int
    end: int
    kind: Literal["prose", "heading", "bullet", "code"]


class Text:
    """A pitch cut into sentences and indexed by word. `plain` is the pitch with typographic and Markdown characters as
    plain ones and addresses blanked, character for character, so that offsets hold."""

    def __init__(self, original: str, index: CueIndex, ignore: Sequence[tuple[int, int]] = ()):
        self.original = original
        self.plain = _NO_PROSE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), original).translate(_PLAIN)
        broken = [half.span() for half in _HALF_CHARACTER.finditer(original)]
        blocks = [block for span in _outside([*ignore, *broken], len(original)) for block in self._blocks(*span)]
        self.sentences = list(self._sentences(blocks))
        self._small = _in_small_letters(self.plain)
        words: dict[str, int] = {}
        for number, sentence in enumerate(self.sentences):
            for word in set(_WORD.findall(self._small, sentence.start, sentence.end)):
                words[word] = words.get(word, 0) | 1 << number
        self._near = index.near(words)

    # Looking up

    def near(self, cues: Iterable[Cue]) -> list[Cue]:
        """Those of some cues that the text may hold, by its words."""
        return [cue for cue in cues if cue in self._near]

    def hits(self, cue: Cue, code: bool = False) -> Iterator[Hit]:
        """Where the cue stands, once a sentence, in order; in code only if asked for."""
        left = self._near.get(cue, 0)
        if not left:
            return
        pattern, text = cue.pattern, self.plain if cue.cased else self._small
        names_org = "org" in pattern.groupindex
        while left:
            number = (left & -left).bit_length() - 1
            left &= left - 1
            sentence = self.sentences[number]
            if code or not sentence.code:
                match = pattern.search(text, sentence.start, sentence.end)
                if match is not None:
                    yield Hit(number, match.start(), match.end(), (names_org and match["org"]) or "")

    def spans(self, sentence: int, cue: Cue) -> list[tuple[int, int]]:
        """Every place of the cue in one sentence."""
        if not self._near.get(cue, 0) >> sentence & 1:
            return []
        where = self.sentences[sentence]
        text = self.plain if cue.cased else self._small
        return [match.span() for match in cue.pattern.finditer(text, where.start, where.end)]

    # Quoting

    def words(self, sentence: int) -> str:
        """A sentence as people read it: no Markdown, one space between words."""
        where = self.sentences[sentence]
        kept = "".join(
            char if plain != " " or char.isspace() else " "
            for char, plain in zip(
                self.original[where.start : where.end], self.plain[where.start : where.end], strict=True
            )
        )
        return " ".join(kept.split())

    def before(self, hit: Hit, words: int) -> str:
        """The last words of the clause before a hit."""
        start = max(self.sentences[hit.sentence].start, hit.start - 12 * words)
        return " ".join(_CLAUSE_MARK.split(self._small[start : hit.start] + " ")[-1].split()[-words:])

    def after(self, hit: Hit, words: int) -> str:
        """The next words of the clause after a hit."""
        end = min(self.sentences[hit.sentence].end, hit.end + 12 * words)
        return " ".join(_CLAUSE_MARK.split(self._small[hit.end : end] + " ")[0].split()[:words])

    def quote(self, hit: Hit) -> Quote:
        """The sentence around a hit, or as many of its clauses around it as fit, verbatim."""
        sentence = self.sentences[hit.sentence]
        start, end = sentence.start, sentence.end
        if end - start > _QUOTE_LENGTH:
            marks = [mark.end() for mark in _CLAUSE_MARK.finditer(self.plain, start, end)]
            start = max((at for at in marks if at <= hit.start), default=start)
            end = min((at for at in marks if at >= hit.end + 1), default=end)
            end = max((at for at in marks if end < at <= start + _QUOTE_LENGTH), default=end)
            if not any(char.isalnum() for char in self.plain[start:end]):
                start, end = sentence.start, sentence.end
            if end - start > _QUOTE_LENGTH:
                start = self._word_start(max(start, hit.start - _QUOTE_LENGTH // 3), hit.start)
                end = self._word_end(min(end, max(start + _QUOTE_LENGTH, hit.end)), hit.end)
        start, end = self._trimmed(start, end)
        return Quote(text=self.original[start:end], start=start, end=end)

    def _word_start(self, at: int, latest: int) -> int:
        while at < latest and self.plain[at - 1 : at].isalnum() and self.plain[at].isalnum():
            at += 1
        return at

    def _word_end(self, at: int, earliest: int) -> int:
        while at > earliest and self.plain[at - 1].isalnum() and self.plain[at : at + 1].isalnum():
            at -= 1
        return at

    def _trimmed(self, start: int, end: int) -> tuple[int, int]:
        """The span without margins, marks of lists and headings, and tags at its edges."""
        while start < end and (self.original[start] in _EDGE or self.plain[start] == " "):
            start += 1
        while end > start and (self.original[end - 1] in _EDGE or self.plain[end - 1] == " "):
            end -= 1
        return start, end

    # Cutting up

    def _blocks(self, start: int, end: int) -> Iterator[_Block]:
        """Blocks with at least one letter, in order. A heading is marked, in capitals, or a short line by itself."""
        fenced, after_blank, open_from, open_to, bullet = False, True, -1, -1, False

        def closed() -> Iterator[_Block]:
            nonlocal open_from, bullet
            if open_from >= 0:
                kind: Literal["heading", "bullet", "prose"] = "bullet" if bullet else "prose"
                if not bullet and self._is_short_line(open_from, open_to):
                    kind = "heading"
                yield _Block(open_from, open_to, kind)
            open_from, bullet = -1, False

        for line in _LINE.finditer(self.original, start, end):
            raw, plain = line.group(), self.plain[line.start() : line.end()]
            letters = any(char.isalpha() for char in plain)
            if _FENCE.match(raw):
                yield from closed()
                fenced = not fenced
            elif fenced or (after_blank and open_from < 0 and _INDENTED.match(raw)):
                if letters:
                    yield _Block(line.start(), line.end(), "code")
                continue
            elif not letters or _is_navigation(raw, plain):
                yield from closed()
            elif _MARKED_HEADING.match(raw) or (plain.isupper() and len(plain) <= 80):
                yield from closed()
                yield _Block(line.start(), line.end(), "heading")
            else:
                bulleted = bool(_BULLET.match(raw))
                if bulleted or raw.lstrip().startswith("|"):
                    yield from closed()
                if open_from < 0:
                    open_from, bullet = line.start(), bulleted
                open_to = line.end()
            after_blank = not raw.strip()
        yield from closed()

    def _is_short_line(self, start: int, end: int) -> bool:
        text = self.plain[start:end].strip()
        return len(text) <= 60 and "\n" not in text and not text.endswith((".", "!", "?", ":", ",", ";", '"'))

    def _sentences(self, blocks: Iterable[_Block]) -> Iterator[Sentence]:
        """Sentences with their place: the title is the first line; the opening ends with the first paragraph after it,
        or where a list has taken its length."""
        number, section, title_end, opened = 0, -1, -1, 0
        place: Place = "title"
        for block in self._with_title(blocks):
            if block.kind == "heading" and title_end >= 0:
                section = number
            if place == "early" and block.start - title_end > _EARLY_CHARACTERS:
                place = "later"
            untitled = 0
            for start, end in self._pieces(block):
                here: Place = "early" if block.kind == "code" and place == "opening" else place
                yield Sentence(start, end, here, block.kind == "code", section)
                number += 1
                if place == "title":
                    place, title_end = "opening", end
                else:
                    untitled += len(_WORD.findall(self.plain[start:end]))
            opened += untitled
            ended = block.kind == "prose" and untitled >= _PARAGRAPH_WORDS
            if place == "opening" and (ended or opened >= _OPENING_WORDS):
                place = "early"

    def _with_title(self, blocks: Iterable[_Block]) -> Iterator[_Block]:
        """The first line as a block of its own, unless it is the first line of a wrapped paragraph."""
        first = True
        for block in blocks:
            line_end = self.plain.find("\n", block.start, block.end)
            if first and block.kind != "code":
                first = False
                following = self.plain[line_end + 1 : block.end].lstrip() if line_end >= 0 else ""
                if following and not following[0].islower():
                    yield _Block(block.start, line_end, "heading")
                    yield _Block(line_end + 1, block.end, block.kind)
                    continue
            yield block

    def _pieces(self, block: _Block) -> Iterator[tuple[int, int]]:
        """The block's sentences without their margins, each at most _SENTENCE_LENGTH long."""
        start = block.start
        for cut in [*self._cuts(block), block.end]:
            while cut - start > _SENTENCE_LENGTH:
                space = self.plain.rfind(" ", start + 1, start + _SENTENCE_LENGTH)
                middle = space if space > 0 else start + _SENTENCE_LENGTH
                yield from self._piece(start, middle)
                start = middle
            yield from self._piece(start, cut)
            start = cut

    def _cuts(self, block: _Block) -> Iterator[int]:
        if block.kind == "prose" or block.kind == "bullet" or block.end - block.start > _TITLE_LENGTH:
            for end in _SENTENCE_END.finditer(self.plain, block.start, block.end):
                if _ABBREVIATION.search(self.plain, max(block.start, end.start() - 8), end.start()) is None:
                    yield end.end()

    def _piece(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        start, end = self._trimmed(start, end)
        if any(char.isalpha() for char in self.plain[start:end]):
            yield start, end


def _in_small_letters(text: str) -> str:
    """Small letters, character for character: where one would become two, it stays."""
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def _is_navigation(raw: str, plain: str) -> bool:
    """A line of links, as above the text of a README."""
    parts = re.split(r"[|·•]", plain)
    return len(parts) > 1 and ("](" in raw or "<a " in raw) and all(len(part.split()) <= 3 for part in parts)


def _outside(spans: Sequence[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    """What is left of a text between the spans, wherever they lie."""
    start = 0
    for first, last in sorted(spans):
        if first < last:
            if start < min(first, length):
                yield start, min(first, length)
            start = max(start, last)
    if start < length:
        yield start, length
