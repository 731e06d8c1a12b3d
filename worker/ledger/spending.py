"""Reads the amounts that are known of orders that were sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import Row, select

from worker.ledger.engine import Ledger
from worker.ledger.tables import orders, results
from worker.rules.spending import Bought, Sum
from worker.rules.states import State

AT_ONCE = 1000
"""Rows that are held."""


def bought(ledger: Ledger, since: float | None = None, until: float | None = None) -> Iterator[Bought]:
    """Yield the orders first sent from `since` on and before `until` (unix seconds), with their amounts."""
    query = (
        select(
            *(orders.c.order_id, orders.c.account, orders.c.marketplace, orders.c.state, orders.c.in_doubt),
            *(orders.c.first_sent_at, orders.c.forecast_amount, orders.c.forecast_currency),
            *(results.c.amount, results.c.currency, results.c.paid_amount, results.c.paid_currency),
        )
        .outerjoin(results, results.c.order_id == orders.c.order_id)
        .where(orders.c.first_sent_at.is_not(None))
        .order_by(orders.c.order_id)
        .execution_options(yield_per=AT_ONCE)
    )
    if since is not None:
        query = query.where(orders.c.first_sent_at >= since)
    if until is not None:
        query = query.where(orders.c.first_sent_at < until)
    with ledger.reading() as connection:
        rows: Iterator[Row[Any]] = iter(connection.execute(query))
        for _, of_one in groupby(rows, key=lambda row: row.order_id):
            yield _bought(list(of_one))


def _bought(rows: Sequence[Row[Any]]) -> Bought:
    row = rows[0]
    amounts = (_sum(one.amount, one.currency) for one in rows)
    paid = (_sum(one.paid_amount, one.paid_currency) for one in rows)
    return Bought(
        account=row.account,
        marketplace=row.marketplace,
        state=State(row.state),
        in_doubt=row.in_doubt,
        first_sent_at=row.first_sent_at,
        forecast=_sum(row.forecast_amount, row.forecast_currency),
        amounts=tuple(filter(None, amounts)),
        paid=tuple(filter(None, paid)),
    )


def _sum(amount: str | None, currency: str | None) -> Sum | None:
    return None if amount is None or not currency else Sum(Decimal(amount), currency)
