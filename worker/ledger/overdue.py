"""Finds the orders that are overdue for no stated reason, as `rules.overdue` has it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, false, func, or_, select

from worker.ledger.tables import account_pauses, events, orders
from worker.rules.overdue import OVERDUE_SECONDS, WAITING, Line, stands_still
from worker.rules.states import State

EVENTS_LOOKED_AT = 200_000
"""More than are written in the time looked back at; they are found by their number, for their time has no index."""

WORKER = "worker"
"""The actor of what a worker does by itself."""

Stalled = Sequence[tuple[str, State]]
"""Account and state of the lines that stand still."""


def stalled(connection: Connection, now: float | None = None) -> Stalled:
    """Return the lines of orders that stand still; nothing more is read where no order is due for long."""
    now = now or time.time()
    query = select(orders.c.account, orders.c.state).where(_due_long_ago(now)).distinct()
    waiting = [(row.account, State(row.state)) for row in connection.execute(query)]
    if not waiting:
        return []
    paused = {row.account: row.until for row in connection.execute(_pauses(now))}
    moved = _moved(connection, now - OVERDUE_SECONDS)
    lines = [
        Line(
            account,
            state,
            # What a person holds is not sent, and still read back.
            held=account in paused and (state is State.QUEUED or paused[account] is not None),
            moving=(account, state) in moved,
        )
        for account, state in waiting
    ]
    return [(line.account, line.state) for line in lines if stands_still(line)]


def are_overdue(lines: Stalled, now: float | None = None) -> Any:
    """Return the SQL condition of the orders of these lines that are overdue."""
    if not lines:
        return false()
    these = [and_(orders.c.account == account, orders.c.state == state) for account, state in lines]
    return and_(or_(*these), _due_long_ago(now or time.time()))


def is_overdue(row: Any, lines: Stalled, now: float | None = None) -> bool:
    """Tell the same of one order's row."""
    cut = (now or time.time()) - OVERDUE_SECONDS
    since = row.lease_until if row.state == State.PLACING else row.due_at
    free = row.state == State.PLACING or row.lease_until is None or row.lease_until <= cut
    return (row.account, row.state) in lines and not row.attention and since is not None and since <= cut and free


def _due_long_ago(now: float) -> Any:
    cut = now - OVERDUE_SECONDS
    free = or_(orders.c.lease_until.is_(None), orders.c.lease_until <= cut)
    others = [state for state in WAITING if state is not State.PLACING]
    return and_(
        orders.c.attention.is_(False),
        or_(
            and_(orders.c.state.in_(others), orders.c.due_at <= cut, free),
            and_(orders.c.state == State.PLACING, orders.c.lease_until <= cut),
        ),
    )


def _pauses(now: float) -> Any:
    columns = (account_pauses.c.account, account_pauses.c.until)
    return select(*columns).where(or_(account_pauses.c.until.is_(None), account_pauses.c.until > now))


def _moved(connection: Connection, since: float) -> set[tuple[str, State]]:
    newest = connection.execute(select(func.max(events.c.id))).scalar() or 0
    query = (
        select(orders.c.account, events.c.from_state)
        .join(orders, orders.c.order_id == events.c.order_id)
        # Only a worker's moves: what a person does to an order shows nothing of who listens.
        .where(events.c.id > newest - EVENTS_LOOKED_AT, events.c.at > since, events.c.actor == WORKER)
        .distinct()
    )
    return {(row.account, State(row.from_state)) for row in connection.execute(query)}
