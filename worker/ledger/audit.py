"""Keeps who did what by hand, in the transaction that did it, and lists it."""

from __future__ import annotations

import socket

from sqlalchemy import ColumnElement, Connection, insert, or_, select

from worker.ledger.engine import Ledger
from worker.ledger.moves import told
from worker.ledger.tables import act_orders, audit, orders
from worker.rules.audit import AuditView, who_of


def note_act(
    connection: Connection,
    what: str,
    actor: str,
    now: float,
    *,
    account: str | None = None,
    order_id: str | None = None,
    batch_id: str | None = None,
    act_id: str | None = None,
    note: str | None = None,
) -> None:
    """Write down one manual act. `actor`: as events name whoever did it."""
    who = who_of(actor, socket.gethostname())
    row = {
        "at": now,
        "what": what,
        "actor": (told(who.name) or "")[:60],
        "host": (told(who.host) or "")[:100],
        "door": who.door,
        "account": account,
        "order_id": order_id,
        "batch_id": batch_id,
        "act_id": act_id,
        "note": told(note) or None,
    }
    connection.execute(insert(audit), row)


class Audit:
    """Lists manual acts."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def newest(
        self,
        limit: int,
        since: float | None = None,
        account: str | None = None,
        order_id: str | None = None,
    ) -> list[AuditView]:
        """Return the newest acts that match, the newest last.

        `account`, `order_id`: as the ledger spells them; an act on many orders and a submission count where one of
        their orders matches. `since`: unix seconds.
        """
        query = select(audit).order_by(audit.c.id.desc()).limit(limit)
        if since is not None:
            query = query.where(audit.c.at >= since)
        with self.ledger.reading() as connection:
            if account is not None:
                query = query.where(or_(audit.c.account == account, _over(orders.c.account == account)))
            if order_id is not None:
                query = query.where(or_(audit.c.order_id == order_id, _over(orders.c.order_id == order_id)))
            return [AuditView.of(row) for row in connection.execute(query)][::-1]


def acts_on(connection: Connection, order_id: str) -> list[AuditView]:
    """Return what was done by hand with one order, its submission too, the newest last."""
    these = or_(audit.c.order_id == order_id, _over(orders.c.order_id == order_id))
    return [AuditView.of(row) for row in connection.execute(select(audit).where(these).order_by(audit.c.id))]


def _over(these: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition of acts and submissions that hold one of these orders."""
    batches = select(orders.c.batch_id).where(these)
    acts = select(act_orders.c.act_id).join(orders, orders.c.order_id == act_orders.c.order_id).where(these)
    return or_(audit.c.batch_id.in_(batches), audit.c.act_id.in_(acts))
