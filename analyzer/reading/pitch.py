"""One pitch as it is read: cleaned once, so that every offset and fingerprint speaks of the same text.

Hides what hostile or broken text can do: control characters, characters nobody sees, text that addresses its
reader. Such text stays in the pitch (offsets must hold) but is evidence for nothing.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from analyzer.errors import PitchError
from analyzer.files import documents
from analyzer.framework.assessment import PitchRef, Warning
from analyzer.reading.grounding import folded
from analyzer.signals import Quote
from analyzer.vocabulary import SIGNALS

MAX_CHARACTERS: Final = documents.MAX_CHARACTERS
"""The longest pitch that is read: about 25,000 tokens, 60 printed pages."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_TAGS = re.compile(r"(\U0001f3f4[\U000e0030-\U000e007a]{2,6}\U000e007f)|[\U000e0000-\U000e007f]+")
"""Characters that only machines read; a flag such as Scotland's (group 1) is spelled with some, and stays."""
_INVISIBLE = re.compile(
    r"[\u200b-\u200d\u2060-\u2064]{3,}|[\u202d\u202e]|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}"
    r"|[A-Za-z][\u00ad\u200b-\u200d\u2060-\u2064][A-Za-z]"
)

_GRADER = r"(?:ai|llm|language[- ]model|automated|evaluators?|graders?|reviewers?|assistants?|chatgpt|gpt|claude)"
_START = r"""(?<!["'“‘«])(?<!["'“‘«]\s)\b"""
_ADDRESSES_READER: Final[tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]] = tuple(
    (words, re.compile(pattern, re.VERBOSE | re.MULTILINE))
    for words, pattern in (
        (
            ("note", "message", "instruction", "attention", "hint"),
            rf"\b(?:note|message|instructions?|attention|hint)\s+(?:to|for)\s+(?:the\s+|any\s+|all\s+)?{_GRADER}\b",
        ),
        (("attention", "dear"), r"\b(?:attention|dear)\s*[,:]?\s+(?:ai|llm|language[- ]model)\b"),
        (
            ("ignore", "disregard", "forget", "override"),
            rf"{_START}(?:ignore|disregard|forget|override)\s+(?:all\s+|any\s+|the\s+|your\s+|these\s+)*"
            r"(?:previous|prior|above|earlier|preceding|foregoing|system|other)?\s*"
            r"(?:instructions?|rubrics?|prompts?|guidelines)\b",
        ),
        (
            ("you are",),
            r"\byou\s+are\s+(?:now\s+)?(?:an?\s+)?"
            r"(?:ai|llm|large\s+language\s+model|language\s+model|chatgpt|evaluator|grader)\b",
        ),
        (
            ("score", "rating", "points", "signal"),
            r"\b(?:set|give|assign|award)\s+(?:it\s+|us\s+|this\s+(?:\w+\s+)?|all\s+|every\s+|the\s+)*"
            r"(?:scores?|ratings?|points|signals?)\s+(?:to|at|of|as)\s+(?:10|100|ten|the\s+(?:max|highest)|max)",
        ),
        (
            ("rate", "score", "grade"),
            r"(?:^|[.!?:;,]\s+|\b(?:please|must|should|now)\s+)"
            r"(?:rate|score|grade)\s+(?:this|our|the)\s+(?:pitch|product|company|startup|submission)\b",
        ),
        (("return",), r"\breturn\s+(?:the|this|only\s+the)\s+(?:json|following\s+json|answer)\b"),
        (
            ("<", "[", "system", "assistant"),
            r"^\s*(?:<\s*/?\s*(?:system|assistant|instructions?)\s*>|\[/?(?:inst|sys)\]|<\|\w+\|>"
            r"|\#{2,}\s*system\b|(?:system|assistant)\s*:)",
        ),
        (
            ('"',),
            rf"\"(?:in_scope|basis|verdict|differentiation|{'|'.join(n for n in SIGNALS if '_' in n)})\"\s*:",
        ),
    )
)
"""What addresses the reader, in small letters, each with words of which it holds one: most text has none of them."""
_PARAGRAPH_BREAK = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class Pitch:
    """`text` is what is read and what offsets refer to. `planted`: spans that address the reader, in order."""

    text: str
    ref: PitchRef
    planted: tuple[tuple[int, int], ...]
    warnings: tuple[Warning, ...]

    @classmethod
    def from_text(cls, text: str, id: str | None = None) -> Pitch:
        """A pitch from text as it came. Raises PitchError if it is empty or longer than MAX_CHARACTERS."""
        name = f"{id}: " if id else ""
        cleaned = text.replace("\r\n", "\n").replace("\r", "\n")
        cleaned = _CONTROLS.sub("", cleaned)
        hidden = False
        if not cleaned.isascii():
            shown = _TAGS.sub(lambda found: found[1] or "", cleaned)
            hidden = shown != cleaned or bool(_INVISIBLE.search(shown))
            cleaned = shown
        if not any(char.isalnum() for char in cleaned):
            raise PitchError(f"{name}the pitch is empty; give it at least a sentence of text")
        if len(cleaned) > MAX_CHARACTERS:
            raise PitchError(
                f"{name}the pitch has {len(cleaned):,} characters, the limit is {MAX_CHARACTERS:,}; nothing was sent. "
                "Leave out appendices, or give the part that says what the product does."
            )
        warnings = []
        if hidden:
            message = "The pitch contains characters that nobody can see; they may carry text meant for a machine."
            warnings.append(Warning(kind="hidden_characters", message=message))
        planted = tuple(_planted(cleaned))
        warnings.extend(planted_warning(Quote(text=cleaned[start:end], start=start, end=end)) for start, end in planted)
        sha256 = hashlib.sha256(cleaned.encode()).hexdigest()
        ref = PitchRef(id=id or sha256[:12], title=_title(cleaned), sha256=sha256)
        return cls(cleaned, ref, planted, tuple(warnings))


