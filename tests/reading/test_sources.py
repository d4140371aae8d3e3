"""An assessment names the files it was read from, the page of every quote, and what was not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import analyze, analyze_many
from analyzer.errors import PitchError
from analyzer.files.document import Aside, Document, Page, Unread
from analyzer.files.documents import read_file
from analyzer.files.pitches import PitchFeed, Sources
from analyzer.reading.pitch import Pitch
from tests.documents import SENTENCE, email
from tests.hostile_files import docx, paragraph

TITLE = "Kilnworks finds idle GPUs and hands them to the next training job."


def document(*pages: Page, **parts: Any) -> Document:
    return Document("deck.pptx", "pptx", "0" * 64, "slide", pages, total=len(pages), **parts)


def quotes(found: Any) -> dict[str, Any]:
    return {quote.text: quote for _, quote in found.signals.quotes()}


def test_every_quote_carries_its_page_and_says_if_ocr_read_it() -> None:
    deck = document(Page(1, TITLE), Page(2, ""), Page(3, SENTENCE, ocr=0.93))
    found = analyze(deck, model="keywords")
    assert (quotes(found)[TITLE].page, quotes(found)[TITLE].origin) == (1, None)
    assert (quotes(found)[SENTENCE].page, quotes(found)[SENTENCE].origin) == (3, "ocr")
    warning = next(warning for warning in found.warnings if warning.kind == "ocr")
    assert warning.message.startswith("Slide 3 was read from pictures by OCR (confidence 93% or more)")
    assert [(source.id, source.title, source.pages) for source in found.sources] == [("1", "deck.pptx", 3)]
    restored = type(found).model_validate_json(found.to_json())
    assert restored == found


def test_what_was_not_read_is_a_warning_and_in_the_source() -> None:
    unread = (Unread("hidden_slides", 1, (2,)), Unread("pictures", 4, (1,)))
    found = analyze(document(Page(1, TITLE), unread=unread), model="keywords")
    assert [w.message for w in found.warnings if w.kind == "unread"] == ["Slide 2 is hidden and was left out."]
    assert [(part.kind, part.count, part.pages) for part in found.sources[0].unread] == [
        ("hidden_slides", 1, (2,)),
        ("pictures", 4, (1,)),
    ]


def test_notes_are_no_evidence_unless_they_are_included_and_then_marked() -> None:
    deck = document(Page(1, TITLE, (Aside("notes", SENTENCE),)))
    assert SENTENCE not in quotes(analyze(deck, model="keywords"))
    asked = quotes(analyze(deck.including_asides(), model="keywords"))[SENTENCE]
    assert (asked.page, asked.origin) == (1, "notes")


def test_a_quote_from_an_attachment_names_its_source(tmp_path: Path) -> None:
    pytest.importorskip("lxml")
    (tmp_path / "mail.eml").write_bytes(
        email(TITLE, subject="Pitch", attachments={"deck.docx": docx(paragraph(SENTENCE))})
    )
    (result,) = analyze_many(PitchFeed(Sources((str(tmp_path),))), model="keywords", store=False)
    assert result.assessment is not None
    assert [(source.id, source.title) for source in result.assessment.sources] == [
        ("1", "mail.eml"),
        ("2", "deck.docx"),
    ]
    assert result.assessment.sources[0].speaker == "Ada <ada@kilnworks.example>"
    assert (quotes(result.assessment)[TITLE].source, quotes(result.assessment)[SENTENCE].source) == ("1", "2")


def test_a_document_with_nothing_but_notes_says_that_they_were_left_out() -> None:
    with pytest.raises(PitchError, match=r"the pitch is empty\. Speaker notes were left out \(slide 1\)\."):
        Pitch.from_document(document(Page(1, "", (Aside("notes", SENTENCE),))))


def test_a_text_without_a_file_has_no_sources() -> None:
    found = analyze(TITLE, model="keywords")
    assert found.sources == () and quotes(found)[TITLE].page is None
    assert '"page"' not in found.to_json()


@pytest.mark.parametrize(
    ("pages", "text", "numbers"),
    [
        (["Kilnworks <b>finds</b> idle GPUs", "for &lt;ML&gt; teams"], "Kilnworks finds idle GPUs\n\nfor <ML> teams", [1, 2]),
        (["From: Ann\nTo: Ben\n\nKilnworks", "From: 5 hours\nTo: 5 minutes"], "Kilnworks\n\nFrom: 5 hours\nTo: 5 minutes", [1, 2]),
        (["---\ntags: x\n---\n", "Kilnworks"], "\n\nKilnworks", [2]),
        (["Kilnworks\U000e0041\U000e0042", "finds\x07 GPUs"], "Kilnworks\n\nfinds GPUs", [1, 2]),
    ],
    ids=["tags and entities", "headers", "front matter", "characters of machines"],
)  # fmt: skip
def test_pages_keep_their_place_when_markup_is_taken_away(pages: list[str], text: str, numbers: list[int]) -> None:
    pitch = Pitch.from_document(document(*(Page(n, page) for n, page in enumerate(pages, 1))))
    assert pitch.text == text
    assert [part.page for part in pitch.passages] == numbers
    assert "\n\n".join(text[part.start : part.end] for part in pitch.passages) == text.lstrip()


@pytest.mark.parametrize(
    ("subject", "body", "title"),
    [
        ("Fwd: Re: Kilnworks <> you", "# Hello\n\nWe find idle GPUs.", "Kilnworks <> you"),
        ("", "Kilnworks: idle GPUs\n\nFor ML teams.", "Kilnworks: idle GPUs"),
    ],
)
def test_an_email_is_titled_by_its_subject_as_a_pasted_one_is(
    tmp_path: Path, subject: str, body: str, title: str
) -> None:
    (tmp_path / "mail.eml").write_bytes(email(body, subject=subject))
    assert Pitch.from_document(read_file(tmp_path / "mail.eml")).ref.title == title
    assert Pitch.from_text(f"From: Ada\nSubject: {subject}\n\n{body}" if subject else body).ref.title == title


pieces = st.sampled_from(
    [*"ab \r\n\x07\u200b.é🙂", "<b>", "</p>", "&amp;", "&#7;", "```\n", "---\n", "From: y\n", "\U000e0041"]
)
texts = st.lists(pieces, max_size=30).map("".join)


@given(st.lists(texts, min_size=1, max_size=6), st.booleans())
def test_the_parts_of_a_pitch_are_where_they_are_said_to_be(pages: list[str], asides: bool) -> None:
    deck = document(*(Page(n, text, (Aside("notes", text),)) for n, text in enumerate(pages, 1)))
    try:
        pitch = Pitch.from_document(deck.including_asides(asides))
    except PitchError:
        return
    for part in pitch.passages:
        words = pitch.text[part.start : part.end]
        assert words.strip() and words.startswith("[Speaker notes]") == (part.origin == "notes")
    between = [pitch.text[a.end : b.start] for a, b in zip(pitch.passages, pitch.passages[1:], strict=False)]
    assert set(between) <= {"\n\n"}
