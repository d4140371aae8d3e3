"""A pitch scored by hand: a form by the codebook, kept in the store, and only then what a reader made of the pitch.

What a visitor has begun is kept in their session, apart for each pitch and rater, because Streamlit forgets the fields
of a page that is not on show. What is saved goes to the store, where every saving stays, so that the scores given
before anything was shown can always be told from those changed afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import PurePath
from typing import Any, Final

import streamlit as st

from analyzer.agreement.comparison import compare, extracted_value, rule
from analyzer.agreement.figures import SCOPE
from analyzer.agreement.records import Comparison, Disagreement
from analyzer.errors import AnalyzerError, InputError, ManualError
from analyzer.files.cells import plain_cell
from analyzer.files.documents import MAX_BYTES, SUFFIXES
from analyzer.files.manual_scores import (
    COLUMNS,
    MEANINGS,
    VALUES,
    ManualScore,
    ManualScores,
    cells_of,
    manual_csv,
    parse_manual,
    row_of,
)
from analyzer.framework.assessment import Assessment
from analyzer.page import uploads
from analyzer.page.analysis import Reading, ask, done, outcome, waiting
from analyzer.page.assessment import scrolling
from analyzer.page.upload import read_upload
from analyzer.reading.pitch import Pitch
from analyzer.resources import resource
from analyzer.runs.many import choose
from analyzer.settings import KEYWORDS, RECORDED, Settings
from analyzer.store.manual_scores import SavedManualScores
from analyzer.store.store import Store
from analyzer.views import comparison as views
from analyzer.views.html import Html, literal, tag
from analyzer.views.terminal import provenance
from analyzer.vocabulary.labels import capital, title, word
from analyzer.vocabulary.signals import UNKNOWN

_SAMPLE: Final = "A sample"
_TEXT: Final = "Pasted text"
_FILE: Final = "A file"
_FILE_KEY: Final = "scoring_file"
_SCORED: Final = COLUMNS[2:]
"""The columns that a rater fills in."""
_SHA256: Final = "pitch_sha256"
_MOST_OPTIONS: Final = 12
"""Values that are shown one below the other; longer lists are folded into a box to choose from."""
_LONGEST_NAME: Final = 80
_LONGEST_ID: Final = 255
"""As long as a file's name can be."""
_LARGEST_CSV: Final = 10
"""Megabytes of a CSV to go on from."""
_DRAWS: Final = 100
"""The fewest that a comparison takes; its intervals say nothing of one pitch and are not shown."""
_WORDS: Final = {"": "Not said", "true": "Yes", "false": "No"}
_TELLING: Final = {
    "competitors": "One a line, or with semicolons between them. Empty: the pitch names none.",
    "overall": "From 0 to 100, what you would give, if anything. It changes no other field.",
}


@dataclass(slots=True)
class _Desk:
    """What one visitor has before them, beyond the life of the fields it was typed into."""

    fields: dict[str, Any] = field(default_factory=dict)
    file: tuple[str, str] | None = None
    unread: AnalyzerError | None = None
    """What is wrong with the file that is chosen."""
    drafts: dict[str, dict[str, str]] = field(default_factory=dict)
    begun: dict[str, Any] = field(default_factory=dict)
    readings: dict[str, Reading] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Task:
    """One pitch for one rater. `history`: what this rater has saved under the pitch's id, the oldest first."""

    pitch: Pitch
    id: str
    rater: str
    history: Sequence[SavedManualScores] = ()

    @property
    def key(self) -> str:
        """Its own, whatever the names hold."""
        return hashlib.sha256("\0".join((self.pitch.ref.sha256 or "", self.id, self.rater)).encode()).hexdigest()[:16]

    @property
    def other_text(self) -> bool:
        """Whether what was saved under this id is of another text."""
        return bool(self.history) and self.history[-1].scores.get(_SHA256, self.pitch.ref.sha256) != (
            self.pitch.ref.sha256
        )

    @property
    def saved(self) -> ManualScore | None:
        """The latest scores. Raises ManualError if they are not of today's vocabulary."""
        return _row(self.history[-1]) if self.history and not self.other_text else None


