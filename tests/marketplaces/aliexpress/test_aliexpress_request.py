"""What a create sends: every parameter, signed, in the body (docs/vendors/aliexpress.md, 1)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import pytest
from pydantic import BaseModel

from tests.marketplaces.aliexpress.aliexpress_kit import KEY, ORDER, adapter, drive, dump, reply
from worker.marketplaces.aliexpress import signing
from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.marketplaces.aliexpress.credentials import AliExpressCredentials
from worker.marketplaces.aliexpress.models import (
    AliExpressOrder,
    DsExtendRequest,
    LogisticsAddress,
    Payment,
    ProductItem,
    Promotion,
    TradeExtraParam,
)
from worker.marketplaces.base import Rate

PARAM = "param_place_order_request4_open_api_d_t_o"


def test_signature_vector_that_four_sdks_agree_on() -> None:
    params = {
        "app_key": "12345678",
        "format": "json",
        "method": "aliexpress.trade.ds.order.get",
        "partner_id": "iop-sdk-python-20220609",
        "session": "test-access-token",
        "sign_method": "sha256",
        "simplify": "false",
        "single_order_query": '{"order_id":"8198352049851315"}',
        "timestamp": "1700000000000",
    }
    expected = "4A68D7F46F93EDF0EE588978B292F73129F585C3060E870BAF12D4385FAA26F1"
    assert signing.call_signature(params, "helloworld") == expected
    assert signing.call_signature(dict(reversed(params.items())), "helloworld") == expected


def test_signature_sorts_by_byte_not_by_alphabet() -> None:
    assert signing.call_signature({"b": "2", "B": "1", "_": "3"}, "s") == signing.call_signature({"B1_3b": "2"}, "s")


def test_everything_travels_in_the_body_signed_and_nothing_is_empty() -> None:
    (request,), _ = drive(adapter().place(ORDER, KEY), reply({}))
    form = dict(parse_qsl(request.content.decode(), keep_blank_values=True, strict_parsing=True))
    assert (request.method, request.url) == ("POST", "https://api-sg.aliexpress.com/sync")
    assert request.headers["content-type"].startswith("application/x-www-form-urlencoded")
    sign = form.pop("sign")
    assert sign == signing.call_signature(form, "helloworld")
    assert "" not in form.values()
    assert json.loads(form.pop(PARAM)) == {
        "out_order_id": KEY,
        "logistics_address": ORDER["logistics_address"],
        "product_items": [{**ORDER["product_items"][0], "product_id": 1005004638293060}],
    }
    assert form == {
        "method": "aliexpress.ds.order.create",
        "app_key": "12345678",
        "session": "test-access-token",
        "timestamp": "1700000000000",
        "sign_method": "sha256",
        "format": "json",
    }


@pytest.mark.parametrize("base", [None, "https://api-sg.aliexpress.com", "https://api-sg.aliexpress.com/sync/"])
def test_address_of_the_gateway(base: str | None) -> None:
    keys = AliExpressCredentials(app_key="1", app_secret="s", access_token="t")
    assert AliExpress("main", keys, base).url == "https://api-sg.aliexpress.com/sync"


def test_every_parameter_goes_on_the_wire() -> None:
    address = {name: f"{name} é{place}" for place, name in enumerate(LogisticsAddress.model_fields)}
    address |= {
        "country": "FR",
        "mobile_no": "612345678",
        "phone_country": "33",
        "is_foreigner": "false",
        "zip": "75002",
    }
    items = [
        {
            "product_id": "1",
            "product_count": 2,
            "sku_attr": "14:1#A b",
            "logistics_service_name": "X",
            "order_memo": "M",
        }
    ]
    extend = {
        "promotion": {"promotion_code": "P", "promotion_activity_id": "7", "promotion_channel_info": "C"},
        "payment": {"pay_currency": "USD", "try_to_pay": "true"},
        "trade_extra_param": {
            "business_model": "wholesale",
            "nat_addr": "ABCD1234",
            "birthday": "31121990",
            "customize_sku_map": {"12000": "77"},
        },
        "channel_strategy": "S",
    }
    parts: list[tuple[Any, type[BaseModel]]] = [
        (items[0], ProductItem),
        (extend, DsExtendRequest),
        (extend["promotion"], Promotion),
    ]
    parts += [(extend["payment"], Payment), (extend["trade_extra_param"], TradeExtraParam)]
    assert all(part.keys() == model.model_fields.keys() for part, model in parts), "a field is missing in this test"

    order = dump({"logistics_address": address, "product_items": items, "ds_extend_request": extend})
    (request,), _ = drive(adapter().place(order, KEY), reply({}))
    form = {name: json.loads(value) for name, [value] in parse_qs(request.content.decode()).items() if value[0] == "{"}
    assert form["ds_extend_request"] == extend
    assert form[PARAM] == {
        "out_order_id": KEY,
        "logistics_address": address,
        "product_items": [{**items[0], "product_id": 1}],
    }
    assert b"%5Cu" not in request.content, "texts travel as UTF-8, not as escapes"


def test_what_the_adapter_declares() -> None:
    assert AliExpress.resend_window == timedelta(hours=22)
    assert AliExpress.default_rate == Rate(5)
    assert AliExpress.order_model is AliExpressOrder
    assert adapter().can_look_up is False
    assert set(AliExpress.personal_fields) <= set(AliExpressOrder.model_fields)


def test_secrets_are_not_shown() -> None:
    assert "helloworld" not in repr(vars(adapter())["credentials"])
