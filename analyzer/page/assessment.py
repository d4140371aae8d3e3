"""An assessment as the page shows it: one function for each part, from an assessment to markup.

Nothing is decided here: points, shares and sentences come from the assessment, groups, order and titles from
`views.content`. A bare number is shown only where nothing is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from analyzer.framework.assessment import (
    Assessment,
    Change,
    ConsiderationResult,
    Edit,
    GateResult,
    Player,
    Question,
    Range,
    Warning,
)
from analyzer.framework.rulebook import SIDE_TITLES, Rulebook
from analyzer.framework.verdict import Leaning, leaning
from analyzer.views import assessment_content as content
from analyzer.views.article import terms, unfolding
from analyzer.views.assessment_content import Shown, SignalRow
from analyzer.views.html import Html, tag, together
from analyzer.views.numbers import number, shown, shown_points
from analyzer.views.passages import anchor, quoted
from analyzer.views.quadrant import Other, quadrant
from analyzer.vocabulary.labels import FAMILY_OF, capital, joined, title, word
from analyzer.vocabulary.signals import Quote

_Entry = TypeVar("_Entry")

_KINDS: Final = {
    "startup": "Startups",
    "open_source": "Open source",
    "cloud_vendor": "Cloud vendors",
    "established_vendor": "Established vendors",
    "in_house": "Built in-house",
    "manual_process": "Manual process",
}
_SIGNS: Final[dict[Leaning, tuple[str, str]]] = {
    "for": ("+", "In its favor"),
    "against": ("\N{MINUS SIGN}", "Against it"),
    "open": ("?", "Open"),
}
_TOO_OPEN: Final = "Too much is unclear for a verdict."
_QUOTES: Final = 2
"""Quotes of a consideration shown before the rest is folded away."""
_GRAVE: Final = frozenset({"instructions", "hidden_characters", "disqualified"})
"""Kinds of warnings that are never folded away."""
_GATES: Final = 2
_ASKED: Final = 3
"""Deal-breakers and questions of the first screen; the others follow below."""


# ---------------------------------------------------------------- before the verdict


def cautions(assessment: Assessment, note: str | None) -> Html:
    """How the pitch was read, where the visitor did not choose that, and the warnings: the gravest at once, the others
    folded."""
    parts = [tag("p", note, class_="pa note", role="note")] if note else []
    by_words: dict[str, list[Warning]] = {}
    for warning in sorted(assessment.warnings, key=lambda warning: warning.kind not in _GRAVE):
        if warning.kind == "rough_reader" and content.draft_note(assessment):
            continue  # the headline says so
        by_words.setdefault(content.warning_text(warning), []).append(warning)
    if by_words:
        entries = [_warning(words, alike) for words, alike in by_words.items()]
        at_once = max(1, sum(alike[0].kind in _GRAVE for alike in by_words.values()))
        listed = [tag("ul", *entries[:at_once])]
        if rest := entries[at_once:]:
            listed.append(_folded(f"{len(rest)} more", tag("ul", *rest)))
        parts.append(tag("section", tag("h2", "Before you read on"), *listed, class_="pa cautions", role="note"))
    return together(*parts)


def _warning(words: str, alike: Sequence[Warning]) -> Html:
    """Warnings of the same words, with all their quotes, the first at once."""
    quotes = [warning.quote for warning in alike if warning.quote is not None]
    more = [_folded(f"{len(quotes) - 1} more", *map(quoted, quotes[1:]))] if quotes[1:] else []
    return tag("li", tag("span", words), *map(quoted, quotes[:1]), *more)


def headline(assessment: Assessment) -> Html:
    """The product, its pitch, and the verdict in one line; out of scope, that it is."""
    label, tone = verdict_word(assessment)
    parts = [tag("h1", content.heading(assessment), class_="alien", tabindex="-1")]
    if content.subtitle(assessment):
        parts.append(tag("p", content.subtitle(assessment), class_="subtitle alien"))
    if content.summary(assessment):
        parts.append(tag("p", content.summary(assessment), class_="summary alien"))
    edited = tag("p", content.edited_line(assessment.edits), class_="edited") if assessment.edits else ""
    draft = tag("p", content.draft_note(assessment), class_="lead") if content.draft_note(assessment) else ""
    why = f" {_TOO_OPEN}" if tone == "open" and assessment.verdict is not None and not draft else ""
    line = tag("div", tag("p", f"{content.verdict_line(assessment)}{why}", class_="sentence"), draft, edited)
    parts.append(tag("div", tag("p", label, class_=f"word {tone}"), line, class_="verdict"))
    return tag("section", *parts, class_="pa head")


def verdict_word(assessment: Assessment) -> tuple[str, str]:
    """The verdict in one word, and the class of its color."""
    return content.verdict_word(assessment), content.tone(assessment)


def glance(assessment: Assessment, others: Sequence[Other]) -> Html:
    """What decides, for the first screen: reasons, deal-breakers and questions; chart and scores in a second column.
    Nothing out of scope."""
    if assessment.position is None:
        return Html()
    place = tag("section", terms("Position"), quadrant(assessment.position, others), class_="position")
    decides = tag("div", _reasons(assessment), _gates_briefly(assessment), _asked_first(assessment), class_="decides")
    return tag("div", decides, tag("div", place, scores(assessment), class_="measures"), class_="pa glance")


def _reasons(assessment: Assessment) -> Html:
    rows = map(_reason, content.telling(assessment))
    return tag("section", tag("h2", "What counts most"), tag("ul", *rows, class_="reasons"))


def _reason(consideration: ConsiderationResult) -> Html:
    way = leaning(consideration.points)
    sign, meaning = _SIGNS[way]
    open_ = tag("span", f" {shown_points(consideration.points)} of 10 points", class_="lead") if way == "open" else ""
    quote = next(iter(consideration.quotes), None)
    evidence = quoted(quote) if quote is not None else tag("p", consideration.reason, class_="lead alien")
    words = tag(
        "div", tag("span", f"{meaning}: ", class_="spoken"), tag("strong", consideration.headline), open_, evidence
    )
    return tag("li", tag("span", sign, class_="sign", aria_hidden="true"), words, class_=way)


def _gates_briefly(assessment: Assessment) -> Html:
    listed = content.gates(assessment)
    if not listed:
        return Html()
    rows = [
        tag("li", tag("strong", gate.title), f": {content.GATE_STATES[gate.state]}", class_=gate.state)
        for gate in listed[:_GATES]
    ]
    more = [tag("p", f"{len(listed) - _GATES} more below.", class_="lead")] if len(listed) > _GATES else []
    return tag("section", tag("h2", content.GATES), tag("ul", *rows, class_="gates-briefly"), *more)


def _asked_first(assessment: Assessment) -> Html:
    first = content.questions(assessment).first[:_ASKED]
    if not first or assessment.scores is None:
        return Html()
    lead = f"Points of the range ({number(assessment.scores.overall.width)}) that an answer settles, on average."
    rows = (_question(assessment, question) for question in first)
    return tag("section", tag("h2", "Ask first", title=lead), tag("ol", *rows, class_="rows"), class_="asks")


def details(assessment: Assessment, rulebook: Rulebook) -> Html:
    """All that follows the first screen."""
    parts = [
        gates(assessment),
        considerations(assessment),
        questions(assessment),
        changes(assessment, rulebook),
        signals(assessment) if assessment.in_scope or content.is_undecided(assessment) else "",
        players(assessment) if assessment.in_scope else "",
        made(assessment),
    ]
    return tag("div", *parts, class_="pa judged")


def without_places(assessment: Assessment) -> Assessment:
    """The same with quotes that have no place in the pitch, for when its text is not shown."""

    def stripped(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: None if name in ("start", "end") else stripped(value) for name, value in part.items()}
        return [stripped(each) for each in part] if isinstance(part, list) else part

    return Assessment.model_validate(stripped(assessment.model_dump(mode="json", by_alias=True)))


# ---------------------------------------------------------------- scores


def scores(assessment: Assessment) -> Html:
    """Overall, market and sales, each with value and range."""
    if assessment.scores is None:
        return Html()
    overall, market, sales = assessment.scores.overall, assessment.scores.market, assessment.scores.sales
    rows = (
        _score("Overall", "market and sales together", overall, 100, shown(overall)),
        _score("Market case", "from the stage: day 1 or day 2", market, 10, shown_points(market)),
        _score("Sales case", "from the focus: ML or engineering", sales, 10, shown_points(sales)),
    )
    said = tag("p", content.said(assessment), class_="lead")
    covers, covers_not = (tag("p", text) for text in content.RANGE)
    heading = unfolding("Scores", "what a range covers", covers, covers_not)
    return tag("section", heading, *rows, said, class_="scores")


def _score(name: str, meaning: str, score: Range, top: int, text: str) -> Html:
    value, _, rest = text.partition(", ")
    label = tag("p", tag("strong", name), " ", tag("small", meaning), class_="label")
    scale = f"{rest} of {top}" if rest else f"of {top}"
    figures = tag("p", tag("span", value, class_="value"), " ", tag("span", scale, class_="range"), class_="figures")
    return tag("div", label, figures, _bar(score, top), class_="score")


def _bar(range_: Range, top: float) -> Html:
    """The range on a scale from 0 to `top`, the value as a mark; the words next to it say the same."""

    def at(value: float) -> str:
        return f"{100 * value / top:.1f}%"

    parts = [tag("i", class_="value", style=f"left:{at(range_.value)}")]
    if range_.width:
        parts.insert(0, tag("i", class_="range", style=f"left:{at(range_.low)};width:{at(range_.width)}"))
    return tag("div", *parts, class_="bar", aria_hidden="true")


# ---------------------------------------------------------------- considerations


def gates(assessment: Assessment) -> Html:
    """The deal-breakers that hold or may hold, as cards; nothing if there is none."""
    listed = content.gates(assessment)
    if not listed:
        return Html()
    return tag("section", tag("h2", f"{content.GATES} ({len(listed)})"), *map(_gate, listed), class_="group gates")


def _gate(gate: GateResult) -> Html:
    text = tag(
        "div",
        tag("h3", gate.title),
        tag("p", f"{gate.reason} {content.gate_effect(gate)}", class_="reason alien"),
        *map(quoted, gate.quotes[:_QUOTES]),
        *_more_quotes(gate.quotes[_QUOTES:]),
        tag("p", f"In the article: {gate.source}", class_="source"),
        class_="text",
    )
    state = tag("p", tag("strong", capital(content.GATE_STATES[gate.state])), class_="side state")
    return tag("article", text, state, class_=f"card {'against' if gate.state == 'holds' else 'open'}")


def considerations(assessment: Assessment) -> Html:
    """Every consideration as a card, in its groups; what does not count, folded."""
    sections = [
        tag(
            "section",
            tag("h2", f"{content.GROUPS[name]} ({len(members)})"),
            *map(_card, members),
            class_=f"group {name}",
        )
        for name, members in content.groups(assessment).items()
    ]
    return together(*sections, _uncounted(assessment))


def _card(consideration: ConsiderationResult) -> Html:
    text = tag(
        "div",
        tag("h3", consideration.headline),
        tag("p", consideration.reason, class_="reason alien"),
        *map(quoted, consideration.quotes[:_QUOTES]),
        *_more_quotes(consideration.quotes[_QUOTES:]),
        tag("p", _source(consideration), class_="source"),
        class_="text",
    )
    points = tag(
        "div",
        tag("p", tag("strong", shown_points(consideration.points)), " of 10 points", class_="points"),
        _bar(consideration.points, 10),
        tag("p", content.place(consideration), class_="place"),
        class_="side",
    )
    return tag("article", text, points, class_=f"card {leaning(consideration.points)}")


def _source(consideration: ConsiderationResult) -> str:
    """Where the consideration comes from, after its title where the headline is another."""
    named = "" if consideration.headline == consideration.title else f"{consideration.title}. "
    return f"{named}In the article: {consideration.source}"


def _more_quotes(quotes: Sequence[Quote]) -> list[Html]:
    return [_folded(f"{len(quotes)} more from the pitch", *map(quoted, quotes))] if quotes else []


def _uncounted(assessment: Assessment) -> Html:
    """The considerations of sides on which no problem of the pitch lies."""
    sides = content.uncounted(assessment)
    entries: list[Html] = []
    for side, members in sides.items():
        entries += [tag("p", content.uncounted_line(side)), tag("ul", *map(_briefly, members))]
    return _folded(f"Not counted: {joined([SIDE_TITLES[side] for side in sides])}", *entries) if sides else Html()


def _briefly(consideration: ConsiderationResult) -> Html:
    points = f" {shown_points(consideration.points)} of 10 points. "
    return tag("li", tag("strong", consideration.title), points, tag("span", consideration.reason, class_="alien"))


# ---------------------------------------------------------------- what to ask, what would change it


def questions(assessment: Assessment) -> Html:
    """The questions for the founder after those of the first screen; those that settle little are folded away."""
    listed = content.questions(assessment)
    if not assessment.questions or assessment.scores is None:
        return Html()
    width = assessment.scores.overall.width
    lead = (
        f"The overall score has a range of {number(width)} points. The number after a question says by how many of "
        "them an answer narrows it, on average."
        if width
        else "No answer changes the overall score."
    )
    rest = Shown(listed.first[_ASKED:], listed.rest)
    rows = _listed(rest, lambda question: _question(assessment, question), "questions")
    return (
        tag("section", tag("h2", "More to ask"), tag("p", lead, class_="lead"), *rows, class_="asks")
        if rows
        else Html()
    )


def _question(assessment: Assessment, question: Question) -> Html:
    settled = content.settled_gates(assessment, question)
    words = tag("span", question.question, *([tag("small", settled, class_="settled")] if settled else []))
    return tag("li", words, tag("span", f"{number(question.settles)} points", class_="figure"))


def changes(assessment: Assessment, rulebook: Rulebook) -> Html:
    """What the overall score would be if one known thing were different, the largest change first."""
    listed = content.changes(assessment)
    if not listed.first or assessment.scores is None:
        return Html()
    now = assessment.scores.overall
    return tag(
        "section",
        tag("h2", "What would change the score"),
        tag("p", f"The overall score is {shown(now)}. If one thing were different, it would be:", class_="lead"),
        *_listed(listed, lambda change: _change(change, now, rulebook), "changes"),
        class_="changes",
    )


def _change(change: Change, now: Range, rulebook: Rulebook) -> Html:
    words = rulebook.inputs[change.signal].found
    by = change.overall.value - now.value
    direction = "for" if by > 0 else "against" if by < 0 else "open"
    step = f"{by:+.0f}".replace("-", "\N{MINUS SIGN}") if round(by) else "\N{PLUS-MINUS SIGN}0"
    step_words = tag(
        "span",
        tag("span", capital(words[change.before]), class_="before"),
        tag("span", " \N{RIGHTWARDS ARROW} ", class_="arrow", aria_label="if instead"),
        tag("strong", words[change.after]),
    )
    figures = tag("span", shown(change.overall), " ", tag("b", step, class_=direction), class_="figure")
    return tag("li", step_words, figures)


def _listed(entries: Shown[_Entry], row: Callable[[_Entry], Html], what: str) -> list[Html]:
    """The first entries as a list, the rest folded."""
    parts = [tag("ol", *map(row, entries.first), class_="rows")] if entries.first else []
    if entries.rest:
        more = f"{len(entries.rest)} more {what if len(entries.rest) > 1 else what.removesuffix('s')}"
        parts.append(_folded(more, tag("ol", *map(row, entries.rest), class_="rows")))
    return parts


# ---------------------------------------------------------------- signals


def signals(assessment: Assessment) -> Html:
    """Everything that was read from the pitch or edited since, with basis and quotes; edits are listed first."""
    rows = [_row(row) for row in content.signal_rows(assessment)]
    if silent := content.silent(assessment):
        names = tag("td", *_dotted(tag("span", title(name), id=anchor(name)) for name in silent), colspan="3")
        rows.append(tag("tr", tag("th", "Not stated", scope="row"), names, class_="missing"))
    head = tag("tr", *(tag("th", text, scope="col") for text in ("Signal", "Value", "Basis", "Quotes")))
    table = scrolling(tag("table", tag("thead", head), tag("tbody", *rows)), "What the pitch says")
    edits = [tag("ul", *map(_edit, assessment.edits), class_="edits")] if assessment.edits else []
    agreed = [tag("p", text, class_="lead")] if (text := content.agreement(assessment)) else []
    return tag("section", tag("h2", "What the pitch says"), *agreed, *edits, table, class_="signals")


def _row(row: SignalRow) -> Html:
    """One row; the first of a signal is where links to it lead."""
    value = [tag("span", capital(row.value), class_="found alien")]
    if row.meaning:
        value.append(tag("small", row.meaning, class_="alien"))
    head = tag("th", tag("span", row.label, class_=f"key {FAMILY_OF[row.signal]}"), scope="row")
    cells = (head, tag("td", *value), tag("td", capital(row.basis)), tag("td", *map(quoted, row.quotes)))
    return tag("tr", *cells, **({"id": anchor(row.signal)} if row.first else {}))


def _dotted(parts: Iterable[Html]) -> Iterable[str]:
    for at, part in enumerate(parts):
        yield " \N{MIDDLE DOT} " if at else ""
        yield part


def _edit(edit: Edit) -> Html:
    """An edited signal: its title, what it is now, and what was read."""
    name, before, after = (tag("span", text, class_="alien") for text in content.edit_words(edit))
    return tag("li", tag("strong", name), ": ", after, " (read: ", before, ")")


def players(assessment: Assessment) -> Html:
    """The players in the field by kind: first those the pitch names, then those only the market map lists."""
    if not assessment.players:
        return Html()
    groups = [
        _players_of_kind([player for player in assessment.players if player.kind == kind])
        for kind in dict.fromkeys(player.kind for player in assessment.players)
    ]
    unnamed = len(content.unnamed(assessment))
    lead = f"{len(assessment.players) - unnamed} named in the pitch, {unnamed} more in the market map."
    return tag("section", tag("h2", "Who else is there"), tag("p", lead, class_="lead"), *groups, class_="players")


def _players_of_kind(members: Sequence[Player]) -> Html:
    first = members[0]
    parts = [tag("h3", f"{_KINDS.get(first.kind, capital(word(first.kind)))} ({len(members)})")]
    if first.good:
        parts.append(tag("p", f"As competitors, usually good at: {first.good}. Weaker at: {first.bad}.", class_="kind"))
    named, others = ([player for player in members if player.named is named] for named in (True, False))
    parts += [tag("ul", *map(_player, named))] if named else []
    if others:
        parts.append(_folded(f"{len(others)} not named in the pitch", tag("ul", *map(_player, others))))
    return tag("div", *parts, class_="of-kind")


def _player(player: Player) -> Html:
    known = f" {player.known_for}" if player.known_for else ""
    dated = f" ({player.as_of})" if player.as_of else ""
    alias = f", {player.known_as} in the market map." if player.known_as not in (None, player.name) else "."
    about = tag("span", f"{alias}{known}{dated}", class_="kind")
    return tag("li", tag("strong", player.name, class_="alien"), about, *map(quoted, player.quotes))


def made(assessment: Assessment) -> Html:
    """Who read it, by which rules, at what cost."""
    return tag("p", capital(content.provenance(assessment)), class_="provenance")


# ---------------------------------------------------------------- small parts


def _folded(summary: str, *content: str) -> Html:
    return tag("details", tag("summary", summary), *content)


def scrolling(table: Html, name: str) -> Html:
    """A table that scrolls within itself where the screen is narrow, also by keyboard."""
    return tag("div", table, class_="scrolling", role="region", aria_label=name, tabindex="0")
