"""What push messages said: a row for each of the marketplace's orders, kept until one of ours is found for it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, exists, func, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from worker.ledger.dialects import in_list
from worker.ledger.due import EARLY_SECONDS
from worker.ledger.engine import Ledger
from worker.ledger.references import DISPROVED
from worker.ledger.tables import account_pauses, attempts, order_references, orders, pushes
from worker.marketplaces.base import Push
from worker.rules.states import State
from worker.rules.troubles import OrphanView
from worker.rules.values import Candidate, Judged, Owner, Pushed, PushState


class Pushes:
    """Keeps push messages and what was decided about them; each method is one transaction."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def take(self, account: str, push: Push, now: float | None = None) -> None:
        """Keep a message. One that tells nothing new (doubled, late, out of order) is only counted."""
        now = now or time.time()
        row = {
            "account": account,
            "reference": push.reference,
            "first_at": now,
            "last_at": now,
            "count": 1,
            "status": push.status,
            "pushed_at": push.at,
            "made_at": push.at if push.created else None,
            "state": PushState.NEW,
            "due_at": now,
            "tries": 0,
        }
        with self.ledger.writing() as connection:
            connection.execute(_take(connection.dialect.name), [row])

    def claim(self, lease_seconds: float, limit: int, now: float | None = None) -> list[Pushed]:
        """Take new rows that are due, the longest waiting first; no other process gets them for `lease_seconds`.

        Rows of a paused account are left alone: they could not be read.
        """
        now = now or time.time()
        paused = select(account_pauses.c.account).where(account_pauses.c.until > now)
        due = (
            select(*(pushes.c[name] for name in _PUSHED))
            .where(_is_due(now), pushes.c.account.not_in(paused))
            .order_by(pushes.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self.ledger.writing() as connection:
            rows = [Pushed(**row._mapping) for row in connection.execute(due)]
            keys = tuple_(pushes.c.account, pushes.c.reference).in_([(row.account, row.reference) for row in rows])
            if rows:
                connection.execute(update(pushes).where(keys).values(due_at=now + lease_seconds))
            return rows

    def any_due(self, now: float | None = None) -> bool:
        """Tell whether a row waits to be looked at."""
        with self.ledger.reading() as connection:
            return connection.execute(select(pushes.c.account).where(_is_due(now or time.time()))).first() is not None

    def owners(self, marketplace: str, references: Sequence[str]) -> dict[str, Owner]:
        """Return the orders of a marketplace whose ids these are; an id that a read-back disproved is nobody's."""
        query = (
            select(order_references.c.reference, orders.c.order_id, orders.c.state)
            .join(orders, orders.c.order_id == order_references.c.order_id)
            .where(
                in_list(order_references.c.reference, references),
                order_references.c.source != DISPROVED,
                orders.c.marketplace == marketplace,
            )
        )
        with self.ledger.reading() as connection:
            return {row.reference: Owner(row.order_id, State(row.state)) for row in connection.execute(query)}

    def candidates(self, account: str) -> list[Candidate]:
        """Return the orders of an account that may exist at the marketplace under an id we do not know."""
        without_id = (State.UNMATCHED, State.UNKNOWN, State.PLACING)
        last = and_(attempts.c.order_id == orders.c.order_id, attempts.c.number == orders.c.attempts)
        wanted = (orders.c[name] for name in ("order_id", "state", "due_at", "body", "first_sent_at"))
        query = (
            select(*wanted, attempts.c.closed_at)
            .join(attempts, last)
            .where(
                orders.c.account == account,
                orders.c.first_sent_at.is_not(None),
                or_(orders.c.state.in_(without_id), and_(orders.c.state == State.QUEUED, orders.c.in_doubt)),
            )
            .order_by(orders.c.order_id)
        )
        with self.ledger.reading() as connection:
            return [Candidate(**{**row._mapping, "state": State(row.state)}) for row in connection.execute(query)]

    def settle(self, judged: Sequence[Judged], now: float | None = None) -> None:
        """Write what was decided about rows. A row that got another message meanwhile stays new and is due at once."""
        now = now or time.time()
        with self.ledger.writing() as connection:
            if judged:
                # One order of locking for all, as everywhere.
                ordered = sorted(judged, key=lambda one: (one.row.account, one.row.reference))
                connection.execute(_SETTLE, [_settling(one, now) for one in ordered])

    def orphans(self) -> list[OrphanView]:
        """Return the rows that need a person, the oldest first; an id that was learned otherwise since is none."""
        learned = exists().where(
            order_references.c.reference == pushes.c.reference, order_references.c.source != DISPROVED
        )
        at = func.coalesce(pushes.c.made_at, pushes.c.pushed_at, pushes.c.first_at).label("at")
        query = (
            select(pushes.c.account, pushes.c.reference, pushes.c.status, at, pushes.c.note)
            .where(pushes.c.state == PushState.ORPHAN, ~learned)
            .order_by(at, pushes.c.reference)
        )
        with self.ledger.reading() as connection:
            return [OrphanView(*row) for row in connection.execute(query)]


def mark_adopted(connection: Connection, account: str, order_id: str, reference: str) -> None:
    """Note, in the transaction that gives an order its id, that the messages about this id are settled."""
    connection.execute(
        update(pushes)
        .where(
            pushes.c.account == account,
            pushes.c.reference == reference,
            pushes.c.state.in_((PushState.NEW, PushState.ORPHAN, PushState.CLOSED)),
        )
        .values(state=PushState.ADOPTED, order_id=order_id, note=None, due_at=None)
    )


_PUSHED = tuple(field.name for field in fields(Pushed))

_AS_CLAIMED = pushes.c.count == bindparam("b_count")
_SETTLE = (
    update(pushes)
    .where(
        pushes.c.account == bindparam("b_account"),
        pushes.c.reference == bindparam("b_reference"),
        pushes.c.state == PushState.NEW,
    )
    .values(
        state=case((_AS_CLAIMED, bindparam("b_state", type_=pushes.c.state.type)), else_=pushes.c.state),
        due_at=case((_AS_CLAIMED, bindparam("b_due_at", type_=pushes.c.due_at.type)), else_=bindparam("b_now")),
        order_id=bindparam("b_order_id"),
        note=bindparam("b_note"),
        tries=bindparam("b_tries"),
    )
)


def _settling(one: Judged, now: float) -> dict[str, Any]:
    return {
        "b_account": one.row.account,
        "b_reference": one.row.reference,
        "b_count": one.row.count,
        "b_state": one.state,
        "b_due_at": None if one.wait_seconds is None else now + one.wait_seconds,
        "b_now": now,
        "b_order_id": one.order_id,
        "b_note": one.note,
        "b_tries": one.tries,
    }


def _is_due(now: float) -> Any:
    return and_(pushes.c.state == PushState.NEW, pushes.c.due_at <= now + EARLY_SECONDS)


@cache
def _take(dialect: str) -> Any:
    statement: Any = {"sqlite": sqlite, "postgresql": postgresql}[dialect].insert(pushes)
    came, kept = statement.excluded, pushes.c
    newer = or_(
        came.pushed_at > kept.pushed_at,
        and_(came.pushed_at.is_not(None), kept.pushed_at.is_(None)),
        # Times are whole seconds, in which an order can be made and paid.
        and_(came.status != kept.status, came.pushed_at.is_not_distinct_from(kept.pushed_at)),
    )
    told = or_(newer, and_(came.made_at.is_not(None), kept.made_at.is_(None)))
    wakes = and_(told, kept.state.not_in((PushState.NEW, PushState.CLOSED)))
    changes = {
        "last_at": came.last_at,
        "count": kept.count + 1,
        "status": case((newer, came.status), else_=kept.status),
        "pushed_at": case((newer, came.pushed_at), else_=kept.pushed_at),
        "made_at": func.coalesce(kept.made_at, came.made_at),
        "state": case((wakes, came.state), else_=kept.state),
        "due_at": case((wakes, came.due_at), else_=kept.due_at),
        "tries": case((wakes, came.tries), else_=kept.tries),
    }
    return statement.on_conflict_do_update(index_elements=["account", "reference"], set_=changes)
