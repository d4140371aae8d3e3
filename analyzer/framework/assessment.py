"""What the program says of one pitch: the assessment document that files, pages and scripts share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from analyzer.framework.rulebook import Side
from analyzer.late import ShownInNotebooks
from analyzer.settings import KEYWORDS
from analyzer.vocabulary.records import VOCABULARY_VERSION
from analyzer.vocabulary.signals import Quote, Signals

VerdictWord = Literal["for", "against", "balanced", "open"]
ShownVerdict = VerdictWord | Literal["draft"]
"""What people are shown in a list: a verdict, or that there is only a draft, which has none."""


class _AssessmentPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)


class PitchRef(_AssessmentPart):
    """Which pitch this is. None where the signals came without their text."""

    id: str | None = None
    title: str | None = None
    sha256: str | None = None


class Range(_AssessmentPart):
    """A value with its exact range: both ends are reached by some filling-in of what is unknown.

    `value` is the expectation with an unknown's values equally likely, and those read in several ways by their votes.
    Two decimals.
    """

    value: float
    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low


class Position(_AssessmentPart):
    """Where the product stands: stage 0 = day 1, 1 = day 2; focus 0 = ML, 1 = engineering."""

    stage: Range
    focus: Range


class Quadrant(_AssessmentPart):
    """The leans of the position; unknown where no problem says."""

    stage: Literal["day_1", "mixed", "day_2", "unknown"]
    focus: Literal["ml", "mixed", "engineering", "unknown"]


class SideScores(_AssessmentPart):
    """Weighted mean of each side's considerations, in points (0 to 10)."""

    day_1: Range
    day_2: Range
    ml: Range
    engineering: Range


class Scores(_AssessmentPart):
    """`overall` is 0 to 100; `market`, `sales` and the sides are in points, 0 to 10."""

    overall: Range
    market: Range
    sales: Range
    sides: SideScores


class Verdict(_AssessmentPart):
    """The word follows from the range of the overall score and from the gates, never from the value alone."""

    word: VerdictWord
    sentence: str


class ConsiderationResult(_AssessmentPart):
    """One consideration applied: points (0 to 10), its weight within its side, and its share of the overall score.

    `headline` says in a few words which way it went; where the range allows no such word, it is the title.
    """

    id: str
    title: str
    headline: str
    side: Side
    stance: Literal["for", "against"]
    points: Range
    weight: float
    share: float
    reason: str
    quotes: tuple[Quote, ...]
    source: str
    unknown: tuple[str, ...]


class GateResult(_AssessmentPart):
    """A deal-breaker of the rulebook, applied. It changes no score, but limits the verdict.

    `holds`: the verdict is at most `ceiling`. `open`: it would be, depending on `unknown`. `clear`: it does not apply.
    """

    id: str
    title: str
    state: Literal["holds", "open", "clear"]
    ceiling: Literal["against", "balanced"]
    reason: str
    quotes: tuple[Quote, ...]
    source: str
    unknown: tuple[str, ...]


class Question(_AssessmentPart):
    """What to ask about an unknown. `settles`: by how many points of the overall score (0 to 100) an answer narrows
    its range, on average over the possible answers. `gates`: the open gates that it could settle."""

    signal: str
    question: str
    settles: float
    gates: tuple[str, ...] = ()


class Change(_AssessmentPart):
    """What the overall score would be if one known thing were otherwise."""

    signal: str
    before: str = Field(alias="from")
    after: str = Field(alias="to")
    overall: Range


class Player(_AssessmentPart):
    """A competitor in the product's field; `named` if the pitch itself names it.

    `known_as` is its name in the market map, None where the map does not know it; `known_for`, `as_of`, and what its
    kind is `good` and `bad` at where the product stands, are the map's.
    """

    name: str
    kind: str
    named: bool
    quotes: tuple[Quote, ...] = ()
    known_as: str | None = None
    known_for: str | None = None
    as_of: str | None = None
    good: str = ""
    bad: str = ""


DISQUALIFIED: Final = "disqualified"
ONE_SENTENCE: Final = "one_sentence"
OPENS_VERDICT: Final = frozenset({DISQUALIFIED, ONE_SENTENCE})
"""Kinds of warnings after which the verdict is open, whatever the score: the reading itself is in doubt."""


class Warning(_AssessmentPart):
    """Something the reader of this assessment must know. `kind` is a stable word for scripts:

    `rough_reader` · `ungrounded` · `unsupported` (a quote lacks what its value needs, or says little of it) ·
    `one_sentence` (one sentence carries most of all signals; the verdict is open) ·
    `taken_back` (the second look found a value not supported; it is unknown now) · `doubtful` (the second look could
    not tell) · `unverified` (no second look, or none at some values) ·
    `instructions` · `disqualified` (the model set aside too much of the pitch; the verdict is open) ·
    `hidden_characters` · `dropped` · `adjusted` · `usage` (what the server reports of tokens cannot be) · `not_kept`
    (the store failed) · `reworded` (a recording of other wording) · `unread` (parts of a
    document were not read) · `ocr` (pages were read from pictures) · `readings` (not all readings came) · `scope`
    (readings disagree on whether the framework applies).
    """

    kind: str
    message: str
    signal: str | None = None
    quote: Quote | None = None


