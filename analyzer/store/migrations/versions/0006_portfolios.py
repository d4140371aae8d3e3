"""A portfolio is saved as it goes: its pitches first, and each result as it arrives."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "portfolios",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("total", sa.Integer),
        sa.Column("worker", sa.String(32), nullable=False),
        sa.Column("figures", sa.Text, nullable=False),
        sa.Column("saved_at", sa.String(32), nullable=False),
    )
    op.create_index("ix_portfolios_owner", "portfolios", ["owner"])
    op.create_table(
        "portfolio_pitches",
        sa.Column("portfolio", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("pitch", sa.LargeBinary, nullable=False),
        sa.Column("pitch_sha256", sa.String(64)),
        sa.Column("result", sa.LargeBinary),
        sa.Column("shortlisted", sa.Boolean, nullable=False),
    )
    op.create_index("ix_portfolio_pitches_pitch_sha256", "portfolio_pitches", ["pitch_sha256"])
