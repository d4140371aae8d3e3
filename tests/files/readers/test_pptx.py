"""PowerPoint: what people see on a slide is read in the order they read it; notes and hidden slides stay apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from analyzer.files.documents import DocumentReader
from tests.documents import SENTENCE, TITLE, box, changed, deck, picture_slide

pytest.importorskip("pptx")
SLIDE = "ppt/slides/slide1.xml"


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as reader:
        yield reader


def test_shapes_are_read_by_place_and_not_in_the_order_in_which_they_were_drawn(reader: DocumentReader) -> None:
    def fill(slide: Any) -> None:
        box(slide, "last", (1, 6, 8, 0.5))
        box(slide, "right", (6, 3, 3, 0.5))
        box(slide, "left", (1, 3, 3, 0.5))
        box(slide, "first", (1, 1, 8, 0.5))

    assert reader.read("a.pptx", deck(fill)).text.splitlines() == ["first", "left", "right", "last"]


def test_columns_that_are_far_apart_are_read_one_after_the_other(reader: DocumentReader) -> None:
    def fill(slide: Any) -> None:
        for left, name in ((6, "right"), (0.5, "left")):
            box(slide, f"{name} text", (left, 2.6, 3, 0.5))
            box(slide, f"{name} head", (left, 2, 3, 0.5))

    lines = reader.read("a.pptx", deck(fill)).text.splitlines()
    assert lines == ["left head", "left text", "right head", "right text"]


def test_groups_tables_and_charts_are_read(reader: DocumentReader) -> None:
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    def fill(slide: Any) -> None:
        inner = slide.shapes.add_group_shape().shapes.add_group_shape()
        inner.shapes.add_textbox(0, 0, Inches(2), Inches(1)).text_frame.text = "in a group"
        table = slide.shapes.add_table(1, 3, 0, Inches(2), Inches(6), Inches(1)).table
        for at, text in enumerate(("yes", "no", "yes")):
            table.cell(0, at).text = text
        data: Any = CategoryChartData()  # type: ignore[no-untyped-call]
        data.categories = ["2025", "2026"]
        data.add_series("Customers", (3, 41))
        chart = slide.shapes.add_chart(XL_CHART_TYPE.PIE, 0, Inches(4), Inches(5), Inches(2), data).chart
        chart.has_title = True
        chart.chart_title.text_frame.text = "Growth"

    lines = reader.read("a.pptx", deck(fill)).text.splitlines()
    assert lines == ["in a group", "yes | no | yes", "Growth", "| 2025 | 2026", "Customers | 3 | 41"]


def test_of_alternatives_the_first_with_text_is_read_once(reader: DocumentReader) -> None:
    def offer(xml: str) -> str:
        start, end = xml.index("<p:sp>"), xml.index("</p:sp>") + len("</p:sp>")
        shape = xml[start:end]
        old = shape.replace(SENTENCE, "for old programs")
        both = f'<mc:Choice Requires="x">{shape}</mc:Choice><mc:Fallback>{old}</mc:Fallback>'
        space = "http://schemas.openxmlformats.org/markup-compatibility/2006"
        return xml[:start] + f'<mc:AlternateContent xmlns:mc="{space}">{both}</mc:AlternateContent>' + xml[end:]

    data = changed(deck(lambda slide: box(slide, SENTENCE, (1, 1, 5, 1))), SLIDE, offer)
    assert reader.read("a.pptx", data).text == SENTENCE


def test_notes_are_apart_unless_they_are_asked_for_and_then_marked(reader: DocumentReader) -> None:
    def fill(slide: Any) -> None:
        box(slide, SENTENCE, (1, 1, 5, 1))
        slide.notes_slide.notes_text_frame.text = "Say the price: 4%"

    document = reader.read("a.pptx", deck(fill))
    assert document.text == SENTENCE
    assert document.sentences() == ["Speaker notes were left out (slide 1)."]
    asked = document.including_asides()
    assert asked.text == f"{SENTENCE}\n\n[Speaker notes]\n\nSay the price: 4%" and asked.sentences() == []
    assert [part.origin for part in asked.passages()] == [None, "notes"]


def test_a_hidden_slide_is_left_out_and_named(reader: DocumentReader) -> None:
    data = deck(*[lambda slide, n=n: box(slide, f"slide {n}", (1, 1, 5, 1)) for n in range(3)])
    data = changed(data, SLIDE, lambda xml: xml.replace("<p:sld ", '<p:sld show="0" ', 1))
    document = reader.read("a.pptx", data)
    assert document.text == "slide 1\n\nslide 2" and document.total == 3
    assert document.sentences() == ["Slide 1 is hidden and was left out."]
    assert [part.page for part in document.passages()] == [2, 3]


def test_slides_that_are_pictures_are_named_and_a_logo_next_to_text_is_no_alarm(
    reader: DocumentReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyzer.files.documents.ocr_installed", lambda: False)

    def titled(slide: Any) -> None:
        picture_slide(slide)
        box(slide, f"{TITLE}. {SENTENCE}", (1, 6, 8, 1))

    document = reader.read("a.pptx", deck(titled, picture_slide, picture_slide))
    assert document.sentences(serious=True) == [
        "Slides 2 and 3 are pictures with little or no text, and were not read. "
        "To read such pages, install the extra `ocr`; pitch doctor says how"
    ]
    assert "1 picture next to text was not read." in document.sentences()


def test_a_footer_on_every_slide_is_read_once_and_slide_numbers_never(reader: DocumentReader) -> None:
    def placeholder(kind: str, text: str) -> str:
        return (
            f'<p:sp><p:nvSpPr><p:cNvPr id="9" name="x"/><p:cNvSpPr/><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr>'
            f"<p:spPr/><p:txBody><a:bodyPr/><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp></p:spTree>"
        )

    data = deck(*[lambda slide: box(slide, SENTENCE, (1, 1, 5, 1))] * 2)
    for number in (1, 2):
        for kind, text in (("ftr", "Confidential"), ("sldNum", "7")):
            data = changed(
                data,
                f"ppt/slides/slide{number}.xml",
                lambda xml: xml.replace("</p:spTree>", placeholder(kind, text)),  # noqa: B023
            )
    assert reader.read("a.pptx", data).text == f"{SENTENCE}\nConfidential\n\n{SENTENCE}"
