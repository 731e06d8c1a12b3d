"""Compares a Template order's goods and currency with those of its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from worker.marketplaces.goods import Line, Names, differences, pieces, readable
from worker.marketplaces.prices import other_currency
from worker.marketplaces.replies import text_of
from worker.rules.outcomes import OrderRecord


def differing(order: Mapping[str, Any], records: Sequence[OrderRecord], who: str) -> list[str]:
    """Say how the goods and the currency of all of an order's records differ from what was ordered."""
    currencies = [record.amount.currency for record in records if record.amount]
    shown = [_lines(record.details.get("items")) for record in records]
    return [
        *differences(_lines(order.get("items")), shown, Names(who, "product", "variant")),
        *other_currency(who, "EUR", currencies),
    ]


def shows_goods(record: OrderRecord) -> bool:
    """Tell whether a record shows its products and how many of each."""
    return readable(_lines(record.details.get("items")))


def _lines(rows: object) -> list[Line]:
    found = [row if isinstance(row, Mapping) else {} for row in (rows if isinstance(rows, list | tuple) else ())]
    return [Line(text_of(row.get("sku")), "", pieces(row.get("quantity")), text_of(row.get("ended"))) for row in found]
