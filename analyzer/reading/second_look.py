"""Checks what was read by a second look: one more request that sees what each value means and the sentences of its
quotes, but not the pitch.

A quote that is in the pitch shows that it was copied, not that it says what its value means. A value that its quotes do
not support becomes unknown, with a warning that names it; one that is unclear stays, with a warning. What the second
look does not answer stays as it was read, and that is said too: it can only take values away, and never adds one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from analyzer.errors import (
    AnalyzerError,
    ConfigurationError,
    CostLimitReached,
    ExtractionError,
    ProviderDown,
    ProviderError,
    RunStopped,
)
from analyzer.framework.assessment import VerifierRef, Warning
from analyzer.reading.asking import MAX_ASKS, Conversation
from analyzer.reading.conversation import ModelReader
from analyzer.reading.forms import any_form
from analyzer.reading.forms.look import LOOK, ClaimedValue, Support, answers_in, material
from analyzer.reading.pitch import Pitch
from analyzer.reading.rate_limiter import ONE
from analyzer.reading.reading import Reading
from analyzer.reading.recordings import noting_played, prompt_sha256, reworded_warning
from analyzer.reading.spending import added
from analyzer.reading.splitting import in_context
from analyzer.reading.storing_reader import SinglePitchAnswers, StoringReader
from analyzer.reading.support import support_warnings
from analyzer.reading.unwrapping import unwrapped
from analyzer.vocabulary.labels import capital, joined, title, value_word, word
from analyzer.vocabulary.signals import SIGNALS, UNKNOWN, Quote, Signal, Signals
from analyzer.vocabulary.votes import Vote, without_votes

_ENDS_RUN: Final = (ConfigurationError, ProviderDown, CostLimitReached, RunStopped)
"""Errors that end a run over many pitches: the next run checks what this one could not."""
_NAMED: Final = 6
"""Values that the warning about missing answers names."""

Evidence = Mapping[tuple[str, str], tuple[Quote, ...]]
"""The quotes of values that the document itself holds none for, by signal and value: those of other readings."""


@dataclass(frozen=True, slots=True)
class Judgment:
    """What the second look says of a value. `lacks`: what the quotes do not say, in the model's words; may be empty."""

    support: Support
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Checkable:
    """A value of a signals document with its quotes. `place`: of the entry in its list."""

    part: str
    claim: ClaimedValue
    quotes: tuple[Quote, ...]
    place: int = 0

    @property
    def words(self) -> str:
        """The value as a warning names it."""
        if self.claim.name:
            return f"{self.claim.name} ({word(self.claim.value)})"
        return value_word(self.claim.field, self.claim.value)


def checkables(signals: Signals, text: str, evidence: Evidence | None = None) -> list[Checkable]:
    """Every value of the document that has a quote, in the order in which it is asked about. `text`: the pitch."""
    return list(_checkables(signals, text, evidence or {}))


def in_sentences(quotes: Sequence[Quote], text: str) -> tuple[str, ...]:
    """The sentences that the quotes are from, each once: a quote may be narrowed to a few words, which alone do not say
    what they speak of."""
    return tuple(dict.fromkeys(_in_sentence(quote, text) for quote in quotes))


def _in_sentence(quote: Quote, text: str) -> str:
    if quote.start is None or quote.end is None or text[quote.start : quote.end] != quote.text:
        return quote.text
    return in_context(text, quote.start, quote.end)


def _checkables(signals: Signals, text: str, evidence: Evidence) -> Iterator[Checkable]:
    def one(part: str, field: str, value: str, quotes: Sequence[Quote], place: int = 0, name: str = "") -> Checkable:
        return Checkable(part, ClaimedValue(field, value, in_sentences(quotes, text), name), tuple(quotes), place)

    for place, problem in enumerate(signals.problems):
        for name, placed in (("stage", problem.stage), ("focus", problem.focus)):
            if problem.quote is not None and placed != "unclear":
                yield one("problems", name, placed, [problem.quote], place)
    for place, persona in enumerate(signals.personas):
        if persona.quote is not None:
            yield one("personas", "role", persona.role, [persona.quote], place)
    for place, competitor in enumerate(signals.competitors):
        if competitor.quote is not None:
            yield one("competitors", "kind", competitor.kind, [competitor.quote], place, competitor.name)
    for name in SIGNALS:
        signal = signals.single(name)
        for value, quotes in [
            (signal.value, signal.quotes),
            *((vote.value, evidence.get((name, vote.value), ())) for vote in signal.also),
        ]:
            if value != UNKNOWN and quotes:
                yield one(name, name, value, quotes)


