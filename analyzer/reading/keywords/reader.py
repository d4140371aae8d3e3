"""Pitch text to signals without a model: cue phrases, in milliseconds, the same answer every time. Rough, and says so.

Which words speak for which value is data (`rules.toml`); this module hides what a cue means where it stands (denied,
planned, in a code block, in text that counts for nothing) and how several are settled into one value. It would rather
miss than claim: no cue, or cues that contradict each other, is unknown, and every value carries the sentence it was
read from.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo

from analyzer.framework.assessment import ReaderRef, Warning
from analyzer.framework.inputs import PERSONA_FIT
from analyzer.framework.market import MarketMap
from analyzer.reading.keywords.cues import NAME_WORD, Cue, CueLanguage, either, name_cue
from analyzer.reading.keywords.sentences import Hit, Place, Text
from analyzer.reading.pitch import Pitch
from analyzer.reading.reading import Reading
from analyzer.vocabulary.signals import (
    MAX_COMPETITORS,
    MAX_PERSONAS,
    MAX_PROBLEMS,
    MAX_QUOTES,
    SIGNALS,
    Category,
    Competitor,
    Focus,
    Persona,
    Problem,
    RivalKind,
    Role,
    Signals,
    Stage,
)

T = TypeVar("T", bound=str)

_DATA: Final = Path(__file__).with_name("rules.toml")
_STATEMENT_WORDS: Final = 25
_SUMMARY_WORDS: Final = 30
_NAME_WORDS: Final = 5
_HITS_PER_CUE: Final = 24
_WORDS_BEFORE: Final = 6
_WORDS_AFTER: Final = 5
_CONTEXT_CHARACTERS: Final = 80
_PLACE_POINTS: Final[Mapping[Place, int]] = {"title": 4, "opening": 3, "early": 2, "later": 1}
_CLEAR_POINTS: Final = 2
_USER_POINTS: Final = 2
_SECONDARY_PROBLEMS: Final = 2
_CONTRARY: Final = 3
_IN_DATA_SCIENCE: Final = frozenset(role for role, fit in PERSONA_FIT.items() if fit == "data_science")
_STAGES: Final = ("day_1", "day_2")
_OF_LEAN: Final = {"mixed": "both"}
"""What a problem is where its product leans to neither end."""
_ROUGH: Final = (
    "Read by cue phrases, without a model: rough, and for English only. Check the quotes, and what is unknown, "
    "against the pitch."
)
_NO_SIGN: Final = (
    "No words of machine-learning work were found, so the product is taken to be out of scope; other wording or "
    "another language may be all that is behind it."
)


def read_with_keywords(text: str, ignore: Sequence[tuple[int, int]] = ()) -> Signals:
    """Signals as far as cue phrases tell. Pure and deterministic; any text is read, none raises.

    `ignore`: spans (start, end) in characters whose text is evidence for nothing. Every quote is verbatim with its
    offsets. A text with no sign of being about the making of ML is out of scope.
    """
    rules = _rules()
    return _Reader(rules, Text(text, ignore)).signals()


@cache
def keywords_sha256() -> str:
    """Fingerprint of the rules: over the content of the data file, not over its comments, and of the market map."""
    content = [_content(), MarketMap.built_in().sha256]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


class KeywordReader:
    """The keyword reader in the shape of every reader."""

    async def read(self, pitch: Pitch) -> Reading:
        signals = read_with_keywords(pitch.text, pitch.planted)
        messages = [_ROUGH] if signals.in_scope else [_ROUGH, _NO_SIGN]
        warnings = (*pitch.warnings, *(Warning(kind="rough_reader", message=message) for message in messages))
        return Reading(signals, ReaderRef(model="keywords", prompt_sha256=keywords_sha256()), warnings)


# ---------------------------------------------------------------- the rules


def _read_cue(source: object, info: ValidationInfo) -> Cue:
    language = cast(CueLanguage, info.context)
    return language.cue(str(source))


def _read_any(sources: object, info: ValidationInfo) -> Cue:
    language = cast(CueLanguage, info.context)
    cues = [language.cue(str(source)) for source in cast(list[object], sources)]
    return Cue(*either([(cue.regex.replace("(?P<org>", "(?:"), cue.needs) for cue in cues]))


OneCue = Annotated[Cue, PlainValidator(_read_cue)]
Cues = tuple[OneCue, ...]
AnyOf = Annotated[Cue, PlainValidator(_read_any)]
"""One of several cues, where it does not matter which."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class _CueSet(_Record):
    cues: Cues = Field(min_length=1)
    unless: AnyOf | None = None


