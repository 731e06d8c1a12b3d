"""What a preflight asks the sandbox's AliExpress: goods, freight and addresses, and that create agrees with each."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.marketplaces.aliexpress.aliexpress_gateway import Gateway, item, order
from worker.sandbox.catalogue import BLACK, BROWN, DOOMED, DOOMS, GOOD, kind_of, price

PRODUCT, FREIGHT, ADDRESS = "aliexpress.ds.product.get", "aliexpress.ds.freight.query", "aliexpress.ds.address.get"
DEAD = {"offline": "offline", "off_shelf": "offShelf", "removed": "violationDeleted"}


def product(gateway: Gateway, product_id: int, country: str = "US") -> dict[str, Any]:
    parameters = gateway.parameters(PRODUCT, product_id=str(product_id), ship_to_country=country)
    body = gateway.post(parameters)
    told: dict[str, Any] = body.get("aliexpress_ds_product_get_response", body)
    return told


def skus(told: dict[str, Any]) -> list[dict[str, Any]]:
    rows = told["result"]["ae_item_sku_info_dtos"]
    rows = rows if isinstance(rows, list) else rows["ae_item_sku_info_d_t_o"]
    return rows if isinstance(rows, list) else [rows]


def freight(gateway: Gateway, product_id: int, sku_id: str, quantity: int = 1, country: str = "US") -> dict[str, Any]:
    asked = {
        "quantity": str(quantity), "shipToCountry": country, "productId": str(product_id), "selectedSkuId": sku_id,
        "language": "en_US", "locale": "en_US", "currency": "USD",
    }  # fmt: skip
    body = gateway.post(gateway.parameters(FREIGHT, queryDeliveryReq=json.dumps(asked)))
    result: dict[str, Any] = body["aliexpress_ds_freight_query_response"]["result"]
    return result


def options(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    rows = told["delivery_options"]
    return {row["code"]: row for row in (rows if isinstance(rows, list) else rows["delivery_option_d_t_o"])}


def foresee(gateway: Gateway, product_id: int, count: int, attr: str, service: str, country: str) -> str | None:
    """Name the create's error from the reads alone, as their page tells it; None: nothing speaks against it."""
    told = product(gateway, product_id, country)
    if str(told["rsp_code"]) != "200":
        by_code = {"602": "A005_INVALID_COUNTRIES", "605": "PRODUCT_NOT_EXIST"}
        return by_code.get(str(told["rsp_code"]), "ERROR_WHEN_BUILD_FOR_PLACE_ORDER")
    status = told["result"]["ae_item_base_info_dto"]["product_status_type"]
    if status != "onSelling":
        by_status = {"offline": "PRODUCT_OFFLINE", "offShelf": "PRODUCT_OFF_SHELF"}
        return by_status.get(status, "PRODUCT_HAS_BEEN_DELETED")
    sku = next((row for row in skus(told) if row["sku_attr"] == attr), None)
    if sku is None:
        return "SKU_NOT_EXIST"
    if sku["sku_available_stock"] < count:
        return "INSUFFICIENT_INVENTORY"
    if sku["limit_strategy"] == "create_order_fail" and count > int(sku["buy_amount_limit_set_by_promotion"]):
        return "A001_ORDER_CANNOT_BE_PLACED"
    way = freight(gateway, product_id, sku["sku_id"], count, country)
    return None if way["success"] and service in options(way) else "DELIVERY_METHOD_NOT_EXIST"


def ordered(product_id: int, count: int, attr: str, service: str, country: str) -> dict[str, Any]:
    line = item(product_id=product_id, product_count=count, sku_attr=attr, logistics_service_name=service)
    return order(None, line, country=country)


@pytest.mark.parametrize("number", DOOMS)
@pytest.mark.parametrize("country", ["US", "GB"])
@pytest.mark.parametrize("last", [0, 7, 999])
def test_create_refuses_a_doomed_order_with_what_the_reads_foretell(
    gateway: Gateway, number: int, country: str, last: int
) -> None:
    product_id = DOOMED.start + (number - 1) * 1000 + last
    doom = kind_of(product_id)
    assert doom is DOOMS[number]
    asked = (product_id, 6, BROWN, "CAINIAO_STANDARD", country)
    foreseen = foresee(gateway, *asked)
    good_here = {"us_refused": "GB", "domestic_only": "US"}.get(doom.name) == country
    assert foreseen == (None if good_here else doom.create_code)
    made = gateway.create(ordered(*asked))
    assert (made["is_success"], made.get("error_code")) == (good_here, foreseen)
    assert len(gateway.record()) == good_here


@pytest.mark.parametrize(
    ("name", "count", "attr", "service"),
    [
        ("short_stock", 2, BROWN, "CAINIAO_STANDARD"),
        ("sku_sold_out", 1, BLACK, "CAINIAO_STANDARD"),
        ("limit_one", 1, BROWN, "CAINIAO_STANDARD"),
        ("limit_five", 5, BROWN, "CAINIAO_STANDARD"),
        ("single_sku", 1, "", "CAINIAO_STANDARD"),
        ("service_gone", 1, BROWN, "SANDBOX_EXPRESS"),
    ],
)
def test_the_same_product_can_be_ordered_well(gateway: Gateway, name: str, count: int, attr: str, service: str) -> None:
    number = next(number for number, doom in DOOMS.items() if doom.name == name)
    asked = (DOOMED.start + (number - 1) * 1000, count, attr, service, "US")
    assert foresee(gateway, *asked) is None
    assert gateway.create(ordered(*asked))["is_success"] is True


