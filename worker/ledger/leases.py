"""Orders whose worker did not come back: which they are, and what their sender's marks tell of the last send."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from worker.ledger.dialects import in_list, listed
from worker.ledger.engine import Ledger
from worker.ledger.marks import Dead
from worker.ledger.moves import Move, lock
from worker.ledger.tables import attempts, orders
from worker.rules.codes import Code
from worker.rules.history import Cause
from worker.rules.place import Fate, lease_ran_out
from worker.rules.states import State

MOST_AT_ONCE = 1000

_LAST = and_(attempts.c.order_id == orders.c.order_id, attempts.c.number == orders.c.attempts)
_SENDERS = (
    select(orders.c.order_id, attempts.c.sender).join(attempts, _LAST).where(in_list(orders.c.order_id, listed("ids")))
)
_OF_DEAD = (
    select(orders.c.order_id)
    .join(attempts, _LAST)
    .where(orders.c.state == State.PLACING, in_list(attempts.c.sender, listed("senders")))
    .limit(MOST_AT_ONCE)
)


def lost(connection: Connection, dead: Sequence[Dead], now: float) -> list[tuple[Row[Any], Fate]]:
    """Return the orders whose lease ran out or whose sender is dead, locked, each with the fate of its send."""
    rows = {row.order_id: row for row in lock(connection, None, State.PLACING, lease_before=now, limit=MOST_AT_ONCE)}
    if dead:
        theirs = list(connection.execute(_OF_DEAD, {"senders": [one.sender for one in dead]}).scalars())
        if theirs:
            rows |= {row.order_id: row for row in lock(connection, theirs, State.PLACING)}
    if not rows:
        return []
    senders = dict(connection.execute(_SENDERS, {"ids": list(rows)}).all())
    known = {one.sender: one for one in dead}
    return [
        (rows[order_id], _fate(rows[order_id], known.get(senders.get(order_id) or ""))) for order_id in sorted(rows)
    ]


def busy_senders(ledger: Ledger, dead: Sequence[Dead]) -> frozenset[str]:
    """Return those of dead processes whose orders still stand as being sent."""
    query = (
        select(attempts.c.sender)
        .join(orders, _LAST)
        .where(orders.c.state == State.PLACING, in_list(attempts.c.sender, [one.sender for one in dead]))
        .distinct()
    )
    if not dead:
        return frozenset()
    with ledger.reading() as connection:
        return frozenset(connection.execute(query).scalars())


def open_senders(ledger: Ledger, ids: Sequence[str]) -> dict[str, list[str | None]]:
    """Return, for each order, the processes of which it is not known that they send nothing more of it."""
    query = select(attempts.c.order_id, attempts.c.sender).where(
        in_list(attempts.c.order_id, ids), attempts.c.sender_gone_at.is_(None)
    )
    found: dict[str, list[str | None]] = defaultdict(list)
    with ledger.reading() as connection:
        for order_id, sender in connection.execute(query):
            found[order_id].append(sender)
    return found


def _fate(row: Row[Any], sender: Dead | None) -> Fate:
    if sender is None:
        return Fate.NOT_KNOWN
    return Fate.MAY_HAVE_LEFT if sender.noted(row.order_id, row.attempts) else Fate.NEVER_LEFT


def lost_move(row: Row[Any], fate: Fate, known: bool, actor: str, now: float) -> Move:
    """Return the move of an order whose worker did not come back. `known`: an earlier answer told its ids."""
    decision = lease_ran_out(row.crashes + 1, fate, row.in_doubt)
    if known:
        decision = decision.with_known_references()
    never_left = fate is Fate.NEVER_LEFT
    cause = Cause.LOST_UNSENT if never_left else Cause.LOST
    return Move(row, decision, cause, actor, now, first_send=row.first_sent_at == row.updated_at)


def lost_attempt(row: Row[Any], fate: Fate, now: float) -> dict[str, Any]:
    """Return what closes the attempt of a worker that did not come back."""
    never_left = fate is Fate.NEVER_LEFT
    cause = {
        Fate.NEVER_LEFT: "the worker died before the order left",
        Fate.MAY_HAVE_LEFT: "the worker died while it sent the order",
        Fate.NOT_KNOWN: "the worker did not come back",
    }[fate]
    return {
        "b_order_id": row.order_id,
        "b_number": row.attempts,
        "sent_at": row.updated_at,
        "closed_at": now,
        "outcome": "NotSent" if never_left else "Unknown",
        "code": Code.NOT_SENT if never_left else Code.LEASE_RAN_OUT,
        "cause": cause,
        "request_id": None,
        "duration_ms": None,
        "sender_gone_at": None if fate is Fate.NOT_KNOWN else now,
    }
