"""The pitch with its quotes marked, and the ways between a quote and the signal that it supports.

The pitch is cut once (`cut`), and page and report render the same pieces: every quoted piece in the color and with the
line of its signal's family, followed by the signal's name. On the page a mark leads to the signal, and a quote outside
the pitch to its mark: plain links within the page, so they work by keyboard. Both sides name the quote by its place,
"start-end", for the page's script (page/desk.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from analyzer.framework.assessment import Assessment
from analyzer.views.assessment_content import quote_place
from analyzer.views.html import Html, tag, together
from analyzer.views.palette import PLANTED
from analyzer.vocabulary.labels import FAMILIES, FAMILY_OF, title
from analyzer.vocabulary.signals import Quote


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of the pitch in which all words have the same quotes.

    `signals`: those that the piece was quoted for, the first one deciding its color; `PLANTED` where the words address
    their reader. `ending`: those whose quote ends here, with its place. `start`: its place in the pitch where a quote
    begins here, else None. `quotes`: the places of the quotes it belongs to, the most exact first.
    """

    text: str
    signals: tuple[str, ...] = ()
    ending: tuple[tuple[str, str], ...] = ()
    start: int | None = None
    quotes: tuple[str, ...] = ()

    @property
    def tone(self) -> str:
        """The family whose color and line mark the piece, `PLANTED`, or "" for words that were not quoted."""
        return _tone(self.signals[0]) if self.signals else ""


def cut(text: str, assessment: Assessment) -> list[Passage]:
    """The whole pitch in pieces. Of several quotes of the same words the shortest, so the most exact one, comes first;
    words that address their reader come before all, whatever else they were quoted for."""
    spans = sorted(_spans(assessment), key=lambda span: (span[0] != PLANTED, span[2] - span[1]))
    edges = sorted({0, len(text), *(at for _, *ends in spans for at in ends if 0 < at < len(text))})
    begun = {start for _, start, _ in spans}
    passages = []
    for start, end in pairwise(edges):
        over = [span for span in spans if span[1] <= start and end <= span[2]]
        signals = tuple(dict.fromkeys(name for name, _, _ in over))
        ending = {name: _place(first, last) for name, first, last in reversed(over) if last == end}
        quotes = tuple(dict.fromkeys(_place(first, last) for _, first, last in over))
        ended = tuple((name, ending[name]) for name in signals if name in ending)
        passages.append(Passage(text[start:end], signals, ended, start if over and start in begun else None, quotes))
    return passages


def marked(passages: Iterable[Passage], links: bool = False) -> Html:
    """The pieces with their marks and labels; with `links`, each leads to its signal on the page."""
    return together(*(part for passage in passages for part in _rendered(passage, links)))


def legend(passages: Iterable[Passage]) -> Html:
    """What the colors mean, for those that occur; nothing where nothing was quoted."""
    signals = {name for passage in passages for name in passage.signals}
    families = {_tone(name) for name in signals}
    keys = [tag("span", words, class_=f"key {name}") for name, (words, _) in FAMILIES.items() if name in families]
    if PLANTED in signals:
        keys.append(tag("span", _title(PLANTED), class_=f"key {PLANTED}"))
    return tag("p", *keys, class_="legend") if keys else Html()


def pitch_text(text: str, assessment: Assessment) -> Html:
    """The pitch as it was read, for the page, with the quoted words marked, and those that address the reader."""
    passages = cut(text, assessment)
    keys = legend(passages)
    lead = "Marked words were quoted; a mark leads to its signal." if keys else "Nothing in it was quoted."
    parts = [tag("h2", "The pitch", id="the-pitch", class_="spoken"), tag("p", lead, class_="lead"), keys]
    words = tag("div", marked(passages, links=True), class_="pitch alien")
    return tag("section", *parts, words, class_="pa passages", tabindex="0", aria_labelledby="the-pitch")


def quoted(quote: Quote) -> Html:
    """A quote outside the pitch; where its place is known, a link to it."""
    if quote.start is None:
        return tag("blockquote", tag("span", quote.text, class_="alien"), quote_place(quote))
    place = {"data_quote": _place(quote.start, quote.end)} if quote.end is not None else {}
    link = tag("a", quote.text, href=f"#{_mark(quote.start)}", class_="alien", **place)
    return tag("blockquote", link, quote_place(quote))


def anchor(signal: str) -> str:
    """The id of the place on the page that shows a signal."""
    return f"signal-{signal}"


def _mark(start: int) -> str:
    return f"quote-{start}"


def _place(start: int, end: int) -> str:
    return f"{start}-{end}"


def _spans(assessment: Assessment) -> Iterable[tuple[str, int, int]]:
    """What was quoted for which signal: name, start and end."""
    quotes: list[tuple[str, Quote]] = list(assessment.signals.quotes())
    quotes += [(PLANTED, w.quote) for w in assessment.warnings if w.kind == "instructions" and w.quote is not None]
    for name, quote in quotes:
        if quote.start is not None and quote.end is not None:
            yield name, quote.start, quote.end


def _rendered(passage: Passage, links: bool) -> Iterable[Html]:
    if not passage.signals:
        yield together(passage.text)
        return
    attributes = {"class_": passage.tone, "title": ", ".join(map(_title, passage.signals))}
    if links and passage.start is not None:
        attributes["id"] = _mark(passage.start)
    if links:
        attributes["data_quotes"] = " ".join(passage.quotes)
    yield tag("mark", _linked(passage.signals[0], passage.text, links), **attributes)
    for name, place in passage.ending:
        kind = f"label {_tone(name)}"
        if links and name != PLANTED:
            yield tag("a", _title(name), href=f"#{anchor(name)}", class_=kind, data_quote=place)
        else:
            yield tag("span", _title(name), class_=kind)


def _linked(signal: str, text: str, links: bool) -> Html:
    return tag("a", text, href=f"#{anchor(signal)}") if links and signal != PLANTED else together(text)


def _tone(signal: str) -> str:
    return PLANTED if signal == PLANTED else FAMILY_OF[signal]


def _title(signal: str) -> str:
    return "Addresses its reader" if signal == PLANTED else title(signal)
