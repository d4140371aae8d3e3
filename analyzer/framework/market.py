"""The market map: the categories of ML tools, how crowded each is, and who is known to be in it.

It is data (`market.toml` next to this file), dated, because it ages. A category's crowding is a judgment with a
reason; the players listed back it and do not make it, since how many are listed depends on how hard one looked.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analyzer.errors import MarketError
from analyzer.patterns import late
from analyzer.prepared import prepared_toml
from analyzer.vocabulary.signals import SIGNALS, RivalKind

Crowding = Literal["open", "contested", "crowded"]
KINDS: Final[tuple[str, ...]] = get_args(RivalKind)
INCUMBENTS: Final = frozenset({"cloud_vendor", "established_vendor"})
STALE_MONTHS: Final = 12
_ENDS: Final = frozenset({"day_1", "day_2", "ml", "engineering"})
BUILT_IN: Final = Path(__file__).with_name("market.toml")
_MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"


class _MarketPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class KnownPlayer(_MarketPart):
    """A product known to be in a category. `aliases`: other spellings by which a pitch may name it."""

    name: str = Field(min_length=1)
    aliases: tuple[str, ...] = ()
    kind: RivalKind
    known_for: str = Field(min_length=1)
    status: str = "active"
    as_of: str = Field(pattern=_MONTH)


class MarketCategory(_MarketPart):
    """One category with its usual position, a dated judgment of how crowded it is, and its known players."""

    id: str
    title: str = Field(min_length=1)
    step: str = Field(min_length=1)
    usual_stage: Literal["day_1", "mixed", "day_2"]
    usual_focus: Literal["ml", "mixed", "engineering"]
    about: str = Field(min_length=1)
    crowding: Crowding
    crowding_reason: str = Field(min_length=1)
    as_of: str = Field(pattern=_MONTH)
    players: tuple[KnownPlayer, ...] = ()

    @property
    def incumbents(self) -> tuple[KnownPlayer, ...]:
        """The players that buyers already work with: cloud and established vendors."""
        return tuple(player for player in self.players if player.kind in INCUMBENTS)


class KindWords(_MarketPart):
    """What one kind of competitor is usually good and bad at, by where the product stands."""

    good: Mapping[str, str]
    bad: Mapping[str, str]


class MarketMap(_MarketPart):
    """All categories. Immutable; `sha256` is over the content."""

    version: str = Field(min_length=1)
    ordinary_words: tuple[str, ...] = ()
    kinds: Mapping[RivalKind, KindWords]
    categories: tuple[MarketCategory, ...] = Field(min_length=1)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        yield from (("version", self.version), ("categories", len(self.categories)), ("sha256", self.sha256[:8]))

    @classmethod
    def load(cls, path: str | Path) -> MarketMap:
        """The market map in a TOML file. Raises MarketError with all its faults, or if there is no such file."""
        import tomllib  # slow to load; the built-in map is prepared

        path = Path(path)
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise MarketError(str(path), [f"the file cannot be read: {reason}"]) from error
        except tomllib.TOMLDecodeError as error:
            raise MarketError(str(path), [f"this is not TOML: {error}"]) from error
        return cls.from_content(content, str(path))

    @classmethod
    def built_in(cls) -> MarketMap:
        """The map that comes with the program; the same object every time."""
        return _built_in()

    @classmethod
    def from_content(cls, content: Mapping[str, Any], source: str) -> MarketMap:
        """A map from parsed TOML; `source` names it in faults. Raises MarketError."""
        try:
            market = cls.model_validate(content)
        except ValidationError as error:
            raise MarketError(source, [_fault(entry, content) for entry in error.errors()]) from error
        faults = list(_faults(market))
        if faults:
            raise MarketError(source, faults)
        return market

    def __hash__(self) -> int:
        return hash(self.sha256)

    @cached_property
    def sha256(self) -> str:
        content = self.model_dump(mode="json")
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def category(self, id: str | None) -> MarketCategory | None:
        """A category by its id; None for `other`, `unknown` and None."""
        return self._by_id.get(id or "")

    @property
    def players(self) -> Iterator[KnownPlayer]:
        """Every player of every category, in the map's order."""
        return (player for category in self.categories for player in category.players)

    def match(self, name: str, category: str | None = None) -> KnownPlayer | None:
        """The player that a pitch means by a name: the same name or alias, whatever the case, spacing and punctuation,
        with or without the form of company. Exactly this spelling first ("Modal" is not "modAL"), then players of
        `category`. None where the map knows none: a name that merely resembles one, or holds one as a word, is not it,
        nor is an ordinary word in small letters."""
        spelled = name.strip()
        found = () if spelled in self.ordinary_words else self._by_key.get(_key(name), ())
        found = [(home, player) for home, player in found if spelled in (player.name, *player.aliases)] or found
        own = (player for home, player in found if home == category)
        return next(own, None) or (found[0][1] if found else None)

    def stale(self, today: date) -> list[tuple[str, str, str]]:
        """Entries whose date is more than twelve months ago: (category, player or "", as_of)."""
        oldest = (today.year * 12 + today.month) - STALE_MONTHS
        dated = [(c.id, "", c.as_of) for c in self.categories]
        dated += [(c.id, player.name, player.as_of) for c in self.categories for player in c.players]
        return [entry for entry in dated if int(entry[2][:4]) * 12 + int(entry[2][5:]) < oldest]

    def strengths(self, kind: str, leans: Sequence[str]) -> tuple[str, str]:
        """What a kind of competitor is good and bad at, where the product leans so; nothing for other leans."""
        words = self.kinds[kind]  # type: ignore[index]  # kinds are checked where they come in
        good = [words.good[lean] for lean in leans if lean in words.good]
        bad = [words.bad[lean] for lean in leans if lean in words.bad]
        return "; ".join(good), "; ".join(bad)

    @cached_property
    def _by_id(self) -> Mapping[str, MarketCategory]:
        return {category.id: category for category in self.categories}

    @cached_property
    def _by_key(self) -> Mapping[str, Sequence[tuple[str, KnownPlayer]]]:
        """The players of each spelling with their category, in the map's order."""
        found: dict[str, list[tuple[str, KnownPlayer]]] = {}
        for category in self.categories:
            for player in category.players:
                for key in _keys(player) - {""}:
                    found.setdefault(key, []).append((category.id, player))
        return found


