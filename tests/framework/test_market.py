"""The market map: what it must hold, whom it recognises, and what follows from it."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from analyzer import Signals, score
from analyzer.cli.main import cli
from analyzer.errors import MarketError
from analyzer.framework import market as module
from analyzer.framework.inputs import derive
from analyzer.framework.market import MarketMap
from analyzer.vocabulary.signals import SIGNALS

BUILT_IN = tomllib.loads(Path(module.__file__).with_name("market.toml").read_text(encoding="utf-8"))
MARKET = MarketMap.built_in()


def pitch(*arguments: object) -> Any:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


def category(content: dict[str, Any], id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(c for c in content["categories"] if c["id"] == id)
    return found


def test_the_map_has_every_category_of_the_vocabulary_with_position_and_judgment() -> None:
    assert [c.id for c in MARKET.categories] == list(SIGNALS["category"].values[:-1])
    assert {c.crowding for c in MARKET.categories} == {"open", "contested", "crowded"}
    for found in MARKET.categories:
        assert found.players
        assert found.crowding_reason.endswith(".")


@pytest.mark.parametrize(
    ("name", "player"),
    [
        ("SageMaker", "Amazon SageMaker"),
        ("sagemaker", "Amazon SageMaker"),
        ("Weights & Biases", "Weights & Biases"),
        ("Weights and Biases", "Weights & Biases"),
        ("W&B", "Weights & Biases"),
        ("ML flow", "MLflow"),
        ("mlflow", "MLflow"),
        ("Label-Studio", "Label Studio"),
        ("Great Expectations", "Great Expectations"),
        ("Labelbox's", "Labelbox"),
    ],
)
def test_a_player_is_recognised_by_its_names_however_spelled(name: str, player: str) -> None:
    found = MARKET.match(name)
    assert found is not None
    assert player.split()[-1] in found.name or found.name == player


@pytest.mark.parametrize(
    "name",
    ["", "a scale", "scales", "feast of features", "a modal dialog", "MLflower", "Labelboxer", "home-made scripts",
     "great expectations of growth", "comets", "arrays", "a weaver", "cloud providers", "spreadsheet", "feast", "modal", "comet", "replicate", "chroma"],
)  # fmt: skip
def test_ordinary_words_and_near_names_are_no_player(name: str) -> None:
    assert MARKET.match(name) is None


def test_the_category_decides_crowding_and_incumbent_and_the_reason_says_so() -> None:
    signals = Signals.model_validate({"category": "model_serving", "problems": [
        {"statement": "x", "stage": "day_1", "focus": "engineering", "primary": True}]})  # fmt: skip
    known = MARKET.category("model_serving")
    assert known is not None
    values = derive(signals).values
    assert values["crowding"] == known.crowding
    assert values["incumbent"] == "present"
    reasons = {c.id: c.reason for c in score(signals).considerations}
    assert f"{known.as_of}, {len(known.players)} players listed" in reasons["crowded-market"]
    assert known.as_of in reasons["crowded-market"]


def test_without_a_category_of_the_map_the_alternatives_named_decide() -> None:
    rivals = [{"name": str(n), "kind": "startup"} for n in range(5)]
    for value in ("other", "unknown"):
        values = derive(Signals.model_validate({"category": value, "competitors": rivals})).values
        assert (values["crowding"], values["incumbent"]) == ("crowded", None)


def test_a_category_without_known_vendors_has_no_incumbent() -> None:
    content = copy.deepcopy(BUILT_IN)
    given = category(content, "feature_store")
    given["players"] = [player for player in given["players"] if player["kind"] in ("startup", "open_source")]
    market = MarketMap.from_content(content, "m.toml")
    signals = Signals.model_validate({"category": "feature_store"})
    assert derive(signals, market).values["incumbent"] == "absent"
    named = Signals.model_validate(
        {"category": "feature_store", "competitors": [{"name": "AWS", "kind": "cloud_vendor"}]}
    )
    assert derive(named, market).values["incumbent"] == "present"


def test_players_named_come_first_and_those_left_out_follow_by_kind() -> None:
    document = {
        "product": "MLflow",
        "category": "experiment_tracking",
        "competitors": [{"name": "W&B", "kind": "startup"}, {"name": "Trackomatic", "kind": "startup"}],
        "problems": [{"statement": "x", "stage": "day_1", "focus": "ml", "primary": True}],
    }
    first, second, *others = score(Signals.model_validate(document)).players
    assert (first.name, first.known_as, first.named) == ("W&B", "Weights & Biases", True)
    assert (second.name, second.known_as, second.named) == ("Trackomatic", None, True)
    assert first.good
    names = [player.name for player in others]
    assert "Weights & Biases" not in names
    assert "MLflow" not in names  # the product itself
    kinds = [module.KINDS.index(player.kind) for player in others]
    assert kinds == sorted(kinds)
    assert not any(player.named for player in others)


def test_the_map_is_named_in_the_provenance_and_another_can_be_used(tmp_path: Path) -> None:
    text = Path(module.__file__).with_name("market.toml").read_text(encoding="utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text(text.replace(f'version = "{MARKET.version}"', 'version = "mine"', 1), encoding="utf-8")
    (tmp_path / "s.json").write_text(json.dumps({"category": "model_serving"}), encoding="utf-8")
    built_in = json.loads(pitch("score", tmp_path / "s.json", "--json").stdout)["provenance"]["market"]
    own = json.loads(pitch("score", tmp_path / "s.json", "--json", "--market", mine).stdout)["provenance"]["market"]
    assert built_in == {"version": MARKET.version, "sha256": MARKET.sha256}
    assert own["version"] == "mine"


CASES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "kind": (lambda c: c["categories"][0]["players"][0].update(kind="giant"), "data_labelling, "),
    "date": (lambda c: c["categories"][0].update(as_of="2026"), "data_labelling, as_of: "),
    "month": (lambda c: c["categories"][0].update(as_of="2026-13"), "data_labelling, as_of: "),
    "crowding": (lambda c: c["categories"][0].update(crowding="packed"), "data_labelling, crowding: "),
    "position": (lambda c: c["categories"][0].pop("usual_stage"), "data_labelling, usual_stage: Field required"),
    "twice": (lambda c: c["categories"].append(c["categories"][0]), "data_labelling: this category appears 2 times"),
    "strange": (lambda c: c["categories"][0].update(id="gardening"), "gardening: there is no such category"),
    "missing": (lambda c: c["categories"].pop(), "end_to_end_platform: this category of the vocabulary is missing"),
    "player twice": (
        lambda c: c["categories"][0]["players"].append(c["categories"][0]["players"][0]),
        "data_labelling: ",
    ),
    "alias of another": (
        lambda c: c["categories"][0]["players"][0].update(aliases=[c["categories"][0]["players"][1]["name"]]),
        "data_labelling: ",
    ),
    "no product": (lambda c: c["categories"][0]["players"][0].update(kind="in_house"), "data_labelling: "),
    "words": (lambda c: c["kinds"]["startup"]["good"].pop("ml"), "kinds.startup.good: expected words for"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "says"), CASES.values(), ids=CASES.keys())
def test_a_faulty_map_is_refused_naming_category_and_fault(
    change: Callable[[dict[str, Any]], object], says: str
) -> None:
    content = copy.deepcopy(BUILT_IN)
    change(content)
    with pytest.raises(MarketError) as raised:
        MarketMap.from_content(content, "m.toml")
    assert str(raised.value).startswith("m.toml: ")
    assert any(fault.startswith(says) for fault in raised.value.faults), raised.value.faults


def test_entries_older_than_a_year_are_found() -> None:
    content = copy.deepcopy(BUILT_IN)
    for given in content["categories"]:
        given["as_of"] = "2026-06"
        for player in given["players"]:
            player["as_of"] = "2026-06"
    content["categories"][0]["players"][0]["as_of"] = "2024-01"
    market = MarketMap.from_content(content, "m.toml")
    assert [entry[2] for entry in market.stale(date(2026, 11, 1))] == ["2024-01"]
    assert market.stale(date(2025, 1, 31)) == []
    assert len(market.stale(date(2030, 1, 1))) == len(market.categories) + sum(
        len(c.players) for c in market.categories
    )


def test_the_command_shows_the_map_a_category_and_a_near_miss() -> None:
    assert "model_serving" in pitch("market").stdout
    shown = pitch("market", "model_serving").stdout
    assert "Usually day 1, engineering." in shown
    assert "Good at:" in shown
    missed = pitch("market", "model_servng")
    assert missed.exit_code == 2
    assert "did you mean model_serving?" in missed.stderr


def test_named_alternatives_that_the_map_does_not_know_are_listed_for_its_keeper(tmp_path: Path) -> None:
    document = {"competitors": [
        {"name": "Trackomatic", "kind": "startup"}, {"name": "MLflow", "kind": "open_source"},
        {"name": "a spreadsheet", "kind": "manual_process"}]}  # fmt: skip
    (tmp_path / "r.jsonl").write_text("\n".join([json.dumps(document)] * 2), encoding="utf-8")
    shown = pitch("market", "--unknown", tmp_path / "r.jsonl").stdout
    assert "Trackomatic" in shown
    assert "2" in shown
    assert "MLflow" not in shown
    assert "spreadsheet" not in shown


SPELLINGS = sorted({name for player in MARKET.players for name in (player.name, *player.aliases)})


def test_a_name_means_the_product_of_exactly_this_spelling_in_whatever_category() -> None:
    for name in SPELLINGS:
        found = MARKET.match(name)
        if name in MARKET.ordinary_words:
            assert found is None
        else:
            assert found is not None and name in (found.name, *found.aliases)
    for category in (None, "edge_case_mining", "model_serving"):
        assert (MARKET.match("Modal", category), MARKET.match("modAL", category)) != (None, None)
        assert getattr(MARKET.match("Modal", category), "name", None) == "Modal"
        assert getattr(MARKET.match("modAL", category), "name", None) == "modAL"


def test_a_product_with_two_kinds_is_refused() -> None:
    content = copy.deepcopy(BUILT_IN)
    category(content, "model_monitoring")["players"].append(
        {"name": "MLflow", "kind": "cloud_vendor", "known_for": "x", "as_of": "2026-11"}
    )
    with pytest.raises(MarketError, match="MLflow: it is cloud_vendor and open_source in different categories"):
        MarketMap.from_content(content, "mine.toml")
