"""The sandbox's Xportcn over real HTTP, by hand: what it checks, makes and shows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.marketplaces.xportcn.xportcn_gateway import ADDRESS, KA, Gateway, line, order
from worker.sandbox.fake import Call
from worker.sandbox.xportcn import XportcnFake

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
    fake = gateway.running.sandbox.fakes["xportcn"]
    assert isinstance(fake, XportcnFake)
    assert len(fake._nonces) == 1, "old nonces are forgotten; their timestamps would be refused"


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
    fake = XportcnFake()
    key = fake.key_of(Call("POST", f"{KA}/create", {}, {}, raw, 0.0))
    assert key == ("5" if b"5" in raw else "")
    for path in ("create/preview", "page", "detail", "pay"):
        assert fake.key_of(Call("POST", f"{KA}/{path}", {}, {}, raw, 0.0)) is None


def test_reset_forgets(gateway: Gateway) -> None:
    gateway.place(order())
    gateway.http.post("/_sandbox/reset")
    gateway.clock.ahead = 4
    assert gateway.record() == []
    assert gateway.post("page", {"outOrderId": "SO-1"})["data"]["records"] == []
