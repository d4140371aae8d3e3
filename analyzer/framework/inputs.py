"""What the rulebook may look at: single values, and what is derived from the lists (docs/scoring.md, "Position").

Positions are exact fractions, so that a lean at one third does not depend on rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from analyzer.framework.market import INCUMBENTS, MarketCategory, MarketMap
from analyzer.vocabulary.derived import INPUTS, LEANS
from analyzer.vocabulary.records import SIGNALS
from analyzer.vocabulary.signals import Problem, Quote, Signals
from analyzer.vocabulary.votes import WORLDS, PositionRead, Weights, as_fraction, places, weights

PERSONA_FIT: Final[Mapping[str, str]] = {
    **dict.fromkeys(("data_scientist", "ml_engineer", "ai_engineer", "data_science_manager"), "data_science"),
    **dict.fromkeys(("data_engineer", "platform_engineer", "software_engineer"), "engineering"),
}
_AT = {"day_1": 0, "ml": 0, "both": 1, "day_2": 2, "engineering": 2}


Places = tuple[tuple[Fraction, float], ...]
"""Positions that are possible, each with its weight; the weights sum to 1."""
UNPLACED: Final[Places] = tuple((at, 1 / len(WORLDS)) for at in WORLDS)


@dataclass(frozen=True, slots=True)
class Several:
    """An input that was read in several ways: the weight of each of its values (they sum to 1), the values that were
    read, and the share of votes that name one."""

    weights: tuple[float, ...]
    named: tuple[str, ...]
    said: float


@dataclass(frozen=True, slots=True)
class Facts:
    """One pitch as the rulebook sees it.

    `values` holds every input; None = unknown, or read as several values. `positions` holds where stage and focus may
    be, 0 to 1, with weights. `several` holds the inputs that were read in several ways, positions that share a lean
    included. `quotes` are the words behind each input, `phrases` replace the rulebook's words for a value where the
    signals say it more exactly ("2 competitors are named").
    """

    values: Mapping[str, str | None]
    positions: Mapping[str, Places]
    several: Mapping[str, Several]
    quotes: Mapping[str, tuple[Quote, ...]]
    phrases: Mapping[str, str]

    def open(self, name: str) -> bool:
        """Whether an answer would still settle something: the input is unknown, or was read in several ways."""
        return self.values[name] is None or name in self.several

    def possible(self, name: str) -> tuple[str, ...]:
        """The values that an input may have."""
        value = self.values[name]
        if value is not None:
            return (value,)
        if name in self.several:
            spread = zip(INPUTS[name], self.several[name].weights, strict=True)
            return tuple(value for value, weight in spread if weight)
        return INPUTS[name]


def derive(signals: Signals, market: MarketMap | None = None) -> Facts:
    """The inputs that these signals give, with what the market map (default: the built-in one) knows of the category.
    Silence stays None."""
    category = (market or MarketMap.built_in()).category(str(signals.category.value))
    own = positions(signals)
    places_of = {name: UNPLACED if place is None else ((place, 1.0),) for name, place in own.items()}
    values: dict[str, str | None] = {name: lean(name, place) for name, place in own.items()}
    competitors = signals.competitors
    kinds = {competitor.kind for competitor in competitors}
    values["persona_fit"] = PERSONA_FIT.get(signals.personas[0].role, "other") if signals.personas else None
    values["crowding"] = category.crowding if category else _crowding(len(competitors))
    values["incumbent"] = _incumbent(kinds, category)
    values["in_house"] = None if not competitors else "rivalled" if "in_house" in kinds else "not_rivalled"

    problem_quotes = _quotes(problem.quote for problem in signals.problems)
    quotes: dict[str, tuple[Quote, ...]] = {
        "stage": problem_quotes,
        "focus": problem_quotes,
        "persona_fit": _quotes(persona.quote for persona in signals.personas[:1]),
        "crowding": _quotes(competitor.quote for competitor in competitors),
        "incumbent": _quotes(each.quote for each in competitors if each.kind in INCUMBENTS),
        "in_house": _quotes(each.quote for each in competitors if each.kind == "in_house"),
    }
    several: dict[str, Several] = {}
    for name in SIGNALS:
        if name in INPUTS:
            signal = signals.single(name)
            values[name] = str(signal.value) if signal.known else None
            quotes[name] = signal.quotes
            if signal.also:
                values[name] = _settled(name, weights(INPUTS[name], signal), several)
    phrases = _phrases(signals, category)
    for name, read in signals.derived or ():
        if isinstance(read, PositionRead):
            places_of[name], spread = _places(name, read)
            values[name] = _settled(name, spread, several, len(places_of[name]))
        elif read is not None:
            values[name] = _settled(name, weights(INPUTS[name], read), several)
        if read is not None:
            phrases.pop(name, None)
    return Facts(values, places_of, several, quotes, phrases)


def _settled(name: str, spread: Weights, several: dict[str, Several], places: int = 1) -> str | None:
    """The value of an input by its votes: one if all votes have it, else None. Notes what was read in several ways."""
    if not spread.said:
        return None
    possible = [value for value, weight in zip(INPUTS[name], spread.weights, strict=True) if weight]
    if len(possible) > 1 or places > 1:
        several[name] = Several(spread.weights, spread.named, spread.said)
    return possible[0] if len(possible) == 1 else None


def _places(name: str, read: PositionRead) -> tuple[Places, Weights]:
    """The positions that were read, and the weights of the leans that they have."""
    found, said = places(read)
    leans = [lean(name, at) for at, _ in found]
    by_lean = tuple(
        sum(weight for own, (_, weight) in zip(leans, found, strict=True) if own == value) for value in LEANS[name]
    )
    read_at = [value for value in (read.value, *(vote.value for vote in read.also)) if not isinstance(value, str)]
    named = {lean(name, as_fraction(value)) for value in read_at}
    return found, Weights(by_lean, tuple(value for value in LEANS[name] if value in named), said)


def positions(signals: Signals) -> dict[str, Fraction | None]:
    """Stage and focus in [0, 1]: the mean of the primary problems that can be placed, or of all others where none of
    them can; None where no problem says."""
    return {
        "stage": _position(signals.problems, [problem.stage for problem in signals.problems]),
        "focus": _position(signals.problems, [problem.focus for problem in signals.problems]),
    }


def lean(name: str, position: Fraction | None) -> str | None:
    """The lean of a position: below one third the first, above two thirds the last, mixed between."""
    if position is None:
        return None
    first, mixed, last = LEANS[name]
    # A third and two thirds, without making fractions of them.
    top, bottom = 3 * position.numerator, position.denominator
    return first if top < bottom else last if top > 2 * bottom else mixed


def _position(problems: Iterable[Problem], ends: list[str]) -> Fraction | None:
    placed = [(problem.primary, _AT[end]) for problem, end in zip(problems, ends, strict=True) if end in _AT]
    places = [at for primary, at in placed if primary] or [at for _, at in placed]
    return Fraction(sum(places), 2 * len(places)) if places else None


def _crowding(named: int) -> str | None:
    if named == 0:
        return None
    return "open" if named == 1 else "contested" if named <= 4 else "crowded"


def _incumbent(kinds: Set[str], category: MarketCategory | None) -> str | None:
    if kinds & INCUMBENTS or (category and category.incumbents):
        return "present"
    return "absent" if category else None


def _quotes(found: Iterable[Quote | None]) -> tuple[Quote, ...]:
    return tuple(dict.fromkeys(quote for quote in found if quote is not None))


def _phrases(signals: Signals, category: MarketCategory | None) -> dict[str, str]:
    """What the rulebook's own words cannot know: counts, names and the date of the market map."""
    named = len(signals.competitors)
    count = f"{named} competitor{'s' if named != 1 else ''}"
    if category is None:
        return {"crowding": f"the pitch names {count}"} if named else {}
    title = category.title
    title = title if title.split()[0][1:] != title.split()[0][1:].lower() else title[:1].lower() + title[1:]
    listed = len(category.players)
    counted = f"{category.as_of}, {listed} player{'s' if listed != 1 else ''} listed"
    phrases = {"crowding": f"the market map ({counted}) calls {title} {category.crowding}"}
    if category.incumbents and not {r.kind for r in signals.competitors} & INCUMBENTS:
        vendors = ", ".join(player.name for player in category.incumbents[:2])
        phrases["incumbent"] = f"well-known vendors offer it too ({vendors}; {category.as_of})"
    return phrases
