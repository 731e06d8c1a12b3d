"""A person's commands in the ledger: to orders, one or many, and to accounts; each with who gave it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from worker.errors import NotAllowed
from worker.ledger import ceilings, lookup
from worker.ledger.audit import note_act
from worker.ledger.bindings import vouch
from worker.ledger.claims import as_waiting
from worker.ledger.dialects import in_list, insert_ignore, listed
from worker.ledger.engine import Ledger
from worker.ledger.intake import note_rejections
from worker.ledger.moves import Move, lock, standing_alarm, write
from worker.ledger.pauses import pause_accounts
from worker.ledger.pushes import mark_adopted
from worker.ledger.references import ADOPTED, is_adopted, owners, references, take_back
from worker.ledger.tables import account_pauses, attempts, order_references, orders
from worker.ledger.versions import PRICE_GONE, replace_bodies
from worker.orders import ids
from worker.orders.jobs import Job, Rejection
from worker.rules import operate
from worker.rules.acts import ActKind, decide
from worker.rules.binding import Binding
from worker.rules.codes import Code, typed
from worker.rules.history import Cause
from worker.rules.reconcile import Ability
from worker.rules.states import Event, State
from worker.rules.values import Moved, Waiting

Abilities = Callable[[str], Ability | None]
Alive = Callable[[str], bool]
Amended = Callable[[Row[Any]], Job]

_ASKS_SENDERS = (ActKind.ABSENT, ActKind.CLOSE)
_CAUSES = {ActKind.ABSENT: Cause.WORD_OF_ABSENCE, ActKind.CLOSE: Cause.NOTHING}
_OPEN_SENDERS = select(attempts.c.order_id, attempts.c.sender).where(
    in_list(attempts.c.order_id, listed("order_ids")),
    attempts.c.sender.is_not(None),
    attempts.c.sender_gone_at.is_(None),
)
_UNBIND = update(orders).where(orders.c.order_id == bindparam("b_order_id")).values(binding=None, taken_for=None)
"""For an order that begins anew: it may go wherever its account sends now."""


@dataclass(frozen=True, slots=True)
class Acted:
    """The results of a command to orders."""

    moved: list[Moved]
    refused: dict[str, str]
    """Order and the sentence that says why its state forbids it."""
    changed: dict[str, str]
    """Order and how it stands by now."""


class Operator:
    """Moves orders because a person says so, under the same lock and the same state machine as the worker.

    An order_id is what a person typed; each method raises UnusableId where it can be no order's.
    """

    def __init__(self, ledger: Ledger, actor: str) -> None:
        self.ledger = ledger
        self.actor = actor

    def act(
        self,
        kind: ActKind,
        order_id: str,
        abilities: Abilities,
        is_alive: Alive,
        note: str = "",
        amended: Amended | None = None,
        fields: Sequence[str] = (),
    ) -> Moved:
        """Do what a person orders of one order. What may already exist is never sent blindly.

        `abilities`: what can be done at an account's marketplace. `is_alive` tells whether a process of this home
        still runs. Raises UnusableId, UnknownOrder, and NotAllowed where the order's state forbids it.
        """
        with self.ledger.writing() as connection:
            order_id = lookup.known(connection, order_id)
            acted = self.act_on(connection, kind, [order_id], abilities, is_alive, note, None, amended, fields)
            for moved in acted.moved:
                self._note(connection, kind, account=moved.account, order_id=order_id, note=note)
        if acted.refused:
            raise NotAllowed(acted.refused[order_id])
        return acted.moved[0]

    def act_on(
        self,
        connection: Connection,
        kind: ActKind,
        order_ids: Sequence[str],
        abilities: Abilities,
        is_alive: Alive,
        note: str = "",
        stood: Mapping[str, Row[Any]] | None = None,
        amended: Amended | None = None,
        fields: Sequence[str] = (),
    ) -> Acted:
        """Do what a person orders of these orders, in the transaction at hand.

        `stood`: how each stood when the person decided; what stands elsewhere by now is left alone. `amended` returns
        an order's new content, or raises NotAllowed; `fields` are the names of what it changes.
        """
        now = time.time()
        moves, refused, changed, jobs = [], {}, {}, []
        senders = _alive_senders(connection, order_ids, is_alive) if kind in _ASKS_SENDERS else {}
        for row in lock(connection, order_ids):
            then = (stood or {}).get(row.order_id)
            if then is not None and (then.state, then.epoch) != (row.state, row.epoch):
                changed[row.order_id] = f"it was {then.state} and is {row.state}"
                continue
            try:
                decision = decide(
                    *(kind, row, abilities(row.account), senders.get(row.order_id, []), now), note=note, fields=fields
                )
                if amended is not None:
                    jobs.append((row, amended(row)))
            except NotAllowed as error:
                refused[row.order_id] = str(error)
                continue
            cause = _CAUSES.get(kind, Cause.WORD)
            more = {} if decision.event is Event.CLOSE else standing_alarm(row)
            if amended is not None:
                more = {**more, **PRICE_GONE}
            moves.append(Move(row, decision, cause, self.actor, now, more=more))
        moved = write(connection, moves, now, references(connection, [move.row.order_id for move in moves]))
        replace_bodies(connection, jobs, self.actor, now)
        anew = [{"b_order_id": move.row.order_id} for move in moves if _begins_anew(move)]
        if anew:
            connection.execute(_UNBIND, anew)
        return Acted(moved, refused, changed)

    def replace(
        self, batch_id: str, jobs: Sequence[tuple[str, Job]], done: Collection[str] = ()
    ) -> tuple[list[Moved], list[Rejection]]:
        """Give known orders the content they were submitted with anew, each as an amendment does.

        `jobs`: each with the id the ledger knows it by. `done`: orders of the batch that were changed before. Returns
        the orders that go again, and what is rejected of the batch, which is kept with it.
        """
        wanted = dict(jobs)
        with self.ledger.writing() as connection:
            acted = self.act_on(
                *(connection, ActKind.AMEND, list(wanted), lambda _: None, lambda _: False),
                amended=lambda row: _replacing(
                    row, wanted[row.order_id], row.batch_id == batch_id or row.order_id in done
                ),
            )
            rejected = [
                Rejection(
                    wanted[order_id].line, order_id, "order_id", f"{why}. To see it: fulfil show {typed(order_id)}"
                )
                for order_id, why in acted.refused.items()
            ]
            note_rejections(connection, batch_id, rejected)
            for moved in acted.moved:
                self._note(connection, ActKind.AMEND, account=moved.account, order_id=moved.order_id, batch_id=batch_id)
        return acted.moved, rejected

    def same_buyer(self, binding: Binding) -> tuple[float, list[Moved]]:
        """Note that a person said an account's present token is of the buyer it had before.

        Returns since when (unix seconds) the token before was used, and the orders that go on. Raises NotAllowed
        where no order was sent with another token.
        """
        now = time.time()
        with self.ledger.writing() as connection:
            since = vouch(connection, binding, self.actor)
            self._note(connection, "same-buyer", account=binding.account)
            rows = [
                row
                for row in lock(connection, None, State.UNKNOWN, account=binding.account)
                if row.code == Code.ACCOUNT_CHANGED
            ]
            moves = [Move(row, operate.same_buyer(), Cause.NOTHING, self.actor, now) for row in rows]
            return since, write(connection, moves, now)

    def adoptable(self, order_id: str, reference: str) -> Waiting:
        """Return an order that may take this id, as a read needs it. Raises as `adopt` does; writes nothing."""
        with self.ledger.reading() as connection:
            order_id = lookup.known(connection, order_id)
            row = connection.execute(select(orders).where(orders.c.order_id == order_id)).one()
            _check_adoption(connection, row, ids.reference(reference), True)
            return as_waiting(row, references(connection, [order_id]).get(order_id, ()))

    def adopt(self, order_id: str, reference: str, told_by: str = "a person", replaces: bool = True) -> Moved:
        """Take the marketplace's id that was found for an order; it is read back next.

        It takes the place of ids under which another order was read back; where it `replaces`, as a person may, also
        of an id that was adopted before and never read back. Raises UnusableId, UnknownOrder, and NotAllowed where the
        order needs no id or the id belongs to another order.
        """
        reference = ids.reference(reference)
        now = time.time()
        with self.ledger.writing() as connection:
            order_id = lookup.known(connection, order_id)
            row = lock(connection, [order_id])[0]
            _check_adoption(connection, row, reference, replaces)
            replaced = [old for old in take_back(connection, row.account, order_id, now) if old != reference]
            learned = {"order_id": order_id, "reference": reference, "source": ADOPTED, "learned_at": now}
            connection.execute(insert_ignore(connection, order_references), [learned])
            decision = operate.adopt(told_by, replaced)
            known = references(connection, [order_id])
            (moved,) = write(connection, [Move(row, decision, Cause.ADOPTION, self.actor, now)], now, known)
            mark_adopted(connection, row.account, order_id, reference)
            if replaces:
                self._note(connection, "adopt", account=row.account, order_id=order_id, note=f"id {reference}")
            return moved

    def pause(self, account: str, reason: str = "paused by a person", note: str = "") -> None:
        """Pause an account's sends until it is resumed; what is placed is still read back."""
        told = f"{reason}: {note}" if note else reason
        with self.ledger.writing() as connection:
            pause_accounts(connection, [(account, operate.paused(account, told))], self.actor, time.time())
            self._note(connection, "pause", account=account, note=note)

    def resume(self, account: str, note: str = "") -> bool:
        """Let an account's orders go again; tell whether it was paused."""
        this = account_pauses.c.account == account
        with self.ledger.writing() as connection:
            code = connection.execute(select(account_pauses.c.code).where(this)).scalar()
            if code == Code.DAY_LIMIT:
                ceilings.forgive(connection, account, time.time())
            was_paused = connection.execute(delete(account_pauses).where(this)).rowcount > 0
            if was_paused:
                self._note(connection, "resume", account=account, note=note)
            return was_paused

    def _note(self, connection: Connection, what: str, **about: str) -> None:
        note_act(connection, what, self.actor, time.time(), **about)


