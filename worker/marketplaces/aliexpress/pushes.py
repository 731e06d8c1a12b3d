"""AliExpress' push messages about orders: what one says, and when its order was made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from worker.marketplaces.aliexpress.envelope import order_ids
from worker.marketplaces.base import Push
from worker.marketplaces.replies import read_object, text_of
from worker.rules.outcomes import OrderRecord

ORDER_CREATED = "OrderCreated"
"""The `orderStatus` of the message that an order makes; later ones tell of its payment, shipping and end."""
MILLISECONDS_FROM = 10**11
"""`timestamp` is in seconds (doc); a number as large as this can only be milliseconds."""
ZONE_HOURS = 8
"""`gmt_create` names no zone: it looks like the US Pacific's (aliexpress.md, 4), China's is as far the other way."""


def read_push(body: bytes) -> Push | None:
    """Read a message by its shape: its `message_type`, 53 today, may change (doc)."""
    document = read_object(body)
    data = document.get("data") if isinstance(document, dict) else None
    if isinstance(document, str) or not isinstance(data, dict):
        return None
    ids, status = order_ids(text_of(data.get("orderId"))), text_of(data.get("orderStatus"))
    if not ids or not status.isprintable() or not status:
        return None
    return Push(ids[0], status[:60], _unix(document.get("timestamp")), status == ORDER_CREATED)


def _unix(value: object) -> float | None:
    text = text_of(value)
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        return None
    number = int(text)
    return number / 1000 if number >= MILLISECONDS_FROM else float(number)


def made_between(record: OrderRecord) -> tuple[float, float] | None:
    """Return the span in which `gmt_create` can lie, whatever zone it is written in."""
    try:
        written = datetime.fromisoformat(text_of(record.details.get("gmt_create")))
        at = written.replace(tzinfo=written.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    if written.tzinfo is not None:
        return at, at
    reach = timedelta(hours=ZONE_HOURS).total_seconds()
    return at - reach, at + reach
