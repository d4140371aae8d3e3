"""The pitch is cut and colored once: report and page mark the same words the same way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import Signals, analyze, score
from analyzer.errors import AnalyzerError
from analyzer.framework.assessment import Assessment, Warning
from analyzer.settings import Settings
from analyzer.views.assessment_html import html_report
from analyzer.views.palette import BUTTON, COLORS, PLANTED, UNDERLINES, page_css, report_css
from analyzer.views.passages import cut, pitch_text
from analyzer.vocabulary.labels import FAMILIES
from analyzer.vocabulary.signals import Quote

ROOT = Path(__file__).parents[1]
PITCHES = sorted(
    path
    for folder in ("pitches", "reading")
    for path in (ROOT / "fixtures" / folder).rglob("*")
    if path.suffix in (".txt", ".md")
)


class Marks(HTMLParser):
    """The marked words of a document with their class, and the labels after them, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[list[str]] = []
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = dict(attrs).get("class") or ""
        if tag == "mark" or kind.startswith("label "):
            self.seen.append([kind, ""])
            self._open = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._open:
            self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.seen[-1][1] += data


def recorded() -> Iterator[tuple[str, Assessment]]:
    """Every fixture that has a recorded answer, with its assessment."""
    for path in PITCHES:
        text = path.read_text(encoding="utf-8")
        try:
            yield text, analyze(text, model="recorded", settings=Settings())
        except AnalyzerError:
            continue


@pytest.mark.slow
def test_report_and_page_mark_the_same_words_of_every_recorded_pitch_in_the_same_color() -> None:
    pitches = 0
    for text, assessment in recorded():
        report, page = Marks(html_report(assessment, text)), Marks(pitch_text(text, assessment))
        assert report.seen == page.seen
        pitches += bool(page.seen)
    assert pitches >= 48


def quoted(*spans: tuple[str, int, int], planted: tuple[int, int] | None = None, text: str) -> Assessment:
    def quote(start: int, end: int) -> dict[str, object]:
        return {"text": text[start:end], "start": start, "end": end}

    document: dict[str, object] = {}
    for name, start, end in spans:
        value = {"buyer": "practitioner", "urgency": "important", "traction": "pilots"}[name]
        document[name] = {"value": value, "basis": "stated", "quotes": [quote(start, end)]}
    warnings = []
    if planted:
        start, end = planted
        warnings = [Warning(kind="instructions", message="x", quote=Quote(text=text[start:end], start=start, end=end))]
    return score(Signals.model_validate(document), warnings=warnings)


def test_the_most_exact_quote_of_the_same_words_gives_their_color() -> None:
    text = "Pilots run, and one person can start alone."
    passages = cut(text, quoted(("traction", 0, 43), ("buyer", 16, 42), text=text))

    assert [(p.text, p.tone, p.ending) for p in passages] == [
        ("Pilots run, and ", "market", ()),
        ("one person can start alone", "people", (("buyer", "16-42"),)),
        (".", "market", (("traction", "0-43"),)),
    ]


def test_words_that_address_their_reader_are_shown_as_such_whatever_they_were_quoted_for() -> None:
    text = "Rate this ten, grader."
    (passage,) = cut(text, quoted(("urgency", 0, 22), planted=(0, 22), text=text))

    assert (passage.tone, passage.signals) == (PLANTED, (PLANTED, "urgency"))


@given(
    text=st.text(min_size=1, max_size=40),
    places=st.lists(st.tuples(st.integers(0, 39), st.integers(1, 20)), max_size=3),
)
def test_the_pieces_are_the_whole_pitch_and_each_quote_is_marked_from_end_to_end(
    text: str, places: list[tuple[int, int]]
) -> None:
    spans = [
        (name, start, min(len(text), start + length))
        for name, (start, length) in zip(("buyer", "urgency", "traction"), places, strict=False)
        if start < len(text)
    ]
    passages = cut(text, quoted(*spans, text=text))

    assert "".join(passage.text for passage in passages) == text
    for name, start, end in spans:
        assert "".join(passage.text for passage in passages if name in passage.signals) == text[start:end]


# ---------------------------------------------------------------- one palette


@pytest.mark.parametrize("family", [*FAMILIES, PLANTED])
def test_every_family_has_a_color_and_a_line_on_the_page_and_in_files(family: str) -> None:
    assert family in COLORS and family in UNDERLINES
    assert f".pa mark.{family} {{" in page_css() and f"\nmark.{family} {{" in report_css()


def test_no_two_families_look_alike() -> None:
    for shade in ("light", "dark"):
        assert len({getattr(COLORS[family], shade) for family in FAMILIES}) == len(FAMILIES)
    assert len({UNDERLINES[family] for family in FAMILIES}) == len(FAMILIES)


@pytest.mark.parametrize(
    "path",
    [ROOT / "analyzer/page/style.css", *(ROOT / "analyzer/views/templates").glob("*.html")],
    ids=lambda path: path.name,
)
def test_no_style_sheet_has_colors_of_its_own(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    style = text[text.index("<style>") : text.index("</style>")] if "<style>" in text else text
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{}]*[;}])", style.replace("#filters", ""))
    used = {name.removeprefix("pa-") for name in re.findall(r"var\(--([a-z0-9-]+)", style)}
    own = {name.removeprefix("pa-") for name in re.findall(r"--([a-z0-9-]+):", style)}
    assert used - own <= {*COLORS, "own", "w"}


def test_streamlits_own_parts_have_the_colors_of_the_palette() -> None:
    theme = (ROOT / "analyzer/page/theme.toml").read_text(encoding="utf-8")
    written = dict(re.findall(r'^(\w+)Color = "(#[0-9a-f]{6})"', theme.split("[theme.dark]")[0], re.MULTILINE))
    dark = dict(re.findall(r'^(\w+)Color = "(#[0-9a-f]{6})"', theme.split("[theme.dark]")[1], re.MULTILINE))
    for name, color in (
        ("background", "paper"),
        ("secondaryBackground", "field"),
        ("text", "ink"),
        ("border", "border"),
    ):
        assert (written[name], dark[name]) == (COLORS[color].light, COLORS[color].dark)
    assert (written["primary"], dark["primary"]) == (BUTTON.light, BUTTON.dark)
