"""What the tests of the sandbox's AliExpress share: a client that signs as the vendor's SDKs do, and an order."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import httpx

from worker.sandbox.aliexpress import AliExpressFake
from worker.sandbox.server import Running

CREATE = "aliexpress.ds.order.create"
GET = "aliexpress.trade.ds.order.get"
ADDRESS_CODE = "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL"
DAY = 24 * 3600


class Clock:
    """A clock the tests can set forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Gateway:
    """A client that signs as the vendor's SDKs do."""

    def __init__(self, running: Running, clock: Clock) -> None:
        self.running = running
        self.clock = clock
        self.http = httpx.Client(base_url=running.url, timeout=5, trust_env=False)

    @property
    def fake(self) -> AliExpressFake:
        fake = self.running.sandbox.fakes["aliexpress"]
        assert isinstance(fake, AliExpressFake)
        return fake

    def parameters(self, method: str, **more: str | None) -> dict[str, str]:
        """Return signed parameters; None in `more` leaves one out."""
        values: dict[str, str | None] = {
            "app_key": "sandbox-key",
            "method": method,
            "session": "sandbox-token",
            "sign_method": "sha256",
            "timestamp": str(int(self.clock() * 1000)),
            **more,
        }
        sent = {name: value for name, value in values.items() if value is not None}
        text = "".join(name + sent[name] for name in sorted(sent))
        return {"sign": hmac.new(b"sandbox-secret", text.encode(), hashlib.sha256).hexdigest().upper(), **sent}

    def post(self, parameters: dict[str, str]) -> dict[str, Any]:
        answer = self.http.post("/sync", data=parameters)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json;charset=UTF-8"
        body: dict[str, Any] = answer.json()
        return body

    def create(self, order: dict[str, Any], extend: dict[str, Any] | None = None, **more: str) -> dict[str, Any]:
        text = json.dumps(extend) if extend is not None else None
        order_text = json.dumps(order, ensure_ascii=False)
        body = self.post(
            self.parameters(
                CREATE, param_place_order_request4_open_api_d_t_o=order_text, ds_extend_request=text, **more
            )
        )
        result: dict[str, Any] = body["aliexpress_ds_order_create_response"]["result"]
        return result

    def create_error(self, order: object, **more: str) -> dict[str, Any]:
        body = self.post(self.parameters(CREATE, param_place_order_request4_open_api_d_t_o=json.dumps(order), **more))
        error: dict[str, Any] = body["error_response"]
        return error

    def read(self, reference: object, **more: str) -> dict[str, Any]:
        return self.post(self.parameters(GET, single_order_query=json.dumps({"order_id": reference}), **more))

    def record(self) -> list[dict[str, Any]]:
        orders: list[dict[str, Any]] = self.http.get("/_sandbox/orders").json()
        return orders


def address(**changes: Any) -> dict[str, Any]:
    values = {
        "address": "WWEPerformance Center,",
        "city": "Orlando",
        "contact_person": "Malik Jack",
        "country": "US",
        "mobile_no": "11231231231",
        "phone_country": "+1",
        "province": "Florida",
        "zip": "32807",
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def item(**changes: Any) -> dict[str, Any]:
    return {
        "product_id": 1005002704149141,
        "product_count": 1,
        "sku_attr": "14:175;5:200003528#Length -26cm",
        "logistics_service_name": "CAINIAO_FULFILLMENT_STD",
        **changes,
    }


def order(key: str | None = "SO-1", *items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"logistics_address": address(**changes), "product_items": list(items) or [item()]}
    return body if key is None else {"out_order_id": key, **body}


def references(result: dict[str, Any]) -> list[int]:
    assert result["is_success"] is True
    numbers: list[int] = result["order_list"]["number"]
    return numbers
