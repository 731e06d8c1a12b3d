"""The sandbox's Shoplazza: a shop's /openapi/{version}/orders that checks, refuses, creates and lists as the real one.

What one order can choose for itself is in `triggers`.

There is no idempotency: every right create makes an order. 2022-01 takes a bare body, answers 422 and has no tag
filter; later versions take `{"order": …}`, answer 400, 403 or 500. Of 2025-06 nobody knows whether it has the tag
filter, so here it has not. Reads and lists show an order `sync_seconds` after its create. `limit` (size, leak a
second) switches the leaky bucket on.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from worker.sandbox.fake import Answer, Call, Fake, Keys, SandboxOrder
from worker.sandbox.shoplazza_triggers import TRIGGERS

LEGACY = "2022-01"
VERSIONS = (LEGACY, "2025-06", "2026-01", "2026-07")
WITH_TAG_FILTER = ("2026-01", "2026-07")
PATH = re.compile(r"/openapi/([^/]+)/orders(?:/([^/]+))?/?")
BRACKET = re.compile(r"\[order (\S+) (\S+)\]")
TRIGGER = re.compile(r"sandbox:(\w+)")
NOT_FOUND = "Unable to find resource"

BEFORE = {
    "ShippingAddress": "The shipping address does not pass",
    "checkout_setting": "Get transaction settings error: not exists checkout setting",
    "record_not_found": "Failed to create order line items: record_not_found",
    "create_order_calculate_failed": "create_order_calculate_failed: order price calculate error",
    "create_order_build_failed": "create_order_build_failed: customer or paymentline information error",
}
AFTER = {
    "CreateOrderBatchOption": "order_id {} CreateOrderBatchOption failed",
    "GetOrderDetail": "Get Order Detail failed",
    "DecreaseInventory": "DecreaseInventory failed",
    "DeadlineExceeded": "DeadlineExceeded",
}
FAILED = {
    "CreateOrderFailed": (406, "Create order failed"),
    "Aborted": (500, "Aborted"),
    "NotFound": (500, "NotFound"),
    "Unimplemented": (500, "Unimplemented"),
    "Unauthenticated": (500, "Unauthenticated"),
    "scope": (403, "the app does not have the scope write_order"),
    "inactive": (400, "store is not active"),
}
STATES = {
    "opened": ("opened", "waiting", "initialled"),
    "placed": ("placed", "paid", "waiting"),
    "finished": ("finished", "paid", "finished"),
    "cancelled": ("cancelled", "cancelled", "cancelled"),
    "refunded": ("placed", "refunded", "waiting"),
    "deleted": ("opened", "waiting", "initialled"),
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


class _ProblemError(Exception):
    """The call is answered with an error; `status` as 2022-01 has it."""

    def __init__(self, status: int, text: str, code: str = "InvalidParameter") -> None:
        self.status = status
        self.text = text
        self.code = code


class ShoplazzaFake(Fake):
    """A shop's order API: create, get, list."""

    name = "shoplazza"
    paths = ("/openapi",)
    built_in: ClassVar[Mapping[str, str]] = {"access_token": "sandbox-token", "shop": "sandbox"}
    triggers = TRIGGERS

    def __init__(self, credentials: Keys | None = None, sync_seconds: float = 3.0) -> None:
        super().__init__(credentials, sync_seconds)
        self._accounts = {str(keys.get("access_token", "")): account for account, keys in self.credentials.items()}
        self._by_reference: dict[str, SandboxOrder] = {}
        self._by_tag: dict[tuple[str, str], list[SandboxOrder]] = {}
        self._buckets: dict[str, tuple[float, float]] = {}
        # Not from 1: a ledger that outlives the sandbox must not meet an id again.
        self._ids = itertools.count(random.randrange(10**7))
        self.limit: tuple[int, float] | None = None
        """Size and leak a second of each account's bucket; None: calls are not counted."""

    def key_of(self, call: Call) -> str | None:
        """Return the order_id in the note of a create; None for everything else."""
        if call.method != "POST" or not PATH.fullmatch(call.path):
            return None
        try:
            body = json.loads(call.body)
            found = BRACKET.findall((body.get("order") or body).get("note"))
        except (ValueError, TypeError, AttributeError, RecursionError):
            return ""
        return found[-1][0] if found else ""

    def handle(self, call: Call) -> Answer:
        """Answer one call to the shop's API."""
        found = PATH.fullmatch(call.path)
        version = found[1] if found else LEGACY
        try:
            if found is None or version not in VERSIONS:
                raise _ProblemError(404, NOT_FOUND, "NotFound")
            account = self._admit(call)
            match call.method, found[2]:
                case "POST", None:
                    return _success(version, {"order": self._create(call, account, version)})
                case "GET", None:
                    return _success(version, self._list(call, account, version))
                case "GET", reference:
                    return _success(version, {"order": self._get(call, account, str(reference))})
            raise _ProblemError(405, "Method Not Allowed", "MethodNotAllowed")
        except _ProblemError as problem:
            return _error(version, problem)

    def fault_answer(self, fault: str, call: Call) -> Answer:
        """Say "too often" or "token invalid" in the API's words."""
        found = PATH.fullmatch(call.path)
        problem = (
            _ProblemError(429, "Too Many Requests", "TooManyRequests")
            if fault == "throttle"
            else _ProblemError(401, "Unauthorized", "Unauthorized")
        )
        return _error(found[1] if found else LEGACY, problem)

    def reset(self) -> None:
        """Forget every order."""
        super().reset()
        self._by_reference.clear()
        self._by_tag.clear()
        self._buckets.clear()

    def _admit(self, call: Call) -> str:
        account = self._accounts.get(call.headers.get("access-token", ""))
        if account is None:
            raise _ProblemError(401, "Unauthorized", "Unauthorized")
        if self.limit is not None:
            size, leak = self.limit
            level, since = self._buckets.get(account, (0.0, call.at))
            level = max(level - (call.at - since) * leak, 0.0) + 1
            if level > size:
                raise _ProblemError(429, "Too Many Requests", "TooManyRequests")
            self._buckets[account] = level, call.at
        return account

    def _create(self, call: Call, account: str, version: str) -> dict[str, Any]:
        body = _body(call, version)
        _check(body, version)
        note = _text(body.get("note"))
        found = TRIGGER.search(note)
        asked = found[1] if found else ""
        if asked in BEFORE:
            raise _ProblemError(422, BEFORE[asked])
        if asked in FAILED:
            raise _ProblemError(*FAILED[asked], code=asked)
        order = self._make(body, account, note, asked, call.at)
        if asked in AFTER:
            status = 500 if asked == "DeadlineExceeded" or version != LEGACY else 422
            raise _ProblemError(status, AFTER[asked].format(order.references[0]), asked)
        return _show(order)

    def _make(self, body: Mapping[str, Any], account: str, note: str, asked: str, at: float) -> SandboxOrder:
        mark = next(reversed(list(BRACKET.finditer(note))), None)
        state = asked if asked in STATES else "placed" if body.get("payment_line") == "COD" else "opened"
        request = {
            # Only our own line of the note: the rest may be personal.
            "note": mark[0] if mark else "",
            "tags": [_text(tag) for tag in body.get("tags") or ()],
            "state": state,
            "country_code": _text(body["shipping_address"].get("country_code")),
            "shipping_name": _text(body["shipping_line"].get("name") or body["shipping_line"].get("shipping_name")),
            **_priced(body),
        }
        reference = _reference(next(self._ids))
        order = SandboxOrder(self.name, account, mark[1] if mark else "", [reference], at, [at], request=request)
        self.commit(order)
        return order

    def enter(self, order: SandboxOrder) -> None:
        """Let an order be found by its id and its tags."""
        self._by_reference[order.references[0]] = order
        for tag in dict.fromkeys(order.request["tags"]):
            self._by_tag.setdefault((order.account, tag), []).append(order)

    def _get(self, call: Call, account: str, reference: str) -> dict[str, Any]:
        order = self._by_reference.get(reference)
        if order is None or order.account != account:
            raise _ProblemError(404, NOT_FOUND, "NotFound")
        order.gets.append(call.at)
        if not self.shows(order, call.at):
            raise _ProblemError(404, NOT_FOUND, "NotFound")
        return _show(order)

    def _list(self, call: Call, account: str, version: str) -> dict[str, Any]:
        query, legacy = call.query, version == LEGACY
        size = _number(query, "limit" if legacy else "page_size", 10, 250)
        start = (_number(query, "page", 1, 10**6) - 1) * size if legacy else _number(query, "cursor", 0, 10**9)
        if "order_tags" in query and version in WITH_TAG_FILTER:
            found = list(reversed(self._by_tag.get((account, query["order_tags"]), [])))
            for order in found:
                order.gets.append(call.at)
        else:
            found = [order for order in reversed(self.orders) if order.account == account]
        since = _unix(query["created_at_min"]) if "created_at_min" in query else 0.0
        shown = [order for order in found if since < order.created_at + 1 and self.shows(order, call.at)]
        page = [_show(order) for order in shown[start : start + size]]
        if legacy:
            return {"orders": page}
        more = len(shown) > start + size
        return {"orders": page, "cursor": str(start + size) if more else "", "has_more": more}


