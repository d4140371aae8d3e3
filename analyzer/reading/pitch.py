"""One pitch as it is read: cleaned once, so that every offset and fingerprint refers to the same text.

Hidden here: control characters and markup are removed, invisible characters reported. Text that addresses its reader is
found by `planted_text`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from analyzer.errors import PitchError
from analyzer.files import documents
from analyzer.files.document import Document, TextPart
from analyzer.framework.assessment import PitchRef, SourceRef, Warning
from analyzer.patterns import late
from analyzer.reading.clean_text import clean_text, subject_of, without_markup, without_reply
from analyzer.reading.pitch_title import shortened, title_of
from analyzer.reading.planted_text import planted_spans, planted_warning
from analyzer.reading.sources import source_refs, source_warnings
from analyzer.vocabulary.signals import Quote

MAX_CHARACTERS: Final = documents.MAX_CHARACTERS
"""The longest pitch that is read: about 25,000 tokens, 60 printed pages."""

_MOST_CLEANED: Final = 3 * MAX_CHARACTERS
"""Characters of a text that markup is taken from; a longer one is refused as it is."""
_TITLE_WITHIN: Final = 10_000
_CONTROLS = late(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_TAGS = late(r"(\U0001f3f4[\U000e0030-\U000e007a]{2,6}\U000e007f)|[\U000e0000-\U000e007f]+")
"""Characters that only machines read. Flags such as Scotland's (group 1) are spelled with some of them and stay."""
_INVISIBLE = late(
    r"[\u200b-\u200d\u2060-\u2064]{3,}|[\u202d\u202e]|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}"
    r"|[A-Za-z][\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2060-\u2064\u3164\uffa0][A-Za-z]"
    r"|[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u3164\uffa0]{3,}"
)


@dataclass(frozen=True, slots=True)
class Pitch:
    """`text` is what is read and what offsets refer to. `planted`: spans that address the reader, in order."""

    text: str
    ref: PitchRef
    planted: tuple[tuple[int, int], ...]
    warnings: tuple[Warning, ...]
    sources: tuple[SourceRef, ...] = ()
    passages: tuple[TextPart, ...] = ()
    """What each part of the text is: a page, a picture, notes; of a pitch from a document."""

    @classmethod
    def of(cls, pitch: str | Document, id: str | None = None, title: str | None = None) -> Pitch:
        """A pitch from a text or a document, titled as given or by its text. Raises PitchError."""
        if isinstance(pitch, Document):
            return cls.from_document(pitch, id, title)
        return cls.from_text(pitch, id, title)

    @classmethod
    def from_document(cls, document: Document, id: str | None = None, title: str | None = None) -> Pitch:
        """Clean what was read from a file and make it a pitch, titled as given, by an e-mail's subject, or by its text.

        Raises PitchError as `from_text`; where the file holds more than was read, the message says what.
        """
        shown = document.cleaned(_clean_part)
        cleaned = shown.cleaned(_without_tags)
        if not any(map(str.isalnum, cleaned.text)):
            reasons = " ".join(cleaned.sentences())
            why = f". {reasons}" if reasons else "; it needs at least a sentence of text"
            raise PitchError(f"{id or document.title}: the pitch is empty{why}")
        title = title or without_reply(document.subject or "")
        pitch = cls._cleaned(cleaned.text, id, title, hidden=_hides(shown.text))
        warnings = (*source_warnings(document), *pitch.warnings)
        passages = tuple(_from_end(cleaned.passages(), cleaned.text, pitch.text))
        return replace(pitch, warnings=warnings, sources=source_refs(document), passages=passages)

    @classmethod
    def from_text(cls, text: str, id: str | None = None, title: str | None = None) -> Pitch:
        """Clean a text and make it a pitch, titled as given or by its text.

        Raises PitchError if it is empty or longer than MAX_CHARACTERS.
        """
        return cls._cleaned(_without_controls(text), id, title)

    @classmethod
    def _cleaned(cls, text: str, id: str | None, title: str | None, hidden: bool = False) -> Pitch:
        name = f"{id}: " if id else ""
        title = title or subject_of(text[:_TITLE_WITHIN])
        cleaned = _without_controls(clean_text(text)) if len(text) <= _MOST_CLEANED else text
        hidden = hidden or _hides(cleaned)
        cleaned = _without_tags(cleaned)
        if not any(char.isalnum() for char in cleaned):
            what = "has no words" if cleaned.strip() else "is empty"
            raise PitchError(f"{name}the pitch {what}; it needs at least a sentence of text")
        if len(cleaned) > MAX_CHARACTERS:
            raise PitchError(
                f"{name}the pitch has {len(cleaned):,} characters, the limit is {MAX_CHARACTERS:,}; nothing was sent. "
                "Leave out appendices, or use only the part that says what the product does."
            )
        warnings = []
        if hidden:
            message = "The pitch contains characters that nobody can see; they may carry text meant for a machine."
            warnings.append(Warning(kind="hidden_characters", message=message))
        planted = tuple(planted_spans(cleaned))
        warnings.extend(planted_warning(Quote(text=cleaned[start:end], start=start, end=end)) for start, end in planted)
        sha256 = hashlib.sha256(cleaned.encode()).hexdigest()
        ref = PitchRef(id=id or sha256[:12], title=shortened(title) if title else title_of(cleaned), sha256=sha256)
        return cls(cleaned, ref, planted, tuple(warnings))


def _without_controls(text: str) -> str:
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _without_tags(text: str) -> str:
    """The text without the characters that only machines read."""
    return text if text.isascii() else _TAGS.sub(lambda match: match[1] or "", text)


def _clean_part(text: str) -> str:
    """A page without control characters and markup, so that only the beginning of the whole text is left to clean."""
    text = _without_controls(text)
    return _without_controls(without_markup(text)) if len(text) <= _MOST_CLEANED else text


def _hides(text: str) -> bool:
    """Whether there are characters that nobody can see."""
    if text.isascii():
        return False
    plain = _without_tags(text)
    return plain != text or _INVISIBLE.search(plain) is not None


def _from_end(passages: Iterable[TextPart], text: str, cleaned: str) -> Iterator[TextPart]:
    """The passages of a text of which only the beginning was removed; none if it changed elsewhere."""
    lost = len(text) - len(cleaned)
    if text.endswith(cleaned):
        for each in passages:
            if text[max(each.start, lost) : each.end].strip():
                yield replace(each, start=max(0, each.start - lost), end=each.end - lost)


def overlaps(quote: Quote, spans: Iterable[tuple[int, int]]) -> bool:
    """Whether a quote with offsets shares a character with one of the spans."""
    start, end = quote.start or 0, quote.end or 0
    return any(start < stop and begin < end for begin, stop in spans)
