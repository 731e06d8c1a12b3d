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
    country: str
    """Where it goes; empty: the order does not say."""
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
            "country": self.country or None,
            "store": list(self.store),
            "tracking": list(self.tracking),
            "forecast": self.forecast,
            "attempts": [attempt.as_json() for attempt in self.attempts],
            "events": [event.as_json() for event in self.events],
            "acts": [act.as_json() for act in self.acts],
            "result": [result.as_json() for result in self.results] or None,
        }


def facts(story: OrderStory) -> list[tuple[str, str]]:
    """Return what a person asks first of an order, as names and values; what is not known is left out."""
    order = story.order
    told = [
        ("account", f"{order.account} ({order.marketplace})"),
        ("batch", f"{order.batch}, line {order.line}"),
        ("store", ", ".join(story.store)),
        *(("item", item_line(item)) for item in story.items),
        ("country", story.country),
        ("preview", f"{story.forecast}, told before it was sent" if story.forecast else ""),
        *(("read back", _read(result)) for result in story.results),
        ("tracking", ", ".join(story.tracking)),
        ("submitted", utc(order.created_at)),
        ("first sent", utc(order.first_sent_at)),
        ("accepted", utc(order.accepted_at)),
        ("last move", utc(order.updated_at)),
        ("due", utc(order.due_at)),
        ("closed", utc(order.closed_at)),
    ]
    return [(name, value) for name, value in told if value]


def attempt_line(attempt: AttemptView) -> str:
    """Return one send in a line: when, how long, and its outcome."""
    told = attempt.as_json()
    words = [told[name] for name in ("outcome", "code", "cause", "request_id") if told[name]]
    took = "under way" if attempt.duration_ms is None else f"{attempt.duration_ms} ms"
    return " ".join([f"attempt {attempt.number} {told['sent_at']} {took}", *words])


def item_line(item: ItemView) -> str:
    """Return one line of an order in words: how many of what."""
    sku = f", sku {item.sku}" if item.sku else ""
    return f"{'?' if item.quantity is None else item.quantity} × product {item.product or 'not named'}{sku}"


def _read(result: ResultView) -> str:
    """Return one of the marketplace's orders in a line: its status, both amounts, and when it was read."""
    status = ", ".join(filter(None, (result.status, result.fulfilment_status)))
    ordered = f"ordered {result.amount} {result.currency}" if result.amount else "amount not told"
    paid = f"paid {result.paid_amount} {result.paid_currency}" if result.paid_amount else "payment not told"
    alert = f"; {result.alert}" if result.alert else ""
    return f"{result.reference} {status}; {ordered}; {paid}; at {utc(result.read_at)}{alert}"
