"""The pairings of values and quotes: drawn alike every time, wrong where they should be, and counted from recordings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import respx

from analyzer.errors import InputError
from analyzer.reading.clients import shared_client
from analyzer.reading.recordings import Recordings
from analyzer.settings import Settings
from analyzer.vocabulary.records import SIGNALS
from benchmarks.pairings import draw, figures
from benchmarks.pairings.draw import Sheet, plausible_sheets, true_sheets, wrong_sheets
from tests.completions import CHAT, URL, completion

pytestmark = pytest.mark.slow  # all samples are read from their recordings
MODEL = "openai/m"
SETTINGS = Settings(openai_base_url=URL, openai_api_key="none")


def test_the_same_seed_draws_the_same_pairings_and_another_others() -> None:
    assert wrong_sheets(40) == wrong_sheets(40)
    assert wrong_sheets(40, seed=1) != wrong_sheets(40)


def test_a_wrong_pairing_is_never_what_was_read_and_at_most_a_third_of_its_document() -> None:
    read = {sheet.pitch: {(one.claim.field, one.claim.value) for one in sheet.pairings} for sheet in true_sheets()}
    counts = {sheet.pitch: len(sheet.pairings) for sheet in true_sheets()}
    sheets = wrong_sheets()
    assert sum(one.kind != "true" for sheet in sheets for one in sheet.pairings) == draw.WRONG
    for sheet in sheets:
        wrong = [one for one in sheet.pairings if one.kind != "true"]
        assert 0 < 3 * len(wrong) <= counts[sheet.pitch]
        for one in wrong:
            spec = SIGNALS[one.claim.field]
            assert (one.claim.field, one.claim.value) not in read[sheet.pitch]
            assert one.claim.value in spec.values and spec.support.get(one.claim.value) != "whole_text"
        singles = [one.claim.field for one in sheet.pairings if one.claim.field in SIGNALS]
        assert len(singles) == len(set(singles))


def test_rules_stop_no_true_pairing() -> None:
    assert [one for sheet in true_sheets() for one in sheet.pairings if one.stopped] == []


# ---------------------------------------------------------------- plausible ones


def plausible(folder: Path, *rows: str) -> Path:
    file = folder / "plausible.csv"
    file.write_text("\n".join(["pitch_id,signal,value,quote", *rows]) + "\n", encoding="utf-8")
    return file


def test_plausible_pairings_are_asked_about_in_their_documents(tmp_path: Path) -> None:
    read = {sheet.pitch: sheet for sheet in true_sheets()}["cabstand"]
    quote = next(one.claim.quotes[0] for one in read.pairings if one.claim.field == "category")
    rows = [
        f'cabstand,urgency,critical_path,"{quote}"',
        f'cabstand,urgency,nice_to_have,"{quote}"',
        "cabstand,buyer,practitioner,Never said.",
    ]
    first, second = plausible_sheets(plausible(tmp_path, *rows))
    assert [one.claim.field for one in first.pairings if one.kind == "plausible"] == ["buyer", "urgency"]
    assert [one.claim.value for one in second.pairings if one.kind == "plausible"] == ["nice_to_have"]
    assert next(one for one in first.pairings if one.claim.field == "buyer").stopped == "the quote is not in the pitch"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("nowhere,urgency,important,x", "line 2: no recorded reading of a pitch 'nowhere'"),
        ("cabstand,urgency,huge,x", "line 2: urgency: huge is not a value"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        plausible_sheets(plausible(tmp_path, row))
    assert plausible_sheets(tmp_path / "none.csv") == []


# ---------------------------------------------------------------- asked, recorded, counted


def judging(wrong: set[tuple[str, str]]) -> Callable[[httpx.Request], httpx.Response]:
    """A model that rejects the values of these titles and says yes to all others."""

    def answer(request: httpx.Request) -> httpx.Response:
        lines = json.loads(request.content)["messages"][1]["content"].splitlines()
        heads = [match for line in lines if (match := re.match(r"\[(\d+)\] (.+): (\w+)$", line))]
        answers = [
            {
                "number": int(head[1]),
                "lacks": "",
                "support": "not_supported" if (head[2], head[3]) in wrong else "supported",
            }
            for head in heads
        ]
        return completion({"answers": answers})

    return answer


@pytest.fixture
def few() -> list[Sheet]:
    return [*true_sheets()[:2], *wrong_sheets()[:2]]


def test_what_is_recorded_is_not_asked_again_and_counted_by_kind(tmp_path: Path, few: list[Sheet]) -> None:
    wrong = [one.claim for sheet in few for one in sheet.pairings if one.kind != "true"]
    shared_client.cache_clear()
    with respx.mock() as router:
        route = router.post(CHAT).mock(
            side_effect=judging({(SIGNALS[claim.field].title, claim.value) for claim in wrong[:-1]})
        )
        assert figures.ask(MODEL, SETTINGS, few, tmp_path) == len(few) == route.call_count
        assert figures.ask(MODEL, SETTINGS, few, tmp_path) == 0
    found = figures.judged(MODEL, Recordings([tmp_path]), few)
    stopped = [one for one in found if one.pairing.kind != "true" and one.looked]
    assert len(stopped) >= len(wrong) - 1
    assert all(one.judgment is not None for one in found)
    text = "\n".join(figures.section(Recordings([tmp_path])))
    assert f"| wrong, all | {len(wrong)} |" in text and "tokens sent" in text
    assert f"of {len(figures.sheets())} documents have no recorded answer" in text


def test_without_recordings_the_section_says_how_to_make_them(tmp_path: Path) -> None:
    assert "make pairings" in "\n".join(figures.section(Recordings([tmp_path])))
