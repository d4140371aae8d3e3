"""The title of a pitch: never a greeting, and never lost."""

from __future__ import annotations

import pytest

from analyzer.reading.pitch import Pitch
from analyzer.reading.pitch_title import is_greeting


@pytest.mark.parametrize(
    "line",
    ["Dear Ms. Okafor,", "Hi Marta,", "Hello team!", "hey all", "To whom it may concern:", "Sehr geehrte Frau Weiß,"],
)
def test_a_letters_title_is_what_follows_its_greeting(line: str) -> None:
    assert is_greeting(line)
    assert Pitch.from_text(f"{line}\n\nWe run Rainledger, a watch on feature tables.").ref.title == (
        "We run Rainledger, a watch on feature tables."
    )


@pytest.mark.parametrize(
    "line", ["Hi-res labels for radar", "Hello World: models in one command", "Dearborn, the feature store", "Heyday"]
)
def test_a_title_that_begins_like_a_greeting_stays_the_title(line: str) -> None:
    assert Pitch.from_text(f"{line}\n\nIt watches models.").ref.title == line


def test_a_greeting_alone_is_the_title() -> None:
    assert Pitch.from_text("Hello there,").ref.title == "Hello there,"