class _Group(_CueSet):
    """Cues for one value of a signal. What the fields mean stands at the head of the data file."""

    tier: int
    value: str
    basis: Literal["stated", "inferred"]
    sentences: int = 1
    where: Literal["anywhere", "opening", "title", "own"] = "anywhere"
    rival: bool | None = None
    code: bool = False


class _Step(_CueSet):
    name: str


class _StageCues(_CueSet):
    value: Stage


class _FocusCues(_CueSet):
    value: Focus


class _RoleCues(_CueSet):
    role: Role


class _ClassCues(_CueSet):
    kind: RivalKind


class _Negation(_Record):
    before: AnyOf
    but: AnyOf
    after: AnyOf


class _Breadth(_Record):
    sentences: int
    share: int
    times: int
    industries: Mapping[str, Cues]
    data_kinds: Mapping[str, Cues]
    only: _CueSet
    general: _CueSet


class _Scope(_Record):
    needed: int
    work: Cues
    hints: Cues
    own_use: Cues
    other_trades: Cues
    infrastructure: Cues
    aside: AnyOf


class _CategoryCues(_Record):
    user: Role | None = None
    naming: Cues = Field(min_length=1)
    cues: Cues = ()


class _Categories(_Record):
    needed: float
    lead: float
    of: Mapping[Category, _CategoryCues]


class _Problems(_Record):
    stage: tuple[_StageCues, ...]
    focus: tuple[_FocusCues, ...]


class _Personas(_Record):
    before: AnyOf
    theirs: AnyOf
    after: AnyOf
    unless: AnyOf
    role: tuple[_RoleCues, ...]
    work: tuple[_RoleCues, ...]


class _Known(_Record):
    kind: RivalKind
    names: tuple[str, ...]
    needs_cue: bool = False


class _Rivals(_Record):
    against: AnyOf
    strong: Cues
    together: AnyOf
    alone: AnyOf
    heading: AnyOf
    not_names: frozenset[str]
    of_the_map_needs_cue: frozenset[str] = frozenset()
    of_the_map_spellings: tuple[str, ...] = ()
    known: tuple[_Known, ...]
    class_: tuple[_ClassCues, ...] = Field(alias="class")


class _Rules(_Record):
    """The data file, checked: every signal, value and family of words it names exists, every cue can be read."""

    negation: _Negation
    future: AnyOf
    story: AnyOf
    signal: Mapping[str, tuple[_Group, ...]]
    step: tuple[_Step, ...]
    breadth: _Breadth
    scope: _Scope
    category: _Categories
    problem: _Problems
    persona: _Personas
    rival: _Rivals

    @classmethod
    def load(cls, content: Mapping[str, Any]) -> _Rules:
        """Rules from parsed TOML. Raises ValueError naming the signal, value, field or cue at fault."""
        parts = {name: part for name, part in content.items() if name not in ("words", "lists")}
        language = CueLanguage(content.get("words", {}))
        rules = cls.model_validate(_with_lists(parts, content.get("lists", {})), context=language)
        for name, groups in rules.signal.items():
            if name not in SIGNALS:
                raise ValueError(f"signal.{name}: there is no such signal; the vocabulary has {', '.join(SIGNALS)}")
            for group in groups:
                if group.value not in SIGNALS[name].values:
                    raise ValueError(
                        f"signal.{name}: {group.value!r} is not one of its values ({', '.join(SIGNALS[name].values)})"
                    )
        market = MarketMap.built_in()
        for name in (name for group in rules.rival.known for name in group.names):
            if market.match(name) is not None:
                raise ValueError(f"rival.known: {name!r} is in the market map, which says its kind; leave it out here")
        for name in (*rules.rival.of_the_map_spellings, *sorted(rules.rival.of_the_map_needs_cue)):
            if market.match(name) is None:
                raise ValueError(f"rival: {name!r} is not in the market map; list it under rival.known with its kind")
        return rules

    @cached_property
    def known(self) -> Mapping[str, _Known]:
        """Every name of a known product: those of the market map, of their kind there, and those it does not list."""
        market, rival = MarketMap.built_in(), self.rival
        kinds: dict[str, RivalKind] = {}
        for named in (  # a product's own name counts before another one's alias
            ((player.name, player) for player in market.players),
            ((alias, player) for player in market.players for alias in player.aliases),
            ((name, player) for name in rival.of_the_map_spellings if (player := market.match(name))),
        ):
            for name, player in named:
                kinds.setdefault(name, player.kind)
        cautious = {*rival.of_the_map_needs_cue, *(name for name in kinds if name.lower() in market.ordinary_words)}
        known = {name: _Known(kind=kind, names=(name,), needs_cue=name in cautious) for name, kind in kinds.items()}
        return known | {name: group for group in rival.known for name in group.names}

    @cached_property
    def known_names(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.known)

    @cached_property
    def names(self) -> tuple[tuple[Cue, str, _Known], ...]:
        """Known products, the longest names first, so that a name within a longer one is not taken for another."""
        longest_first = sorted(self.known.items(), key=lambda pair: -len(pair[0]))
        return tuple((name_cue(name), name, known) for name, known in longest_first)


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
def _content() -> dict[str, Any]:
    return tomllib.loads(_DATA.read_text(encoding="utf-8"))


