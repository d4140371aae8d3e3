"""Settles each single-valued signal: several cues into one value, and contradicting ones into unknown."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from analyzer.framework.inputs import PERSONA_FIT
from analyzer.patterns import late
from analyzer.reading.keywords.categories import PLACE_POINTS, CategoryFinder
from analyzer.reading.keywords.competitors import CompetitorFinder
from analyzer.reading.keywords.cues import NUMBER_WORDS
from analyzer.reading.keywords.evidence import Evidence
from analyzer.reading.keywords.rules import Cues, CueSet, ValueCues
from analyzer.reading.keywords.sentences import Hit
from analyzer.vocabulary.signals import MAX_QUOTES, SIGNALS, Persona, Problem

_FIGURE: Final = late(rf"\d|\b(?:{NUMBER_WORDS})\b", re.IGNORECASE)
_AMOUNT: Final = late(r"(?P<digits>\d{1,3}(?:,\d{3})+|\d{1,9}(?:\.\d{1,2})?)\s?(?P<thousand>k\b|thousand)?")
_CHECKOUT_LIMIT: Final = 10_000
"""What a price may be a year, for somebody to pay it without talking to sales."""
_QUOTED_OF_EACH: Final = 2
"""Quotes for each of two kinds of evidence that give a value together."""
IN_DATA_SCIENCE: Final = frozenset(role for role, fit in PERSONA_FIT.items() if fit == "data_science")
"""Roles of people who do data science."""


_DATA_SCIENTISTS: Final = frozenset({"data_scientist", "data_science_manager"})
"""Main users for whom a product is designed for data scientists without its saying so."""


class SingleValues:
    """Finds the single values in one text."""

    def __init__(self, evidence: Evidence, competitors: CompetitorFinder, categories: CategoryFinder):
        self._evidence = evidence
        self._text = evidence.text
        self._rules = evidence.rules
        self._competitors = competitors
        self._categories = categories

    def find(self, name: str) -> dict[str, Any]:
        """The value of a signal with its basis and quotes, by the first tier with a hit; empty if unknown."""
        groups = sorted(self._rules.signal.get(name, ()), key=lambda group: group.tier)
        for _, tier in itertools.groupby(groups, key=lambda group: group.tier):
            found = [(group, self._supporting(name, group.value, self._group_hits(group))) for group in tier]
            if met := [(group, hits) for group, hits in found if hits]:
                return self._settled(met)
        return {}

    def _supporting(self, name: str, value: str, hits: list[Hit]) -> list[Hit]:
        """The hits whose quotes have what the value needs: a figure where it says that something is counted."""
        if SIGNALS[name].support.get(value) != "number":
            return hits
        return [hit for hit in hits if _FIGURE.search(self._text.quote(hit).text)]

    def _settled(self, met: list[tuple[ValueCues, list[Hit]]]) -> dict[str, Any]:
        """The one value, or of two the only one that is stated; else unknown."""
        stated = [entry for entry in met if entry[0].basis == "stated"]
        deciding = stated or met
        if len({group.value for group, _ in deciding}) > 1:
            return {}
        hits = [hit for _, hits in deciding for hit in hits]
        return self._evidence.value(deciding[0][0].value, deciding[0][0].basis, hits)

    def _group_hits(self, group: ValueCues) -> list[Hit]:
        hits: list[Hit] = []
        strength: dict[int, int] = {}
        for cue in self._text.near(group.cues):
            for hit in self._evidence.hits(cue, group.unless, group.code):
                if hit.sentence not in self._evidence.planned and self._is_where(hit, group):
                    hits.append(hit)
                    in_front = self._evidence.place(hit.sentence) in ("title", "opening")
                    strength[hit.sentence] = max(strength.get(hit.sentence, 0), len(cue.needs) + in_front)
        enough = len(strength) >= group.sentences and sum(strength.values()) >= group.strength
        return hits if enough else []

    def _is_where(self, hit: Hit, group: ValueCues) -> bool:
        mentions = self._competitors.mentioned.sentences if group.competitor is not None else frozenset()
        if group.competitor and not mentions & set(range(hit.sentence - 2, hit.sentence + 2)):
            return False
        if group.competitor is False and hit.sentence in mentions:
            return False
        if group.where == "own":
            section = self._text.sentences[hit.sentence].section
            headed = section >= 0 and self._evidence.product.lower() in self._text.words(section).lower()
            return headed or self._evidence.is_own_name(self._text.words(hit.sentence))
        return group.where == "anywhere" or self._evidence.place(hit.sentence) in ("title", group.where)

    def pricing(self) -> dict[str, Any]:
        """The signal `pricing`: by what is free, what there is to buy, and how one begins to pay."""
        rules = self._rules.pricing
        free, price = self._own(rules.free), self._own(rules.price)
        paid = [*price, *self._own(rules.paid)]
        if free and paid:
            return self._evidence.value("free_then_paid", "stated", [*free[:_QUOTED_OF_EACH], *paid[:_QUOTED_OF_EACH]])
        if free:
            return self._evidence.value("free_only", "inferred", free)
        if paid and (sales := self._own(rules.sales)):
            return self._evidence.value("by_quote", "stated", [*paid[:_QUOTED_OF_EACH], *sales[:_QUOTED_OF_EACH]])
        if not price:
            return {}
        yearly = [amount for hit in price if (amount := self._yearly(hit))]
        value = "by_quote" if yearly and min(yearly) > _CHECKOUT_LIMIT else "self_checkout"
        return self._evidence.value(value, "stated", price)

    def _own(self, cues: CueSet) -> list[Hit]:
        """The hits, of announced editions too, but not where a competitor is named: its prices are not ours."""
        others = self._competitors.mentioned.sentences
        return [hit for hit in self._evidence.set_hits(cues, planned=True) if hit.sentence not in others]

    def _yearly(self, price: Hit) -> float:
        """A price by the year, in whatever currency; 0 where it is not by the month or year."""
        words = self._text.plain[price.start : price.end].lower()
        amount = _AMOUNT.search(words)
        times = 12 if "month" in words else 1 if "year" in words else 0
        if amount is None:
            return 0.0
        thousands = 1000 if amount["thousand"] else 1
        return float(amount["digits"].replace(",", "")) * thousands * times

    def lifecycle_scope(self) -> dict[str, Any]:
        """The signal `lifecycle_scope`: by how many steps of the lifecycle the text mentions."""
        others = self._competitors.mentioned.sentences
        found = [
            [hit for hit in self._evidence.set_hits(step) if hit.sentence not in others] for step in self._rules.step
        ]
        first = [hits[0] for hits in found if hits]
        if not first:
            named = self._categories.value()
            return {**named, "value": "single_step", "basis": "inferred"} if named else {}
        value = "single_step" if len(first) == 1 else "several_steps" if len(first) < 4 else "end_to_end"
        return self._evidence.value(value, "inferred", first)

    def market_breadth(self) -> dict[str, Any]:
        """The signal `market_breadth`: by limits that the text states, else by one prevailing industry or kind of data,
        else by general wording."""
        value = self.find("market_breadth")
        if value.get("value") == "niche":
            return value
        if only := self._evidence.set_hits(self._rules.breadth.only):
            return self._evidence.value("vertical", "stated", only)
        for kinds, in_title in (
            (self._rules.breadth.industries, False),
            (self._rules.breadth.data_kinds, True),
        ):
            if prevailing := self._prevailing(kinds, in_title):
                return self._evidence.value("vertical", "inferred", prevailing)
        if value:
            return value
        general = self._evidence.set_hits(self._rules.breadth.general)
        first = min(
            general, key=lambda hit: (-PLACE_POINTS[self._evidence.place(hit.sentence)], hit.start), default=None
        )
        return self._evidence.value("horizontal", "inferred", [first]) if first else {}

    def _prevailing(self, kinds: Mapping[str, Cues], in_title: bool) -> list[Hit]:
        """The hits of the one kind that appears in many sentences, many times more than the next."""
        breadth = self._rules.breadth
        hits = sorted(
            ([hit for cue in self._text.near(cues) for hit in self._text.hits(cue)] for cues in kinds.values()),
            key=_sentence_count,
        )
        most, next_most = hits[-1], hits[-2]
        enough = min(breadth.sentences, max(3, len(self._text.sentences) // breadth.share))
        if _sentence_count(most) < max(enough, breadth.times * _sentence_count(next_most)):
            return []
        if in_title and not any(self._evidence.place(hit.sentence) == "title" for hit in most):
            return []
        return sorted(most, key=lambda hit: hit.start)[:MAX_QUOTES]

    def data_science_fit(self, personas: Sequence[Persona]) -> dict[str, Any]:
        """The signal `data_science_fit`: by the main user, else by cues."""
        if personas and personas[0].role in _DATA_SCIENTISTS:
            return {"value": "designed_for", "basis": "inferred", "quotes": (personas[0].quote,)}
        return self.find("data_science_fit")

    def of_the_whole(self, value: str, problems: Sequence[Problem]) -> dict[str, Any]:
        """A value that rests on the whole text, with the first sentence below the title, or the one that says what is
        sold; empty if none does."""
        placed = next((each for each in problems if "unclear" not in (each.stage, each.focus)), None)
        if placed is None:
            return {}
        starts = [(number, self._text.sentences[number].start) for number in self._evidence.front[1:2]]
        quotes = [self._text.quote(Hit(number, start, start)) for number, start in starts]
        return {"value": value, "basis": "inferred", "quotes": tuple(quotes) or (placed.quote,)}


def _sentence_count(hits: Iterable[Hit]) -> int:
    return len({hit.sentence for hit in hits})
