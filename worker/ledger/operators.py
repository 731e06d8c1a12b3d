"""A person's word in the ledger: retry, cancel, adopt, reconcile, pause, resume; each with who said it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, delete, select, update

from worker.errors import NotAllowed
from worker.ledger import ceilings, lookup
from worker.ledger.bindings import vouch
from worker.ledger.dialects import insert_ignore
from worker.ledger.engine import Ledger
from worker.ledger.moves import Move, decided, lock, moved, standing_alarm, write
from worker.ledger.pauses import pause_accounts
from worker.ledger.pushes import mark_adopted
from worker.ledger.references import ADOPTED, is_adopted, owners, references, take_back
from worker.ledger.tables import account_pauses, attempts, order_references, orders
from worker.orders import ids
from worker.rules.binding import ACCOUNT_CHANGED, Binding
from worker.rules.place import CONFIRM_FLOOR_SECONDS, FOREIGN_ORDER, Decision, Pause
from worker.rules.states import Event, State
from worker.rules.values import Moved

Choice = Callable[[Row[Any], float], Decision]

_OPEN_SENDERS = select(attempts.c.sender).where(
    attempts.c.order_id == bindparam("order_id"), attempts.c.sender.is_not(None), attempts.c.sender_gone_at.is_(None)
)
_UNBIND = update(orders).where(orders.c.order_id == bindparam("b_order_id")).values(binding=None, taken_for=None)
"""For an order that begins anew: it may go wherever its account sends now."""


class Operator:
    """Moves orders because a person says so, under the same lock and the same state machine as the worker.

    An order_id is what a person typed; each method raises UnusableId where it can be no order's.
    """

    def __init__(self, ledger: Ledger, actor: str) -> None:
        self.ledger = ledger
        self.actor = actor

    def retry(self, order_id: str) -> Moved:
        """Let an order go again now. What may already exist is settled or read back, never sent blindly.

        One in doubt whose safe window has closed is put aside when it is to be sent. Raises UnknownOrder, NotAllowed.
        """
        return self._move(order_id, _retry)

    def absent(self, order_id: str, can_look_up: bool, is_alive: Callable[[str], bool]) -> Moved:
        """Take a person's word that an unknown order does not exist at the marketplace, so that it may be made anew.

        Where it can be looked up, that is done once more before it is sent. `is_alive` tells whether a process of
        this home still runs. Raises UnknownOrder, and NotAllowed where the order is not unknown or where a process
        that may still send it runs.
        """
        with self.ledger.reading() as connection:
            order_id = lookup.known(connection, order_id)
            senders = list(connection.execute(_OPEN_SENDERS, {"order_id": order_id}).scalars())
        alive = [sender for sender in senders if is_alive(sender)]
        return self._move(order_id, lambda row, now: _absent(row, can_look_up, alive), absent=True)

    def same_buyer(self, binding: Binding) -> tuple[float, list[Moved]]:
        """Take a person's word that an account's present token is of the buyer it had before.

        Returns since when (unix seconds) the token before was used, and the orders that go on. Raises NotAllowed
        where no order was sent with another token.
        """
        now = time.time()
        with self.ledger.writing() as connection:
            since = vouch(connection, binding, self.actor)
            rows = [
                row
                for row in lock(connection, None, State.UNKNOWN, account=binding.account)
                if row.code == ACCOUNT_CHANGED
            ]
            reason = "its account's present token is of the same buyer, a person says"
            decision = Decision(Event.SNOOZE, 0.0, code=ACCOUNT_CHANGED, reason=reason)
            moves = [Move(row, decision.event, self.actor, reason, decided(decision, now)) for row in rows]
            write(connection, moves, now)
            return since, [moved(move, {}) for move in moves]

    def cancel(self, order_id: str) -> Moved:
        """Call an order off that surely does not exist at the marketplace. Raises UnknownOrder, NotAllowed."""
        return self._move(order_id, _cancel)

    def reconcile(self, order_id: str) -> Moved:
        """Settle an unknown order now. Raises UnknownOrder, NotAllowed."""
        return self._move(order_id, _reconcile)

    def adopt(self, order_id: str, reference: str, told_by: str = "a person", replaces: bool = True) -> Moved:
        """Take the marketplace's id that was found for an order; it is read back next.

        It takes the place of ids under which another order was read back; where it `replaces`, also of an id that was
        adopted before and never read back. Raises UnusableId, UnknownOrder, and NotAllowed where the order needs no
        id or the id belongs to another order.
        """
        reference = ids.reference(reference)
        now = time.time()
        with self.ledger.writing() as connection:
            order_id = lookup.known(connection, order_id)
            row = lock(connection, [order_id])[0]
            open_to = row.state in (State.UNMATCHED, State.UNKNOWN)
            if row.state == State.PLACED:
                open_to = row.code == FOREIGN_ORDER or (replaces and is_adopted(connection, order_id))
            if not open_to:
                raise NotAllowed(
                    f"{order_id} is {row.state}: only unmatched and unknown orders are adopted, and placed ones whose"
                    " id was adopted and never read back, or was read back as another order"
                )
            owner = owners(connection, [order_id], [reference]).other(row.marketplace, reference, order_id)
            if owner is not None:
                raise NotAllowed(f"{reference} belongs to {owner} already")
            wrong = take_back(connection, row.account, order_id, now)
            learned = {"order_id": order_id, "reference": reference, "source": ADOPTED, "learned_at": now}
            connection.execute(insert_ignore(connection, order_references), [learned])
            others = [old for old in wrong if old != reference]
            replaced = f"; it takes the place of {', '.join(others)}" if others else ""
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
        this = account_pauses.c.account == account
        with self.ledger.writing() as connection:
            code = connection.execute(select(account_pauses.c.code).where(this)).scalar()
            if code == ceilings.DAY_LIMIT:
                ceilings.forgive(connection, account, time.time())
            return connection.execute(delete(account_pauses).where(this)).rowcount > 0

    def _move(self, order_id: str, choose: Choice, absent: bool = False) -> Moved:
        now = time.time()
        with self.ledger.writing() as connection:
            order_id = lookup.known(connection, order_id)
            row = lock(connection, [order_id])[0]
            decision = choose(row, now)
            changes = decided(decision, now) | {"holds": 0, "crashes": 0, "spent": 0, "absences": 0}
            changes |= {"absent_since": None, **standing_alarm(row)}
            if absent:
                changes |= _taken_for_absent(decision, now)
            elif decision.event is Event.RETRY and not row.in_doubt and row.state != State.PLACED:
                changes["first_sent_at"] = None  # no send of it lies behind us, so none is too long ago
            move = Move(row, decision.event, self.actor, decision.reason, changes)
            write(connection, [move], now)
            if decision.event is Event.RETRY and (absent or row.code == ACCOUNT_CHANGED):
                connection.execute(_UNBIND, {"b_order_id": order_id})
            return moved(move, references(connection, [order_id]))


def _absent(row: Row[Any], can_look_up: bool, alive: Sequence[str]) -> Decision:
    if row.state != State.UNKNOWN:
        raise NotAllowed(f"{row.order_id} is {row.state}: only of unknown orders it may be said that they do not exist")
    if alive:
        raise NotAllowed(
            f"{row.order_id} may still be sent: a process that began to send it runs and has not reported;"
            " restart the workers, then say it again"
        )
    if can_look_up and row.code != ACCOUNT_CHANGED:
        reason = "a person says that it does not exist at the marketplace; it is looked up once more"
        return Decision(Event.SNOOZE, 0.0, reason=reason)
    return Decision(Event.RETRY, 0.0, reason="made anew: a person says that it does not exist at the marketplace")


def _taken_for_absent(decision: Decision, now: float) -> dict[str, Any]:
    """Return what a person's word changes: a last look-up decides, or the order begins anew."""
    if decision.event is Event.SNOOZE:
        return {"absence_told_at": now}
    return {"in_doubt": False, "first_sent_at": None}


def _retry(row: Row[Any], now: float) -> Decision:
    match State(row.state):
        case State.REFUSED | State.DEAD | State.QUEUED:
            return Decision(Event.RETRY, 0.0, reason="retried by a person")
        case State.UNKNOWN:
            return _reconcile(row, now)
        case State.PLACED:
            due = max(0.0, (row.accepted_at or now) + CONFIRM_FLOOR_SECONDS - now)
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
