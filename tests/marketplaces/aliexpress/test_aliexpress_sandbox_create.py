"""The sandbox's AliExpress over real HTTP: what a create checks, and what it answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.marketplaces.aliexpress.aliexpress_gateway import (
    ADDRESS_CODE,
    CREATE,
    Gateway,
    address,
    item,
    order,
    references,
)


def test_a_create_is_answered_and_recorded(gateway: Gateway) -> None:
    body = gateway.post(gateway.parameters(CREATE, param_place_order_request4_open_api_d_t_o=json.dumps(order())))
    assert set(body) == {"aliexpress_ds_order_create_response"}
    answer = body["aliexpress_ds_order_create_response"]
    assert len(answer["request_id"]) == 25
    [number] = answer["result"]["order_list"]["number"]
    assert answer["result"] == {"is_success": True, "order_list": {"number": [number]}}
    assert isinstance(number, int)
    assert len(str(number)) == 16
    [record] = gateway.record()
    assert (record["marketplace"], record["account"], record["key"]) == ("aliexpress", "sandbox", "SO-1")
    assert record["references"] == [str(number)]
    assert len(record["creates"]) == 1
    assert "Malik" not in json.dumps([o.request for o in gateway.fake.orders])


def test_ids_ascend(gateway: Gateway) -> None:
    numbers = [references(gateway.create(order(f"SO-{n}")))[0] for n in range(5)]
    assert numbers == sorted(set(numbers))


def test_the_account_is_the_one_whose_app_and_token_it_was(gateway: Gateway) -> None:
    for token, account in (("main-token", "main"), ("second-token", "second")):
        [number] = references(gateway.create(order(), app_key="main-key", session=token))
        assert gateway.record()[-1]["account"] == account
        gateway.clock.ahead += 10
        strangers = gateway.read(number)["error_response"]
        assert strangers["sub_code"] == "isv.insufficient-permission"
        own = gateway.read(number, app_key="main-key", session=token)
        assert "aliexpress_trade_ds_order_get_response" in own


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"city": " "}, "Please enter a City"),
        ({"city": None}, "Please enter a City"),
        ({"province": None}, "Please select a State/Province/County"),
        ({"address": None}, "Please enter an Address"),
        ({"country": None}, "Please select a Country/Region"),
        ({"country": "USA"}, "Please select a Country/Region"),
        ({"mobile_no": None}, "Please enter mobile phone number"),
        ({"mobile_no": None, "mobileNo": "11231231231"}, "Please enter mobile phone number"),
        ({"mobile_no": "123456"}, "Phone Number should contain 7-13 digits"),
        ({"mobile_no": "12345678901234"}, "Phone Number should contain 7-13 digits"),
        (
            {"mobile_no": "112-312 312"},
            "Please enter the country code and phone number without any spaces or special characters",
        ),
        ({"contact_person": "Malik"}, "Please enter between 2 - 32 characters"),
        ({"contact_person": "M Jack"}, "Please enter between 2 - 32 characters"),
        ({"contact_person": "Malik " + "J" * 33}, "Please enter between 2 - 32 characters"),
        ({"country": "MX"}, "Please enter a Passport number"),
        ({"country": "SA"}, "Please enter a 8-digit national address in right format, eg. ABCD1234."),
    ],
)
def test_addresses_that_are_refused(gateway: Gateway, changes: dict[str, Any], message: str) -> None:
    expected = {"is_success": False, "error_code": ADDRESS_CODE, "error_msg": message}
    assert gateway.create(order(**changes)) == expected
    assert gateway.record() == []


@pytest.mark.parametrize(
    ("changes", "extend"),
    [
        ({"contact_person": None, "full_name": "Malik Jack"}, {}),
        ({"country": "DE", "contact_person": "Cher"}, {}),
        ({"country": "MX", "passport_no": "G1"}, {}),
        ({"country": "BR", "cpf": "123.456.789-01"}, {}),
        ({"country": "SA"}, {"trade_extra_param": {"nat_addr": "ABCD1234"}}),
        ({"phone_country": "+"}, {}),
        ({"phone_country": None, "is_foreigner": False, "unknown_key": "ignored"}, {}),
    ],
)
def test_addresses_that_pass(gateway: Gateway, changes: dict[str, Any], extend: dict[str, Any]) -> None:
    assert references(gateway.create(order(**changes), extend))


def test_brazil_wants_a_cpf_and_a_name(gateway: Gateway) -> None:
    for cpf in (None, "", "123", "1234567890x"):
        result = gateway.create(order(country="BR", cpf=cpf))
        assert result["error_code"] == "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_CN_INVALID"
    result = gateway.create(order(country="BR", cpf="12345678901", contact_person=None))
    assert result["error_code"] == "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_NOT_MATCH"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"logistics_service_name": "NO_SUCH"}, "DELIVERY_METHOD_NOT_EXIST"),
        ({"sku_attr": "12000037255569170"}, "SKU_NOT_EXIST"),
        ({"sku_attr": 12000037255569170}, "SKU_NOT_EXIST"),
    ],
)
def test_items_that_are_refused(gateway: Gateway, changes: dict[str, Any], code: str) -> None:
    assert gateway.create(order("SO-1", item(**changes)))["error_code"] == code
    assert gateway.create(order("SO-1", item(), item(**changes)))["error_code"] == code


@pytest.mark.parametrize("service", ["", None, "CAINIAO_STANDARD", "AE_STANDARD", "EPAM"])
def test_delivery_methods_that_pass(gateway: Gateway, service: str | None) -> None:
    assert references(gateway.create(order("SO-1", item(logistics_service_name=service, sku_attr=""))))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (ADDRESS_CODE, "address does not match the rules"),
        ("BLACKLIST_BUYER_IN_LIST", "Blacklist buyers"),
        ("USER_ACCOUNT_DISABLED", "Buyer account has been disabled"),
        ("INVENTORY_HOLD_ERROR", "Hold inventory error"),
        ("ERROR_WHEN_BUILD_FOR_PLACE_ORDER", "System error."),
        ("A003_SUSPICIOUS_BUYER", "A003_SUSPICIOUS_BUYER"),
        ("SOMETHING_NEW", "SOMETHING_NEW"),
    ],
)
def test_a_memo_asks_for_a_refusal(gateway: Gateway, code: str, message: str) -> None:
    result = gateway.create(order("SO-1", item(order_memo=f"sandbox:{code}")))
    assert result == {"is_success": False, "error_code": code, "error_msg": message}


@pytest.mark.parametrize(
    ("body", "code", "name"),
    [
        ({}, "MissingParameter", "logistics_address"),
        ({"logistics_address": "Orlando", "product_items": [item()]}, "InvalidParameter", "logistics_address"),
        ({"logistics_address": address()}, "MissingParameter", "product_items"),
        ({"logistics_address": address(), "product_items": []}, "MissingParameter", "product_items"),
        ({"logistics_address": address(), "product_items": {"a": 1}}, "InvalidParameter", "product_items"),
        ({"logistics_address": address(), "product_items": [1]}, "InvalidParameter", "product_items"),
        (order("k", item(product_id=None)), "MissingParameter", "product_id"),
        (order("k", item(product_id="B07X")), "InvalidParameter", "product_id"),
        (order("k", item(product_id="9" * 5000)), "InvalidParameter", "product_id"),
        (order("k", item(product_count=0)), "InvalidParameter", "product_count"),
        (order("k", item(product_count=1.5)), "InvalidParameter", "product_count"),
        (["an array"], "InvalidParameter", "param_place_order_request4_open_api_d_t_o"),
    ],
)
def test_a_body_of_the_wrong_shape(gateway: Gateway, body: object, code: str, name: str) -> None:
    error = gateway.create_error(body)
    assert error["code"] == code
    assert name in error["msg"]
    assert set(error) == {"type", "code", "msg", "request_id"}


def test_business_parameters_that_are_missing_or_no_json(gateway: Gateway) -> None:
    assert gateway.post(gateway.parameters(CREATE))["error_response"]["code"] == "MissingParameter"
    broken = gateway.parameters(CREATE, param_place_order_request4_open_api_d_t_o="{")
    assert gateway.post(broken)["error_response"]["code"] == "InvalidParameter"
    assert gateway.create_error(order(), ds_extend_request="{")["code"] == "InvalidParameter"
    assert gateway.create_error(order(), ds_extend_request="[]")["code"] == "InvalidParameter"
