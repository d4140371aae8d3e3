"""What is kept: found again by its request, by several processes, from every older version, in SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from analyzer.errors import AnswerNotStored, StoreError
from analyzer.store import engine
from analyzer.store.answer_queue import AnswerQueue
from analyzer.store.answers import StoredAnswer
from analyzer.store.engine import StoreUnavailable
from analyzer.store.migrate import MIGRATIONS
from analyzer.store.store import Store
from analyzer.store.tables import METADATA
from tests.databases import KINDS, POSTGRESQL, new_database

REVISIONS = sorted(path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def answer(key: str | None, text: str = "{}", **changes: object) -> StoredAnswer:
    given = {"model": "openai/m", "prompt_sha256": "p", "schema_sha256": "s", "pitch_sha256": "pitch", "turn": 0}
    return StoredAnswer(key=key, text=text, **(given | changes))  # type: ignore[arg-type]


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that does not hold anything yet."""
    with new_database(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield opened
    opened.close()


def test_an_answer_is_found_by_its_request_and_by_no_other(store: Store) -> None:
    kept = answer("a" * 64, "Größe 日本", input_tokens=5, cached_tokens=4, output_tokens=3, cost_usd=0.25)
    store.answers.save([kept])
    assert store.answers.find(["a" * 64, "b" * 64]) == {"a" * 64: kept}


def test_large_counts_and_the_reason_for_no_answer_are_saved(store: Store) -> None:
    kept = answer("a", "", input_tokens=3_000_000_000, cached_tokens=10**12, output_tokens=10**12, fault="filtered")
    store.answers.save([kept])
    assert store.answers.find(["a"]) == {"a": kept}
    assert store.answers.mean_tokens("openai/m") == (3e9, 1e12)


def test_of_two_answers_to_one_request_the_first_stays_and_both_count_as_paid(store: Store) -> None:
    store.answers.save([answer("a", "first")])
    store.answers.save([answer("a", "second"), answer("b", "other")])
    assert {key: kept.text for key, kept in store.answers.find(["a", "b"]).items()} == {"a": "first", "b": "other"}
    assert store.answers.count() == 3


def test_of_answers_saved_together_the_first_to_a_request_stays_and_all_count_as_paid(store: Store) -> None:
    store.answers.save([answer("a", "first"), answer(None), answer("a", "second"), answer("b", "other"), answer("a")])
    assert {key: kept.text for key, kept in store.answers.find(["a", "b"]).items()} == {"a": "first", "b": "other"}
    assert store.answers.count() == 5


def test_of_several_requests_the_first_that_has_an_answer_counts(store: Store) -> None:
    async def run() -> list[StoredAnswer | None]:
        queue = AnswerQueue(store)
        await asyncio.gather(queue.save(answer("b", "second")), queue.save(answer("c", "third")))
        found = await asyncio.gather(queue.find("a", "b", "c"), queue.find("c", "b"), queue.find("a"))
        queue.close()
        return list(found)

    assert [None if each is None else each.text for each in asyncio.run(run())] == ["second", "third", None]


def test_a_discarded_answer_is_asked_anew_and_counts_as_paid(store: Store) -> None:
    store.answers.save([answer("a", "useless"), answer(None, "cut off")])
    store.answers.discard(["a"])
    assert store.answers.find(["a"]) == {}
    store.answers.save([answer("a", "useful")])
    assert store.answers.find(["a"])["a"].text == "useful"
    assert store.answers.count() == 3


def test_what_an_answer_takes_is_known_for_the_next_run(store: Store) -> None:
    assert store.answers.mean_tokens("openai/m") is None
    store.answers.save(
        [answer("a", input_tokens=100, output_tokens=10), answer("b", input_tokens=300, output_tokens=30)]
    )
    assert store.answers.mean_tokens("openai/m") == (200.0, 20.0)
    assert store.answers.mean_tokens("openai/other") is None


def test_an_owner_finds_their_own_assessments_by_words_newest_first_and_nobody_elses(store: Store) -> None:
    def remember(owner: str, title: str, text: str, sha: str) -> str:
        return store.history.save(owner=owner, title=title, pitch_sha256=sha, model="m", text=text, document="{}")

    first = remember("ann", "Wattwise", "Cut your GPU bill by 50%", "1")
    second = remember("ann", "Tidepost", "Monitoring of models", "2")
    remember("bob", "Wattwise", "Cut your GPU bill by 50%", "1")
    assert [entry.id for entry in store.history.search("ann")] == [second, first]
    assert [entry.id for entry in store.history.search("ann", "gpu BILL")] == [first]
    assert [entry.id for entry in store.history.search("ann", "5_%")] == []
    again = remember("ann", "Wattwise", "Cut your GPU bill by 50%", "1")
    assert [entry.id for entry in store.history.search("ann")] == [again, second]


def test_what_is_forgotten_is_gone_with_its_answers_unless_somebody_else_still_has_the_pitch(
    store: Store, url: str
) -> None:
    for owner, sha in (("ann", "shared"), ("bob", "shared"), ("ann", "own")):
        store.history.save(owner=owner, title="T", pitch_sha256=sha, model="m", text="Quokkas", document="{}")
    store.answers.save(
        [answer("1", "about Quokkas", pitch_sha256="shared"), answer("2", "Wombats", pitch_sha256="own")]
    )
    assert store.history.delete("ann") == 2
    assert set(store.answers.find(["1", "2"])) == {"1"}
    assert store.history.search("ann") == []
    assert len(store.history.search("bob")) == 1
    store.close()
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        sqlite3.connect(path).execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
        assert b"Wombats" not in path.read_bytes()


def test_manual_scores_remain_in_every_version_and_the_last_one_counts(store: Store) -> None:
    store.manual_scores.save("idlewatt", "ann", {"buyer": "practitioner"})
    store.manual_scores.save("idlewatt", "bob", {"buyer": ""})
    store.manual_scores.save("idlewatt", "ann", {"buyer": "engineering_leadership"})
    latest = {(entry.pitch_id, entry.rater): entry.scores["buyer"] for entry in store.manual_scores.latest()}
    assert latest == {("idlewatt", "ann"): "engineering_leadership", ("idlewatt", "bob"): ""}
    history = store.manual_scores.versions("idlewatt", "ann")
    assert [entry.scores["buyer"] for entry in history] == ["practitioner", "engineering_leadership"]
    assert history[0].saved_at <= history[1].saved_at


def test_a_queue_finds_saves_and_discards_for_many_at_once(store: Store) -> None:
    async def one(queue: AnswerQueue, number: int) -> str:
        key = f"{number:064d}"
        assert await queue.find(key) is None
        await queue.save(answer(key, f"answer {number}"))
        kept = await queue.find(key)
        assert kept is not None
        if number % 2:
            await queue.discard([key])
        return kept.text

    async def run() -> list[str]:
        queue = AnswerQueue(store)
        texts = await asyncio.gather(*(one(queue, number) for number in range(300)))
        queue.close()
        return texts

    assert asyncio.run(run()) == [f"answer {number}" for number in range(300)]
    assert len(store.answers.find([f"{number:064d}" for number in range(300)])) == 150


def test_a_store_that_fails_tells_everybody_who_waits(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("DROP TABLE answers")

    async def run() -> list[object]:
        queue = AnswerQueue(store)
        outcomes = await asyncio.gather(*(queue.find(str(n)) for n in range(3)), return_exceptions=True)
        queue.close()
        return list(outcomes)

    outcomes = asyncio.run(run())
    assert all(isinstance(outcome, StoreError) and "no such table" in str(outcome) for outcome in outcomes)


def test_an_answer_is_reported_as_saved_when_others_can_find_it_and_a_full_disk_reaches_all_who_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = engine._prepare_sqlite

    def on_a_small_disk(connection: Any, record: object) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA max_page_count=80").close()

    url = f"sqlite:///{tmp_path / 'store.db'}"
    monkeypatch.setattr(engine, "_prepare_sqlite", on_a_small_disk)
    store = Store.open(url)

    async def run() -> list[object]:
        queue = AnswerQueue(store)

        async def save(number: int) -> bool:
            await queue.save(answer(str(number), "x" * 20_000))
            with sqlite3.connect(tmp_path / "store.db") as other:
                found = other.execute("SELECT count(*) FROM answers WHERE key = ?", (str(number),)).fetchone()
            other.close()
            return bool(found == (1,))

        outcomes = await asyncio.gather(*map(save, range(40)), return_exceptions=True)
        queue.close()
        return list(outcomes)

    outcomes = asyncio.run(run())
    saved = outcomes.count(True)
    assert 0 < saved < 40
    assert all(outcome is True or (isinstance(outcome, StoreError) and "full" in str(outcome)) for outcome in outcomes)
    assert store.answers.count() == saved
    store.close()


@pytest.fixture
def queue(store: Store) -> Iterator[AnswerQueue]:
    opened = AnswerQueue(store, retry_seconds=30.0)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "odd",
    [{"input_tokens": 2**63}, {"text": "\ud800"}, {"cost_usd": object()}],
    ids=["a count", "half a character", "a cost"],
)
def test_one_answer_that_a_database_cannot_hold_costs_no_other_of_its_batch(
    store: Store, queue: AnswerQueue, odd: dict[str, object]
) -> None:
    async def run() -> list[object]:
        answers = [answer("a"), answer("b", **({"text": "{}"} | odd)), answer("c")]  # type: ignore[arg-type]
        return list(await asyncio.gather(*map(queue.save, answers), return_exceptions=True))

    first, second, third = asyncio.run(run())
    assert (first, third) == (None, None)
    assert isinstance(second, AnswerNotStored)
    assert set(store.answers.find(["a", "b", "c"])) == {"a", "c"}


@pytest.mark.parametrize("error", [RuntimeError("x"), SystemExit(3), MemoryError()], ids=repr)
def test_whatever_breaks_in_the_stores_thread_reaches_who_waits_and_the_thread_goes_on(
    store: Store, queue: AnswerQueue, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(keys: object) -> dict[str, StoredAnswer]:
        raise error

    async def run(key: str) -> object:
        return (await asyncio.gather(queue.find(key), return_exceptions=True))[0]

    with monkeypatch.context() as patched:
        patched.setattr(store.answers, "find", broken)
        assert isinstance(asyncio.run(run("a")), type(error) if isinstance(error, Exception) else StoreError)
    assert asyncio.run(run("a")) is None


def test_a_closed_queue_refuses_instead_of_leaving_anybody_waiting(store: Store) -> None:
    queue = AnswerQueue(store)
    queue.close()
    with pytest.raises(StoreError, match="closed"):
        asyncio.run(queue.find("a"))


@pytest.mark.parametrize(
    "damage",
    [
        "text = CAST(x'ff22' AS TEXT)",
        "text = x'00ff'",
        "input_tokens = 'many'",
        "cost_usd = 9e999",
        "output_tokens = -1",
    ],
)
def test_a_stored_answer_that_cannot_be_read_any_more_is_asked_again_and_others_are_found(
    tmp_path: Path, damage: str
) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    store.answers.save([answer("a"), answer("b"), answer("c")])
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute(f"UPDATE answers SET {damage} WHERE key = 'b'")
    connection.close()
    queue = AnswerQueue(store)

    async def run() -> list[bool]:
        known = [found is not None for found in await asyncio.gather(*map(queue.find, "abc"))]
        await queue.save(answer("b", "anew"))
        again = await queue.find("b")
        return [*known, again is not None and again.text == "anew"]

    assert asyncio.run(run()) == [True, False, True, True]
    queue.close()
    store.close()


def test_a_locked_database_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.store.engine._BUSY", 0.01)
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    queue = AnswerQueue(store, retry_seconds=30.0)
    other = sqlite3.connect(tmp_path / "store.db", check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    refused = threading.Event()
    keep = store.answers.save

    def noticed(answers: list[StoredAnswer]) -> None:
        try:
            keep(answers)
        except StoreUnavailable:
            if not refused.is_set():
                refused.set()
                other.rollback()
            raise

    monkeypatch.setattr(store.answers, "save", noticed)
    asyncio.run(queue.save(answer("a")))
    assert refused.is_set()
    assert set(store.answers.find(["a"])) == {"a"}
    queue.close()
    store.close()
    other.close()


def test_a_database_that_hangs_up_is_called_again(url: str) -> None:
    if url.startswith("sqlite"):
        pytest.skip("SQLite has no connection to lose")
    store = Store.open(url)
    queue = AnswerQueue(store, retry_seconds=30.0)
    server = sa.create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")

    async def run() -> bool:
        await queue.save(answer("a"))
        with server.connect() as connection:  # what a restart does to all who are connected
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE datname = '{sa.make_url(url).database}' AND pid <> pg_backend_pid()"
            )
        await queue.save(answer("b"))
        return await queue.find("a") is not None and await queue.find("b") is not None

    assert asyncio.run(run())
    queue.close()
    store.close()
    server.dispose()


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_new_sqlite_store_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = Store.open(f"sqlite:///{tmp_path / 'a' / 'b' / 'store.db'}")
        store.answers.save([answer("a")])
        folder = tmp_path / "a" / "b"
        assert {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == dict.fromkeys(
            ("store.db", "store.db-wal", "store.db-shm"), "0o600"
        )
        assert [oct(path.stat().st_mode & 0o777) for path in (folder, folder.parent)] == ["0o700", "0o700"]
        store.close()
    finally:
        os.umask(before)


def test_to_describe_a_store_makes_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "store.db"
    assert Store.describe(f"sqlite:///{path}").endswith("not created yet")
    assert not path.parent.exists()
    store = Store.open(f"sqlite:///{path}")
    store.answers.save([answer("a")])
    store.close()
    assert Store.describe(f"sqlite:///{path}").endswith(": 1 answers, 0 assessments, 0 portfolios")
    path.write_bytes(b"")
    assert Store.describe(f"sqlite:///{path}").endswith("not created yet")
    assert path.read_bytes()[:6] in (b"", b"SQLite")


def test_several_may_open_and_write_one_new_store_at_the_same_time(url: str) -> None:
    def use(number: int) -> int:
        opened = Store.open(url)
        for n in range(20):
            opened.answers.save([answer(f"{n}", f"by {number}")])
        opened.close()
        return number

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(use, range(4))) == [0, 1, 2, 3]
    opened = Store.open(url)
    assert len(opened.answers.find([str(n) for n in range(20)])) == 20
    assert opened.answers.count() == 80
    opened.close()


def test_an_earlier_assessment_is_found_by_its_owner_only(url: str) -> None:
    opened = Store.open(url)
    own = opened.history.save(owner="ann", title="T", pitch_sha256="1", model="m", text="t", document="{}")

    found = opened.history.find("ann", own)
    assert found is not None and (found.id, found.text) == (own, "t")
    assert opened.history.find("bob", own) is None
    assert opened.history.find("ann", "another") is None
    assert opened.history.count() == 1
    opened.close()


OLD_ROWS: dict[str, dict[str, Any]] = {
    "answers": {
        "key": "old", "model": "openai/m", "prompt_sha256": "p", "schema_sha256": "s", "pitch_sha256": "pitch", "turn": 0,
        "text": "saved long ago", "input_tokens": 1, "cached_tokens": 2, "output_tokens": 3, "cost_usd": 0.5,
    },
    "assessments": {
        "id": "1", "owner": "ann", "title": "Old", "pitch_sha256": "1", "model": "m", "text": "t", "document": "{}",
    },
    "hand_scores": {"pitch_id": "p", "rater": "ann", "scores": '{"buyer": "practitioner"}'},
    "portfolios": {
        "id": "1", "owner": "ann", "name": "old.csv", "model": "m", "options": "{}", "total": 3, "worker": "w", "figures": "{}",
    },
}  # fmt: skip
OLD_ROWS["manual_scores"] = OLD_ROWS["hand_scores"]


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_store_of_every_older_version_is_brought_up_to_date_with_what_it_holds(url: str, revision: str) -> None:
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True)
    engine = sa.create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        tables = sa.MetaData()
        tables.reflect(connection)
        filled = [table for name, table in tables.tables.items() if name in OLD_ROWS]
        for table in filled:
            time = "kept_at" if "kept_at" in table.columns else "saved_at"
            connection.execute(sa.insert(table).values({**OLD_ROWS[table.name], time: "2026-01-01"}))
    engine.dispose()
    with Store.open(url) as opened:
        assert opened.answers.find(["old"])["old"].text == "saved long ago"
        assert [entry.title for entry in opened.history.search("ann")] == ["Old"] * (len(filled) > 1)
        assert [entry.scores for entry in opened.manual_scores.latest()] == [{"buyer": "practitioner"}] * (
            len(filled) > 2
        )
        assert [entry.name for entry in opened.portfolios.search("ann")] == ["old.csv"] * (len(filled) > 3)
        opened.answers.save([answer("new")])
        opened.portfolios.create(owner="bob", name="new.csv", model="m", options={})
        opened.history.save(owner="bob", title="T", pitch_sha256="1", model="m", text="t", document="{}")
        opened.manual_scores.save("p", "bob", {})
        assert opened.answers.count() == 2
        assert [entry.rater for entry in opened.manual_scores.latest(rater="bob")] == ["bob"]


def test_stores_of_one_url_share_one_engine_until_the_last_is_closed(url: str, request: pytest.FixtureRequest) -> None:
    Store.open(url).close()
    opened: list[object] = []

    def count(connection: object, _: object) -> None:
        opened.append(connection)

    sa.event.listen(sa.Engine, "connect", count)
    request.addfinalizer(lambda: sa.event.remove(sa.Engine, "connect", count))
    first, second = Store.open(url), Store.open(url)
    first.answers.save([answer("a")])
    assert second.answers.count() == 1
    assert len(opened) == 1
    first.close()
    first.close()
    assert second.answers.count() == 1
    assert len(opened) == 1
    second.close()
    with Store.open(url) as third:
        assert third.answers.count() == 1
    assert len(opened) == 2


def test_a_store_whose_file_was_deleted_is_created_anew_while_another_is_still_open(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Store.open(f"sqlite:///{path}") as before:
        before.answers.save([answer("a")])
        for file in tmp_path.iterdir():
            file.unlink()
        with Store.open(f"sqlite:///{path}") as after:
            assert after.answers.count() == 0
            after.answers.save([answer("b")])
    with Store.open(f"sqlite:///{path}") as again:
        assert set(again.answers.find(["a", "b"])) == {"b"}


def test_the_migrations_make_the_tables_that_the_store_speaks_of(url: str) -> None:
    Store.open(url).close()
    engine = sa.create_engine(url)
    inspected = sa.inspect(engine)
    for table in METADATA.sorted_tables:
        columns = {column["name"]: column["nullable"] for column in inspected.get_columns(table.name)}
        assert columns == {column.name: column.nullable for column in table.columns}
        assert {index["name"] for index in inspected.get_indexes(table.name) if not index["unique"]} >= {
            index.name for index in table.indexes
        }
    engine.dispose()


def test_a_store_of_a_newer_version_is_not_touched(url: str) -> None:
    Store.open(url).close()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(StoreError, match="a newer version of this program created"):
        Store.open(url)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("no url", "is not a valid database URL"),
        ("mysql://host/x", "names mysql, which is not supported"),
        ("sqlite:////proc/nowhere/store.db", "cannot create"),
        ("postgresql://ann:hunter2@127.0.0.1:9/x", "cannot be used"),
    ],
)
def test_the_error_about_a_store_that_cannot_be_opened_shows_no_password(url: str, told: str) -> None:
    with pytest.raises(StoreError, match=told) as raised:
        Store.open(url)
    assert "hunter2" not in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1