@cache
def _rules() -> _Rules:
    return _Rules.load(_content())


# ---------------------------------------------------------------- reading

_TITLE_NAME = re.compile(r"(?P<name>\S.{0,58}?)\s{0,3}(?::\s|\s[-|]\s|\s-$)")
_SUBJECT = re.compile(
    r"(?:(?P<name>[A-Z]\w[\w.+&-]*(?:\s[A-Z][\w.+&]*){0,3}),?\s(?:is|[a-z]{2,}s|raises|automatically)\b"
    r"|(?P<small>\w[\w.+-]+)\s(?:is an?|automatically|lets|helps)\s)"
)
_TITLE_LEAD = re.compile(r"(?:Show HN:|Launch HN:|Subject:|Re:|Introducing|Announcing|Meet)\s", re.IGNORECASE)
_LISTED_NAMES = re.compile(
    rf"\s{{0,3}}(?:the\s)?({NAME_WORD}(?:\s{NAME_WORD}){{0,2}})(?:\s?,\s?|\s(?:and|or)\s|$|(?=\W))"
)


@dataclass(frozen=True, slots=True)
class _Found:
    """The rivals of a pitch and the sentences that name them."""

    competitors: tuple[Competitor, ...]
    sentences: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Placing:
    """What one or more sentences say of a problem's stage and focus, and how clearly."""

    stage: Stage
    focus: Focus
    points: int = 0