def _success(version: str, data: Mapping[str, Any]) -> Answer:
    return _answer(data if version == LEGACY else {"code": "Success", "message": "", "data": data})


def _error(version: str, problem: _ProblemError) -> Answer:
    """Answer with an error in the form and with the status of the API version (docs/vendors/shoplazza.md, 1)."""
    if version == LEGACY or version not in VERSIONS:
        said = {"error": problem.text} if problem.code == "inactive" else {"errors": [problem.text]}
        return _answer(said, problem.status)
    status = {422: 400, 406: 500}.get(problem.status, problem.status)
    return _answer({"code": problem.code, "message": problem.text}, status)


def _answer(body: Mapping[str, Any], status: int = 200) -> Answer:
    raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    return Answer(raw, status, headers={"Request-Id": hashlib.sha256(raw).hexdigest()[:32]})


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name) or str(default)
    if not text.isdecimal() or int(text) > most:
        raise _ProblemError(422, f"{name} is invalid")
    return int(text)


def _unix(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise _ProblemError(422, "created_at_min is invalid") from None


def _body(call: Call, version: str) -> dict[str, Any]:
    """Return the order of a create: bare in 2022-01, in `order` later."""
    if "application/json" not in call.headers.get("content-type", ""):
        raise _ProblemError(400, "Content-Type must be application/json")
    try:
        body = json.loads(call.body)
    except (ValueError, RecursionError):
        raise _ProblemError(400, "the body is not JSON") from None
    if version != LEGACY:
        body = body.get("order") if isinstance(body, dict) else None
    if not isinstance(body, dict):
        raise _ProblemError(400, "order is required")
    return body


def _check(body: Mapping[str, Any], version: str) -> None:
    if not isinstance(body.get("shipping_address"), dict):
        raise _ProblemError(422, "ShippingAddress is nil")
    _require(body, REQUIRED[version][""], "")
    items, line = body["line_items"], body["shipping_line"]
    if not isinstance(items, list) or not isinstance(line, dict):
        raise _ProblemError(422, "line_items must be a list, shipping_line an object")
    for part, name in ((body["shipping_address"], "shipping_address"), (line, "shipping_line")):
        needed = REQUIRED[version][name]
        if name == "shipping_address" and part.get("country_code") not in PROVINCES:
            needed = tuple(one for one in needed if not one.startswith("province"))
        _require(part, needed, f"{name}.")
    for item in items:
        if not isinstance(item, dict):
            raise _ProblemError(422, "line_items must be objects")
        _require(item, REQUIRED[version]["line_items"], "line_items.")
        for name in ("variant_id", "product_id"):
            if not isinstance(item.get(name, ""), str):
                raise _ProblemError(422, f"line_items.{name} must be a string")
        if type(item["quantity"]) is not int or item["quantity"] < 1:
            raise _ProblemError(422, "line_items.quantity must be an integer of at least 1")
    for name, value in (("tax_total", body["tax_total"]), ("shipping_line.shipping_price", line["shipping_price"])):
        if not isinstance(value, str) or not re.fullmatch(r"\d+(\.\d+)?", value):
            raise _ProblemError(422, f"{name} must be a numeric string")
    if not re.fullmatch(r"(\d+(\.\d+)?%?)?", _text(body.get("discount"))):
        raise _ProblemError(422, "discount must be an amount or a percentage")
    if not isinstance(body.get("tags", []), list) or not isinstance(body.get("note", ""), str):
        raise _ProblemError(422, "tags must be a list, note a string")


def _require(part: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in names:
        if part.get(name) in (None, "", [], {}):
            raise _ProblemError(422, f"{where}{name} is required")


def _reference(number: int) -> str:
    """Return an id in one of the three forms the vendor's samples have, each longer than a float is exact."""
    lot, rest = divmod(number, 100_000)
    third = f"{2_392_769 + lot}-HQWIFA{rest:05d}"
    return (str(10_234_136_520_598_000_000 + number), f"11218-{number:08d}", third)[number % 3]


def _priced(body: Mapping[str, Any]) -> dict[str, Any]:
    """Price the lines; a price follows from the variant id, so that it can be foretold."""
    lines = []
    for item in body["line_items"]:
        variant = _text(item.get("variant_id"))
        price = Decimal(199 + int(hashlib.sha256(variant.encode()).hexdigest()[:4], 16) % 4801) / 100
        total = str(price * item["quantity"])
        lines.append({"variant_id": variant, "product_id": _text(item.get("product_id")), "total": total})
        lines[-1] |= {"quantity": item["quantity"], "price": str(price), "fulfillment_status": "waiting"}
    subtotal = sum((Decimal(line["total"]) for line in lines), Decimal(0))
    discount = _text(body.get("discount")) or "0"
    off = subtotal * Decimal(discount[:-1]) / 100 if discount.endswith("%") else Decimal(discount)
    if off > subtotal:
        raise _ProblemError(422, BEFORE["create_order_calculate_failed"])
    tax, shipping = Decimal(body["tax_total"]), Decimal(body["shipping_line"]["shipping_price"])
    amounts = {"sub_total": subtotal, "total_discount": off, "total_tax": tax, "total_shipping": shipping}
    amounts["total_price"] = subtotal - off + tax + shipping
    shown = {name: f"{amount:.2f}" for name, amount in amounts.items()}
    return {"lines": lines, "amounts": shown, "currency": body["currency_code"]}


def _show(order: SandboxOrder) -> dict[str, Any]:
    """Return one order as it is read back; its tags as one text."""
    made, created = order.request, f"{datetime.fromtimestamp(order.created_at, UTC):%Y-%m-%dT%H:%M:%SZ}"
    status, financial, fulfilment = STATES[made["state"]]
    paid = financial in ("paid", "refunded")
    return {
        "id": order.references[0],
        "number": order.references[0][-8:],
        "note": made["note"],
        "status": status,
        "financial_status": financial,
        "fulfillment_status": fulfilment,
        "cancel_reason": "customer" if status == "cancelled" else None,
        "currency": made["currency"],
        **made["amounts"],
        "total_paid": made["amounts"]["total_price"] if paid else "0.00",
        "total_refund_price": made["amounts"]["total_price"] if financial == "refunded" else "0.00",
        "tags": ", ".join(made["tags"]),
        "created_at": created,
        "updated_at": created,
        "placed_at": created if status != "opened" else None,
        "canceled_at": created if status == "cancelled" else None,
        "deleted_at": created if made["state"] == "deleted" else None,
        "shipping_line": {"name": made["shipping_name"]},
        "shipping_address": {"country_code": made["country_code"]},
        "line_items": made["lines"],
        "fulfillments": [],
    }
