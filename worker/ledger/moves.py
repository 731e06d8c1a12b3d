"""The one place that writes a move: rows are locked, the state machine asked, order and event written together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Integer, Row, Select, Table, bindparam, insert, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from worker.ledger.among import among, beside, listed
from worker.ledger.rows import Moved
from worker.ledger.states import Event, State, advance
from worker.ledger.tables import account_pauses, events, order_references, orders
from worker.retry import FOREIGN_ORDER, Decision, Pause

_MUTABLE = (
    "state",
    "due_at",
    "rung_at",
    "lease_until",
    "spent",
    "holds",
    "crashes",
    "absences",
    "absent_since",
    "first_sent_at",
    "in_doubt",
    "accepted_at",
    "attention",
    "code",
    "reason",
    "fix",
)
_DIALECTS: dict[str, Any] = {"sqlite": sqlite, "postgresql": postgresql}
CLOCKS_DIFFER_SECONDS = 60.0
"""How far the clocks of two hosts may be apart before one of them counts as wrong."""
LONGEST_LEASE_SECONDS = 600.0
"""What FULFIL_LEASE_SECONDS may be at most; a test holds it true."""
CODE_CHARACTERS = 100
TEXT_CHARACTERS = 2000
_UPDATE = (
    update(orders)
    .where(orders.c.order_id == bindparam("b_order_id"))
    .values({name: bindparam(name) for name in [*_MUTABLE, "updated_at"]})
)
NOTE = insert(events)
"""Appends rows to the history."""
_REFERENCES = (
    select(order_references.c.order_id, order_references.c.reference)
    .where(among(order_references.c.order_id, listed("ids")))
    .order_by(order_references.c.learned_at, order_references.c.reference)
)
_PAUSED = select(account_pauses.c.account).where(
    account_pauses.c.account == bindparam("account"),
    or_(account_pauses.c.until.is_(None), account_pauses.c.until > bindparam("now")),
)
_PAUSING = select(account_pauses.c.account).where(
    among(account_pauses.c.account, listed("accounts")),
    account_pauses.c.until > bindparam("now"),
)


@dataclass(slots=True)
class Move:
    """One move of a locked row: what happens, who did it, and the columns that change with it."""

    row: Row[Any]
    event: Event
    actor: str
    note: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)


def lock(
    connection: Connection,
    ids: Sequence[str] | None,
    state: State | None = None,
    *,
    account: str | None = None,
    due_before: float | None = None,
    lease_before: float | None = None,
    limit: int | None = None,
) -> Sequence[Row[Any]]:
    """Return the rows that match, locked to the end of the transaction; with `state`, rows others hold are left out."""
    given = {
        "ids": ids,
        "state": state,
        "account": account,
        "due_before": due_before,
        "lease_before": lease_before,
        "limit": limit,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    return connection.execute(_locking(*asked), asked).all()


@cache
def _locking(*asked: str) -> Select[Any]:
    """Return the statement for a set of conditions, made once: to build it costs as much as to run it."""
    conditions = {
        "ids": among(orders.c.order_id, listed("ids")),
        "state": (beside(orders.c.state) if "ids" in asked else orders.c.state) == bindparam("state"),
        "account": beside(orders.c.account) == bindparam("account"),
        "due_before": beside(orders.c.due_at) <= bindparam("due_before"),
        # A lease that ends later than any can was written by a clock that was ahead, and counts as over: waiting for
        # that hour helps nobody, and what is taken back too soon is settled like every unknown order.
        "lease_before": or_(
            orders.c.lease_until < bindparam("lease_before"),
            orders.c.lease_until - (LONGEST_LEASE_SECONDS + CLOCKS_DIFFER_SECONDS) > bindparam("lease_before"),
        ),
    }
    # One order of locking for all, or two workers with overlapping messages wait for each other for ever.
    query = (
        select(orders).where(*(conditions[name] for name in asked if name in conditions)).order_by(orders.c.order_id)
    )
    if "limit" in asked:
        query = query.limit(bindparam("limit", type_=Integer))
    return query.with_for_update(skip_locked="state" in asked)


def write(connection: Connection, moves: Sequence[Move], now: float) -> None:
    """Move every row and append its event. Raises IllegalMoveError before anything is written."""
    if not moves:
        return
    changed, noted = [], []
    for move in moves:
        before = State(move.row.state)
        values = {name: getattr(move.row, name) for name in _MUTABLE}
        values |= {"rung_at": None, **move.changes, "state": advance(before, move.event)}
        changed.append(values | {"b_order_id": move.row.order_id, "updated_at": now})
        noted.append(event_row(move.row.order_id, now, move.event, before, move.row.epoch, move.actor, move.note))
        move.changes = values
    connection.execute(_UPDATE, changed)
    connection.execute(NOTE, noted)


def event_row(
    order_id: str, at: float, event: Event, before: State, epoch: int, actor: str, note: str | None = None
) -> dict[str, Any]:
    """Return one row of the append-only history."""
    return {
        "order_id": order_id,
        "at": at,
        "event": event,
        "from_state": before,
        "to_state": advance(before, event),
        "epoch": epoch,
        "actor": actor,
        "note": told(note),
    }


def decided(decision: Decision, now: float) -> dict[str, Any]:
    """Return the columns a decision sets."""
    return {
        "due_at": None if decision.due_in_seconds is None else now + decision.due_in_seconds,
        "attention": decision.attention,
        "code": told(decision.code, CODE_CHARACTERS),
        "reason": told(decision.reason),
        "fix": told(decision.fix),
    }


def standing_alarm(row: Row[Any]) -> dict[str, Any]:
    """Return what goes on being told of an order that was read back as another one, whatever else happens to it."""
    if row.code != FOREIGN_ORDER:
        return {}
    return {"attention": True, "code": row.code, "reason": row.reason, "fix": row.fix}


def told(text: str | None, characters: int = TEXT_CHARACTERS) -> str | None:
    """Return a vendor's text as every database takes it: nothing may fail between an answer and its record."""
    if text is None or (len(text) <= characters and text.isprintable()):
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "?")[:characters]


