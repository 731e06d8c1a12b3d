"""What the Shoplazza tests share: an adapter for each version, a valid order, and the driving of its calls."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from worker.marketplaces.calls import Lost, Reply, Request
from worker.marketplaces.shoplazza.adapter import Shoplazza
from worker.marketplaces.shoplazza.credentials import ShoplazzaCredentials
from worker.marketplaces.shoplazza.models import ShoplazzaOrder

KEY = "SO-1001"
TOKEN = "jq-" + hashlib.sha256(KEY.encode()).hexdigest()[:24]
REFERENCE = "10234136520598611512"
VERSIONS = ("2022-01", "2025-06", "2026-01", "2026-07")
IDS = (REFERENCE, "11218-00000001", "2392769-HQWIFA72023")
FIRST_SENT_AT = 1_700_000_000.0


def adapter(version: str = "2026-01", base_url: str | None = None, **settings: str) -> Shoplazza:
    keys = {"access_token": "test-access-token", "shop": "developer", "api_version": version, **settings}
    return Shoplazza("main", ShoplazzaCredentials.model_validate(keys), base_url, clock=lambda: FIRST_SENT_AT)


def body(**changes: Any) -> dict[str, Any]:
    """Return a valid order as every version takes it, with some top-level fields set; None takes one out."""
    order: dict[str, Any] = {
        "line_items": [{"variant_id": "dd305ee4-fb07", "product_id": "db4469f3-5e56", "quantity": 2}],
        "shipping_address": {
            "first_name": "Jane",
            "last_name": "Marlowe",
            "email": "jane@example.com",
            "country": "United States",
            "country_code": "US",
            "province": "New Mexico",
            "province_code": "NM",
            "city": "San Jose",
            "address": "1 Rue des Carrieres",
            "address1": "Suite 1234",
            "zip": "87036",
        },
        "tax_total": "9.99",
        "currency_code": "USD",
        "discount": "10.00",
        "shipping_line": {"name": "Free Shipping", "shipping_price": "0.00"},
        **changes,
    }
    return {name: value for name, value in order.items() if value is not None}


def dump(order: dict[str, Any]) -> dict[str, Any]:
    return ShoplazzaOrder.model_validate(order).model_dump(mode="json", exclude_none=True)


ORDER = dump(body())


def reply(content: Any, status: int = 200, **headers: str) -> Reply:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def drive(steps: Any, *replies: Reply | Lost) -> tuple[list[Request], Any]:
    """Run a call's generator against prepared answers; return what it sent and its outcome."""
    sent, waiting = [next(steps)], list(replies)
    while True:
        try:
            sent.append(steps.send(waiting.pop(0)))
        except StopIteration as stop:
            assert not waiting, "the call ended before every reply was used"
            return sent, stop.value


def place(came: Reply | Lost, order: dict[str, Any] | None = None, version: str = "2026-01") -> Any:
    return drive(adapter(version).place(order or ORDER, KEY), came)[1]


def confirm(*replies: Reply | Lost, ids: tuple[str, ...] = (REFERENCE,), version: str = "2026-01") -> Any:
    return drive(adapter(version).confirm(ids), *replies)[1]


def look_up(*replies: Reply | Lost, version: str = "2026-01") -> tuple[list[Request], Any]:
    return drive(adapter(version).look_up(ORDER, KEY, FIRST_SENT_AT), *replies)


def listed(*orders: Any, version: str = "2026-01", **more: Any) -> Reply:
    """Return a page of a list as the version has it."""
    if version == "2022-01":
        return reply({"orders": list(orders), **more})
    return reply({"code": "Success", "data": {"orders": list(orders), "cursor": "", "has_more": False, **more}})


def shown(reference: str = REFERENCE, **changes: Any) -> dict[str, Any]:
    """Return an order of ours as a list or a get shows it."""
    return {
        "id": reference,
        "status": "opened",
        "financial_status": "waiting",
        "fulfillment_status": "initialled",
        "tags": f"vip, {TOKEN}",
        "note": "",
        "created_at": "2026-02-01T10:00:00Z",
        "currency": "USD",
        "total_price": "16.99",
        "total_paid": "0.00",
        **changes,
    }
