"""A run in several processes has the rows, the pledges and the limits of a run in one, whatever becomes of them."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import analyze_many, score
from analyzer.errors import ConfigurationError, CostLimitReached, PitchError, ProviderDown
from analyzer.files.document import Document
from analyzer.results.result import Result, WrittenResult
from analyzer.runs.many import open_run
from analyzer.runs.plan import RunPlan
from analyzer.runs.process_messages import PitchToRead, RunShare, receive_message, send_message
from analyzer.runs.processes import ProcessesRun
from analyzer.settings import Settings
from analyzer.vocabulary.signals import Signals
from tests.completions import PITCH
from tests.model_server import KEY, MODEL, Reply, Service, good

GOOD = good()
ROOT = Path(__file__).resolve().parents[2]


def pitches(count: int) -> list[tuple[str, str]]:
    return [(f"p{number}", f"{PITCH}\nNumber {number}.") for number in range(count)]


class Deadly(str):
    """A text that ends every process that takes it in."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (9,)


# ---------------------------------------------------------------- without a process


def written(result: Result) -> WrittenResult:
    document = result.document()
    assert document is not None
    return WrittenResult(Result(result.number, result.id, title=result.title), document)


def test_a_result_that_another_process_wrote_is_the_same_result() -> None:
    plain = Result(3, "p3", score(Signals.model_validate({"in_scope": True, "product": "Größe"})), title="Größe")
    other = written(plain)
    assert other.document() == plain.document()
    assert (other, plain, hash(other)) == (plain, other, hash(plain))
    assert repr(other.assessment) == repr(plain.assessment)
    for same in (pickle.loads(pickle.dumps(other)), copy.copy(other), copy.deepcopy(other)):  # noqa: S301
        assert (type(same), same) == (Result, plain)
    assert dataclasses.replace(other, id="p4") == dataclasses.replace(plain, id="p4") != plain


@given(st.lists(st.builds(PitchToRead, st.integers(0, 2**40), st.none() | st.text(), st.text(), st.none())), st.data())
def test_messages_arrive_whole_and_in_order_or_not_at_all(sent: list[PitchToRead], data: st.DataObject) -> None:
    stream = io.BytesIO()
    ends = [0]
    for message in sent:
        send_message(stream, message)
        ends.append(stream.tell())
    cut = data.draw(st.integers(0, ends[-1]))
    arriving = io.BytesIO(stream.getvalue()[:cut])
    whole = sum(end <= cut for end in ends[1:])
    assert [receive_message(arriving) for _ in range(whole + 1)] == [*sent[:whole], None]


def test_several_processes_and_what_they_say_show_no_keys() -> None:
    plan = RunPlan.of({"model": MODEL, "settings": Settings(openai_api_key=KEY), "store": f"sqlite:///{KEY}"}, [])
    assert KEY not in repr(RunShare.of(plan))
    same = pickle.loads(pickle.dumps(RunShare.of(plan)))  # noqa: S301
    assert same.settings.openai_api_key == KEY


@pytest.mark.parametrize("processes", [0, -1, 65, 1.5, True, "2"])
def test_a_number_of_processes_that_cannot_be_is_refused_at_once(processes: Any) -> None:
    with pytest.raises(ConfigurationError, match="processes"):
        analyze_many(["x"], model="keywords", processes=processes)


# ---------------------------------------------------------------- with processes


@pytest.mark.slow
def test_rows_are_the_same_in_several_processes_and_a_pitch_that_ends_them_fails_alone() -> None:
    entries: list[Any] = [*pitches(12), ("empty", ""), 7, ("failed", PitchError("not read"))]

    def outcomes(results: Any) -> dict[int, tuple[str, Any]]:
        return {each.number: (each.id, str(each.error) if each.error else each.document()) for each in results}

    deadly = Document.plain(Deadly("deck"), b"", PITCH)
    alone = outcomes(analyze_many(entries, model="keywords"))
    together = outcomes(analyze_many([*entries, ("deadly", deadly)], model="keywords", processes=2))
    name, error = together.pop(len(entries))
    assert together == alone
    assert name == "deadly"
    assert "died" in error


@pytest.mark.slow
def test_a_model_that_cannot_be_set_up_is_said_at_once_and_no_process_stays() -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY is not set"):
        analyze_many(["x"], model=MODEL, settings=Settings(), store=False, processes=2)


