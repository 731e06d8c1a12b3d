"""What the demo's orders are announced to come to, and whether the ledger and the sandbox's record say the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.rules.troubles import RejectionView
from worker.rules.views import OrderView

MARKETPLACES = ("aliexpress", "xportcn", "shoplazza")
SAMPLES = tuple(Path(__file__).resolve().parent / "samples" / f"{name}.jsonl" for name in MARKETPLACES)

REFUSED = {
    "SO-1040": "DELIVERY_METHOD_NOT_EXIST",
    "SO-1041": "SKU_NOT_EXIST",
    "SO-1042": "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL",
    "SO-1043": "A005_INVALID_COUNTRIES",
    "KA-2004": "500_004",
    "KA-2005": "MAX_AMOUNT_EXCEEDED",
    "SL-3004": "record_not_found",
}
"""Orders that are refused, with the code: the marketplace's, or ours where the preview is above the order's ceiling."""

REJECTED = {
    "SO-1044": "order.logistics_address.mobileNo",
    "SO-1045": "order.logistics_address.cpf",
    "SO-1046": "order.logistics_address.country",
    "SO-1047": "order.logistics_address.city",
}
"""Orders that are not taken at the door, with the field at fault."""

CONFIRMED = "confirmed"
"""What every other order comes to."""

_NEVER_MADE = ("refused", "dead", "cancelled")


def surprises(orders: Iterable[OrderView], rejected: Iterable[RejectionView]) -> list[str]:
    """Return a sentence for every order that did not come to what was announced."""
    told = []
    turned_away = {entry.order_id or "": entry.field for entry in rejected}
    for order_id in sorted(turned_away.keys() | REJECTED):
        if turned_away.get(order_id) != REJECTED.get(order_id):
            wanted, got = REJECTED.get(order_id, "nothing"), turned_away.get(order_id, "nothing")
            told.append(f"{order_id} was announced to be rejected for {wanted}, it was for {got}")
    for order in orders:
        code = REFUSED.get(order.order_id)
        wanted, got = (f"refused {code}", f"{order.state} {order.code}") if code else (CONFIRMED, order.state)
        if wanted != got:
            told.append(f"{order.order_id} was announced to be {wanted}, it is {got}")
    return told


@dataclass(frozen=True, slots=True)
class Witness:
    """What the sandbox's own record says of the ledger's orders."""

    orders: int
    references: int
    duplicates: tuple[str, ...]
    """Orders that were created more than once."""
    lost: tuple[str, ...]
    """Orders the ledger calls made and the record does not hold under the ledger's ids."""
    unaccounted: tuple[str, ...]
    """Orders the record holds and the ledger does not know, or calls never made."""
    repeats: int
    """Creates that came again under a key already used, and made nothing."""
    first_read_seconds: float
    """The shortest time between a create and the first read of it."""

    @property
    def agrees(self) -> bool:
        """Tell whether every order exists exactly once and nothing else does."""
        return not (self.duplicates or self.lost or self.unaccounted)

    def sentence(self) -> str:
        """Return the record's word in a line."""
        told = f"The sandbox's own record: {self.orders} orders under {self.references} ids"
        for name in ("duplicates", "lost", "unaccounted"):
            ids = getattr(self, name)
            told += f", {name} {len(ids)}" + (f" ({', '.join(ids)})" if ids else "")
        return (
            f"{told}. Repeated sends, which made nothing: {self.repeats}."
            f" Shortest wait from create to order-get: {self.first_read_seconds:.1f} s."
        )


def witness(record: Iterable[Mapping[str, Any]], orders: Iterable[OrderView]) -> Witness:
    """Hold the sandbox's record against the ledger's orders."""
    made: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in record:
        made[entry["key"]].append(entry)
    known = {order.order_id: order for order in orders}
    never_made = {order_id for order_id, order in known.items() if order.state in _NEVER_MADE}
    said_made = {order_id: set(order.references) for order_id, order in known.items() if order.references}
    entries = [entry for several in made.values() for entry in several]
    # An order whose reply was lost is looked up as soon as may be; the others wait to be read back.
    answered = [entry for entry in entries if entry["gets"] and "~" not in entry["key"]]
    waits = [min(entry["gets"]) - entry["created_at"] for entry in answered]
    found = {
        key: {reference for entry in several for reference in entry["references"]} for key, several in made.items()
    }
    return Witness(
        orders=len(entries),
        references=sum(len(entry["references"]) for entry in entries),
        duplicates=tuple(sorted(key for key, several in made.items() if len(several) > 1)),
        lost=tuple(sorted(key for key, ids in said_made.items() if found.get(key) != ids)),
        unaccounted=tuple(sorted(made.keys() - (known.keys() - never_made))),
        repeats=sum(len(entry["creates"]) - 1 for entry in entries),
        first_read_seconds=min(waits, default=0.0),
    )