class SecondLook:
    """Checks readings with the model of `reader`, through its connection, limiter, store and spending."""

    def __init__(self, reader: ModelReader | StoringReader):
        self._reader = reader if isinstance(reader, ModelReader) else reader.model_reader
        self.asked = False
        """Whether the last second look was not answered by the store alone."""
        self.ref = VerifierRef(model=self._reader.ref.model, prompt_sha256=prompt_sha256(LOOK))

    @property
    def notices(self) -> list[str]:
        """As `ModelReader.notices`."""
        return self._reader.notices

    async def judge(self, claims: Sequence[ClaimedValue], title: str | None = None) -> list[Judgment | None]:
        """What the model says of each of these values; None where it says nothing. Raises the errors of
        `ModelReader.read`."""
        found = await _judgments(self._conversation(claims, title), len(claims))
        return [found.get(number) for number in range(1, len(claims) + 1)]

    def _conversation(self, claims: Sequence[ClaimedValue], title: str | None) -> Conversation:
        talk = Conversation(self._reader.asking, any_form(LOOK), material(claims, title))
        self._reader.note_title(talk.pitch)
        return talk

    async def checked(self, reading: Reading, pitch: Pitch, evidence: Evidence | None = None) -> Reading:
        """The reading without the values that their quotes do not support.

        If the model cannot be asked, the reading stays, with a warning. In a run over many, an error that would meet
        every pitch is raised (_ENDS_RUN).
        """
        self.asked = False
        if not reading.signals.in_scope:  # nothing is scored
            return reading
        values = checkables(reading.signals, pitch.text, evidence)
        ref = reading.reader.model_copy(update={"verifier": self.ref})
        if not values:
            return replace(reading, reader=ref)
        talk = self._conversation([value.claim for value in values], pitch.ref.title)
        if isinstance(self._reader.asking.answers, SinglePitchAnswers):
            self._reader.asking.answers.fault = None
        failed: list[Warning] = []
        found: dict[int, Judgment] = {}
        with noting_played() as played:
            try:
                found = await _judgments(talk, len(values))
            except AnalyzerError as error:
                if isinstance(error, _ENDS_RUN) and self._reader.asking.limiter.policy is not ONE:
                    raise
                failed = [_warning("unverified", f"No second look was taken: {_reason(error)}. All values stay.")]
        reworded = reworded_warning(played)
        answers = self._reader.asking.answers
        lost = answers.lost() if isinstance(answers, SinglePitchAnswers) else None
        judged = _Judged(reading.signals, list(zip(values, map(found.get, range(1, len(values) + 1)), strict=True)))
        signals = judged.signals(evidence or {})
        notes = [_warning("usage", note) for note in dict.fromkeys(talk.notes)]
        self.asked = talk.paid > 0
        kept = [warning for warning in (reworded, lost) if warning is not None]
        warnings = (*judged.warnings(), *(failed or judged.unanswered()), *kept, *notes)
        before = support_warnings(reading.signals, pitch.text)
        others = [warning for warning in reading.warnings if warning not in before]
        by_rule = support_warnings(signals, pitch.text, checked=not failed) if signals.in_scope else ()
        return replace(
            reading,
            signals=signals,
            reader=ref,
            warnings=(*others, *by_rule, *warnings),
            usage=added(reading.usage, talk.usage) if talk.usage.requests else reading.usage,
            from_store=reading.from_store and not talk.paid,
        )


@dataclass(slots=True)
class CheckedReader:
    """A reader whose readings get a second look."""

    reader: Any
    look: SecondLook

    @property
    def notices(self) -> list[str]:
        """As `ModelReader.notices`, of both models."""
        return list(dict.fromkeys((*getattr(self.reader, "notices", ()), *self.look.notices)))

    @property
    def from_store(self) -> bool:
        """Whether the last pitch was read and checked without asking."""
        return bool(getattr(self.reader, "from_store", False)) and not self.look.asked

    async def read(self, pitch: Pitch) -> Reading:
        """As the reader's own; the second look raises nothing more for a single pitch."""
        reading = await self.reader.read(pitch)
        return await self.look.checked(reading, pitch, reading.evidence)


async def _judgments(talk: Conversation, count: int) -> dict[int, Judgment]:
    """What the model says of the values 1 to `count`; those that it leaves out are asked about once more, and are
    missing if that does not help. Raises the errors of `ModelReader.read`."""
    text = await talk.ask()
    found = _read(text, count)
    missing = [number for number in range(1, count + 1) if number not in found]
    if missing and talk.asks + talk.empty < MAX_ASKS:
        talk.reply(text, [f"There is no usable answer for {_numbers(missing)}."], [str(number) for number in missing])
        try:
            again = _read(await talk.ask(), count)
        except (ProviderError, ExtractionError):
            if not found:
                raise
        else:
            found |= {number: again[number] for number in missing if number in again}
    if not found:
        await talk.discard()  # so that the next run asks again
        raise ExtractionError("the model did not say of any value whether it is supported, even when asked again")
    talk.asking.order.understood = True
    return found


def _read(text: str, count: int) -> dict[int, Judgment]:
    """The judgments in an answer; a number that has two different ones has none."""
    try:
        document = unwrapped(text, ("answers",))
    except ValueError:
        return {}
    found: dict[int, Judgment] = {}
    contradicted = set()
    for number, support, lacks in answers_in(document):
        if number in found and found[number].support != support:
            contradicted.add(number)
        if 1 <= number <= count:
            found.setdefault(number, Judgment(support, lacks))
    return {number: judgment for number, judgment in found.items() if number not in contradicted}


