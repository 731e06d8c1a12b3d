"""Claims: which orders a worker may send or read now, and the transaction that makes them its own."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, update

from worker.ledger import ceilings
from worker.ledger.bindings import others, remember
from worker.ledger.ceilings import Ceilings
from worker.ledger.dialects import in_list, listed
from worker.ledger.due import EARLY_SECONDS, forget_message
from worker.ledger.engine import Ledger
from worker.ledger.moves import NOTE, Move, event_row, forecast, lock, told_differs, write
from worker.ledger.pauses import is_paused, pause_accounts, pausing
from worker.ledger.references import references
from worker.ledger.tables import attempts, orders
from worker.rules.binding import READING, Binding, differing, other_marketplace, sent_otherwise, taken_otherwise
from worker.rules.decision import Decision
from worker.rules.history import Cause
from worker.rules.place import window_closed
from worker.rules.states import Event, State, advance
from worker.rules.values import Claim, Waiting

_CLAIM = (
    update(orders)
    .where(in_list(orders.c.order_id, listed("ids")))
    .values(
        state=advance(State.QUEUED, Event.CLAIM),
        epoch=orders.c.epoch + 1,
        attempts=orders.c.attempts + 1,
        first_sent_at=func.coalesce(orders.c.first_sent_at, bindparam("now")),
        lease_until=bindparam("until"),
        binding=func.coalesce(bindparam("binding"), orders.c.binding),
        taken_for=func.coalesce(bindparam("taken_for"), orders.c.taken_for),
        absence_told_at=None,
        rung_at=None,
        updated_at=bindparam("now"),
    )
)
_OPEN_ATTEMPT = insert(attempts)
_CLAIM_WAITING = (
    update(orders)
    .where(in_list(orders.c.order_id, listed("ids")))
    .values(due_at=bindparam("until"), rung_at=None, updated_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what an account's orders may be sent; durations in seconds.

    `resend_window_seconds`: how long after its first send an order may be sent again; None: the account has no such
    window. `binding`: what is sent with; None: it is not compared. `ceilings`: what may be spent in a day.
    """

    lease_seconds: float
    resend_window_seconds: float | None
    binding: Binding | None = None
    ceilings: Ceilings | None = None


class Claims:
    """Makes orders a worker's own. `actor` names the process in every event, `sender` its file of send marks."""

    def __init__(self, ledger: Ledger, actor: str = "worker", sender: str | None = None) -> None:
        self.ledger = ledger
        self.actor = actor
        self.sender = sender
        self._remembered: set[str] = set()

    def claim(self, account: str, ids: Sequence[str], terms: Terms, now: float | None = None) -> list[Claim]:
        """Take the orders of `ids` that are queued and due; their attempts are committed before this returns.

        Orders of a paused account are left alone. An order that may not be sent is parked or waits, with a reason: its
        safe window has closed, it was sent with something else, or it is above the account's limits.
        """
        now = now or time.time()
        with self.ledger.writing() as connection:
            if is_paused(connection, account, now):
                connection.execute(forget_message(ids))  # its message ends here: the sweep rings when the pause ends
                return []
            if terms.binding is not None and terms.binding.id not in self._remembered:
                remember(connection, terms.binding, now)
            rows = lock(connection, ids, State.QUEUED, account=account, due_before=now + EARLY_SECONDS)
            going = _sendable(connection, account, rows, terms, self.actor, now)
            if len(going) < len(rows):
                connection.execute(forget_message([row.order_id for row in rows]))
            claims = _take(connection, going, terms, self.sender, self.actor, now)
        if terms.binding is not None:
            self._remembered.add(terms.binding.id)
        return claims

    def claim_waiting(
        self, ids: Sequence[str], state: State, lease_seconds: float, now: float | None = None
    ) -> list[Waiting]:
        """Take the due orders of `ids` in `state`; until `lease_seconds` have passed no other process gets them."""
        now = now or time.time()
        with self.ledger.writing() as connection:
            rows = lock(connection, ids, state, due_before=now)  # never early: ten seconds are ten seconds
            paused = pausing(connection, {row.account for row in rows}, now)
            rows = [row for row in rows if row.account not in paused]
            taken = [row.order_id for row in rows]
            connection.execute(_CLAIM_WAITING, {"ids": taken, "until": now + lease_seconds, "now": now})
            known = references(connection, taken)
            return [as_waiting(row, known.get(row.order_id, ())) for row in rows]

    def sent_otherwise(self, orders: Sequence[Waiting], binding: Binding) -> dict[str, Decision]:
        """Return what follows for those orders of one account that were sent with something else than it has now."""
        if all(order.binding in (None, binding.id) for order in orders):
            return {}
        with self.ledger.reading() as connection:
            before = others(connection, binding, {order.binding for order in orders})
        return {
            order.order_id: sent_otherwise(before[order.binding], binding, Event.SNOOZE)
            for order in orders
            if order.binding in before and _matters(order, before[order.binding], binding)
        }


