"""A pitch is cut into sentences without losing anything of it, in any language and layout."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.reading.grounding import Grounding
from analyzer.reading.splitting import MOST_CHARACTERS, in_context, split


def sentences(text: str) -> list[str]:
    return [" ".join(text[piece.start : piece.end].split()) for piece in split(text)]


CASES = {
    "answers": ("Does it need a server? No. Is it free? Not yet. It is small.", [
        "Does it need a server? No.", "Is it free? Not yet.", "It is small.",
    ]),
    "sentences": ("It works. Does it? Nobody has ever asked! Good.", ["It works.", "Does it?", "Nobody has ever asked!", "Good."]),
    "small letters": ("it works today. we like it.", ["it works today.", "we like it."]),
    "abbreviations": ("Use e.g. Airflow, Inc. Magazine vs. Luigi etc. by J. Smith.", None),
    "German": ("Das kostet z. B. Zeit bzw. Geld. Dr. Weiß zahlt ca. 5 Mio. Euro.", [
        "Das kostet z. B. Zeit bzw. Geld.", "Dr. Weiß zahlt ca. 5 Mio. Euro.",
    ]),
    "decimals and names": ("Node.js 2.5 runs at acme.ai/x. It costs $1.50.", [
        "Node.js 2.5 runs at acme.ai/x.", "It costs $1.50.",
    ]),
    "Japanese": ("輪郭を描きます。「見事です。」値段は3.40ユーロ。", ["輪郭を描きます。", "「見事です。」", "値段は3.40ユーロ。"]),
    "Chinese": ("我们标注数据！你呢？好。", ["我们标注数据！", "你呢？好。"]),
    "Arabic": ("هل هذا صحيح؟ نعم.", ["هل هذا صحيح؟ نعم."]),
    "Hindi": ("यह काम करता है। बस।", ["यह काम करता है।", "बस।"]),
    "heading and bullets": ("# Labels\n\n- fast\n- cheap\n1. Install it. Run it.\n", [
        "Labels", "fast", "cheap", "1. Install it.", "Run it.",
    ]),
    "lines without punctuation": ("Labels for vision\nRuns anywhere\nNo data leaves", [
        "Labels for vision", "Runs anywhere", "No data leaves",
    ]),
    "wrapped lines": ("We label images of the inner ear for\nmakers of hearing aids, and we sell\nto their heads. It works.", [
        "We label images of the inner ear for makers of hearing aids, and we sell to their heads.", "It works.",
    ]),
    "wrapped without spaces": ("超音波検査の輪郭、計測値、断面名を、現役の超音波検査\n士が描き込みます。患者名は取り除きます。", [
        "超音波検査の輪郭、計測値、断面名を、現役の超音波検査 士が描き込みます。", "患者名は取り除きます。",
    ]),
    "table": ("| plan | price |\n|---|---|\n| Team | $290 |\n", ["plan | price", "Team | $290"]),
    "code": ("Run:\n```\npip install x\nx up\n```\nDone.", ["Run:", "pip install x", "x up", "Done."]),
    "line separators": ("One thing\u2028[7] Another thing", ["One thing", "[7] Another thing"]),
    "signs first": ("———\n\n🚀🚀\n\nA tool.", ["A tool."]),
    "a minus stays": ("-40% cost.\n- 40 people", ["-40% cost.", "40 people"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_text_is_cut_where_a_reader_would_cut_it(name: str) -> None:
    text, expected = CASES[name]
    assert sentences(text) == (expected or [text])


@pytest.mark.parametrize(
    "sign", ["word ", "ほげ", "word, ", "x/", "e\u0301/"], ids=["words", "kana", "clauses", "path", "marks"]
)
def test_a_sentence_without_an_end_is_cut_at_its_bound_and_can_be_quoted(sign: str) -> None:
    text = sign * 1000
    pieces = split(text)
    assert len(pieces) > 2 and all(piece.last - piece.first <= MOST_CHARACTERS + 1 for piece in pieces)
    grounding = Grounding(text)
    for piece in pieces:
        quote = grounding.find(text[piece.start : piece.end], first=piece.start)
        assert quote is not None and (quote.start, quote.end) == (piece.start, piece.end)


PIECES = st.sampled_from(
    ["A tool", "it is", ". ", "。", "! ", "\n", "\n\n", "- ", "| a |", "```", "# ", " ", "[7] ", "…", "「", "」", "е\u0301", "3.5", "🏷️", "---", ", "]
)  # fmt: skip


@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=60).map("".join)))
def test_nothing_of_a_text_is_lost_and_its_pieces_are_in_order(text: str) -> None:
    pieces = split(text)
    if not pieces:
        assert not any(char.isalnum() for char in text)
        return
    assert re.sub(r"\s", "", "".join(text[p.first : p.last] for p in pieces)) == re.sub(r"\s", "", text)
    assert all(one.last <= other.first for one, other in pairwise(pieces))
    for piece in pieces:
        assert piece.first <= piece.start < piece.end <= piece.last
        assert any(char.isalnum() for char in text[piece.start : piece.end])


@given(st.lists(PIECES, max_size=60).map("".join))
def test_every_sentence_can_be_quoted_at_its_own_place(text: str) -> None:
    grounding = Grounding(text)
    for piece in split(text):
        quote = grounding.find(text[piece.start : piece.end], first=piece.start)
        assert quote is not None and quote.start == piece.start and quote.text == text[piece.start : piece.end]


@pytest.mark.parametrize(
    ("quote", "context"),
    [
        ("two football clubs", "Epidemiologists, two football clubs, and lots of universities already use it."),
        ("Who has it?", "Loamdesk\n\nWho has it?"),
        (
            "lots of universities already use it. 412",
            "Epidemiologists, two football clubs, and lots of universities already use it. 412.",
        ),
        ("412", "Epidemiologists, two football clubs, and lots of universities already use it. 412."),
    ],
)
def test_a_few_words_are_seen_in_their_sentence_and_a_short_sentence_after_the_one_before(
    quote: str, context: str
) -> None:
    text = "Loamdesk\n\nWho has it? Epidemiologists, two football clubs, and lots of universities already use it. 412."
    start = text.index(quote)
    assert in_context(text, start, start + len(quote)) == context


@given(st.lists(PIECES, min_size=1, max_size=40).map("".join), st.data())
def test_the_context_of_a_span_holds_it(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assert text[start:end] in in_context(text, start, end) and in_context(text, start, end) in text
