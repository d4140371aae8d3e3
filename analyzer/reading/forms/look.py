"""The form of the second look: numbered values with their quotes are sent, and the model says which are supported.

It never sees the pitch. Instructions and schema are the same for every request; what a value means is next to it,
because most requests need the words of a few values only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, get_args

from analyzer.framework.assessment import PitchRef
from analyzer.reading import prompts
from analyzer.reading.forms.form import Schema, Tool, closed, list_of, text_of_length
from analyzer.reading.pitch import Pitch
from analyzer.vocabulary.records import LIST_RULES, SIGNALS

Support = Literal["supported", "not_supported", "unclear"]

LOOK: Final = "look"
MOST_VALUES: Final = 120
"""More values than a document has, all that several readings found included."""
_LACKS: Final = 120
_WORDS: Final[Mapping[str, Support]] = {
    "supported": "supported",
    "support": "supported",
    "yes": "supported",
    "true": "supported",
    "not_supported": "not_supported",
    "unsupported": "not_supported",
    "no": "not_supported",
    "false": "not_supported",
    "unclear": "unclear",
}
"""How models spell their answers."""


@dataclass(frozen=True, slots=True)
class ClaimedValue:
    """A value and the sentences of the quotes it is said to rest on. `field`: the signal, or `stage`, `focus`, `role`
    or `kind` of an entry of a list; `name`: of a competitor."""

    field: str
    value: str
    quotes: tuple[str, ...]
    name: str = ""

    def lines(self, number: int) -> Iterator[str]:
        """The value as it is sent, a line each. A quote is one line, so that none can pass for another value."""
        spec = SIGNALS.get(self.field)
        if spec is None:
            name = f" {json.dumps(_one_line(self.name), ensure_ascii=False)}" if self.name else ""
            yield f"[{number}] {_TITLES[self.field]}{name}: {self.value}"
        else:
            yield f"[{number}] {spec.title}: {self.value}"
            yield f"Means: {spec.meanings[self.value]}."
            if spec.support.get(self.value) == "whole_text":
                yield "Rests on the whole text."
            yield f"Rule: {spec.rule}"
        yield from (f"> {_one_line(quote)}" for quote in self.quotes)


_TITLES: Final = {
    "stage": "Stage of a problem",
    "focus": "Focus of a problem",
    "role": "User",
    "kind": "Competitor",
}


def material(claims: Sequence[ClaimedValue], title: str | None = None) -> Pitch:
    """Values and quotes as the text of a request. Its fingerprint is that of what is checked, in whatever words the
    values are explained."""
    text = "\n\n".join("\n".join(claim.lines(number)) for number, claim in enumerate(claims, 1))
    checked = [[claim.field, claim.value, claim.name, *claim.quotes] for claim in claims]
    sha256 = hashlib.sha256(json.dumps(checked, ensure_ascii=False).encode()).hexdigest()
    return Pitch(text, PitchRef(id=sha256[:12], title=title, sha256=sha256), planted=(), warnings=())


class Look:
    """Asks which values are supported by their quotes. See `Form`; in place of a pitch it takes `material`."""

    name: Final = LOOK
    purpose: Final = "verify"
    tool: Final = Tool("JudgeSupport", "Say of every numbered value whether its quotes support it.")

    @property
    def version(self) -> int:
        return prompts.VERIFY_VERSION

    @property
    def vocabulary_sha256(self) -> str:
        return _wording_sha256()

    def instructions(self, *, rules: bool) -> str:
        return _instructions()

    def schema(self, pitch: Pitch) -> Schema:
        return _schema()

    def message(self, pitch: Pitch) -> str:
        return prompts.verify_message(pitch.text, pitch.ref.sha256 or "")

    def document(self, text: str, pitch: Pitch) -> str:
        return text

    def is_answer(self, document: object) -> bool:
        return any(True for _ in answers_in(document))

    def again(self, faults: list[str]) -> str:
        return prompts.verify_again(faults)

    def prompt_sha256(self, *, rules: bool) -> str:
        return prompts.verify_sha256()


def answers_in(document: object) -> Iterator[tuple[int, Support, str]]:
    """Number, support and what is lacking, of each usable part of an answer, in whatever shape a model wrote it."""
    if isinstance(document, Mapping) and "answers" in document:
        document = document["answers"]
    if isinstance(document, Mapping):  # {"1": "supported"}, or one answer alone
        document = [document] if "number" in document else [_entry(key, part) for key, part in document.items()]
    for entry in document if isinstance(document, list) else []:
        if not isinstance(entry, Mapping):
            continue
        number, support = _number(entry.get("number")), _support(entry.get("support"))
        if number is not None and support is not None:
            lacks = entry.get("lacks")
            yield number, support, _one_line(lacks)[:_LACKS] if isinstance(lacks, str) else ""


def _entry(key: str, part: object) -> dict[str, Any]:
    return {**part, "number": key} if isinstance(part, Mapping) else {"number": key, "support": part}


def _number(value: object) -> int | None:
    text = str(value).strip(" []")
    return int(text) if not isinstance(value, bool) and text.isascii() and text.isdigit() and len(text) < 5 else None


def _support(value: object) -> Support | None:
    return _WORDS.get("_".join(str(value).strip().lower().replace("-", " ").split()))


def _one_line(text: str) -> str:
    return " ".join(text.split())


@cache
def _schema() -> Schema:
    number: Schema = {"type": "integer", "minimum": 1, "maximum": MOST_VALUES}
    support: Schema = {"type": "string", "enum": list(get_args(Support))}
    entry = closed({"number": number, "lacks": text_of_length(_LACKS), "support": support})
    return closed({"answers": list_of(entry, MOST_VALUES)})


@cache
def _instructions() -> str:
    return prompts.verify_instructions(
        stage=LIST_RULES["stage"],
        focus=LIST_RULES["focus"],
        role=LIST_RULES["personas"],
        competitor=LIST_RULES["competitors"],
        kind=LIST_RULES["kind"],
    )


@cache
def _wording_sha256() -> str:
    """Fingerprint of all that a request may say about any value."""
    claims = [ClaimedValue(name, value, ()) for name, spec in SIGNALS.items() for value in spec.values]
    lines = [line for claim in claims for line in claim.lines(0)]
    return hashlib.sha256("\n".join([*lines, _instructions()]).encode()).hexdigest()
