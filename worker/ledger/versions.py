"""What an order was before it was changed: the body is replaced under its own id, and the one before is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from worker.ledger.dialects import in_list
from worker.ledger.tables import order_versions, orders
from worker.orders.jobs import Job

_REPLACE = (
    update(orders)
    .where(orders.c.order_id == bindparam("b_order_id"))
    .values(body=bindparam("body"), fingerprint=bindparam("fingerprint"))
)
PRICE_GONE: Mapping[str, Any] = {"forecast_amount": None, "forecast_currency": None}
"""What a changed order is to cost is not known any more."""


def replace_bodies(connection: Connection, changed: Sequence[tuple[Row[Any], Job]], actor: str, now: float) -> None:
    """Give locked orders the content of these jobs, and keep what they were."""
    if not changed:
        return
    ids = [row.order_id for row, _ in changed]
    query = (
        select(order_versions.c.order_id, func.count())
        .where(in_list(order_versions.c.order_id, ids))
        .group_by(order_versions.c.order_id)
    )
    kept = {row.order_id: int(row[1]) for row in connection.execute(query)}
    said = {"replaced_at": now, "actor": actor}
    connection.execute(
        insert(order_versions),
        [
            {"order_id": row.order_id, "version": kept.get(row.order_id, 0) + 1, "body": row.body}
            | {"fingerprint": row.fingerprint}
            | said
            for row, _ in changed
        ],
    )
    connection.execute(
        _REPLACE,
        [{"b_order_id": row.order_id, "body": job.body, "fingerprint": job.fingerprint} for row, job in changed],
    )
