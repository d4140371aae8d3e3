"""HTML pages and decks, e-mails, OpenDocument and RTF: readable text, with all else apart or named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.files.document import Page
from analyzer.files.documents import DocumentReader
from analyzer.files.readers.html import read_text
from tests.documents import SENTENCE, TITLE, email, open_document
from tests.hostile_files import docx, paragraph


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as reader:
        yield reader


def html(body: str, head: str = "") -> bytes:
    return f"<!doctype html><html><head><title>no</title>{head}</head><body>{body}</body></html>".encode()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (f"<h1>{TITLE}</h1><p>{SENTENCE}", f"{TITLE}\n\n{SENTENCE}"),
        ("<p>one\n  two<br>three</p>", "one two\nthree"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("<table><tr><td>yes<td>no<td>yes</table>", "yes | no | yes"),
        ("<script>alert(1)</script><style>p{}</style><p>seen", "seen"),
        ("<p>a &amp; b &lt;c&gt;", "a & b <c>"),
        ('<img alt="MIT license" src="http://example.org/x.png"><p>seen', "MIT license\n\nseen"),
        ("<pre>a\n  b</pre>", "a\nb"),
        ("<p>un<b>break</b>able", "unbreakable"),
    ],
)
def test_an_html_page_gives_the_text_that_a_browser_shows(reader: DocumentReader, body: str, text: str) -> None:
    assert reader.read("a.html", html(body)).text == text


def test_a_page_is_read_as_html_whatever_its_name_says(reader: DocumentReader) -> None:
    assert reader.read("README.md", html(f"<p>{SENTENCE}")).text == SENTENCE


def test_hidden_text_of_a_page_is_left_out_and_counted(reader: DocumentReader) -> None:
    body = f'<p>{SENTENCE}</p><div style="display: none">secret</div><p hidden>more</p>'
    document = reader.read("a.html", html(body))
    assert document.text == SENTENCE and document.sentences() == ["2 hidden passages were left out."]


def test_the_sections_of_a_deck_in_html_are_slides_with_notes_apart(reader: DocumentReader) -> None:
    slides = (
        f'<section>{TITLE}</section><section><section>{SENTENCE}</section><aside class="notes">4%</aside></section>'
    )
    document = reader.read("a.html", html(f'<div class="reveal"><div class="slides">{slides}</div></div>'))
    assert document.size() == "2 slides" and document.text == f"{TITLE}\n\n{SENTENCE}"
    assert document.has_asides and [part.page for part in document.passages()] == [1, 2]


PIECES = [
    "<p>",
    "</p>",
    "<td>",
    "<pre>",
    "<section>",
    "<div hidden>",
    "</div>",
    "&amp;",
    "<!-- x -->",
    "<b x='>",
    "text",
]


@given(st.lists(st.sampled_from(PIECES)))
def test_any_markup_is_read_without_an_error(pieces: list[str]) -> None:
    text = "".join(page.text for page in read_text("".join(pieces)) if isinstance(page, Page))
    assert "<p>" not in text


def test_an_email_is_its_subject_and_text_with_history_and_signature_apart(reader: DocumentReader) -> None:
    body = f"{SENTENCE}\n\nOn Mon, 2 Nov 2026 at 09:30, Bo <bo@example.org> wrote:\n> What do you sell?\n"
    document = reader.read("a.eml", email(body))
    assert document.text == f"{TITLE}\n\n{SENTENCE}" and document.author == "Ada <ada@kilnworks.example>"
    assert document.sentences() == ["Quoted earlier messages were left out."]
    signed = reader.read("a.eml", email(f"{SENTENCE}\n-- \nAda Kiln\nFounder"))
    assert signed.text == f"{TITLE}\n\n{SENTENCE}" and signed.date == "2026-11-02T09:30:00+00:00"


def test_what_a_mail_forwards_is_its_text(reader: DocumentReader) -> None:
    body = f"---------- Forwarded message ---------\nFrom: Ada <a@b.c>\nSubject: x\n\n{SENTENCE}\n"
    assert reader.read("a.eml", email(body, subject=f"Fwd: {TITLE}")).text == f"Fwd: {TITLE}\n\n{SENTENCE}"


def test_attachments_are_sources_of_their_own_and_those_not_read_are_named(reader: DocumentReader) -> None:
    files = {
        "deck.docx": docx(paragraph(SENTENCE)),
        "old.ppt": b"x",
        "broken.pdf": b"%PDF-1.4 x",
        "in.eml": email("hi"),
    }
    document = reader.read("a.eml", email("See the deck.", attachments=files))
    assert [each.title for each in document.all] == ["a.eml", "deck.docx", "in.eml"]
    assert document.text.startswith(f"{TITLE}\n\nSee the deck.\n\n{SENTENCE}")
    assert document.unread[0].count == 2
    assert "old.ppt is an old PowerPoint format" in document.unread[0].detail
    assert "broken.pdf is damaged" in document.unread[0].detail


def test_the_html_of_a_mail_is_read_as_a_mail_program_shows_it(reader: DocumentReader) -> None:
    assert reader.read("a.eml", email(f"<p>{SENTENCE}</p>", html=True)).text == f"{TITLE}\n\n{SENTENCE}"


def test_open_document_texts_and_slides_are_read_with_notes_apart(reader: DocumentReader) -> None:
    rows = "<table:table><table:table-row><table:table-cell><text:p>yes</text:p></table:table-cell><table:table-cell><text:p>no</text:p></table:table-cell></table:table-row></table:table>"
    assert reader.read("a.odt", open_document(f"<text:h>{TITLE}</text:h>{rows}")).text == f"{TITLE}\n\nyes | no"
    page = "<draw:page><draw:frame><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame><presentation:notes><text:p>4%</text:p></presentation:notes></draw:page>"
    document = reader.read("a.odp", open_document(page.format(TITLE) + page.format(SENTENCE), "presentation"))
    assert document.text == f"{TITLE}\n\n{SENTENCE}" and document.total == 2 and document.has_asides


def test_rich_text_is_read(reader: DocumentReader) -> None:
    data = rb"{\rtf1\ansi{\fonttbl\f0 Helvetica;}\f0 Kilnworks\par Z\'fcrich \u8364? 4\par}"
    assert reader.read("a.rtf", data).text == "Kilnworks\nZürich € 4"
