"""Which orders are meant: the filters of the lists and of what is done to many."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import exists, or_

from worker.ledger.dialects import in_list
from worker.ledger.life_tables import supplier_orders
from worker.ledger.overdue import Stalled, are_overdue
from worker.ledger.tables import orders


@dataclass(frozen=True, slots=True)
class Filter:
    """Which orders are meant; None leaves a question open. Times are unix seconds."""

    state: str | None = None
    account: str | None = None
    batch: str | None = None
    attention: bool = False
    code: str | None = None
    since: float | None = None
    """Only orders submitted at this time or later."""
    until: float | None = None
    """Only orders submitted before this time."""
    text: str | None = None
    """Only orders with this text in their id, code or reason."""
    stage: str | None = None
    """Only orders of which a supplier order stands in this stage of its second life."""
    ids: tuple[str, ...] | None = None
    """Only these orders, as the ledger spells their ids."""

    def where(self, lines: Stalled = ()) -> list[Any]:
        """Return the SQL conditions. `lines`: whose overdue orders count among those that need a person."""
        columns = {"state": orders.c.state, "account": orders.c.account, "batch": orders.c.batch_id}
        columns["code"] = orders.c.code
        asked = [(column, getattr(self, name)) for name, column in columns.items()]
        conditions: list[Any] = [column == value for column, value in asked if value is not None]
        if self.attention:
            conditions.append(or_(orders.c.attention.is_(True), are_overdue(lines)))
        if self.since is not None:
            conditions.append(orders.c.created_at >= self.since)
        if self.until is not None:
            conditions.append(orders.c.created_at < self.until)
        if self.text:
            told = (orders.c.order_id, orders.c.code, orders.c.reason)
            conditions.append(or_(*(column.icontains(self.text, autoescape=True) for column in told)))
        if self.stage is not None:
            theirs = supplier_orders.c.order_id == orders.c.order_id
            conditions.append(exists().where(theirs, supplier_orders.c.stage == self.stage))
        if self.ids is not None:
            conditions.append(in_list(orders.c.order_id, self.ids))
        return conditions

    def words(self) -> dict[str, Any]:
        """Return what was asked for, without what was left open."""
        return {name: value for name, value in asdict(self).items() if value not in (None, False)}
