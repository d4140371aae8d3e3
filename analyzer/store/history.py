"""Saved assessments: each belongs to an owner, who alone can find, open and delete it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

import sqlalchemy as sa

from analyzer.store.answers import delete_unused_answers
from analyzer.store.engine import Database
from analyzer.store.tables import ASSESSMENTS, now


@dataclass(frozen=True, slots=True)
class SavedAssessment:
    """An assessment in somebody's history: `document` is its JSON, `text` its pitch, `saved_at` UTC in ISO form."""

    id: str
    owner: str
    title: str
    pitch_sha256: str
    model: str
    text: str
    document: str
    saved_at: str


_COLUMNS = tuple(ASSESSMENTS.c[name] for name in SavedAssessment.__dataclass_fields__)


class AssessmentTable:
    """The saved assessments of one database. Every method raises StoreError."""

    def __init__(self, database: Database):
        self._database = database

    def save(self, *, owner: str, title: str, pitch_sha256: str, model: str, text: str, document: str) -> str:
        """Saves an assessment with its pitch and returns its id.

        It replaces the owner's previous assessment of the same pitch by the same reader.
        """
        id_ = uuid4().hex
        row = {"owner": owner, "title": title, "pitch_sha256": pitch_sha256, "model": model}
        same = sa.and_(*(ASSESSMENTS.c[name] == row[name] for name in ("owner", "pitch_sha256", "model")))
        with self._database.writing() as connection:
            connection.execute(sa.delete(ASSESSMENTS).where(same))
            connection.execute(
                sa.insert(ASSESSMENTS).values(id=id_, text=text, document=document, saved_at=now(), **row)
            )
        return id_

    def count(self) -> int:
        """How many assessments are saved, by all owners."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(ASSESSMENTS)).scalar_one()

    def find(self, owner: str, id: str) -> SavedAssessment | None:
        """An owner's assessment by its id; None if this owner has no assessment with this id."""
        query = sa.select(*_COLUMNS).where(ASSESSMENTS.c.owner == owner, ASSESSMENTS.c.id == id)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else SavedAssessment(*row)

    def search(self, owner: str, words: str = "", limit: int = 100) -> list[SavedAssessment]:
        """An owner's assessments, newest first: those with all these words in the title or the pitch."""
        query = sa.select(*_COLUMNS).where(ASSESSMENTS.c.owner == owner)
        for word in words.split():
            in_title = ASSESSMENTS.c.title.icontains(word, autoescape=True)
            query = query.where(sa.or_(in_title, ASSESSMENTS.c.text.icontains(word, autoescape=True)))
        query = query.order_by(ASSESSMENTS.c.saved_at.desc(), ASSESSMENTS.c.id).limit(limit)
        with self._database.reading() as connection:
            return [SavedAssessment(*row) for row in connection.execute(query)]

    def delete(self, owner: str, ids: Sequence[str] | None = None) -> int:
        """Deletes an owner's assessments (None = all) for good; returns how many.

        Deletes also the answers about their pitches, unless another assessment or portfolio has the same pitch.
        """
        selected = ASSESSMENTS.c.owner == owner
        if ids is not None:
            selected = sa.and_(selected, ASSESSMENTS.c.id.in_(ids))
        with self._database.writing() as connection:
            pitches = set(connection.execute(sa.select(ASSESSMENTS.c.pitch_sha256).where(selected)).scalars())
            deleted = connection.execute(sa.delete(ASSESSMENTS).where(selected)).rowcount
            delete_unused_answers(connection, pitches)
        return int(deleted)
