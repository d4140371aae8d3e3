"""Where a cue counts as evidence in one text, and what the text is about: its product and its opening.

Hidden here: a cue means nothing where it is denied, planned for later, or part of another product's name.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Final

from analyzer.patterns import late
from analyzer.reading.keywords.cues import Cue
from analyzer.reading.keywords.rules import CueSet, Rules
from analyzer.reading.keywords.sentences import Hit, Place, Text
from analyzer.reading.pitch_title import is_greeting
from analyzer.vocabulary.signals import MAX_QUOTES

MOST_HITS: Final = 24
"""Hits of one cue that are looked at."""
_NAME_WORDS: Final = 5
_TO_A_NAME: Final = 12
"""Sentences in which the product's name is looked for if the title does not have it."""
_BEFORE_A_LETTER: Final = 2_000
"""Characters in which a letter's greeting is looked for."""
_OF_A_LETTER: Final = 8
"""Sentences of a letter in which its product is looked for."""
_WORDS_BEFORE: Final = 6
_WORDS_AFTER: Final = 5
_TITLE_NAME = late(r"(?P<name>\S.{0,58}?)\s{0,3}(?::\s|\s[-|]\s|\s-$)")
_SUBJECT = late(
    r"(?:(?P<name>[A-Z]\w[\w.+&-]*(?:\s[A-Z][\w.+&]*){0,3}),?\s(?:is|[a-z]{2,}s|raises|automatically)\b"
    r"|(?P<small>\w[\w.+-]+)\s(?:is an?|automatically|lets|helps)\s)"
)
_INTRODUCED = late(
    r"\b[Ww]e(?: are|'re| run| build| built| make| made| sell| started| founded)\s"
    r"(?P<name>[A-Z]\w[\w.+&-]*)(?=[\s.,;:]|$)"
)
_WRITTEN_ABOUT = late(
    r"\b(?:paragraphs|lines|words|notes?|summary|overview|deck|details|more|write|writing|tell you)\s(?:on|about)\s"
    r"(?P<name>[A-Z]\w[\w.+&-]*(?:\s[A-Z][\w.+&]*){0,2})"
)
_COUNTED = late(
    r"(?:One|Two|Three|Four|Five|Six|Seven|Eight|Nine|Ten|Eleven|Twelve|Twenty|Several|Many|Most|Some|Dozens|Hundreds)\s"
)
"""How a sentence about customers begins, as in "Three European banks"."""
_WHAT_IS = late(r"(?:What is|What's|About|Why)\s(?P<name>\w[\w.+&-]*(?:\s[A-Z][\w.+&]*){0,2})\s?\??")
_TITLE_LEAD = late(r"(?:Show HN:|Launch HN:|Subject:|Re:|Introducing|Announcing|Meet)\s", re.IGNORECASE)


