"""What an assessment says, decided once: its title, its groups and their order, what is shown of questions and changes,
and the sentences around them. Terminal, HTML, Markdown and page only render it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Generic, TypeVar

from analyzer.framework.assessment import (
    Assessment,
    Change,
    ConsiderationResult,
    Edit,
    GateResult,
    Player,
    Question,
    ShownVerdict,
    VerdictWord,
    Warning,
)
from analyzer.framework.contested import COMPARED, Votes, contested
from analyzer.framework.rulebook import SIDE_TITLES, SIDES
from analyzer.framework.verdict import Leaning, kind, leaning
from analyzer.patterns import late
from analyzer.vocabulary.labels import capital, joined, title, value_word, word
from analyzer.vocabulary.plain import explained
from analyzer.vocabulary.records import LISTS, SIGNALS, UNKNOWN
from analyzer.vocabulary.signals import Quote, Signals
from analyzer.vocabulary.votes import DECIDES

_Entry = TypeVar("_Entry")

OUT_OF_SCOPE: Final = (
    "Out of scope: this is not a product for people who build, run or improve machine learning. "
    "The framework does not apply, so there is no score."
)
SCOPE_UNDECIDED: Final = (
    "Undecided: as many readings say that this is a product for people who build, run or improve machine learning as "
    "say that it is not, so there is no score."
)
GROUPS: Final[Mapping[Leaning, str]] = {
    "for": "In its favor",
    "against": "Against it",
    "open": "Mixed or unknown",
}
"""The groups of considerations, in the order in which people see them."""
VERDICTS: Final[Mapping[VerdictWord, str]] = {
    "for": "Favorable",
    "against": "Unfavorable",
    "balanced": "Balanced",
    "open": "Open",
}
"""The verdict's word as people read it."""
DRAFT: Final = "Draft"
"""What takes the place of the verdict's word where no model read the pitch."""
SHOWN_VERDICTS: Final[Mapping[ShownVerdict, str]] = {
    "for": VERDICTS["for"],
    "balanced": VERDICTS["balanced"],
    "open": VERDICTS["open"],
    "against": VERDICTS["against"],
    "draft": DRAFT,
}
"""What a row of many pitches shows, in words."""
RANGE: Final = (
    "A range covers what the pitch leaves open and, with several readings, what they disagree on. It holds every score "
    "that some answer gives, and says nothing of how likely its ends are.",
    "It does not cover what all readings get wrong alike, a claim that is false, or another opinion of the weights.",
)
"""What a range covers, and what it does not."""
GATES: Final = "Deal-breakers"
GATE_STATES: Final[Mapping[str, str]] = {"holds": "holds", "open": "possible", "clear": "does not apply"}
"""The state of a gate as people read it."""
_OTHER_SIDES: Final[Mapping[str, str]] = {"day_1": "day 2", "day_2": "day 1", "ml": "engineering", "engineering": "ML"}
_ORIGINS: Final[Mapping[str, str]] = {
    "ocr": "read by OCR",
    "notes": "from the notes",
    "comments": "from a comment",
    "history": "from an earlier message",
    "signature": "from the signature",
}
"""Where words come from that are not the document's own text."""
_DOUBTS: Final[Mapping[str, str]] = {
    "many_signals": "check it: its sentence carries many signals",
    "only_name": "check it: it only repeats the product's name",
    "lacking": "check it: it lacks what this value needs",
    "unclear": "check it: a second look could not tell",
}
"""Why a quote should be checked, in words."""
WARNINGS: Final[Mapping[str, str]] = {
    "rough_reader": "read without a model",
    "ungrounded": "a quote is not in the pitch",
    "unsupported": "a quote to check",
    "one_sentence": "one sentence carries most of it",
    "taken_back": "a second look took a value back",
    "doubtful": "a second look could not tell",
    "unverified": "no second look, or in part",
    "instructions": "addresses its reader",
    "disqualified": "much of it addresses its reader",
    "hidden_characters": "hidden characters",
    "dropped": "part of the answer was left out",
    "adjusted": "the answer was adjusted",
    "usage": "the token counts cannot be right",
    "not_kept": "the answer was not saved",
    "reworded": "recorded with another wording",
    "unread": "parts were not read",
    "ocr": "read from pictures",
    "readings": "not all readings came",
    "scope": "readings differ on the scope",
}
"""The kinds of warnings, in a few words for a row of many pitches."""
_WORDS: Final = {
    **{value: word(value) for spec in SIGNALS.values() for value in spec.values if "_" in value},
    **{name: title(name)[:1].lower() + title(name)[1:] for name in SIGNALS if "_" in name},
}
_CODES: Final = late(rf"\b(?:{'|'.join(_WORDS)})\b(?!\.\w)")
"""Names and values of signals that can be nothing but that."""
_LONGEST_NAME: Final = 60
"""Characters of a product's name; what is longer is a sentence."""
_FEWEST, _TELLING = 2, 3
_MIDDLE: Final = 5.0
"""Points that speak neither for a product nor against it."""
TOP: Final = 5
"""Questions and changes shown at once; the rest is folded or counted."""


