"""The portfolio page: many pitches in the background, what came of them, and each of them; nothing of it is lost unsaid."""

from __future__ import annotations

import gc
import io
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, cast

import pyarrow
import pyarrow.parquet as parquet
import pytest
from streamlit.testing.v1 import AppTest

from analyzer.errors import AnalyzerError, InputError, PitchError, RulebookError, of_kind
from analyzer.files.pitches import InputPitch, UploadedTable
from analyzer.framework.assessment import Assessment, PitchRef, Range
from analyzer.framework.one_pitch import score
from analyzer.page import portfolio_run as run
from analyzer.page.portfolio_run import Run, Work, exported, open_results, read_many
from analyzer.results.documents import DocumentEntry, entries_in, parse_document
from analyzer.results.result import Progress, Result
from analyzer.runs.portfolio import Entry, Filter
from analyzer.settings import KEYWORDS, Settings
from analyzer.views.quadrant import Dot, scatter
from analyzer.vocabulary.signals import Signals
from tests.endpoint import PITCH
from tests.service import MODEL, Service, good, refused
from tests.test_page import button, markup, opened, screenshots

if TYPE_CHECKING:
    from types import ModuleType

    from playwright.sync_api import Browser, Page

__all__ = ["opened", "screenshots"]
PROBLEM = {"statement": "s", "stage": "day_2", "focus": "engineering"}
HOSTILE = "<script>alert(1)</script> ![x](http://evil.example/m.png) :red[x]"


def given(*texts: str) -> list[InputPitch]:
    return [InputPitch(f"t.csv, row {n}", f"p{n}", text) for n, text in enumerate(texts, 1)]


def done(run_: Run) -> Work:
    assert run_.work.done.wait(60)
    return run_.work


def read(*texts: str, **options: Any) -> Work:
    usual: dict[str, Any] = {"model": KEYWORDS, "settings": Settings()}
    return done(read_many(given(*texts), len(texts), "t.csv", **usual | options))


def page_of() -> AppTest:
    def script() -> None:
        from analyzer.page import portfolio

        portfolio.show()

    return AppTest.from_function(script, default_timeout=30)


@pytest.fixture
def page() -> AppTest:
    return page_of().run()


def shown(work: Work) -> AppTest:
    """The page of somebody whose run is at this point."""
    page = page_of()
    page.session_state["portfolio"] = Held(work)
    return page.run()


class Held:
    """A run that nobody works on any more."""

    def __init__(self, work: Work):
        self.work = work


def drawn(page: AppTest) -> str:
    """What the page shows, what is clickable with it."""
    assert not page.exception
    clickable = [json.loads(found.proto.json)["markup"] for found in page.get("bidi_component")]
    return "\n".join([markup(page), *clickable])


# ---------------------------------------------------------------- the run


def test_every_pitch_is_kept_with_its_assessment_or_the_reason_why_there_is_none() -> None:
    work = read(PITCH, "", f"{PITCH} Really.")

    kept = sorted(work.kept, key=lambda each: each.result.number)
    assert [each.result.id for each in kept] == ["p1", "p2", "p3"]
    assert isinstance(kept[1].result.error, PitchError)
    assert kept[0].assessment().pitch.id == "p1"
    assert kept[2].pitch() == f"{PITCH} Really."
    assert (work.progress.done, dict(work.progress.failed), work.ended) == (2, {"pitch": 1}, None)
    assert len(work.ranked) == 2
    for _, found in work.ranked:
        assessment, text = work.whole(found)
        assert all(quote.text == (text or "")[quote.start : quote.end] for _, quote in assessment.signals.quotes())


def test_quotes_stand_where_they_are_marked_also_where_the_text_was_cleaned() -> None:
    work = read(PITCH.replace("\n", "\r\n"))

    assessment, text = work.whole(work.ranked[0][1])

    assert text == PITCH
    assert all(quote.text == PITCH[quote.start : quote.end] for _, quote in assessment.signals.quotes())


