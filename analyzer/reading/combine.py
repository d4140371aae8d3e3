"""Combines several readings of one pitch into one signals document, signal by signal, by votes. Pure.

Every value that was read stays in the document with its votes, so the scorer takes all of them. The order of the
readings makes no difference: they are sorted by their content first. Readings that are all alike give their own
document, with votes.

Ties: a value before unknown, then the value that comes first in the vocabulary, which is the weaker case where values
have an order. Scope decides by the majority, and the readings that say otherwise do not vote on anything else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any, Final, Generic, TypeVar, get_args

from analyzer.framework.inputs import derive, positions
from analyzer.framework.market import MarketMap
from analyzer.framework.names import ALIKE, likeness
from analyzer.vocabulary.derived import INPUTS, LEANS
from analyzer.vocabulary.records import SIGNALS, UNKNOWN
from analyzer.vocabulary.signals import (
    MAX_COMPETITORS,
    MAX_PERSONAS,
    MAX_PROBLEMS,
    MAX_QUOTES,
    Competitor,
    Focus,
    Persona,
    Problem,
    Quote,
    RivalKind,
    Signals,
    Stage,
)
from analyzer.vocabulary.votes import Derived, ScopeRead

T = TypeVar("T", bound=Hashable)
E = TypeVar("E", Problem, Persona, Competitor)

_SAME_PLACE: Final = 0.5
"""The share of the shorter of two quotes that both have in common, from which on they are the same place."""
_NAMELESS: Final = frozenset({"in_house", "manual_process"})
"""Kinds of competitors that have no name but the reader's own words."""


def combined(readings: Sequence[Signals], market: MarketMap | None = None) -> Signals:
    """The signals document of several readings of one pitch. `market`: what the votes on competition and known vendors
    rest on, besides the readings (default: the built-in map).

    Raises ValueError without a reading.
    """
    if not readings:
        raise ValueError("there are no readings to combine")
    market = market or MarketMap.built_in()
    ordered = sorted(readings, key=Signals.model_dump_json)
    inside = [reading for reading in ordered if reading.in_scope]
    outside = [reading for reading in ordered if not reading.in_scope]
    voters = outside if len(outside) > len(inside) else inside
    scope = ScopeRead(in_scope=len(inside), out_of_scope=len(outside)) if inside and outside else None
    if len(voters) == 1 and scope is None:
        return voters[0]
    votes = {name: _votes((str(each.single(name).value) for each in voters), spec.values) for name, spec in _SINGLES}
    voters = _typical_first(voters, {name: counted[0][0] for name, counted in votes.items()})
    signals = Signals.model_validate(
        {
            "in_scope": len(inside) > len(outside),
            "product": _most(filter(None, (each.product for each in voters)), ""),
            "summary": next(filter(None, (each.summary for each in voters)), ""),
            "problems": _problems([each.problems for each in voters]),
            "personas": _personas([each.personas for each in voters]),
            "competitors": _competitors([each.competitors for each in voters], market),
            **{name: _single(name, counted, voters) for name, counted in votes.items()},
            "scope": scope,
        }
    )
    return signals.model_copy(update={"derived": _derived(signals, voters, market)})


_SINGLES: Final = tuple(SIGNALS.items())


# ---------------------------------------------------------------- single values


def _votes(values: Iterable[str], order: Sequence[str]) -> list[tuple[str, int]]:
    """The values with their votes, most votes first; of as many, a value before unknown, then in this order."""
    places = {value: place for place, value in enumerate((*order, UNKNOWN))}
    return sorted(Counter(values).items(), key=lambda vote: (-vote[1], places[vote[0]]))


def _with_votes(counted: Sequence[tuple[Any, int]]) -> dict[str, Any]:
    """The votes as a document has them."""
    (value, votes), *others = counted
    return {"value": value, "votes": votes, "also": [{"value": other, "votes": count} for other, count in others]}


def _single(name: str, counted: Sequence[tuple[str, int]], voters: Sequence[Signals]) -> dict[str, Any]:
    """A single value: the votes, and what all readings that have the first value rest it on."""
    whole = _with_votes(counted)
    agreeing = [signal for signal in (each.single(name) for each in voters) if signal.value == whole["value"]]
    stated = sum(signal.basis == "stated" for signal in agreeing)
    basis = agreeing[0].basis if len({signal.basis for signal in agreeing}) == 1 else None
    basis = basis or ("stated" if 2 * stated > len(agreeing) else "inferred")
    return {**whole, "basis": basis, "quotes": _quotes([signal.quotes for signal in agreeing])}


