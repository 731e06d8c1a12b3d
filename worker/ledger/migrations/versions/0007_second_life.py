"""An order's second life: its supplier orders, their parcels, and what happened to both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_FOLLOW_WHAT_EXISTS = """
INSERT INTO supplier_orders (order_id, reference, account, marketplace, stage, status, stage_since, accepted_at,
                             read_at, misses, alarms, due_at)
SELECT orders.order_id, results.reference, orders.account, orders.marketplace, 'unclear', results.status,
       results.read_at, orders.accepted_at, results.read_at, 0, '[]', results.read_at
FROM results JOIN orders ON orders.order_id = results.order_id
WHERE orders.state = 'confirmed'
"""
"""Orders of before are read once more; what is over by then is not read again."""


def upgrade() -> None:
    serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "supplier_orders",
        sa.Column("order_id", sa.String(64), primary_key=True),
        sa.Column("reference", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("marketplace", sa.String(32), nullable=False),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("status", sa.String(60), nullable=False),
        sa.Column("stage_since", sa.Double(), nullable=False),
        sa.Column("accepted_at", sa.Double()),
        sa.Column("deadline_at", sa.Double()),
        sa.Column("paid", sa.Boolean()),
        sa.Column("paid_at", sa.Double()),
        sa.Column("end_reason", sa.String(100)),
        sa.Column("read_at", sa.Double(), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("alarms", sa.JSON(), nullable=False),
        sa.Column("due_at", sa.Double()),
        sa.Column("tell_at", sa.Double()),
    )
    op.create_table(
        "parcels",
        sa.Column("order_id", sa.String(64), primary_key=True),
        sa.Column("reference", sa.String(64), primary_key=True),
        sa.Column("number", sa.String(100), primary_key=True),
        sa.Column("carrier", sa.String(100)),
        sa.Column("eta_at", sa.Double()),
        sa.Column("goods", sa.JSON(), nullable=False),
        sa.Column("nodes", sa.JSON(), nullable=False),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.Column("arrival", sa.String(10)),
        sa.Column("first_seen_at", sa.Double(), nullable=False),
        sa.Column("moved_at", sa.Double(), nullable=False),
        sa.Column("replaced_by", sa.String(100)),
    )
    op.create_table(
        "life_events",
        sa.Column("id", serial, primary_key=True, autoincrement=True),
        sa.Column("order_id", sa.String(64), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("event", sa.String(30), nullable=False),
        sa.Column("from_stage", sa.String(20)),
        sa.Column("to_stage", sa.String(20), nullable=False),
        sa.Column("number", sa.String(100)),
        sa.Column("replaces", sa.String(100)),
        sa.Column("note", sa.Text()),
        sa.Column("actor", sa.String(60), nullable=False),
    )
    op.create_index("ix_life_events_order_id", "life_events", ["order_id"])
    op.create_index("ix_supplier_orders_due", "supplier_orders", ["account", "due_at"])
    op.create_index("ix_supplier_orders_tell", "supplier_orders", ["tell_at"])
    op.create_index("ix_supplier_orders_stage", "supplier_orders", ["stage", "deadline_at"])
    op.create_index("ix_supplier_orders_reference", "supplier_orders", ["reference"])
    op.execute(_FOLLOW_WHAT_EXISTS)


def downgrade() -> None:
    for name in ("life_events", "parcels", "supplier_orders"):
        op.drop_table(name)
