"""Reads the prompts, and is the only module that does: text files under `prompts/` with `$name` for each value.

Inserted values are not searched for variables, so a pitch may contain anything. A variable without a value, or a value
without its variable, is an error.
"""

from __future__ import annotations

import hashlib
from functools import cache
from string import Template
from typing import Final

from analyzer.resources import resource

PROMPT_VERSION: Final = 2
"""Raise it when a change of these files changes what is asked. Recordings of an older version are then no
longer used. A corrected comma keeps the number."""

_FILES = ("read.md", "pitch.md", "again.md")


def instructions() -> str:
    """The instructions before the pitch; the same for every pitch, so that providers can cache them."""
    return _text("read.md").strip()


def pitch_message(pitch: str, sha256: str) -> str:
    """The pitch, fenced. The marker follows from the pitch's fingerprint, so no pitch can contain its own."""
    return _render("pitch.md", marker=f"=====PITCH {sha256[:24]}=====", pitch=pitch)


def again_message(faults: list[str]) -> str:
    """The message to the model when part of its answer cannot be used."""
    return _render("again.md", faults="\n".join(f"- {fault}" for fault in faults))


@cache
def prompt_sha256() -> str:
    """Fingerprint of all prompts, without the pitch."""
    return hashlib.sha256("\0".join(_text(name) for name in _FILES).encode()).hexdigest()


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
