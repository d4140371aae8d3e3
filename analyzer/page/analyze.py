"""The page for one pitch: take it, analyze it, show the assessment, and let the visitor edit the signals."""

from __future__ import annotations

from typing import Final

import streamlit as st

from analyzer.errors import AnalyzerError, ConfigurationError
from analyzer.framework import one_pitch
from analyzer.framework.assessment import Assessment
from analyzer.framework.rulebook import Rulebook
from analyzer.page import access, analysis, connect, desk, downloads, history, link, pitch_field, what_if
from analyzer.page import assessment as parts
from analyzer.page.analysis import Analysis
from analyzer.page.session import session
from analyzer.page.words import on_the_page, show_error
from analyzer.runs.many import analyze_many
from analyzer.settings import KEYWORDS, MAX_READINGS, RECORDED, SAME, Settings, asks_a_server
from analyzer.views.assessment_content import heading
from analyzer.views.html import Html, literal, tag
from analyzer.views.quadrant import Other
from analyzer.views.side_by_side import side_by_side
from analyzer.views.times import duration

_AUTOMATIC, _OTHER_MODEL = "Automatic", "A model"
_READERS: Final[dict[str, str | None]] = {
    _AUTOMATIC: None,
    "Recorded answer": RECORDED,
    "Keywords": KEYWORDS,
    _OTHER_MODEL: "",
}
_ASSESSMENT, _WHAT_IF, _BOTH = "Assessment", "What if", "Side by side"
_MINE, _SAMPLES, _NONE = "My pitches", "Samples", "None"
_MOST_OTHERS: Final = 100
"""How many assessments of a visit are kept to be shown in the chart."""
_READER: Final = "reader"
_READINGS: Final = "readings"
_SECOND_LOOK: Final = "second-look"
_TAB: Final = "tab"
_ANALYZE: Final = "analyze"
_OTHERS: Final = "behind"
_NEXT_TO: Final = "next-to"
_LOW, _HIGH = 120, 250
"""Pixels of the field for the pitch: with an example beneath, and without."""
_EXAMPLE: Final = "twicetold"
"""The sample that a newcomer sees."""


def show() -> None:
    """The page."""
    _follow_link()
    current = session().analysis
    done = current is not None and analysis.is_done(current)
    outcome = analysis.outcome(current) if current is not None and done else None
    if current is not None and isinstance(outcome, Assessment):
        _settle(current, outcome)
        with desk.next_to_pitch(current.pitch.text, outcome, str(current.started)):
            _inputs(current)
            current.save = history.wants_saving()
            warning = st.empty()
            _show_assessment(current, outcome)
        error = history.save(current, outcome)
        if error is not None:
            warning.warning(literal(f"Not saved in History: {on_the_page(error)}"))
        _write_link(current)
        history.load_assessments()
        return
    st.title("Analyze a pitch")
    _inputs(None)
    reading = None
    if current is None:
        _show_error(session().error)
        history.load_assessments()
        if _shows_example():
            _show_example()
    elif not done:
        current.save = history.wants_saving()
        reading = analysis.hold(current, access.owner())
        analysis.show_progress(current)
    elif isinstance(outcome, AnalyzerError):
        _show_error(outcome)
    else:
        after = session().cancelled_after
        when = "(on another tab, or because no tab showed it)" if after is None else f"after {duration(round(after))}"
        st.info(f"Cancelled {when}; the request has ended. The pitch is still in the field above.")
    link.write(link.Link(reader=_linked_reader(), reading=reading))


# ---------------------------------------------------------------- inputs