def moved(move: Move, known: Mapping[str, tuple[str, ...]]) -> Moved:
    """Return how a row stands after its move was written."""
    after = move.changes
    return Moved(
        move.row.order_id,
        move.row.account,
        State(after["state"]),
        after["due_at"],
        after["code"],
        known.get(move.row.order_id, ()),
        move.event,
    )


def references(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return every id known of these orders, in the order they were learned."""
    found: dict[str, tuple[str, ...]] = {}
    if not ids:
        return found
    for order_id, reference in connection.execute(_REFERENCES, {"ids": ids}):
        found[order_id] = (*found.get(order_id, ()), reference)
    return found


def is_paused(connection: Connection, account: str, now: float) -> bool:
    """Tell whether an account is held at that time, by itself or by a person."""
    return connection.execute(_PAUSED, {"account": account, "now": now}).first() is not None


def pausing(connection: Connection, accounts: Iterable[str], now: float) -> set[str]:
    """Return which of these accounts are held for a time; a hold that waits for a person does not hold reads."""
    return set(connection.execute(_PAUSING, {"accounts": sorted(accounts), "now": now}).scalars())


def pause_accounts(connection: Connection, pauses: Iterable[tuple[str, Pause | None]], actor: str, now: float) -> None:
    """Hold accounts; a longer hold that stands is never made shorter."""
    for account, pause in pauses:
        if pause is None:
            continue
        until = None if pause.seconds is None else now + pause.seconds
        if until is not None and is_paused(connection, account, until):
            continue
        row = {
            "account": account,
            "since": now,
            "until": until,
            "code": told(pause.code, CODE_CHARACTERS),
            "reason": told(pause.reason),
            "fix": told(pause.fix),
            "actor": actor,
        }
        connection.execute(upsert(connection, account_pauses), [row])


def hold_references(connection: Connection, told: Collection[str]) -> None:
    """Let only one transaction at a time decide whose these ids are; SQLite has only one writer anyway."""
    if told and connection.dialect.name == "postgresql":
        connection.execute(_HOLD, {"told": list(told)})


# Sorted, or two transactions with the same ids wait for each other for ever.
_HOLD = text(
    "SELECT pg_advisory_xact_lock(id) FROM"
    " (SELECT DISTINCT hashtext(told) AS id FROM unnest(CAST(:told AS text[])) AS told ORDER BY id) AS ids"
)


def insert_ignore(connection: Connection, table: Table) -> Any:
    """Return an INSERT that leaves rows alone which are there."""
    return _insert_ignore(connection.dialect.name, table)


@cache
def _insert_ignore(dialect: str, table: Table) -> Any:
    return _DIALECTS[dialect].insert(table).on_conflict_do_nothing()


def upsert(connection: Connection, table: Table) -> Any:
    """Return an INSERT that replaces the row with the same key."""
    return _upsert(connection.dialect.name, table)


@cache
def _upsert(dialect: str, table: Table) -> Any:
    # Building it costs as much as running it, hence the cache.
    statement = _DIALECTS[dialect].insert(table)
    keys = [column.name for column in table.primary_key]
    rest = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=rest)
