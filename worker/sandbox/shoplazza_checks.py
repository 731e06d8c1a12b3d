"""What the sandbox's Shoplazza checks and turns down of a create, and what its lines cost."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from worker.sandbox.fake import Call

LEGACY = "2022-01"
BEFORE = {
    "ShippingAddress": "The shipping address does not pass",
    "checkout_setting": "Get transaction settings error: not exists checkout setting",
    "record_not_found": "Failed to create order line items: record_not_found",
    "create_order_calculate_failed": "create_order_calculate_failed: order price calculate error",
    "create_order_build_failed": "create_order_build_failed: customer or paymentline information error",
}
ADDRESS = ("last_name", "email", "country_code", "province", "province_code", "city", "address")
PROVINCES = frozenset(
    "AE AR AU BR CA CL CN CO EG ES GB HK ID IE IN IT JP KR MX MY NG NZ PE PH RO TH TW US ZA".split()  # noqa: SIM905
)
"""Where an address without a province is refused; a schema does not say so (docs/vendors/shoplazza.md, 1)."""
REQUIRED: dict[str, dict[str, tuple[str, ...]]] = {
    "2022-01": {
        "": ("tax_total", "discount", "currency_code", "shipping_address", "line_items", "shipping_line"),
        "line_items": ("variant_id", "product_id", "quantity"),
        "shipping_address": (*ADDRESS, "country"),
        "shipping_line": ("name", "shipping_price"),
    },
    "2025-06": {
        "": ("tax_total", "currency_code", "shipping_address", "line_items", "shipping_line"),
        "line_items": ("variant_id", "product_id", "quantity"),
        "shipping_address": (*ADDRESS, "country", "address1"),
        "shipping_line": ("shipping_name", "shipping_price"),
    },
    "2026-01": {
        "": ("tax_total", "currency_code", "shipping_address", "line_items", "shipping_line"),
        "line_items": ("quantity",),
        "shipping_address": (*ADDRESS, "zip"),
        "shipping_line": ("shipping_name", "shipping_price"),
    },
}
REQUIRED["2026-07"] = REQUIRED["2026-01"]
"""What each version's schema requires (docs/vendors/shoplazza.md, 1)."""


class ProblemError(Exception):
    """The call is answered with an error; `status` as 2022-01 has it."""

    def __init__(self, status: int, text: str, code: str = "InvalidParameter") -> None:
        self.status = status
        self.text = text
        self.code = code


def text_of(value: object) -> str:
    """Return a text without blanks around it; nothing for anything else."""
    return value.strip() if isinstance(value, str) else ""


def number_in(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Return a whole number of the query that is not above `most`."""
    text = query.get(name) or str(default)
    if not text.isdecimal() or int(text) > most:
        raise ProblemError(422, f"{name} is invalid")
    return int(text)


def unix(text: str) -> float:
    """Return a time of the query in unix seconds."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise ProblemError(422, "created_at_min is invalid") from None


def object_in(call: Call, name: str, version: str) -> dict[str, Any]:
    """Return what a POST sends: bare in 2022-01, under its name later."""
    if "application/json" not in call.headers.get("content-type", ""):
        raise ProblemError(400, "Content-Type must be application/json")
    try:
        body = json.loads(call.body)
    except (ValueError, RecursionError):
        raise ProblemError(400, "the body is not JSON") from None
    if version != LEGACY:
        body = body.get(name) if isinstance(body, dict) else None
    if not isinstance(body, dict):
        raise ProblemError(400, f"{name} is required")
    return body


def check(body: Mapping[str, Any], version: str) -> None:
    """Refuse a create that lacks what its version requires, or has it in another form."""
    if not isinstance(body.get("shipping_address"), dict):
        raise ProblemError(422, "ShippingAddress is nil")
    _require(body, REQUIRED[version][""], "")
    items, line = body["line_items"], body["shipping_line"]
    if not isinstance(items, list) or not isinstance(line, dict):
        raise ProblemError(422, "line_items must be a list, shipping_line an object")
    for part, name in ((body["shipping_address"], "shipping_address"), (line, "shipping_line")):
        needed = REQUIRED[version][name]
        if name == "shipping_address" and part.get("country_code") not in PROVINCES:
            needed = tuple(one for one in needed if not one.startswith("province"))
        _require(part, needed, f"{name}.")
    for item in items:
        if not isinstance(item, dict):
            raise ProblemError(422, "line_items must be objects")
        _require(item, REQUIRED[version]["line_items"], "line_items.")
        for name in ("variant_id", "product_id"):
            if not isinstance(item.get(name, ""), str):
                raise ProblemError(422, f"line_items.{name} must be a string")
        if type(item["quantity"]) is not int or item["quantity"] < 1:
            raise ProblemError(422, "line_items.quantity must be an integer of at least 1")
    for name, value in (("tax_total", body["tax_total"]), ("shipping_line.shipping_price", line["shipping_price"])):
        if not isinstance(value, str) or not re.fullmatch(r"\d+(\.\d+)?", value):
            raise ProblemError(422, f"{name} must be a numeric string")
    if not re.fullmatch(r"(\d+(\.\d+)?%?)?", text_of(body.get("discount"))):
        raise ProblemError(422, "discount must be an amount or a percentage")
    if not isinstance(body.get("tags", []), list) or not isinstance(body.get("note", ""), str):
        raise ProblemError(422, "tags must be a list, note a string")


def _require(part: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in names:
        if part.get(name) in (None, "", [], {}):
            raise ProblemError(422, f"{where}{name} is required")


def priced(body: Mapping[str, Any]) -> dict[str, Any]:
    """Price the lines; a price follows from the variant id, so that it can be foretold."""
    lines = []
    for item in body["line_items"]:
        variant = text_of(item.get("variant_id"))
        price = Decimal(199 + int(hashlib.sha256(variant.encode()).hexdigest()[:4], 16) % 4801) / 100
        total = str(price * item["quantity"])
        lines.append({"variant_id": variant, "product_id": text_of(item.get("product_id")), "total": total})
        lines[-1] |= {"quantity": item["quantity"], "price": str(price), "fulfillment_status": "waiting"}
    subtotal = sum((Decimal(line["total"]) for line in lines), Decimal(0))
    discount = text_of(body.get("discount")) or "0"
    off = subtotal * Decimal(discount[:-1]) / 100 if discount.endswith("%") else Decimal(discount)
    if off > subtotal:
        raise ProblemError(422, BEFORE["create_order_calculate_failed"])
    tax, shipping = Decimal(body["tax_total"]), Decimal(body["shipping_line"]["shipping_price"])
    amounts = {"sub_total": subtotal, "total_discount": off, "total_tax": tax, "total_shipping": shipping}
    amounts["total_price"] = subtotal - off + tax + shipping
    shown = {name: f"{amount:.2f}" for name, amount in amounts.items()}
    return {"lines": lines, "amounts": shown, "currency": body["currency_code"]}
