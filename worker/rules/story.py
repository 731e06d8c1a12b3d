"""Everything the ledger tells of one order: how it stands, its goods, every attempt, move, act, and what was read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from worker.rules.audit import AuditView
from worker.rules.views import AttemptView, EventView, OrderView, ResultView, utc


@dataclass(frozen=True, slots=True)
class ItemView:
    """One line of an order: what is bought and how many."""

    product: str
    """The marketplace's id of the product."""
    sku: str
    """The marketplace's id or words of the variant; empty: none is named."""
    quantity: int | None
    """Pieces; None: the line does not say."""

    def as_json(self) -> dict[str, Any]:
        """Return the documented form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class OrderStory:
    """Everything the ledger tells of one order, its body excepted."""

    order: OrderView
    attempts: tuple[AttemptView, ...]
    events: tuple[EventView, ...]
    results: tuple[ResultView, ...]
    items: tuple[ItemView, ...]
    store: tuple[str, ...]
    """Shops the goods are bought from: as read back, else the shop its account sends to."""
    tracking: tuple[str, ...]
    """Numbers of its parcels, as read back."""
    forecast: str | None
    """What a preview said it costs, with its currency; None: no preview told."""
    acts: tuple[AuditView, ...]
    """What people did with it."""

    def as_json(self) -> dict[str, Any]:
        """Return the form of `fulfil show --json`."""
        order = self.order
        return order.as_json() | {
            "line": order.line,
            "attention": order.attention,
            "in_doubt": order.in_doubt,
            "first_sent_at": utc(order.first_sent_at),
            "accepted_at": utc(order.accepted_at),
            "items": [item.as_json() for item in self.items],
            "store": list(self.store),
            "tracking": list(self.tracking),
            "forecast": self.forecast,
            "attempts": [attempt.as_json() for attempt in self.attempts],
            "events": [event.as_json() for event in self.events],
            "acts": [act.as_json() for act in self.acts],
            "result": [result.as_json() for result in self.results] or None,
        }
