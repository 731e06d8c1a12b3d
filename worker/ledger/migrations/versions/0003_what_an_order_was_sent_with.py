"""What an order was sent with and by whom, what it was to cost, and what an account has spent in a day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("taken_for", sa.String(length=16), nullable=True),
        sa.Column("binding", sa.String(length=16), nullable=True),
        sa.Column("absence_told_at", sa.Double(), nullable=True),
        sa.Column("forecast_amount", sa.String(length=40), nullable=True),
        sa.Column("forecast_currency", sa.String(length=10), nullable=True),
    ):
        op.add_column("orders", column)
    op.create_index("ix_orders_fingerprint", "orders", ["fingerprint"], unique=False)
    op.add_column("attempts", sa.Column("sender", sa.String(length=80), nullable=True))
    op.add_column("attempts", sa.Column("sender_gone_at", sa.Double(), nullable=True))
    op.create_table(
        "account_bindings",
        sa.Column("binding", sa.String(length=16), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("first_used_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("binding"),
    )
    op.create_table(
        "same_buyers",
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("buyer", sa.String(length=80), nullable=False),
        sa.Column("buyer_group", sa.String(length=80), nullable=False),
        sa.Column("said_by", sa.String(length=60), nullable=False),
        sa.Column("said_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account", "buyer"),
    )
    op.create_table(
        "account_days",
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("currency", sa.String(length=10), nullable=False),
        sa.Column("total", sa.Double(), nullable=False),
        sa.Column("granted", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account", "day", "currency"),
    )
