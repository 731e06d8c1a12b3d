"""AliExpress' push messages about orders: who signed one, what it says, and which of our orders it can be about."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from worker.marketplaces.aliexpress.placing import order_ids
from worker.marketplaces.base import Push
from worker.marketplaces.replies import read_object, text_of
from worker.outcomes import OrderRecord

ORDER_CREATED = "OrderCreated"
"""The `orderStatus` of the message that an order makes; later ones tell of its payment, shipping and end."""
MILLISECONDS_FROM = 10**11
"""`timestamp` is in seconds (doc); a number as large as this can only be milliseconds."""
ZONE_HOURS = 8
"""`gmt_create` names no zone: it looks like the US Pacific's (facts: section 4), China's is as far the other way."""

SECOND_ID = 2**51
"""The site shows one product under two ids so far apart, by country (1005… and 3256…). No vendor page says so, hence it
is only ever a reason not to raise an alarm."""

Goods = Counter[tuple[str, str | None]]


def is_genuine(headers: Mapping[str, str], body: bytes, app_key: str, secret: str) -> bool:
    """Check the header Authorization: lower-case hex HMAC-SHA256 of app key and raw body (facts: section 7)."""
    given = headers.get("authorization", "").strip()
    wanted = hmac.digest(secret.encode(), app_key.encode() + body, "sha256").hex()
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


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


def describes(order: Mapping[str, Any], record: OrderRecord) -> bool:
    """Tell whether a record holds exactly the order's goods: product, quantity, and the SKU where both know it.

    An order-get tells a `sku_id`, which is not the `sku_attr` of the create; they are compared only if a record
    should show a `sku_attr` as well. Nothing else of an order is in both: no address, no out_order_id.
    """
    wanted = _goods(order.get("product_items"))
    shown = _goods(record.details.get("child_order_list"))
    if not wanted or not shown or _by_product(wanted) != _by_product(shown):
        return False
    for product in {product for product, _ in wanted}:
        ours, theirs = _skus(wanted, product), _skus(shown, product)
        if None not in ours and None not in theirs and ours != theirs:
            return False
    return True


def contradicts(order: Mapping[str, Any], record: OrderRecord) -> bool:
    """Tell whether a record shows a product that is not in the order, or more of it than was ordered."""
    wanted = _goods(order.get("product_items"))
    shown = _goods(record.details.get("child_order_list"))
    return bool(wanted and shown) and not _one_id_each(shown) <= _one_id_each(wanted)


def _one_id_each(goods: Goods | None) -> Counter[str]:
    return _sum((str(int(product) % SECOND_ID), count) for (product, _), count in (goods or {}).items())


def _goods(lines: object) -> Goods | None:
    """Return how many of which product and SKU; None when a line cannot be read."""
    goods: Goods = Counter()
    for line in lines if isinstance(lines, list | tuple) else ():
        read = line if isinstance(line, Mapping) else {}
        product, count = text_of(read.get("product_id")).lstrip("0"), text_of(read.get("product_count"))
        if not ((product + count).isascii() and product.isdigit() and count.isdigit() and len(count) <= 9):
            return None
        goods[product, text_of(read.get("sku_attr")) or None] += int(count)
    return goods


def _by_product(goods: Goods) -> Counter[str]:
    return _sum((product, count) for (product, _), count in goods.items())


def _skus(goods: Goods, product: str) -> Counter[str | None]:
    return _sum((sku, count) for (known, sku), count in goods.items() if known == product)


def _sum(pairs: Iterable[tuple[Any, int]]) -> Counter[Any]:
    total: Counter[Any] = Counter()
    for name, count in pairs:
        total[name] += count
    return total


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
