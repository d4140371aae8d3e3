"""A model's stored answers: saved as they came, with their cost, and found by the key of their request.

A changed prompt, vocabulary, model or pitch has another key, so its request is sent again. Scores are never stored in
place of answers, so a changed rulebook needs no request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from analyzer.store.engine import Database
from analyzer.store.tables import ANSWERS, ASSESSMENTS, BATCH_REQUESTS, PORTFOLIO_PITCHES, now

_MOST_NAMED: Final = 500
"""Pitches or keys that one statement names."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """One answer of a model as it came, and what it cost in USD (`cost_usd`; None = unknown).

    `key`: the key of its request; None for an answer that is unusable. `fault`: why the reply has no answer in it; None
    where there is a text.
    """

    key: str | None
    model: str
    prompt_sha256: str
    schema_sha256: str
    pitch_sha256: str
    turn: int
    text: str
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    fault: str | None = None


_FIELDS = tuple(StoredAnswer.__dataclass_fields__)
_FIND: Final = sa.select(*(ANSWERS.c[name] for name in _FIELDS)).where(
    ANSWERS.c.key.in_(sa.bindparam("keys", expanding=True))
)
_SAVE: Final = {
    dialect: insert(ANSWERS).on_conflict_do_nothing(index_elements=["key"]).returning(ANSWERS.c.key)
    for dialect, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
"""Saves answers and returns the keys of those whose key is new."""
_SAVE_WITHOUT_KEY: Final = sa.insert(ANSWERS)


class AnswerTable:
    """The stored answers of one database. Every method raises StoreError."""

    def __init__(self, database: Database):
        self._database = database

    def find(self, keys: Sequence[str]) -> dict[str, StoredAnswer]:
        """The answers to these requests, by key; requests without one are left out.

        Raises ValueError if a row holds something that is not an answer.
        """
        found = {}
        with self._database.reading() as connection:
            for first in range(0, len(keys), _MOST_NAMED):
                rows = connection.execute(_FIND, {"keys": list(keys[first : first + _MOST_NAMED])})
                found.update({row.key: _checked(StoredAnswer(*row)) for row in rows})
        return found

    def save(self, answers: Sequence[StoredAnswer]) -> None:
        """Saves answers, all or none, durably. Of two with one key the first remains the answer; the other is saved as
        paid for, without a key."""
        saved_at = now()
        rows = [{**{name: getattr(answer, name) for name in _FIELDS}, "saved_at": saved_at} for answer in answers]
        with_key = [row for row in rows if row["key"] is not None]
        without = [row for row in rows if row["key"] is None]
        with self._database.writing() as connection:
            if with_key:
                first = set(connection.execute(_SAVE[self._database.dialect], with_key).scalars())
                for row in with_key:
                    if row["key"] in first:
                        first.discard(row["key"])
                    else:
                        without.append({**row, "key": None})
            if without:
                connection.execute(_SAVE_WITHOUT_KEY, without)

    def discard(self, keys: Sequence[str]) -> None:
        """Marks answers as unusable: they remain as paid for, and their requests are sent again."""
        with self._database.writing() as connection:
            connection.execute(sa.update(ANSWERS).where(ANSWERS.c.key.in_(keys)).values(key=None))

    def count(self) -> int:
        """How many answers are stored, unusable ones included."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(ANSWERS)).scalar_one()

    def mean_tokens(self, model: str, prompt: str | None = None, *, other: bool = False) -> tuple[float, float] | None:
        """Mean input and output tokens of this model's answers; None if no answer has a count. `prompt`: only of
        answers to the prompt with this fingerprint, or with `other` to all others."""
        column = ANSWERS.c.prompt_sha256
        which = sa.true() if prompt is None else column != prompt if other else column == prompt
        means = sa.select(sa.func.avg(ANSWERS.c.input_tokens), sa.func.avg(ANSWERS.c.output_tokens)).where(
            ANSWERS.c.model == model, ANSWERS.c.input_tokens > 0, which
        )
        with self._database.reading() as connection:
            row = connection.execute(means).one()
        return None if row[0] is None else (float(row[0]), float(row[1]))


def delete_unused_answers(connection: sa.Connection, pitches: Iterable[str]) -> None:
    """Deletes the answers about these pitches (by SHA-256) that no saved assessment and no portfolio has any more, also
    those of batches that were not used yet."""
    listed = list(pitches)
    for first in range(0, len(listed), _MOST_NAMED):
        named = listed[first : first + _MOST_NAMED]
        used: set[str] = set()
        for column in (ASSESSMENTS.c.pitch_sha256, PORTFOLIO_PITCHES.c.pitch_sha256):
            used.update(connection.execute(sa.select(column).where(column.in_(named))).scalars())
        unused = [pitch for pitch in named if pitch not in used]
        for table in (ANSWERS, BATCH_REQUESTS):
            connection.execute(sa.delete(table).where(table.c.pitch_sha256.in_(unused)))


def _checked(answer: StoredAnswer) -> StoredAnswer:
    """The answer, if each column holds its type: SQLite stores anything in any column. Raises ValueError."""
    tokens = (answer.input_tokens, answer.cached_tokens, answer.output_tokens)
    cost = answer.cost_usd
    counts_valid = all(isinstance(count, int) and count >= 0 for count in tokens)
    cost_valid = cost is None or (isinstance(cost, int | float) and 0 <= cost < float("inf"))
    if isinstance(answer.text, str) and counts_valid and cost_valid:
        return answer
    raise ValueError("a row of the table of answers does not hold an answer")
