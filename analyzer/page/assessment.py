"""An assessment as the page shows it: one function for each part, from an assessment to markup.

Nothing is decided here. Points, shares, verdict and sentences come from the assessment; this module groups, orders and
escapes. A bare number stands only where nothing is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from analyzer.framework.assessment import (
    Assessment,
    Change,
    ConsiderationResult,
    Edit,
    Player,
    Question,
    Range,
    Warning,
)
from analyzer.framework.rulebook import SIDE_TITLES, SIDES, Rulebook, Side
from analyzer.framework.verdict import LEANINGS, grouped, leaning
from analyzer.views.content import edit_words
from analyzer.views.html import Html, tag, together
from analyzer.views.numbers import number, shown, shown_points
from analyzer.views.passages import anchor, pitch_text, quoted
from analyzer.views.quadrant import Other, quadrant
from analyzer.views.terminal import provenance
from analyzer.vocabulary.labels import FAMILY_OF, capital, joined, title, word
from analyzer.vocabulary.signals import SIGNALS, Quote

_VERDICTS: Final = {"for": "For", "against": "Against", "balanced": "Balanced", "open": "Open"}
_KINDS: Final = {
    "startup": "Startups",
    "open_source": "Open source",
    "cloud_vendor": "Cloud vendors",
    "established_vendor": "Established vendors",
    "in_house": "Built in-house",
    "manual_process": "Done by hand",
}
_OTHER_SIDE: Final[dict[Side, Side]] = {
    "day_1": "day_2",
    "day_2": "day_1",
    "ml": "engineering",
    "engineering": "ml",
}
_TOP: Final = 5
"""Questions and changes shown before the rest is folded away."""
_QUOTES: Final = 2
"""Quotes of a consideration shown before the rest is folded away."""


# ---------------------------------------------------------------- what has to be known first


def cautions(assessment: Assessment, note: str | None) -> Html:
    """How it was read, where that was not the visitor's choice, and all that should make one read on with care."""
    parts = [tag("p", note, class_="pa note", role="note")] if note else []
    if assessment.warnings:
        entries = tag("ul", *map(_warning, assessment.warnings))
        parts.append(tag("section", tag("h2", "Before you read on"), entries, class_="pa cautions", role="note"))
    return together(*parts)


def _warning(warning: Warning) -> Html:
    about = f" ({title(warning.signal)})" if warning.signal else ""
    message = tag("span", f"{warning.message}{about}")
    return tag("li", message, quoted(warning.quote)) if warning.quote else tag("li", message)


def headline(assessment: Assessment) -> Html:
    """The pitch, what it is, and the verdict; out of scope, that it is."""
    word_, tone = verdict_word(assessment)
    sentence = (
        "This is not a product for people who build, run or improve machine learning. "
        "The framework does not apply to it, so there is no score."
    )
    if assessment.verdict is not None:
        sentence = assessment.verdict.sentence
    parts = [tag("h2", assessment.pitch.title or assessment.signals.product or "Untitled pitch", class_="alien")]
    if assessment.signals.summary not in ("", assessment.pitch.title):
        parts.append(tag("p", assessment.signals.summary, class_="summary alien"))
    by_hand = tag("p", _edited_line(assessment.edits), class_="edited") if assessment.edits else ""
    said = tag("div", tag("p", sentence, class_="sentence"), by_hand)
    parts.append(tag("div", tag("p", word_, class_=f"word {tone}"), said, class_="verdict"))
    return tag("section", *parts, class_="pa head")


def verdict_word(assessment: Assessment) -> tuple[str, str]:
    """The verdict in one word, and the class of its colour."""
    if assessment.verdict is None:
        return "Out of scope", "open"
    return _VERDICTS[assessment.verdict.word], assessment.verdict.word


def _edited_line(edits: Sequence[Edit]) -> str:
    names = joined([title(edit.signal) for edit in edits])
    return f"Changed by hand, not as it was read: {names}."


def overview(assessment: Assessment, others: Sequence[Other]) -> Html:
    """Where the product stands, and what it scores; nothing out of scope."""
    if assessment.position is None:
        return Html()
    place = tag("section", tag("h3", "Where it stands"), quadrant(assessment.position, others), class_="stands")
    return tag("div", place, scores(assessment), class_="pa overview")


