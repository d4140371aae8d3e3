"""The user's own defaults: what they set, what counts more, and what a file may not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer import config_file
from analyzer.errors import ConfigurationError
from analyzer.settings import Settings


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "own" / "config.toml"
    file.parent.mkdir()
    monkeypatch.setenv(config_file.VARIABLE, str(file))
    for variable in config_file.ENTRIES.values():
        monkeypatch.delenv(variable, raising=False)
    return file


def test_the_file_sets_defaults(config: Path) -> None:
    config.write_text(
        'model = "openai/gpt-6-luna"\ntimeout = 30\nconcurrency = 8\nrulebook = "mine.toml"\nreadings = 3\n'
    )
    settings = Settings.from_environment()
    assert (settings.model, settings.timeout, settings.concurrency, settings.readings) == (
        "openai/gpt-6-luna",
        30,
        8,
        3,
    )
    assert settings.rulebook == config.parent / "mine.toml"


def test_a_variable_counts_more_than_the_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text('model = "openai/gpt-6-luna"\n')
    monkeypatch.setenv("PITCH_MODEL", "keywords")
    assert Settings.from_environment().model == "keywords"


def test_a_file_in_the_working_folder_is_not_read(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.touch()
    for name in ("config.toml", "pitch.toml", ".pitch.toml", "pitch-analyzer.toml"):
        (tmp_path / name).write_text('base_url = "http://evil.example"\n')
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment().openai_base_url is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('openai_api_key = "sk-1"', "does not belong into a file"),
        ('modell = "x"', "did you mean model?"),
        ("model = [1]", "must be a text"),
        ("model = ", "cannot be read as TOML"),
        ("concurrency = 1000", "PITCH_CONCURRENCY is '1000'; set it to a whole number from 1 to 256"),
        ('mode = "telepathy"', "not a mode"),
    ],
)
def test_what_the_file_may_not_say_is_refused_in_one_line(config: Path, text: str, says: str) -> None:
    config.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_environment()
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "sk-1" not in str(raised.value)


def test_a_file_that_is_named_must_exist(config: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist; PITCH_CONFIG names it"):
        Settings.from_environment()


def test_without_a_file_nothing_is_set(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(config_file.VARIABLE)
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: tmp_path / "none")
    assert Settings.from_environment() == Settings()
