"""The sandbox's Xportcn over real HTTP: what it checks and makes, and the adapter driven against it end to end."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from worker.marketplaces.client import Client
from worker.marketplaces.face import Call
from worker.marketplaces.xportcn.account import XportcnCredentials
from worker.marketplaces.xportcn.adapter import Xportcn
from worker.marketplaces.xportcn.models import XportcnOrder
from worker.marketplaces.xportcn.sandbox import BUILT_IN, XportcnFace
from worker.outcomes import Absent, Accepted, Found, NotSent, Refused, Throttled, Unknown
from worker.sandbox import Running, background

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


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    clock = Clock()
    with background([XportcnFace(ACCOUNTS)], clock=clock, hang_seconds=1.0) as running:
        gateway = Gateway(running, clock)
        yield gateway
        gateway.http.close()


def line(**changes: Any) -> dict[str, Any]:
    return {"sellerOpenId": "S1", "offerId": 610947572360, "specId": "abc", "quantity": 3, **changes}


def order(key: str = "SO-1", *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "outOrderId": key,
        "flow": "general",
        "addressParam": dict(ADDRESS),
        "cargoParamList": list(lines) or [line()],
    } | changes


# --- the door ---


@pytest.mark.parametrize("name", ["access_key", "nonce_str", "timestamp", "user_id", "signature"])
def test_every_header_is_required(gateway: Gateway, name: str) -> None:
    answer = gateway.post("detail", {}, gateway.headers(**{name: None}))
    assert (answer["code"], answer["data"]) == (401, None)


def test_envelope(gateway: Gateway) -> None:
    answer = gateway.preview(order())
    assert set(answer) == {"requestId", "code", "developId", "msg", "data"}
    assert (answer["code"], answer["msg"], answer["developId"]) == (200, "成功", "10001")


@pytest.mark.parametrize(
    ("headers", "code", "words"),
    [
        ({"signature": "0" * 32}, 401, "signature"),
        ({"secret": "wrong"}, 401, "signature"),
        ({"access_key": "unknown"}, 401, "access-key"),
        ({"user_id": "stranger"}, 403, "user-id"),
        ({"nonce_str": "x" * 31}, 401, "nonce-str"),
        ({"nonce_str": "x" * 33}, 401, "nonce-str"),
        ({"timestamp": "soon"}, 401, "timestamp"),
    ],
)
def test_the_door(gateway: Gateway, headers: dict[str, Any], code: int, words: str) -> None:
    answer = gateway.post("create/preview", order(), gateway.headers(**headers))
    assert answer["code"] == code
    assert words in answer["msg"]


@pytest.mark.parametrize(("off", "right"), [(0, True), (590, True), (-590, True), (610, False), (-610, False)])
@pytest.mark.parametrize("thousand", [1, 1000])
def test_timestamps(gateway: Gateway, off: int, right: bool, thousand: int) -> None:
    stamp = str(int(gateway.clock() + off) * thousand)
    answer = gateway.post("create/preview", order(), gateway.headers(timestamp=stamp))
    assert (answer["code"] == 200) is right


def test_a_nonce_counts_once(gateway: Gateway) -> None:
    headers = gateway.headers()
    assert gateway.post("create/preview", order(), headers)["code"] == 200
    assert "used before" in gateway.post("create/preview", order(), headers)["msg"]
    gateway.clock.ahead = 1300
    assert gateway.post("create/preview", order(), gateway.headers())["code"] == 200
    face = gateway.running.sandbox.faces["xportcn"]
    assert isinstance(face, XportcnFace)
    assert len(face._nonces) == 1, "old nonces are forgotten; their timestamps would be refused"


@pytest.mark.parametrize("call", ["pay", "cancel", "", "create/pay", "preview"])
def test_there_is_no_pay_and_no_cancel(gateway: Gateway, call: str) -> None:
    answer = gateway.http.post(f"{KA}/{call}", headers=gateway.headers(), content=b"{}")
    assert answer.status_code == 404
    assert gateway.http.get(f"{KA}/create").status_code == 405


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"null"])
def test_a_body_that_is_no_object(gateway: Gateway, raw: bytes) -> None:
    assert gateway.post("create", raw)["code"] == 400


# --- preview and create ---


def test_prices_can_be_foretold(gateway: Gateway) -> None:
    (row,) = gateway.preview(order("SO-1", line(), line(offerId=5, quantity=1)))["data"]
    goods = sum((199 + number * 7919 % 4801) * count for number, count in ((610947572360, 3), (5, 1)))
    assert (row["sumPaymentNoCarriage"], row["sumPayment"]) == (goods, goods + 600)
    assert row["sumTotalPayment"] == goods + 761
    assert row["sumCarriage"] == 600
    assert [item["quantity"] for item in row["orderItemTOList"]] == [3, 1]


def test_a_create_needs_its_own_preview(gateway: Gateway) -> None:
    assert gateway.post("create", order())["code"] == "PREVIEW_REQUIRED"
    gateway.preview(order())
    for change in ({"flow": "fenxiao"}, {"outOrderId": "SO-2"}, {"cargoParamList": [line(quantity=4)]}):
        assert gateway.post("create", {**order(), **change})["code"] == "PREVIEW_REQUIRED"
    assert gateway.post("create", order())["code"] == 200
    assert gateway.post("create", order())["code"] == "PREVIEW_REQUIRED", "one preview, one create"
    assert len(gateway.record()) == 1


def test_nothing_is_idempotent(gateway: Gateway) -> None:
    assert gateway.place(order()) != gateway.place(order())
    assert [record["key"] for record in gateway.record()] == ["SO-1", "SO-1"]
    assert [len(record["creates"]) for record in gateway.record()] == [1, 1]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cargoParamList": [line(productNo="sandbox:500_004")]}, "500_004"),
        ({"cargoParamList": [line(), line(sellerOpenId="S2")]}, "500_002"),
        ({"flow": "boutiquepifa", "cargoParamList": [line(quantity=2)]}, "500_005"),
        ({"cargoParamList": []}, 400),
        ({"cargoParamList": [line()] * 51}, 400),
        ({"cargoParamList": [line(offerId="610947572360")]}, 400),
        ({"cargoParamList": [line(quantity=0)]}, 400),
        ({"addressParam": {"fullName": "x"}}, 400),
        ({"addressParam": {**ADDRESS, "phone": "0571-8"}}, 400),
    ],
)
def test_refusals_of_preview_and_create(gateway: Gateway, change: dict[str, Any], code: int | str) -> None:
    assert gateway.preview({**order(), **change})["code"] == code
    assert gateway.post("create", {**order(), **change})["code"] == code
    assert gateway.record() == []


def test_triggers_of_the_message(gateway: Gateway) -> None:
    for key, message in (
        ("A", "SPLIT"),
        ("B", "NO_IDS"),
        ("C", "500_004"),
        ("D", "IDS_WITH_ERROR"),
        ("E", "STATUS=cancel"),
    ):
        body = order(key, message=f"sandbox:{message}")
        gateway.preview(body)
        answer = gateway.post("create", body)
        made = [record for record in gateway.record() if record["key"] == key]
        assert len(made) == (0 if key == "C" else 1)
        expected = {"A": 2, "B": 0, "D": 1, "E": 1}.get(key)
        assert expected is None or len(answer["data"]["orderIds"]) == expected
        assert answer["code"] == {"C": "500_004", "D": 500}.get(key, 200)


def test_trade_types(gateway: Gateway) -> None:
    assert gateway.place(order(tradeType="period"))
    gateway.preview(order("SO-2"))
    assert "not support tradeType:【creditBuy】" in gateway.post("create", order("SO-2", tradeType="creditBuy"))["msg"]


# --- list and detail ---


def test_reads_show_an_order_only_after_a_while(gateway: Gateway) -> None:
    (reference,) = gateway.place(order())
    filtered = {"outOrderId": "SO-1", "page": 1}
    assert gateway.post("page", filtered)["data"]["records"] == []
    assert gateway.post("detail", {"orderId": reference})["msg"] == "订单不存在"
    gateway.clock.ahead = 4
    (row,) = gateway.post("page", filtered)["data"]["records"]
    detail = gateway.post("detail", {"orderId": reference})["data"]
    assert detail == row
    assert (row["orderId"], row["outOrderId"], row["orderStatus"]) == (reference, "SO-1", "waitbuyerpay")
    assert row["baseInfo"]["idOfStr"] == reference
    assert row["baseInfo"]["id"] != int(reference)
    assert len(gateway.record()[0]["gets"]) == 4
    assert "张三丰" not in json.dumps(detail, ensure_ascii=False)


def test_pages(gateway: Gateway) -> None:
    keys = [f"SO-{number}" for number in range(5)]
    for key in keys:
        gateway.place(order(key))
    gateway.clock.ahead = 4
    pages = [gateway.post("page", {"page": number, "pageSize": 2})["data"]["records"] for number in range(1, 5)]
    shown = [[row["outOrderId"] for row in rows] for rows in pages]
    assert shown == [["SO-4", "SO-3"], ["SO-2", "SO-1"], ["SO-0", "history-1"], []]
    assert gateway.post("page", {"outOrderId": "history-1"})["data"]["total"] == 1
    assert gateway.post("page", {"outOrderId": "SO-"})["data"]["records"] == []


def test_accounts_see_their_own(gateway: Gateway) -> None:
    (reference,) = gateway.place(order())
    gateway.clock.ahead = 4
    other = {"secret": "main-secret", "access_key": "main-key", "user_id": "2"}
    assert gateway.post("detail", {"orderId": reference}, gateway.headers(**other))["data"] is None
    rows = gateway.post("page", {}, gateway.headers(**other))["data"]["records"]
    assert [row["outOrderId"] for row in rows] == ["history-1"]
    assert gateway.record()[0]["account"] == "sandbox"


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'{"outOrderId": 5}', b"[" * 9999, b"\xff"])
def test_key_of_never_raises(raw: bytes) -> None:
    face = XportcnFace()
    key = face.key_of(Call("POST", f"{KA}/create", {}, {}, raw, 0.0))
    assert key == ("5" if b"5" in raw else "")
    for path in ("create/preview", "page", "detail", "pay"):
        assert face.key_of(Call("POST", f"{KA}/{path}", {}, {}, raw, 0.0)) is None


def test_reset_forgets(gateway: Gateway) -> None:
    gateway.place(order())
    gateway.http.post("/_sandbox/reset")
    gateway.clock.ahead = 4
    assert gateway.record() == []
    assert gateway.post("page", {"outOrderId": "SO-1"})["data"]["records"] == []


# --- the adapter, end to end ---

ANSWER_SECONDS = 0.4


class Shop:
    """The adapter, driven by the product's own client."""

    def __init__(self, gateway: Gateway, **settings: str) -> None:
        keys = XportcnCredentials.model_validate({**BUILT_IN, **settings})
        self.adapter = Xportcn("sandbox", keys, f"{gateway.running.url}/api", gateway.clock)
        self.gateway = gateway

    def run(self, steps: Any) -> Any:
        async def drive() -> Any:
            client = Client(4, 1.0, ANSWER_SECONDS)
            try:
                return await client.drive(steps, time.time() + 30)
            finally:
                await client.aclose()

        return asyncio.run(drive())

    def body(self, **changes: Any) -> dict[str, Any]:
        given = {"flow": "general", "addressParam": ADDRESS, "cargoParamList": [line()], **changes}
        dumped: dict[str, Any] = json.loads(XportcnOrder.model_validate(given).model_dump_json(exclude_none=True))
        return dumped

    def place(self, key: str = "SO-1", **changes: Any) -> Any:
        return self.run(self.adapter.place(self.body(**changes), key))

    def look_up(self, key: str = "SO-1") -> Any:
        return self.run(self.adapter.look_up(self.body(), key, self.gateway.clock()))

    def confirm(self, *references: str) -> Any:
        return self.run(self.adapter.confirm(references))

    def made(self, key: str = "SO-1") -> list[dict[str, Any]]:
        return [record for record in self.gateway.record() if record["key"] == key]