def body(assessment: Assessment, rulebook: Rulebook, text: str | None) -> Html:
    """The rest of the assessment beside the pitch, in one piece, so that links lead from one to the other; without the
    pitch where its text is not known."""
    if text is None:
        assessment = without_places(assessment)
    parts = [
        considerations(assessment),
        questions(assessment),
        changes(assessment, rulebook),
        signals(assessment) if assessment.in_scope else "",
        players(assessment) if assessment.in_scope else "",
        made(assessment),
    ]
    judged = tag("div", *parts, class_="judged")
    if text is None:
        return tag("div", judged, class_="pa alone")
    return tag("div", judged, pitch_text(text, assessment), class_="pa beside")


def without_places(assessment: Assessment) -> Assessment:
    """The same with quotes that say nothing of where they stand, for want of the text to lead to."""

    def stripped(found: Any) -> Any:
        if isinstance(found, dict):
            return {name: None if name in ("start", "end") else stripped(value) for name, value in found.items()}
        return [stripped(each) for each in found] if isinstance(found, list) else found

    return Assessment.model_validate(stripped(assessment.model_dump(mode="json", by_alias=True)))


# ---------------------------------------------------------------- scores


def scores(assessment: Assessment) -> Html:
    """Overall, market and sales, each with value and range."""
    if assessment.scores is None:
        return Html()
    found = assessment.scores
    rows = (
        _score("Overall", "market and sales together", found.overall, 100, shown(found.overall)),
        _score("Market case", "what the stage says, day 1 or day 2", found.market, 10, shown_points(found.market)),
        _score("Sales case", "what the focus says, ML or engineering", found.sales, 10, shown_points(found.sales)),
    )
    return tag("section", tag("h3", "What it scores"), *rows, class_="scores")


def _score(name: str, meaning: str, score: Range, top: int, text: str) -> Html:
    value, _, rest = text.partition(", ")
    label = tag("p", tag("strong", name), " ", tag("small", meaning), class_="label")
    scale = f"{rest} of {top}" if rest else f"of {top}"
    figures = tag("p", tag("span", value, class_="value"), " ", tag("span", scale, class_="range"), class_="figures")
    return tag("div", label, figures, _bar(score, top), class_="score")


def _bar(range_: Range, top: float) -> Html:
    """The range on a scale from 0 to `top`, the value as a mark; the same is always said in words beside it."""

    def at(value: float) -> str:
        return f"{100 * value / top:.1f}%"

    parts = [tag("i", class_="value", style=f"left:{at(range_.value)}")]
    if range_.width:
        parts.insert(0, tag("i", class_="range", style=f"left:{at(range_.low)};width:{at(range_.width)}"))
    return tag("div", *parts, class_="bar", aria_hidden="true")


# ---------------------------------------------------------------- considerations


def considerations(assessment: Assessment) -> Html:
    """Every consideration as a card, for, against and open, the weightiest first; what does not count, folded."""
    sections = [
        tag("section", tag("h3", f"{LEANINGS[name]} ({len(members)})"), *map(_card, members), class_=f"group {name}")
        for name, members in grouped(assessment.considerations).items()
    ]
    return together(*sections, _uncounted(assessment))


def _card(consideration: ConsiderationResult) -> Html:
    place = f"{SIDE_TITLES[consideration.side]}, {consideration.share:.0%} of the overall score"
    text = tag(
        "div",
        tag("h4", consideration.headline),
        tag("p", consideration.reason, class_="reason alien"),
        *map(quoted, consideration.quotes[:_QUOTES]),
        *_more_quotes(consideration.quotes[_QUOTES:]),
        tag("p", f"{consideration.title}. In the article: {consideration.source}", class_="source"),
        class_="text",
    )
    points = tag(
        "div",
        tag("p", tag("strong", shown_points(consideration.points)), " of 10 points", class_="points"),
        _bar(consideration.points, 10),
        tag("p", place, class_="place"),
        class_="side",
    )
    return tag("article", text, points, class_=f"card {leaning(consideration.points)}")


def _more_quotes(quotes: Sequence[Quote]) -> list[Html]:
    return [_folded(f"{len(quotes)} more from the pitch", *map(quoted, quotes))] if quotes else []


