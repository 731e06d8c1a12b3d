"""The second life of orders: which supplier orders are due to be read, and by whom."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Integer, and_, bindparam, select, update

from worker.ledger.dialects import in_list
from worker.ledger.engine import Ledger
from worker.ledger.life_rows import at_key, followed_of, key_of, parcels_of
from worker.ledger.life_tables import supplier_orders
from worker.ledger.moves import forecast, told_differs
from worker.ledger.pauses import pausing
from worker.ledger.results import record_of
from worker.ledger.tables import orders, results
from worker.marketplaces.base import Push
from worker.rules.follow import Followed
from worker.rules.outcomes import OrderRecord
from worker.rules.parcels import Known
from worker.rules.states import State
from worker.rules.values import Confirmed

_PUT_OFF = at_key("due_at")
_DUE = (
    select(supplier_orders.c.order_id)
    .where(supplier_orders.c.account == bindparam("account"), supplier_orders.c.due_at <= bindparam("now"))
    .order_by(supplier_orders.c.due_at)
    .limit(bindparam("limit", type_=Integer))
)


@dataclass(frozen=True, slots=True)
class Due:
    """A supplier order that is due to be read, with the parcels that are known of it."""

    account: str
    order: Followed
    parcels: tuple[Known, ...]


class Lives:
    """Knows which supplier orders are due."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def due(self, now: float, most: Mapping[str, int]) -> dict[str, list[str]]:
        """Return the orders of which a supplier order is due to be read, by account, the longest due first.

        `most`: how many supplier orders of each account, so that the backlog of one never hides another's.
        """
        found = {}
        with self.ledger.reading() as connection:
            for account, limit in most.items():
                rows = connection.execute(_DUE, {"account": account, "now": now, "limit": limit}).scalars()
                if ids := list(dict.fromkeys(rows)):
                    found[account] = ids
        return found

    def claim(self, ids: Sequence[str], lease_seconds: float, now: float | None = None) -> list[Due]:
        """Take the supplier orders of `ids` that are due; no other process gets them for `lease_seconds`.

        Those of an account that is paused for a time are left alone.
        """
        now = now or time.time()
        query = (
            select(supplier_orders)
            .where(in_list(supplier_orders.c.order_id, ids), supplier_orders.c.due_at <= now)
            .order_by(supplier_orders.c.order_id, supplier_orders.c.reference)
            .with_for_update(skip_locked=True)
        )
        with self.ledger.writing() as connection:
            rows = connection.execute(query).all()
            paused = pausing(connection, {row.account for row in rows}, now)
            rows = [row for row in rows if row.account not in paused]
            taken = [row.order_id for row in rows]
            mine = and_(in_list(supplier_orders.c.order_id, taken), supplier_orders.c.due_at <= now)
            connection.execute(update(supplier_orders).where(mine).values(due_at=now + lease_seconds))
            known = parcels_of(connection, taken)
            return [
                Due(row.account, followed_of(row), tuple(known.get((row.order_id, row.reference), ()))) for row in rows
            ]

    def put_off(self, due: Sequence[Due], until: float) -> None:
        """Let others have supplier orders that were taken and not read, from `until` on."""
        with self.ledger.writing() as connection:
            connection.execute(_PUT_OFF, [key_of(one.order) | {"due_at": until} for one in due])

    def wake(self, ids: Sequence[str], now: float | None = None) -> int:
        """Have every supplier order of `ids` read at once, those that are over too; return how many orders have one."""
        with self.ledger.writing() as connection:
            found = set(
                connection.execute(
                    select(supplier_orders.c.order_id).where(in_list(supplier_orders.c.order_id, ids))
                ).scalars()
            )
            connection.execute(
                update(supplier_orders)
                .where(in_list(supplier_orders.c.order_id, sorted(found)))
                .values(due_at=now or time.time())
            )
        return len(found)

    def hint(self, account: str, push: Push, now: float | None = None) -> list[str]:
        """Have one supplier order read at once, where it is ours: a message says that something happened to it.

        Returns the orders of ours that it belongs to.
        """
        mine = and_(supplier_orders.c.account == account, supplier_orders.c.reference == push.reference)
        with self.ledger.writing() as connection:
            ids = list(connection.execute(select(supplier_orders.c.order_id).where(mine)).scalars())
            connection.execute(update(supplier_orders).where(mine).values(due_at=now or time.time()))
        return ids

    def confirmed(self, ids: Sequence[str]) -> dict[str, Confirmed]:
        """Return of confirmed orders what each was to be and what was read of it last; others are left out."""
        with self.ledger.reading() as connection:
            mine = and_(in_list(orders.c.order_id, ids), orders.c.state == State.CONFIRMED)
            rows = connection.execute(select(orders).where(mine)).all()
            kept: dict[str, list[OrderRecord]] = defaultdict(list)
            for row in connection.execute(select(results).where(in_list(results.c.order_id, ids))):
                kept[row.order_id].append(record_of(row))
        return {
            row.order_id: Confirmed(row.body, forecast(row), tuple(kept[row.order_id]), told_differs(row))
            for row in rows
        }