@pytest.mark.slow
def test_a_server_that_is_down_ends_the_run_with_that_reason_in_several_processes_too() -> None:
    nowhere = Settings(openai_base_url="http://127.0.0.1:9/v1", openai_api_key=KEY)
    with pytest.raises(ProviderDown, match="has not answered any request"):
        list(analyze_many(pitches(6), model=MODEL, settings=nowhere, store=False, processes=2, give_up_after=1))


@pytest.mark.slow
def test_processes_that_are_killed_lose_no_pitch_and_pay_nothing_twice_but_what_was_in_flight(tmp_path: Path) -> None:
    entries, concurrency, kills = pitches(60), 6, 2
    with Service(lambda *_: Reply(GOOD.body, after=0.05)) as service:
        plan = RunPlan.of(
            {
                "model": MODEL,
                "settings": service.settings,
                "store": f"sqlite:///{tmp_path / 's.db'}",
                "concurrency": concurrency,
                "processes": 2,
            },
            entries,
        )
        run = open_run(plan)
        assert isinstance(run, ProcessesRun)
        finished: Any = []
        for number, entry in enumerate(entries):
            run.start(number, entry, finished.append)
        for enough in (10, 30):
            assert service.wait_for(lambda enough=enough: service.answered.total() >= enough, 120)  # type: ignore[misc]
            os.kill(run.process_ids[enough % 2], signal.SIGKILL)
        assert service.wait_for(lambda: len(finished) == len(entries), 120)
        results = [run.result(each) for each in finished if run.take(each)]
        spent = run.spent
        run.close()
        twice = service.asked.total() - len(service.asked)
    assert Counter(each.id for each in results) == Counter(id_ for id_, _ in entries)
    assert [each.error for each in results] == [None] * len(entries)
    assert twice <= kills * concurrency
    assert service.most <= concurrency * (1 + kills)
    assert spent is not None
    assert spent.requests >= len(entries) - kills * concurrency


@pytest.mark.slow
def test_several_processes_keep_one_concurrency_and_stop_together_at_the_cost_limit(tmp_path: Path) -> None:
    with Service(lambda *_: Reply(GOOD.body, after=0.05)) as service:
        options: dict[str, Any] = {"model": MODEL, "settings": service.settings, "concurrency": 3, "processes": 2}
        store = f"sqlite:///{tmp_path / 's.db'}"
        results: list[Result] = []
        run = analyze_many(pitches(60), max_cost=0.1, store=store, **options)
        with pytest.raises(CostLimitReached):
            results.extend(run)
    assert 0 < len(results) < 60
    assert service.most <= 3
    assert len(results) == service.asked.total()


@pytest.mark.slow
def test_processes_end_with_a_run_that_is_killed() -> None:
    script = (
        "import sys; from analyzer import analyze_many; from analyzer.settings import Settings\n"
        "settings = Settings(openai_base_url=sys.argv[1], openai_api_key='none')\n"
        "list(analyze_many(['A pitch for a tool.'] * 4, model='openai/m', settings=settings, store=False, processes=2))"
    )
    with Service(lambda *_: Reply(GOOD.body, after=60)) as service:
        run = subprocess.Popen([sys.executable, "-c", script, service.url], stderr=subprocess.PIPE)
        assert run.stderr is not None
        assert service.wait_for(lambda: service.in_flight == 1, 120)  # the first request goes ahead alone
        reading = threading.Thread(target=run.stderr.read, daemon=True)
        reading.start()
        run.kill()
        run.wait()
        reading.join(60)
        assert not reading.is_alive()  # nobody has its standard error open any more
        run.stderr.close()
        assert service.wait_for(lambda: service.abandoned == 1)


# ---------------------------------------------------------------- a command in several processes


