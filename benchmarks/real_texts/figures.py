"""What was read from the real texts, as values without quotes, and how it agrees with the manual scores.

Nothing here needs the texts: readings are kept as the cells of a manual score, and scores follow from them. Figures are
those of `analyzer.agreement`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import Final

from analyzer import Assessment, compare
from analyzer.agreement.compared_signals import extracted_value
from analyzer.agreement.competitors import competitor_kinds
from analyzer.agreement.records import Comparison, FigureValue, SignalAgreement
from analyzer.files.disk import write_whole
from analyzer.files.manual_scores import (
    VALUES,
    ManualScore,
    ManualScores,
    cells_of,
    manual_signals,
    read_manual,
    row_of,
)
from analyzer.framework.assessment import PitchRef
from analyzer.framework.market import MarketMap
from analyzer.framework.one_pitch import score
from analyzer.vocabulary.labels import title
from analyzer.vocabulary.signals import UNKNOWN, Signals
from benchmarks.real_texts.texts import HERE

VARIES: Final = 5
"""A signal varies if at least so many texts differ from its commonest value; elsewhere kappa says little."""
PARTS: Final[Mapping[str, Callable[[int], bool]]] = {
    "odd numbers (tuned on)": lambda number: number % 2 == 1,
    "even numbers (reported)": lambda number: number % 2 == 0,
}


def number_of(pitch: str) -> int:
    """The number that a text's id begins with."""
    return int(pitch.partition("-")[0])


def reading_of(pitch: str, signals: Signals, model: str) -> ManualScore:
    """What a model read, as a manual score: values only, no quotes."""
    values = {name: extracted_value(signals, name) for name in VALUES} if signals.in_scope else {}
    competitors = tuple(competitor.name for competitor in signals.competitors) if signals.in_scope else ()
    return ManualScore(pitch, model, pitch, signals.in_scope, values, competitors)


def write_reading(rows: Iterable[ManualScore], path: Path) -> None:
    """Write a reading as JSON lines, whole or not at all. Unknown is left out, and so are quotes."""
    filled = ({name: cell for name, cell in cells_of(row).items() if cell} for row in rows)
    write_whole(path, "".join(json.dumps(cells, ensure_ascii=False) + "\n" for cells in filled))


def read_readings(folder: Path = HERE / "readings") -> dict[str, list[ManualScore]]:
    """Every stored reading by its model's name."""
    readings: dict[str, list[ManualScore]] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            cells = json.loads(line)
            full = {name: cells.get(name, "") for name in cells_of(ManualScore("", "", ""))}
            row = row_of(full, path.name)
            readings.setdefault(row.rater, []).append(row)
    return readings


@dataclass(frozen=True)
class RealTexts:
    """Readings held against the manual scores of the same texts."""

    manual: Sequence[ManualScore]
    readings: Mapping[str, Sequence[ManualScore]]

    @classmethod
    def stored(cls) -> RealTexts:
        """What the project carries: the manual scores and every stored reading."""
        return cls(read_manual(HERE / "manual_scores.csv").rows, read_readings())

    @cached_property
    def varying(self) -> tuple[str, ...]:
        """The signals that vary over all texts that are in scope."""
        scored = [row for row in self.manual if row.in_scope]
        counts = {name: Counter(row.values.get(name, UNKNOWN) for row in scored) for name in VALUES}
        return tuple(name for name in VALUES if len(scored) - max(counts[name].values(), default=0) >= VARIES)

    def part(self, belongs: Callable[[int], bool]) -> RealTexts:
        """The same for some of the texts, by their numbers."""

        def chosen(rows: Sequence[ManualScore]) -> list[ManualScore]:
            return [row for row in rows if belongs(number_of(row.pitch))]

        return RealTexts(chosen(self.manual), {model: chosen(rows) for model, rows in self.readings.items()})

    @cached_property
    def comparison(self) -> Comparison:
        """The figures of every reading against the manual scores."""
        scores = ManualScores("manual_scores.csv", tuple(self.manual))
        read = {model: [_assessment(row, model) for row in rows] for model, rows in self.readings.items()}
        return compare(read, scores, draws=100)

    def in_range(self, model: str) -> tuple[int, int]:
        """In how many texts the score of the manual signals lies within the reading's range, and of how many that both
        have in scope."""
        manual = {row.pitch: _assessment(row, "manual").scores for row in self.manual}
        pairs = [(manual.get(row.pitch), _assessment(row, model).scores) for row in self.readings[model]]
        both = [(own.overall.value, read.overall) for own, read in pairs if own is not None and read is not None]
        return sum(read.low <= value <= read.high for value, read in both), len(both)


