"""A model's answer to signals: what holds is kept, what does not is named, nothing is believed without its words.

A fault is a signal that cannot be used as answered: a value outside the vocabulary, no quote, a quote that does not
stand in the pitch, or one that rests on text addressed to the reader. What becomes of faults (asking again, or
unknown with a warning) is the caller's business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final, get_args

from pydantic import ValidationError

from analyzer.framework.assessment import Warning
from analyzer.reading.grounding import Grounding, folded
from analyzer.reading.pitch import Pitch, overlaps
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
_SHOWN_QUOTE = 90
_MOST_PASSAGES = 50
_WORD = re.compile(r"\w+")
_SMALL_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be but by for from has have he her his i if in is it its my no not of on or our she so "
        "that the their them there they this to us was we were what when which who will with you your",
    )
)


class NotAnAnswer(ValueError):
    """The text is not JSON, or JSON of another shape; the message says which, without the text."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why one signal cannot be used as answered. `found`: the quote or value at fault."""

    signal: str
    message: str
    ungrounded: bool = False


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """An answer after checking. `parts` holds each signal's usable part, by name, as `Signals` takes it; a faulty
    single value is not in it, a faulty list holds its sound entries."""

    in_scope: bool
    product: str
    summary: str
    parts: Mapping[str, Any]
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
        """This answer with its faulty signals taken from another; what was sound here stays as it is."""
        faulty = self.faulty()
        mended = {name: part for name, part in other.parts.items() if name in faulty}
        for name in set(mended) & set(_LISTS):  # sound entries of a faulty list stay
            mended[name] = tuple(dict.fromkeys((*self.parts[name], *mended[name])))[: _LISTS[name][1]]
        warnings = {**dict.fromkeys(self.warnings), **dict.fromkeys(w for w in other.warnings if w.signal in faulty)}
        still = tuple(fault for fault in other.faults if fault.signal in faulty)
        planted = tuple(dict.fromkeys((*self.planted, *other.planted)))
        return replace(self, parts={**self.parts, **mended}, faults=still, warnings=tuple(warnings), planted=planted)


def check_answer(
    text: str, pitch: Pitch, grounding: Grounding, planted: Sequence[tuple[int, int]] = ()
) -> CheckedAnswer:
    """What of the answer's text can be used. `planted`: spans that another answer found to address the reader.
    Raises NotAnAnswer if it is not JSON of the asked shape."""
    return _Check(_document(text), pitch, grounding, planted=[*pitch.planted, *planted]).answer()


