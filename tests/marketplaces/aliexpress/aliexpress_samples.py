"""AliExpress for the contract tests: a full order, and what the marketplace can say, with the outcome it means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from tests.marketplaces.aliexpress.aliexpress_kit import REFERENCE, reply
from worker.marketplaces.calls import Lost, Reply, Request
from worker.rules.life import Parcels
from worker.rules.outcomes import Absent, Accepted, Declined, Found, NotSent, Refused, Unknown

KEYS = {"app_key": "12345678", "app_secret": "secret-of-the-app", "access_token": "token-of-the-buyer"}
SIGNED = True
BEFORE_CREATE: tuple[Reply, ...] = ()
ACCEPTED_WITHOUT_ID = {"REPEATED_ORDER_ERROR"}
OURS: tuple[str, ...] = ()

PEOPLE = {
    "address": "12 Rue de la Paix",
    "address2": "Escalier B",
    "city": "Nouvelle-Ville",
    "contact_person": "Jeanne Moreau",
    "full_name": "Jeanne Claire Moreau",
    "cpf": "52998224725",
    "mobile_no": "612345678",
    "passport_no": "PASS-77123",
    "passport_no_date": "2031-05-06",
    "passport_organization": "Prefecture 75",
    "province": "Ile-de-Quelque-Part",
    "tax_number": "TAX-5512",
    "zip": "75002",
    "rut_no": "RUT-8841",
    "foreigner_passport_no": "FPN-9920",
    "vat_no": "FR40303265045",
    "tax_company": "Moreau et Fille",
    "location_tree_address_id": "903200190137000000",
    "birthday": "1990-12-31",
    "fax_area": "0142",
    "fax_country": "+331",
    "fax_number": "5550001",
    "phone_area": "0143",
    "phone_number": "5550002",
}
EXTRA = {"nat_addr": "ABCD1234", "birthday": "31121991", "customize_sku_map": {"12000032": "engrave-Jeanne"}}
MEMO = "ring twice for Madame Moreau"
PERSONAL = (*PEOPLE.values(), "ABCD1234", "31121991", "engrave-Jeanne", MEMO)
ORDER: dict[str, Any] = {
    "logistics_address": {**PEOPLE, "country": "FR", "phone_country": "+33", "locale": "fr_FR", "is_foreigner": False},
    "product_items": [
        {
            "product_id": 1005004638293060,
            "product_count": 3,
            "sku_attr": "14:365458#Brown",
            "logistics_service_name": "CAINIAO_STANDARD",
            "order_memo": MEMO,
        }
    ],
    "ds_extend_request": {
        "promotion": {
            "promotion_code": "PROMO-1",
            "promotion_activity_id": "5000000123",
            "promotion_channel_info": "CHANNEL-1",
        },
        "payment": {"pay_currency": "USD", "try_to_pay": True},
        "trade_extra_param": {"business_model": "wholesale", **EXTRA},
        "channel_strategy": "STRATEGY-1",
    },
}


def sent(request: Request) -> Any:
    """Return what a request says, as JSON values."""
    return [value if value[:1] not in "[{" else json.loads(value) for _, value in parse_qsl(request.content.decode())]


def created(literal: str) -> Reply:
    """Return the reply of a create that tells this JSON literal as the order's id."""
    result = f'{{"is_success": true, "order_list": {{"number": [{literal}]}}}}'
    return reply(f'{{"aliexpress_ds_order_create_response": {{"result": {result}}}}}'.encode())


def says(words: str) -> list[Reply]:
    """Return replies that decline or doubt a create, or a read, in these words."""
    result = {"is_success": False, "error_code": words, "error_msg": words}
    return [
        _created(result),
        _created({"is_success": False, "error_code": "INVENTORY_HOLD_ERROR", "error_msg": words}),
        _created({"is_success": True, "error_msg": words}),
        _fault("IllegalAccessToken", words),
        _fault("15", words, sub_code=words),
        _fault(words, words),
    ]