def show() -> None:
    """The page."""
    st.title("Score by hand")
    st.html(
        tag(
            "p",
            "Score a pitch yourself, by the rules that the reader is held to. What the reader found stays hidden until "
            "you have saved, so that it cannot lead you. Your scores are what a reading is compared with.",
            class_="pa intro",
        )
    )
    desk = _desk()
    pitch = _pitch(desk)
    left, right = st.columns(2, gap="large")
    with left:
        rater = _rater(desk)
    with right:
        pitch_id = _id(desk, pitch) if pitch is not None else ""
    try:
        kept: Store | None = store(Settings.from_environment().store_url())
        own = kept.manual_scores.versions(rater=rater) if kept is not None and rater else []
    except AnalyzerError as error:
        kept, own = None, []
        _say("Nothing can be kept now", error)
    if pitch is not None:
        task = _Task(pitch, pitch_id, rater, [entry for entry in own if entry.pitch_id == pitch_id])
        _score(desk, kept, task)
    _take_away(desk, kept, rater, own)


@st.cache_resource(show_spinner=False)
def store(url: str) -> Store:
    """The store at this URL, opened once for all visitors. Raises StoreError, and tries anew the next time."""
    return Store.open(url)


def _desk() -> _Desk:
    desk: _Desk = st.session_state.setdefault("hand", _Desk())
    return desk


# ---------------------------------------------------------------- which pitch, and who


def _kept(desk: _Desk, name: str, first: Any) -> tuple[Any, dict[str, Any]]:
    """What a field begins with, and what makes it keep its value while other pages are looked at."""
    key = f"hand:{name}"
    return _first(desk, key, desk.fields.get(name, first)), {"key": key, "on_change": _keep_field, "args": (name,)}


def _first(desk: _Desk, key: str, value: Any) -> Any:
    """What a field begins with, the same as long as it is on show. A field that is given its value this way and not
    through the session shows it even where a click ends the run in which it appears."""
    if key not in st.session_state:
        desk.begun[key] = value
    return desk.begun.get(key, value)


def _keep_field(name: str) -> None:
    _desk().fields[name] = st.session_state[f"hand:{name}"]


def _pitch(desk: _Desk) -> Pitch | None:
    """The pitch that is chosen, under the id that is its own unless the visitor names another."""
    sources: dict[str, Callable[[_Desk], tuple[str, str | None] | None]] = {
        _SAMPLE: _from_samples,
        _TEXT: _from_text,
        _FILE: _from_file,
    }
    source = _options(desk, "source", "The pitch", list(sources))
    try:
        found = sources[source](desk)
        return None if found is None else Pitch.from_text(*found)
    except AnalyzerError as error:
        _say("Not read", error)
        return None


def _options(desk: _Desk, name: str, label: str, options: Sequence[str], help: str | None = None) -> str:
    first, kept = _kept(desk, name, options[0])
    return st.radio(label, options, index=options.index(first), horizontal=True, help=help, **kept) or options[0]


def _from_samples(desk: _Desk) -> tuple[str, str | None] | None:
    texts = _samples()
    first, kept = _kept(desk, "sample", None)
    chosen = st.selectbox(
        "Sample",
        list(texts),
        format_func=lambda name: texts[name].partition("\n")[0].strip(),
        placeholder="Choose a sample pitch",
        index=list(texts).index(first) if first in texts else None,
        label_visibility="collapsed",
        **kept,
    )
    return (texts[chosen], chosen) if chosen else None


def _from_text(desk: _Desk) -> tuple[str, str | None] | None:
    first, kept = _kept(desk, "text", "")
    text: str = st.text_area(
        "Text of the pitch",
        value=first,
        height=140,
        placeholder="Paste the text of the pitch here.",
        label_visibility="collapsed",
        **kept,
    )
    return (text, None) if text.strip() else None


def _from_file(desk: _Desk) -> tuple[str, str | None] | None:
    uploads.one(
        "File with the pitch",
        _FILE_KEY,
        [suffix.removeprefix(".") for suffix in SUFFIXES],
        MAX_BYTES // 1_000_000,
        label_visibility="collapsed",
        then=_take_file,
    )
    if desk.unread is not None:
        _say("Not read", desk.unread)
    return None if desk.file is None else (desk.file[1], desk.file[0])


