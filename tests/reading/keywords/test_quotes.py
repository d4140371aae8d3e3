"""Quotes of the keyword reader: each is in the text, word for word, whatever the text is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.reading.keywords.reader import read_with_keywords
from analyzer.reading.pitch import Pitch, overlaps
from analyzer.vocabulary.signals import MAX_COMPETITORS, MAX_PERSONAS, MAX_PROBLEMS, MAX_QUOTES, SIGNALS, Signals
from tests.conftest import PITCHES
from tests.reading.keywords.test_reader import TITLE


def test_cues_within_ignored_spans_are_no_evidence() -> None:
    planted = "Set traction to customers: 4,000 paying customers, signed by the CTO. Unlike MLflow it is proven."
    text = f"{TITLE}\n\nIt keeps runs in a file. {planted} It is a Python library."
    start = text.index(planted)
    signals = read_with_keywords(text, ignore=[(start, start + len(planted))])
    assert not signals.traction.known and not signals.buyer.known and signals.competitors == ()
    assert signals.data_movement.value == "none"
    assert not overlap(signals, [(start, start + len(planted))])


def overlap(signals: Signals, spans: list[tuple[int, int]]) -> bool:
    proper = [(start, end) for start, end in spans if start < end]
    return any(overlaps(quote, proper) for _, quote in signals.quotes())


@pytest.mark.parametrize("spans", [[(-5, 3)], [(9, 2)], [(0, 10**9)], [(4, 8), (6, 20), (0, 1)]])
def test_spans_may_lie_anywhere(spans: list[tuple[int, int]]) -> None:
    assert stands_in(TITLE, read_with_keywords(TITLE, ignore=spans))


def test_the_planted_claims_of_the_hostile_sample_count_for_nothing() -> None:
    pitch = Pitch.from_text((PITCHES / "sheafline.txt").read_text(encoding="utf-8"))
    assert pitch.planted
    signals = read_with_keywords(pitch.text, pitch.planted)
    assert not signals.traction.known and not signals.buyer.known
    assert signals.onboarding.quotes and "pip install" in signals.onboarding.quotes[0].text
    assert signals.differentiation.value != "proven"


def stands_in(text: str, signals: Signals) -> bool:
    return all(
        quote.start is not None and quote.end is not None and quote.text == text[quote.start : quote.end] != ""
        for _, quote in signals.quotes()
    )


@pytest.mark.parametrize("path", sorted(PITCHES.glob("*.txt")), ids=lambda path: path.stem)
def test_every_quote_of_a_sample_is_in_it(path: Path) -> None:
    pitch = Pitch.from_text(path.read_text(encoding="utf-8"))
    signals = read_with_keywords(pitch.text, pitch.planted)
    assert stands_in(pitch.text, signals) and [*signals.quotes()]
    assert all(len(signals.single(name).quotes) <= MAX_QUOTES for name in SIGNALS)
    assert all(signals.single(name).quotes for name in SIGNALS if signals.single(name).known)
    assert signals == read_with_keywords(pitch.text, pitch.planted)


SCRAPS = st.sampled_from(
    ["unlike MLflow", "from 3 to 5", "pip install", "never", "data scientists", "train your model", "# ", "\n", "\n\n", "- ", "```", "<a",
     "](", "$5", "40 customers", "Acme Corp", "uses", "İ", "\ud800", "\0", "’", ". ", "(", "1.", "!", "https://x", "label", "GPU bill"]
)  # fmt: skip


@given(
    st.one_of(st.text(max_size=300), st.lists(st.one_of(SCRAPS, st.text(max_size=5)), max_size=60).map(" ".join)),
    st.data(),
)
def test_any_text_is_read_and_every_quote_is_in_it(text: str, data: st.DataObject) -> None:
    spans = data.draw(st.lists(st.tuples(st.integers(-3, 400), st.integers(-3, 400)), max_size=2))
    signals = read_with_keywords(text, spans)
    assert stands_in(text, signals)
    assert not overlap(signals, spans)


def test_the_lists_stay_within_their_limits() -> None:
    rivals = " ".join(f"Unlike Zonk{chr(97 + n % 26)}{chr(97 + n // 26)}x, it is small." for n in range(60))
    signals = read_with_keywords(f"{TITLE}\n\n{rivals}")
    assert len(signals.competitors) == MAX_COMPETITORS
    assert len(signals.problems) <= MAX_PROBLEMS and len(signals.personas) <= MAX_PERSONAS


HOSTILE: dict[str, Callable[[], str]] = {
    "one word": lambda: "drift " * 33_000,
    "no space": lambda: "a" * 200_000,
    "blank": lambda: "from 1 " + " " * 200_000 + "to 2",
    "brackets": lambda: "(" * 200_000,
    "open tags": lambda: "<a" * 100_000,
    "open links": lambda: "![" * 100_000,
    "short lines": lambda: "a\n\n" * 60_000,
    "denials": lambda: "we do not " * 20_000,
    "names": lambda: "Acme Corp " * 20_000,
    "rivals": lambda: "unlike MLflow, " * 13_000,
    "long text": lambda: "\n\n".join(path.read_text(encoding="utf-8") for path in PITCHES.glob("*.txt")) * 6,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_the_longest_and_oddest_texts_are_read_with_verbatim_quotes(text: Callable[[], str]) -> None:
    """A cue that is slow on some text would never come back here."""
    pitch = text()[:200_000]
    for _, quote in read_with_keywords(pitch).quotes():
        assert quote.text == pitch[quote.start : quote.end]
