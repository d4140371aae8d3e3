"""History: what is kept for whom, found and opened again without a call, and gone for good when it is deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from streamlit.runtime.scriptrunner_utils.exceptions import StopException
from streamlit.testing.v1 import AppTest

from analyzer.framework.assessment import PitchRef, ReaderRef
from analyzer.framework.one_pitch import score
from analyzer.page import access
from analyzer.page.session import KEY
from analyzer.store.answers import StoredAnswer
from analyzer.store.store import Store
from analyzer.vocabulary.signals import Signals
from tests.page.visitor import (
    HOSTILE,
    OWN_PITCH,
    ROOT,
    analysis,
    analyze,
    button,
    markup,
    opened_at,
    visit,
)

if TYPE_CHECKING:
    from tests.page.visitor import FixedReader

HERE = {"Host": "127.0.0.1:8501", "Origin": "http://127.0.0.1:8501"}


@pytest.fixture(autouse=True)
def _at_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_headers", lambda: HERE)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'kept.db'}"
    monkeypatch.setenv("PITCH_STORE", url)
    opened_ = Store.open(url)
    yield opened_
    opened_.close()


def remember(store: Store, title: str, owner: str = access.LOCAL) -> str:
    text = f"{title}\n\n{OWN_PITCH}"
    found = score(
        Signals(product=title), pitch=PitchRef(id="p", title=title, sha256=title), reader=ReaderRef(model="m")
    )
    return store.history.save(
        owner=owner, title=title, pitch_sha256=title, model="m", text=text, document=found.to_json(indent=None)
    )


def history() -> AppTest:
    def script() -> None:
        from analyzer.page import history

        history.show()

    return AppTest.from_function(script, default_timeout=30).run()


def titles(page: AppTest) -> list[str]:
    return [element.value.split("</strong>")[0].split(">")[-1] for element in page.html if "pa kept" in element.value]


# ---------------------------------------------------------------- whose


@pytest.mark.parametrize(
    ("address", "headers", "owner"),
    [
        ("127.0.0.1", HERE, "local"),
        ("localhost", {"host": "localhost:1", "origin": "http://localhost:1"}, "local"),
        ("0.0.0.0", HERE, None),  # noqa: S104
        (None, HERE, None),
        ("127.0.0.1", {}, None),
        ("127.0.0.1", {"Host": "127.0.0.1:8501"}, None),
        ("127.0.0.1", HERE | {"Host": "pitches.example"}, None),
        ("127.0.0.1", HERE | {"Origin": "https://pitches.example"}, None),
        ("127.0.0.1", HERE | {"X-Forwarded-For": "10.0.0.7"}, None),
    ],
)
def test_without_login_only_visitors_at_this_machine_have_an_owner_for_what_they_save(
    monkeypatch: pytest.MonkeyPatch, address: str | None, headers: dict[str, str], owner: str | None
) -> None:
    monkeypatch.setattr(access, "login_is_on", lambda: False)
    monkeypatch.setattr(access, "_headers", lambda: headers)
    monkeypatch.setattr("analyzer.page.access.st.get_option", lambda name: address)

    assert access.owner() == owner


@pytest.mark.parametrize(
    ("user", "owner"),
    [
        ({"iss": "https://id.example", "sub": "7", "email": "a@b.example"}, "https://id.example 7"),
        ({"email": "a@b.example"}, "a@b.example"),
        ({}, None),
    ],
)
def test_who_logs_in_has_a_history_of_their_own(
    monkeypatch: pytest.MonkeyPatch, user: dict[str, str], owner: str | None
) -> None:
    monkeypatch.setattr(access, "login_is_on", lambda: True)
    monkeypatch.setattr("analyzer.page.access.st.user", user)

    assert access.owner() == owner


def test_where_visitors_cannot_be_distinguished_nothing_is_saved_and_the_page_says_so(
    page: AppTest, reads: Callable[..., FixedReader], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_headers", lambda: {"Host": "pitches.example"})
    reads(Signals())

    analyze(page, OWN_PITCH)

    assert not page.toggle
    assert store.history.count() == 0
    assert "Nothing is saved here." in markup(history())


# ---------------------------------------------------------------- kept


def test_an_assessment_is_saved_with_its_pitch_and_only_once(
    page: AppTest, reads: Callable[..., FixedReader], store: Store
) -> None:
    reads(Signals(product="Testbed"))

    analyze(page, OWN_PITCH)
    page.selectbox(key="reader").set_value("Keywords").run()

    (kept,) = store.history.search(access.LOCAL)
    assert (kept.text, kept.model) == (OWN_PITCH, "test/fixed")
    assert page.query_params["saved"] in (kept.id, [kept.id])


def test_a_visitor_who_turns_saving_off_has_nothing_saved(
    page: AppTest, reads: Callable[..., FixedReader], store: Store
) -> None:
    reads(Signals())
    page.toggle(key="keep").set_value(False).run()

    analyze(page, OWN_PITCH)
    assert store.history.count() == 0
    assert "saved" not in page.query_params

    page.toggle(key="keep").set_value(True).run()
    assert store.history.count() == 1


def test_a_store_that_fails_costs_a_line_and_never_the_answer(
    page: AppTest, reads: Callable[..., FixedReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITCH_STORE", "postgresql://ann:hunter2@127.0.0.1:9/x")
    reads(Signals())

    analyze(page, OWN_PITCH)

    (warning,) = page.warning
    assert "Not saved in History: the store" in warning.value
    assert "hunter2" not in warning.value
    assert "Scores" in markup(page)
    assert not page.exception

    failing = history()
    assert "History cannot be read: the store" in failing.error[0].value
    assert not failing.exception


def test_pitches_of_earlier_visits_are_listed_after_the_next(
    page: AppTest, reads: Callable[..., FixedReader], store: Store
) -> None:
    problem = {"statement": "s", "stage": "day_2", "focus": "engineering"}
    found = score(Signals.model_validate({"problems": [problem]}), pitch=PitchRef(id="p", title="Long ago", sha256="1"))
    store.history.save(
        owner=access.LOCAL, title="Long ago", pitch_sha256="1", model="m", text="t", document=found.to_json()
    )
    remember(store, "Not mine", owner="somebody else")
    again = opened_at()
    reads(Signals.model_validate({"problems": [problem]}))

    analyze(again, OWN_PITCH)

    assert markup(again).count('class="other"') == 1
    assert 'title="Long ago: ' in markup(again)


# ---------------------------------------------------------------- found, opened


def test_the_example_of_a_first_visit_waits_until_the_history_is_known(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A click while a slow store is asked ends the run of the page; the next one asks again."""
    monkeypatch.setattr(access, "owner", lambda: access.LOCAL)
    monkeypatch.delenv("PITCH_MODEL", raising=False)
    remember(store, "Idle GPUs")
    slow = [True]

    def asked() -> Store:
        if slow:
            slow.clear()
            raise StopException
        return store

    monkeypatch.setattr("analyzer.page.history.shared_store", asked)
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()
    assert not visit(page).history.loaded and "An example of what you get" not in markup(page)
    page.run()
    assert visit(page).assessments and "An example of what you get" not in markup(page)


