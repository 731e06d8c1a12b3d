"""Everything the ledger tells of one order, and what was read back of some."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from worker.ledger.audit import acts_on
from worker.ledger.dialects import in_list
from worker.ledger.listing import order_view
from worker.ledger.lookup import known
from worker.ledger.overdue import is_overdue, stalled
from worker.ledger.references import references
from worker.ledger.tables import account_bindings, attempts, events, orders, results
from worker.marketplaces import REGISTRY
from worker.marketplaces.replies import text_of, values
from worker.rules.story import ItemView, OrderStory
from worker.rules.views import AttemptView, EventView, ResultView


def story(connection: Connection, order_id: str) -> OrderStory:
    """Return everything of one order. Raises UnusableId, UnknownOrder."""
    order_id = known(connection, order_id)
    row = connection.execute(select(orders).where(orders.c.order_id == order_id)).one()
    read = results_of(connection, [order_id])[order_id]
    sends = select(attempts).where(attempts.c.order_id == order_id).order_by(attempts.c.number)
    moves = select(events).where(events.c.order_id == order_id).order_by(events.c.id)
    return OrderStory(
        order=order_view(
            row, references(connection, [order_id]).get(order_id, ()), is_overdue(row, stalled(connection))
        ),
        attempts=tuple(AttemptView.of(one) for one in connection.execute(sends)),
        events=tuple(EventView.of(one) for one in connection.execute(moves)),
        results=tuple(read),
        items=_items(row),
        country=_country(row),
        store=_stores(row.marketplace, read) or _shop(connection, row.binding),
        tracking=_tracking(row.marketplace, read),
        forecast=row.forecast_amount and f"{row.forecast_amount} {row.forecast_currency}",
        acts=tuple(acts_on(connection, order_id)),
    )


def results_of(connection: Connection, ids: Sequence[str]) -> dict[str, list[ResultView]]:
    """Return what was read back of these orders, an entry for each of the marketplace's ids."""
    query = select(results).where(in_list(results.c.order_id, ids)).order_by(results.c.reference)
    found: dict[str, list[ResultView]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.order_id].append(ResultView.of(row))
    return found


def _items(row: Row[Any]) -> tuple[ItemView, ...]:
    kind = REGISTRY.get(row.marketplace)
    lines = kind.items(json.loads(row.body)) if kind else []
    return tuple(ItemView(line.product, line.variant, line.quantity) for line in lines)


def _country(row: Row[Any]) -> str:
    kind = REGISTRY.get(row.marketplace)
    return kind.country(json.loads(row.body)) if kind else ""


def _stores(marketplace: str, read: Iterable[ResultView]) -> tuple[str, ...]:
    """Return the shop each record names, by the best name it has for it."""
    kind = REGISTRY.get(marketplace)
    told = (_texts(entry.details, kind.store_names if kind else ()) for entry in read)
    return tuple(dict.fromkeys(names[0] for names in told if names))


def _tracking(marketplace: str, read: Iterable[ResultView]) -> tuple[str, ...]:
    kind = REGISTRY.get(marketplace)
    names = kind.tracking_names if kind else ()
    return tuple(dict.fromkeys(number for entry in read for number in _texts(entry.details, names)))


def _texts(details: Any, names: Sequence[str]) -> list[str]:
    return list(filter(None, map(text_of, values(details, *names))))


def _shop(connection: Connection, binding: str | None) -> tuple[str, ...]:
    """Return the shop an order was sent to, where its marketplace has one for an account."""
    query = select(account_bindings.c.parts).where(account_bindings.c.binding == binding)
    shop = (connection.execute(query).scalar() or {}).get("shop")
    return (str(shop),) if shop else ()