def bulk_command(folder: Path, service: Service, width: int = 4) -> subprocess.Popen[str]:
    """`pitch bulk` in two processes; reading its standard error to the end waits for all of them."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PITCH_")}
    store = {"PITCH_STORE": f"sqlite:///{folder}/store.db"}
    arguments = ["bulk", "in.jsonl", "-o", "out.jsonl", "--processes", "2", "--concurrency", str(width)]
    return subprocess.Popen(
        [sys.executable, "-m", "analyzer", *arguments],
        env=environment | service.environment | store | {"PYTHONPATH": str(ROOT)},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def rows_of(path: Path) -> list[str]:
    return sorted(json.loads(line)["pitch"]["id"] for line in path.read_text(encoding="utf-8").splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "code", "excused"),
    [(signal.SIGINT, 130, 0), (signal.SIGTERM, -signal.SIGTERM, 4), (signal.SIGHUP, -signal.SIGHUP, 4)],
    ids=["Ctrl-C", "SIGTERM", "closed terminal"],
)
def test_a_command_that_is_stopped_leaves_no_process_and_the_next_one_writes_each_row_once(
    sent: signal.Signals, code: int, excused: int, tmp_path: Path
) -> None:
    folder = tmp_path / "a folder: with spaces"
    folder.mkdir()
    lines = [json.dumps({"id": id_, "text": text}) + "\n" for id_, text in pitches(30)]
    (folder / "in.jsonl").write_text("".join(lines), encoding="utf-8")
    with Service(lambda *_: Reply(GOOD.body, after=0.05)) as service:
        stopped = bulk_command(folder, service)
        assert service.wait_for(lambda: service.answered.total() >= 6, 120)
        stopped.send_signal(sent)
        _, said = stopped.communicate(timeout=120)
        assert (stopped.returncode, "Traceback" in said) == (code, False)
        whole = bulk_command(folder, service)
        _, said = whole.communicate(timeout=120)
        assert whole.returncode == 0, said
        twice = service.asked.total() - len(service.asked)
    assert rows_of(folder / "out.jsonl") == sorted(id_ for id_, _ in pitches(30))
    assert twice <= excused
    assert not (folder / "out.jsonl.partial").exists()


@pytest.mark.slow
def test_a_second_ctrl_c_ends_all_processes_at_once(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": PITCH}) + "\n", encoding="utf-8")
    with Service(lambda *_: Reply(GOOD.body, after=600)) as service:
        run = bulk_command(tmp_path, service)
        assert run.stderr is not None
        assert service.wait_for(lambda: service.in_flight == 1, 120)
        run.send_signal(signal.SIGINT)
        while "Press Ctrl-C again" not in run.stderr.readline():
            assert run.poll() is None
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=120)
        assert (run.returncode, "Traceback" in said) == (130, False)
        assert service.wait_for(lambda: service.abandoned == 1)


SCRIPT = """
import os, sys
sys.path.insert(0, ROOT)
from analyzer import analyze_many

print("an effect of being loaded")
class Text(str):
    def __new__(cls, text, more):
        return super().__new__(cls, text)
assert os.path.basename(os.getcwd()) == "elsewhere: here"
results = analyze_many([(Text('d1', 1), Text(PITCH, 1)), ("d2", PITCH)], model="keywords", processes=2)
print(sorted(result.id for result in results))
"""
"""It has no file, and no `if __name__ == "__main__"`."""


@pytest.mark.slow
def test_processes_start_from_a_script_without_a_file_and_know_no_class_of_it(tmp_path: Path) -> None:
    folder, broken = tmp_path / "elsewhere: here", tmp_path / "broken"
    for each in (folder, broken):
        each.mkdir()
        (each / "json.py").write_text("raise RuntimeError('not this one')", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-O", "-"],
        input=f"ROOT, PITCH = {str(ROOT)!r}, {PITCH!r}\n{SCRIPT}",
        env={**os.environ, "PYTHONPATH": str(broken), "PITCH_PROCESSES": "x"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout.splitlines() == ["an effect of being loaded", "['d1', 'd2']"], done.stderr


@pytest.mark.slow
def test_processes_end_with_a_run_that_is_killed_also_where_another_has_their_pipes(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from analyzer import analyze_many\n"
        "run = analyze_many(iter(lambda: 'A pitch for a tool.', 0), model='keywords', processes=2)\n"
        "next(run)\n"
        "if not os.fork():\n"
        "    print('forked', flush=True); os.close(2); signal.pause()\n"
        "sys.stdout.close(); os.close(1); os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    run = subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0
    )
    assert run.stdout is not None and run.stderr is not None
    try:
        assert run.stdout.readline() == b"forked\n"
        reading = threading.Thread(target=run.stderr.read, daemon=True)
        reading.start()
        reading.join(120)
        assert not reading.is_alive()  # its processes had standard error open
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        run.stdout.close()
        run.stderr.close()
