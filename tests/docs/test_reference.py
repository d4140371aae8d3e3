"""The reference pages name everything there is: fields of an assessment, kinds of errors, environment variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

import analyzer
from analyzer import Assessment, Settings, Signals, analyze, config_file
from analyzer import errors as tree
from analyzer.errors import AnalyzerError, ConfigurationError, SignalsError
from analyzer.settings import MODES, variables
from tests.completions import PITCH

ROOT = Path(__file__).parents[2]
PACKAGE = Path(analyzer.__file__).parent
KEY = "sk-secret-0123456789"


def models(kind: Any, seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """The models within a type, each once."""
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in seen:
        seen.add(kind)
        yield kind
        for field in kind.model_fields.values():
            yield from models(field.annotation, seen)
    for part in get_args(kind):
        yield from models(part, seen)


VOCABULARY_PAGE = {"Derived", "DerivedRead", "PositionRead", "PositionVote"}
"""Models of several readings, whose parts the page does not list."""


@pytest.mark.parametrize("model", list(models(Assessment, set())), ids=lambda model: model.__name__[:30])
def test_the_page_on_the_assessment_names_every_field(model: type[BaseModel]) -> None:
    if model.__name__ in VOCABULARY_PAGE:
        return
    page = (ROOT / "docs" / "assessment.md").read_text(encoding="utf-8")
    vocabulary = (ROOT / "docs" / "vocabulary.md").read_text(encoding="utf-8")
    written = set(re.findall(r"`([\w.]+)`", page)) | set(re.findall(r"`(\w+)`", vocabulary))
    names = {field.alias or name for name, field in model.model_fields.items()}
    assert {name for name in names if name not in written and f"provenance.{name}" not in written} == set()


def every_error() -> list[type[AnalyzerError]]:
    found = [AnalyzerError]
    for each in found:
        found += [kind for kind in each.__subclasses__() if kind.__module__ == tree.__name__]
    return [each for each in found if not each.__name__.startswith("_")]


def test_the_tree_of_errors_names_every_exception_with_its_meaning_below_its_base() -> None:
    drawn: dict[str, str | None] = {}
    above: list[str] = []
    for found in re.finditer(r"^    ([│├└─ ]*)(\w+) +(\S.*)$", tree.__doc__ or "", re.MULTILINE):
        depth, name = len(found[1]) // 4, found[2]
        above[depth:] = [name]
        drawn[name] = above[depth - 1] if depth else None
    assert set(drawn) == {error.__name__ for error in every_error()}
    for error in every_error()[1:]:
        bases = [base.__name__ for base in error.__mro__[1:] if not base.__name__.startswith("_")]
        assert drawn[error.__name__] == bases[0]


def test_kinds_are_stable_words_of_their_own() -> None:
    kinds = [error.kind for error in every_error()]
    assert len(set(kinds)) == len(kinds) and all(re.fullmatch(r"[a-z_]+", kind) for kind in kinds)


# ---------------------------------------------------------------- settings and the environment


def test_the_environment_is_read_in_one_place_and_every_variable_is_in_the_table() -> None:
    readers = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(r"os\.(environ\b|getenv)", path.read_text(encoding="utf-8"))
    ]
    # The others pass variables on: to processes of their own, to a library, and from the configuration file.
    allowed = {
        "settings.py",
        "files/reader_worker.py",
        "runs/processes.py",
        "runs/side_processes.py",
        "cli/main.py",
        "config_file.py",
    }
    assert set(readers) - allowed == set()
    source = (PACKAGE / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'_(?:get|address|seconds)\("([A-Z_]+)"', source))
    assert {*read, config_file.VARIABLE, *config_file.ENTRIES.values()} <= set(variables())
    assert all(mode in variables()["PITCH_MODE"] for mode in MODES)


def test_settings_come_from_code_with_the_environment_behind_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("PITCH_TIMEOUT", "7")
    assert Settings.from_environment().timeout == 7
    replaced = Settings.from_environment(timeout=30, openai_base_url="http://localhost:8000/v1")
    assert (replaced.timeout, replaced.openai_api_key) == (30, KEY)
    assert Settings().openai_api_key is None
    with pytest.raises(ConfigurationError, match="there is no setting time_out; there are model, "):
        Settings.from_environment(time_out=3)
    for seconds in (0, -1, float("inf"), float("nan"), "30"):
        with pytest.raises(ConfigurationError, match="pass a number of seconds above 0"):
            Settings(timeout=seconds)  # type: ignore[arg-type]


def test_a_key_from_code_is_used_for_its_provider_only_and_never_shown() -> None:
    from analyzer.reading.clients import key_for

    settings = Settings(openai_api_key=KEY, keys={"mistral": "mistral-secret"}, store=f"postgresql://u:{KEY}@h/db")
    assert key_for("mistral/small", settings) == "mistral-secret"
    assert key_for("openai/gpt-6-luna", settings) == KEY
    with pytest.raises(ConfigurationError, match="GROQ_API_KEY is not set"):
        key_for("groq/x", settings)
    assert "secret" not in repr(settings) and "secret" not in str(settings)
    assert hash(settings) == hash(Settings(openai_api_key=KEY, store=f"postgresql://u:{KEY}@h/db"))


def test_the_version_is_that_of_the_package() -> None:
    assert analyzer.__version__ == analyze(PITCH, model="keywords").provenance.analyzer


# ---------------------------------------------------------------- signals and reports


def test_signals_are_made_of_values_and_a_wrong_one_is_named() -> None:
    assert Signals.of(buyer="practitioner", urgency=None) == Signals(buyer="practitioner")
    with pytest.raises(SignalsError, match=r"signals: buyer\.value: "):
        Signals.of(buyer="cto")  # type: ignore[arg-type]
    with pytest.raises(SignalsError, match="signals: byer"):
        Signals.of(byer="practitioner")  # type: ignore[call-arg]


@pytest.mark.parametrize("ending", [".html", ".md"])
def test_a_report_is_written_by_the_ending_of_its_name(tmp_path: Path, ending: str) -> None:
    assessment = analyze(PITCH, model="keywords")
    path = analyzer.report(assessment, str(tmp_path / f"report{ending}"), text=PITCH)
    written = path.read_text(encoding="utf-8")
    assert "Wattwise" in written
    assert ("<h2>The pitch" in written or "<mark" in written) == (ending == ".html")


def test_a_report_that_cannot_be_written_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    assessment = analyze(PITCH, model="keywords")
    refused: list[tuple[Any, str]] = [
        (assessment, "report.pdf"),
        (assessment, "no/such/folder.html"),
        (assessment.model_dump(), "report.html"),
    ]
    for value, name in refused:
        with pytest.raises(AnalyzerError) as error:
            analyzer.report(value, tmp_path / name)
        assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
