"""The count of snoozes in a row is called what it is; `holds` said the same as an account that is paused."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("orders", "holds", new_column_name="snoozes")


def downgrade() -> None:
    op.alter_column("orders", "snoozes", new_column_name="holds")
