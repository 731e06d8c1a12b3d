"""Fields the page of order-get does not list: they are noticed, and nothing of a person in them is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.marketplaces.aliexpress.aliexpress_kit import shown

NEW: list[dict[str, Any]] = [
    {"receipt_address": {"contact_person": "Philippa Quillfeather", "zip": "43701", "mobile_no": 6505550142}},
    {"consignee": "Philippa Quillfeather"},
    {"whatever": "PHILIPPA"},
    {"whatever": {"x": ["1742 Larkspur Hollow", 6505550142, "6505550142"]}},
    {"user_phone": 4370},
    {"lines": [[["Zanesville"]]]},
]


def details(**fields: Any) -> dict[str, Any]:
    (found,) = shown({"order_status": "FINISH", **fields}).records
    kept: dict[str, Any] = found.details
    return kept


@pytest.mark.parametrize("new", NEW, ids=lambda new: next(iter(new)))
@pytest.mark.parametrize("where", ["the order", "a child", "the store", "a parcel", "a fee", "a misfit"])
def test_nothing_of_a_person_is_kept(new: dict[str, Any], where: str) -> None:
    kept = {
        "the order": lambda: details(**new),
        "a child": lambda: details(child_order_list=[{"sku_id": "1", **new}]),
        "the store": lambda: details(store_info={"store_id": 1, **new}),
        "a parcel": lambda: details(logistics_info_list=[{"logistics_no": "LP1", **new}]),
        "a fee": lambda: details(order_amount={"amount": "1.00", "currency_code": "USD", **new}),
        "a misfit": lambda: details(gmt_create=new),
    }[where]()
    text = json.dumps(kept)
    for word in ("Philippa", "PHILIPPA", "Quillfeather", "Larkspur", "Zanesville", "43701", "4370", "6505550142"):
        assert word not in text
    assert next(iter(new)) in text, "that it came is told"


def test_what_tells_of_nobody_is_kept() -> None:
    new = {
        "brand_new": {"flag": True, "count": 12, "phase": "WAIT_FOR_PARTS", "none": None},
        "since": "2026-11-26 13:00:00",
        "rate": "1.0821",
    }
    assert details(**new) == {"order_status": "FINISH", **new}
