"""Reads the ledger, changes nothing: lists, single orders, counts, and what is due."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, func, or_, select

from worker.errors import UnknownOrder
from worker.ledger.among import among, beside, listed
from worker.ledger.engine import Ledger
from worker.ledger.moves import CLOCKS_DIFFER_SECONDS, references
from worker.ledger.states import FINAL, State
from worker.ledger.tables import account_pauses, attempts, batches, events, orders, rejections, results

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which orders are meant; None leaves a question open."""

    state: str | None = None
    account: str | None = None
    batch: str | None = None
    attention: bool = False

    def where(self) -> list[Any]:
        """Return the SQL conditions."""
        wanted = [(orders.c.state, self.state), (orders.c.account, self.account), (orders.c.batch_id, self.batch)]
        conditions: list[Any] = [column == value for column, value in wanted if value is not None]
        if self.attention:
            conditions.append(orders.c.attention.is_(True))
        return conditions


_DUE = select(orders.c.order_id, orders.c.account).where(
    among(orders.c.order_id, listed("ids")),
    beside(orders.c.state) == bindparam("state"),
    beside(orders.c.due_at) <= bindparam("now"),
)


def due_by_account(ledger: Ledger, ids: Sequence[str], state: State, now: float) -> dict[str, list[str]]:
    """Return which of `ids` stand in `state` and are due, by account."""
    found: dict[str, list[str]] = defaultdict(list)
    with ledger.reading() as connection:
        for order_id, account in connection.execute(_DUE, {"ids": ids, "state": state, "now": now}):
            found[account].append(order_id)
    return found


def account_of(ledger: Ledger, order_id: str) -> str | None:
    """Return an order's account, None for an order the ledger does not hold."""
    with ledger.reading() as connection:
        found: str | None = connection.execute(select(orders.c.account).where(orders.c.order_id == order_id)).scalar()
        return found


def _untold(due_before: float, rung_before: float) -> ColumnElement[bool]:
    """Return the condition of due orders nobody was told of, or only before `rung_before`.

    A ring that lies ahead of now was written by a clock that was wrong: without the last part it would keep its order
    standing still until that hour comes.
    """
    return and_(
        orders.c.due_at <= due_before,
        or_(
            orders.c.rung_at.is_(None),
            orders.c.rung_at <= rung_before,
            orders.c.rung_at > due_before + CLOCKS_DIFFER_SECONDS,
        ),
    )


def suspects(ledger: Ledger, account: str, due_before: float, rung_before: float) -> list[str]:
    """Return due orders whose last worker died: all that saw one death, and only the first that saw several.

    They are rung for one by one, and the second kind alone, so that one that kills its worker is found out and
    takes no other down with it.
    """
    query = (
        select(orders.c.order_id, orders.c.crashes)
        .where(
            orders.c.state == State.QUEUED,
            orders.c.account == account,
            orders.c.crashes > 0,
            _untold(due_before, rung_before),
        )
        .order_by(orders.c.crashes, orders.c.due_at)
        .limit(PAGE)
    )
    with ledger.reading() as connection:
        found = connection.execute(query).all()
    once = [row.order_id for row in found if row.crashes == 1]
    return once or [row.order_id for row in found[:1]]


def standing_still(
    ledger: Ledger, state: State, due_before: float, rung_before: float, limit: int, account: str | None = None
) -> list[str]:
    """Return due orders nobody was told of, or only before `rung_before`; the longest due first.

    With `account`: only its orders, and without those `suspects` returns.
    """
    query = (
        select(orders.c.order_id)
        .where(orders.c.state == state, _untold(due_before, rung_before))
        .order_by(orders.c.due_at)
        .limit(limit)
    )
    if account is not None:
        query = query.where(orders.c.account == account, orders.c.crashes == 0)
    with ledger.reading() as connection:
        return list(connection.execute(query).scalars())


def paused_accounts(ledger: Ledger, now: float | None = None) -> dict[str, dict[str, Any]]:
    """Return the accounts that are held, with why and until when."""
    query = select(account_pauses).where(
        or_(account_pauses.c.until.is_(None), account_pauses.c.until > (now or time.time()))
    )
    with ledger.reading() as connection:
        return {row.account: dict(row._mapping) for row in connection.execute(query)}


def counts(ledger: Ledger, batch: str | None = None) -> dict[str, int]:
    """Return how many orders stand in each state."""
    query = select(orders.c.state, func.count()).group_by(orders.c.state)
    if batch is not None:
        query = query.where(orders.c.batch_id == batch)
    with ledger.reading() as connection:
        return {row.state: row[1] for row in connection.execute(query)}


def attention_count(ledger: Ledger, batch: str | None = None) -> int:
    """Return how many orders wait for a person."""
    query = select(func.count()).select_from(orders).where(*Filter(batch=batch, attention=True).where())
    with ledger.reading() as connection:
        return int(connection.execute(query).scalar_one())


