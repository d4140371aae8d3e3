"""The names and values of the vocabulary as people read them: in the terminal, in reports, on the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from analyzer.patterns import late
from analyzer.vocabulary import records as vocabulary
from analyzer.vocabulary.derived import INPUT_SPECS
from analyzer.vocabulary.records import LISTS, SIGNALS, InputSpec, ListSpec, SignalSpec

_RECORDS: Final[tuple[InputSpec | ListSpec, ...]] = (*INPUT_SPECS.values(), *LISTS.values(), *SIGNALS.values())
_SHOWN: Final[tuple[SignalSpec | ListSpec, ...]] = (*LISTS.values(), *SIGNALS.values())
_TITLES: Final = {
    "persona": INPUT_SPECS["persona_fit"].title,
    "main_user": INPUT_SPECS["persona_fit"].title,
    "in_scope": "In scope",
    "derived": "Votes of several readings",
    "scope": "Votes on the scope",
    **{spec.name: spec.title for spec in _RECORDS},
}
_VALUES: Final = {
    "unknown": "not stated",
    "in_house": "built in-house",
    "data_labelling": "data labeling",
    "not_rivalled": "not in-house",
    "rivalled": "built in-house",
}
_OF_SIGNAL: Final = {
    ("data_movement", "none"): "nowhere, it stays with the customer",
    ("differentiation", "none"): "no difference",
    ("business_impact", "none"): "no cost",
    ("traction", "none"): "nobody uses it yet",
    ("trust_route", "none"): "nothing",
}
_CODE: Final = late(r"\b[a-z]+(?:_[a-z0-9]+)+\b")
_PARTS: Final = {"ai": "AI", "ml": "ML", "llm": "LLM", "gpu": "GPU", "automl": "AutoML"}


FAMILIES: Final = {
    family: (
        words,
        tuple(spec.name for spec in _SHOWN if spec.family == family),
    )
    for family, words in vocabulary.FAMILIES.items()
}
"""Signals that people look at together, and that share a color: by family, its title and its members."""
FAMILY_OF: Final = {name: family for family, (_, names) in FAMILIES.items() for name in names}


def word(value: str) -> str:
    """A value of the vocabulary: "day 2", "engineering leadership", "LLM evaluation"."""
    return _VALUES.get(value) or " ".join(_PARTS.get(part, part) for part in value.split("_"))


def value_word(name: str, value: str) -> str:
    """A value of a signal in words that can be read after the signal's title: "Where the data goes: nowhere"."""
    return _OF_SIGNAL.get((name, value)) or word(value)


def in_words(rule: str) -> str:
    """A rule of the codebook as people read it: values in words."""
    return _CODE.sub(lambda found: word(found.group()), rule)


def title(name: str) -> str:
    """An input, list or signal by its name: "Who signs", "Main user"."""
    return _TITLES.get(name) or capital(word(name))


def joined(parts: Sequence[str], last: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def how_many(count: int, one: str, several: str = "") -> str:
    """ "1 row", "1,200 rows"; `several` where an s does not make the plural."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def capital(text: str) -> str:
    """The text with its first letter upper case and the others as they are."""
    return text[:1].upper() + text[1:]