@pytest.fixture
def shop(gateway: Gateway) -> Shop:
    return Shop(gateway)


@pytest.mark.parametrize("unit", ["s", "ms"])
def test_place_and_confirm(gateway: Gateway, unit: str) -> None:
    shop = Shop(gateway, timestamp_unit=unit)
    placed = shop.place()
    assert isinstance(placed, Accepted)
    assert [record["references"] for record in shop.made()] == [list(placed.references)]
    assert isinstance(shop.confirm(*placed.references), Absent)
    gateway.clock.ahead = 4
    found = shop.confirm(*placed.references)
    assert isinstance(found, Found)
    (record,) = found.records
    total = (199 + 610947572360 * 7919 % 4801) * 3 + 761
    assert (record.reference, record.status) == (placed.references[0], "waitbuyerpay")
    assert record.amount is not None
    assert record.amount.amount * 100 == total
    assert record.paid_amount is not None
    assert record.paid_amount.amount == 0


def test_several_orders_of_one_create(shop: Shop) -> None:
    lines = [line(), line(specId="other")]
    placed = shop.place(message="sandbox:SPLIT", cargoParamList=lines)
    assert len(placed.references) == 2
    shop.gateway.clock.ahead = 4
    assert [record.reference for record in shop.confirm(*placed.references).records] == list(placed.references)
    assert {record.reference for record in shop.look_up().records} == set(placed.references)