@dataclass(frozen=True, slots=True)
class Shown(Generic[_Entry]):
    """A list of which people see the first entries at once, and the rest on request."""

    first: Sequence[_Entry]
    rest: Sequence[_Entry]

    def __iter__(self) -> Iterator[_Entry]:
        return iter((*self.first, *self.rest))


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One row of the table of signals: which signal, its label and value in words, what the value means, the basis, and
    the quotes. `first`: no earlier row belongs to the same signal."""

    signal: str
    label: str
    value: str
    meaning: str
    basis: str
    quotes: Sequence[Quote]
    first: bool = True


def heading(assessment: Assessment) -> str:
    """The title of an assessment: the product's name as it was read, else the title of the pitch."""
    name = " ".join(assessment.signals.product.split())
    return (name if len(name) <= _LONGEST_NAME else "") or assessment.pitch.title or "Untitled pitch"


def subtitle(assessment: Assessment) -> str:
    """The title of the pitch, where it says more than the heading; else empty."""
    title_ = assessment.pitch.title or ""
    return "" if title_.casefold() == heading(assessment).casefold() else title_


def summary(assessment: Assessment) -> str:
    """The pitch in one sentence; empty where it would repeat the title."""
    known = [" ".join(text.split()) for text in (assessment.pitch.title or "", heading(assessment))]
    words = " ".join(assessment.signals.summary.split())
    return "" if any(text.startswith(words.removesuffix(".")) for text in known) else assessment.signals.summary


def draft_note(assessment: Assessment) -> str:
    """How far to trust the range of a draft, as measured; empty for what is none, and out of scope."""
    if not assessment.is_draft or assessment.scores is None:
        return ""
    inside, of = _draft_figures()
    return (
        "Read by cue phrases, without a model: check every value and quote. "
        f"In {inside} of {of} real texts the settled score lay inside the range of such a draft."
    )


@cache
def _draft_figures() -> tuple[int, int]:
    """Written by docs/generate.py from benchmarks/real_texts."""
    figures = json.loads(files("analyzer.views").joinpath("draft.json").read_text(encoding="utf-8"))
    return figures["inside"], figures["of"]


def statement(assessment: Assessment) -> str:
    """The verdict's sentences; of a draft the score without a verdict; out of scope, that the framework does not
    apply."""
    if assessment.verdict is None:
        return SCOPE_UNDECIDED if is_undecided(assessment) else OUT_OF_SCOPE
    if assessment.is_draft:
        return f"{DRAFT}: {verdict_line(assessment)} {draft_note(assessment)}"
    return assessment.verdict.sentence


