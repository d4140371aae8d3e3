"""The results of a comparison: plain, frozen records, the same for scripts, files and pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from analyzer.agreement.compared_signals import SignalKind
from analyzer.agreement.figures import FIGURES, VALUED
from analyzer.agreement.statistics import DifferenceLimits, Measured
from analyzer.late import ShownInNotebooks
from analyzer.vocabulary.labels import how_many


@dataclass(frozen=True, slots=True)
class FigureValue(Measured):
    """The value of a registered figure. `of`: the number of pitches it counts."""

    of: float = 0.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """How one reader agrees with the raters, or the raters with each other, over n pitches.

    `figures`: the registered figures that apply, by name; `agreement["kappa"]` is one of them, undefined where it does
    not apply, a KeyError where there is no such figure.
    """

    n: int
    figures: Mapping[str, FigureValue]

    def __getitem__(self, name: str) -> FigureValue:
        if name not in FIGURES:
            raise KeyError(f"there is no figure {name!r}; there are {', '.join(FIGURES)}")
        return self.figures.get(name, FigureValue(None))


@dataclass(frozen=True, slots=True)
class ValueAgreement:
    """One value of a signal: how often the reader gives it and the rater does (of n), how often the reader is then
    right (precision) and how often the reader finds it (recall). None where the value does not occur on that side."""

    value: str
    extracted: float
    manual: float
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class SignalAgreement(Agreement):
    """Agreement on one signal.

    `needed`: how many pitches it takes to know a share of agreement like this one to ±0.1. `table`: rows are the
    rater's values, columns the reader's, in the order of `by_value`.
    """

    signal: str
    needed: int
    by_value: tuple[ValueAgreement, ...]
    table: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class CompetitorMatch:
    """Two names that are counted as the same competitor."""

    pitch: str
    rater: str
    extracted: str
    manual: str


@dataclass(frozen=True, slots=True)
class CompetitorAgreement(Agreement):
    """Agreement on the competitors as sets of names. `extracted`, `manual`: how many names each side has."""

    extracted: float
    manual: float
    matches: tuple[CompetitorMatch, ...]


@dataclass(frozen=True, slots=True)
class AgreementSummary:
    """All signals of the vocabulary with one value for each pitch: the mean of their agreements over n pitches.

    `quotable`: n is at least `needed`, the pitches it takes to know such a share to ±0.1.
    """

    n: int
    agreement: Measured
    needed: int
    quotable: bool


@dataclass(frozen=True, slots=True)
class ReaderTest:
    """Two readers on one signal, over the n pitches that both have read.

    `first_better` and `second_better`: on how many pitches one agrees with more raters than the other. `p`: two-sided
    exact sign test (McNemar's, with one rater); `p_holm`: corrected for all tests of the comparison.
    `kappa_difference`: first minus second, over the same resamples of pitches.
    """

    signal: str
    first: str
    second: str
    n: int
    first_better: int
    second_better: int
    p: float
    p_holm: float
    kappa_difference: Measured


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One signal on which a reader and some raters differ.

    `moves`: by how many points the overall score (0 to 100) changes if this signal alone is as the raters scored it;
    None where a side is out of scope. `rule`: the vocabulary's rule that decides. `notes`: what the raters wrote with
    their scores ("anna: …").
    """

    reader: str
    pitch: str
    raters: tuple[str, ...]
    signal: str
    extracted: str
    manual: str
    quotes: tuple[str, ...]
    rule: str
    moves: float | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoreAgreement:
    """Overall scores (0 to 100) of the same pitches from two sources; differences are left minus right.

    `points`: (pitch, left, right). `limits` is None for fewer than two pitches.
    """

    left: str
    right: str
    n: int
    pearson: Measured
    spearman: Measured
    kendall: Measured
    limits: DifferenceLimits | None
    points: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Attribution:
    """Where the difference between a reader's and a rater's score of one pitch comes from.

    `manual` - `extracted` = the sum of `parts` + `together`. `parts`: by how much the score changes when this signal
    alone is as the rater scored it. `finer`: signals that agree as far as a manual score can say, but not exactly.
    `rater_overall`: the overall score that the rater entered; `left_to_rule` = rater_overall - manual. Scores are 0 to
    100.
    """

    reader: str
    pitch: str
    rater: str
    extracted: float
    manual: float
    parts: Mapping[str, float]
    together: float
    finer: tuple[str, ...]
    rater_overall: float | None
    left_to_rule: float | None


@dataclass(frozen=True, slots=True)
class ComparedReader:
    """A reader: the models behind it, how many pitches it read, and the pitches that failed."""

    name: str
    models: tuple[str, ...]
    read: int
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComparedRater:
    """A rater, and how many pitches this person scored."""

    name: str
    pitches: int


@dataclass(frozen=True, slots=True)
class InputNote:
    """Something about the input that a user has to know. `where`: a file, a line, a reader."""

    where: str
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(ShownInNotebooks):
    """The whole result of a comparison. `signals`, `competitors` and `summaries` hold each reader by name and, with two
    raters or more, the raters compared with each other as "raters"."""

    readers: tuple[ComparedReader, ...]
    raters: tuple[ComparedRater, ...]
    pitches: tuple[str, ...]
    seed: int
    draws: int
    rulebook: str
    issues: tuple[InputNote, ...]
    summaries: Mapping[str, AgreementSummary]
    signals: Mapping[str, Mapping[str, SignalAgreement]]
    competitors: Mapping[str, CompetitorAgreement]
    tests: tuple[ReaderTest, ...]
    scores: tuple[ScoreAgreement, ...]
    attributions: tuple[Attribution, ...]
    disagreements: tuple[Disagreement, ...]

    def __repr__(self) -> str:
        readers = ", ".join(reader.name for reader in self.readers)
        raters = ", ".join(rater.name for rater in self.raters)
        return f"Comparison({readers} with {raters}, {how_many(len(self.pitches), 'pitch', 'pitches')})"

    def to_json(self, indent: int | None = 1) -> str:
        """The comparison as JSON, numbers with four decimals."""
        document = asdict(self)
        document["signals"] = {side: _by_name(found, "scope", *VALUED) for side, found in document["signals"].items()}
        document["competitors"] = _by_name(document["competitors"], "competitors")
        return json.dumps(_short(document), ensure_ascii=False, indent=indent, allow_nan=False)


def _by_name(agreements: Mapping[str, dict[str, Any]], *kinds: SignalKind) -> dict[str, dict[str, Any]]:
    """Agreements with each figure under its own name; null where one does not apply."""
    names = [figure.name for figure in FIGURES.values() if set(kinds) & set(figure.kinds)]
    return {
        key: {field: value for field, value in agreement.items() if field != "figures"}
        | {name: agreement["figures"].get(name) for name in names}
        for key, agreement in agreements.items()
    }


def _short(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4) + 0.0
    if isinstance(value, dict):
        return {key: _short(entry) for key, entry in value.items()}
    return [_short(entry) for entry in value] if isinstance(value, list | tuple) else value
