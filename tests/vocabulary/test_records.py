"""Each signal is one record: what is missing from it stops the import, and everything people see follows from it."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any, Literal

import pytest

import analyzer
from analyzer.vocabulary.labels import FAMILY_OF, title
from analyzer.vocabulary.records import LISTED, LISTS, SIGNALS, InputSpec, ListSpec, SignalSpec
from analyzer.vocabulary.signals import Signal, check_types

ANALYZER = Path(analyzer.__file__).parent


def record(**changes: Any) -> SignalSpec:
    whole: dict[str, Any] = {
        "name": "mood",
        "title": "Mood",
        "family": "market",
        "question": "How is the mood?",
        "rule": "How the text feels.",
        "meanings": {"low": "it is low", "high": "it is high"},
        "ranks": LISTED,
        "direction": "rising",
    }
    return SignalSpec(**(whole | changes))


FAULTS = {
    "title": ({"title": ""}, "it has no title"),
    "question": ({"question": ""}, "it has no question"),
    "rule": ({"rule": ""}, "it has no rule"),
    "family": ({"family": "weather"}, "its family is 'weather'; it is one of need, people"),
    "meaning": ({"meanings": {"low": "it is low", "high": ""}}, "its value high has no meaning"),
    "values": ({"meanings": {"low": "it is low"}}, "it needs two or more different values"),
    "unknown": ({"meanings": {"low": "it is low", "unknown": "?"}}, "unknown is not one of them"),
    "order": ({"ranks": (("low", "top"),)}, "it ranks top, which is not one of its values"),
    "circle": ({"ranks": (("low", "high"), ("high", "low"))}, "its order contradicts itself"),
    "direction": ({"direction": "up"}, "its direction is 'up'; it is one of rising, falling, none"),
    "direction without an order": ({"ranks": ()}, "it is rising, but its values have no order"),
    "support of no value": (
        {"support": {"top": "number"}},
        "it says what supports top, which is not one of its values",
    ),
    "kind of support": ({"support": {"low": "luck"}}, "what supports a value is one of number, name, whole_text"),
}


@pytest.mark.parametrize(("change", "says"), FAULTS.values(), ids=FAULTS)
def test_an_incomplete_record_is_refused_naming_the_signal_and_what_is_missing(
    change: dict[str, Any], says: str
) -> None:
    assert record().values == ("low", "high")
    with pytest.raises(ValueError, match="SignalSpec 'mood'") as raised:
        record(**change)
    assert says in str(raised.value)


NEEDED = [field.name for field in fields(SignalSpec) if field.default is MISSING and field.default_factory is MISSING]


@pytest.mark.parametrize("field", NEEDED)
def test_no_field_that_a_record_needs_can_be_left_out(field: str) -> None:
    whole = {one.name: getattr(record(), one.name) for one in fields(SignalSpec) if one.name != "values"}
    del whole[field]
    with pytest.raises(TypeError, match=field):
        SignalSpec(**whole)


def test_a_list_without_a_family_is_refused() -> None:
    with pytest.raises(ValueError, match="ListSpec 'x'"):
        ListSpec(name="x", title="X", family="weather", rule="What is x.")


@pytest.mark.parametrize("name", ["buyer", "traction"])
def test_a_type_that_lacks_a_value_of_its_record_stops_the_import(name: str) -> None:
    from analyzer.vocabulary.signals import Signals

    meanings = {**SIGNALS[name].meanings, "new": "a new value"}
    changed = {**SIGNALS, name: replace(SIGNALS[name], meanings=meanings)}
    with pytest.raises(TypeError, match=f"{name}: its type has the values"):
        check_types(changed, Signals)
    check_types(SIGNALS, Signals)


def test_a_record_without_a_field_and_a_field_without_a_record_stop_the_import() -> None:
    from analyzer.vocabulary.signals import Signals

    class More(Signals):
        mood: Signal[Literal["low", "high"]] = Signal[Literal["low", "high"]]()

    with pytest.raises(TypeError, match="do not have the same signals: mood"):
        check_types({**SIGNALS, "mood": record()}, Signals)
    with pytest.raises(TypeError, match="do not have the same signals: mood"):
        check_types(SIGNALS, More)
    check_types({**SIGNALS, "mood": record()}, More)


@pytest.mark.parametrize("name", [*LISTS, *SIGNALS])
def test_every_signal_and_list_has_a_family_and_a_title_wherever_people_look(name: str) -> None:
    spec = LISTS[name] if name in LISTS else SIGNALS[name]
    assert FAMILY_OF[name] == spec.family
    assert title(name) == spec.title


def test_an_input_derived_from_lists_is_a_record_too() -> None:
    with pytest.raises(ValueError, match="InputSpec 'x': it has no question"):
        InputSpec(name="x", title="X", question="", values=("a", "b"), ranks=(), direction="none")
