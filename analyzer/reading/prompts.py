"""Reads the prompts, and is the only module that does: text files under `prompts/` with `$name` for each value.

Inserted values are not searched for variables, so a pitch may contain anything. A variable without a value, or a value
without its variable, is an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from string import Template
from typing import Final

from analyzer.resources import resource

PROMPT_VERSION: Final = 2
"""Raise it when a change of these files changes what is asked. Recordings of an older version are then no
longer used. A corrected comma keeps the number."""

VERIFY_VERSION: Final = 2
"""The same for the second look, which checks values against their quotes (`verify*.md`)."""

QUOTES: Final = "quotes"
"""The form in which the model copies its quotes from the pitch; see `reading.forms`."""
IDS: Final = "ids"
"""The form in which the pitch is sent as numbered sentences and the model answers with their numbers."""
_FILES: Final[Mapping[str, tuple[str, str, str]]] = {
    QUOTES: ("read.md", "pitch.md", "again.md"),
    IDS: ("read_ids.md", "pitch_ids.md", "again_ids.md"),
}
_FIELDS = "fields.md"
_VERIFY: Final = ("verify.md", "verify_values.md", "verify_again.md")


def instructions(form: str = QUOTES) -> str:
    """The instructions before the pitch; the same for every pitch, so that providers can cache them."""
    return _text(_FILES[form][0]).strip()


def fields(shape: str, rules: str) -> str:
    """The rules of the answer's fields, for requests whose schema does not hold them."""
    return _render(_FIELDS, shape=shape, fields=rules)


def pitch_message(pitch: str, sha256: str, form: str = QUOTES) -> str:
    """The pitch, fenced. The marker follows from the pitch's fingerprint, so no pitch can contain its own."""
    return _render(_FILES[form][1], marker=f"=====PITCH {sha256[:24]}=====", pitch=pitch)


def again_message(faults: Sequence[str], form: str = QUOTES) -> str:
    """The message to the model when part of its answer cannot be used."""
    return _render(_FILES[form][2], faults="\n".join(f"- {fault}" for fault in faults))


def as_json(schema: str) -> str:
    """What follows the instructions where a server takes no schema."""
    return _render("as_json.md", schema=schema)


def codes(first: int, second: int) -> tuple[str, str]:
    """What comes before the instructions and after the pitch where a server may cut a prompt."""
    return _render("codes_first.md", first=str(first)), _render("codes_second.md", second=str(second))


def verify_instructions(**rules: str) -> str:
    """The instructions of the second look, the same for every pitch. `rules`: those of the lists' fields."""
    return _render(_VERIFY[0], **rules)


def verify_message(values: str, sha256: str) -> str:
    """The values to check, fenced like a pitch."""
    return _render(_VERIFY[1], marker=f"=====VALUES {sha256[:24]}=====", values=values)


def verify_again(faults: Sequence[str]) -> str:
    """The message to the model when it did not answer for every value."""
    return _render(_VERIFY[2], faults="\n".join(f"- {fault}" for fault in faults))


@cache
def verify_sha256() -> str:
    """Fingerprint of all prompts of the second look, without values."""
    return _sha256(_VERIFY)


@cache
def prompt_sha256(form: str = QUOTES, rules: bool = False) -> str:
    """Fingerprint of all prompts of a form, without the pitch. `rules`: with the text that introduces the rules."""
    return _sha256((*_FILES[form], *([_FIELDS] if rules else [])))


def _sha256(names: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(_text(name) for name in names).encode()).hexdigest()


@cache
def _text(name: str) -> str:
    return resource(f"prompts/{name}").read_text(encoding="utf-8")


@cache
def _template(name: str) -> tuple[Template, frozenset[str]]:
    template = Template(_text(name))
    return template, frozenset(template.get_identifiers())


def _render(name: str, **values: str) -> str:
    template, expected = _template(name)
    if expected != set(values):
        raise ValueError(f"prompts/{name} has the variables {sorted(expected)}, but the values are {sorted(values)}")
    return template.substitute(values).strip()
