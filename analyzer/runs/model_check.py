"""Whether a model can be used, found out by asking it: one tiny reading, or three sample pitches.

`pitch doctor --ask`, `--read` and the page's step for connecting a model show these findings as they come.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from analyzer.errors import (
    AnalyzerError,
    AuthenticationFailed,
    ExtractionError,
    ModelNotFound,
    ModeRejected,
    PitchTooLong,
    ProviderTimeout,
    ProviderUnreachable,
    QuotaExhausted,
)
from analyzer.framework.assessment import Usage
from analyzer.reading import background
from analyzer.reading.conversation import ModelReader
from analyzer.reading.keywords.reader import KeywordReader
from analyzer.reading.pitch import Pitch
from analyzer.reading.readers import Readers
from analyzer.reading.reading import Reading
from analyzer.reading.schema_probe import keeps_schema
from analyzer.reading.spending import cost_of
from analyzer.resources import resource
from analyzer.runs.doctor import Finding
from analyzer.runs.stability import values_of
from analyzer.settings import RECORDED, Settings, asks_a_server
from analyzer.vocabulary.derived import LEANS
from analyzer.vocabulary.labels import title
from analyzer.vocabulary.signals import SIGNALS, Signals

SAMPLES: Final = ("kilnday", "twicetold", "taperline")
"""The sample pitches that `read_samples` has read: short, of different kinds, with recorded answers."""
_TINY: Final = (
    "Wattwise finds GPUs that stand idle in a company's cluster and gives them to waiting training jobs. "
    "Platform engineers install it with Helm in ten minutes. Acme cut its GPU bill by a third."
)
_TYPICAL: Final = (7250, 630)
"""Tokens of a typical request and its answer."""
_COMPARED: Final = (*LEANS, "persona", *SIGNALS)
_UNKNOWN: Final = (None, "unknown")
_SPOKEN: Final = {True: "enforced: answers cannot miss the shape", False: "not enforced: answers are checked instead"}


def ask(model: str, settings: Settings) -> Iterator[Finding]:
    """Have the model read two sentences, and say what that shows: reachable, key, model, mode, context, schema, speed,
    price, and what to change. One or more paid requests; nothing is stored. Never raises an AnalyzerError."""
    if not asks_a_server(model):
        yield Finding("model", True, f"{model} asks no server, so there is nothing to try")
        return
    try:
        reader = ModelReader(model, settings)
    except AnalyzerError as error:
        yield Finding("model", False, str(error))
        return
    pitch = Pitch.from_text(_TINY)
    started = time.monotonic()
    try:
        reading: Reading | AnalyzerError = background.run(reader.read(pitch))
    except AnalyzerError as error:
        reading = error
    seconds = time.monotonic() - started
    if isinstance(reading, AnalyzerError) and not isinstance(reading, ExtractionError):
        yield from _failed(reading, reader)
        return
    yield Finding(
        "reached", True, f"{reader.connection.client.profile.title}: it answers, and accepts the key if it needs one"
    )
    yield from _way(reader)
    yield _window(reader)
    if isinstance(reading, AnalyzerError):
        yield Finding("context" if isinstance(reading, PitchTooLong) else "reading", False, str(reading))
        return
    yield _schema(reader)
    yield _speed(reading.usage, seconds)
    yield _price(model, reader)
    for warning in reading.warnings:
        if warning.kind == "usage":
            yield Finding("usage", True, warning.message)
    yield _tiny_result(reading)


def read_samples(model: str, settings: Settings) -> Iterator[Finding]:
    """Have the model read three sample pitches and compare its values with the recorded answers of a large model.

    The last finding is the verdict, held against the reader without a model on the same pitches. Raises AnalyzerError
    if the model cannot be asked, or does not see the whole prompt.
    """
    recorded = Readers(RECORDED, replace(settings, model=RECORDED))
    reader = Readers(model, settings)
    keywords = KeywordReader()
    of_model, of_keywords = Agreed(), Agreed()
    try:
        for name in SAMPLES:
            text = (resource("fixtures") / "pitches" / f"{name}.txt").read_text(encoding="utf-8")
            pitch = Pitch.from_text(text, name)
            expected = background.run(recorded.reader_for(pitch).read(pitch)).signals
            of_keywords = of_keywords.with_(Agreed.between(background.run(keywords.read(pitch)).signals, expected))
            started = time.monotonic()
            try:
                reading = background.run(reader.reader_for(pitch).read(pitch))
            except ExtractionError as error:
                of_model = of_model.with_(Agreed.between(Signals(), expected))
                yield Finding(name, False, str(error))
                continue
            found = Agreed.between(reading.signals, expected)
            of_model = of_model.with_(found)
            lost = sum(warning.kind in ("ungrounded", "dropped") for warning in reading.warnings)
            unusable = f"; {lost} could not be used even after asking again" if lost else ""
            yield Finding(name, True, f"{found.words()}{unusable}; {time.monotonic() - started:.0f} seconds")
    finally:
        reader.close()
        recorded.close()
    for notice in reader.notices:
        yield Finding("mode", True, notice)
    yield verdict(of_model, of_keywords)


@dataclass(frozen=True, slots=True)
class Agreed:
    """How the values of readings agree with others. `added`: a value where the others have unknown; `missed`: unknown
    where they have one; `different`: another value; `examples`: the first of what was added."""

    same: int = 0
    of: int = 0
    added: int = 0
    missed: int = 0
    different: int = 0
    examples: tuple[str, ...] = ()

    @classmethod
    def between(cls, signals: Signals, expected: Signals) -> Agreed:
        mine, theirs = values_of(signals), values_of(expected)
        counts = {"same": 0, "added": 0, "missed": 0, "different": 0}
        examples = []
        for name in _COMPARED:
            kind = _kind(mine[name], theirs[name])
            counts[kind] += 1
            if kind == "added":
                examples.append(title(name))
        return cls(of=len(_COMPARED), examples=tuple(examples), **counts)

    def with_(self, other: Agreed) -> Agreed:
        return Agreed(
            self.same + other.same,
            self.of + other.of,
            self.added + other.added,
            self.missed + other.missed,
            self.different + other.different,
            self.examples + other.examples,
        )

    @property
    def share(self) -> float:
        return self.same / self.of if self.of else 0.0

    def words(self) -> str:
        added = f" ({', '.join(self.examples[:3])}{', …' if len(self.examples) > 3 else ''})" if self.examples else ""
        return (
            f"{self.same} of {self.of} values as recorded; adds {self.added}{added}, misses {self.missed}, "
            f"{self.different} different"
        )


def _kind(mine: Any, theirs: Any) -> str:
    if mine == theirs:
        return "same"
    if theirs in _UNKNOWN:
        return "added"
    return "missed" if mine in _UNKNOWN else "different"


def verdict(model: Agreed, keywords: Agreed) -> Finding:
    """Whether to trust a model, by three pitches: few, so only a large difference is called one."""
    figures = (
        f"{model.share:.0%} of the values as recorded, {model.added} added; keywords, without a model: "
        f"{keywords.share:.0%}, {keywords.added} added"
    )
    if model.share <= keywords.share:
        return Finding("verdict", False, f"no better than the reader without a model ({figures}). Use a larger model")
    if model.share < 0.85 or model.added > keywords.added + len(SAMPLES):
        return Finding("verdict", False, f"rough: check every value yourself, or use a larger model ({figures})")
    return Finding("verdict", True, f"reads much like the large model that was recorded ({figures})")


# ---------------------------------------------------------------- what a tiny reading shows


def _failed(error: AnalyzerError, reader: ModelReader) -> Iterator[Finding]:
    """What an error says about server, key, model, mode and context, in this order."""
    reached = f"{reader.connection.client.profile.title}: it answers"
    if isinstance(error, ProviderUnreachable | ProviderTimeout):
        yield Finding("reached", False, str(error))
        return
    yield Finding("reached", True, reached)
    if isinstance(error, AuthenticationFailed | QuotaExhausted):
        yield Finding("key", False, str(error))
    elif isinstance(error, ModelNotFound):
        yield Finding("model", False, str(error))
    elif isinstance(error, ModeRejected):
        yield Finding("mode", False, str(error))
    else:
        yield Finding("context" if "context" in str(error) else "server", False, str(error))


def _way(reader: ModelReader) -> Iterator[Finding]:
    for notice in reader.notices:
        yield Finding("mode", True, notice)
    begin = reader.notices and not reader.connection.way.mode.startswith("tools_")
    yield Finding(
        "mode",
        True,
        f"{reader.connection.way.mode}{f'; to begin there: PITCH_MODE={reader.connection.way.mode}' if begin else ''}",
    )


def _window(reader: ModelReader) -> Finding:
    window = reader.connection.window
    if window is None or window.tokens is None:
        return Finding("context", True, "not known: the server does not say, and answers are checked for a cut prompt")
    by = "; set with each request as long as it needs" if window.settable else ""
    return Finding("context", True, f"{window.tokens:,} tokens{by}")


def _schema(reader: ModelReader) -> Finding:
    try:
        kept = background.run(keeps_schema(reader.connection))
    except AnalyzerError as error:
        return Finding("schema", True, f"not known: {str(error).splitlines()[0]}")
    if kept is None:
        return Finding(
            "schema", True, f"not sent in the mode {reader.connection.way.mode}: answers are checked instead"
        )
    return Finding("schema", True, _SPOKEN[kept])


def _speed(usage: Usage, seconds: float) -> Finding:
    if not usage.output_tokens:
        return Finding("speed", True, f"{seconds:.1f} seconds; the server does not say how many tokens")
    each = usage.output_tokens / seconds if seconds else 0.0
    return Finding("speed", True, f"{seconds:.1f} seconds for {usage.output_tokens:,} tokens, {each:.1f} a second")


def _price(model: str, reader: ModelReader) -> Finding:
    if reader.connection.client.profile.price == "free":
        return Finding("price", True, "your own machine: no price")
    cost = cost_of(model, *_TYPICAL)
    if cost is None:
        return Finding("price", True, "not known: costs are not shown, and --max-cost cannot be used")
    return Finding("price", True, f"about ${cost * 1000:,.2f} for 1,000 pitches of a page")


def _tiny_result(reading: Reading) -> Finding:
    known = sum(reading.signals.single(name).known for name in SIGNALS)
    lost = sum(warning.kind in ("ungrounded", "dropped") for warning in reading.warnings)
    text = f"two sentences were read: {known} of {len(SIGNALS)} values stated, {lost} could not be used"
    return Finding("reading", not lost or known > lost, f"{text}. To see how well it reads: pitch doctor --read")
