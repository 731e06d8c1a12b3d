"""The guards of the second life, each as what the product is without it; `sabotage.py` switches them off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from worker.ledger import life_writer
from worker.ledger.life_writer import LifeWriter
from worker.rules.follow import LifeNote
from worker.rules.life import Life, Stage
from worker.rules.parcels import ParcelEvent

MOVED = ("awaiting_shipment", "shipped", "closed")
HASTY: dict[Stage | None, Stage] = {Stage.SHIPPED: Stage.DELIVERED}


def announce() -> None:
    """What becomes true by the mere passing of time is told by nobody."""
    LifeWriter.tell = lambda self, now=None, limit=500: 0  # type: ignore[method-assign]


def life_events() -> None:
    """A supplier order's stage moves, and no event says so."""
    plain = life_writer.note_rows  # type: ignore[attr-defined]

    def only_parcels(order: Any, notes: Sequence[LifeNote], *rest: Any) -> Any:
        return plain(order, [one for one in notes if one.event.value not in MOVED], *rest)

    life_writer.note_rows = only_parcels  # type: ignore[attr-defined, assignment]


def marketplaces_word() -> None:
    """Whatever is shipped counts as delivered: nobody waits for the marketplace to say so."""
    read = life_writer.read  # type: ignore[attr-defined]

    def read_hastily(before: Any, status: str, life: Life, now: float) -> Any:
        return read(before, status, replace(life, stage=HASTY.get(life.stage, life.stage)), now)

    life_writer.read = read_hastily  # type: ignore[attr-defined]


def parcel_changes() -> None:
    """A parcel's new number takes the place of the old one, and nobody is told."""
    compare = life_writer.compare  # type: ignore[attr-defined]

    def silently(*told: Any) -> Any:
        found = compare(*told)
        return replace(found, notes=tuple(one for one in found.notes if one.event is not ParcelEvent.REPLACED))

    life_writer.compare = silently  # type: ignore[attr-defined, assignment]


LIFE_GUARDS: dict[str, Callable[[], None]] = {
    "announce": announce,
    "life-events": life_events,
    "marketplaces-word": marketplaces_word,
    "parcel-changes": parcel_changes,
}
"""Controls about what comes after the confirm; the others end before it."""
