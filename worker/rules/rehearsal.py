"""What a submission would take and refuse, without taking anything in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from worker.rules.troubles import RejectionView

KEPT = 1000
"""Rejections, and duplicates, that are told one by one."""


@dataclass(slots=True)
class Share:
    """What one account would be given."""

    marketplace: str
    orders: int = 0
    items: int = 0
    """Lines of the orders."""
    pieces: int = 0


@dataclass(slots=True)
class Rehearsal:
    """What would become of a submission."""

    source: str
    accepted: int = 0
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    """(order_id, its state) of the first `KEPT`"""
    duplicates_number: int = 0
    rejected: list[RejectionView] = field(default_factory=list)
    accounts: dict[str, Share] = field(default_factory=dict)
    notices: dict[str, int] = field(default_factory=dict)
    """Sentences about orders that would be taken all the same, and of how many orders each."""

    def add_duplicate(self, order_id: str, state: str) -> None:
        """Count an order that is known with the same content."""
        self.duplicates_number += 1
        if len(self.duplicates) < KEPT:
            self.duplicates.append((order_id, state))

    def as_json(self) -> dict[str, Any]:
        """Return the form of `fulfil submit --dry-run --json`: that of a batch, and each account's share."""
        return {
            "dry_run": True,
            "source": self.source,
            "accepted": self.accepted,
            "duplicates": self.duplicates_number,
            "rejected_number": len(self.rejected),
            "rejected": [one.as_json() for one in self.rejected[:KEPT]],
            "duplicate_orders": [{"order_id": order_id, "state": state} for order_id, state in self.duplicates],
            "notices": self.notices,
            "accounts": {
                name: {
                    "marketplace": share.marketplace,
                    "orders": share.orders,
                    "items": share.items,
                    "pieces": share.pieces,
                }
                for name, share in sorted(self.accounts.items())
            },
        }


def rehearsal_lines(told: Rehearsal) -> Iterator[str]:
    """Yield what would be taken, a line for each account, and which orders are known already."""
    yield (
        f"{told.source}: {told.accepted} would be accepted, {told.duplicates_number} duplicates,"
        f" {len(told.rejected)} would be rejected; nothing was taken in"
    )
    for name, share in sorted(told.accounts.items()):
        yield f"  {name} ({share.marketplace}): {share.orders} orders, {share.items} items, {share.pieces} pieces"
    states: dict[str, list[str]] = {}
    for order_id, state in told.duplicates:
        states.setdefault(state, []).append(order_id)
    for state, order_ids in sorted(states.items()):
        more = f" and {len(order_ids) - 1} more" if len(order_ids) > 1 else ""
        yield f"  duplicates in state {state}: {order_ids[0]}{more}"
    for notice, number in told.notices.items():
        yield f"  {notice} ({number} orders)"