def planted_warning(quote: Quote) -> Warning:
    """The warning for a passage of the pitch that addresses whoever reads it."""
    message = "The pitch addresses its reader or grader here; the passage counts as evidence for nothing."
    return Warning(kind="instructions", message=message, quote=quote)


def overlaps(quote: Quote, spans: Iterable[tuple[int, int]]) -> bool:
    """Whether a quote with offsets shares a character with one of the spans."""
    start, end = quote.start or 0, quote.end or 0
    return any(start < stop and begin < end for begin, stop in spans)


def _planted(text: str) -> Iterable[tuple[int, int]]:
    """Paragraphs that address the reader: a claim beside an order is as much planted as the order, and so is the
    paragraph that such a one announces with a colon."""
    start, announced = 0, False
    for gap in [*_PARAGRAPH_BREAK.finditer(text), None]:
        end = gap.start() if gap else len(text)
        paragraph = text[start:end]
        found = announced or _addresses_reader(paragraph)
        if found and paragraph.strip():
            yield start + len(paragraph) - len(paragraph.lstrip()), start + len(paragraph.rstrip())
        if paragraph.strip():
            announced = found and not announced and paragraph.rstrip().endswith(":")
        start = gap.end() if gap else end


def _addresses_reader(paragraph: str) -> bool:
    """Looked for in folded text, line by line and as a whole: invisible characters and line breaks hide nothing, and
    there are no runs of white space left for a pattern to get lost in."""
    lines = "\n".join(folded(line).strip() for line in paragraph.splitlines()).lower()
    joined = lines.replace("\n", " ")
    return any(
        pattern.search(lines) or (joined != lines and pattern.search(joined))
        for words, pattern in _ADDRESSES_READER
        if any(word in joined for word in words)
    )


def _title(text: str) -> str:
    line = next(line for line in text.splitlines() if any(char.isalnum() for char in line))
    plain = "".join(char for char in line if unicodedata.category(char)[0] != "C").strip().lstrip("#").strip()
    return plain if len(plain) <= 120 else plain[:119].rstrip() + "…"
