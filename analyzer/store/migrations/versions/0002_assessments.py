"""Assessments are saved with their pitches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "assessments",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("pitch_sha256", sa.String(64), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("kept_at", sa.String(32), nullable=False),
    )
    op.create_index("ix_assessments_owner", "assessments", ["owner"])
    op.create_index("ix_assessments_pitch_sha256", "assessments", ["pitch_sha256"])
