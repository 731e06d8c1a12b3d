"""What the tests of the sandbox's Shoplazza share: a shop, called by hand or by the adapter, and an order to send."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from typing import Any

import httpx

from worker.marketplaces.shoplazza.adapter import Shoplazza
from worker.marketplaces.shoplazza.credentials import ShoplazzaCredentials
from worker.marketplaces.shoplazza.models import ShoplazzaOrder
from worker.sandbox.server import Running
from worker.sandbox.shoplazza import ShoplazzaFake
from worker.sending.client import Client

VERSIONS = ("2022-01", "2025-06", "2026-01", "2026-07")
ANSWER_SECONDS = 1.2


class Clock:
    """A clock the tests can set forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Shop:
    """A shop in a sandbox: raw calls by hand, and the adapter's calls through the product's client."""

    def __init__(self, running: Running, clock: Clock) -> None:
        self.running = running
        self.clock = clock
        self.http = httpx.Client(base_url=running.url, timeout=5, trust_env=False)

    @property
    def fake(self) -> ShoplazzaFake:
        fake = self.running.sandbox.fakes["shoplazza"]
        assert isinstance(fake, ShoplazzaFake)
        return fake

    def adapter(self, version: str = "2026-01", token: str = "sandbox-token") -> Shoplazza:
        keys = {"access_token": token, "shop": "sandbox", "api_version": version}
        return Shoplazza("sandbox", ShoplazzaCredentials.model_validate(keys), self.running.url, self.clock)

    def drive(self, steps: Any) -> Any:
        async def run() -> Any:
            client = Client(connections=5, connect_seconds=1, answer_seconds=ANSWER_SECONDS)
            try:
                return await client.drive(steps, deadline=time.time() + 30)
            finally:
                await client.aclose()

        return asyncio.run(run())

    def place(self, key: str = "SO-1", version: str = "2026-01", token: str = "sandbox-token", **changes: Any) -> Any:
        return self.drive(self.adapter(version, token).place(order(**changes), key))

    def confirm(self, *references: str, version: str = "2026-01") -> Any:
        return self.drive(self.adapter(version).confirm(references))

    def look_up(self, key: str = "SO-1", version: str = "2026-01") -> Any:
        return self.drive(self.adapter(version).look_up(order(), key, self.clock() - 5))

    def sync(self) -> None:
        """Let the index catch up."""
        self.clock.ahead += self.fake.sync_seconds + 1

    def fault(self, name: str, **more: Any) -> None:
        assert self.http.post("/_sandbox/faults", json={"fault": name, **more}).status_code == 200

    def record(self) -> list[dict[str, Any]]:
        orders: list[dict[str, Any]] = self.http.get("/_sandbox/orders").json()
        return orders

    def post(self, body: Any, version: str = "2026-01", **headers: str) -> httpx.Response:
        sent = {"access-token": "sandbox-token", "content-type": "application/json", **headers}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(f"/openapi/{version}/orders", content=content, headers=sent)

    def get(self, path: str, version: str = "2026-01", **query: str) -> httpx.Response:
        return self.http.get(f"/openapi/{version}{path}", params=query, headers={"access-token": "sandbox-token"})


def job(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "line_items": [{"variant_id": "v-1", "product_id": "p-1", "quantity": 2}],
        "shipping_address": {
            "last_name": "Quillfeather",
            "email": "zq@example.org",
            "country": "United States",
            "country_code": "US",
            "province": "New Mexico",
            "province_code": "NM",
            "city": "Obscureville",
            "address": "1 Rue des Carrieres",
            "address1": "Suite 1234",
            "zip": "87036",
        },
        "tax_total": "9.99",
        "currency_code": "USD",
        "discount": "10%",
        "shipping_line": {"name": "Free Shipping", "shipping_price": "5.00"},
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def order(**changes: Any) -> dict[str, Any]:
    return ShoplazzaOrder.model_validate(job(**changes)).model_dump(mode="json", exclude_none=True)


def raw(version: str = "2026-01", **changes: Any) -> dict[str, Any]:
    """Return a create body as the version has it on the wire, written by hand."""
    body = job(**changes)
    if version == "2022-01":
        return body
    if "shipping_line" in body:
        body["shipping_line"] = {"shipping_name": "Free Shipping", "shipping_price": "5.00"}
    return {"order": body}


def token(key: str) -> str:
    return "jq-" + hashlib.sha256(key.encode()).hexdigest()[:24]
