"""Manual scores are saved in every version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "hand_scores",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("pitch_id", sa.Text, nullable=False),
        sa.Column("rater", sa.Text, nullable=False),
        sa.Column("scores", sa.Text, nullable=False),
        sa.Column("saved_at", sa.String(32), nullable=False),
    )
    op.create_index("ix_hand_scores_pitch", "hand_scores", ["pitch_id", "rater"])
