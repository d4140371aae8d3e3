"""The benchmark on real texts, on invented repositories: what is rebuilt, what is stored, and what is shown."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.files.manual_scores import VALUES, manual_csv
from benchmarks.real_texts.__main__ import main
from benchmarks.real_texts.figures import (
    PARTS,
    RealTexts,
    number_of,
    read_readings,
    reading_of,
    summary,
    tables,
    write_reading,
)
from benchmarks.real_texts.texts import HERE, rebuild, sources

README = (
    "[badge]\n# Foldline\n\nFoldline is an open-source tool to track ML experiments. pip install foldline\n\n[footer]\n"
)
SPANS = [[8, len(README) - 17], "!\n"]


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def built() -> str:
    (start, length), ending = SPANS
    assert isinstance(start, int) and isinstance(length, int) and isinstance(ending, str)
    return README[start : start + length] + ending


@pytest.fixture
def clones(tmp_path: Path) -> Path:
    """A folder with one clone, named owner+name."""
    clone = tmp_path / "clones" / "inventors+foldline"
    clone.mkdir(parents=True)
    git(clone, "init", "--quiet")
    (clone / "README.md").write_text(README, encoding="utf-8")
    git(clone, "add", "README.md")
    git(clone, "commit", "--quiet", "-m", "first")
    return clone.parent


@pytest.fixture
def home(tmp_path: Path, clones: Path) -> Path:
    """Sources, spans, checksums and manual scores of two texts, one from a clone that is missing."""
    home = tmp_path / "home"
    (home / "readings").mkdir(parents=True)
    commit = git(clones / "inventors+foldline", "rev-parse", "HEAD")
    rows = [
        {"id": "01-foldline", "repo": "inventors/foldline", "commit": commit, "path": "README.md"},
        {"id": "02-gone", "repo": "inventors/gone", "commit": commit, "path": "README.md"},
    ]
    (home / "sources.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    spans = [{"file": f"{row['id']}.txt", "ops": SPANS} for row in rows]
    (home / "spans.jsonl").write_text("".join(json.dumps(row) + "\n" for row in spans), encoding="utf-8")
    checksum = hashlib.sha256(built().encode()).hexdigest()
    (home / "texts.sha256").write_text("".join(f"{checksum}  {row['id']}.txt\n" for row in rows), encoding="utf-8")
    manual = [reading_of(row["id"], analyze(built(), model="keywords").signals, "settled") for row in rows]
    (home / "manual_scores.csv").write_text(manual_csv(manual), encoding="utf-8")
    return home


def test_a_text_is_rebuilt_from_its_clone_and_a_missing_clone_is_named(home: Path, clones: Path) -> None:
    rebuilt = rebuild(clones, home)
    assert rebuilt.texts == {"01-foldline": built()}
    (fault,) = rebuilt.faults
    assert "02-gone" in fault and "https://github.com/inventors/gone" in fault


@pytest.mark.parametrize("name", ["foldline", "inventors/foldline"])
def test_a_clone_may_have_its_own_name_or_be_in_its_owners_folder(home: Path, clones: Path, name: str) -> None:
    (clones / name).parent.mkdir(exist_ok=True)
    (clones / "inventors+foldline").rename(clones / name)
    assert list(rebuild(clones, home).texts) == ["01-foldline"]


def test_a_bare_clone_inside_a_folder_is_found(home: Path, clones: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(clones / "inventors+foldline"), str(tmp_path / "bare"))
    around = tmp_path / "others" / "inventors+foldline"
    around.mkdir(parents=True)
    (tmp_path / "bare").rename(around / "repo")
    assert list(rebuild(around.parent, home).texts) == ["01-foldline"]


def test_a_text_that_differs_from_its_checksum_is_not_read(home: Path, clones: Path) -> None:
    sums = (home / "texts.sha256").read_text(encoding="utf-8")
    (home / "texts.sha256").write_text("0" * 64 + sums[64:], encoding="utf-8")
    rebuilt = rebuild(clones, home)
    assert not rebuilt.texts
    assert any("01-foldline" in fault and "differs from its checksum" in fault for fault in rebuilt.faults)


def test_the_command_reads_compares_and_stores_values_without_quotes(
    home: Path, clones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(clones), "--home", str(home), "--save"]) == 1
    shown = capsys.readouterr()
    assert "| keywords | odd numbers (tuned on), 1 | 100% |" in shown.out
    assert "1 texts rebuilt, 1 missing" in shown.err
    stored = (home / "readings" / "keywords.jsonl").read_text(encoding="utf-8")
    (row,) = map(json.loads, stored.splitlines())
    assert (row["pitch_id"], row["rater"], row["onboarding"]) == ("01-foldline", "keywords", "self_serve")
    assert row.keys() <= {"pitch_id", "rater", "in_scope", "competitors", "overall", *VALUES}
    assert "Foldline is an open-source tool" not in stored


def test_a_folder_without_clones_is_an_error(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nothing"), "--home", str(home)]) == 2
    assert "0 texts rebuilt, 2 missing" in capsys.readouterr().err


def test_what_is_stored_is_read_back(tmp_path: Path) -> None:
    row = reading_of("01-foldline", analyze(built(), model="keywords").signals, "openai/some-model")
    write_reading([row], tmp_path / "some.jsonl")
    ((model, (back,)),) = read_readings(tmp_path).items()
    assert (model, back.values, back.in_scope) == ("openai/some-model", row.values, True)


def test_a_reading_that_equals_the_manual_scores_has_full_agreement() -> None:
    stored = RealTexts.stored()
    same = RealTexts(stored.manual, {"same": stored.manual})
    figures = summary(same, "same", same.varying)
    assert (figures.kappa, figures.scope, figures.adds, figures.misses) == (1.0, 1.0, 0.0, 0.0)
    assert figures.in_range[0] == figures.in_range[1]


def test_every_text_has_a_source_and_a_manual_score_and_falls_into_one_part() -> None:
    stored = RealTexts.stored()
    names = {source.id for source in sources()}
    assert names == {row.pitch for row in stored.manual} and len(names) == 54
    assert all(sum(belongs(number_of(name)) for belongs in PARTS.values()) == 1 for name in names)
    assert len((HERE / "texts.sha256").read_text(encoding="utf-8").splitlines()) == len(names)


def test_kappa_is_not_shown_where_a_signal_hardly_varies() -> None:
    stored = RealTexts.stored()
    same = RealTexts(stored.manual, {"same": stored.manual})
    (buyer,) = [line for line in tables(same) if line.startswith("| Who signs |")]
    assert "hardly varies" in buyer and "buyer" not in same.varying
