"""Which order a person means: an order_id as it was typed, against the ids the ledger holds."""

from __future__ import annotations

from sqlalchemy import Connection, select

from worker.errors import UnknownOrder
from worker.ledger.dialects import in_list
from worker.ledger.tables import orders
from worker.orders.ids import order_id, spellings


def find(connection: Connection, given: str) -> str | None:
    """Return the id of the order that is meant, None where the ledger holds none.

    An order of an id that intake takes no more (a rounded number, an id from before ids were normalised) is found as
    it is written: what was accepted stays within reach.
    """
    forms = [form for form in spellings(given.strip()) if form.isprintable()]  # no other was ever taken
    held = set(connection.execute(select(orders.c.order_id).where(in_list(orders.c.order_id, forms))).scalars())
    return next((form for form in forms if form in held), None)


def known(connection: Connection, given: str) -> str:
    """Return the id of the order that is meant.

    Raises UnusableId where what was typed can be no order's id, and says why; else UnknownOrder.
    """
    found = find(connection, given)
    if found is None:
        raise UnknownOrder(f"no order {order_id(given.strip())} in the ledger")
    return found
