"""The sandbox's Xportcn after a create: 1688's states, deadline and closing, and its logistics."""

from __future__ import annotations

from typing import Any

import pytest

from tests.marketplaces.xportcn.xportcn_gateway import Gateway, line, order

DAY = 86_400
NONE_YET = {"code": 404, "msg": "该订单没有物流跟踪信息。"}


def forward(gateway: Gateway, seconds: float) -> None:
    assert gateway.http.post("/_sandbox/clock", json={"forward_seconds": seconds}).status_code == 200


def place(gateway: Gateway, key: str = "SO-1", *lines: dict[str, Any], **changes: Any) -> str:
    (reference,) = gateway.place(order(key, *lines, **changes))
    forward(gateway, 4)
    return reference


def move(gateway: Gateway, reference: str, event: str) -> None:
    assert gateway.http.post(f"/_sandbox/orders/{reference}/life", json={"event": event}).status_code == 200


def detail(gateway: Gateway, reference: str) -> dict[str, Any]:
    data: dict[str, Any] = gateway.post("detail", {"orderId": reference})["data"]
    return data


def test_an_order_from_its_create_to_its_receipt(gateway: Gateway) -> None:
    reference = place(gateway)
    seen = [(detail(gateway, reference)["orderStatus"], detail(gateway, reference)["payStatus"])]
    for event in ("pay", "ship", "arrive", "deliver"):
        move(gateway, reference, event)
        row = detail(gateway, reference)
        seen.append((row["orderStatus"], row["payStatus"]))
        assert row["baseInfo"]["status"] == row["orderStatus"]
    assert seen == [
        ("waitbuyerpay", 1), ("waitsellersend", 2), ("waitbuyerreceive", 2), ("signinsuccess", 2), ("success", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "seconds", "status", "reason"),
    [
        ("SO-1", 43_190, "waitbuyerpay", None),
        ("SO-1", 43_200, "cancel", "other"),
        ("SO-1~unpaid:40", 40, "cancel", "other"),
        ("SO-1~seller_cancels_unpaid", 3600, "cancel", "sellerGoodsLack"),
        ("SO-1~seller_cancels", DAY, "terminated", "sellerGoodsLack"),
    ],
)
def test_a_closed_order_says_why(gateway: Gateway, key: str, seconds: float, status: str, reason: str | None) -> None:
    reference = place(gateway, key)
    forward(gateway, seconds - 4)
    row = detail(gateway, reference)
    assert (row["orderStatus"], row.get("closeReason")) == (status, reason)
    assert row["payTimeout"] == (40 if key.endswith(":40") else 43_200)


def test_a_status_the_create_asked_for_stays_until_a_control_moves_it(gateway: Gateway) -> None:
    reference = place(gateway, message="sandbox:STATUS=waitlogisticstakein")
    forward(gateway, DAY)
    assert detail(gateway, reference)["orderStatus"] == "waitlogisticstakein"
    move(gateway, reference, "ship")
    assert detail(gateway, reference)["orderStatus"] == "waitbuyerreceive"


def test_logistics_in_1688s_shapes(gateway: Gateway) -> None:
    reference = place(gateway, "SO-1~number_changes", line(quantity=3))
    for call in ("logistics", "logistics/trace"):
        told = gateway.post(call, {"orderId": reference})
        assert {name: told[name] for name in NONE_YET} == NONE_YET
    forward(gateway, 2 * DAY)
    (before,) = gateway.post("logistics", {"orderId": reference})["data"]
    assert before["logisticsId"].startswith("LP")
    assert (before["status"], before["logisticsCompanyName"]) == ("ACCEPT", "中通快递")
    assert before["sendGoods"][0]["quantity"] == 3
    assert not {"sender", "receiver"} & set(before)
    items = detail(gateway, reference)["nativeLogistics"]["logisticsItems"]
    assert [one["logisticsBillNo"] for one in items] == [before["logisticsBillNo"]]
    forward(gateway, 8 * DAY)
    (after,) = gateway.post("logistics", {"orderId": reference})["data"]
    assert (after["status"], after["logisticsId"]) == ("SIGN", before["logisticsId"])
    assert after["logisticsBillNo"] != before["logisticsBillNo"]
    (trace,) = gateway.post("logistics/trace", {"orderId": reference})["data"]["logisticsTrace"]
    assert trace["logisticsBillNo"] == after["logisticsBillNo"]
    assert [step["remark"] for step in trace["logisticsSteps"]][-1] == "快件已签收"
    times = [step["acceptTime"] for step in trace["logisticsSteps"]]
    assert times == sorted(times)


def test_logistics_are_the_accounts_own(gateway: Gateway) -> None:
    reference = place(gateway, "SO-1~shipped")
    forward(gateway, 2 * DAY)
    headers = gateway.headers("main-secret", access_key="main-key", user_id="1")
    assert gateway.post("logistics", {"orderId": reference}, headers)["code"] == 500
