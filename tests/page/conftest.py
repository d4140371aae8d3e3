"""The page with nothing set up, and readers in the place of models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analyzer.page import analysis
from analyzer.reading.readers import Choice
from analyzer.vocabulary.signals import Signals
from tests.page.visitor import ROOT, FixedReader, SlowReader


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine too, an analysis that ends by itself is shown by the click that started it."""
    monkeypatch.setattr(analysis, "_BRIEF_WAIT", 25)


@pytest.fixture
def slow_reader(monkeypatch: pytest.MonkeyPatch) -> SlowReader:
    monkeypatch.setattr(analysis, "_BRIEF_WAIT", 0)
    return SlowReader()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AppTest:
    """The page with no model configured and no recordings of the user's own."""
    monkeypatch.delenv("PITCH_MODEL", raising=False)
    monkeypatch.setenv("PITCH_RECORDINGS", str(tmp_path))
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FixedReader]:
    """Puts a reader of fixed signals in the place of every model."""

    def use(signals: Signals, fault: Exception | None = None) -> FixedReader:
        reader = FixedReader(signals, fault)
        monkeypatch.setattr("analyzer.page.analysis.choose", lambda *_: Choice(reader))
        return reader

    return use
