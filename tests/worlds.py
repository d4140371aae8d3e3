"""Signals for tests, drawn by hypothesis, and the scorer spelled out the slow way: every world, one after the other."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pyarrow
from hypothesis import strategies as st

from analyzer.framework.inputs import derive, lean, positions
from analyzer.framework.rulebook import SIDES, Rulebook
from analyzer.vocabulary.derived import INPUTS, LEANS
from analyzer.vocabulary.signals import SIGNALS, Signals
from analyzer.vocabulary.votes import WORLDS, Derived

STAGES = ["day_1", "day_2", "both", "unclear"]
FOCUSES = ["ml", "engineering", "both", "unclear"]
ROLES = ["data_scientist", "ml_engineer", "platform_engineer", "software_engineer", "business_user", "annotator"]
KINDS = ["startup", "open_source", "cloud_vendor", "established_vendor", "in_house", "manual_process"]
CATEGORIES = ["unknown", "other", "edge_case_mining", "feature_store", "model_serving"]
"""None of the map's, and one of each crowding."""
SINGLES = [name for name in SIGNALS if name in INPUTS]
DERIVED = list(Derived.model_fields)


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


@st.composite
def read_in_several_ways(draw: st.DrawFn, most_unknown: int = 13, most_several: int = 3) -> dict[str, Any]:
    """A signals document in which some values, positions and derived inputs have votes for others, unknown included."""
    document = draw(documents(most_unknown))
    names = draw(st.lists(st.sampled_from([*SINGLES, *DERIVED]), max_size=most_several, unique=True))
    derived = {}
    for name in names:
        values: list[Any] = ["unknown", *INPUTS[name]]
        if name in LEANS:
            values = ["unknown", 0, 0.2, 1 / 3, 0.5, 0.75, 1]
        listed = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True))
        votes = [{"value": value, "votes": draw(st.integers(1, 4))} for value in listed]
        whole = {**votes[0], "also": votes[1:]}
        if name in SINGLES:
            document[name] = whole
        else:
            derived[name] = whole
    return {**document, "derived": derived} if derived else document


@dataclass(frozen=True)
class World:
    """One filling-in of everything that is open, how likely it is, and the scores it gives: overall 0–100, others 0–10."""

    filled: dict[str, str]
    chance: Fraction
    overall: Fraction
    market: Fraction
    sales: Fraction
    sides: Mapping[str, Fraction]


@dataclass(frozen=True)
class Choice:
    """A value that an input may have, how likely it is, and for stage and focus the place."""

    value: str
    chance: Fraction
    at: Fraction | None = None


def choices(document: dict[str, Any], name: str) -> list[Choice]:
    """The values that an input may have, straight from docs/scoring.md, "What is not said"."""
    read = document.get("derived", {}).get(name) or (document.get(name) if name in SINGLES else None)
    facts = derive(Signals.model_validate({key: part for key, part in document.items() if key != "derived"}))
    if not isinstance(read, dict) or "also" not in read:
        if name not in LEANS:
            value = facts.values[name]
            possible = INPUTS[name] if value is None else (value,)
            return [Choice(each, Fraction(1, len(possible))) for each in possible]
        at = positions(Signals.model_validate(document))[name]
        worlds = WORLDS if at is None else (at,)
        return [Choice(str(lean(name, each)), Fraction(1, len(worlds)), each) for each in worlds]
    votes = [read, *read["also"]]
    total = sum(vote.get("votes", 1) for vote in votes)
    chances: defaultdict[Any, Fraction] = defaultdict(Fraction)
    for vote in votes:
        every: tuple[Any, ...] = (
            (WORLDS if name in LEANS else INPUTS[name]) if vote["value"] == "unknown" else (vote["value"],)
        )
        for each in every:
            key = Fraction(each).limit_denominator(100) if name in LEANS else each
            chances[key] += Fraction(vote.get("votes", 1), total * len(every))
    if name in LEANS:
        return [Choice(str(lean(name, at)), chance, at) for at, chance in chances.items()]
    return [Choice(value, chance) for value, chance in chances.items()]


def every_world(document: dict[str, Any], rulebook: Rulebook) -> Iterator[World]:
    """All worlds, straight from the formulas of docs/scoring.md, in exact fractions."""
    names = list(rulebook.used_inputs)
    for combination in itertools.product(*(choices(document, name) for name in names)):
        by_name = dict(zip(names, combination, strict=True))
        filled = with_intermediate({name: choice.value for name, choice in by_name.items()}, rulebook)
        sides: dict[str, Fraction] = {side: _side(side, filled, rulebook) for side in SIDES}
        d, e = by_name["stage"].at, by_name["focus"].at
        assert d is not None and e is not None
        market = (1 - d) * sides["day_1"] + d * sides["day_2"]
        sales = (1 - e) * sides["ml"] + e * sides["engineering"]
        chance = math.prod((choice.chance for choice in combination), start=Fraction(1))
        yield World(filled, chance, 10 * (market + sales) / 2, market, sales, sides)


def number_of_worlds(document: dict[str, Any], rulebook: Rulebook) -> int:
    return math.prod(len(choices(document, name)) for name in rulebook.used_inputs)


def with_intermediate(filled: dict[str, str], rulebook: Rulebook) -> dict[str, str]:
    """The values of a world with those that intermediate tables give."""
    waiting = list(rulebook.intermediate)
    while waiting:
        ready = [table for table in waiting if all(name in filled for name in table.inputs)]
        filled = filled | {t.name: t.deciding[tuple(filled[name] for name in t.inputs)].value for t in ready}
        waiting = [table for table in waiting if table not in ready]
    return filled


def flat_table(documents: Iterable[Signals], ids: Sequence[str] | None = None) -> pyarrow.Table:
    """A table with a column for each input, of documents that are not read in several ways; `ids` becomes a column."""
    columns: dict[str, list[Any]] = {name: [] for name in ("in_scope", *INPUTS)}
    for document in documents:
        facts, places = derive(document), positions(document)
        columns["in_scope"].append(document.in_scope)
        for name, value in facts.values.items():
            at = places.get(name)
            columns[name].append(value if name not in LEANS else None if at is None else float(at))
    types = {"in_scope": pyarrow.bool_(), **dict.fromkeys(LEANS, pyarrow.float64())}
    arrays = {name: pyarrow.array(cells, types.get(name, pyarrow.string())) for name, cells in columns.items()}
    return pyarrow.table(({"id": list(ids)} if ids is not None else {}) | arrays)


def _side(side: str, filled: dict[str, str], rulebook: Rulebook) -> Fraction:
    total = weights = Fraction(0)
    for consideration in rulebook.of_side(side):
        row = consideration.deciding[tuple(filled[name] for name in consideration.inputs)]
        total += Fraction(consideration.weight) * Fraction(row.points)
        weights += Fraction(consideration.weight)
    return total / weights
