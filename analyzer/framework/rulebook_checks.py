"""What is wrong with a rulebook: as it is written, and as a whole. Each fault says where and what to do."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from string import Formatter
from typing import TYPE_CHECKING, Any, Final

from analyzer.framework import decision_table as tables
from analyzer.framework.decision_table import MOST_COMBINATIONS
from analyzer.framework.directions import violations
from analyzer.vocabulary.derived import INPUT_SPECS, INPUTS
from analyzer.vocabulary.partial_order import Order
from analyzer.vocabulary.records import UNKNOWN

if TYPE_CHECKING:
    from analyzer.framework.rulebook import Consideration, Gate, Intermediate, Rulebook

_LISTS: Final = ("intermediate", "considerations", "gates")


def expanded(content: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The content with rows and conditions spelled out and the vocabulary's questions, and what prevents that."""
    content = _with_questions(content)
    for kind in _LISTS:
        listed = content.get(kind, [])
        if not isinstance(listed, list) or not all(isinstance(written, dict) for written in listed):
            return dict(content), [f"{kind}: write each as [[{kind}]]"]
    values, faults = _values_of(content.get("intermediate", []))
    spelled: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _LISTS}
    for number, written in enumerate(content.get("intermediate", []), 1):
        label = _label("intermediate", number, written)
        inputs = written.get("inputs", [])
        wrong = list(tables.name_faults(label, inputs, values))
        if not wrong:
            rows, wrong = tables.spelled_out(label, written, values, ("value",))
            own = written.get("values", [])
            strange = [str(row["value"]) for row in rows if row["value"] not in own]
            if strange:
                wrong.append(f"{label}: it has no value {strange[0]!r}; it has {', '.join(map(str, own))}")
            wrong += [f"{label}, better{fault}" for fault in tables.pair_faults(written.get("better", []), own)]
            spelled["intermediate"].append({**written, "rows": rows})
        faults += wrong
    for number, written in enumerate(content.get("considerations", []), 1):
        label = _label("considerations", number, written)
        inputs = written.get("inputs", [])
        wrong = list(tables.name_faults(label, inputs, values))
        if not wrong:
            rows, wrong = tables.spelled_out(label, written, values, ("points", "reason"))
            stated = tables.stated_direction_faults(written.get("directions", {}), inputs, values)
            wrong += [f"{label}, directions: {fault}" for fault in stated]
            spelled["considerations"].append({**written, "rows": rows})
        faults += wrong
    for number, written in enumerate(content.get("gates", []), 1):
        label = _label("gates", number, written)
        when = written.get("when")
        if not isinstance(when, dict):
            faults.append(f'{label}: write its condition as when = {{ input = "value" }}')
            continue
        wrong = list(tables.name_faults(label, list(when), values))
        if not wrong:
            cells = {name: tables.accepted(cell, values[name]) for name, cell in when.items()}
            for name, found in cells.items():
                wrong += tables.strange_values(f"{label}, when", name, found, values)
            spelled["gates"].append({**written, "when": cells})
        faults += wrong
    return {**content, **{kind: entries for kind, entries in spelled.items() if kind in content}}, faults


def _label(kind: str, number: int, written: Mapping[str, Any]) -> str:
    singular = {"intermediate": "intermediate table", "considerations": "consideration", "gates": "gate"}[kind]
    return str(written.get("name" if kind == "intermediate" else "id", f"{singular} {number}"))