@cache
def _built_in() -> MarketMap:
    return MarketMap.from_content(prepared_toml(BUILT_IN), str(BUILT_IN))


_POSSESSIVE = late(r"['’]s\b")
_PUNCTUATION = late(r"[\s\-_.,/:'’()]+")
_COMPANY_FORMS = late(r"\b(?:inc|ltd|llc|gmbh|corp|corporation|labs)\b\.?$")


@lru_cache(maxsize=50_000)
def _key(name: str) -> str:
    """A name without what spelling varies in: case, accents, spaces, hyphens, dots, the form of company."""
    plain = name.casefold()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", name).casefold()
        plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = _POSSESSIVE.sub("", plain.strip().removeprefix("the "))
    plain = _COMPANY_FORMS.sub("", plain.replace("&", " and "))
    return _PUNCTUATION.sub("", plain)


@cache
def _keys(player: KnownPlayer) -> frozenset[str]:
    return frozenset(_key(spelling) for spelling in (player.name, *player.aliases))


def _fault(entry: Any, content: Mapping[str, Any]) -> str:
    location = list(entry["loc"])
    label = ""
    if len(location) > 1 and location[0] == "categories" and isinstance(location[1], int):
        given = content["categories"][location[1]]
        label, location = f"{given.get('id', f'category {location[1] + 1}')}, ", location[2:]
        if len(location) > 1 and location[0] == "players" and isinstance(location[1], int):
            player = given["players"][location[1]]
            label, location = f"{label}{player.get('name', f'player {location[1] + 1}')}, ", location[2:]
    found = f", found {entry['input']!r}" if isinstance(entry["input"], str | int | float) else ""
    return f"{label}{'.'.join(map(str, location))}: {entry['msg']}{found}"


def _faults(market: MarketMap) -> Iterator[str]:
    known = set(SIGNALS["category"].values) - {"other"}
    ids = Counter(category.id for category in market.categories)
    for name, times in ids.items():
        if times > 1:
            yield f"{name}: this category appears {times} times"
        if name not in known:
            yield f"{name}: there is no such category in the vocabulary"
    for missing in sorted(known - set(ids)):
        yield f"{missing}: this category of the vocabulary is missing"
    for kind in KINDS:
        if kind not in market.kinds:
            yield f"kinds.{kind}: it needs words for what it is good and bad at"
    for kind, words in market.kinds.items():
        for name, leans in (("good", words.good), ("bad", words.bad)):
            if set(leans) != _ENDS:
                yield f"kinds.{kind}.{name}: expected words for {', '.join(sorted(_ENDS))}, found {', '.join(leans)}"
    kinds: dict[str, set[str]] = {}
    for player in market.players:
        kinds.setdefault(player.name, set()).add(player.kind)
    for name, several in kinds.items():
        if len(several) > 1:
            yield f"{name}: it is {' and '.join(sorted(several))} in different categories; a product has one kind"
    for category in market.categories:
        seen: dict[str, str] = {}
        for player in category.players:
            for key in _keys(player):
                if key in seen and seen[key] != player.name:
                    yield f"{category.id}: {player.name} and {seen[key]} share a name or alias"
                seen.setdefault(key, player.name)
        for name, times in Counter(player.name for player in category.players).items():
            if times > 1:
                yield f"{category.id}: {name} is listed {times} times"
        for player in category.players:
            if player.kind in ("in_house", "manual_process"):
                yield f"{category.id}: {player.name} is a {player.kind}, which is not a product"