@pytest.mark.parametrize(("count", "told"), [(0, "holds no pitch"), (run.MOST + 1, "the page takes 5,000")])
def test_none_and_too_many_are_told_before_anything_is_read(count: int, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_many([], count, "t.csv", model=KEYWORDS, settings=Settings())


def test_stop_lets_what_is_in_flight_come_in() -> None:
    release = Event()

    def endless() -> Iterator[InputPitch]:
        yield from given(PITCH)
        release.wait(30)
        yield from given(*[PITCH] * 500)

    held = read_many(endless(), 501, "t.csv", model=KEYWORDS, settings=Settings())
    held.work.stop.set()
    release.set()

    work = done(held)

    assert work.ended is None
    assert [each.result.error for each in work.kept] == [None] * len(work.kept)
    assert len(work.kept) < 501


def test_whoever_leaves_the_page_has_nothing_read_any_more() -> None:
    asked, go_on = Event(), Event()

    def endless() -> Iterator[InputPitch]:
        while True:
            asked.set()
            go_on.wait(30)
            yield from given(PITCH)

    held = read_many(endless(), 5, "t.csv", model=KEYWORDS, settings=Settings())
    work = held.work
    assert asked.wait(30)

    del held
    gc.collect()
    go_on.set()

    assert work.done.wait(30)


def test_a_visitor_who_is_gone_for_long_has_nothing_read_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.page.presence.GONE", 0.0)
    monkeypatch.setattr("analyzer.page.presence._LOOK", 0.01)

    def endless() -> Iterator[InputPitch]:
        while True:
            yield from given(PITCH)

    held = read_many(endless(), 5, "t.csv", model=KEYWORDS, settings=Settings(), there=lambda: False)

    assert done(held).stop.is_set()


def test_a_run_that_cannot_go_on_keeps_what_it_has_and_says_why() -> None:
    with Service(lambda pitch, time: refused(401)) as service:
        work = read(PITCH, model=MODEL, settings=service.settings)

    assert work.ended is not None and work.ended.kind == "authentication"
    assert work.kept == []


def test_answers_are_kept_only_where_that_was_asked_for(tmp_path: Path) -> None:
    from dataclasses import replace

    with Service(lambda pitch, time: good()) as service:
        settings = replace(service.settings, store=f"sqlite:///{tmp_path / 'store.db'}")
        read(PITCH, model=MODEL, settings=settings)
        assert not (tmp_path / "store.db").exists()
        read(PITCH, model=MODEL, settings=settings, store=True)
        again = read(PITCH, model=MODEL, settings=settings, store=True)
        assert service.asked.total() == 2
    assert again.progress.from_store == 1


def test_a_fault_of_the_program_is_a_line_without_the_pitch(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("analyzer.page.portfolio_run.analyze_many", broken)

    work = read(PITCH)

    assert "ZeroDivisionError after 0 pitches" in str(work.ended)
    assert "secret" not in str(work.ended)


# ---------------------------------------------------------------- results, opened and taken away


def test_what_was_taken_away_opens_again_with_the_same_assessments_and_failures() -> None:
    work = read(PITCH, "", f"{PITCH} Really.")

    for ending in (".jsonl", ".parquet"):
        again = done(open_results(f"portfolio{ending}", exported(work, ending)))

        assert again.ended is None
        before, after = ({each.result.id: each for each in w.kept} for w in (work, again))
        assert list(after) == sorted(before) == ["p1", "p2", "p3"]
        assert after["p1"].assessment() == before["p1"].assessment()
        assert after["p2"].result.error is not None
        assert (after["p2"].result.error.kind, str(after["p2"].result.error)) == (
            "pitch",
            "p2: the pitch is empty; give it at least a sentence of text",
        )
        assert after["p1"].pitch() is None
        assert [(e.id, f.rank) for e, f in again.ranked] == [(e.id, f.rank) for e, f in work.ranked]


@pytest.mark.parametrize("ending", [".html", ".csv", ".jsonl", ".parquet"])
def test_every_pitch_is_in_every_file(ending: str) -> None:
    data = exported(read(PITCH, ""), ending)

    if ending == ".parquet":
        assert parquet.read_table(io.BytesIO(data)).column("id").to_pylist() == ["p1", "p2"]
    else:
        assert b"Wattwise" in data and b"p2" in data


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.jsonl", b"", "a.jsonl holds no result"),
        ("a.json", b"no", "a.json is not JSON"),
        ("a.parquet", b"no", "a.parquet cannot be read as Parquet"),
    ],
    ids=["empty", "no JSON", "no Parquet"],
)
def test_a_file_that_holds_no_results_says_so(name: str, data: bytes, told: str) -> None:
    assert told in str(done(open_results(name, data)).ended)