def _values_of(listed: Sequence[Mapping[str, Any]]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """The values of everything a table may look at, and what is wrong with the names of intermediate tables."""
    values: dict[str, tuple[str, ...]] = dict(INPUTS)
    faults = []
    for number, written in enumerate(listed, 1):
        label = _label("intermediate", number, written)
        name, own = written.get("name"), written.get("values")
        if not isinstance(name, str):
            faults.append(f"{label}: it needs a name")
        elif name in values:
            faults.append(f"{label}: there is an input of this name already; choose another name")
        elif not isinstance(own, list) or len(set(map(str, own))) < len(own) or UNKNOWN in own:
            faults.append(f"{label}: write its values as a list of different words; {UNKNOWN} is not one of them")
        else:
            values[name] = tuple(map(str, own))
    circles = _circles({str(written.get("name")): written.get("inputs") for written in listed})
    return values, faults + [f"{circle[0]}: it depends on itself ({' -> '.join(circle)})" for circle in circles]


def _circles(inputs: Mapping[str, Any]) -> list[list[str]]:
    """The chains of intermediate tables that come back to where they began, each once."""
    found: list[list[str]] = []

    def follow(chain: list[str]) -> None:
        for name in inputs[chain[-1]] if isinstance(inputs[chain[-1]], list) else ():
            if name in chain:
                circle = chain[chain.index(name) :]
                if not any(set(circle) == set(other) for other in found):
                    found.append([*circle, name])
            elif name in inputs:
                follow([*chain, name])

    for name in inputs:
        follow([name])
    return found


def _with_questions(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with the question of its record for each input that has none of its own."""
    inputs = content.get("inputs")
    if not isinstance(inputs, Mapping):
        return dict(content)
    asked = {
        name: {"question": INPUT_SPECS[name].question, **words}
        if name in INPUT_SPECS and isinstance(words, Mapping)
        else words
        for name, words in inputs.items()
    }
    return {**content, "inputs": asked}


def type_fault(entry: Any, content: Mapping[str, Any]) -> str:
    """A fault that the types found, with the record and the row it is in."""
    location = list(entry["loc"])
    label = ""
    if len(location) > 1 and location[0] in _LISTS:
        label, location = f"{_label(location[0], location[1] + 1, content[location[0]][location[1]])}, ", location[2:]
        if len(location) > 1 and location[0] == "rows":
            label, location = f"{label}row {location[1] + 1}, ", location[2:]
    found = entry["input"]
    shown = f", found {found!r}" if isinstance(found, str | int | float) else ""
    return f"{label}{'.'.join(map(str, location))}: {entry['msg']}{shown}"


# ---------------------------------------------------------------- as a whole


def faults(rulebook: Rulebook, sides: Sequence[str]) -> Iterator[str]:
    """All that is wrong with a rulebook whose parts are well written."""
    if rulebook.verdict.against_below > rulebook.verdict.for_above:
        yield "verdict: against_below is larger than for_above"
    rules: list[Consideration | Gate] = [*rulebook.considerations, *rulebook.gates]
    records: list[Consideration | Gate | Intermediate] = [*rules, *rulebook.intermediate]
    ids = [rule.id for rule in rules]
    for repeated in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"{repeated}: this id is used {ids.count(repeated)} times"
    for side in sides:
        if not rulebook.of_side(side):
            yield f"side {side}: it needs at least one consideration"
    for name, words in rulebook.inputs.items():
        if name not in INPUTS:
            yield f"inputs.{name}: there is no such input; known are {', '.join(INPUTS)}"
        else:
            yield from _word_faults(f"inputs.{name}", words.found, INPUTS[name])
    for name in rulebook.used_inputs:
        if name not in rulebook.inputs:
            yield f"inputs.{name}: it is used but has no words"
    used = {name for record in records for name in record.inputs}
    for table in rulebook.intermediate:
        if table.name not in used:
            yield f"{table.name}: nothing looks at it"
        yield from _word_faults(f"{table.name}, found", table.found, table.values)
        yield from (f"{table.name}: {fault}" for fault in _intermediate_faults(rulebook, table))
    for rule in rules:
        sizes: list[int] = [len(INPUTS[name]) for name in rulebook.inputs_behind(rule.inputs)]
        if math.prod(sizes) > MOST_COMBINATIONS:
            yield f"{rule.id}: behind its inputs are more than {MOST_COMBINATIONS:,} combinations; use fewer"
    for consideration in rulebook.considerations:
        yield from (f"{consideration.id}: {fault}" for fault in _consideration_faults(rulebook, consideration))
    for gate in rulebook.gates:
        yield from (f"{gate.id}: {fault}" for fault in _gate_faults(rulebook, gate))


def _word_faults(where: str, found: Mapping[str, str], values: Sequence[str]) -> Iterator[str]:
    if set(found) != set(values):
        where = where if where.endswith("found") else f"{where}.found"
        yield f"{where}: expected words for {', '.join(values)}, found {', '.join(found)}"


def _better(rulebook: Rulebook, rule: Consideration | Intermediate | Gate) -> dict[str, Order]:
    return {name: rulebook.better(rule, name) for name in rule.inputs}


def _intermediate_faults(rulebook: Rulebook, table: Intermediate) -> Iterator[str]:
    broken = list(tables.partition_faults(table.inputs, table.rows, rulebook.values))
    yield from broken
    unused = [value for value in table.values if value not in {row.value for row in table.rows}]
    if unused:
        yield f"no row gives the value {', '.join(unused)}"
    if not broken:
        yield from tables.direction_faults(
            table.inputs,
            table.rows,
            _better(rulebook, table),
            lambda row: row.value,
            Order.of(table.better).at_least,
            ("does not give the same or a better value than", ""),
        )


def _consideration_faults(rulebook: Rulebook, consideration: Consideration) -> Iterator[str]:
    broken = list(tables.partition_faults(consideration.inputs, consideration.rows, rulebook.values))
    yield from broken
    for number, row in enumerate(consideration.rows, 1):
        if row.reason not in consideration.reasons:
            yield f"row {number}: there is no reason named {row.reason!r}"
    for unused in sorted(set(consideration.reasons) - {row.reason for row in consideration.rows}):
        yield f"no row gives the reason {unused!r}"
    for name, text in consideration.reasons.items():
        yield from _reason_faults(consideration.inputs, f"reason {name!r}", text)
    if not broken:
        yield from tables.direction_faults(
            consideration.inputs,
            consideration.rows,
            _better(rulebook, consideration),
            lambda row: row.points,
            lambda one, other: one >= other,
            ("gives fewer points than", "g"),
        )


def _gate_faults(rulebook: Rulebook, gate: Gate) -> Iterator[str]:
    """A better value must not make a gate hold, and what always or never holds is not a gate."""
    yield from _reason_faults(gate.inputs, "reason", gate.reason)
    whole = [name for name, values in gate.when.items() if set(values) == set(rulebook.values[name])]
    yield from (f"when: {name} allows every value; leave it out" for name in whole)
    every = itertools.product(*(rulebook.values[name] for name in gate.inputs))
    cells = list(gate.when.values())
    holds = {key: all(value in cell for value, cell in zip(key, cells, strict=True)) for key in every}
    told = set()
    for violation in violations(gate.inputs, holds, _better(rulebook, gate), lambda one, other: one <= other):
        if violation.input not in told:
            told.add(violation.input)
            axis = gate.inputs.index(violation.input)
            worse, better = violation.worse[axis], violation.better[axis]
            yield (
                f"when: it holds with {violation.input}={better} and not with {violation.input}={worse}, "
                "which is worse; a better value must not make a gate hold"
            )


def _reason_faults(inputs: Sequence[str], label: str, text: str) -> Iterator[str]:
    try:
        parts = [part for part in Formatter().parse(text) if part[1] is not None]
        fields = {str(field) for _, field, _, _ in parts}
        if any(spec or conversion for _, _, spec, conversion in parts):
            yield f"{label}: put an input in plain braces, like {{buyer}}"
    except ValueError as error:
        yield f"{label}: {error}"
        return
    for field in sorted(fields - set(inputs)):
        yield f"{label}: {{{field}}} is not one of its inputs ({', '.join(inputs)})"
