"""The tables of the store, as the newest migration leaves them. A test compares them with what the migrations make."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

METADATA: Final = sa.MetaData()

ANSWERS: Final = sa.Table(
    "answers",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(64), unique=True),  # null: paid for but unusable, so never found again
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("prompt_sha256", sa.String(64), nullable=False),
    sa.Column("schema_sha256", sa.String(64), nullable=False),
    sa.Column("pitch_sha256", sa.String(64), nullable=False, index=True),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("input_tokens", sa.BigInteger, nullable=False),
    sa.Column("cached_tokens", sa.BigInteger, nullable=False),
    sa.Column("output_tokens", sa.BigInteger, nullable=False),
    sa.Column("cost_usd", sa.Float),
    sa.Column("fault", sa.String(32)),
    sa.Column("saved_at", sa.String(32), nullable=False),
)

ASSESSMENTS: Final = sa.Table(
    "assessments",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("pitch_sha256", sa.String(64), nullable=False, index=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("saved_at", sa.String(32), nullable=False),
)

MANUAL_SCORES: Final = sa.Table(
    "manual_scores",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("pitch_id", sa.Text, nullable=False),
    sa.Column("rater", sa.Text, nullable=False),
    sa.Column("scores", sa.Text, nullable=False),
    sa.Column("saved_at", sa.String(32), nullable=False),
    sa.Index("ix_manual_scores_pitch", "pitch_id", "rater"),
)

PORTFOLIOS: Final = sa.Table(
    "portfolios",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("options", sa.Text, nullable=False),
    sa.Column("total", sa.Integer),  # null: not all of its pitches are saved yet
    sa.Column("worker", sa.String(32), nullable=False),
    sa.Column("figures", sa.Text, nullable=False),
    sa.Column("saved_at", sa.String(32), nullable=False),
)

PORTFOLIO_PITCHES: Final = sa.Table(
    "portfolio_pitches",
    METADATA,
    sa.Column("portfolio", sa.String(32), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("pitch", sa.LargeBinary, nullable=False),
    sa.Column("pitch_sha256", sa.String(64), index=True),
    sa.Column("result", sa.LargeBinary),  # null: not read yet
    sa.Column("shortlisted", sa.Boolean, nullable=False),
)

BATCHES: Final = sa.Table(
    "batches",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("origin", sa.String(32), nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("upload", sa.Text),  # the provider's id of the file with the requests
    sa.Column("remote", sa.Text),  # the provider's id of the batch; null: not known, or not yet
    sa.Column("requests", sa.Integer, nullable=False),
    sa.Column("misses", sa.Integer, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("saved_at", sa.String(32), nullable=False),
    sa.Column("changed_at", sa.String(32), nullable=False),
)

BATCH_REQUESTS: Final = sa.Table(
    "batch_requests",
    METADATA,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("batch", sa.String(32), nullable=False, index=True),  # the latest that it was in
    sa.Column("pitch_sha256", sa.String(64), nullable=False, index=True),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("reply", sa.LargeBinary),  # null: none yet, or its answer is in `answers`
)


def now() -> str:
    """The time as `saved_at` holds it: UTC in ISO form, so that text sorts by time."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
