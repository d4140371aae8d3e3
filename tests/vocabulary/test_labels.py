"""Names and values of the vocabulary as people read them."""

from __future__ import annotations

from typing import get_args

import pytest

from analyzer.vocabulary.derived import INPUTS
from analyzer.vocabulary.labels import title, word
from analyzer.vocabulary.signals import SIGNALS, RivalKind, Role

VALUES = sorted(
    {*get_args(RivalKind), *get_args(Role), *(value for spec in SIGNALS.values() for value in spec.values)}
    | {value for values in INPUTS.values() for value in values}
)


@pytest.mark.parametrize("value", VALUES)
def test_a_value_reads_well_in_the_middle_of_a_sentence(value: str) -> None:
    said = word(value)
    assert "_" not in said
    assert said[0].islower() or said.split()[0].rstrip("s") in ("AI", "ML", "LLM", "GPU", "AutoML")


def test_an_input_and_a_value_of_one_name_are_distinguished() -> None:
    assert (title("in_house"), word("in_house")) == ("In-house building", "built in-house")