def test_one_bad_line_is_one_result_that_was_not_read() -> None:
    sound = score(Signals(), pitch=PitchRef(id="a")).to_json(indent=None)

    work = done(open_results("a.jsonl", f"{sound}\n{{oops\n[1]\n".encode()))

    assert [each.result.error is None for each in work.kept] == [True, False, False]
    assert "a.jsonl, line 2: this is not JSON" in str(work.kept[1].result.error)


def test_more_results_than_the_page_takes_are_cut_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MOST", 2)
    sound = score(Signals(), pitch=PitchRef(id="a")).to_json(indent=None)

    work = done(open_results("a.jsonl", f"{sound}\n{sound}\n{sound}\n".encode()))

    assert len(work.kept) == 2
    assert "a.jsonl has more than 2 results; these are the first" in str(work.ended)


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"error": {"kind": "pitch", "message": "m"}}, "pitch"),
        ({"error": {"kind": "from the future", "message": "m"}}, "error"),
        ({"error": {"kind": "rulebook", "message": "m"}}, "error"),
    ],
)
def test_a_failure_in_a_file_is_told_as_it_was(document: dict[str, Any], kind: str) -> None:
    found = parse_document(DocumentEntry("x.json", document)).failure
    assert found is not None and (found.kind, str(found)) == (kind, "m")


def test_an_error_comes_back_by_its_kind() -> None:
    assert type(of_kind("pitch", "m")) is PitchError
    assert type(of_kind(RulebookError.kind, "m")) is AnalyzerError


# ---------------------------------------------------------------- tables in memory


PITCHES = [{"id": "a", "text": "One"}, {"id": "b", "text": "Two"}]


def in_parquet() -> bytes:
    out = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(PITCHES), out)
    return out.getvalue()


TABLES = {
    "t.csv": b"id,text\na,One\nb,Two\n",
    "t.tsv": b"id\ttext\na\tOne\nb\tTwo\n",
    "t.jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in PITCHES),
    "t.parquet": in_parquet(),
}


@pytest.mark.parametrize("name", TABLES)
def test_an_uploaded_table_is_read_like_a_file(name: str) -> None:
    table = UploadedTable(name, TABLES[name])

    assert table.columns() == ["id", "text"]
    assert table.count() == 2
    assert [(each.id, each.text) for each in table] == [("a", "One"), ("b", "Two")]
    assert [each.text for each in UploadedTable(name, TABLES[name], text_column="id")] == ["a", "b"]


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_an_uploaded_table_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=name):
        UploadedTable(name, b"").check()


# ---------------------------------------------------------------- filters and dots


ENTRY = Entry(
    id="p1", title="Idle GPUs", stage=1, focus=1, stage_lean="day_2", focus_lean="ml", open_position=False,
    overall=Range(value=1, low=1, high=1), verdict="for", sentence="", category="cost_optimization", ask="",
    warnings=("instructions",), spread=(0, 0),
)  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "lets"),
    [
        (Filter(), True),
        (Filter(words="gpus IDLE"), True),
        (Filter(words="P1"), True),
        (Filter(words="idle engines"), False),
        (Filter(verdict="for", stage="day_2", focus="ml", category="cost_optimization"), True),
        (Filter(verdict="against"), False),
        (Filter(stage="day_1"), False),
        (Filter(focus="engineering"), False),
        (Filter(category="other"), False),
        (Filter(without_warnings=True), False),
    ],
)
def test_a_filter_lets_pass_what_it_names(wanted: Filter, lets: bool) -> None:
    assert wanted.lets(ENTRY) is lets


def test_dots_at_one_place_stand_apart_and_only_those_that_can_be_picked_say_what_they_are() -> None:
    dots = [Dot(1, 1, "<A>", "for", False, "open:0"), Dot(1, 1, "B", "open", True, "open:1"), Dot(1, 1)]

    drawn_ = scatter(dots)

    assert 'class="dot for"' in drawn_ and 'class="dot open hollow"' in drawn_ and 'class="dot faint"' in drawn_
    assert drawn_.count("title=") == drawn_.count("data-pick=") == 2
    assert "<A>" not in drawn_
    places = {part.split('"')[0] for part in drawn_.split('style="left:')[1:]}
    assert len(places) == 3


