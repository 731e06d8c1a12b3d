"""The sandbox's AliExpress over real HTTP: which creates make an order, and what it shows of one and when."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.marketplaces.aliexpress.aliexpress_gateway import DAY, GET, Gateway, item, order, references

# The idempotency key


def test_a_repeated_key_is_answered_without_ids_and_recorded(gateway: Gateway) -> None:
    references(gateway.create(order()))
    result = gateway.create(order())
    assert result == {"is_success": False, "error_code": "REPEATED_ORDER_ERROR", "error_msg": "repeated placed order"}
    [record] = gateway.record()
    assert len(record["creates"]) == 2
    assert record["creates"][0] == record["created_at"]


def test_a_repeated_key_can_be_told_the_ids(gateway: Gateway) -> None:
    numbers = references(gateway.create(order()))
    gateway.http.post("/_sandbox/faults", json={"fault": "repeat_with_ids"})
    result = gateway.create(order())
    assert (result["is_success"], result["error_code"]) == (False, "REPEATED_ORDER_ERROR")
    assert result["order_list"] == {"number": numbers}


def test_a_key_ends_after_24_hours_and_the_record_shows_the_second_order(gateway: Gateway) -> None:
    first = references(gateway.create(order()))
    gateway.clock.ahead = DAY - 60
    assert gateway.create(order())["error_code"] == "REPEATED_ORDER_ERROR"
    gateway.clock.ahead = DAY + 1
    second = references(gateway.create(order()))
    assert first != second
    records = gateway.record()
    assert [record["key"] for record in records] == ["SO-1", "SO-1"]
    assert [len(record["creates"]) for record in records] == [2, 1]
    assert gateway.create(order())["error_code"] == "REPEATED_ORDER_ERROR"
    assert [len(record["creates"]) for record in gateway.record()] == [2, 2]


def test_a_refusal_does_not_use_the_key_up(gateway: Gateway) -> None:
    assert gateway.create(order(city=""))["is_success"] is False
    assert references(gateway.create(order()))


def test_a_key_belongs_to_one_account(gateway: Gateway) -> None:
    assert references(gateway.create(order()))
    assert references(gateway.create(order(), app_key="main-key", session="main-token"))
    assert references(gateway.create(order(), app_key="main-key", session="second-token"))


def test_without_a_key_every_create_makes_an_order(gateway: Gateway) -> None:
    for key in (None, None, "", ""):
        assert references(gateway.create(order(key)))
    assert [record["key"] for record in gateway.record()] == ["", "", "", ""]


def test_recovery_after_a_timeout_that_committed(gateway: Gateway) -> None:
    key = "SO-1~timeout_after_commit"
    with pytest.raises(httpx.HTTPError):
        gateway.create(order(key))
    assert gateway.create(order(key))["error_code"] == "REPEATED_ORDER_ERROR"
    [record] = gateway.record()
    assert len(record["creates"]) == 2


def test_recovery_after_a_timeout_that_did_not_commit(gateway: Gateway) -> None:
    key = "SO-1~timeout_before"
    with pytest.raises(httpx.HTTPError):
        gateway.create(order(key))
    assert references(gateway.create(order(key)))
    [record] = gateway.record()
    assert len(record["creates"]) == 1


@pytest.mark.parametrize(("fault", "code"), [("throttle", "ApiCallLimit"), ("token_expired", "IllegalAccessToken")])
def test_faults_in_the_gateways_words(gateway: Gateway, fault: str, code: str) -> None:
    error = gateway.create_error(order(f"SO-1~{fault}"))
    assert error["code"] == code
    assert fault != "throttle" or "will last 1 seconds" in error["msg"]
    assert gateway.record() == []


def test_a_broken_create_is_still_a_create_for_the_faults(gateway: Gateway) -> None:
    gateway.http.post("/_sandbox/faults", json={"fault": "throttle"})
    assert gateway.create_error(["~"])["code"] == "ApiCallLimit"
    assert gateway.read(1)["error_response"]["code"] == "15"


# Split orders and reads


def test_items_of_two_stores_make_two_orders(gateway: Gateway) -> None:
    result = gateway.create(order("SO-1", item(), item(product_id="3256801234567890", product_count="2"), item()))
    numbers = references(result)
    assert len(numbers) == 2
    [record] = gateway.record()
    assert record["references"] == [str(number) for number in numbers]
    gateway.clock.ahead = 5
    products, stores = [], set()
    for number in numbers:
        shown = gateway.read(number)["aliexpress_trade_ds_order_get_response"]["result"]
        children = shown["child_order_list"]["aeop_child_order_info"]
        children = children if isinstance(children, list) else [children]
        products.append([(child["product_id"], child["product_count"]) for child in children])
        stores.add(shown["store_info"]["store_id"])
    assert products == [[(1005002704149141, 1)] * 2, [(3256801234567890, 2)]]
    assert len(stores) == 2


def test_an_order_is_hidden_at_first_and_unknown_ones_look_the_same(gateway: Gateway) -> None:
    [number] = references(gateway.create(order()))
    early = gateway.read(number)["error_response"]
    unknown = gateway.read("8198352049851315")["error_response"]
    early.pop("request_id")
    unknown.pop("request_id")
    assert early == unknown
    assert early == {
        "code": "15",
        "type": "ISP",
        "sub_code": "isv.insufficient-permission",
        "sub_msg": "Insufficient permission.",
        "msg": "Remote service error",
    }
    gateway.clock.ahead = 2.5
    assert "error_response" in gateway.read(number)
    gateway.clock.ahead = 3.5
    assert "aliexpress_trade_ds_order_get_response" in gateway.read(str(number))
    [record] = gateway.record()
    assert len(record["gets"]) == 3


def test_a_read_needs_the_query_object(gateway: Gateway) -> None:
    flat = gateway.post(gateway.parameters(GET, order_id="8198352049851315"))["error_response"]
    assert flat["code"] == "MissingParameter"
    assert "single_order_query" in flat["msg"]
    assert gateway.read(None)["error_response"]["code"] == "MissingParameter"
    assert gateway.read("abc")["error_response"]["code"] == "InvalidParameter"
    broken = gateway.post(gateway.parameters(GET, single_order_query="8198352049851315"))
    assert broken["error_response"]["code"] == "InvalidParameter"


def show(gateway: Gateway, number: int) -> dict[str, Any]:
    gateway.clock.ahead += 5
    result: dict[str, Any] = gateway.read(number)["aliexpress_trade_ds_order_get_response"]["result"]
    return result


def test_an_unpaid_order_shows_every_documented_field(gateway: Gateway) -> None:
    [number] = references(gateway.create(order("SO-1", item(product_count=3), item())))
    shown = show(gateway, number)
    assert shown["order_status"] == "PLACE_ORDER_SUCCESS"
    assert shown["logistics_status"] == "NO_LOGISTICS"
    assert shown["pay_timeout_second"] == "86400"
    assert shown["order_paidtime_string"] == ""
    assert shown["user_order_amount"] == {"amount": "0", "currency_code": "USD"}
    assert len(shown["gmt_create"]) == 19
    assert set(shown["store_info"]) == {"store_id", "store_name", "store_url"}
    children = shown["child_order_list"]["aeop_child_order_info"]
    assert [child["product_count"] for child in children] == [3, 1]
    fees = "actual_tax_fee actual_shipping_fee shipping_fee sale_discount_fee sale_fee actual_fee shipping_discount_fee"
    for child in children:
        assert set(child) == set(
            f"{fees} product_price end_reason sku_id product_id product_name product_count".split()
        )
        cents = {name: round(float(child[name]["amount"]) * 100) for name in [*fees.split(), "product_price"]}
        assert cents["sale_fee"] == cents["product_price"] * child["product_count"]
        assert cents["actual_shipping_fee"] == cents["shipping_fee"] - cents["shipping_discount_fee"]
        assert cents["actual_fee"] == cents["sale_fee"] - cents["sale_discount_fee"] + cents["actual_shipping_fee"]
        assert child["actual_shipping_fee"]["already_include_tax"] == "false"
    total = sum(float(child["actual_fee"]["amount"]) for child in children)
    assert float(shown["order_amount"]["amount"]) == pytest.approx(total)
    parcels = shown["logistics_info_list"]["aeop_order_logistics_info"]
    assert parcels == [{"logistics_service": "CAINIAO_FULFILLMENT_STD", "logistics_no": ""}] * 2


@pytest.mark.parametrize("true", [True, "true"])
def test_a_paid_order(gateway: Gateway, true: object) -> None:
    [number] = references(gateway.create(order(), {"payment": {"pay_currency": "EUR", "try_to_pay": true}}))
    shown = show(gateway, number)
    assert shown["order_status"] == shown["logistics_status"] == "WAIT_SELLER_SEND_GOODS"
    assert shown["user_order_amount"] == shown["order_amount"]
    assert shown["order_amount"]["currency_code"] == "EUR"
    assert shown["order_paidtime_string"].endswith("-08:00[America/Los_Angeles]")


def test_a_payment_that_fails_leaves_an_unpaid_order(gateway: Gateway) -> None:
    memo = item(order_memo="sandbox:APIPayFail")
    result = gateway.create(order("SO-1", memo), {"payment": {"try_to_pay": "true"}})
    [number] = references(result)
    assert result["error_msg"] == "OrderCreated, autoPay fail:APIPayFail"
    assert show(gateway, number)["order_status"] == "PLACE_ORDER_SUCCESS"


def test_a_list_of_one_is_bare_for_even_ids(gateway: Gateway) -> None:
    seen = set()
    for count in range(2):
        [number] = references(gateway.create(order(f"SO-{count}")))
        shown = show(gateway, number)
        bare = number % 2 == 0
        assert isinstance(shown["child_order_list"]["aeop_child_order_info"], dict) is bare
        assert isinstance(shown["logistics_info_list"]["aeop_order_logistics_info"], dict) is bare
        seen.add(bare)
    assert seen == {True, False}


def test_reset_forgets_keys_and_ids(gateway: Gateway) -> None:
    [number] = references(gateway.create(order()))
    gateway.http.post("/_sandbox/reset")
    gateway.clock.ahead = 10
    assert "error_response" in gateway.read(number)
    assert references(gateway.create(order())) > [number]
