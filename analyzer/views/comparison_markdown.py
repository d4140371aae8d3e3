"""A comparison as Markdown tables for the docs. It holds no text of a pitch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analyzer.agreement.figures import FIGURES, RATERS, Figure
from analyzer.agreement.records import Comparison
from analyzer.views.comparison import (
    SCORES_NOTE,
    agreement_table,
    competitor_table,
    competitors_rule,
    headlines,
    limits,
    mean_difference,
    number,
    reader_differences,
    sides,
    with_interval,
)
from analyzer.vocabulary.labels import title


def comparison_markdown(comparison: Comparison) -> str:
    """All figures, two decimals."""
    lines: list[str] = []
    for line in headlines(comparison):
        lines += [line, ""]
    for side in sides(comparison):
        lines += [f"## {_heading(comparison, side)}", "", *_table(*agreement_table(comparison, side), left=1), ""]
    lines += ["## Competitors, as sets", "", competitors_rule(), ""]
    lines += [*_table(*competitor_table(comparison), left=1), ""]
    lines += ["## Overall scores", "", SCORES_NOTE, "", *_scores(comparison), ""]
    if comparison.tests:
        lines += ["## Reader against reader", "", *reader_differences(comparison), "", *_tests(comparison), ""]
    return "\n".join(lines).rstrip() + "\n"


def figures_markdown() -> str:
    """The registered figures, as a table: what each means, and where it applies."""
    rows = [
        [f"`{figure.name}`", figure.title, figure.meaning, _applies(figure), _COUNTED[figure.counted]]
        for figure in FIGURES.values()
    ]
    return "\n".join(_table(["in JSON", "column", "means", "for", "counts"], rows, left=5))


_COUNTED = {
    "all": "all pitches",
    "both_know": "pitches where both sides know a value",
    "rater_silent": "pitches where the rater says unknown",
    "rater_knows": "pitches where the rater knows a value",
    "rater_pairs": "all pitches, every pair of raters",
}


def _applies(figure: Figure) -> str:
    kinds = {
        ("scope", "ordered", "unordered"): "all signals",
        ("ordered", "unordered"): "all signals but `in_scope`",
        ("ordered",): "ordered signals",
        ("competitors",): "competitors",
    }.get(figure.kinds, ", ".join(figure.kinds))
    only = (
        ""
        if len(figure.comparing) > 1
        else {"reader": "; readers only", "raters": "; raters only"}[figure.comparing[0]]
    )
    return kinds + only


def _heading(comparison: Comparison, side: str) -> str:
    raters = " and ".join(rater.name for rater in comparison.raters)
    return f"Rater against rater: {raters}" if side == RATERS else f"{side} against {raters}"


def _scores(comparison: Comparison) -> list[str]:
    heads = ["first", "second", "n", "Pearson", "Spearman", "Kendall", "mean difference", "limits of agreement"]
    rows = [
        [
            *(s.left, s.right, str(s.n), with_interval(s.pearson), with_interval(s.spearman), number(s.kendall)),
            *(mean_difference(s), limits(s)),
        ]
        for s in comparison.scores
    ]
    return _table(heads, rows, left=2)


def _tests(comparison: Comparison) -> list[str]:
    first, second = comparison.tests[0].first, comparison.tests[0].second
    heads = ["signal", f"{first} better", f"{second} better", "p", "p, Holm", "difference of kappa"]
    rows = [
        [
            *(title(t.signal), str(t.first_better), str(t.second_better), f"{t.p:.2f}", f"{t.p_holm:.2f}"),
            with_interval(t.kappa_difference),
        ]
        for t in comparison.tests
        if t.first_better + t.second_better
    ]
    return _table(heads, rows, left=1)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], left: int) -> list[str]:
    marks = ["---"] * left + ["---:"] * (len(heads) - left)
    return [f"| {' | '.join(cells)} |" for cells in (heads, marks, *rows)]
