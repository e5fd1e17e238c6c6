"""Renewals that fall due together begin in turns."""

import sqlalchemy as sa
from alembic import op

from store.columns import Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "turns",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("hour", Instant(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"]),
        sa.PrimaryKeyConstraint("account", "hour"),
    )
    op.add_column("bills", sa.Column("turn_seconds", sa.Integer(), nullable=False, server_default="0"))