def _assessment(row: ManualScore, model: str) -> Assessment:
    market = MarketMap.built_in()
    kinds, _ = competitor_kinds([row], [], market)
    return score(manual_signals(row, kinds), market=market, pitch=PitchRef(id=row.pitch, title=model))


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of one reading over one part of the texts, as shares; kappa from -1 to 1, None where undefined."""

    pitches: int
    scope: float
    kappa: float | None
    same: float | None
    adds: float | None
    misses: float | None
    in_range: tuple[int, int]


def summary(texts: RealTexts, model: str, varying: Sequence[str]) -> Summary:
    """One reading's figures: kappa over the signals that vary, the others over all signals together."""
    signals = texts.comparison.signals[model]
    read = {name: signals[name] for name in VALUES if name in signals}  # none if no text is in scope
    known = [kappa for name in varying if (kappa := read[name]["kappa"].value) is not None]
    return Summary(
        pitches=signals["in_scope"].n,
        scope=signals["in_scope"]["agreement"].value or 0.0,
        kappa=mean(known) if known else None,
        same=mean(one["agreement"].value or 0.0 for one in read.values()) if read else None,
        adds=together([one["overclaimed"] for one in read.values()]),
        misses=together([one["missed"] for one in read.values()]),
        in_range=texts.in_range(model),
    )


def together(shares: Sequence[FigureValue]) -> float | None:
    """Shares of different numbers of pitches as one; None where there are none."""
    counted = [(share.value, share.of) for share in shares if share.value is not None]
    of = sum(number for _, number in counted)
    return sum(value * number for value, number in counted) / of if of else None


def tables(texts: RealTexts) -> Iterator[str]:
    """The figures as Markdown: a row for each reading and part, then signal by signal."""
    scored = {row.pitch for row in texts.manual}
    read = {row.pitch for rows in texts.readings.values() for row in rows if row.pitch in scored}
    parts = {
        label: texts.part(belongs) for label, belongs in PARTS.items() if any(belongs(number_of(name)) for name in read)
    }
    yield "| reader | texts | scope right | mean kappa | same value | adds | misses | manual score in the range |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for model in texts.readings:
        for label, part in parts.items():
            if not part.readings[model]:
                continue
            found = summary(part, model, texts.varying)
            cells = [model, f"{label}, {found.pitches}", _share(found.scope), _kappa(found.kappa), _share(found.same)]
            inside, of = found.in_range
            cells += [_share(found.adds), _share(found.misses), f"{inside} of {of}"]
            yield f"| {' | '.join(cells)} |"
    for model in texts.readings:
        yield f"\n### {model}, signal by signal\n"
        yield f"| signal | {' | '.join(f'{label.split()[0]}: kappa | same | adds | misses' for label in parts)} |"
        yield f"| --- |{' ---: | ---: | ---: | ---: |' * len(parts)}"
        for name in VALUES:
            shown = [part.comparison.signals[model][name] for part in parts.values()]
            cells = [cell for signal in shown for cell in _signal_cells(signal, name in texts.varying)]
            yield f"| {title(name)} | {' | '.join(cells)} |"


def _signal_cells(signal: SignalAgreement, varies: bool) -> list[str]:
    kappa = _kappa(signal["kappa"].value) if varies else "hardly varies"
    return [kappa, *(_share(signal[name].value) for name in ("agreement", "overclaimed", "missed"))]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _kappa(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
