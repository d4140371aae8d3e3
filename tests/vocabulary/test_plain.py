"""What help texts say of signals: sentences of a person, and none of the codebook's."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from analyzer.vocabulary.labels import value_word
from analyzer.vocabulary.plain import ABOUT, about, explained
from analyzer.vocabulary.records import LIST_RULES, SIGNALS, UNKNOWN
from analyzer.vocabulary.signals import Focus, RivalKind, Role, Stage

VALUES = {
    **{name: spec.values for name, spec in SIGNALS.items()},
    "stage": get_args(Stage),
    "focus": get_args(Focus),
    "main_user": get_args(Role),
    "competitors": get_args(RivalKind),
    "in_scope": ("yes", "no"),
}
OF_THE_CODEBOOK = re.compile(r"\w_\w|\bunknown\b|\btext\b|;.*;")
EVERY_VALUE = [(name, value) for name, values in VALUES.items() for value in values]


@pytest.mark.parametrize(("name", "value"), EVERY_VALUE, ids=lambda part: part)
def test_every_choice_is_explained_in_a_sentence(name: str, value: str) -> None:
    sentence = explained(name, value)

    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert len(sentence) < 110
    if name != "category":
        assert not OF_THE_CODEBOOK.search(sentence)


@pytest.mark.parametrize("name", VALUES)
def test_every_field_says_what_it_is_about_and_quotes_no_rule(name: str) -> None:
    rule = SIGNALS[name].rule if name in SIGNALS else LIST_RULES.get(name, "")

    assert about(name) == ABOUT[name]
    assert not OF_THE_CODEBOOK.search(about(name))
    assert len(about(name)) < max(121, len(rule))


@pytest.mark.parametrize("name", SIGNALS)
def test_a_pitch_that_is_silent_is_explained_for_every_signal(name: str) -> None:
    assert "does not say" in explained(name, UNKNOWN)


@pytest.mark.parametrize(("name", "value"), EVERY_VALUE, ids=lambda part: part)
def test_no_value_is_shown_as_a_bare_none(name: str, value: str) -> None:
    assert value_word(name, value) != "none"
