"""Turns a model's answer into signals: sound parts are used, faults are named, and no value counts without a quote.

A fault is a part that cannot be used: a value outside the vocabulary, a missing quote, a quote that is not in the pitch
or that addresses its reader. What happens then (asking again, or unknown with a warning) is up to the caller.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from typing import Any, Final, Literal, get_args

from pydantic import ValidationError

from analyzer.framework.assessment import Warning
from analyzer.patterns import late
from analyzer.reading.grounding import Grounding, folded
from analyzer.reading.pitch import Pitch, overlaps
from analyzer.reading.support import missing_support, names_competitor
from analyzer.reading.unwrapping import unwrapped
from analyzer.vocabulary.signals import (
    MAX_COMPETITORS,
    MAX_PERSONAS,
    MAX_PROBLEMS,
    MAX_QUOTES,
    SIGNALS,
    UNKNOWN,
    Competitor,
    Persona,
    Problem,
    Quote,
    RivalKind,
    Role,
    Signals,
    answer_schema,
)

_LISTS: Final[Mapping[str, tuple[type[Problem] | type[Persona] | type[Competitor], int]]] = {
    "problems": (Problem, MAX_PROBLEMS),
    "personas": (Persona, MAX_PERSONAS),
    "competitors": (Competitor, MAX_COMPETITORS),
}
_UNNAMED_KINDS = ("in_house", "manual_process")
_SHOWN_QUOTE = 90
_MOST_PASSAGES = 50
_WORD = late(r"\w+")
_SMALL_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be but by for from has have he her his i if in is it its my no not of on or our she so "
        "that the their them there they this to us was we were what when which who will with you your",
    )
)

FEWEST_FIELDS: Final = 3
"""How many lists and single values an answer has at least. Small models leave out what they do not know; an answer with
fewer is one to another question."""
MOST_DISQUALIFIED: Final = 0.4
"""The largest share of a pitch's letters and digits that a model may call addressed to the reader. The longest planted
text of the hostile samples takes 32%, and without such a limit one mistaken answer would leave nothing to score."""
LIST_PARTS: Final = frozenset(_LISTS)
"""The fields that are lists, where a fault costs an entry; elsewhere it costs the value."""


class NotAnAnswer(ValueError):
    """The text is not JSON, or not JSON of the requested shape. The message says which, without the text."""


FaultKind = Literal["dropped", "ungrounded", "unsupported", "disqualified"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a signal cannot be used as answered. `kind`: the warning's, if asking again does not help."""

    signal: str
    message: str
    kind: FaultKind = "dropped"


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """An answer after checking.

    `parts`: the usable part of each signal, by name, as `Signals` takes it. A faulty single value is left out; a faulty
    list has its sound entries. `left_out`: lists and signals that the answer does not have, or has as null; they
    count as empty or unknown. `planted`: all spans that address the reader, by the program's rules or by the model.
    """

    in_scope: bool
    product: str
    summary: str
    parts: Mapping[str, Any]
    left_out: frozenset[str]
    faults: tuple[Fault, ...]
    warnings: tuple[Warning, ...]
    planted: tuple[tuple[int, int], ...]

    def signals(self) -> Signals:
        return Signals.model_validate(
            {"in_scope": self.in_scope, "product": self.product, "summary": self.summary, **self.parts}
        )

    def faulty(self) -> set[str]:
        return {fault.signal for fault in self.faults}

    def fixed_by(self, other: CheckedAnswer) -> CheckedAnswer:
        """This answer with its faulty signals taken from another. Sound signals, and sound entries of lists, stay. A
        fault also stays if the other answer leaves out its signal."""
        unanswered = self.faulty() & other.left_out
        faulty = self.faulty() - unanswered
        fixed = {name: part for name, part in other.parts.items() if name in faulty}
        for name in set(fixed) & set(_LISTS):
            fixed[name] = tuple(dict.fromkeys((*self.parts[name], *fixed[name])))[: _LISTS[name][1]]
        warnings = {**dict.fromkeys(self.warnings), **dict.fromkeys(w for w in other.warnings if w.signal in faulty)}
        still = (
            *(fault for fault in self.faults if fault.signal in unanswered),
            *(fault for fault in other.faults if fault.signal in faulty),
        )
        planted = tuple(dict.fromkeys((*self.planted, *other.planted)))
        return replace(self, parts={**self.parts, **fixed}, faults=still, warnings=tuple(warnings), planted=planted)