def answers(code: str, words: str, ids: Sequence[str]) -> list[Any]:
    """Return answers to a create with a code and words in every place the vendor has for them, and these ids."""
    told = {"order_list": {"number": [*ids]}} if ids else {}
    return [
        {"aliexpress_ds_order_create_response": {"result": {"is_success": flag, **_result(code, words), **told}}}
        for flag in (False, "false", True, None)
    ] + [
        {"error_response": {"type": "ISV", "code": code, "msg": words, "request_id": "r1", **told}},
        {"error_response": {"type": "ISP", "code": "15", "sub_code": code, "sub_msg": words, "msg": words, **told}},
        {"type": "ISV", "code": code, "message": words, "request_id": "r1", **told},
        {"result": {"is_success": False, **_result(code, words), **told}},
    ]


def _result(code: str, words: str) -> dict[str, str]:
    return {"error_code": code, "error_msg": words}


def noes(words: str) -> list[Reply]:
    """Return a no of each sort by a documented code in its documented place, with these words beside it."""
    return [
        *(
            _created({"is_success": False, **_result(code, words)})
            for code in ("SKU_NOT_EXIST", "INVENTORY_HOLD_ERROR")
        ),
        *(_fault(code, words) for code in ("ApiCallLimit", "IllegalAccessToken", "MissingParameter", "25")),
        _fault("15", words, sub_code="isv.insufficient-permission"),
    ]


DOOR: dict[int, str] = {429: ""}
"""Statuses that alone turn a create away, with the code the answer must have for it."""
NUMBERS = {str(number) for number in range(100)}
"""Codes that are documented under another name in the adapter's table."""

TWO: dict[str, Any] = {
    **ORDER,
    "product_items": [
        {"product_id": 1005004638293060, "product_count": 24},
        {"product_id": 1005004638293061, "product_count": 10},
    ],
}
"""An order of two products, 24 and 10 pieces."""
PRODUCTS = ("1005004638293060", "1005004638293061", "1005004638293062")
"""Their ids, and one that was not ordered."""
CURRENCY = "USD"


def shows(lines: Sequence[tuple[int, int]] | None, currency: str = CURRENCY, ended: bool = False) -> Reply:
    """Return a read of `REFERENCE` with these lines, (place in `PRODUCTS`, pieces); None: it shows no goods.

    `ended`: the first line was cancelled by the marketplace.
    """
    rows = [{"product_id": PRODUCTS[place], "product_count": str(count)} for place, count in lines or ()]
    if ended:
        rows[0]["end_reason"] = "CANCELED"
    goods = {} if lines is None else {"child_order_list": {"aeop_child_order_info": rows}}
    money = {"amount": "12.30", "currency_code": currency}
    return _shown({"order_status": "PLACE_ORDER_SUCCESS", "user_order_amount": money, "order_amount": money, **goods})


def _created(result: Any) -> Reply:
    return reply({"aliexpress_ds_order_create_response": {"result": result, "request_id": "r1"}})


def _shown(result: Any) -> Reply:
    return reply({"aliexpress_trade_ds_order_get_response": {"result": result, "request_id": "r1"}})


def _fault(code: str, words: str, **more: str) -> Reply:
    return reply({"error_response": {"type": "ISV", "code": code, "msg": words, "request_id": "r1", **more}})


_BAN = "Api access frequency exceeds the limit. this ban will last 1 seconds"
_NO_PERMISSION = {"sub_code": "isv.insufficient-permission", "sub_msg": "Insufficient permission."}
_RECORD = {
    "order_status": "WAIT_SELLER_SEND_GOODS",
    "logistics_status": "NO_LOGISTICS",
    "order_amount": {"amount": "12.30", "currency_code": "USD"},
    "child_order_list": {"aeop_child_order_info": [{"product_id": 1005004638293060, "product_count": 3}]},
}

