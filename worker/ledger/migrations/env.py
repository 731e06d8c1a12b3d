"""Alembic's entry: runs the migrations over the connection the program hands in."""

from __future__ import annotations

from alembic import context

from worker.ledger.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
