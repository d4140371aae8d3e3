"""Word: everything on the printed page is read, once, and what is not on it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from analyzer.files.documents import DocumentReader
from tests.documents import SENTENCE, TITLE, changed, saved
from tests.hostile_files import docx, paragraph

pytest.importorskip("lxml")
P = paragraph(SENTENCE)
RUN = f"<w:r><w:t>{SENTENCE}</w:t></w:r>"
BOX = f"<w:txbxContent>{P}</w:txbxContent>"
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument"


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as reader:
        yield reader


def cell(*blocks: str, properties: str = "") -> str:
    return f"<w:tc>{properties}{''.join(blocks)}</w:tc>"


def table(*rows: str) -> str:
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (f"<w:sdt><w:sdtContent>{P}</w:sdtContent></w:sdt>", SENTENCE),
        (
            f"<w:p><w:r><w:t>Who pays: </w:t></w:r><w:sdt><w:sdtContent>{RUN}</w:sdtContent></w:sdt></w:p>",
            f"Who pays: {SENTENCE}",
        ),
        (
            f"<w:p><w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>{RUN}</w:sdtContent></w:sdt></w:p>{P}",
            SENTENCE,
        ),
        (f"<w:p><w:r><w:pict>{BOX}</w:pict></w:r></w:p>", SENTENCE),
        (
            f"<w:p {MC}><w:r><mc:AlternateContent><mc:Choice><w:drawing>{BOX}</w:drawing></mc:Choice>"
            f"<mc:Fallback><w:pict>{BOX}</w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>",
            SENTENCE,
        ),
        (f"<w:p><w:ins>{RUN}</w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>", SENTENCE),
        (f"<w:p><w:moveFrom><w:r><w:t>here before</w:t></w:r></w:moveFrom><w:moveTo>{RUN}</w:moveTo></w:p>", SENTENCE),
        (table(cell(paragraph("yes")) + cell(paragraph("no")) + cell(paragraph("yes"))), "yes | no | yes"),
        (table(cell(paragraph("Team")) + cell(paragraph("Team"))), "Team | Team"),
        (table(cell(paragraph("outer"), table(cell(P)))), f"outer\n\n{SENTENCE}"),
        (
            table(
                cell(paragraph("a"), properties='<w:tcPr><w:vMerge w:val="restart"/></w:tcPr>') + cell(paragraph("b")),
                cell("<w:p/>", properties="<w:tcPr><w:vMerge/></w:tcPr>") + cell(paragraph("c")),
            ),
            "a | b\nc",
        ),
        (f"<w:p><w:hyperlink>{RUN}</w:hyperlink></w:p>", SENTENCE),
        ("<w:p><w:r><w:t>hands</w:t><w:noBreakHyphen/><w:t>free</w:t></w:r></w:p>", "hands-free"),
    ],
    ids=[
        *("content control", "content control in a line", "a control that was not filled in", "text box"),
        *("text box in two versions", "tracked insertion", "tracked move", "equal cells apart", "two equal cells"),
        *("table in a table", "merged cells", "link", "hyphen"),
    ],
)
def test_what_is_on_the_page_is_read_once(reader: DocumentReader, body: str, text: str) -> None:
    assert reader.read("a.docx", docx(body)).text == text


def test_strict_open_xml_is_read(reader: DocumentReader) -> None:
    assert reader.read("a.docx", docx(P, relation=STRICT)).text == SENTENCE


def test_headers_and_footers_are_read_once_each(reader: DocumentReader) -> None:
    document = pytest.importorskip("docx").Document()
    document.add_paragraph(SENTENCE)
    for _ in range(2):
        section = document.add_section()
        section.header.is_linked_to_previous = section.footer.is_linked_to_previous = False
        section.header.paragraphs[0].text, section.footer.paragraphs[0].text = "Confidential", TITLE
    assert reader.read("a.docx", saved(document)).text == f"{SENTENCE}\n\nConfidential\n\n{TITLE}"


def test_hidden_text_and_embedded_files_are_left_out_and_counted(reader: DocumentReader) -> None:
    hidden = "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r></w:p>"
    embedded = '<w:p><w:r><w:object><o:OLEObject xmlns:o="o"/></w:object></w:r></w:p>'
    document = reader.read("a.docx", docx(P + hidden + embedded))
    assert document.text == SENTENCE
    assert document.sentences(serious=True) == ["1 hidden passage was left out.", "1 embedded file was not read."]


def test_a_missing_picture_does_not_keep_the_text_from_being_read(reader: DocumentReader) -> None:
    document = pytest.importorskip("docx").Document()
    document.add_paragraph(SENTENCE)
    data = changed(
        saved(document),
        "word/_rels/document.xml.rels",
        lambda xml: xml.replace(
            "</Relationships>", '<Relationship Id="r9" Type="x/image" Target="media/no.png"/></Relationships>'
        ),
    )
    assert reader.read("a.docx", data).text == SENTENCE


def test_comments_are_apart(reader: DocumentReader) -> None:
    document: Any = pytest.importorskip("docx").Document()
    run = document.add_paragraph(SENTENCE).runs[0]
    document.add_comment(run, text="Is this true?", author="Bo")
    found = reader.read("a.docx", saved(document))
    assert found.text == SENTENCE and "[Comments]\n\nIs this true?" in found.including_asides().text
