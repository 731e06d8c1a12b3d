"""One act for many orders in the ledger: the set is frozen first, then worked off group by group, each order once."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, literal, select, update

from worker.errors import UnknownOrder
from worker.ledger.audit import note_act
from worker.ledger.dialects import in_list
from worker.ledger.engine import Ledger
from worker.ledger.overdue import stalled
from worker.ledger.selection import Filter
from worker.ledger.tables import act_orders, acts, orders
from worker.rules.acts import ActKind
from worker.rules.views import ActView

PAGE = 1000
STILL_SECONDS = 15.0
"""An act nobody worked on for so long has lost its worker."""

_SETTLE = (
    update(act_orders)
    .where(act_orders.c.act_id == bindparam("b_act_id"), act_orders.c.number == bindparam("b_number"))
    .values(outcome=bindparam("outcome"), reason=bindparam("reason"))
)


@dataclass(frozen=True, slots=True)
class Settled:
    """The result of one order of an act: done, skipped or changed, and why."""

    number: int
    outcome: str
    reason: str | None = None


class Acts:
    """Keeps acts and the orders each is for."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def freeze(
        self,
        kind: ActKind,
        wanted: Filter,
        actor: str,
        host: str,
        note: str | None,
        changes: Sequence[str] = (),
    ) -> str:
        """Write down an act and which orders it is for, as they stand now; return its id. Nothing is done yet."""
        now = time.time()
        act_id = time.strftime("A-%Y%m%d-%H%M%S-", time.gmtime(now)) + secrets.token_hex(3)
        number = func.row_number().over(order_by=(orders.c.created_at, orders.c.order_id))
        chosen = select(literal(act_id), number, orders.c.order_id, orders.c.state, orders.c.epoch)
        columns = ["act_id", "number", "order_id", "state", "epoch"]
        words = json.dumps({**wanted.words(), "ids": len(wanted.ids)} if wanted.ids else wanted.words())
        row = {"act_id": act_id, "kind": kind, "actor": actor, "host": host, "note": note, "selection": words}
        row["changes"] = json.dumps(list(changes)) if changes else None
        with self.ledger.writing() as connection:
            chosen = chosen.where(*wanted.where(stalled(connection)))
            connection.execute(insert(act_orders).from_select(columns, chosen))
            counted = select(func.count()).select_from(act_orders).where(act_orders.c.act_id == act_id)
            total = connection.execute(counted).scalar_one()
            connection.execute(insert(acts), row | {"total": total, "created_at": now})
        return act_id

    def find(self, act_id: str) -> ActView:
        """Return an act. Raises UnknownOrder."""
        with self.ledger.reading() as connection:
            row = connection.execute(select(acts).where(acts.c.act_id == act_id)).first()
            if row is None:
                raise UnknownOrder(f"no act {act_id} in the ledger; fulfil acts lists them")
            return _view(row, _outcomes(connection, [act_id]).get(act_id, {}))

    def newest(self, limit: int = 20) -> list[ActView]:
        """Return the newest acts."""
        with self.ledger.reading() as connection:
            rows = connection.execute(select(acts).order_by(acts.c.created_at.desc()).limit(limit)).all()
            counts = _outcomes(connection, [row.act_id for row in rows])
            return [_view(row, counts.get(row.act_id, {})) for row in rows]

    def orders(self, act_id: str) -> Iterator[Row[Any]]:
        """Yield the orders of an act as they stand now."""
        last = 0
        while True:
            query = (
                select(orders, act_orders.c.number)
                .join(act_orders, act_orders.c.order_id == orders.c.order_id)
                .where(act_orders.c.act_id == act_id, act_orders.c.number > last)
                .order_by(act_orders.c.number)
                .limit(PAGE)
            )
            with self.ledger.reading() as connection:
                rows = connection.execute(query).all()
            yield from rows
            if len(rows) < PAGE:
                return
            last = rows[-1].number

    def left_out(self, act_id: str, limit: int = PAGE) -> list[tuple[str, str, str | None]]:
        """Return (order_id, outcome, reason) of the first orders of an act that were not done."""
        query = (
            select(act_orders.c.order_id, act_orders.c.outcome, act_orders.c.reason)
            .where(act_orders.c.act_id == act_id, act_orders.c.outcome.in_(("skipped", "changed")))
            .order_by(act_orders.c.number)
            .limit(limit)
        )
        with self.ledger.reading() as connection:
            return [(row.order_id, row.outcome, row.reason) for row in connection.execute(query)]

    def begin(self, act_id: str, actor: str | None = None) -> None:
        """Let an act be worked off; one that was begun already goes on. `actor`: who begins it, if not its maker."""
        now = time.time()
        this = (acts.c.act_id == act_id, acts.c.begun_at.is_(None))
        begun = update(acts).where(*this).values(begun_at=now, worked_at=now)
        with self.ledger.writing() as connection:
            for row in connection.execute(begun.returning(acts.c.kind, acts.c.actor, acts.c.note)).all():
                note_act(connection, row.kind, actor or row.actor, now, act_id=act_id, note=row.note)

    def unfinished(self, now: float) -> list[str]:
        """Return the acts that were begun and that nobody works on."""
        query = select(acts.c.act_id).where(
            acts.c.begun_at.is_not(None), acts.c.ended_at.is_(None), acts.c.worked_at < now - STILL_SECONDS
        )
        with self.ledger.reading() as connection:
            return list(connection.execute(query).scalars())


