"""Reads the second life of orders for people and programs; changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from worker.ledger.dialects import in_list
from worker.ledger.engine import Ledger
from worker.ledger.life_rows import alarms_of, parcels_of
from worker.ledger.life_tables import life_events, supplier_orders
from worker.ledger.lookup import known
from worker.ledger.tables import results
from worker.rules.follow import LifeEvent
from worker.rules.life import Stage
from worker.rules.life_views import LifeEventView, LifeView, ParcelView, Tracked
from worker.rules.parcels import ParcelEvent

_PARCEL_EVENTS = frozenset(ParcelEvent)
_WITH_AMOUNT = select(supplier_orders, results.c.amount, results.c.currency).outerjoin(
    results,
    and_(
        results.c.order_id == supplier_orders.c.order_id,
        results.c.reference == supplier_orders.c.reference,
    ),
)


class LifeQueries:
    """What may be asked of the second life of orders."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def tracked(self, order_id: str) -> Tracked:
        """Return an order's second life, empty before it is confirmed. Raises UnknownOrder, UnusableId."""
        with self.ledger.reading() as connection:
            name = known(connection, order_id)
            query = _WITH_AMOUNT.where(supplier_orders.c.order_id == name).order_by(supplier_orders.c.reference)
            lives = _with_parcels(connection, connection.execute(query).all())
            happened = select(life_events).where(life_events.c.order_id == name).order_by(life_events.c.id)
            return Tracked(name, tuple(lives), tuple(map(_event, connection.execute(happened))))

    def unpaid(self, account: str | None = None) -> list[LifeView]:
        """Return the supplier orders that await payment: unknown deadlines first, then the soonest."""
        query = _WITH_AMOUNT.where(supplier_orders.c.stage == Stage.AWAITING_PAYMENT)
        if account is not None:
            query = query.where(supplier_orders.c.account == account)
        query = query.order_by(supplier_orders.c.deadline_at.asc().nulls_first(), supplier_orders.c.order_id)
        with self.ledger.reading() as connection:
            return [_life(row, ()) for row in connection.execute(query)]

    def of_orders(self, ids: Sequence[str]) -> dict[str, list[LifeView]]:
        """Return the supplier orders of many orders, their parcels with them."""
        query = _WITH_AMOUNT.where(in_list(supplier_orders.c.order_id, ids))
        found: dict[str, list[LifeView]] = defaultdict(list)
        with self.ledger.reading() as connection:
            rows = connection.execute(query.order_by(supplier_orders.c.reference)).all()
            for one in _with_parcels(connection, rows):
                found[one.order_id].append(one)
        return found


def _with_parcels(connection: Connection, rows: Sequence[Row[Any]]) -> list[LifeView]:
    found = parcels_of(connection, sorted({row.order_id for row in rows}))
    shown = {key: tuple(map(ParcelView.of, known)) for key, known in found.items()}
    return [_life(row, shown.get((row.order_id, row.reference), ())) for row in rows]


def _life(row: Row[Any], of: tuple[ParcelView, ...]) -> LifeView:
    return LifeView(
        order_id=row.order_id,
        reference=row.reference,
        account=row.account,
        marketplace=row.marketplace,
        stage=Stage(row.stage),
        status=row.status,
        stage_since=row.stage_since,
        deadline_at=row.deadline_at,
        paid=row.paid,
        paid_at=row.paid_at,
        end_reason=row.end_reason,
        read_at=row.read_at,
        due_at=row.due_at,
        alarms=tuple(alarms_of(row)),
        amount=row.amount,
        currency=row.currency,
        parcels=of,
    )


def _event(row: Row[Any]) -> LifeEventView:
    name = row.event
    return LifeEventView(
        at=row.at,
        reference=row.reference,
        event=ParcelEvent(name) if name in _PARCEL_EVENTS else LifeEvent(name),
        from_stage=Stage(row.from_stage) if row.from_stage else None,
        to_stage=Stage(row.to_stage),
        number=row.number,
        replaces=row.replaces,
        note=row.note,
    )
