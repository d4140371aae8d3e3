"""The soak test's own judgment: it sees a lost row, a second payment and a silent fault, and excuses only what it may."""

from __future__ import annotations

import http.client
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.soak.__main__ import trial
from tests.soak.bench import Bench, Server
from tests.soak.documents import damaged, docx_file, pdf_file, pptx_file
from tests.soak.ledger import Entry, Event, Ledger, judge_payments
from tests.soak.report import MARK, MARK_END, PAGE, table_line, write_page
from tests.soak.scenarios import QUICK, SCENARIOS
from tests.soak.server import KINDS, Plan, lot, pitch_text
from tests.soak.verdict import Row, check_rows

pytestmark = pytest.mark.slow

SMALL = replace(QUICK, pitches=20, many=20, patience=30)


def exchange(pitch: int, asked: float, answered: float, event: Event = "good") -> list[Entry]:
    request = f"{pitch}-{asked}-{answered}"
    return [Entry(asked, request, pitch, "asked"), Entry(answered, request, pitch, event)]


# ---------------------------------------------------------------- payments


@pytest.mark.parametrize(
    ("second", "options", "twice", "wrong"),
    [
        (exchange(1, 20, 21), {}, 1, 1),
        (exchange(1, 20, 21, "unusable"), {}, 1, 1),
        (exchange(1, 20, 21, "spoiled"), {}, 0, 0),
        (exchange(2, 20, 21), {}, 0, 0),
        (exchange(1, 20, 21), {"kills": [15.0], "width": 1}, 1, 0),
        (exchange(1, 20, 21), {"kills": [15.0], "width": 0}, 1, 1),
        (exchange(1, 20, 21), {"kills": [10.5], "width": 1}, 1, 1),
        (exchange(1, 20, 21), {"kills": [20.5], "width": 1}, 1, 1),
        (exchange(1, 11, 12), {"at_once": True}, 1, 0),
        (exchange(1, 20, 21), {"at_once": True}, 1, 1),
        (exchange(1, 11, 12), {}, 1, 1),
    ],
    ids=[
        "paid again", "paid again for nothing", "a part of an answer", "another pitch", "killed between",
        "nothing was in flight", "killed before", "killed after", "both in flight", "long after", "one run alone",
    ],
)  # fmt: skip
def test_a_second_payment_counts_and_only_what_was_in_flight_is_excused(
    second: list[Entry], options: dict[str, Any], twice: int, wrong: int
) -> None:
    payments = judge_payments([*exchange(1, 10, 11), *second], **options)
    assert (payments.requests, payments.twice, payments.wrong) == (2, twice, wrong)


def test_asking_again_after_an_answer_of_no_use_is_no_second_payment() -> None:
    payments = judge_payments([*exchange(1, 1, 2, "unusable"), *exchange(1, 3, 4)])
    assert (payments.paid, payments.twice) == (2, 0)


@given(st.integers(0, 12), st.integers(0, 12))
def test_a_kill_excuses_no_more_payments_than_were_in_flight(again: int, width: int) -> None:
    entries = [entry for pitch in range(again) for entry in exchange(pitch, 1, 2)]
    entries += [entry for pitch in range(again) for entry in exchange(pitch, 5, 6)]
    payments = judge_payments(entries, kills=[3.0], width=width)
    assert payments.wrong == max(0, again - width)


