"""A person's commands in the ledger: retry, cancel, adopt, reconcile, pause, resume; each with who gave it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Row, bindparam, delete, select, update

from worker.errors import NotAllowed
from worker.ledger import ceilings, lookup
from worker.ledger.bindings import vouch
from worker.ledger.dialects import insert_ignore
from worker.ledger.engine import Ledger
from worker.ledger.moves import Move, lock, standing_alarm, write
from worker.ledger.pauses import pause_accounts
from worker.ledger.pushes import mark_adopted
from worker.ledger.references import ADOPTED, is_adopted, owners, references, take_back
from worker.ledger.tables import account_pauses, attempts, order_references, orders
from worker.orders import ids
from worker.rules import operate
from worker.rules.binding import Binding
from worker.rules.codes import Code
from worker.rules.decision import Decision
from worker.rules.history import Cause
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

        An order in doubt whose safe window has closed is parked instead of sent. Raises UnknownOrder, NotAllowed.
        """
        return self._move(order_id, operate.retry)

    def absent(self, order_id: str, can_look_up: bool, is_alive: Callable[[str], bool]) -> Moved:
        """Note that a person said an unknown order does not exist at the marketplace, so that it may be made anew.

        Where it can be looked up, that is done once more before it is sent. `is_alive` tells whether a process of
        this home still runs. Raises UnknownOrder, and NotAllowed where the order is not unknown or where a process
        that may still send it runs.
        """
        with self.ledger.reading() as connection:
            order_id = lookup.known(connection, order_id)
            senders = list(connection.execute(_OPEN_SENDERS, {"order_id": order_id}).scalars())
        alive = [sender for sender in senders if is_alive(sender)]
        return self._move(order_id, lambda row, _: operate.absent(row, can_look_up, alive), Cause.WORD_OF_ABSENCE)

    def same_buyer(self, binding: Binding) -> tuple[float, list[Moved]]:
        """Note that a person said an account's present token is of the buyer it had before.

        Returns since when (unix seconds) the token before was used, and the orders that go on. Raises NotAllowed
        where no order was sent with another token.
        """
        now = time.time()
        with self.ledger.writing() as connection:
            since = vouch(connection, binding, self.actor)
            rows = [
                row
                for row in lock(connection, None, State.UNKNOWN, account=binding.account)
                if row.code == Code.ACCOUNT_CHANGED
            ]
            moves = [Move(row, operate.same_buyer(), Cause.NOTHING, self.actor, now) for row in rows]
            return since, write(connection, moves, now)

    def cancel(self, order_id: str) -> Moved:
        """Call an order off that surely does not exist at the marketplace. Raises UnknownOrder, NotAllowed."""
        return self._move(order_id, lambda row, _: operate.cancel(row))

    def reconcile(self, order_id: str) -> Moved:
        """Settle an unknown order now. Raises UnknownOrder, NotAllowed."""
        return self._move(order_id, lambda row, _: operate.reconcile(row))

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
            may_replace = row.code == Code.FOREIGN_ORDER or (replaces and is_adopted(connection, order_id))
            operate.check_adoptable(row, may_replace)
            owner = owners(connection, [order_id], [reference]).other(row.marketplace, reference, order_id)
            if owner is not None:
                raise NotAllowed(f"{reference} belongs to {owner} already")
            replaced = [old for old in take_back(connection, row.account, order_id, now) if old != reference]
            learned = {"order_id": order_id, "reference": reference, "source": ADOPTED, "learned_at": now}
            connection.execute(insert_ignore(connection, order_references), [learned])
            decision = operate.adopt(told_by, replaced)
            known = references(connection, [order_id])
            (moved,) = write(connection, [Move(row, decision, Cause.ADOPTION, self.actor, now)], now, known)
            mark_adopted(connection, row.account, order_id, reference)
            return moved

    def pause(self, account: str, reason: str = "paused by a person") -> None:
        """Pause an account's sends until it is resumed; what is placed is still read back."""
        with self.ledger.writing() as connection:
            pause_accounts(connection, [(account, operate.paused(account, reason))], self.actor, time.time())

    def resume(self, account: str) -> bool:
        """Let an account's orders go again; tell whether it was paused."""
        this = account_pauses.c.account == account
        with self.ledger.writing() as connection:
            code = connection.execute(select(account_pauses.c.code).where(this)).scalar()
            if code == Code.DAY_LIMIT:
                ceilings.forgive(connection, account, time.time())
            return connection.execute(delete(account_pauses).where(this)).rowcount > 0

    def _move(self, order_id: str, choose: Choice, cause: Cause = Cause.WORD) -> Moved:
        now = time.time()
        with self.ledger.writing() as connection:
            order_id = lookup.known(connection, order_id)
            row = lock(connection, [order_id])[0]
            decision = choose(row, now)
            move = Move(row, decision, cause, self.actor, now, more=standing_alarm(row))
            (moved,) = write(connection, [move], now, references(connection, [order_id]))
            begins_anew = cause is Cause.WORD_OF_ABSENCE or row.code == Code.ACCOUNT_CHANGED
            if decision.event is Event.RETRY and begins_anew:
                connection.execute(_UNBIND, {"b_order_id": order_id})
            return moved