def test_the_ceiling_stops_before_the_create(shop: Shop) -> None:
    total = (199 + 610947572360 * 7919 % 4801) * 3 + 761
    refused = shop.place(max_amount=total - 1)
    assert isinstance(refused, Refused)
    assert refused.code == "MAX_AMOUNT_EXCEEDED"
    assert shop.made() == []
    assert isinstance(shop.place(max_amount=total), Accepted)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cargoParamList": [line(productNo="sandbox:500_004")]}, "500_004"),
        ({"cargoParamList": [line(productNo="sandbox:500_007")]}, "500_007"),
        ({"message": "sandbox:500_004"}, "500_004"),
        ({"message": "sandbox:SOMETHING_NEW"}, "SOMETHING_NEW"),
        ({"tradeType": "creditBuy"}, "500"),
    ],
)
def test_refusals_reach_the_operator(shop: Shop, changes: dict[str, Any], code: str) -> None:
    refused = shop.place(**changes)
    assert isinstance(refused, Refused)
    assert refused.code == code
    assert refused.fix
    assert shop.made() == []


def test_success_without_an_id_is_looked_up(shop: Shop) -> None:
    assert isinstance(shop.place(message="sandbox:NO_IDS"), Unknown)
    shop.gateway.clock.ahead = 4
    assert [record.reference for record in shop.look_up().records] == shop.made()[0]["references"]