def verdict_word(assessment: Assessment) -> str:
    """The verdict in one word; out of scope, that it is."""
    if assessment.verdict is None:
        return "Undecided" if is_undecided(assessment) else "Out of scope"
    return DRAFT if assessment.is_draft else VERDICTS[assessment.verdict.word]


def tone(assessment: Assessment) -> str:
    """The class of the verdict's color: its word, "open" for a draft and out of scope."""
    return "open" if assessment.verdict is None or assessment.is_draft else assessment.verdict.word


def tone_of(shown: ShownVerdict) -> str:
    """The class of the color of what a row of many pitches shows."""
    return "open" if shown == "draft" else shown


def verdict_line(assessment: Assessment) -> str:
    """What the verdict's word rests on, in one line: the score, its range, and the product's kind."""
    if assessment.scores is None or assessment.quadrant is None:
        return capital(statement(assessment).partition(": ")[2])  # the word says the rest
    overall = assessment.scores.overall
    between = f", between {overall.low:.0f} and {overall.high:.0f}" if overall.width else ""
    return f"{overall.value:.0f} of 100{between}. {kind_of(assessment)}."


def kind_of(assessment: Assessment) -> str:
    """The product's kind in words; empty out of scope."""
    return "" if assessment.quadrant is None else kind(assessment.quadrant, contested(assessment.signals))


def telling(assessment: Assessment) -> list[ConsiderationResult]:
    """The two or three considerations that count most in the verdict: those that speak for the product or against it,
    by their share and how clearly they speak, and one of each if there is one. Where fewer than two speak, the
    weightiest of the open ones join them."""
    counted = sorted(
        (c for c in assessment.considerations if c.share > 0), key=lambda c: -c.share * abs(c.points.value - _MIDDLE)
    )
    speaking = [c for c in counted if leaning(c.points) != "open"]
    first = speaking[:_TELLING]
    other = next((c for c in speaking[_TELLING:] if leaning(c.points) != leaning(first[0].points)), None)
    if other is not None and len({leaning(c.points) for c in first}) == 1:
        first[-1] = other
    open_ = [c for c in counted if leaning(c.points) == "open"]
    return [*first, *open_[: max(0, _FEWEST - len(first))]]


def agreement(assessment: Assessment) -> str:
    """How far the readings agree that were combined, and what they differ on; empty for a single reading."""
    signals = assessment.signals
    scope = signals.scope
    readings = signals.readings if scope is None else scope.in_scope + scope.out_of_scope
    if readings == 1:
        return ""
    found = contested(signals)
    total = len(COMPARED)
    if not found:
        return f"All {readings} readings agree on all {total} signals."
    named = joined([title(name) for name in found])
    return f"{readings} readings agree on {total - len(found)} of {total} signals. They differ on: {named}."


def _voted(value: str, votes: int, signals: Signals) -> str:
    """An entry of a list that not every reading has, with its votes."""
    total = signals.readings
    return f"{value} ({votes} of {total} readings)" if votes < total else value


def votes_in_words(name: str, votes: Votes) -> str:
    """Votes in words: "claimed (2 of 3 readings); measured (1)"."""
    (value, count), *others = votes
    total = sum(number for _, number in votes)
    first = f"{value_word(name, value)} ({count} of {total} readings)"
    return "; ".join([first, *(f"{value_word(name, other)} ({number})" for other, number in others)])


def said(assessment: Assessment) -> str:
    """How much of the score the pitch answers; empty out of scope."""
    return "" if assessment.said is None else f"The pitch answers {assessment.said:.0%} of what the score rests on."


def is_undecided(assessment: Assessment) -> bool:
    """Whether as many readings say that the framework applies as say that it does not."""
    scope = assessment.signals.scope
    return scope is not None and scope.tied and not assessment.in_scope


def gates(assessment: Assessment) -> list[GateResult]:
    """The deal-breakers that apply or may apply, those that hold first."""
    return [gate for state in ("holds", "open") for gate in assessment.gates if gate.state == state]


