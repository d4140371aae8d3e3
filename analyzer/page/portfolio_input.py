"""What a portfolio starts from: pitches to read or results to open, who reads, and what that may cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from analyzer.errors import AnalyzerError, ConfigurationError
from analyzer.files.listing import TABLES
from analyzer.files.pitches import InputPitch, UploadedTable
from analyzer.page import access, uploads
from analyzer.page.portfolio_run import MOST_PITCHES, PortfolioRun, PortfolioWork, open_results, read_many
from analyzer.page.presence import visitor
from analyzer.page.session import PortfolioState, session
from analyzer.resources import resource
from analyzer.settings import KEYWORDS, RECORDED, Settings
from analyzer.views.html import tag

_LARGEST: Final = 100
"""Megabytes of an uploaded file."""
_READ, _OPEN = "Read pitches", "Open results"
_RECORDED, _KEYWORDS, _MODEL = "Recorded answers", "Keywords", "A model"
_READERS: Final = (_RECORDED, _KEYWORDS, _MODEL)
_AUTOMATIC: Final = "recognized by its name"
_KIND: Final = "portfolio_kind"
_RESULTS: Final = "portfolio_results"
_PITCHES: Final = "portfolio_pitches"
_TEXT_COLUMN: Final = "portfolio_text"
_ID_COLUMN: Final = "portfolio_id"
_READER: Final = "portfolio_reader"
_MODEL_NAME: Final = "portfolio_model"
_MAX_COST: Final = "portfolio_cost"
_SAVE_ANSWERS: Final = "portfolio_keep"


def show(work: PortfolioWork | None) -> None:
    """Draws the fields; folded away once there are results."""
    if work is None:
        st.html(
            tag(
                "p",
                "Analyze many pitches at once. You get them in one chart, a ranking that says how certain it is, and "
                "each assessment in full.",
                class_="pa intro",
            )
        )
        place = st.container(key="portfolio-inputs")
    else:
        place = st.expander("Analyze other pitches", key=f"portfolio-other-{id(work)}")
    with place:
        kind = st.segmented_control(
            "What do you have?",
            (_READ, _OPEN),
            default=_READ,
            required=True,
            key=_KIND,
            persist_state="session",
        )
        if kind == _OPEN:
            _results_fields()
        else:
            _pitch_fields()


def _results_fields() -> None:
    file = uploads.one_file(
        f"A file of results: up to {_LARGEST} MB, {MOST_PITCHES:,} pitches",
        _RESULTS,
        ["jsonl", "json", "parquet"],
        _LARGEST,
        on_change=_clear_error,
        help="JSON Lines, JSON or Parquet, as this page or pitch bulk writes it. The current rulebook scores them "
        "again; no model is asked.",
    )
    if st.button("Open file", type="primary", disabled=file is None) and file is not None:
        _begin(lambda: open_results(file.name, file.data, connected=visitor()))


def _pitch_fields() -> None:
    table_column, reader_column = st.columns([2, 1], gap="medium")
    with table_column:
        file = uploads.one_file(
            f"A table with one pitch per row: up to {_LARGEST} MB, {MOST_PITCHES:,} pitches",
            _PITCHES,
            [ending.removeprefix(".") for ending in TABLES],
            _LARGEST,
            on_change=_clear_error,
            help="CSV, TSV, JSON Lines or Parquet, in UTF-8. One column holds the pitch; another may hold its id.",
        )
        columns = _columns(file.name, file.data) if file is not None else (None, None)
    with reader_column:
        settings, model = _reader()
        max_cost, store = _cost_fields(model)
    with st.container(horizontal=True, vertical_alignment="center"):
        start = st.button("Start", type="primary", disabled=file is None)
        use_samples = st.button("Use the samples", help="Analyzes the sample pitches from their recorded answers.")
    if use_samples:
        _begin(_read_samples)
    elif start and file is not None:
        table = UploadedTable(file.name, file.data, *columns)

        def start_reading() -> PortfolioRun:
            table.check()
            if not model:
                raise ConfigurationError("no reader is chosen; choose one under Read by")
            return read_many(
                table,
                table.count(),
                table.name,
                model=model,
                settings=settings or Settings.from_environment(),
                max_cost=max_cost,
                store=store,
                connected=visitor(),
            )

        _begin(start_reading)


def _columns(name: str, data: bytes) -> tuple[str | None, str | None]:
    """The columns of text and id that the visitor chooses; None = recognized by their usual names."""
    try:
        known = UploadedTable(name, data).columns()
    except AnalyzerError:
        return None, None  # Start says why
    if len(known) < 2:
        return None, None
    left, right = st.columns(2)
    text = left.selectbox(
        "Column of the pitch", (_AUTOMATIC, *known), key=_TEXT_COLUMN, format_func=_cut, persist_state="session"
    )
    id_ = right.selectbox(
        "Column of its id", (_AUTOMATIC, *known), key=_ID_COLUMN, format_func=_cut, persist_state="session"
    )
    return (None if text == _AUTOMATIC else text), (None if id_ == _AUTOMATIC else id_)


def _cut(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:40]}…"


def _reader() -> tuple[Settings | None, str | None]:
    """Who reads: the visitor's choice, at first the model that PITCH_MODEL names, if any."""
    try:
        settings = Settings.from_environment()
    except AnalyzerError:
        settings = None  # Start says why
    configured = settings.model if settings is not None else None
    usual = {RECORDED: _RECORDED, KEYWORDS: _KEYWORDS, None: None}.get(configured, _MODEL)
    chosen = st.selectbox(
        "Read by",
        _READERS,
        index=None if usual is None else _READERS.index(usual),
        placeholder="Choose a reader",
        key=_READER,
        persist_state="session",
        help="Recorded answers: a model's stored answers. Keywords: cue phrases, no model; rough and free.",
    )
    if chosen != _MODEL:
        return settings, {_RECORDED: RECORDED, _KEYWORDS: KEYWORDS}.get(chosen or "")
    own = configured if usual == _MODEL else ""
    named = st.text_input(
        "Model, as provider/name",
        own or "",
        placeholder="openai/gpt-4.1-mini",
        key=_MODEL_NAME,
        persist_state="session",
    )
    return settings, named.strip()