# ---------------------------------------------------------------- the page


def test_the_empty_page_chooses_no_reader_for_the_visitor(page: AppTest) -> None:
    assert not page.exception
    assert page.selectbox(key="portfolio_reader").value is None
    assert button(page, "Start").disabled
    assert "Many pitches at once" in markup(page)


def test_the_model_of_the_server_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITCH_MODEL", "openai/gpt-4.1-mini")

    page = page_of().run()

    assert page.selectbox(key="portfolio_reader").value == "A model"
    assert page.text_input(key="portfolio_model").value == "openai/gpt-4.1-mini"
    assert page.number_input(key="portfolio_cost").value is None


def test_the_samples_are_one_click_away_and_rank(page: AppTest) -> None:
    button(page, "Take the samples").click().run()
    done(page.session_state["portfolio"])
    page.run()

    seen = drawn(page)
    assert "15 in scope, 1 out of scope." in seen
    assert seen.count("<tr>") == 16
    assert "Fillchair" in seen
    labels = [cast(Any, found).label for found in page.get("download_button")]
    assert labels == ["Portfolio (HTML)", "JSON Lines", "CSV", "Parquet"]


def test_a_run_under_way_shows_how_far_it_is_and_can_be_stopped() -> None:
    work = Work("t.csv", asks=True, progress=Progress(done=3, failed={"pitch": 1}, total=10, elapsed=2.0, from_store=1))
    page = shown(work)

    assert "4 of 10 · 1 failed · 1 from the store · 1.5/s" in drawn(page)
    assert not page.selectbox

    button(page, "Stop").click().run()

    assert work.stop.is_set()
    assert "Stopping. Answers to requests already sent still arrive." in drawn(page)
    assert button(page, "Stop").disabled


def test_a_run_that_was_stopped_says_what_was_not_begun() -> None:
    work = read(PITCH)
    work.progress = Progress(done=1, total=10)
    work.stop.set()

    assert "Stopped: 9 of 10 pitches were not begun." in drawn(shown(work))


def test_a_run_that_ended_early_shows_why_and_what_it_has() -> None:
    work = read(PITCH)
    work.ended = AnalyzerError("the limit of $1.00 is reached")

    seen = drawn(shown(work))

    assert "Ended early: the limit of $1.00 is reached" in seen
    assert "Wattwise: cut your GPU bill" in seen


def test_rough_reading_and_failures_are_said() -> None:
    seen = drawn(shown(read(PITCH, "")))

    assert "Read by cue phrases, without a model" in seen
    assert "1 in scope, 1 not read." in seen
    assert '<strong class="alien">p2</strong>: <span class="alien">the pitch is empty' in seen


def test_where_nothing_could_be_read_there_is_no_ranking_but_the_reasons() -> None:
    seen = drawn(shown(read("", "")))

    assert "0 in scope, 2 not read." in seen
    assert "Ranking" not in seen


@pytest.mark.parametrize(
    ("field", "value", "count"),
    [("portfolio_words", "wattwise", 2), ("portfolio_words", "zzz", 0), ("portfolio_by_stage", "day_1", 0)],
)
def test_filters_leave_what_they_name_and_say_how_many(field: str, value: str, count: int) -> None:
    page = shown(read(PITCH, f"{PITCH} Really."))

    widget = page.text_input(key=field) if "words" in field else page.selectbox(key=field)
    widget.set_value(value).run()

    seen = drawn(page)
    assert f"Shown: {'all 2' if count == 2 else f'{count} of 2'}" in seen
    assert ("No pitch fits these filters." in seen) == (count == 0)


def test_a_look_at_one_pitch_keeps_the_filters_and_another_filter_begins_on_the_first_page() -> None:
    page = shown(many(120))
    page.session_state["portfolio_at"] = (1, "")
    page.text_input(key="portfolio_words").set_value("product 99").run()
    assert "Shown: 1 of 120" in drawn(page)

    page.session_state["portfolio_at"] = (0, "open:1")
    page.run()
    button(page, "Back to the portfolio").click().run()

    assert page.text_input(key="portfolio_words").value == "product 99"
    assert "Shown: 1 of 120" in drawn(page)


