"""The form in which the model copies its quotes from the pitch, letter for letter."""

from __future__ import annotations

from functools import cache
from typing import Final

from analyzer.reading import prompts
from analyzer.reading.answers import is_answer
from analyzer.reading.forms.form import RECORD_SIGNALS, Schema, list_of, rules_text, short_schema, text_of_length
from analyzer.reading.pitch import Pitch
from analyzer.vocabulary.signals import LIST_RULES, answer_schema, vocabulary_sha256

_QUOTE: Final = 400
_QUOTES: Final = 2
_PASSAGE: Final = 1000
_PASSAGES: Final = 10
_SHAPE: Final = (
    'A quote is: {quote} The fields after competitors are objects {{"quotes": [...], "basis": "stated", "inferred" or '
    '"absent", "value": ...}}; the value may also be "unknown".'
)


class Quotes:
    """Asks for verbatim quotes. See `Form`."""

    name: Final = prompts.QUOTES
    purpose: Final = "read"
    tool: Final = RECORD_SIGNALS

    @property
    def version(self) -> int:
        return prompts.PROMPT_VERSION

    @property
    def vocabulary_sha256(self) -> str:
        return vocabulary_sha256()

    def instructions(self, *, rules: bool) -> str:
        return _with_rules() if rules else prompts.instructions()

    def schema(self, pitch: Pitch) -> Schema:
        return _schema()

    def message(self, pitch: Pitch) -> str:
        return prompts.pitch_message(pitch.text, pitch.ref.sha256 or "")

    def document(self, text: str, pitch: Pitch) -> str:
        return text

    def is_answer(self, document: object) -> bool:
        return is_answer(document)

    def again(self, faults: list[str]) -> str:
        return prompts.again_message(faults)

    def prompt_sha256(self, *, rules: bool) -> str:
        return prompts.prompt_sha256(self.name, True) if rules else prompts.prompt_sha256()


@cache
def _schema() -> Schema:
    quote = text_of_length(_QUOTE)
    instructions = list_of(text_of_length(_PASSAGE), _PASSAGES)
    return short_schema(entry={"quote": quote}, single={"quotes": list_of(quote, _QUOTES)}, instructions=instructions)


@cache
def _with_rules() -> str:
    instructions = answer_schema()["properties"]["instructions"]["description"]
    fields = prompts.fields(
        _SHAPE.format(quote=LIST_RULES["quote"]), rules_text(entry="quote", instructions=instructions)
    )
    return f"{prompts.instructions()}\n\n{fields}"
