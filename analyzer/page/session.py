"""What one visitor has done on the page, for as long as the visit lasts: one typed object, with defaults.

Streamlit runs the script anew at every click and keeps `st.session_state` between runs. In it stand the values of the
fields, under keys that are constants in the file of their page, and this object. Nothing else does. Sessions share
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from analyzer.errors import AnalyzerError

if TYPE_CHECKING:
    from analyzer.agreement.records import Comparison
    from analyzer.files.document import Document
    from analyzer.framework.assessment import Assessment
    from analyzer.page.analysis import Analysis
    from analyzer.page.connect import Connection, ModelCheck
    from analyzer.page.link import Link
    from analyzer.page.manual_scoring_queue import QueuedPitch
    from analyzer.page.portfolio_filters import View
    from analyzer.page.portfolio_run import PortfolioRun
    from analyzer.page.uploads import FieldFiles
    from analyzer.reading.local_servers import LocalServer

KEY: Final = "visit"
"""Under this key Streamlit keeps the object."""
HISTORY_STEP: Final = 25
"""Assessments that History shows at first, and with each "Show more"."""


@dataclass(slots=True)
class PitchFieldState:
    """The field with the pitch, beyond its text."""

    generation: int = 0
    """How often the field began anew, see `pitch_field`."""
    replaced: str = ""
    """The text that can be put back."""
    error: AnalyzerError | None = None
    """Why the chosen file could not be read."""
    document: Document | None = None
    """What the chosen file holds."""


@dataclass(frozen=True, slots=True)
class SaveAttempt:
    """Whether an analysis is in History: its id there, or why it could not be saved."""

    analysis: Analysis
    id: str | None = None
    error: AnalyzerError | None = None


@dataclass(frozen=True, slots=True)
class PendingDeletion:
    """What the visitor wants to delete and has not confirmed: the pitch's SHA-256 for each id of an assessment (None =
    everything), and the ids of portfolios."""

    pitches: Mapping[str, str] | None
    portfolios: tuple[str, ...] = ()


@dataclass(slots=True)
class HistoryState:
    """The page History."""

    limit: int = HISTORY_STEP
    error: AnalyzerError | None = None
    message: str = ""
    pending: PendingDeletion | None = None
    loaded: bool = False
    """Whether the saved assessments have joined `Session.assessments`."""


@dataclass(slots=True)
class PortfolioState:
    """The page Portfolio. Places are places in the ranking, from 0; numbers are places in the input, from 0."""

    run: PortfolioRun | None = None
    error: AnalyzerError | None = None
    lost: str = ""
    """Why the address leads nowhere."""
    arrived: Mapping[str, str] = field(default_factory=dict)
    """What the address says of filters and order, until the results are shown."""
    page: int = 0
    opened: int | None = None
    """The number of the pitch that is shown in full."""
    focus: int | None = None
    """The number of the pitch whose row the visitor comes back to."""
    view: View | None = None
    """What was shown last."""
    reverse: bool = False
    """Whether the order is turned around."""


@dataclass(slots=True)
class ComparisonState:
    """The page Compare."""

    result: Comparison | None = None
    error: AnalyzerError | None = None
    outdated: bool = False
    """Whether other files were chosen since."""


@dataclass(slots=True)
class ManualScoringState:
    """The page Manual scoring. Drafts and analyses are kept by the key of their task."""

    fields: dict[str, Any] = field(default_factory=dict)
    """Values of the fields above the form, by name."""
    initial: dict[str, Any] = field(default_factory=dict)
    """What each field on the page began with, by its key."""
    file: tuple[str, str] | None = None
    """Name without ending, and text, of the chosen file."""
    file_error: AnalyzerError | None = None
    chosen: dict[str, str] = field(default_factory=dict)
    """The id of the pitch that is scored now, by the queue it is in."""
    generation: int = 0
    """How often the field that names it began anew."""
    queues: dict[str, Mapping[str, QueuedPitch]] = field(default_factory=dict)
    """The latest queue that was read, by where it came from."""
    signals: dict[str, str] = field(default_factory=dict)
    """The signal that is shown, where they are shown one at a time, by the key of the task."""
    asks: set[str] = field(default_factory=set)
    """Tasks that wait for an answer: what to save where not everything was looked at."""
    drafts: dict[str, dict[str, str]] = field(default_factory=dict)
    analyses: dict[str, Analysis] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    """What came of the last click, by the place on the page that shows it."""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Session:
    """One visit."""

    pages: frozenset[str] = frozenset()
    """The pages that were shown, by the names that they give `link.arrival`."""
    go_to_analyze: bool = False
    """Whether the next run opens the page for one pitch."""
    go_to_portfolio: bool = False
    """Whether the next run opens the page for many pitches."""
    analysis: Analysis | None = None
    """The latest analysis, running or done."""
    error: AnalyzerError | None = None
    """Why an analysis could not start."""
    cancelled_after: float | None = None
    """Seconds after which the visitor cancelled the analysis."""
    settled: Analysis | None = None
    """The latest analysis whose outcome has joined `assessments`."""
    assessments: dict[str, Assessment] = field(default_factory=dict)
    """Assessments to show in the chart next to the current one, by the SHA-256 of their pitch."""
    changes: dict[str, str] = field(default_factory=dict)
    """Signals that the visitor edited, as for `framework.edits.edited`."""
    tab: str | None = None
    """The tab that was open last."""
    saved: SaveAttempt | None = None
    connection: Connection | None = None
    """The model that the visitor connected, with its key."""
    model_check: ModelCheck | None = None
    """The latest test of a model."""
    local_servers: list[LocalServer] | None = None
    """Model servers found on this machine; None = not looked for."""
    held: tuple[Analysis, str] | None = None
    """The analysis that this server's memory holds for its address, and the id there."""
    address: Link | None = None
    """The address of what the page for one pitch shows, as written last."""
    files: dict[str, FieldFiles] = field(default_factory=dict)
    """Chosen files, by the key of their field."""
    pitch_field: PitchFieldState = field(default_factory=PitchFieldState)
    history: HistoryState = field(default_factory=HistoryState)
    portfolio: PortfolioState = field(default_factory=PortfolioState)
    comparison: ComparisonState = field(default_factory=ComparisonState)
    manual_scoring: ManualScoringState = field(default_factory=ManualScoringState)


def session() -> Session:
    """The session of the visitor for whom the script runs now."""
    found: Session = st.session_state.setdefault(KEY, Session())
    return found
