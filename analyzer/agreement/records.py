"""What a comparison says: plain, frozen records, for scripts, files and pages alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from analyzer.agreement.statistics import Estimate, Limits

RATERS: Final = "raters"
"""The name of rater against rater among the readers' results."""


@dataclass(frozen=True, slots=True)
class Share:
    """`share` of `of` pitches; None of none."""

    share: float | None
    of: float


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
class SignalAgreement:
    """One signal, one reader against the raters, or the raters against each other.

    `agreement`: the share of n pitches with the same value, with Wilson's interval. `needed`: how many pitches it
    would take to know such a share to ±0.1. `kappa`, `ac1`, `alpha`: corrected for chance, with bootstrap intervals;
    alpha is between raters only. `weighted`: linearly weighted kappa over `weighted_n` pitches where both know a value,
    for ordered signals. `table`: rows are the rater's values, columns the reader's, in the order of `by_value`.
    `overclaimed`: how often the reader gives a value where the rater says unknown; `missed`: the reverse.
    """

    signal: str
    n: int
    agreement: Estimate
    needed: int
    kappa: Estimate
    weighted: Estimate | None
    weighted_n: float
    ac1: Estimate
    alpha: Estimate | None
    overclaimed: Share | None
    missed: Share | None
    by_value: tuple[ValueAgreement, ...]
    table: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class RivalMatch:
    """Two names that were taken for the same competitor."""

    pitch: str
    rater: str
    extracted: str
    manual: str


@dataclass(frozen=True, slots=True)
class RivalAgreement:
    """Competitors as sets over n pitches: of the reader's names how many the rater has (precision), of the rater's how
    many the reader has (recall), and their harmonic mean."""

    n: int
    extracted: float
    manual: float
    precision: Estimate
    recall: Estimate
    f1: Estimate
    matches: tuple[RivalMatch, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """All scored signals of codebook §2 with single values together: the mean of their agreements over n pitches.

    `quotable`: n is at least `needed`, the pitches it takes to know such a share to ±0.1.
    """

    n: int
    agreement: Estimate
    needed: int
    quotable: bool


@dataclass(frozen=True, slots=True)
class PairTest:
    """Two readers on one signal, over the n pitches both have.

    `first_better` and `second_better`: in how many pitches one agrees with more raters than the other. `p`: two-sided
    exact sign test (McNemar's, where there is one rater); `p_holm`: corrected for all tests of the comparison.
    `kappa_difference`: first minus second, drawn over the same pitches.
    """

    signal: str
    first: str
    second: str
    n: int
    first_better: int
    second_better: int
    p: float
    p_holm: float
    kappa_difference: Estimate


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One value that a reader and some raters give differently. `moves`: by how many points of the overall score (0 to
    100) the extracted assessment moves if this signal alone is as the raters scored it; None where a side is out of
    scope. `rule`: what decides by the codebook. `notes`: what the raters wrote beside their scores ("anna: …")."""

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
    pearson: Estimate
    spearman: Estimate
    kendall: Estimate
    limits: Limits | None
    points: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Attribution:
    """Where the difference between a reader's and a rater's score of one pitch comes from.

    `manual` - `extracted` = the sum of `parts` + `together`. `parts`: by how much the score moves when this signal
    alone is as the rater scored it. `finer`: positions whose leans agree but which the reader places more finely.
    `given`: the overall score the rater would give; `left_to_rule` = given - manual. Scores are 0 to 100.
    """

    reader: str
    pitch: str
    rater: str
    extracted: float
    manual: float
    parts: Mapping[str, float]
    together: float
    finer: tuple[str, ...]
    given: float | None
    left_to_rule: float | None


@dataclass(frozen=True, slots=True)
class ReaderRef:
    """A reader, and what became of the pitches."""

    name: str
    models: tuple[str, ...]
    read: int
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RaterRef:
    name: str
    pitches: int


@dataclass(frozen=True, slots=True)
class Issue:
    """Something about the input that a user has to know. `where`: a file, a line, a reader."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything a comparison says. `signals`, `competitors` and `summaries` hold each reader by name and, with two
    raters or more, the raters against each other under "raters"."""

    readers: tuple[ReaderRef, ...]
    raters: tuple[RaterRef, ...]
    pitches: tuple[str, ...]
    seed: int
    draws: int
    rulebook: str
    issues: tuple[Issue, ...]
    summaries: Mapping[str, Summary]
    signals: Mapping[str, Mapping[str, SignalAgreement]]
    competitors: Mapping[str, RivalAgreement]
    tests: tuple[PairTest, ...]
    scores: tuple[ScoreAgreement, ...]
    attributions: tuple[Attribution, ...]
    disagreements: tuple[Disagreement, ...]

    def to_json(self, indent: int | None = 1) -> str:
        """The comparison as JSON, numbers with four decimals."""
        return json.dumps(_short(asdict(self)), ensure_ascii=False, indent=indent, allow_nan=False)


def _short(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4) + 0.0
    if isinstance(value, dict):
        return {key: _short(entry) for key, entry in value.items()}
    return [_short(entry) for entry in value] if isinstance(value, list | tuple) else value