def _take_file() -> None:
    desk, chosen = _desk(), uploads.chosen(_FILE_KEY)
    desk.file = desk.unread = None
    if chosen is None:
        return
    try:
        desk.file = PurePath(chosen.name).stem, read_upload(chosen)
    except AnalyzerError as error:
        desk.unread = error


@cache
def _samples() -> dict[str, str]:
    """The sample pitches by their ids."""
    paths = sorted(resource("fixtures/pitches").glob("*.txt"))
    return {path.stem: path.read_text(encoding="utf-8") for path in paths}


def _rater(desk: _Desk) -> str:
    """Who scores; a login's name to begin with."""
    known = (st.user.get("name") or st.user.get("email")) if st.user.get("is_logged_in") else None
    first, kept = _kept(desk, "rater", str(known)[:_LONGEST_NAME] if known else "")
    named: str = st.text_input(
        "Rater",
        value=first,
        max_chars=_LONGEST_NAME,
        placeholder="Your name or initials",
        help="Stands beside your scores in the CSV. Two raters who do not see each other's scores show what agreement "
        "there can be.",
        **kept,
    )
    return " ".join(named.split())


def _id(desk: _Desk, pitch: Pitch) -> str:
    own = (pitch.ref.id or "")[:_LONGEST_ID]
    first, kept = _kept(desk, f"id:{pitch.ref.sha256}:{own}", own)
    named: str = st.text_input(
        "Pitch id",
        value=first,
        max_chars=_LONGEST_ID,
        help="By it a comparison finds the assessment of the same pitch: its pitch.id, which is the file's name "
        "without its ending.",
        **kept,
    )
    return " ".join(named.split()) or own


# ---------------------------------------------------------------- the form


def _score(desk: _Desk, kept: Store | None, task: _Task) -> None:
    """The pitch beside the form, and below them, once scores are saved, what a reader made of it."""
    left, right = st.columns(2, gap="large")
    with left:
        st.html(_text(task.pitch))
    with right:
        try:
            saved = task.saved
        except ManualError as error:
            saved = None
            _say("What was saved earlier cannot be read", error)
        if not task.rater:
            st.html(tag("p", "Name the rater above, then the form opens.", class_="pa note", role="note"))
        elif task.other_text:
            told = f"{task.rater} has scored another text as {task.id}. Give this one an id of its own."
            st.html(tag("p", told, class_="pa note", role="note"))
        else:
            _form(desk, kept, task, saved)
    if saved is not None:
        _beside(desk, task, saved)
        st.html(_history(task.history))


def _text(pitch: Pitch) -> Html:
    """The pitch to read while scoring, with the passages marked that are evidence for nothing."""
    parts: list[str] = []
    at = 0
    for begin, end in pitch.planted:
        parts += [pitch.text[at:begin], tag("mark", pitch.text[begin:end], class_="planted")]
        at = end
    warnings = [tag("p", message, class_="lead") for message in dict.fromkeys(w.message for w in pitch.warnings)]
    body = tag("div", *parts, pitch.text[at:], class_="pitch alien")
    region = tag("div", *warnings, body, class_="reading", role="region", aria_label="The pitch", tabindex="0")
    return tag("div", region, class_="pa to-score")


def _form(desk: _Desk, kept: Store | None, task: _Task, saved: ManualScore | None) -> None:
    draft = desk.drafts.setdefault(task.key, _draft(saved))
    _field(desk, task, "in_scope", _choice(("true", "false")))
    out = draft.get("in_scope") == "false"
    if out:
        told = "Out of scope: the framework does not apply, and what stands below is not kept."
        st.html(tag("p", told, class_="pa note", role="note"))
    for name, values in VALUES.items():
        _field(desk, task, name, _choice(("", *values), MEANINGS.get(name, {})), out)
    _field(desk, task, "competitors", _names_field, out)
    _field(desk, task, "overall", _number_field, out)
    st.html(tag("div", tag("p", _state(task, draft, saved), class_="lead", role="status"), class_="pa"))
    st.button("Save", type="primary", key="hand:save", disabled=kept is None, on_click=_save, args=(kept, task, saved))
    if kept is None:
        _unsaved(task, draft)
    _tell(desk, "form")


