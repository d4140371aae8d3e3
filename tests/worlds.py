"""Signals for tests, drawn by hypothesis, and the scorer spelled out the slow way: every world, one after the other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from analyzer.framework.inputs import derive
from analyzer.framework.rulebook import SIDES, Rulebook
from analyzer.vocabulary.derived import INPUTS, LEANS
from analyzer.vocabulary.signals import SIGNALS, Signals

STAGES = ["day_1", "day_2", "both", "unclear"]
FOCUSES = ["ml", "engineering", "both", "unclear"]
ROLES = ["data_scientist", "ml_engineer", "platform_engineer", "software_engineer", "business_user", "annotator"]
KINDS = ["startup", "open_source", "cloud_vendor", "established_vendor", "in_house", "manual_process"]
CATEGORIES = ["unknown", "other", "edge_case_mining", "feature_store", "model_serving"]
"""None of the map's, and one of each crowding."""
SINGLES = [name for name in SIGNALS if name in INPUTS]


def problems() -> st.SearchStrategy[list[dict[str, Any]]]:
    problem = st.fixed_dictionaries(
        {
            "statement": st.just("a problem"),
            "stage": st.sampled_from(STAGES),
            "focus": st.sampled_from(FOCUSES),
            "primary": st.booleans(),
        }
    )
    return st.lists(problem, max_size=4)


def competitors() -> st.SearchStrategy[list[dict[str, Any]]]:
    rival = st.fixed_dictionaries({"name": st.sampled_from("ABCDEF"), "kind": st.sampled_from(KINDS)})
    return st.lists(rival, max_size=7)


@st.composite
def documents(draw: st.DrawFn, most_unknown: int = 13) -> dict[str, Any]:
    """A signals document with at most so many single values unknown."""
    silent = draw(st.sets(st.sampled_from(SINGLES), max_size=most_unknown))
    document: dict[str, Any] = {
        name: {"value": "unknown" if name in silent else draw(st.sampled_from(INPUTS[name]))} for name in SINGLES
    }
    document["problems"] = draw(problems())
    document["competitors"] = draw(competitors())
    document["category"] = {"value": draw(st.sampled_from(CATEGORIES))}
    document["personas"] = [{"role": role} for role in draw(st.lists(st.sampled_from(ROLES), max_size=2))]
    return document


@dataclass(frozen=True)
class World:
    """One filling-in of everything unknown, with the scores it gives: overall 0–100, the others 0–10."""

    filled: dict[str, str]
    overall: Fraction
    market: Fraction
    sales: Fraction
    sides: Mapping[str, Fraction]


def every_world(document: dict[str, Any], rulebook: Rulebook) -> Iterator[World]:
    """All worlds, straight from the formulas of docs/scoring.md, in exact fractions."""
    facts = derive(Signals.model_validate(document))
    names = list(rulebook.used_inputs)
    choices = [[facts.values[name]] if facts.values[name] is not None else list(INPUTS[name]) for name in names]
    for combination in itertools.product(*choices):
        filled = {name: str(value) for name, value in zip(names, combination, strict=True)}
        at = {}
        for name, leans in LEANS.items():
            known = facts.positions[name]
            at[name] = Fraction(leans.index(filled[name]), 2) if known is None else known
        sides: dict[str, Fraction] = {side: _side(side, filled, rulebook) for side in SIDES}
        d, e = at["stage"], at["focus"]
        market = (1 - d) * sides["day_1"] + d * sides["day_2"]
        sales = (1 - e) * sides["ml"] + e * sides["engineering"]
        yield World(filled, 10 * (market + sales) / 2, market, sales, sides)


def number_of_worlds(document: dict[str, Any], rulebook: Rulebook) -> int:
    facts = derive(Signals.model_validate(document))
    count = 1
    for name in rulebook.used_inputs:
        count *= len(INPUTS[name]) if facts.values[name] is None else 1
    return count


def _side(side: str, filled: dict[str, str], rulebook: Rulebook) -> Fraction:
    total = weights = Fraction(0)
    for consideration in rulebook.of_side(side):
        row = consideration.deciding[tuple(filled[name] for name in consideration.inputs)]
        total += Fraction(consideration.weight) * Fraction(row.points)
        weights += Fraction(consideration.weight)
    return total / weights
