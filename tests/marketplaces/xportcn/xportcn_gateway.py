"""What the tests of the sandbox's Xportcn share: a client that signs as the manual says, and an order to send."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from typing import Any

import httpx

from worker.sandbox.server import Running

KA = "/api/alibaba/ka/order"
ACCOUNTS = {
    "main": {"access_key": "main-key", "access_secret": "main-secret", "user_id": "1"},
    "second": {"access_key": "main-key", "access_secret": "main-secret", "user_id": "2"},
}
ADDRESS = {
    "fullName": "张三丰",
    "mobile": "13800001234",
    "provinceText": "浙江省",
    "cityText": "杭州市",
    "address": "1号",
}


class Clock:
    """A clock the tests can set forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Gateway:
    """A client of its own: it signs as the manual says, and shares no code with the adapter."""

    def __init__(self, running: Running, clock: Clock) -> None:
        self.running = running
        self.clock = clock
        self.http = httpx.Client(base_url=running.url, timeout=5, trust_env=False)

    def headers(self, secret: str = "sandbox-secret", **more: str | None) -> dict[str, str]:
        """Return signed headers; None in `more` leaves one out."""
        sent: dict[str, str | None] = {
            "access-key": "sandbox-key",
            "nonce-str": uuid.uuid4().hex,
            "timestamp": str(int(self.clock())),
            "user-id": "sandbox-user",
            "content-type": "application/json",
            **{name.replace("_", "-"): value for name, value in more.items()},
        }
        text = f"{sent['access-key']}{sent['timestamp']}{sent['nonce-str']}{secret}"
        signed = {"signature": hashlib.md5(text.encode()).hexdigest().upper(), **sent}
        return {name: value for name, value in signed.items() if value is not None}

    def post(self, call: str, body: object, headers: dict[str, str] | None = None) -> dict[str, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.http.post(f"{KA}/{call}", content=content, headers=headers or self.headers())
        parsed: dict[str, Any] = answer.json()
        return parsed

    def preview(self, order: dict[str, Any]) -> dict[str, Any]:
        shared = ("flow", "addressParam", "cargoParamList", "outOrderId")
        return self.post("create/preview", {name: order[name] for name in shared if name in order})

    def place(self, order: dict[str, Any]) -> list[str]:
        assert self.preview(order)["code"] == 200
        answer = self.post("create", order)
        assert answer["code"] == 200, answer
        ids: list[str] = answer["data"]["orderIds"]
        return ids

    def record(self) -> list[dict[str, Any]]:
        orders: list[dict[str, Any]] = self.http.get("/_sandbox/orders").json()
        return orders


def line(**changes: Any) -> dict[str, Any]:
    return {"sellerOpenId": "S1", "offerId": 610947572360, "specId": "abc", "quantity": 3, **changes}


def order(key: str = "SO-1", *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "outOrderId": key,
        "flow": "general",
        "addressParam": dict(ADDRESS),
        "cargoParamList": list(lines) or [line()],
    } | changes
