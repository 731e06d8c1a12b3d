"""Sentences about an order's second life: the same in the terminal, in Flower and on a page."""

from __future__ import annotations

from collections.abc import Iterator

from worker.rules.life import Stage
from worker.rules.life_views import LifeEventView, LifeView, ParcelView, Tracked
from worker.rules.moments import instant
from worker.rules.words import age

STAGES: dict[Stage, str] = {
    Stage.AWAITING_PAYMENT: "not paid yet",
    Stage.PAYING: "the payment is under way",
    Stage.HELD: "held by the marketplace",
    Stage.AWAITING_SHIPMENT: "paid; the seller has not shipped yet",
    Stage.PARTLY_SHIPPED: "paid; a part is shipped",
    Stage.SHIPPED: "shipped",
    Stage.DELIVERED: "completed at the marketplace, nothing of it cancelled",
    Stage.CLOSED: "ended by the marketplace",
    Stage.DISPUTED: "in a dispute, or on its way back",
    Stage.UNCLEAR: "in a state that is documented nowhere",
}


def ago(at: float, now: float) -> str:
    """Say how long ago something was read."""
    return "just now" if now - at < 1 else f"{age(now - at)} ago"


def track_lines(tracked: Tracked, now: float) -> list[str]:
    """Tell an order's second life: how it stands, each supplier order, its parcels, what happened."""
    if not tracked.lives:
        return [f"{tracked.order_id} is not confirmed yet; fulfil why {tracked.order_id} says how it stands"]
    head = f"{tracked.order_id}: {tracked.stands}"
    return [head, *life_lines(tracked, now), *(f"  {event_line(event)}" for event in tracked.events)]


def life_lines(tracked: Tracked, now: float) -> list[str]:
    """Tell how each supplier order of an order stands; nothing before it is confirmed."""
    return [line for one in tracked.lives for line in _life_lines(one, now)]


def _life_lines(one: LifeView, now: float) -> Iterator[str]:
    price = f", {one.amount} {one.currency}" if one.amount else ""
    yield f"{one.reference} is {one.status}: {STAGES[one.stage]}{price} (read {ago(one.read_at, now)})"
    if one.stage is Stage.AWAITING_PAYMENT:
        yield f"  {deadline_words(one)}"
    elif one.end_reason:
        yield f"  ended: {one.end_reason}"
    for parcel in one.parcels:
        yield f"  {parcel_line(parcel)}"
    for _, sentence in one.alarms:
        yield f"  ! {sentence}"
    if one.due_at is not None:
        yield f"  read again {instant(one.due_at)}" if one.due_at > now else "  it is being read again now"


def deadline_words(one: LifeView) -> str:
    """Say until when an unpaid order stands."""
    if one.deadline_at is None:
        return "deadline unknown: the marketplace tells none"
    return f"to be paid until {instant(one.deadline_at)} at the latest"


def parcel_line(parcel: ParcelView) -> str:
    """Say what is known of a parcel."""
    told = [f"parcel {parcel.number}"]
    if parcel.carrier:
        told.append(f"by {parcel.carrier}")
    if parcel.internal:
        told.append("(the marketplace's own number)")
    if parcel.replaced_by:
        told.append(f"replaced by {parcel.replaced_by}")
    elif parcel.arrival:
        told.append("delivered" if parcel.arrival == "receiver" else "signed for at the warehouse")
    elif parcel.nodes:
        last = parcel.nodes[-1]
        told.append(f"{last.name} {instant(last.at)}")
    if parcel.eta_at is not None and not parcel.arrival and not parcel.replaced_by:
        told.append(f"expected {instant(parcel.eta_at)}")
    return " ".join(told)


def event_line(event: LifeEventView) -> str:
    """Say what happened, in a line."""
    told = [instant(event.at), event.reference, event.event.replace("_", " ")]
    if event.number:
        told.append(event.number)
    if event.replaces:
        told.append(f"in the place of {event.replaces}")
    if event.note:
        told.append(event.note)
    return " ".join(told)