def other_quotes(signals: Signals, readings: Sequence[Signals]) -> dict[tuple[str, str], tuple[Quote, ...]]:
    """The quotes of the values that only some readings have, by signal and value: the document has no place for them.
    Readings that say otherwise on scope have no vote."""
    voters = [reading for reading in readings if reading.in_scope == signals.in_scope or signals.scope is None]
    return {
        (name, vote.value): tuple(
            _quotes([each.single(name).quotes for each in voters if each.single(name).value == vote.value])
        )
        for name in SIGNALS
        for vote in signals.single(name).also
        if vote.value != UNKNOWN
    }


def _quotes(lists: Sequence[Sequence[Quote]]) -> list[Quote]:
    """The quotes of all readings, those that most have first; of quotes at one place, of different readings, one."""
    counts = Counter(quote for quotes in lists for quote in quotes)
    place = {quote: min(quotes.index(quote) for quotes in lists if quote in quotes) for quote in counts}
    taken: list[Quote] = []
    for quote in sorted(
        counts, key=lambda each: (-counts[each], place[each], each.start or 0, -(each.end or 0), each.text)
    ):
        together = [other for other in taken if any(quote in quotes and other in quotes for quotes in lists)]
        if not any(_overlap(quote, other) >= _SAME_PLACE for other in taken if other not in together):
            taken.append(quote)
    return taken[:MAX_QUOTES]


def _overlap(one: Quote | None, other: Quote | None) -> float:
    """The share of the shorter quote that is also in the other, 0 to 1."""
    if one is None or other is None:
        return 0.0
    if one.start is None or one.end is None or other.start is None or other.end is None:
        return float(one.text == other.text)
    common = min(one.end, other.end) - max(one.start, other.start)
    return max(0.0, common / max(1, min(one.end - one.start, other.end - other.start)))


def _most(values: Iterable[T], default: T) -> T:
    """The value that most have; of as many, the one that comes first."""
    return next((value for value, _ in Counter(values).most_common(1)), default)


def _typical_first(voters: Sequence[Signals], winners: Mapping[str, str]) -> list[Signals]:
    """The readings, those first that have most of the values with the most votes: free texts are taken from them."""
    return sorted(voters, key=lambda each: -sum(each.single(name).value == value for name, value in winners.items()))


# ---------------------------------------------------------------- lists


@dataclass(frozen=True, slots=True)
class _SameEntry(Generic[E]):
    """Entries of several readings that mean the same, at most one of each: number of the reading, place in its list,
    and the entry."""

    members: tuple[tuple[int, int, E], ...]

    @property
    def entries(self) -> list[E]:
        return [entry for _, _, entry in self.members]

    @property
    def votes(self) -> int:
        return len(self.members)

    @property
    def place(self) -> tuple[Fraction, tuple[int, int]]:
        """Where the entry is in its lists, on average."""
        mean = Fraction(sum(place for _, place, _ in self.members), len(self.members))
        return mean, min((reading, place) for reading, place, _ in self.members)


def _grouped(lists: Sequence[Sequence[E]], alike: Callable[[E, E], float]) -> list[_SameEntry[E]]:
    """The entries of all lists in groups of the same: the most alike (`alike` above 0) are joined first."""
    every = [(reading, place, entry) for reading, entries in enumerate(lists) for place, entry in enumerate(entries)]
    pairs: list[tuple[bool, float, int, int]] = []
    for one, other in combinations(range(len(every)), 2):
        (reading, _, entry), (later, _, candidate) = every[one], every[other]
        score = alike(entry, candidate) if reading != later else 0.0
        if score > 0:
            pairs.append((entry != candidate, -score, one, other))
    group: dict[int, tuple[int, ...]] = {number: (number,) for number in range(len(every))}
    for pair in sorted(pairs):
        first, second = group[pair[2]], group[pair[3]]
        joined = first + second
        if first != second and len({every[number][0] for number in joined}) == len(joined):
            group.update(dict.fromkeys(joined, joined))
    return [_SameEntry(tuple(every[number] for number in sorted(numbers))) for numbers in dict.fromkeys(group.values())]


