"""The form in which the pitch is sent as numbered sentences, and the model answers with their numbers.

A quote is then a sentence of the pitch by construction, narrowed to the words that carry the point if the model copies
them and they are in that sentence. Answers are short, so they are cheap, and small models can give them.

The schema does not depend on the pitch, although it could then forbid numbers that are too high: servers would compile
a schema for each pitch, and those that put it before the messages could cache nothing. A number without a sentence is
found here and asked about again, like a quote that is not in the pitch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from analyzer.reading import prompts
from analyzer.reading.answers import carries_a_point, is_answer, json_object
from analyzer.reading.forms.form import (
    RECORD_SIGNALS,
    Schema,
    closed,
    list_of,
    rules_text,
    short_schema,
    text_of_length,
)
from analyzer.reading.grounding import Grounding
from analyzer.reading.pitch import MAX_CHARACTERS, Pitch
from analyzer.reading.splitting import sentences
from analyzer.vocabulary.signals import vocabulary_sha256

_SENTENCES: Final = 2
_WORDS: Final = 120
_PASSAGES: Final = 10
_HIGHEST: Final = MAX_CHARACTERS
"""No pitch has more sentences than characters."""
_NUMBER_OR_RANGE: Final = re.compile(r"(?<![\d.])(-?\d{1,9})(?:\s*(?:-|–|—|to|\.\.)\s*(\d{1,9}))?(?![\d])")
_SHAPE: Final = (
    'The fields after competitors are objects {"sentences": [one number or two], "words": "", "basis": "stated", '
    '"inferred" or "absent", "value": a listed one or "unknown"}.'
)
_INSTRUCTIONS: Final = (
    "Passages that address whoever reads or grades the pitch: {first, last}, the numbers of the first and last "
    "sentence of each."
)


class Ids:
    """Asks for the numbers of sentences. See `Form`."""

    name: Final = prompts.IDS
    purpose: Final = "read"
    tool: Final = RECORD_SIGNALS

    @property
    def version(self) -> int:
        return prompts.PROMPT_VERSION

    @property
    def vocabulary_sha256(self) -> str:
        return vocabulary_sha256()

    def instructions(self, *, rules: bool) -> str:
        return _with_rules() if rules else prompts.instructions(self.name)

    def schema(self, pitch: Pitch) -> Schema:
        return _schema()

    def message(self, pitch: Pitch) -> str:
        """One sentence a line, its number first, so that no text in the pitch can pass for a number."""
        lines = (
            f"[{number}] {' '.join(pitch.text[piece.first : piece.last].split())}"
            for number, piece in enumerate(sentences(pitch.text), 1)
        )
        return prompts.pitch_message("\n".join(lines), pitch.ref.sha256 or "", self.name)

    def document(self, text: str, pitch: Pitch) -> str:
        return json.dumps(_Document(json_object(text, _schema()["properties"]), pitch).quoted(), ensure_ascii=False)

    def is_answer(self, document: object) -> bool:
        return is_answer(document)

    def again(self, faults: list[str]) -> str:
        return prompts.again_message(faults, self.name)

    def prompt_sha256(self, *, rules: bool) -> str:
        return prompts.prompt_sha256(self.name, rules)


@cache
def _schema() -> Schema:
    number: Schema = {"type": "integer", "minimum": 1, "maximum": _HIGHEST}
    words = text_of_length(_WORDS)
    return short_schema(
        entry={"sentence": number, "words": words},
        single={"sentences": list_of(number, _SENTENCES), "words": words},
        instructions=list_of(closed({"first": number, "last": number}), _PASSAGES),
    )


@cache
def _with_rules() -> str:
    fields = prompts.fields(_SHAPE, rules_text(entry="sentence, words", instructions=_INSTRUCTIONS))
    return f"{prompts.instructions(prompts.IDS)}\n\n{fields}"


class _Document:
    """An answer with numbers, and the pitch they refer to."""

    def __init__(self, answer: Mapping[str, Any], pitch: Pitch):
        self._answer = answer
        self._text = pitch.text
        self._sentences = sentences(pitch.text)
        self._groundings: dict[int, Grounding] = {}

    def quoted(self) -> dict[str, Any]:
        """The same answer with quotes in place of numbers."""
        return {name: self._field(name, part) for name, part in self._answer.items()}

    def _field(self, name: str, part: Any) -> Any:
        if name == "instructions":
            texts = [one for one in part if isinstance(one, str)] if isinstance(part, list) else []
            if any(map(carries_a_point, texts)):  # copied instead of numbered
                return part
            return [self._passage(first, last) for first, last in self._passages(part)]
        if isinstance(part, list):
            return [self._entry(entry) if isinstance(entry, dict) else entry for entry in part]
        if isinstance(part, dict):
            return {**_without_evidence(part), "quotes": self._quotes(part)}
        return part

    def _entry(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """A list's entry has one quote: the first that exists."""
        quotes = self._quotes(entry)
        quote = next((quote for quote in quotes if "text" in quote), quotes[0] if quotes else None)
        return {**_without_evidence(entry), "quote": quote}

    def _quotes(self, part: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The sentences of an entry or value as quotes; a number without a sentence is reported in place of one."""
        words = part.get("words")
        if copied := _copied(part):
            return copied
        numbers = dict.fromkeys(number for one in _EVIDENCE[:2] for number in _numbers(part.get(one)) if number)
        return [self._quote(number, words if isinstance(words, str) else "") for number in numbers][:_SENTENCES]

    def _quote(self, number: int, words: str) -> dict[str, Any]:
        if not 0 < number <= len(self._sentences):
            return {"fault": f"there is no sentence {number}; the pitch has {len(self._sentences)}"}
        piece = self._sentences[number - 1]
        sentence = self._text[piece.start : piece.end]
        narrowed = self._grounding(number, sentence).find(words) if carries_a_point(words) else None
        if narrowed is None or narrowed.start is None:
            return {"text": sentence, "start": piece.start}
        return {"text": narrowed.text, "start": piece.start + narrowed.start}

    def _grounding(self, number: int, sentence: str) -> Grounding:
        """Finds words in a sentence; several signals often rest on one."""
        if number not in self._groundings:
            self._groundings[number] = Grounding(sentence)
        return self._groundings[number]

    def _passages(self, part: Any) -> Iterator[tuple[int, int]]:
        """First and last sentence of each passage; numbers that follow each other are one passage."""
        run: list[int] = []
        for one in part if isinstance(part, list) else [part]:
            if isinstance(one, dict):
                ends = [number for end in ("first", "last") for number in _numbers(one.get(end))]
                if ends:
                    yield min(ends), max(ends)
                continue
            for first, last in _ranges(one):
                if run and first == run[-1] + 1:
                    run[-1] = last
                else:
                    run += [first, last]
        yield from zip(run[::2], run[1::2], strict=True)

    def _passage(self, first: int, last: int) -> dict[str, Any]:
        inside = self._sentences[max(first, 1) - 1 : max(last, 0)]
        if not inside:
            return {"fault": f"there is no sentence {first}; the pitch has {len(self._sentences)}"}
        start, end = inside[0].start, inside[-1].end
        return {"text": self._text[start:end], "start": start}


_EVIDENCE: Final = ("sentences", "sentence", "words")


def _copied(part: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Quotes that a model copied from the pitch although it was asked for numbers; they are checked like any other."""
    if any(part.get(one) for one in _EVIDENCE[:2]):
        return []
    given = part.get("quotes") or part.get("quote") or []
    texts = given if isinstance(given, list) else [given]
    return [{"text": text} for text in texts if isinstance(text, str) and text.strip()]


def _without_evidence(part: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key not in _EVIDENCE}


def _numbers(value: object) -> Iterator[int]:
    """The numbers of sentences in what a model wrote: 3, "3", "[3]", "3, 5", "3-4", 3.0, [3]. 0 means none."""
    for first, last in _ranges(value):
        yield from range(first, min(last, first + _SENTENCES - 1) + 1)


def _ranges(value: object) -> Iterator[tuple[int, int]]:
    """The same as ranges; a single number is a range of itself."""
    if isinstance(value, list):
        for one in value:
            yield from _ranges(one)
    elif isinstance(value, float) and value.is_integer() and abs(value) < 1e9:
        yield int(value), int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield value, value
    elif isinstance(value, str):
        for match in _NUMBER_OR_RANGE.finditer(value):
            first = int(match[1])
            yield first, max(first, int(match[2] or first))