def _draft(saved: ManualScore | None) -> dict[str, str]:
    """What the form shows at first: the latest scores, or nothing said."""
    if saved is None:
        return {"in_scope": "true"}
    return {name: cell for name, cell in cells_of(saved).items() if name in _SCORED} | {
        "competitors": "\n".join(saved.competitors or ())
    }


_Draw = Callable[[str, str, dict[str, Any]], None]
"""Draws a field, given its label, what it begins with, and settings that all fields share."""


def _field(desk: _Desk, task: _Task, name: str, draw: _Draw, out: bool = False) -> None:
    """One column: what it is, what decides, and the field, which holds what the draft says."""
    decides = rule(name) if name != "overall" else ""
    told = [tag("p", text, class_="lead") for text in (decides, _TELLING.get(name, "")) if text]
    st.html(tag("div", tag("h4", title(name)), *told, class_="pa by-hand out" if out else "pa by-hand"))
    key = f"hand:{task.key}:{name}"
    first = _first(desk, key, desk.drafts[task.key].get(name, ""))
    settled = {"key": key, "on_change": _keep_value, "args": (task.key, name), "disabled": out}
    draw(title(name), first, settled | {"label_visibility": "collapsed"})


def _keep_value(key: str, name: str) -> None:
    _desk().drafts.setdefault(key, {})[name] = st.session_state[f"hand:{key}:{name}"]


def _choice(values: Sequence[str], meanings: Mapping[str, str] | None = None) -> _Draw:
    def shown(value: str) -> str:
        return _WORDS.get(value) or capital(word(value))

    def meant(value: str) -> str:
        return (meanings or {}).get(value, "" if value else "the pitch is silent")

    def draw(label: str, first: str, settled: dict[str, Any]) -> None:
        if len(values) > _MOST_OPTIONS:
            st.selectbox(
                label,
                index=values.index(first),
                options=values,
                format_func=lambda value: ": ".join(filter(None, (shown(value), meant(value)))),
                **settled,
            )
        else:
            captions = None if meanings is None else [meant(value) for value in values]
            at = values.index(first)
            st.radio(label, values, at, format_func=shown, captions=captions, horizontal=meanings is None, **settled)

    return draw


def _names_field(label: str, first: str, settled: dict[str, Any]) -> None:
    st.text_area(label, first, height=100, **settled)


def _number_field(label: str, first: str, settled: dict[str, Any]) -> None:
    st.text_input(label, first, max_chars=12, placeholder="Not given", **settled)


def _state(task: _Task, draft: Mapping[str, str], saved: ManualScore | None) -> str:
    """How far the scores are, and whether they are saved."""
    given = sum(bool(draft.get(name)) for name in VALUES)
    told = f"{given} of {len(VALUES)} signals have a value; the others count as not said."
    if draft.get("in_scope") == "false":
        told = "Out of scope."
    try:
        if saved is not None and cells_of(_filled(task, draft)) != cells_of(saved):
            return f"{told} Changes are not saved yet."
    except ManualError:
        return f"{told} Changes are not saved yet."
    return f"{told} Not saved yet." if saved is None else f"{told} Saved {_when(task.history[-1].saved_at)}."


def _filled(task: _Task, draft: Mapping[str, str]) -> ManualScore:
    """The draft as a row. Raises ManualError with all that does not fit the vocabulary."""
    cells = {"pitch_id": task.id, "rater": task.rater, "in_scope": draft.get("in_scope", "true")}
    if cells["in_scope"] == "true":
        cells |= {name: draft.get(name, "") for name in _SCORED[1:]}
        cells["competitors"] = "; ".join(cells["competitors"].splitlines())
    else:
        cells |= dict.fromkeys(_SCORED[1:], "")
    return row_of({name: plain_cell(cell) for name, cell in cells.items()}, "the form")