def test_an_empty_history_says_how_to_add_to_it(store: Store) -> None:
    assert "Nothing is saved yet." in markup(history())


def test_the_newest_is_first_and_nothing_of_other_visitors_is_shown(store: Store) -> None:
    for title in ("First", "Second"):
        remember(store, title)
    remember(store, "Not mine", owner="somebody else")

    assert titles(history()) == ["Second", "First"]


def test_a_row_of_what_cue_phrases_read_says_that_it_is_a_draft(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "owner", lambda: access.LOCAL)
    found = score(Signals(in_scope=True), pitch=PitchRef(id="p", sha256="a"), reader=ReaderRef(model="keywords"))
    saved = {"pitch_sha256": "a", "model": "keywords", "text": OWN_PITCH, "document": found.to_json(indent=None)}
    store.history.save(owner=access.LOCAL, title="Idle GPUs", **saved)
    store.portfolios.create(owner=access.LOCAL, name="t.csv", model="keywords", options={})

    seen = markup(history())

    assert '<span class="verdict-word open">Draft</span>' in seen and "keywords, drafts" in seen


def test_a_search_finds_words_of_title_and_pitch_or_says_that_there_is_nothing(store: Store) -> None:
    for title in ("First", "Second"):
        remember(store, title)
    page = history()

    assert titles(page.text_input(key="history_search").set_value("second label").run()) == ["Second"]
    page.text_input(key="history_search").set_value("50% zzz").run()
    assert titles(page) == []
    assert "No saved assessment contains these words, and no portfolio" in markup(page)