def check_answer(
    text: str, pitch: Pitch, grounding: Grounding, planted: Sequence[tuple[int, int]] = ()
) -> CheckedAnswer:
    """Check a quotes document, the JSON text that `reading.forms` makes of an answer. Returns what can be used of it.

    A quote is a text; or an object with `text` and the offset `start`, at or after which the text is looked for first;
    or an object with a `fault`, which says why there is no quote. `planted`: spans that another answer said address the
    reader. Raises NotAnAnswer if the text is not JSON of the requested shape."""
    return _Check(_document(text), pitch, grounding, planted=list(dict.fromkeys((*pitch.planted, *planted)))).answer()


def is_answer(document: object) -> bool:
    """Whether a document is an answer, in any form, though fields may be left out."""
    if not isinstance(document, Mapping) or "in_scope" not in document:
        return False
    return sum(name in document for name in (*_LISTS, *SIGNALS)) >= FEWEST_FIELDS


def json_object(text: str, expected: Collection[str]) -> dict[str, Any]:
    """The JSON object in an answer with the most of these fields, whatever it is wrapped in. Raises NotAnAnswer."""
    if not text.strip():
        raise NotAnAnswer("the answer is empty")
    try:
        document = unwrapped(text, expected)
        if "\\ud" in text.lower():  # an escape of half a character, which cannot be written to a file
            document = json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise NotAnAnswer("the answer is not JSON") from None
    if not isinstance(document, dict):
        raise NotAnAnswer("the answer is not a JSON object")
    return document


def _document(text: str) -> dict[str, Any]:
    """The quotes document in a text, with what makes it one."""
    expected = answer_schema()["properties"]
    document = json_object(text, expected)
    if not is_answer(document):
        missing = sum(name not in document for name in expected)
        raise NotAnAnswer(f"the answer has another shape: {missing} of {len(expected)} fields are missing")
    return document


@dataclass(frozen=True, slots=True)
class _Cited:
    """A quote as an answer gives it. `start`: the offset at or after which it is looked for first. `fault`: why there
    is no text."""

    text: str
    start: int | None = None
    fault: str = ""


