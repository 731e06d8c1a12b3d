"""Parcels: how what is shown now differs from what was known, for whoever hands numbers on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from worker.rules.life import Arrival, Parcel


class ParcelEvent(StrEnum):
    """What happened to a parcel."""

    ADDED = "parcel_added"
    """It was not known before."""
    REPLACED = "parcel_replaced"
    """Its number took the place of another: whoever has the old one must be told."""
    MOVED = "parcel_moved"
    """Its way, carrier or estimated arrival is not what it was."""
    DELIVERED = "parcel_delivered"
    """Its carrier says that it is with the receiver."""
    AT_WAREHOUSE = "parcel_at_warehouse"
    """It was signed for at the warehouse, which is not a delivery."""


@dataclass(frozen=True, slots=True)
class Known:
    """A parcel as the ledger has it; unix seconds. `replaced_by`: the number that took its place."""

    parcel: Parcel
    first_seen_at: float
    moved_at: float
    replaced_by: str | None = None

    @property
    def stands(self) -> bool:
        """Whether its number is still the one to hand on."""
        return self.replaced_by is None


@dataclass(frozen=True, slots=True)
class ParcelNote:
    """One thing that happened to a parcel. `replaces`: the number it took the place of."""

    event: ParcelEvent
    number: str
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """Parcels after they were read anew, and what happened to them."""

    known: tuple[Known, ...]
    notes: tuple[ParcelNote, ...]


def compare(known: Sequence[Known], seen: Sequence[Parcel], now: float) -> Compared:
    """Return the parcels and their news. A number that is no longer shown stands until another takes its place."""
    before = {one.parcel.number: one for one in known}
    shown = {parcel.number: parcel for parcel in seen}
    new = [parcel for number, parcel in shown.items() if number not in before]
    gone = [one for one in known if one.stands and one.parcel.number not in shown]
    replaces = _replaced(gone, new)
    after, notes = [], []
    for one in known:
        number = one.parcel.number
        if number in shown:
            kept, event = _seen_again(one, shown[number], now)
            after.append(kept)
            notes += [ParcelNote(event, number)] if event else []
        else:
            after.append(replace(one, replaced_by=_by(number, replaces) or one.replaced_by))
    for parcel in new:
        after.append(Known(parcel, now, now))
        old = replaces.get(parcel.number)
        notes.append(ParcelNote(ParcelEvent.REPLACED if old else ParcelEvent.ADDED, parcel.number, old))
        notes += [ParcelNote(_arrived(parcel.arrival), parcel.number)] if parcel.arrival else []
    return Compared(tuple(after), tuple(notes))


def _replaced(gone: Sequence[Known], new: Sequence[Parcel]) -> dict[str, str]:
    """Return which new number took the place of which old one: the same goods, or the only one for the only one."""
    found: dict[str, str] = {}
    left = list(gone)
    for parcel in new:
        same = [one for one in left if parcel.items and sorted(one.parcel.items) == sorted(parcel.items)]
        if len(same) == 1:
            found[parcel.number] = same[0].parcel.number
            left.remove(same[0])
    others = [parcel for parcel in new if parcel.number not in found]
    for parcel in others:  # the marketplace's own number gives way to whatever a carrier knows
        if not parcel.internal and (own := next((one for one in left if one.parcel.internal), None)):
            found[parcel.number] = own.parcel.number
            left.remove(own)
    others = [parcel for parcel in others if parcel.number not in found]
    if len(others) == 1 and len(left) == 1:
        found[others[0].number] = left[0].parcel.number
    return found


def _by(old: str, replaces: dict[str, str]) -> str | None:
    return next((new for new, replaced in replaces.items() if replaced == old), None)


def _seen_again(one: Known, shown: Parcel, now: float) -> tuple[Known, ParcelEvent | None]:
    before = one.parcel
    # What a later reply leaves out is not taken back.
    merged = replace(
        shown,
        carrier=shown.carrier or before.carrier,
        eta_at=shown.eta_at if shown.eta_at is not None else before.eta_at,
        items=shown.items or before.items,
        nodes=shown.nodes or before.nodes,
        arrival=shown.arrival or before.arrival,
    )
    if merged == before:
        return replace(one, replaced_by=None), None
    moved_at = now if merged.nodes != before.nodes or merged.arrival != before.arrival else one.moved_at
    arrived = merged.arrival is not None and merged.arrival != before.arrival
    event = _arrived(merged.arrival) if arrived else ParcelEvent.MOVED
    return replace(one, parcel=merged, moved_at=moved_at, replaced_by=None), event


def _arrived(arrival: Arrival | None) -> ParcelEvent:
    return ParcelEvent.DELIVERED if arrival is Arrival.RECEIVER else ParcelEvent.AT_WAREHOUSE