class Evidence:
    """One text and the rules it is read by. `planned`: sentences about the future, which are not evidence of today."""

    def __init__(self, rules: Rules, text: Text):
        self.rules = rules
        self.text = text
        self._sentences: dict[Cue, frozenset[int]] = {}
        headings = self.sentences_with(rules.future_heading)
        self.planned = self.sentences_with(rules.future).union(
            number for number, sentence in enumerate(text.sentences) if sentence.section in headings
        )

    def hits(self, cue: Cue, unless: Cue | None = None, code: bool = False) -> Iterator[Hit]:
        """The hits of a cue that are evidence: not exceptions, not denied, no known product for an organization."""
        exceptions = self.sentences_with(unless)
        for hit in itertools.islice(self.text.hits(cue, code), MOST_HITS):
            if hit.sentence in exceptions or self._denied(hit) or (hit.org and not self.is_company(hit.org)):
                continue
            yield hit

    def set_hits(self, cues: CueSet, planned: bool = False) -> list[Hit]:
        """The hits of a set of cues in the order of the text; `planned`: also in sentences about the future."""
        hits = [hit for cue in self.text.near(cues.cues) for hit in self.hits(cue, cues.unless)]
        return sorted((h for h in hits if planned or h.sentence not in self.planned), key=lambda hit: hit.start)

    def sentences_with(self, cue: Cue | None) -> frozenset[int]:
        if cue is None:
            return frozenset()
        if cue not in self._sentences:
            self._sentences[cue] = frozenset(hit.sentence for hit in self.text.hits(cue, code=True))
        return self._sentences[cue]

    def _denied(self, hit: Hit) -> bool:
        negation = self.rules.negation
        if hit.sentence in self.sentences_with(negation.before):
            before = self.text.before(hit, _WORDS_BEFORE)
            if meets(before, negation.before) and not meets(before, negation.but):
                return True
        if hit.sentence not in self.sentences_with(negation.after):
            return False
        return meets(self.text.after(hit, _WORDS_AFTER), negation.after)

    def value(self, value: str, basis: str, hits: Iterable[Hit]) -> dict[str, Any]:
        quotes = dict.fromkeys(self.text.quote(hit) for hit in sorted(hits, key=lambda hit: hit.start))
        return {"value": value, "basis": basis, "quotes": tuple(quotes)[:MAX_QUOTES]}

    def place(self, sentence: int) -> Place:
        return self.text.sentences[sentence].place

    def is_company(self, org: str) -> bool:
        """Whether a capitalized name can be a company: not a common word, a known product or the product itself."""
        first, *_, last = [*org.lower().split(), org.lower().split()[-1]]
        common = not {first, last}.isdisjoint(self.rules.competitor.not_names)
        return not (common or {org.lower(), first} & self.rules.known_names or self.is_own_name(org))

    def is_own_name(self, name: str) -> bool:
        return bool(self.product) and name.lower().split()[0] == self.product.lower().split()[0]

    def is_common(self, name: str) -> bool:
        return re.search(rf"\b{re.escape(name.split()[0].lower())}\b", self.text.plain) is not None

    @cached_property
    def product(self) -> str:
        """The product's name: from the title, before a colon or dash or as its subject; else the subject of a sentence
        in the opening, or in a customer's story the first subject that title and first sentence do not name; else
        the title's first words."""
        if self.letter:
            return self._introduced
        front = [self._heading_words(number) for number in self.front]
        if not front:
            return ""
        story = bool(self.text.spans(0, self.rules.story))
        named = _TITLE_NAME.match(front[0])
        if named and not story and len(named["name"].split()) <= _NAME_WORDS:
            return named["name"].strip(" .,;:")
        if len(front[0].split()) <= 2 and front[0].split()[0].lower() not in self.rules.competitor.not_names:
            return front[0]
        if headed := self._asked_about:
            return headed
        sentences = map(self._heading_words, range(1 if story else 0, self._named_within(story)))
        for words in sentences:
            subject = _SUBJECT.match(words)
            name = (subject["name"] or subject["small"]) if subject else ""
            if not name or name.split()[0].lower() in self.rules.competitor.not_names:
                continue
            if not story or (name.split()[0] not in " ".join(front[:2]) and not self.is_common(name)):
                return name
        return " ".join(front[0].split(", ")[0].split()[:_NAME_WORDS]).rstrip(" .,;:")

    def _named_within(self, story: bool) -> int:
        """How many sentences are asked for a subject."""
        return len(self.text.sentences) if story else max(len(self.front), min(_TO_A_NAME, len(self.text.sentences)))

    @property
    def _asked_about(self) -> str:
        """The name in a heading like "What is Example?" near the top; empty without one."""
        for number in range(min(_TO_A_NAME, len(self.text.sentences))):
            asked = _WHAT_IS.fullmatch(self._heading_words(number))
            if asked and asked["name"].split()[0].lower() not in self.rules.competitor.not_names:
                return asked["name"]
        return ""

    @cached_property
    def letter(self) -> list[int]:
        """The numbers of the first sentences after the greeting, if the text begins with one, or with a line that
        greets somebody else ("Hey Dana, thanks for the introduction."); else empty."""
        lines = [line for line in self.text.original[:_BEFORE_A_LETTER].split("\n") if line.strip()]
        greeting = next(iter(lines), "")
        if not is_greeting(greeting):
            passing = is_greeting(f"{greeting.partition(',')[0]},")
            greeting = next((line for line in lines[1:2] if passing and is_greeting(line)), "")
        if not greeting:
            return []
        after = self.text.original.index(greeting) + len(greeting)
        return [number for number, each in enumerate(self.text.sentences) if each.start >= after][:_OF_A_LETTER]

    @property
    def _introduced(self) -> str:
        """The product that the first sentences of a letter introduce; empty if they do not."""
        sentences = [self._heading_words(number) for number in self.letter]
        for words in sentences:
            if introduced := _INTRODUCED.search(words) or _WRITTEN_ABOUT.search(words):
                return introduced["name"].rstrip(".")
        for words in sentences:
            subject = _SUBJECT.match(words)
            name = (subject["name"] or "") if subject else ""
            if not name or _COUNTED.match(words):
                continue
            if name.split()[0].lower() not in self.rules.competitor.not_names:
                return name
        return ""

    @cached_property
    def front(self) -> list[int]:
        """The numbers of the sentences in title and first paragraph."""
        return [number for number in range(len(self.text.sentences)) if self.place(number) in ("title", "opening")]

    def _heading_words(self, number: int) -> str:
        """A sentence without brackets or symbols before the first word, and with a hyphen for a long dash."""
        words = re.sub(r"\s?[–—]\s?", " - ", re.sub(r"[\[\]()]", " ", self.text.words(number)))
        return _TITLE_LEAD.sub("", " ".join(re.sub(r"^\W+", "", words).split()), count=1)


def meets(words: str, cue: Cue) -> bool:
    """Whether these words hold the cue."""
    return bool(words) and cue.pattern.search(words) is not None