def many(count: int) -> Work:
    """A finished run over so many pitches, without reading them."""
    work = Work("many.csv", asks=True, progress=Progress(done=count, total=count))
    for number in range(count):
        signals = Signals.model_validate({"product": f"Product {number}", "problems": [PROBLEM]})
        found = score(signals, pitch=PitchRef(id=f"p{number}", title=f"Product {number}", sha256=str(number)))
        work.take(Result(number, f"p{number}", found), "", PITCH)
    work.ranked = work.portfolio.ranked()
    work.done.set()
    return work


def test_the_ranking_comes_in_pages_of_fifty() -> None:
    page = shown(many(120))
    assert "1 to 50 of 120" in drawn(page)
    assert drawn(page).count("<tr>") == 51

    page.session_state["portfolio_at"] = (2, "")
    page.run()

    assert "101 to 120 of 120" in drawn(page)
    assert drawn(page).count("<tr>") == 21


def test_one_pitch_is_shown_whole_with_its_text_and_the_way_back() -> None:
    page = shown(read(PITCH, f"Other\n\n{PITCH}"))
    page.session_state["portfolio_at"] = (0, "open:1")
    page.run()

    seen = drawn(page)
    assert "What it scores" in seen and "The pitch</h3>" in seen and "Rank 2 of 2" in seen
    assert not button(page, "Previous").disabled and button(page, "Next").disabled

    button(page, "Previous").click().run()
    assert "Rank 1 of 2" in drawn(page)
    button(page, "Back to the portfolio").click().run()
    assert "Ranking" in drawn(page)
    assert page.session_state["portfolio_at"] == (0, "back:open:0")


def test_without_its_text_an_assessment_is_shown_alone_and_its_quotes_lead_nowhere() -> None:
    work = done(open_results("portfolio.jsonl", exported(read(PITCH), ".jsonl")))
    page = shown(work)
    page.session_state["portfolio_at"] = (0, "open:0")
    page.run()

    seen = drawn(page)
    assert "What it scores" in seen and "The pitch&#x27;s text is not in the file of results." in seen
    assert "The pitch</h3>" not in seen
    assert 'href="#quote-' not in seen
    assert "unlike AWS" in seen


def test_one_pitch_can_be_taken_on_to_what_if() -> None:
    page = shown(read(PITCH))
    page.session_state["portfolio_at"] = (0, "open:0")
    page.run()

    button(page, "What if").click().run()

    assert page.session_state["go_to_analyze"] is True
    assert page.session_state["reading"].result.result().pitch.id == "p1"
    assert page.session_state["text"] == PITCH


def test_hostile_titles_ids_and_names_appear_only_escaped() -> None:
    work = Work(HOSTILE, asks=True, progress=Progress(done=1, failed={"pitch": 1}, total=2))
    signals = Signals.model_validate({"product": HOSTILE, "problems": [PROBLEM | {"statement": HOSTILE}]})
    found = score(signals, pitch=PitchRef(id=HOSTILE, title=HOSTILE, sha256="1"))
    work.take(Result(0, HOSTILE, found), HOSTILE, None)
    work.take(Result(1, HOSTILE, error=PitchError(HOSTILE)), HOSTILE, None)
    work.ranked = work.portfolio.ranked()
    work.done.set()

    for at in ("", "open:0"):
        page = shown(work)
        page.session_state["portfolio_at"] = (0, at)
        page.run()
        seen = drawn(page)
        assert "&lt;script&gt;" in seen
        assert "<script" not in seen and "<img" not in seen
        for told in (*page.markdown, *page.button, *page.get("expander")):
            assert "red[x]" not in str(getattr(told, "value", "")) + str(getattr(told, "label", ""))


def test_what_is_kept_of_a_pitch_is_packed() -> None:
    (kept,) = read(PITCH).kept
    assert kept.packed is not None and len(kept.packed) < 12_000
    assert kept.result.assessment is None
    assert json.loads(zlib.decompress(kept.packed))["pitch"]["id"] == "p1"