def _save(kept: Store, task: _Task, saved: ManualScore | None) -> None:
    """Keeps the draft, unless it is what is kept already."""
    desk = _desk()
    shown = {name: st.session_state[f"hand:{task.key}:{name}"] for name in _SCORED}
    desk.drafts[task.key] = shown  # a field that was left by this click may not have told yet
    try:
        row = _filled(task, shown)
        if saved is not None and cells_of(saved) == cells_of(row):
            desk.told["form"] = "Nothing has changed since it was saved."
            return
        kept.manual_scores.save(task.id, task.rater, _scores(row) | {_SHA256: task.pitch.ref.sha256 or ""})
        desk.told["form"] = "Saved."
    except ManualError as error:
        desk.faults["form"] = "Not saved: " + "; ".join(fault.partition(": ")[2] for fault in error.faults)
    except AnalyzerError as error:
        desk.faults["form"] = f"Not saved: {error}"


def _unsaved(task: _Task, draft: Mapping[str, str]) -> None:
    """What was filled in, to take away where it cannot be kept."""
    try:
        content = manual_csv([_filled(task, draft)])
    except ManualError:
        return
    st.download_button("Take this row as CSV", content, "manual_scores.csv", "text/csv", on_click="ignore")


def _tell(desk: _Desk, place: str) -> None:
    """What came of a click, once, in the place where it was."""
    fault, told = desk.faults.pop(place, ""), desk.told.pop(place, "")
    if fault:
        st.error(literal(fault))
    elif told:
        st.success(told)


def _say(what: str, error: AnalyzerError) -> None:
    st.error(literal(f"{what}: {error}"))


# ---------------------------------------------------------------- what a reader made of it


def _beside(desk: _Desk, task: _Task, saved: ManualScore) -> None:
    """The saved scores and a reading, value by value. A model that costs is asked at a click only."""
    try:
        reading = _reading(desk, task)
        if reading is None:
            return
        if not done(reading):
            waiting(reading)
            return
        found = outcome(reading)
        if found is None:  # cancelled here, so the other page has nothing to say about it
            st.session_state.pop("cancelled_after", None)
            desk.readings.pop(task.key)
            st.rerun()
        if isinstance(found, AnalyzerError):
            raise found
        reader = found.provenance.reader.model or "reader"
        compared = compare({reader: [found]}, ManualScores("the form", (saved,)), draws=_DRAWS)
    except AnalyzerError as error:
        desk.readings.pop(task.key, None)
        _say("There is no reading to set beside your scores", error)
        return
    st.html(_compared(compared, found, saved, reading.note))


def _reading(desk: _Desk, task: _Task) -> Reading | None:
    """The reading of this pitch, begun if it costs nothing or is asked for."""
    if task.key in desk.readings:
        return desk.readings[task.key]
    settings = Settings.from_environment()
    model = settings.model
    if model is not None and model.partition("/")[0] not in (KEYWORDS, RECORDED):
        st.html(tag("section", tag("h3", "Your scores beside a reading"), class_="pa"))
        if not st.button(f"Have it read by {literal(model)}"):
            return None
    pitch = Pitch.from_text(task.pitch.text, task.id)
    choice = choose(pitch, None, settings)
    desk.readings[task.key] = ask(pitch, choice, None, settings)
    return desk.readings[task.key]


def _compared(found: Comparison, assessment: Assessment, saved: ManualScore, note: str | None) -> Html:
    both = assessment.in_scope and saved.in_scope
    names = ("in_scope", *VALUES, "competitors") if both else ("in_scope",)
    differing = {each.signal for each in found.disagreements}
    same = len(names) - len(differing)
    lines = [tag("p", note, class_="note", role="note")] if note else []
    lines += [tag("p", f"{capital(issue.text)}.", class_="lead") for issue in found.issues]
    lines.append(tag("p", f"The same in {same} of {len(names)}. {_overall(found)}".strip()))
    rows = [[title(name), *_values(name, assessment, saved), "" if name in differing else "same"] for name in names]
    table = _table(("Signal", "You", "The reading", ""), rows, "All values")
    return tag(
        "section",
        tag("h3", "Your scores beside the reading"),
        tag("p", f"{capital(provenance(assessment))}.", class_="lead"),
        *lines,
        *map(_difference, found.disagreements),
        tag("details", tag("summary", "All values side by side"), table, class_="pa"),
        class_="pa hand-beside",
    )


def _overall(found: Comparison) -> str:
    """What the two come to by the rulebook; nothing where one of them is out of scope."""
    if not found.attributions:
        return ""
    split = found.attributions[0]
    return (
        f"By the rulebook your values come to {split.manual:.1f} of 100, those of the reading to "
        f"{split.extracted:.1f}. Beside each difference stands by how much it alone moves the reading's score."
    )


