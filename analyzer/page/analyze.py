"""One pitch: take it, have it read, show the assessment, and let the visitor change what was read."""

from __future__ import annotations

from typing import Final

import streamlit as st

from analyzer.errors import AnalyzerError, ConfigurationError
from analyzer.framework import one_pitch as scoring
from analyzer.framework.assessment import Assessment
from analyzer.framework.rulebook import Rulebook
from analyzer.page import analysis as reading
from analyzer.page import assessment as answer
from analyzer.page import downloads as take_away
from analyzer.page import history, link, pitch_field, what_if
from analyzer.page.analysis import Reading
from analyzer.runs.many import analyze_many
from analyzer.settings import KEYWORDS, RECORDED, Settings, asks_a_server
from analyzer.views.html import Html, literal, tag
from analyzer.views.quadrant import Other
from analyzer.views.times import duration

_AUTOMATIC, _OTHER_MODEL = "Automatic", "Another model"
_READERS: Final[dict[str, str | None]] = {
    _AUTOMATIC: None,
    "Recorded answer": RECORDED,
    "Keywords": KEYWORDS,
    _OTHER_MODEL: "",
}
_ASSESSMENT, _WHAT_IF = "Assessment", "What if"
_BEHIND: Final = ("My earlier pitches", "The samples", "Nothing")
_EARLIER: Final = 100
"""How many earlier pitches of a visit are kept to be shown behind."""


def show() -> None:
    """The page."""
    st.title("Analyze a pitch")
    _follow_link()
    under_way = reading.current()
    done = under_way is not None and reading.done(under_way)
    found = reading.outcome(under_way) if under_way is not None and done else None
    _inputs(under_way if isinstance(found, Assessment) else None)
    if under_way is None:
        _say(st.session_state.get("fault"))
        history.gather()
    elif not done:
        reading.waiting(under_way)
    elif found is None:
        seconds = st.session_state.get("cancelled_after", 0.0)
        st.info(
            f"Cancelled after {duration(round(seconds))}; the request was ended. The pitch is still in the field above."
        )
    elif isinstance(found, AnalyzerError):
        _say(found)
    else:
        _settle(under_way, found)
        not_kept = st.empty()
        _answer(under_way, found)
        fault = history.keep(under_way, found)
        if fault is not None:
            not_kept.warning(literal(f"Not kept in History: {fault}"))
        _link(under_way)
        history.gather()
        return
    link.write(link.Link(reader=_linked_reader()))


# ---------------------------------------------------------------- inputs


def _inputs(answered: Reading | None) -> None:
    """The fields; out of the way under each new answer, hence a key of its own for each."""
    if answered is None:
        st.html(
            tag(
                "p",
                "Paste the pitch of a product for machine learning. You get what it says, with its own words as "
                "evidence, what the framework makes of that, and what to ask next.",
                class_="pa intro",
            )
        )
        place = st.container(key="inputs")
    else:
        place = st.expander("Another pitch, or a change to this one", key=f"another-{answered.started}")
    with place:
        writing, choosing = st.columns([2, 1], gap="medium")
        with writing:
            pitch_field.field()
        with choosing:
            pitch_field.file()
            st.selectbox("Read by", list(_READERS), key="reader", help=_readers_explained(), persist_state="session")
            if st.session_state["reader"] == _OTHER_MODEL:
                st.text_input(
                    "Model, as provider/name", placeholder="openai/gpt-4.1-mini", key="model", persist_state="session"
                )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Analyze", type="primary", on_click=_analyze)
            history.toggle()
        st.pills(
            "Or a sample",
            list(pitch_field.samples()),
            format_func=str.capitalize,
            key=pitch_field.SAMPLE,
            on_change=_take_sample,
            persist_state="session",
        )
    pitch_field.fault()


def _readers_explained() -> str:
    """What each choice of reader means, line by line."""
    try:
        model = Settings.from_environment().model
    except AnalyzerError:
        model = None
    automatic = (
        f"as PITCH_MODEL says: {literal(model)}" if model else "a recorded answer if there is one, else keywords"
    )
    meanings = (automatic, "given earlier by a model", "cue phrases, no model; rough", "any provider/name with a key")
    return "  \n".join(f"**{name}**: {meaning}" for name, meaning in zip(_READERS, meanings, strict=True))


def _model() -> str | None:
    """The model that the visitor asks for; None = automatic, "" = another that is not named yet."""
    chosen = st.session_state.get("reader") or _AUTOMATIC
    return str(st.session_state.get("model", "")).strip() if chosen == _OTHER_MODEL else _READERS[chosen]


def _analyze() -> None:
    if pitch_field.unread():
        return  # what is wrong with the file is on the page
    if _model() == "":
        st.session_state["reading"] = None
        st.session_state["fault"] = ConfigurationError(
            "no model is named; type one as provider/name, or choose another reader"
        )
        return
    reading.begin(pitch_field.text(), _model(), {}, store=history.keeps())


def _take_sample() -> None:
    """Fills in the sample, and has it read at once where that asks nothing of a model.

    One that is on the page already keeps its answer, and what was changed of it: a slow browser may report as a choice
    what the link has chosen.
    """
    name = pitch_field.sample()
    if name is None or _on_the_page(name):
        return
    pitch_field.put(pitch_field.samples()[name], name)
    if _sends_nothing():
        _analyze()