def test_entries_of_a_file_keep_their_source() -> None:
    work = done(open_results("portfolio.jsonl", exported(read(PITCH), ".jsonl")))
    assert work.kept[0].source == "t.csv, row 1"
    assert len(list(entries_in("x.jsonl", exported(work, ".jsonl")))) == 1


# ---------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def browser(screenshots: ModuleType) -> Iterator[Browser]:
    with screenshots.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(screenshots: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    with screenshots.served_page({"PITCH_MODEL": "", "PITCH_STORE": f"sqlite:///{folder / 's.db'}"}) as address:
        yield address


def uploaded(page: Page, address: str, screenshots: ModuleType, count: int) -> None:
    screenshots.upload(page, address, screenshots.many_pitches(count))
    page.get_by_role("heading", name="Ranking").wait_for(timeout=60_000)


@pytest.mark.browser
def test_a_table_becomes_a_portfolio_of_which_one_pitch_is_opened_and_all_taken_away(
    opened: Callable[..., Page], address: str, screenshots: ModuleType, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    page = opened()
    uploaded(page, address, screenshots, 110)
    expect(page.locator(".pa.head")).to_contain_text("102 in scope, 7 out of scope, 1 not read.")
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.locator(".pa .pages")).to_contain_text("51 to 100 of 102")
    row = page.locator(".pa .ranking tbody button").nth(20)
    title = row.inner_text()

    row.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=2, name=title)).to_be_in_viewport()
    expect(page.locator(".pa .pitch")).to_be_visible()
    page.get_by_role("link", name="The framework").click()
    expect(page.get_by_role("heading", name="What is looked at")).to_be_visible()
    page.get_by_role("link", name="Portfolio").click()
    expect(page.get_by_role("heading", level=2, name=title)).to_be_visible()
    page.get_by_role("button", name="Back to the portfolio").click()
    expect(page.locator(".pa .ranking tbody button").nth(20)).to_be_focused()

    with page.expect_download() as download:
        page.get_by_role("button", name="JSON Lines").click()
    download.value.save_as(tmp_path / "portfolio.jsonl")
    lines = (tmp_path / "portfolio.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 110
    assert sum("error" in json.loads(line) for line in lines) == 1

    page.get_by_text("Other pitches").click()
    page.get_by_text("Open results").click()
    expect(page.get_by_text("A file of results")).to_be_visible()
    page.locator("input[type=file]").set_input_files(tmp_path / "portfolio.jsonl")
    page.get_by_role("button", name="Open them").click()
    told = "portfolio.jsonl: 102 in scope, 7 out of scope, 1 not read."
    expect(page.locator(".pa.head")).to_contain_text(told, timeout=60_000)


@pytest.mark.browser
def test_a_dot_opens_its_pitch_and_what_if_goes_on_from_there(
    opened: Callable[..., Page], address: str, screenshots: ModuleType
) -> None:
    from playwright.sync_api import expect

    page = opened()
    page.goto(f"{address}/portfolio")
    page.get_by_role("button", name="Take the samples").click()
    dot = page.locator(".pa .dot[title^=Cabstand]")
    dot.click()
    expect(page.get_by_role("heading", level=2, name="Cabstand")).to_be_visible()

    page.get_by_role("button", name="What if", exact=True).click()

    expect(page.get_by_role("heading", level=1, name="Analyze a pitch")).to_be_visible()
    expect(page.get_by_text("From the portfolio The samples. Nothing was asked again.")).to_be_visible()
    expect(page.get_by_role("tab", name="What if")).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_scrolls_sideways_and_every_text_stands_out(
    opened: Callable[..., Page], address: str, screenshots: ModuleType, scheme: str
) -> None:
    from tests.test_page import _CONTRAST

    page = opened(width=390, scheme=scheme)
    screenshots.STATES["portfolio"](page, address)

    for there in (".pa.portfolio", ".pa.beside"):
        if there == ".pa.beside":
            page.locator(".pa .ranking tbody button").first.click()
        page.locator(there).wait_for()
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
        assert page.evaluate(_CONTRAST) == []


def test_an_assessment_survives_packing() -> None:
    work = many(1)
    assert isinstance(work.kept[0].assessment(), Assessment)