def _inputs(answered: Analysis | None) -> None:
    """The fields, folded away above each new assessment (hence its own key for each)."""
    if answered is None:
        st.html(
            tag(
                "p",
                "Paste the pitch of a machine learning product. You get what it says, with quotes as evidence, how the "
                "framework judges it, and what to ask next.",
                class_="pa intro",
            )
        )
        place = st.container(key="inputs")
    else:
        place = st.expander("Edit this pitch or analyze another", key=f"another-{answered.started}")
    with place:
        writing, choosing = st.columns([2, 1], gap="medium")
        with writing:
            pitch_field.field(_LOW if answered is None and _is_new() else _HIGH)
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button("Analyze", type="primary", on_click=_analyze, key=_ANALYZE, help="Ctrl+Enter in the field")
                history.toggle()
                _second_look_toggle()
                _readings_field()
            if _wants_second_look():
                connect.verifier_field(_model(), analysis.verifier())
        with choosing:
            pitch_field.file()
            st.selectbox("Read by", list(_READERS), key=_READER, help=_readers_explained(), persist_state="session")
            if st.session_state[_READER] == _OTHER_MODEL:
                connect.show_fields("Analyze")
            st.selectbox(
                "Or use a sample",
                list(pitch_field.samples()),
                index=None,
                format_func=pitch_field.sample_title,
                placeholder="Choose one",
                key=pitch_field.SAMPLE,
                on_change=_use_sample,
                persist_state="session",
            )
    pitch_field.show_error()
    desk.submit_by_key(_ANALYZE)


def _second_look_toggle() -> None:
    """Whether a model checks what is read; on from the start if PITCH_VERIFY says so."""
    if _SECOND_LOOK not in st.session_state:
        try:
            st.session_state[_SECOND_LOOK] = Settings.from_environment().verify is not None
        except AnalyzerError:
            st.session_state[_SECOND_LOOK] = False
    st.toggle(
        "Second look",
        key=_SECOND_LOOK,
        disabled=_model() == KEYWORDS,
        help="One more request: the model sees each value with its quotes, not the pitch, and takes back what they do "
        "not support.",
        persist_state="session",
    )


def _readings_field() -> None:
    """How often a model reads the pitch; from the start as often as PITCH_READINGS says."""
    if _READINGS not in st.session_state:
        try:
            st.session_state[_READINGS] = Settings.from_environment().readings
        except AnalyzerError:
            st.session_state[_READINGS] = 1
    st.number_input(
        "Readings",
        min_value=1,
        max_value=MAX_READINGS,
        key=_READINGS,
        disabled=_model() == KEYWORDS,
        width=140,
        help="Each is a request of its own. Where readings differ, the score's range covers all of them.",
        persist_state="session",
    )


def _readers_explained() -> str:
    """What each choice of reader means, line by line."""
    try:
        model = Settings.from_environment().model
    except AnalyzerError:
        model = None
    automatic = (
        f"{literal(model)}, the model of this server" if model else "a recorded answer if there is one, else keywords"
    )
    meanings = (
        automatic,
        "a model's stored answer",
        "cue phrases, no model; rough",
        connect.explained(),
    )
    return "  \n".join(f"**{name}**: {meaning}" for name, meaning in zip(_READERS, meanings, strict=True))


def _model() -> str | None:
    """The model that the visitor asks for; None = automatic, "" = another that is not named yet."""
    chosen = st.session_state.get(_READER) or _AUTOMATIC
    return connect.named() if chosen == _OTHER_MODEL else _READERS[chosen]


def _analyze() -> None:
    if pitch_field.file_failed():
        return  # the page shows why
    if st.session_state.get(_READER) == _OTHER_MODEL:
        try:
            if not connect.connect():
                raise ConfigurationError("no model is named; type its name or choose another reader")
        except ConfigurationError as error:
            session().analysis, session().error = None, error
            return
    look = _wants_second_look()
    analysis.begin(pitch_field.pitch(), _model(), {}, store=history.wants_saving(), verify=look, readings=_readings())


def _wants_second_look() -> bool:
    return bool(st.session_state.get(_SECOND_LOOK)) and _model() != KEYWORDS


def _readings() -> int:
    return 1 if _model() == KEYWORDS else int(st.session_state.get(_READINGS) or 1)


def _use_sample() -> None:
    """Fills in the sample, and analyzes it at once where that asks no model.

    A sample that is on the page already keeps its assessment with all edits: a slow browser may report as a choice what
    the link has chosen.
    """
    name = pitch_field.sample()
    if name is None or _on_the_page(name):
        return
    pitch_field.put(pitch_field.samples()[name], name)
    if _sends_nothing():
        _analyze()


def _on_the_page(name: str) -> bool:
    """Whether this sample is in the field and was analyzed, or is now, by the chosen reader."""
    current = session().analysis
    if current is None or pitch_field.text() != pitch_field.samples()[name]:
        return False
    return _linked_sample(current) == name and current.reader == (_model() or current.reader)