@dataclass(slots=True)
class _Check:
    document: dict[str, Any]
    pitch: Pitch
    grounding: Grounding
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Warning] = field(default_factory=list)
    planted: list[tuple[int, int]] = field(default_factory=list)

    def answer(self) -> CheckedAnswer:
        self._find_instructions()
        parts: dict[str, Any] = {name: self._list(name) for name in _LISTS}
        for name in SIGNALS:
            single = self._single(name)
            if single is not None:
                parts[name] = single
        return CheckedAnswer(
            in_scope=self._in_scope(),
            product=_short(self.document.get("product"), 120),
            summary=_short(self.document.get("summary"), 400),
            parts=parts,
            left_out=frozenset(name for name in (*_LISTS, *SIGNALS) if self.document.get(name) is None),
            faults=tuple(self.faults),
            warnings=tuple(self.warnings),
            planted=tuple(self.planted),
        )

    def _in_scope(self) -> bool:
        value = self.document.get("in_scope")
        if isinstance(value, bool):
            return value
        if str(value).lower() in ("true", "false"):
            return str(value).lower() == "true"
        raise NotAnAnswer("the answer has another shape: in_scope is neither true nor false")

    def _find_instructions(self) -> None:
        """Add the spans that the model says address the reader: every match of a text, or the one at its offset. If
        they are too much of the pitch, the list is a fault and none of it counts."""
        passages = {(folded(one.text).strip(), one.start): one for one in _cited(self.document.get("instructions"))}
        own = len(self.pitch.planted)
        listed = self.planted[own:]
        for one in islice(passages.values(), _MOST_PASSAGES):
            matches = self.grounding.find_all(one.text, outside=listed, first=one.start or 0)
            for quote in islice(matches, _MOST_PASSAGES if one.start is None else 1):
                listed += self._not_planted_yet(quote)
        if own + len(listed) == len(self.planted):
            return
        share = self._letters(listed) / self._letters([(0, len(self.pitch.text))])
        if share > MOST_DISQUALIFIED:
            message = (
                f"{share:.0%} of the pitch is listed as addressed to its reader, more than the {MOST_DISQUALIFIED:.0%} "
                "that can be set aside"
            )
            self._fault("instructions", f"{message}; list only the passages that are", "disqualified")
        else:
            self.planted[own:] = listed

    def _not_planted_yet(self, quote: Quote) -> Iterator[tuple[int, int]]:
        """The parts of a passage that the program's rules did not find."""
        start, end = quote.start or 0, quote.end or 0
        for first, last in (*self.pitch.planted, (end, end)):
            if start < last and first <= end:
                if self._letters([(start, first)]):
                    yield start, first
                start = last

    def _letters(self, spans: Sequence[tuple[int, int]]) -> int:
        return sum(char.isalnum() for start, end in spans for char in self.pitch.text[start:end])

    def _single(self, name: str) -> dict[str, Any] | None:
        part = self.document.get(name)
        if part is None:
            return {"value": UNKNOWN}
        if not isinstance(part, dict):
            self._fault(name, "is not an object")
            return None
        value, basis = _code(part.get("value")), _code(part.get("basis"))
        if value in (None, "", UNKNOWN) or (value == "none" and basis == "absent"):
            return {"value": UNKNOWN}
        if value not in SIGNALS[name].values:
            said, values = _short(part.get("value"), 60), ", ".join(SIGNALS[name].values)
            self._fault(name, f"{said!r} is not one of its values ({values}, {UNKNOWN})")
            return None
        if basis not in ("stated", "inferred"):
            self._fault(name, f"the value is {value!r} but the basis is {_short(basis, 20)!r}")
            return None
        quotes = self._quotes(name, _cited(part.get("quotes") or part.get("quote")))
        lacks = missing_support(name, value, quotes, _short(self.document.get("product"), 120)) if quotes else ""
        if lacks:
            self._fault(name, lacks, "unsupported")
        return {"value": value, "basis": basis, "quotes": quotes} if quotes and not lacks else None

    def _quotes(self, name: str, cited: Sequence[_Cited]) -> tuple[Quote, ...]:
        """The quotes that hold. If one holds, another that does not is dropped; if none does, the signal is faulty."""
        checked = [(one, self._grounded(one)) for one in cited[:MAX_QUOTES]]
        held = dict.fromkeys(quote for _, quote in checked if quote is not None)
        lost = [one for one, quote in checked if quote is None]
        if not held and not lost:
            self._fault(name, "its value has no quote")
        elif not held:
            self._fault(name, self._why_not(lost[0]), kind="ungrounded")
        elif lost:
            message = f"A second quote for {name} does not hold and was left out; the value rests on the other."
            self.warnings.append(Warning(kind="dropped", message=message, signal=name))
        return tuple(held)

    def _grounded(self, cited: _Cited) -> Quote | None:
        """The quote at or after its offset, else its first match in the pitch; None if it is not evidence."""
        if cited.fault or not carries_a_point(cited.text):
            return None
        quote = self.grounding.find(cited.text, outside=self.planted, first=cited.start or 0)
        if quote is None and cited.start:  # its own place is addressed to the reader, or is cut within a word
            quote = self.grounding.find(cited.text, outside=self.planted)
        return quote

    def _why_not(self, cited: _Cited) -> str:
        if cited.fault:
            return _short(cited.fault, _SHOWN_QUOTE)
        anywhere = self.grounding.find(cited.text)
        shown = _short(cited.text, _SHOWN_QUOTE)
        if anywhere is not None and overlaps(anywhere, self.planted):
            return "the quote is addressed to the reader of the pitch, so it is not evidence"
        if anywhere is not None:
            return f'"{shown}" says nothing by itself; quote the words that carry the point'
        return f'"{shown}" is not in the pitch in these words'

    def _list(self, name: str) -> tuple[Problem | Persona | Competitor, ...]:
        record, limit = _LISTS[name]
        part = self.document.get(name)
        if part is None:
            return ()
        if not isinstance(part, list):
            self._fault(name, "is not a list")
            return ()
        entries = []
        for number, entry in enumerate(part, 1):
            kept = self._entry(record, entry, name, number)
            if kept is not None and kept not in entries:
                entries.append(kept)
        if len(entries) > limit:
            if name == "problems":
                entries.sort(key=lambda problem: not problem.primary)
            message = f"The answer lists {len(entries)} {name}; the first {limit} were kept."
            self.warnings.append(Warning(kind="dropped", message=message, signal=name))
        return tuple(entries[:limit])

    def _entry(
        self, record: type[Problem] | type[Persona] | type[Competitor], entry: object, name: str, number: int
    ) -> Any | None:
        where = f"entry {number}"
        if not isinstance(entry, dict):
            self._fault(name, f"{where} is not an object")
            return None
        cited = next(iter(_cited(entry.get("quote"))), None)
        quote = self._grounded(cited) if cited else None
        if quote is None:
            kind: FaultKind = "ungrounded" if cited else "dropped"
            self._fault(name, f"{where}: {self._why_not(cited) if cited else 'it has no quote'}", kind)
            return None
        known = {
            key: _code(value) if key in _CODES else value for key, value in entry.items() if key in record.model_fields
        }
        if record is Competitor and not self._names(entry, quote):
            self._fault(name, f"{where}: its quote does not hold its name", "unsupported")
            return None
        try:
            return record.model_validate({**known, "quote": quote})
        except ValidationError as error:
            fault = error.errors()[0]
            part = ".".join(map(str, fault["loc"]))
            allowed = {"role": get_args(Role), "kind": get_args(RivalKind)}.get(part)
            hint = f" (allowed: {', '.join(allowed)})" if allowed else ""
            self._fault(name, f"{where}: {part} is not usable: {_short(fault['input'], 40)!r}{hint}")
            return None

    def _names(self, entry: Mapping[str, Any], quote: Quote) -> bool:
        """Whether a competitor's quote names it. For what customers do themselves, the pitch may name it elsewhere."""
        name = str(entry.get("name", ""))
        if names_competitor(name, quote.text):
            return True
        return _code(entry.get("kind")) in _UNNAMED_KINDS and self._grounded(_Cited(name)) is not None

    def _fault(self, signal: str, message: str, kind: FaultKind = "dropped") -> None:
        self.faults.append(Fault(signal, message, kind))