class UnreadPart(_AssessmentPart):
    """Something in a source that was not read. `kind` is a stable word (`files.document.UNREAD`); `pages` are those
    where it is, empty where that is not known; `message` says it in words."""

    kind: str
    count: int
    pages: tuple[int, ...] = ()
    message: str


class SourceRef(_AssessmentPart):
    """One file that the pitch was read from. `kind` is the ending of such files, "text" for plain text; `pages` is None
    where there are none; `speaker` and `date` are an e-mail's sender and date."""

    id: str
    title: str
    kind: str
    speaker: str | None = None
    date: str | None = None
    sha256: str
    pages: int | None = None
    unread: tuple[UnreadPart, ...] = ()


class Edit(_AssessmentPart):
    """A signal that a person changed after it was read: a field of the signals document, with its content before
    (`from`, as it was read, basis and quotes included) and now (`to`)."""

    signal: str
    before: JsonValue = Field(alias="from")
    after: JsonValue = Field(alias="to")


class RulebookRef(_AssessmentPart):
    version: str
    sha256: str


class MarketRef(_AssessmentPart):
    version: str
    sha256: str


class ReadingRef(_AssessmentPart):
    """One of several readings that were combined: by which model, and which of its readings it is, from 1."""

    model: str
    number: int = 1


class VerifierRef(_AssessmentPart):
    """Who took the second look, which checks values against their quotes, and with what prompt."""

    model: str | None = None
    prompt_sha256: str | None = None


class ReaderRef(_AssessmentPart):
    """Who read the pitch, with what. None where the signals were given. `readings`: those that were combined, empty for
    a single reading; `model` then names each model once, separated by commas. `verifier`: who took a second look; left
    out where nobody did."""

    model: str | None = None
    prompt_sha256: str | None = None
    schema_sha256: str | None = None
    readings: tuple[ReadingRef, ...] = Field(default=(), exclude_if=lambda readings: not readings)
    verifier: VerifierRef | None = Field(default=None, exclude_if=lambda verifier: verifier is None)


class Usage(_AssessmentPart):
    """What reading cost, over all requests for this pitch. `cost_usd` is None where the price is not known."""

    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None


class Provenance(_AssessmentPart):
    """What an assessment was made with. `vocabulary`: the version of the words that its signals are written in."""

    analyzer: str
    vocabulary: int = VOCABULARY_VERSION
    rulebook: RulebookRef
    market: MarketRef
    reader: ReaderRef = ReaderRef()
    usage: Usage = Usage()


class Assessment(ShownInNotebooks, _AssessmentPart):
    """The framework's answer for one pitch. The same signals and rulebook give the same bytes but for `usage`.

    Out of scope: `verdict`, `position`, `quadrant` and `scores` are None and the lists are empty. `signals` are those
    that were scored; where a person changed some, `edits` holds what was read. `said`: the share of the overall score's
    weight that rests on what the pitch says, 0 to 1; None out of scope. `sources` are the files that the pitch was read
    from; empty for a pitch that came as a text.
    """

    pitch: PitchRef
    in_scope: bool
    signals: Signals
    verdict: Verdict | None
    position: Position | None
    quadrant: Quadrant | None
    scores: Scores | None
    said: float | None = None
    considerations: tuple[ConsiderationResult, ...]
    gates: tuple[GateResult, ...] = ()
    questions: tuple[Question, ...]
    changes: tuple[Change, ...]
    players: tuple[Player, ...]
    warnings: tuple[Warning, ...]
    edits: tuple[Edit, ...] = ()
    sources: tuple[SourceRef, ...] = ()
    provenance: Provenance

    @property
    def is_draft(self) -> bool:
        """Whether cue phrases read the pitch, without a model: then people are shown no verdict."""
        return self.provenance.reader.model == KEYWORDS

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """What `repr` shows: which pitch, and what came of it."""
        yield "pitch", self.pitch.title or self.pitch.id
        if self.scores is None or self.verdict is None:
            yield "in_scope", self.in_scope
            return
        yield "verdict", "draft" if self.is_draft else self.verdict.word
        for end in ("value", "low", "high"):
            yield "overall" if end == "value" else end, getattr(self.scores.overall, end)
        yield "questions", len(self.questions)

    def to_json(self, indent: int | None = 2) -> str:
        """The assessment document as JSON, field names as scripts expect them (`from`, `to`)."""
        return self.model_dump_json(by_alias=True, indent=indent)
