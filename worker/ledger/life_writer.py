"""The one place that writes an order's second life: stages, parcels, what a person is told, and each as an event."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, select, update

from worker.ledger.dialects import in_list, insert_ignore, upsert
from worker.ledger.engine import Ledger
from worker.ledger.life_rows import (
    SUPPLIER_COLUMNS,
    alarms_of,
    at_key,
    followed_of,
    key_of,
    note_rows,
    parcel_row,
    parcels_of,
    supplier_row,
)
from worker.ledger.life_tables import life_events, parcels, supplier_orders
from worker.ledger.moves import lock, told
from worker.ledger.results import result_row
from worker.ledger.tables import orders, results
from worker.rules.alarms import Patience, Told, tell, told_of_order
from worker.rules.codes import Code
from worker.rules.follow import Followed, LifeEvent, LifeNote, begin, first_read, made_at, next_read, read, read_again
from worker.rules.life import Parcels
from worker.rules.outcomes import Differs, OrderRecord
from worker.rules.parcels import Compared, Known, ParcelNote, compare
from worker.rules.states import State

_WRITE = at_key(*SUPPLIER_COLUMNS)
Rows = dict[tuple[str, str], Row[Any]]
"""Supplier orders by order and reference."""


@dataclass(frozen=True, slots=True)
class Look:
    """One reading of a supplier order.

    `record` None: it showed nothing; `again_in_seconds`: when the marketplace lets us try again, if it said so.
    `parcels` None: they were not read. `differs`: how all of the order's records are not what was ordered.
    """

    order_id: str
    reference: str
    record: OrderRecord | None
    parcels: Parcels | None = None
    differs: Differs | None = None
    again_in_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    after: Followed
    notes: tuple[LifeNote, ...]
    compared: Compared | None
    told: Told
    due_at: float | None


class LifeWriter:
    """Writes what was read of supplier orders, and what a person is told of them.

    `patience`: how long each account bears silence; `actor` names who writes.
    """

    def __init__(self, ledger: Ledger, patience: Mapping[str, Patience], actor: str = "worker") -> None:
        self.ledger = ledger
        self.actor = actor
        self._patience = patience

    def keep(self, looks: Sequence[Look], now: float | None = None) -> None:
        """Write what was read, with every move as an event, and what a person is told, in one transaction."""
        now = now or time.time()
        by_id = {(one.order_id, one.reference): one for one in looks}
        with self.ledger.writing() as connection:
            ids = sorted({one.order_id for one in looks})
            stands = {row.order_id: row for row in lock(connection, ids)}
            rows = _rows(connection, ids)
            known, knew = parcels_of(connection, ids), _alerts(connection, ids)
            changes = [
                self._looked(row, known.get(key, []), by_id[key], now) for key, row in rows.items() if key in by_id
            ]
            self._write(connection, changes, now)
            records = [(one.order_id, one.record) for one in looks if one.record is not None]
            if records:
                kept = [result_row(order_id, record, now) for order_id, record in records]
                connection.execute(upsert(connection, results), kept)
            differing = {one.order_id: one.differs for one in looks if one.record is not None}
            self._tell_orders(connection, stands, _standing(rows, changes), changes, differing, knew)

    def tell(self, now: float | None = None, limit: int = 500) -> int:
        """Tell what became true by the mere passing of time, whether a marketplace answers or not; return how many."""
        now = now or time.time()
        due = (
            select(supplier_orders.c.order_id)
            .where(supplier_orders.c.tell_at <= now)
            .order_by(supplier_orders.c.tell_at)
            .limit(limit)
        )
        with self.ledger.reading() as connection:
            ids = sorted(set(connection.execute(due).scalars()))
        if not ids:
            return 0
        with self.ledger.writing() as connection:
            stands = {row.order_id: row for row in lock(connection, ids)}
            rows, known = _rows(connection, ids), parcels_of(connection, ids)
            changes = [
                self._unread(row, known.get(key, []), now, row.due_at)
                for key, row in rows.items()
                if row.tell_at is not None and row.tell_at <= now
            ]
            self._write(connection, changes, now)
            self._tell_orders(connection, stands, _standing(rows, changes), changes, {}, None)
        return len(changes)

    def _looked(self, row: Row[Any], known: Sequence[Known], look: Look, now: float) -> _Change:
        before = followed_of(row)
        if look.record is None:
            again = read_again(before.misses, now, look.again_in_seconds)
            return self._unread(row, known, now, again, misses=1)
        after, notes = read(before, look.record.status, look.record.life, now)
        compared = compare(known, look.parcels.parcels, now) if look.parcels is not None else None
        said = tell(after, compared.known if compared else known, self._bears(row.account), now)
        after = _with(after, said)
        return _Change(after, (*notes, *_alarm_notes(after, said)), compared, said, next_read(after, now))

    def _unread(
        self, row: Row[Any], known: Sequence[Known], now: float, due_at: float | None, misses: int = 0
    ) -> _Change:
        """Return what time alone changes. `misses`: reads that showed nothing, this time."""
        before = followed_of(row)
        said = tell(before, known, self._bears(row.account), now)
        after = _with(replace(before, misses=before.misses + misses), said)
        return _Change(after, _alarm_notes(after, said), None, said, due_at)

    def _bears(self, account: str) -> Patience:
        return self._patience.get(account) or Patience()

    def _write(self, connection: Connection, changes: Sequence[_Change], now: float) -> None:
        noted: list[dict[str, Any]] = []
        shown: list[dict[str, Any]] = []
        written: list[dict[str, Any]] = []
        for one in changes:
            order = one.after
            written.append(supplier_row(order, one.told, one.due_at) | key_of(order))
            parcel_notes: Sequence[ParcelNote] = one.compared.notes if one.compared else ()
            noted += note_rows(order, one.notes, parcel_notes, now, self.actor)
            shown += [parcel_row(order, parcel) for parcel in (one.compared.known if one.compared else ())]
        if written:
            connection.execute(_WRITE, written)
        if shown:
            connection.execute(upsert(connection, parcels), shown)
        if noted:
            connection.execute(life_events.insert(), noted)

    def _tell_orders(
        self,
        connection: Connection,
        stands: Mapping[str, Row[Any]],
        alarms: Mapping[str, list[tuple[str, str, str]]],
        changes: Sequence[_Change],
        differing: Mapping[str, Differs | None],
        knew: Mapping[str, Mapping[str, str | None]] | None,
    ) -> None:
        """Say on each order what its supplier orders together are to be told of.

        `knew`: the records' alerts before this reading; None: nothing was read.
        What a person closed needs them again only for news; what is not as ordered goes on being told before all else.
        """
        news = {one.after.order_id for one in changes if one.told.news}
        changed = news | {one.after.order_id for one in changes if one.told.ended} | set(differing)
        ids = sorted(order_id for order_id in changed if order_id in stands)
        if not ids:
            return
        alerts = _alerts(connection, ids)
        knew = alerts if knew is None else knew
        for order_id in ids:
            row = stands[order_id]
            if row.state != State.CONFIRMED:
                continue
            said_before = {alert for alert in knew.get(order_id, {}).values() if alert}
            fresh = order_id in news or not said_before.issuperset(filter(None, alerts.get(order_id, {}).values()))
            if row.closed_at is not None and not fresh:
                continue  # a person knows of all of it
            if order_id not in differing and row.code == Code.GOODS_DIFFER:
                said: dict[str, Any] = {}
            else:
                said = dict(told_of_order(alerts.get(order_id, {}), differing.get(order_id), alarms.get(order_id, [])))
                said |= {"reason": told(said["reason"]), "fix": told(said["fix"])}
            if order_id in news:
                said["attention"] = True
            if row.closed_at is not None:
                said["closed_at"] = None
            if said:
                connection.execute(update(orders).where(orders.c.order_id == order_id).values(said))


def begin_lives(
    connection: Connection,
    found: Sequence[tuple[Row[Any], OrderRecord]],
    patience: Mapping[str, Patience],
    actor: str,
    now: float,
) -> None:
    """Begin the second life of what was just confirmed: a row for each record; one that is followed already stays."""
    rows, noted = [], []
    for order, record in found:
        since = made_at(order.first_sent_at, order.accepted_at)
        begun, notes = begin(order.order_id, record.reference, told(record.status, 60) or "", record.life, since, now)
        said = tell(begun, (), patience.get(order.account) or Patience(), now)
        # What is to be told already is told by the sweep, a moment later.
        told_at = now if said.standing else said.next_at
        values = supplier_row(begun, None, first_read(begun, now)) | {"alarms": [], "tell_at": told_at}
        rows.append(
            values
            | {"order_id": order.order_id, "reference": record.reference, "account": order.account}
            | {"marketplace": order.marketplace, "accepted_at": begun.accepted_at}
        )
        noted += note_rows(begun, notes, (), now, actor)
    if rows:
        connection.execute(insert_ignore(connection, supplier_orders), rows)
    if noted:
        connection.execute(life_events.insert(), noted)


def _with(order: Followed, said: Told) -> Followed:
    return replace(order, alarms=tuple(str(one.code) for one in said.standing))


def _alarm_notes(order: Followed, said: Told) -> tuple[LifeNote, ...]:
    begun = [LifeNote(LifeEvent.ALARM, order.stage, order.stage, f"{one.code}: {one.sentence}") for one in said.news]
    ended = [LifeNote(LifeEvent.ALARM_ENDED, order.stage, order.stage, code) for code in said.ended]
    return (*begun, *ended)


def _rows(connection: Connection, ids: Sequence[str]) -> Rows:
    query = select(supplier_orders).where(in_list(supplier_orders.c.order_id, ids))
    return {(row.order_id, row.reference): row for row in connection.execute(query)}


def _standing(rows: Rows, changes: Sequence[_Change]) -> dict[str, list[tuple[str, str, str]]]:
    """Return reference, code and sentence of every alarm of an order; `rows` are as they were before the changes."""
    said = {key: alarms_of(row) for key, row in rows.items()}
    for one in changes:
        told_now = [(str(alarm.code), alarm.sentence) for alarm in one.told.standing]
        said[one.after.order_id, one.after.reference] = told_now
    found: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for (order_id, reference), alarms in said.items():
        found[order_id] += [(reference, code, sentence) for code, sentence in alarms]
    return found


def _alerts(connection: Connection, ids: Sequence[str]) -> dict[str, dict[str, str | None]]:
    found: dict[str, dict[str, str | None]] = defaultdict(dict)
    query = select(results.c.order_id, results.c.reference, results.c.alert)
    for row in connection.execute(query.where(in_list(results.c.order_id, ids))):
        found[row.order_id][row.reference] = row.alert
    return found
