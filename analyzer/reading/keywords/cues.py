"""The cue language: how the phrases of the keyword reader's data file are written, and what each becomes.

It replaces bare regular expressions, so that no rule can be slow on hostile text (every repetition is bounded) and
people can read the rules. The head of `rules.toml` explains how a cue is written.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

_SPACE = r"[\s\-/\"']{1,6}"
_GAP = r"[\s\-/\"',;:]{1,6}(?:[^\s]{1,60}\s{1,6}){0,5}?"
NUMBER_WORDS: Final = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands "
    "dozen dozens million"
).replace(" ", "|")
_CASED = "(?-i:"
NAME_WORD = r"(?-i:[A-ZÀ-ÖØ-Þ][\w&.]{0,30}\b)"
_PARTS: Final[Mapping[str, str]] = {
    "number": rf"(?:\d[\d.,]{{0,12}}\+?(?:\s?(?:k|m|x|million|thousand)\b)?|(?:{NUMBER_WORDS})\b(?:\sof\b)?)",
    "percent": r"\d[\d.,]{0,8}\s?(?:%|percent\b|per cent\b)",
    "money": r"(?:[$€£¥]\s?\d[\d.,]{0,14}(?:\s?(?:k|m|bn|million|billion)\b)?"
    r"|\d[\d.,]{0,14}\s?(?:dollars|euros?|usd|eur|gbp|pounds)\b)",
    "millions": r"[$€£¥]\s?\d[\d.,]{0,14}\s?(?:m|bn|million|billion)\b",
    "name": rf"{NAME_WORD}(?:\s{NAME_WORD}){{0,3}}",
    "org": rf"(?P<org>{NAME_WORD}(?:\s(?:of\s)?{NAME_WORD}){{0,3}})",
    "company": rf"(?P<org>{NAME_WORD}(?:\s(?:of\s|&\s)?{NAME_WORD}){{1,3}})",
}
_TOKEN = re.compile(r"\(|\)\??|\||\.\.(?=\s|$)|<\w+>|[^\s()|<>]+")
_LITERAL = re.compile(r"[\w'&.+]+\*?")
_WORD = re.compile(r"\w+")

Needs = tuple[tuple[str, ...], ...]


class Cue:
    """One cue phrase. `needs`: for each part that cannot be left out, the words of which a sentence must hold one (a
    trailing * stands for any ending), the shortest lists first; what lets the index pass over nearly every sentence.
    `cased`: capitals matter to some part of it; else it is looked for in the text in small letters, which is
    faster."""

    __slots__ = ("_make", "_parts", "_pattern")

    def __init__(self, regex: str, needs: Needs):
        self._make: Callable[[], tuple[str, Needs]] = lambda: (regex, needs)
        self._parts: tuple[str, Needs] | None = None
        self._pattern: re.Pattern[str] | None = None

    @classmethod
    def later(cls, make: Callable[[], tuple[str, Needs]]) -> Cue:
        """A cue whose regular expression and needs are made when they are first asked for: most cues never meet a
        pitch."""
        cue = cls("", ())
        cue._make = make
        return cue

    @property
    def parts(self) -> tuple[str, Needs]:
        """The regular expression and the needs. Raises ValueError naming a cue that cannot be taken apart."""
        if self._parts is None:
            regex, needs = self._make()
            self._parts = regex, tuple(sorted(needs, key=len))
        return self._parts

    @property
    def regex(self) -> str:
        return self.parts[0]

    @property
    def needs(self) -> Needs:
        return self.parts[1]

    @property
    def cased(self) -> bool:
        return _CASED in self.parts[0]

    @property
    def pattern(self) -> re.Pattern[str]:
        """Compiled when a sentence first comes near."""
        if self._pattern is None:
            flags = re.IGNORECASE if self.cased else re.NOFLAG
            self._pattern = re.compile(rf"(?<!\w)(?:{self.regex})(?!\w)", flags)
        return self._pattern


class CueLanguage:
    """Turns cue phrases into patterns whose every repetition is bounded; `words` are the families named in them."""

    def __init__(self, words: Mapping[str, Sequence[str]]):
        self._words = words
        self._cues: dict[str, Cue] = {}
        self._parts: dict[str, tuple[str, Needs]] = {}

    def cue(self, source: str) -> Cue:
        """The cue that is written so. Taking it apart raises ValueError naming the cue and what is wrong with it."""
        if source not in self._cues:
            self._cues[source] = Cue.later(lambda: self._whole(source))
        return self._cues[source]

    def any_of(self, sources: Sequence[str]) -> Cue:
        """One of several cues, if it does not matter which; an organization in it is not named."""
        cues = [self.cue(source) for source in sources]
        return Cue.later(lambda: either([(cue.regex.replace("(?P<org>", "(?:"), cue.needs) for cue in cues]))

    def _whole(self, source: str) -> tuple[str, Needs]:
        tokens = _TOKEN.findall(source.replace("-", " "))
        regex, needs = self._sequence(tokens, source)
        if tokens:
            raise ValueError(f"the cue {source!r} closes a group it did not open")
        if not needs:
            raise ValueError(f"the cue {source!r} has no word that must be there")
        return regex, needs

    def _sequence(self, tokens: list[str], source: str) -> tuple[str, Needs]:
        """Takes tokens up to the end of the phrase or alternative. What may be left out takes its space along."""
        regex = ""
        needs: list[tuple[str, ...]] = []
        joint = ""
        while tokens and tokens[0] != "|" and not tokens[0].startswith(")"):
            if tokens[0] == "..":
                if not joint:
                    raise ValueError(f"the cue {source!r} has a gap where a word should be")
                joint = _GAP
                del tokens[0]
                continue
            part, need, optional = self._part(tokens, source)
            if not optional:
                regex += joint + part
                needs.extend(need)
                joint = _SPACE
            elif joint == _SPACE:
                regex += f"(?:{_SPACE}{part})?"
            else:
                regex += f"{joint}(?:{part}{_SPACE})?"
                joint = ""
        if joint != _SPACE:
            raise ValueError(f"the cue {source!r} does not end with a word")
        return regex, tuple(needs)

    def _part(self, tokens: list[str], source: str) -> tuple[str, Needs, bool]:
        token = tokens.pop(0)
        if token == "(":
            alternatives = [self._sequence(tokens, source)]
            while tokens and tokens[0] == "|":
                del tokens[0]
                alternatives.append(self._sequence(tokens, source))
            if not tokens:
                raise ValueError(f"the cue {source!r} opens a group and does not close it")
            return *either(alternatives), tokens.pop(0) == ")?"
        if token not in self._parts:
            self._parts[token] = self._named(token, source) if token.startswith("<") else _literal(token, source)
        return *self._parts[token], False

    def _named(self, token: str, source: str) -> tuple[str, Needs]:
        name = token[1:-1]
        if name in _PARTS:
            return _PARTS[name], ()
        if name not in self._words:
            raise ValueError(f"the cue {source!r} names {token}, which is neither a part nor under [words]")
        cues = [self.cue(word) for word in self._words[name]]
        return either([(cue.regex, cue.needs) for cue in cues])


def _literal(token: str, source: str) -> tuple[str, Needs]:
    if _LITERAL.fullmatch(token) is None:
        raise ValueError(f"the cue {source!r} holds {token!r}, which is not a word")
    ending = token.endswith("*")
    word = token.rstrip("*")
    found = _WORD.findall(word.lower())
    need = tuple((part + "*" * (ending and part is found[-1]),) for part in found)
    return re.escape(word.lower()) + r"\w*" * ending, need


def name_cue(name: str) -> Cue:
    """A proper name as a cue: exactly as it is spelled, capitals included."""

    def parts() -> tuple[str, Needs]:
        regex = _CASED + _SPACE.join(re.escape(word) for word in name.replace("-", " ").split()) + ")"
        return regex, tuple((word.lower(),) for word in _WORD.findall(name))

    return Cue.later(parts)


def either(alternatives: list[tuple[str, Needs]]) -> tuple[str, Needs]:
    """One of several phrases. A sentence needs, for each phrase, its longest word, which is probably its rarest."""
    regex = "(?:" + "|".join(regex for regex, _ in alternatives) + ")"
    if any(not needs for _, needs in alternatives):
        return regex, ()
    rarest = [max(needs, key=lambda options: min(map(len, options))) for _, needs in alternatives]
    return regex, (tuple(dict.fromkeys(itertools.chain.from_iterable(rarest))),)
