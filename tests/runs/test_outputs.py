"""What a run writes: nothing is lost and nothing half-written, whatever happens to the disk, the file or another run."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from analyzer.errors import InputError, OutputError
from analyzer.files.disk import (
    GrowingFile,
    check_distinct,
    check_writable,
    connections_at_once,
    open_whole,
    write_whole,
)
from analyzer.files.pitches import Sources
from analyzer.results.output_files import OutputFile, count_rows
from analyzer.results.result import Progress
from analyzer.runs.bulk import BulkOptions, BulkSummary, run
from analyzer.store.store import Store
from tests.conftest import PITCHES
from tests.model_server import MODEL, Reply, Service, good, refused
from tests.runs.test_bulk import table

GOOD = good()
TEXT = "Annotation tool: label your training data. Data scientists run pip install labels."


def keywords(source: Path, output: Path, on_progress: Callable[[Progress], None] | None = None) -> BulkSummary:
    return run(Sources((str(source),)), output, BulkOptions(model="keywords"), on_progress=on_progress)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# ---------------------------------------------------------------- two runs, killed runs


def test_a_second_run_on_an_output_is_refused_in_one_line_and_the_first_loses_nothing(tmp_path: Path) -> None:
    source, output = table(tmp_path / "in.jsonl", 20), tmp_path / "out.jsonl"
    refusals: list[str] = []

    def second(progress: Progress) -> None:
        if progress.finished == 10:
            with pytest.raises(OutputError) as raised:
                keywords(source, tmp_path / "." / "out.jsonl")
            refusals.append(str(raised.value))

    assert keywords(source, output, on_progress=second).rows == 20
    assert len(output.read_text().splitlines()) == 20
    assert len(refusals) == 1 and "another run is writing" in refusals[0] and "\n" not in refusals[0]
    assert names(tmp_path) == {"in.jsonl", "out.jsonl"}


def test_what_a_killed_run_left_is_neither_overwritten_nor_left_after_a_whole_run(tmp_path: Path) -> None:
    source, output = table(tmp_path / "in.jsonl", 3), tmp_path / "out.csv"
    for left in ("out.csv.partial", "out.csv.2.partial", ".out.csv.lock", "other.csv.partial"):
        (tmp_path / left).write_text("left\n")
    written = OutputFile(output)
    assert written.partial.name == "out.csv.3.partial"
    written.give_up()
    assert {"out.csv.partial", "out.csv.2.partial"} <= names(tmp_path)
    keywords(source, output)
    assert names(tmp_path) == {"in.jsonl", "out.csv", "other.csv.partial"}


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_a_run_that_ends_early_leaves_a_longer_output_alone_and_says_where_its_own_rows_are(
    tmp_path: Path, ending: str
) -> None:
    source, output = table(tmp_path / "in.jsonl", 30), tmp_path / f"out.{ending}"
    keywords(source, output)
    before = output.read_bytes()
    with Service(lambda text, _: GOOD if int(text.split()[-1][:-1]) < 5 else Reply(refused(401).body, 401, after=0.3)) as service:  # fmt: skip
        settings = replace(service.settings, store=f"sqlite:///{tmp_path / 'store.db'}")
        summary = run(Sources((str(source),)), output, BulkOptions(model=MODEL, settings=settings, concurrency=5))
    assert summary.ended is not None and summary.exit_code == 3
    assert output.read_bytes() == before and count_rows(output) == 30
    assert summary.written == output.with_name(f"out.{ending}.partial")
    assert rows_in_partial(summary) == summary.rows > 0
    assert any("was left as it was" in note and f"out.{ending}.partial" in note for note in summary.notes)


def rows_in_partial(summary: BulkSummary) -> int:
    assert summary.written is not None
    readable = summary.written.with_name(f"copy{summary.output.suffix}")
    readable.write_bytes(summary.written.read_bytes())
    return count_rows(readable)


def test_a_longer_run_that_ends_early_takes_the_place_of_a_shorter_output(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    keywords(table(tmp_path / "in.jsonl", 2), output)
    written = OutputFile(output)
    with Service(lambda text, _: GOOD if int(text.split()[-1][:-1]) < 5 else Reply(refused(401).body, 401, after=0.3)) as service:  # fmt: skip
        written.give_up()
        source = table(tmp_path / "more.jsonl", 30)
        summary = run(
            Sources((str(source),)), output, BulkOptions(model=MODEL, settings=service.settings, concurrency=5)
        )
    assert summary.written == output and count_rows(output) == summary.rows > 2


# ---------------------------------------------------------------- disks


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_a_full_disk_ends_the_run_with_its_summary_and_whole_rows(tmp_path: Path, ending: str) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps({"id": n, "text": f"{TEXT} {n}."}) + "\n" for n in range(450)))
    most = {"jsonl": 100_000, "csv": 20_000, "parquet": 30_000}[ending]
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "bulk", str(source), "-o", str(tmp_path / f"o.{ending}"), "--model", "keywords"],
        capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )  # fmt: skip
    assert done.returncode == 2
    assert " done in " in done.stderr and "ended early" in done.stderr and "cannot be written" in done.stderr
    assert "fault" not in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / f"o.{ending}").exists()
    if ending == "parquet":  # without its end it cannot be read, so it does not stay
        assert names(tmp_path) == {"in.jsonl"}
    else:
        partial = (tmp_path / f"o.{ending}.partial").read_text()
        assert partial.endswith("\n") and f"o.{ending}.partial: " in done.stderr
        assert all(json.loads(line) for line in partial.splitlines()) if ending == "jsonl" else len(partial) < most


def test_what_is_in_flight_when_the_disk_is_full_is_still_stored_and_nothing_more_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = GrowingFile.write

    def full(file: GrowingFile, piece: Any) -> int:
        if b"p3" in bytes(piece):
            raise OutputError("out.jsonl cannot be written: the disk is full")
        return write(file, piece)

    monkeypatch.setattr(GrowingFile, "write", full)
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with Service(lambda *_: Reply(GOOD.body, after=0.02)) as service:
        summary = run(
            Sources((str(table(tmp_path / "in.jsonl", 200)),)),
            tmp_path / "out.jsonl",
            BulkOptions(model=MODEL, settings=replace(service.settings, store=url), concurrency=4),
        )
        paid = service.asked.total()
    store = Store.open(url)
    assert store.answers.count() == paid < 60
    store.close()
    assert summary.exit_code == 2 and not summary.stopped and summary.progress.done == paid


def test_a_partial_that_is_deleted_or_replaced_ends_the_run_and_is_said(tmp_path: Path) -> None:
    source, partial = table(tmp_path / "in.jsonl", 50), tmp_path / "out.jsonl.partial"

    def delete(progress: Progress) -> None:
        if progress.finished == 5:
            partial.unlink()
            partial.write_text("somebody else's")

    summary = keywords(source, tmp_path / "out.jsonl", on_progress=delete)
    assert "was deleted or replaced" in str(summary.ended) and summary.exit_code == 2
    assert summary.written is None and not (tmp_path / "out.jsonl").exists()
    assert partial.read_text() == "somebody else's"


def test_a_store_that_is_deleted_during_a_run_is_said(tmp_path: Path) -> None:
    from rich.console import Console

    from analyzer.views.bulk import print_summary

    source, store = table(tmp_path / "in.jsonl", 10), tmp_path / "store.db"
    with Service(lambda *_: GOOD) as service:
        settings = replace(service.settings, store=f"sqlite:///{store}")

        def once(delete: bool) -> BulkSummary:
            def gone(progress: Progress) -> None:
                if delete and progress.finished == 5:
                    store.unlink()

            return run(
                Sources((str(source),)),
                tmp_path / "o.jsonl",
                BulkOptions(model=MODEL, settings=settings),
                on_progress=gone,
            )

        assert not once(delete=False).store_lost
        store.unlink()
        lost = once(delete=True)
    assert lost.store_lost
    console = Console(record=True, width=200)
    print_summary(console, lost)
    told = console.export_text()
    assert "the store was deleted" in told and "is not asked again" not in told


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("folder.html", "is a folder"),
        ("no/such/r.html", "there is no folder"),
        ("r.pdf", "a report ends in .html or .md"),
        ("in.md", "is one of the inputs"),
        ("link.md", "is one of the inputs"),
        ("pipe.md", "is not an ordinary file"),
        ("file.md/r.md", "there is no folder"),
    ],
)
def test_a_file_that_cannot_be_written_gets_an_error_first_and_nothing_is_touched(
    tmp_path: Path, name: str, says: str
) -> None:
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "in.md").write_text("input")
    (tmp_path / "file.md").write_text("file")
    (tmp_path / "link.md").symlink_to(tmp_path / "in.md")
    os.mkfifo(tmp_path / "pipe.md")
    before = names(tmp_path)
    with pytest.raises(OutputError, match=says):
        check_writable(tmp_path / name, "a report", (".html", ".md"), [tmp_path / "in.md"])
    assert names(tmp_path) == before and (tmp_path / "in.md").read_text() == "input"


def test_two_outputs_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="named for two outputs"):
        check_distinct((tmp_path / "a.csv", None, tmp_path / "b" / ".." / "a.csv"))


def test_a_file_is_written_whole_or_stays_as_it_was_and_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "real.md", tmp_path / "link.md"
    link.symlink_to(target)
    write_whole(link, "one \udce9")
    assert link.is_symlink() and target.read_text() == "one ?"

    def half() -> None:
        with open_whole(link) as file:
            file.write(b"two")
            raise InputError("half")

    with pytest.raises(InputError, match="half"):
        half()
    assert target.read_text() == "one ?" and names(tmp_path) == {"real.md", "link.md"}


def test_scores_as_parquet_leave_nothing_behind_where_the_source_is_broken(tmp_path: Path) -> None:
    from analyzer.results.tables import score_parquet

    parquet.write_table(parquet.read_table(_results(tmp_path)).slice(0, 1), tmp_path / "in.parquet")
    assert score_parquet(tmp_path / "in.parquet", tmp_path / "scores.parquet") == 1
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no")
    before = names(tmp_path)
    for target, says in (("t.parquet", "cannot be read"), ("bad.parquet", "is one of the inputs")):
        with pytest.raises(InputError, match=says):
            score_parquet(tmp_path / "bad.parquet", tmp_path / target)
    assert names(tmp_path) == before


def _results(folder: Path) -> Path:
    keywords(table(folder / "in.jsonl", 2), folder / "results.parquet")
    return folder / "results.parquet"


# ---------------------------------------------------------------- nothing to do, nobody to tell


@pytest.mark.parametrize(
    ("name", "content"), [("t.csv", "id,pitch\n"), ("t.csv", "id,pitch\n\n \n"), ("t.jsonl", "\n"), ("-", "id,pitch\n")]
)
def test_inputs_without_a_pitch_are_refused_and_an_earlier_output_stays(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / "out.jsonl").write_text("earlier")
    (tmp_path / "t.csv" if name == "-" else tmp_path / name).write_text(content)
    command = [sys.executable, "-m", "analyzer", "bulk", name, "-o", "out.jsonl", "--model", "keywords"]
    done = subprocess.run(command, cwd=tmp_path, input=content, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.startswith(f"pitch: there are no pitches in {name}")
    assert (tmp_path / "out.jsonl").read_text() == "earlier" and len(names(tmp_path)) == 2


def test_the_first_failures_are_named_with_their_row_and_reason(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,pitch\n" + "".join(f"{n},a,b\n" for n in range(8)) + f"9,{TEXT}\n")
    command = [sys.executable, "-m", "analyzer", "bulk", "t.csv", "-o", "out.jsonl", "--model", "keywords"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    told = done.stderr.splitlines()
    assert done.returncode == 1 and "8 failed: document" in told
    assert "  t.csv, row 1: 3 cells, but the first line names 2 columns" in told
    assert "  and 3 more; the output has the reason for each" in told


def test_ids_that_several_rows_share_are_said(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"id,pitch\n7,{TEXT}\n7,{TEXT} Two.\n8,{TEXT}\n")
    assert keywords(tmp_path / "t.csv", tmp_path / "o.csv").notes == (
        "2 pitches share their id with another; number and source tell them apart.",
    )


FULL = Path("/dev/full")
SAMPLE = str(PITCHES / "taperline.txt")


@pytest.mark.slow
@pytest.mark.skipif(not FULL.exists(), reason="a device that is always full is Linux's")
@pytest.mark.parametrize(
    ("arguments", "made"),
    [
        (["analyze", SAMPLE, "--model", "keywords", "--report", "r.html"], ["r.html"]),
        (["rank", "in.jsonl", "--report", "r.html"], ["r.html"]),
        (["compare", "in.jsonl", "m.csv", "--report", "r.html", "--disagreements", "d.csv"], ["r.html", "d.csv"]),
        (["bulk", SAMPLE, "-o", "o.csv", "--report", "r.html", "--model", "keywords", "--json"], ["o.csv", "r.html"]),
        (["framework"], []),
        (["--help"], []),
    ],
    ids=lambda value: value[0] if value else "",
)
def test_files_are_written_where_standard_output_is_full_and_that_is_one_line(
    tmp_path: Path, arguments: list[str], made: list[str]
) -> None:
    keywords(PITCHES / "taperline.txt", tmp_path / "in.jsonl")
    (tmp_path / "m.csv").write_text("pitch_id,rater,in_scope\ntaperline,ann,true\n")
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "analyzer", *arguments],
            cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "pitch: standard output cannot be written: the disk is full"
    assert all((tmp_path / name).stat().st_size > 20 for name in made)


def test_notes_that_nobody_can_read_do_not_end_a_run(tmp_path: Path) -> None:
    source = table(tmp_path / "in.jsonl", 3)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "bulk", str(source), "-o", str(tmp_path / "o.jsonl"), "--model", "keywords"],
        stderr=writing, check=False,
    )  # fmt: skip
    os.close(writing)
    assert done.returncode == 0 and count_rows(tmp_path / "o.jsonl") == 3


@pytest.mark.slow
def test_a_low_limit_on_open_files_narrows_a_run_and_fails_nothing(tmp_path: Path) -> None:
    source = table(tmp_path / "in.jsonl", 60)
    with Service(lambda *_: Reply(GOOD.body, after=0.01)) as service:
        done = subprocess.run(
            [sys.executable, "-m", "analyzer", "bulk", str(source), "-o", str(tmp_path / "o.jsonl"), "--concurrency", "60"],
            env={**os.environ, **service.environment}, capture_output=True, text=True, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "24 requests in flight instead of 60" in done.stderr and service.most <= 24
    assert connections_at_once(1) == 1


def test_documents_that_share_an_id_or_a_title_are_distinguished_by_score_and_rank(tmp_path: Path) -> None:
    keywords(PITCHES / "taperline.txt", tmp_path / "a.jsonl")
    keywords(PITCHES / "taperline.txt", tmp_path / "b.jsonl")
    from tests.cli.test_cli import pitch as command

    files = [str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]
    assert "Note: 2 documents have the id taperline" in command("score", *files, "--json").stderr
    labels = [row["pitch"] for row in json.loads(command("rank", *files, "--json").stdout)]
    assert len(set(labels)) == 2 and all(any(f"({file}, line 1)" in label for label in labels) for file in files)


def test_compare_reads_no_links_out_of_the_folder_and_refuses_two_files_of_one_pitch(tmp_path: Path) -> None:
    from analyzer.agreement.extracted import read_extracted
    from analyzer.settings import Settings

    folder = tmp_path / "pitches"
    folder.mkdir()
    (folder / "deck.txt").write_text(TEXT)
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    extracted = read_extracted("keywords", ["deck", "link"], folder, Settings())
    assert set(extracted.signals) == {"deck"} and any("1 link that leads out" in note for note in extracted.notes)
    (folder / "deck.md").write_text(TEXT)
    with pytest.raises(InputError, match="are both pitch 'deck'; rename one"):
        read_extracted("keywords", ["deck"], folder, Settings())
