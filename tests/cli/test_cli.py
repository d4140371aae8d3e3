"""The command line as scripts and people use it: output, exit codes, one-line errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
import respx
from click.testing import CliRunner, Result

from analyzer.cli.main import cli
from analyzer.store.answers import StoredAnswer
from analyzer.store.store import Store
from tests.completions import CHAT, PITCH, URL, answer, completion, failure
from tests.conftest import PITCHES


def pitch(*arguments: str, input: str | bytes | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=input, catch_exceptions=False)


def installed(*arguments: str, input: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "analyzer", *arguments],
        input=input,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


# ---------------------------------------------------------------- analyze


@pytest.mark.slow
def test_a_sample_read_from_its_recording_gives_the_same_bytes_twice(pitch_file: Path) -> None:
    first, second = (installed("analyze", str(pitch_file), "--model", "recorded", "--json") for _ in range(2))
    assert first.returncode == 0 and first.stderr == ""
    assert first.stdout == second.stdout
    document = json.loads(first.stdout)
    assert list(document) == [
        "pitch", "in_scope", "signals", "verdict", "position", "quadrant", "scores", "said", "considerations", "gates",
        "questions", "changes", "players", "warnings", "edits", "sources", "provenance",
    ]  # fmt: skip
    assert set(document["scores"]) == {"overall", "market", "sales", "sides"}
    assert set(document["scores"]["overall"]) == {"value", "low", "high"}
    assert {"signal", "from", "to", "overall"} <= set(document["changes"][0])
    assert document["pitch"]["id"] == "taperline"


def test_with_nothing_configured_the_note_is_on_stderr_and_the_result_on_stdout() -> None:
    done = pitch("analyze", "-", "--json", input=PITCH)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["provenance"]["reader"]["model"] == "keywords"
    assert len(done.stderr.splitlines()) == 1 and "rough" in done.stderr and "PITCH_MODEL" in done.stderr


def test_keywords_says_that_it_is_rough_in_the_result_too() -> None:
    done = pitch("analyze", "--model", "keywords", input=PITCH)
    assert done.exit_code == 0 and done.stderr == ""
    assert "rough" in done.stdout


def test_the_terminal_view_leads_with_kind_reasons_and_questions(pitch_file: Path) -> None:
    view = pitch("analyze", str(pitch_file), "--model", "recorded").stdout
    order = [
        "Day-2 engineering product",
        "Overall",
        "In its favor",
        "Ask first",
        "What would change the score",
        "What the pitch says",
    ]
    places = [view.index(words) for words in order]
    assert places == sorted(places)


def test_reports_are_written_in_addition_to_the_result(pitch_file: Path, tmp_path: Path) -> None:
    for name in ("r.html", "r.md"):
        done = pitch("analyze", str(pitch_file), "--model", "recorded", "--report", str(tmp_path / name))
        assert done.exit_code == 0 and f"Report: {tmp_path / name}" in done.stderr
        assert "Ask first" in (tmp_path / name).read_text(encoding="utf-8")


def test_any_compatible_server_is_asked_by_its_base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", URL)
    with respx.mock() as router:
        router.post(CHAT).mock(return_value=completion(answer()))
        done = pitch("analyze", "-", "--model", "openai/anything", "--json", input=PITCH)
    assert json.loads(done.stdout)["signals"]["buyer"]["value"] == "engineering_leadership"


BAD: dict[str, tuple[list[str], bytes, int, str]] = {
    "empty": (["analyze", "-"], b" \n", 2, "the pitch is empty"),
    "too long": (["analyze", "-"], b"x" * 200_000, 2, "the limit is 100,000; nothing was sent"),
    "binary": (["analyze", "-"], bytes(range(256)), 2, "not text in UTF-8"),
    "no file": (["analyze", "nowhere.txt"], b"", 2, "nowhere.txt cannot be read"),
    "kind of file": (["analyze", "a.numbers"], b"", 2, "cannot be read"),
    "model": (["analyze", "-", "--model", "gpt-4"], b"A tool.", 3, "write provider/name"),
    "key": (["analyze", "-", "--model", "openai/gpt-4.1"], b"A tool.", 3, "OPENAI_API_KEY is not set"),
    "recording": (["analyze", "-", "--model", "recorded"], b"A tool nobody recorded.", 1, "no recorded answer fits"),
    "rulebook": (["analyze", "-", "--rulebook", "none.toml"], b"A tool.", 2, "none.toml"),
    "report": (["analyze", "-", "--report", "r.pdf"], b"A tool.", 2, "a report ends in .html or .md"),
    "score": (["score", "none.json"], b"", 2, "none.json cannot be read"),
    "score, not JSON": (["score", "-"], b"{", 2, "standard input is not JSON"),
    "score, value": (["score", "-"], b'{"buyer": {"value": "cto"}}', 2, "buyer.value"),
    "record": (["record", "nowhere.txt", "--model", "keywords"], b"", 3, "asks no model"),
}


@pytest.mark.parametrize(("arguments", "input", "code", "says"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_or_two_lines_and_an_exit_code(
    arguments: list[str], input: bytes, code: int, says: str
) -> None:
    done = pitch(*arguments, input=input)
    assert done.exit_code == code
    assert says in done.stderr and done.stderr.startswith("pitch: ")
    assert len(done.stderr.splitlines()) <= 2
    assert done.stdout == ""


def test_the_list_of_commands_cuts_no_sentence() -> None:
    width = 85  # of a line of the help, less the names
    assert [name for name, command in cli.commands.items() if command.get_short_help_str(width).endswith("...")] == []


NUMBERS = [
    (name, option)
    for name, command in cli.commands.items()
    for option in command.params
    if isinstance(option, click.Option)
    and isinstance(option.type, click.types.IntParamType | click.types.FloatParamType)
]
"""Every option that takes a number."""


def test_every_whole_number_has_a_lowest_and_a_highest_value() -> None:
    for name, option in NUMBERS:
        if isinstance(option.type, click.types.IntParamType):
            bounds = option.type
            assert isinstance(bounds, click.IntRange) and None not in (bounds.min, bounds.max), (name, option.name)


@pytest.mark.parametrize(("name", "option"), NUMBERS, ids=lambda value: getattr(value, "name", value))
@pytest.mark.parametrize("value", ["-1", "1e400", "nan", "x", ""])
def test_a_number_out_of_range_is_a_wrong_call(name: str, option: click.Option, value: str) -> None:
    done = pitch(
        name, *(["x"] * (name in ("bulk", "rank"))), *(["x", "y"] * (name == "compare")), f"{option.opts[0]}={value}"
    )
    assert done.exit_code == 2
    assert option.opts[0] in done.stderr and len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["analyze", "startups.csv"], "pitch bulk startups.csv -o OUT.jsonl"),
        (["analyze", "decks"], "pitch bulk decks -o OUT.jsonl"),
        (["record", "startups.csv", "--model", "ollama/m"], "startups.csv: no pitches found"),
        (["nosuch"], "No such command"),
        (["bulk"], "Missing argument"),
        (["market", "nosuch"], "nosuch"),
        (["analyze", "pitch.md", "--report", "pitch.md"], "is one of the inputs"),
    ],
    ids=" ".join,
)
def test_a_wrong_call_says_what_to_do_in_two_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "startups.csv").write_text("id,pitch\n")
    (tmp_path / "decks").mkdir()
    (tmp_path / "pitch.md").write_text("A tool.")
    done = pitch(*arguments)
    assert done.exit_code == 2 and says in done.stderr and done.stderr.startswith("pitch: ")
    assert len(done.stderr.splitlines()) <= 2 and done.stdout == ""


@pytest.mark.parametrize(("status", "code"), [(401, 3), (404, 3), (400, 3)])
def test_a_service_that_fails_is_exit_code_3_without_traceback(
    monkeypatch: pytest.MonkeyPatch, status: int, code: int
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", URL)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-0123456789")
    with respx.mock() as router:
        router.post(CHAT).mock(return_value=failure(status, message="sk-secret-0123456789"))
        done = pitch("analyze", "-", "--model", "openai/m", input=PITCH)
    assert done.exit_code == code
    assert "Traceback" not in done.output and "sk-secret" not in done.output


def test_an_invalid_address_gets_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:abc/v1")
    for command in (["doctor"], ["analyze", "-", "--model", "openai/m"]):
        done = pitch(*command, input=PITCH)
        assert done.exit_code == 3
        assert "OPENAI_BASE_URL is not a valid URL" in done.stderr


def test_a_folder_that_cannot_hold_recordings_gets_an_error_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "p.txt").write_text(PITCH)
    with respx.mock() as router:
        done = pitch("record", str(tmp_path / "p.txt"), "--model", "ollama/m", "--to", str(tmp_path / "file"))
        assert not router.calls
    assert done.exit_code == 2
    assert "cannot write recordings there" in done.stderr


def test_debug_shows_the_traceback() -> None:
    done = installed("analyze", "-", "--debug", input=" ")
    assert "Traceback" in done.stderr and "PitchError" in done.stderr


# ---------------------------------------------------------------- the other commands


def test_score_gives_what_analyze_gave(pitch_file: Path, tmp_path: Path) -> None:
    assessed = pitch("analyze", str(pitch_file), "--model", "recorded", "--json").stdout
    (tmp_path / "a.json").write_text(assessed, encoding="utf-8")
    assert pitch("score", str(tmp_path / "a.json"), "--json").stdout == assessed


def test_score_goes_on_past_a_faulty_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"buyer": {"value": "practitioner"}}\n{"buyer": 3}\n{}\n', encoding="utf-8")
    done = pitch("score", str(path), "--json")
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 2 and f"{path}, line 2" in done.stderr


def test_record_keeps_answers_that_recorded_then_replays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", URL)
    monkeypatch.setenv("PITCH_RECORDINGS", str(tmp_path / "kept"))
    (tmp_path / "pitches").mkdir()
    (tmp_path / "pitches" / "one.txt").write_text(PITCH, encoding="utf-8")
    (tmp_path / "pitches" / "two.md").write_text(" ", encoding="utf-8")
    with respx.mock() as router:
        router.post(CHAT).mock(return_value=completion(answer()))
        done = pitch("record", str(tmp_path / "pitches"), "--model", "openai/m")
    assert done.exit_code == 1 and "one.txt: recorded" in done.stderr and "two.md" in done.stderr
    replayed = pitch("analyze", str(tmp_path / "pitches" / "one.txt"), "--json")
    assert "this is a recorded answer" in replayed.stderr
    assert json.loads(replayed.stdout)["signals"]["buyer"]["value"] == "engineering_leadership"


def test_record_asks_only_for_what_is_not_recorded_yet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", URL)
    monkeypatch.setenv("PITCH_RECORDINGS", str(tmp_path / "kept"))
    table = tmp_path / "pitches.csv"
    table.write_text(f'id,text\none,"{PITCH}"\n', encoding="utf-8")
    with respx.mock() as router:
        route = router.post(CHAT).mock(return_value=completion(answer()))
        pitch("record", str(table), "--model", "openai/m")
        once = route.call_count
        same = pitch("record", str(table), "--model", "openai/m")
        assert route.call_count == once and "row 1: recorded already" in same.stderr
        assert "1 answer was recorded already and not asked for. To ask again: --again" in same.stderr

        table.write_text(f'id,text\none,"{PITCH}"\ntwo,"{PITCH} It is new."\n', encoding="utf-8")
        more = pitch("record", str(table), "--model", "openai/m", "--readings", "2")
        assert route.call_count == 4 * once, "the second reading of one pitch, and two of the other"
        assert "row 1: recorded\n" in more.stderr and "1 answer was recorded already" in more.stderr

        again = pitch("record", str(table), "--model", "openai/m", "--again")
        assert route.call_count == 6 * once and "already" not in again.stderr


def test_a_recorded_table_replays_row_by_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", URL)
    monkeypatch.setenv("PITCH_RECORDINGS", str(tmp_path / "saved"))
    table, output = tmp_path / "table.csv", tmp_path / "out.jsonl"
    table.write_text(f'id,text\none,"{PITCH}"\ntwo,""\nthree,"{PITCH} It is new."\n', encoding="utf-8")
    with respx.mock() as router:
        router.post(CHAT).mock(return_value=completion(answer()))
        done = pitch("record", str(table), "--model", "openai/m")
    assert done.exit_code == 1 and "row 1: recorded" in done.stderr and "row 3: recorded" in done.stderr
    pitch("bulk", str(table), "--model", "recorded", "-o", str(output))
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    buyers = {row["pitch"]["id"]: row["signals"]["buyer"]["value"] for row in rows if "signals" in row}
    assert buyers == dict.fromkeys(("one", "three"), "engineering_leadership")


def test_framework_shows_every_consideration() -> None:
    shown = pitch("framework").stdout
    assert "Competition and difference" in shown and "weight 3" in shown
    assert pitch("framework", "--markdown").stdout.startswith("# The rulebook")


def test_doctor_tells_what_is_set_and_never_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-0123456789")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://user:hidden@models.test/v1?token=hidden")
    done = pitch("doctor")
    assert done.exit_code == 0
    assert "OPENAI_API_KEY   set" in done.stdout
    assert "sk-secret" not in done.output and "hidden" not in done.output


def test_doctor_shows_how_often_a_pitch_is_read_and_who_takes_a_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    done = pitch("doctor")
    assert "readings         1 of each pitch" in done.stdout and "second look      none" in done.stdout

    monkeypatch.setenv("PITCH_READINGS", "3")
    monkeypatch.setenv("PITCH_VERIFY", "yes")
    done = pitch("doctor")
    assert "readings         3 of each pitch, combined by votes" in done.stdout
    assert "ok    second look      by the model that reads" in done.stdout

    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
    monkeypatch.setenv("PITCH_VERIFY", "mistral/small")
    done = pitch("doctor")
    assert done.exit_code == 3
    assert "MISS  second look      by mistral/small: MISTRAL_API_KEY is not set" in done.stdout


def test_doctor_says_where_answers_are_saved_and_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITCH_STORE", f"sqlite:///{tmp_path / 'kept.db'}")
    kept = Store.open(f"sqlite:///{tmp_path / 'kept.db'}")
    kept.answers.save([StoredAnswer(None, "m", "p", "s", "pitch", 0, "{}")])
    kept.close()

    done = pitch("doctor")

    assert done.exit_code == 0
    assert f"ok    store            sqlite:///{tmp_path / 'kept.db'}: 1 answers, 0 assessments" in done.stdout


@pytest.mark.parametrize("query", ["", "?password=hunter2"], ids=["user", "query"])
def test_doctor_misses_a_store_out_of_reach_and_shows_no_password(monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    monkeypatch.setenv("PITCH_STORE", f"postgresql://ann:hunter2@127.0.0.1:9/x{query}")

    done = pitch("doctor")

    assert done.exit_code == 3
    assert "MISS  store            the store postgresql+psycopg://ann:***@127.0.0.1:9/x cannot be used" in done.stdout
    assert "hunter2" not in done.output


def test_doctor_names_files_among_the_recordings_that_are_not_recordings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITCH_RECORDINGS", str(tmp_path))
    (tmp_path / "odd.json").write_text("{}")

    done = pitch("doctor")

    assert done.exit_code == 0
    assert f"ok    recordings       skipped because it is not a recording: {tmp_path / 'odd.json'}" in done.stdout


@pytest.mark.parametrize(
    ("status", "code", "says"), [(200, 0, "reached; it has m (1 models)"), (401, 3, "does not accept the key")]
)
def test_doctor_asks_the_server_of_the_model_that_is_set(
    monkeypatch: pytest.MonkeyPatch, status: int, code: int, says: str
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", URL)
    monkeypatch.setenv("PITCH_MODEL", "openai/m")
    body = {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "x"}]}
    with respx.mock() as router:
        router.get(f"{URL}/models").respond(status, json=body)
        done = pitch("doctor")
    assert done.exit_code == code and says in done.stdout


NEVER = [
    "openai",
    "instructor",
    "httpx",
    "streamlit",
    "pandas",
    "pyarrow",
    "sqlalchemy",
    "alembic",
    "jinja2",
    "rapidfuzz",
]
"""What takes long to load, and what no command needs that neither asks a model nor opens a store."""
AT_ONCE = [*NEVER, "asyncio", "logging", "rich.progress", "analyzer.files.document_texts", "analyzer.files.readers.pdf"]
"""What no command needs, either, that reads one plain text without waiting for anything."""


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (["--help"], [*NEVER, "numpy", "pydantic", "rich.console"]),
        (["--version"], [*NEVER, "numpy", "pydantic", "rich.console", "analyzer.cli.bulk"]),
        (["score", "-"], [*AT_ONCE, "analyzer.cli.bulk"]),
        (["score", "none.json"], AT_ONCE),
        (["score", "-", "--json"], [*AT_ONCE, "rich.console"]),
        (["analyze", "--model", "keywords", "-"], AT_ONCE),
        (["analyze", "--model", "keywords", "-", "--json"], [*AT_ONCE, "rich.console"]),
        (["market", "--help"], [*NEVER, "numpy", "pydantic", "analyzer.cli.bulk"]),
    ],
    ids=["help", "version", "score", "score, no file", "score as JSON", "keywords", "keywords as JSON", "help of one"],
)
def test_a_command_loads_only_what_it_needs(arguments: list[str], unneeded: list[str]) -> None:
    script = (
        f"import sys, atexit; atexit.register(lambda: print([m for m in {unneeded} if m in sys.modules], file=sys.stderr)); "
        "sys.argv = ['pitch', *sys.argv[1:]]; from analyzer.cli.main import main; main()"
    )
    typed = "{}" if arguments[0] == "score" else "Feature store for data scientists."
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], input=typed, capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1] == "[]"


def test_importing_the_package_loads_no_library() -> None:
    libraries = [*AT_ONCE, "numpy", "pydantic", "rich", "click"]
    script = f"import sys, analyzer; print([m for m in {libraries} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_loading_what_reads_and_scores_builds_no_model_that_may_not_be_used() -> None:
    script = """
