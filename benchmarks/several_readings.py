"""What several readings are worth: one against the vote of three, and how often the settled score is in the range.

Nothing is asked here: the readings of the reading set are recordings; of the real texts, values and votes are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any, Final

from analyzer import Assessment, compare
from analyzer.agreement.competitors import competitor_kinds
from analyzer.errors import MissingRecording
from analyzer.files.manual_scores import ManualScore, ManualScores, manual_signals, read_manual
from analyzer.framework.assessment import PitchRef
from analyzer.framework.market import MarketMap
from analyzer.framework.one_pitch import score
from analyzer.reading.pitch import Pitch
from analyzer.reading.readers import PanelReaders
from analyzer.reading.spending import cost_of
from analyzer.resources import resource
from analyzer.runs.one import assess
from analyzer.settings import KEYWORDS, RECORDED, Settings
from analyzer.vocabulary.signals import SIGNALS, Signals
from benchmarks.real_texts.figures import RealTexts, number_of, read_readings, together
from benchmarks.real_texts.texts import HERE

PRICED_AS: Final = "openai/gpt-6-luna"
K: Final = 3
VOTES: Final = HERE / "votes.jsonl"
"""The combined readings of real texts, without quotes."""
_SETTLED: Final = "settled"
_WORDS: Final = {"quotes", "quote", "product", "summary", "statement"}
_SCORED: Final = ("stage", "focus", "persona", *SIGNALS)


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of some texts, the first and all combined, and the manual scores that they are held against."""

    title: str
    first: Sequence[Assessment]
    votes: Sequence[Assessment]
    manual: Sequence[ManualScore]
    compared: Sequence[str]
    """The signals whose kappa counts."""


def reading_set() -> Readings | None:
    """The reading set by its recordings; None if second and third readings are not recorded."""
    paths = sorted((resource("fixtures") / "reading").glob("*.txt"))
    pitches = [Pitch.from_text(path.read_text("utf-8"), path.stem) for path in paths]
    settings = Settings(recordings=resource("fixtures") / "recordings", readings=K)
    readers = PanelReaders((RECORDED,), settings)
    try:
        first = [assess(pitch, readers.reader_for(pitch, 1)) for pitch in pitches]
        votes = [assess(pitch, readers.reader_for(pitch)) for pitch in pitches]
    except MissingRecording:
        return None
    rows = [row for row in read_manual(resource("fixtures") / "reading_scores.csv").rows if row.rater == _SETTLED]
    return Readings(f"reading set, {len(pitches)} pitches", first, votes, rows, _SCORED)


def real_texts() -> Readings | None:
    """The real texts with even numbers that were read several times; None if there are none."""
    if not VOTES.exists():
        return None
    market = MarketMap.built_in()
    lines = (json.loads(line) for line in VOTES.read_text("utf-8").splitlines())
    votes = {line["pitch_id"]: Signals.model_validate(line["signals"]) for line in lines}
    rows = {row.pitch: row for model, read in read_readings().items() if model != KEYWORDS for row in read}
    names = [name for name in rows if name in votes and number_of(name) % 2 == 0]
    return Readings(
        f"real texts, even numbers, {len(names)}",
        [_judged(name, _signals(rows[name], market), market) for name in names],
        [_judged(name, votes[name], market) for name in names],
        [row for row in read_manual(HERE / "manual_scores.csv").rows if row.pitch in names],
        RealTexts.stored().varying,
    )


def without_words(signals: Signals) -> dict[str, Any]:
    """A combined document as it is kept: values and votes, no word of the text."""
    document: dict[str, Any] = _bare(signals.model_dump(mode="json", exclude_defaults=True))
    return document


def _bare(part: Any) -> Any:
    if isinstance(part, list):
        return [_bare(each) for each in part]
    if not isinstance(part, dict):
        return part
    kept = {name: _bare(value) for name, value in part.items() if name not in _WORDS}
    return kept | ({"statement": ""} if "statement" in part else {})


def section() -> Iterator[str]:
    """The section of the page of measured quality, as Markdown; empty without recorded readings."""
    found = [each for each in (reading_set(), real_texts()) if each is not None]
    if not found:
        return
    yield _NOTE
    yield "| texts | reading | mean kappa | adds | misses | settled score in the range | mean width of the range |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: |"
    for each in found:
        for label, kappa, adds, misses, inside, of, width in _rows(each):
            yield (
                f"| {each.title} | {label} | {kappa:.2f} | {adds:.1%} | {misses:.1%} | "
                f"{inside:.0f} of {of} ({inside / of:.0%}) | {width:.1f} |"
            )
    yield ""
    if found[0].first[0].provenance.usage.requests:
        yield from _costs(found[0])


_NOTE = """\
## Several readings

The same pitches, read three times: the first reading as every reading is, the second and third without temperature 0,
by other conversations of the same model. "Settled score in the range": the overall
score of the settled manual signals lies within the range that is shown, for texts that both have in scope. A range
covers what a text leaves open and what readings disagree on. It does not cover what all readings get wrong alike.
"""


def _rows(readings: Readings) -> Iterator[tuple[str, float, float, float, float, int, float]]:
    for label, read in (("the first", readings.first), ("three, by votes", readings.votes)):
        kappa, adds, misses, inside, of, width = _figures(read, readings.manual, readings.compared)
        yield label, kappa, adds, misses, inside, int(of), width


def _figures(read: Sequence[Assessment], manual: Sequence[ManualScore], names: Sequence[str]) -> tuple[float, ...]:
    """Mean kappa, adds, misses; in how many texts the settled score is in the range, of how many; the range's width."""
    market = MarketMap.built_in()
    compared = compare(
        {"read": list(read)}, ManualScores("settled", tuple(manual)), raters=[manual[0].rater], draws=100
    )
    signals = [compared.signals["read"][name] for name in _SCORED]
    settled = {row.pitch: _judged(row.pitch, _signals(row, market), market).scores for row in manual}
    both = [
        (own.overall.value, each.scores.overall)
        for each in read
        if each.scores is not None and (own := settled.get(str(each.pitch.id))) is not None
    ]
    return (
        mean(kappa for name in names if (kappa := compared.signals["read"][name]["kappa"].value) is not None),
        together([one["overclaimed"] for one in signals]) or 0.0,
        together([one["missed"] for one in signals]) or 0.0,
        sum(score_.low <= value <= score_.high for value, score_ in both),
        len(both),
        mean(score_.high - score_.low for _, score_ in both),
    )


def _costs(readings: Readings) -> Iterator[str]:
    yield "| setting | requests a pitch | tokens sent | answered | 1,000 pitches, USD |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for label, read in (("one reading", readings.first), ("three readings", readings.votes)):
        used = [each.provenance.usage for each in read]
        sent, answered = mean(one.input_tokens for one in used), mean(one.output_tokens for one in used)
        cost = cost_of(PRICED_AS, round(sent * 1000), round(answered * 1000)) or 0.0
        yield f"| {label} | {mean(one.requests for one in used):.1f} | {sent:,.0f} | {answered:,.0f} | {cost:.2f} |"
    yield "\nOn the reading set. Tokens are characters ÷ 4; "
    yield f"priced as {PRICED_AS}, without discounts for cached prompts.\n"


def _signals(row: ManualScore, market: MarketMap) -> Signals:
    kinds, _ = competitor_kinds([row], [], market)
    return manual_signals(row, kinds)


def _judged(name: str, signals: Signals, market: MarketMap) -> Assessment:
    return score(signals, market=market, pitch=PitchRef(id=name, title=name))
