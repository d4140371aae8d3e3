"""Assessments as files to take away (HTML, Markdown) and the rulebook as a page of the documentation.

The HTML report is one file that loads nothing. Pitch and model text is escaped everywhere, in Markdown too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from analyzer.files.disk import check_writable, write_whole
from analyzer.framework.assessment import Assessment
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import SIDE_TITLES, SIDES, Consideration, Rulebook
from analyzer.framework.verdict import LEANINGS, grouped, kind
from analyzer.views.content import cell, edit_words
from analyzer.views.numbers import shown, shown_points
from analyzer.views.terminal import plain, provenance
from analyzer.vocabulary.labels import FAMILIES, FAMILY_OF, title, word
from analyzer.vocabulary.signals import SIGNALS

_SUFFIXES: Final = (".html", ".md")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~$&-])")


def check_report_path(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Raises OutputError unless a report can be written there, so that nothing is asked of a model in vain."""
    check_writable(path, "a report", _SUFFIXES, inputs)


def write_report(path: Path, assessment: Assessment, pitch: str) -> None:
    """Writes the report as a whole or not at all; its kind follows from the path's ending. Raises OutputError."""
    check_report_path(path)
    write_whole(path, html_report(assessment, pitch) if path.suffix.lower() == ".html" else markdown_report(assessment))


def html_report(assessment: Assessment, pitch: str | None) -> str:
    """One self-contained HTML page; `pitch` is shown in full with its quoted words marked, where it is known."""
    return _render("report.html", assessment, passages=[] if pitch is None else _passages(assessment, pitch))


def markdown_report(assessment: Assessment) -> str:
    """The assessment as Markdown."""
    return _render("report.md", assessment)


def render_page(template: str, **values: Any) -> str:
    """One of the HTML templates, everything in it escaped."""
    return _environment().get_template(template).render(**values)


def template_text(name: str) -> str:
    """A file beside the templates, as it is."""
    return Path(__file__).with_name("templates").joinpath(name).read_text(encoding="utf-8")


def rulebook_markdown(rulebook: Rulebook) -> str:
    """The rulebook as a page: considerations, tables, reasons, sources, weights, questions."""
    template = _environment().get_template("rulebook.md")
    return template.render(
        rulebook=rulebook,
        sides=[(SIDE_TITLES[side], rulebook.of_side(side)) for side in SIDES],
        share=lambda c: c.weight / sum(other.weight for other in rulebook.of_side(c.side)),
        cells=_cells,
        zip=zip,
        title=title,
        word=word,
    )


def market_markdown(market: MarketMap) -> str:
    """The market map as a page: categories with their judgement, and the players of each."""
    return _environment().get_template("market.md").render(market=market, word=word)


@dataclass(frozen=True, slots=True)
class _Passage:
    """A stretch of the pitch; `signals` are those whose quotes cover it, in words; `labels` those that end here, with
    their families.

    `family`: that of the first signal (`words.FAMILIES`). `planted`: the stretch addresses its reader.
    """

    text: str
    signals: tuple[str, ...]
    family: str = ""
    planted: bool = False
    labels: tuple[tuple[str, str], ...] = ()


def _passages(assessment: Assessment, pitch: str) -> list[_Passage]:
    quotes = [(name, q.start, q.end) for name, q in assessment.signals.quotes()]
    quotes += [("", w.quote.start, w.quote.end) for w in assessment.warnings if w.kind == "instructions" and w.quote]
    spans = [(name, start, end) for name, start, end in quotes if start is not None and end is not None]
    edges = sorted({0, len(pitch), *(at for _, start, end in spans for at in (start, end))})
    passages = []
    for start, end in pairwise(edges):
        over = dict.fromkeys(name for name, first, last in spans if first <= start and end <= last)
        ending = dict.fromkeys(name for name, _, last in spans if last == end and name in over)
        family = next((FAMILY_OF[name] for name in over if name), "")
        labels = tuple((_label(name), FAMILY_OF.get(name, "planted")) for name in ending)
        passages.append(_Passage(pitch[start:end], tuple(map(_label, over)), family, "" in over, labels))
    return passages


def _label(signal: str) -> str:
    return title(signal) if signal else "Addresses its reader"


def _render(template: str, assessment: Assessment, **more: Any) -> str:
    return (
        _environment()
        .get_template(template)
        .render(
            a=assessment,
            groups=grouped(assessment.considerations),
            leanings=LEANINGS,
            idle=[c for c in assessment.considerations if c.share == 0],
            questions=[question for question in assessment.questions if question.settles > 0],
            kind=kind(assessment.quadrant) if assessment.quadrant else "",
            rows=[(spec.title, assessment.signals.single(name)) for name, spec in SIGNALS.items()],
            provenance=provenance(assessment),
            edits=[edit_words(edit) for edit in assessment.edits],
            families={name: words for name, (words, _) in FAMILIES.items()},
            sides=SIDE_TITLES,
            **more,
        )
    )


def _cells(consideration: Consideration) -> list[list[str]]:
    return [
        [cell(name, values) for name, values in zip(consideration.inputs, row.cells, strict=True)]
        for row in consideration.rows
    ]


def _markdown(text: str) -> str:
    """Text that Markdown shows as it is: one line, nothing in it acts."""
    return _MARKDOWN.sub(r"\\\1", plain(text).replace("://", ":\u200b//"))


@cache
def _environment() -> Environment:
    environment = Environment(  # HTML is escaped by autoescape, Markdown by the `md` filter
        loader=PackageLoader("analyzer.views", "templates"),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "shown": shown,
        "points": shown_points,
        "plain": plain,
        "md": _markdown,
        "word": word,
        "title_of": title,
    }
    return environment
