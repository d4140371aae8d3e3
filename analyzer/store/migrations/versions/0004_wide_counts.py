"""Counts of tokens may be large, and a reply without an answer says why it has none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("answers", sa.Column("fault", sa.String(32)))
    if op.get_bind().dialect.name == "sqlite":  # its integers have 64 bits whatever they are called
        return
    for name in ("input_tokens", "cached_tokens", "output_tokens"):
        op.alter_column("answers", name, existing_type=sa.Integer, type_=sa.BigInteger, existing_nullable=False)
