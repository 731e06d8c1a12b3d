"""A person's word in the ledger: retry, cancel, adopt, reconcile, pause, resume; each with who said it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Row, delete

from worker.errors import NotAllowed, UnknownOrder
from worker.ledger.engine import Ledger
from worker.ledger.foreign import owners, take_back
from worker.ledger.moves import (
    CLOCKS_DIFFER_SECONDS,
    Move,
    decided,
    insert_ignore,
    lock,
    moved,
    pause_accounts,
    references,
    standing_alarm,
    write,
)
from worker.ledger.pushes import mark_adopted
from worker.ledger.rows import Moved
from worker.ledger.states import Event, State
from worker.ledger.tables import account_pauses, order_references
from worker.retry import CONFIRM_FLOOR_SECONDS, FOREIGN_ORDER, Decision, Pause

Choice = Callable[[Row[Any], float], Decision]


class Operator:
    """Moves orders because a person says so, under the same lock and the same state machine as the worker."""

    def __init__(self, ledger: Ledger, actor: str) -> None:
        self.ledger = ledger
        self.actor = actor

    def retry(self, order_id: str, window_seconds: float | None) -> Moved:
        """Let an order go again now. What may already exist is settled or read back, never sent blindly.

        `window_seconds`: how long after its first send the order may be sent again; None: no such window.
        Raises UnknownOrder, NotAllowed.
        """
        return self._move(order_id, lambda row, now: _retry(row, now, window_seconds))

    def cancel(self, order_id: str) -> Moved:
        """Call an order off that surely does not exist at the marketplace. Raises UnknownOrder, NotAllowed."""
        return self._move(order_id, _cancel)

    def reconcile(self, order_id: str) -> Moved:
        """Settle an unknown order now. Raises UnknownOrder, NotAllowed."""
        return self._move(order_id, _reconcile)

    def adopt(self, order_id: str, reference: str, told_by: str = "a person") -> Moved:
        """Take the marketplace's id that was found for an order; it is read back next.

        It takes the place of ids under which another order was read back. Raises UnknownOrder, and NotAllowed where
        the order needs no id or the id belongs to another order.
        """
        reference = reference.strip()
        if not 1 <= len(reference) <= 64 or not reference.isprintable() or " " in reference:
            raise NotAllowed("a reference is the marketplace's order id: 1 to 64 characters without blanks")
        now = time.time()
        with self.ledger.writing() as connection:
            row = _known(next(iter(lock(connection, [order_id])), None), order_id)
            misread = row.state == State.PLACED and row.code == FOREIGN_ORDER
            if row.state not in (State.UNMATCHED, State.UNKNOWN) and not misread:
                raise NotAllowed(
                    f"{order_id} is {row.state}: only unmatched and unknown orders are adopted,"
                    " and placed ones that were read back as another order"
                )
            owner = owners(connection, [order_id], [reference]).other(row.marketplace, reference, order_id)
            if owner is not None:
                raise NotAllowed(f"{reference} belongs to {owner} already")
            wrong = take_back(connection, row.account, order_id, now)
            learned = {"order_id": order_id, "reference": reference, "source": "adopted", "learned_at": now}
            connection.execute(insert_ignore(connection, order_references), [learned])
            replaced = f"; it takes the place of {', '.join(wrong)}" if wrong else ""
            decision = Decision(Event.ACCEPT, CONFIRM_FLOOR_SECONDS, reason=f"its id was told by {told_by}{replaced}")
            changes = decided(decision, now) | {"accepted_at": row.accepted_at or now, "in_doubt": False, "holds": 0}
            move = Move(row, decision.event, self.actor, decision.reason, changes)
            write(connection, [move], now)
            mark_adopted(connection, row.account, order_id, reference)
            return moved(move, references(connection, [order_id]))

    def pause(self, account: str, reason: str = "paused by a person") -> None:
        """Hold an account's sends until it is resumed; what is placed is still read back."""
        hold = Pause(None, "PAUSED", reason, f"fulfil resume {account}")
        with self.ledger.writing() as connection:
            pause_accounts(connection, [(account, hold)], self.actor, time.time())

    def resume(self, account: str) -> bool:
        """Let an account's orders go again; tell whether it was held."""
        with self.ledger.writing() as connection:
            gone = connection.execute(delete(account_pauses).where(account_pauses.c.account == account))
            return gone.rowcount > 0

    def _move(self, order_id: str, choose: Choice) -> Moved:
        now = time.time()
        with self.ledger.writing() as connection:
            row = _known(next(iter(lock(connection, [order_id])), None), order_id)
            decision = choose(row, now)
            changes = decided(decision, now) | {"holds": 0, "crashes": 0, "spent": 0, "absences": 0}
            changes |= {"absent_since": None, **standing_alarm(row)}
            move = Move(row, decision.event, self.actor, decision.reason, changes)
            write(connection, [move], now)
            return moved(move, references(connection, [order_id]))


def _known(row: Row[Any] | None, order_id: str) -> Row[Any]:
    if row is None:
        raise UnknownOrder(f"no order {order_id} in the ledger")
    return row


def _retry(row: Row[Any], now: float, window_seconds: float | None) -> Decision:
    match State(row.state):
        case State.REFUSED | State.DEAD | State.QUEUED:
            if window_seconds is not None and row.first_sent_at and now > row.first_sent_at + window_seconds:
                raise NotAllowed(
                    f"{row.order_id} was first sent over {window_seconds / 3600:.0f} hours ago, its key is no longer"
                    " safe; submit it under a new order_id"
                )
            return Decision(Event.RETRY, 0.0, reason="retried by a person")
        case State.UNKNOWN:
            return _reconcile(row, now)
        case State.PLACED:
            accepted_at = row.accepted_at or now
            if accepted_at > now + CLOCKS_DIFFER_SECONDS:
                accepted_at = now  # a clock that was wrong wrote it
            due = max(0.0, accepted_at + CONFIRM_FLOOR_SECONDS - now)
            return Decision(Event.RETRY, due, reason="read back at a person's word")
        case State.UNMATCHED:
            raise NotAllowed(
                f"{row.order_id} exists at the marketplace and is never sent again;"
                f" find its id, then: fulfil adopt {row.order_id} --reference ID"
            )
        case _:
            raise NotAllowed(f"{row.order_id} is {row.state}: there is nothing to retry")


def _cancel(row: Row[Any], now: float) -> Decision:
    if row.state not in (State.QUEUED, State.REFUSED, State.DEAD):
        raise NotAllowed(f"{row.order_id} is {row.state}: only queued, refused and dead orders can be cancelled here")
    if row.in_doubt:
        raise NotAllowed(f"{row.order_id} may exist at the marketplace: let it be settled first")
    return Decision(Event.CANCEL, reason="cancelled by a person")


def _reconcile(row: Row[Any], now: float) -> Decision:
    if row.state != State.UNKNOWN:
        raise NotAllowed(f"{row.order_id} is {row.state}: only unknown orders are reconciled")
    return Decision(
        Event.SNOOZE, 0.0, code=row.code, reason=row.reason or "to be settled", fix=row.fix, attention=False
    )
