"""A cue is found near a text exactly where a sentence holds what the cue cannot do without."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analyzer.reading.keywords.cue_index import CueIndex
from analyzer.reading.keywords.cues import Cue
from analyzer.reading.keywords.rules import keyword_rules
from analyzer.reading.keywords.sentences import Text
from tests.properties import runs

WORDS = ["a", "ab", "abc", "b", "bc", "c", "ca"]
options = st.lists(st.sampled_from([*WORDS, "a*", "ab*", "b*"]), min_size=1, max_size=3, unique=True).map(tuple)
cues = st.lists(st.lists(options, max_size=3).map(lambda needs: Cue("x", tuple(needs))), max_size=8)
sentences = st.lists(st.lists(st.sampled_from(WORDS), max_size=4), max_size=6)


def holds(sentence: list[str], option: str) -> bool:
    return any(word.startswith(option[:-1]) if option.endswith("*") else word == option for word in sentence)


@given(cues, sentences)
@runs(200)
def test_a_cue_is_near_the_sentences_that_meet_all_of_its_needs(some: list[Cue], text: list[list[str]]) -> None:
    words = {word: sum(1 << n for n, sentence in enumerate(text) if word in sentence) for word in WORDS}
    near = CueIndex(some).near({word: where for word, where in words.items() if where})
    for cue in some:
        meeting = [
            number
            for number, sentence in enumerate(text)
            if cue.needs and all(any(holds(sentence, option) for option in need) for need in cue.needs)
        ]
        assert near.get(cue, 0) == sum(1 << number for number in meeting)


def test_every_cue_of_the_rules_is_in_the_index() -> None:
    """A text that holds the words of all cues is near each of them."""
    rules = keyword_rules()
    every = [cue for groups in rules.signal.values() for group in groups for cue in group.cues]
    every += [*rules.scope.work, *rules.names, rules.future, rules.negation.before, rules.competitor.against]
    words = " ".join(dict.fromkeys(o.rstrip("*") for cue in every for need in cue.needs for o in need))
    near = rules.index.near(dict.fromkeys(words.split(), 1))
    assert [cue.regex for cue in every if cue not in near] == []
    assert Text("Nothing of that kind", rules.index).near(rules.scope.work) == []
