"""Saved portfolios: many pitches and what came of each, saved as a run goes; each belongs to an owner alone.

A run that ends in whatever way is gone on with where it ended: pitches without a result are those to be read. Whoever
works on a portfolio has claimed it, and nobody who claimed it before can write any more; so a run that was taken for
dead, and two servers with one database, never write over each other.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final
from uuid import uuid4

import sqlalchemy as sa

from analyzer.store.answers import delete_unused_answers
from analyzer.store.engine import Database
from analyzer.store.tables import PORTFOLIO_PITCHES, PORTFOLIOS, now

_BATCH: Final = 200
"""Pitches saved in one transaction, so that no other writer waits for long."""


@dataclass(frozen=True, slots=True)
class SavedPortfolio:
    """A portfolio without its pitches. `model`: who reads; empty = results that were opened. `options`: how, as the
    page wrote it, without any key. `total`: pitches; None = they are not all saved. `figures`: what the run reported
    last. `finished`: pitches with a result. `saved_at`: UTC in ISO form."""

    id: str
    owner: str
    name: str
    model: str
    options: Mapping[str, Any]
    total: int | None
    figures: Mapping[str, Any]
    finished: int
    saved_at: str


@dataclass(frozen=True, slots=True)
class NewPitch:
    """A pitch to save. `pitch`: the input; `result`: what came of it, as JSON (None = nothing yet). `sha256`: of its
    text, once it was read."""

    number: int
    pitch: Mapping[str, Any]
    result: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class SavedPitch:
    """One pitch of a portfolio. `pitch`: the input, `result`: what came of it (None = nothing yet), both as the page
    wrote them. `sha256`: of its text, once it was read."""

    number: int
    pitch: Mapping[str, Any]
    result: Mapping[str, Any] | None = None
    sha256: str | None = None
    shortlisted: bool = False


@dataclass(frozen=True, slots=True)
class SavedResult:
    """What came of one pitch, as JSON."""

    number: int
    result: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to write a portfolio, until somebody else claims it."""

    portfolio: str
    worker: str = field(default_factory=lambda: uuid4().hex)