def test_ids_under_an_error_code_are_orders(shop: Shop) -> None:
    placed = shop.place(message="sandbox:IDS_WITH_ERROR")
    assert isinstance(placed, Accepted)
    assert (list(placed.references), placed.code) == (shop.made()[0]["references"], "500")


def test_a_cancelled_order_raises_an_alert(shop: Shop) -> None:
    placed = shop.place(message="sandbox:STATUS=cancel")
    shop.gateway.clock.ahead = 4
    (record,) = shop.confirm(*placed.references).records
    assert record.status == "cancel"
    assert record.alert


@pytest.mark.parametrize(
    ("fault", "outcome", "made"),
    [
        ("timeout_before", Unknown, 0),
        ("timeout_after_commit", Unknown, 1),
        ("reset_after_commit", Unknown, 1),
        ("http_500", Unknown, 0),
        ("http_503", Unknown, 0),
        ("garbage", Unknown, 1),
        ("empty", Unknown, 1),
        ("throttle", Throttled, 0),
        ("token_expired", Throttled, 0),
        ("slow", Unknown, 1),
    ],
)
def test_every_fault_of_a_create_is_told_truly_and_recovered(shop: Shop, fault: str, outcome: type, made: int) -> None:
    key = f"SO-7~{fault}"
    first = shop.place(key)
    assert isinstance(first, outcome), first
    assert len(shop.made(key)) == made
    if isinstance(first, Throttled):
        assert first.pauses_account
        assert bool(first.fix) is (fault == "token_expired")
    early = shop.look_up(key)
    assert isinstance(early, Absent), "the list lags: hence several looks over a minute"
    shop.gateway.clock.ahead = 61
    seen = shop.look_up(key)
    if made:
        assert [record.reference for record in seen.records] == shop.made(key)[0]["references"]
        return
    assert isinstance(seen, Absent)
    assert isinstance(shop.place(key), Accepted)
    assert len(shop.made(key)) == 1


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("timeout_before", NotSent),
        ("timeout_after_commit", NotSent),
        ("reset_after_commit", NotSent),
        ("http_500", NotSent),
        ("http_503", NotSent),
        ("garbage", NotSent),
        ("empty", NotSent),
        ("throttle", Throttled),
        ("token_expired", Throttled),
    ],
)
def test_every_fault_of_a_preview_creates_nothing(shop: Shop, fault: str, outcome: type) -> None:
    shop.gateway.http.post("/_sandbox/faults", json={"fault": fault, "operation": "get"})
    assert isinstance(shop.place(), outcome)
    assert shop.made() == []
    looked = shop.look_up()
    assert isinstance(looked, Throttled | Unknown)
    assert isinstance(shop.confirm("1"), Throttled | Unknown)


