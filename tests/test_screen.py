"""What is printed is text: nothing in a name, a header, a pitch or a document steers the terminal or a spreadsheet."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from analyzer.files.cells import cell_text, plain_cell
from analyzer.screen import UNSEEN, printable, printable_json, screen
from analyzer.views.terminal import plain

EVIL = "\x1b]8;;http://evil\x1b\\x\x1b]52;c;aGk=\x07\x9b31m\u202eabc\u2066\x7f\r"
ANY = st.text(st.one_of(st.characters(), st.sampled_from(EVIL + "\n\t")))


@given(ANY)
@example(EVIL)
def test_nothing_printed_holds_a_character_that_a_terminal_acts_on(text: str) -> None:
    for shown in (printable(text), plain(text), printable_json(json.dumps(text, ensure_ascii=False))):
        assert not UNSEEN.search(shown)
    assert json.loads(printable_json(json.dumps(text, ensure_ascii=False))) == text


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])  # fmt: skip
def test_controls_of_terminals_and_of_direction_are_spelled_out(code: int) -> None:
    assert printable(chr(code)) == (chr(code) if chr(code) in "\t\n" else ascii(chr(code))[1:-1])


def test_tables_and_texts_are_spelled_out_and_never_read_as_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    console = screen()
    table = Table()
    table.add_column(f"head {EVIL}")
    table.add_row("[link=http://evil]cell[/link]")
    for shown in (table, Text(EVIL), f"[bold]{EVIL}"):
        console.print(shown)
    assert not UNSEEN.search(out.getvalue())
    assert "[link=http://evil]cell[/link]" in out.getvalue() and "\\u202eabc" in out.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["analyze", f"{EVIL}.txt"],
        ["analyze", "p.txt", "--model", f"openai/{EVIL}"],
        ["analyze", "p.txt", "--model", EVIL],
        ["analyze", "p.txt", "--report", f"{EVIL}/r.html"],
        ["analyze", "p.txt", "--rulebook", "r.toml"],
        ["analyze", "p.txt", "--market", "r.toml"],
        ["bulk", "t.csv", "-o", "o.jsonl", "--model", "keywords"],
        ["bulk", "t.csv", "-o", "o.jsonl", "--model", "keywords", "--text-column", f"other {EVIL}"],
        ["bulk", "named", "-o", "o.jsonl", "--model", "keywords"],
        ["score", "s.json"],
        ["score", "named/s.json"],
        ["compare", "s.json", "t.csv"],
        ["market", EVIL],
        ["bulk", "--limit", EVIL],
        [EVIL],
        [f"--{EVIL}"],
    ],
    ids=str,
)
def test_names_headers_keys_and_options_are_shown_as_text_in_errors(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "p.txt").write_text("A tool.")
    (tmp_path / "r.toml").write_text('"\\u001b]52;\\u009b\\u202e" = 1\n')
    (tmp_path / "t.csv").write_text(f'"{EVIL}",other,third\n1,2,3\n')
    (tmp_path / "s.json").write_text(json.dumps({EVIL: 1, "buyer": {"value": EVIL}}))
    (tmp_path / "named").mkdir()
    (tmp_path / "named" / "s.json").write_text(json.dumps([{"pitch": {"id": EVIL}, "signals": {"buyer": EVIL}}]))
    (tmp_path / "named" / f"{EVIL.replace('/', '')}.txt").write_text(" ")
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", *arguments], cwd=tmp_path, capture_output=True, check=False
    )
    told = (done.stdout + done.stderr).decode()
    assert done.returncode in (1, 2, 3) and told and "Traceback" not in told and "a fault of" not in told
    assert not UNSEEN.search(told)


# ---------------------------------------------------------------- spreadsheets

CELLS = st.text(st.sampled_from("=+-@|'\t\r\n;% 0Aadx\u200b\ufeff\u00a0\u2060＝"))
BEGINS = re.compile(r"[;\t\r\n]|%0[9ad]", re.IGNORECASE)


def runs(cell: str) -> bool:
    """Whether a spreadsheet may run a cell, seeing none of what is unseen before its first sign."""
    seen = cell.lstrip("".join(c for c in set(cell) if c.isspace() or unicodedata.category(c) in ("Cc", "Cf")))
    return seen[:1] in set("=+-@|＝＋－＠")


@given(CELLS)
@example("a;=1")
@example("%0A=1")
@example("\u200b\ufeff=1")
def test_no_cell_runs_however_a_spreadsheet_splits_it_and_its_text_comes_back(text: str) -> None:
    cell = plain_cell(text)
    assert not any(runs(part) for part in BEGINS.split(cell))
    assert cell_text(cell) == text


@given(st.text())
def test_any_text_comes_back_from_its_cell(text: str) -> None:
    assert cell_text(plain_cell(text)) == text


def test_ordinary_text_stays_as_it_is() -> None:
    for text in ("Label data; ship models - fast", "it's 5 + 3 = 8", "a@b.com", "50% of GPUs", "O'Reilly"):
        assert plain_cell(text) == text


def test_every_character_that_nobody_sees_is_looked_behind() -> None:
    unseen = [chr(c) for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)) in ("Cc", "Cf", "Zs", "Zl", "Zp")]  # fmt: skip
    assert [c for c in unseen if not plain_cell(f"{c}=1").startswith("'")] == []