@lru_cache(maxsize=1024)
def carries_a_point(text: str) -> bool:
    """Whether a quote holds more than small words: "The" is in every pitch and supports nothing."""
    missing = 3 if text.isascii() else 2
    for found in _WORD.finditer(text.casefold()):
        word = found.group()
        if word not in _SMALL_WORDS:
            missing -= len(word)
            if missing <= 0:
                return True
    return False


def _cited(part: object) -> list[_Cited]:
    """The quotes in a part of an answer, whether it is one or a list."""
    return [one for entry in (part if isinstance(part, list) else [part]) if (one := _one_cited(entry)) is not None]


def _one_cited(entry: object) -> _Cited | None:
    if isinstance(entry, str):
        return _Cited(entry) if entry.strip() else None
    if not isinstance(entry, dict):
        return None
    text, start, fault = (entry.get(name) for name in ("text", "start", "fault"))
    if isinstance(fault, str) and fault:
        return _Cited("", fault=fault)
    if not isinstance(text, str) or not text.strip():
        return None
    return _Cited(text, start if isinstance(start, int) and start >= 0 else None)


_CODES: Final = frozenset({"stage", "focus", "role", "kind"})
"""The parts of entries of lists that have fixed values."""


def _code(value: object) -> object:
    """A value as the vocabulary spells it: some models write "Cost optimization" for `cost_optimization`."""
    return re.sub(r"[\s-]+", "_", value.strip().lower()) if isinstance(value, str) else value


def _short(value: object, length: int) -> str:
    text = re.sub(r"\s+", " ", "" if value is None else str(value)).strip()
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
