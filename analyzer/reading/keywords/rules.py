"""The keyword reader's rules: the data file `rules.toml`, loaded and checked.

Which words speak for which value is data. Each part of the file is one type here, and every fault is named with its
place.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo

from analyzer.framework import market as market_map
from analyzer.framework.market import MarketMap
from analyzer.prepared import prepared
from analyzer.reading.keywords import cue_index, cues
from analyzer.reading.keywords.cue_index import CueIndex
from analyzer.reading.keywords.cues import Cue, CueLanguage, name_cue
from analyzer.vocabulary.signals import SIGNALS, Category, Focus, RivalKind, Role, Stage

_DATA: Final = Path(__file__).with_name("rules.toml")


class _Context(CueLanguage):
    """The language of a data file. `trusted`: its cues were checked before; each is taken apart when it is needed."""

    def __init__(self, words: Mapping[str, Sequence[str]], trusted: bool):
        super().__init__(words)
        self._trusted = trusted

    def checked(self, cue: Cue) -> Cue:
        """The cue. Raises ValueError if it cannot be taken apart."""
        if not self._trusted:
            _ = cue.parts
        return cue


def _read_cue(source: object, info: ValidationInfo) -> Cue:
    language = cast(_Context, info.context)
    return language.checked(language.cue(str(source)))


def _read_any(sources: object, info: ValidationInfo) -> Cue:
    language = cast(_Context, info.context)
    return language.checked(language.any_of([str(source) for source in cast(list[object], sources)]))


OneCue = Annotated[Cue, PlainValidator(_read_cue)]
Cues = tuple[OneCue, ...]
AnyOf = Annotated[Cue, PlainValidator(_read_any)]
"""One of several cues, if it does not matter which."""


class _RulePart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)


class CueSet(_RulePart):
    cues: Cues = Field(min_length=1)
    unless: AnyOf | None = None


class ValueCues(CueSet):
    """Cues for one value of a signal. The head of the data file explains the fields."""

    tier: int
    value: str
    basis: Literal["stated", "inferred"]
    sentences: int = 1
    strength: int = 1
    where: Literal["anywhere", "opening", "title", "own"] = "anywhere"
    competitor: bool | None = None
    code: bool = False


class _Step(CueSet):
    name: str


class ProblemCues(CueSet):
    """Cues for one stage or focus of a problem."""

    value: str


class _StageCues(ProblemCues):
    value: Stage


class _FocusCues(ProblemCues):
    value: Focus


class _RoleCues(CueSet):
    """`yields`: the role gives way to one that the described work has."""

    role: Role
    yields: bool = False


class _UnnamedCues(CueSet):
    kind: RivalKind


class _Negation(_RulePart):
    before: AnyOf
    but: AnyOf
    after: AnyOf


class _Breadth(_RulePart):
    sentences: int
    share: int
    times: int
    industries: Mapping[str, Cues]
    data_kinds: Mapping[str, Cues]
    only: CueSet
    general: CueSet


class _Pricing(_RulePart):
    free: CueSet
    paid: CueSet
    price: CueSet
    sales: CueSet


class _Scope(_RulePart):
    needed: int
    work: Cues
    hints: Cues
    own_use: Cues
    other_trades: Cues
    infrastructure: Cues
    aside: AnyOf


class _CategoryCues(_RulePart):
    user: Role | None = None
    naming: Cues = Field(min_length=1)
    cues: Cues = ()


class _Categories(_RulePart):
    needed: float
    lead: float
    theirs: Cues = ()
    of: Mapping[Category, _CategoryCues]


class _Problems(_RulePart):
    stage: tuple[_StageCues, ...]
    focus: tuple[_FocusCues, ...]


class _Personas(_RulePart):
    before: AnyOf
    theirs: AnyOf
    after: AnyOf
    unless: AnyOf
    role: tuple[_RoleCues, ...]
    work: tuple[_RoleCues, ...]


class KnownNames(_RulePart):
    kind: RivalKind
    names: tuple[str, ...]
    needs_cue: bool = False


class _CompetitorCues(_RulePart):
    against: AnyOf
    strong: Cues
    together: AnyOf
    alone: AnyOf
    heading: AnyOf
    not_names: frozenset[str]
    of_the_map_needs_cue: frozenset[str] = frozenset()
    of_the_map_spellings: tuple[str, ...] = ()
    known: tuple[KnownNames, ...]
    class_: tuple[_UnnamedCues, ...] = Field(alias="class")


class Rules(_RulePart):
    """The data file, checked: every signal, value and word family that it names exists; every cue can be parsed."""

    negation: _Negation
    future: AnyOf
    future_heading: AnyOf
    story: AnyOf
    signal: Mapping[str, tuple[ValueCues, ...]]
    whole_text: Mapping[str, str]
    step: tuple[_Step, ...]
    breadth: _Breadth
    pricing: _Pricing
    scope: _Scope
    category: _Categories
    problem: _Problems
    persona: _Personas
    competitor: _CompetitorCues

    _tables: Mapping[str, Any] | None = None

    @classmethod
    def of_checked(cls, content: Mapping[str, Any], tables: Mapping[str, Any] | None = None) -> Rules:
        """Rules from parsed TOML that `load` has taken before, with the tables of their index."""
        rules = cls._parsed(content, trusted=True)
        rules._tables = tables
        return rules

    @classmethod
    def _parsed(cls, content: Mapping[str, Any], trusted: bool) -> Rules:
        parts = {name: part for name, part in content.items() if name not in ("words", "lists")}
        context = _Context(content.get("words", {}), trusted)
        return cls.model_validate(_with_lists(parts, content.get("lists", {})), context=context)

    @classmethod
    def load(cls, content: Mapping[str, Any]) -> Rules:
        """Rules from parsed TOML. Raises ValueError naming the signal, value, field or cue at fault."""
        rules = cls._parsed(content, trusted=False)
        for name, groups in rules.signal.items():
            if name not in SIGNALS:
                raise ValueError(f"signal.{name}: is not a signal; the vocabulary has {', '.join(SIGNALS)}")
            for group in groups:
                if group.value not in SIGNALS[name].values:
                    raise ValueError(
                        f"signal.{name}: {group.value!r} is not one of its values ({', '.join(SIGNALS[name].values)})"
                    )
        for name, value in rules.whole_text.items():
            if name not in SIGNALS or value not in SIGNALS[name].values:
                raise ValueError(f"whole_text: {name} = {value!r} is not a signal with one of its values")
        market = MarketMap.built_in()
        for name in (name for group in rules.competitor.known for name in group.names):
            if market.match(name) is not None:
                raise ValueError(
                    f"competitor.known: {name!r} is in the market map, which says its kind; leave it out here"
                )
        for name in (*rules.competitor.of_the_map_spellings, *sorted(rules.competitor.of_the_map_needs_cue)):
            if market.match(name) is None:
                raise ValueError(
                    f"competitor: {name!r} is not in the market map; list it under competitor.known with its kind"
                )
        return rules

    @cached_property
    def known(self) -> Mapping[str, KnownNames]:
        """Every known product by name: those in the market map, with their kind there, and those it does not list."""
        market, cues = MarketMap.built_in(), self.competitor
        kinds: dict[str, RivalKind] = {}
        for named in (  # a product's own name outranks another one's alias
            ((player.name, player) for player in market.players),
            ((alias, player) for player in market.players for alias in player.aliases),
            ((name, player) for name in cues.of_the_map_spellings if (player := market.match(name))),
        ):
            for name, player in named:
                kinds.setdefault(name, player.kind)
        cautious = {*cues.of_the_map_needs_cue, *(name for name in kinds if name.lower() in market.ordinary_words)}
        known = {name: KnownNames(kind=kind, names=(name,), needs_cue=name in cautious) for name, kind in kinds.items()}
        return known | {name: group for group in cues.known for name in group.names}

    @cached_property
    def known_names(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.known)

    @cached_property
    def names(self) -> Mapping[Cue, KnownNames]:
        """Known products, the longest names first, so that a name within a longer one is not misread as another."""
        longest_first = sorted(self.known.items(), key=lambda pair: -len(pair[0]))
        return {name_cue(name): known for name, known in longest_first}

    @cached_property
    def index(self) -> CueIndex:
        """Every cue, by the words that it cannot do without."""
        return CueIndex(itertools.chain(_cues_in(self), self.names), self._tables)


def _cues_in(part: Any) -> Iterator[Cue]:
    if isinstance(part, Cue):
        yield part
        return
    inside: Iterable[Any] = ()
    if isinstance(part, tuple):
        inside = part
    elif isinstance(part, dict):
        inside = part.values()
    elif isinstance(part, _RulePart):
        inside = vars(part).values()
    for each in inside:
        yield from _cues_in(each)


def _with_lists(part: Any, lists: Mapping[str, Sequence[str]]) -> Any:
    """The content with each "@name" in a list of cues replaced by the cues of that list."""
    if isinstance(part, dict):
        return {key: _with_lists(value, lists) for key, value in part.items()}
    if not isinstance(part, list):
        return part
    unknown = [entry for entry in part if isinstance(entry, str) and entry.startswith("@") and entry[1:] not in lists]
    if unknown:
        raise ValueError(f"{unknown[0]!r}: there is no such list under [lists]")
    shared = [lists[entry[1:]] if isinstance(entry, str) and entry.startswith("@") else [entry] for entry in part]
    return [_with_lists(entry, lists) for entry in itertools.chain.from_iterable(shared)]


@cache
def _prepared() -> dict[str, Any]:
    code = (Path(module.__file__) for module in (cue_index, cues, market_map) if module.__file__)
    return dict(prepared(_DATA, _worked_out, also_from=(market_map.BUILT_IN, Path(__file__), *code)))


def _worked_out() -> dict[str, Any]:
    import tomllib  # slow to load, and needed once

    content = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    return {"content": content, "index": Rules.load(content).index.tables}


def rules_content() -> dict[str, Any]:
    """The data file, parsed."""
    return cast(dict[str, Any], _prepared()["content"])


@cache
def keyword_rules() -> Rules:
    """The rules that come with the program; the same object every time."""
    return Rules.of_checked(rules_content(), _prepared()["index"])