def _on_the_page(name: str) -> bool:
    """Whether this sample is in the field, and what is read or has been read, by the reader that is chosen."""
    under_way = reading.current()
    if under_way is None or pitch_field.text() != pitch_field.samples()[name]:
        return False
    return _linked_sample(under_way) == name and under_way.reader == (_model() or under_way.reader)


def _sends_nothing() -> bool:
    try:
        model = _model() or Settings.from_environment().model
    except AnalyzerError:
        return False
    return not asks_a_server(model)


# ---------------------------------------------------------------- the link


def _follow_link() -> None:
    """Once a visit: to the place that the address names. What would ask a model waits for the visitor's click."""
    if "visited" in st.session_state:
        return
    st.session_state["visited"] = True
    named = link.read()
    if named.tab == _WHAT_IF:
        st.session_state["opened_tab"] = _WHAT_IF
    readers = {model: name for name, model in _READERS.items() if model}
    if named.reader in readers:
        st.session_state["reader"] = readers[named.reader]
    elif named.reader and "/" in named.reader:
        st.session_state["reader"] = _OTHER_MODEL
        st.session_state["model"] = named.reader
    if named.sample in pitch_field.samples():
        pitch_field.put(pitch_field.samples()[named.sample], named.sample)
        if _sends_nothing():
            reading.begin(pitch_field.text(), _model(), named.changes)
    elif named.kept:
        try:
            history.reopen(named.kept, named.changes)
        except AnalyzerError as error:
            st.session_state["fault"] = error


def _link(under_way: Reading) -> None:
    """The address of the answer as it stands."""
    sample = _linked_sample(under_way)
    tab = _WHAT_IF if st.session_state.get("opened_tab") == _WHAT_IF else None
    kept = None if sample else history.kept_as(under_way)
    link.write(link.Link(sample, _linked_reader(), tab, what_if.changes(), kept))


def _linked_reader() -> str | None:
    return _model() or None


def _linked_sample(under_way: Reading) -> str | None:
    name = pitch_field.sample()
    return name if name and pitch_field.samples()[name].strip() == under_way.pitch.text.strip() else None


# ---------------------------------------------------------------- the answer


def _settle(under_way: Reading, found: Assessment) -> None:
    """Once for each reading: what was set by hand for another pitch is dropped, and this one joins the earlier ones."""
    if st.session_state.get("settled") is under_way:
        return
    st.session_state["settled"] = under_way
    what_if.forget()
    what_if.changes().update(link.fitting(found.signals, under_way.changes))
    earlier: dict[str, Assessment] = st.session_state.setdefault("earlier", {})
    earlier[under_way.pitch.ref.sha256 or ""] = found
    for oldest in list(earlier)[:-_EARLIER]:
        del earlier[oldest]


@st.fragment
def _answer(under_way: Reading, read: Assessment) -> None:
    """The assessment; a click in here draws nothing else anew."""
    changes = what_if.changes()
    rulebook = Rulebook.built_in()
    now = scoring.what_if(read, changes, rulebook) if changes else read
    _html(answer.cautions(now, under_way.note))
    _html(answer.headline(now))
    _html(answer.overview(now, Other.of(_behind(under_way))))
    _tools(now, under_way.pitch.text)
    if "tab" not in st.session_state:  # the tabs come back, or are drawn for the first time
        st.session_state["tab"] = st.session_state.get("opened_tab", _ASSESSMENT)
    first, second = st.tabs([_ASSESSMENT, _WHAT_IF], key="tab", on_change="rerun")
    st.session_state["opened_tab"] = _WHAT_IF if second.open else _ASSESSMENT
    if first.open:
        with first:
            st.html(answer.body(now, rulebook, under_way.pitch.text))
    if second.open:
        with second:
            what_if.show(read.signals, read, now)
    _link(under_way)


def _behind(under_way: Reading) -> list[Assessment]:
    """The other pitches that the visitor wants to see behind this one."""
    chosen = st.session_state.get("behind", _BEHIND[0])
    own = under_way.pitch.ref.sha256
    earlier: dict[str, Assessment] = st.session_state.get("earlier", {})
    found = {_BEHIND[0]: earlier.values(), _BEHIND[1]: _sample_assessments() if chosen == _BEHIND[1] else ()}
    return [other for other in found.get(chosen, ()) if other.pitch.sha256 != own]


@st.cache_resource(show_spinner="Reading the samples from their recordings")
def _sample_assessments() -> list[Assessment]:
    """The samples as read from their recordings; the same for every visitor."""
    results = analyze_many(pitch_field.samples().items(), model=RECORDED)
    return [result.assessment for result in results if result.assessment is not None]


def _tools(now: Assessment, text: str) -> None:
    """What is shown behind the product, and the files to take away."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom", key="tools"):
        if now.position is not None:
            st.segmented_control(
                "Behind it", _BEHIND, default=_BEHIND[0], required=True, key="behind", persist_state="session"
            )
        take_away.assessment(now, text)


def _say(error: AnalyzerError | None) -> None:
    if error is not None:
        st.error(literal(f"Not read: {error}"))


def _html(markup: Html) -> None:
    if markup:
        st.html(markup)
