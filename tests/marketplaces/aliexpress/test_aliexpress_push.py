"""Push messages of AliExpress: the signature, every form of the body, and which order a record can be."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.marketplaces.aliexpress.aliexpress_kit import ORDER, REFERENCE, adapter, body, dump, shown
from worker.marketplaces.base import Push
from worker.rules.outcomes import Found, OrderRecord
from worker.sandbox.aliexpress import AliExpressFake
from worker.sandbox.fake import SandboxOrder

# As the vendor's page shows it (docs/vendors/aliexpress.md, 7).
BODY = {
    "data": {"buyerId": 2671514005, "orderId": int(REFERENCE), "orderStatus": "OrderCreated"},
    "message_type": 53,
    "seller_id": "2671514005",
    "site": "ae_global",
    "timestamp": 1700000000,
}


def signed(raw: bytes, key: str = "12345678", secret: str = "helloworld") -> dict[str, str]:
    return {"authorization": hmac.new(secret.encode(), key.encode() + raw, hashlib.sha256).hexdigest()}


def read(document: Any) -> Push | None:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return adapter().read_push({}, raw)


def changed(**data: Any) -> dict[str, Any]:
    return BODY | {"data": BODY["data"] | data}  # type: ignore[operator]


def test_a_signature_of_this_app_over_this_body_is_genuine() -> None:
    raw = json.dumps(BODY).encode()
    # Reckoned with openssl: printf %s '12345678{"a":1}' | openssl dgst -sha256 -hmac helloworld
    assert adapter().is_genuine(
        {"authorization": "a41935f687a747643a518084c76a353a4ace6e25e9e4bd3ee0aacacfc37fbbc1"}, b'{"a":1}'
    )
    assert adapter().is_genuine(signed(raw), raw)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "é\udcff"},
        signed(json.dumps(BODY).encode(), secret="another"),
        signed(json.dumps(BODY).encode(), key="another"),
        signed(b"{}"),
        {"authorization": signed(json.dumps(BODY).encode())["authorization"].upper()},
        {"authorization": "Bearer " + signed(json.dumps(BODY).encode())["authorization"]},
        {"sign": signed(json.dumps(BODY).encode())["authorization"]},
    ],
)
def test_anything_else_is_forged(headers: dict[str, str]) -> None:
    assert not adapter().is_genuine(headers, json.dumps(BODY).encode())


def test_a_message_is_read_by_its_shape() -> None:
    expected = Push(REFERENCE, "OrderCreated", 1700000000.0, created=True)
    assert read(BODY) == expected
    assert read(BODY | {"message_type": 99, "something": {"new": 1}}) == expected
    assert read({"data": BODY["data"], "timestamp": "1700000000"}) == expected
    assert read(changed(orderId=REFERENCE)) == expected
    assert read(b"\xef\xbb\xbf" + json.dumps(BODY).encode()) == expected


@pytest.mark.parametrize("status", ["PaymentAuthorized", "paymentFailedEvent", "OrderShipped", "OrderClosed", "Newer"])
def test_every_other_status_tells_of_something_later(status: str) -> None:
    assert read(changed(orderStatus=status)) == Push(REFERENCE, status, 1700000000.0)


@pytest.mark.parametrize(
    ("timestamp", "at"),
    [
        (1700000000123, 1700000000.123),
        (None, None),
        ("soon", None),
        (-5, None),
        (1.5, None),
        (True, None),
        (10**20, None),
    ],
)
def test_a_time_is_in_seconds_or_milliseconds_or_not_known(timestamp: object, at: float | None) -> None:
    push = read(BODY | {"timestamp": timestamp})
    assert push is not None
    assert push.at == at


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"not json",
        b"[" * 100_000,
        b"[]",
        b"null",
        b"\xff\xfe",
        {},
        {"data": None},
        {"data": []},
        {"data": {"orderId": 1}},
        changed(orderId=None),
        changed(orderId=0),
        changed(orderId=-5),
        changed(orderId="12 34"),
        changed(orderId="1" * 33),
        changed(orderId=[REFERENCE]),
        changed(orderId="８１９８"),
        changed(orderId=1.5),
        changed(orderStatus=""),
        changed(orderStatus=None),
        changed(orderStatus={"a": 1}),
        changed(orderStatus="Order\nCreated"),
    ],
)
def test_what_is_not_about_an_order_is_not_understood(document: Any) -> None:
    assert read(document) is None


def test_a_status_is_never_longer_than_its_column() -> None:
    push = read(changed(orderStatus="x" * 500))
    assert push is not None
    assert len(push.status) == 60


def test_the_sandbox_signs_as_the_adapter_expects() -> None:
    fake = AliExpressFake({"main": {"app_key": "12345678", "app_secret": "helloworld"}})
    order = SandboxOrder("aliexpress", "main", "SO-1", [REFERENCE, "8190000000000002"], 1700000000.7, [])
    messages = list(fake.messages(order))
    pushes = []
    for message in messages:
        headers = {name.lower(): value for name, value in message.headers.items()}
        assert adapter().is_genuine(headers, message.body)
        assert b"SO-1" not in message.body
        pushes.append(adapter().read_push(headers, message.body))
    assert pushes == [Push(reference, "OrderCreated", 1700000000.0, True) for reference in order.references]


def child(product_id: object = 1005004638293060, count: object = 1, **more: Any) -> dict[str, Any]:
    return {"product_id": product_id, "product_count": count, "sku_id": "12000033515112345", **more}


def record(*children: Any, **more: Any) -> OrderRecord:
    found = shown({"order_status": "PLACE_ORDER_SUCCESS", "child_order_list": list(children), **more})
    assert isinstance(found, Found)
    return found.records[0]


def order(*items: tuple[int, int, str]) -> dict[str, Any]:
    wanted = [{"product_id": p, "product_count": c, **({"sku_attr": s} if s else {})} for p, c, s in items]
    return dump(body() | {"product_items": wanted})


BOTTLE, CUP = 1005004638293060, 1005004638293061


@pytest.mark.parametrize(
    ("children", "fits"),
    [
        ([child()], True),
        ([child("1005004638293060", "1")], True),
        ([child(count=2)], False),
        ([child(CUP)], False),
        ([child(), child(CUP)], False),
        ([child(), child()], False),
        ([child(sku_attr="14:365458#Brown")], True),
        ([child(sku_attr="14:365458#Red")], False),
        ([child(count=None)], False),
        ([child(count="many")], False),
        ([{}], False),
        ([], False),
    ],
)
def test_a_record_describes_an_order_when_its_goods_are_all_there(children: list[Any], fits: bool) -> None:
    assert adapter().describes(ORDER, record(*children)) is fits


def test_goods_are_a_multiset() -> None:
    several = order((BOTTLE, 2, "14:1#a"), (CUP, 1, ""), (BOTTLE, 1, "14:2#b"))
    assert adapter().describes(several, record(child(CUP), child(BOTTLE), child(BOTTLE, 2)))
    assert adapter().describes(several, record(child(BOTTLE, 3), child(CUP)))
    assert not adapter().describes(several, record(child(BOTTLE, 2), child(CUP)))
    assert not adapter().describes(several, record(child(BOTTLE, 3)))
    assert not adapter().describes(several, record(child(BOTTLE, 3), child(CUP, 2)))
    shown_skus = [child(BOTTLE, 1, sku_attr="a"), child(BOTTLE, 2, sku_attr="b"), child(CUP)]
    assert not adapter().describes(several, record(*shown_skus))


def test_a_part_of_a_split_order_describes_nothing() -> None:
    both = order((BOTTLE, 1, ""), (3256801234567890, 1, ""))
    assert not adapter().describes(both, record(child(BOTTLE)))
    assert not adapter().describes(both, record(child(3256801234567890)))


@pytest.mark.parametrize(
    "details", [{}, {"child_order_list": None}, {"child_order_list": "?"}, {"child_order_list": ["?"]}]
)
def test_a_record_that_shows_no_goods_describes_nothing(details: dict[str, Any]) -> None:
    assert not adapter().describes(ORDER, OrderRecord(REFERENCE, "FINISH", details=details))


def test_the_time_of_making_has_no_zone_and_so_is_a_span() -> None:
    # 2023-11-14 22:13:20 UTC, written in Pacific time
    earliest, latest = adapter().made_between(record(child(), gmt_create="2023-11-14 14:13:20")) or (0, 0)
    assert latest == 1700000000
    assert latest - earliest == 16 * 3600
    assert adapter().made_between(record(child(), gmt_create="2023-11-14T22:13:20+00:00")) == (1700000000, 1700000000)
    for unreadable in (None, "", "yesterday", "0001-01-01 00:00:00", 12):
        span = adapter().made_between(record(child(), gmt_create=unreadable))
        assert span is None or span[1] < 0


@pytest.mark.parametrize(
    ("children", "is_another"),
    [
        ([child()], False),
        ([child("1005004638293060", "1")], False),
        ([child(), child()], True),
        ([child(count=2)], True),
        ([child(CUP)], True),
        ([child(), child(CUP)], True),
        ([child(sku_attr="14:365458#Red")], False),
        ([child(count=None)], False),
        ([child(), {}], False),
        ([], False),
    ],
)
def test_goods_that_were_not_ordered_or_more_of_them_contradict_an_order(children: list[Any], is_another: bool) -> None:
    assert adapter().contradicts(ORDER, "SO-1", record(*children)) is is_another


def test_a_part_of_a_split_order_contradicts_nothing() -> None:
    both = order((BOTTLE, 2, "14:1#a"), (CUP, 1, ""), (BOTTLE, 1, "14:2#b"))
    for part in ([child(BOTTLE, 3)], [child(CUP)], [child(BOTTLE), child(BOTTLE, 2)], [child(BOTTLE), child(CUP)]):
        assert not adapter().contradicts(both, "SO-1", record(*part))
    assert adapter().contradicts(both, "SO-1", record(child(BOTTLE, 4)))
    assert adapter().contradicts(both, "SO-1", record(child(BOTTLE), child(1005004638293062)))


def test_the_second_id_the_site_has_for_a_product_contradicts_nothing() -> None:
    abroad = BOTTLE + 2**51
    assert str(abroad).startswith("3256")
    assert not adapter().contradicts(ORDER, "SO-1", record(child(abroad)))
    assert not adapter().contradicts(order((abroad, 1, "")), "SO-1", record(child(BOTTLE)))
    assert adapter().contradicts(order((abroad, 1, "")), "SO-1", record(child(BOTTLE, 2)))


@pytest.mark.parametrize(
    "details", [{}, {"child_order_list": None}, {"child_order_list": "?"}, {"child_order_list": ["?"]}]
)
def test_a_record_that_shows_no_goods_contradicts_nothing(details: dict[str, Any]) -> None:
    assert not adapter().contradicts(ORDER, "SO-1", OrderRecord(REFERENCE, "FINISH", details=details))