def test_many_come_in_steps(store: Store) -> None:
    for number in range(27):
        remember(store, f"T{number}")
    page = history()
    assert len(titles(page)) == 25

    button(page, "Show more").click().run()

    assert len(titles(page)) == 27
    assert "Show more" not in [found.label for found in page.button]


def test_opening_one_shows_it_again_and_asks_nobody(store: Store, reads: Callable[..., FixedReader]) -> None:
    reader = reads(Signals())
    id_ = remember(store, "First")
    page = history()

    button(page, "Show").click().run()

    assert visit(page).go_to_analyze is True
    reopened = analysis(page)
    assert reopened.result.result().pitch.title == "First"
    assert (reopened.note or "").startswith("From your History: read on ")
    again = opened_at(saved=id_, set="buyer:practitioner")
    assert "From your History: read on " in markup(again)
    assert "Edited after reading: Who signs." in markup(again)
    assert again.text_area(key="text").value == f"First\n\n{OWN_PITCH}"
    assert reader.asked == 0
    assert store.history.count() == 1


@pytest.mark.parametrize("whose", ["somebody else", None], ids=["somebody else's", "no such"])
def test_a_link_opens_the_owners_assessments_only(store: Store, whose: str | None) -> None:
    id_ = remember(store, "Secret", owner=whose) if whose else "0" * 32

    page = opened_at(saved=id_)

    assert "this assessment is not in your History" in page.error[0].value
    assert "Secret" not in markup(page)


def test_one_of_an_older_version_is_listed_and_does_not_break_the_page(store: Store) -> None:
    store.history.save(
        owner=access.LOCAL, title="Old", pitch_sha256="1", model="m", text="t", document='{"signals": 1}'
    )
    page = history()
    assert "from an older version" in markup(page)

    button(page, "Show").click().run()

    assert page.error
    assert not page.exception


def test_a_hostile_title_appears_only_escaped(store: Store) -> None:
    remember(store, HOSTILE.splitlines()[0])
    remember(store, HOSTILE.splitlines()[2])
    page = history()

    assert "<script" not in markup(page) and "<img" not in markup(page)
    for box in page.checkbox:
        assert box.label.startswith("`") and box.label.endswith("`")


# ---------------------------------------------------------------- deleted


def answer(pitch: str) -> StoredAnswer:
    return StoredAnswer(pitch, "m", "p", "s", pitch, 0, "{}")


def test_what_is_deleted_is_gone_with_its_answers_once_that_is_confirmed(store: Store) -> None:
    ids = {title: remember(store, title) for title in ("First", "Second", "Third")}
    store.answers.save([answer("First"), answer("Third")])
    page = history()
    assert button(page, "Delete selected").disabled

    for title in ("First", "Second"):
        page.checkbox(key=f"history-pick:{ids[title]}").check()
    page.run()
    button(page, "Delete 2 selected").click().run()
    assert "Delete 2 assessments for good?" in markup(page)
    assert "stored model answers about the same pitches" in markup(page)
    assert store.history.count() == 3
    button(page, "Delete for good").click().run()

    assert titles(page) == ["Third"]
    assert "Deleted 2 assessments" in page.success[0].value
    assert list(store.answers.find(["First", "Third"])) == ["Third"]


def test_who_thinks_better_of_it_deletes_nothing(store: Store) -> None:
    remember(store, "First")
    page = history()
    button(page, "Delete all").click().run()

    button(page, "Cancel").click().run()

    assert titles(page) == ["First"]
    assert "for good?" not in markup(page)


def test_all_means_all_of_ones_own_and_of_this_visit_too(
    page: AppTest, reads: Callable[..., FixedReader], store: Store
) -> None:
    remember(store, "Not mine", owner="somebody else")
    reads(Signals())
    analyze(page, OWN_PITCH)
    state: dict[str, Any] = {name: page.session_state[name] for name in (KEY, "text")}
    deleting = history()
    for name, value in state.items():
        deleting.session_state[name] = value
    deleting.run()

    button(deleting, "Delete all").click().run()
    button(deleting, "Delete for good").click().run()

    assert "Nothing is saved yet." in markup(deleting)
    assert (visit(deleting).analysis, deleting.session_state["text"]) == (None, "")
    assert visit(deleting).assessments == {}
    assert store.history.count() == 1
