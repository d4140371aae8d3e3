"""The rules of the keyword reader: faults are named, and they agree with the market map."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from analyzer.framework.market import KnownPlayer, MarketCategory, MarketMap
from analyzer.reading.keywords import rules
from analyzer.reading.keywords.problems import usual_placing
from analyzer.reading.keywords.reader import KeywordReader, keywords_sha256
from analyzer.reading.pitch import Pitch
from analyzer.vocabulary.signals import SIGNALS
from tests.reading.keywords.test_reader import read


def content() -> dict[str, Any]:
    return tomllib.loads(Path(rules.__file__).with_name("rules.toml").read_text(encoding="utf-8"))


def group(**changes: Any) -> dict[str, Any]:
    return {"tier": 1, "value": "practitioner", "basis": "stated", "cues": ["free for one"], **changes}


COMPETITOR = content()["competitor"]


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown signal": ({"signal": {"colour": [group()]}}, "signal.colour"),
    "unknown value": ({"signal": {"buyer": [group(value="aunt")]}}, "'aunt'"),
    "unknown category": ({"category": {"needed": 1, "lead": 1, "of": {"toasters": {}}}}, "toasters"),
    "position of a category": (
        {"category": {"needed": 1, "lead": 1, "of": {"data_labelling": {"stage": "day_1", "naming": ["labelling"]}}}},
        "category.of.data_labelling.stage",
    ),
    "product of the map": (
        {"competitor": COMPETITOR | {"known": [{"kind": "established_vendor", "names": ["NVIDIA Triton"]}]}},
        "'NVIDIA Triton' is in the market map, which says its kind",
    ),
    "another spelling of one": (
        {"competitor": COMPETITOR | {"known": [{"kind": "startup", "names": ["Label-Studio"]}]}},
        "'Label-Studio' is in the market map",
    ),
    "spelling of no product": (
        {"competitor": COMPETITOR | {"of_the_map_spellings": ["Zonkly"]}},
        "'Zonkly' is not in the market map",
    ),
    "caution for no product": (
        {"competitor": COMPETITOR | {"of_the_map_needs_cue": ["Zonkly"]}},
        "'Zonkly' is not in the market map",
    ),
    "unknown field": ({"signal": {"buyer": [group(colour="red")]}}, "colour"),
    "unknown family": ({"signal": {"buyer": [group(cues=["<aunt> signs"])]}}, "<aunt>"),
    "unknown list": ({"signal": {"buyer": [group(cues=["@aunts"])]}}, "@aunts"),
    "open group": ({"signal": {"buyer": [group(cues=["(free for one"])]}}, "(free for one"),
    "stray bracket": ({"signal": {"buyer": [group(cues=["free) for one"])]}}, "free) for one"),
    "gap at the end": ({"signal": {"buyer": [group(cues=["free .."])]}}, "does not end with a word"),
    "gap at the start": ({"signal": {"buyer": [group(cues=[".. free"])]}}, "gap"),
    "no word": ({"signal": {"buyer": [group(cues=["<number> <percent>"])]}}, "no word that must be there"),
    "regular expression": ({"signal": {"buyer": [group(cues=["free[a-z]+"])]}}, "which is not a word"),
}


@pytest.mark.parametrize(("changes", "named"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_in_the_rules_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError) as refused:
        rules.Rules.load(content() | changes)
    assert named in str(refused.value)


@pytest.mark.parametrize("player", tuple(MarketMap.built_in().players), ids=lambda player: player.name)
def test_a_product_of_the_market_map_has_the_maps_kind_also_for_the_keyword_reader(player: KnownPlayer) -> None:
    kinds = {other.kind for other in MarketMap.built_in().players if other.name == player.name}
    assert rules.keyword_rules().known[player.name].kind in kinds


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("NVIDIA Triton", "open_source"),
        ("Modal", "startup"),
        ("modAL", "open_source"),
        ("Run:ai", "established_vendor"),
        ("whylogs", "open_source"),
        ("MLRun", "open_source"),
        ("Label Studio", "open_source"),
        ("Labelstudio", "open_source"),
    ],
)
def test_a_competitors_kind_is_that_of_the_product_of_this_spelling(name: str, kind: str) -> None:
    assert [(one.name, one.kind) for one in read(f"Unlike {name}, it needs no server.").competitors] == [(name, kind)]


@pytest.mark.parametrize("category", MarketMap.built_in().categories, ids=lambda category: category.id)
def test_the_usual_place_of_a_category_is_the_market_maps(category: MarketCategory) -> None:
    placing = usual_placing(category.id)
    assert (placing.stage, placing.focus) == tuple(
        {"mixed": "both"}.get(lean, lean) for lean in (category.usual_stage, category.usual_focus)
    )


def test_every_category_and_almost_every_signal_has_rules() -> None:
    loaded = content()
    ruled = {*loaded["signal"], "category", "lifecycle_scope", "pricing"}
    assert ruled == set(SIGNALS)
    assert {*loaded["category"]["of"], "other"} == set(SIGNALS["category"].values)


def test_the_fingerprint_is_of_the_content() -> None:
    assert len(keywords_sha256()) == 64 and keywords_sha256() == keywords_sha256()


def test_the_reader_says_that_it_is_rough_and_with_which_rules_it_read() -> None:
    text = "Foldline: experiment tracking\n\nData scientists use it to compare runs. It is a Python library."
    reading = asyncio.run(KeywordReader().read(Pitch.from_text(text)))
    assert [warning.kind for warning in reading.warnings] == ["rough_reader"]
    assert reading.reader.model == "keywords" and reading.reader.prompt_sha256 == keywords_sha256()
    assert reading.signals.data_movement.value == "none"


def test_importing_it_loads_no_model_client_and_no_rules() -> None:
    script = (
        "import sys; from analyzer.reading.keywords import reader, rules; "
        "print([name for name in ('openai', 'instructor', 'streamlit') if name in sys.modules], rules.keyword_rules.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] 0"
