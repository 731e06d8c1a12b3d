"""What the ledger knows of what is wrong, for `rules.health`: waiting orders, accounts, acts; reads only."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, or_, select, union

from worker.ledger.engine import Ledger
from worker.ledger.overdue import EVENTS_LOOKED_AT, WORKER, stalled
from worker.ledger.selection import Filter
from worker.ledger.tables import account_pauses, act_orders, acts, events, orders, pushes
from worker.rules.codes import Code
from worker.rules.snapshot import Held, Still, Unreached, is_declined
from worker.rules.states import FINAL, State
from worker.rules.troubles import PauseView

_ARRIVED = (State.PLACED, State.CONFIRMED, State.REFUSED, State.UNMATCHED)
"""States into which a worker moves an order only when the marketplace answered and accepted the account."""
_NOT_ARRIVED_STATES = (State.QUEUED, State.PLACED, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The orders of an account in one state that go on by themselves. Times in unix seconds."""

    account: str
    state: State
    number: int
    oldest: float
    """When the first was submitted."""
    due_since: float | None
    """When the first of those that are due became due; None: none is due."""


class LedgerHealth:
    """Asks the ledger; each answer is of all orders, or of one batch."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def waiting(self, batch: str | None = None, now: float | None = None) -> list[Waiting]:
        """Return what goes on by itself, by account and state."""
        due = orders.c.due_at <= (now or time.time())
        query = (
            select(
                orders.c.account,
                orders.c.state,
                func.count().label("number"),
                func.min(orders.c.created_at).label("oldest"),
                func.min(orders.c.due_at).filter(due).label("due_since"),
            )
            .where(*_moving(batch))
            .group_by(orders.c.account, orders.c.state)
        )
        with self.ledger.reading() as connection:
            rows = connection.execute(query).all()
        return [Waiting(row.account, State(row.state), row.number, row.oldest, row.due_since) for row in rows]

    def attention(self, batch: str | None = None) -> tuple[int, int]:
        """Return how many orders need a person, and how many are overdue for no stated reason."""
        count = select(func.count()).select_from(orders)
        with self.ledger.reading() as connection:
            with_overdue = Filter(batch=batch, attention=True).where(stalled(connection))
            told = [*Filter(batch=batch).where(), orders.c.attention.is_(True)]
            both = int(connection.execute(count.where(*with_overdue)).scalar_one())
            needed = int(connection.execute(count.where(*told)).scalar_one())
        return needed, both - needed

    def unreached(self, batch: str | None = None) -> list[Unreached]:
        """Return the accounts whose last calls did not arrive, nothing having arrived since."""
        query = (
            select(
                orders.c.account,
                func.count().label("number"),
                func.max(orders.c.updated_at).label("last_at"),
                func.max(orders.c.reason).label("reason"),
            )
            .where(*_moving(batch), orders.c.state.in_(_NOT_ARRIVED_STATES), orders.c.code == Code.NOT_SENT)
            # What we ourselves held back, when a worker stopped, used no attempt.
            .where(or_(orders.c.spent > 0, orders.c.state != State.QUEUED))
            .group_by(orders.c.account)
        )
        with self.ledger.reading() as connection:
            found = connection.execute(query).all()
            arrived = _arrived(connection, min(row.last_at for row in found)) if found else {}
        return [
            Unreached(row.account, row.number, row.last_at, row.reason or "no connection")
            for row in found
            if arrived.get(row.account, 0.0) <= row.last_at
        ]

    def held(self, batch: str | None = None, now: float | None = None) -> list[Held]:
        """Return the paused accounts, and those not accepted whose pause is over and that were not accepted since.

        Of a batch: only accounts of which it has orders that wait.
        """
        now = now or time.time()
        count = select(orders.c.account, func.count().label("number")).where(*_moving(batch)).group_by(orders.c.account)
        with self.ledger.reading() as connection:
            waiting = {row.account: row.number for row in connection.execute(count)}
            found = []
            for row in connection.execute(select(account_pauses).order_by(account_pauses.c.account)).all():
                pause = PauseView.of(row)
                stands = pause.until is None or pause.until > now
                if (stands or _still_declined(connection, pause)) and (batch is None or pause.account in waiting):
                    found.append(Held(pause, waiting.get(pause.account, 0)))
        return found

    def pushes_due(self, batch: str | None = None) -> set[str]:
        """Return the accounts that push messages came for, or with orders that only a push message settles."""
        unmatched = select(orders.c.account).where(
            *Filter(batch=batch).where(), orders.c.state == State.UNMATCHED, orders.c.closed_at.is_(None)
        )
        asked: Any = unmatched if batch else union(unmatched, select(pushes.c.account))
        with self.ledger.reading() as connection:
            return set(connection.execute(asked).scalars())

    def acts(self) -> list[Still]:
        """Return the acts that were begun and are not done."""
        left = (
            select(func.count())
            .select_from(act_orders)
            .where(act_orders.c.act_id == acts.c.act_id, act_orders.c.outcome.is_(None))
            .scalar_subquery()
        )
        since = func.coalesce(acts.c.worked_at, acts.c.begun_at)
        query = select(acts.c.act_id, left, since).where(acts.c.begun_at.is_not(None), acts.c.ended_at.is_(None))
        with self.ledger.reading() as connection:
            return [Still(*row) for row in connection.execute(query.order_by(since))]


def _moving(batch: str | None) -> list[Any]:
    going = (orders.c.state.not_in(FINAL), orders.c.attention.is_(False), orders.c.closed_at.is_(None))
    return [*Filter(batch=batch).where(), *going]


def _still_declined(connection: Connection, pause: PauseView) -> bool:
    """Tell whether a pause that is over has orders waiting for its reason, and nothing shows that it was mended."""
    if not is_declined(pause):
        return False
    query = select(orders.c.order_id).where(
        *_moving(None), orders.c.account == pause.account, orders.c.code == pause.code
    )
    if connection.execute(query.limit(1)).first() is None:
        return False
    return pause.account not in _arrived(connection, pause.until or 0.0)


def _arrived(connection: Connection, since: float) -> dict[str, float]:
    """Return for each account when the marketplace last answered after that time and accepted it."""
    newest = connection.execute(select(func.max(events.c.id))).scalar() or 0
    query = (
        select(orders.c.account, func.max(events.c.at).label("at"))
        .join(orders, orders.c.order_id == events.c.order_id)
        .where(events.c.id > newest - EVENTS_LOOKED_AT, events.c.at > since, events.c.actor == WORKER)
        .where(events.c.to_state.in_(_ARRIVED), events.c.from_state != events.c.to_state)
        .group_by(orders.c.account)
    )
    return {row.account: row.at for row in connection.execute(query)}
