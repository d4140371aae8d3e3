"""What a portfolio starts from: pitches to read or results to open, who reads, and what that may cost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from analyzer.agreement.extracted import Upload
from analyzer.errors import AnalyzerError, ConfigurationError
from analyzer.files.listing import TABLES
from analyzer.files.pitches import uploaded_table
from analyzer.files.table_columns import WantedColumns
from analyzer.files.table_preview import TablePreview, preview_table
from analyzer.files.tables import InputPitch
from analyzer.files.text_encoding import UnknownEncoding
from analyzer.page import access, connect, history, open_portfolios, pitch_field, portfolio_list, uploads
from analyzer.page.portfolio_run import MOST_PITCHES, Place, PortfolioRun, open_results, read_many
from analyzer.page.portfolio_work import PortfolioWork, RunChoices, without_credentials
from analyzer.page.session import session
from analyzer.page.store import shared_store
from analyzer.page.words import on_the_page
from analyzer.runs.estimate import CostEstimate, estimate_table
from analyzer.runs.side_processes import shared
from analyzer.settings import KEYWORDS, MAX_READINGS, RECORDED, SAME, Settings, asks_a_server
from analyzer.views.bulk import money
from analyzer.views.html import Html, literal, tag
from analyzer.views.terminal import cut
from analyzer.views.times import duration

_LARGEST: Final = 100
"""Megabytes of an uploaded file."""
_MUCH: Final = 1_000_000
"""Bytes of results that other processes open, which start while the visitor still looks at the page."""
_READ, _OPEN = "Read pitches", "Open results"
_RECORDED, _KEYWORDS, _MODEL = "Recorded answers", "Keywords", "A model"
_READERS: Final = (_RECORDED, _KEYWORDS, _MODEL)
_AUTOMATIC: Final = "recognized by its name"
_LONGEST_FACT: Final = 160
_KIND: Final = "portfolio_kind"
_RESULTS: Final = "portfolio_results"
_PITCHES: Final = "portfolio_pitches"
_TEXT_COLUMN: Final = "portfolio_text"
_ID_COLUMN: Final = "portfolio_id"
_TITLE_COLUMN: Final = "portfolio_title"
_ENCODING: Final = "portfolio_encoding"
_ENCODINGS: Final = ("windows-1252", "iso-8859-15", "mac-roman", "utf-16-le", "utf-16-be", "shift_jis", "gb18030")
_PREVIEW: Final = "portfolio_preview"
_TO_CONFIRM: Final = "portfolio_to_confirm"
_READER: Final = "portfolio_reader"
_FILLED: Final = "portfolio_model_filled"
_READINGS: Final = "portfolio_readings"
_MAX_COST: Final = "portfolio_cost"
_SAVE_ANSWERS: Final = "portfolio_keep"
_SECOND_LOOK: Final = "portfolio_second_look"


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
        place = st.expander("Analyze other pitches", key=f"portfolio-other-{work.id}")
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
        help="JSON Lines, JSON or Parquet, as this page writes it. The current rulebook scores them "
        "again; no model is asked.",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        start = st.button("Open file", type="primary", disabled=file is None)
        history.toggle()
    if file is not None and len(file.data) > _MUCH:
        shared.warm_up()
    if start and file is not None:
        _begin(lambda place: open_results(file.name, file.data, place=place))


def _pitch_fields() -> None:
    table_column, reader_column = st.columns([2, 1], gap="medium")
    with table_column:
        file = uploads.one_file(
            f"A table with one pitch per row: up to {_LARGEST} MB, {MOST_PITCHES:,} pitches",
            _PITCHES,
            [ending.removeprefix(".") for ending in TABLES],
            _LARGEST,
            on_change=_clear_error,
            help="CSV, TSV, JSON, Parquet or Excel. One column holds the pitch; others may hold its id and title.",
        )
        wanted = _columns(file) if file is not None else WantedColumns(on_page=True)
    with reader_column:
        model = _reader()
        reading = _reading_fields(model)
    nothing = ""
    if file is not None:
        preview = _preview(file, wanted)
        if isinstance(preview, TablePreview):
            st.html(_preview_table(preview))
            nothing = preview.nothing_to_read()
            if nothing:
                st.warning(literal(nothing))
        elif isinstance(preview, AnalyzerError):
            st.warning(literal(on_the_page(preview)))
    with st.container(horizontal=True, vertical_alignment="center"):
        start = st.button("Start", type="primary", disabled=file is None or bool(nothing))
        use_samples = st.button("Use the samples", help="Analyzes the sample pitches from their recorded answers.")
        history.toggle()
    if use_samples:
        _begin(_read_samples)
    elif file is not None:
        job = _Job(file, wanted, reading)
        if start and (model == "" or asks_a_server(model)):
            _ask(job)
        elif start:
            _begin(job.begin)
        _confirm(job)


@dataclass(frozen=True, slots=True)
class _Job:
    """A table to be read, and how."""

    file: Upload
    wanted: WantedColumns
    options: RunChoices

    @property
    def model(self) -> str:
        return self.options.model

    @property
    def key(self) -> tuple[object, ...]:
        """What an estimate is for: with anything else it no longer holds."""
        return self.file.name, hash(self.file.data), self.wanted, self.options

    def begin(self, place: Place) -> PortfolioRun:
        """Start reading. Raises AnalyzerError."""
        table = uploaded_table(self.file.name, self.file.data, self.wanted)
        table.layout()
        if not self.model:
            raise ConfigurationError("no reader is chosen; choose one under Read by")
        return read_many(
            table,
            table.count(),
            table.name,
            settings=self.settings(),
            options=self.options,
            place=place,
        )

    def settings(self) -> Settings:
        """How it is read in this visit. Raises ConfigurationError, also if a key is missing."""
        if asks_a_server(self.model):
            connect.connect()
        settings = connect.settings_for(self.model, self.options.verify)
        connect.check_keys(settings, self.model, self.options.verify)
        return replace(settings, readings=self.options.readings)

    def estimate(self) -> CostEstimate:
        """What reading would cost. Raises AnalyzerError."""
        if not self.model:
            raise ConfigurationError("no model is named; type its name or choose another reader")
        table = uploaded_table(self.file.name, self.file.data, self.wanted)
        return estimate_table(table, model=self.model, settings=self.settings(), store=self.options.save_answers)


def _ask(job: _Job) -> None:
    """Estimate what a model would cost, for the visitor to confirm."""
    session().portfolio.error = None
    try:
        found = job.estimate()
        if found.pitches > MOST_PITCHES:  # the run says so; there is nothing to confirm
            job.begin(Place())
    except AnalyzerError as error:
        session().portfolio.error = error
        st.rerun()
    st.session_state[_TO_CONFIRM] = (job.key, found)


def _confirm(job: _Job) -> None:
    """The one question before anything is paid for."""
    asked = st.session_state.get(_TO_CONFIRM)
    if asked is None or asked[0] != job.key:
        return
    found: CostEstimate = asked[1]
    cost = "the price of this model is unknown" if found.cost_usd is None else f"about {money(found.cost_usd)}"
    stored = f", {found.stored:,} already in the store" if found.stored else ""
    faulty = sum(found.faulty.values())
    failed = f", {faulty:,} that cannot be read" if faulty else ""
    readings = f", {found.readings} readings of each" if found.readings > 1 else ""
    tokens = f"about {found.input_tokens:,} input and {found.output_tokens:,} output tokens"
    with st.container(border=True, key="portfolio-confirm"):
        time = f"about {duration(found.seconds)} if the model writes 60 tokens a second, 16 answers at once"
        line = f"{found.pitches:,} pitches{readings}{stored}{failed}; {tokens}; {cost}; {time}."
        st.html(tag("p", tag("strong", str(job.model), class_="alien"), ": ", line, class_="pa", role="status"))
        with st.container(horizontal=True):
            go_on = st.button(f"Read {found.pitches:,} pitches", type="primary", key="portfolio-go-on")
            cancel = st.button("Cancel", key="portfolio-cancel")
    if go_on or cancel:
        del st.session_state[_TO_CONFIRM]
    if go_on:
        _begin(job.begin)
    elif cancel:
        st.rerun()


def _preview(file: Upload, wanted: WantedColumns) -> TablePreview | AnalyzerError:
    """What is understood of the table; looked at again only if the file or a choice changes."""
    key = file.name, hash(file.data), wanted
    cached = st.session_state.get(_PREVIEW)
    if cached is None or cached[0] != key:
        found: TablePreview | AnalyzerError
        try:
            found = preview_table(uploaded_table(file.name, file.data, wanted))
        except AnalyzerError as error:
            found = error
        st.session_state[_PREVIEW] = cached = key, found
    preview: TablePreview | AnalyzerError = cached[1]
    return preview


def _preview_table(preview: TablePreview) -> Html:
    """The preview, without a word of the table being interpreted."""
    facts = [
        tag("tr", tag("th", name, scope="row"), tag("td", tag("span", cut(fact, _LONGEST_FACT), class_="alien")))
        for name, fact in preview.facts()
    ]
    rows = [
        tag(
            "li",
            tag("strong", pitch.title or pitch.id, class_="alien"),
            ": ",
            tag("span", cut(" ".join(pitch.text.split()), _LONGEST_FACT), class_="alien"),
        )
        for pitch in preview.first
    ]
    first = [tag("p", "The first rows:", class_="lead"), tag("ul", *rows)] if rows else []
    return tag("div", tag("table", *facts, class_="preview"), *first, class_="pa listed")


def _columns(file: Upload) -> WantedColumns:
    """The columns, and the encoding where it is not certain, that the visitor chooses; None = recognized."""
    encoding: str | None = None
    known: tuple[str, ...] = ()
    try:
        known = uploaded_table(file.name, file.data).names()
    except UnknownEncoding:
        encoding = st.selectbox("Encoding", _ENCODINGS, index=None, key=_ENCODING, persist_state="session")
        with suppress(AnalyzerError):
            known = uploaded_table(file.name, file.data, WantedColumns(encoding=encoding, on_page=True)).names()
    except AnalyzerError:
        known = ()  # the preview says why
    if len(known) < 2:
        return WantedColumns(encoding=encoding, on_page=True)
    fields = (
        ("Column of the pitch", _TEXT_COLUMN),
        ("Column of its id", _ID_COLUMN),
        ("Column of its title", _TITLE_COLUMN),
    )
    chosen = []
    for place, (label, key) in zip(st.columns(3), fields, strict=True):
        name = place.selectbox(label, (_AUTOMATIC, *known), key=key, format_func=_cut, persist_state="session")
        chosen.append(None if name == _AUTOMATIC else name)
    text, id_, title = chosen
    return WantedColumns((text,) if text else (), id_, title, encoding, on_page=True)


def _cut(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:40]}…"


def _reader() -> str | None:
    """Who reads: the visitor's choice, at first the model that PITCH_MODEL names, if any. "" = a model without a name
    yet."""
    try:
        configured = Settings.from_environment().model
    except AnalyzerError:
        configured = None  # Start says why
    usual = {RECORDED: _RECORDED, KEYWORDS: _KEYWORDS, None: None}.get(configured, _MODEL)
    meanings = {
        _RECORDED: "a model's stored answers",
        _KEYWORDS: "cue phrases, no model; rough and free",
        _MODEL: connect.explained(),
    }
    chosen = st.selectbox(
        "Read by",
        _READERS,
        index=None if usual is None else _READERS.index(usual),
        placeholder="Choose a reader",
        key=_READER,
        persist_state="session",
        help="  \n".join(f"**{name}**: {meaning}" for name, meaning in meanings.items()),
    )
    if chosen != _MODEL:
        return {_RECORDED: RECORDED, _KEYWORDS: KEYWORDS}.get(chosen or "")
    if _FILLED not in st.session_state:
        st.session_state[_FILLED] = True
        if asks_a_server(configured) and not connect.named():
            connect.fill(configured)
    connect.show_fields("Start")
    return connect.named()


def _reading_fields(model: str | None) -> RunChoices:
    """How a model reads: how often, what it may cost, whether its answers are saved, and whether there is a second
    look."""
    if not model or model == KEYWORDS:
        return RunChoices(model or "")
    settings = _environment()
    if _READINGS not in st.session_state:
        st.session_state[_READINGS] = settings.readings
    readings = st.number_input(
        "Readings",
        min_value=1,
        max_value=MAX_READINGS,
        key=_READINGS,
        persist_state="session",
        help="How often each pitch is read. Each is a request of its own. Where readings differ, the score's range "
        "covers all of them.",
    )
    if not asks_a_server(model):
        return RunChoices(model, readings=readings)
    taker = settings.verify
    look = st.toggle(
        "Second look",
        value=taker is not None,
        key=_SECOND_LOOK,
        persist_state="session",
        help="One more request per pitch: the model sees each value with its quotes, not the pitch, and takes back "
        "what they do not support.",
    )
    verify = (taker or SAME) if look else None
    connect.verifier_field(model, verify)
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
    choices = RunChoices(model, cost, verify=verify, readings=readings, server=without_credentials(connect.address()))
    mine = access.owner()
    if mine is None:
        return choices
    save = st.toggle(
        "Save paid answers",
        value=mine == access.LOCAL,
        key=_SAVE_ANSWERS,
        persist_state="session",
        help="Saves them in this server's store, so that another run over the same pitches continues where this one "
        "ended and pays for nothing twice. Anybody who analyzes the same pitch on this server can reuse them.",
    )
    return replace(choices, save_answers=save)


def _environment() -> Settings:
    try:
        return Settings.from_environment()
    except AnalyzerError:
        return Settings()  # Start says why


def _read_samples(place: Place) -> PortfolioRun:
    pitches = [
        InputPitch(f"{name}.txt", name, text, title=pitch_field.sample_title(name))
        for name, text in pitch_field.samples().items()
    ]
    settings = Settings.from_environment()
    options = RunChoices(RECORDED)
    return read_many(pitches, len(pitches), "The samples", settings=settings, options=options, place=place)


def _clear_error() -> None:
    """Drops the error: it was about the previous file."""
    session().portfolio.error = None
    st.session_state.pop(_TO_CONFIRM, None)


def _begin(begin: Callable[[Place], PortfolioRun]) -> None:
    """Starts a run that replaces the previous one; if it cannot start, the previous one stays and the page says why."""
    visit = session()
    visit.portfolio.error = None
    place, unsaved = _place()
    try:
        run = open_portfolios.enter(begin(place))
    except AnalyzerError as error:
        visit.portfolio.error = error
    else:
        run.work.unsaved = run.work.unsaved or unsaved
        portfolio_list.present(run)
    st.rerun()


def _place() -> tuple[Place, AnalyzerError | None]:
    """Where a new portfolio lives, and why that is not the store, where the visitor wants it there."""
    owner = access.owner()
    if not history.wants_saving():
        return Place(owner), None
    try:
        return Place(owner, shared_store()), None
    except AnalyzerError as error:
        return Place(owner), error
