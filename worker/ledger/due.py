"""What is due, what stands still, and what was rung for."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Update, and_, bindparam, or_, select, update

from worker.ledger.dialects import in_list, listed, unindexed
from worker.ledger.engine import Ledger
from worker.ledger.tables import orders
from worker.rules.decision import CLOCKS_DIFFER_SECONDS
from worker.rules.states import State

EARLY_SECONDS = 0.005
"""A message may arrive this much before its order may be sent."""

PAGE = 1000

_DUE = select(orders.c.order_id, orders.c.account).where(
    in_list(orders.c.order_id, listed("ids")),
    unindexed(orders.c.state) == bindparam("state"),
    unindexed(orders.c.due_at) <= bindparam("now"),
)


def forget_message(ids: Sequence[str]) -> Update:
    """Return the statement that forgets the message of these queued orders, so that the next sweep rings again."""
    queued = unindexed(orders.c.state) == State.QUEUED
    return update(orders).where(in_list(orders.c.order_id, ids), queued).values(rung_at=None)


class Due:
    """Reads and writes when orders are due; moves no order."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def due_by_account(self, ids: Sequence[str], state: State, now: float) -> dict[str, list[str]]:
        """Return which of `ids` stand in `state` and are due, by account."""
        found: dict[str, list[str]] = defaultdict(list)
        with self.ledger.reading() as connection:
            for order_id, account in connection.execute(_DUE, {"ids": ids, "state": state, "now": now}):
                found[account].append(order_id)
        return found

    def suspects(self, account: str, due_before: float, rung_before: float) -> list[str]:
        """Return due orders whose last worker died: all that saw one death, and only the first that saw several.

        They are rung for one by one, and the second kind alone, so that one that kills its worker is found out and
        takes no other down with it.
        """
        query = (
            select(orders.c.order_id, orders.c.crashes)
            .where(
                orders.c.state == State.QUEUED,
                orders.c.account == account,
                orders.c.crashes > 0,
                _untold(due_before, rung_before),
            )
            .order_by(orders.c.crashes, orders.c.due_at)
            .limit(PAGE)
        )
        with self.ledger.reading() as connection:
            found = connection.execute(query).all()
        once = [row.order_id for row in found if row.crashes == 1]
        return once or [row.order_id for row in found[:1]]

    def standing_still(
        self, state: State, due_before: float, rung_before: float, limit: int, account: str | None = None
    ) -> list[str]:
        """Return due orders nobody was told of, or only before `rung_before`; the longest due first.

        With `account`: only its orders, and without those `suspects` returns.
        """
        query = (
            select(orders.c.order_id)
            .where(orders.c.state == state, _untold(due_before, rung_before))
            .order_by(orders.c.due_at)
            .limit(limit)
        )
        if account is not None:
            query = query.where(orders.c.account == account, orders.c.crashes == 0)
        with self.ledger.reading() as connection:
            return list(connection.execute(query).scalars())

    def mark_rung(self, ids: Sequence[str], now: float | None = None) -> None:
        """Note that a message for these orders is on its way."""
        with self.ledger.writing() as connection:
            connection.execute(update(orders).where(in_list(orders.c.order_id, ids)).values(rung_at=now or time.time()))

    def forget_message(self, ids: Sequence[str]) -> None:
        """Note that the message for these queued orders ends here: the next sweep rings for them again."""
        with self.ledger.writing() as connection:
            connection.execute(forget_message(ids))

    def put_off(self, ids: Sequence[str], state: State, until: float) -> None:
        """Put due orders off because a limit is reached. No attempt, no event: nothing happened to them."""
        with self.ledger.writing() as connection:
            connection.execute(
                update(orders)
                .where(
                    in_list(orders.c.order_id, ids),
                    unindexed(orders.c.state) == state,
                    unindexed(orders.c.due_at) < until,
                )
                .values(due_at=until, updated_at=time.time())
            )


def _untold(due_before: float, rung_before: float) -> ColumnElement[bool]:
    """Return the condition of due orders nobody was told of, or only before `rung_before`.

    A ring that lies ahead of now was written by a clock that was wrong: without the last part it would keep its order
    standing still until that hour comes.
    """
    return and_(
        orders.c.due_at <= due_before,
        or_(
            orders.c.rung_at.is_(None),
            orders.c.rung_at <= rung_before,
            orders.c.rung_at > due_before + CLOCKS_DIFFER_SECONDS,
        ),
    )