def test_look_up_is_told_truly(gateway: Gateway) -> None:
    assert Shop(gateway).adapter.can_look_up is True
    assert Shop(gateway, list_path="off").adapter.can_look_up is False
    shop = Shop(gateway)
    assert isinstance(shop.look_up(), Absent)
    shop.place()
    shop.place()
    gateway.clock.ahead = 4
    assert len(shop.look_up().records) == 2, "a key that made two orders shows both"
    wrong = Shop(gateway, list_path="/alibaba/ka/order/list").look_up()
    assert isinstance(wrong, Unknown)
    assert "list_path" in wrong.cause
    assert isinstance(Shop(gateway, list_body='{"out": "{outOrderId}", "page": "{page}"}').look_up("SO-9"), Absent), (
        "the filter is ignored, so the whole list was read"
    )


@pytest.mark.parametrize("setting", [{"access_secret": "wrong"}, {"user_id": "x"}, {"sign_order": "secret"}])
def test_a_wrong_account_pauses_and_says_what_to_mend(gateway: Gateway, setting: dict[str, str]) -> None:
    outcome = Shop(gateway, **setting).place()
    assert isinstance(outcome, Throttled)
    assert (outcome.pauses_account, outcome.retry_after_seconds) == (True, 60)
    assert outcome.fix
    assert gateway.record() == []


def test_a_clock_that_is_wrong(gateway: Gateway) -> None:
    shop = Shop(gateway)
    shop.adapter.clock = lambda: gateway.clock() - 700
    outcome = shop.place()
    assert isinstance(outcome, Throttled)
    assert "clock" in (outcome.fix or "")
