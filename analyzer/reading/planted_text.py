"""Finds text in a pitch that addresses whoever reads it: orders to a grader, fake system messages, pasted answers.

Hidden here: how such text is phrased in several languages, and how it hides in markup, invisible characters and letters
that look alike. Such text stays in the pitch, because offsets must hold, but it is not evidence for anything.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from analyzer.framework.assessment import Warning
from analyzer.patterns import late
from analyzer.reading.grounding import folded
from analyzer.vocabulary.records import SIGNALS
from analyzer.vocabulary.signals import Quote

_GRADER = r"(?:ai|llm|language[- ]model|automated|evaluators?|graders?|reviewers?|assistants?|chatgpt|gpt|claude)"
_START = r"""(?<!["'“‘«])(?<!["'“‘«]\s)\b"""
_ADDRESSES_READER: Final[tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]] = tuple(
    (words, late(pattern, re.VERBOSE | re.MULTILINE))
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
"""Patterns of text that addresses the reader, in lower case. A pattern is only tried on text with one of its words, which
most text has not."""
_MARKUP = late(r"<[!/a-zA-Z][^<>\n]{0,200}>|[*_~\\#|]+|&(?:#\w{1,8}|[a-zA-Z]{2,10});")
"""Marks of Markdown or HTML, within and between words, that a rendered page does not show."""
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}
"""Invisible characters that are not in Unicode's category of format characters."""
_LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u051d\u04bb\u0442\u043c\u043d\u043a\u0432\u0433"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u03b1\u03b5\u03bf\u03c1\u03b9\u03bd\u03c5\u03ba\u03c4\u03c7\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
    "aeopcyxijsdqwhtmhkbrABEKMHOPCTYXIJSaeopivuktxABEZHIKMNOPTYX",
)
"""Cyrillic and Greek letters that look like Latin ones."""
_WORDS: Final = tuple(dict.fromkeys(word for words, _ in _ADDRESSES_READER for word in words))
"""A text that holds none of these addresses nobody."""
_FEW_WORDS: Final = 3
_UNFOLDED = late(r"[^\S \n]|  | \n|\n |\A\s|\s\Z")
"""White space that is folded in ASCII text; all else in it is compared as it is, but for backticks."""
_PARAGRAPH_BREAK = late(r"\n[ \t]*\n")


def planted_spans(text: str) -> Iterable[tuple[int, int]]:
    """Find the paragraphs that address the reader, as (start, end).

    The whole paragraph counts, because a claim next to an order is planted too. If it ends with a colon, so does the
    next paragraph. Short paragraphs in a row are also read as one text, because an order may be spread over them, one
    word in each."""
    paragraphs = list(_paragraphs(text))
    words = _possible_words(text)
    marked = {at for at, (start, end) in enumerate(paragraphs) if _addresses_reader(text[start:end], words)}
    for run in _short_runs(text, paragraphs):
        if marked.isdisjoint(run) and _addresses_reader("\n".join(text[slice(*paragraphs[at])] for at in run), words):
            marked.update(run)
    announced = {at + 1 for at in marked if at - 1 not in marked and text[slice(*paragraphs[at])].endswith(":")}
    for at, (start, end) in enumerate(paragraphs):
        if at in marked or at in announced:
            yield start, end


def planted_warning(quote: Quote) -> Warning:
    """Make the warning for a passage of the pitch that addresses whoever reads it."""
    message = "The pitch addresses its reader or grader here; the passage counts as evidence for nothing."
    return Warning(kind="instructions", message=message, quote=quote)


def _paragraphs(text: str) -> Iterable[tuple[int, int]]:
    """Start and end of each paragraph, without the white space around it."""
    start = 0
    for gap in [*_PARAGRAPH_BREAK.finditer(text), None]:
        end = gap.start() if gap else len(text)
        paragraph = text[start:end]
        if paragraph.strip():
            yield start + len(paragraph) - len(paragraph.lstrip()), start + len(paragraph.rstrip())
        start = gap.end() if gap else end


def _short_runs(text: str, paragraphs: Sequence[tuple[int, int]]) -> Iterable[range]:
    """Runs of short paragraphs, by their numbers."""
    first = 0
    for at in range(len(paragraphs) + 1):
        if at < len(paragraphs) and len(text[slice(*paragraphs[at])].split(None, _FEW_WORDS)) <= _FEW_WORDS:
            continue
        if at - first > 1:
            yield range(first, at)
        first = at + 1


def _possible_words(text: str) -> Sequence[str]:
    """Those of _WORDS that a paragraph of the text may hold as it is written: few, so that little is searched for."""
    lower = text.lower()
    return [word for word in _WORDS if word.split()[0] in lower]


def _addresses_reader(paragraph: str, words: Sequence[str]) -> bool:
    """Whether a paragraph addresses the reader. `words`: those that it may hold if nothing hides them.

    It is searched line by line and as a whole, and then again without what can hide words: invisible characters, tags,
    Markdown marks, letters that look like others. White space is folded first, because long runs of it would make the
    patterns slow."""
    if paragraph.isascii() and _MARKUP.search(paragraph) is None:
        return _is_address(paragraph, words)
    forms = [paragraph, _unmasked(paragraph, " "), _unmasked(paragraph, "")]
    return any(_is_address(form, _WORDS) for form in dict.fromkeys(forms))


def _is_address(paragraph: str, words: Sequence[str]) -> bool:
    lines = paragraph.replace("`", "'")
    if not paragraph.isascii() or _UNFOLDED.search(paragraph):
        lines = "\n".join(folded(line).strip() for line in paragraph.splitlines())
    lines = lines.lower()
    joined = lines.replace("\n", " ")
    present = {word for word in words if word in joined}
    return bool(present) and any(
        pattern.search(lines) or (joined != lines and pattern.search(joined))
        for words, pattern in _ADDRESSES_READER
        if not present.isdisjoint(words)
    )


def _unmasked(text: str, tag: str) -> str:
    """The text as a reader sees it: tags replaced by `tag`, Markdown marks and invisible characters removed, letters of
    other alphabets that look Latin replaced by Latin ones."""
    text = _MARKUP.sub(lambda match: tag if match[0].startswith("<") else "", html.unescape(text))
    text = "".join(char for char in text if char not in _UNSEEN and unicodedata.category(char) != "Cf")
    return text.translate(_LOOK_ALIKES)