def test_a_ledger_is_read_as_it_grows_and_without_the_line_under_way(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    first, second = exchange(1, 1.5, 2.25)
    ledger.write(first)
    assert list(ledger.entries()) == [first]
    line = second.line()
    with (tmp_path / "ledger").open("ab") as file:
        file.write(line[:5])
        file.flush()
        assert list(ledger.entries()) == [first]
        file.write(line[5:])
    assert list(ledger.entries()) == [first, second]
    assert ledger.count("good") == 1
    ledger.close()


# ---------------------------------------------------------------- rows


def written(path: Path, *rows: tuple[str, str]) -> Path:
    """A JSON Lines output with these ids and error kinds."""
    lines = [json.dumps({"pitch": {"id": id_}} | ({"error": {"kind": kind}} if kind else {})) for id_, kind in rows]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([("a", "")], "no row for b"),
        ([("a", ""), ("b", ""), ("b", "")], "more than one row for b"),
        ([("a", ""), ("b", ""), ("c", "")], "not asked: c"),
        ([("a", "timeout"), ("b", "")], "1 failed without reason (timeout)"),
        ([("a", ""), ("b", "")], ""),
    ],
    ids=["lost", "doubled", "invented", "failed", "right"],
)
def test_every_pitch_needs_exactly_one_row(tmp_path: Path, rows: list[tuple[str, str]], fault: str) -> None:
    row = Row("kill", "two pitches")
    check_rows(row, written(tmp_path / "out.jsonl", *rows), ["a", "b"])
    assert row.verdict == ("FAIL" if fault else "pass")
    assert fault in "; ".join(row.faults)


def test_a_pitch_that_has_to_fail_and_does_not_is_a_fault(tmp_path: Path) -> None:
    row = Row("faults", "two pitches")
    check_rows(row, written(tmp_path / "out.jsonl", ("a", ""), ("b", "")), ["a", "b"], failing=["b"])
    assert row.faults == ["no error for b"]


@pytest.mark.parametrize("content", [None, '{"pitch": {"id": "a"}}\n{"pitch": {"i'], ids=["missing", "torn"])
def test_an_output_that_is_missing_or_torn_is_a_fault(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "out.jsonl").write_text(content)
    row = Row("kill", "one pitch")
    check_rows(row, tmp_path / "out.jsonl", ["a"])
    assert row.verdict == "FAIL"


# ---------------------------------------------------------------- the server


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path / "bench", seed=1) as bench:
        yield bench


def ask(server: Server, pitch: int) -> int:
    """The HTTP status of one question; 0 where there was no whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps({"tools": [], "pitch": pitch_text(pitch)}))
        reply = connection.getresponse()
        json.loads(reply.read())
        return reply.status
    except (OSError, http.client.HTTPException, ValueError):
        return 0
    finally:
        connection.close()


def noted(server: Server, answers: int) -> None:
    """Waits until so many answers are in the ledger: a line is written after its answer went out."""
    while server.ledger.count("good") < answers:
        time.sleep(0.01)


def test_the_server_counts_across_its_own_restart(bench: Bench) -> None:
    server = bench.server(latency=0)
    assert ask(server, 7) == 200
    noted(server, 1)
    server.kill()
    assert ask(server, 7) == 0
    server.start()
    assert ask(server, 7) == 200
    noted(server, 2)
    payments = judge_payments(server.ledger.entries())
    assert (payments.requests, payments.wrong) == (2, 1)


def test_weather_holds_for_every_pitch_until_it_changes(bench: Bench) -> None:
    server = bench.server(latency=0)
    server.set_weather("unavailable")
    assert [ask(server, pitch) for pitch in range(3)] == [503] * 3
    server.set_weather("storm")
    assert {ask(server, pitch) for pitch in range(20)} <= {429, 200}
    assert server.ledger.count("refused") > 10
    server.set_weather("fair")
    assert [ask(server, pitch) for pitch in range(3)] == [200] * 3


def test_a_pitch_meets_its_fault_and_then_gets_its_answer(bench: Bench) -> None:
    server = bench.server(latency=0, faults=1.0)
    faults = {pitch: lot(server.plan, pitch) for pitch in range(300)}
    for pitch, (fault, times) in list(faults.items())[:60]:
        if fault in ("no answer", "dribble", "broken arguments") or times > 2:
            continue
        assert [ask(server, pitch) == 200 for _ in range(times + 1)] == [False] * times + [True], fault
    assert {fault for fault, _ in faults.values()} == {fault for faults in KINDS.values() for fault in faults}


def test_the_same_seed_gives_the_same_faults() -> None:
    plan = Plan(seed=3, faults=0.4)
    assert [lot(plan, n) for n in range(50)] == [lot(Plan.from_json(plan.to_json()), n) for n in range(50)]
    assert [lot(plan, n) for n in range(50)] != [lot(replace(plan, seed=4), n) for n in range(50)]


# ---------------------------------------------------------------- whole trials

WRONG_PROGRAM = """
import http.client, json, os, sys, time, urllib.request
def ask(body):
    while True:
        try:
            return urllib.request.urlopen(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body).read()
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)
source, output, fault = sys.argv[2], sys.argv[sys.argv.index("-o") + 1], os.environ["SOAK_FAULT"]
rows = [json.loads(line) for line in open(source)]
asked = 0
with open(output, "w") as out:
    for number, row in enumerate(rows):
        for _ in range(2 if fault == "pays twice" and number == 5 else 1):
            body = json.dumps({"tools": [], "pitch": row["text"]}).encode()
            ask(body)
            asked += 1
        if not (fault == "loses a row" and number == 5):
            out.write(json.dumps({"pitch": {"id": row["id"]}}) + "\\n")
