"""Manual scores that raters save on the page; every version remains."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from analyzer.store.engine import Database
from analyzer.store.tables import MANUAL_SCORES, now


@dataclass(frozen=True, slots=True)
class SavedManualScores:
    """One version of a rater's scores of a pitch: cells by column as in the CSV of manual scores, with `pitch_sha256`
    where the scored text is known. `saved_at`: UTC in ISO form."""

    pitch_id: str
    rater: str
    scores: Mapping[str, str]
    saved_at: str


class ManualScoreTable:
    """The manual scores of one database. Every method raises StoreError."""

    def __init__(self, database: Database):
        self._database = database

    def save(self, pitch_id: str, rater: str, scores: Mapping[str, str]) -> SavedManualScores:
        """Saves a rater's scores of a pitch as the latest version; earlier versions remain."""
        saved = SavedManualScores(pitch_id, rater, dict(scores), now())
        row = {
            "pitch_id": pitch_id,
            "rater": rater,
            "scores": json.dumps(saved.scores, ensure_ascii=False),
            "saved_at": saved.saved_at,
        }
        with self._database.writing() as connection:
            connection.execute(sa.insert(MANUAL_SCORES).values(row))
        return saved

    def latest(self, pitch_id: str | None = None, rater: str | None = None) -> list[SavedManualScores]:
        """The latest scores of each pitch and rater, sorted by pitch and rater."""
        latest = {(entry.pitch_id, entry.rater): entry for entry in self.versions(pitch_id, rater)}
        return [latest[key] for key in sorted(latest)]

    def versions(self, pitch_id: str | None = None, rater: str | None = None) -> list[SavedManualScores]:
        """Every version, oldest first."""
        query = sa.select(MANUAL_SCORES).order_by(MANUAL_SCORES.c.id)
        if pitch_id is not None:
            query = query.where(MANUAL_SCORES.c.pitch_id == pitch_id)
        if rater is not None:
            query = query.where(MANUAL_SCORES.c.rater == rater)
        with self._database.reading() as connection:
            return [
                SavedManualScores(row.pitch_id, row.rater, json.loads(row.scores), row.saved_at)
                for row in connection.execute(query)
            ]
