"""Batches are recorded before they are sent: each with its requests, so that any machine takes their answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("origin", sa.String(32), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("upload", sa.Text),
        sa.Column("remote", sa.Text),
        sa.Column("requests", sa.Integer, nullable=False),
        sa.Column("misses", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("saved_at", sa.String(32), nullable=False),
        sa.Column("changed_at", sa.String(32), nullable=False),
    )
    op.create_index("ix_batches_state", "batches", ["state"])
    op.create_table(
        "batch_requests",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("batch", sa.String(32), nullable=False),
        sa.Column("pitch_sha256", sa.String(64), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("reply", sa.LargeBinary),
    )
    op.create_index("ix_batch_requests_batch", "batch_requests", ["batch"])
    op.create_index("ix_batch_requests_pitch_sha256", "batch_requests", ["pitch_sha256"])
