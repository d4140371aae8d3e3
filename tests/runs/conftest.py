"""What tests of batches share: a run's side of a provider of batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.batch_desks import ANTHROPIC, OPENAI, Desk, at


@pytest.fixture(params=[OPENAI, ANTHROPIC], ids=["openai", "anthropic"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    yield from at(tmp_path, request.param)


@pytest.fixture
def openai(tmp_path: Path) -> Iterator[Desk]:
    yield from at(tmp_path, OPENAI)