def gate_effect(gate: GateResult) -> str:
    """What a gate means for the verdict."""
    limit = VERDICTS[gate.ceiling].lower()
    return (
        f"The verdict is at most {limit}."
        if gate.state == "holds"
        else f"Where the deal-breaker holds, the verdict is at most {limit}."
    )


def settled_gates(assessment: Assessment, question: Question) -> str:
    """The deal-breakers that an answer could settle, in words; empty if there is none."""
    titles = [gate.title for gate in assessment.gates if gate.id in question.gates]
    return f"Could settle a deal-breaker: {'; '.join(titles)}." if titles else ""


def warning_text(warning: Warning) -> str:
    """A warning in words, with the signal that it is about."""
    message = _CODES.sub(lambda code: _WORDS[code.group()], warning.message)
    if _CODES.match(warning.message):
        message = capital(message)
    return f"{message} ({title(warning.signal)})" if warning.signal else message


def warning_kinds(kinds: Iterable[str]) -> str:
    """What a pitch's warnings are about, for a row of many pitches; empty if it has none."""
    return "; ".join(dict.fromkeys(WARNINGS.get(kind, word(kind)) for kind in kinds))


def quote_place(quote: Quote) -> str:
    """What follows a quote: its place in a document and why to check it, " (page 3, read by OCR)"; empty where there is
    nothing to say."""
    parts = [
        f"source {quote.source}" if quote.source else "",
        f"page {quote.page}" if quote.page else "",
        _ORIGINS.get(quote.origin or "", ""),
        _DOUBTS.get(quote.doubt or "", ""),
    ]
    known = ", ".join(filter(None, parts))
    return f" ({known})" if known else ""


def groups(assessment: Assessment) -> dict[Leaning, list[ConsiderationResult]]:
    """The considerations that count, by group, those with the largest share first; no group is empty."""
    counted = sorted((c for c in assessment.considerations if c.share > 0), key=lambda c: -c.share)
    members: dict[Leaning, list[ConsiderationResult]] = {
        name: [c for c in counted if leaning(c.points) == name] for name in GROUPS
    }
    return {name: group for name, group in members.items() if group}


def uncounted(assessment: Assessment) -> dict[str, list[ConsiderationResult]]:
    """The considerations that do not count because no problem of the pitch is on their side, by side."""
    members = {side: [c for c in assessment.considerations if c.side == side and c.share == 0] for side in SIDES}
    return {side: group for side, group in members.items() if group}


def uncounted_line(side: str) -> str:
    """Why a side does not count."""
    return f"{SIDE_TITLES[side]} does not count: every problem in the pitch is one of {_OTHER_SIDES[side]}."


def place(consideration: ConsiderationResult) -> str:
    """Where a consideration belongs and how much it counts: "Day 2, 12% of the overall score"."""
    return f"{SIDE_TITLES[consideration.side]}, {consideration.share:.0%} of the overall score"


def questions(assessment: Assessment) -> Shown[Question]:
    """The open questions, first those whose answer narrows the score's range most; an answer that narrows nothing is
    never among the first."""
    telling = [question for question in assessment.questions if question.settles > 0][:TOP]
    return Shown(telling, [question for question in assessment.questions if question not in telling])


def changes(assessment: Assessment) -> Shown[Change]:
    """What would change the score, the largest change first; nothing out of scope."""
    found = assessment.changes if assessment.scores is not None else ()
    return Shown(found[:TOP], found[TOP:])


def unnamed(assessment: Assessment) -> list[Player]:
    """The players of the market map that the pitch does not name as competitors."""
    return [player for player in assessment.players if not player.named]


