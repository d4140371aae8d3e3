"""Tables and columns say what they hold: `manual_scores`, and `saved_at` everywhere."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for table in ("answers", "assessments"):
        op.alter_column(table, "kept_at", new_column_name="saved_at")
    op.drop_index("ix_hand_scores_pitch", "hand_scores")
    op.rename_table("hand_scores", "manual_scores")
    op.create_index("ix_manual_scores_pitch", "manual_scores", ["pitch_id", "rater"])