if fault == "hides its end":
    sys.exit(1)
print(json.dumps({"usage": {"requests": asked}}))
"""


@pytest.mark.parametrize(
    ("fault", "told"),
    [("loses a row", "no row for p5"), ("pays twice", "1 answers paid twice"), ("hides its end", "exit 1, not 0"), ("", "")],
)  # fmt: skip
def test_a_program_that_breaks_a_promise_does_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, told: str
) -> None:
    monkeypatch.setenv("SOAK_FAULT", fault)
    (tmp_path / "wrong.py").write_text(WRONG_PROGRAM)
    command = [sys.executable, str(tmp_path / "wrong.py")]
    (row,) = trial("restart", replace(SMALL, pitches=40), tmp_path / "trial", 1, command)
    assert row.verdict == ("FAIL" if fault else "pass"), row
    assert told in "; ".join(row.faults)


def test_a_run_that_hangs_is_ended_and_does_not_pass(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    (row,) = trial("documents", replace(SMALL, documents=3, patience=1), tmp_path / "trial", 1, command)
    assert any("did not end" in fault for fault in row.faults)


def test_a_fault_of_the_test_itself_is_a_row_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCENARIOS, "kill", lambda *_: (_ for _ in ()).throw(RuntimeError("no server")))
    (row,) = trial("kill", SMALL, tmp_path / "trial", 1)
    assert row.verdict == "FAIL" and "no server" in row.faults[0]


# ---------------------------------------------------------------- documents and the page


@pytest.mark.parametrize("make", [pdf_file, docx_file, pptx_file])
def test_damage_follows_its_seed_and_changes_the_document(make: Any) -> None:
    data = make()
    assert all(damaged(data, random.Random(seed)) == damaged(data, random.Random(seed)) for seed in range(5))
    assert sum(damaged(data, random.Random(seed)) != data for seed in range(30)) > 25


def test_results_replace_what_stood_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Before.\n{MARK}\nold\n{MARK_END}\nAfter.\n")
    rows = [Row("kill -9", "a | b", 10, 9, 1, 0, 12, 3.2, ["no row for p1"]), Row("store", "c", tried=False)]
    write_page(rows, seed=1, page=page)
    text = page.read_text()
    assert "old" not in text and text.startswith("Before.") and text.endswith("After.\n")
    assert "0 of 1 passed" in text
    assert "| kill -9 | a / b | 10/9 | 1 (0 in flight) | 12 | 3 | FAIL: no row for p1 | 20" in text
    write_page([Row("kill -9", "a | b", 10, 10, 0, 0, 12, 3.2)], seed=1, page=page)
    text = page.read_text()
    assert "1 of 1 passed" in text
    assert [text.count(start) for start in ("\n| scenario |", "\n| --- |", "\n| kill -9 |", "\n| store |")] == [
        1,
        1,
        1,
        1,
    ]
    assert table_line(rows[1]).endswith("not tried |")


def test_the_page_has_a_place_for_the_results() -> None:
    before, mark, rest = PAGE.read_text(encoding="utf-8").partition(MARK)
    assert before and mark and MARK_END in rest