def signal_rows(assessment: Assessment) -> list[SignalRow]:
    """Everything that is known of the pitch: lists first, then each signal that has a value."""
    signals = assessment.signals
    rows = []
    for at, problem in enumerate(signals.problems):
        label, value = "Main problem" if problem.primary else "Problem", f"{word(problem.stage)}, {word(problem.focus)}"
        value = _voted(value, problem.votes, signals)
        rows.append(SignalRow("problems", label, value, problem.statement, "", _known(problem.quote), not at))
    for at, persona in enumerate(signals.personas):
        label = "User" if at else "Main user"
        value = _voted(word(persona.role), persona.votes, signals)
        rows.append(SignalRow("personas", label, value, "", "", _known(persona.quote), not at))
    for at, competitor in enumerate(signals.competitors):
        quotes = _known(competitor.quote)
        name = _voted(competitor.name, competitor.votes, signals)
        rows.append(SignalRow("competitors", "Competitor", name, word(competitor.kind), "", quotes, not at))
    differing = contested(signals)
    for name, part in _DERIVED_FROM.items():
        if name in differing:
            rows.append(SignalRow(part, title(name), votes_in_words(name, differing[name]), "", "", (), first=False))
    for name, spec in SIGNALS.items():
        signal = signals.single(name)
        if signal.known or signal.also:
            value, meaning = value_word(name, str(signal.value)), explained(name, str(signal.value))
            if name in differing:
                value = votes_in_words(name, differing[name])
            rows.append(SignalRow(name, spec.title, value, meaning, word(signal.basis), signal.quotes))
    return rows


def silent(assessment: Assessment) -> list[str]:
    """The lists and signals that the pitch does not state."""
    signals = assessment.signals
    return [
        *(name for name in LISTS if name in type(signals).model_fields and not getattr(signals, name)),
        *(name for name in SIGNALS if not signals.single(name).known and not signals.single(name).also),
    ]


def edited_line(edits: Sequence[Edit]) -> str:
    """Which signals a person changed after they were read."""
    return f"Edited after reading: {joined([title(edit.signal) for edit in edits])}."


def edit_words(edit: Edit) -> tuple[str, str, str]:
    """An edited signal in words: its title, what was read, and what it is now."""
    return title(edit.signal), _content(edit.signal, edit.before), _content(edit.signal, edit.after)


def provenance(assessment: Assessment) -> str:
    """Who read, by which rules, at what cost, in one line."""
    made, usage = assessment.provenance, assessment.provenance.usage
    parts = [f"rulebook {made.rulebook.version} ({made.rulebook.sha256[:8]})", f"pitch-analyzer {made.analyzer}"]
    if made.reader.model:
        times = f" ({len(made.reader.readings)} readings)" if made.reader.readings else ""
        parts.insert(0, f"read by {made.reader.model}{times}")
    if made.reader.verifier is not None:
        parts.insert(1, f"checked by {made.reader.verifier.model}")
    if usage.requests:
        cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
        cost = f"${usage.cost_usd:.4f}" if usage.cost_usd is not None else "price unknown"
        parts.append(f"{usage.input_tokens:,}{cached} + {usage.output_tokens:,} tokens, {cost}")
    return " · ".join(parts)


_DERIVED_FROM: Final[Mapping[str, str]] = {name: part for part in LISTS if part in DECIDES for name in DECIDES[part]}
"""The list that decides each derived input, whose color it has."""


def _known(*quotes: Quote | None) -> list[Quote]:
    return [quote for quote in quotes if quote is not None]


def _content(name: str, field: Any) -> str:
    """The content of a field of a signals document."""
    if isinstance(field, bool):
        return "yes" if field else "no"
    if isinstance(field, dict):
        return value_word(name, str(field["value"])) if "value" in field else ", ".join(map(title, field))
    return "; ".join(_entries(field or ())) or word(UNKNOWN)


def _entries(field: Iterable[dict[str, Any]]) -> Iterable[str]:
    for entry in field:
        if "stage" in entry:
            yield f"{word(entry['stage'])}, {word(entry['focus'])}"
        elif "role" in entry:
            yield word(entry["role"])
        else:
            yield f"{entry['name']} ({word(entry['kind'])})"