def _document(text: str) -> dict[str, Any]:
    """The JSON object in an answer, whatever it is wrapped in."""
    if not text.strip():
        raise NotAnAnswer("the answer is empty")
    expected = answer_schema()["properties"]
    try:
        document = unwrapped(text, expected)
        if "\\ud" in text.lower():  # half a character, written as an escape, could not be written anywhere
            document = json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise NotAnAnswer("the answer is not JSON") from None
    if not isinstance(document, dict):
        raise NotAnAnswer("the answer is not a JSON object")
    missing = [name for name in expected if name not in document]
    if "in_scope" in missing or len(missing) > len(expected) // 2:
        raise NotAnAnswer(f"the answer has another shape: {len(missing)} of {len(expected)} fields are missing")
    return document


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
        """Every place where a passage stands that the model found to address its reader."""
        texts = dict.fromkeys(folded(text).strip() for text in _texts(self.document.get("instructions")))
        for text in islice(texts, _MOST_PASSAGES):
            places = islice(self.grounding.find_all(text, outside=self.planted), _MOST_PASSAGES)
            self.planted += [(quote.start, quote.end) for quote in places if quote.start is not None and quote.end]

    def _single(self, name: str) -> dict[str, Any] | None:
        given = self.document.get(name)
        if not isinstance(given, dict):
            self._fault(name, "is missing")
            return None
        value, basis = given.get("value"), given.get("basis")
        if value in (None, "", UNKNOWN) or (value == "none" and basis == "absent"):
            return {"value": UNKNOWN}
        if value not in SIGNALS[name].values:
            self._fault(
                name, f"{_short(value, 60)!r} is not one of its values ({', '.join(SIGNALS[name].values)}, {UNKNOWN})"
            )
            return None
        if basis not in ("stated", "inferred"):
            self._fault(name, f"the value is {value!r} but the basis is {_short(basis, 20)!r}")
            return None
        quotes = self._quotes(name, _texts(given.get("quotes") or given.get("quote")))
        return {"value": value, "basis": basis, "quotes": quotes} if quotes else None

    def _quotes(self, name: str, texts: Sequence[str]) -> tuple[Quote, ...]:
        """The quotes that hold. One that does not is dropped beside one that does; alone it makes the signal faulty."""
        found = [(text, self._grounded(text)) for text in texts[:MAX_QUOTES]]
        held = dict.fromkeys(quote for _, quote in found if quote is not None)
        lost = [text for text, quote in found if quote is None]
        if not held and not lost:
            self._fault(name, "no quote is given for its value")
        elif not held:
            self._fault(name, self._why_not(lost[0]), ungrounded=True)
        elif lost:
            message = f"A second quote for {name} does not hold and was left out; the value rests on the other."
            self.warnings.append(Warning(kind="dropped", message=message, signal=name))
        return tuple(held)

    def _grounded(self, text: str) -> Quote | None:
        return self.grounding.find(text, outside=self.planted) if _carries_a_point(text) else None

    def _why_not(self, text: str) -> str:
        anywhere = self.grounding.find(text)
        shown = _short(text, _SHOWN_QUOTE)
        if anywhere is not None and overlaps(anywhere, self.planted):
            return "the quote given is addressed to the reader of the pitch and is no evidence"
        if anywhere is not None:
            return f'"{shown}" says nothing by itself; quote the words that carry the point'
        return f'"{shown}" does not stand in the pitch in these words'

    def _list(self, name: str) -> tuple[Problem | Persona | Competitor, ...]:
        record, limit = _LISTS[name]
        given = self.document.get(name)
        if not isinstance(given, list):
            self._fault(name, "is missing or no list")
            return ()
        entries = []
        for number, entry in enumerate(given, 1):
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
            self._fault(name, f"{where} is no object")
            return None
        text = entry.get("quote")
        quote = self._grounded(text) if isinstance(text, str) else None
        if quote is None:
            given = isinstance(text, str) and text.strip()
            self._fault(name, f"{where}: {self._why_not(str(text)) if given else 'no quote is given'}", bool(given))
            return None
        known = {key: value for key, value in entry.items() if key in record.model_fields}
        if record is Competitor and not self._stands(str(entry.get("name", "")), quote):
            self._fault(name, f"{where}: its quote does not hold its name, nor does the pitch")
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

    def _stands(self, name: str, quote: Quote) -> bool:
        """Whether a competitor is the pitch's own: its name stands there, or words of it do in its quote."""
        words = {word for word in re.findall(r"\w+", name.casefold()) if len(word) > 2}
        return self._grounded(name) is not None or bool(words & set(re.findall(r"\w+", quote.text.casefold())))

    def _fault(self, signal: str, message: str, ungrounded: bool = False) -> None:
        self.faults.append(Fault(signal, message, ungrounded))


def _carries_a_point(text: str) -> bool:
    """Whether a quote holds more than small words: "The" stands in every pitch and supports nothing."""
    missing = 3 if text.isascii() else 2
    for found in _WORD.finditer(text.casefold()):
        word = found.group()
        if word not in _SMALL_WORDS:
            missing -= len(word)
            if missing <= 0:
                return True
    return False


def _texts(given: object) -> list[str]:
    entries = given if isinstance(given, list) else [given]
    return [entry for entry in entries if isinstance(entry, str) and entry.strip()]


def _short(given: object, length: int) -> str:
    text = re.sub(r"\s+", " ", "" if given is None else str(given)).strip()
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
