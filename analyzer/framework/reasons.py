"""Why a consideration got its points, and why a gate holds or not: sentences from the rulebook's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

from analyzer.framework.assessment import Range
from analyzer.framework.inputs import Facts
from analyzer.framework.rulebook import Consideration, Gate, Rulebook
from analyzer.vocabulary.labels import capital, joined


class Reasons:
    """The sentences for one pitch. What each input may be is worked out once, since many sentences name it."""

    def __init__(self, rulebook: Rulebook, facts: Facts):
        self._rulebook = rulebook
        self._facts = facts
        self._possible: dict[str, tuple[str, ...]] = {}
        self._phrases: dict[str, str] = {}

    def of(self, consideration: Consideration, points: Range) -> str:
        """Why a consideration got its points; where something is unknown, what it is and which points are possible."""
        inputs = consideration.inputs
        known = self._known(inputs)
        if len(known) == len(inputs):
            key = tuple(self._values(name)[0] for name in inputs)
            return consideration.reasons[consideration.deciding[key].reason].format_map(known)
        effect = (
            f"but that makes no difference: {points.low:g} of 10 points"
            if points.width == 0
            else f"so anything from {points.low:g} to {points.high:g} of 10 points is possible"
        )
        silence = f"{self._silent(inputs)}, {effect}."
        return f"{capital(_clauses(list(known.values())))}. {silence}" if known else silence

    def of_gate(self, gate: Gate, state: str) -> str:
        """Why a gate holds, or does not, or what would decide it."""
        if state == "open":
            undecided = [name for name in gate.inputs if not set(self._values(name)) <= set(gate.when[name])]
            return f"{self._silent(undecided)}."
        words = self._known(gate.inputs)
        words |= {name: self._one_of(name) for name in gate.inputs if name not in words}
        if state == "holds":
            return gate.reason.format_map(words)
        against = [name for name in gate.inputs if not set(self._values(name)) & set(gate.when[name])]
        return f"It does not apply: {_clauses([words[name] for name in against or gate.inputs])}."

    def _one_of(self, name: str) -> str:
        """The words of all values that an input may have."""
        found = self._rulebook.words(name).found
        return " or ".join(found[value] for value in self._values(name))

    def _values(self, name: str) -> tuple[str, ...]:
        """The values that an input or an intermediate table may have."""
        found = self._possible.get(name)
        if found is None:
            found = self._possible[name] = self._worked_out(name)
        return found

    def _worked_out(self, name: str) -> tuple[str, ...]:
        table = self._rulebook.tables.get(name)
        if table is None:
            return self._facts.possible(name)
        every = product(*(self._values(other) for other in table.inputs))
        found = {table.deciding[key].value for key in every}
        return tuple(value for value in table.values if value in found)

    def _known(self, names: Iterable[str]) -> dict[str, str]:
        """The words for those inputs that have one value."""
        return {name: self._phrase(name) for name in names if len(self._values(name)) == 1}

    def _phrase(self, name: str) -> str:
        found = self._phrases.get(name)
        if found is None:
            found = self._facts.phrases.get(name) or self._rulebook.words(name).found[self._values(name)[0]]
            self._phrases[name] = found
        return found

    def _silent(self, names: Iterable[str]) -> str:
        """What is open of these inputs, as a clause: what the pitch does not say, and where readings differ."""
        unclear = [name for name in names if len(self._values(name)) > 1]
        several, clauses = self._facts.several, []
        for name in unclear:
            if name in several:
                found = [self._rulebook.words(name).found[value] for value in several[name].named]
                differ = f"readings differ on whether {joined(found, 'or')}"
                clauses.append(differ if len(found) > 1 else f"not every reading finds that {found[0]}")
        unknown = [self._rulebook.words(name).unknown for name in unclear if name not in several]
        if unknown:
            clauses.append(f"the pitch does not say {joined(unknown, 'or')}")
        return capital(_clauses(clauses))


def _clauses(clauses: Sequence[str]) -> str:
    """Clauses in one sentence: "a", "a, and b", "a, b, and c"."""
    return clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])}, and {clauses[-1]}"
