"""A rulebook decides every combination exactly once, or is refused with all that is wrong."""

from __future__ import annotations

import copy
import itertools
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analyzer import Rulebook, Signals, score
from analyzer.errors import RulebookError
from analyzer.framework import rulebook as module
from analyzer.vocabulary.derived import INPUT_SPECS, INPUTS

BUILT_IN = tomllib.loads(Path(module.__file__).with_name("rulebook.toml").read_text(encoding="utf-8"))


def consideration(content: dict[str, Any], id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(c for c in content["considerations"] if c["id"] == id)
    return found


def trial(content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = content["intermediate"][0]
    return found


def gate(content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = content["gates"][0]
    return found


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    content = copy.deepcopy(BUILT_IN)
    change(content)
    return content


def test_the_built_in_rulebook_has_the_twelve_considerations_of_the_framework() -> None:
    rulebook = Rulebook.built_in()
    assert [(c.side, c.id, c.stance) for c in rulebook.considerations] == [
        ("day_1", "broad-market", "for"),
        ("day_1", "crowded-market", "against"),
        ("day_2", "less-crowded", "for"),
        ("day_2", "smaller-market", "against"),
        ("day_2", "urgent-customers", "for"),
        ("day_2", "fragmented-needs", "against"),
        ("day_2", "built-in-house", "against"),
        ("ml", "audience-in-every-decision", "for"),
        ("ml", "users-without-budget", "against"),
        ("engineering", "decision-maker-fit", "for"),
        ("engineering", "known-vendors-preferred", "against"),
        ("engineering", "needs-data-science-buy-in", "against"),
    ]


@pytest.mark.parametrize("found", Rulebook.built_in().considerations, ids=lambda c: c.id)
def test_every_combination_has_one_row_whose_reason_reads_as_a_sentence(found: module.Consideration) -> None:
    rulebook = Rulebook.built_in()
    for combination in itertools.product(*(rulebook.values[name] for name in found.inputs)):
        deciding = [row for row in found.rows if all(v in cell for v, cell in zip(combination, row.cells, strict=True))]
        assert len(deciding) == 1
        filled = {name: rulebook.words(name).found[v] for name, v in zip(found.inputs, combination, strict=True)}
        sentence = found.reasons[deciding[0].reason].format_map(filled)
        assert sentence[0].isupper() and sentence.endswith(".") and "{" not in sentence


@pytest.mark.parametrize("found", Rulebook.built_in().considerations, ids=lambda c: c.id)
def test_each_consideration_can_speak_for_and_against(found: module.Consideration) -> None:
    points = [row.points for row in found.rows]
    assert max(points) >= 8 and min(points) <= 2


def test_a_comment_keeps_the_fingerprint_and_a_weight_changes_it(tmp_path: Path) -> None:
    text = Path(module.__file__).with_name("rulebook.toml").read_text(encoding="utf-8")
    (tmp_path / "a.toml").write_text("# mine\n" + text, encoding="utf-8")
    (tmp_path / "b.toml").write_text(text.replace("weight = 3", "weight = 2", 1), encoding="utf-8")
    assert Rulebook.load(tmp_path / "a.toml").sha256 == Rulebook.built_in().sha256
    assert Rulebook.load(tmp_path / "b.toml").sha256 != Rulebook.built_in().sha256


CASES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "gap": (
        lambda c: consideration(c, "less-crowded")["rows"].pop(),
        "less-crowded: no row decides crowding=crowded",
    ),
    "overlap": (
        lambda c: consideration(c, "less-crowded")["rows"].__setitem__(1, ["contested|crowded", 5, "some"]),
        "less-crowded: row 3 can never be reached: row 2 decides all of it",
    ),
    "partly overlapping": (
        lambda c: consideration(c, "less-crowded")["rows"].__setitem__(1, ["open|contested", 5, "some"]),
        "less-crowded: rows 1 and 2 overlap: both decide crowding=open",
    ),
    "unknown value": (
        lambda c: consideration(c, "less-crowded")["rows"].__setitem__(0, ["empty", 9, "few"]),
        "less-crowded, row 1: crowding has no value 'empty'; it has open, contested, crowded",
    ),
    "unknown input": (
        lambda c: consideration(c, "less-crowded").update(inputs=["weather"]),
        "less-crowded: unknown input 'weather'",
    ),
    "row too short": (
        lambda c: consideration(c, "less-crowded")["rows"].__setitem__(0, ["open", 9]),
        "less-crowded, row 1: expected 1 cells (crowding), then points and reason; found",
    ),
    "weight": (
        lambda c: consideration(c, "less-crowded").update(weight=4),
        "less-crowded, weight: Input should be less than or equal to 3, found 4",
    ),
    "points": (
        lambda c: consideration(c, "less-crowded")["rows"].__setitem__(0, ["open", 11, "few"]),
        "less-crowded, row 1, points: Input should be less than or equal to 10, found 11",
    ),
    "reason": (
        lambda c: consideration(c, "less-crowded")["rows"].__setitem__(0, ["open", 9, "good"]),
        "less-crowded: row 1: there is no reason named 'good'",
    ),
    "reason's words": (
        lambda c: consideration(c, "less-crowded")["reasons"].update(few="So: {buyer}."),
        "less-crowded: reason 'few': {buyer} is not one of its inputs (crowding)",
    ),
    "direction": (
        lambda c: consideration(c, "less-crowded")["rows"].__setitem__(2, ["crowded", 8, "many"]),
        "less-crowded: rows 2 and 3: crowding=contested gives fewer points than crowding=crowded (5 and 8); it must not",
    ),
    "stake": (
        lambda c: consideration(c, "built-in-house")["rows"].__setitem__(
            19, ["very_high", "not_rivalled", "proven", 10, "holds"]
        ),
        "built-in-house: rows 12 and 20: value_at_stake=material gives fewer points than value_at_stake=very_high where ",
    ),
    "direction stated": (
        lambda c: consideration(c, "broad-market").update(directions={"traction": "falling"}),
        "broad-market: rows 1 and 2, 4 and 6, 9 and 11 (and 16 more): traction=interviews gives fewer points than ",
    ),
    "direction of a stranger": (
        lambda c: consideration(c, "less-crowded").update(directions={"buyer": "rising"}),
        "less-crowded, directions: buyer is not one of its inputs (crowding)",
    ),
    "direction without an order": (
        lambda c: consideration(c, "decision-maker-fit").update(directions={"buyer": "rising"}),
        "decision-maker-fit, directions: buyer cannot be rising, as its values have no order",
    ),
    "direction in pairs": (
        lambda c: consideration(c, "decision-maker-fit").update(
            directions={"buyer": [["engineering_leadership", "practitioner"]]}
        ),
        "decision-maker-fit: rows 1 and 10, 2 and 11, 3 and 12: buyer=practitioner gives fewer points than "
        "buyer=engineering_leadership where business_impact=none (1 and 5); it must not",
    ),
    "direction's values": (
        lambda c: consideration(c, "decision-maker-fit").update(directions={"buyer": [["practitioner", "cto"]]}),
        "decision-maker-fit, directions: buyer has no value 'cto'",
    ),
    "direction in a circle": (
        lambda c: consideration(c, "less-crowded").update(
            directions={"crowding": [["open", "crowded"], ["crowded", "open"]]}
        ),
        "less-crowded, directions: crowding: 'open' comes before itself",
    ),
    "direction's word": (
        lambda c: consideration(c, "less-crowded").update(directions={"crowding": "up"}),
        "less-crowded, directions: crowding is 'up'; write rising, falling, none, or pairs",
    ),
    "input twice": (
        lambda c: consideration(c, "less-crowded").update(inputs=["crowding", "crowding"]),
        "less-crowded: an input appears twice",
    ),
    "format": (
        lambda c: consideration(c, "less-crowded")["reasons"].update(few="So: {crowding:d}."),
        "less-crowded: reason 'few': put an input in plain braces",
    ),
    "no list": (lambda c: c.update(considerations={"id": "x"}), "considerations: write each as [[considerations]]"),
    "same id": (
        lambda c: consideration(c, "less-crowded").update(id="smaller-market"),
        "smaller-market: this id is used 2 times",
    ),
    "empty side": (
        lambda c: c.update(considerations=[x for x in c["considerations"] if x["side"] != "ml"]),
        "side ml: it needs at least one consideration",
    ),
    "no question": (lambda c: c["inputs"].pop("crowding"), "inputs.crowding: it is used but has no words"),
    "words missing": (
        lambda c: c["inputs"]["crowding"]["found"].pop("open"),
        "inputs.crowding.found: expected words for open, contested, crowded",
    ),
    "intermediate: gap": (lambda c: trial(c)["rows"].pop(), "trial: no row decides onboarding=heavy_setup, data_mov"),
    "intermediate: overlap": (
        lambda c: trial(c)["rows"].append(["heavy_setup", "none", "alone"]),
        "trial: row 6 can never be reached: row 5 decides all of it",
    ),
    "intermediate: value": (
        lambda c: trial(c)["rows"].__setitem__(0, ["self_serve", "metadata_only|none", "soon"]),
        "trial: it has no value 'soon'; it has out_of_reach, with_help, with_permission, alone",
    ),
    "intermediate: value of an input": (
        lambda c: trial(c)["rows"].__setitem__(4, ["heavy", "*", "out_of_reach"]),
        "trial, row 5: onboarding has no value 'heavy'; it has heavy_setup, assisted, self_serve",
    ),
    "intermediate: no row gives a value": (
        lambda c: trial(c)["rows"].__setitem__(2, ["assisted", "metadata_only|none", "out_of_reach"]),
        "trial: no row gives the value with_help",
    ),
    "intermediate: direction": (
        lambda c: trial(c)["rows"].__setitem__(4, ["heavy_setup", "*", "alone"]),
        "trial: rows 4 and 5, 3 and 5, 2 and 5: onboarding=assisted does not give the same or a better value than ",
    ),
    "intermediate: values that cannot be compared": (
        lambda c: trial(c).update(better=[]),
        "trial: rows ",
    ),
    "intermediate: unknown input": (
        lambda c: trial(c).update(inputs=["weather", "data_movement"]),
        "trial: unknown input 'weather'; known are stage, focus",
    ),
    "intermediate: circle": (
        lambda c: trial(c).update(inputs=["onboarding", "trial"]),
        "trial: it depends on itself (trial -> trial)",
    ),
    "intermediate: a longer circle": (
        lambda c: (
            c["intermediate"].append({**trial(c), "name": "again", "inputs": ["trial"]})
            or trial(c).update(inputs=["again"])
        ),
        "trial: it depends on itself (trial -> again -> trial)",
    ),
    "intermediate: name of an input": (
        lambda c: trial(c).update(name="buyer"),
        "buyer: there is an input of this name already; choose another name",
    ),
    "intermediate: no name": (lambda c: trial(c).pop("name"), "intermediate table 1: it needs a name"),
    "intermediate: words": (
        lambda c: trial(c)["found"].pop("alone"),
        "trial, found: expected words for out_of_reach, with_help, with_permission, alone",
    ),
    "intermediate: better": (
        lambda c: trial(c).update(better=[["alone", "never"]]),
        "trial, better has no value 'never'; it has out_of_reach",
    ),
    "intermediate: not used": (
        lambda c: c["intermediate"].append({**copy.deepcopy(trial(c)), "name": "spare"}),
        "spare: nothing looks at it",
    ),
    "intermediate: no list": (lambda c: c.update(intermediate={}), "intermediate: write each as [[intermediate]]"),
    "too many combinations": (
        lambda c: gate(c).update(when=dict.fromkeys(list(INPUTS)[2:], "*")),
        "not-on-the-critical-path: its inputs have more than 20,000 combinations; use fewer",
    ),
    "gate: ceiling": (
        lambda c: gate(c).update(ceiling="for"),
        "not-on-the-critical-path, ceiling: Input should be 'against' or 'balanced', found 'for'",
    ),
    "gate: value": (
        lambda c: gate(c).update(when={"urgency": "low"}),
        "not-on-the-critical-path, when: urgency has no value 'low'; it has nice_to_have, important, critical_path",
    ),
    "gate: unknown input": (
        lambda c: gate(c).update(when={"weather": "bad"}),
        "not-on-the-critical-path: unknown input 'weather'",
    ),
    "gate: any value": (
        lambda c: gate(c).update(when={"stage": "*", "urgency": "nice_to_have"}, reason="So: {urgency}."),
        "not-on-the-critical-path: when: stage allows every value; leave it out",
    ),
    "gate: no condition": (
        lambda c: gate(c).pop("when"),
        "not-on-the-critical-path: write its condition as when = { input = ",
    ),
    "gate: direction": (
        lambda c: gate(c).update(when={"urgency": "critical_path"}),
        "not-on-the-critical-path: when: it holds with urgency=critical_path and not with urgency=important, which is ",
    ),
    "gate: reason's words": (
        lambda c: gate(c).update(reason="So: {buyer}."),
        "not-on-the-critical-path: reason: {buyer} is not one of its inputs (stage, urgency)",
    ),
    "gate: id of a consideration": (
        lambda c: gate(c).update(id="smaller-market"),
        "smaller-market: this id is used 2 times",
    ),
    "bounds": (lambda c: c["verdict"].update(against_below=60), "verdict: against_below is larger than for_above"),
}


@pytest.mark.parametrize(("change", "says"), CASES.values(), ids=CASES.keys())
def test_a_faulty_rulebook_is_refused_naming_consideration_row_and_fault(
    change: Callable[[dict[str, Any]], object], says: str
) -> None:
    with pytest.raises(RulebookError) as raised:
        Rulebook.from_content(changed(change), "my.toml")
    assert str(raised.value).startswith("my.toml: ")
    assert any(fault.startswith(says) for fault in raised.value.faults), raised.value.faults


def test_all_faults_are_listed_at_once() -> None:
    def change(content: dict[str, Any]) -> None:
        consideration(content, "less-crowded")["rows"].pop()
        content["inputs"].pop("buyer")
        consideration(content, "broad-market")["reasons"]["spare"] = "Spare."

    with pytest.raises(RulebookError) as raised:
        Rulebook.from_content(changed(change), "my.toml")
    assert len(raised.value.faults) >= 3


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read"), (b"[[[", "not TOML"), (b"\xff\xfe", "not UTF-8")],
    ids=["none", "toml", "bytes"],
)
def test_a_file_that_is_no_rulebook_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "r.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RulebookError, match=says):
        Rulebook.load(path)


def test_fewer_considerations_over_the_same_signals_still_score() -> None:
    from analyzer import Signals, score

    content = changed(
        lambda c: c.update(considerations=[x for x in c["considerations"] if x["id"] != "smaller-market"])
    )
    assessment = score(Signals(), Rulebook.from_content(content, "my.toml"))
    assert len(assessment.considerations) == 11
    assert assessment.provenance.rulebook.sha256 != Rulebook.built_in().sha256


def test_a_rulebook_words_its_own_question_or_takes_the_vocabularys() -> None:
    own = changed(lambda c: c["inputs"]["buyer"].update(question="Who pays?"))
    rulebook = Rulebook.from_content(own, "my.toml")
    assert rulebook.inputs["buyer"].question == "Who pays?"
    assert rulebook.inputs["crowding"].question == INPUT_SPECS["crowding"].question
    assert rulebook.sha256 != Rulebook.built_in().sha256


def test_directions_check_a_table_and_change_no_result() -> None:
    free = changed(lambda c: consideration(c, "built-in-house").update(directions={"value_at_stake": "none"}))
    assert Rulebook.from_content(free, "my.toml").sha256 == Rulebook.built_in().sha256


def test_a_table_may_look_at_an_intermediate_table_and_at_what_decides_it() -> None:
    """A shared unknown counts once: who cannot start alone, cannot start alone in either."""
    content = copy.deepcopy(BUILT_IN)
    both = consideration(content, "less-crowded")
    both |= {
        "inputs": ["onboarding", "trial"],
        "rows": [["heavy_setup|assisted", "*", 0, "few"], ["self_serve", "*", 10, "few"]],
        "reasons": {"few": "So: {trial}."},
    }
    assessment = score(Signals(data_movement="none"), Rulebook.from_content(content, "my.toml"))
    found = next(c for c in assessment.considerations if c.id == "less-crowded")
    assert (found.points.value, found.points.low, found.points.high) == (3.33, 0, 10)
    assert found.unknown == ("onboarding",)


def test_no_program_text_names_a_consideration() -> None:
    """Or a change of the rulebook's data would have to be followed there."""
    ids = [f'"{c.id}"' for c in Rulebook.built_in().considerations]
    for path in Path(module.__file__).parents[1].rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not [name for name in ids if name in text], path