def _uncounted(assessment: Assessment) -> Html:
    """The considerations of sides on which nothing of the product lies."""
    entries: list[Html] = []
    sides: list[str] = []
    for side in SIDES:
        members = [c for c in assessment.considerations if c.side == side and not c.share]
        if members:
            sides.append(SIDE_TITLES[side])
            because = f"{SIDE_TITLES[side]} does not count here, because every problem that the pitch names is one of"
            entries.append(tag("p", f"{because} {_in_sentence(_OTHER_SIDE[side])}."))
            entries.append(tag("ul", *map(_briefly, members)))
    return _folded(f"Does not count here: {joined(sides)}", *entries) if sides else Html()


def _briefly(consideration: ConsiderationResult) -> Html:
    points = f" {shown_points(consideration.points)} of 10 points. "
    return tag("li", tag("strong", consideration.title), points, tag("span", consideration.reason, class_="alien"))


def _in_sentence(side: Side) -> str:
    return SIDE_TITLES[side].replace("Day", "day") if side.startswith("day") else word(side)


# ---------------------------------------------------------------- what to ask, what would change it


def questions(assessment: Assessment) -> Html:
    """The questions for the founder, the most telling first; those that would settle nothing are folded away."""
    if not assessment.questions or assessment.scores is None:
        return Html()
    width = assessment.scores.overall.width
    lead = (
        f"The overall score is open by {number(width)} points; beside each question stands how many of them an answer "
        "settles on average."
        if width
        else "Whatever the answers are, the overall score stays as it is."
    )
    telling = [_question(question) for question in assessment.questions if question.settles]
    others = [_question(question) for question in assessment.questions if not question.settles]
    rows = _top(telling, others, "questions")
    return tag("section", tag("h3", "Ask first"), tag("p", lead, class_="lead"), *rows, class_="asks")


def _question(question: Question) -> Html:
    return tag("li", tag("span", question.question), tag("span", f"{number(question.settles)} points", class_="figure"))


def changes(assessment: Assessment, rulebook: Rulebook) -> Html:
    """What the overall score would be if one known thing were otherwise, the largest change first."""
    if not assessment.changes or assessment.scores is None:
        return Html()
    now = assessment.scores.overall
    rows = [_change(change, now, rulebook) for change in assessment.changes]
    lead = f"The overall score is {shown(now)}. If one thing were otherwise, it would be:"
    return tag(
        "section",
        tag("h3", "What would change it"),
        tag("p", lead, class_="lead"),
        *_top(rows, (), "changes"),
        class_="changes",
    )


def _change(change: Change, now: Range, rulebook: Rulebook) -> Html:
    found = rulebook.inputs[change.signal].found
    by = change.overall.value - now.value
    direction = "for" if by > 0 else "against" if by < 0 else "open"
    step = f"{by:+.0f}".replace("-", "\N{MINUS SIGN}") if round(by) else "\N{PLUS-MINUS SIGN}0"
    words = tag(
        "span",
        tag("span", capital(found[change.before]), class_="before"),
        tag("span", " \N{RIGHTWARDS ARROW} ", class_="arrow", aria_label="if instead"),
        tag("strong", found[change.after]),
    )
    figures = tag("span", shown(change.overall), " ", tag("b", step, class_=direction), class_="figure")
    return tag("li", words, figures)


def _top(rows: Sequence[Html], others: Sequence[Html], what: str) -> list[Html]:
    """The first rows as a list; the rest and the others folded."""
    folded = [*rows[_TOP:], *others]
    parts = [tag("ol", *rows[:_TOP], class_="rows")] if rows else []
    if folded:
        more = f"{len(folded)} more {what if len(folded) > 1 else what.removesuffix('s')}"
        parts.append(_folded(more, tag("ol", *folded, class_="rows")))
    return parts


# ---------------------------------------------------------------- what was read


