"""Pitch Analyzer: reads a pitch for an ML tool, with quotes, and judges it by a rulebook one can read.

    from analyzer import analyze
    assessment = analyze(text, model="openai/gpt-6-luna")
    if assessment.scores is not None:  # None: out of scope
        print(assessment.scores.overall.value, assessment.scores.overall.low, assessment.scores.overall.high)

The public names are the ones below; they load what they need when first used, so that scoring never loads the
model SDK.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from analyzer.version import __version__

if TYPE_CHECKING:
    from analyzer.agreement.comparison import compare
    from analyzer.agreement.records import Comparison
    from analyzer.errors import AnalyzerError
    from analyzer.files.manual_scores import ManualScores, read_manual
    from analyzer.framework.assessment import Assessment
    from analyzer.framework.many_pitches import score_table
    from analyzer.framework.market import MarketMap
    from analyzer.framework.one_pitch import score
    from analyzer.framework.rulebook import Rulebook
    from analyzer.results.frames import to_frame
    from analyzer.results.ranking import Ranking, rank
    from analyzer.results.result import Result
    from analyzer.runs.frames import analyze_frame
    from analyzer.runs.many import analyze_many
    from analyzer.runs.many_async import analyze_many_async
    from analyzer.runs.one import analyze, analyze_async
    from analyzer.settings import Settings
    from analyzer.views.report_file import report
    from analyzer.vocabulary.signals import Signals

__all__ = [
    "AnalyzerError",
    "Assessment",
    "Comparison",
    "ManualScores",
    "MarketMap",
    "Ranking",
    "Result",
    "Rulebook",
    "Settings",
    "Signals",
    "__version__",
    "analyze",
    "analyze_async",
    "analyze_frame",
    "analyze_many",
    "analyze_many_async",
    "compare",
    "rank",
    "read_manual",
    "report",
    "score",
    "score_table",
    "to_frame",
]

_HOME = {
    "AnalyzerError": "analyzer.errors",
    "Assessment": "analyzer.framework.assessment",
    "Comparison": "analyzer.agreement.records",
    "ManualScores": "analyzer.files.manual_scores",
    "MarketMap": "analyzer.framework.market",
    "Ranking": "analyzer.results.ranking",
    "Result": "analyzer.results.result",
    "Rulebook": "analyzer.framework.rulebook",
    "Settings": "analyzer.settings",
    "Signals": "analyzer.vocabulary.signals",
    "analyze": "analyzer.runs.one",
    "analyze_async": "analyzer.runs.one",
    "analyze_frame": "analyzer.runs.frames",
    "analyze_many": "analyzer.runs.many",
    "analyze_many_async": "analyzer.runs.many_async",
    "compare": "analyzer.agreement.comparison",
    "rank": "analyzer.results.ranking",
    "read_manual": "analyzer.files.manual_scores",
    "report": "analyzer.views.report_file",
    "score": "analyzer.framework.one_pitch",
    "score_table": "analyzer.framework.many_pitches",
    "to_frame": "analyzer.results.frames",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
