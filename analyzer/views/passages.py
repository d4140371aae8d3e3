"""The pitch with its quotes marked, and the ways between a quote and the signal that it supports.

Every quote that stands in the pitch is marked in the colour and the line of its signal's family and followed by the
signal's name. A mark leads to the signal, a quote elsewhere on the page to its mark: plain links within the page, so
they work by keyboard and run no script.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from analyzer.framework.assessment import Assessment
from analyzer.views.html import Html, tag, together
from analyzer.vocabulary.labels import FAMILIES, FAMILY_OF, title
from analyzer.vocabulary.signals import Quote


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch of the pitch that was quoted for a signal, or (`signal` None) that addresses its reader."""

    start: int
    end: int
    signal: str | None

    @property
    def name(self) -> str:
        return "Addresses its reader" if self.signal is None else title(self.signal)


def pitch_text(text: str, assessment: Assessment) -> Html:
    """The pitch as it was read, with the quoted stretches marked, and those that address the reader."""
    spans = sorted(_spans(assessment), key=lambda span: span.end - span.start)  # the most exact gives the colour
    lead = "What is marked was quoted; a mark leads to its signal." if spans else "Nothing of it was quoted."
    parts = [tag("h3", "The pitch", id="the-pitch"), tag("p", lead, class_="lead")]
    if spans:
        parts.append(_legend(spans))
    return tag("section", *parts, tag("div", *_marked(text, spans), class_="pitch alien"), class_="passages")


def quoted(quote: Quote) -> Html:
    """A quote outside the pitch; where its place is known, a link to it."""
    if quote.start is None:
        return tag("blockquote", quote.text, class_="alien")
    return tag("blockquote", tag("a", quote.text, href=f"#{_mark(quote.start)}", class_="alien"))


def anchor(signal: str) -> str:
    """The place on the page that tells of a signal."""
    return f"signal-{signal}"


def _mark(start: int) -> str:
    return f"quote-{start}"


def _spans(assessment: Assessment) -> Iterable[_Span]:
    for name, quote in assessment.signals.quotes():
        if quote.start is not None and quote.end is not None:
            yield _Span(quote.start, quote.end, name)
    for warning in assessment.warnings:
        quote_ = warning.quote
        if warning.kind == "instructions" and quote_ and quote_.start is not None and quote_.end is not None:
            yield _Span(quote_.start, quote_.end, None)


def _legend(spans: Sequence[_Span]) -> Html:
    families = {FAMILY_OF[span.signal] for span in spans if span.signal is not None}
    keys = [tag("span", words, class_=f"key {name}") for name, (words, _) in FAMILIES.items() if name in families]
    if any(span.signal is None for span in spans):
        keys.append(tag("span", "Addresses its reader", class_="key planted"))
    return tag("p", *keys, class_="legend")


def _marked(text: str, spans: Sequence[_Span]) -> Iterable[Html]:
    """The text in pieces: between two ends of spans, either all or nothing of a piece is marked."""
    ends = sorted({0, len(text), *(at for span in spans for at in (span.start, span.end) if 0 < at < len(text))})
    begun = {span.start for span in spans}
    for start, end in pairwise(ends):
        over = [span for span in spans if span.start <= start and end <= span.end]
        yield (
            _piece(text[start:end], over, _mark(start) if start in begun else None)
            if over
            else together(text[start:end])
        )
        for name in dict.fromkeys(span.signal for span in over if span.end == end):
            yield _label(name)


def _piece(text: str, over: Sequence[_Span], id: str | None) -> Html:
    """A marked piece. An order to the reader is shown as such, whatever else it was quoted for."""
    first = next((span for span in over if span.signal is None), over[0])
    named = {"title": ", ".join(dict.fromkeys(span.name for span in over))} | ({"id": id} if id else {})
    if first.signal is None:
        return tag("mark", text, class_="planted", **named)
    return tag("mark", tag("a", text, href=f"#{anchor(first.signal)}"), class_=FAMILY_OF[first.signal], **named)


def _label(signal: str | None) -> Html:
    if signal is None:
        return tag("span", "Addresses its reader", class_="label planted")
    return tag("a", title(signal), href=f"#{anchor(signal)}", class_=f"label {FAMILY_OF[signal]}")
