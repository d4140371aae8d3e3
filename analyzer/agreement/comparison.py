"""Compare extracted readings with manual scores: signal by signal, score by score, and raters with each other.

Agreement among raters is the ceiling for any reader. How pitches with several raters count is in `counting`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack, cast

from analyzer.agreement.attribution import Scorer, is_complete
from analyzer.agreement.compared_signals import COMPARED
from analyzer.agreement.competitors import ASSUMED_KIND, competitor_kinds
from analyzer.agreement.counting import SignalCounts, competitor_agreement, summary
from analyzer.agreement.disagreements import differences
from analyzer.agreement.extracted import ExtractedReadings, ExtractedSource, Upload, is_by_pitch, read_extracted
from analyzer.agreement.figures import RATERS, comparing
from analyzer.agreement.records import (
    ComparedRater,
    ComparedReader,
    Comparison,
    InputNote,
    ReaderTest,
    SignalAgreement,
)
from analyzer.agreement.score_agreement import score_agreements
from analyzer.agreement.sides import Sides
from analyzer.agreement.statistics import holm
from analyzer.errors import InputError
from analyzer.files.frames import Table, is_table
from analyzer.files.manual_scores import ManualScore, ManualScores, by_pitch, manual_of, manual_signals, read_manual
from analyzer.framework.arguments import a_kind, as_market, as_rulebook
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.runs.arguments import as_settings
from analyzer.settings import Settings
from analyzer.vocabulary.signals import Signals

ManualSource = str | Path | ManualScores | Table | Sequence[Mapping[str, Any]] | Mapping[str, Any]
DRAWS: Final = 1000
_FEWEST_DRAWS: Final = 100


@dataclass(frozen=True, slots=True)
class _Method:
    """What a comparison is computed with."""

    rulebook: Rulebook
    market: MarketMap
    draws: int = DRAWS
    seed: int = 0


class Bootstrap(TypedDict, total=False):
    """How the intervals are resampled; the same seed gives the same intervals."""

    draws: int
    seed: int


def compare(
    extracted: ExtractedSource | Sequence[str | Path | Upload] | Mapping[str, ExtractedSource],
    manual: ManualSource,
    *,
    pitches: str | Path | None = None,
    raters: Iterable[str] = (),
    rulebook: Rulebook | str | Path | None = None,
    market: MarketMap | str | Path | None = None,
    settings: Settings | None = None,
    **bootstrap: Unpack[Bootstrap],
) -> Comparison:
    """Compare extracted readings with manual scores. The same input and seed give the same result.

    `extracted`: a file of assessments (.json, .jsonl, .parquet), assessments or results in memory, or the name of a
    model that reads the folder `pitches` now; or several of them, as a list of files and names, or by name in a
    mapping. Also a table with a column `assessment` (`to_frame`), or readings by the pitch's id in a mapping. `manual`:
    the path of a CSV, what `read_manual` returns, or its rows as a table, a list of mappings, or a mapping by pitch.
    `raters`: count only these. `bootstrap`: `seed` and `draws` of the intervals. Raises InputError,
    ManualError with all faults of the CSV, ConfigurationError.
    """
    method = _Method(as_rulebook(rulebook), as_market(market), **bootstrap)
    _check(extracted, manual, pitches, method.draws)
    settings = as_settings(settings)
    scores = _manual(manual)
    rows, notes = _chosen(scores, (raters,) if isinstance(raters, str) else tuple(raters))
    scored = {row.pitch for row in rows}
    folder = Path(pitches) if pitches is not None else None
    readers = [read_extracted(source, scored, folder, settings, name) for name, source in _sources(extracted)]
    _name_apart(readers)
    return _compared(Sides(readers, rows), notes, method)


def _check(extracted: object, manual: object, pitches: object, draws: object) -> None:
    """Raise InputError for an argument of the wrong kind."""
    if not isinstance(manual, ManualScores | str | Path | Mapping | list | tuple) and not is_table(manual):
        raise InputError(f"manual is {a_kind(manual)}; pass the path of a CSV, its rows, or the result of read_manual")
    if not isinstance(pitches, str | Path | None):
        raise InputError(f"pitches is {a_kind(pitches)}; pass the path of a folder, or None")
    if not isinstance(extracted, Iterable | Upload | Path) and not is_table(extracted):
        raise InputError(f"extracted is {a_kind(extracted)}; pass files, names of models, assessments or results")
    if not isinstance(draws, int):
        raise InputError(f"draws is {draws!r:.40}; pass a whole number, {_FEWEST_DRAWS} or more")
    if draws < _FEWEST_DRAWS:
        raise InputError(f"{draws} draws are too few for an interval; pass {_FEWEST_DRAWS} or more")


def _manual(manual: ManualSource) -> ManualScores:
    if isinstance(manual, ManualScores):
        return manual
    return read_manual(manual) if isinstance(manual, str | Path) else manual_of(manual)


def _sources(extracted: object) -> list[tuple[str | None, ExtractedSource]]:
    if is_table(extracted) or is_by_pitch(extracted):
        return [(None, cast(ExtractedSource, extracted))]
    if isinstance(extracted, Mapping):
        return list(extracted.items())
    if isinstance(extracted, str | Path | Upload):
        return [(None, extracted)]
    sources: list[Any] = list(extracted)  # type: ignore[call-overload]
    if sources and all(isinstance(source, str | Path | Upload) for source in sources):
        return [(None, source) for source in sources]
    return [(None, sources)]


def _name_apart(readers: Sequence[ExtractedReadings]) -> None:
    """Number the readers of one name, and any that is called like the raters."""
    taken = {RATERS}
    for reader in readers:
        name, number = reader.name, 2
        while reader.name in taken:
            reader.name, number = f"{name} ({number})", number + 1
        taken.add(reader.name)


def _chosen(scores: ManualScores, raters: tuple[str, ...]) -> tuple[list[ManualScore], list[InputNote]]:
    """The rows of the chosen raters, all where none is chosen, and notes on the file."""
    known = sorted({row.rater for row in scores.rows})
    missing = [name for name in raters if name not in known]
    if missing:
        raise InputError(f"{scores.source} has no rater {', '.join(missing)}; it has {', '.join(known)}")
    notes = [InputNote(scores.source, note) for note in scores.notes]
    skipped = [name for name in known if raters and name not in raters]
    if skipped:
        notes.append(InputNote(scores.source, f"not counted, because other raters were chosen: {', '.join(skipped)}"))
    return [row for row in scores.rows if row.rater not in skipped], notes


# ---------------------------------------------------------------- the comparison


def _compared(sides: Sides, notes: list[InputNote], method: _Method) -> Comparison:
    notes += sides.notes()
    if not sides.pitches:
        reasons = "; ".join(f"{note.where}: {note.text}" for note in notes[:3])
        raise InputError(f"No pitch was both read and scored manually. {reasons[:400]}")
    manual = _manual_signals(sides, notes, method.market)
    if not all(is_complete(row) for row in sides.rows):
        notes.append(InputNote("scores", "not compared: some signals have no column, so the rows give no assessment"))
    codes = {name: sides.codes(name) for name in COMPARED}
    signals, tests = _signals(sides, {name: matrix for name, matrix in codes.items() if (matrix >= 0).any()}, method)
    scorer = Scorer(method.rulebook, method.market)
    scores = score_agreements(sides, manual, scorer, method.draws, method.seed)
    attributions, disagreements = differences(sides, manual, scorer, method.market)
    summaries = {
        side: summary(sides, side, codes, method.draws, (method.seed, 100 + number))
        for number, side in enumerate(sides.pairs)
    }
    competitors = {
        side: competitor_agreement(sides, side, method.market, method.draws, (method.seed, 200 + number))
        for number, side in enumerate(sides.pairs)
    }
    return Comparison(
        readers=tuple(
            ComparedReader(each.name, tuple(sorted(each.models)), len(each.signals), tuple(sorted(each.failed)))
            for each in sides.readers
        ),
        raters=tuple(ComparedRater(name, sum(row.rater == name for row in sides.rows)) for name in sides.raters),
        pitches=tuple(sides.pitches),
        seed=method.seed,
        draws=method.draws,
        rulebook=f"{method.rulebook.version} ({method.rulebook.sha256[:8]})",
        issues=tuple(notes),
        summaries={side: each for side, each in summaries.items() if each is not None},
        signals=signals,
        competitors={side: each for side, each in competitors.items() if each is not None},
        tests=tests,
        scores=tuple(scores),
        attributions=attributions,
        disagreements=disagreements,
    )


def _signals(
    sides: Sides, codes: Mapping[str, Any], method: _Method
) -> tuple[dict[str, dict[str, SignalAgreement]], tuple[ReaderTest, ...]]:
    """The agreement of each side on each signal, and the tests of each two readers."""
    signals: dict[str, dict[str, SignalAgreement]] = {side: {} for side in sides.pairs}
    tests: list[ReaderTest] = []
    for name, matrix in codes.items():
        counts = SignalCounts(name, matrix, method.draws, (method.seed, COMPARED.index(name)))
        for side, pairs in sides.pairs.items():
            agreement = counts.agreement(pairs, comparing(side))
            if agreement is not None:
                signals[side][name] = agreement
        for one, other in combinations([reader.name for reader in sides.readers], 2):
            test = counts.test(one, other, sides.pairs[one], sides.pairs[other])
            if test is not None:
                tests.append(test)
    corrected = holm([test.p for test in tests])
    return signals, tuple(replace(test, p_holm=p) for test, p in zip(tests, corrected, strict=True))


def _manual_signals(sides: Sides, notes: list[InputNote], market: MarketMap) -> dict[tuple[str, str], Signals]:
    """The rows as signals, by pitch and rater; a note names the competitors whose kind had to be assumed."""
    signals: dict[tuple[str, str], Signals] = {}
    for pitch, rows in by_pitch(row for row in sides.rows if row.pitch in set(sides.pitches)):
        readings = [reader.signals[pitch] for reader in sides.readers if pitch in reader.signals]
        kinds, assumed = competitor_kinds(rows, readings, market)
        if assumed:
            notes.append(
                InputNote(pitch, f"kind of competitor unknown, counted as {ASSUMED_KIND}: {'; '.join(assumed)}")
            )
        signals |= {(pitch, row.rater): manual_signals(row, kinds) for row in rows}
    return signals