def _sends_nothing() -> bool:
    if _wants_second_look() and analysis.verifier() != SAME:
        return False
    try:
        model = _model() or Settings.from_environment().model
    except AnalyzerError:
        return False
    return not asks_a_server(model)


# ---------------------------------------------------------------- the first minute


def _shows_example() -> bool:
    """Whether this is a newcomer's page, as far as their History is known."""
    return _is_new() and (access.owner() is None or session().history.loaded)


def _is_new() -> bool:
    """Whether nothing was analyzed or typed in this visit, and this server has no model of its own."""
    visit = session()
    if visit.analysis is not None or visit.error is not None or visit.assessments or pitch_field.text().strip():
        return False
    try:
        return Settings.from_environment().model is None and not pitch_field.file_failed()
    except AnalyzerError:
        return False


def _show_example() -> None:
    """What the answer to a pitch looks like: a real one, of a sample."""
    example = _example()
    if example is None:
        return
    title = pitch_field.sample_title(_EXAMPLE)
    st.html(
        tag(
            "p",
            tag("strong", "An example of what you get. "),
            f"A large language model read this sample pitch ({title}; written for this program, the product is "
            "invented). Paste yours above.",
            class_="pa note",
        )
    )
    with desk.next_to_pitch(pitch_field.samples()[_EXAMPLE], example, ""):
        _html(parts.headline(example))
        _html(parts.glance(example, ()))
        st.button("Open the example", on_click=_open_example)


@st.cache_resource(show_spinner=False)
def _example() -> Assessment | None:
    """The example as read from its recording; None if there is none."""
    pitches = [(_EXAMPLE, pitch_field.samples()[_EXAMPLE])]
    return next(iter(analyze_many(pitches, model=RECORDED, verify=False, readings=1))).assessment


def _open_example() -> None:
    pitch_field.put(pitch_field.samples()[_EXAMPLE], _EXAMPLE)
    analysis.begin(pitch_field.text(), None, {}, readings=1)


# ---------------------------------------------------------------- the link


def _follow_link() -> None:
    """Opens the place that the address names, at the start of a visit and at each Back or Forward. What would ask a
    model waits for the visitor's click."""
    found = link.arrival("analyze")
    if found is None:
        return
    visit, named = session(), link.read(found)
    visit.tab = named.tab if named.tab in (_WHAT_IF, _BOTH) else _ASSESSMENT
    if _TAB in st.session_state:
        st.session_state[_TAB] = visit.tab
    if visit.address is not None and named.place == visit.address.place and visit.settled is visit.analysis:
        what_if.reset()
        visit.changes.update(named.changes)  # they came from here
        return
    readers = {model: name for name, model in _READERS.items() if model}
    if named.reader in readers:
        st.session_state[_READER] = readers[named.reader]
    elif named.reader and "/" in named.reader:
        st.session_state[_READER] = _OTHER_MODEL
        connect.fill(named.reader)
    if named.sample in pitch_field.samples():
        pitch_field.put(pitch_field.samples()[named.sample], named.sample)
        if _sends_nothing():
            analysis.begin(pitch_field.text(), _model(), named.changes)
    elif named.saved or named.held or named.reading:
        try:
            if named.saved:
                history.reopen(named.saved, named.changes)
            else:
                _take(named)
        except AnalyzerError as error:
            visit.error = error
    elif visit.analysis is not None and visit.analysis.result.done():
        visit.analysis = None
        pitch_field.choose_sample(None)


def _take(named: link.Link) -> None:
    """Shows what this server's memory holds. Back from an answer comes to the field, as it was while a model read."""
    visit, id_ = session(), named.held or named.reading or ""
    found = analysis.held(id_, access.owner())
    if named.held is None and link.came_by_history() and found.result.done():
        visit.analysis = visit.error = None
        pitch_field.put(found.pitch.text)
        return
    analysis.take(id_, access.owner(), named.changes)
    history.set_saving(found.save)


def _write_link(current: Analysis) -> None:
    """Puts what is on the page into its address."""
    sample = _linked_sample(current)
    tab = session().tab if session().tab in (_WHAT_IF, _BOTH) else None
    saved = None if sample else history.saved_id(current)
    held = None if sample or saved else analysis.hold(current, access.owner())
    session().address = address = link.Link(sample, _linked_reader(), tab, dict(session().changes), saved, held)
    link.write(address)