class _Reader:
    """Reads one text by the rules."""

    def __init__(self, rules: _Rules, text: Text):
        self._rules = rules
        self._text = text
        self._excepted: dict[Cue, frozenset[int]] = {}
        self._ends: dict[tuple[int, Cue], list[int]] = {}
        self._planned = self._sentences_with(rules.future)

    def signals(self) -> Signals:
        in_scope = self._in_scope()
        personas = self._personas() if in_scope else ()
        found = {
            name: self._single(name)
            for name in self._rules.signal
            if name not in ("data_science_fit", "market_breadth")
        }
        if in_scope:
            found["category"] = self._category_signal()
            found["lifecycle_scope"] = self._lifecycle_scope()
            found["market_breadth"] = self._market_breadth()
            found["data_science_fit"] = self._data_science_fit(personas)
            found["differentiation"] = found["differentiation"] or self._claim()
        return Signals.model_validate(
            {
                "in_scope": in_scope,
                "product": self._product,
                "summary": self._summary(),
                "problems": self._problems() if in_scope else (),
                "personas": personas,
                "competitors": self._rivals.competitors,
                **found,
            }
        )

    # Where a cue counts

    def _counted(self, cue: Cue, unless: Cue | None = None, code: bool = False) -> Iterator[Hit]:
        """The hits of a cue that are evidence: not excepted, not denied, no known product for an organisation."""
        excepted = self._sentences_with(unless)
        for hit in itertools.islice(self._text.hits(cue, code), _HITS_PER_CUE):
            if hit.sentence in excepted or self._denied(hit) or (hit.org and not self._is_customer(hit.org)):
                continue
            yield hit

    def _denied(self, hit: Hit) -> bool:
        negation = self._rules.negation
        if hit.sentence in self._sentences_with(negation.before):
            before = self._text.before(hit, _WORDS_BEFORE)
            if _meets(before, negation.before) and not _meets(before, negation.but):
                return True
        if hit.sentence not in self._sentences_with(negation.after):
            return False
        return _meets(self._text.after(hit, _WORDS_AFTER), negation.after)

    def _sentences_with(self, cue: Cue | None) -> frozenset[int]:
        if cue is None:
            return frozenset()
        if cue not in self._excepted:
            self._excepted[cue] = frozenset(hit.sentence for hit in self._text.hits(cue, code=True))
        return self._excepted[cue]

    def _is_customer(self, org: str) -> bool:
        """Whether a capitalised name can be a customer: no common word, no known product, not the product itself."""
        first = org.lower().split()[0]
        common = first in self._rules.rival.not_names
        return not (common or {org.lower(), first} & self._rules.known_names or self._is_own_name(org))

    def _is_own_name(self, name: str) -> bool:
        return bool(self._product) and name.lower().split()[0] == self._product.lower().split()[0]

    def _at(self, sentence: int) -> Place:
        return self._text.sentences[sentence].place

    # Single values

    def _single(self, name: str) -> dict[str, Any]:
        groups = sorted(self._rules.signal.get(name, ()), key=lambda group: group.tier)
        for _, tier in itertools.groupby(groups, key=lambda group: group.tier):
            met = [(group, hits) for group in tier if (hits := self._group_hits(group))]
            if met:
                return self._settled(met)
        return {}

    def _settled(self, met: list[tuple[_Group, list[Hit]]]) -> dict[str, Any]:
        """One value, or two of which only one is stated; else unknown."""
        stated = [entry for entry in met if entry[0].basis == "stated"]
        deciding = stated or met
        if len({group.value for group, _ in deciding}) > 1:
            return {}
        hits = [hit for _, hits in deciding for hit in hits]
        return self._signal(deciding[0][0].value, deciding[0][0].basis, hits)

    def _signal(self, value: str, basis: str, hits: Iterable[Hit]) -> dict[str, Any]:
        quotes = dict.fromkeys(self._text.quote(hit) for hit in sorted(hits, key=lambda hit: hit.start))
        return {"value": value, "basis": basis, "quotes": tuple(quotes)[:MAX_QUOTES]}

    def _group_hits(self, group: _Group) -> list[Hit]:
        hits = [
            hit
            for cue in group.cues
            for hit in self._counted(cue, group.unless, group.code)
            if hit.sentence not in self._planned and self._is_where(hit, group)
        ]
        return hits if len({hit.sentence for hit in hits}) >= group.sentences else []

    def _is_where(self, hit: Hit, group: _Group) -> bool:
        if group.rival and not self._rivals.sentences & set(range(hit.sentence - 2, hit.sentence + 2)):
            return False
        if group.rival is False and hit.sentence in self._rivals.sentences:
            return False
        if group.where == "own":
            section = self._text.sentences[hit.sentence].section
            headed = section >= 0 and self._product.lower() in self._text.words(section).lower()
            return headed or self._is_own_name(self._text.words(hit.sentence))
        return group.where == "anywhere" or self._at(hit.sentence) in ("title", group.where)

    def _lifecycle_scope(self) -> dict[str, Any]:
        first = [hits[0] for step in self._rules.step if (hits := self._set_hits(step))]
        if not first:
            named = self._category_signal()
            return {**named, "value": "single_step", "basis": "inferred"} if named else {}
        value = "single_step" if len(first) == 1 else "several_steps" if len(first) < 4 else "end_to_end"
        return self._signal(value, "inferred", first)

    def _set_hits(self, cues: _CueSet) -> list[Hit]:
        hits = [
            hit for cue in cues.cues for hit in self._counted(cue, cues.unless) if hit.sentence not in self._planned
        ]
        return sorted(hits, key=lambda hit: hit.start)

    def _market_breadth(self) -> dict[str, Any]:
        """Limits in the text's own words, then one industry or kind of data that prevails, then general wording."""
        said = self._single("market_breadth")
        if said.get("value") == "niche":
            return said
        if only := self._set_hits(self._rules.breadth.only):
            return self._signal("vertical", "stated", only)
        for kinds, in_title in ((self._rules.breadth.industries, False), (self._rules.breadth.data_kinds, True)):
            if prevailing := self._prevailing(kinds, in_title):
                return self._signal("vertical", "inferred", prevailing)
        if said:
            return said
        general = self._set_hits(self._rules.breadth.general)
        first = min(general, key=lambda hit: (-_PLACE_POINTS[self._at(hit.sentence)], hit.start), default=None)
        return self._signal("horizontal", "inferred", [first]) if first else {}

    def _prevailing(self, kinds: Mapping[str, Cues], in_title: bool) -> list[Hit]:
        """The hits of the one kind that shows in many sentences, many times more than the next."""
        breadth = self._rules.breadth
        hits = sorted(
            ([hit for cue in cues for hit in self._text.hits(cue)] for cues in kinds.values()), key=_sentence_count
        )
        most, next_most = hits[-1], hits[-2]
        enough = min(breadth.sentences, max(3, len(self._text.sentences) // breadth.share))
        if _sentence_count(most) < max(enough, breadth.times * _sentence_count(next_most)):
            return []
        if in_title and not any(self._at(hit.sentence) == "title" for hit in most):
            return []
        return sorted(most, key=lambda hit: hit.start)[:MAX_QUOTES]

    def _data_science_fit(self, personas: Sequence[Persona]) -> dict[str, Any]:
        if personas and personas[0].role in _IN_DATA_SCIENCE:
            return {"value": "designed_for", "basis": "inferred", "quotes": (personas[0].quote,)}
        return self._single("data_science_fit")

    def _claim(self) -> dict[str, Any]:
        """Whoever says below the title what the product does claims as much (codebook §2), in the category's words."""
        hits = self._category[1] if self._category else []
        told = [hit for hit in hits if self._at(hit.sentence) != "title"]
        return self._signal("claimed", "inferred", told) if told else {}

    # Scope and category

    def _in_scope(self) -> bool:
        scope = self._rules.scope
        own_use = self._places_met(scope.own_use)
        aside = self._sentences_with(scope.aside).union(*own_use)
        work = self._places_met(scope.work, aside)
        points = 2 * len(work) + sum(not places.isdisjoint(self._front) for places in work)
        points += len(self._places_met(scope.hints, aside)) - 3 * min(_CONTRARY, len(own_use))
        for contrary in (scope.other_trades, scope.infrastructure):
            points -= min(_CONTRARY, len(self._places_met(contrary)))
        return points >= scope.needed

    def _places_met(self, cues: Cues, aside: frozenset[int] = frozenset()) -> list[frozenset[int]]:
        """For each cue met early in the text, its sentences; further down, a long manual holds a word of everything."""
        met = [
            frozenset(
                hit.sentence
                for hit in self._counted(cue, code=True)
                if self._at(hit.sentence) != "later" and hit.sentence not in aside
            )
            for cue in cues
        ]
        return [places for places in met if places]

    def _category_signal(self) -> dict[str, Any]:
        if self._category is None:
            return {}
        name, hits = self._category
        naming = [hit for cue in self._rules.category.of[name].naming for hit in self._counted(cue)]
        opening = [hit for hit in naming if self._at(hit.sentence) in ("title", "opening")]
        return self._signal(name, "stated" if opening else "inferred", opening or naming or hits)

    @cached_property
    def _category(self) -> tuple[Category, list[Hit]] | None:
        """The category with the most points, if they are enough and enough more than the next one's."""
        table = self._rules.category
        points: dict[Category, float] = {}
        hits: dict[Category, list[Hit]] = {}
        for name, category in table.of.items():
            hits[name], points[name] = [], 0.0
            for weight, cue in [*((3, cue) for cue in category.naming), *((1, cue) for cue in category.cues)]:
                if met := list(itertools.islice(self._counted(cue), 3)):
                    hits[name].extend(met)
                    points[name] += weight * (
                        max(_PLACE_POINTS[self._at(hit.sentence)] for hit in met) + (len(met) - 1) / 2
                    )
        first, second = sorted(points, key=lambda name: -points[name])[:2]
        if points[first] < table.needed or points[first] < table.lead * points[second]:
            return None
        return first, sorted(hits[first], key=lambda hit: hit.start)

    # Problems

    def _problems(self) -> tuple[Problem, ...]:
        primary = self._primary()
        seen = {(problem.stage, problem.focus) for problem in primary}
        more = []
        for number, placing in sorted(self._placings.items(), key=lambda entry: -entry[1].points):
            placed = (placing.stage, placing.focus)
            if number not in self._front and placing.points >= _CLEAR_POINTS and placed not in seen:
                seen.add(placed)
                more.append(self._problem(number, placing))
        return (*primary, *more[:_SECONDARY_PROBLEMS])[:MAX_PROBLEMS]

    def _primary(self) -> list[Problem]:
        """What title and first paragraph sell: one problem, or two where the title leaves the stage open and the
        paragraph has a clear sentence for each. What they do not tell is asked of the text that follows, then of the
        category."""
        if not self._front:
            return []
        sold = {
            self._placings[number].stage: number for number in reversed(self._front[1:]) if number in self._placings
        }
        if {"day_1", "day_2"} <= set(sold) and self._pooled(self._front[:1]).stage in ("unclear", "both"):
            return [self._problem(sold[stage], self._placings[sold[stage]], primary=True) for stage in _STAGES]
        early = [number for number in range(len(self._text.sentences)) if self._at(number) == "early"]
        own = [number for number in early if self._is_own_name(self._text.words(number))]
        clear = [number for number in early if number in self._placings]
        told = [self._pooled(self._front), self._pooled(own), self._usual, self._pooled(clear)]
        placing = _Placing(_first(each.stage for each in told), _first(each.focus for each in told))
        return [self._problem(self._telling([*self._front, *early]), placing, primary=True)]

    @property
    def _usual(self) -> _Placing:
        """Where products of this category usually stand."""
        if self._category is None:
            return _Placing("unclear", "unclear")
        usual = MarketMap.built_in().category(self._category[0])
        if usual is None:
            return _Placing("unclear", "unclear")
        stage, focus = (_OF_LEAN.get(lean, lean) for lean in (usual.usual_stage, usual.usual_focus))
        return _Placing(cast(Stage, stage), cast(Focus, focus))

    def _telling(self, numbers: Sequence[int]) -> int:
        """The first of the sentences that holds a cue, titles of one word excepted; else the first."""
        stages, focuses = self._problem_cues
        held = (
            number
            for number in numbers
            if (number in stages or number in focuses) and len(self._text.words(number).split()) > 2
        )
        return next(held, numbers[0])

    def _problem(self, number: int, placing: _Placing, primary: bool = False) -> Problem:
        sentence = self._text.sentences[number]
        words = self._text.words(number).removeprefix(f"{self._product}: ").split()[:_STATEMENT_WORDS]
        quote = self._text.quote(Hit(number, sentence.start, sentence.start))
        return Problem(
            statement=" ".join(words), quote=quote, stage=placing.stage, focus=placing.focus, primary=primary
        )

    def _pooled(self, numbers: Sequence[int]) -> _Placing:
        """Stage and focus by the points of the cues in these sentences; a tie is unclear."""
        counted: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        for number in numbers:
            weight = 3 if self._at(number) == "title" else 1
            for total, found in zip(counted, self._problem_cues, strict=True):
                for value, count in found.get(number, Counter()).items():
                    total[value] += weight * count
        stages, focuses = counted
        each = [self._problem_cues[1].get(number, Counter()) for number in numbers]
        shared = "both" if any(len(found) > 1 and min(found.values()) >= _CLEAR_POINTS for found in each) else "unclear"
        stage, focus = _most(stages) or "unclear", _most(focuses) or shared
        return _Placing(cast(Stage, stage), cast(Focus, focus), min(stages.total(), focuses.total()))

    @cached_property
    def _placings(self) -> dict[int, _Placing]:
        """The sentences that tell both stage and focus by themselves."""
        stages, focuses = self._problem_cues
        pooled = {number: self._pooled([number]) for number in sorted(stages.keys() & focuses.keys())}
        return {
            number: placing for number, placing in pooled.items() if "unclear" not in (placing.stage, placing.focus)
        }

    @cached_property
    def _problem_cues(self) -> tuple[dict[int, Counter[str]], dict[int, Counter[str]]]:
        """How many cues for each stage, and for each focus, a sentence holds."""
        stages: dict[int, Counter[str]] = {}
        focuses: dict[int, Counter[str]] = {}
        for cues in self._rules.problem.stage:
            for hit in self._set_hits(cues):
                stages.setdefault(hit.sentence, Counter())[cues.value] += 1
        for kind in self._rules.problem.focus:
            for hit in self._set_hits(kind):
                focuses.setdefault(hit.sentence, Counter())[kind.value] += 1
        decided = {number: Counter(both=found["both"]) for number, found in stages.items() if "both" in found}
        return stages | decided, focuses

    # Personas

    def _personas(self) -> tuple[Persona, ...]:
        best: dict[Role, tuple[int, int, Hit]] = {}
        taken: list[tuple[int, int]] = []
        for cues in self._rules.persona.role:
            for cue in cues.cues:
                for hit in self._counted(cue, self._rules.persona.unless):
                    if any(hit.start < end and start < hit.end for start, end in taken):
                        continue
                    taken.append((hit.start, hit.end))
                    rank = (-self._use_points(hit), hit.start, hit)
                    best[cues.role] = min(best.get(cues.role, rank), rank, key=lambda entry: entry[:2])
        if not best:
            return self._persona_from_work()
        enough = max(min(rank[0] for rank in best.values()), -_USER_POINTS)
        ranked = sorted(
            ((role, rank) for role, rank in best.items() if rank[0] <= enough), key=lambda entry: entry[1][:2]
        )
        return tuple(Persona(role=role, quote=self._text.quote(hit)) for role, (_, _, hit) in ranked)[:MAX_PERSONAS]

    def _use_points(self, hit: Hit) -> int:
        in_front = self._at(hit.sentence) in ("title", "opening")
        before = self._text.before(hit, 6)
        if _meets(before, self._rules.persona.before):
            return 3 + in_front
        if _meets(" ".join(before.split()[-1:]), self._rules.persona.theirs):
            return 0
        return (2 if _meets(self._text.after(hit, 2), self._rules.persona.after) else 1) + in_front

    def _persona_from_work(self) -> tuple[Persona, ...]:
        """The role whose work the text describes; where that tells none or several, the one whose work the category
        is."""
        met = {cues.role: hits for cues in self._rules.persona.work if (hits := self._set_hits(cues))}
        if len(met) != 1 and self._category is not None:
            name, hits = self._category
            user = self._rules.category.of[name].user
            met = {user: hits} if user and (not met or user in met) else {}
        if len(met) != 1:
            return ()
        [(role, hits)] = met.items()
        unwanted = role in _IN_DATA_SCIENCE and self._single("data_science_fit").get("value") == "ignored"
        return () if unwanted else (Persona(role=role, quote=self._text.quote(hits[0])),)

    # Competitors

    @cached_property
    def _rivals(self) -> _Found:
        named: dict[str, Competitor] = {}
        sentences = set()
        rivals = [*self._known_rivals(), *self._strangers(), *self._classes]
        for hit, kind in sorted(rivals, key=lambda rival: rival[0].start):
            name = " ".join(self._text.original[hit.start : hit.end].split())
            named.setdefault(name.lower(), Competitor(name=name, kind=kind, quote=self._text.quote(hit)))
            sentences.add(hit.sentence)
        return _Found(tuple(named.values())[:MAX_COMPETITORS], frozenset(sentences))

    def _known_rivals(self) -> Iterator[tuple[Hit, RivalKind]]:
        classes = [hit for hit, _ in self._classes]
        for hit, known in self._known_names:
            if any(hit.start < other.end and other.start < hit.end for other in classes):
                continue
            if not self._is_own_name(self._text.original[hit.start : hit.end]) and self._is_against(hit, known):
                yield hit, known.kind

    @cached_property
    def _known_names(self) -> list[tuple[Hit, _Known]]:
        """Every place of a known product's name in prose."""
        named: list[tuple[Hit, _Known]] = []
        taken: set[int] = set()
        for cue, _, known in self._rules.names:
            for first in itertools.islice(self._text.hits(cue), _HITS_PER_CUE):
                for start, end in self._text.spans(first.sentence, cue):
                    if taken.isdisjoint(range(start, end)):
                        taken.update(range(start, end))
                        named.append((Hit(first.sentence, start, end), known))
        return named

    def _is_against(self, hit: Hit, known: _Known) -> bool:
        """Whether a known name is talked of as an alternative: by the nearest cue before it, by what is said of it, or
        by the heading it stands under."""
        rival = self._rules.rival
        against = self._nearest(hit, rival.against)
        together = self._nearest(hit, rival.together)
        if max(against, together) >= 0:
            return against >= together
        if known.needs_cue:
            return False
        if self._opens(hit) and _meets(self._text.after(hit, 3), rival.alone):
            return True
        section = self._text.sentences[hit.sentence].section
        return section >= 0 and bool(self._text.spans(section, rival.heading))

    def _nearest(self, hit: Hit, cue: Cue) -> int:
        """Where the last of the cues before the name ends, within reach; -1 if there is none."""
        if (hit.sentence, cue) not in self._ends:
            self._ends[hit.sentence, cue] = [end for _, end in self._text.spans(hit.sentence, cue)]
        ends = self._ends[hit.sentence, cue]
        return max((end for end in ends if hit.start - _CONTEXT_CHARACTERS <= end <= hit.start), default=-1)

    def _opens(self, hit: Hit) -> bool:
        return hit.start - self._text.sentences[hit.sentence].start <= 4

    def _strangers(self) -> Iterator[tuple[Hit, RivalKind]]:
        """Capitalised names, not known as products, right after words that only a rival follows."""
        known = [(hit.start, hit.end) for hit, _ in self._known_names]
        for cue in self._rules.rival.strong:
            for hit in self._counted(cue):
                at = hit.end
                while (
                    name := _LISTED_NAMES.match(self._text.plain, at, self._text.sentences[hit.sentence].end)
                ) is not None:
                    at = name.end()
                    start, end = name.span(1)
                    if not any(start < last and first < end for first, last in known) and self._is_stranger(name[1]):
                        yield Hit(hit.sentence, start, end), "startup"

    def _is_stranger(self, name: str) -> bool:
        """Whether a capitalised name is one, and not a common word that opens a heading or a sentence."""
        return not self._is_common(name) and self._is_customer(name)

    def _is_common(self, name: str) -> bool:
        return re.search(rf"\b{re.escape(name.split()[0].lower())}\b", self._text.plain) is not None

    @cached_property
    def _classes(self) -> list[tuple[Hit, RivalKind]]:
        """Rivals without a name: what customers build themselves or do by hand; one of a kind in a sentence."""
        found: dict[tuple[int, RivalKind], Hit] = {}
        for cues in self._rules.rival.class_:
            for hit in self._set_hits(cues):
                found.setdefault((hit.sentence, cues.kind), hit)
        return [(hit, kind) for (_, kind), hit in found.items()]

    # Name and summary

    @cached_property
    def _product(self) -> str:
        """The name that the title gives, before a colon or dash or as its subject; else the subject of a sentence of
        the opening, of a customer's story the first subject that title and first sentence do not name; else the
        title's first words."""
        front = [self._heading_words(number) for number in self._front]
        if not front:
            return ""
        story = bool(self._text.spans(0, self._rules.story))
        named = _TITLE_NAME.match(front[0])
        if named and not story and len(named["name"].split()) <= _NAME_WORDS:
            return named["name"].strip(" .,;:")
        if len(front[0].split()) <= 2 and front[0].split()[0].lower() not in self._rules.rival.not_names:
            return front[0]
        told = map(self._heading_words, range(1, len(self._text.sentences))) if story else iter(front)
        for words in told:
            subject = _SUBJECT.match(words)
            name = (subject["name"] or subject["small"]) if subject else ""
            if not name or name.split()[0].lower() in self._rules.rival.not_names:
                continue
            if not story or (name.split()[0] not in " ".join(front[:2]) and not self._is_common(name)):
                return name
        return " ".join(front[0].split(", ")[0].split()[:_NAME_WORDS]).rstrip(" .,;:")

    def _heading_words(self, number: int) -> str:
        """A sentence without brackets, with a spaced hyphen for a long dash and no picture before the first word."""
        words = re.sub(r"\s?[–—]\s?", " - ", re.sub(r"[\[\]()]", " ", self._text.words(number)))
        return _TITLE_LEAD.sub("", " ".join(re.sub(r"^\W+", "", words).split()), count=1)

    @cached_property
    def _front(self) -> list[int]:
        """The sentences of title and first paragraph."""
        return [number for number in range(len(self._text.sentences)) if self._at(number) in ("title", "opening")]

    def _summary(self) -> str:
        """The first sentence of the opening that is more than a name."""
        told = [self._text.words(number).split() for number in self._front]
        words = next((words for words in told if len(words) > 3), told[0] if told else [])
        return " ".join(words[:_SUMMARY_WORDS])


def _meets(words: str, cue: Cue) -> bool:
    return bool(words) and cue.pattern.search(words) is not None


def _sentence_count(hits: Iterable[Hit]) -> int:
    return len({hit.sentence for hit in hits})


def _first(told: Iterable[T]) -> T | Literal["unclear"]:
    return next((value for value in told if value != "unclear"), "unclear")


def _most(counted: Counter[str]) -> str:
    """The one with the most points; empty if there is none or a tie."""
    ranked = counted.most_common(2)
    return ranked[0][0] if ranked and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]) else ""
