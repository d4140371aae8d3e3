"""One pitch as it is read: cleaned once, so that every offset and fingerprint speaks of the same text.

Hides what hostile or broken text can do: control characters, characters nobody sees, text that addresses its
reader. Such text stays in the pitch (offsets must hold) but is evidence for nothing.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from analyzer.errors import PitchError
from analyzer.files import documents
from analyzer.framework.assessment import PitchRef, Warning
from analyzer.reading.grounding import folded
from analyzer.vocabulary.records import SIGNALS
from analyzer.vocabulary.signals import Quote

MAX_CHARACTERS: Final = documents.MAX_CHARACTERS
"""The longest pitch that is read: about 25,000 tokens, 60 printed pages."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_TAGS = re.compile(r"(\U0001f3f4[\U000e0030-\U000e007a]{2,6}\U000e007f)|[\U000e0000-\U000e007f]+")
"""Characters that only machines read; a flag such as Scotland's (group 1) is spelled with some, and stays."""
_INVISIBLE = re.compile(
    r"[\u200b-\u200d\u2060-\u2064]{3,}|[\u202d\u202e]|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}"
    r"|[A-Za-z][\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2060-\u2064\u3164\uffa0][A-Za-z]"
    r"|[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u3164\uffa0]{3,}"
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
            ("reviewers", "graders", "evaluators", "models", "assistants", "reviewer", "grader", "evaluator"),
            r"\b(?:ai|llm|automated)\s+(?:reviewers?|graders?|evaluators?|models?|assistants?)\s*[:,]\s*(?:please\s+)?"
            r"(?:treat|rate|score|accept|consider|assume|give|mark|count|read|ignore|do\s+not)\b",
        ),
        (  # German
            ("ignorier", "vergiss", "vergessen", "missachte"),
            rf"{_START}(?:ignorier\w*|vergiss|vergessen|missachte\w*)\s+(?:sie\s+)?(?:bitte\s+)?(?:alle\s+|die\s+|deine\s+|ihre\s+)*"
            r"(?:vorherigen|bisherigen|obigen|früheren|vorigen|vorangegangenen|vorangehenden)?\s*"
            r"(?:anweisungen|instruktionen|vorgaben|regeln|richtlinien|prompts?)\b",
        ),
        (
            ("ki", "sprachmodell"),
            r"\b(?:hinweis|nachricht|anweisung|anmerkung|achtung)\s*,?\s+(?:an|für)\s+(?:die\s+|den\s+|das\s+|alle\s+)?"
            r"(?:ki|sprachmodell\w*|ki-\w+|bewertende\w*)\b",
        ),
        (
            ("bewerte", "punkte"),
            r"\b(?:bewerte\w*|benote\w*)\s+(?:sie\s+)?(?:diesen|dieses|diese|unseren|unser)\s+"
            r"(?:pitch|produkt|firma|einreichung)\b",
        ),
        (  # French
            ("ignore", "oublie"),
            rf"{_START}(?:ignore[zr]?|oublie[zr]?)\s+(?:toutes\s+|tous\s+)?(?:les\s+|vos\s+|tes\s+)?"
            r"(?:instructions|consignes|directives|règles)\b",
        ),
        (
            ("ia", "modèle de langage"),
            r"\b(?:note|message|consigne|instructions?|remarque)\s+(?:à|pour|destinée?\s+à)\s+(?:l'|la\s+|les\s+|toute\s+)?"
            r"(?:ia|modèle\s+de\s+langage|évaluateurs?\s+ia)\b",
        ),
        (
            ("notez", "attribue"),
            r"\b(?:notez|attribue[zr]?)\s+(?:à\s+)?(?:ce\s+|cette\s+|notre\s+)(?:pitch|produit|entreprise|projet)\b",
        ),
        (  # Spanish
            ("ignor", "olvid"),
            rf"{_START}(?:ignor[ae]n?|ignorad|olvid[ae]n?)\s+(?:todas\s+|todos\s+)?(?:las\s+|los\s+|tus\s+|sus\s+)?"
            r"(?:instrucciones|indicaciones|reglas|directrices)\b",
        ),
        (
            ("ia", "modelo de lenguaje"),
            r"\b(?:nota|mensaje|instrucci[oó]n(?:es)?|aviso)\s+(?:a|para)\s+(?:la\s+|el\s+|los\s+|toda\s+)?"
            r"(?:ia|modelo\s+de\s+lenguaje|evaluador(?:es)?\s+de\s+ia)\b",
        ),
        (  # Chinese
            ("忽略", "无视", "忘记", "忘掉"),
            r"(?:忽略|无视|忘记|忘掉)[^。!?\n]{0,12}(?:指令|指示|提示|说明|规则)",
        ),
        (
            ("ai", "模型", "人工智能"),
            r"(?:致|给|请)\s*(?:所有|各位)?\s*(?:ai|人工智能|语言模型|大模型)\s*(?:评审|评估|评分|审阅|模型)",
        ),
        (("评分", "打"), r"(?:给|请给|将)[^。!?\n]{0,10}(?:评分|打分|打)[^。!?\n]{0,6}?(?:满分|最高|10|100)"),
        (
            ('"',),
            rf"\"(?:in_scope|basis|verdict|differentiation|{'|'.join(n for n in SIGNALS if '_' in n)})\"\s*:",
        ),
    )
)
"""What addresses the reader, in small letters, each with words of which it holds one: most text has none of them."""
_MARKUP = re.compile(r"<[!/a-zA-Z][^<>\n]{0,200}>|[*_~\\#|]+|&(?:#\w{1,8}|[a-zA-Z]{2,10});")
"""What Markdown or HTML can put within and between words, and a page that is shown does not show."""
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}
"""Characters that nobody sees, beside those of Unicode's category of format characters."""
_LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u051d\u04bb\u0442\u043c\u043d\u043a\u0432\u0433"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u03b1\u03b5\u03bf\u03c1\u03b9\u03bd\u03c5\u03ba\u03c4\u03c7\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
    "aeopcyxijsdqwhtmhkbrABEKMHOPCTYXIJSaeopivuktxABEZHIKMNOPTYX",
)
"""Cyrillic and Greek letters that look like Latin ones."""
_FEW_WORDS: Final = 3
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
    paragraph that such a one announces with a colon. Short paragraphs in a row are read as one text, too: an order may
    have one word a paragraph."""
    paragraphs = list(_paragraphs(text))
    marked = {at for at, (start, end) in enumerate(paragraphs) if _addresses_reader(text[start:end])}
    for run in _short_runs(text, paragraphs):
        if marked.isdisjoint(run) and _addresses_reader("\n".join(text[slice(*paragraphs[at])] for at in run)):
            marked.update(run)
    announced = {at + 1 for at in marked if at - 1 not in marked and text[slice(*paragraphs[at])].endswith(":")}
    for at, (start, end) in enumerate(paragraphs):
        if at in marked or at in announced:
            yield start, end


def _paragraphs(text: str) -> Iterable[tuple[int, int]]:
    """Where each paragraph begins and ends, white space around it left out."""
    start = 0
    for gap in [*_PARAGRAPH_BREAK.finditer(text), None]:
        end = gap.start() if gap else len(text)
        paragraph = text[start:end]
        if paragraph.strip():
            yield start + len(paragraph) - len(paragraph.lstrip()), start + len(paragraph.rstrip())
        start = gap.end() if gap else end


def _short_runs(text: str, paragraphs: Sequence[tuple[int, int]]) -> Iterable[range]:
    """Paragraphs of few words in a row, by number."""
    first = 0
    for at in range(len(paragraphs) + 1):
        if at < len(paragraphs) and len(text[slice(*paragraphs[at])].split(None, _FEW_WORDS)) <= _FEW_WORDS:
            continue
        if at - first > 1:
            yield range(first, at)
        first = at + 1


def _addresses_reader(paragraph: str) -> bool:
    """Looked for in folded text, line by line and as a whole, and again with what can hide words taken out: invisible
    characters, line breaks, tags, marks of Markdown and letters that only look like others hide nothing. White space
    is folded, so that there are no runs of it for a pattern to get lost in."""
    forms = [paragraph]
    if not paragraph.isascii() or _MARKUP.search(paragraph):
        forms += [_unmasked(paragraph, " "), _unmasked(paragraph, "")]
    return any(_is_address(form) for form in dict.fromkeys(forms))


def _is_address(paragraph: str) -> bool:
    lines = "\n".join(folded(line).strip() for line in paragraph.splitlines()).lower()
    joined = lines.replace("\n", " ")
    return any(
        pattern.search(lines) or (joined != lines and pattern.search(joined))
        for words, pattern in _ADDRESSES_READER
        if any(word in joined for word in words)
    )


def _unmasked(text: str, tag: str) -> str:
    """The text as a reader sees it: each tag replaced, Markdown's marks and what nobody sees taken out, letters of
    other alphabets that look like Latin ones replaced."""
    text = _MARKUP.sub(lambda found: tag if found[0].startswith("<") else "", html.unescape(text))
    text = "".join(char for char in text if char not in _UNSEEN and unicodedata.category(char) != "Cf")
    return text.translate(_LOOK_ALIKES)


def _title(text: str) -> str:
    line = next(line for line in text.splitlines() if any(char.isalnum() for char in line))
    plain = "".join(char for char in line if unicodedata.category(char)[0] != "C").strip().lstrip("#").strip()
    return plain if len(plain) <= 120 else plain[:119].rstrip() + "…"
