"""What the ledger tells of an order's second life. Times are unix seconds; `as_json` has them as ISO 8601 in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from worker.rules.follow import LifeEvent, Whole, whole
from worker.rules.life import Node, Stage
from worker.rules.parcels import Known, ParcelEvent
from worker.rules.views import utc


@dataclass(frozen=True, slots=True)
class ParcelView:
    """One parcel. `replaced_by`: the number to hand on in its place."""

    number: str
    carrier: str | None
    eta_at: float | None
    internal: bool
    arrival: str | None
    goods: tuple[tuple[str, int], ...]
    nodes: tuple[Node, ...]
    moved_at: float
    replaced_by: str | None

    @classmethod
    def of(cls, known: Known) -> ParcelView:
        """Return the view of a parcel as the ledger has it."""
        one = known.parcel
        return cls(
            *(one.number, one.carrier, one.eta_at, one.internal, one.arrival),
            *(one.items, one.nodes, known.moved_at, known.replaced_by),
        )

    def as_json(self) -> dict[str, Any]:
        """Return its documented form."""
        return {
            "number": self.number,
            "carrier": self.carrier,
            "internal": self.internal,
            "arrival": self.arrival,
            "estimated_arrival": utc(self.eta_at),
            "replaced_by": self.replaced_by,
            "moved_at": utc(self.moved_at),
            "items": [{"id": name, "quantity": quantity} for name, quantity in self.goods],
            "nodes": [{"at": utc(node.at), "name": node.name} for node in self.nodes],
        }


@dataclass(frozen=True, slots=True)
class LifeView:
    """One supplier order. `alarms`: code and sentence of what a person was told and what stands."""

    order_id: str
    reference: str
    account: str
    marketplace: str
    stage: Stage
    status: str
    stage_since: float
    deadline_at: float | None
    paid: bool | None
    paid_at: float | None
    end_reason: str | None
    read_at: float
    due_at: float | None
    alarms: tuple[tuple[str, str], ...]
    amount: str | None
    currency: str | None
    parcels: tuple[ParcelView, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return its documented form."""
        return {
            "order_id": self.order_id,
            "reference": self.reference,
            "account": self.account,
            "stage": self.stage,
            "status": self.status,
            "paid": self.paid,
            "paid_at": utc(self.paid_at),
            "deadline": utc(self.deadline_at),
            "end_reason": self.end_reason,
            "amount": self.amount,
            "currency": self.currency,
            "read_at": utc(self.read_at),
            "next_read": utc(self.due_at),
            "alarms": [{"code": code, "sentence": sentence} for code, sentence in self.alarms],
            "parcels": [parcel.as_json() for parcel in self.parcels],
        }


@dataclass(frozen=True, slots=True)
class LifeEventView:
    """One thing that happened in a second life."""

    at: float
    reference: str
    event: LifeEvent | ParcelEvent
    from_stage: Stage | None
    to_stage: Stage
    number: str | None
    replaces: str | None
    note: str | None

    def as_json(self) -> dict[str, Any]:
        """Return its documented form."""
        return {
            "at": utc(self.at),
            "reference": self.reference,
            "event": self.event,
            "from": self.from_stage,
            "to": self.to_stage,
            "parcel": self.number,
            "replaces": self.replaces,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Tracked:
    """An order's whole second life."""

    order_id: str
    lives: tuple[LifeView, ...]
    events: tuple[LifeEventView, ...]

    @property
    def stands(self) -> Whole:
        """Return how the order stands, all its supplier orders together."""
        return whole([(one.stage, one.paid) for one in self.lives])

    def as_json(self) -> dict[str, Any]:
        """Return its documented form."""
        return {
            "order_id": self.order_id,
            "stands": self.stands,
            "supplier_orders": [one.as_json() for one in self.lives],
            "events": [one.as_json() for one in self.events],
        }
