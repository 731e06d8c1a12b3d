"""Compares a Shoplazza order's goods and currency with those of its records.

The shop may add gifts, take bundles apart and let its people edit the lines: so a difference is told and proves nothing
about whose order it is (our tag does).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from worker.marketplaces.goods import Line, Names, differences, pieces, readable
from worker.marketplaces.prices import other_currency
from worker.marketplaces.replies import text_of
from worker.rules.outcomes import OrderRecord

GONE = frozenset({"cancelled", "returned"})
"""`fulfillment_status` of a line that will not come, or went back."""


def differing(order: Mapping[str, Any], records: Sequence[OrderRecord], who: str) -> list[str]:
    """Say how the goods and the currency of all of an order's records differ from what was ordered."""
    products = _products(order)
    shown = [[_line(row, products) for row in _rows(record)] for record in records]
    currencies = [text_of(record.details.get("currency")) for record in records]
    return [
        *differences(ordered(order), shown, Names(who, "product", "variant")),
        *other_currency(who, text_of(order.get("currency_code")), currencies),
    ]


def ordered(order: Mapping[str, Any]) -> list[Line]:
    """Return the lines of an order."""
    return [_line(row, _products(order)) for row in order.get("line_items") or ()]


def shows_goods(record: OrderRecord) -> bool:
    """Tell whether a record shows its products and how many of each."""
    return readable([_line(row, {}) for row in _rows(record)])


def _products(order: Mapping[str, Any]) -> dict[str, str]:
    """Return each ordered variant's product."""
    return {text_of(row.get("variant_id")): text_of(row.get("product_id")) for row in order.get("line_items") or ()}


def _rows(record: OrderRecord) -> list[Mapping[str, Any]]:
    rows = record.details.get("line_items")
    return [row if isinstance(row, Mapping) else {} for row in rows] if isinstance(rows, list) else []


def _line(row: Mapping[str, Any], products: Mapping[str, str]) -> Line:
    """Return a row's line; the product of a variant that was ordered is known where the row does not show it."""
    variant, status = text_of(row.get("variant_id")), text_of(row.get("fulfillment_status"))
    product = text_of(row.get("product_id")) or products.get(variant, "") or variant
    return Line(product, variant, pieces(row.get("quantity")), status if status in GONE else "")
