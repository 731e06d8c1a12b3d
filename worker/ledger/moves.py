"""The one place that writes a move: rows are locked, the state machine asked, order and event written together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Integer, Row, Select, bindparam, insert, or_, select, update

from worker.ledger.dialects import in_list, listed, unindexed
from worker.ledger.tables import events, orders
from worker.rules.codes import Code
from worker.rules.decision import CLOCKS_DIFFER_SECONDS, Decision
from worker.rules.history import Cause, History, after
from worker.rules.outcomes import Money, PlaceOutcome
from worker.rules.plain import plain
from worker.rules.states import Event, State, advance
from worker.rules.values import Moved

_history_of = attrgetter(*History._fields)
_WRITTEN = (
    *("state", "due_at", "rung_at", "lease_until", "attention", "code", "reason", "fix"),
    *("forecast_amount", "forecast_currency", "closed_at"),
    *History._fields,
)
LONGEST_LEASE_SECONDS = 600.0
"""What FULFIL_LEASE_SECONDS may be at most; a test holds it true."""
CODE_CHARACTERS = 100
TEXT_CHARACTERS = 2000
_UPDATE = (
    update(orders)
    .where(orders.c.order_id == bindparam("b_order_id"))
    .values({name: bindparam(name) for name in [*_WRITTEN, "updated_at"]})
)
NOTE = insert(events)
"""Appends rows to the history."""


@dataclass(slots=True)
class Move:
    """One move of a locked row: what was decided, why it happens, who did it, and what else is written with it."""

    row: Row[Any]
    decision: Decision
    cause: Cause
    actor: str
    at: float
    """When it happened (unix seconds)."""
    first_send: bool = False
    """The claim it was sent under was the first of a send that might have arrived."""
    more: Mapping[str, Any] = field(default_factory=dict)


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


def write(
    connection: Connection, moves: Sequence[Move], now: float, known: Mapping[str, tuple[str, ...]] | None = None
) -> list[Moved]:
    """Move every row, append its event, and return how they stand. `known`: the marketplace's ids of the orders.

    Raises IllegalMoveError before anything is written.
    """
    if not moves:
        return []
    changed, noted, moved = [], [], []
    for move in moves:
        row, decision, before = move.row, move.decision, State(move.row.state)
        values = _values(move, before)
        changed.append(values | {"b_order_id": row.order_id, "updated_at": now})
        noted.append(event_row(row.order_id, now, decision.event, before, row.epoch, move.actor, decision.reason))
        ids = (known or {}).get(row.order_id, ())
        moved.append(_moved(move, values, ids))
    connection.execute(_UPDATE, changed)
    connection.execute(NOTE, noted)
    return moved


def _values(move: Move, before: State) -> dict[str, Any]:
    row, decision = move.row, move.decision
    became = after(History(*_history_of(row)), before, decision.event, move.cause, move.at, move.first_send)
    return {
        "state": advance(before, decision.event),
        "rung_at": None,
        "lease_until": None,
        "due_at": None if decision.due_in_seconds is None else move.at + decision.due_in_seconds,
        "attention": decision.attention or _moves_after_its_close(move),
        "closed_at": move.at if decision.event is Event.CLOSE else None,
        "code": told(decision.code, CODE_CHARACTERS),
        "reason": told(decision.reason),
        "fix": told(decision.fix),
        "forecast_amount": row.forecast_amount,
        "forecast_currency": row.forecast_currency,
        **became._asdict(),
        **move.more,
    }


def _moves_after_its_close(move: Move) -> bool:
    """Tell whether the marketplace said something of an order that a person had done with."""
    return move.row.closed_at is not None and move.decision.event is not Event.CLOSE


def _moved(move: Move, values: Mapping[str, Any], known: tuple[str, ...]) -> Moved:
    row, decision = move.row, move.decision
    state, due_at, code = values["state"], values["due_at"], values["code"]
    return Moved(row.order_id, row.account, state, due_at, code, known, decision.event, decision.declined)


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


def standing_alarm(row: Row[Any]) -> dict[str, Any]:
    """Return what goes on being told of an order that is not read yet, whatever else happens to it.

    It was read back as another one, or its create did not take all of its goods.
    """
    standing = {"code": row.code, "reason": row.reason, "fix": row.fix}
    if row.code == Code.FOREIGN_ORDER:
        return {"attention": True, **standing}
    return standing if row.code == Code.GOODS_DIFFER else {}


def told_differs(row: Row[Any]) -> str | None:
    """Return what stands of an order about its goods."""
    return row.reason if row.code == Code.GOODS_DIFFER else None


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
    return None if text is None else plain(text)[:characters]