def _cost_fields(model: str | None) -> tuple[float | None, bool]:
    """What a model may cost, and whether its answers are saved."""
    if not model or model.partition("/")[0] in (RECORDED, KEYWORDS):
        return None, False
    cost = st.number_input(
        "Maximum cost, in USD",
        min_value=0.01,
        value=None,
        step=1.0,
        placeholder="no limit",
        key=_MAX_COST,
        persist_state="session",
        help="The run stops before it would cost more. Works for models whose price is known.",
    )
    mine = access.owner()
    if mine is None:
        return cost, False
    save = st.toggle(
        "Save paid answers",
        value=mine == access.LOCAL,
        key=_SAVE_ANSWERS,
        persist_state="session",
        help="Saves them in this server's store, so that another run over the same pitches continues where this one "
        "ended and pays for nothing twice. Anybody who analyzes the same pitch on this server can reuse them.",
    )
    return cost, save


def _read_samples() -> PortfolioRun:
    pitches = [
        InputPitch(path.name, path.stem, path.read_text(encoding="utf-8"))
        for path in sorted(resource("fixtures/pitches").glob("*.txt"))
    ]
    settings = Settings.from_environment()
    return read_many(pitches, len(pitches), "The samples", model=RECORDED, settings=settings, connected=visitor())


def _clear_error() -> None:
    """Drops the error: it was about the previous file."""
    session().portfolio.error = None


def _begin(begin: Callable[[], PortfolioRun]) -> None:
    """Starts a run that replaces the previous one; if it cannot start, the previous one stays and the page says why."""
    visit = session()
    visit.portfolio.error = None
    try:
        visit.portfolio = PortfolioState(begin())
    except AnalyzerError as error:
        visit.portfolio.error = error
    st.rerun()