def _difference(found: Disagreement) -> Html:
    """One value that differs, the quotes behind the reading's, and what decides."""
    own, other = (_told(found.signal, each) for each in (found.manual, found.extracted))
    silent = [] if found.quotes else [tag("p", "The reading quotes nothing for it.", class_="lead")]
    text = tag(
        "div",
        tag("h4", title(found.signal)),
        tag("p", "You: ", *own),
        tag("p", "The reading: ", *other),
        *(tag("blockquote", quote, class_="alien") for quote in found.quotes),
        *silent,
        tag("p", tag("span", "What decides: "), found.rule, class_="source"),
        class_="text",
    )
    moves = tag("p", tag("strong", views.moved(found)), " points of the overall score", class_="points")
    return tag("div", text, *([] if found.moves is None else [tag("div", moves, class_="side")]), class_="card")


def _told(name: str, value: str) -> list[Html]:
    """A value in words, and what it means."""
    meaning = MEANINGS.get(name, {}).get(value)
    named = tag("strong", views.value(name, value), class_="alien")
    return [named, tag("small", f" ({meaning})")] if meaning else [named]


def _values(name: str, assessment: Assessment, saved: ManualScore) -> tuple[str, str]:
    """What the rater and the reader say, in words."""
    if name == "competitors":
        rivals = [rival.name for rival in assessment.signals.competitors]
        own, other = "; ".join(saved.competitors or ()) or UNKNOWN, "; ".join(rivals) or UNKNOWN
    else:
        own = SCOPE[not saved.in_scope] if name == "in_scope" else saved.values[name]
        other = extracted_value(assessment.signals, name)
    return views.value(name, own), views.value(name, other)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], name: str) -> Html:
    head = tag("tr", *(tag("th", text, scope="col", class_="alien") for text in heads))
    body = [tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows]
    return scrolling(tag("table", tag("thead", head), tag("tbody", *body)), name)


# ---------------------------------------------------------------- what was saved


def _row(entry: SavedManualScores) -> ManualScore:
    """A saving as a row. Raises ManualError if it is not of today's vocabulary."""
    cells = {"pitch_id": plain_cell(entry.pitch_id), "rater": plain_cell(entry.rater)}
    cells |= {name: cell for name, cell in entry.scores.items() if name in _SCORED}
    return row_of(cells, f"{entry.pitch_id} by {entry.rater}, saved {_when(entry.saved_at)}")


def _scores(row: ManualScore) -> dict[str, str]:
    return {name: cell for name, cell in cells_of(row).items() if name in _SCORED}


def _when(saved_at: str) -> str:
    return f"{saved_at[:10]} {saved_at[11:16]} UTC"


def _history(history: Sequence[SavedManualScores]) -> Html:
    """Every saving: when, and what had changed."""
    count = f"{len(history)} savings" if len(history) > 1 else "saved once"
    rows = [[_when(history[0].saved_at), _opening(history[0])]]
    rows += [[_when(entry.saved_at), _changes(before.scores, entry.scores)] for before, entry in pairwise(history)]
    lead = "Until the first saving this page shows no reading; later ones may follow what it showed."
    return tag(
        "details",
        tag("summary", f"History of edits: {count}"),
        tag("p", lead, class_="lead"),
        _table(("Saved", "What changed"), rows, "History of edits"),
        class_="pa hand-history",
    )


def _opening(entry: SavedManualScores) -> str:
    given = sum(bool(entry.scores.get(name)) for name in VALUES)
    scope = "out of scope" if entry.scores.get("in_scope") == "false" else f"{given} signals with a value"
    return f"First saved: {scope}"


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    changed = [name for name in _SCORED if before.get(name, "") != after.get(name, "")]
    told = [f"{title(name)}: {_cell(name, before)} \N{RIGHTWARDS ARROW} {_cell(name, after)}" for name in changed]
    return "; ".join(told) or "Nothing"


def _cell(name: str, scores: Mapping[str, str]) -> str:
    cell = scores.get(name, "")
    if name in ("competitors", "overall"):
        return cell or word(UNKNOWN)
    return word(cell or UNKNOWN)


