"""What the AliExpress tests share: an adapter on a fixed clock, a valid order, and the driving of its calls."""

from __future__ import annotations

import json
from typing import Any

from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.marketplaces.aliexpress.credentials import AliExpressCredentials
from worker.marketplaces.aliexpress.models import AliExpressOrder
from worker.marketplaces.calls import Lost, Reply, Request

KEY = "SO-1001"
REFERENCE = "8198352049851315"
ZIPS = {"AU": "2000", "NZ": "1010", "ZA": "8001", "AR": "1425", "BR": "01310-100"}
"""Where a code of five digits is none."""


def adapter() -> AliExpress:
    keys = AliExpressCredentials(app_key="12345678", app_secret="helloworld", access_token="test-access-token")
    return AliExpress("main", keys, clock=lambda: 1_700_000_000.0)


def body(country: str = "FR", extend: dict[str, Any] | None = None, **address: Any) -> dict[str, Any]:
    """Return a valid order of a country without own rules, with some address fields set; None takes one out."""
    place = {"address": "12 Rue de la Paix", "city": "Paris", "province": "Ile-de-France", "zip": "75002"}
    person = {"contact_person": "Jeanne Moreau", "full_name": "Jeanne Moreau", "mobile_no": "612345678"}
    place["zip"] = ZIPS.get(country, place["zip"])
    merged = {**place, **person, "phone_country": "+33", "country": country, **address}
    order: dict[str, Any] = {
        "logistics_address": {name: value for name, value in merged.items() if value is not None},
        "product_items": [{"product_id": 1005004638293060, "product_count": 1, "sku_attr": "14:365458#Brown"}],
    }
    return order | ({"ds_extend_request": extend} if extend else {})


def dump(order: dict[str, Any]) -> dict[str, Any]:
    return AliExpressOrder.model_validate(order).model_dump(mode="json", exclude_none=True)


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


def place(came: Reply | Lost, order: dict[str, Any] | None = None) -> Any:
    return drive(adapter().place(order or ORDER, KEY), came)[1]


def created(result: Any, **envelope: Any) -> Any:
    """Return the outcome of a create whose wrapped result is this."""
    return place(reply({"aliexpress_ds_order_create_response": {"result": result, "request_id": "r1", **envelope}}))


def confirm(*replies: Reply | Lost) -> Any:
    references = [str(int(REFERENCE) + number) for number in range(len(replies))]
    return drive(adapter().confirm(references), *replies)[1]


def shown(result: Any) -> Any:
    """Return the outcome of an order-get whose wrapped result is this."""
    return confirm(reply({"aliexpress_trade_ds_order_get_response": {"result": result, "request_id": "r1"}}))
