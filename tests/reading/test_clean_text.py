"""Markup around a pitch is removed once, plain text stays as it is, and the title is the one a person would give."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.reading.clean_text import clean_text
from analyzer.reading.grounding import Grounding
from analyzer.reading.pitch import Pitch
from analyzer.resources import resource

README = """<p align="center"><img src="logo.svg" alt="Kilnworks logo"></p>
<h1 align="center">Kilnworks</h1>

[![License: MIT](https://img.shields.io/mit.svg)](https://opensource.org/licenses/MIT)

Kilnworks finds <b>idle</b> GPUs &amp; hands them on. See the [docs](https://kilnworks.dev/docs) and
[GitHub](https://github.com/kilnworks/kilnworks). Run `pip install <b>`.
"""
FIXTURES = sorted(Path(str(resource("fixtures"))).rglob("*.txt"))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_plain_text_stays_byte_for_byte(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert clean_text(text) == text


def test_tags_and_addresses_are_not_text_but_badges_and_repositories_are() -> None:
    pitch = Pitch.from_text(README)
    assert pitch.ref.title == "Kilnworks"
    for gone in ("<p", "align", "img.shields.io", "opensource.org", "kilnworks.dev", "&amp;"):
        assert gone not in pitch.text
    for quote in ("License: MIT", "https://github.com/kilnworks/kilnworks", "finds idle GPUs & hands them on", "<b>"):
        found = Grounding(pitch.text).find(quote)
        assert found is not None and pitch.text[found.start : found.end] == found.text


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Subject: Fwd: Re: Driftwell <> you\n\nHey Dana, thanks!", "Driftwell <> you"),
        ("From: a@b.c\nTo: d@e.f\nSubject: Kilnworks\n\nWe find idle GPUs.", "Kilnworks"),
        ("Kiln: models | Home  Product  Pricing  Docs\nWe use cookies. Accept all\n\nText.", "Kiln: models"),
        ("We use cookies. Accept all | Reject\n\nKilnworks finds GPUs", "Kilnworks finds GPUs"),
        ("---\ntitle: x\ntags: [a]\n---\n# **Kilnworks**\n\nText.", "Kilnworks"),
        ("Tallyrun: experiment tracking\n\n# tallyrun\n", "Tallyrun: experiment tracking"),
        ("<h1>Kilnworks</h1><p>Text.</p>", "Kilnworks"),
    ],
)
def test_the_title_is_the_one_that_a_person_would_give(text: str, title: str) -> None:
    assert Pitch.from_text(text).ref.title == title


def test_headers_of_an_email_cannot_be_quoted() -> None:
    pitch = Pitch.from_text(
        "From: Ann <ann@x.io>\nSubject: Kilnworks\n\nWe find GPUs.\n\n---- Forwarded ----\nFrom: b\nTo: c\n\nHi"
    )
    assert all(Grounding(pitch.text).find(words) is None for words in ("ann@x.io", "From: b", "Subject"))
    assert Grounding(pitch.text).find("We find GPUs.") is not None


@given(st.lists(st.sampled_from(["<p>", "</p>", "&amp;", "&lt;b&gt;", "[a](https://x.y)", "![b](./c.png)", "`<i>`", "---\n", "a: b\n", "\n", "x ", "From: y\n", "<!--", "-->", "[r]: ./z\n", "<style>", "</style>", "```\n"]), max_size=14).map("".join))  # fmt: skip
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned


@pytest.mark.parametrize(
    "part", ["<p><style>", "<!--", "[a](http://", "<a ", "`a", "```\n", "[", "From: x\n", "<h1>", " \n"]
)
def test_markup_without_end_is_read_in_one_walk(part: str) -> None:
    """A pattern that gets lost in it would not come back from this."""
    assert clean_text("<p>Kilnworks</p>" + part * (90_000 // len(part))).startswith("Kilnworks")


LAYOUT = "Our infra-\nstructure is hands-\nfree. 我们的产品帮助\n团队部署模型。\n\nK I L N\n\nFor **data scientists** and GPT-\n4 users 𝒳 e\u0301. ﬁne-\ntuning"


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("infrastructure", "infra-\nstructure"),
        ("infra- structure", "infra-\nstructure"),
        ("hands-free", "hands-\nfree"),
        ("Our infrastructure is hands-free.", "Our infra-\nstructure is hands-\nfree."),
        ("我们的产品帮助团队部署模型", "我们的产品帮助\n团队部署模型"),
        ("KILN", "K I L N"),
        ("For data scientists and", "For **data scientists** and"),
        ("For **data scientists**", "For **data scientists**"),
        ("GPT-4 users 𝒳 é.", "GPT-\n4 users 𝒳 e\u0301."),
        ("fine-tuning", "ﬁne-\ntuning"),
    ],
)
def test_words_that_layout_cuts_hold_joined_at_their_own_place(quote: str, found: str) -> None:
    match = Grounding(LAYOUT).find(quote)
    assert match is not None and match.text == found == LAYOUT[match.start : match.end]


@pytest.mark.parametrize(
    "quote", ["structure", "infra", "GPT4", "data scientist", "KIL", "infra structure", "Our structure"]
)
def test_layout_makes_nothing_else_hold(quote: str) -> None:
    assert Grounding(LAYOUT).find(quote) is None


@given(st.text(st.sampled_from("ab-\n *_字é\u0301\u00ad𝒳ﬁ"), max_size=40), st.data())
def test_a_match_is_at_its_offsets_whatever_the_layout(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    match = Grounding(text).find(text[start:end])
    if match is not None:
        assert match.text == text[match.start : match.end]