import analyzer.results.documents, analyzer.runs.one
from pydantic import BaseModel
def all_of(model):
    yield from (each for own in model.__subclasses__() for each in (own, *all_of(own)))
ours = [each for each in all_of(BaseModel) if each.__module__.startswith("analyzer.")]
assert len(ours) > 40
print(*(each.__name__ for each in ours if each.__pydantic_complete__))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    empty_values_that_are_defaults = {"Signal", "PitchRef", "ReaderRef", "Usage"}
    assert set(done.stdout.split()) <= empty_values_that_are_defaults


def test_bulk_prints_json_lines_that_compare_and_score_read(tmp_path: Path) -> None:
    done = pitch("bulk", str(PITCHES), "--limit", "3", "--model", "recorded", "-o", "-")
    assert done.exit_code == 0
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 3
    assert all(row["scores"]["overall"]["value"] > 0 and row["input"]["source"] for row in rows)
    assert not list(tmp_path.parent.glob("*.partial"))
    results = tmp_path / "results.jsonl"
    results.write_text(done.stdout, encoding="utf-8")
    assert pitch("score", str(results), "--json").exit_code == 0


def test_results_and_summary_do_not_share_standard_output() -> None:
    done = pitch("bulk", str(PITCHES), "--model", "recorded", "-o", "-", "--json")
    assert done.exit_code == 2
    assert "cannot both go to standard output" in done.stderr
    twice = pitch("bulk", str(PITCHES), "--limit", "1", "--model", "keywords", "--repeat", "2", "-o", "-")
    assert len([json.loads(line) for line in twice.stdout.splitlines()]) == 2
    assert "pairs of readings that agree" in twice.stderr


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("market",), "categories"),
        (("market", "model_serving"), "players"),
        (("framework",), "considerations"),
    ],
)
def test_what_pitches_are_judged_by_can_be_read_as_json(arguments: tuple[str, ...], part: str) -> None:
    assert json.loads(pitch(*arguments, "--json").stdout)[part]


def test_findings_of_doctor_can_be_read_as_json() -> None:
    found = json.loads(pitch("doctor", "--json").stdout)
    assert {"python", "rulebook", "store", "model"} <= {finding["subject"] for finding in found}
    assert all(finding["ok"] and finding["text"] for finding in found)


def test_a_provider_that_is_almost_right_is_suggested(pitch_file: Path) -> None:
    done = pitch("analyze", str(pitch_file), "--model", "antropic/claude-haiku-5-5")
    assert done.exit_code == 3
    assert "did you mean anthropic/claude-haiku-5-5?" in done.stderr
