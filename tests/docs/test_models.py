"""What docs/models.md and the README say of models: every one is known to the program, at the price that is shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analyzer.reading.profiles import profile_of
from analyzer.reading.spending import cost_of
from analyzer.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
TOKENS = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) (?:tokens sent|answered)", PAGE)]
ROWS = re.findall(r"\| `(\w+)`, `PITCH_MODEL=(\S+)` \| ([\d.]+) \|", PAGE)


def test_the_table_of_models_is_read() -> None:
    assert len(ROWS) == PAGE.count("PITCH_MODEL=") - 1  # the other one is Ollama's


@pytest.mark.parametrize(("variable", "model", "usd"), ROWS, ids=[model for _, model, _ in ROWS])
def test_every_model_of_the_table_is_known_with_its_key_and_price(variable: str, model: str, usd: str) -> None:
    profile = profile_of(model, Settings())
    assert not profile.is_unknown and profile.key == variable
    day = datetime(2026, 11, 28, tzinfo=UTC)
    sent, answered = TOKENS
    costs = [cost_of(model, sent, answered, at=day + timedelta(hours=hour)) or 0.0 for hour in range(24)]
    assert f"{1000 * max(costs):.2f}" == usd


def test_every_model_of_the_readme_is_known() -> None:
    models = re.findall(r"PITCH_MODEL=(\S+)", README)
    assert models
    for model in models:
        profile_of(model, Settings())