def signals(assessment: Assessment) -> Html:
    """Everything that was read from the pitch or set by hand, with basis and quotes; what was changed is marked."""
    read = assessment.signals
    rows: list[Html] = []
    for at, problem in enumerate(read.problems):
        name, value = "Main problem" if problem.primary else "Problem", f"{word(problem.stage)}, {word(problem.focus)}"
        rows.append(_row("problems", name, value, problem.statement, "", [problem.quote], first=not at))
    for at, persona in enumerate(read.personas):
        name = "User" if at else "Main user"
        rows.append(_row("personas", name, word(persona.role), "", "", [persona.quote], first=not at))
    for at, rival in enumerate(read.competitors):
        rows.append(_row("competitors", "Alternative", rival.name, word(rival.kind), "", [rival.quote], first=not at))
    for name, spec in SIGNALS.items():
        signal = read.single(name)
        if signal.known:
            value = str(signal.value)
            rows.append(_row(name, spec.title, word(value), spec.meanings[value], signal.basis, signal.quotes))
    silent = [name for name in ("problems", "personas", "competitors") if not getattr(read, name)]
    silent += [name for name in SIGNALS if not read.single(name).known]
    if silent:
        told = tag("td", *_listed(tag("span", title(name), id=anchor(name)) for name in silent), colspan="3")
        rows.append(tag("tr", tag("th", "Not said", scope="row"), told, class_="missing"))
    head = tag("tr", *(tag("th", text, scope="col") for text in ("Signal", "What was found", "Basis", "In the pitch")))
    table = scrolling(tag("table", tag("thead", head), tag("tbody", *rows)), "What the pitch says")
    changed = [tag("ul", *map(_edit, assessment.edits), class_="edits")] if assessment.edits else []
    return tag("section", tag("h3", "What the pitch says"), *changed, table, class_="signals")


def _row(
    signal: str, name: str, value: str, meaning: str, basis: str, quotes: Iterable[Quote | None], first: bool = True
) -> Html:
    """One row; the first of a signal is where links to it lead."""
    found = [tag("span", capital(value), class_="found alien")]
    if meaning:
        found.append(tag("small", meaning, class_="alien"))
    told = [quoted(quote) for quote in quotes if quote is not None]
    head = tag("th", tag("span", name, class_=f"key {FAMILY_OF[signal]}"), scope="row")
    cells = (head, tag("td", *found), tag("td", capital(word(basis))), tag("td", *told))
    return tag("tr", *cells, **({"id": anchor(signal)} if first else {}))


def _listed(parts: Iterable[Html]) -> Iterable[str]:
    for at, part in enumerate(parts):
        yield " \N{MIDDLE DOT} " if at else ""
        yield part


def _edit(edit: Edit) -> Html:
    """A signal changed by hand: its name, what stands now, and what was read."""
    name, before, after = (tag("span", text, class_="alien") for text in edit_words(edit))
    return tag("li", tag("strong", name), ": ", after, ", set by hand; read: ", before)


def players(assessment: Assessment) -> Html:
    """The rivals in the field by kind: those the pitch names first, then those of the market map that it leaves out."""
    if not assessment.players:
        return Html()
    groups = [
        _players_of_kind([player for player in assessment.players if player.kind == kind])
        for kind in dict.fromkeys(player.kind for player in assessment.players)
    ]
    left_out = sum(not player.named for player in assessment.players)
    lead = f"{len(assessment.players) - left_out} named as alternatives, {left_out} more that the market map lists."
    return tag("section", tag("h3", "Who else is there"), tag("p", lead, class_="lead"), *groups, class_="players")


def _players_of_kind(members: Sequence[Player]) -> Html:
    first = members[0]
    parts = [tag("h4", f"{_KINDS.get(first.kind, capital(word(first.kind)))} ({len(members)})")]
    if first.good:
        parts.append(tag("p", f"As rivals here, usually good at: {first.good}. Less so: {first.bad}.", class_="kind"))
    named, others = ([player for player in members if player.named is named] for named in (True, False))
    parts += [tag("ul", *map(_player, named))] if named else []
    if others:
        parts.append(_folded(f"{len(others)} not named as alternatives", tag("ul", *map(_player, others))))
    return tag("div", *parts, class_="of-kind")


def _player(player: Player) -> Html:
    known = f" {player.known_for}" if player.known_for else ""
    dated = f" ({player.as_of})" if player.as_of else ""
    alias = f", {player.known_as} in the market map." if player.known_as not in (None, player.name) else "."
    told = tag("span", f"{alias}{known}{dated}", class_="kind")
    return tag("li", tag("strong", player.name, class_="alien"), told, *map(quoted, player.quotes))


def made(assessment: Assessment) -> Html:
    """Who read it, by which rules, at what cost."""
    return tag("p", capital(provenance(assessment)), class_="provenance")


# ---------------------------------------------------------------- small parts


def _folded(summary: str, *content: str) -> Html:
    return tag("details", tag("summary", summary), *content)


def scrolling(table: Html, name: str) -> Html:
    """A table that scrolls within itself where the screen is narrow, also by keyboard."""
    return tag("div", table, class_="scrolling", role="region", aria_label=name, tabindex="0")
