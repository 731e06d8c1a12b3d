"""Supplier orders, parcels and their events, from values to rows and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Update, bindparam, select, update

from worker.ledger.dialects import in_list
from worker.ledger.life_tables import parcels, supplier_orders
from worker.ledger.moves import told
from worker.rules.alarms import Told
from worker.rules.follow import Followed, LifeNote
from worker.rules.life import Arrival, Node, Parcel, Stage
from worker.rules.parcels import Known, ParcelNote


def followed_of(row: Row[Any]) -> Followed:
    """Return the supplier order a row was written of."""
    return Followed(
        order_id=row.order_id,
        reference=row.reference,
        stage=Stage(row.stage),
        status=row.status,
        accepted_at=row.accepted_at,
        stage_since=row.stage_since,
        read_at=row.read_at,
        deadline_at=row.deadline_at,
        paid=row.paid,
        paid_at=row.paid_at,
        end_reason=row.end_reason,
        misses=row.misses,
        alarms=tuple(code for code, _ in alarms_of(row)),
    )


def alarms_of(row: Row[Any]) -> list[tuple[str, str]]:
    """Return what a person was told of a supplier order and what stands: codes and sentences."""
    return [(code, sentence) for code, sentence in row.alarms]


SUPPLIER_COLUMNS = (
    *("stage", "status", "stage_since", "deadline_at", "paid", "paid_at", "end_reason"),
    *("read_at", "misses", "due_at", "alarms", "tell_at"),
)
"""What `supplier_row` holds of an order that something was told of."""


def supplier_row(order: Followed, said: Told | None, due_at: float | None) -> dict[str, Any]:
    """Return what changes of a supplier order's row; `said` None: nothing was told of it yet."""
    values: dict[str, Any] = {
        "stage": order.stage,
        "status": told(order.status, 60),
        "stage_since": order.stage_since,
        "deadline_at": order.deadline_at,
        "paid": order.paid,
        "paid_at": order.paid_at,
        "end_reason": told(order.end_reason, 100),
        "read_at": order.read_at,
        "misses": order.misses,
        "due_at": due_at,
    }
    if said is not None:
        values["alarms"] = [[str(one.code), one.sentence] for one in said.standing]
        values["tell_at"] = said.next_at
    return values


def known_of(row: Row[Any]) -> Known:
    """Return the parcel a row was written of."""
    parcel = Parcel(
        number=row.number,
        carrier=row.carrier,
        eta_at=row.eta_at,
        items=tuple((name, quantity) for name, quantity in row.goods),
        nodes=tuple(Node(at, name) for at, name in row.nodes),
        internal=row.internal,
        arrival=Arrival(row.arrival) if row.arrival else None,
    )
    return Known(parcel, row.first_seen_at, row.moved_at, row.replaced_by)


def parcel_row(order: Followed, known: Known) -> dict[str, Any]:
    """Return a parcel's row."""
    parcel = known.parcel
    return {
        "order_id": order.order_id,
        "reference": order.reference,
        "number": told(parcel.number, 100),
        "carrier": told(parcel.carrier, 100),
        "eta_at": parcel.eta_at,
        "goods": [list(item) for item in parcel.items],
        "nodes": [[node.at, told(node.name, 100)] for node in parcel.nodes],
        "internal": parcel.internal,
        "arrival": parcel.arrival,
        "first_seen_at": known.first_seen_at,
        "moved_at": known.moved_at,
        "replaced_by": told(known.replaced_by, 100),
    }


def note_rows(
    order: Followed, notes: Iterable[LifeNote], of_parcels: Iterable[ParcelNote], now: float, actor: str
) -> list[dict[str, Any]]:
    """Return the events of one supplier order and its parcels."""
    common = {"order_id": order.order_id, "reference": order.reference, "at": now, "actor": actor}
    nothing = {"number": None, "replaces": None, "note": None}
    rows = [
        {
            **common,
            **nothing,
            "event": note.event,
            "from_stage": note.before,
            "to_stage": note.after,
            "note": told(note.note),
        }
        for note in notes
    ]
    rows += [
        {
            **common,
            **nothing,
            "event": one.event,
            "from_stage": order.stage,
            "to_stage": order.stage,
            "number": told(one.number, 100),
            "replaces": told(one.replaces, 100),
        }
        for one in of_parcels
    ]
    return rows


def at_key(*columns: str) -> Update:
    """Return an update of these columns of one supplier order, its values and its `key_of` still to be given."""
    return (
        update(supplier_orders)
        .where(
            supplier_orders.c.order_id == bindparam("b_order_id"),
            supplier_orders.c.reference == bindparam("b_reference"),
        )
        .values({name: bindparam(name) for name in columns})
    )


def key_of(order: Followed) -> dict[str, Any]:
    """Return what tells `at_key` which supplier order is meant."""
    return {"b_order_id": order.order_id, "b_reference": order.reference}


def parcels_of(connection: Connection, ids: Sequence[str]) -> dict[tuple[str, str], list[Known]]:
    """Return the parcels of orders by order and reference, in the order they were first seen."""
    found: dict[tuple[str, str], list[Known]] = defaultdict(list)
    query = select(parcels).where(in_list(parcels.c.order_id, ids))
    for row in connection.execute(query.order_by(parcels.c.first_seen_at, parcels.c.number)):
        found[row.order_id, row.reference].append(known_of(row))
    return found