def _linked_reader() -> str | None:
    return _model() or None


def _linked_sample(current: Analysis) -> str | None:
    name = pitch_field.sample()
    return name if name and pitch_field.samples()[name].strip() == current.pitch.text.strip() else None


# ---------------------------------------------------------------- the assessment


def _settle(current: Analysis, assessment: Assessment) -> None:
    """Once an analysis: drops the edits of another pitch, and keeps the assessment for the chart."""
    visit = session()
    if visit.settled is current:
        return
    visit.settled = current
    what_if.reset()
    visit.changes.update(link.fitting(assessment.signals, current.changes))
    visit.assessments[current.pitch.ref.sha256 or ""] = assessment
    for oldest in list(visit.assessments)[:-_MOST_OTHERS]:
        del visit.assessments[oldest]


@st.fragment
def _show_assessment(current: Analysis, read: Assessment) -> None:
    """The assessment; a click in here draws nothing else anew."""
    visit = session()
    rulebook = Rulebook.built_in()
    now = one_pitch.what_if(read, visit.changes, rulebook) if visit.changes else read
    _html(parts.cautions(now, current.notes))
    _html(parts.headline(now))
    if _TAB not in st.session_state:  # the tabs come back, or are drawn for the first time
        st.session_state[_TAB] = visit.tab or _ASSESSMENT
    first, second, third = st.tabs([_ASSESSMENT, _WHAT_IF, _BOTH], key=_TAB, on_change="rerun")
    visit.tab = _WHAT_IF if second.open else _BOTH if third.open else _ASSESSMENT
    if first.open:
        with first:
            _html(parts.glance(now, Other.of(_others(current), _named)))
            _tools(now, current.pitch.text)
            st.html(parts.details(now, rulebook))
    if second.open:
        with second:
            what_if.show(read.signals, read, now)
            downloads.assessment(now, current.pitch.text)
    if third.open:
        with third:
            _show_side_by_side(current, now)
    _write_link(current)


def _show_side_by_side(current: Analysis, now: Assessment) -> None:
    """The pitch next to another one of this visit, of History, or of the samples."""
    others = [*session().assessments.values(), *_sample_assessments()]
    by_id = {other.pitch.sha256: other for other in others if other.pitch.sha256 != current.pitch.ref.sha256}
    chosen = st.selectbox(
        "Next to",
        list(by_id),
        format_func=lambda sha256: _named(by_id[sha256]),
        key=_NEXT_TO,
        persist_state="session",
    )
    if chosen is not None:
        st.html(side_by_side(now, by_id[chosen], _named))


def _named(assessment: Assessment) -> str:
    """A pitch in a list: a sample by what it is, any other by its product."""
    name = pitch_field.samples_by_sha256().get(assessment.pitch.sha256 or "")
    return heading(assessment) if name is None else pitch_field.sample_title(name)


def _others(current: Analysis) -> list[Assessment]:
    """The other assessments that the visitor wants to see in the chart."""
    chosen = st.session_state.get(_OTHERS, _MINE)
    if chosen == _NONE:
        return []
    found = _sample_assessments() if chosen == _SAMPLES else session().assessments.values()
    return [other for other in found if other.pitch.sha256 != current.pitch.ref.sha256]


@st.cache_resource(show_spinner="Reading the samples from their recordings")
def _sample_assessments() -> list[Assessment]:
    """The samples as read from their recordings; the same for every visitor."""
    results = analyze_many(pitch_field.samples().items(), model=RECORDED, verify=False, readings=1)
    return [result.assessment for result in results if result.assessment is not None]


def _tools(now: Assessment, text: str) -> None:
    """What else the chart shows, and the downloads."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom", key="tools"):
        if now.position is not None:
            st.segmented_control(
                "Compare in the chart with",
                (_MINE, _SAMPLES, _NONE),
                default=_MINE,
                required=True,
                key=_OTHERS,
                persist_state="session",
            )
        downloads.assessment(now, text)


def _show_error(error: AnalyzerError | None) -> None:
    if error is not None:
        show_error("Not analyzed", error)


def _html(markup: Html) -> None:
    if markup:
        st.html(markup)