@pytest.mark.parametrize("product_id", [*GOOD[:21], GOOD[-1]])
@pytest.mark.parametrize("service", ["CAINIAO_STANDARD", "SANDBOX_EXPRESS"])
def test_a_good_product_costs_what_the_reads_foretell(gateway: Gateway, product_id: int, service: str) -> None:
    told = product(gateway, product_id)
    sku = skus(told)[-1]
    asked = (product_id, 7, sku["sku_attr"], service, "US")
    assert foresee(gateway, *asked) is None
    option = options(freight(gateway, product_id, sku["sku_id"], 7))[service]
    foretold = 7 * Decimal(sku["offer_sale_price"]) + Decimal(option["shipping_fee_cent"])
    assert option["free_shipping"] is (product_id % 10 == 5)
    made = gateway.create(ordered(*asked))
    gateway.http.post("/_sandbox/clock", json={"forward_seconds": 4})
    read = gateway.read(made["order_list"]["number"][0])["aliexpress_trade_ds_order_get_response"]["result"]
    assert Decimal(read["order_amount"]["amount"]) == foretold
    assert read["store_info"]["store_id"] == told["result"]["ae_store_info"]["store_id"]
    children = read["child_order_list"]["aeop_child_order_info"]
    assert (children if isinstance(children, dict) else children[0])["sku_id"] == sku["sku_id"]


def test_hundreds_of_good_products_and_no_other_id_is_checked_at_create(gateway: Gateway) -> None:
    assert len(GOOD) == 800
    assert all(kind_of(product_id) is None and price(product_id) % 10 == 0 for product_id in GOOD)
    assert len(DOOMS) == 20
    assert gateway.create(order("SO-1", item(sku_attr="14:1#Any", logistics_service_name="ANY")))["is_success"] is True
    assert gateway.create(order("SO-2", item(product_id=GOOD[0], sku_attr="14:1#Any")))["error_code"] == "SKU_NOT_EXIST"


def test_the_forms_of_product_get_vary(gateway: Gateway) -> None:
    forms = set()
    for product_id in range(GOOD[0], GOOD[0] + 42):
        parameters = gateway.parameters(PRODUCT, product_id=str(product_id), ship_to_country="US")
        body = gateway.post(parameters)
        told = body.get("aliexpress_ds_product_get_response", body)
        rows = told["result"]["ae_item_sku_info_dtos"]
        inside = rows if isinstance(rows, list) else rows["ae_item_sku_info_d_t_o"]
        forms.add((body is told, type(told["rsp_code"]), type(rows), type(inside)))
        assert "request_id" in told
    assert {wrapped for wrapped, *_ in forms} == {True, False}
    assert {kind for _, kind, *_ in forms} == {int, str}
    assert {(rows, inside) for *_, rows, inside in forms} == {(list, list), (dict, list), (dict, dict)}


def test_freight_wants_the_number_of_a_sku(gateway: Gateway) -> None:
    told = freight(gateway, GOOD[0], BROWN)
    assert told == {"success": False, "code": 501, "msg": "DELIVERY_INFO_EMPTY"}
    assert (
        gateway.post(gateway.parameters(FREIGHT, queryDeliveryReq="{}"))["error_response"]["code"] == "MissingParameter"
    )
    assert gateway.post(gateway.parameters(PRODUCT, product_id="1"))["error_response"]["code"] == "MissingParameter"


def test_provinces_are_a_text_inside_the_text(gateway: Gateway) -> None:
    body = gateway.post(gateway.parameters(ADDRESS, countryCode="FR", language="en_US", isMultiLanguage="false"))
    result = body["aliexpress_ds_address_get_response"]["result"]
    assert (result["ret"], result["data"]["type"]) == (True, "country")
    provinces = json.loads(result["data"]["children"])
    assert {"Rhone", "Other"} < {province["name"] for province in provinces}
    for province in provinces:
        inner = province["children"]
        cities = json.loads(inner) if isinstance(inner, str) else inner
        assert "Other" in {city["name"] for city in cities}
    assert {type(province["children"]) for province in provinces} == {str, list}


def test_addresses_are_four_a_second_and_every_call_is_counted(gateway: Gateway) -> None:
    asked = [gateway.post(gateway.parameters(ADDRESS, countryCode="FR")) for _ in range(14)]
    turned_down = [body["error_response"]["code"] for body in asked if "error_response" in body]
    assert turned_down
    assert set(turned_down) == {"ApiCallLimit"}
    counted = gateway.http.get("/_sandbox/calls").json()["aliexpress"][ADDRESS]
    assert counted["calls"] == 14
    assert counted["most_in_a_second"] > 4
