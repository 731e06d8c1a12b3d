"""The tokens of accounts, encrypted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_tokens",
        sa.Column("account", sa.String(32), primary_key=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("pair", sa.Text(), nullable=False),
        sa.Column("pair_before", sa.Text()),
        sa.Column("buyer", sa.String(80)),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("granted_at", sa.Double(), nullable=False),
        sa.Column("stored_at", sa.Double(), nullable=False),
        sa.Column("access_until", sa.Double()),
        sa.Column("refresh_until", sa.Double()),
        sa.Column("renewable", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.Double()),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.Double()),
        sa.Column("begun_at", sa.Double()),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(100)),
        sa.Column("reason", sa.Text()),
        sa.Column("actor", sa.String(60), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("account_tokens")