def _sendable(
    connection: Connection, account: str, rows: Sequence[Row[Any]], terms: Terms, actor: str, now: float
) -> list[Row[Any]]:
    """Return the rows that may be sent; move the others, with a reason, and pause an account above its limits."""
    aside = _aside(connection, rows, terms, now)
    write(
        connection,
        [Move(row, aside[row.order_id], Cause.NOTHING, actor, now) for row in rows if row.order_id in aside],
        now,
    )
    left = [row for row in rows if row.order_id not in aside]
    if terms.ceilings is None or not left:
        return left
    left, pause = ceilings.let_through(connection, account, terms.ceilings, left, now)
    pause_accounts(connection, [(account, pause)], actor, now)
    return left


def _aside(connection: Connection, rows: Sequence[Row[Any]], terms: Terms, now: float) -> dict[str, Decision]:
    """Return what follows for the orders that may not be sent, by their ids."""
    aside = {row.order_id: window_closed() for row in rows if _is_late(row, terms.resend_window_seconds, now)}
    binding = terms.binding
    if binding is None:
        return aside
    before = others(connection, binding, {row.binding for row in rows if row.in_doubt})
    for row in rows:
        if row.marketplace != binding.parts["marketplace"]:
            aside[row.order_id] = other_marketplace(row.marketplace, row.in_doubt, binding)
        elif row.in_doubt and row.binding in before:
            aside[row.order_id] = sent_otherwise(before[row.binding], binding, Event.PARK)
        elif not row.in_doubt and row.taken_for not in (None, binding.taken_for):
            aside[row.order_id] = taken_otherwise(binding)
    return aside


def _is_late(row: Row[Any], window_seconds: float | None, now: float) -> bool:
    return window_seconds is not None and row.first_sent_at is not None and now > row.first_sent_at + window_seconds


def _take(
    connection: Connection, rows: Sequence[Row[Any]], terms: Terms, sender: str | None, actor: str, now: float
) -> list[Claim]:
    """Claim locked rows and open their attempts. `sender`: the process that will send them."""
    if not rows:
        return []
    until, binding = now + terms.lease_seconds, terms.binding
    claims = [_claim(row, now, until) for row in rows]
    connection.execute(
        _CLAIM,
        {
            "ids": [claim.order_id for claim in claims],
            "now": now,
            "until": until,
            "binding": binding and binding.id,
            "taken_for": binding and binding.taken_for,
        },
    )
    connection.execute(
        _OPEN_ATTEMPT,
        [
            {"order_id": c.order_id, "number": c.number, "epoch": c.epoch, "sent_at": now, "sender": sender}
            for c in claims
        ],
    )
    connection.execute(NOTE, [event_row(c.order_id, now, Event.CLAIM, State.QUEUED, c.epoch, actor) for c in claims])
    return claims


def _claim(row: Row[Any], now: float, until: float) -> Claim:
    return Claim(
        order_id=row.order_id,
        account=row.account,
        body=row.body,
        epoch=row.epoch + 1,
        number=row.attempts + 1,
        lease_until=until,
        first_sent_at=row.first_sent_at or now,
        sent_before=row.first_sent_at is not None,
        spent=row.spent + 1,
        snoozes=row.snoozes,
        in_doubt=row.in_doubt,
        suspect=row.crashes > 0,
    )


def as_waiting(row: Row[Any], known: tuple[str, ...]) -> Waiting:
    """Return an order's row as what a read needs of it. `known`: the marketplace's ids of it."""
    return Waiting(
        order_id=row.order_id,
        account=row.account,
        state=State(row.state),
        epoch=row.epoch,
        body=row.body,
        references=known,
        first_sent_at=row.first_sent_at or row.created_at,
        updated_at=row.updated_at,
        spent=row.spent,
        snoozes=row.snoozes,
        absences=row.absences,
        absent_since=row.absent_since,
        in_doubt=row.in_doubt,
        absence_told_at=row.absence_told_at,
        binding=row.binding,
        forecast=forecast(row),
        differs=told_differs(row),
    )


def _matters(order: Waiting, before: Mapping[str, str], now: Binding) -> bool:
    """Tell whether a difference stops an order: a read-back only needs the place, an id shows by itself whose it is."""
    return order.state is not State.PLACED or not set(READING).isdisjoint(differing(before, now.parts))
