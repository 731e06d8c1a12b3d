"""The sandbox's clock and the controls of lives, over real HTTP, and the pushes of moves, lost and doubled too."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.running import until
from tests.unit.test_sandbox_pushes import Receiver, until_came
from worker.sandbox.aliexpress import AliExpressFake
from worker.sandbox.controls import CONTROLS
from worker.sandbox.fake import SandboxOrder
from worker.sandbox.lives import Move
from worker.sandbox.server import Running, background
from worker.sandbox.shoplazza import ShoplazzaFake
from worker.sandbox.stories import STORIES
from worker.sandbox.xportcn import XportcnFake

DAY = 86_400
REFERENCE = "8190000000000001"


@pytest.fixture
def running() -> Iterator[Running]:
    xportcn = XportcnFake({"sandbox": {**XportcnFake.built_in, "push_secret": "its-own"}})
    with background([AliExpressFake(), xportcn, ShoplazzaFake()]) as server:
        yield server


@pytest.fixture
def client(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, timeout=5, trust_env=False) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


REQUESTS: dict[str, dict[str, Any]] = {
    "aliexpress": {
        "parts": {REFERENCE: ("1103800006", [{"product_id": 1, "count": 2, "service": ""}])},
        "paid": False,
        "currency": "USD",
    },
    "xportcn": {"parts": {REFERENCE: [{"offerId": 1, "quantity": 2, "amount": 500}]}, "status": "waitbuyerpay"},
    "shoplazza": {
        "note": "", "tags": ["jq-1"], "state": "opened", "country_code": "US", "shipping_name": "Post",
        "lines": [{"variant_id": "v", "quantity": 2, "price": "1.00", "total": "2.00"}],
        "amounts": {"total_price": "2.00"}, "currency": "USD",
    },
}  # fmt: skip


def make(running: Running, marketplace: str = "aliexpress", key: str = "SO-1") -> None:
    request = REQUESTS[marketplace]
    order = SandboxOrder(marketplace, "sandbox", key, [REFERENCE], running.sandbox.clock(), [], request=request)
    running.loop.call_soon_threadsafe(running.sandbox.fakes[marketplace].commit, order)
    until("the commit", lambda: order in running.sandbox.fakes[marketplace].orders, 5, every=0.01)


def forward(client: httpx.Client, seconds: float) -> dict[str, float]:
    answer = client.post("/_sandbox/clock", json={"forward_seconds": seconds})
    assert answer.status_code == 200, answer.text
    told: dict[str, float] = answer.json()
    return told


def lives(client: httpx.Client, name: str = "SO-1") -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = client.get(f"/_sandbox/orders/{name}/life").json()["lives"]
    return told


def test_the_clock_goes_forward_and_never_back(client: httpx.Client) -> None:
    assert client.get("/_sandbox/clock").json()["forward_seconds"] == 0
    forward(client, DAY)
    told = forward(client, 5)
    assert told["forward_seconds"] == DAY + 5
    assert abs(told["now"] - time.time() - DAY - 5) < 5
    for wrong in (-1, "x", 1e12):
        answer = client.post("/_sandbox/clock", json={"forward_seconds": wrong})
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("forward_seconds: ")
    client.post("/_sandbox/reset")
    assert client.get("/_sandbox/clock").json()["forward_seconds"] == 0


def test_a_life_is_moved_by_its_control_and_by_the_clock(running: Running, client: httpx.Client) -> None:
    make(running)
    assert lives(client)[0]["phase"] == "unpaid"
    answer = client.post(f"/_sandbox/orders/{REFERENCE}/life", json={"event": "ship"})
    assert (answer.status_code, answer.json()["error"]) == (409, "'ship' is not possible: the order is unpaid")
    told = client.post("/_sandbox/orders/SO-1/life", json={"event": "pay"}).json()["lives"][0]
    assert (told["phase"], [move["event"] for move in told["moves"]]) == ("paid", ["pay"])
    forward(client, DAY + 1)
    assert lives(client)[0]["phase"] == "paid"
    assert client.post("/_sandbox/orders/SO-2/life", json={"event": "pay"}).status_code == 404
    assert client.post("/_sandbox/orders/SO-1/life", json={"event": "vanish"}).status_code == 400
    assert client.get("/_sandbox/orders/SO-2/life").status_code == 404


def test_an_unpaid_order_without_a_story_lapses_by_the_clock(running: Running, client: httpx.Client) -> None:
    make(running)
    forward(client, DAY - 10)
    assert lives(client)[0]["phase"] == "unpaid"
    forward(client, 20)
    assert lives(client)[0]["phase"] == "cancelled"
    assert client.get("/_sandbox/orders").json()[0]["key"] == "SO-1"


def test_the_controls_tell_of_every_story(client: httpx.Client) -> None:
    assert client.get("/_sandbox/lives").json().keys() == STORIES.keys()


STATUSES = ["OrderCreated", "PaymentAuthorized", "OrderShipped", "OrderConfirmed"]


def pushes(client: httpx.Client, **plan: Any) -> None:
    assert client.post("/_sandbox/pushes", json={"delay_seconds": 0, **plan}).status_code == 200


def statuses(receiver: Receiver) -> list[str]:
    return [json.loads(body)["data"]["orderStatus"] for _, _, body, _ in receiver.came]


def test_each_move_sends_its_push(running: Running, client: httpx.Client, receiver: Receiver) -> None:
    pushes(client, url=receiver.url)
    make(running, key="SO-1~delivered")
    until("two pushes", lambda: len(receiver.came) == 2, 8, every=0.02)
    for day, count in ((DAY, 3), (9 * DAY, 4)):
        forward(client, day + 1)
        until_came(receiver, count)
    assert sorted(statuses(receiver)) == sorted(STATUSES)
    assert statuses(receiver)[2:] == STATUSES[2:]
    # A receiver judges their age by a clock that was not moved.
    assert all(abs(json.loads(body)["timestamp"] - time.time()) < 30 for _, _, body, _ in receiver.came)


def test_pushes_come_by_themselves_when_their_time_comes(
    running: Running, client: httpx.Client, receiver: Receiver
) -> None:
    pushes(client, url=receiver.url)
    make(running, key="SO-1~unpaid:1")
    until("the closing", lambda: "OrderClosed" in statuses(receiver), 8, every=0.02)


def test_pushes_can_be_doubled_lost_and_out_of_order(
    running: Running, client: httpx.Client, receiver: Receiver
) -> None:
    pushes(client, url=receiver.url, repeat=2)
    make(running, key="SO-1~paid")
    until("four pushes", lambda: len(receiver.came) == 4, 8, every=0.02)
    pushes(client, url=receiver.url, probability=0)
    client.post("/_sandbox/orders/SO-1~paid/life", json={"event": "ship"})
    assert client.get("/_sandbox/pushes").json()["waiting"] == 0
    pushes(client, url=receiver.url, spread_seconds=0.5)
    client.post("/_sandbox/reset")
    receiver.came.clear()
    for number in range(12):
        make(running, key=f"SO-{number}~seller_cancels")
    forward(client, DAY + 1)
    until("all pushes", lambda: len(receiver.came) == 36, 8, every=0.02)
    assert statuses(receiver) != sorted(
        statuses(receiver), key=["OrderCreated", "PaymentAuthorized", "OrderClosed"].index
    )


def test_a_shops_webhook_is_signed_and_tells_one_message_from_another(
    running: Running, client: httpx.Client, receiver: Receiver
) -> None:
    pushes(client, urls={"shoplazza": f"{receiver.url}/shop/{{account}}"}, repeat=2)
    make(running, "shoplazza", "SO-1~delivered")
    forward(client, 11 * DAY)
    until("all pushes", lambda: len(receiver.came) == 12, 8, every=0.02)
    ids = set()
    for path, headers, body, _ in receiver.came:
        assert path == "/push/shop/sandbox"
        digest = hmac.digest(b"sandbox-client-secret", body, hashlib.sha256)
        assert headers["x-shoplazza-hmac-sha256"] == base64.b64encode(digest).decode()
        assert headers["x-shoplazza-shop-domain"] == "sandbox.myshoplaza.com"
        assert json.loads(body)["order"]["id"] == REFERENCE
        ids.add((headers["x-shoplazza-topic"], headers["x-shoplazza-deduplication-id"]))
    assert len(ids) == 6
    topics = {topic for topic, _ in ids}
    assert {"orders/create", "orders/paid", "orders/fulfilled"} < topics
    assert topics - {"orders/create", "orders/paid", "orders/fulfilled"} <= {"orders/update", "orders/updated"}


def test_a_callback_of_xportcn_is_a_text_in_a_text(running: Running, client: httpx.Client, receiver: Receiver) -> None:
    pushes(client, urls={"xportcn": f"{receiver.url}/{{account}}/{{secret}}"})
    make(running, "xportcn")
    forward(client, DAY)
    until("both pushes", lambda: len(receiver.came) == 2, 8, every=0.02)
    told = [json.loads(body) for _, _, body, _ in receiver.came]
    assert [one["messageType"] for one in told] == ["ORDER_CREATE", "ORDER_CANCEL"]
    assert set(told[0]) == {"messageType", "messageBody", "messagePlatform", "timestamp"}
    assert all(abs(int(one["timestamp"]) / 1000 - time.time()) < 30 for one in told)
    inner = json.loads(told[1]["messageBody"])
    assert (inner["orderId"], inner["orderStatus"], inner["payStatus"]) == (REFERENCE, "CANCEL", 1)
    assert "outOrderId" not in inner
    assert receiver.came[0][0] == "/push/sandbox/its-own"


def test_only_aliexpress_sends_to_an_address_that_names_no_marketplace(
    running: Running, client: httpx.Client, receiver: Receiver
) -> None:
    pushes(client, url=receiver.url)
    make(running, "xportcn")
    make(running, "shoplazza", "SO-2")
    make(running, "aliexpress", "SO-3")
    until("one push", lambda: statuses(receiver) == ["OrderCreated"], 8, every=0.02)
    assert client.get("/_sandbox/pushes").json()["waiting"] == 0
    assert len(receiver.came) == 1


def test_every_move_is_an_event_of_the_control(running: Running, client: httpx.Client) -> None:
    make(running)
    for move in Move:
        answer = client.post("/_sandbox/orders/SO-1/life", json={"event": move.value})
        assert answer.status_code in (200, 409), move


def test_every_control_that_is_told_of_is_there(running: Running, client: httpx.Client) -> None:
    make(running)
    for told in CONTROLS:
        method, path = told.replace("{id}", REFERENCE).split(" ")
        answer = client.request(method, path, content=b"" if method == "GET" else b"{}")
        assert answer.status_code == (400 if method == "POST" and path != "/_sandbox/tokens" else 200), told
    assert client.request("DELETE", "/_sandbox/clock").status_code == 404
