"""What is saved of data files is used while it is whole and current, and never changes a result."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analyzer.prepared import prepared, prepared_toml
from analyzer.reading.keywords import rules

CONTENT = {"word": "häuser \ud800", "numbers": [1, 2.5], "nothing": None}


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    path = tmp_path / "data.toml"
    path.write_text('word = "one"\n', encoding="utf-8")
    return path


class Counted:
    """Makes the content, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Any:
        self.times += 1
        return CONTENT


def saved(source: Path) -> Path:
    [path] = source.parent.glob("__pycache__/*")
    return path


def test_what_was_worked_out_once_is_read_the_next_time(source: Path) -> None:
    make = Counted()
    assert [prepared(source, make), prepared(source, make)] == [CONTENT, CONTENT]
    assert make.times == 1


@pytest.mark.parametrize("changed", ["data.toml", "code.py"])
def test_a_changed_source_is_worked_out_again(source: Path, changed: str) -> None:
    also = source.with_name("code.py")
    also.write_text("1", encoding="utf-8")
    make = Counted()
    prepared(source, make, also_from=[also])
    source.with_name(changed).write_text("other", encoding="utf-8")
    assert prepared(source, make, also_from=[also]) == CONTENT
    assert make.times == 2
    prepared(source, make, also_from=[also])
    assert make.times == 2


def test_another_version_of_the_program_works_it_out_again(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Counted()
    prepared(source, make)
    monkeypatch.setattr("analyzer.prepared.__version__", "99")
    assert prepared(source, make) == CONTENT
    assert make.times == 2


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "cut off": lambda whole: whole[:-1],
    "one byte differs": lambda whole: whole.replace(b"2.5", b"2.6"),
    "another file": lambda whole: b'{"word": "two"}',
    "not text": lambda whole: bytes(range(256)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_never_used(source: Path, damage: Callable[[bytes], bytes]) -> None:
    make = Counted()
    prepared(source, make)
    saved(source).write_bytes(damage(saved(source).read_bytes()))
    assert prepared(source, make) == CONTENT
    assert prepared(source, make) == CONTENT
    assert make.times == 2


def test_nothing_is_written_where_python_writes_no_compiled_modules(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert prepared(source, Counted()) == CONTENT
    assert not source.with_name("__pycache__").exists()


def test_where_it_cannot_be_written_the_content_is_the_same(source: Path) -> None:
    source.with_name("__pycache__").write_text("a file in the way", encoding="utf-8")
    assert prepared(source, Counted()) == CONTENT


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_costs_time_only(source: Path) -> None:
    source.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert prepared(source, Counted()) == CONTENT


def test_a_toml_file_reads_the_same_from_both(source: Path) -> None:
    assert prepared_toml(source) == prepared_toml(source) == {"word": "one"}


def test_nothing_unfinished_is_left(source: Path) -> None:
    prepared(source, Counted())
    assert json.loads(saved(source).read_bytes().partition(b"\n")[2]) == CONTENT
    assert len(list(source.parent.glob("__pycache__/*"))) == 1


def test_cues_from_saved_tables_are_near_the_same_sentences() -> None:
    """What is saved of the rules is what loading and checking the data file gives."""
    made, ready = rules.Rules.load(rules.rules_content()), rules.keyword_rules()
    assert json.loads(json.dumps(made.index.tables)) == ready.index.tables
    regexes = [[cue.regex for cue in index.cues] for index in (made.index, ready.index)]
    assert regexes[0] == regexes[1]
