"""Puts right what a host wrote whose clock was hours ahead: nothing stands still until that hour comes.

What such a host wrote shows it: it was written later than now. What was to follow so many seconds after that writing
follows so many seconds after now. (Leases and rings that lie ahead count as over where they are asked for.)
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, select, update

from worker.ledger.dialects import in_list, listed
from worker.ledger.engine import Ledger
from worker.ledger.tables import account_pauses, orders
from worker.rules.decision import CLOCKS_DIFFER_SECONDS
from worker.rules.states import State

MOST_AT_ONCE = 1000

_NOW: ColumnElement[Any] = bindparam("now", type_=orders.c.updated_at.type)
_LATEST: ColumnElement[Any] = bindparam("latest", type_=orders.c.updated_at.type)
"""Later than this no clock that is right says it is."""
_WAIT = (State.QUEUED, State.UNKNOWN, State.PLACED)
_AHEAD = (
    select(orders.c.order_id)
    .where(orders.c.state.in_(_WAIT), orders.c.due_at > _LATEST, orders.c.updated_at > _LATEST)
    .order_by(orders.c.order_id)  # one order of locking for all
    .limit(MOST_AT_ONCE)
)
_PAUSED_AHEAD = and_(account_pauses.c.since > _LATEST, account_pauses.c.until.is_not(None))


def _put_right(time: Any) -> ColumnElement[Any]:
    return case((time > _LATEST, time - (orders.c.updated_at - _NOW)), else_=time)


_PUT_RIGHT = (
    update(orders)
    .where(in_list(orders.c.order_id, listed("ids")))
    .values(
        due_at=_put_right(orders.c.due_at),
        first_sent_at=_put_right(orders.c.first_sent_at),
        # Look-ups under such a clock are no row without a gap: counting begins anew.
        absences=case((orders.c.absent_since > _LATEST, 0), else_=orders.c.absences),
        absent_since=case((orders.c.absent_since > _LATEST, None), else_=orders.c.absent_since),
        updated_at=_NOW,
    )
)
_END_SOONER = (
    update(account_pauses)
    .where(_PAUSED_AHEAD)
    .values(until=account_pauses.c.until - (account_pauses.c.since - _NOW), since=_NOW)
)


def put_right(ledger: Ledger, now: float) -> int:
    """Put right the times of orders and pauses that lie ahead of `now` (unix seconds); return how many orders.

    A pause that only a person ends stays one.
    """
    times = {"now": now, "latest": now + CLOCKS_DIFFER_SECONDS}
    with ledger.reading() as connection:
        found = (
            connection.execute(_AHEAD, times).first()
            or connection.execute(select(account_pauses.c.account).where(_PAUSED_AHEAD), times).first()
        )
    if found is None:
        return 0  # as always: nobody has to wait for a writer
    with ledger.writing() as connection:
        ids = list(connection.execute(_AHEAD.with_for_update(skip_locked=True), times).scalars())
        if ids:
            connection.execute(_PUT_RIGHT, times | {"ids": ids})
        connection.execute(_END_SOONER, times)
    return len(ids)
