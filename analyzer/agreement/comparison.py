"""Readers against raters, signal by signal, score by score, and raters against each other as the ceiling.

How several raters are taken: each pitch counts once. Where a reader meets two raters, or two pairs of raters meet, each
of these pairs counts for its part of the pitch. So every table's entries sum to the number of pitches, `n` is a
number of pitches, and intervals come from drawing pitches, not cells. Unknown is a value like any other, except for
the weighted kappa of ordered signals, which is over the pitches where both sides know a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np

from analyzer.agreement import statistics as st
from analyzer.agreement.attribution import (
    ASSUMED_KIND,
    Scorer,
    compared,
    competitor_kinds,
    complete,
    swapped,
)
from analyzer.agreement.competitors import matched
from analyzer.agreement.extracted import Extracted, Given, Upload, read_extracted
from analyzer.agreement.figures import SCOPE, SignalFigures, options
from analyzer.agreement.records import (
    RATERS,
    Attribution,
    Comparison,
    Disagreement,
    Issue,
    PairTest,
    RaterRef,
    ReaderRef,
    RivalAgreement,
    RivalMatch,
    ScoreAgreement,
    SignalAgreement,
    Summary,
)
from analyzer.agreement.statistics import Codes, Estimate, Floats
from analyzer.errors import InputError
from analyzer.files.manual_scores import (
    VALUES,
    ManualScore,
    ManualScores,
    by_pitch,
    manual_signals,
    read_manual,
)
from analyzer.framework.arguments import a_kind, as_market, as_rulebook
from analyzer.framework.inputs import lean, positions
from analyzer.framework.market import MarketMap
from analyzer.framework.rulebook import Rulebook
from analyzer.runs.arguments import as_settings
from analyzer.settings import KEYWORDS, Settings
from analyzer.vocabulary.derived import LEANS
from analyzer.vocabulary.signals import LIST_RULES, SIGNALS, UNKNOWN, Quote, Signals

DRAWS: Final = 1000
COMPARED: Final = ("in_scope", *VALUES)
_RULE_OF: Final = {"stage": "stage", "focus": "focus", "persona": "personas", "competitors": "competitors"}
_ABSENT: Final = -1


def compare(
    extracted: Given | Sequence[str | Path | Upload] | Mapping[str, Given],
    manual: str | Path | ManualScores,
    *,
    pitches: str | Path | None = None,
    raters: Iterable[str] = (),
    rulebook: Rulebook | str | Path | None = None,
    market: MarketMap | str | Path | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    settings: Settings | None = None,
) -> Comparison:
    """Compares what was extracted with manual scores (codebook §6). The same input and seed give the same result.

    `extracted`: a file of assessments (.json, .jsonl, .parquet), assessments or results in memory, a model's name
    with the folder `pitches` to read; or several of them, as a list of files and names, or by name in a mapping.
    `raters`: count only these. Raises InputError, ManualError with all faults of the CSV, ConfigurationError.
    """
    if not isinstance(manual, ManualScores | str | Path):
        raise InputError(f"manual is {a_kind(manual)}; pass the path of a CSV, or what read_manual gives")
    if not isinstance(pitches, str | Path | None):
        raise InputError(f"pitches is {a_kind(pitches)}; pass the path of a folder, or None")
    if not isinstance(extracted, Iterable | Upload | Path):
        raise InputError(f"extracted is {a_kind(extracted)}; pass files, names of models, assessments or results")
    if not isinstance(draws, int):
        raise InputError(f"draws is {draws!r:.40}; give a whole number, 100 or more")
    if draws < 100:
        raise InputError(f"{draws} draws are too few for an interval; give 100 or more")
    rules, map_, settings = as_rulebook(rulebook), as_market(market), as_settings(settings)
    scores = manual if isinstance(manual, ManualScores) else read_manual(manual)
    rows, issues = _chosen(scores, (raters,) if isinstance(raters, str) else tuple(raters))
    wanted = {row.pitch for row in rows}
    folder = Path(pitches) if pitches is not None else None
    readers = [read_extracted(source, wanted, folder, settings, name) for name, source in _sources(extracted)]
    _name_apart(readers)
    return _Comparing(readers, rows, issues, rules, map_, seed, draws).result()


def _sources(extracted: object) -> list[tuple[str | None, Given]]:
    if isinstance(extracted, Mapping):
        return list(extracted.items())
    if isinstance(extracted, str | Path | Upload):
        return [(None, extracted)]
    given: list[Any] = list(extracted)  # type: ignore[call-overload]
    if given and all(isinstance(source, str | Path | Upload) for source in given):
        return [(None, source) for source in given]
    return [(None, given)]


def _name_apart(readers: Sequence[Extracted]) -> None:
    taken = {RATERS}
    for reader in readers:
        name, number = reader.name, 2
        while reader.name in taken:
            reader.name, number = f"{name} ({number})", number + 1
        taken.add(reader.name)


def _chosen(scores: ManualScores, raters: tuple[str, ...]) -> tuple[list[ManualScore], list[Issue]]:
    known = sorted({row.rater for row in scores.rows})
    missing = [name for name in raters if name not in known]
    if missing:
        raise InputError(f"{scores.source} has no rater {', '.join(missing)}; it has {', '.join(known)}")
    issues = [Issue(scores.source, note) for note in scores.notes]
    left = [name for name in known if raters and name not in raters]
    if left:
        issues.append(Issue(scores.source, f"raters not chosen, not counted: {', '.join(left)}"))
    return [row for row in scores.rows if row.rater not in left], issues


# ---------------------------------------------------------------- what a side says


def extracted_value(signals: Signals, name: str) -> str:
    """A scored signal of a reading, in the words of a manual score: leans, the main user, single values."""
    if name == "in_scope":
        return SCOPE[not signals.in_scope]
    if name in LEANS:
        return lean(name, positions(signals)[name]) or UNKNOWN
    if name == "persona":
        return signals.personas[0].role if signals.personas else UNKNOWN
    return str(signals.single(name).value)


def rule(name: str) -> str:
    """What decides for a scored signal, by the codebook."""
    return SIGNALS[name].rule if name in SIGNALS else LIST_RULES[_RULE_OF.get(name, name)]


def _quotes(signals: Signals, name: str) -> tuple[str, ...]:
    found: Iterable[Quote | None]
    if name in LEANS:
        found = (problem.quote for problem in signals.problems)
    elif name == "persona":
        found = (persona.quote for persona in signals.personas[:1])
    elif name == "competitors":
        found = (rival.quote for rival in signals.competitors)
    else:
        found = signals.single(name).quotes if name in SIGNALS else ()
    return tuple(dict.fromkeys(quote.text for quote in found if quote is not None))


@dataclass(frozen=True, slots=True)
class _Case:
    """One reader and one rater on one pitch, with tickets for the scores that tell what their difference comes from.

    `swaps`: by signal that differs, the extracted signals with that one as the rater scored it. `finer`: those of them
    that agree as far as a manual score can say.
    """

    reader: Extracted
    row: ManualScore
    own: int
    manual: int
    swaps: Mapping[str, int]
    finer: frozenset[str]


class _Comparing:
    """One comparison under way: who said what of which pitch, and the figures over it."""

    def __init__(
        self,
        readers: Sequence[Extracted],
        rows: Sequence[ManualScore],
        issues: list[Issue],
        rulebook: Rulebook,
        market: MarketMap,
        seed: int,
        draws: int,
    ):
        self.readers = readers
        self.rows = rows
        self.issues = issues
        self.rulebook = rulebook
        self.market = market
        self.seed = seed
        self.draws = draws
        self.raters = sorted({row.rater for row in rows})
        self.row = {(row.pitch, row.rater): row for row in rows}
        read = {pitch for reader in readers for pitch in reader.signals}
        self.pitches = sorted(read & {row.pitch for row in rows})
        self.names = [*(reader.name for reader in readers), *self.raters]
        self.scorer = Scorer(rulebook, market)

    def result(self) -> Comparison:
        self._tell_sides()
        if not self.pitches:
            said = "; ".join(f"{issue.where}: {issue.text}" for issue in self.issues[:3])
            raise InputError(f"no pitch was both read and scored by hand: {said[:400]}")
        manual = self._manual_documents()
        codes = {name: self._codes(name) for name in COMPARED}
        sides = self._sides()
        signals: dict[str, dict[str, SignalAgreement]] = {side: {} for side in sides}
        tests: list[PairTest] = []
        for number, (name, matrix) in enumerate(codes.items()):
            figures = SignalFigures(name, matrix, self.draws, (self.seed, number))
            if not figures.there:
                continue
            for side, pairs in sides.items():
                agreed = figures.agreement(pairs, between_raters=side == RATERS)
                if agreed is not None:
                    signals[side][name] = agreed
            tests += self._tests(figures)
        scores = tuple(self._scores(manual))
        attributions, disagreements = self._differences(manual)
        return Comparison(
            readers=tuple(
                ReaderRef(r.name, tuple(sorted(r.models)), len(r.signals), tuple(sorted(r.failed)))
                for r in self.readers
            ),
            raters=tuple(RaterRef(name, sum(row.rater == name for row in self.rows)) for name in self.raters),
            pitches=tuple(self.pitches),
            seed=self.seed,
            draws=self.draws,
            rulebook=f"{self.rulebook.version} ({self.rulebook.sha256[:8]})",
            issues=tuple(self.issues),
            summaries={
                side: summary
                for number, (side, pairs) in enumerate(sides.items())
                if (summary := self._summary(codes, pairs, number)) is not None
            },
            signals=signals,
            competitors={
                side: found
                for number, (side, pairs) in enumerate(sides.items())
                if (found := self._rivals(pairs, number)) is not None
            },
            tests=_corrected(tests),
            scores=scores,
            attributions=attributions,
            disagreements=disagreements,
        )

    # ------------------------------------------------------------ who is there

    def _tell_sides(self) -> None:
        """Notes on what was given and cannot be compared, all of it."""
        scored = {row.pitch for row in self.rows}
        for reader in self.readers:
            if KEYWORDS in reader.models:
                self.issues.append(Issue(reader.name, "read by cue phrases, without a model, which is rough"))
            self.issues += [Issue(reader.name, note) for note in reader.notes]
            for pitch, reason in sorted(reader.failed.items()):
                self.issues.append(Issue(reader.name, f"{pitch} has no signals ({reason})"))
            unread = sorted(scored - set(reader.signals) - set(reader.failed))
            unscored = sorted((set(reader.signals) | set(reader.failed)) - scored)
            if unread:
                self.issues.append(Issue(reader.name, f"scored by hand but not read: {', '.join(unread)}"))
            if unscored:
                self.issues.append(Issue(reader.name, f"read but not scored by hand: {', '.join(unscored)}"))
        for rater in self.raters:
            missing = sorted(scored - {row.pitch for row in self.rows if row.rater == rater})
            if missing:
                self.issues.append(Issue(f"rater {rater}", f"no score for {', '.join(missing)}"))
        if len(self.raters) > 1:
            self.issues.append(
                Issue(
                    "raters",
                    f"{len(self.raters)} raters: {', '.join(self.raters)}; each counts for its part of a pitch",
                )
            )

    def _sides(self) -> dict[str, list[tuple[int, int]]]:
        """For each reader, and for the raters against each other, the pairs of columns that are compared."""
        first = len(self.readers)
        raters = range(first, first + len(self.raters))
        sides = {reader.name: [(number, rater) for rater in raters] for number, reader in enumerate(self.readers)}
        if len(raters) > 1:
            sides[RATERS] = list(combinations(raters, 2))
        return sides

    def _manual_documents(self) -> dict[tuple[str, str], Signals]:
        documents: dict[tuple[str, str], Signals] = {}
        for pitch, rows in by_pitch(row for row in self.rows if row.pitch in set(self.pitches)):
            readings = [reader.signals[pitch] for reader in self.readers if pitch in reader.signals]
            kinds, assumed = competitor_kinds(rows, readings, self.market)
            if assumed:
                told = f"kind of competitor not known, counted as {ASSUMED_KIND}: {'; '.join(assumed)}"
                self.issues.append(Issue(pitch, told))
            documents |= {(pitch, row.rater): manual_signals(row, kinds) for row in rows}
        return documents

    # ------------------------------------------------------------ signals

    def _codes(self, name: str) -> Codes:
        """What everyone says of a signal: pitches by readers and raters, indices into its values, -1 = nothing.

        Signals of a pitch that is out of scope for one side say nothing.
        """
        places = {value: number for number, value in enumerate(options(name))}
        codes = np.full((len(self.pitches), len(self.names)), _ABSENT, np.intp)
        for place, pitch in enumerate(self.pitches):
            for column, reader in enumerate(self.readers):
                signals = reader.signals.get(pitch)
                if signals is not None and (signals.in_scope or name == "in_scope"):
                    codes[place, column] = places[extracted_value(signals, name)]
            for column, rater in enumerate(self.raters, len(self.readers)):
                row = self.row.get((pitch, rater))
                if row is None:
                    continue
                if name == "in_scope":
                    codes[place, column] = places[SCOPE[not row.in_scope]]
                elif row.in_scope and name in row.values:
                    codes[place, column] = places[row.values[name]]
        return codes

    def _summary(self, codes: Mapping[str, Codes], pairs: Sequence[tuple[int, int]], number: int) -> Summary | None:
        """The mean over signals of the agreement in each pitch, then over pitches."""
        same = np.zeros(len(self.pitches))
        there = np.zeros(len(self.pitches))
        for name, matrix in codes.items():
            if name == "in_scope":
                continue
            for left, right in pairs:
                valid = (matrix[:, left] >= 0) & (matrix[:, right] >= 0)
                there += valid
                same += valid & (matrix[:, left] == matrix[:, right])
        shares = same[there > 0] / there[there > 0]
        if not len(shares):
            return None
        kinds, counts = np.unique(shares.round(9), return_counts=True)
        drawn = st.resampled(counts, self.draws, (self.seed, 100 + number)) @ kinds / len(shares)
        mean = float(shares.mean())
        needed = st.needed(mean)
        return Summary(len(shares), st.estimate(mean, drawn), needed, len(shares) >= needed)

    def _tests(self, figures: SignalFigures) -> list[PairTest]:
        sides = self._sides()
        return [
            test
            for one, other in combinations(self.readers, 2)
            if (test := figures.test(one.name, other.name, sides[one.name], sides[other.name])) is not None
        ]

    # ------------------------------------------------------------ competitors

    def _named(self, column: int, pitch: str) -> tuple[str, ...] | None:
        if column < len(self.readers):
            signals = self.readers[column].signals.get(pitch)
            return tuple(rival.name for rival in signals.competitors) if signals and signals.in_scope else None
        row = self.row.get((pitch, self.raters[column - len(self.readers)]))
        return row.competitors if row and row.in_scope else None

    def _rivals(self, pairs: Sequence[tuple[int, int]], number: int) -> RivalAgreement | None:
        counts: list[Floats] = []
        matches: list[RivalMatch] = []
        for pitch in self.pitches:
            found = []
            for left, right in pairs:
                own, other = self._named(left, pitch), self._named(right, pitch)
                if own is None or other is None:
                    continue
                both = matched(own, other, self.market)
                found.append((len(both), len(own), len(other)))
                rater = self.names[right] if left < len(self.readers) else f"{self.names[left]}, {self.names[right]}"
                matches += [RivalMatch(pitch, rater, own[one], other[two]) for one, two in both]
            if found:
                counts.append(np.array(found, np.float64).mean(0))
        if not counts:
            return None
        kinds, often = np.unique(np.array(counts).round(9), axis=0, return_counts=True)
        drawn = st.resampled(often, self.draws, (self.seed, 200 + number)) @ kinds
        total = often @ kinds

        def figure(of: Callable[[Floats], Floats]) -> Estimate:
            return st.estimate(float(of(total[None])[0]), of(drawn))

        return RivalAgreement(
            n=len(counts),
            extracted=float(total[1]),
            manual=float(total[2]),
            precision=figure(lambda t: _ratio(t[:, 0], t[:, 1])),
            recall=figure(lambda t: _ratio(t[:, 0], t[:, 2])),
            f1=figure(lambda t: _ratio(2 * t[:, 0], t[:, 1] + t[:, 2])),
            matches=tuple(matches),
        )

    # ------------------------------------------------------------ scores and differences

    def _scores(self, manual: Mapping[tuple[str, str], Signals]) -> list[ScoreAgreement]:
        """Readers against the raters' mean, raters against each other, and all against the overall scores given."""
        full = all(complete(row) for row in self.rows)
        if not full:
            self.issues.append(Issue("scores", "some signals have no column, so no assessment follows from the rows"))
        asked_rater = {
            rater: {
                pitch: self.scorer.ask(manual[pitch, rater])
                for pitch in self.pitches
                if full and (pitch, rater) in manual
            }
            for rater in self.raters
        }
        asked_reader = {
            reader.name: {
                pitch: self.scorer.ask(reader.signals[pitch]) for pitch in self.pitches if pitch in reader.signals
            }
            for reader in self.readers
        }
        by_rater, by_reader = (
            {
                name: {pitch: self.scorer.score(ticket) for pitch, ticket in tickets.items()}
                for name, tickets in asked.items()
            }
            for asked in (asked_rater, asked_reader)
        )
        given = {
            rater: {pitch: self.row[pitch, rater].overall for pitch in self.pitches if (pitch, rater) in self.row}
            for rater in self.raters
        }
        ours, theirs = "manual signals", "overall given"
        sides = [(name, ours, values, _mean_of(by_rater.values())) for name, values in by_reader.items()]
        sides += [(one, other, by_rater[one], by_rater[other]) for one, other in combinations(self.raters, 2)]
        sides += [(name, theirs, values, _mean_of(given.values())) for name, values in by_reader.items()]
        sides.append((ours, theirs, _mean_of(by_rater.values()), _mean_of(given.values())))
        found = [
            compared(
                left,
                right,
                ((pitch, first.get(pitch), second.get(pitch)) for pitch in self.pitches),
                self.draws,
                (self.seed, 300 + number),
            )
            for number, (left, right, first, second) in enumerate(sides)
        ]
        return [scores for scores in found if scores.n]

    def _differences(
        self, manual: Mapping[tuple[str, str], Signals]
    ) -> tuple[tuple[Attribution, ...], tuple[Disagreement, ...]]:
        """Every value that differs, what it does to the score, and each pair of scores split up."""
        cases = [
            self._asked(reader, signals, row, manual[pitch, rater])
            for reader in self.readers
            for pitch in self.pitches
            if (signals := reader.signals.get(pitch)) is not None
            for rater in self.raters
            if (row := self.row.get((pitch, rater))) is not None
        ]
        attributions: list[Attribution] = []
        disagreements: dict[tuple[str, str, str, str], Disagreement] = {}
        for case in cases:
            extracted, by_hand = self.scorer.score(case.own), self.scorer.score(case.manual)
            parts: dict[str, float] = {}
            for name, ticket in case.swaps.items():
                swap = self.scorer.score(ticket)
                moves = None if swap is None or extracted is None else round(swap - extracted, 2) + 0.0
                if moves:
                    parts[name] = moves
                if name in case.finer:
                    continue
                told = self._disagreement(case.reader, case.row, name, moves)
                before = disagreements.get(key := (told.reader, told.pitch, name, told.manual))
                disagreements[key] = (
                    replace(told, raters=(*before.raters, *told.raters), notes=(*before.notes, *told.notes))
                    if before
                    else told
                )
            if extracted is not None and by_hand is not None and complete(case.row):
                attributions.append(_attribution(case, extracted, by_hand, parts))
        ordered = sorted(
            disagreements.values(), key=lambda d: (-abs(d.moves or 0.0), d.reader, d.pitch, d.signal, d.manual)
        )
        attributions.sort(key=lambda a: (-abs(a.manual - a.extracted), a.reader, a.pitch, a.rater))
        return tuple(attributions), tuple(ordered)

    def _asked(self, reader: Extracted, signals: Signals, row: ManualScore, document: Signals) -> _Case:
        differing = dict(self._differing(signals, document, row))
        swaps = {name: self.scorer.ask(swapped(signals, document, row, name)) for name in differing}
        finer = frozenset(name for name, agrees in differing.items() if agrees)
        return _Case(reader, row, self.scorer.ask(signals), self.scorer.ask(document), swaps, finer)

    def _differing(self, signals: Signals, document: Signals, row: ManualScore) -> Iterable[tuple[str, bool]]:
        """The signals that differ; True for positions which agree as leans and still lie apart."""
        if signals.in_scope != row.in_scope:
            yield "in_scope", False
        if not signals.in_scope or not row.in_scope:
            return
        at, by_hand = positions(signals), positions(document)
        for name in VALUES:
            if name not in row.values:
                continue
            if extracted_value(signals, name) != row.values[name]:
                yield name, False
            elif name in LEANS and at[name] != by_hand[name]:
                yield name, True
        if row.competitors is not None:
            own = [rival.name for rival in signals.competitors]
            both = matched(own, row.competitors, self.market)
            if len(both) < max(len(own), len(row.competitors)):
                yield "competitors", False
            elif any(signals.competitors[one].kind != document.competitors[other].kind for one, other in both):
                yield "competitors", True

    def _disagreement(self, reader: Extracted, row: ManualScore, name: str, moves: float | None) -> Disagreement:
        signals = reader.signals[row.pitch]
        if name == "competitors":
            own = "; ".join(rival.name for rival in signals.competitors) or UNKNOWN
            by_hand = "; ".join(row.competitors or ()) or UNKNOWN
        else:
            own = extracted_value(signals, name)
            by_hand = row.values[name] if name != "in_scope" else SCOPE[not row.in_scope]
        quotes = _quotes(signals, name)
        notes = (f"{row.rater}: {row.note}",) if row.note else ()
        return Disagreement(reader.name, row.pitch, (row.rater,), name, own, by_hand, quotes, rule(name), moves, notes)


def _attribution(case: _Case, extracted: float, manual: float, parts: dict[str, float]) -> Attribution:
    given = case.row.overall
    return Attribution(
        reader=case.reader.name,
        pitch=case.row.pitch,
        rater=case.row.rater,
        extracted=extracted,
        manual=manual,
        parts=dict(sorted(parts.items(), key=lambda part: -abs(part[1]))),
        together=round(manual - extracted - sum(parts.values()), 2) + 0.0,
        finer=tuple(name for name in parts if name in case.finer),
        given=given,
        left_to_rule=None if given is None else round(given - manual, 2) + 0.0,
    )


def _mean_of(sides: Iterable[Mapping[str, float | None]]) -> dict[str, float | None]:
    """The mean for each pitch over those that have a number for it."""
    found: dict[str, list[float]] = {}
    for side in sides:
        for pitch, value in side.items():
            if value is not None:
                found.setdefault(pitch, []).append(value)
    return {pitch: sum(values) / len(values) for pitch, values in found.items()}


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0))


def _corrected(tests: Sequence[PairTest]) -> tuple[PairTest, ...]:
    return tuple(replace(test, p_holm=p) for test, p in zip(tests, st.holm([t.p for t in tests]), strict=True))
