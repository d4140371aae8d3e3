"""The portfolio page: many pitches in the background, what came of them, and each of them; nothing of it is lost unsaid."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from streamlit.testing.v1 import AppTest

from analyzer.errors import AnalyzerError, PitchError
from analyzer.files.tables import InputPitch
from analyzer.framework.assessment import Assessment, PitchRef, Range
from analyzer.framework.one_pitch import score
from analyzer.page import access
from analyzer.page.portfolio_export import export
from analyzer.page.portfolio_run import Place, PortfolioRun, open_results, read_many
from analyzer.page.portfolio_work import PortfolioWork, RunChoices
from analyzer.page.session import KEY, PortfolioState, Session
from analyzer.results.documents import entries_in
from analyzer.results.result import Progress, Result
from analyzer.runs.portfolio import Filter, PortfolioEntry
from analyzer.settings import KEYWORDS, Settings
from analyzer.views.quadrant import Dot, scatter
from analyzer.vocabulary.signals import Signals
from tests.completions import PITCH
from tests.model_server import MODEL, Service, good
from tests.page.visitor import analysis, button, markup, portfolio_work, visit

if TYPE_CHECKING:
    from types import ModuleType

    from playwright.sync_api import Browser

PROBLEM = {"statement": "s", "stage": "day_2", "focus": "engineering"}
HOSTILE = "<script>alert(1)</script> ![x](http://evil.example/m.png) :red[x]"


def given(*texts: str) -> list[InputPitch]:
    return [InputPitch(f"t.csv, row {n}", f"p{n}", text) for n, text in enumerate(texts, 1)]


def done(run_: PortfolioRun) -> PortfolioWork:
    run_.watch(lambda: True)  # on a busy machine it may take longer than a run that nobody looks at goes on
    assert run_.work.done.wait(60)
    return run_.work


def read(*texts: str, **options: Any) -> PortfolioWork:
    return done(start(*texts, **options))


def start(*texts: str, settings: Settings | None = None, place: Place | None = None, **options: Any) -> PortfolioRun:
    """A run over these texts, by cue phrases if nothing else is said."""
    usual: dict[str, Any] = {"model": KEYWORDS}
    how = RunChoices(**usual | options)
    return read_many(
        given(*texts), len(texts), "t.csv", settings=settings or Settings(), options=how, place=place or Place()
    )


def page_of() -> AppTest:
    def script() -> None:
        from analyzer.page import portfolio

        portfolio.show()

    return AppTest.from_function(script, default_timeout=30)


@pytest.fixture
def page() -> AppTest:
    return page_of().run()


def shown(work: PortfolioWork) -> AppTest:
    """The page of somebody whose run is at this point."""
    page = page_of()
    page.session_state[KEY] = Session(portfolio=PortfolioState(PortfolioRun(work)))
    return page.run()


def drawn(page: AppTest) -> str:
    """What the page shows, what is clickable with it."""
    assert not page.exception
    clickable = [json.loads(found.proto.json).get("markup", "") for found in page.get("bidi_component")]
    return "\n".join([markup(page), *clickable])


# ---------------------------------------------------------------- filters and dots


ENTRY = PortfolioEntry(
    id="p1", title="Idle GPUs", stage=1, focus=1, stage_lean="day_2", focus_lean="ml", open_position=False,
    overall=Range(value=1, low=1, high=1), verdict="for", sentence="", category="cost_optimization", ask="",
    warnings=("instructions",), said=0.5, gates="", spread=(0, 0),
)  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "lets"),
    [
        (Filter(), True),
        (Filter(words="gpus IDLE"), True),
        (Filter(words="P1"), True),
        (Filter(words="idle engines"), False),
        (Filter(chosen={"verdict": "for", "stage": "day_2", "focus": "ml", "category": "cost_optimization"}), True),
        (Filter(chosen={"verdict": "against"}), False),
        (Filter(chosen={"stage": "day_1"}), False),
        (Filter(chosen={"focus": "engineering"}), False),
        (Filter(chosen={"category": "other"}), False),
        (Filter(without_warnings=True), False),
    ],
)
def test_a_filter_lets_pass_what_it_names(wanted: Filter, lets: bool) -> None:
    assert wanted.matches(ENTRY) is lets


def test_dots_at_one_place_are_drawn_apart_and_only_those_that_can_be_picked_say_what_they_are() -> None:
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
    assert "Analyze many pitches at once" in markup(page)


def test_the_model_of_the_server_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITCH_MODEL", "openai/gpt-4.1-mini")

    page = page_of().run()

    assert page.selectbox(key="portfolio_reader").value == "A model"
    assert (page.selectbox(key="place").value, page.text_input(key="model").value) == ("OpenAI", "gpt-4.1-mini")
    assert page.number_input(key="portfolio_cost").value is None


def test_the_samples_are_one_click_away_and_rank(page: AppTest) -> None:
    button(page, "Use the samples").click().run()
    portfolio_work(page).done.wait(60)
    page.run()

    seen = drawn(page)
    assert "15 in scope, 1 out of scope." in seen
    assert seen.count("<tr>") == 16
    assert "Website: AI for dentists, out of scope" in seen and "Fillchair" not in seen
    labels = [cast(Any, found).label for found in page.get("download_button")]
    assert labels == ["Portfolio (HTML)", "JSON Lines", "CSV", "Parquet"]


def test_a_run_under_way_shows_how_far_it_is_and_can_be_stopped() -> None:
    work = PortfolioWork(
        "t.csv", reads_pitches=True, progress=Progress(done=3, failed={"pitch": 1}, total=10, elapsed=2.0, from_store=1)
    )
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

    assert "Stopped: 9 of 10 pitches were not read." in drawn(shown(work))


def test_a_run_that_is_not_under_way_any_more_says_nothing_of_the_time_left_or_of_going_on_to_save() -> None:
    run = start(*[f"{PITCH} Number {number}." for number in range(8)])
    run.work.stop.set()
    work = done(run)
    work.progress = Progress(done=3, total=8, elapsed=3.0)
    work.saved = True

    seen = drawn(shown(work))

    assert "3 of 8 \N{MIDDLE DOT} 1.0/s<" in seen and " left" not in seen
    assert "Saved in your History.<" in seen


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


def test_what_cue_phrases_read_is_a_draft_in_rows_counts_filters_and_the_file() -> None:
    work = read(PITCH, f"{PITCH} Really.")

    page = shown(work)

    seen, file = drawn(page), export(work, ".html").decode()
    assert seen.count('<span class="verdict-word open">Draft</span>') == 2
    assert '<strong class="value">2</strong><span class="label">Draft</span>' in seen
    assert file.count('<span class="word open">Draft</span>') == 2 and "drafts, without a verdict" in file
    verdicts = page.selectbox(key="portfolio_by_verdict")
    assert verdicts.options == ["all", "Favorable", "Balanced", "Open", "Unfavorable", "Draft"]
    assert "Shown: all 2" in drawn(verdicts.set_value("draft").run())


def test_where_no_pitch_is_a_draft_nothing_speaks_of_drafts() -> None:
    work = done(open_results("a.jsonl", score(Signals(in_scope=True), pitch=PitchRef(id="a")).to_json(None).encode()))

    page = shown(work)

    assert "raft" not in drawn(page) and "raft" not in export(work, ".html").decode()
    assert "Draft" not in page.selectbox(key="portfolio_by_verdict").options


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
    assert ("No pitch matches these filters." in seen) == (count == 0)


def test_a_look_at_one_pitch_keeps_the_filters_and_another_filter_begins_on_the_first_page() -> None:
    page = shown(many(120))
    visit(page).portfolio.page = 1
    page.text_input(key="portfolio_words").set_value("product 99").run()
    assert "Shown: 1 of 120" in drawn(page)

    visit(page).portfolio.opened = 1
    page.run()
    button(page, "Back to the portfolio").click().run()

    assert page.text_input(key="portfolio_words").value == "product 99"
    assert "Shown: 1 of 120" in drawn(page)


def many(count: int) -> PortfolioWork:
    """A finished run over so many pitches, without reading them."""
    work = PortfolioWork("many.csv", reads_pitches=True, progress=Progress(done=count, total=count))
    for number in range(count):
        signals = Signals.model_validate({"product": f"Product {number}", "problems": [PROBLEM]})
        found = score(signals, pitch=PitchRef(id=f"p{number}", title=f"Product {number}", sha256=str(number)))
        work.add(Result(number, f"p{number}", found), "", PITCH)
    work.ranked = work.portfolio.ranked()
    work.done.set()
    return work


def test_the_ranking_comes_in_pages_of_fifty() -> None:
    page = shown(many(120))
    assert "1 to 50 of 120" in drawn(page)
    assert drawn(page).count("<tr>") == 51

    visit(page).portfolio.page = 2
    page.run()

    assert "101 to 120 of 120" in drawn(page)
    assert drawn(page).count("<tr>") == 21


def test_one_pitch_is_shown_whole_with_its_text_and_the_way_back() -> None:
    work = read(PITCH, f"Other\n\n{PITCH}")
    page = shown(work)
    second = work.ranked_item(1).result.number
    visit(page).portfolio.opened = second
    page.run()

    seen = drawn(page)
    assert "Scores" in seen and "The pitch</h2>" in seen and "Rank 2 of 2" in seen
    assert not button(page, "Previous").disabled and button(page, "Next").disabled

    button(page, "Previous").click().run()
    assert "Rank 1 of 2" in drawn(page)
    button(page, "Back to the portfolio").click().run()
    assert "Ranking" in drawn(page)
    assert (visit(page).portfolio.opened, visit(page).portfolio.focus) == (None, 1 - second)


def test_without_its_text_an_assessment_is_shown_alone_and_its_quotes_lead_nowhere() -> None:
    work = done(open_results("portfolio.jsonl", export(read(PITCH), ".jsonl")))
    page = shown(work)
    visit(page).portfolio.opened = 0
    page.run()

    seen = drawn(page)
    assert "Scores" in seen and "The file of results does not contain the text of the pitch." in seen
    assert "The pitch</h2>" not in seen
    assert 'href="#quote-' not in seen
    assert "unlike AWS" in seen


def test_one_pitch_can_be_taken_on_to_what_if() -> None:
    page = shown(read(PITCH))
    visit(page).portfolio.opened = 0
    page.run()

    button(page, "What if").click().run()

    assert visit(page).go_to_analyze is True
    assert analysis(page).result.result().pitch.id == "p1"
    assert page.session_state["text"] == PITCH


def test_hostile_titles_ids_and_names_appear_only_escaped() -> None:
    work = PortfolioWork(HOSTILE, reads_pitches=True, progress=Progress(done=1, failed={"pitch": 1}, total=2))
    signals = Signals.model_validate({"product": HOSTILE, "problems": [PROBLEM | {"statement": HOSTILE}]})
    found = score(signals, pitch=PitchRef(id=HOSTILE, title=HOSTILE, sha256="1"))
    work.add(Result(0, HOSTILE, found), HOSTILE, None)
    work.add(Result(1, HOSTILE, error=PitchError(HOSTILE)), HOSTILE, None)
    work.ranked = work.portfolio.ranked()
    work.done.set()

    for number in (None, 0):
        page = shown(work)
        visit(page).portfolio.opened = number
        page.run()
        seen = drawn(page)
        assert "&lt;script&gt;" in seen
        assert "<script" not in seen and "<img" not in seen
        for told in (*page.markdown, *page.button, *page.get("expander")):
            assert "red[x]" not in str(getattr(told, "value", "")) + str(getattr(told, "label", ""))


def test_a_pitch_is_held_in_memory_compressed() -> None:
    (kept,) = read(PITCH).items
    assert kept.compressed_assessment is not None and len(kept.compressed_assessment) < 12_000
    assert kept.result.assessment is None
    assert json.loads(zlib.decompress(kept.compressed_assessment))["pitch"]["id"] == "p1"


def test_entries_of_a_file_keep_their_source() -> None:
    work = done(open_results("portfolio.jsonl", export(read(PITCH), ".jsonl")))
    assert work.items[0].source == "t.csv, row 1"
    assert len(list(entries_in("x.jsonl", export(work, ".jsonl")))) == 1


@pytest.fixture(scope="module")
def browser(screenshots: ModuleType) -> Iterator[Browser]:
    with screenshots.chromium() as browser:
        yield browser


def test_an_assessment_survives_packing() -> None:
    work = many(1)
    assert isinstance(work.items[0].assessment(), Assessment)


# ---------------------------------------------------------------- a model that is paid

TABLE = f'id,name,pitch\na,Wattwise,"{PITCH}"\nb,{HOSTILE},"{PITCH} Really."\nc,Empty,\n'.encode()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Service]:
    """A model's server, which the page's environment names."""
    with Service(lambda pitch, time: good()) as running:
        for name, value in (running.environment | {"PITCH_STORE": f"sqlite:///{tmp_path / 'store.db'}"}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(access, "owner", lambda: access.LOCAL)
        yield running


def with_table(data: bytes = TABLE, name: str = "startups.csv") -> AppTest:
    """The page with an uploaded table."""
    page = page_of().run()
    page.file_uploader[0].set_value((name, data, "text/csv")).run()
    return page


def labels(page: AppTest) -> list[str]:
    return [found.label for found in page.button]


def test_a_table_is_previewed_before_anything_is_asked(service: Service) -> None:
    seen = drawn(with_table())

    for fact in ("CSV, UTF-8, comma-separated", "pitch", "3, 1 empty", "Wattwise"):
        assert f">{fact}<" in seen
    assert "&lt;script&gt;" in seen and "<script" not in seen
    assert service.asked.total() == 0


def test_the_preview_follows_the_chosen_column_and_says_what_cannot_be_read(service: Service) -> None:
    page = with_table(b"id,summary,notes\na,One pitch,Another text\n")
    assert "One pitch" in drawn(page)

    page.selectbox(key="portfolio_text").set_value("notes").run()
    assert "Another text" in drawn(page) and "One pitch" not in drawn(page)

    odd = with_table(b"\x00\x01\x02\x03")
    assert "startups.csv" in odd.warning[0].value and "preview" not in drawn(odd)


def test_a_paid_model_reads_only_after_one_confirmation_that_names_model_count_and_cost(service: Service) -> None:
    page = with_table()
    assert not [label for label in labels(page) if label.startswith("Read ")]

    button(page, "Start").click().run()
    seen = drawn(page)
    assert MODEL in seen and "3 pitches, 1 that cannot be read; about " in seen and "; about $" in seen
    assert service.asked.total() == 0 and visit(page).portfolio.run is None

    button(page, "Read 3 pitches").click().run()
    work = portfolio_work(page)
    assert work.done.wait(60) and service.asked.total() == 2
    assert (work.progress.done, dict(work.progress.failed)) == (2, {"pitch": 1})


def test_a_second_look_is_part_of_the_question_and_of_the_run(service: Service) -> None:
    page = with_table()
    button(page, "Start").click().run()
    without = drawn(page)
    page.toggle(key="portfolio_second_look").set_value(True).run()
    assert "Read 3 pitches" not in labels(page), "what was estimated no longer holds"
    button(page, "Start").click().run()
    cost = re.compile(r"; about \$(\d+\.\d+)")
    before, now = cost.search(without), cost.search(drawn(page))
    assert before is not None and now is not None and float(now[1]) > float(before[1])

    button(page, "Read 3 pitches").click().run()
    work = portfolio_work(page)
    assert work.done.wait(60) and work.options.verify == "same" and service.asked.total() > 2
    assert work.progress.done == 2


def test_answers_in_the_store_are_not_paid_for_again_and_the_question_says_so(service: Service) -> None:
    page = with_table()
    button(page, "Start").click().run()
    button(page, "Read 3 pitches").click().run()
    assert portfolio_work(page).done.wait(60)

    again = with_table()
    button(again, "Start").click().run()

    assert "3 pitches, 2 already in the store, 1 that cannot be read; about 0 input" in drawn(again)


@pytest.mark.parametrize("change", ["cancel", "another model", "another table"])
def test_what_was_not_confirmed_is_not_read_and_the_question_goes(service: Service, change: str) -> None:
    page = with_table()
    button(page, "Start").click().run()

    if change == "cancel":
        button(page, "Cancel").click().run()
    elif change == "another model":
        page.text_input(key="model").set_value("gpt-4.1-nano").run()
    else:
        page.file_uploader[0].set_value(("other.csv", TABLE, "text/csv")).run()

    assert "Read 3 pitches" not in labels(page)
    assert service.asked.total() == 0 and visit(page).portfolio.run is None


def test_a_reader_that_costs_nothing_starts_without_a_question(service: Service) -> None:
    page = with_table()
    page.selectbox(key="portfolio_reader").set_value("Keywords").run()

    button(page, "Start").click().run()

    assert portfolio_work(page).done.wait(60) and service.asked.total() == 0
