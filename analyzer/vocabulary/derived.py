"""The inputs of a rulebook that are derived from a signals document and not read: a record each, as of the signals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from analyzer.vocabulary.records import LISTED, SIGNALS, InputSpec

DAY_1, MIXED, DAY_2 = "day_1", "mixed", "day_2"
LEANS: Final[Mapping[str, tuple[str, str, str]]] = {
    "stage": (DAY_1, MIXED, DAY_2),
    "focus": ("ml", MIXED, "engineering"),
}
"""The two positions with their leans, at 0, ½ and 1."""

_DERIVED: Final = (
    InputSpec(
        name="stage",
        title="Stage",
        question="Do your customers already run models in production, or are they getting their first one there?",
        values=LEANS["stage"],
        ranks=LISTED,
        direction="none",
    ),
    InputSpec(
        name="focus",
        title="Focus",
        question="Whose work is it without the product: a data scientist's or an engineer's?",
        values=LEANS["focus"],
        ranks=LISTED,
        direction="none",
    ),
    InputSpec(
        name="persona_fit",
        title="Main user",
        question="Whose hands are on it every day?",
        values=("data_science", "engineering", "other"),
        ranks=(),
        direction="none",
    ),
    InputSpec(
        name="crowding",
        title="Competition",
        question="Who else could your customer turn to, however imperfect?",
        values=("open", "contested", "crowded"),
        ranks=LISTED,
        direction="falling",
    ),
    InputSpec(
        name="incumbent",
        title="Known vendor",
        question="Which vendor that your customer already pays offers something like it?",
        values=("absent", "present"),
        ranks=LISTED,
        direction="falling",
    ),
    InputSpec(
        name="in_house",
        title="In-house building",
        question="Have customers built this themselves, or do they say that they could?",
        values=("not_rivalled", "rivalled"),
        ranks=LISTED,
        direction="falling",
    ),
)
INPUT_SPECS: Final[Mapping[str, InputSpec]] = {
    **{spec.name: spec for spec in _DERIVED},
    **{name: spec for name, spec in SIGNALS.items() if name != "category"},
}
"""Every input by name: those derived from the lists, then the single-valued signals."""
INPUTS: Final[Mapping[str, tuple[str, ...]]] = {name: spec.values for name, spec in INPUT_SPECS.items()}
"""Every input by name with its values."""