def open_group(connection: Connection, act_id: str, size: int) -> Sequence[Row[Any]]:
    """Return the next orders of an act that have no result yet, locked to the end of the transaction."""
    query = (
        select(act_orders)
        .where(act_orders.c.act_id == act_id, act_orders.c.outcome.is_(None))
        .order_by(act_orders.c.number)
        .limit(size)
        .with_for_update(skip_locked=True)
    )
    return connection.execute(query).all()


def settle_group(connection: Connection, act_id: str, settled: Iterable[Settled], now: float) -> None:
    """Note the results of some orders of an act, in the transaction that moved them."""
    rows = [
        {"b_act_id": act_id, "b_number": one.number, "outcome": one.outcome, "reason": one.reason} for one in settled
    ]
    if rows:
        connection.execute(_SETTLE, rows)
    connection.execute(update(acts).where(acts.c.act_id == act_id).values(worked_at=now))


def end(connection: Connection, act_id: str, now: float) -> None:
    """Note that nothing of an act is left, unless another process still works on a part of it."""
    left = select(act_orders.c.number).where(act_orders.c.act_id == act_id, act_orders.c.outcome.is_(None))
    connection.execute(update(acts).where(acts.c.act_id == act_id, ~left.exists()).values(ended_at=now))


def _outcomes(connection: Connection, act_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    query = (
        select(act_orders.c.act_id, act_orders.c.outcome, func.count())
        .where(in_list(act_orders.c.act_id, act_ids), act_orders.c.outcome.is_not(None))
        .group_by(act_orders.c.act_id, act_orders.c.outcome)
    )
    found: dict[str, dict[str, int]] = {}
    for act_id, outcome, number in connection.execute(query):
        found.setdefault(act_id, {})[outcome] = number
    return found


def _view(row: Row[Any], counts: Mapping[str, int]) -> ActView:
    return ActView(
        act_id=row.act_id,
        kind=row.kind,
        actor=row.actor,
        host=row.host,
        note=row.note,
        selection=json.loads(row.selection),
        changes=tuple(json.loads(row.changes)) if row.changes else (),
        total=row.total,
        done=counts.get("done", 0),
        skipped=counts.get("skipped", 0),
        changed=counts.get("changed", 0),
        created_at=row.created_at,
        begun_at=row.begun_at,
        ended_at=row.ended_at,
    )
