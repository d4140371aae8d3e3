"""Who uses the product, by what a text says about people and their work."""

from __future__ import annotations

from typing import Final

from analyzer.reading.keywords.categories import CategoryFinder
from analyzer.reading.keywords.evidence import Evidence, meets
from analyzer.reading.keywords.sentences import Hit
from analyzer.reading.keywords.single_values import IN_DATA_SCIENCE, SingleValues
from analyzer.vocabulary.signals import MAX_PERSONAS, Persona, Role

_USER_POINTS: Final = 2


class PersonaFinder:
    """Finds the users in one text."""

    def __init__(self, evidence: Evidence, categories: CategoryFinder, values: SingleValues):
        self._evidence = evidence
        self._text = evidence.text
        self._rules = evidence.rules
        self._categories = categories
        self._values = values

    def find(self) -> tuple[Persona, ...]:
        """The users, the main one first."""
        best: dict[Role, tuple[int, int, Hit]] = {}
        taken: list[tuple[int, int]] = []
        for cues in self._rules.persona.role:
            for cue in self._text.near(cues.cues):
                for hit in self._evidence.hits(cue, self._rules.persona.unless):
                    if any(hit.start < end and start < hit.end for start, end in taken):
                        continue
                    taken.append((hit.start, hit.end))
                    rank = (-self._use_points(hit), hit.start, hit)
                    best[cues.role] = min(best.get(cues.role, rank), rank, key=lambda entry: entry[:2])
        yielding = {cues.role for cues in self._rules.persona.role if cues.yields}
        if best.keys() <= yielding and ((by_work := self._persona_from_work()) or not best):
            return by_work
        enough = max(min(rank[0] for rank in best.values()), -_USER_POINTS)
        ranked = sorted(
            ((role, rank) for role, rank in best.items() if rank[0] <= enough),
            key=lambda entry: (entry[0] in yielding, entry[1][:2]),
        )
        return tuple(Persona(role=role, quote=self._text.quote(hit)) for role, (_, _, hit) in ranked)[:MAX_PERSONAS]

    def _use_points(self, hit: Hit) -> int:
        """How clearly a hit names somebody who uses the product."""
        in_front = self._evidence.place(hit.sentence) in ("title", "opening")
        before = self._text.before(hit, 6)
        if meets(before, self._rules.persona.before):
            return 3 + in_front
        if meets(" ".join(before.split()[-1:]), self._rules.persona.theirs):
            return 0
        return (2 if meets(self._text.after(hit, 2), self._rules.persona.after) else 1) + in_front

    def _persona_from_work(self) -> tuple[Persona, ...]:
        """The role whose work the text describes; if that is none or several, the one whose work the category is."""
        met = {cues.role: hits for cues in self._rules.persona.work if (hits := self._evidence.set_hits(cues))}
        if len(met) != 1 and self._categories.best is not None:
            name, hits = self._categories.best
            user = self._rules.category.of[name].user
            met = {user: hits} if user and (not met or user in met) else {}
        if len(met) != 1:
            return ()
        [(role, hits)] = met.items()
        unwanted = role in IN_DATA_SCIENCE and self._values.find("data_science_fit").get("value") == "ignored"
        return () if unwanted else (Persona(role=role, quote=self._text.quote(hits[0])),)