class PortfolioTable:
    """The portfolios of one database. Every method raises StoreError."""

    def __init__(self, database: Database):
        self._database = database

    def create(self, *, owner: str, name: str, model: str, options: Mapping[str, Any]) -> Claim:
        """A portfolio without pitches, claimed."""
        claim = Claim(uuid4().hex)
        row = {"id": claim.portfolio, "worker": claim.worker, "owner": owner, "name": name, "model": model}
        with self._database.writing() as connection:
            connection.execute(
                sa.insert(PORTFOLIOS).values(options=_text(options), figures="{}", saved_at=now(), **row)
            )
        return claim

    def claim(self, owner: str, id: str) -> Claim | None:
        """Takes an owner's portfolio over from whoever worked on it; None if this owner has none with this id."""
        claim = Claim(id)
        mine = sa.and_(PORTFOLIOS.c.owner == owner, PORTFOLIOS.c.id == id)
        with self._database.writing() as connection:
            found = connection.execute(sa.update(PORTFOLIOS).where(mine).values(worker=claim.worker)).rowcount
        return claim if found else None

    def add(self, claim: Claim, pitches: Iterable[NewPitch]) -> bool:
        """Saves the pitches, and that these are all; False if the claim no longer holds."""
        left = iter(pitches)
        total = 0
        while batch := [_pitch_row(claim.portfolio, pitch) for pitch in islice(left, _BATCH)]:
            with self._database.writing() as connection:
                if not _holds(connection, claim):
                    return False
                connection.execute(sa.insert(PORTFOLIO_PITCHES), batch)
            total += len(batch)
        return self._update(claim, total=total)

    def save_results(
        self, claim: Claim, results: Sequence[SavedResult], figures: Mapping[str, Any] | None = None
    ) -> bool:
        """Saves what came of some pitches, and what the run reports; False if the claim no longer holds."""
        change = (
            sa.update(PORTFOLIO_PITCHES)
            .where(
                PORTFOLIO_PITCHES.c.portfolio == claim.portfolio,
                PORTFOLIO_PITCHES.c.number == sa.bindparam("at"),
            )
            .values(result=sa.bindparam("found"), pitch_sha256=sa.bindparam("hash"))
        )
        rows = [{"at": each.number, "found": _packed(each.result), "hash": each.sha256} for each in results]
        with self._database.writing() as connection:
            if not _holds(connection, claim):
                return False
            if rows:
                connection.execute(change, rows)
            if figures is not None:
                connection.execute(_of(claim, figures=_text(figures)))
        return True

    def report(self, claim: Claim, figures: Mapping[str, Any]) -> bool:
        """Saves what the run reports; False if the claim no longer holds."""
        return self._update(claim, figures=_text(figures))

    def choose(self, owner: str, id: str, number: int, shortlisted: bool) -> None:
        """Puts a pitch of an owner's portfolio on the shortlist, or takes it off."""
        mine = sa.select(PORTFOLIOS.c.id).where(PORTFOLIOS.c.owner == owner, PORTFOLIOS.c.id == id)
        pitch = sa.and_(PORTFOLIO_PITCHES.c.portfolio.in_(mine), PORTFOLIO_PITCHES.c.number == number)
        with self._database.writing() as connection:
            connection.execute(sa.update(PORTFOLIO_PITCHES).where(pitch).values(shortlisted=shortlisted))

    def count(self) -> int:
        """How many portfolios are saved, by all owners."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(PORTFOLIOS)).scalar_one()

    def find(self, owner: str, id: str) -> SavedPortfolio | None:
        """An owner's portfolio by its id; None if this owner has none with this id."""
        return next(iter(self._found(PORTFOLIOS.c.owner == owner, PORTFOLIOS.c.id == id)), None)

    def search(self, owner: str, words: str = "", limit: int = 100) -> list[SavedPortfolio]:
        """An owner's portfolios, newest first: those with all these words in their names."""
        named = [PORTFOLIOS.c.name.icontains(word, autoescape=True) for word in words.split()]
        return self._found(PORTFOLIOS.c.owner == owner, *named, limit=limit)

    def pitches(self, owner: str, id: str) -> Iterator[SavedPitch]:
        """The pitches of an owner's portfolio, in their order."""
        mine = sa.select(PORTFOLIOS.c.id).where(PORTFOLIOS.c.owner == owner, PORTFOLIOS.c.id == id)
        last = -1
        while True:
            query = (
                sa.select(PORTFOLIO_PITCHES)
                .where(PORTFOLIO_PITCHES.c.portfolio.in_(mine), PORTFOLIO_PITCHES.c.number > last)
                .order_by(PORTFOLIO_PITCHES.c.number)
                .limit(_BATCH)
            )
            with self._database.reading() as connection:
                rows = connection.execute(query).all()
            for row in rows:
                result = None if row.result is None else _unpacked(row.result)
                yield SavedPitch(row.number, _unpacked(row.pitch), result, row.pitch_sha256, row.shortlisted)
            if len(rows) < _BATCH:
                return
            last = rows[-1].number

    def delete(self, owner: str, ids: Sequence[str] | None = None) -> int:
        """Deletes an owner's portfolios (None = all) with their pitches for good; returns how many.

        Deletes also the answers about their pitches, unless another assessment or portfolio has the same pitch. A run
        that works on one of them cannot write any more.
        """
        selected = PORTFOLIOS.c.owner == owner
        if ids is not None:
            selected = sa.and_(selected, PORTFOLIOS.c.id.in_(ids))
        mine = PORTFOLIO_PITCHES.c.portfolio.in_(sa.select(PORTFOLIOS.c.id).where(selected))
        with self._database.writing() as connection:
            hashes = connection.execute(sa.select(PORTFOLIO_PITCHES.c.pitch_sha256).where(mine).distinct()).scalars()
            read = [hash_ for hash_ in hashes if hash_ is not None]
            connection.execute(sa.delete(PORTFOLIO_PITCHES).where(mine))
            deleted = connection.execute(sa.delete(PORTFOLIOS).where(selected)).rowcount
            delete_unused_answers(connection, read)
        return int(deleted)

    def _update(self, claim: Claim, **values: Any) -> bool:
        with self._database.writing() as connection:
            return bool(connection.execute(_of(claim, **values)).rowcount)

    def _found(self, *conditions: sa.ColumnElement[bool], limit: int = 1) -> list[SavedPortfolio]:
        finished = (
            sa.select(sa.func.count())
            .where(PORTFOLIO_PITCHES.c.portfolio == PORTFOLIOS.c.id, PORTFOLIO_PITCHES.c.result.is_not(None))
            .scalar_subquery()
            .label("finished")
        )
        query = (
            sa.select(PORTFOLIOS, finished)
            .where(*conditions)
            .order_by(PORTFOLIOS.c.saved_at.desc(), PORTFOLIOS.c.id)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [
                SavedPortfolio(
                    row.id,
                    row.owner,
                    row.name,
                    row.model,
                    json.loads(row.options),
                    row.total,
                    json.loads(row.figures),
                    row.finished,
                    row.saved_at,
                )
                for row in connection.execute(query)
            ]


def _of(claim: Claim, **values: Any) -> sa.Update:
    mine = sa.and_(PORTFOLIOS.c.id == claim.portfolio, PORTFOLIOS.c.worker == claim.worker)
    return sa.update(PORTFOLIOS).where(mine).values(values)


def _holds(connection: sa.Connection, claim: Claim) -> bool:
    """Whether the claim holds; it cannot be lost before the end of this transaction, which has written the row."""
    return bool(connection.execute(_of(claim, worker=claim.worker)).rowcount)


def _pitch_row(portfolio: str, pitch: NewPitch) -> dict[str, Any]:
    return {
        "portfolio": portfolio,
        "number": pitch.number,
        "pitch": _packed(_text(pitch.pitch)),
        "pitch_sha256": pitch.sha256,
        "result": None if pitch.result is None else _packed(pitch.result),
        "shortlisted": False,
    }


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 1)


def _unpacked(data: bytes) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(zlib.decompress(data).decode("utf-8", "surrogatepass"))
    return found
