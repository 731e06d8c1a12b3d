"""The one place that writes a move: rows are locked, the state machine asked, order and event written together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Connection, Integer, Row, Select, bindparam, insert, select, update

from worker.ledger.dialects import in_list, listed, unindexed
from worker.ledger.tables import events, orders
from worker.rules.outcomes import GOODS_DIFFER, Decline, Money, PlaceOutcome
from worker.rules.place import FOREIGN_ORDER, Decision
from worker.rules.states import Event, State, advance
from worker.rules.values import Moved

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
    "absence_told_at",
    "in_doubt",
    "accepted_at",
    "attention",
    "code",
    "reason",
    "fix",
    "forecast_amount",
    "forecast_currency",
)
CODE_CHARACTERS = 100
TEXT_CHARACTERS = 2000
_UPDATE = (
    update(orders)
    .where(orders.c.order_id == bindparam("b_order_id"))
    .values({name: bindparam(name) for name in [*_MUTABLE, "updated_at"]})
)
NOTE = insert(events)
"""Appends rows to the history."""


@dataclass(slots=True)
class Move:
    """One move of a locked row: what happens, who did it, and the columns that change with it."""

    row: Row[Any]
    event: Event
    actor: str
    note: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    declined: Decline | None = None


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
        "ids": in_list(orders.c.order_id, listed("ids")),
        "state": (unindexed(orders.c.state) if "ids" in asked else orders.c.state) == bindparam("state"),
        "account": unindexed(orders.c.account) == bindparam("account"),
        "due_before": unindexed(orders.c.due_at) <= bindparam("due_before"),
        "lease_before": orders.c.lease_until < bindparam("lease_before"),
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
    """Return what goes on being told of an order that is not read yet, whatever else happens to it.

    It was read back as another one, or its create did not take all of its goods.
    """
    standing = {"code": row.code, "reason": row.reason, "fix": row.fix}
    if row.code == FOREIGN_ORDER:
        return {"attention": True, **standing}
    return standing if row.code == GOODS_DIFFER else {}


def told_differs(row: Row[Any]) -> str | None:
    """Return what stands of an order about its goods."""
    return row.reason if row.code == GOODS_DIFFER else None


def forecast(row: Row[Any]) -> Money | None:
    """Return what a preview said that an order will cost."""
    if row.forecast_amount is None or row.forecast_currency is None:
        return None
    return Money(Decimal(row.forecast_amount), row.forecast_currency)


def forecasting(outcome: PlaceOutcome) -> dict[str, Any]:
    """Return the columns that keep an outcome's forecast; none where it has none, so that an earlier one stands."""
    money = getattr(outcome, "forecast", None)
    return {"forecast_amount": f"{money.amount:f}", "forecast_currency": money.currency} if money else {}


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
        move.declined,
    )
