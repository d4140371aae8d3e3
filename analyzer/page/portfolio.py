"""Many pitches: have them read or open what was read, then see where they stand, how they rank, and each by itself.

The work goes on in the background (`page.run`); this page shows how far it is, and what came of it. Filters, pages and
the look at one pitch draw only the lower part anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import streamlit as st

from analyzer.errors import AnalyzerError, ConfigurationError
from analyzer.files.listing import TABLES
from analyzer.files.pitches import InputPitch, UploadedTable
from analyzer.framework.assessment import Assessment, Position, Range
from analyzer.framework.ranking import Ranked
from analyzer.framework.rulebook import Rulebook
from analyzer.page import access, pitch_field, uploads
from analyzer.page import analysis as reading
from analyzer.page import assessment as answer
from analyzer.page import downloads as take_away
from analyzer.page.clicks import clickable
from analyzer.page.portfolio_run import MOST, Run, Work, exported, open_results, read_many
from analyzer.page.presence import visitor
from analyzer.resources import resource
from analyzer.results.result import Result
from analyzer.runs.portfolio import DRAWS, Entry, Filter
from analyzer.settings import KEYWORDS, RECORDED, Settings
from analyzer.views.bulk import progress_line
from analyzer.views.html import Html, literal, tag, together
from analyzer.views.numbers import shown
from analyzer.views.portfolio import verdict_counts
from analyzer.views.quadrant import Dot, Other, scatter
from analyzer.views.ranking import ranks
from analyzer.vocabulary.derived import LEANS
from analyzer.vocabulary.labels import word

_LARGEST: Final = 100
"""Megabytes of an uploaded file."""
_READ, _OPEN = "Read pitches", "Open results"
_RECORDED, _KEYWORDS, _MODEL = "Recorded answers", "Keywords", "A model"
_READERS: Final = (_RECORDED, _KEYWORDS, _MODEL)
_BY_NAME: Final = "found by its name"
_ROWS: Final = 50
"""Pitches on one page of the ranking."""
_LISTED: Final = 200
"""Pitches out of scope, or not read, that are listed; all are in the files."""
_BEHIND: Final = 200
_LOOK: Final = 1.0
"""Seconds between two looks at a run."""
_VERDICTS: Final = {
    "for": "speak for",
    "balanced": "balanced",
    "open": "open: ask more",
    "against": "speak against",
}
_ALL: Final = "all"


def show() -> None:
    """The page."""
    st.title("Portfolio")
    run: Run | None = st.session_state.get("portfolio")
    work = run.work if run is not None else None
    if work is not None and not work.done.is_set():
        _under_way(work)
        return
    _inputs(work)
    fault: AnalyzerError | None = st.session_state.get("portfolio_fault")
    if fault is not None:
        st.error(literal(f"Not started: {fault}"))
    if work is not None:
        if fault is not None:
            st.html(
                tag(
                    "p",
                    tag("span", f"Below are still the results of: {work.name}", class_="alien"),
                    class_="pa note",
                    role="note",
                )
            )
        _finished(work)


# ---------------------------------------------------------------- inputs


def _inputs(work: Work | None) -> None:
    """What to read, or to open; out of the way once there is something."""
    if work is None:
        st.html(
            tag(
                "p",
                "Many pitches at once: where they stand, how they rank and how far that ranking can be trusted, and "
                "each of them in full.",
                class_="pa intro",
            )
        )
        place = st.container(key="portfolio-inputs")
    else:
        place = st.expander("Other pitches", key=f"portfolio-other-{id(work)}")
    with place:
        kind = st.segmented_control(
            "What do you have?",
            (_READ, _OPEN),
            default=_READ,
            required=True,
            key="portfolio_kind",
            persist_state="session",
        )
        if kind == _OPEN:
            _to_open()
        else:
            _to_read()


def _to_open() -> None:
    file = uploads.one(
        f"A file of results, as pitch bulk writes it: up to {_LARGEST} MB, {MOST:,} pitches",
        "portfolio_results",
        ["jsonl", "json", "parquet"],
        _LARGEST,
        then=_forget_fault,
        help="JSON Lines or Parquet of assessments. They are judged anew by today's rulebook; no model is asked.",
    )
    if st.button("Open them", type="primary", disabled=file is None) and file is not None:
        _begin(lambda: open_results(file.name, file.data, there=visitor()))


def _to_read() -> None:
    given, choosing = st.columns([2, 1], gap="medium")
    with given:
        file = uploads.one(
            f"A table of pitches, one a row: up to {_LARGEST} MB, {MOST:,} pitches",
            "portfolio_pitches",
            [ending.removeprefix(".") for ending in TABLES],
            _LARGEST,
            then=_forget_fault,
            help="CSV, TSV, JSON Lines or Parquet, in UTF-8. One column holds the pitch, another its id if you like.",
        )
        columns = _columns(file.name, file.data) if file is not None else (None, None)
    with choosing:
        settings, model = _reader()
        max_cost, store = _limits(model)
    with st.container(horizontal=True, vertical_alignment="center"):
        start = st.button("Start", type="primary", disabled=file is None)
        samples = st.button("Take the samples", help="The sixteen sample pitches, from their recorded answers.")
    if samples:
        _begin(_read_samples)
    elif start and file is not None:
        table = UploadedTable(file.name, file.data, *columns)

        def begin() -> Run:
            table.check()
            if not model:
                raise ConfigurationError("many pitches are not read by guess; choose who reads them")
            return read_many(
                table,
                table.count(),
                table.name,
                model=model,
                settings=settings or Settings.from_environment(),
                max_cost=max_cost,
                store=store,
                there=visitor(),
            )

        _begin(begin)


def _columns(name: str, data: bytes) -> tuple[str | None, str | None]:
    """The columns of text and id that the visitor names; None = found by their usual names."""
    try:
        known = UploadedTable(name, data).columns()
    except AnalyzerError:
        return None, None  # told at the start
    if len(known) < 2:
        return None, None
    left, right = st.columns(2)
    text = left.selectbox(
        "Column of the pitch", (_BY_NAME, *known), key="portfolio_text", format_func=_cut, persist_state="session"
    )
    id_ = right.selectbox(
        "Column of its id", (_BY_NAME, *known), key="portfolio_id", format_func=_cut, persist_state="session"
    )
    return (None if text == _BY_NAME else text), (None if id_ == _BY_NAME else id_)


def _cut(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:40]}…"


def _reader() -> tuple[Settings | None, str | None]:
    """Who reads; nobody is chosen for the visitor but the model that the server is set to."""
    try:
        settings = Settings.from_environment()
    except AnalyzerError:
        settings = None  # told at the start
    configured = settings.model if settings is not None else None
    usual = {RECORDED: _RECORDED, KEYWORDS: _KEYWORDS, None: None}.get(configured, _MODEL)
    chosen = st.selectbox(
        "Read by",
        _READERS,
        index=None if usual is None else _READERS.index(usual),
        placeholder="Choose who reads",
        key="portfolio_reader",
        persist_state="session",
        help="Recorded answers were given earlier by a model. Keywords are cue phrases, rough and free.",
    )
    if chosen != _MODEL:
        return settings, {_RECORDED: RECORDED, _KEYWORDS: KEYWORDS}.get(chosen or "")
    own = configured if usual == _MODEL else ""
    named = st.text_input(
        "Model, as provider/name",
        own or "",
        placeholder="openai/gpt-4.1-mini",
        key="portfolio_model",
        persist_state="session",
    )
    return settings, named.strip()


def _limits(model: str | None) -> tuple[float | None, bool]:
    """What a model may cost, and whether its answers are kept."""
    if not model or model.partition("/")[0] in (RECORDED, KEYWORDS):
        return None, False
    cost = st.number_input(
        "Spend at most, in USD",
        min_value=0.01,
        value=None,
        step=1.0,
        placeholder="no limit",
        key="portfolio_cost",
        persist_state="session",
        help="The run ends before it would cost more. For models whose price is known.",
    )
    mine = access.owner()
    if mine is None:
        return cost, False
    keeps = st.toggle(
        "Keep paid answers",
        value=mine == access.LOCAL,
        key="portfolio_keep",
        persist_state="session",
        help="In this server's store, so that another run over the same pitches goes on where this one ended and asks "
        "nothing twice. They are kept by the pitch and not by who asked.",
    )
    return cost, keeps


def _read_samples() -> Run:
    given = [
        InputPitch(path.name, path.stem, path.read_text(encoding="utf-8"))
        for path in sorted(resource("fixtures/pitches").glob("*.txt"))
    ]
    settings = Settings.from_environment()
    return read_many(given, len(given), "The samples", model=RECORDED, settings=settings, there=visitor())


def _forget_fault() -> None:
    """What was wrong was about the file before."""
    st.session_state["portfolio_fault"] = None


def _begin(begin: Callable[[], Run]) -> None:
    """Begins a run in the place of the one before, or says why it cannot; what is there then stays."""
    st.session_state["portfolio_fault"] = None
    try:
        st.session_state["portfolio"] = begin()
        st.session_state["portfolio_at"] = (0, "")
    except AnalyzerError as error:
        st.session_state["portfolio_fault"] = error
    st.rerun()


# ---------------------------------------------------------------- under way


@st.fragment(run_every=_LOOK)
def _under_way(work: Work) -> None:
    """How far it is, and a way to stop."""
    if work.done.is_set():
        st.rerun()
    progress = work.progress
    stopping = work.stop.is_set()
    with st.container(border=True, key="portfolio-progress"):
        doing = "Reading" if work.asks else "Opening"
        st.html(tag("p", tag("strong", f"{doing} "), tag("span", work.name, class_="alien"), class_="pa"))
        st.progress(min(1.0, progress.finished / progress.total) if progress.total else 0.0)
        line = progress_line(progress) if progress.finished else "Starting"
        told = (
            "Stopping. Answers to requests already sent still arrive."
            if stopping
            else "You can look at other pages meanwhile. Closing or reloading this tab stops the run."
        )
        st.html(tag("div", tag("p", line, role="status"), tag("p", told, class_="lead"), class_="pa line"))
        st.button("Stop", on_click=work.stop.set, disabled=stopping)


# ---------------------------------------------------------------- what came of it


@st.fragment
def _finished(work: Work) -> None:
    """The portfolio, or one pitch of it."""
    page, opened = st.session_state.setdefault("portfolio_at", (0, ""))
    if opened.startswith("open:"):
        _one(work, int(opened.removeprefix("open:")))
        return
    st.html(_head(work))
    if not work.kept:
        return
    _files(work)
    if work.ranked:
        _ranking(work, page, opened.removeprefix("back:"))
    rest = together(_out_of_scope(work), _not_read(work))
    if rest:
        st.html(rest)


def _head(work: Work) -> Html:
    """What was read and what was not, and all that should make one read on with care."""
    progress = work.progress
    parts = [f"{len(work.ranked):,} in scope"]
    outside, failed = len(work.portfolio.out_of_scope), sum(progress.failed.values())
    parts += [f"{outside:,} out of scope"] if outside else []
    parts += [f"{failed:,} not read"] if failed else []
    told = [tag("p", tag("strong", work.name, class_="alien"), ": ", ", ".join(parts), ".")]
    if work.asks and progress.finished:
        told.append(tag("p", progress_line(progress), class_="lead"))
    cautions = []
    if work.portfolio.rough:
        cautions.append("Read by cue phrases, without a model: much is missed, and some words are taken amiss.")
    left = (progress.total or 0) - progress.finished
    if work.ended is not None:
        cautions.append(f"Ended early: {work.ended}")
    elif work.stop.is_set() and left > 0:
        cautions.append(f"Stopped: {left:,} of {progress.total:,} pitches were not begun.")
    section = tag("section", *told, class_="pa head")
    if not cautions:
        return section
    entries = tag("ul", *(tag("li", tag("span", caution, class_="alien")) for caution in cautions))
    return together(
        tag("section", tag("h2", "Before you read on"), entries, class_="pa cautions", role="note"), section
    )


def _files(work: Work) -> None:
    kinds = (
        ("Portfolio (HTML)", ".html", "text/html"),
        ("JSON Lines", ".jsonl", "application/jsonl"),
        ("CSV", ".csv", "text/csv"),
        ("Parquet", ".parquet", "application/vnd.apache.parquet"),
    )
    with st.container(key="tools"):
        take_away.files(
            [
                (label, f"portfolio{ending}", kind, lambda ending=ending: exported(work, ending))  # type: ignore[misc]
                for label, ending, kind in kinds
            ]
        )


def _ranking(work: Work, page: int, back: str) -> None:
    wanted = _filter(work)
    if st.session_state.get("portfolio_filter", wanted) != wanted:
        page = 0
        st.session_state["portfolio_at"] = (0, "")
    st.session_state["portfolio_filter"] = wanted
    chosen = [number for number, (entry, _) in enumerate(work.ranked) if wanted.lets(entry)]
    st.session_state["portfolio_chosen"] = chosen
    page = min(page, max(0, (len(chosen) - 1) // _ROWS))
    markup = tag(
        "div",
        tag("div", _places(work, set(chosen)), _counts(work, chosen), class_="overview"),
        _table(work, chosen, page),
        class_="pa portfolio",
    )
    clickable(markup, "portfolio_clicks", _pick, back)


def _filter(work: Work) -> Filter:
    categories = sorted({entry.category for entry, _ in work.ranked if entry.category})
    with st.container(horizontal=True, vertical_alignment="bottom", key="portfolio-filters"):
        words = st.text_input("Words", key="portfolio_words", placeholder="in title or id", persist_state="session")
        verdict = _choice("Verdict", tuple(_VERDICTS))
        stage = _choice("Stage", (*LEANS["stage"], "unknown"))
        focus = _choice("Focus", (*LEANS["focus"], "unknown"))
        category = _choice("Category", categories)
        clean = st.checkbox("Without warnings", key="portfolio_clean", persist_state="session")
    return Filter(words or "", verdict, stage, focus, category, clean)


def _choice(label: str, values: Sequence[str]) -> str:
    """One of the values; empty = all."""
    return st.selectbox(
        label,
        ("", *values),
        key=f"portfolio_by_{label.lower()}",
        persist_state="session",
        format_func=lambda value: word(value) if value else _ALL,
    )


def _pick(value: str) -> None:
    page, _ = st.session_state["portfolio_at"]
    if value.startswith("page:"):
        st.session_state["portfolio_at"] = (int(value.removeprefix("page:")), "")
    else:
        st.session_state["portfolio_at"] = (page, value)


def _places(work: Work, chosen: set[int]) -> Html:
    dots = [
        Dot(
            entry.stage,
            entry.focus,
            f"{entry.title}: {shown(entry.overall)}",
            entry.verdict,
            entry.open_position,
            f"open:{number}",
        )
        if number in chosen
        else Dot(entry.stage, entry.focus)
        for number, (entry, _) in enumerate(work.ranked)
    ]
    note = (
        "A dot each; those at one place stand around it, the best ranked in the middle. Blue speaks for, orange "
        "against, grey is balanced or open. Hollow: the position is not known, and the dot stands in the middle of "
        "what is possible."
    )
    return tag(
        "section",
        tag("h3", "Where they stand"),
        scatter(dots),
        tag("p", note, class_="lead"),
        class_="stands",
    )


def _counts(work: Work, chosen: Sequence[int]) -> Html:
    counts = verdict_counts([work.ranked[number] for number in chosen])
    most = max(1, *counts.values())
    rows = [
        tag(
            "li",
            tag("strong", f"{counts[name]:,}", class_="value"),
            tag("span", words, class_="label"),
            tag("span", tag("i", style=f"width:{100 * counts[name] / most:.1f}%"), class_="tally", aria_hidden="true"),
            class_=name,
        )
        for name, words in _VERDICTS.items()
    ]
    told = f"{len(chosen):,} of {len(work.ranked):,}" if len(chosen) < len(work.ranked) else f"all {len(chosen):,}"
    shown_ = tag("p", f"Shown: {told}", class_="lead", role="status")
    return tag("section", tag("h3", "What the framework says"), shown_, tag("ul", *rows, class_="counts"))


# ---------------------------------------------------------------- the ranking


def _table(work: Work, chosen: Sequence[int], page: int) -> Html:
    heading = tag("h3", "Ranking", id="ranking")
    if not chosen:
        return tag("section", heading, tag("p", "No pitch fits these filters.", class_="note"), class_="ranking")
    note = (
        f"By the median rank over {DRAWS} simulations, which draw the weights and what the pitch does not say; beside "
        "it, the ranks in 90% of them. Pitches with the same median share a rank, and where ranks overlap the order "
        "says little. Overall: the score, 0 to 100, with its exact range."
    )
    last = len(work.ranked)
    rows = [_row(number, *work.ranked[number], last) for number in chosen[page * _ROWS : (page + 1) * _ROWS]]
    names = ("Rank", "Pitch", "Where", "Verdict", "Overall", "Ranks in 90%", "Ask first")
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names)))
    return tag(
        "section",
        heading,
        tag("p", note, class_="lead"),
        answer.scrolling(tag("table", head, tag("tbody", *rows)), "Ranking"),
        _pages(page, len(chosen)),
        class_="ranking",
    )


def _row(number: int, entry: Entry, found: Ranked, last: int) -> Html:
    warnings = ", ".join(map(word, entry.warnings))
    below = [tag("small", entry.id, class_="alien")] if entry.id not in (entry.title, "") else []
    below += [tag("small", f"Warning: {warnings}", class_="warned")] if warnings else []
    where = [tag("span", f"{word(entry.stage_lean)}, {word(entry.focus_lean)}")]
    where += [tag("small", word(entry.category))] if entry.category else []
    opened = tag("button", entry.title, type="button", class_="alien", data_pick=f"open:{number}", data_top="")
    return tag(
        "tr",
        tag("td", f"{found.rank:,}", class_="rank"),
        tag("th", opened, *below, scope="row"),
        tag("td", *where),
        tag("td", tag("span", entry.verdict, class_=f"verdict-word {entry.verdict}")),
        tag("td", shown(entry.overall), _span(entry.overall.value, entry.overall.low, entry.overall.high, 0, 100)),
        tag("td", ranks(found), _span(found.rank, found.best, found.worst, 1, last)),
        tag("td", entry.ask, class_="ask"),
    )


def _span(value: float, low: float, high: float, first: float, last: float) -> Html:
    """A range on its scale, the value as a mark; the same is said in words beside it."""

    def at(place: float) -> float:
        return 100 * (place - first) / max(last - first, 1)

    inner = tag("i", class_="range", style=f"left:{at(low):.1f}%;width:{at(high) - at(low):.1f}%")
    mark = tag("i", class_="value", style=f"left:{at(value):.1f}%")
    return tag("div", inner, mark, class_="bar", aria_hidden="true")


def _pages(page: int, count: int) -> Html:
    """The way to the other pages of the ranking."""
    if count <= _ROWS:
        return Html()
    most = (count - 1) // _ROWS
    first, last = page * _ROWS + 1, min(count, (page + 1) * _ROWS)
    return tag(
        "nav",
        _turn("Previous", page - 1, page > 0),
        tag("span", f"{first:,} to {last:,} of {count:,}", role="status"),
        _turn("Next", page + 1, page < most),
        class_="pages",
        aria_label="Pages of the ranking",
    )


def _turn(label: str, page: int, possible: bool) -> Html:
    if possible:
        return tag("button", label, type="button", data_pick=f"page:{page}")
    return tag("button", label, type="button", disabled="")


def _out_of_scope(work: Work) -> Html:
    titles = work.portfolio.out_of_scope
    if not titles:
        return Html()
    rows = [tag("li", title, class_="alien") for title in titles[:_LISTED]]
    note = "Not products for people who build, run or improve machine learning; the framework gives them no score."
    return _listed(f"Out of scope ({len(titles):,})", note, rows, len(titles))


def _not_read(work: Work) -> Html:
    failed = [kept.result for kept in work.kept if kept.result.error is not None]
    if not failed:
        return Html()
    rows = [
        tag("li", tag("strong", result.id, class_="alien"), ": ", tag("span", _reason(result), class_="alien"))
        for result in failed[:_LISTED]
    ]
    return _listed(f"Not read ({len(failed):,})", "All are in the files, each with its reason.", rows, len(failed))


def _reason(result: Result) -> str:
    return str(result.error).removeprefix(f"{result.id}: ")


def _listed(heading: str, note: str, rows: Sequence[Html], count: int) -> Html:
    more = [tag("p", f"and {count - len(rows):,} more.", class_="lead")] if count > len(rows) else []
    content = (tag("p", note, class_="lead"), tag("ul", *rows), *more)
    return tag(
        "details", tag("summary", heading), *content, class_="pa listed", **({"open": ""} if count <= 10 else {})
    )


# ---------------------------------------------------------------- one of them


def _one(work: Work, number: int) -> None:
    """The whole assessment of one pitch, and the way to its neighbours and back."""
    _, found = work.ranked[number]
    assessment, text = work.whole(found)
    chosen: list[int] = st.session_state.get("portfolio_chosen", [number])
    busy: AnalyzerError | None = None
    with st.container(horizontal=True, vertical_alignment="center", key="portfolio-one"):
        st.button("Back to the portfolio", icon=":material/arrow_back:", on_click=_back, args=(number, chosen))
        at = chosen.index(number) if number in chosen else 0
        st.button("Previous", disabled=at == 0, on_click=_go, args=(chosen[at - 1],))
        st.button("Next", disabled=at + 1 >= len(chosen), on_click=_go, args=(chosen[(at + 1) % len(chosen)],))
        if text is not None and st.button(
            "What if", help="Opens it on the page for one pitch; nothing is asked again."
        ):
            try:
                _to_analyze(text, assessment, f"From the portfolio {work.name}. Nothing was asked again.")
            except AnalyzerError as error:
                busy = error
            else:
                st.rerun()
        told = f"Rank {found.rank:,} of {len(work.ranked):,}; {ranks(found)} in 90% of simulations"
        st.html(tag("p", told, class_="pa lead"), width="content")
    if busy is not None:
        st.error(literal(f"Not opened: {busy}"))
    for part in (
        answer.cautions(assessment, None if text is not None else "The pitch's text is not in the file of results."),
        answer.headline(assessment),
        answer.overview(assessment, list(_others(work, chosen, number))),
    ):
        if part:
            st.html(part)
    with st.container(key="tools"):
        take_away.assessment(assessment, text)
    st.html(answer.body(assessment, Rulebook.built_in(), text))


def _to_analyze(text: str, assessment: Assessment, note: str) -> None:
    reading.reopen(text, assessment, note, {})
    pitch_field.put(text)
    st.session_state["go_to_analyze"] = True


def _others(work: Work, chosen: Sequence[int], own: int) -> Iterator[Other]:
    """The rest of the selection, to stand faintly behind."""
    for number in chosen[:_BEHIND]:
        entry, _ = work.ranked[number]
        if number != own:
            stage, focus = (Range(value=at, low=at, high=at) for at in (entry.stage, entry.focus))
            yield Other(entry.title, Position(stage=stage, focus=focus), entry.overall)


def _go(number: int) -> None:
    page, _ = st.session_state["portfolio_at"]
    st.session_state["portfolio_at"] = (page, f"open:{number}")


def _back(number: int, chosen: Sequence[int]) -> None:
    page = chosen.index(number) // _ROWS if number in chosen else 0
    st.session_state["portfolio_at"] = (page, f"back:open:{number}")
