"""A late pattern does what a compiled one does."""

from __future__ import annotations

import copy
import re

import pytest

from analyzer.patterns import late


@pytest.mark.parametrize("name", ["search", "match", "fullmatch", "findall", "split"])
def test_it_matches_like_a_compiled_pattern(name: str) -> None:
    results = [getattr(one("(b)", re.IGNORECASE), name)("aBa") for one in (late, re.compile)]
    assert str(results[0]) == str(results[1])


def test_it_can_be_asked_again_and_for_what_it_is_made_of() -> None:
    pattern = late(r"(?P<org>\w)")
    assert pattern.sub("-", "ab") == pattern.sub("-", "ab") == "--"
    assert pattern.pattern == r"(?P<org>\w)" and dict(pattern.groupindex) == {"org": 1}
    assert copy.deepcopy(pattern).findall("a b") == ["a", "b"]


def test_it_is_not_compiled_before_it_is_used() -> None:
    pattern = late("(")
    with pytest.raises(re.error):
        pattern.search("a")