# ---------------------------------------------------------------- take away, go on


def _take_away(desk: _Desk, kept: Store | None, rater: str, own: Sequence[SavedManualScores]) -> None:
    if kept is None:
        return
    st.html(tag("section", tag("h3", "Scores as CSV"), _done(rater, own), class_="pa"))
    with st.container(horizontal=True, gap="large"):
        whose = _options(desk, "whose", "Whose", ["Mine", "All raters"])
        told = "First: as they were before a reading was shown here. These are the ones to measure agreement by."
        which = _options(desk, "which", "As saved", ["Latest", "First"], told)
    try:
        entries = own if whose == "Mine" else kept.manual_scores.versions()
        ordered = entries if which == "Latest" else entries[::-1]
        chosen = {(entry.pitch_id, entry.rater): entry for entry in ordered}
        content = manual_csv(_row(chosen[key]) for key in sorted(chosen))
    except AnalyzerError as error:
        _say("Not written", error)
        return
    label = f"Manual scores (CSV), {len(chosen)} row{'s' if len(chosen) != 1 else ''}"
    st.download_button(
        label, content, "manual_scores.csv", "text/csv", on_click="ignore", disabled=not chosen, key="hand:download"
    )
    if rater:
        _go_on(desk, kept, rater, own)


def _done(rater: str, own: Sequence[SavedManualScores]) -> Html:
    if not own:
        told = f"{rater} has saved nothing yet." if rater else "Scores of all raters can be taken without a name."
        return tag("p", told, class_="lead")
    pitches = list(dict.fromkeys(entry.pitch_id for entry in own))
    told = f"{rater} has scored {len(pitches)} pitch{'es' if len(pitches) != 1 else ''}: {', '.join(pitches)}."
    return tag("p", tag("span", told, class_="alien"), class_="lead")


def _go_on(desk: _Desk, kept: Store, rater: str, own: Sequence[SavedManualScores]) -> None:
    """Scores from a CSV, to go on from. Only this rater's rows are taken."""
    with st.expander("Go on from a CSV"):
        file = uploads.one("Manual scores", "scoring_csv", ["csv"], _LARGEST_CSV)
        if file is not None:
            try:
                rows, told = _to_take(parse_manual(file.data, file.name), rater, own)
            except AnalyzerError as error:
                _say("Not taken", error)
            else:
                st.html(tag("div", tag("p", told, class_="lead"), class_="pa"))
                st.button("Take them", disabled=not rows, on_click=_take_rows, args=(kept, rows))
        _tell(desk, "csv")


def _to_take(given: ManualScores, rater: str, own: Sequence[SavedManualScores]) -> tuple[list[ManualScore], str]:
    """The rows of this rater that are new or differ, and what becomes of all rows, in words. Raises InputError."""
    latest = {entry.pitch_id: {**entry.scores} for entry in own}
    mine = [row for row in given.rows if row.rater == rater]
    if not mine:
        raters = ", ".join(sorted({row.rater for row in given.rows}))
        raise InputError(f"{given.source} has no row by {rater}; it has rows by {raters[:200]}")
    rows = [row for row in mine if _scores(row) != {k: v for k, v in latest.get(row.pitch, {}).items() if k in _SCORED}]
    parts = [f"{len(rows)} of {rater}'s {len(mine)} rows are new or differ from what is saved."]
    if len(mine) < len(given.rows):
        parts.append(f"{len(given.rows) - len(mine)} rows of other raters are left out.")
    return rows, " ".join([*parts, *(f"{note}." for note in given.notes)])


def _take_rows(kept: Store, rows: Sequence[ManualScore]) -> None:
    desk = _desk()
    taken = 0
    try:
        for row in rows:
            kept.manual_scores.save(row.pitch, row.rater, _scores(row))
            taken += 1
        desk.told["csv"] = f"{taken} row{'s' if taken != 1 else ''} taken."
    except AnalyzerError as error:
        desk.faults["csv"] = f"{taken} of {len(rows)} rows taken, then: {error}"
    desk.drafts.clear()
    for key in [key for key in st.session_state if str(key).startswith("hand:") and str(key).count(":") == 2]:
        del st.session_state[key]
