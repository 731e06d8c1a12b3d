"""What a marketplace says of an order after it was placed: stages, parcels, and what is on their way. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """Where a supplier order stands in its second life, which begins when it is confirmed."""

    AWAITING_PAYMENT = "awaiting_payment"
    """Created and not paid; the marketplace cancels it when its deadline has passed."""
    PAYING = "paying"
    """The payment is under way."""
    HELD = "held"
    """The marketplace holds it: a risk check, a freeze, an address to complete, a group to form."""
    AWAITING_SHIPMENT = "awaiting_shipment"
    """Paid; the seller has not shipped."""
    PARTLY_SHIPPED = "partly_shipped"
    """Paid; some of its goods are shipped."""
    SHIPPED = "shipped"
    """All of its goods are shipped."""
    DELIVERED = "delivered"
    """The marketplace says that it is completed, and none of its goods was cancelled."""
    CLOSED = "closed"
    """The marketplace ended it: cancelled, unpaid, refunded."""
    DISPUTED = "disputed"
    """A dispute or a return is open."""
    UNCLEAR = "unclear"
    """The marketplace's word is documented nowhere; it is shown as it is, and closes nothing."""


OVER = frozenset({Stage.DELIVERED, Stage.CLOSED})
"""Stages in which nothing more is awaited: the marketplace is not asked again."""
PAID = frozenset({Stage.AWAITING_SHIPMENT, Stage.PARTLY_SHIPPED, Stage.SHIPPED, Stage.DELIVERED})
"""Stages that say by themselves that the order is paid."""


@dataclass(frozen=True, slots=True)
class Life:
    """What one record says of its supplier order's second life, in the marketplace's own word.

    `stage` None: its status is documented nowhere. `paid` None: not told. `pay_timeout_seconds`: from its creation
    until it is cancelled unpaid; None: not told. `end_reason`: why it, or a part of it, was ended, as told.
    """

    stage: Stage | None = None
    paid: bool | None = None
    pay_timeout_seconds: int | None = None
    end_reason: str | None = None


NOTHING_TOLD = Life()
"""Of a record that says nothing of a second life."""


class Arrival(StrEnum):
    """Where a carrier handed a parcel over."""

    RECEIVER = "receiver"
    """To whom it was sent."""
    WAREHOUSE = "warehouse"
    """To the warehouse that sends it on: not delivered."""


@dataclass(frozen=True, slots=True)
class Node:
    """One step of a parcel's way. `at`: unix seconds. `name`: the carrier's word or code, never a person's name."""

    at: float
    name: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """One parcel as the marketplace shows it.

    `number`: to hand on. `carrier`: as told; nothing where not told. `eta_at`: estimated arrival in unix seconds.
    `items`: what is in it, each an id of the marketplace's with a quantity. `nodes`: the newest last. `internal`: the
    number is the marketplace's own and means nothing to a carrier. `arrival`: where it was handed over, if it was.
    """

    number: str
    carrier: str | None = None
    eta_at: float | None = None
    items: tuple[tuple[str, int], ...] = ()
    nodes: tuple[Node, ...] = ()
    internal: bool = False
    arrival: Arrival | None = None


@dataclass(frozen=True, slots=True)
class Parcels:
    """All parcels of one supplier order, as read at one time; none is no error."""

    parcels: tuple[Parcel, ...] = ()