def _voted_in(lists: Sequence[Sequence[E]], alike: Callable[[E, E], float], most: int) -> list[_SameEntry[E]]:
    """The groups that at least half of the readings have; where half have entries but no group has half of the votes,
    those with the most. In the order of the lists."""
    groups = _grouped(lists, alike)
    voted = [group for group in groups if 2 * group.votes >= len(lists)]
    if not voted and groups and 2 * sum(map(bool, lists)) >= len(lists):
        highest = max(group.votes for group in groups)
        voted = [group for group in groups if group.votes == highest]
    voted.sort(key=lambda group: (-group.votes, group.place))
    return sorted(voted[:most], key=lambda group: group.place)


def _problems(lists: Sequence[Sequence[Problem]]) -> list[Problem]:
    def alike(one: Problem, other: Problem) -> float:
        place = _overlap(one.quote, other.quote)
        from rapidfuzz import fuzz, utils  # one reading needs none of it

        words = fuzz.token_set_ratio(one.statement, other.statement, processor=utils.default_process)
        if place < _SAME_PLACE and words < ALIKE:
            return 0.0
        return 1 + place + words / 100 + (one.stage == other.stage) / 2 + (one.focus == other.focus) / 2

    return [
        Problem(
            statement=_most((entry.statement for entry in group.entries), ""),
            quote=_quote(group),
            stage=_placed((entry.stage for entry in group.entries), get_args(Stage)),
            focus=_placed((entry.focus for entry in group.entries), get_args(Focus)),
            primary=2 * sum(entry.primary for entry in group.entries) >= group.votes,
            votes=group.votes,
        )
        for group in _voted_in(lists, alike, MAX_PROBLEMS)
    ]


def _personas(lists: Sequence[Sequence[Persona]]) -> list[Persona]:
    """The users, first the one that most readings name first."""

    def alike(one: Persona, other: Persona) -> float:
        return 1 + _overlap(one.quote, other.quote) if one.role == other.role else 0.0

    groups = _voted_in(lists, alike, MAX_PERSONAS)

    def named_first(group: _SameEntry[Persona]) -> int:
        return sum(place == 0 for _, place, _ in group.members)

    most = max(map(named_first, groups), default=0)
    main = next((group for group in groups if named_first(group) == most), None)
    groups.sort(key=lambda group: group is not main)
    return [Persona(role=group.entries[0].role, quote=_quote(group), votes=group.votes) for group in groups]


def _competitors(lists: Sequence[Sequence[Competitor]], market: MarketMap) -> list[Competitor]:
    def alike(one: Competitor, other: Competitor) -> float:
        place = _overlap(one.quote, other.quote)
        if one.kind == other.kind and one.kind in _NAMELESS and place >= _SAME_PLACE:
            return 1 + place
        named = likeness(one.name, other.name, market)
        return 1 + place + named / 100 if named >= ALIKE else 0.0

    return [
        Competitor(
            name=_most((entry.name for entry in group.entries), ""),
            kind=_placed((entry.kind for entry in group.entries), get_args(RivalKind)),
            quote=_quote(group),
            votes=group.votes,
        )
        for group in _voted_in(lists, alike, MAX_COMPETITORS)
    ]


def _quote(group: _SameEntry[E]) -> Quote | None:
    return _most((entry.quote for entry in group.entries if entry.quote is not None), None)


def _placed(values: Iterable[Any], order: Sequence[str]) -> Any:
    """The value with the most votes; of as many, the first in this order, in which "unclear" is last."""
    return _votes(values, order)[0][0]


# ---------------------------------------------------------------- what follows from the lists


def _derived(signals: Signals, voters: Sequence[Signals], market: MarketMap) -> Derived | None:
    """The votes on what is derived from the lists, wherever the readings differ or the combined lists say something
    else than they do."""
    found: dict[str, Any] = {}
    facts = [derive(each, market).values for each in voters]
    own = derive(signals, market).values
    places, own_place = [positions(each) for each in voters], positions(signals)
    for name in Derived.model_fields:
        if name in LEANS:
            at = Counter(each[name] for each in places)
            if set(at) != {own_place[name]}:
                known = sorted(at.items(), key=lambda vote: (-vote[1], vote[0] is None, vote[0] or 0))
                found[name] = _with_votes([(UNKNOWN if p is None else float(p), votes) for p, votes in known])
            continue
        values = [each[name] or UNKNOWN for each in facts]
        if set(values) != {own[name] or UNKNOWN}:
            found[name] = _with_votes(_votes(values, INPUTS[name]))
    return Derived.model_validate(found) if found else None