def moving_count(ledger: Ledger, batch: str | None = None) -> int:
    """Return how many orders, of a batch or of all, go on by themselves and do not wait for a person yet."""
    query = (
        select(func.count())
        .select_from(orders)
        .where(*Filter(batch=batch).where(), orders.c.state.not_in(FINAL), orders.c.attention.is_(False))
    )
    with ledger.reading() as connection:
        return int(connection.execute(query).scalar_one())


def batch_rows(ledger: Ledger, batch: str | None = None, limit: int = 20) -> list[dict[str, Any]]:
    """Return one batch, or the newest ones. Raises UnknownOrder for a batch the ledger does not hold."""
    query = select(batches).order_by(batches.c.created_at.desc()).limit(limit)
    if batch is not None:
        query = query.where(batches.c.batch_id == batch)
    with ledger.reading() as connection:
        rows = [dict(row._mapping) for row in connection.execute(query)]
    if batch is not None and not rows:
        raise UnknownOrder(f"no batch {batch} in the ledger")
    return rows


def batch_rejections(ledger: Ledger, batch: str) -> list[dict[str, Any]]:
    """Return what a batch's intake rejected."""
    query = select(rejections).where(rejections.c.batch_id == batch).order_by(rejections.c.line)
    with ledger.reading() as connection:
        return [
            {"line": row.line, "order_id": row.order_id, "field": row.field, "reason": row.reason}
            for row in connection.execute(query)
        ]


def list_orders(ledger: Ledger, wanted: Filter) -> Iterator[dict[str, Any]]:
    """Yield the orders that match, in the order they were submitted; read page by page."""
    last: tuple[float, str] | None = None
    while True:
        query: Select[Any] = (
            select(orders).where(*wanted.where()).order_by(orders.c.created_at, orders.c.order_id).limit(PAGE)
        )
        if last is not None:
            later = and_(orders.c.created_at == last[0], orders.c.order_id > last[1])
            query = query.where(or_(orders.c.created_at > last[0], later))
        with ledger.reading() as connection:
            rows = connection.execute(query).all()
            known = references(connection, [row.order_id for row in rows])
        for row in rows:
            yield _summary(row, known.get(row.order_id, ()))
        if len(rows) < PAGE:
            return
        last = (rows[-1].created_at, rows[-1].order_id)


def show_order(ledger: Ledger, order_id: str) -> dict[str, Any]:
    """Return everything the ledger tells of one order, its body excepted. Raises UnknownOrder."""
    with ledger.reading() as connection:
        row = connection.execute(select(orders).where(orders.c.order_id == order_id)).first()
        if row is None:
            raise UnknownOrder(f"no order {order_id} in the ledger")
        found = _summary(row, references(connection, [order_id]).get(order_id, ()))
        found |= {
            "batch": row.batch_id,
            "line": row.line,
            "fix": row.fix,
            "attention": row.attention,
            "in_doubt": row.in_doubt,
            "created_at": utc(row.created_at),
            "first_sent_at": utc(row.first_sent_at),
            "accepted_at": utc(row.accepted_at),
            "attempts": _attempts(connection, order_id),
            "events": _events(connection, order_id),
            "result": results_of(connection, [order_id]).get(order_id),
        }
    return found


def _summary(row: Row[Any], known: tuple[str, ...]) -> dict[str, Any]:
    return {
        "order_id": row.order_id,
        "account": row.account,
        "marketplace": row.marketplace,
        "state": row.state,
        "references": list(known),
        "attempts": row.attempts,
        "code": row.code,
        "reason": row.reason,
        "due_at": utc(row.due_at),
        "fix": row.fix,
    }


def _attempts(connection: Connection, order_id: str) -> list[dict[str, Any]]:
    query = select(attempts).where(attempts.c.order_id == order_id).order_by(attempts.c.number)
    return [
        {
            "number": row.number,
            "sent_at": utc(row.sent_at),
            "outcome": row.outcome,
            "code": row.code,
            "cause": row.cause,
            "request_id": row.request_id,
            "duration_ms": row.duration_ms,
        }
        for row in connection.execute(query)
    ]


def _events(connection: Connection, order_id: str) -> list[dict[str, Any]]:
    query = select(events).where(events.c.order_id == order_id).order_by(events.c.id)
    return [
        {
            "at": utc(row.at),
            "event": row.event,
            "from": row.from_state,
            "to": row.to_state,
            "epoch": row.epoch,
            "actor": row.actor,
            "note": row.note,
        }
        for row in connection.execute(query)
    ]


def results_of(connection: Connection, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return what was read back of these orders, one entry for each of the marketplace's ids."""
    query = select(results).where(among(results.c.order_id, ids)).order_by(results.c.reference)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(query):
        entry = dict(row._mapping)
        entry["read_at"] = utc(row.read_at)
        found[entry.pop("order_id")].append(entry)
    return found


def utc(seconds: float | None) -> str | None:
    """Return unix seconds as ISO 8601 in UTC, to the millisecond."""
    if seconds is None:
        return None
    whole, rest = divmod(round(seconds * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{rest:03d}Z"