PLACE: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {
    "an id": ((created(REFERENCE),), Accepted),
    "two ids": ((_created({"is_success": True, "order_list": {"number": [1, 2]}}),), Accepted),
    "a repeat without ids": ((_created({"is_success": False, "error_code": "REPEATED_ORDER_ERROR"}),), Accepted),
    "a refusal": ((_created({"is_success": False, "error_code": "SKU_NOT_EXIST"}),), Refused),
    "too often": ((_fault("ApiCallLimit", _BAN),), Declined),
    "a bad token": ((_fault("IllegalAccessToken", "token is invalid"),), Declined),
    "HTTP 429": ((reply(b"", 429, retry_after="7"),), Declined),
    "no connection": ((Lost("no connection", may_have_arrived=False),), NotSent),
    "no answer": ((Lost("no answer", may_have_arrived=True),), Unknown),
    "a backend error": ((_fault("15", "Remote service error"),), Unknown),
    "success without an id": ((_created({"is_success": True}),), Unknown),
}
READ: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {
    "an order": ((_shown(_RECORD),), Found),
    "an order not synchronised yet": ((_fault("15", "Remote service error", **_NO_PERMISSION),), Absent),
    "no result": ((_shown({}),), Absent),
    "too often": ((_fault("ApiCallLimit", _BAN),), Declined),
    "no connection": ((Lost("no connection", may_have_arrived=False),), NotSent),
    "no answer": ((Lost("no answer", may_have_arrived=True),), Unknown),
    "a server error": ((reply(b"oops", 502),), Unknown),
}
LOOK_UP: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {}


def in_status(name: str) -> Reply | None:
    """Return a read of `REFERENCE` in this status; None: it is one of a parcel."""
    kind, _, word = name.rpartition(" ")
    return None if kind == "logistics_status" else _shown({**_RECORD, "order_status": word})


def _tracked(result: Any) -> Reply:
    return reply({"aliexpress_ds_order_tracking_get_response": {"result": result, "request_id": "r1"}})


_PARCEL = {
    "mail_no": "LX123456789US",
    "carrier_name": "AliExpress Selection Standard",
    "eta_time_stamps": 1_700_600_000_000,
    "package_item_list": {
        "package_item": [
            {
                "item_id": 1005004638293060,
                "sku_desc": "for Jeanne Claire Moreau",
                "item_title": "a bolt",
                "quantity": 3,
            },
        ]
    },
    "detail_node_list": {
        "detail_node": [
            {
                "time_stamp": 1_700_000_200_000,
                "tracking_name": "Delivered",
                "tracking_detail_desc": "Signed by Jeanne Claire Moreau",
            },
            {"time_stamp": 1_700_000_100_000, "tracking_name": "Signed by Jeanne Claire Moreau, 12 Rue de la Paix"},
        ]
    },
    "receiver": {"name": "Jeanne Claire Moreau", "address": "12 Rue de la Paix", "phone": "612345678"},
}
PARCELS: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {
    "a parcel": (
        (_tracked({"ret": True, "data": {"tracking_detail_line_list": {"tracking_detail": [_PARCEL]}}}),),
        Parcels,
    ),
    "nothing yet": ((_tracked({"ret": False, "code": "1001", "msg": "TRACKING DATA NOT FOUND"}),), Parcels),
    "an empty list": ((_tracked({"ret": "true", "data": {"tracking_detail_line_list": {}}}),), Parcels),
    "a parameter nobody knows": (
        (_fault("UnsupportedParamMapping", "The request has an unsupported parameter"),),
        Unknown,
    ),
    "too often": ((_fault("ApiCallLimit", _BAN),), Declined),
    "a bad token": ((_fault("IllegalAccessToken", "token is invalid"),), Declined),
    "no connection": ((Lost("no connection", may_have_arrived=False),), NotSent),
    "no answer": ((Lost("no answer", may_have_arrived=True),), Unknown),
    "a server error": ((reply(b"oops", 502),), Unknown),
}
TRACKED = ("LX123456789US",)
HANDED_ON = ("mail_no", "carrier_name", "item_id", "pay_timeout_second")