def _numbers(numbers: Sequence[int]) -> str:
    return f"number{'s' if len(numbers) > 1 else ''} {joined([str(number) for number in numbers])}"


# ---------------------------------------------------------------- what follows


@dataclass(slots=True)
class _Judged:
    """A document's values with what the second look says of each; None where it says nothing."""

    read: Signals
    judged: list[tuple[Checkable, Judgment | None]]
    rejected: dict[str, set[tuple[int, str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for value, judgment in self.judged:
            if judgment is not None and judgment.support == "not_supported":
                key = (value.place, value.claim.field, value.claim.value)
                self.rejected.setdefault(value.part, set()).add(key)

    def signals(self, evidence: Evidence) -> Signals:
        """The document without the values that are not supported."""
        if not self.rejected:
            return self.read
        fields: dict[str, Any] = {name: getattr(self.read, name) for name in type(self.read).model_fields}
        for part, rejected in self.rejected.items():
            if part in SIGNALS:
                fields[part] = _without(part, self.read.single(part), {value for _, _, value in rejected}, evidence)
        fields["problems"] = tuple(self._problems())
        for part in ("personas", "competitors"):
            gone = {place for place, _, _ in self.rejected.get(part, ())}
            fields[part] = tuple(entry for place, entry in enumerate(fields[part]) if place not in gone)
        fields["derived"] = without_votes(self.read.derived, self.rejected)
        return Signals.model_validate(fields)

    def _problems(self) -> Iterator[Any]:
        """The problems with "unclear" for what is not supported. One of which neither stage nor focus holds is left
        out, unless the product is sold for it: then it shows that nothing places the product."""
        rejected = self.rejected.get("problems", set())
        for place, problem in enumerate(self.read.problems):
            gone = {name for at, name, _ in rejected if at == place}
            changed = problem.model_copy(update=dict.fromkeys(gone, "unclear"))
            if problem.primary or not gone or changed.stage != "unclear" or changed.focus != "unclear":
                yield changed

    def warnings(self) -> Iterator[Warning]:
        """A warning for each value that is not supported or unclear."""
        for value, judgment in self.judged:
            if judgment is None or judgment.support == "supported":
                continue
            what = f"{_subject(value)}: {value.words}"
            one = len(value.quotes) == 1
            lacks = f" ({judgment.lacks.rstrip('.')})" if judgment.lacks else ""
            if judgment.support == "unclear":
                support = "its quote supports it" if one else "its quotes support it"
                message = f"{what} is in doubt; a second look could not tell whether {support}{lacks}."
                yield _warning("doubtful", message, value.part, value.quotes[0])
            else:
                support = "its quote does not support it" if one else "its quotes do not support it"
                message = f"{what} was taken back, because {support}{lacks}; {_consequence(value)}."
                yield _warning("taken_back", message, value.part, value.quotes[0])

    def unanswered(self) -> list[Warning]:
        """The warning about values that the second look said nothing about."""
        silent = [value for value, judgment in self.judged if judgment is None]
        if not silent:
            return []
        named = [f"{_subject(value)}: {value.words}" for value in silent[:_NAMED]]
        more = [f"{len(silent) - _NAMED} more"] if len(silent) > _NAMED else []
        stay = "It stays as it was read." if len(silent) == 1 else "They stay as they were read."
        return [_warning("unverified", f"The second look gave no answer about {joined([*named, *more])}. {stay}")]


def _without(name: str, signal: Signal[Any], rejected: set[str], evidence: Evidence) -> dict[str, Any]:
    """A single value whose votes for what is not supported count for unknown."""
    votes = {signal.value: signal.votes} | {vote.value: vote.votes for vote in signal.also}
    lost = sum(votes.pop(value) for value in rejected)
    votes[UNKNOWN] = votes.get(UNKNOWN, 0) + lost
    order = [*SIGNALS[name].values, UNKNOWN]
    (value, count), *others = sorted(votes.items(), key=lambda vote: (-vote[1], order.index(vote[0])))
    content: dict[str, Any] = {
        "value": value,
        "votes": count,
        "also": tuple(Vote(value=other, votes=number) for other, number in others),
    }
    if value == signal.value:
        return {**content, "basis": signal.basis, "quotes": signal.quotes}
    return content if value == UNKNOWN else {**content, "basis": "inferred", "quotes": evidence.get((name, value), ())}


def _subject(value: Checkable) -> str:
    """What a value is about, as people read it."""
    if value.part in SIGNALS:
        return title(value.part)
    if value.part == "problems":
        return f"{capital(value.claim.field)} of problem {value.place + 1}"
    return title(value.part)


def _consequence(value: Checkable) -> str:
    if value.part in SIGNALS:
        return "it counts as unknown"
    return "it is unclear" if value.part == "problems" else "it was removed from the list"


def _warning(kind: str, message: str, signal: str | None = None, quote: Quote | None = None) -> Warning:
    return Warning(kind=kind, message=message, signal=signal, quote=quote)


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")