def _replacing(row: Row[Any], job: Job, twice: bool) -> Job:
    """Return the job as an order's new content. `twice`: the file has the order already. Raises NotAllowed."""
    if job.account != row.account:
        raise NotAllowed(f"{row.order_id} belongs to the account {row.account}, and stays there")
    if twice:
        raise NotAllowed(f"{row.order_id} stands in this file more than once, with different content")
    return job


def _check_adoption(connection: Connection, row: Row[Any], reference: str, replaces: bool) -> None:
    """Raise NotAllowed where an order needs no id, or the id belongs to another one."""
    may_replace = row.code == Code.FOREIGN_ORDER or (replaces and is_adopted(connection, row.order_id))
    operate.check_adoptable(row, may_replace)
    owner = owners(connection, [row.order_id], [reference]).other(row.marketplace, reference, row.order_id)
    if owner is not None:
        raise NotAllowed(f"{reference} belongs to {owner} already: fulfil show {typed(owner)}")


def _begins_anew(move: Move) -> bool:
    told = move.cause is Cause.WORD_OF_ABSENCE or move.row.code == Code.ACCOUNT_CHANGED
    return told and move.decision.event is Event.RETRY


def _alive_senders(connection: Connection, order_ids: Sequence[str], is_alive: Alive) -> dict[str, list[str]]:
    """Return the processes that may still send each of these orders."""
    found: dict[str, list[str]] = {}
    for order_id, sender in connection.execute(_OPEN_SENDERS, {"order_ids": order_ids}):
        if is_alive(sender):
            found.setdefault(order_id, []).append(sender)
    return found
