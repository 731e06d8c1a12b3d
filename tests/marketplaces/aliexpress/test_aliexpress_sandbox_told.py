"""The sandbox's AliExpress after a create: order get through an order's whole life, and tracking get in every form."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.marketplaces.aliexpress.aliexpress_gateway import Gateway, item, order

TRACKING = "aliexpress.ds.order.tracking.get"
DAY = 86_400
PAYS = {"payment": {"try_to_pay": "true"}}
MONEY = re.compile(r"\d+\.\d\d")


def place(gateway: Gateway, key: str = "SO-1", *items: dict[str, Any], pays: bool = False) -> list[int]:
    made = gateway.create(order(key, *items), PAYS if pays else None)
    assert made["is_success"] is True
    forward(gateway, 4)
    numbers: list[int] = made["order_list"]["number"]
    return numbers


def forward(gateway: Gateway, seconds: float) -> None:
    assert gateway.http.post("/_sandbox/clock", json={"forward_seconds": seconds}).status_code == 200


def move(gateway: Gateway, reference: object, event: str) -> None:
    answer = gateway.http.post(f"/_sandbox/orders/{reference}/life", json={"event": event})
    assert answer.status_code == 200, answer.text


def shown(gateway: Gateway, reference: object) -> dict[str, Any]:
    result: dict[str, Any] = gateway.read(reference)["aliexpress_trade_ds_order_get_response"]["result"]
    return result


def tracked(gateway: Gateway, reference: object) -> dict[str, Any]:
    parameters = gateway.parameters(TRACKING, ae_order_id=str(reference), language="en_US")
    result: dict[str, Any] = gateway.post(parameters)["aliexpress_ds_order_tracking_get_response"]["result"]
    return result


def details(gateway: Gateway, reference: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tracked(gateway, reference)["data"]["tracking_detail_line_list"]["tracking_detail"]
    return found


def child(row: dict[str, Any]) -> dict[str, Any]:
    children = row["child_order_list"]["aeop_child_order_info"]
    first: dict[str, Any] = children if isinstance(children, dict) else children[0]
    return first


def test_an_order_from_its_create_to_its_receipt(gateway: Gateway) -> None:
    (reference,) = place(gateway)
    seen = [shown(gateway, reference)["order_status"]]
    for event in ("paying", "pay", "hold", "release", "ship", "dispute", "deliver"):
        move(gateway, reference, event)
        seen.append(shown(gateway, reference)["order_status"])
    assert seen == [
        "PLACE_ORDER_SUCCESS", "PAYMENT_PROCESSING", "WAIT_SELLER_SEND_GOODS", "RISK_CONTROL",
        "WAIT_SELLER_SEND_GOODS", "WAIT_BUYER_ACCEPT_GOODS", "IN_ISSUE", "FINISH",
    ]  # fmt: skip
    assert child(shown(gateway, reference))["end_reason"] == ""


def test_what_order_get_tells_of_the_payment(gateway: Gateway) -> None:
    (reference,) = place(gateway)
    unpaid = shown(gateway, reference)
    assert (unpaid["pay_timeout_second"], unpaid["order_paidtime_string"]) == ("86400", "")
    assert unpaid["user_order_amount"]["amount"] == "0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", unpaid["gmt_create"])
    move(gateway, reference, "pay")
    paid = shown(gateway, reference)
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-08:00\[America/Los_Angeles\]"
    assert re.fullmatch(stamp, paid["order_paidtime_string"])
    assert MONEY.fullmatch(paid["user_order_amount"]["amount"])


@pytest.mark.parametrize(
    ("key", "pays", "seconds", "status", "paid"),
    [
        ("SO-1", False, DAY - 60, "PLACE_ORDER_SUCCESS", False),
        ("SO-1", False, DAY, "FINISH", False),
        ("SO-1~unpaid", True, DAY, "FINISH", False),
        ("SO-1~unpaid:40", True, 40, "FINISH", False),
        ("SO-1~seller_cancels_unpaid", True, 3600, "FINISH", False),
        ("SO-1~seller_cancels", False, DAY, "IN_CANCEL", True),
        ("SO-1~seller_cancels", False, DAY + 3600, "FINISH", True),
        ("SO-1~refunded", False, 20 * DAY, "FINISH", True),
    ],
)
def test_a_cancelled_order_is_told_by_its_lines(
    gateway: Gateway, key: str, pays: bool, seconds: float, status: str, paid: bool
) -> None:
    (reference,) = place(gateway, key, pays=pays)
    forward(gateway, seconds)
    row = shown(gateway, reference)
    assert (row["order_status"], bool(row["order_paidtime_string"])) == (status, paid)
    assert child(row)["end_reason"] == ("" if status == "PLACE_ORDER_SUCCESS" else "CANCELED")


@pytest.mark.parametrize(
    ("key", "days", "status"),
    [
        ("SO-1~paid", 30, "WAIT_SELLER_SEND_GOODS"),
        ("SO-1~held", 0.5, "RISK_CONTROL"),
        ("SO-1~held", 1, "WAIT_SELLER_SEND_GOODS"),
        ("SO-1~held_long", 30, "RISK_CONTROL"),
        ("SO-1~frozen", 30, "IN_FROZEN"),
        ("SO-1~part_shipped", 30, "SELLER_PART_SEND_GOODS"),
        ("SO-1~shipped", 30, "WAIT_BUYER_ACCEPT_GOODS"),
        ("SO-1~arrived", 30, "WAIT_BUYER_ACCEPT_GOODS"),
        ("SO-1~late_eta", 10, "WAIT_BUYER_ACCEPT_GOODS"),
        ("SO-1~dispute", 30, "IN_ISSUE"),
        ("SO-1~delivered", 10, "FINISH"),
        ("SO-1", 300, "WAIT_SELLER_SEND_GOODS"),
    ],
)
def test_a_suffix_plays_a_life(gateway: Gateway, key: str, days: float, status: str) -> None:
    (reference,) = place(gateway, key, item(product_count=2), pays=True)
    forward(gateway, days * DAY)
    assert shown(gateway, reference)["order_status"] == status


def test_a_failed_payment_is_told_at_create_and_the_deadline_runs(gateway: Gateway) -> None:
    made = gateway.create(order("SO-1~pay_fails"), PAYS)
    assert (made["is_success"], made["error_msg"]) == (True, "OrderCreated, autoPay fail:APIPayFail")
    forward(gateway, 4)
    row = shown(gateway, made["order_list"]["number"][0])
    assert (row["order_status"], row["pay_timeout_second"]) == ("PLACE_ORDER_SUCCESS", "86400")


def test_a_deadline_can_be_untold(gateway: Gateway) -> None:
    (reference,) = place(gateway, "SO-1~no_deadline")
    assert "pay_timeout_second" not in shown(gateway, reference)


def test_split_orders_live_apart(gateway: Gateway) -> None:
    first, second = place(gateway, "SO-1", item(), item(product_id=3200000000000001))
    move(gateway, first, "pay")
    move(gateway, second, "seller_cancels")
    assert shown(gateway, first)["order_status"] == "WAIT_SELLER_SEND_GOODS"
    assert shown(gateway, second)["order_status"] == "FINISH"


def test_a_cancelled_line_is_told_by_itself(gateway: Gateway) -> None:
    (reference,) = place(gateway, "SO-1~part_cancelled", item(), item(product_id=1005002704149142))
    forward(gateway, 11 * DAY)
    children = shown(gateway, reference)["child_order_list"]["aeop_child_order_info"]
    assert [line["end_reason"] for line in children] == ["CANCELED", ""]


NOTHING = {"ret": False, "code": "1001", "msg": "TRACKING DATA NOT FOUND"}


def test_no_parcel_yet_and_a_wrong_id_are_answered_alike(gateway: Gateway) -> None:
    (reference,) = place(gateway)
    assert tracked(gateway, reference) == tracked(gateway, 1) == NOTHING
    for name in ("ae_order_id", "language"):
        values = {"ae_order_id": str(reference), "language": "en_US", name: None}
        error = gateway.post(gateway.parameters(TRACKING, **values))["error_response"]
        assert error["code"] == "UnsupportedParamMapping"
    assert gateway.record()[0]["gets"]


def test_a_parcel_in_the_documented_form(gateway: Gateway) -> None:
    (reference,) = place(gateway, "SO-1~delivered", item(product_count=3))
    forward(gateway, 9 * DAY)
    (parcel,) = details(gateway, reference)
    assert set(parcel) == {"mail_no", "carrier_name", "eta_time_stamps", "package_item_list", "detail_node_list"}
    assert parcel["carrier_name"] == "AliExpress Selection Standard"
    assert not re.match(r"(AP|LP)\d", parcel["mail_no"])
    assert type(parcel["eta_time_stamps"]) is int
    (packed,) = parcel["package_item_list"]["package_item"]
    assert set(packed) == {"item_id", "sku_id", "sku_desc", "item_title", "quantity"}
    assert (packed["item_id"], packed["quantity"]) == (1005002704149141, 3)
    assert packed["sku_id"] == child(shown(gateway, reference))["sku_id"]
    nodes = parcel["detail_node_list"]["detail_node"]
    assert [node["tracking_name"] for node in nodes] == ["Delivered", "In transit", "Shipping update"]
    times = [node["time_stamp"] for node in nodes]
    assert times == sorted(times, reverse=True)
    # Order get's number stays the internal one.
    parcels = shown(gateway, reference)["logistics_info_list"]["aeop_order_logistics_info"]
    assert re.match(r"LP\d", (parcels if isinstance(parcels, dict) else parcels[0])["logistics_no"])


def test_parts_come_in_parcels_of_their_own(gateway: Gateway) -> None:
    (reference,) = place(gateway, "SO-1~two_parcels", item(product_count=2), item(product_id=1005002704149142))
    forward(gateway, 1.5 * DAY)
    assert len(details(gateway, reference)) == 1
    forward(gateway, DAY)
    packed = [row["package_item_list"]["package_item"] for row in details(gateway, reference)]
    assert [[(row["item_id"], row["quantity"]) for row in rows] for rows in packed] == [
        [(1005002704149141, 2)],
        [(1005002704149142, 1)],
    ]
    assert len({row["mail_no"] for row in details(gateway, reference)}) == 2


def test_a_number_changes_on_the_way(gateway: Gateway) -> None:
    (reference,) = place(gateway, "SO-1~number_changes")
    forward(gateway, 2 * DAY)
    (before,) = details(gateway, reference)
    forward(gateway, 4 * DAY)
    (after,) = details(gateway, reference)
    assert before["mail_no"] != after["mail_no"]
    assert after["carrier_name"] == "Seller Shipping ES Local"
    assert after["detail_node_list"]["detail_node"][1:] == before["detail_node_list"]["detail_node"]


@pytest.mark.parametrize("by_suffix", [True, False])
@pytest.mark.parametrize(
    ("form", "path"),
    [
        ("tracking_older", ["logistics_order_list", 0, "tracking_number"]),
        ("tracking_logistics_no", ["data", "tracking_detail_line_list", "tracking_detail", 0, "logistics_no"]),
        ("tracking_bare", ["data", "tracking_detail_line_list", "tracking_detail", "mail_no"]),
        ("tracking_flat", ["data", "tracking_detail_line_list", 0, "mail_no"]),
        ("tracking_codes", ["data", "tracking_detail_line_list", "tracking_detail", 0, "mail_no"]),
        ("tracking_doubled", ["data", "tracking_detail_line_list", "tracking_detail", 1, "mail_no"]),
    ],
)
def test_a_drifted_form_tells_the_same_number(gateway: Gateway, form: str, path: list[Any], by_suffix: bool) -> None:
    (reference,) = place(gateway, "SO-1~shipped" + (f"~{form}" if by_suffix else ""))
    forward(gateway, 2 * DAY)
    if not by_suffix:
        (documented,) = details(gateway, reference)
        assert gateway.http.post("/_sandbox/faults", json={"fault": form}).status_code == 200
    found: Any = tracked(gateway, reference)
    if form == "tracking_codes":
        assert found["ret"] == "true"
    for step in path:
        found = found[step]
    assert re.fullmatch(r"RS\d{9}CN", found)
    if not by_suffix:
        assert found == documented["mail_no"]
        assert shown(gateway, reference)["order_status"] == "WAIT_BUYER_ACCEPT_GOODS"


def test_nothing_yet_can_be_an_empty_list(gateway: Gateway) -> None:
    (reference,) = place(gateway, "SO-1~tracking_empty")
    assert tracked(gateway, reference) == {"ret": True, "data": {"tracking_detail_line_list": {"tracking_detail": []}}}


def test_a_client_whose_clock_was_not_moved_is_still_let_in(gateway: Gateway) -> None:
    (reference,) = place(gateway, pays=True)
    forward(gateway, 30 * DAY)
    assert shown(gateway, reference)["order_status"] == "WAIT_SELLER_SEND_GOODS"
    gateway.clock.ahead = 3 * 3600
    late = gateway.parameters("aliexpress.trade.ds.order.get", single_order_query="{}")
    gateway.clock.ahead = 0
    assert gateway.post(late)["code"] == "IllegalTimestamp"
