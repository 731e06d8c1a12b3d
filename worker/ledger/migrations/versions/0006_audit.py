"""Who did what by hand, from which host and by which door."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("what", sa.String(20), nullable=False),
        sa.Column("actor", sa.String(60), nullable=False),
        sa.Column("host", sa.String(100), nullable=False),
        sa.Column("door", sa.String(10), nullable=False),
        sa.Column("account", sa.String(32)),
        sa.Column("order_id", sa.String(64)),
        sa.Column("batch_id", sa.String(40)),
        sa.Column("act_id", sa.String(40)),
        sa.Column("note", sa.Text()),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_order_id", "audit", ["order_id"])


def downgrade() -> None:
    op.drop_table("audit")
