"""One act for many orders, orders that a person closes, and what an order was before it was changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("closed_at", sa.Double()))
    op.create_table(
        "acts",
        sa.Column("act_id", sa.String(40), primary_key=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("actor", sa.String(60), nullable=False),
        sa.Column("host", sa.String(100), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("selection", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text()),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("begun_at", sa.Double()),
        sa.Column("worked_at", sa.Double()),
        sa.Column("ended_at", sa.Double()),
    )
    op.create_table(
        "act_orders",
        sa.Column("act_id", sa.String(40), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("order_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(10)),
        sa.Column("reason", sa.Text()),
    )
    op.create_table(
        "order_versions",
        sa.Column("order_id", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("replaced_at", sa.Double(), nullable=False),
        sa.Column("actor", sa.String(60), nullable=False),
    )
    op.create_index("ix_act_orders_outcome", "act_orders", ["act_id", "outcome", "number"])


def downgrade() -> None:
    op.drop_table("order_versions")
    op.drop_table("act_orders")
    op.drop_table("acts")
    op.drop_column("orders", "closed_at")
