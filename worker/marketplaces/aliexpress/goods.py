"""Compares the goods of an AliExpress order with those of a record: the same, another order's, or not all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from worker.marketplaces.goods import Line, Names, differences, pieces, readable
from worker.marketplaces.prices import other_currency
from worker.marketplaces.replies import text_of
from worker.rules.outcomes import OrderRecord

SECOND_ID = 2**51
"""The site shows one product under two ids so far apart, by country (1005… and 3256…). No vendor page says so, hence it
is only ever a reason not to raise an alarm."""

Goods = Counter[tuple[str, str | None]]


def describes(order: Mapping[str, Any], record: OrderRecord) -> bool:
    """Tell whether a record holds exactly the order's goods: product, quantity, and the SKU where both know it.

    An order-get tells a `sku_id`, which is not the `sku_attr` of the create; they are compared only if a record
    should show a `sku_attr` as well. Nothing else of an order is in both: no address, no out_order_id.
    """
    wanted, shown = _goods(ordered(order)), _goods(_shown(record))
    if not wanted or not shown or _by_product(wanted) != _by_product(shown):
        return False
    for product in {product for product, _ in wanted}:
        ours, theirs = _skus(wanted, product), _skus(shown, product)
        if None not in ours and None not in theirs and ours != theirs:
            return False
    return True


def contradicts(order: Mapping[str, Any], record: OrderRecord) -> bool:
    """Tell whether a record shows a product that is not in the order, or more of it than was ordered."""
    wanted, shown = _goods(ordered(order)), _goods(_shown(record))
    return bool(wanted and shown) and not _one_id_each(shown) <= _one_id_each(wanted)


def differing(order: Mapping[str, Any], records: Sequence[OrderRecord], who: str) -> list[str]:
    """Say how the goods and the currency of all of an order's records differ from what was ordered."""
    names = Names(who, "product", "sku_attr", _one_id)
    asked = text_of(((order.get("ds_extend_request") or {}).get("payment") or {}).get("pay_currency"))
    return [
        *differences(ordered(order), [_shown(record) for record in records], names),
        *other_currency(who, asked, [_currency(record) for record in records]),
    ]


def shows_goods(record: OrderRecord) -> bool:
    """Tell whether a record shows its products and how many of each."""
    return readable(_shown(record))


def _currency(record: OrderRecord) -> str:
    """Return the currency an order is paid in: `user_order_amount` is "in user's pay currency" (page)."""
    money = record.paid_amount or record.amount
    return money.currency if money else ""


def ordered(order: Mapping[str, Any]) -> list[Line]:
    """Return the lines of an order."""
    return _lines(order.get("product_items"))


def _shown(record: OrderRecord) -> list[Line]:
    return _lines(record.details.get("child_order_list"))


def _lines(rows: object) -> list[Line]:
    """Return the lines of an order or of an order-get; what cannot be read of one stays open."""
    return [_line(row if isinstance(row, Mapping) else {}) for row in (rows if isinstance(rows, list | tuple) else ())]


def _line(row: Mapping[str, Any]) -> Line:
    product = text_of(row.get("product_id")).lstrip("0")
    return Line(
        product if product.isascii() and product.isdigit() else "",
        text_of(row.get("sku_attr")),
        pieces(row.get("product_count")),
        text_of(row.get("end_reason"))[:60],
    )


def _goods(lines: Sequence[Line]) -> Goods | None:
    """Return how many of which product and SKU; None when a line cannot be read."""
    if not readable(lines):
        return None
    return _sum(((line.product, line.variant or None), line.quantity or 0) for line in lines)


def _one_id(product: str) -> str:
    return str(int(product) % SECOND_ID)


def _one_id_each(goods: Goods | None) -> Counter[str]:
    return _sum((_one_id(product), count) for (product, _), count in (goods or {}).items())


def _by_product(goods: Goods) -> Counter[str]:
    return _sum((product, count) for (product, _), count in goods.items())


def _skus(goods: Goods, product: str) -> Counter[str | None]:
    return _sum((sku, count) for (known, sku), count in goods.items() if known == product)


def _sum(pairs: Iterable[tuple[Any, int]]) -> Counter[Any]:
    total: Counter[Any] = Counter()
    for name, count in pairs:
        total[name] += count
    return total
